"""A signal on its way up a tower, then its gradient on the way down, then three networks that learn."""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from engine.core.context import Context
from engine.data.digits import unit_digits
from engine.labs.angles.propagation import comparison
from engine.labs.angles.propagation.bow_tie import measured_round_trip
from engine.labs.angles.propagation.comparison import Comparison
from engine.labs.angles.propagation.parameters import Parameters
from engine.labs.angles.propagation.tower import (
    DTYPES,
    Block,
    Design,
    design_of,
    preactivation_histogram,
    pull_back,
    reading,
    widths,
)
from engine.math.networks.fluctuations import Theory, follow
from engine.math.networks.signals import Signal
from engine.math.numerics.precision import widened

KEPT = 64_000_000  # weights that a tower may hold on to; of a larger one each layer is made a second time on the way down
SECONDS_PER_STEP = 0.06  # of the slowest device this is meant for
SECONDS = {"cpu": (6e-9, 1.2e-10), "mps": (1e-9, 1e-11), "cuda": (1e-11, 1e-12)}  # per weight, per cube of the width (QR)


@dataclass(frozen=True, slots=True)
class State:
    """What is known so far."""

    design: Design
    sizes: tuple[int, ...]
    start: Signal
    theory: Theory
    blocks: tuple[Block, ...]  # the layers that the gradient has before it, where they are kept
    signals: tuple[Tensor, ...]  # the input and every layer's output so far
    readings: tuple[Tensor, ...]
    histograms: tuple[Tensor, ...]  # of pre-activations
    gradient: Tensor
    gradient_moments: tuple[Tensor, ...]  # from the last layer down
    comparison: Comparison | None
    measured_tie: tuple[float, ...]


def init(parameters: Parameters, context: Context) -> State:
    """The inputs and the first layers."""
    design = design_of(parameters)
    x = inputs_of(parameters, context)
    sizes = widths(parameters.depth, parameters.width, parameters.waist, x.shape[1])
    start = start_of(x)
    theory = context.once(follow, design.layers(sizes), sizes, start, len(x), design.isometric)
    x = x.to(DTYPES[parameters.dtype])
    last = torch.randn((len(x), sizes[-1]), generator=context.generator("gradient"), device=context.device).to(x.dtype)
    state = State(
        design=design,
        sizes=sizes,
        start=start,
        theory=theory,
        blocks=(),
        signals=(x,),
        readings=(reading(x, x),),
        histograms=(),
        gradient=last,
        gradient_moments=(widened(last).square().mean(),),
        comparison=None,
        measured_tie=measured_round_trip(parameters, context),
    )
    return step(state, parameters, context)


def inputs_of(parameters: Parameters, context: Context) -> Tensor:
    """The batch, shape (B, inputs); of Gaussian vectors the first two stand at the wanted angle and are of length √n."""
    generator = context.generator("data")
    if parameters.inputs == "digits":
        images = unit_digits()[0].to(context.device)
        return images[torch.randperm(len(images), generator=generator, device=context.device)[: parameters.batch]]
    n, angle = parameters.width, math.radians(parameters.input_angle)
    x = torch.randn((parameters.batch, n), generator=generator, device=context.device)
    first = x[0] / x[0].norm()
    other = x[1] - (x[1] @ first) * first
    other = other / other.norm()
    pair = torch.stack([first, math.cos(angle) * first + math.sin(angle) * other]) * math.sqrt(n)
    return torch.cat([pair, x[2:]])


def start_of(x: Tensor) -> Signal:
    """What theory has to know of a batch, shape (B, inputs)."""
    wide = x.to("cpu", torch.float64)
    overlaps = (wide @ wide.T) / x.shape[1]
    pair = 0.5 * (overlaps[0, 0] + overlaps[1, 1])
    batch_overlap = (overlaps.sum() - overlaps.trace()) / (len(x) * (len(x) - 1))
    return Signal(*(float(each) for each in (pair, overlaps[0, 1], batch_overlap, wide.mean())))


def step(state: State, parameters: Parameters, context: Context) -> State:
    """A few layers up; at the top a few layers down; at the bottom one update of the three networks."""
    depth = parameters.depth
    if len(state.signals) <= depth:
        for _ in range(min(layers_per_step(parameters, context), depth + 1 - len(state.signals))):
            state = up(state, context)
        return state
    if len(state.gradient_moments) <= depth:
        for _ in range(min(layers_per_step(parameters, context), depth + 1 - len(state.gradient_moments))):
            state = down(state, context)
        return state
    networks = state.comparison or comparison.start(state.design, parameters.depth, parameters.width, parameters.waist, context)
    return replace(state, comparison=comparison.update(networks, parameters.learning_rate, context))


@torch.no_grad()
def up(state: State, context: Context) -> State:
    """One layer forward."""
    context.checkpoint()
    layer = block(state, len(state.signals), context)
    x = state.signals[-1]
    z = layer.before(x)
    y = layer.after(x, z)
    return replace(
        state,
        blocks=(*state.blocks, layer) if sum(map(operator.mul, state.sizes, state.sizes[1:])) <= KEPT else (),
        signals=(*state.signals, y),
        readings=(*state.readings, reading(y, state.signals[0])),
        histograms=(*state.histograms, preactivation_histogram(z)),
    )


def down(state: State, context: Context) -> State:
    """One layer backward."""
    context.checkpoint()
    at = len(state.sizes) - len(state.gradient_moments)
    gradient = pull_back(block(state, at, context), state.signals[at - 1], state.gradient)
    moments = (*state.gradient_moments, widened(gradient).square().mean())
    return replace(state, blocks=state.blocks[: at - 1], gradient=gradient, gradient_moments=moments)


def block(state: State, layer: int, context: Context) -> Block:
    """The module of a layer, kept or made when it is needed: the same numbers every time."""
    if layer <= len(state.blocks):
        return state.blocks[layer - 1]
    return Block(state.design, state.sizes[layer - 1], state.sizes[layer], context.streams.fresh(f"layer {layer}"))


def layers_per_step(parameters: Parameters, context: Context) -> int:
    """Layers per step: about 60 ms of work."""
    per_weight, per_cube = SECONDS[context.device.type]
    n = parameters.width * max(1.0, parameters.waist)
    seconds = n * n * per_weight * (1 + parameters.batch / 128) + (per_cube * n**3 if parameters.rule == "orthogonal" else 0)
    return max(1, min(25, int(SECONDS_PER_STEP / seconds)))


def total(parameters: Parameters, context: Context) -> int:
    """Steps up after the first, which `init` takes; steps down; updates."""
    each_way = math.ceil(parameters.depth / layers_per_step(parameters, context))
    return 2 * each_way - 1 + (parameters.updates if parameters.training else 0)
