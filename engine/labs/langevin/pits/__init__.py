"""A game as a landscape: a discriminator digs pits at data, generated points roll into them."""

from engine.labs.langevin.pits.experiment import EXPERIMENT
from engine.labs.langevin.pits.parameters import Parameters
from engine.labs.langevin.pits.picture import Picture

__all__ = ["EXPERIMENT", "Parameters", "Picture"]
