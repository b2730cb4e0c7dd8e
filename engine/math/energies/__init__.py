"""Energies in the plane and on images, their densities and the distances to them."""
