"""The law of f(x) for a Gaussian x: its shares of bins, its atoms, the range where it lives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

Array = NDArray[np.float64]

REACH = 9.0
CELLS = 20_000
FLAT = 1e-12


@dataclass(frozen=True, slots=True)
class ImageLaw:
    """The law of f(x), x ~ N(0, σ²), from a fine mesh of x: on each cell f is taken to be linear.

    Parameters
    ----------
    low, high
        The smaller and larger value of f at the ends of each cell.
    mass
        Probability of each cell.
    """

    low: Array
    high: Array
    mass: Array

    def shares(self, edges: ArrayLike) -> Array:
        """Probability of each bin; the error falls with the square of the cell, a few 1e-6 for what activations look like."""
        places = np.asarray(edges, dtype=float)
        below = np.array([self._below(edge) for edge in places])
        return np.diff(below)

    def _below(self, edge: float) -> float:
        width = np.maximum(self.high - self.low, 1e-300)
        return float(self.mass @ np.clip((edge - self.low) / width, 0.0, 1.0))

    def window(self, rare: float = 5e-4) -> tuple[float, float]:
        """Two values between which all but a share `rare` on either side lies; never empty."""
        order = np.argsort(self.low)
        reached = np.cumsum(self.mass[order])
        low = float(self.low[order[np.searchsorted(reached, rare)]])
        high = float(self.high[order[min(int(np.searchsorted(reached, 1 - rare)), len(order) - 1)]])
        margin = 0.031 * (high - low) or 0.5
        return low - margin, high + margin

    def atoms(self, least: float = 1e-3) -> list[tuple[float, float]]:
        """Values that are taken with positive probability, with it: those of the flat parts of f."""
        flat = self.high - self.low <= FLAT * np.maximum(1.0, np.abs(self.high))
        values, where = np.unique(np.round(self.low[flat], 9), return_inverse=True)
        weights = np.bincount(where, weights=self.mass[flat], minlength=len(values))
        return [(float(v), float(w)) for v, w in zip(values, weights, strict=True) if w >= least]


def image_law(function: Callable[[Array], Array], deviation: float = 1.0, kinks: Sequence[float] = ()) -> ImageLaw:
    """The law of f(σ z) for a standard normal z.

    Parameters
    ----------
    function : callable
        f, elementwise on arrays.
    deviation : float
        σ.
    kinks : sequence of float
        Where f bends; the mesh has points there.
    """
    inside = [kink / deviation for kink in kinks if abs(kink) < REACH * deviation]
    z = np.union1d(np.linspace(-REACH, REACH, CELLS + 1), inside)
    value = function(deviation * z)
    low, high = np.minimum(value[:-1], value[1:]), np.maximum(value[:-1], value[1:])
    return ImageLaw(low, high, np.diff(special.ndtr(z)))
