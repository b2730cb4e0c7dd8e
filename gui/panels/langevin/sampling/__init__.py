"""Draws a swarm on its landscape, the exact density beside it, and how near the two have come."""

from gui.panels.langevin.sampling.panel import ExperimentPanel

__all__ = ["ExperimentPanel"]
