"""The price of a finite step: what Langevin samplers really sample on a parabola, beside the formulas that say so."""

from engine.labs.langevin.bias.experiment import EXPERIMENT, Parameters, Picture

__all__ = ["EXPERIMENT", "Parameters", "Picture"]
