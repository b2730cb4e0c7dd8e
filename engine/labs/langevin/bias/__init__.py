"""The price of a finite step: what Langevin samplers really sample on a parabola, beside the formulas that say so."""

from engine.labs.langevin.bias.experiment import EXPERIMENT
from engine.labs.langevin.bias.parameters import Parameters
from engine.labs.langevin.bias.picture import Picture

__all__ = ["EXPERIMENT", "Parameters", "Picture"]
