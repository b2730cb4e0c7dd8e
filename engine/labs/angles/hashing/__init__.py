"""Signs of random projections tell the angle between two vectors."""

from engine.labs.angles.hashing.experiment import EXPERIMENT
from engine.labs.angles.hashing.parameters import Parameters
from engine.labs.angles.hashing.picture import Picture

__all__ = ["EXPERIMENT", "Parameters", "Picture"]
