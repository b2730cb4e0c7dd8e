"""What `bias` measures and claims."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from engine.core.claims import Claim, ClaimSpec
from engine.core.experiment import Measure
from engine.core.messages import Message
from engine.labs.langevin.bias.chains import RARE_LEVEL, State, steps_to_forget
from engine.labs.langevin.bias.laws import (
    UNADJUSTED,
    Setting,
    acceptance_and_lag_one,
    autocorrelation,
    distance,
    efficiency,
    error_of_variance,
    sticky,
    variance,
)
from engine.math.numerics.statistics import tolerance

MEASURES = (
    Measure("variance", "Variance of the chains"),
    Measure("theory_variance", "Stationary variance of this sampler", optional=True),
    Measure("target_variance", "Variance of the target"),
    Measure("standard_error", "Standard error of the variance", optional=True),
    Measure("mean", "Mean of the chains"),
    Measure("kurtosis", "Kurtosis of the stationary law", optional=True),
    Measure("lag1_correlation", "Correlation of neighbours", optional=True),
    Measure("theory_lag1_correlation", "Correlation of neighbours by theory", optional=True),
    Measure("acceptance", "Share of accepted proposals", optional=True),
    Measure("theory_acceptance", "Share of accepted proposals by theory"),
    Measure("effective_sample_size", "Effective samples of all chains", optional=True),
    Measure("ess_per_gradient", "Effective samples per gradient", optional=True),
    Measure("theory_ess_per_gradient", "Effective samples per gradient by theory", optional=True),
    Measure("step_limit", "Step size from which an unadjusted step diverges"),
    Measure("measured_steps", "Steps measured since the chains have settled"),
)

CLAIMS = (
    ClaimSpec(
        "variance",
        "An unadjusted step samples a law that is too wide.",
        r"\operatorname{Var}x=\frac{\sigma^2T}{1-\varepsilon/(4\sigma^2)}",
    ),
    ClaimSpec(
        "lag1_correlation", "Neighbours are correlated by one minus half the step.", r"\rho_1=1-\frac{\varepsilon}{2\sigma^2}"
    ),
    ClaimSpec(
        "acceptance",
        "The share of accepted proposals is an arctangent.",
        r"\mathbb{E}\,\alpha=\frac2\pi\arctan\frac{8\sigma^3}{\varepsilon^{3/2}}",
    ),
    ClaimSpec(
        "ess_per_gradient",
        "A step is worth this many independent draws for the mean.",
        r"\left(1+2\sum_{k\ge1}\rho_k\right)^{-1}=\frac{\varepsilon}{4\sigma^2-\varepsilon}",
    ),
    ClaimSpec(
        "kurtosis", "The stationary law is a normal law, right or wrong.", r"\mathbb{E}x^4=3\left(\mathbb{E}x^2\right)^2"
    ),
    ClaimSpec(
        "transient",
        "On their way the chains follow the exact law; distance in standard errors.",
        r"m_n=\rho^n m_0,\quad v_{n+1}=\rho^2v_n+\varepsilon T",
    ),
)

VARIANTS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "mala": {
        "variance": ("The Metropolis step removes the bias, at every step size.", r"\operatorname{Var}x=\sigma^2T"),
        "lag1_correlation": (
            "Neighbours are correlated as the jumps that are accepted say.",
            r"\rho_1=1-\frac{\mathbb{E}\,\alpha\,(y-x)^2}{2\sigma^2T}",
        ),
        "ess_per_gradient": (
            "A step is worth this many independent draws for the mean.",
            r"\left(1+2\sum_{k\ge1}\rho_k\right)^{-1}",
        ),
        "transient": ("On their way the chains follow the exact law; distance in standard errors.", r"p_{n+1}=p_nK"),
    },
    "mala_printed": {
        "variance": (
            "The misprinted Metropolis step samples another law, predicted by its own kernel.",
            r"\operatorname{Var}x=\frac{4\sigma^4T}{3\varepsilon}",
        ),
        "acceptance": ("The share of accepted proposals is an arc cosine.", r"\mathbb{E}\,\alpha=\frac2\pi\arccos|r|"),
    },
    "hmc": {
        "acceptance": ("The share of accepted proposals is an arc cosine.", r"\mathbb{E}\,\alpha=\frac2\pi\arccos|r|"),
    },
    "underdamped": {
        "variance": ("With velocities the positions have no bias on a quadratic energy.", r"\operatorname{Var}x=\sigma^2T"),
        "lag1_correlation": (
            "Neighbours are correlated by step and friction.",
            r"\rho_1=1-\left(1+e^{-\gamma\sqrt\varepsilon}\right)\frac{\varepsilon}{4\sigma^2}",
        ),
        "transient": (
            "On their way the chains follow the exact law; distance in standard errors.",
            r"C_{n+1}=MC_nM^\top+N",
        ),
    },
}


@dataclass(frozen=True, slots=True)
class Estimates:
    """What the chains say, with standard errors that come from the spread between chains; nan while there is nothing."""

    variance: float
    variance_error: float
    mean: float
    lag_one: float = math.nan
    lag_one_error: float = math.nan
    acceptance: float = math.nan
    acceptance_error: float = math.nan
    efficiency: float = math.nan  # effective samples per step
    kurtosis: float = math.nan
    kurtosis_error: float = math.nan


def estimates_of(state: State) -> Estimates:
    """Averages over chains and steps; while the chains settle, variance and mean of the present cloud alone."""
    setting, tally = state.setting, state.tally
    count, chains = tally.count, state.points.shape[1]
    if not count:
        spread, mean = float(state.points.std()), float(state.points.mean())  # device sync
        accepted = float(state.taken.float().mean()) if state.taken is not None else math.nan
        return Estimates(spread**2, math.nan, mean, acceptance=accepted)
    means = tally.sums / count
    z, squares, fourth, products, accepted_each = means
    m1, m2, m4, mp, taken = means.mean(dim=1).tolist()  # device sync
    ratio, kurtosis = mp / m2, m4 / m2**2
    deviating = (squares, products - ratio * squares, accepted_each, fourth - 2 * kurtosis * m2 * squares, z)
    spreads = [float(each.std()) for each in deviating]  # device sync
    by_root = 1 / math.sqrt(chains)
    free = state.taken is None
    return Estimates(
        variance=(m2 - m1 * m1) * setting.target,
        variance_error=spreads[0] * by_root * setting.target,
        mean=m1 * setting.unit,
        lag_one=ratio,
        lag_one_error=spreads[1] * by_root / m2,
        acceptance=1.0 if free else taken,
        acceptance_error=0.0 if free else spreads[2] * by_root,
        efficiency=m2 / (count * spreads[4] ** 2) if spreads[4] > 0 else math.nan,
        kurtosis=kurtosis,
        kurtosis_error=spreads[3] * by_root / m2**2,
    )


def measured(state: State, found: Estimates) -> dict[str, float]:
    """The numbers beside their theory."""
    setting, count = state.setting, state.tally.count
    stationary = variance(setting)
    accepted, neighbours = acceptance_and_lag_one(setting)
    worth = efficiency(setting) / setting.gradients
    return {
        "variance": found.variance,
        "theory_variance": finite(stationary),
        "target_variance": setting.target,
        "standard_error": found.variance_error,
        "mean": found.mean,
        "kurtosis": found.kurtosis,
        "lag1_correlation": found.lag_one,
        "theory_lag1_correlation": neighbours,
        "acceptance": found.acceptance,
        "theory_acceptance": accepted,
        "effective_sample_size": found.efficiency * count * state.points.shape[1] if long_enough(state) else math.nan,
        "ess_per_gradient": found.efficiency / setting.gradients if long_enough(state) else math.nan,
        "theory_ess_per_gradient": finite(worth),
        "step_limit": setting.limit,
        "measured_steps": count,
    }


def finite(value: float) -> float:
    """The value, not a number where it is infinite."""
    return value if math.isfinite(value) else math.nan


def end_effect(setting: Setting, count: int) -> float:
    """How much, relatively, the worth of a step is off when it is taken from means over so many steps.

    The variance of such a mean lacks 2 Σ k ρ_k / count of its limit for long chains.
    """
    lags = autocorrelation(setting, 300)
    first = acceptance_and_lag_one(setting)[1]
    total = abs(2 * float(sum(k * rho for k, rho in enumerate(lags))))
    if first < 1:
        total = max(total, 2 * abs(first) / (1 - first) ** 2)
    worth = efficiency(setting)
    return total * worth / count if math.isfinite(worth) else math.inf


def long_enough(state: State) -> bool:
    """Whether chains are long beside their memory."""
    return state.tally.count > 0 and end_effect(state.setting, state.tally.count) < 0.05


def check_claims(state: State, found: Estimates, measures: Mapping[str, float]) -> tuple[Claim, ...]:
    """Every number within what chance leaves open, as the spread between independent chains tells.

    Where nearly every step is refused far out, few chains have been there, and that spread says too little: the error of the
    variance is then at least the exact one of the kernel.
    """
    setting, tally, chains = state.setting, state.tally, state.points.shape[1]
    worth = efficiency(setting)
    draws = chains * tally.count * min(1.0, worth) if math.isfinite(worth) else 0.0
    enough = tally.count >= 10 and draws >= 5000
    residue = abs(tally.excess) / tally.count * setting.target if tally.count else 0.0  # of the start, exactly known
    relative = residue / setting.target
    all_draws = max(1, chains * tally.count)
    share = measures["theory_acceptance"]
    rare = math.sqrt(max(0.0, share * (1 - share)) / all_draws)
    free = setting.sampler in UNADJUSTED
    memory = sticky(setting)
    least = error_of_variance(setting, tally.count) / math.sqrt(chains) if memory and tally.count else 0.0
    variance_error = max(found.variance_error, least * setting.target)
    neighbours_error = max(found.lag_one_error, least * abs(1 - measures["theory_lag1_correlation"]))
    waiting = why_waiting(state, enough)
    every = Message("This sampler accepts every step.") if free else None
    stuck = Message("Far out such a chain refuses nearly every step: its memory is too long to measure.") if memory else None
    short = Message("The chains are still short beside their memory.") if not long_enough(state) else None
    end = end_effect(setting, tally.count) if tally.count else math.inf
    worth_error = tolerance(math.sqrt(2 / chains)) + end
    worst = float(state.worst.max())  # device sync
    expected = measures["theory_ess_per_gradient"]
    specs = specs_of(setting)

    def check(at: int, expected: float, measured: float, margin: float, *reasons: Message | None) -> Claim:
        reason = next((each for each in reasons if each), None)
        return specs[at].check(expected, measured, margin, enough=reason is None, remark=reason)

    few = Message("There are too few independent draws as yet.") if draws < 20_000 else None
    return (
        check(0, measures["theory_variance"], found.variance, tolerance(variance_error) + residue, waiting),
        check(1, measures["theory_lag1_correlation"], found.lag_one, tolerance(neighbours_error) + relative, waiting),
        check(
            2,
            share,
            found.acceptance,
            tolerance(max(found.acceptance_error, rare)) + 8 / all_draws + relative,
            every,
            waiting,
        ),
        check(
            3,
            expected,
            measures["ess_per_gradient"],
            expected * worth_error / max(0.1, 1 - worth_error),
            waiting,
            stuck,
            short,
        ),
        check(4, 3.0, found.kurtosis, tolerance(found.kurtosis_error) + 6 * relative, waiting, stuck, few),
        check(5, 0.0, worst, RARE_LEVEL, why_no_transient(state)),
    )


def why_waiting(state: State, enough: bool) -> Message | None:
    """Why nothing can be said about the stationary law as yet; None where it can."""
    setting = state.setting
    if setting.unstable:
        return Message("Beyond the limit there is no stationary law.")
    needed = steps_to_forget(setting)
    if math.isinf(needed):
        return Message("Paths of a whole or half turn end where they began, or opposite: such chains are not ergodic.")
    if enough:
        return None
    if state.settled:
        return Message("There are too few independent draws as yet.")
    if state.law.known:
        lacks = f"{distance(state.law, setting):.2g}"
        return Message("The chains are still on their way: the exact law lacks {share} of its variance.", {"share": lacks})
    if sticky(setting):
        return Message("Far out such a chain refuses nearly every step, and how long it keeps its start is not known here.")
    return Message("The chains forget their start in about {steps} steps.", {"steps": f"{needed:,.0f}"})


def why_no_transient(state: State) -> Message | None:
    """Why the way is not held against the exact law; None where it is."""
    if not state.sure:
        return Message("The exact law of the way is not known here.")
    return Message("The chains have only just begun.") if state.since < 5 else None


def specs_of(setting: Setting) -> tuple[ClaimSpec, ...]:
    """The claims in the words and letters of a sampler."""
    variants = VARIANTS.get(setting.sampler, {})
    if setting.sampler in ("mala_printed", "hmc"):
        variants = {**VARIANTS["mala"], **variants}
    found = []
    for spec in CLAIMS:
        statement, formula = variants.get(spec.name, (spec.statement, spec.formula))
        found.append(replace(spec, statement=statement, formula=formula))
    return tuple(found)
