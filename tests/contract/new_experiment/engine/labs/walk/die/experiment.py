"""A die that is thrown ten times in each step."""

from __future__ import annotations

import torch
from engine.labs.walk.die.claims import CLAIMS, MEASURES, check
from engine.labs.walk.die.parameters import Parameters
from engine.labs.walk.die.picture import Picture
from engine.labs.walk.die.state import State

from engine.core.context import Context
from engine.core.experiment import Experiment
from engine.core.frames import Observation

AT_ONCE = 10


def init(parameters: Parameters, context: Context) -> State:
    """No throw yet."""
    return State(torch.zeros(parameters.faces, device=context.device), parameters.shown)


def step(state: State, parameters: Parameters, context: Context) -> State:
    """Ten throws."""
    thrown = torch.randint(parameters.faces, (AT_ONCE,), generator=context.generator("noise"), device=context.device)
    state.counts += torch.bincount(thrown, minlength=parameters.faces)
    return state


def adapt(state: State, parameters: Parameters, context: Context) -> State:
    """Other bars from now on."""
    state.shown = parameters.shown
    return state


def observe(state: State, parameters: Parameters, context: Context) -> Observation[Picture]:
    """The counts and their mean."""
    throws = int(state.counts.sum())
    mean = float((state.counts * state.faces).sum()) / max(throws, 1)
    theory = (parameters.faces + 1) / 2
    claims = check(mean, parameters.faces, throws)
    return Observation(Picture(state.counts[: state.shown]), {"mean": mean, "theory_mean": theory}, claims)


EXPERIMENT = Experiment(
    parameters=Parameters,
    init=init,
    step=step,
    observe=observe,
    adapt=adapt,
    measures=MEASURES,
    claims=CLAIMS,
    total=lambda parameters, context: parameters.throws // AT_ONCE,
    memory=("faces",),
)
