"""Mean-field theory of deep random networks: what happens to lengths, angles and gradients from layer to layer.

In the limit of wide layers the pre-activations of a random network are Gaussian given its input, so that a few numbers per
layer obey deterministic maps. Throughout, a layer is ``z = W x + b``, ``y = f(z)`` with independent weights of variance σ_w²
over the number of inputs and independent biases of variance σ_b²; q is the second moment of a coordinate of z, p that of y.

References
----------
Poole, Lahiri, Raghu, Sohl-Dickstein & Ganguli (2016), Exponential expressivity in deep neural networks through transient
chaos. Schoenholz, Gilmer, Ganguli & Sohl-Dickstein (2017), Deep information propagation. Cho & Saul (2009), Kernel methods
for deep learning.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.math.networks.activations import Activation
from engine.math.numerics.quadrature import gaussian_mean, gaussian_pair_mean, gaussian_rule, resolved_means

Array = NDArray[np.float64]

RESOLVED = 1e-6  # relative error above which an integral that was refined is none
LENGTHS = np.logspace(-8, 6, 561)  # second moments between which the tables interpolate


# ---- moments of one activation -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Moments:
    """What a Gaussian of mean 0 and variance q becomes under an activation f."""

    mean: float  # E f
    second: float  # E f²
    fourth: float  # E f⁴
    slope: float  # E f'²
    slope_fourth: float  # E f'⁴
    growth: float  # d E f² / dq
    mean_growth: float  # d E f / dq
    error: float = 0.0  # of E f², relative; 0 where it is below 1e-12


@lru_cache(maxsize=4096)
def moments(activation: Activation, variance: float = 1.0) -> Moments:
    """E f, E f², E f⁴, E f'², E f'⁴, d E f² / dq = E [x f f'] / q and d E f / dq = E [x f'] / (2 q) for x ~ N(0, q)."""
    if variance > activation.calm**2:
        return _resolved_moments(activation, variance)
    x, weight = gaussian_rule(variance, activation.kinks)
    value, slope = activation.numpy(x), activation.derivative(x)
    square = value * value
    return Moments(
        mean=float(weight @ value),
        second=float(weight @ square),
        fourth=float(weight @ (square * square)),
        slope=float(weight @ (slope * slope)),
        slope_fourth=float(weight @ slope**4),
        growth=float(weight @ (x * value * slope)) / variance if variance else math.nan,
        mean_growth=float(weight @ (x * slope)) / (2 * variance) if variance else math.nan,
    )


def _resolved_moments(activation: Activation, variance: float) -> Moments:
    """The same for a function that may vary on any scale; what does not settle is not a number, E f² has its error."""

    def integrands(x: Array) -> Array:
        value, slope = activation.numpy(x), activation.derivative(x)
        square = value * value
        return np.stack([value, square, square * square, slope * slope, slope**4, x * value * slope, x * slope])

    means, errors = resolved_means(integrands, variance, activation.kinks)
    second, known = float(means[1]), np.where(errors < RESOLVED, means, math.nan).tolist()
    mean, _, fourth, slope, slope_fourth, growth, mean_growth = known
    error = float(errors[1])
    return Moments(mean, second, fourth, slope, slope_fourth, growth / variance, mean_growth / (2 * variance), error)


def gain(activation: Activation, variance: float = 1.0) -> float:
    """√(q / E f²): weights of this standard deviation over √fan_in give the next layer the variance q again."""
    return math.sqrt(variance / moments(activation, variance).second)


def pair_moment(activation: Activation, variances: tuple[float, float], correlation: float, nodes: int = 16) -> float:
    """E f(u) f(v) for a Gaussian pair; closed forms where they are known.

    For slopes (a, b) on the two sides of zero f(x) = ½(a+b) x + ½(b-a) |x|, and E |u v| = (2/π) (√(1-c²) + c asin c) for
    unit variances (Cho & Saul 2009); for erf it is (2/π) asin(2 c √(q₁q₂) / √((1+2q₁)(1+2q₂))) (Williams 1997).
    """
    c = min(1.0, max(-1.0, correlation))
    scale = math.sqrt(variances[0] * variances[1])
    if activation.slopes is not None:
        odd, even = (0.5 * (activation.slopes[1] + sign * activation.slopes[0]) for sign in (1, -1))
        absolute = 2 / math.pi * (math.sqrt(1 - c * c) + c * math.asin(c))
        return scale * (odd * odd * c + even * even * absolute)
    if activation.name == "erf":
        return 2 / math.pi * math.asin(2 * c * scale / math.sqrt((1 + 2 * variances[0]) * (1 + 2 * variances[1])))
    if c == 1.0 and variances[0] == variances[1]:
        return moments(activation, variances[0]).second
    return gaussian_pair_mean(activation.numpy, activation.numpy, variances, c, activation.kinks, nodes)


# ---- maps from layer to layer ------------------------------------------------------------------------------------------


def length_map(length: float, activation: Activation, weight_variance: float, bias_variance: float) -> float:
    """q' = σ_w² E f(√q z)² + σ_b²."""
    return weight_variance * moments(activation, length).second + bias_variance


def length_slope(length: float, activation: Activation, weight_variance: float) -> float:
    """χ_q = dq'/dq: a fixed point of the length map is stable where it is below 1."""
    return weight_variance * moments(activation, length).growth


def correlation_map(
    correlation: float, lengths: tuple[float, float], activation: Activation, weight_variance: float, bias_variance: float
) -> float:
    """c' = (σ_w² E f(u) f(v) + σ_b²) / √(q₁' q₂'), the cosine of the angle between two signals one layer on."""
    ends = [length_map(length, activation, weight_variance, bias_variance) for length in lengths]
    overlap = weight_variance * pair_moment(activation, lengths, correlation) + bias_variance
    return overlap / math.sqrt(ends[0] * ends[1])


def chi(length: float, activation: Activation, weight_variance: float) -> float:
    """χ₁ = σ_w² E f'(√q z)²: the factor of squared gradients per layer, and of small angles; 1 at the edge of chaos."""
    return weight_variance * moments(activation, length).slope


@dataclass(frozen=True, slots=True)
class FixedPoint:
    """A length that a layer keeps: q*, its slope χ_q (stable below 1), and χ₁ there (ordered below 1, chaotic above)."""

    length: float
    slope: float
    chi: float

    @property
    def stable(self) -> bool:
        """Whether nearby lengths come closer."""
        return self.slope < 1


def fixed_points(activation: Activation, weight_variance: float, bias_variance: float) -> tuple[FixedPoint, ...]:
    """All q* between 1e-8 and 1e6 at which the length map crosses the diagonal, ascending.

    A map that lies on the diagonal (relu with σ_w² = 2 and no bias: every length is kept) crosses it nowhere.
    """
    excess = weight_variance * _second_moments(activation) + bias_variance - LENGTHS
    significant = np.where(np.abs(excess) > 1e-12 * LENGTHS, np.sign(excess), 0.0)
    found = []
    for left in np.flatnonzero(significant[:-1] * significant[1:] < 0):
        low, high = LENGTHS[left], LENGTHS[left + 1]
        rising = excess[left] < 0
        for _ in range(60):
            middle = math.sqrt(low * high)
            below = length_map(middle, activation, weight_variance, bias_variance) < middle
            low, high = (middle, high) if below == rising else (low, middle)
        found.append(_fixed_point(math.sqrt(low * high), activation, weight_variance))
    nodes = np.flatnonzero(significant[1:-1] == 0) + 1  # fixed points that are themselves nodes of the table
    crossed = nodes[significant[nodes - 1] * significant[nodes + 1] < 0]
    found += [_fixed_point(float(LENGTHS[at]), activation, weight_variance) for at in crossed]
    return tuple(sorted(found, key=lambda point: point.length))


def _fixed_point(length: float, activation: Activation, weight_variance: float) -> FixedPoint:
    slope = length_slope(length, activation, weight_variance)
    return FixedPoint(length, slope, chi(length, activation, weight_variance))


def correlation_limit(fixed: FixedPoint, activation: Activation, weight_variance: float, bias_variance: float) -> float:
    """c*: where the angle between two signals ends after many layers at the length q*; 1 in the ordered phase."""
    if fixed.chi <= 1:
        return 1.0
    low, high = -1.0, 1.0 - 1e-9  # the map is increasing and convex where f is: one crossing below 1
    lengths = (fixed.length, fixed.length)
    for _ in range(60):
        middle = 0.5 * (low + high)
        higher = correlation_map(middle, lengths, activation, weight_variance, bias_variance) > middle
        low, high = (middle, high) if higher else (low, middle)
    return 0.5 * (low + high)


def edge_of_chaos(activation: Activation, lengths: ArrayLike) -> tuple[Array, Array]:
    """The critical line χ₁ = 1 in the plane of bias and weight spreads, one point (σ_b, σ_w) for each length q.

    Given q, the condition fixes σ_w² = 1 / E f'(√q z)², and the fixed point then fixes σ_b² = q - σ_w² E f(√q z)². Lengths
    that would need a negative σ_b² are left out. For a homogeneous f it is one point, since q drops out.
    """
    points = []
    for length in np.asarray(lengths, dtype=float).ravel():
        known = moments(activation, float(length))
        bias = length - known.second / known.slope
        if bias >= -1e-12 * length:
            points.append((math.sqrt(max(0.0, bias)), 1 / math.sqrt(known.slope)))
    table = np.array(points).reshape(-1, 2)
    return table[:, 0], table[:, 1]


@lru_cache(maxsize=64)
def _tables(activation: Activation) -> tuple[Array, Array]:
    f, slope, kinks = activation.numpy, activation.derivative, activation.kinks
    second = gaussian_mean(lambda x: f(x) ** 2, LENGTHS, kinks)
    return second, gaussian_mean(lambda x: slope(x) ** 2, LENGTHS, kinks)


def _second_moments(activation: Activation) -> Array:
    return _tables(activation)[0]


def phase_map(activation: Activation, weight_variances: ArrayLike, bias_variances: ArrayLike, layers: int = 400) -> Array:
    """ln χ₁ at the length that a signal has after many layers, shape (biases, weights).

    Negative in the ordered phase, positive in the chaotic one. Lengths come from a table of E f² by interpolation (error
    below 1e-4) and are iterated on the whole plane at once; those that grow without bound stop at the end of the table.
    """
    second, slope = _tables(activation)
    scale = np.log(LENGTHS)
    weight = np.asarray(weight_variances, dtype=float)[None, :]
    bias = np.asarray(bias_variances, dtype=float)[:, None]
    length = np.broadcast_to(np.ones(()), (bias.shape[0], weight.shape[1]))
    for _ in range(layers):
        after = weight * np.interp(np.log(length), scale, second) + bias
        after = np.clip(after, LENGTHS[0], LENGTHS[-1])
        if np.abs(after - length).max() <= 1e-9 * after.max():
            break
        length = after
    return np.log(weight * np.interp(np.log(length), scale, slope))
