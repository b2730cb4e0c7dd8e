"""The two half-steps of `mixture`."""

from __future__ import annotations

import math
from dataclasses import replace

from torch import Tensor

from engine.core.context import Context
from engine.labs.em.mixture.parameters import Parameters
from engine.labs.em.mixture.state import (
    KEPT_STRIDES,
    SMALLEST_STRIDE,
    Record,
    State,
    Stride,
    collapsed,
    looked,
    settings_of,
)
from engine.math.latent.gaussian_mixtures import (
    Expectation,
    cost_of_floor,
    cost_of_rounding,
    lower_bound,
    maximisation,
)
from engine.math.latent.gradient import ascend
from engine.math.latent.laws import Collapse, Mixture, check_extent, relaxed
from engine.math.latent.rates import distance


def advance(state: State, parameters: Parameters, context: Context) -> State:
    """One half-step; of a run that has converged none."""
    if state.converged_with is not None:
        if state.converged_with == (settings_of(parameters), parameters.tolerance):
            return replace(state, halves=state.halves + 1)
        state = replace(state, converged_with=None)
    return e_step(state, parameters, context) if state.phase != "e" else m_step(state, parameters, context)


def e_step(state: State, parameters: Parameters, context: Context) -> State:
    """Responsibilities of the present components."""
    hard = parameters.algorithm == "hard"
    ahead = state.ahead
    if hard != state.hard:
        ahead = looked(state.cloud, state.present, parameters, context, state.iteration)
    halves = state.halves + 1
    bound = lower_bound(ahead, state.present)
    state.trajectory.records.append(state.now)
    now = Record(halves, ahead.log_likelihood, bound, ahead.rounding, settings_of(parameters), parameters.drawn)
    return replace(state, ahead=ahead, expected=ahead, believed=state.present, now=now, phase="e", halves=halves, hard=hard)


def m_step(state: State, parameters: Parameters, context: Context) -> State:
    """Components for the present responsibilities, and a look ahead at their likelihood."""
    cloud, old, expected = state.cloud, state.present, state.expected
    assert expected is not None
    iteration, settings = state.iteration + 1, settings_of(parameters)
    new = moved(expected, old, parameters, cloud.scale)
    refuse_collapse(new, state, expected, parameters)
    ahead = looked(cloud, new, parameters, context, iteration)
    over = parameters.algorithm == "em" and parameters.relaxation != 1
    if over and ahead.log_likelihood < expected.log_likelihood:
        new = maximisation(expected.statistics, parameters.covariance, parameters.floor, before=old)
        refuse_collapse(new, state, expected, parameters)
        ahead = looked(cloud, new, parameters, context, iteration)
    slack = ahead.rounding + cost_of_rounding(new, expected.statistics)
    if parameters.algorithm == "em":
        slack += cost_of_floor(new, expected.statistics, parameters.floor)
    bound, halves = lower_bound(expected, new), state.halves + 1
    trajectory = state.trajectory
    previous = trajectory.records[-1] if trajectory.records else None
    trajectory.records.append(state.now)
    trajectory.means.append(new.means.cpu())
    if (length := distance(old, new)) > SMALLEST_STRIDE:
        trajectory.strides.append(Stride(old, new, length, settings))
        del trajectory.strides[:-KEPT_STRIDES]
    gain = ahead.log_likelihood - expected.log_likelihood
    if parameters.algorithm == "hard":  # what hard EM climbs is its own bound
        gain = bound - previous.lower_bound if previous else math.inf
    still = previous is not None and abs(gain) <= parameters.tolerance * cloud.count
    return replace(
        state,
        present=new,
        before=old,
        ahead=ahead,
        now=Record(halves, ahead.log_likelihood, bound, slack, settings, parameters.drawn),
        phase="m",
        halves=halves,
        iteration=iteration,
        made_with=settings,
        converged_with=(settings, parameters.tolerance) if still else None,
    )


def moved(expected: Expectation, old: Mixture, parameters: Parameters, scale: Tensor) -> Mixture:
    """What the M half-step of the algorithm makes of the responsibilities."""
    if parameters.algorithm == "gradient":
        return ascend(expected.statistics, old, parameters.covariance, parameters.floor, parameters.learning_rate, scale)
    top = maximisation(expected.statistics, parameters.covariance, parameters.floor, before=old)
    if parameters.algorithm == "em" and parameters.relaxation != 1:
        return relaxed(old, top, parameters.relaxation)
    return top


def refuse_collapse(mixture: Mixture, state: State, expected: Expectation, parameters: Parameters) -> None:
    """One sentence instead of infinite numbers."""
    try:
        check_extent(mixture, expected.statistics.counts, parameters.floor)
    except Collapse as collapse:
        raise collapsed(collapse, state.cloud, state.iteration + 1, parameters.floor) from None
