"""Random walks whose steps are tosses of a coin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from pydantic import Field

from engine.core.claims import ClaimSpec
from engine.core.context import Context
from engine.core.experiment import Experiment, Measure
from engine.core.frames import Observation
from engine.core.parameters import LabParameters, Ui


class Parameters(LabParameters):
    """Many walkers, one coin."""

    walkers: Annotated[int, Field(ge=2, le=100_000), Ui("Walkers", scale="log", help="How many walk.", group="Walk")] = 1000
    steps: Annotated[int, Field(ge=1, le=200), Ui("Steps", help="How far they walk.", group="Walk")] = 20
    stride: Annotated[float, Field(gt=0, le=10), Ui("Stride", symbol="s", effect="live", help="Length of a step.")] = 1.0
    start: Annotated[
        Literal["zero", "spread"], Ui("Start", help="Where they start.", choices={"zero": "At zero", "spread": "Spread"})
    ] = "zero"


@dataclass(frozen=True, slots=True)
class Picture:
    """Where the walkers are."""

    positions: torch.Tensor


def init(parameters: Parameters, context: Context) -> torch.Tensor:
    """All at zero, or spread by a normal law."""
    if parameters.start == "zero":
        return torch.zeros(parameters.walkers, device=context.device)
    return torch.randn(parameters.walkers, generator=context.generator("init"), device=context.device)


def step(state: torch.Tensor, parameters: Parameters, context: Context) -> torch.Tensor:
    """A toss each."""
    heads = torch.randint(0, 2, state.shape, generator=context.generator("noise"), device=context.device)
    return state + parameters.stride * (2 * heads - 1)


MEAN = ClaimSpec("mean", "The walkers stay where they started on average.", r"\mathbb E x = 0")


def observe(state: torch.Tensor, parameters: Parameters, context: Context) -> Observation:
    """Positions and their first two moments."""
    mean, variance = state.mean().item(), state.var().item()
    tolerance = 5 * (variance / parameters.walkers) ** 0.5
    return Observation(
        picture=Picture(state),
        measures={"mean": mean, "variance": variance},
        claims=(MEAN.check(0.0, mean, tolerance, enough=variance > 0),),
        tables={"quantiles": state.quantile(torch.tensor([0.25, 0.5, 0.75], device=state.device)).tolist()},
    )


EXPERIMENT = Experiment(
    parameters=Parameters,
    init=init,
    step=step,
    observe=observe,
    measures=(Measure("mean", "Mean"), Measure("variance", "Variance")),
    claims=(MEAN,),
    total=lambda parameters, context: parameters.steps,
    memory=("walkers",),
)
