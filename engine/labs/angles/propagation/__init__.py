"""A deep tower of random layers: lengths, angles and gradients layer by layer, beside mean-field theory."""

from engine.labs.angles.propagation.experiment import EXPERIMENT
from engine.labs.angles.propagation.parameters import Parameters
from engine.labs.angles.propagation.picture import Picture

__all__ = ["EXPERIMENT", "Parameters", "Picture"]
