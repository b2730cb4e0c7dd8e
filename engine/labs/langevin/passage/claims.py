"""What `passage` measures and claims."""

from __future__ import annotations

import math
from collections.abc import Mapping

from engine.core.claims import Claim, ClaimSpec
from engine.core.experiment import Measure
from engine.core.messages import Message
from engine.math.chains.passage_chain import discretisation_bias
from engine.math.numerics.statistics import ks_critical, standard_error_of_proportion, tolerance

ENOUGH_CROSSINGS = 100
ENOUGH_LATE = 100  # crossings in the second half of the time so far, which tell about the particles that are left
FEW_LEFT = 0.05  # share still on the way that no longer matters
SMALL_STEP = 0.05  # aε up to which the bound of the discretisation error is known
HIGH_BARRIER = 3.0  # a/T from which Laplace's method with its first correction is good
SECOND_ORDER = 0.8  # at most, times (T/a)²: what is left of Laplace's method; measured on 3 <= a/T <= 24
TABLE_ERROR = 2e-4  # of the survival between the numbers of steps where it is exact

MEASURES = (
    Measure("mean_passage_time", "Mean passage time", optional=True),
    Measure("exact_passage_time", "Mean passage time by the double integral"),
    Measure("kramers_time", "Mean passage time by Kramers' law"),
    Measure("chain_passage_time", "Mean passage time of this chain by its own equation", optional=True),
    Measure("shifted_passage_time", "Mean passage time to a target 0.58 √(εT) farther away"),
    Measure("standard_error", "Standard error of the mean passage time", optional=True),
    Measure("mean_passage_steps", "Mean passage time in steps", unit="steps", optional=True),
    Measure("exact_passage_steps", "Mean passage time by the double integral in steps", unit="steps"),
    Measure("crossed", "Particles that have crossed"),
    Measure("crossed_fraction", "Share that has crossed"),
    Measure("survivors", "Particles still on the way"),
    Measure("time", "Time so far"),
    Measure("steps", "Steps so far", unit="steps"),
    Measure("late_rate", "Crossings per particle and time, late", optional=True),
    Measure("exact_late_rate", "Smallest eigenvalue"),
    Measure("relaxation_time", "Time in which the wells become equally full"),
    Measure("right_share", "Share of the tracers in the right half"),
    Measure("exact_right_share", "Exact share in the right half"),
    Measure("budget_fraction", "Share that crosses within K steps", optional=True),
    Measure("exact_budget_fraction", "Share that crosses within K steps by the chain's law"),
    Measure("buffer_fraction", "Share that crosses in the life of a buffer entry", optional=True),
    Measure("exact_buffer_fraction", "Share that crosses in the life of a buffer entry by the chain's law"),
    Measure("ks_distance", "Kolmogorov-Smirnov distance to the chain's law", optional=True),
)

CLAIMS = (
    ClaimSpec(
        "mean_passage_time",
        "The mean passage time is the double integral, up to a bias of order ε.",
        r"\tau=\frac2T\int_{-1}^{1}e^{U(y)/T}\int_{-\infty}^{y}e^{-U(z)/T}\,dz\,dy",
    ),
    ClaimSpec(
        "chain_passage_time",
        "The mean of this very chain solves a linear equation with its transition density.",
        r"m(x)=1+\int p_{\varepsilon}(x,y)\,m(y)\,dy",
    ),
    ClaimSpec(
        "kramers_ratio",
        "Kramers' law, with the next term of Laplace's method.",
        r"\tau\approx\frac{\pi}{\sqrt2\,a}\,e^{a/T}\left(1+\frac{3T}{8a}\right)",
    ),
    ClaimSpec(
        "late_rate",
        "Late crossings come at a constant rate, the smallest eigenvalue: the tail is exponential.",
        r"P(t<\tau)\sim c_1e^{-\lambda_1t}",
    ),
    ClaimSpec("ks_distance", "All passage times follow the law of the chain.", r"\sup_n\left|F_N(n)-F(n)\right|"),
    ClaimSpec(
        "budget_fraction",
        "So few chains of K steps change wells.",
        r"P(N\le K)=1-\int p_{\varepsilon}^{K}(-1,y)\,dy",
    ),
    ClaimSpec(
        "buffer_fraction",
        "A buffer whose entries restart with probability p after each round lets many more cross.",
        r"1-\sum_{g\ge1}p(1-p)^{g-1}P(N>gK)",
    ),
    ClaimSpec(
        "right_share",
        "The right half holds half of those that have reached the top: the reflection principle.",
        r"P(X_t>0)=\frac12P(\tau_0\le t)",
    ),
)


def mean_margin(measures: Mapping[str, float], barrier: float, temperature: float, step_size: float, bridge: bool) -> float:
    """Chance, plus the bias of the step size, as an absolute tolerance of the mean passage time."""
    exact = measures["exact_passage_time"]
    margin = tolerance(measures["standard_error"]) + exact * discretisation_bias(barrier, temperature, step_size)
    late = measures["shifted_passage_time"] - exact
    return margin if bridge else margin + 2.5 * barrier * step_size * late  # the shift itself is right to first order


def check_claims(
    measures: Mapping[str, float],
    barrier: float,
    temperature: float,
    step_size: float,
    bridge: bool,
    spread: Mapping[str, float],
) -> tuple[Claim, ...]:
    """The statements of the source.

    Parameters
    ----------
    spread : mapping
        What the measures do not carry: ``late`` crossings, in the second half of the time, ``crossings_late``, after the
        transient, ``constant`` (1 where those late ones come after it), ``buffer`` variance, ``particles``, ``tracers``.
    """
    particles, exact = round(spread["particles"]), measures["exact_passage_time"]
    kramers = measures["kramers_time"]
    small = barrier * step_size <= SMALL_STEP
    told = measures["crossed"] >= ENOUGH_CROSSINGS and (
        measures["survivors"] <= FEW_LEFT * particles or (spread["late"] >= ENOUGH_LATE and spread["constant"] > 0)
    )
    margin = mean_margin(measures, barrier, temperature, step_size, bridge)
    bias = discretisation_bias(barrier, temperature, step_size)
    target = exact if bridge else measures["shifted_passage_time"]
    ratio = temperature / barrier
    late_rate = measures["exact_late_rate"]
    late_error = late_rate / math.sqrt(max(1.0, spread["crossings_late"]))
    right = measures["exact_right_share"]
    right_margin = tolerance(standard_error_of_proportion(right, round(spread["tracers"]))) + 2 / spread["tracers"]
    numbers = {
        "mean_passage_time": (target, measures["mean_passage_time"], margin, told and small),
        "chain_passage_time": (
            measures["chain_passage_time"],
            measures["mean_passage_time"],
            tolerance(measures["standard_error"]) + 1e-4 * exact,
            told,
        ),
        "kramers_ratio": (
            1 + 0.375 * ratio,
            measures["mean_passage_time"] / kramers,
            (margin + abs(target - exact)) / kramers + SECOND_ORDER * ratio**2,
            told and small and barrier >= HIGH_BARRIER * temperature,
        ),
        "late_rate": (
            late_rate,
            measures["late_rate"],
            tolerance(late_error) + late_rate * (bias + abs(target / exact - 1)),
            spread["crossings_late"] >= ENOUGH_LATE and small,
        ),
        "ks_distance": (
            0.0,
            measures["ks_distance"],
            ks_critical(particles) + TABLE_ERROR,
            measures["crossed"] >= ENOUGH_CROSSINGS,
        ),
        "budget_fraction": share(measures, "budget_fraction", particles),
        "buffer_fraction": (
            measures["exact_buffer_fraction"],
            measures["buffer_fraction"],
            tolerance(math.sqrt(max(spread["buffer"], 0.0) / particles)) + 1.2e-3,
            particles * measures["exact_buffer_fraction"] >= 10,
        ),
        "right_share": (right, measures["right_share"], right_margin + bias, small and right * spread["tracers"] >= 10),
    }
    remark = Message("")
    if not bridge:
        remark = Message("Without the bridge the target counts as 0.5826 √(εT) farther away.")
    elif measures["survivors"] > 0 and told:
        remark = Message("Particles still on the way are taken to go on at the rate of the late crossings.")
    return tuple(
        spec.check(
            *numbers[spec.name][:3], enough=numbers[spec.name][3], remark=remark if spec.name == "mean_passage_time" else None
        )
        for spec in CLAIMS
    )


def share(measures: Mapping[str, float], name: str, particles: int) -> tuple[float, float, float, bool]:
    """A claim on the share of independent trials: told only where the law expects some successes."""
    exact = min(max(measures[f"exact_{name}"], 0.0), 1.0)
    margin = tolerance(standard_error_of_proportion(exact, particles)) + 5 / particles
    return exact, measures[name], margin, particles * exact >= 10
