"""Two coins and nobody noted which was flipped: EM in five rows of a table."""

from engine.labs.em.coins.experiment import EXPERIMENT, Parameters, Picture

__all__ = ["EXPERIMENT", "Parameters", "Picture"]
