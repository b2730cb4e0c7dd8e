"""The tower of `propagation`: real torch modules, layer by layer, and what theory says of them."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from engine.math.networks.activations import ACTIVATIONS
from engine.math.networks.mean_field import Layer, Passage, Signal, fan_variance, moments, propagate
from engine.math.numerics.quadrature import gaussian_pair_mean

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
TINY = 1e-12  # in place of the usual 1e-5, so that normalisation also lifts signals that are nearly gone
RIDGE_BINS = 64
RIDGE_REACH = 4.0


@dataclass(frozen=True, slots=True)
class Design:
    """What a layer is made of; fan_in and fan_out are its own."""

    activation: str
    rule: str
    variance_factor: float
    bias_std: float
    alpha: float | None
    normalisation: str
    scaling: str
    dtype: str

    def weight_variance(self, fan_in: int, fan_out: int) -> float:
        """Variance of a weight as it acts, whatever the scaling."""
        return self.variance_factor * fan_variance(self.rule, fan_in, fan_out)

    def skip(self, fan_in: int, fan_out: int) -> float | None:
        """Weight of the branch of a residual layer; a layer that changes the width has nothing to add to and is a plain one."""
        return self.alpha if fan_in == fan_out else None


class Block(nn.Module):
    """One layer: linear map, normalisation, activation, and the way around them.

    Parameters
    ----------
    design : Design
    fan_in, fan_out : int
    generator : torch.Generator
        Where weights and biases come from; it decides the device.
    """

    def __init__(self, design: Design, fan_in: int, fan_out: int, generator: torch.Generator) -> None:
        super().__init__()
        device, kind = generator.device, DTYPES[design.dtype]
        self.linear = nn.utils.skip_init(nn.Linear, fan_in, fan_out, device=device)  # type: ignore[no-untyped-call]
        spread = math.sqrt(design.weight_variance(fan_in, fan_out))
        self.multiplier = spread if design.scaling == "ntk" else 1.0
        self.bias_multiplier = design.bias_std if design.scaling == "ntk" else 1.0
        with torch.no_grad():
            if design.rule == "orthogonal":
                nn.init.orthogonal_(self.linear.weight, math.sqrt(max(fan_in, fan_out)), generator=generator)
            else:
                self.linear.weight.normal_(generator=generator)
            self.linear.weight.mul_(spread / self.multiplier)
            self.linear.bias.normal_(generator=generator).mul_(
                design.bias_std / self.bias_multiplier if design.bias_std else 0.0
            )
        self.linear.to(kind)
        self.norm = normaliser(design.normalisation, fan_out)
        self.activation = ACTIVATIONS[design.activation].torch
        self.alpha = design.skip(fan_in, fan_out)

    def before(self, x: Tensor) -> Tensor:
        """What enters the activation."""
        if self.multiplier == 1 == self.bias_multiplier:  # the same, without a copy of all weights
            plain: Tensor = self.norm(self.linear(x))
            return plain
        found: Tensor = self.norm(
            nn.functional.linear(x, self.linear.weight * self.multiplier, self.linear.bias * self.bias_multiplier)
        )
        return found

    def after(self, x: Tensor, z: Tensor) -> Tensor:
        """What leaves the layer."""
        y = self.activation(z)
        return y if self.alpha is None else x + self.alpha * y

    def forward(self, x: Tensor) -> Tensor:
        return self.after(x, self.before(x))


def normaliser(name: str, width: int) -> nn.Module:
    """The module of a normalisation, without weights of its own."""
    match name:
        case "batch":
            return nn.BatchNorm1d(width, eps=TINY, affine=False, track_running_stats=False)
        case "layer":
            return nn.LayerNorm(width, eps=TINY, elementwise_affine=False)
        case "rms":
            return nn.RMSNorm(width, eps=TINY, elementwise_affine=False)
    return nn.Identity()


def widths(depth: int, width: int, waist: float, inputs: int) -> tuple[int, ...]:
    """Units of the input and of every layer; with a waist, layers with odd numbers are narrower or wider."""
    other = max(1, round(width * waist))
    return (inputs, *(other if layer % 2 else width for layer in range(1, depth + 1)))


# ---- what is measured at a layer ---------------------------------------------------------------------------------------


@torch.no_grad()
def reading(y: Tensor) -> Tensor:
    """Second moment, cosine of the first two examples, share of dead units, logarithm of the first example's squared norm.

    A unit is dead if it gives the same for every example of the batch: a rectifier that never fires, a saturated sigmoid
    whose differences are below the precision, a signal that has underflowed.
    """
    wide = y.to(torch.float32) if y.device.type == "mps" else y.to(torch.float64)
    norms = wide[:2].square().sum(dim=1)
    cosine = (wide[0] @ wide[1]) / norms.prod().sqrt()
    dead = (wide == wide[0]).all(dim=0).to(wide.dtype).mean()
    return torch.stack([wide.square().mean(), cosine, dead, norms[0].log()])


@torch.no_grad()
def ridge(z: Tensor) -> Tensor:
    """Shares of pre-activations in 64 bins between -4 and 4; those outside are in none."""
    place = ((z.to(torch.float32) + RIDGE_REACH) * (RIDGE_BINS / (2 * RIDGE_REACH))).floor_().nan_to_num_(-1.0)
    inside = place.clamp_(-1, RIDGE_BINS).to(torch.int64).reshape(-1) + 1
    return torch.bincount(inside, minlength=RIDGE_BINS + 2)[1:-1].to(torch.float32) / z.numel()


def pull_back(block: Block, x: Tensor, gradient: Tensor) -> Tensor:
    """The gradient in front of a layer from that behind it."""
    with torch.enable_grad():
        start = x.detach().requires_grad_()
        (before,) = torch.autograd.grad(block(start), start, gradient)
    return before


# ---- what theory says --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Theory:
    """Mean-field curves over the layers, the input at index 0.

    Parameters
    ----------
    moment
        Second moment of a coordinate.
    cosine
        Of the angle between the two marked inputs.
    backward
        Squared gradient in front of each layer over that behind the last one.
    spread
        Standard deviation of the logarithm of `moment` between networks of these widths, to first order.
    backward_spread
        The same of the squared gradient in front of the first layer, averaged over the examples.
    """

    moment: np.ndarray
    cosine: np.ndarray
    backward: np.ndarray
    spread: np.ndarray
    backward_spread: float


@lru_cache(maxsize=32)
def theory(design: Design, sizes: tuple[int, ...], start: Signal, examples: int) -> Theory:
    """Follow a signal through the tower.

    The second moment of n units strays between networks by Var(f²)/n at each layer, after the old deviation was multiplied by
    the slope of the length map.
    """
    signal, stray = start, Stray(0.0, 0.0, start.moment / sizes[0])  # the mean of a given input is not zero exactly
    rows: list[tuple[float, float, float, float]] = [(signal.moment, signal.correlation, 1.0, 0.0)]
    bends: list[Bend] = []
    fresh = 0.0
    for fan_in, fan_out in itertools.pairwise(sizes):
        layer = layer_of(design, fan_in, fan_out)
        passage = propagate(signal, layer)
        kept = min(1.0, fan_out / fan_in) if design.rule == "orthogonal" else 0.0
        bends.append(bend(signal, layer, passage, fresh, fan_in, fan_out, design.rule == "orthogonal"))
        stray = stray_after(signal, layer, passage.length, stray, fan_out, kept)
        signal = passage.after
        relative = stray.moment / signal.moment**2 if signal.moment > 0 else 0.0
        fresh = max(0.0, relative - bends[-1].carry ** 2 * rows[-1][3])
        rows.append((signal.moment, signal.correlation, passage.backward, relative))
    moment, cosine, factor, variances = np.array(rows).T
    backward = np.cumprod(np.append(factor[1:], 1.0)[::-1])[::-1]
    return Theory(moment, np.clip(cosine, -1, 1), backward, np.sqrt(variances), gradient_spread(bends, sizes[-1], examples))


def layer_of(design: Design, fan_in: int, fan_out: int) -> Layer:
    """A layer as the theory knows it."""
    weight = design.weight_variance(fan_in, fan_out)
    options: Any = {"alpha": design.skip(fan_in, fan_out), "normalisation": design.normalisation}
    return Layer(ACTIVATIONS[design.activation], fan_in * weight, fan_out * weight, design.bias_std**2, **options)


@lru_cache(maxsize=32)
def cosine_spread(design: Design, sizes: tuple[int, ...], start: Signal) -> float:
    """Standard deviation between networks of the last cosine, to first order and for lengths that do not stray.

    By Price's theorem d E f(u) f(v) / dc = q E f'(u) f'(v), which carries a deviation to the next layer; there the cosine of n
    coordinates strays by about √2 (1 - c²) / √n more (for Gaussian coordinates without the √2).
    """
    signal, variance = start, 0.0
    for fan_in, fan_out in itertools.pairwise(sizes):
        layer = layer_of(design, fan_in, fan_out)
        passage = propagate(signal, layer)
        q, shift = (layer.weight_variance * each + layer.bias_variance for each in (signal.moment, signal.crowd))
        shift = shift if layer.normalisation == "batch" else 0.0
        scale = (q - shift) / passage.length if passage.length else 1.0
        joint = (layer.weight_variance * signal.overlap + layer.bias_variance - shift) / (q - shift)
        slope, both = layer.activation.derivative, (passage.length, passage.length)
        turn = gaussian_pair_mean(slope, slope, both, min(1.0, max(-1.0, joint)), layer.activation.kinks, nodes=8)
        own = turn * layer.weight_variance / scale
        factor = own if layer.alpha is None else 1 + layer.alpha**2 * own
        factor *= signal.moment / passage.after.moment
        signal = passage.after
        chance = 2 * (1 - signal.correlation**2) ** 2 / fan_out
        if design.rule == "orthogonal" and design.activation == "linear":
            chance *= 1 - min(1.0, fan_out / fan_in)  # an isometry keeps angles
        variance = factor**2 * variance + chance
        variance = min(variance, 1e6)
    return math.sqrt(variance)


@dataclass(frozen=True, slots=True)
class Stray:
    """Variances and covariance, between networks, of the second moment p and the mean m of the coordinates of a layer."""

    moment: float
    both: float
    mean: float


def stray_after(signal: Signal, layer: Layer, length: float, before: Stray, units: int, kept: float) -> Stray:
    """What a layer of so many units adds, and what it makes of what was there, to first order.

    Where the length of z is exact, as by an orthogonal map (on a share `kept` of the dimensions) or after normalisation, what
    of Var(f²) comes from that length drops out: Cov(f², z²)² / Var(z²) = 2 (q d E f² / dq)².
    """
    if not 0 < length < math.inf:
        return before
    known = moments(layer.activation, length)
    push = layer.weight_variance if layer.normalisation == "none" else 0.0  # of q by p
    kept = 1.0 if layer.normalisation in ("layer", "rms") else kept
    noise = max(0.0, known.fourth - known.second**2 - 2 * kept * (length * known.growth) ** 2)
    around = known.second - known.mean**2
    if layer.alpha is None:
        both = math.copysign(math.sqrt(noise * around), known.mean) / units if known.mean else 0.0  # at most
        return Stray((push * known.growth) ** 2 * before.moment + noise / units, both, around / units)
    alpha = layer.alpha
    own = 1 + alpha**2 * push * known.growth + 2 * alpha * signal.mean * push * known.mean_growth
    lent, drift = 2 * alpha * known.mean, alpha * push * known.mean_growth
    fresh = alpha**4 * noise + 4 * alpha**2 * signal.moment * known.second
    return Stray(
        own**2 * before.moment + 2 * own * lent * before.both + lent**2 * before.mean + fresh / units,
        own * drift * before.moment
        + (own + lent * drift) * before.both
        + lent * before.mean
        + 2 * alpha**2 * signal.mean * around / units,
        drift**2 * before.moment + 2 * drift * before.both + before.mean + alpha**2 * around / units,
    )


@dataclass(frozen=True, slots=True)
class Bend:
    """What chance does to a gradient in one layer.

    Parameters
    ----------
    share
        Of the squared gradient in front of the layer, what came through the activation and not around it.
    uneven
        (E f'⁴ / (E f'²)² - 1) / units: by how much the slopes of single units differ.
    mixing
        1 / inputs for independent weights, 0 for an isometry: by how much the length behind the matrix strays.
    pull
        d ln E f'² / d ln p: by how much, relatively, the squared slope moves with the length of the signal in front.
    carry
        d ln p' / d ln p: what the layer leaves of a deviation of that length.
    fresh
        Variance of that deviation, as far as it is new in front of this layer.
    """

    share: float
    uneven: float
    mixing: float
    pull: float
    carry: float
    fresh: float


def bend(signal: Signal, layer: Layer, passage: Passage, fresh: float, fan_in: int, fan_out: int, orthogonal: bool) -> Bend:
    """The bend of a layer that a signal has passed."""
    length, after = passage.length, passage.after.moment
    if not (0 < length < math.inf and 0 < after < math.inf):
        return Bend(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    known = moments(layer.activation, length)
    share = 1.0 if layer.alpha is None else 1 - 1 / passage.backward
    pull, push = 0.0, layer.weight_variance if layer.normalisation == "none" else 0.0
    if push and not layer.activation.homogeneous:
        slopes = [moments(layer.activation, length * factor).slope for factor in (1.01, 0.99)]
        pull = share * push * signal.moment / length * math.log(slopes[0] / slopes[1]) / math.log(1.01 / 0.99)
    own = push * known.growth if layer.alpha is None else 1 + layer.alpha**2 * push * known.growth
    mixing = 1 / fan_in - 1 / max(fan_in, fan_out) if orthogonal else 1 / fan_in
    uneven = (known.slope_fourth / known.slope**2 - 1) / fan_out
    return Bend(share, uneven, mixing, pull, own * signal.moment / after, fresh)


def gradient_spread(bends: list[Bend], units: int, examples: int) -> float:
    """Standard deviation between networks of the logarithm of a squared gradient, averaged over examples, to first order.

    The gradients of the examples start independent, and what chance does to each of them averages out. What their common
    layers do to all of them does not, and the more they have turned into a common direction (`aligned`: the mean of their
    squared cosine) the more of it is common. A signal that strays moves all slopes behind it, for all examples alike.
    """
    variance, aligned, lever = 0.0, 1 / units, 0.0
    for each in reversed(bends):
        own = each.share**2 * (3 * each.uneven + 2 * each.mixing) + 4 * each.share * (1 - each.share) * each.mixing
        common = each.share**2 * ((1 + 2 * aligned) * each.uneven + 2 * aligned * each.mixing)
        common += 4 * each.share * (1 - each.share) * each.mixing * aligned
        lever = each.pull + each.carry * lever
        variance += common + (own - common) / examples + lever**2 * each.fresh
        aligned = min(1.0, aligned + each.share * (2 - each.share) * (each.uneven + each.mixing))
    return math.sqrt(variance)
