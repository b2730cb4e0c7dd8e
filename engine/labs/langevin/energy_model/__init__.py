"""An energy that learns: down on data, up on its own Langevin chains, live in the plane and on images of digits."""

from engine.labs.langevin.energy_model.experiment import EXPERIMENT, Picture
from engine.labs.langevin.energy_model.parameters import Parameters

__all__ = ["EXPERIMENT", "Parameters", "Picture"]
