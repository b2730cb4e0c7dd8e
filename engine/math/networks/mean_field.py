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
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.math.networks.activations import Activation
from engine.math.numerics.quadrature import gaussian_mean, gaussian_pair_mean, gaussian_rule

Array = NDArray[np.float64]
Normalisation = Literal["none", "batch", "layer", "rms"]

RULES = ("fan_in", "fan_out", "average", "geometric", "quadratic", "orthogonal")
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


@lru_cache(maxsize=4096)
def moments(activation: Activation, variance: float = 1.0) -> Moments:
    """E f, E f², E f⁴, E f'², E f'⁴, d E f² / dq = E [x f f'] / q and d E f / dq = E [x f'] / (2 q) for x ~ N(0, q)."""
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


# ---- a tower of layers -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of a tower.

    Parameters
    ----------
    activation
        f.
    weight_variance
        Number of inputs times the variance of a weight: the factor of second moments, forward.
    back_variance
        Number of outputs times the variance of a weight: the factor of squared gradients, backward.
    bias_variance
        σ_b².
    alpha
        None for ``y = f(z)``; else a residual layer ``y = x + α f(z)``.
    normalisation
        Of z before the activation. ``rms`` divides by the root mean square over the units, ``layer`` also subtracts their
        mean, ``batch`` subtracts mean and divides by deviation of each unit over the examples.
    """

    activation: Activation
    weight_variance: float
    back_variance: float
    bias_variance: float = 0.0
    alpha: float | None = None
    normalisation: Normalisation = "none"


@dataclass(frozen=True, slots=True)
class Signal:
    """Averages over the units of a layer that determine those of the next.

    Parameters
    ----------
    moment
        Second moment p of a coordinate.
    overlap
        Mean product of the coordinates of two marked inputs.
    crowd
        The same for two inputs of the batch at large; followed only under batch normalisation, which makes them independent.
    mean
        Mean of a coordinate over the units.
    """

    moment: float
    overlap: float
    crowd: float = 0.0
    mean: float = 0.0

    @property
    def correlation(self) -> float:
        """Cosine of the angle between the two marked inputs."""
        return self.overlap / self.moment if self.moment > 0 else 1.0


@dataclass(frozen=True, slots=True)
class Passage:
    """What one layer did.

    Parameters
    ----------
    after
        The signal behind it.
    length
        Variance of what enters the activation.
    backward
        Second moment per coordinate of the gradient in front of the layer over that behind it.
    """

    after: Signal
    length: float
    backward: float


def propagate(signal: Signal, layer: Layer, nodes: int = 8) -> Passage:
    """One layer of the theory, for two inputs of the same second moment.

    Exact in the limit of infinite width without normalisation, with ``layer`` and ``rms`` (the statistics over infinitely
    many units do not fluctuate) and on the residual branch (the weights of a layer are independent of what enters it). For
    ``batch`` it also takes infinitely many examples; with few the normalised values are not Gaussian.
    """
    length, overlap, crowd = (
        layer.weight_variance * each + layer.bias_variance for each in (signal.moment, signal.overlap, signal.crowd)
    )
    scale = 1.0
    if layer.normalisation in ("layer", "rms"):
        scale = length
    elif layer.normalisation == "batch":
        length, overlap, scale = length - crowd, overlap - crowd, length - crowd
    if scale <= 0:
        return Passage(replace(signal, moment=math.nan, overlap=math.nan), math.nan, math.nan)
    length, overlap = length / scale, overlap / scale
    known = moments(layer.activation, length)
    both = (length, length)
    joint = pair_moment(layer.activation, both, overlap / length, nodes) if length else known.second
    shared = known.mean**2 if layer.normalisation == "batch" else 0.0
    backward = layer.back_variance * known.slope / scale
    if layer.alpha is None:
        return Passage(Signal(known.second, joint, shared, known.mean), length, backward)
    a = layer.alpha
    cross = 2 * a * signal.mean * known.mean
    after = Signal(
        moment=signal.moment + cross + a * a * known.second,
        overlap=signal.overlap + cross + a * a * joint,
        crowd=signal.crowd + cross + a * a * shared,
        mean=signal.mean + a * known.mean,
    )
    return Passage(after, length, 1 + a * a * backward)


# ---- rectangular layers ------------------------------------------------------------------------------------------------


def fan_variance(rule: str, fan_in: int, fan_out: int) -> float:
    """Variance of a weight under a rule.

    ``fan_in`` 1/m keeps second moments forward, ``fan_out`` 1/n keeps them backward; between them lie the arithmetic
    ``average`` 2/(m+n) of Xavier, ``geometric`` 1/√(mn), and ``quadratic`` (m+n)/(m²+n²), which minimises
    (m t - 1)² + (n t - 1)² over the variance t. ``orthogonal`` matrices have entries of variance 1/max(m, n).
    """
    m, n = fan_in, fan_out
    match rule:
        case "fan_in":
            return 1 / m
        case "fan_out":
            return 1 / n
        case "average":
            return 2 / (m + n)
        case "geometric":
            return 1 / math.sqrt(m * n)
        case "quadratic":
            return (m + n) / (m * m + n * n)
        case "orthogonal":
            return 1 / max(m, n)
    raise ValueError(f"there is no rule {rule!r}")


@dataclass(frozen=True, slots=True)
class BowTie:
    """Factors of second moments of linear layers from m to n units and back to m: exact expectations for any width."""

    rule: str
    forward: float  # of a signal, m -> n
    backward: float  # of a gradient through the same layer
    forward_return: float  # of a signal, n -> m
    backward_return: float
    round_trip: float  # of a signal through both
    round_trip_backward: float


def bow_tie(rule: str, m: int, n: int) -> BowTie:
    """The factors for a rule: with weights of variance t a signal is multiplied by inputs · t, a gradient by outputs · t."""
    there, back = fan_variance(rule, m, n), fan_variance(rule, n, m)
    return BowTie(rule, m * there, n * there, n * back, m * back, m * there * n * back, n * there * m * back)


def truncated_variance(bound: float) -> float:
    """Variance 1 - 2 b φ(b) / (2 Φ(b) - 1) of a standard normal law cut off at ±b; 0.7737413 for b = 2."""
    density = math.exp(-0.5 * bound * bound) / math.sqrt(2 * math.pi)
    return 1 - 2 * bound * density / math.erf(bound / math.sqrt(2))
