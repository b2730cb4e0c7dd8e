"""Two coins and nobody noted which was flipped: EM in five rows of a table."""

from engine.labs.em.coins.experiment import EXPERIMENT
from engine.labs.em.coins.parameters import Parameters
from engine.labs.em.coins.picture import Picture

__all__ = ["EXPERIMENT", "Parameters", "Picture"]
