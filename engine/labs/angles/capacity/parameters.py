"""The parameters of `capacity`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from engine.core.parameters import LabParameters, Ui


class Parameters(LabParameters):
    """Random directions, drawn one after another."""

    vectors: Annotated[
        int,
        Field(ge=2, le=50_000),
        Ui("Vectors", symbol="m", scale="log", group="Vectors", help="How many random vectors are drawn, one after another."),
    ] = 2000
    dimension: Annotated[
        int,
        Field(ge=2, le=10_000),
        Ui("Dimension", symbol="n", scale="log", group="Vectors", help="How many independent coordinates a vector has."),
    ] = 100
    law: Annotated[
        Literal["normal", "uniform", "rademacher", "laplace", "truncated_normal"],
        Ui(
            "Entries drawn from",
            group="Vectors",
            choices={
                "normal": "Normal",
                "uniform": "Uniform",
                "rademacher": "Signs ±1",
                "laplace": "Laplace",
                "truncated_normal": "Truncated normal",
            },
            help="The exact law belongs to normal entries; the others show how universal it is.",
        ),
    ] = "normal"
    epsilon: Annotated[
        float,
        Field(ge=0.01, le=0.99),
        Ui(
            "Tolerance",
            symbol="ε",
            effect="live",
            group="Picture",
            help="Two vectors count as nearly perpendicular while |cos| is at most this.",
        ),
    ] = 0.4
    bins: Annotated[int, Field(ge=10, le=300), Ui("Bins", effect="live", group="Picture", help="Bars of the histogram.")] = 80
