"""Soft k-means while it cools: one centre becomes two, two become four, at temperatures that the variance tells."""

from engine.labs.em.annealing.experiment import EXPERIMENT
from engine.labs.em.annealing.parameters import Parameters
from engine.labs.em.annealing.picture import Picture

__all__ = ["EXPERIMENT", "Parameters", "Picture"]
