"""What `capacity` measures and claims."""

from __future__ import annotations

import math
from collections.abc import Mapping

from engine.core.claims import Claim, ClaimSpec, Finding, check_all
from engine.core.experiment import Measure, with_theory
from engine.core.messages import Message
from engine.math.numerics.statistics import FALSE_ALARM, ks_critical, standard_error_of_mean, tolerance
from engine.math.random.angles import VectorLaw
from engine.math.random.capacity import max_quantile, poisson_margin

ROUNDING = 2e-6  # of a cosine in single precision
ENOUGH_ABOVE = 25  # expected pairs above ε, from which their number tells a share
ENOUGH_VECTORS = 10
ENOUGH_PAIRS = 100
TOO_FEW = Message("Fewer than {least} pairs tell little.", {"least": ENOUGH_PAIRS})
TOO_FEW_VECTORS = Message("Fewer than {least} vectors tell little of the largest.", {"least": ENOUGH_VECTORS})
TOO_FEW_ABOVE = Message("Fewer than {least} pairs are expected above ε: draw more, or lower ε.", {"least": ENOUGH_ABOVE})
FOREIGN = Message("The law belongs to Gaussian entries, not to these.")

MEASURES = (
    *with_theory("max_abs_cos", "Largest |cos|", by="exact law"),
    Measure("crude_max_abs_cos", "Rule of thumb for the largest |cos|"),
    *with_theory("mean_abs_cos", "Mean |cos|", by="exact law"),
    *with_theory("mean_square_cos", "Mean cos²", by="exact law"),
    *with_theory("pairs_above", "Pairs above the tolerance", by="exact law"),
    Measure("vectors_before", "Vectors before the first pair above the tolerance"),
    *with_theory("log10_capacity", "Vectors that fit, log10", by="exact law"),
    Measure("ks_distance", "Kolmogorov-Smirnov distance to the exact law"),
    Measure("vectors_drawn", "Vectors drawn"),
    Measure("pairs", "Pairs measured"),
)

CLAIMS = (
    ClaimSpec(
        "max_abs_cos",
        "The largest |cos| of all pairs follows from the law of one pair.",
        r"P\left(\max|\cos|\le t\right)\approx\left(1-p(t)\right)^{m(m-1)/2}",
    ),
    ClaimSpec(
        "log10_capacity",
        "How many vectors fit within ε, as the share of pairs above ε tells: exponentially many in n.",
        r"\frac{m(m-1)}{2}\,p(\varepsilon)=\ln 2,\quad m\sim e^{n\varepsilon^2/4}",
    ),
    ClaimSpec(
        "mean_square_cos", "The mean squared cosine is one over n, for every symmetric law.", r"\mathbb{E}\cos^2\theta=\frac1n"
    ),
    ClaimSpec(
        "mean_abs_cos",
        "The mean absolute cosine is a ratio of gammas.",
        r"\mathbb{E}|\cos\theta|=\frac{\Gamma(n/2)}{\sqrt{\pi}\,\Gamma((n+1)/2)}",
    ),
    ClaimSpec("ks_distance", "The cosines of all pairs follow the exact law.", r"\sup_t\left|F_N(t)-F_n(t)\right|"),
)


def check_claims(measures: Mapping[str, float], dimension: int, foreign: bool = False) -> tuple[Claim, ...]:
    """The statements of the source.

    Pairs that share a vector have independent angles all the same, so that means and counts stray like those of independent
    values. The largest |cos| strays as its own law says. `foreign` entries have another law than the Gaussian one.
    """
    pairs, vectors = max(1, round(measures["pairs"])), max(2, round(measures["vectors_drawn"]))
    law = VectorLaw(dimension)
    low, middle, high = max_quantile([0.5 * FALSE_ALARM, 0.5, 1 - 0.5 * FALSE_ALARM], vectors, dimension).tolist()
    square_variance = 2 * (dimension - 1) / (dimension**2 * (dimension + 2))
    above = max(1.0, measures["theory_pairs_above"])
    margins = {
        "max_abs_cos": max(high - middle, middle - low) + ROUNDING,
        "log10_capacity": 0.5 * math.log10(1 + poisson_margin(above, tolerance(1.0)) / above),  # it goes with the root of pairs
        "mean_square_cos": tolerance(standard_error_of_mean(square_variance, pairs)) + ROUNDING,
        "mean_abs_cos": tolerance(standard_error_of_mean(max(0.0, 1 / dimension - law.mean_abs_cos**2), pairs)) + ROUNDING,
        "ks_distance": ks_critical(pairs) + 1e-4,
    }
    reasons = {
        "max_abs_cos": TOO_FEW_VECTORS if vectors < ENOUGH_VECTORS else None,
        "log10_capacity": TOO_FEW_ABOVE if measures["theory_pairs_above"] < ENOUGH_ABOVE else None,
    }
    findings = {}
    for spec in CLAIMS:
        reason = TOO_FEW if pairs < ENOUGH_PAIRS else reasons.get(spec.name)
        remark = FOREIGN if reason is None and foreign and spec.name != "mean_square_cos" else reason
        expected = measures.get(f"theory_{spec.name}", 0.0)
        findings[spec.name] = Finding(expected, measures[spec.name], margins[spec.name], reason is None, remark)
    return check_all(CLAIMS, findings)
