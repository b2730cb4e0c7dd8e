"""The parameters of `orthogonality`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from engine.core.parameters import LabParameters, Ui

Side = Annotated[int, Field(ge=2, le=4096)]


class Parameters(LabParameters):
    """A matrix W of random entries: outputs are rows, inputs are columns."""

    rows: Annotated[Side, Ui("Rows", symbol="m", scale="log", group="Matrix", help="The dimension of the output y = Wx.")] = 200
    columns: Annotated[Side, Ui("Columns", symbol="n", scale="log", group="Matrix", help="The dimension of the input x.")] = 200
    law: Annotated[
        Literal["normal", "uniform", "rademacher", "laplace", "truncated_normal", "orthogonal"],
        Ui(
            "Entries drawn from",
            group="Matrix",
            choices={
                "normal": "Normal",
                "uniform": "Uniform",
                "rademacher": "Signs ±1",
                "laplace": "Laplace",
                "truncated_normal": "Truncated normal",
                "orthogonal": "Exactly orthogonal",
            },
            help="Independent entries, or for comparison a random matrix with orthonormal columns, or rows if those are fewer.",
        ),
    ] = "normal"
    variance: Annotated[
        float,
        Field(ge=0, le=4),
        Ui(
            "Variance (0: automatic)",
            symbol="σ²",
            scale="log",
            group="Matrix",
            help="Of an entry; 0 stands for 1/rows, which keeps the length of an input on average.",
        ),
    ] = 0.0
    draws: Annotated[
        int,
        Field(ge=1, le=500),
        Ui("Matrices", scale="log", group="Matrix", help="How many matrices are drawn; histograms and numbers join them."),
    ] = 20
    spectrum: Annotated[
        Literal["auto", "exact"],
        Ui(
            "Singular values",
            group="Matrix",
            choices={"auto": "What is quick", "exact": "Always exact"},
            help="Above 2,048 rows and columns a CPU takes seconds that cannot be interrupted; quick estimates them there.",
            advanced=True,
        ),
    ] = "auto"
    bins: Annotated[int, Field(ge=10, le=200), Ui("Bins", effect="live", group="Picture", help="Bars of the histograms.")] = 60
    colours: Annotated[
        Literal["one", "noise"],
        Ui(
            "Colours reach to",
            effect="view",
            group="Picture",
            choices={"one": "The diagonal", "noise": "The noise"},
            help="Full colour for an entry of 1, or already for the largest entries off the diagonal.",
        ),
    ] = "one"
    last: Annotated[
        Literal["comparison", "eigenvalues"],
        Ui(
            "Last picture",
            effect="view",
            group="Picture",
            choices={"comparison": "Entry, input, worst input", "eigenvalues": "Eigenvalues"},
            help="The three distances from orthogonality side by side, or the eigenvalues of a square matrix.",
        ),
    ] = "comparison"
