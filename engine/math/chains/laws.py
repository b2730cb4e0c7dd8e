"""Closed forms of Langevin samplers: stationary bias, autocorrelation, acceptance, transients, passage over a barrier.

Steps are x' = x - (ε/2) ∇U + √(εT) ξ of the equation dX = -½∇U dt + √T dW, whose law is exp(-U/T); n steps take the time nε.
On U = x²/2σ² all depends on s = ε/σ², the step measured by the curvature: ULA is the autoregression x' = c x + √(εT) ξ with
c = 1 - s/2, stable for s < 4. Metropolis corrections of such an autoregression have closed forms too, see `metropolis_law`.

References
----------
Roberts, Tweedie (1996), Exponential convergence of Langevin distributions and their discrete approximations, Bernoulli 2.
Wibisono (2018), Sampling as optimization in the space of measures, COLT.
Leimkuhler, Matthews (2013), Robust and efficient configurational molecular sampling via Langevin dynamics, J. Chem. Phys. 138.
Kramers (1940), Brownian motion in a field of force and the diffusion model of chemical reactions, Physica 7.
Gardiner (2009), Stochastic Methods, section 5.5 (mean first passage times).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from engine.math.numerics.quadrature import panels

Array = NDArray[np.float64]
Function = Callable[[Array], Array]

_NODES = 16  # of Gauss and Legendre on a panel
_PANELS = 400  # of a passage
_STEEP = 4.0  # U/T may change so much over a panel
_DEEP = 60.0  # U/T above the lowest point at which a wall counts as reflecting: e^-60 of the mass is beyond


# --------------------------------------------------------------------------------------------------------------------
# Unadjusted Langevin on quadratic energies


def ula_variance(step_size: float, sigma: float = 1.0, temperature: float = 1.0) -> float:
    """Stationary variance Tσ² / (1 - ε/4σ²) of ULA on U = x²/2σ²: too wide by the factor; infinite from ε = 4σ² on.

    The fixed point of v = c² v + εT with c = 1 - ε/2σ².
    """
    share = 1.0 - step_size / (4.0 * sigma**2)
    return temperature * sigma**2 / share if share > 0.0 else math.inf


def ula_lag1(step_size: float, sigma: float = 1.0) -> float:
    """Autocorrelation c = 1 - ε/2σ² between successive steps of ULA on U = x²/2σ²; at lag k it is c^k."""
    return 1.0 - step_size / (2.0 * sigma**2)


def ula_efficiency(step_size: float, sigma: float = 1.0) -> float:
    """Effective samples of the mean per step, (1 - c)/(1 + c) = s/(4 - s), and a step is one gradient; nan where it diverges.

    Above 1 for s > 2, where successive steps are anticorrelated.
    """
    s = step_size / sigma**2
    return s / (4.0 - s) if 0.0 < s < 4.0 else math.nan


def ula_covariance(precision: ArrayLike, step_size: float, temperature: float = 1.0) -> Array:
    """Stationary covariance T (A - (ε/4) A²)⁻¹ of ULA on U = xᵀAx/2, shape (d, d).

    A and the covariance commute, so that each eigendirection of curvature λ has the variance T/(λ (1 - ελ/4)).

    Raises
    ------
    ValueError
        If ε λ_max(A) >= 4: the chain diverges.
    """
    matrix = np.asarray(precision, dtype=float)
    largest = float(np.linalg.eigvalsh(matrix)[-1])
    if step_size * largest >= 4.0:
        raise ValueError(f"step size {step_size} reaches the limit {4.0 / largest}")
    covariance: Array = temperature * np.linalg.inv(matrix - 0.25 * step_size * matrix @ matrix)
    return covariance


def ula_transient(
    steps: ArrayLike, mean: float, variance: float, step_size: float, sigma: float = 1.0, temperature: float = 1.0
) -> tuple[Array, Array]:
    """Mean and variance after n steps of ULA on U = x²/2σ², exactly: c^n m and c^(2n) v + εT (1 - c^(2n))/(1 - c²).

    Parameters
    ----------
    steps : array_like of int
        n.
    mean, variance : float
        m and v at the start.
    """
    n = np.asarray(steps, dtype=float)
    c = ula_lag1(step_size, sigma)
    decay = c**n if c != 0.0 else np.where(n == 0, 1.0, 0.0)
    gained = n if abs(c) == 1.0 else (1.0 - decay**2) / (1.0 - c * c)
    return decay * mean, decay**2 * variance + step_size * temperature * gained


def ou_transient(
    time: ArrayLike, mean: float, variance: float, sigma: float = 1.0, temperature: float = 1.0
) -> tuple[Array, Array]:
    """Mean and variance at time t of dX = -X/(2σ²) dt + √T dW: e^(-t/2σ²) m and Tσ² + e^(-t/σ²) (v - Tσ²)."""
    decay = np.exp(-np.asarray(time, dtype=float) / (2.0 * sigma**2))
    limit = temperature * sigma**2
    return decay * mean, limit + decay**2 * (variance - limit)


# --------------------------------------------------------------------------------------------------------------------
# Metropolis corrections of an autoregression


@dataclass(frozen=True, slots=True)
class MetropolisLaw:
    """What a Metropolis chain does on a quadratic energy in equilibrium."""

    variance: float  # of each coordinate
    acceptance: float  # mean probability
    lag1: float  # autocorrelation of a coordinate between successive steps


def metropolis_law(decay: float, spread: float, variance: float, dimension: int = 1) -> MetropolisLaw:
    """Equilibrium of a chain that proposes y = c x + √q ξ and leaves N(0, V I) invariant by Metropolis, in closed form.

    The proposal is reversible for the normal law of variance v₀ = q/(1 - c²), so that the ratio is w(y)/w(x) with
    w = N(V)/N(v₀), a function of |x| that falls (V < v₀) or rises. By detailed balance any mean of f(x, y) = f(y, x) over
    accepted moves is twice its mean over proposals of ratio above 1, which is the sign of (x - y)·(x + y): the inner product
    of two normal vectors of correlation r. In the eigendirections of that form it is a difference of two χ² variables:

        acceptance = 2 I_b(d/2, d/2),   b = (1 ± r)/2,
        1 - lag1 = E α |x - y|² / (2 d V) = Var(x - y)/V · (b I_b(d/2, d/2 + 1) + (1 - b) I_b(d/2 + 1, d/2)),

    with the regularised incomplete beta function I.

    Parameters
    ----------
    decay, spread : float
        c and q.
    variance : float
        V, of the invariant law.
    dimension : int
        d.
    """
    if spread <= 1e-15 * variance and abs(decay) > 0.5:  # a whole or half turn: y is x or its mirror image
        return MetropolisLaw(variance, 1.0, decay)
    apart = variance * (1.0 - decay) ** 2 + spread  # Var(x - y)
    joint = variance * (1.0 + decay) ** 2 + spread  # Var(x + y)
    r = (variance * (1.0 - decay**2) - spread) / math.sqrt(apart * joint)
    b = 0.5 * (1.0 - abs(r))  # r has the sign that makes ratios above 1 the rarer ones: V < v₀ gives r < 0
    half = 0.5 * dimension
    acceptance = 2.0 * float(special.betainc(half, half, b))
    move = b * float(special.betainc(half, half + 1.0, b)) + (1.0 - b) * float(special.betainc(half + 1.0, half, b))
    return MetropolisLaw(variance, acceptance, 1.0 - apart / variance * move)


def hmc_law(
    step_size: float, sigma: float = 1.0, temperature: float = 1.0, leapfrogs: int = 1, dimension: int = 1
) -> MetropolisLaw:
    """HMC on U = |x|²/2σ² with L leapfrog steps of h = √ε; L = 1 is MALA. nan for ε >= 4σ², where leapfrog is unstable.

    Leapfrog turns (x, v) by the angle θ with cos θ = 1 - s/2 on an ellipse, so that y = cos(Lθ) x + sin(Lθ) v /√(1 - s/4):
    an autoregression reversible for ULA's law. MALA's acceptance is 1 - (2/π) arcsin(s^1.5 / 4√((1 + s/4)(4 - s + s²/4)))
    in one dimension, and its ratio exp(-(ε/8)(y² - x²)) for σ = T = 1.
    """
    s = step_size / sigma**2
    if leapfrogs == 1:  # has no need for a stable leapfrog
        decay, spread = 1.0 - 0.5 * s, s
    elif s < 4.0:
        decay = math.cos(leapfrogs * math.acos(1.0 - 0.5 * s))
        spread = (1.0 - decay**2) / (1.0 - 0.25 * s)
    else:
        return MetropolisLaw(math.nan, math.nan, math.nan)
    law = metropolis_law(decay, spread, 1.0, dimension)
    return MetropolisLaw(temperature * sigma**2, law.acceptance, law.lag1)


def mala_law(step_size: float, sigma: float = 1.0, temperature: float = 1.0, dimension: int = 1) -> MetropolisLaw:
    """MALA on U = |x|²/2σ²: the variance is right at every ε, and acceptance and autocorrelation pay for it."""
    return hmc_law(step_size, sigma, temperature, 1, dimension)


def printed_mala_law(step_size: float, sigma: float = 1.0, temperature: float = 1.0, dimension: int = 1) -> MetropolisLaw:
    """MALA with the proposal density misprinted, the full ε∇U in it, on U = |x|²/2σ²; variance 4Tσ⁴/3ε in place of Tσ².

    The logarithm of the ratio is then ((1 - s)/2T σ²)(|y|² - |x|²). Moves are still those of ULA, reversible for the variance
    Tσ²/(1 - s/4), and the chain is in balance where the precision is (1 - s/4) - (1 - s) = 3s/4. It is right for s = 4/3 only.
    """
    s = step_size / sigma**2
    variance = 4.0 / (3.0 * s)
    law = metropolis_law(1.0 - 0.5 * s, s, variance, dimension)
    return MetropolisLaw(temperature * sigma**2 * variance, law.acceptance, law.lag1)


# --------------------------------------------------------------------------------------------------------------------
# Underdamped Langevin


def baoab_matrices(step_size: float, friction: float, sigma: float = 1.0, temperature: float = 1.0) -> tuple[Array, Array]:
    """The linear map M of (x, v) that one BAOAB step is on U = x²/2σ², and the covariance of the noise it adds, both (2, 2)."""
    h = math.sqrt(step_size)
    kept = math.exp(-friction * h)
    kick = np.array([[1.0, 0.0], [-0.5 * h / sigma**2, 1.0]])
    drift = np.array([[1.0, 0.5 * h], [0.0, 1.0]])
    after = kick @ drift
    noise = after @ np.array([0.0, math.sqrt((1.0 - kept**2) * temperature)])
    return after @ np.diag([1.0, kept]) @ drift @ kick, np.outer(noise, noise)


def baoab_covariance(step_size: float, friction: float, sigma: float = 1.0, temperature: float = 1.0) -> Array:
    """Stationary covariance of (x, v) under BAOAB on U = x²/2σ², by the linear equation C = M C Mᵀ + N.

    Its solution is diag(Tσ², T (1 - ε/4σ²)): positions are exact at every step size below 4σ², velocities are too slow.
    """
    motion, noise = baoab_matrices(step_size, friction, sigma, temperature)
    solution = np.linalg.solve(np.eye(4) - np.kron(motion, motion), noise.ravel())
    return np.asarray(solution.reshape(2, 2), dtype=float)


def baoab_lag1(step_size: float, friction: float, sigma: float = 1.0) -> float:
    """Autocorrelation 1 - (1 + e^(-γ√ε)) ε/4σ² of the position between successive steps of BAOAB on U = x²/2σ²."""
    return 1.0 - 0.25 * (1.0 + math.exp(-friction * math.sqrt(step_size))) * step_size / sigma**2


def baoab_efficiency(step_size: float, friction: float, sigma: float = 1.0) -> float:
    """Effective samples of the mean position per step of BAOAB on U = x²/2σ²: 1/(1 + 2 Σ_k ρ_k), summed by linear algebra."""
    motion, _ = baoab_matrices(step_size, friction, sigma)
    total = np.linalg.solve(np.eye(2) - motion, motion)[0, 0]  # x and v are uncorrelated in equilibrium
    return float(1.0 / (1.0 + 2.0 * total))


# --------------------------------------------------------------------------------------------------------------------
# Passage over a barrier


def mean_first_passage_time(
    energy: Function, start: ArrayLike, end: float, temperature: float = 1.0, reflecting: float | None = None
) -> Array:
    """Mean time in which dX = -½U' dt + √T dW first reaches `end` from `start`, by double quadrature.

    τ(x) = (2/T) ∫_x^end e^(U(y)/T) ∫_(-∞)^y e^(-U(z)/T) dz dy for x < end, the solution of ½Tτ'' - ½U'τ' = -1, τ(end) = 0
    (Gardiner 2009, section 5.5); mirrored for x > end.

    Parameters
    ----------
    energy : callable
        U, elementwise on arrays, smooth.
    start : array_like
        All on the same side of the end.
    end : float
        The absorbing point.
    reflecting : float, optional
        A wall beyond the starts; without it the wall is where U/T has risen 60 above its lowest point, which adds a share of
        e^-60 of error.

    Returns
    -------
    Array
        Of the shape of `start`; relative error about 1e-12; infinite where it exceeds all numbers.
    """
    x = np.asarray(start, dtype=float)
    if np.any(x > end):
        if np.any(x < end):
            raise ValueError("the starts lie on both sides of the end")
        wall = None if reflecting is None else -reflecting
        return mean_first_passage_time(lambda z: energy(-z), -x, -end, temperature, wall)
    low = _wall(energy, float(np.min(x, initial=end)), end, temperature) if reflecting is None else reflecting
    edges = _edges(energy, np.unique(np.concatenate([np.linspace(low, end, _PANELS + 1), x.ravel()])), temperature)
    y, _ = panels(edges, _NODES)
    half = 0.5 * np.diff(edges)
    at_nodes = np.asarray(energy(y), dtype=float).reshape(-1, _NODES) / temperature
    at_edges = np.asarray(energy(edges), dtype=float) / temperature
    weights, partial = _rule()
    with np.errstate(over="ignore"):  # only differences of U within a panel are exponentiated
        apart = np.exp(at_nodes[:, :, None] - at_nodes[:, None, :])
        fresh = half[:, None] * np.einsum("pij,ij->pi", apart, partial)
        whole = half * (np.exp(at_edges[1:, None] - at_nodes) @ weights)
        grown = np.exp(np.diff(at_edges))
        before = np.zeros(len(edges))  # e^U(y) ∫ e^-U at the left edges
        for panel in range(len(half)):
            before[panel + 1] = before[panel] * grown[panel] + whole[panel]
        pieces = 2.0 / temperature * half * ((fresh + before[:-1, None] * np.exp(at_nodes - at_edges[:-1, None])) @ weights)
    left = np.append(np.cumsum(pieces[::-1])[::-1], 0.0)  # from each edge to the end
    return left[np.searchsorted(edges, x)]


def kramers_time(
    barrier: float,
    temperature: float = 1.0,
    *,
    well_curvature: float | None = None,
    top_curvature: float | None = None,
    corrected: bool = False,
) -> float:
    """Kramers' time 4π e^(ΔU/T) / √(U''(well) |U''(top)|) from the bottom of a well over a barrier into the next one.

    The mean first passage time of dX = -½U' dt + √T dW when both integrals are done by Laplace's method; to the top alone it
    is half of that.

    Parameters
    ----------
    barrier : float
        ΔU > 0.
    well_curvature, top_curvature : float, optional
        U'' at the bottom and |U''| at the top. By default those of the double well a (x² - 1)² with a = ΔU, 8a and 4a, for
        which the time is π e^(a/T) / (√2 a).
    corrected : bool
        Multiply by 1 + 3T/8a, the next order of Laplace's method for that double well.
    """
    well = 8.0 * barrier if well_curvature is None else well_curvature
    top = 4.0 * barrier if top_curvature is None else top_curvature
    exponent = barrier / temperature
    time = 4.0 * math.pi / math.sqrt(well * top) * math.exp(exponent) if exponent < 700.0 else math.inf
    return time * (1.0 + 0.375 / exponent) if corrected else time


def _edges(energy: Function, edges: Array, temperature: float) -> Array:
    """The edges with more between them where U/T changes by more than `_STEEP` from one to the next."""
    change = np.abs(np.diff(np.asarray(energy(edges), dtype=float))) / temperature
    parts = np.clip(np.ceil(change / _STEEP), 1, 64).astype(int)
    ends = itertools.pairwise(edges.tolist())
    inner = [np.linspace(low, high, n, endpoint=False) for (low, high), n in zip(ends, parts.tolist(), strict=True)]
    return np.concatenate([*inner, edges[-1:]])


def _wall(energy: Function, start: float, end: float, temperature: float) -> float:
    """Where to the left U/T is so high that what lies beyond is never visited."""
    reach = 0.25 * max(end - start, 1.0)
    lowest = float(np.min(energy(np.linspace(start, end, 257))))
    low = start
    for _ in range(400):
        low -= reach
        value = float(np.min(energy(np.linspace(low, low + reach, 17))))
        if float(np.asarray(energy(np.array([low])))[0]) > lowest + _DEEP * temperature:
            return low
        lowest = min(lowest, value)
        reach *= 1.02
    raise ValueError(f"the energy does not rise by {_DEEP:g} temperatures to the left of {start:g}; set a reflecting wall")


@cache
def _rule() -> tuple[Array, Array]:
    """Gauss-Legendre weights on [-1, 1] and the matrix that integrates a polynomial from -1 to each node."""
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    legendre = np.polynomial.legendre
    powers = legendre.legvander(nodes, _NODES - 1)
    integrals = np.column_stack([legendre.legval(nodes, legendre.legint(row, lbnd=-1)) for row in np.eye(_NODES)])
    return weights, integrals @ np.linalg.inv(powers)
