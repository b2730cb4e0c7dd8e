"""The state of `energy_model`."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.labs.langevin.energy_model.exact import GradientCheck, GridReading
from engine.labs.langevin.energy_model.images import Images
from engine.labs.langevin.energy_model.plane import Plane


@dataclass(frozen=True, slots=True)
class State:
    """One of the two models, what was read off the grid, and the last check."""

    plane: Plane | None = None
    images: Images | None = None
    reading: GridReading | None = None
    found: GradientCheck | None = None
    readings: list[tuple[float, float, float, float]] = field(default_factory=list)
