"""What an activation does to the size of a Gaussian signal, and the gain that undoes it."""

from engine.labs.angles.activation_gain.experiment import EXPERIMENT, Parameters, Picture

__all__ = ["EXPERIMENT", "Parameters", "Picture"]
