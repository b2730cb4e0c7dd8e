"""A random matrix is nearly orthogonal entry by entry and for one input, but not for the worst one."""

from engine.labs.angles.orthogonality.experiment import EXPERIMENT
from engine.labs.angles.orthogonality.parameters import Parameters
from engine.labs.angles.orthogonality.picture import Picture

__all__ = ["EXPERIMENT", "Parameters", "Picture"]
