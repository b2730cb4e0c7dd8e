"""What `coins` measures and claims."""

from __future__ import annotations

import numpy as np

from engine.core.claims import Claim, ClaimSpec
from engine.core.experiment import Measure
from engine.core.messages import Message
from engine.labs.em.coins.trajectory import CLOSE, FixedPoint, Trajectory

ROUNDING = 1e-12  # of a log-likelihood, relative to its size
MOVES = 1e-9  # rounding of a move
VAGUE = 0.05  # tolerance of a rate beyond which there is not enough to tell

MEASURES = (
    Measure("theta_a", "Bias of coin A"),
    Measure("theta_b", "Bias of coin B"),
    Measure("mixing_weight", "Mixing weight of coin A"),
    Measure("log_likelihood", "Log-likelihood"),
    Measure("lower_bound", "Lower bound"),
    Measure("gap", "Gap"),
    Measure("rate", "Share of missing information", optional=True),
    Measure("measured_rate", "Ratio of the last two errors", optional=True),
    Measure("maximum_log_likelihood", "Highest log-likelihood, by direct maximisation"),
    Measure("maximum_theta_a", "Bias of coin A at the highest point"),
    Measure("maximum_theta_b", "Bias of coin B at the highest point"),
    Measure("shortfall", "Log-likelihood below the highest"),
    Measure("log_likelihood_of_order", "Log-likelihood of the flips in their order"),
)

CLAIMS = (
    ClaimSpec("monotone", "No iteration lowers the log-likelihood.", r"\ell(\theta_{k+1})\ge\ell(\theta_k)"),
    ClaimSpec("identity", "Lower bound and gap add up to the log-likelihood.", r"F(r,\theta)+\mathrm{KL}=\ell(\theta)"),
    ClaimSpec("touch", "After an E step the gap is zero.", r"F(r,\theta)=\ell(\theta)"),
    ClaimSpec(
        "gradient_step",
        "An M step is a step along the gradient, divided by the complete information.",
        r"\theta_{k+1}-\theta_k=\frac{\theta_k(1-\theta_k)}{N}\,\frac{\partial\ell}{\partial\theta}",
    ),
    ClaimSpec(
        "rate",
        "Errors shrink by the share of missing information.",
        r"\frac{e_{k+1}}{e_k}\to\lambda_{\max}\left(I_c^{-1}I_m\right)",
    ),
)


def measured_rate(rest: FixedPoint, iteration: int) -> tuple[float, float]:
    """The ratio of the last two errors that rounding has not spoiled, and how far it may still be from its limit.

    Taken of the part c that shrinks by the largest factor λ. M(θ) - θ* = J (θ - θ*) + O(e²), so that the ratio is off by the
    order of e² / c, in standard deviations of complete data; this shrinks by λ, too, so that what is left of it is also
    about the last change times λ / (1 - λ), here taken twice.
    """
    usable = rest.leading[: iteration + 1] > CLOSE
    if usable.sum() < 4 or not 0 < rest.rates[0] < 1:
        return float("nan"), float("nan")
    errors, all_errors = rest.leading[: iteration + 1][usable], rest.scaled[: iteration + 1][usable]
    ratios = errors[1:] / errors[:-1]
    left = 2 * abs(ratios[-1] - ratios[-2]) * rest.rates[0] / (1 - rest.rates[0])
    return float(ratios[-1]), float(left + all_errors[-2] ** 2 / errors[-2] + 1e-6)


def check_claims(path: Trajectory, rest: FixedPoint, half: int) -> tuple[Claim, ...]:
    """The statements, for everything up to this half-step."""
    monotone, identity, touch, gradient, rate = CLAIMS
    iteration = half // 2
    so_far = path.log_likelihood[: half + 1]
    rounding = ROUNDING * (1 + float(np.abs(path.lower_bound[: half + 1]).max()))
    fall = float(np.maximum(-np.diff(so_far[::2]), 0).max(initial=0.0))
    apart = path.log_likelihood - path.lower_bound - path.gap
    gaps = path.log_likelihood[1 : half + 1 : 2] - path.lower_bound[1 : half + 1 : 2]
    moves = np.diff(path.parameters[: iteration + 1, :2], axis=0)
    worst = np.abs(moves - path.preconditioned[:iteration])
    at = np.unravel_index(int(worst.argmax()), worst.shape) if worst.size else None
    ratio, margin = measured_rate(rest, iteration)
    return (
        monotone.check(0.0, fall, rounding, enough=iteration > 0),
        identity.check(0.0, float(np.abs(apart[: half + 1]).max()), rounding),
        touch.check(0.0, float(np.abs(gaps).max(initial=0.0)), rounding, enough=half > 0),
        gradient.check(
            float(path.preconditioned[at]) if at else float("nan"),
            float(moves[at]) if at else float("nan"),
            MOVES,
            remark=Message("The largest deviation of all iterations so far."),
        ),
        rate.check(float(rest.rates[0]), ratio, margin, enough=margin < VAGUE, remark=rate_remark(rest)),
    )


def rate_remark(rest: FixedPoint) -> Message:
    """What is special about the fixed point."""
    if not np.isfinite(rest.rates[0]):
        return Message("A bias or the weight ends at 0 or 1.")
    if rest.rates[0] > 1 + 1e-9:
        return Message("This is a saddle: the slightest difference between the coins grows by this factor.")
    if rest.rates[0] > 1 - 1e-6:
        return Message("Along one direction nothing tells the parameters apart: a whole ridge is highest.")
    return Message("")
