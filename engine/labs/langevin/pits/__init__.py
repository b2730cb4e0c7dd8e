"""A game as a landscape: a discriminator digs pits at data, generated points roll into them."""

from engine.labs.langevin.pits.experiment import EXPERIMENT, Picture
from engine.labs.langevin.pits.parameters import Parameters

__all__ = ["EXPERIMENT", "Parameters", "Picture"]
