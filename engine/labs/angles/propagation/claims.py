"""The claims of `propagation`: the tower beside its theory, with what its width leaves to chance."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace

from engine.core.claims import Claim, ClaimSpec, Finding, check_all
from engine.core.messages import Message
from engine.labs.angles.propagation.bow_tie import round_trip_tolerance
from engine.labs.angles.propagation.parameters import Parameters
from engine.labs.angles.propagation.state import State
from engine.math.networks.activations import ACTIVATIONS
from engine.math.networks.fan_rules import RULES
from engine.math.networks.mean_field import moments
from engine.math.networks.norm_walk import log_norm_drift, log_norm_variance, rectified_drift, rectified_variance
from engine.math.numerics.statistics import tolerance

FEWEST_UNITS = 64  # of a layer; chance in a narrower one is far from Gaussian
SKEWEST = 9.0  # times 1/width: third cumulant over variance of what one layer does to the logarithm of a length

CLAIMS = (
    ClaimSpec(
        "forward",
        "The logarithm of lengths grows per layer as mean-field theory says.",
        r"q_{l+1}=\sigma_w^2\,\mathbb{E}f(\sqrt{q_l}z)^2+\sigma_b^2",
    ),
    ClaimSpec(
        "backward",
        "So does that of gradients, layer by layer on the way back.",
        r"g_l=\sigma_w^2\,\mathbb{E}f'(\sqrt{q_l}z)^2\,g_{l+1}",
    ),
    ClaimSpec(
        "correlation",
        "The angle between two inputs follows the correlation map.",
        r"c_{l+1}=\left(\sigma_w^2\,\mathbb{E}f(u)f(v)+\sigma_b^2\right)/q_{l+1}",
    ),
    ClaimSpec(
        "log_norm",
        "A typical length falls behind the mean, per layer by the order of one over width.",
        r"\mathbb{E}\ln\frac{\chi_n^2}{n}=\psi\!\left(\frac n2\right)+\ln\frac2n",
    ),
    ClaimSpec(
        "kept_input",
        "An output keeps of its input what the way around the layers lets through.",
        r"\cos(x_L,x_0)=\sqrt{p_0/p_L}\,\prod_l s_l^{-1}",
    ),
    ClaimSpec(
        "round_trip", "The geometric rule makes a way there and back neutral.", r"\frac{m}{\sqrt{mn}}\cdot\frac{n}{\sqrt{nm}}=1"
    ),
)


NARROW = Message("A layer of fewer than {least} units leaves too much to chance to tell.", {"least": FEWEST_UNITS})
OVER = Message("The number format ends before the tower does.")
BEYOND = Message("Theory leaves the range of numbers before the tower ends.")
TURNING = Message("The gradient turns along the signal here, which this theory leaves out.")
TOO_DEEP = Message("In a tower this deep for its width chance turns the pair too far to tell.")
BATCHED = Message("Batch normalisation keeps the mean over the examples, not the length of one.")
REPLACED = Message("Only residual layers of one width keep a part of the input that can be seen.")


def log_norm_walk(parameters: Parameters, state: State, layer: int) -> tuple[float, float]:
    """Mean and deviation of the logarithm of a length: exact for linear maps and rectifiers, else to first order in 1/width."""
    growth = log(float(state.theory.moment[layer]) / float(state.theory.moment[0]))
    plain = parameters.bias_std == 0 and not parameters.residual and parameters.normalisation == "none"
    steps = {"linear": (log_norm_drift, log_norm_variance), "relu": (rectified_drift, rectified_variance)}
    if plain and parameters.rule != "orthogonal" and parameters.activation in steps:
        counts = Counter(state.sizes[1 : layer + 1])
        drift, variance = (sum(count * each(units) for units, count in counts.items()) for each in steps[parameters.activation])
        return growth + drift, math.sqrt(variance)
    spread = float(state.theory.spread[layer])
    return growth - 0.5 * spread * spread, spread


def check_claims(measures: dict[str, float], state: State, parameters: Parameters, turning: float) -> tuple[Claim, ...]:
    """The tower beside its theory, with what its width leaves to chance. Growth is a logarithm per layer.

    Parameters
    ----------
    measures, state, parameters
        What was found.
    turning
        Standard deviation of the last cosine between networks; not a number before the last layer.
    """
    done = len(state.readings) - 1
    full = done == parameters.depth
    narrowest = min(state.sizes[1:])
    obstacle = common_obstacle(measures, state) if full else None
    tie = round_trip_tolerance(parameters)
    tied = state.measured_tie[RULES.index("geometric")]
    findings = {
        "forward": forward(measures, state, parameters, done),
        "backward": backward(measures, state, parameters, done),
        "correlation": correlation(measures, state, parameters, turning, narrowest),
        "log_norm": typical(measures, state, parameters, done),
        "kept_input": kept(measures, state, parameters, done),
    }
    if obstacle or not full:
        findings = {name: replace(found, enough=False, remark=obstacle) for name, found in findings.items()}
    return check_all(CLAIMS, {**findings, "round_trip": Finding(1.0, tied, tie, enough=tie < 2)})


def common_obstacle(measures: dict[str, float], state: State) -> Message | None:
    """What keeps every statement about the whole tower from being judged."""
    if measures["overflow_layer"] + measures["underflow_layer"]:
        return OVER
    if math.isnan(state.theory.moment[-1]):
        return BEYOND
    return NARROW if min(state.sizes[1:]) < FEWEST_UNITS else None


def forward(measures: dict[str, float], state: State, parameters: Parameters, done: int) -> Finding:
    """Growth of second moments per layer."""
    spread, width = float(state.theory.spread[done]), min(state.sizes[1:])
    numbers = log(measures["theory_forward_gain"]), log(measures["forward_gain"])
    return Finding(
        *per_layer(done, *numbers, allowed(spread, rounding(parameters, done) + few(parameters, state, done), width))
    )


def backward(measures: dict[str, float], state: State, parameters: Parameters, done: int) -> Finding:
    """Growth of squared gradients per layer."""
    slack = allowed(
        state.theory.backward_spread, rounding(parameters, done) + few(parameters, state, done), min(state.sizes[1:]) / done
    )
    numbers = log(measures["theory_backward_gain"]), log(measures["backward_gain"])
    mean = moments(ACTIVATIONS[parameters.activation]).mean
    aligned = parameters.residual and parameters.normalisation == "none" and abs(mean) > 0.01
    back = len(state.gradient_moments) > parameters.depth
    return Finding(*per_layer(done, *numbers, slack), enough=back and not aligned, remark=TURNING if aligned else None)


def correlation(measures: dict[str, float], state: State, parameters: Parameters, turning: float, width: int) -> Finding:
    """The last cosine of the pair; where lengths fluctuate, angles do with them."""
    turn = tolerance(turning) + ((4 + 0.4 * parameters.depth) / width if turning else 1e-4)
    steady = float(state.theory.spread[-1]) < 0.3 or ACTIVATIONS[parameters.activation].homogeneous
    decidable = turn < 0.8 and steady
    return Finding(
        measures["theory_correlation_last"],
        measures["correlation_last"],
        min(turn, 2.0),
        enough=decidable,
        remark=None if decidable else TOO_DEEP,
    )


def typical(measures: dict[str, float], state: State, parameters: Parameters, done: int) -> Finding:
    """How far the typical length falls behind the mean, per layer."""
    walk, spread = log_norm_walk(parameters, state, done)
    mean = log(measures["theory_forward_gain"])
    batched = parameters.normalisation == "batch"
    numbers = walk - mean, measures["log_norm"] - mean
    slack = allowed(spread, rounding(parameters, done), min(state.sizes[1:]))
    return Finding(*per_layer(done, *numbers, slack), enough=not batched, remark=BATCHED if batched else None)


def kept(measures: dict[str, float], state: State, parameters: Parameters, done: int) -> Finding:
    """What the way around the layers leaves of the input."""
    expected = measures["theory_kept_input"]
    visible = math.isfinite(expected)
    slack = tolerance(state.theory.kept_spread) + 2 * expected * done / min(state.sizes[1:]) + rounding(parameters, done)
    return Finding(expected, measures["kept_input"], slack, enough=visible, remark=None if visible else REPLACED)


def rounding(parameters: Parameters, done: int) -> float:
    """What the number format may add to a logarithm."""
    return done * (1e-5 + {"float32": 0.0, "bfloat16": 2.0**-8, "float16": 2.0**-11}[parameters.dtype])


def few(parameters: Parameters, state: State, done: int) -> float:
    """What finitely many examples change: their mean length at the start, and their statistics in batch normalisation."""
    start = tolerance(math.sqrt(2 / (state.sizes[0] * parameters.batch)))
    return start + (4 * done / parameters.batch if parameters.normalisation == "batch" else 0.0)


def allowed(spread: float, rounding: float, width: float) -> float:
    """How far a logarithm of this deviation may be off: by chance, by a mean that is not the typical value, by 1/width.

    Logarithms of lengths are skew: by -3 √v for a variance v = 3 / width in one layer behind a rectifier of fixed length, by
    -1.3 √v for v = 5 / width behind a free one (measured over 400,000 layers). To first order (Cornish and Fisher) that moves
    the quantile z of a sum of them by (z² - 1) / 6 times the third cumulant over the variance, at most 9 / width.
    """
    z = tolerance(1.0)
    skew = (z * z - 1) / 6 * min(3 * spread * spread, SKEWEST / width)
    return z * spread + 0.5 * spread * spread + skew + min(spread, 2 / width) + rounding


def per_layer(layers: int, expected: float, measured: float, tolerance: float) -> tuple[float, float, float]:
    """The numbers over the number of layers; rounding error and the sign of zero are gone."""
    one, other, most = (round(number / layers, 12) + 0.0 for number in (expected, measured, tolerance))
    return one, other, most


def log(value: float) -> float:
    """The natural logarithm, not a number where there is none."""
    return math.log(value) if 0 < value < math.inf else math.nan
