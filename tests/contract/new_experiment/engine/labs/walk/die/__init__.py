"""The mean of many throws of a die, beside the law of large numbers."""

from engine.labs.walk.die.experiment import EXPERIMENT
from engine.labs.walk.die.parameters import Parameters
from engine.labs.walk.die.picture import Picture

__all__ = ["EXPERIMENT", "Parameters", "Picture"]
