"""Draws a model that learns: its energy with data and chains, its density, its curves; or digits that grow out of noise."""

from gui.panels.langevin.energy_model.panel import ExperimentPanel

__all__ = ["ExperimentPanel"]
