"""What the panel of `hashing` draws."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Picture:
    """Angles in radians."""

    angles: np.ndarray  # (a,): at which products of signs were averaged
    products: np.ndarray  # (a,): mean products
    code: np.ndarray  # (3, shown bits): sides of x, sides of y, and where they differ, 0 or 1; the newest pair
    estimate_edges: np.ndarray  # (bits + 2,): of the estimates π H / b
    estimate_density: np.ndarray  # (bits + 1,)
    estimate_law: np.ndarray  # (bits + 1,)
    prefix_bits: np.ndarray  # (p,): lengths of the shortened codes
    prefix_error: np.ndarray  # (p,): root mean square error of their estimates
    theory_prefix_error: np.ndarray  # (p,)
    drawn: int
