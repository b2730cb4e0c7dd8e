"""Painting many marks fast: symbols printed as stamps, lines in pieces, steps filled as images."""
