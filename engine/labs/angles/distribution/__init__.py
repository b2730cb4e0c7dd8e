"""The angle between two random vectors, or a random vector and a random subspace, against its exact law."""

from engine.labs.angles.distribution.experiment import EXPERIMENT
from engine.labs.angles.distribution.parameters import Parameters
from engine.labs.angles.distribution.picture import Picture

__all__ = ["EXPERIMENT", "Parameters", "Picture"]
