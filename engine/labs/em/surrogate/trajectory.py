"""The paths of EM, gradient ascent and Newton's method on one likelihood: computed at once, shown half-step by half-step."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from engine.core.errors import LabError
from engine.math.latent.surrogates import Array, Censored, Likelihood, Linkage, StudentLocation, following, rate

METHODS = ("em", "gradient", "newton")
RUNAWAY = 50.0  # times the size of the data: farther than this a path does not come back
AT_END = 1e-4  # nearer to an end of its range than this the maximum counts as lying there
ROUNDING = 1e-9  # relative error below which rounding shows in the ratio of two errors
SMALL = 0.03  # ratio of two of Newton's errors below which it is proportional to the error


@dataclass(frozen=True)
class Trajectory:
    """Iterates of one method.

    Parameters
    ----------
    theta : array, shape (K + 1,)
        The start first; fewer than asked for where the method broke off.
    lost : float
        Where the next iterate would be, not a number while there is nothing wrong.
    target : float
        The maximum that EM climbs to from the last iterate.
    rate : float
        The factor by which errors shrink near it, after the theory.
    interior : bool
        Whether the maximum lies clearly inside the range of the parameter; else the rate is not a number.
    """

    theta: Array
    lost: float
    target: float
    rate: float
    interior: bool

    @property
    def errors(self) -> Array:
        """Distances to the maximum, shape (K + 1,)."""
        return np.abs(self.theta - self.target)


def size_of(likelihood: Likelihood) -> float:
    """How large the parameter can sensibly be."""
    match likelihood:
        case Censored(limit=limit):
            return float(max(limit, likelihood.total))
        case StudentLocation():
            return float(1 + np.abs(likelihood.x).max())
    return 1.0


def trajectory(likelihood: Likelihood, method: str, start: float, steps: int, step_size: float) -> Trajectory:
    """So many iterations of a method, or those until it leaves the range of the parameter."""
    theta, lost, far = [start], math.nan, RUNAWAY * size_of(likelihood)
    for _ in range(steps):
        there = following(likelihood, method, theta[-1], step_size)
        if not likelihood.inside(there) or abs(there) > far:
            lost = there
            break
        theta.append(there)
    target = likelihood.rest(theta[-1])
    interior = likelihood.low + AT_END < target < likelihood.high - AT_END and likelihood.curvature(target) < 0
    slope = rate(likelihood, method, target, step_size) if interior else math.nan
    return Trajectory(np.array(theta), lost, target, slope, interior)


def check(likelihood: Likelihood, way: Trajectory, method: str, half: int) -> None:
    """Say so where a path broke off.

    Raises
    ------
    LabError
        If the next iterate is not in the range of the parameter, or far beyond it.
    """
    if half <= 2 * len(way.theta) - 1:  # the last surrogate is still fitted, its peak is out of reach
        return
    values = {
        "step": len(way.theta),
        "theta": f"{way.lost:.4g}",
        "at": f"{way.theta[-1]:.4g}",
        "low": f"{max(likelihood.low, -RUNAWAY * size_of(likelihood)):.4g}",
        "high": f"{min(likelihood.high, RUNAWAY * size_of(likelihood)):.4g}",
    }
    if method == "gradient":
        best = likelihood.rest(way.theta[0])
        safe = -2 / likelihood.curvature(best) if likelihood.low + AT_END < best < likelihood.high - AT_END else math.nan
        raise LabError(
            "Gradient ascent diverges: step {step} goes from θ = {at} to {theta}, outside {low} to {high}.",
            "Near the maximum it converges for a step size below 2/I = {safe}.",
            **values,
            safe=f"{safe:.3g}",
        )
    if method == "newton":
        raise LabError(
            "Newton's method diverges: step {step} goes from θ = {at} to {theta}, outside {low} to {high}.",
            "There the likelihood is curved upwards or too flat for a parabola. Start nearer to the maximum, or take EM.",
            **values,
        )
    raise LabError(
        "EM reaches θ = {theta} at step {step}, an end of the range {low} to {high}.",
        "The likelihood is highest at the end: these data have no maximum inside.",
        **values,
    )


def exact_maximum(likelihood: Likelihood, near: float) -> float:
    """The maximum in closed form where there is one, else the one that EM climbs to from a place."""
    if isinstance(likelihood, Linkage):
        return likelihood.exact()
    if isinstance(likelihood, Censored):
        return likelihood.total / likelihood.ended
    return likelihood.rest(near)


def measured_rate(
    likelihood: Likelihood, way: Trajectory, method: str, iteration: int, step_size: float
) -> tuple[float, float]:
    """The ratio of the last two errors that rounding has not spoiled, and how far it may be from its limit.

    The ratio is λ + C e with errors e that shrink by λ, hence C e is the last change times λ / (1 - λ). It is also, by the
    mean value theorem, the slope of the map somewhere between iterate and maximum: its change in between is allowed for.
    """
    errors = way.errors[: iteration + 1]
    usable = errors[errors > ROUNDING * (1 + abs(way.target))]
    slope = abs(way.rate)
    if len(usable) < 4 or not slope < 1:
        return math.nan, math.nan
    ratios = usable[1:] / usable[:-1]
    at = float(way.theta[: iteration + 1][errors > ROUNDING * (1 + abs(way.target))][-2])
    bend = map_slope(likelihood, method, at, step_size) - map_slope(likelihood, method, way.target, step_size)
    left = abs(ratios[-1] - ratios[-2]) * slope / (1 - slope) + abs(bend)
    return float(ratios[-1]), float(2 * left + 1e-6)


def map_slope(likelihood: Likelihood, method: str, at: float, step_size: float) -> float:
    """The slope of a method's map θ → θ', by a central difference."""
    width = 1e-5 * min(1 + abs(at), at - likelihood.low, likelihood.high - at)
    ends = [following(likelihood, method, at + shift, step_size) for shift in (-width, width)]
    return (ends[1] - ends[0]) / (2 * width)


def measured_square(likelihood: Likelihood, way: Trajectory, iteration: int) -> tuple[float, float, float]:
    """Newton's e_{k+1} / e_k², its limit |ℓ''' / (2 ℓ'')|, and how far it may be from it: its last change."""
    errors = way.errors[: iteration + 1]
    usable = errors[errors > 1e-4 * ROUNDING * (1 + abs(way.target))]
    width = 1e-4 * min(1 + abs(way.target), way.target - likelihood.low, likelihood.high - way.target)
    third = (likelihood.curvature(way.target + width) - likelihood.curvature(way.target - width)) / (2 * width)
    limit = abs(third / (2 * likelihood.curvature(way.target)))
    if len(usable) < 3:
        return limit, math.nan, math.nan
    ratios = usable[1:] / usable[:-1] ** 2
    if usable[-2] * limit > SMALL:  # not near enough for errors to be squared
        return limit, float(ratios[-1]), math.nan
    return limit, float(ratios[-1]), float(abs(ratios[-1] - ratios[-2]) + 1e-15 * (1 + abs(way.target)) / usable[-2] ** 2)
