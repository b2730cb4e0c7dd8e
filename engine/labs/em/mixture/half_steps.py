"""The two half-steps of `mixture`."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import torch

from engine.core.context import Context
from engine.labs.em.mixture.model import model_of
from engine.labs.em.mixture.parameters import Parameters
from engine.labs.em.mixture.state import (
    KEPT_STRIDES,
    SMALLEST_STRIDE,
    Online,
    Record,
    State,
    Stride,
    collapsed,
    looked,
    settings_of,
)
from engine.math.latent.gaussian_mixtures import Expectation
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
    if parameters.algorithm == "online":
        state = replace(state, online=arrive(state, parameters, context))
    bound = model_of(parameters).bound(state.cloud.points, ahead, state.present)
    state.trajectory.records.append(state.now)
    now = Record(halves, ahead.log_likelihood, bound, ahead.rounding, settings_of(parameters), parameters.drawn)
    return replace(state, ahead=ahead, expected=ahead, believed=state.present, now=now, phase="e", halves=halves, hard=hard)


def arrive(state: State, parameters: Parameters, context: Context) -> Online:
    """The next batch: its responsibilities enter with the share t^-κ, all earlier ones are forgotten as much.

    References
    ----------
    Cappé & Moulines (2009), On-line expectation-maximization algorithm for latent data models, JRSS B 71.
    """
    points, n = state.cloud.points, state.cloud.count
    size = min(parameters.batch, n)
    k = state.present.components
    before = state.online or Online(points.new_zeros((k, n)), points.new_zeros(0).long(), points.new_zeros(0).long(), 0)
    queue = before.queue
    while len(queue) < size:
        queue = torch.cat([queue, torch.randperm(n, generator=context.generator("arrivals"), device=points.device)])
    batch = queue[:size]
    arrivals = before.arrivals + 1
    share = arrivals**-parameters.forgetting
    shares = (1 - share) * before.shares
    found = model_of(parameters).posterior(points[:, batch], state.present, hard=False).to(shares)
    shares.index_add_(1, batch, share * n / size * found)
    return Online(shares, queue[size:], batch, arrivals)


def m_step(state: State, parameters: Parameters, context: Context) -> State:
    """Components for the present responsibilities, and a look ahead at their likelihood."""
    cloud, old, expected = state.cloud, state.present, state.expected
    assert expected is not None
    iteration, settings = state.iteration + 1, settings_of(parameters)
    model = model_of(parameters)
    new = moved(state, parameters)
    ahead = looked(cloud, new, parameters, context, iteration)
    over = parameters.algorithm == "em" and parameters.relaxation != 1
    if over and ahead.log_likelihood < expected.log_likelihood:
        new = fitted(state, parameters)
        ahead = looked(cloud, new, parameters, context, iteration)
    slack = ahead.rounding
    if parameters.algorithm not in ("gradient", "online"):
        slack += model.slack(cloud.points, expected, new)
    bound, halves = model.bound(cloud.points, expected, new), state.halves + 1
    trajectory = state.trajectory
    previous = trajectory.records[-1] if trajectory.records else None
    trajectory.records.append(state.now)
    trajectory.means.append(new.means.cpu())
    if parameters.family == "normal" and (length := distance(old, new)) > SMALLEST_STRIDE:
        trajectory.strides.append(Stride(old, new, length, settings))
        del trajectory.strides[:-KEPT_STRIDES]
    gain = ahead.log_likelihood - expected.log_likelihood
    if parameters.algorithm == "hard":  # what hard EM climbs is its own bound
        gain = bound - previous.lower_bound if previous else math.inf
    still = parameters.algorithm != "online" and previous is not None and abs(gain) <= parameters.tolerance * cloud.count
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


def moved(state: State, parameters: Parameters) -> Mixture:
    """What the M half-step of the algorithm makes of the responsibilities."""
    expected, old = state.expected, state.present
    assert expected is not None
    if parameters.algorithm == "online" and state.online is not None:
        with collapses_told(state, parameters):
            return model_of(parameters).fit_shares(state.cloud.points, state.online.shares, old)
    if parameters.algorithm == "gradient":
        assert isinstance(expected, Expectation)
        shape, floor, rate = parameters.covariance, parameters.floor, parameters.learning_rate
        new = ascend(expected.statistics, old, shape, floor, rate, state.cloud.scale)
    else:
        new = fitted(state, parameters)
        if parameters.algorithm != "em" or parameters.relaxation == 1 or parameters.family != "normal":
            return new
        new = relaxed(old, new, parameters.relaxation)
    with collapses_told(state, parameters):
        check_extent(new, expected.counts, parameters.floor)
    return new


def fitted(state: State, parameters: Parameters) -> Mixture:
    """The M half-step of EM."""
    assert state.expected is not None
    with collapses_told(state, parameters):
        return model_of(parameters).fit(state.cloud.points, state.expected, state.present)


@contextmanager
def collapses_told(state: State, parameters: Parameters) -> Iterator[None]:
    """One sentence instead of infinite numbers."""
    try:
        yield
    except Collapse as collapse:
        raise collapsed(collapse, state.cloud, state.iteration + 1, parameters.floor) from None
