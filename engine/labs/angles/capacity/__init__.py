"""How many nearly perpendicular vectors fit into R^n: the largest |cosine| among many random directions."""

from engine.labs.angles.capacity.experiment import EXPERIMENT
from engine.labs.angles.capacity.parameters import Parameters
from engine.labs.angles.capacity.picture import Picture

__all__ = ["EXPERIMENT", "Parameters", "Picture"]
