"""Draws EM as descent on one divergence: the staircase joint KL = marginal KL + gap, and the tables behind it."""

from gui.panels.em.joint_kl.panel import ExperimentPanel

__all__ = ["ExperimentPanel"]
