"""A deep tower of random layers: lengths, angles and gradients layer by layer, beside mean-field theory."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch

from engine.core.context import Context
from engine.core.experiment import Experiment, Measure, with_theory
from engine.core.frames import Observation
from engine.labs.angles.propagation.bow_tie import tie_table
from engine.labs.angles.propagation.claims import CLAIMS, check_claims, log_norm_walk
from engine.labs.angles.propagation.comparison import FACTORS
from engine.labs.angles.propagation.parameters import Parameters
from engine.labs.angles.propagation.picture import Picture
from engine.labs.angles.propagation.state import State, init, step, total
from engine.labs.angles.propagation.tower import HISTOGRAM_BINS, HISTOGRAM_REACH
from engine.math.networks.activations import ACTIVATIONS
from engine.math.networks.fluctuations import cosine_spread
from engine.math.networks.mean_field import edge_of_chaos, phase_map

PHASE_WEIGHTS = np.linspace(0.3, 3.0, 82)  # spreads σ_w of the phase map
PHASE_BIASES = np.linspace(0.0, 1.5, 61)  # spreads σ_b
EDGE_LENGTHS = np.logspace(-6, 3, 240)


def observe(state: State, parameters: Parameters, context: Context) -> Observation[Picture]:
    """Curves so far, theory, phase map, measures and claims."""
    depth, known = parameters.depth, state.theory
    readings = np.full((depth + 1, 5), np.nan)
    readings[: len(state.readings)] = torch.stack(state.readings).cpu().numpy()  # device sync
    down = np.full(depth + 1, np.nan)
    down[depth + 1 - len(state.gradient_moments) :] = torch.stack(state.gradient_moments[::-1]).cpu().numpy()
    histograms = np.zeros((depth, HISTOGRAM_BINS), dtype=np.float32)
    if state.histograms:
        histograms[: len(state.histograms)] = torch.stack(state.histograms).cpu().numpy()
    done = len(state.readings) - 1
    phase, edge = context.once(phase_of, parameters.activation)
    losses = torch.stack(state.comparison.losses).cpu().numpy() if state.comparison else np.empty((0, len(FACTORS)))
    picture = Picture(
        moment=finite(readings[:, 0] / readings[0, 0]),
        theory_moment=finite(known.moment / known.moment[0]),
        theory_spread=finite(known.spread),
        gradient=finite(down / down[-1]),
        theory_gradient=finite(known.backward),
        angle=np.arccos(np.clip(readings[:, 1], -1, 1)),
        theory_angle=np.arccos(known.cosine),
        turned=np.arccos(np.clip(readings[:, 4], -1, 1)) if parameters.residual else np.full(depth + 1, np.nan),
        theory_turned=np.arccos(np.clip(known.kept, -1, 1)),
        dead=np.where(np.isfinite(readings[:, 0]), readings[:, 2], np.nan),
        preactivations=histograms,
        reach=HISTOGRAM_REACH,
        phase=phase,
        phase_weights=PHASE_WEIGHTS,
        phase_biases=PHASE_BIASES,
        edge=edge,
        losses=finite(losses.astype(float)),
        bow_tie=tie_table(parameters),
        overflow=first(~np.isfinite(readings[: done + 1, 0])),
        underflow=first(readings[: done + 1, 0] == 0),
        done=done,
        training=parameters.training,
    )
    last_losses = losses[-1] if len(losses) else np.full(len(FACTORS), np.nan)
    measures = {
        "forward_gain": picture.moment[done],
        "theory_forward_gain": picture.theory_moment[done],
        "backward_gain": picture.gradient[0],
        "theory_backward_gain": picture.theory_gradient[0],
        "correlation_last": readings[done, 1],
        "theory_correlation_last": known.cosine[done],
        "log_norm": readings[done, 3] - readings[0, 3] - math.log(state.sizes[done] / state.sizes[0]),
        "theory_log_norm": log_norm_walk(parameters, state, done)[0],
        "kept_input": readings[done, 4] if parameters.residual else math.nan,
        "theory_kept_input": known.kept[done],
        "dead_fraction": readings[done, 2],
        "overflow_layer": picture.overflow,
        "underflow_layer": picture.underflow,
        **{f"loss_{name}": value for name, value in zip(("half", "chosen", "twice"), last_losses, strict=True)},
    }
    measures = {name: float(value) if np.isfinite(value) else math.nan for name, value in measures.items()}
    turning = math.nan
    if done == depth:
        layers, isometric = state.design.layers(state.sizes), state.design.isometric
        turning = context.once(cosine_spread, layers, state.sizes, state.start, known.passages, isometric)
    tables: dict[str, list[Any]] = {"bow_tie": picture.bow_tie.tolist(), "bow_tie_measured": list(state.measured_tie)}
    return Observation(picture, measures, check_claims(measures, state, parameters, turning), tables)


def finite(values: np.ndarray) -> np.ndarray:
    """The values, with a gap where a number ran over."""
    return np.where(np.isfinite(values), values, np.nan)


def first(marks: np.ndarray) -> int:
    """The first layer that is marked, 0 for none."""
    return int(np.argmax(marks))


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
    *with_theory("forward_gain", "Second moment of the output over that of the input", optional=True),
    *with_theory("backward_gain", "Squared gradient at the input over that at the output", optional=True),
    *with_theory("correlation_last", "Cosine of the two followed inputs at the last layer", optional=True),
    *with_theory("log_norm", "Logarithm of the growth of a squared length", optional=True),
    *with_theory("kept_input", "Cosine of an output and its input", optional=True),
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
