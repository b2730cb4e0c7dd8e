"""The tower of `propagation`: real torch modules, layer by layer, and what is measured at each."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any, get_args

import torch
from torch import Tensor, nn

from engine.labs.angles.propagation.parameters import Parameters
from engine.math.networks.activations import ACTIVATIONS
from engine.math.networks.fan_rules import fan_variance
from engine.math.networks.signals import Layer, Placement
from engine.math.numerics.precision import widened

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
TINY = 1e-12  # in place of the usual 1e-5, so that normalisation also lifts signals that are nearly gone
HISTOGRAM_BINS = 64
HISTOGRAM_REACH = 4.0  # of pre-activations on either side of zero


@dataclass(frozen=True, slots=True)
class Design:
    """What a layer is made of; fan_in and fan_out are its own."""

    activation: str
    rule: str
    variance_factor: float
    bias_std: float
    alpha: float | None
    normalisation: str
    placement: str
    scaling: str
    dtype: str

    @property
    def isometric(self) -> bool:
        """Whether the matrices are orthogonal."""
        return self.rule == "orthogonal"

    @property
    def place(self) -> Placement:
        """Where the layer normalises; over the examples it does so before the activation, whatever was asked for."""
        known: dict[str, Placement] = {each: each for each in get_args(Placement)}
        return "inner" if self.normalisation == "batch" else known[self.placement]

    def weight_variance(self, fan_in: int, fan_out: int) -> float:
        """Variance of a weight as it acts, whatever the scaling."""
        return self.variance_factor * fan_variance(self.rule, fan_in, fan_out)

    def layer(self, fan_in: int, fan_out: int) -> Layer:
        """The layer as the theory knows it."""
        weight = self.weight_variance(fan_in, fan_out)
        options: Any = {"alpha": self.alpha, "normalisation": self.normalisation, "placement": self.place}
        projection = fan_out / fan_in if self.alpha is not None and fan_in != fan_out else None
        variances = fan_in * weight, fan_out * weight, self.bias_std**2
        return Layer(ACTIVATIONS[self.activation], *variances, **options, projection=projection)

    def layers(self, sizes: tuple[int, ...]) -> tuple[Layer, ...]:
        """The whole tower as the theory knows it."""
        return tuple(itertools.starmap(self.layer, itertools.pairwise(sizes)))


def design_of(parameters: Parameters) -> Design:
    """What a layer is made of."""
    alpha = parameters.alpha if parameters.residual else None
    names = ("activation", "rule", "variance_factor", "bias_std", "normalisation", "placement", "scaling", "dtype")
    return Design(alpha=alpha, **{name: getattr(parameters, name) for name in names})


class Block(nn.Module):
    """One layer: linear map, normalisation, activation, and the way around them.

    Where a residual layer changes the width, the way around is a random projection that keeps lengths on average.

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
            if design.isometric:
                nn.init.orthogonal_(self.linear.weight, math.sqrt(max(fan_in, fan_out)), generator=generator)
            else:
                self.linear.weight.normal_(generator=generator)
            self.linear.weight.mul_(spread / self.multiplier)
            self.linear.bias.normal_(generator=generator).mul_(
                design.bias_std / self.bias_multiplier if design.bias_std else 0.0
            )
        self.linear.to(kind)
        self.place = design.place
        self.norm = normaliser(design.normalisation, fan_in if self.place == "pre" else fan_out)
        self.activation = ACTIVATIONS[design.activation].torch
        self.alpha = design.alpha
        self.skip: nn.Module = nn.Identity()
        if design.alpha is not None and fan_in != fan_out:
            projection = nn.utils.skip_init(nn.Linear, fan_in, fan_out, bias=False, device=device)  # type: ignore[no-untyped-call]
            with torch.no_grad():
                projection.weight.normal_(0.0, 1 / math.sqrt(fan_in), generator=generator)
            self.skip = projection.to(kind)

    def before(self, x: Tensor) -> Tensor:
        """What enters the activation."""
        entering = self.norm(x) if self.place == "pre" else x
        if self.multiplier == 1 == self.bias_multiplier:  # the same, without a copy of all weights
            z: Tensor = self.linear(entering)
        else:
            weight, bias = self.linear.weight * self.multiplier, self.linear.bias * self.bias_multiplier
            z = nn.functional.linear(entering, weight, bias)
        return self.norm(z) if self.place == "inner" else z

    def after(self, x: Tensor, z: Tensor) -> Tensor:
        """What leaves the layer."""
        y = self.activation(z)
        total: Tensor = y if self.alpha is None else self.skip(x) + self.alpha * y
        return self.norm(total) if self.place == "post" else total

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
    """Units of the input and of every layer; with bottlenecks, layers with odd numbers are narrower or wider."""
    other = max(1, round(width * waist))
    return (inputs, *(other if layer % 2 else width for layer in range(1, depth + 1)))


# ---- what is measured at a layer ---------------------------------------------------------------------------------------


@torch.no_grad()
def reading(y: Tensor, x: Tensor) -> Tensor:
    """What is measured of the output of a layer, shape (5,).

    Second moment, cosine of the first two examples, share of dead units, logarithm of the first example's squared norm, and
    the mean cosine of outputs and inputs (not a number where they have different widths).

    A unit is dead if it gives the same for every example of the batch: a rectifier that never fires, a saturated sigmoid
    whose differences are below the precision, a signal that has underflowed.

    Parameters
    ----------
    y : Tensor, shape (examples, units)
        The output.
    x : Tensor, shape (examples, inputs)
        The input of the tower.
    """
    wide = widened(y)
    norms = wide.square().sum(dim=1)
    cosine = (wide[0] @ wide[1]) / norms[:2].prod().sqrt()
    dead = (wide == wide[0]).all(dim=0).to(wide.dtype).mean()
    kept = torch.full_like(cosine, math.nan)
    if x.shape == y.shape:
        start = widened(x)
        kept = ((wide * start).sum(dim=1) / (norms * start.square().sum(dim=1)).sqrt()).mean()
    return torch.stack([wide.square().mean(), cosine, dead, norms[0].log(), kept])


@torch.no_grad()
def preactivation_histogram(z: Tensor) -> Tensor:
    """Shares of pre-activations in 64 bins between -4 and 4; those outside are in none."""
    scale = HISTOGRAM_BINS / (2 * HISTOGRAM_REACH)
    place = ((z.to(torch.float32) + HISTOGRAM_REACH) * scale).floor_().nan_to_num_(-1.0)
    inside = place.clamp_(-1, HISTOGRAM_BINS).to(torch.int64).reshape(-1) + 1
    return torch.bincount(inside, minlength=HISTOGRAM_BINS + 2)[1:-1].to(torch.float32) / z.numel()


def pull_back(block: Block, x: Tensor, gradient: Tensor) -> Tensor:
    """The gradient in front of a layer from that behind it."""
    with torch.enable_grad():
        start = x.detach().requires_grad_()
        (before,) = torch.autograd.grad(block(start), start, gradient)
    return before
