"""A deep tower of random layers: lengths, angles and gradients layer by layer, beside mean-field theory."""

from engine.labs.angles.propagation.experiment import EXPERIMENT, Picture
from engine.labs.angles.propagation.parameters import Parameters

__all__ = ["EXPERIMENT", "Parameters", "Picture"]
