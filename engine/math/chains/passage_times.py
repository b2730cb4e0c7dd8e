"""First passage over the barrier of a double well: the whole distribution of the time, not only its mean.

The diffusion dX = -½ U'(X) dt + √T dW with U(x) = a (x² - 1)² has the stationary density exp(-U/T), two wells of depth zero at
±1 and a barrier of height a at 0. Its generator is L f = -½ U' f' + (T/2) f''. What is asked is the time until it first reaches
a target, from a start to the left of it.

References
----------
Gardiner (2009), Stochastic Methods, sections 5.5 and 5.4. Colbert and Miller (1992), J. Chem. Phys. 96, 1982-1991 (the grid on
which the generator is diagonalised).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import CubicSpline

from engine.math.chains.laws import mean_first_passage_time

Array = NDArray[np.float64]

MODES = 160  # sines that carry the eigenfunctions
REACH = 50.0  # energy over temperature at the left end, where nothing is left of the density
RATIOS, RATIO_POINTS = (0.1, 25.0), 41  # of barrier and temperature, in the table of mean times
SUDDEN = 25.0  # the series is trusted from the time at which its last term is exp(-25)


def double_well(x: ArrayLike, barrier: float) -> Array:
    """U(x) = a (x² - 1)², elementwise."""
    found: Array = barrier * (np.square(np.asarray(x, dtype=float)) - 1) ** 2
    return found


def left_end(barrier: float, temperature: float, reach: float = REACH) -> float:
    """The place left of both wells where U = reach · T."""
    return -math.sqrt(1 + math.sqrt(reach * temperature / barrier))


@lru_cache(maxsize=1024)
def well_passage_time(barrier: float, temperature: float = 1.0, start: float = -1.0, target: float = 1.0) -> float:
    """Mean time from start to target in the double well, by double quadrature (`mean_first_passage_time`)."""
    return float(mean_first_passage_time(lambda x: double_well(x, barrier), start, target, temperature))


@cache
def _scaled_times() -> CubicSpline:
    """ln τ by ln(a/T) at T = 1."""
    ratios = np.geomspace(*RATIOS, RATIO_POINTS)
    return CubicSpline(np.log(ratios), np.log([well_passage_time(float(ratio)) for ratio in ratios]))


def passage_time_curve(barriers: ArrayLike, temperature: float = 1.0) -> Array:
    """Mean passage times from -1 to 1 for many barriers at once, from a table in a/T: relative error below 1e-4.

    Measured in units of 1/T time depends on a/T alone, since dX = -½ (U/T)' d(Tt) + dW(Tt).
    """
    found: Array = np.exp(_scaled_times()(np.log(np.asarray(barriers, dtype=float) / temperature))) / temperature
    return found


@dataclass(frozen=True)
class PassageLaw:
    """The law of a first-passage time: S(t) = Σ cₖ exp(-λₖ t).

    Attributes
    ----------
    rates : array, shape (k,)
        λₖ, ascending: the eigenvalues of -L with absorption at the target.
    weights : array, shape (k,)
        cₖ, of sum one.
    mean : float
        From the double integral.
    """

    rates: Array
    weights: Array
    mean: float

    @property
    def variance(self) -> float:
        """2 Σ cₖ/λₖ² - τ²."""
        return float(2 * (self.weights / self.rates**2).sum()) - self.mean**2

    @property
    def shortest(self) -> float:
        """The time below which the series says nothing and nothing has happened."""
        return SUDDEN / float(self.rates[-1])

    def survival(self, times: ArrayLike) -> Array:
        """P(passage later than t)."""
        t = np.asarray(times, dtype=float)
        return np.where(t < self.shortest, 1.0, np.clip(self._sum(t, self.weights), 0.0, 1.0))

    def density(self, times: ArrayLike) -> Array:
        """The density of the passage time, per unit of time."""
        t = np.asarray(times, dtype=float)
        return np.where(t < self.shortest, 0.0, np.maximum(self._sum(t, self.weights * self.rates), 0.0))

    def quantile(self, probability: float) -> float:
        """The time by which a share of the particles has passed; absolute error below 1e-9 of the mean."""
        low, high = 0.0, self.mean
        while self.survival(high) > 1 - probability:
            low, high = high, 2 * high
        for _ in range(60):
            middle = 0.5 * (low + high)
            low, high = (middle, high) if self.survival(middle) > 1 - probability else (low, middle)
        return high

    def _sum(self, t: Array, factors: Array) -> Array:
        late = np.maximum(t, self.shortest)[..., None]
        return np.exp(-np.minimum(self.rates * late, 700.0)) @ factors


@lru_cache(maxsize=256)
def passage_law(barrier: float, temperature: float = 1.0, start: float = -1.0, target: float = 1.0) -> PassageLaw:
    """The distribution of the first-passage time, by diagonalising the generator with an absorbing target.

    exp(-U/2T) turns L into -H with H = -(T/2) d²/dx² + U'²/(8T) - U''/4, which is symmetric. H is diagonalised in sines that
    vanish at the target and far to the left. The smallest eigenvalue, exponentially small behind a high barrier, is taken from
    the exact mean instead, where no digits cancel.

    Notes
    -----
    Relative error about 1e-6 of rates and weights that matter, for a/T up to 30.
    """
    low = left_end(barrier, temperature)
    length = target - low
    rates, modes = np.linalg.eigh(_hamiltonian(barrier, temperature, low, length))
    order = np.arange(1, MODES)
    sines = np.sin(np.pi * np.outer(order, order) / MODES) * math.sqrt(2 / MODES)
    coefficients = sines @ modes  # of the sines, one column per eigenfunction
    nodes, weight = gauss_legendre(2 * MODES)
    x = low + 0.5 * length * (nodes + 1)
    half = np.exp(-0.5 * double_well(x, barrier) / temperature) * weight * 0.5 * length
    overlap = half @ _sines(x - low, length) @ coefficients
    here = (_sines(np.array([start - low]), length) @ coefficients)[0]
    weights = overlap * here * math.exp(0.5 * float(double_well(start, barrier)) / temperature)
    mean = well_passage_time(barrier, temperature, start, target)
    rates[0] = weights[0] / (mean - float((weights[1:] / rates[1:]).sum()))
    return PassageLaw(rates, weights, mean)


@lru_cache(maxsize=64)
def gauss_legendre(count: int) -> tuple[Array, Array]:
    """Nodes and weights on [-1, 1]; large rules take milliseconds to make."""
    nodes, weights = np.polynomial.legendre.leggauss(count)
    return nodes, weights


def _hamiltonian(barrier: float, temperature: float, low: float, length: float) -> Array:
    """H on the points of the sines, shape (MODES - 1, MODES - 1)."""
    i = np.arange(1, MODES)
    with np.errstate(divide="ignore"):
        apart = 1 / np.sin(np.pi * (i[:, None] - i) / (2 * MODES)) ** 2
    across = 1 / np.sin(np.pi * (i[:, None] + i) / (2 * MODES)) ** 2
    sign = (-1.0) ** (i[:, None] - i)
    np.fill_diagonal(apart, (2 * MODES**2 + 1) / 3)
    kinetic = 0.25 * temperature * (math.pi / length) ** 2 * sign * (apart - across)
    x = low + length * i / MODES
    slope, bend = 4 * barrier * x * (x * x - 1), 4 * barrier * (3 * x * x - 1)
    return kinetic + np.diag(slope**2 / (8 * temperature) - 0.25 * bend)


def _sines(x: Array, length: float) -> Array:
    """The normalised sines at points counted from the left end, shape (points, MODES - 1)."""
    return math.sqrt(2 / length) * np.sin(np.outer(x, np.arange(1, MODES)) * (math.pi / length))


def relaxation_rate(barrier: float, temperature: float = 1.0) -> float:
    """The gap of the generator without any absorption: how fast the two wells come to hold one half each.

    The slowest eigenfunction is odd, hence zero on the barrier: the gap is the smallest rate of the passage to 0.
    """
    return float(passage_law(barrier, temperature, -1.0, 0.0).rates[0])


def right_share(times: ArrayLike, barrier: float, temperature: float = 1.0) -> Array:
    """P(X_t > 0) for a start at -1: half of those that have reached the barrier by then (the reflection principle)."""
    return 0.5 * (1 - passage_law(barrier, temperature, -1.0, 0.0).survival(times))
