"""A deep tower of random layers: lengths, angles and gradients layer by layer, beside mean-field theory."""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.core.context import Context
from engine.core.errors import LabError
from engine.core.experiment import Experiment, Measure
from engine.core.frames import GAPS, Observation, unit
from engine.data.digits import unit_digits
from engine.labs.angles.propagation import race as racing
from engine.labs.angles.propagation.bow_tie import measured_round_trip, tie_table
from engine.labs.angles.propagation.claims import CLAIMS, claims, log_norm_walk
from engine.labs.angles.propagation.parameters import Parameters
from engine.labs.angles.propagation.race import FACTORS, Race
from engine.labs.angles.propagation.tower import (
    DTYPES,
    RIDGE_BINS,
    Block,
    Design,
    Theory,
    pull_back,
    reading,
    ridge,
    theory,
    widths,
)
from engine.math.networks.activations import ACTIVATIONS
from engine.math.networks.mean_field import Signal, edge_of_chaos, phase_map

PHASE_WEIGHTS = np.linspace(0.3, 3.0, 82)  # spreads σ_w of the phase map
PHASE_BIASES = np.linspace(0.0, 1.5, 61)  # spreads σ_b
EDGE_LENGTHS = np.logspace(-6, 3, 240)
KEPT = 64_000_000  # weights that a tower may hold on to; of a larger one each layer is made a second time on the way down
SECONDS_PER_STEP = 0.06  # of the slowest device this is meant for
SECONDS = {"cpu": (6e-9, 1.2e-10), "mps": (1e-9, 1e-11), "cuda": (1e-11, 1e-12)}  # per weight, per cube of the width (QR)


@dataclass(frozen=True, slots=True)
class Picture:
    """What the panel draws. Index 0 is the input, index l is behind layer l; not a number where nothing is known yet."""

    moment: np.ndarray = field(metadata=GAPS)  # (L + 1,): second moment of a coordinate over the input's
    theory_moment: np.ndarray = field(metadata=GAPS)
    theory_spread: np.ndarray = field(metadata=GAPS)  # (L + 1,): deviation of its logarithm between networks
    gradient: np.ndarray = field(metadata=GAPS)  # (L + 1,): squared gradient over that behind the last layer
    theory_gradient: np.ndarray = field(metadata=GAPS)
    angle: np.ndarray = field(metadata=GAPS | unit("rad"))  # (L + 1,): between the two marked inputs, radians
    theory_angle: np.ndarray = field(metadata=GAPS | unit("rad"))
    dead: np.ndarray = field(metadata=GAPS)  # (L + 1,): share of dead units
    ridge: np.ndarray  # (L, RIDGE_BINS): shares of pre-activations from -4 to 4
    phase: np.ndarray  # (biases, weights): ln χ₁ of the plain tower
    phase_weights: np.ndarray
    phase_biases: np.ndarray
    edge: np.ndarray  # (k, 2): spreads of bias and weight at the edge of chaos
    losses: np.ndarray = field(metadata=GAPS)  # (updates so far, 3)
    bow_tie: np.ndarray  # (rules, 6): as in the table
    overflow: int  # the first layer with a value that is not finite, 0 for none
    underflow: int  # the first layer at which everything is zero, 0 for none
    done: int  # layers so far, forward
    done_backward: int
    training: bool


@dataclass(frozen=True, slots=True)
class State:
    """A signal on its way up, then its gradient on the way down, then three networks that learn."""

    design: Design
    sizes: tuple[int, ...]
    start: Signal
    theory: Theory
    blocks: tuple[Block, ...]  # the layers that the gradient has before it, where they are kept
    signals: tuple[Tensor, ...]  # the input and every layer's output so far
    readings: tuple[Tensor, ...]
    ridges: tuple[Tensor, ...]
    gradient: Tensor
    gradient_moments: tuple[Tensor, ...]  # from the last layer down
    race: Race | None
    measured_tie: tuple[float, ...]


# ---- the algorithm -----------------------------------------------------------------------------------------------------


def design_of(parameters: Parameters) -> Design:
    """What a layer is made of."""
    alpha = parameters.alpha if parameters.residual else None
    names = ("activation", "rule", "variance_factor", "bias_std", "normalisation", "scaling", "dtype")
    return Design(alpha=alpha, **{name: getattr(parameters, name) for name in names})


def init(parameters: Parameters, context: Context) -> State:
    """The inputs and the first layers."""
    design = design_of(parameters)
    x = inputs_of(parameters, context)
    sizes = widths(parameters.depth, parameters.width, parameters.waist, x.shape[1])
    if parameters.residual and sizes[1] != parameters.width:
        raise LabError(
            "With a waist every layer changes the width, and a residual layer would have nothing to add its output to.",
            "Let waist be 1, or residual be false.",
        )
    wide = x.to("cpu", torch.float64)
    overlaps = (wide @ wide.T) / x.shape[1]
    crowd = (overlaps.sum() - overlaps.trace()) / (len(x) * (len(x) - 1))
    pair = 0.5 * (overlaps[0, 0] + overlaps[1, 1])
    start = Signal(*(float(each) for each in (pair, overlaps[0, 1], crowd, wide.mean())))
    x = x.to(DTYPES[parameters.dtype])
    last = torch.randn((len(x), sizes[-1]), generator=context.generator("gradient"), device=context.device).to(x.dtype)
    state = State(
        design=design,
        sizes=sizes,
        start=start,
        theory=theory(design, sizes, start, len(x)),
        blocks=(),
        signals=(x,),
        readings=(reading(x),),
        ridges=(),
        gradient=last,
        gradient_moments=(reading(last)[0],),
        race=None,
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


def block(state: State, layer: int, context: Context) -> Block:
    """The module of a layer, kept or made when it is needed: the same numbers every time."""
    if layer <= len(state.blocks):
        return state.blocks[layer - 1]
    generator = torch.Generator(device=context.device)
    generator.manual_seed(context.streams.child_seed(f"layer {layer}"))
    return Block(state.design, state.sizes[layer - 1], state.sizes[layer], generator)


def chunk(parameters: Parameters, context: Context) -> int:
    """Layers per step: about 60 ms of work."""
    per_weight, per_cube = SECONDS[context.device.type]
    n = parameters.width * max(1.0, parameters.waist)
    seconds = n * n * per_weight * (1 + parameters.batch / 128) + (per_cube * n**3 if parameters.rule == "orthogonal" else 0)
    return max(1, min(25, int(SECONDS_PER_STEP / seconds)))


def step(state: State, parameters: Parameters, context: Context) -> State:
    """A few layers up; at the top a few layers down; at the bottom one update of the three networks."""
    depth = parameters.depth
    if len(state.signals) <= depth:
        for _ in range(min(chunk(parameters, context), depth + 1 - len(state.signals))):
            state = up(state, context)
        return state
    if len(state.gradient_moments) <= depth:
        for _ in range(min(chunk(parameters, context), depth + 1 - len(state.gradient_moments))):
            state = down(state, context)
        return state
    race = state.race or racing.start(replace(state.design), parameters.depth, parameters.width, parameters.waist, context)
    return replace(state, race=racing.update(race, parameters.learning_rate, context))


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
        readings=(*state.readings, reading(y)),
        ridges=(*state.ridges, ridge(z)),
    )


def down(state: State, context: Context) -> State:
    """One layer backward."""
    context.checkpoint()
    at = len(state.sizes) - len(state.gradient_moments)
    gradient = pull_back(block(state, at, context), state.signals[at - 1], state.gradient)
    moments = (
        *state.gradient_moments,
        gradient.to(torch.float64 if gradient.device.type != "mps" else torch.float32).square().mean(),
    )
    return replace(state, blocks=state.blocks[: at - 1], gradient=gradient, gradient_moments=moments)


def total(parameters: Parameters, context: Context) -> int:
    """Steps up after the first, which `init` takes; steps down; updates."""
    each_way = math.ceil(parameters.depth / chunk(parameters, context))
    return 2 * each_way - 1 + (parameters.updates if parameters.training else 0)


# ---- what one sees -----------------------------------------------------------------------------------------------------


def observe(state: State, parameters: Parameters, context: Context) -> Observation:
    """Curves so far, theory, phase map, measures and claims."""
    depth = parameters.depth
    readings = np.full((depth + 1, 4), np.nan)
    readings[: len(state.readings)] = torch.stack(state.readings).cpu().numpy()  # device sync
    down = np.full(depth + 1, np.nan)
    down[depth + 1 - len(state.gradient_moments) :] = torch.stack(state.gradient_moments[::-1]).cpu().numpy()
    ridges = np.zeros((depth, RIDGE_BINS), dtype=np.float32)
    if state.ridges:
        ridges[: len(state.ridges)] = torch.stack(state.ridges).cpu().numpy()
    moment = finite(readings[:, 0] / readings[0, 0])
    gradient = finite(down / down[-1])
    done = len(state.readings) - 1
    broken = np.flatnonzero(~np.isfinite(readings[: done + 1, 0]))
    gone = np.flatnonzero(readings[: done + 1, 0] == 0)
    known = state.theory
    phase, edge = phase_of(parameters.activation)
    losses = torch.stack(state.race.losses).cpu().numpy() if state.race else np.empty((0, len(FACTORS)))
    picture = Picture(
        moment=moment,
        theory_moment=finite(known.moment / known.moment[0]),
        theory_spread=finite(known.spread),
        gradient=gradient,
        theory_gradient=finite(known.backward),
        angle=np.arccos(np.clip(readings[:, 1], -1, 1)),
        theory_angle=np.arccos(known.cosine),
        dead=np.where(np.isfinite(readings[:, 0]), readings[:, 2], np.nan),
        ridge=ridges,
        phase=phase,
        phase_weights=PHASE_WEIGHTS,
        phase_biases=PHASE_BIASES,
        edge=edge,
        losses=finite(losses.astype(float)),
        bow_tie=tie_table(parameters),
        overflow=int(broken[0]) if len(broken) else 0,
        underflow=int(gone[0]) if len(gone) else 0,
        done=done,
        done_backward=len(state.gradient_moments) - 1,
        training=parameters.training,
    )
    last_losses = losses[-1] if len(losses) else np.full(len(FACTORS), np.nan)
    measures = {
        "forward_gain": moment[done],
        "theory_forward_gain": picture.theory_moment[done],
        "backward_gain": gradient[0],
        "theory_backward_gain": picture.theory_gradient[0],
        "correlation_last": readings[done, 1],
        "theory_correlation_last": known.cosine[done],
        "log_norm": readings[done, 3] - readings[0, 3] - math.log(state.sizes[done] / state.sizes[0]),
        "theory_log_norm": log_norm_walk(parameters, state, done)[0],
        "dead_fraction": readings[done, 2],
        "overflow_layer": picture.overflow,
        "underflow_layer": picture.underflow,
        **{f"loss_{name}": value for name, value in zip(("half", "chosen", "twice"), last_losses, strict=True)},
    }
    measures = {name: float(value) if np.isfinite(value) else math.nan for name, value in measures.items()}
    tables: dict[str, list[Any]] = {"bow_tie": picture.bow_tie.tolist(), "bow_tie_measured": list(state.measured_tie)}
    return Observation(picture, measures, claims(measures, state, parameters, done), tables)


def finite(values: np.ndarray) -> np.ndarray:
    """The values, with a gap where a number ran over."""
    return np.where(np.isfinite(values), values, np.nan)


@lru_cache(maxsize=32)
def phase_of(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Phase map and edge of chaos of an activation; of a homogeneous one the edge is a straight line."""
    activation = ACTIVATIONS[name]
    phase = phase_map(activation, PHASE_WEIGHTS**2, PHASE_BIASES**2)
    bias, weight = edge_of_chaos(activation, EDGE_LENGTHS)
    edge = np.column_stack([bias, weight])
    if activation.homogeneous:
        edge = np.column_stack([PHASE_BIASES[[0, -1]], np.full(2, weight[0])])
    return phase.astype(np.float32), edge


MEASURES = (
    Measure("forward_gain", "Second moment of the output over that of the input", optional=True),
    Measure("theory_forward_gain", "The same by mean-field theory", optional=True),
    Measure("backward_gain", "Squared gradient at the input over that at the output", optional=True),
    Measure("theory_backward_gain", "The same by mean-field theory, backward", optional=True),
    Measure("correlation_last", "Cosine of the two followed inputs at the last layer", optional=True),
    Measure("theory_correlation_last", "The cosine by mean-field theory", optional=True),
    Measure("log_norm", "Logarithm of the growth of a squared length", optional=True),
    Measure("theory_log_norm", "Its mean by theory, drift included", optional=True),
    Measure("dead_fraction", "Share of dead units at the last layer", optional=True),
    Measure("overflow_layer", "First layer that overflows, 0 for none"),
    Measure("underflow_layer", "First layer that is zero, 0 for none"),
    Measure("loss_half", "Loss with half the variance", optional=True),
    Measure("loss_chosen", "Loss with the chosen variance", optional=True),
    Measure("loss_twice", "Loss with twice the variance", optional=True),
)

EXPERIMENT = Experiment(
    parameters=Parameters,
    init=init,
    step=step,
    observe=observe,
    measures=MEASURES,
    claims=CLAIMS,
    total=total,
    pacing="latest",
    history=True,
    memory=("width", "depth", "batch"),
)
