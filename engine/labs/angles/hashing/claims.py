"""What `hashing` measures and claims."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from engine.core.claims import Claim, ClaimSpec, Finding, check_all
from engine.core.experiment import Measure, with_theory
from engine.core.messages import Message
from engine.math.numerics.statistics import FALSE_ALARM, ks_critical, standard_error_of_variance, tolerance
from engine.math.random.sign_projections import estimate_fourth_moment, estimate_variance

FEWEST_PAIRS = 100
TOO_FEW = Message("Fewer than {least} pairs tell little.", {"least": FEWEST_PAIRS})
NEARLY = Message("Normals of signs are not uniform: given the pair its bits are not quite independent.")
CERTAIN = Message("At 0° and at 180° every bit is certain.")

MEASURES = (
    *with_theory("sign_product", "Mean product of signs"),
    *with_theory("hamming_share", "Share of bits that differ"),
    *with_theory("estimate_mean", "Mean estimate of the angle", "rad"),
    *with_theory("estimate_variance", "Variance of the estimate", "rad²"),
    *with_theory("same_code", "Share of pairs with the same code"),
    Measure("farthest_angle", "Largest deviation at any angle, in standard errors"),
    Measure("ks_distance", "Kolmogorov-Smirnov distance to the binomial law"),
    Measure("pairs_drawn", "Pairs drawn"),
)

CLAIMS = (
    ClaimSpec(
        "sign_product",
        "The mean product of signs falls linearly with the angle.",
        r"\mathbb{E}\,\mathrm{sgn}\langle w,x\rangle\,\mathrm{sgn}\langle w,y\rangle=1-\frac{2\theta}{\pi}",
    ),
    ClaimSpec(
        "farthest_angle",
        "So it does at every angle, and in every dimension.",
        r"\max_\theta\left|\hat m(\theta)-1+\frac{2\theta}{\pi}\right|/\mathrm{se}(\theta)",
    ),
    ClaimSpec(
        "estimate_variance",
        "The error of the estimated angle falls as one over the root of the number of bits.",
        r"\operatorname{Var}\frac{\pi H}{b}=\frac{\theta(\pi-\theta)}{b}",
        "rad²",
    ),
    ClaimSpec(
        "ks_distance", "The number of bits that differ is binomial.", r"H\sim\mathrm{Bin}\!\left(b,\frac\theta\pi\right)"
    ),
)


def check_claims(measures: Mapping[str, float], theta: float, bits: int, angles: int, foreign: bool) -> tuple[Claim, ...]:
    """The statements of the source, each with a tolerance from the number of pairs.

    Parameters
    ----------
    measures
        What was found.
    theta, bits
        The angle and the length of the code.
    angles : int
        At how many angles products were averaged.
    foreign : bool
        Whether the normals are not uniform: then every bit still has the exact law, since the pairs are uniform, but those of
        one pair are not independent.
    """
    pairs = int(measures["pairs_drawn"])
    enough = pairs >= FEWEST_PAIRS
    variance = float(estimate_variance(theta, bits))
    certain = variance < 1e-12
    scale = 2 / math.pi * math.sqrt(max(variance, measures["estimate_variance"]) / pairs)
    spread = standard_error_of_variance(variance, estimate_fourth_moment(theta, bits), pairs)
    reason = None if enough else TOO_FEW
    law = NEARLY if foreign else reason
    return check_all(
        CLAIMS,
        {
            "sign_product": Finding(
                measures["theory_sign_product"], measures["sign_product"], tolerance(scale) + 1e-9, enough, reason
            ),
            "farthest_angle": Finding(0.0, measures["farthest_angle"], tolerance(1.0, FALSE_ALARM / angles), enough, reason),
            "estimate_variance": Finding(
                variance,
                measures["estimate_variance"],
                tolerance(spread) + 1e-12,
                enough and not foreign,
                CERTAIN if certain and enough and not foreign else law,
            ),
            "ks_distance": Finding(0.0, measures["ks_distance"], ks_critical(pairs), enough and not foreign, law),
        },
    )


def distance(counts: np.ndarray, law: np.ndarray) -> float:
    """Kolmogorov-Smirnov distance of counts of 0, 1, ... to a discrete law."""
    return float(np.abs(np.cumsum(counts) / max(1, counts.sum()) - np.cumsum(law)).max())
