"""The claims of `propagation`: the tower beside its theory, with what its width leaves to chance."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

from engine.core.claims import Claim, ClaimSpec
from engine.core.messages import Message
from engine.labs.angles.propagation.bow_tie import round_trip_tolerance
from engine.labs.angles.propagation.parameters import Parameters
from engine.labs.angles.propagation.tower import cosine_spread
from engine.math.networks.activations import ACTIVATIONS
from engine.math.networks.mean_field import RULES, moments
from engine.math.networks.norm_walk import log_norm_drift, log_norm_spread, rectified_drift, rectified_spread
from engine.math.numerics.statistics import tolerance

if TYPE_CHECKING:
    from engine.labs.angles.propagation.experiment import State

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
        "round_trip", "The geometric rule makes a way there and back neutral.", r"\frac{m}{\sqrt{mn}}\cdot\frac{n}{\sqrt{nm}}=1"
    ),
)


def log_norm_walk(parameters: Parameters, state: State, layer: int) -> tuple[float, float]:
    """Mean and deviation of the logarithm of a length: exact for linear maps and rectifiers, else to first order in 1/width."""
    growth = math.log(state.theory.moment[layer] / state.theory.moment[0]) if state.theory.moment[layer] > 0 else math.nan
    plain = parameters.bias_std == 0 and not parameters.residual and parameters.normalisation == "none"
    steps = {"linear": (log_norm_drift, log_norm_spread), "relu": (rectified_drift, rectified_spread)}
    if plain and parameters.rule != "orthogonal" and parameters.activation in steps:
        counts = Counter(state.sizes[1 : layer + 1])
        drift, variance = (sum(count * each(units) for units, count in counts.items()) for each in steps[parameters.activation])
        return growth + drift, math.sqrt(variance)
    spread = float(state.theory.spread[layer])
    return growth - 0.5 * spread**2, spread


def claims(measures: dict[str, float], state: State, parameters: Parameters, done: int) -> tuple[Claim, ...]:
    """The tower beside its theory, with what its width leaves to chance. Growth is a logarithm per layer."""
    full = done == parameters.depth
    back = full and len(state.gradient_moments) > parameters.depth
    narrowest = min(state.sizes[1:])
    spread, behind = float(state.theory.spread[done]), state.theory.backward_spread
    rounding = 1e-5 * done
    if parameters.dtype != "float32":
        rounding += done * 2.0 ** (-8 if parameters.dtype == "bfloat16" else -11)
    batched = parameters.normalisation == "batch"
    few = 4 * done / parameters.batch if batched else 0.0  # theory takes infinitely many examples
    walk, walk_spread = log_norm_walk(parameters, state, done)
    cosine = measures["theory_correlation_last"]
    turn = math.inf
    if full and math.isfinite(cosine):
        stray = cosine_spread(state.design, state.sizes, state.start)
        turn = tolerance(stray) + ((4 + 0.4 * done) / narrowest if stray else 1e-4)
    settled = spread < 0.3 or ACTIVATIONS[parameters.activation].homogeneous  # else lengths stray, and angles with them
    told = turn < 0.8 and settled
    aligned = (
        parameters.residual and parameters.normalisation == "none" and moments(ACTIVATIONS[parameters.activation]).mean > 0.01
    )
    turning = Message("The gradient turns along the signal here, which this theory leaves out." if aligned else "")
    ended = Message(
        "The number format ends before the tower does." if measures["overflow_layer"] + measures["underflow_layer"] else ""
    )
    tossed = Message("In a tower this deep for its width chance turns the pair too far to tell." if full and not told else "")
    lonely = Message("Batch normalisation keeps the mean over the examples, not the length of one." if batched else "")
    tie = round_trip_tolerance(parameters)
    growth = {way: (log(measures[f"theory_{way}_gain"]), log(measures[f"{way}_gain"])) for way in ("forward", "backward")}
    mean = growth["forward"][0]
    drift = (walk - mean, measures["log_norm"] - mean)
    return (
        CLAIMS[0].check(
            *per_layer(done, *growth["forward"], allowed(spread, rounding + few, narrowest)), enough=full, remark=ended
        ),
        CLAIMS[1].check(
            *per_layer(done, *growth["backward"], allowed(behind, rounding + few, narrowest / done)),
            enough=back and not aligned,
            remark=turning or ended,
        ),
        CLAIMS[2].check(cosine, measures["correlation_last"], min(turn, 2.0), enough=told, remark=ended or tossed),
        CLAIMS[3].check(
            *per_layer(done, *drift, allowed(walk_spread, rounding, narrowest)),
            enough=full and not batched,
            remark=ended or lonely,
        ),
        CLAIMS[4].check(1.0, state.measured_tie[RULES.index("geometric")], tie, enough=tie < 2),
    )


def allowed(spread: float, rounding: float, width: float) -> float:
    """How far a logarithm of this deviation may be off: by chance, by a mean that is not the typical value, by 1/width."""
    return tolerance(spread) + 0.5 * spread**2 + min(spread, 2 / width) + rounding


def per_layer(layers: int, *numbers: float) -> tuple[float, ...]:
    """The numbers over the number of layers; rounding error and the sign of zero are gone."""
    return tuple(round(number / layers, 12) + 0.0 for number in numbers)


def log(value: float) -> float:
    """The natural logarithm, not a number where there is none."""
    return math.log(value) if value > 0 else math.nan
