"""The angle between two random vectors, or a random vector and a random subspace, against its exact law."""

from engine.labs.angles.distribution.experiment import EXPERIMENT, Parameters, Picture

__all__ = ["EXPERIMENT", "Parameters", "Picture"]
