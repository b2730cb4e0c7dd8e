"""What `likelihood` measures and claims."""

from __future__ import annotations

import math
from collections.abc import Mapping

from engine.core.claims import Claim, ClaimSpec, Finding, check_all
from engine.core.experiment import Measure, with_theory
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
ENOUGH_DEGREES = 2000  # of freedom in all sets together, from which a mean of variances is nearly normal
RARE = "Not enough data sets yet."
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
    *with_theory("ml_variance", "Mean of the simulated variances, divided by n", by="(n - 1)/n σ²", optional=True),
    *with_theory("unbiased_variance", "Mean of the simulated variances, divided by n - 1", by="σ²", optional=True),
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
    ClaimSpec(
        "biased_variance",
        "The variance of largest likelihood is too small on average, by one part in n.",
        r"\mathbb{E}\,\frac1n\sum_i(x_i-\bar x)^2=\frac{n-1}{n}\sigma^2",
    ),
    ClaimSpec(
        "unbiased_variance",
        "Divided by n - 1 it has the model's variance as its mean.",
        r"\mathbb{E}\,\frac{1}{n-1}\sum_i(x_i-\bar x)^2=\sigma^2",
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
    rounding = 4e-16 * abs(family.model)
    return check_all(
        CLAIMS,
        {
            "maximum": Finding(family.estimate, searched, SEARCH * max(high - low, abs(high), abs(low)) + ROUNDING),
            "sum": Finding(*exact),
            "cross_entropy": Finding(measures["cross_entropy"], direct, 1e-9 * whole),
            "curvature": Finding(family.information(family.estimate), curved, 1e-4 * abs(curved) + ROUNDING),
            "unbiased": Finding(
                family.model,
                measures["simulated_mean"],
                tolerance(standard_error_of_mean(error**2, sets)) + rounding,
                enough=typical,
                remark="" if typical else RARE,
            ),
            "spread": Finding(
                error,
                measures["simulated_deviation"],
                tolerance(variance_error) / (2 * error),
                enough=typical,
                remark="" if typical else RARE,
            ),
            "beyond": Finding(
                0.0,
                max(0.0, measures["beyond"] - bound),
                tolerance(standard_error_of_proportion(min(bound, 1.0), sets)) + 8 / sets,
            ),
            **variance_findings(family, measures, sets),
        },
    )


def variance_findings(family: Family, measures: Mapping[str, float], sets: int) -> dict[str, Finding]:
    """What the simulation says of the two estimates of a variance; the one divided by n varies by 2 (n - 1)/n² σ⁴."""
    n = family.count
    enough = family.variance_known and sets * (n - 1) >= ENOUGH_DEGREES
    why = RARE if family.variance_known else "Only a normal law of at least two observations has a variance to estimate."
    error = tolerance(standard_error_of_mean(2 * (n - 1) / n**2 * family.sigma**4, sets)) if enough else math.nan
    found = {}
    for name, key, factor in (
        ("biased_variance", "ml_variance", 1.0),
        ("unbiased_variance", "unbiased_variance", n / max(n - 1, 1)),
    ):
        found[name] = Finding(
            measures[f"theory_{key}"], measures[key], factor * error, enough=enough, remark="" if enough else why
        )
    return found


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
