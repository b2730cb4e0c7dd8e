"""Gaussian mixtures by EM, one half-step at a time: a likelihood, the bound below it, and two moves that never go down."""

from __future__ import annotations

from dataclasses import replace

from engine.core.context import Context
from engine.core.experiment import Experiment
from engine.core.frames import Observation
from engine.core.messages import Message
from engine.labs.em.mixture.claims import CLAIMS, MEASURES, check_claims
from engine.labs.em.mixture.half_steps import advance
from engine.labs.em.mixture.observe import current, measures_of, picture_of, tables_of
from engine.labs.em.mixture.parameters import Parameters
from engine.labs.em.mixture.picture import Picture
from engine.labs.em.mixture.side_runs import follow, tail
from engine.labs.em.mixture.state import State, adapt, begin, settings_of

__all__ = ["EXPERIMENT", "Parameters", "Picture"]


def step(state: State, parameters: Parameters, context: Context) -> State:
    """An E or an M half-step, and a share of what is wanted beside it; after the last one whole fits beside it."""
    last = 2 * parameters.steps
    over = state.halves >= last
    state = replace(state, halves=state.halves + 1) if over else advance(state, parameters, context)
    follow(state.side, state.cloud, state.present, state.halves, last, parameters, context)
    return state


def total(parameters: Parameters, context: Context) -> int:
    """Half-steps, and a step for each fit beside them that may be left over."""
    return 2 * parameters.steps + tail(parameters)


def settled(state: State, parameters: Parameters, context: Context) -> Message | None:
    """Once the run has converged and nothing beside it is left to do."""
    side = state.side
    waiting = bool(side.queue) or bool(side.race) or side.bayes is not None or (side.ahead is not None and not side.ahead.done)
    if waiting or state.converged_with != (settings_of(parameters), parameters.tolerance):
        return None
    return Message("Converged: no further iteration changes anything.")


def observe(state: State, parameters: Parameters, context: Context) -> Observation[Picture]:
    """Points, components, curves and numbers."""
    picture = picture_of(state, parameters)
    measures = measures_of(state, parameters, picture)
    claims = check_claims(state, parameters, current(state.side, parameters))
    return Observation(picture, measures, claims, tables_of(state, picture))


EXPERIMENT = Experiment(
    parameters=Parameters,
    init=begin,
    step=step,
    adapt=adapt,
    settled=settled,
    observe=observe,
    measures=MEASURES,
    claims=CLAIMS,
    total=total,
    rate=12,
    history=True,
    memory=("points", "components"),
)
