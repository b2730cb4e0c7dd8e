"""Likelihood, cross entropy and KL of one parameter, and how far its estimate strays."""

from engine.labs.em.likelihood.experiment import EXPERIMENT, Picture
from engine.labs.em.likelihood.parameters import Parameters

__all__ = ["EXPERIMENT", "Parameters", "Picture"]
