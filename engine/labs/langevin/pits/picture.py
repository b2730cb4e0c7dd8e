"""The arrays that frames of `pits` carry."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from engine.core.frames import GAPS


@dataclass(frozen=True, slots=True)
class Picture:
    """What the panel draws."""

    landscape: np.ndarray  # (G, G): U over the square, rows upwards
    points: np.ndarray  # (2, N)
    energies: np.ndarray  # (N,)
    trails: np.ndarray  # (2, w, t): last places of watched points, from old to new
    trail_energies: np.ndarray  # (w, t)
    data: np.ndarray  # (2, B)
    directions: np.ndarray  # (A,): degrees
    ground: np.ndarray  # (A,): lowest energy of each direction near the circle of the data
    centres: np.ndarray  # (2, K)
    shares: np.ndarray  # (K,): of the points in each mode
    stiffness: np.ndarray = field(metadata=GAPS)  # (K,): ηk of each pit, nan where there is none
    curve_steps: np.ndarray  # (n,)
    curve_points: np.ndarray  # (n,): mean energy of the points
    curve_data: np.ndarray  # (n,)
    waiting: bool
    before: int  # steps that the points still wait
    catch: float  # how near to a centre a point belongs to its mode
