"""Expectations under one or two Gaussian variables, to about twelve digits, also for functions with kinks.

Functions that vary on a scale of one, as activations do, are integrated on fixed panels; any others on panels that are halved
until both halves agree with the whole (`resolved_means`), which also says how far that went.

One variable is integrated by Gauss-Legendre rules on panels that end at every kink and shrink towards zero, where
activations bend. Two correlated variables are integrated in polar coordinates: a kink at zero is then a ray of constant
angle, whatever the correlation, and a kink elsewhere is one known radius on each ray.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Function = Callable[[Array], Array]

REACH = 12.0  # standard deviations; the density is below 1e-31 there
BENDS = 2.0 ** np.arange(-1, 7)  # distances from zero, in the function's own units, between which activations are calm
NODES = 16  # per panel
TAIL = 37.0  # standard deviations to which panels that are halved reach; the density is 1e-298 there
CELL = 0.25  # standard deviations of the widest of them
AGREEMENT = 1e-13  # of the whole integral, to which the halves of a panel agree with it
HALVINGS = 60
MOST_PANELS = 30_000


def gaussian_mean(function: Function, variance: ArrayLike = 1.0, kinks: Sequence[float] = (), nodes: int = NODES) -> Array:
    """E f(x) for x ~ N(0, q).

    Parameters
    ----------
    function : callable
        Elementwise on arrays.
    variance : array_like
        q >= 0, any shape; the result has the same.
    kinks : sequence of float
        Where f or one of its derivatives jumps.
    nodes : int
        Per panel.

    Notes
    -----
    Exact to about 1e-12 for functions that vary on a scale of one (as activations do) and grow at most exponentially, up to
    variances of 10⁴.
    """
    q = np.asarray(variance, dtype=float)
    rules = (gaussian_rule(float(each), kinks, nodes) for each in q.ravel())
    return np.array([weight @ function(x) for x, weight in rules], dtype=float).reshape(q.shape)


def gaussian_pair_mean(
    first: Function,
    second: Function,
    variances: tuple[float, float],
    correlation: float,
    kinks: Sequence[float] = (),
    nodes: int = NODES,
) -> float:
    """E f(u) g(v) for a Gaussian pair of mean 0, given variances and a correlation in [-1, 1].

    Parameters
    ----------
    first, second : callable
        f and g, elementwise on arrays.
    variances : tuple of float
        Of u and v, not negative.
    correlation : float
        cos θ; u = √q₁ r cos φ and v = √q₂ r cos(φ - θ) with a uniform angle φ and a radius r of density r exp(-r²/2).
    kinks : sequence of float
        Where f or g or one of their derivatives jumps.
    nodes : int
        Per panel, in radius and in angle. 16 give about 1e-12 for variances up to 10, 8 about 1e-6 in a quarter of the time.
    """
    if not -1.0 <= correlation <= 1.0:
        raise ValueError(f"correlation {correlation} is outside [-1, 1]")
    a, b = math.sqrt(variances[0]), math.sqrt(variances[1])
    theta = math.acos(correlation)
    angle, weight = panels(_angles(a, b, theta, kinks), nodes)
    across, along = a * np.cos(angle), b * np.cos(angle - theta)
    bends = np.concatenate([np.arange(0.0, REACH + 1, 2.0), *(BENDS[:5] / scale for scale in (a, b) if scale > 0)])
    edges = np.tile(np.minimum(bends, REACH), (len(angle), 1))
    crossings = [_divide(kink, speed) for kink in kinks if kink for speed in (across, along)]
    edges = np.sort(np.column_stack([edges, *crossings]), axis=1)
    radius, share = panels(edges, nodes)
    values = first(across[:, None] * radius) * second(along[:, None] * radius)
    density = share * radius * np.exp(-0.5 * radius * radius)
    return float(weight @ (values * density).sum(axis=1)) / (2 * math.pi)


def panels(edges: Array, nodes: int) -> tuple[Array, Array]:
    """Gauss-Legendre points and weights on the panels between ascending edges.

    Parameters
    ----------
    edges : array, shape (..., p + 1)
        Empty panels cost their points and add nothing.
    nodes : int
        Per panel.

    Returns
    -------
    points, weights : array, shape (..., p * nodes)
    """
    places, shares = _legendre(nodes)
    half = 0.5 * np.diff(edges, axis=-1)[..., None]
    middle = 0.5 * (edges[..., 1:] + edges[..., :-1])[..., None]
    shape = (*edges.shape[:-1], -1)
    return (middle + half * places).reshape(shape), (half * shares).reshape(shape)


@cache
def _legendre(nodes: int) -> tuple[Array, Array]:
    return np.polynomial.legendre.leggauss(nodes)


def gaussian_rule(variance: float, kinks: Sequence[float] = (), nodes: int = NODES) -> tuple[Array, Array]:
    """Points x and weights w such that w @ f(x) is E f(x) for x ~ N(0, q): for several functions at once.

    Parameters
    ----------
    variance, kinks, nodes
        As in `gaussian_mean`.
    """
    if variance == 0:
        return np.zeros(1), np.ones(1)
    scale = math.sqrt(variance)
    bends = np.concatenate([-BENDS, [0.0], BENDS, np.asarray(kinks, dtype=float)]) / scale
    edges = np.unique(np.clip(np.concatenate([np.arange(-REACH, REACH + 1), bends]), -REACH, REACH))
    z, weight = panels(edges, nodes)
    return scale * z, weight * np.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)


def resolved_means(
    functions: Function, variance: float, kinks: Sequence[float] = (), nodes: int = NODES, most: int = MOST_PANELS
) -> tuple[Array, Array]:
    """E f(x) for several f at once and x ~ N(0, q), on panels that are halved where they have to be.

    Parameters
    ----------
    functions : callable
        From points, shape (m,), to values, shape (k, m).
    variance : float
        q > 0.
    kinks : sequence of float
        Where a function or one of its derivatives jumps; those that are not known are approached by halving.
    nodes : int
        Per panel.
    most : int
        Panels that are evaluated at most.

    Returns
    -------
    means : array, shape (k,)
    errors : array, shape (k,)
        Relative to E |f|: how far the last halves of all panels were off. Infinite where a value is not finite, which is so
        for a mean that overflows; large where the mean is infinite or the panels were too few.
    """
    scale = math.sqrt(variance)
    ends = np.concatenate(
        [np.arange(-TAIL, TAIL + CELL, CELL), BENDS / scale, -BENDS / scale, np.asarray(kinks, float) / scale]
    )
    edges = np.unique(np.clip(ends, -TAIL, TAIL))
    low, high = edges[:-1], edges[1:]

    def integrals(left: Array, right: Array) -> Array:
        z, weight = panels(np.stack([left, right], axis=1), nodes)
        shape = (-1, *z.shape)
        values = functions((scale * z).ravel()).reshape(shape)
        found: Array = (values * (weight * np.exp(-0.5 * z * z))).sum(axis=2) / math.sqrt(2 * math.pi)
        return found

    with np.errstate(all="ignore"):
        whole, spent = integrals(low, high), len(low)
        means, sizes, gaps = (np.zeros(len(whole)) for _ in range(3))
        for halving in range(HALVINGS):
            middle = 0.5 * (low + high)
            halves = np.stack([integrals(low, middle), integrals(middle, high)])
            spent += 2 * len(low)
            better = halves.sum(axis=0)
            gap = np.abs(better - whole)
            size = sizes + np.abs(better).sum(axis=1)
            settled = (gap <= AGREEMENT * size[:, None]) | ~np.isfinite(gap)
            done = settled.all(axis=0) if spent < most and halving < HALVINGS - 1 else np.ones(len(low), dtype=bool)
            means, sizes = means + better[:, done].sum(axis=1), sizes + np.abs(better[:, done]).sum(axis=1)
            gaps = gaps + gap[:, done].sum(axis=1)
            if done.all():
                break
            low, middle, high = low[~done], middle[~done], high[~done]
            whole = np.concatenate([halves[0][:, ~done], halves[1][:, ~done]], axis=1)
            low, high = np.concatenate([low, middle]), np.concatenate([middle, high])
        errors = np.where(np.isfinite(means), gaps / np.maximum(sizes, np.finfo(float).tiny), np.inf)
    return means, errors


def _angles(a: float, b: float, theta: float, kinks: Sequence[float]) -> Array:
    """Ends of angular panels: the rays on which u or v is zero, the corners where both meet a kink, finer towards the rays.

    On a ray at radius r a function that bends on a scale of one does so within an angle of about 1 / (r √q).
    """
    quarter = 0.5 * math.pi
    rays = np.array([-quarter, theta - quarter, quarter, theta + quarter])
    corners = [math.atan2(_sine(k / a, j / b, theta), k / a) for k in kinks for j in kinks if a * b * math.sin(theta) * k * j]
    rays = np.sort(np.append(rays, [c + turn for c in corners for turn in (0, 2 * math.pi)]))
    rays = np.append(rays[(rays >= -quarter) & (rays < 3 * quarter)], 3 * quarter)
    levels = min(12, max(1, math.ceil(math.log2(4 * max(a, b, 1e-3)))) + any(kinks))
    steps = 0.5 ** np.arange(1, levels + 1)
    inner = np.concatenate([steps, 1 - steps[1:]])
    return np.unique(np.concatenate([rays, *(low + inner * (high - low) for low, high in itertools.pairwise(rays))]))


def _sine(u: float, v: float, theta: float) -> float:
    """r sin φ of the point with r cos φ = u and r cos(φ - θ) = v."""
    return (v - u * math.cos(theta)) / math.sin(theta)


def _divide(kink: float, speed: Array) -> Array:
    """The radius at which a coordinate that grows with this speed meets a kink, at most REACH; 0 where it never does."""
    with np.errstate(divide="ignore"):
        radius = kink / speed
    return np.where(radius > 0, np.minimum(radius, REACH), 0.0)
