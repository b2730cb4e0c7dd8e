"""Particles in a double well: how long until they cross the barrier, and why short chains cannot."""

from engine.labs.langevin.passage.experiment import EXPERIMENT
from engine.labs.langevin.passage.parameters import Parameters
from engine.labs.langevin.passage.picture import Picture

__all__ = ["EXPERIMENT", "Parameters", "Picture"]
