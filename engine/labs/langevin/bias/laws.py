"""What theory says of a chain on U = x²/(2σ²): stationary law, acceptance and correlations, in closed form where there is one.

In the unit z = x / (σ√T) of the target everything depends on one number, h = ε/σ². An unadjusted step is the autoregression
z' = (1 - h/2) z + √h ξ, and every sampler with a Metropolis step proposes by an autoregression y = c z + √q ξ and accepts with
probability min(1, exp(-κ (y² - z²)/2)). The proposal alone is reversible for the normal law of precision (1 - c²)/q, so that
the chain is reversible for that of precision (1 - c²)/q + κ: right or wrong, its stationary law is normal.

References
----------
Roberts, Tweedie (1996), Exponential convergence of Langevin distributions and their discrete approximations, Bernoulli 2.
Neal (2011), MCMC using Hamiltonian dynamics, Handbook of Markov chain Monte Carlo.
Leimkuhler, Matthews (2013), Robust and efficient configurational molecular sampling via Langevin dynamics, J. Chem. Phys. 138.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.labs.langevin.bias.kernel import Kernel, Proposal, kernel_of
from engine.math.chains.laws import (
    baoab_covariance,
    baoab_efficiency,
    baoab_matrices,
    metropolis_law,
    ula_efficiency,
    ula_variance,
)

Array = NDArray[np.float64]

SAMPLERS = ("ula", "mala", "mala_printed", "hmc", "underdamped")
UNADJUSTED = ("ula", "underdamped")  # without a Metropolis step: they run away
LIMIT = 4.0  # of h


class Setting(NamedTuple):
    """All that the law of a chain depends on."""

    sampler: str
    step_size: float  # ε
    sigma: float
    temperature: float
    friction: float  # γ of the underdamped sampler
    leapfrogs: int  # L of hmc

    @property
    def h(self) -> float:
        """The step in units of the target, ε/σ²."""
        return self.step_size / self.sigma**2

    @property
    def target(self) -> float:
        """The variance of the target, σ²T."""
        return self.sigma**2 * self.temperature

    @property
    def unit(self) -> float:
        """The deviation of the target, σ√T."""
        return math.sqrt(self.target)

    @property
    def limit(self) -> float:
        """The step size from which an unadjusted step diverges, 4σ²."""
        return LIMIT * self.sigma**2

    @property
    def unstable(self) -> bool:
        """Whether the chain runs away."""
        return self.sampler in UNADJUSTED and self.h >= LIMIT

    @property
    def gradients(self) -> int:
        """Evaluations of ∇U per step."""
        return self.leapfrogs if self.sampler == "hmc" else 1

    def standard(self, h: float) -> Setting:
        """The same sampler on the standard normal law with a step h, which has the same correlations and acceptance."""
        return Setting(self.sampler, h, 1.0, 1.0, self.friction * self.sigma, self.leapfrogs)


def proposal_of(setting: Setting) -> Proposal:
    """The proposal of a sampler other than the underdamped one, in units of the target.

    L leapfrog steps turn (z, p) on an ellipse by L times the angle of one, cos θ = 1 - h/2: polynomials of Chebyshev. They
    keep the normal law of precision 1 - h/4, as a single one does, which is the Langevin step.
    """
    h = setting.h
    a = 1 - 0.5 * h
    if setting.sampler == "hmc":
        factor, reach = chebyshev(a, setting.leapfrogs)
        return Proposal(factor, h * reach * reach, 0.25 * h, 1.0)
    tilt = {"ula": 0.0, "mala": 0.25 * h, "mala_printed": h - 1.0}[setting.sampler]
    return Proposal(a, h, tilt, 1 - 0.25 * h + tilt)


def chebyshev(x: float, degree: int) -> tuple[float, float]:
    """T_L(x) and U_(L-1)(x), L >= 1: cos Lθ and sin Lθ / sin θ where cos θ = x; infinite where they run over."""
    first, second = (1.0, x), (0.0, 1.0)
    for _ in range(degree - 1):
        first = (first[1], 2 * x * first[1] - first[0])
        second = (second[1], 2 * x * second[1] - second[0])
        if abs(first[1]) > 1e12:
            return math.copysign(math.inf, first[1]), math.inf
    return first[1], second[1]


# ---- the stationary law ------------------------------------------------------------------------------------------------


def variance(setting: Setting) -> float:
    """The stationary variance of x, infinite where the chain runs away.

    σ²T / (1 - ε/(4σ²)) of the unadjusted step, σ²T of those that are right, 4σ⁴T / (3ε) of the misprinted Metropolis step.
    """
    if setting.unstable:
        return math.inf
    if setting.sampler == "ula":
        return ula_variance(setting.step_size, setting.sigma, setting.temperature)
    if setting.sampler == "underdamped":
        return setting.target * float(_velocities(setting)[0, 0])
    return setting.target / proposal_of(setting).precision


@lru_cache(maxsize=1024)
def acceptance_and_lag_one(setting: Setting) -> tuple[float, float]:
    """The share of accepted proposals and the correlation of neighbours, both exact; the latter is nan for a chain that
    runs away."""
    if setting.sampler == "underdamped":
        motion, _ = baoab_matrices(setting.h, setting.friction * setting.sigma)
        return 1.0, math.nan if setting.unstable else float(motion[0, 0])  # x and v are uncorrelated in equilibrium
    step = proposal_of(setting)
    if step.tilt == 0:
        return 1.0, math.nan if setting.unstable else step.factor
    if not math.isfinite(step.factor):
        return 0.0, 1.0
    if step.noise < 1e-18:  # a full or a half turn: proposals are z itself, or its mirror image
        return 1.0, math.copysign(1.0, step.factor)
    law = metropolis_law(step.factor, step.noise, 1 / step.precision)
    return law.acceptance, law.lag1


def _velocities(setting: Setting) -> Array:
    """The stationary covariance of (z, v)."""
    return baoab_covariance(setting.h, setting.friction * setting.sigma)


# ---- correlations ------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=256)
def autocorrelation(setting: Setting, lags: int) -> Array:
    """Correlations of a stationary chain at lags 0 to `lags`, shape (lags + 1,); nan where it runs away.

    Exact but for the Metropolis samplers, where lags above one come from a quadrature good to about 1e-4.
    """
    if setting.unstable:
        return np.full(lags + 1, np.nan)
    if setting.sampler == "ula":
        return np.power(1 - 0.5 * setting.h, np.arange(lags + 1))
    if setting.sampler == "underdamped":
        motion, _ = baoab_matrices(setting.h, setting.friction * setting.sigma)
        found = [np.array([1.0, 0.0])]
        for _ in range(lags):
            found.append(motion @ found[-1])
        return np.array(found)[:, 0]
    kernel = kernel_for(setting)
    first = acceptance_and_lag_one(setting)[1]
    if kernel is None:  # so small a step that the chain is nearly an autoregression, or none at all
        return np.power(first, np.arange(lags + 1))
    found_lags = kernel.autocorrelation(lags)
    found_lags[1] = first
    return found_lags


@lru_cache(maxsize=1024)
def efficiency(setting: Setting) -> float:
    """Effective samples per step for the mean of x, 1 / (1 + 2 Σ of all correlations); nan where the chain runs away."""
    if setting.unstable:
        return math.nan
    if setting.sampler == "ula":
        return ula_efficiency(setting.step_size, setting.sigma)
    if setting.sampler == "underdamped":
        return baoab_efficiency(setting.h, setting.friction * setting.sigma) if setting.friction else math.inf
    kernel = kernel_for(setting, coarse=True)
    first = acceptance_and_lag_one(setting)[1]
    if kernel is None:
        return (1 - first) / (1 + first) if first > -1 else math.inf
    return 1 / max(kernel.integrated_time(), 1e-12)


def kernel_for(setting: Setting, *, coarse: bool = False, reach: float = 0.0) -> Kernel | None:
    """The transition on a grid, of a sampler with a Metropolis step."""
    return kernel_of(proposal_of(setting), coarse=coarse, reach=reach)


def sticky(setting: Setting) -> bool:
    """Whether nearly every step is refused far out, so that memory has no scale (Roberts, Tweedie 1996): a Metropolis chain
    whose proposals are thrown outwards there, or a misprinted one that refuses to come back."""
    if setting.sampler in UNADJUSTED:
        return False
    return setting.h >= LIMIT or (setting.sampler == "mala_printed" and setting.h < 1)


@lru_cache(maxsize=256)
def error_of_variance(setting: Setting, steps: int) -> float:
    """Standard error of the variance from so many steps of one chain, in units of the target; nan where it is not known."""
    kernel = None if setting.sampler in UNADJUSTED else kernel_for(setting)
    return math.nan if kernel is None else kernel.error_of_square(steps)


# ---- how the law moves -------------------------------------------------------------------------------------------------


class Moving(NamedTuple):
    """The exact law of a chain after some steps: its mean and variance, and what the next step needs.

    ``known`` is false where theory has no affordable answer; the moments then stay what they were.
    """

    mean: float
    variance: float
    known: bool = True
    parts: tuple[Array, Array] | None = None  # even and odd part on the grid of a Metropolis sampler, in units of the target
    kernel: Kernel | None = None  # on that grid
    phase: tuple[Array, Array] | None = None  # mean and covariance of (z, v) of the underdamped one

    @property
    def square(self) -> float:
        """The second moment about zero."""
        return self.variance + self.mean**2


def moving_from(mean: float, spread: float, setting: Setting) -> Moving:
    """A normal law (a point where the spread is 0) as the start of what `moved` carries on; velocities are in equilibrium."""
    z, s = mean / setting.unit, spread / setting.unit
    if setting.sampler == "ula":
        return Moving(mean, spread**2)
    if setting.sampler == "underdamped":
        return Moving(mean, spread**2, phase=(np.array([z, 0.0]), np.diag([s * s, 1.0])))
    kernel = kernel_for(setting, reach=round(1.02 * (abs(z) + 4 * s) + 0.01, 3))
    if kernel is None:
        return Moving(mean, spread**2, known=False)
    return Moving(mean, spread**2, parts=kernel.start(z, s), kernel=kernel)


def moved(law: Moving, setting: Setting) -> Moving:
    """The exact law one step later."""
    if setting.sampler == "ula":
        factor = 1 - 0.5 * setting.h
        return Moving(factor * law.mean, factor**2 * law.variance + setting.step_size * setting.temperature)
    if law.phase is not None:
        motion, noise = baoab_matrices(setting.h, setting.friction * setting.sigma)
        middle, spread = motion @ law.phase[0], motion @ law.phase[1] @ motion.T + noise
        place, square = float(middle[0]) * setting.unit, max(0.0, float(spread[0, 0])) * setting.target
        return Moving(place, square, phase=(middle, spread))
    if law.parts is None or law.kernel is None:
        return law
    kernel = law.kernel
    even, odd = law.parts[0] @ kernel.even, law.parts[1] @ kernel.odd
    mean, square = float(odd @ kernel.z), float(even @ kernel.z**2)
    return Moving(mean * setting.unit, max(0.0, square - mean * mean) * setting.target, parts=(even, odd), kernel=kernel)


def distance(law: Moving, setting: Setting) -> float:
    """How far the moments are from the stationary ones, relative to the variance; infinite where nothing is known."""
    stationary = variance(setting)
    if not law.known or not math.isfinite(stationary):
        return math.inf
    return max(abs(law.variance / stationary - 1), law.mean**2 / stationary)
