"""Draws two coins: the table of flips, the landscape of both biases with the path of EM, and two curves of progress."""

from gui.panels.em.coins.panel import ExperimentPanel

__all__ = ["ExperimentPanel"]
