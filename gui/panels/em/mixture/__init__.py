"""Draws a mixture half-step by half-step: points and components, the bound under the likelihood, and what surrounds a run."""

from gui.panels.em.mixture.panel import ExperimentPanel

__all__ = ["ExperimentPanel"]
