"""Expectations under one or two Gaussian variables, to about twelve digits, also for functions with kinks.

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
