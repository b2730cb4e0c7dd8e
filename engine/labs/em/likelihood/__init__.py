"""Likelihood, cross entropy and KL of one parameter, and how far its estimate strays."""

from engine.labs.em.likelihood.experiment import EXPERIMENT
from engine.labs.em.likelihood.parameters import Parameters
from engine.labs.em.likelihood.picture import Picture

__all__ = ["EXPERIMENT", "Parameters", "Picture"]
