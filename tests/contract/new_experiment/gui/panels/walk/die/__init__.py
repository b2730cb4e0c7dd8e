"""The panel of the die."""

from gui.panels.walk.die.panel import ExperimentPanel

__all__ = ["ExperimentPanel"]
