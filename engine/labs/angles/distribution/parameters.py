"""The parameters of `distribution`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from engine.core.parameters import LabParameters, Ui

Dimension = Annotated[int, Field(ge=2, le=1_000_000)]


class Parameters(LabParameters):
    """The angle between random directions."""

    dimension: Annotated[
        Dimension,
        Ui("Dimension", symbol="n", scale="log", group="Vectors", help="How many independent coordinates a vector has."),
    ] = 100
    pairs: Annotated[
        int,
        Field(ge=2, le=100_000_000),
        Ui("Pairs", symbol="N", scale="log", group="Vectors", help="How many angles are measured."),
    ] = 1_000_000
    against: Annotated[
        Literal["vector", "subspace"],
        Ui(
            "Angle to",
            group="Vectors",
            choices={"vector": "Another vector", "subspace": "A random subspace"},
            help="What the angle of a random vector is measured against.",
        ),
    ] = "vector"
    share: Annotated[
        float,
        Field(gt=0, lt=1),
        Ui(
            "Subspace share",
            symbol="k/n",
            group="Vectors",
            when={"against": ("subspace",)},
            help="Dimension of the subspace over that of the whole space; at one half the angle gathers around 45 degrees.",
        ),
    ] = 0.5
    law: Annotated[
        Literal["gaussian", "uniform", "rademacher", "laplace", "student_t", "sparse"],
        Ui(
            "Entries drawn from",
            group="Law",
            choices={
                "gaussian": "Gaussian",
                "uniform": "Uniform",
                "rademacher": "Signs ±1",
                "laplace": "Laplace",
                "student_t": "Student t",
                "sparse": "Sparse",
            },
            help="The exact law belongs to gaussian entries; the others show how universal it is.",
        ),
    ] = "gaussian"
    degrees_of_freedom: Annotated[
        float,
        Field(ge=0.5, le=100),
        Ui(
            "Degrees of freedom",
            symbol="ν",
            scale="log",
            group="Law",
            when={"law": ("student_t",)},
            help="Up to 2 the variance is infinite, and high dimension no longer makes vectors perpendicular.",
        ),
    ] = 5.0
    nonzero: Annotated[
        float,
        Field(gt=0, le=1),
        Ui(
            "Share of non-zero entries",
            symbol="p",
            scale="log",
            group="Law",
            when={"law": ("sparse",)},
            help="Every entry is zero unless a coin of this probability says otherwise.",
        ),
    ] = 0.1
    method: Annotated[
        Literal["auto", "vectors", "exact"],
        Ui(
            "Angles come from",
            group="Law",
            choices={"auto": "What is feasible", "vectors": "Drawn vectors", "exact": "The exact law"},
            help="Drawn vectors cost one random number per coordinate; the exact law costs the same in every dimension.",
        ),
    ] = "auto"
    bins: Annotated[int, Field(ge=10, le=500), Ui("Bins", effect="live", group="Picture", help="Bars of the histogram.")] = 120
    compare: Annotated[
        tuple[Dimension, ...],
        Field(max_length=5),
        Ui("Compare with n =", effect="live", group="Picture", help="Exact laws of other dimensions, drawn as dashed lines."),
    ] = (10, 30)
    unit: Annotated[
        Literal["degrees", "radians"],
        Ui(
            "Angles in",
            effect="view",
            group="Picture",
            choices={"degrees": "Degrees", "radians": "Radians"},
            help="The unit of the pictures; measures and claims are in radians.",
        ),
    ] = "degrees"
    window: Annotated[
        Literal["fitted", "full"],
        Ui(
            "Range",
            effect="live",
            group="Picture",
            choices={"fitted": "Around the peak", "full": "All angles"},
            help="Whether the picture follows the peak or shows every possible angle.",
        ),
    ] = "fitted"
