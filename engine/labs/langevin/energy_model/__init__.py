"""An energy that learns: down on data, up on its own Langevin chains, live in the plane and on images of digits."""

from engine.labs.langevin.energy_model.experiment import EXPERIMENT
from engine.labs.langevin.energy_model.parameters import Parameters
from engine.labs.langevin.energy_model.picture import Picture

__all__ = ["EXPERIMENT", "Parameters", "Picture"]
