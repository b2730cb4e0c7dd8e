"""Draws a likelihood, the data beside the model, cross entropy against KL, and how far the maximum strays."""

from gui.panels.em.likelihood.panel import ExperimentPanel

__all__ = ["ExperimentPanel"]
