"""The arrays that frames of `passage` carry."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from engine.core.frames import unit


@dataclass(frozen=True, slots=True)
class Picture:
    """What the panel draws."""

    well_grid: np.ndarray  # (WELL_POINTS,)
    well_energy: np.ndarray  # (WELL_POINTS,): U
    tracer_places: np.ndarray  # (k,): where tracers are
    tracer_heaps: np.ndarray  # (k,): local density over that of a full well
    tracer_crossed: np.ndarray  # (k,), int8: 1 for those that have reached the target once
    time_edges: np.ndarray  # (bins + 1,)
    time_heights: np.ndarray  # (bins,): share of all particles per time, or per ln t on a logarithmic axis
    time_grid: np.ndarray
    time_law: np.ndarray
    barrier_grid: np.ndarray  # (b,)
    barrier_exact: np.ndarray  # (b,): mean passage time at this temperature
    barrier_kramers: np.ndarray  # (b,)
    share_grid: np.ndarray = field(metadata=unit("steps"))  # numbers of steps
    share_law: np.ndarray  # share that has crossed by then, by the chain's law
    share_steps: np.ndarray = field(metadata=unit("steps"))  # numbers of steps so far
    share_counted: np.ndarray  # share of the particles that has crossed by then
    logarithmic: bool
    capped: bool  # the run ends before all have crossed
    last_step: int  # of the run
