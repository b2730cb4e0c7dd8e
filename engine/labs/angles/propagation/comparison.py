"""Three towers learn the digits: the same noise at half, once and twice the chosen variance of the weights."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from engine.core.context import Context
from engine.core.errors import LabError
from engine.data.digits import PIXELS, unit_digits
from engine.labs.angles.propagation.tower import Block, Design, widths

FACTORS = (0.5, 1.0, 2.0)
CLASSES = 10
BATCH = 128
LARGEST = 150_000_000  # weights of the three networks together


@dataclass(frozen=True, slots=True)
class Comparison:
    """Networks on their way, and their losses so far.

    Parameters
    ----------
    networks
        Parameters are changed in place; no frame shares them.
    losses
        One row of three for each update.
    """

    networks: tuple[nn.Sequential, ...]
    losses: tuple[Tensor, ...]


def start(design: Design, depth: int, width: int, waist: float, context: Context) -> Comparison:
    """Three networks that differ in the scale of their weights and in nothing else.

    Raises
    ------
    LabError
        If they are too large.
    """
    sizes = widths(depth, width, waist, PIXELS)
    weights = len(FACTORS) * sum(a * b for a, b in itertools.pairwise(sizes))
    if weights > LARGEST:
        raise LabError(
            "Three networks with {weights:,d} weights are too large to train here.",
            "Lower depth or width, or switch the training off.",
            weights=weights,
        )
    return Comparison(tuple(network(design, factor, sizes, context) for factor in FACTORS), ())


def network(design: Design, factor: float, sizes: tuple[int, ...], context: Context) -> nn.Sequential:
    """The tower with a linear read-out of standard scale; always in float32, since nothing else here learns alone."""
    made = replace(design, variance_factor=factor * design.variance_factor, dtype="float32")
    blocks: list[nn.Module] = []
    for index, (fan_in, fan_out) in enumerate(itertools.pairwise(sizes)):
        blocks.append(Block(made, fan_in, fan_out, context.streams.fresh(f"race {index}")))
        context.checkpoint()
    reader = nn.utils.skip_init(nn.Linear, sizes[-1], CLASSES, device=context.device)  # type: ignore[no-untyped-call]
    generator = context.streams.fresh("race reader")
    with torch.no_grad():
        reader.weight.normal_(0.0, 1 / math.sqrt(sizes[-1]), generator=generator)
        reader.bias.zero_()
    return nn.Sequential(*blocks, reader)


def update(comparison: Comparison, rate: float, context: Context) -> Comparison:
    """One step of stochastic gradient descent, on the same examples for all three."""
    images, labels = (each.to(context.device) for each in unit_digits())
    chosen = torch.randint(len(labels), (BATCH,), generator=context.generator("batches"), device=context.device)
    losses = []
    with torch.enable_grad():
        for each in comparison.networks:
            loss = nn.functional.cross_entropy(each(images[chosen]), labels[chosen])
            parameters: list[Tensor] = list(each.parameters())
            gradients = torch.autograd.grad(loss, parameters)
            with torch.no_grad():
                torch._foreach_add_(parameters, gradients, alpha=-rate)
            losses.append(loss.detach())
            context.checkpoint()
    return replace(comparison, losses=(*comparison.losses, torch.stack(losses)))
