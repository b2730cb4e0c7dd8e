"""What `surrogate` measures and claims."""

from __future__ import annotations

import math

import numpy as np

from engine.core.claims import Claim, ClaimSpec
from engine.core.experiment import Measure
from engine.core.messages import Message
from engine.labs.em.surrogate.trajectory import Trajectory, exact_maximum, measured_rate, measured_square
from engine.math.latent.surrogates import Array, Likelihood

PRECISION = 1e-11  # of sums of logarithms, relative
VAGUE = 0.05  # tolerance of a rate beyond which there is not enough to tell
LOOSE = 1e-2  # the same of a parameter, relative
DIFFERENCE = 1e-5  # width of a central difference, relative

MEASURES = (
    Measure("theta", "Parameter"),
    Measure("log_likelihood", "Log-likelihood"),
    Measure("rate", "Rate after the theory", optional=True),
    Measure("measured_rate", "Ratio of the last two errors", optional=True),
    Measure("maximum", "Maximum"),
    Measure("maximum_log_likelihood", "Log-likelihood at the maximum"),
    Measure("error", "Distance to the maximum"),
    Measure("observed_information", "Observed information at the maximum", optional=True),
    Measure("complete_information", "Complete information at the maximum", optional=True),
    Measure("missing_share", "Share of missing information", optional=True),
    Measure("largest_step", "Largest step size that converges", optional=True),
)

CLAIMS = (
    ClaimSpec("below", "EM's surrogate lies below the log-likelihood everywhere.", r"F(\theta\mid\theta_k)\le\ell(\theta)"),
    ClaimSpec(
        "touch", "It touches the log-likelihood: both have the same slope there.", r"F'(\theta_k\mid\theta_k)=\ell'(\theta_k)"
    ),
    ClaimSpec("monotone", "No EM iteration lowers the log-likelihood.", r"\ell(\theta_{k+1})\ge\ell(\theta_k)"),
    ClaimSpec(
        "missing_information",
        "The slope of the EM map at the maximum is the share of missing information.",
        r"M'(\hat\theta)=1-\frac{I(\hat\theta)}{I_c(\hat\theta)}",
    ),
    ClaimSpec("rate", "Errors shrink by a constant factor.", r"\frac{e_{k+1}}{e_k}\to\left|M'(\hat\theta)\right|"),
    ClaimSpec(
        "quadratic",
        "Newton's errors are squared.",
        r"\frac{e_{k+1}}{e_k^2}\to\left|\frac{\ell'''(\hat\theta)}{2\,\ell''(\hat\theta)}\right|",
    ),
    ClaimSpec("maximum", "The iterates end at the maximum.", r"\theta_k\to\hat\theta"),
)


def check_claims(
    likelihood: Likelihood, way: Trajectory, method: str, half: int, step_size: float, grid: Array, anchor: float
) -> tuple[Claim, ...]:
    """The statements, for everything up to this half-step."""
    below, touch, monotone, missing, rate, quadratic, maximum = CLAIMS
    iteration, theta = half // 2, way.theta[half // 2]
    values = likelihood.value(grid)
    excess = float((likelihood.bound(grid, anchor) - values).max())
    heights = likelihood.value(way.theta[: iteration + 1])
    rounding = PRECISION * (1 + float(np.abs(values).max()))
    width = DIFFERENCE * min(1 + abs(anchor), anchor - likelihood.low, likelihood.high - anchor)
    ends = likelihood.bound(np.array([anchor - width, anchor + width]), anchor)
    slope = likelihood.slope(anchor)
    blur = (
        PRECISION * (1 + float(np.abs(ends).max())) / width
        + 10 * DIFFERENCE * abs(likelihood.complete_information(anchor)) * width
    )
    interior = way.interior
    ratio, margin = measured_rate(likelihood, way, method, iteration, step_size) if interior else (math.nan, math.nan)
    limit, square, doubt = measured_square(likelihood, way, iteration) if interior and method == "newton" else (math.nan,) * 3
    only_em = Message("Only EM promises this.")
    place, still = resting(likelihood, way, method, iteration)
    return (
        below.check(0.0, max(0.0, excess), rounding),
        touch.check(slope, float(ends[1] - ends[0]) / (2 * width), blur),
        monotone.check(
            0.0,
            float(np.maximum(-np.diff(heights), 0).max(initial=0.0)),
            rounding,
            enough=method == "em" and iteration > 0,
            remark=Message("") if method == "em" else only_em,
        ),
        missing.check(*map_slope(likelihood, way.target, interior)),
        rate.check(way.rate, ratio, margin, enough=method != "newton" and margin < VAGUE, remark=rate_remark(method, way.rate)),
        quadratic.check(limit, square, doubt, enough=method == "newton" and doubt < 0.3 * limit),
        maximum.check(place, float(theta), still, enough=still < LOOSE * (1 + abs(place))),
    )


def map_slope(likelihood: Likelihood, target: float, interior: bool) -> tuple[float, float, float]:
    """The share of missing information, the slope of the EM map by differences, and the error of the latter."""
    if not interior:
        return math.nan, math.nan, math.nan
    width = 1e-4 * min(1 + abs(target), target - likelihood.low, likelihood.high - target)
    sides = [likelihood.peak(target + shift) for shift in (-2 * width, -width, width, 2 * width)]
    near, far = (sides[2] - sides[1]) / (2 * width), (sides[3] - sides[0]) / (4 * width)
    return likelihood.missing(target), (4 * near - far) / 3, abs(near - far) + 1e-9


def resting(likelihood: Likelihood, way: Trajectory, method: str, iteration: int) -> tuple[float, float]:
    """The maximum, and how far the present iterate may still be from it: its last move times λ / (1 - λ), twice."""
    place = exact_maximum(likelihood, float(way.theta[-1]))
    slope = 0.5 if method == "newton" else abs(way.rate)
    if iteration < 2 or not slope < 1:
        return place, math.nan
    moves = np.abs(np.diff(way.theta[: iteration + 1]))
    if moves[-1] > moves[-2]:  # not yet on the way to rest
        return place, math.nan
    return place, float(2 * max(slope, 0.5) / (1 - max(slope, 0.5)) * moves[-1] + 1e-9 * (1 + abs(place)))


def rate_remark(method: str, slope: float) -> Message:
    """What the factor says of the method."""
    if method == "newton":
        return Message("Newton's errors shrink ever faster; see the next claim.")
    if slope >= 1:
        return Message("At one or more the errors do not shrink: the step size is too large.")
    return Message("")
