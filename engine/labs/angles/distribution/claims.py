"""What `distribution` measures and claims."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from engine.core.claims import Claim, ClaimSpec, Finding, check_all
from engine.core.experiment import Measure, with_theory
from engine.core.messages import Message
from engine.labs.angles.distribution.curves import Law
from engine.math.numerics.histograms import Summary
from engine.math.numerics.statistics import ks_critical, standard_error_of_mean, standard_error_of_variance, tolerance
from engine.math.random.angles import SubspaceLaw

BAND = math.radians(10)
FEWEST_ANGLES = 100
UNIVERSAL = ("mean_angle", "mean_square_cos")  # the same for every symmetric law of entries
TOO_FEW = Message("Fewer than {least} angles tell little.", {"least": FEWEST_ANGLES})
FOREIGN = Message("The law belongs to Gaussian entries, not to these.")

MEASURES = (
    *with_theory("mean_angle", "Mean angle", "rad", by="exact law"),
    *with_theory("var_angle", "Variance of the angle", "rad²", by="exact law"),
    *with_theory("mean_abs_cos", "Mean absolute cosine", by="exact law"),
    *with_theory("mean_square_cos", "Mean squared cosine", by="exact law"),
    *with_theory("within_10_degrees", "Share within 10 degrees of perpendicular", by="exact law"),
    Measure("ks_distance", "Kolmogorov-Smirnov distance to the exact law"),
    Measure("angles", "Angles measured"),
)

CLAIMS = (
    ClaimSpec("mean_angle", "Two random vectors are perpendicular on average.", r"\mathbb{E}\,\theta=\frac{\pi}{2}", "rad"),
    ClaimSpec(
        "var_angle",
        "The spread of the angle is half a trigamma.",
        r"\operatorname{Var}\theta=\frac12\psi_1\!\left(\frac n2\right)",
        "rad²",
    ),
    ClaimSpec(
        "mean_square_cos",
        "The mean squared cosine is one over n, for every symmetric law.",
        r"\mathbb{E}\cos^2\theta=\frac1n",
    ),
    ClaimSpec(
        "mean_abs_cos",
        "The mean absolute cosine is a ratio of gammas.",
        r"\mathbb{E}|\cos\theta|=\frac{\Gamma(n/2)}{\sqrt{\pi}\,\Gamma((n+1)/2)}",
    ),
    ClaimSpec(
        "within_10_degrees",
        "The share within 10 degrees of perpendicular.",
        r"P\left(|\theta-\frac{\pi}{2}|\le 10^\circ\right)",
    ),
    ClaimSpec("ks_distance", "The angles follow the exact law.", r"p_n(\theta)\propto\sin^{n-2}\theta"),
)

SUBSPACE_CLAIMS = (
    replace(
        CLAIMS[0],
        statement="The angle to a random subspace has this mean; at k = n/2 it is 45 degrees.",
        formula=r"\mathbb{E}\,\theta",
    ),
    replace(CLAIMS[1], statement="The spread of the angle to a random subspace.", formula=r"\operatorname{Var}\theta"),
    replace(
        CLAIMS[2],
        statement="The mean squared cosine is the share of the subspace.",
        formula=r"\mathbb{E}\cos^2\theta=\frac kn",
    ),
    replace(
        CLAIMS[3],
        statement="The mean cosine is a ratio of gammas.",
        formula=r"\mathbb{E}\cos\theta=\frac{\Gamma((k+1)/2)\,\Gamma(n/2)}{\Gamma(k/2)\,\Gamma((n+1)/2)}",
    ),
    CLAIMS[4],
    replace(CLAIMS[5], formula=r"p(\theta)\propto\sin^{n-k-1}\theta\,\cos^{k-1}\theta"),
)


def check_claims(law: Law, measures: Mapping[str, float], square_variance: float, foreign: bool = False) -> tuple[Claim, ...]:
    """The statements of the source, each with a tolerance from the sample size.

    The mean and the mean squared cosine are the same for every symmetric law of entries: their tolerance comes from the
    spread of the sample. The others belong to the exact law, and so do their tolerances.

    Parameters
    ----------
    law, measures
        The exact law, and what was found.
    square_variance : float
        Of cos² in the sample.
    foreign : bool
        Whether the entries have another law than the Gaussian one, which the exact law belongs to.
    """
    enough = measures["angles"] >= FEWEST_ANGLES
    count = max(2, int(measures["angles"]))
    n = law.n
    k = law.k if isinstance(law, SubspaceLaw) else 1
    inside = measures["theory_within_10_degrees"]
    spread = {
        "mean_angle": standard_error_of_mean(max(law.var, measures["var_angle"]), count),
        "var_angle": standard_error_of_variance(law.var, law.fourth_central_moment, count),
        "mean_square_cos": standard_error_of_mean(max(2 * k * (n - k) / (n * n * (n + 2)), square_variance), count),
        "mean_abs_cos": standard_error_of_mean(max(0.0, k / n - law.mean_abs_cos**2), count),
        "within_10_degrees": standard_error_of_mean(max(inside * (1 - inside), 1 / count), count),
    }
    specs = SUBSPACE_CLAIMS if isinstance(law, SubspaceLaw) else CLAIMS
    findings = {
        name: Finding(measures[f"theory_{name}"], measures[name], tolerance(error), enough, reason(name, enough, foreign))
        for name, error in spread.items()
    }
    distance = Finding(0.0, measures["ks_distance"], ks_critical(count), enough, reason("ks_distance", enough, foreign))
    return check_all(specs, {**findings, "ks_distance": distance})


def reason(name: str, enough: bool, foreign: bool) -> Message | None:
    """Why a claim is open, or may fail without an error."""
    if not enough:
        return TOO_FEW
    return FOREIGN if foreign and name not in UNIVERSAL else None


def measured(summary: Summary, square: float, distance: float, law: Law) -> dict[str, float]:
    """The numbers beside their exact counterparts."""
    return {
        "mean_angle": summary.mean,
        "theory_mean_angle": law.mean,
        "var_angle": summary.variance,
        "theory_var_angle": law.var,
        "mean_abs_cos": summary.mean_abs_cos,
        "theory_mean_abs_cos": law.mean_abs_cos,
        "mean_square_cos": square,
        "theory_mean_square_cos": (law.k if isinstance(law, SubspaceLaw) else 1) / law.n,
        "within_10_degrees": summary.within,
        "theory_within_10_degrees": law.within(BAND),
        "ks_distance": distance,
        "angles": summary.count,
    }
