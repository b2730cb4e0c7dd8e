"""Draws a landscape that is being dug, the points that roll in it, and what decides whether they run past a pit."""

from gui.panels.langevin.pits.panel import ExperimentPanel

__all__ = ["ExperimentPanel"]
