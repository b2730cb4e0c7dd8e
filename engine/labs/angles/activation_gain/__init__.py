"""What an activation does to the size of a Gaussian signal, and the gain that undoes it."""

from engine.labs.angles.activation_gain.experiment import EXPERIMENT
from engine.labs.angles.activation_gain.parameters import Parameters
from engine.labs.angles.activation_gain.picture import Picture

__all__ = ["EXPERIMENT", "Parameters", "Picture"]
