"""Gaussian mixtures by EM, one half-step at a time: a likelihood, the bound below it, and two moves that never go down."""

from engine.labs.em.mixture.experiment import EXPERIMENT
from engine.labs.em.mixture.parameters import Parameters
from engine.labs.em.mixture.picture import Picture

__all__ = ["EXPERIMENT", "Parameters", "Picture"]
