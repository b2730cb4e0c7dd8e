"""What `likelihood` measures and claims."""

from __future__ import annotations

import math
from collections.abc import Mapping

from engine.core.claims import Claim, ClaimSpec
from engine.core.experiment import Measure
from engine.labs.em.likelihood.family import Family
from engine.math.numerics.statistics import (
    standard_error_of_mean,
    standard_error_of_proportion,
    standard_error_of_variance,
    tolerance,
)

ROUNDING = 1e-12
SEARCH = 1e-6  # of the width: a flat maximum is found to the root of the rounding error
STEP = 1e-3  # of the second difference that measures a curvature, in deviations of one observation
ENOUGH_SETS = 100
ENOUGH_EVENTS = 400  # expected successes and failures in all sets together, from which a mean is nearly normal

MEASURES = (
    Measure("maximum_likelihood", "Maximum-likelihood estimate"),
    Measure("entropy", "Entropy of the data", "nats", optional=True),
    Measure("cross_entropy", "Cross entropy of data and model", "nats"),
    Measure("kl", "KL of data and model", "nats", optional=True),
    Measure("log_likelihood", "Log-likelihood of the model", "nats"),
    Measure("maximum_log_likelihood", "Largest log-likelihood", "nats"),
    Measure("log_ratio", "Log-likelihood lost by the model", "nats"),
    Measure("mean_square_error", "Mean square error about the model", optional=True),
    Measure("information", "Fisher information of one observation"),
    Measure("standard_error", "Standard error by the information"),
    Measure("simulated_mean", "Mean of the simulated estimates"),
    Measure("simulated_deviation", "Standard deviation of the simulated estimates"),
    Measure("beyond", "Share of simulated estimates as far out as the data"),
    Measure("observations", "Observations"),
    Measure("sets", "Data sets simulated"),
)

CLAIMS = (
    ClaimSpec(
        "maximum",
        "A search finds the maximum where the formula says.",
        r"\arg\max_\theta\prod_i p_\theta(x_i)=\frac1n\sum_i x_i",
    ),
    ClaimSpec("sum", "Cross entropy is entropy plus KL.", r"H(p,q)=H(p)+\mathrm{KL}(p\,\|\,q)", "nats"),
    ClaimSpec(
        "cross_entropy",
        "The mean negative log-likelihood is the cross entropy.",
        r"-\frac1n\sum_i\log q(x_i)=H(\tilde p,q)",
        "nats",
    ),
    ClaimSpec(
        "curvature",
        "The curvature at the maximum is the Fisher information.",
        r"-\frac{\partial^2}{\partial\theta^2}\frac{\log L}{n}=I",
    ),
    ClaimSpec("unbiased", "Simulated estimates have the model's parameter as their mean.", r"\mathbb{E}\,\hat\theta=\theta"),
    ClaimSpec("spread", "They stray by the information.", r"\mathrm{sd}\,\hat\theta=\frac{1}{\sqrt{n\,I(\theta)}}"),
    ClaimSpec(
        "beyond",
        "Estimates as far out as the data are rarer than the likelihood ratio: the excess.",
        r"P\left(\hat\theta\ \mathrm{as\ far}\right)\le e^{-n\,\mathrm{KL}}",
    ),
)


def check_claims(family: Family, measures: Mapping[str, float], searched: float, direct: float) -> tuple[Claim, ...]:
    """The statements of the source.

    Parameters
    ----------
    family, measures
        The data, the model and what was measured.
    searched
        Where a numerical search found the maximum.
    direct
        Mean negative log-likelihood, summed over the observations one by one.
    """
    sets = max(2, round(measures["sets"]))
    low, high = family.reach()
    error = family.standard_error()
    variance_error = standard_error_of_variance(error**2, family.fourth_moment(), sets)
    events = math.inf if family.normal else sets * family.count * min(family.model, 1 - family.model)
    typical = sets >= ENOUGH_SETS and events >= ENOUGH_EVENTS
    bound = math.exp(-measures["log_ratio"])
    curved = curvature(family)
    whole = max(1.0, abs(measures["cross_entropy"]))
    exact = (measures["entropy"] + measures["kl"], measures["cross_entropy"], 1e-10 * whole)
    checks: dict[str, tuple[float, float, float, bool]] = {
        "maximum": (family.estimate, searched, SEARCH * max(high - low, abs(high), abs(low)), True),
        "sum": (*exact, True),
        "cross_entropy": (measures["cross_entropy"], direct, 1e-9 * whole, True),
        "curvature": (family.information(family.estimate), curved, 1e-4 * abs(curved), math.isfinite(curved)),
        "unbiased": (family.model, measures["simulated_mean"], tolerance(standard_error_of_mean(error**2, sets)), typical),
        "spread": (error, measures["simulated_deviation"], tolerance(variance_error) / (2 * error), typical),
        "beyond": (
            0.0,
            max(0.0, measures["beyond"] - bound),
            tolerance(standard_error_of_proportion(min(bound, 1.0), sets)) + 8 / sets,
            True,
        ),
    }
    return tuple(_checked(spec, *checks[spec.name]) for spec in CLAIMS)


def _checked(spec: ClaimSpec, expected: float, measured: float, margin: float, enough: bool) -> Claim:
    return spec.check(expected, measured, margin + ROUNDING, enough=enough)


def curvature(family: Family) -> float:
    """Minus the second difference of the log-likelihood per observation at its maximum.

    Not a number at the ends of a range, and where rounding would drown it.
    """
    at, low, high = family.estimate, *family.reach()
    deviation = family.sigma if family.normal else math.sqrt(at * (1 - at))
    h = STEP * deviation if family.normal else STEP * at * (1 - at)
    if not low < at - h < at + h < high:
        return math.nan
    below, middle, above = (float(family.average(theta)) for theta in (at - h, at, at + h))
    found = (2 * middle - below - above) / h**2
    noise = 4e-16 * (1 + abs(middle)) / h**2 + 4e-16 * abs(at) / h * abs(found)
    return found if noise <= 2e-5 * abs(found) else math.nan
