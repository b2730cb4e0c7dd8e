"""What an activation does to the size of a Gaussian signal, and the gain that undoes it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engine.core.claims import Claim, ClaimSpec, Finding, check_all
from engine.core.context import Context
from engine.core.device import Budget
from engine.core.experiment import Experiment, Measure
from engine.core.frames import Observation
from engine.core.messages import Message
from engine.labs.angles.activation_gain.integrals import (
    Exact,
    chart,
    closed_form,
    exact,
    from_formula,
    iterated_lengths,
    output_law,
    shown_values,
)
from engine.labs.angles.activation_gain.parameters import Parameters
from engine.labs.angles.activation_gain.picture import Picture
from engine.math.networks.activations import ACTIVATION_LABELS, ACTIVATIONS, Activation
from engine.math.numerics.precision import wide_dtype
from engine.math.numerics.statistics import standard_error_of_mean, tolerance

CURVE_POINTS = 801
SHOWN = 4.0  # standard deviations of the input in the picture
SAMPLES_PER_STEP = Budget(cpu=1 << 18, cuda=1 << 24, mps=1 << 22)
FEWEST_EVENTS = 30  # samples that carry the mean square, below which its error is far from Gaussian
SETTLED = 1e-11  # relative error of an integral that is right to all digits that a claim asks for


@dataclass(frozen=True, slots=True)
class State:
    """What the samples say so far."""

    counts: Tensor  # (bins,)
    sums: Tensor  # (2,): of f and f²
    drawn: int


# ---- the activation ----------------------------------------------------------------------------------------------------


def activation_of(parameters: Parameters, context: Context) -> Activation:
    """The chosen activation, or the one that the formula describes."""
    if parameters.activation == "formula":
        return context.once(from_formula, parameters.formula, parameters.input_std)
    return ACTIVATIONS[parameters.activation]


# ---- sampling ----------------------------------------------------------------------------------------------------------


def init(parameters: Parameters, context: Context) -> State:
    """The first chunk of samples."""
    context.once(exact, activation_of(parameters, context), parameters.input_std, parameters.layers)
    counts = torch.zeros(parameters.bins, dtype=torch.int64, device=context.device)
    return step(State(counts, torch.zeros(2, dtype=wide_dtype(context.device), device=context.device), 0), parameters, context)


def step(state: State, parameters: Parameters, context: Context) -> State:
    """Draw more inputs and add their outputs."""
    activation = activation_of(parameters, context)
    count = min(SAMPLES_PER_STEP.on(context.device), parameters.samples - state.drawn)
    noise = torch.randn(count, generator=context.generator("noise"), device=context.device)
    outputs = activation.torch(parameters.input_std * noise)
    edges, _, _ = context.once(output_law, activation, parameters.input_std, parameters.bins)
    low, width = float(edges[0]), float(edges[1] - edges[0])
    place = ((outputs - low) / width).floor().clamp(-1, parameters.bins).to(torch.int64) + 1
    counts = torch.bincount(place, minlength=parameters.bins + 2)[1:-1]
    wide = outputs.to(state.sums.dtype)
    return State(state.counts + counts, state.sums + torch.stack([wide.sum(), wide @ wide]), state.drawn + count)


def total(parameters: Parameters, context: Context) -> int:
    """Steps after the first chunk, which `init` draws."""
    return math.ceil(parameters.samples / SAMPLES_PER_STEP.on(context.device)) - 1


# ---- what one sees -----------------------------------------------------------------------------------------------------


def observe(state: State, parameters: Parameters, context: Context) -> Observation:
    """Curves, histogram, gains, measures and claims."""
    activation, deviation = activation_of(parameters, context), parameters.input_std
    known = context.once(exact, activation, deviation, parameters.layers)
    framework = math.nan if activation.framework_gain is None else activation.framework_gain
    x = np.linspace(-SHOWN, SHOWN, CURVE_POINTS) * deviation
    values, density = (
        shown_values(activation, x, deviation),
        np.exp(-0.5 * (x / deviation) ** 2) / (math.sqrt(2 * math.pi) * deviation),
    )
    edges, law, atoms = context.once(output_law, activation, deviation, parameters.bins)
    lengths = np.empty((0, parameters.layers + 1))
    if not math.isnan(framework):
        lengths = context.once(iterated_lengths, activation, deviation**2, framework**2, parameters.layers)
    own_gains, framework_gains = context.once(chart, deviation)
    names = list(ACTIVATIONS)
    picture = Picture(
        x=x,
        values=values,
        density=density,
        square=values**2 * density,
        edges=edges,
        measured=state.counts.cpu().numpy() / state.drawn / np.diff(edges),  # device sync
        law=law,
        atoms=atoms,
        gains=own_gains,
        framework_gains=framework_gains,
        lengths=known.lengths,
        framework_lengths=lengths,
        labels=tuple(ACTIVATION_LABELS[name] for name in names),
        chosen=names.index(activation.name) if activation.name in names else -1,
        second_moment=known.second,
        gain=known.gain,
        framework_gain=framework,
        latex=activation.latex,
    )
    sampled_mean, sampled_second = (state.sums / state.drawn).tolist()
    measures = {
        "second_moment": known.second,
        "mean": known.mean,
        "gain": known.gain,
        "framework_gain": framework,
        "sampled_second_moment": sampled_second,
        "sampled_mean": sampled_mean,
        "gradient_factor": known.chi,
        "length_slope": known.slope,
        "drawn": state.drawn,
    }
    return Observation(picture, measures, check_claims(known, measures, activation, deviation**2))


def check_claims(known: Exact, measures: dict[str, float], activation: Activation, q: float) -> tuple[Claim, ...]:
    """Samples against integrals, integrals against closed forms, and two statements on gains."""
    count = int(measures["drawn"])
    rounding = 1e-6 * known.second  # samples are float32
    formula = closed_form(activation, q)
    independent = formula if math.isfinite(formula) else known.finer
    after = measures["framework_gain"] ** 2 * known.second / q
    about = activation.name in ("selu", "linear", "formula")
    away = abs(known.mean) + abs(known.second - 1)
    heavy = None if math.isfinite(known.fourth) else HEAVY
    rare = RARE if count * known.second**2 < FEWEST_EVENTS * known.fourth else None  # never so where it is not a number
    coarse = None if known.error < SETTLED else COARSE
    return check_all(
        CLAIMS,
        {
            "second_moment": Finding(
                known.second,
                measures["sampled_second_moment"],
                tolerance(standard_error_of_mean(max(0.0, known.fourth - known.second**2), count)) + rounding,
                enough=heavy is None and rare is None,
                remark=heavy or rare,
            ),
            "mean": Finding(
                known.mean,
                measures["sampled_mean"],
                tolerance(standard_error_of_mean(max(0.0, known.second - known.mean**2), count)) + rounding**0.5 * 1e-3,
                enough=rare is None,
                remark=rare,
            ),
            "closed_form": Finding(independent, known.second, 1e-11 * known.second, enough=coarse is None, remark=coarse),
            "framework": Finding(1.0, after, 1e-6, remark=None if math.isfinite(after) else UNKNOWN),
            "self_normalising": Finding(0.0, away, 1e-9, enough=about, remark=None if about else NOT_MADE),
        },
    )


HEAVY = Message("The mean fourth power is infinite, so that samples do not settle.")
RARE = Message("The output is carried by inputs too rare for so few samples.")
COARSE = Message("The integral is not resolved to all digits: the function varies too fast.")
UNKNOWN = Message("It has none for this activation.")
NOT_MADE = Message("Only SELU is made for it.")

MEASURES = (
    Measure("second_moment", "Second moment of the output"),
    Measure("mean", "Mean of the output"),
    Measure("gain", "Gain that keeps the second moment"),
    Measure("framework_gain", "Gain of torch.nn.init", optional=True),
    Measure("sampled_second_moment", "Second moment of the samples"),
    Measure("sampled_mean", "Mean of the samples"),
    Measure("gradient_factor", "Factor of squared gradients per layer", optional=True),
    Measure("length_slope", "Factor of deviations of the length per layer", optional=True),
    Measure("drawn", "Samples drawn"),
)

CLAIMS = (
    ClaimSpec("second_moment", "Samples have the second moment of the integral.", r"\mathbb{E}f(x)^2"),
    ClaimSpec("mean", "Samples have the mean of the integral.", r"\mathbb{E}f(x)"),
    ClaimSpec("closed_form", "The integral is its closed form, or that of a finer rule.", r"\mathbb{E}f(x)^2"),
    ClaimSpec("framework", "The framework's gain restores the second moment.", r"g^2\,\mathbb{E}f(x)^2/q=1"),
    ClaimSpec(
        "self_normalising", "Mean 0 and second moment 1 come out without any gain.", r"|\mathbb{E}f|+|\mathbb{E}f^2-1|=0"
    ),
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
    memory=("samples",),
)
