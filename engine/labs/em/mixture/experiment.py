"""Gaussian mixtures by EM, one half-step at a time: a likelihood, the bound below it, and two moves that never go down."""

from __future__ import annotations

from dataclasses import dataclass, replace

from engine.core.context import Context
from engine.core.experiment import Experiment
from engine.core.frames import Observation
from engine.labs.em.mixture.beside import Beside, begin_beside, follow, tail
from engine.labs.em.mixture.claims import CLAIMS, MEASURES, check_claims, measured_rate
from engine.labs.em.mixture.observe import current, measures_of, picture_of, tables_of
from engine.labs.em.mixture.parameters import Parameters
from engine.labs.em.mixture.picture import Picture
from engine.labs.em.mixture.run import Run, advance, begin_run, fresh

__all__ = ["EXPERIMENT", "Parameters", "Picture"]


@dataclass(frozen=True, slots=True)
class State:
    """The run, and what is computed beside it."""

    run: Run
    beside: Beside


def init(parameters: Parameters, context: Context) -> State:
    """Points and the first components."""
    run = begin_run(parameters, context)
    return State(run, begin_beside(run, parameters, context))


def step(state: State, parameters: Parameters, context: Context) -> State:
    """An E or an M half-step, and a share of what is wanted beside it; after the last one whole fits beside it."""
    last = 2 * parameters.steps
    over = state.run.halves >= last
    run = advance_over(state.run) if over else advance(state.run, parameters, context)
    follow(state.beside, run, parameters, context, last)
    return State(run, state.beside)


def advance_over(run: Run) -> Run:
    """A step after the last half-step: the run rests."""
    return replace(run, halves=run.halves + 1)


def total(parameters: Parameters, context: Context) -> int:
    """Half-steps, and a step for each fit beside them that may be left over."""
    return 2 * parameters.steps + tail(parameters)


def observe(state: State, parameters: Parameters, context: Context) -> Observation:
    """Points, components, curves and numbers."""
    run, beside = fresh(state.run, parameters, context), state.beside
    picture = picture_of(run, beside, parameters)
    measures = measures_of(run, parameters, picture)
    _, wobble = measured_rate(run.trail.strides)
    claims = check_claims(run, parameters, current(beside.lookahead, parameters), picture.measured_rate, wobble)
    return Observation(picture, measures, claims, tables_of(run, picture))


EXPERIMENT = Experiment(
    parameters=Parameters,
    init=init,
    step=step,
    observe=observe,
    measures=MEASURES,
    claims=CLAIMS,
    total=total,
    rate=12,
    history=True,
    memory=("points", "components"),
)
