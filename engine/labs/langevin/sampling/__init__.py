"""A swarm of particles that samples an energy in the plane: Langevin's rule, its bias, its barriers, and what helps."""

from engine.labs.langevin.sampling.experiment import EXPERIMENT
from engine.labs.langevin.sampling.parameters import Parameters
from engine.labs.langevin.sampling.picture import Picture

__all__ = ["EXPERIMENT", "Parameters", "Picture"]
