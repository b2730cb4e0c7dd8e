"""The transition of a one-dimensional Metropolis sampler as matrices: correlations and transients by quadrature."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

FINE, COARSE = (6.5, 0.35, 0.05, 420), (5.5, 0.6, 0.1, 170)  # reach and largest spacings, in deviations; most points


class Proposal(NamedTuple):
    """y = factor · z + √noise · ξ, accepted with min(1, exp(-tilt (y² - z²)/2)); precision is that of the stationary law."""

    factor: float
    noise: float
    tilt: float
    precision: float


class Kernel:
    """The transition on a grid of |z|, for functions that are even or odd in z.

    The midpoint rule on a fine grid. Detailed balance holds on the grid too, so that the stationary law there is the normal
    law at the grid points: its moments are exact to rounding, the correlations to about 1e-4.

    Parameters
    ----------
    step : Proposal
    points : int
        Of the half line.
    reach : float
        End of the grid.
    """

    def __init__(self, step: Proposal, points: int, reach: float) -> None:
        width = reach / points
        z = np.linspace(0.5 * width, reach - 0.5 * width, points)
        ratio = np.exp(np.minimum(0.0, -0.5 * step.tilt * (z[None, :] ** 2 - z[:, None] ** 2)))
        height = width / math.sqrt(2 * math.pi * step.noise)
        same, other = (
            height * np.exp(-((sign * z[None, :] - step.factor * z[:, None]) ** 2) / (2 * step.noise)) * ratio
            for sign in (1, -1)
        )
        stay = np.diag(1 - (same + other).sum(axis=1))
        self.z: Array = z
        self.law: Array = np.exp(-0.5 * step.precision * z * z)
        self.law /= self.law.sum()
        self.even: Array = same + other + stay
        self.odd: Array = same - other + stay

    def autocorrelation(self, lags: int) -> Array:
        """Correlations of z at lags 0 to `lags`."""
        weight = self.law * self.z
        values, found = self.z, [1.0]
        norm = float(weight @ self.z)
        for _ in range(lags):
            values = self.odd @ values
            found.append(float(weight @ values) / norm)
        return np.array(found)

    def integrated_time(self) -> float:
        """1 + 2 Σ of the correlations, by one linear system: Σ_k K^k z = (1 - K)⁻¹ z."""
        weight = self.law * self.z
        summed = np.linalg.solve(np.eye(len(self.z)) - self.odd, self.z)
        return float(2 * (weight @ summed) / (weight @ self.z) - 1)

    def error_of_square(self, steps: int) -> float:
        """Standard error of the mean of z² over so many steps of one stationary chain, beside E z² = 1/precision.

        √(σ²/n) with σ² = 2 ⟨f, (1 - K)⁻¹ f⟩ - ⟨f, f⟩ for f = z² - E z², and never more than one value alone has: where far
        out nearly every step is refused, few chains have been there, and the spread between chains says too little.
        """
        f = self.z**2 - float(self.law @ self.z**2)
        weight = self.law * f
        alone = float(weight @ f)
        summed = np.linalg.solve(np.eye(len(f)) - self.even + self.law[None, :], f)  # the law itself is taken out of the kernel
        return math.sqrt(min(alone, max(0.0, 2 * float(weight @ summed) - alone) / steps))

    def start(self, mean: float, spread: float) -> tuple[Array, Array]:
        """Even and odd part of a normal law (of a point where the spread is below the grid's), as sums over the grid."""
        z, width = self.z, self.z[1] - self.z[0]
        if spread < 2 * width:
            right = np.clip(1 - np.abs(z - max(abs(mean), z[0])) / width, 0, None)  # a point, shared by its two neighbours
            return right, math.copysign(1.0, mean) * right if mean else 0 * right
        right, left = (np.exp(-0.5 * ((sign * z - mean) / spread) ** 2) for sign in (1, -1))
        total = (right + left).sum()
        return (right + left) / total, (right - left) / total


@lru_cache(maxsize=8)
def kernel_of(step: Proposal, *, coarse: bool = False, reach: float = 0.0) -> Kernel | None:
    """The kernel on a grid fine enough for its noise, None where that would take too many points.

    Parameters
    ----------
    step : Proposal
    coarse : bool
        Whether correlations to a percent are enough.
    reach : float
        Place that the grid has to hold, in units of the target: chains may start far out in a narrow stationary law.
    """
    if not math.isfinite(step.factor) or step.noise < 1e-12:
        return None
    deviations, by_noise, by_law, most = COARSE if coarse else FINE
    spread = 1 / math.sqrt(step.precision)
    end = max(deviations * spread, reach)
    points = math.ceil(end / min(by_noise * math.sqrt(step.noise), by_law * spread))
    return Kernel(step, points, end) if points <= most else None
