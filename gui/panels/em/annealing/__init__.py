"""Draws the centres by inverse temperature, who takes which data, the smooth minimum, distances and entropy."""

from gui.panels.em.annealing.panel import ExperimentPanel

__all__ = ["ExperimentPanel"]
