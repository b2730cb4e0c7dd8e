"""What `capacity` measures and claims."""

from __future__ import annotations

import math
from collections.abc import Mapping

from engine.core.claims import Claim, ClaimSpec
from engine.core.experiment import Measure
from engine.math.numerics.statistics import FALSE_ALARM, ks_critical, standard_error_of_mean, tolerance
from engine.math.random.angles import VectorLaw
from engine.math.random.capacity import max_quantile, poisson_margin

ROUNDING = 2e-6  # of a cosine in single precision
ENOUGH_ABOVE = 25  # expected pairs above ε, from which their number tells a share
ENOUGH_VECTORS = 10

MEASURES = (
    Measure("max_abs_cos", "Largest |cos|"),
    Measure("theory_max_abs_cos", "Median of the largest |cos| by law"),
    Measure("crude_max_abs_cos", "Rule of thumb for the largest |cos|"),
    Measure("mean_abs_cos", "Mean |cos|"),
    Measure("theory_mean_abs_cos", "Mean |cos| by the exact law"),
    Measure("mean_square_cos", "Mean cos²"),
    Measure("theory_mean_square_cos", "Mean cos² by the exact law"),
    Measure("pairs_above", "Pairs above the tolerance"),
    Measure("theory_pairs_above", "Pairs above the tolerance by the exact law"),
    Measure("vectors_before", "Vectors before the first pair above the tolerance"),
    Measure("log10_capacity", "Vectors that fit, log10"),
    Measure("theory_log10_capacity", "Vectors that fit by the exact law, log10"),
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


def check_claims(measures: Mapping[str, float], dimension: int) -> tuple[Claim, ...]:
    """The statements of the source.

    Pairs that share a vector have independent angles all the same, so that means and counts stray like those of independent
    values. The largest |cos| strays as its own law says.
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
    enough = {"log10_capacity": measures["theory_pairs_above"] >= ENOUGH_ABOVE, "max_abs_cos": vectors >= ENOUGH_VECTORS}
    return tuple(
        spec.check(
            measures.get(f"theory_{spec.name}", 0.0),
            measures[spec.name],
            margins[spec.name],
            enough=pairs >= 100 and enough.get(spec.name, True),
        )
        for spec in CLAIMS
    )
