"""What the width of a tower leaves to chance, to first order in one over width, around the curves of mean-field theory.

Lengths, angles and gradients of one random network deviate from theory; between networks of the same widths the deviations
have a variance that obeys maps of its own, layer by layer.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.math.networks.mean_field import moments
from engine.math.networks.signals import Layer, Passage, Signal, propagate
from engine.math.numerics.quadrature import gaussian_pair_mean

Array = NDArray[np.float64]

FAINTEST, LARGEST = 1e-100, 1e100  # second moments that theory follows; numbers of single precision end long before
SETTLED = 1e-9  # relative change of a signal below which the next equal layer does the same to it
MOST = 1e6  # of a relative variance: what is larger says no more


@dataclass(frozen=True, slots=True)
class Theory:
    """Mean-field curves over the layers, the input at index 0; not a number beyond the range that is followed.

    Parameters
    ----------
    moment
        Second moment of a coordinate.
    cosine
        Of the angle between the two marked inputs.
    backward
        Squared gradient in front of each layer over that behind the last one.
    spread
        Standard deviation of the logarithm of `moment` between networks of these widths.
    backward_spread
        The same of the squared gradient in front of the first layer, averaged over the examples.
    kept
        Cosine of a signal and the input it came from; not a number behind a layer that replaces its input.
    kept_spread
        Standard deviation between networks of the last of them.
    passages
        What each layer does.
    """

    moment: Array
    cosine: Array
    backward: Array
    spread: Array
    backward_spread: float
    kept: Array
    kept_spread: float
    passages: tuple[Passage, ...]


def follow(layers: Sequence[Layer], units: Sequence[int], start: Signal, examples: int, isometric: bool = False) -> Theory:
    """Follow a signal up a tower and a gradient down.

    The second moment of n units fluctuates between networks by Var(f²)/n at each layer, after the old deviation was multiplied
    by the slope of the length map.

    Parameters
    ----------
    layers : sequence of Layer
        From the input up.
    units : sequence of int
        Of the input and of every layer, one more than `layers`.
    start : Signal
        The input.
    examples : int
        Over which the squared gradient is averaged.
    isometric : bool
        Whether the matrices are orthogonal.
    """
    signals, passages = passages_of(layers, start)
    fluctuation = Fluctuation(0.0, 0.0, start.moment / units[0])  # the mean of a given input is not zero exactly
    variances, sensitivities, fresh, unsettled, left = [0.0], [], 0.0, 0.0, start.moment
    for layer, signal, passage, (fan_in, fan_out) in zip(layers, signals, passages, itertools.pairwise(units), strict=False):
        exact = isometry(layer, fan_in, fan_out, isometric)
        fluctuation, rescaling = fluctuation_after(
            signal, layer, passage, fluctuation.scaled(signal.moment / left), fan_out, exact
        )
        left = passage.after.moment
        sensitivities.append(sensitivity(signal, layer, passage, fresh, rescaling, (fan_in, fan_out), isometric))
        variances.append(min(MOST, max(0.0, fluctuation.moment) / passage.after.moment**2))
        fresh = max(0.0, variances[-1] - sensitivities[-1].carry ** 2 * variances[-2])
        unsettled += rescaling
    missing = len(layers) + 1 - len(variances)
    after = [start, *(passage.after for passage in passages)]
    moment, cosine = (np.array([*values, *(math.nan,) * missing]) for values in zip(*map(_curves, after), strict=True))
    with np.errstate(over="ignore"):
        factor = np.array([*(passage.backward for passage in passages), *(math.nan,) * missing, 1.0])
        backward = np.cumprod(factor[::-1])[::-1]
    kept = np.array([*_kept(layers, signals, passages), *(math.nan,) * missing])
    spread = np.sqrt([*variances, *(math.nan,) * missing])
    last = float(kept[-1])
    kept_spread = math.sqrt(max(0.0, 1 - last * last) / min(units) + 0.25 * last * last * (unsettled + float(spread[-1]) ** 2))
    backward_spread = math.nan if missing else gradient_spread(sensitivities, units[-1], examples)
    return Theory(moment, cosine, backward, spread, backward_spread, kept, kept_spread, tuple(passages))


def passages_of(layers: Sequence[Layer], start: Signal) -> tuple[list[Signal], list[Passage]]:
    """The signal in front of each layer, brought back into range, and what the layer does to it; ends where nothing is known.

    Behind equal layers a signal settles, and then what the last one did is what the next one does.
    """
    signal, signals, passages = start, [], []
    latest: dict[Layer, tuple[Signal, Passage]] = {}
    for layer in layers:
        signal = within_range(signal)
        if layer not in latest or not _same(latest[layer][0], signal):
            latest[layer] = signal, propagate(signal, layer)
        passage = latest[layer][1]
        if not (math.isfinite(passage.backward) and 0 < passage.after.moment < math.inf):
            break
        signals.append(signal)
        passages.append(passage)
        signal = passage.after
    return signals, passages


def within_range(signal: Signal) -> Signal:
    """The signal itself, or one of the nearest second moment that is followed: slopes there are what they are beyond."""
    if FAINTEST <= signal.moment <= LARGEST:
        return signal
    return signal.scaled(min(max(signal.moment, FAINTEST), LARGEST) / signal.moment)


def _same(one: Signal, other: Signal) -> bool:
    pairs = ((one.moment, other.moment), (one.overlap, other.overlap), (one.batch_overlap, other.batch_overlap))
    close = all(abs(a - b) <= SETTLED * other.moment for a, b in pairs)
    return close and abs(one.mean - other.mean) <= SETTLED * math.sqrt(other.moment)


def _curves(signal: Signal) -> tuple[float, float]:
    known = FAINTEST < signal.moment < LARGEST
    return (signal.moment if known else math.nan), min(1.0, max(-1.0, signal.correlation))


def _kept(layers: Sequence[Layer], signals: Sequence[Signal], passages: Sequence[Passage]) -> list[float]:
    """Cosines of signal and input: what is added has nothing of the input, what is divided loses its size."""
    kept, found = 1.0, [1.0]
    for layer, signal, passage in zip(layers, signals, passages, strict=False):
        direct = layer.alpha is not None and layer.projection is None
        kept *= math.sqrt(signal.moment / (passage.after.moment * passage.rescaling)) if direct else math.nan
        found.append(kept)
    return found


# ---- lengths -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Fluctuation:
    """Variances and covariance, between networks, of the second moment p and the mean m of the coordinates of a layer."""

    moment: float
    covariance: float
    mean: float

    def scaled(self, factor: float) -> Fluctuation:
        """That of a signal whose second moments are multiplied."""
        return Fluctuation(self.moment * factor * factor, self.covariance * factor**1.5, self.mean * factor)


def isometry(layer: Layer, fan_in: int, fan_out: int, isometric: bool) -> float:
    """The share of the length of z that is not left to chance: by an orthogonal map, or by normalisation of z."""
    if layer.normalises("inner") and layer.normalisation != "batch":
        return 1.0
    return min(1.0, fan_out / fan_in) if isometric else 0.0


def answers(layer: Layer) -> float:
    """dq/dp: by how much the length of z answers to that of x."""
    return 0.0 if layer.normalises("inner") or layer.normalises("pre") else layer.weight_variance


def fluctuation_after(
    signal: Signal, layer: Layer, passage: Passage, before: Fluctuation, units: int, isometry: float
) -> tuple[Fluctuation, float]:
    """What a layer of so many units adds, and what it makes of what was there.

    Where the length of z is exact, what of Var(f²) comes from that length drops out:
    Cov(f², z²)² / Var(z²) = 2 (q d E f² / dq)².

    Returns
    -------
    fluctuation
        Behind the layer.
    rescaling
        Relative variance of what a normalisation behind the sum divides by, 0 without one.
    """
    known, length = moments(layer.activation, passage.length), passage.length
    answer = answers(layer)
    noise = max(0.0, known.fourth - known.second**2 - 2 * isometry * (length * known.growth) ** 2)
    around = known.second - known.mean**2
    if layer.alpha is None:
        found = _mixed((answer * known.growth) ** 2 * before.moment, noise, known.mean, around, units)
    elif layer.projection is not None:
        a, p = layer.alpha, signal.moment
        own = 1 + a * a * answer * known.growth
        noise = 2 * p * p + 4 * p * a * a * known.second + a**4 * noise
        found = _mixed(own * own * before.moment, noise, a * known.mean, p + a * a * around, units)
    else:
        found = _added(signal, layer.alpha, answer * known.growth, answer * known.mean_growth, known.mean, before)
        fresh = layer.alpha**4 * noise + 4 * layer.alpha**2 * signal.moment * known.second
        found = Fluctuation(
            found.moment + fresh / units,
            found.covariance + 2 * layer.alpha**2 * signal.mean * around / units,
            found.mean + layer.alpha**2 * around / units,
        )
    if not layer.normalises("post"):
        return found, 0.0
    mean = found.mean / passage.rescaling if layer.normalisation == "rms" else 0.0
    return Fluctuation(0.0, 0.0, mean), min(MOST, max(0.0, found.moment) / passage.rescaling**2)


def _mixed(carried: float, noise: float, mean: float, around: float, units: int) -> Fluctuation:
    """Behind a matrix, where units are independent given their length; the covariance is the largest there can be."""
    covariance = math.copysign(math.sqrt(max(0.0, noise * around)), mean) / units if mean else 0.0
    return Fluctuation(carried + noise / units, covariance, around / units)


def _added(signal: Signal, alpha: float, growth: float, drift: float, mean: float, before: Fluctuation) -> Fluctuation:
    """What a residual sum makes of a fluctuation: dp' = a dp + b dm, dm' = c dp + dm."""
    a = 1 + alpha**2 * growth + 2 * alpha * signal.mean * drift
    b, c = 2 * alpha * mean, alpha * drift
    return Fluctuation(
        a * a * before.moment + 2 * a * b * before.covariance + b * b * before.mean,
        a * c * before.moment + (a + b * c) * before.covariance + b * before.mean,
        c * c * before.moment + 2 * c * before.covariance + before.mean,
    )


# ---- angles ------------------------------------------------------------------------------------------------------------


def cosine_spread(
    layers: Sequence[Layer], units: Sequence[int], start: Signal, passages: Sequence[Passage], isometric: bool = False
) -> float:
    """Standard deviation between networks of the last cosine, for lengths that do not fluctuate.

    By Price's theorem d E f(u) f(v) / dc = q E f'(u) f'(v), which carries a deviation to the next layer; there the cosine of n
    coordinates fluctuates by about √2 (1 - c²) / √n more (for Gaussian coordinates without the √2).
    """
    signal, variance = start, 0.0  # a signal brought back into range has the same cosine, and the factor is relative
    factors: dict[tuple[Layer, Passage], float] = {}
    for layer, passage, (fan_in, fan_out) in zip(layers, passages, itertools.pairwise(units), strict=False):
        if (layer, passage) not in factors:
            factors[layer, passage] = _cosine_slope(layer, passage)
        factor = factors[layer, passage] * signal.moment / (passage.after.moment * passage.rescaling)
        signal = passage.after
        chance = 2 * (1 - min(1.0, signal.correlation**2)) ** 2 / fan_out
        if isometric and layer.activation.name == "linear":
            chance *= 1 - min(1.0, fan_out / fan_in)  # an isometry keeps angles
        variance = min(factor * factor * variance + chance, MOST)
    return math.sqrt(variance)


def _cosine_slope(layer: Layer, passage: Passage) -> float:
    """d overlap' / d overlap of a layer, before a normalisation of the sum."""
    slope, both = layer.activation.derivative, (passage.length, passage.length)
    turn = gaussian_pair_mean(slope, slope, both, passage.correlation, layer.activation.kinks, nodes=8)
    own = turn * layer.weight_variance / passage.divisor
    return own if layer.alpha is None else 1 + layer.alpha**2 * own


# ---- gradients ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LayerSensitivity:
    """How the squared gradient in front of a layer answers to chance.

    Parameters
    ----------
    branch
        Of the squared gradient in front of the layer, what came through the activation and not around it.
    slopes
        (E f'⁴ / (E f'²)² - 1) / units: by how much the slopes of single units differ.
    mixing
        1 / inputs for independent weights, 0 for an isometry: by how much the length behind the matrix fluctuates.
    skip_mixing
        The same of a random projection around the layer, 0 without one.
    response
        d ln (branch factor) / d ln p: by how much, relatively, the gradient answers to the length of the signal in front.
    carry
        d ln p' / d ln p: what the layer leaves of a deviation of that length.
    fresh
        Variance of that deviation, as far as it is new in front of this layer.
    rescaling
        Relative variance of what a normalisation behind the sum divides by.
    """

    branch: float
    slopes: float
    mixing: float
    skip_mixing: float
    response: float
    carry: float
    fresh: float
    rescaling: float


def sensitivity(
    signal: Signal, layer: Layer, passage: Passage, fresh: float, rescaling: float, fans: tuple[int, int], isometric: bool
) -> LayerSensitivity:
    """How the gradient answers to chance in a layer that a signal has passed; `fans` are its inputs and outputs."""
    known, (fan_in, fan_out) = moments(layer.activation, passage.length), fans
    answer = answers(layer)
    response = 0.0
    if layer.normalises("pre"):
        response = -passage.branch
    elif layer.normalises("inner"):
        response = -passage.branch * layer.weight_variance * signal.moment / passage.divisor
    elif not layer.activation.homogeneous:
        around = [moments(layer.activation, passage.length * factor).slope for factor in (1.01, 0.99)]
        elasticity = math.log(around[0] / around[1]) / math.log(1.01 / 0.99) if min(around) > 0 else 0.0
        response = passage.branch * answer * signal.moment / passage.length * elasticity
    own = answer * known.growth if layer.alpha is None else 1 + layer.alpha**2 * answer * known.growth
    carry = 0.0 if layer.normalises("post") else own * signal.moment / passage.after.moment
    return LayerSensitivity(
        branch=passage.branch,
        slopes=max(0.0, known.slope_fourth / known.slope**2 - 1) / fan_out if known.slope > 0 else 0.0,
        mixing=1 / fan_in - 1 / max(fan_in, fan_out) if isometric else 1 / fan_in,
        skip_mixing=0.0 if layer.projection is None else 1 / fan_in,
        response=response,
        carry=carry,
        fresh=fresh,
        rescaling=rescaling,
    )


def gradient_spread(sensitivities: Sequence[LayerSensitivity], units: int, examples: int) -> float:
    """Standard deviation between networks of the logarithm of a squared gradient, averaged over examples.

    The gradients of the examples start independent, and what chance does to each of them averages out. What their common
    layers do to all of them does not, and the more they have turned into a common direction (`aligned`: the mean of their
    squared cosine) the more of it is common. A signal that deviates moves all slopes behind it, for all examples alike.
    """
    variance, aligned, response = 0.0, 1 / units, 0.0
    for each in reversed(sensitivities):
        branch, skip = each.branch, 1 - each.branch
        matrices = branch**2 * each.mixing + skip**2 * each.skip_mixing
        across = 4 * branch * skip * each.mixing
        own = 3 * branch**2 * each.slopes + 2 * matrices + across
        common = (1 + 2 * aligned) * branch**2 * each.slopes + (2 * matrices + across) * aligned
        response = each.response + each.carry * response
        variance += common + (own - common) / examples + response * response * each.fresh + each.rescaling
        aligned = min(1.0, aligned + branch * (2 - branch) * (each.slopes + each.mixing) + skip**2 * each.skip_mixing)
    return math.sqrt(max(0.0, variance))
