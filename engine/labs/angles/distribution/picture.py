"""What the panel of `distribution` draws."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from torch import Tensor

from engine.core.frames import unit


@dataclass(frozen=True, slots=True)
class Picture:
    """What the panel draws. Angles in radians, densities per radian or per unit of cosine."""

    edges: np.ndarray = field(metadata=unit("rad"))  # (bins + 1,)
    density: np.ndarray = field(metadata=unit("1/rad"))  # (bins,)
    grid: np.ndarray = field(metadata=unit("rad"))  # (CURVE_POINTS,)
    law: np.ndarray = field(metadata=unit("1/rad"))  # (CURVE_POINTS,)
    compare_dimensions: np.ndarray  # (c,)
    compare_laws: np.ndarray  # (c, CURVE_POINTS)
    cosine_edges: np.ndarray  # (bins + 1,)
    cosine_density: np.ndarray  # (bins,)
    cosine_grid: np.ndarray  # (CURVE_POINTS,)
    cosine_law: np.ndarray  # (CURVE_POINTS,)
    points: np.ndarray | Tensor  # (GLOBE_POINTS at most, 3): directions with the measured angle to the north pole, float32
    mean: float
    deviation: float
    drawn: int
    undefined: int
    subspace_dimension: int  # 0 for another vector
    exact: bool
