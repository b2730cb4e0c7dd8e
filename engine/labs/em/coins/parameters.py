"""The parameters of `coins`."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from engine.core.parameters import LabParameters, Ui, problem

MOST_SETS = 60
MOST_FLIPS = 1000


class Parameters(LabParameters):
    """Sets of flips, each made with one of two coins."""

    heads: Annotated[
        tuple[int, ...],
        Ui("Heads", symbol="h", group="Flips", help="Number of heads in each set. A click into the table changes it, too."),
    ] = (5, 9, 8, 4, 7)
    flips: Annotated[
        tuple[int, ...],
        Ui("Flips", symbol="n", group="Flips", help="Number of flips in each set; a single number holds for all sets."),
    ] = (10,)
    start_a: Annotated[
        float, Field(gt=0, lt=1), Ui("Start of coin A", symbol="θ_A", group="Start", help="First guess of the bias of coin A.")
    ] = 0.6
    start_b: Annotated[
        float, Field(gt=0, lt=1), Ui("Start of coin B", symbol="θ_B", group="Start", help="First guess of the bias of coin B.")
    ] = 0.5
    mixing: Annotated[
        Literal["fixed", "free"],
        Ui(
            "Mixing weight",
            group="Start",
            choices={"fixed": "Fixed", "free": "Free"},
            help="Whether the probability of taking coin A stays as given, or is estimated as well.",
        ),
    ] = "fixed"
    weight_a: Annotated[
        float,
        Field(gt=0, lt=1),
        Ui(
            "Weight of coin A",
            symbol="w",
            group="Start",
            help="Probability of taking coin A: kept if fixed, else the first guess.",
        ),
    ] = 0.5
    steps: Annotated[
        int,
        Field(ge=1, le=400),
        Ui("Iterations", scale="log", group="Run", help="Full iterations: an E step and an M step each."),
    ] = 10
    bound: Annotated[
        bool,
        Ui("Show the bound", effect="view", group="Picture", help="Level lines of the lower bound that the M step climbs."),
    ] = True

    @model_validator(mode="after")
    def check_sets(self) -> Self:
        """Heads and flips belong together."""
        if not 1 <= len(self.heads) <= MOST_SETS:
            raise problem(
                "heads", "heads lists {count} sets; from 1 to {most} can be shown.", count=len(self.heads), most=MOST_SETS
            )
        if len(self.flips) not in (1, len(self.heads)):
            raise problem(
                "flips",
                "flips lists {flips} sets and heads {heads}: give as many, or one number for all.",
                flips=len(self.flips),
                heads=len(self.heads),
            )
        for number, (heads, flips) in enumerate(zip(self.heads, all_flips(self), strict=True), start=1):
            if not 1 <= flips <= MOST_FLIPS:
                raise problem(
                    "flips",
                    "Set {number} has {flips} flips; from 1 to {most} are allowed.",
                    number=number,
                    flips=flips,
                    most=MOST_FLIPS,
                )
            if not 0 <= heads <= flips:
                raise problem(
                    "heads", "Set {number} has {heads} heads among {flips} flips.", number=number, heads=heads, flips=flips
                )
        return self


def all_flips(parameters: Parameters) -> tuple[int, ...]:
    """The number of flips of every set."""
    return parameters.flips * len(parameters.heads) if len(parameters.flips) == 1 else parameters.flips
