"""The parameters of `hashing`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from engine.core.parameters import LabParameters, Ui


class Parameters(LabParameters):
    """Pairs of vectors at one angle, and the signs of their projections."""

    angle: Annotated[
        float,
        Field(ge=0, le=180),
        Ui("Angle of the pair", symbol="θ", unit="°", group="Pairs", help="Between the two vectors of every pair."),
    ] = 60.0
    bits: Annotated[
        int,
        Field(ge=1, le=1024),
        Ui("Bits", symbol="b", scale="log", group="Code", help="How many hyperplanes: each gives a vector one bit, its side."),
    ] = 64
    dimension: Annotated[
        int,
        Field(ge=2, le=1024),
        Ui("Dimension", symbol="n", scale="log", group="Pairs", help="How many coordinates; no law depends on it."),
    ] = 64
    pairs: Annotated[
        int,
        Field(ge=2, le=100_000),
        Ui("Pairs", symbol="N", scale="log", group="Pairs", help="How many pairs are drawn, each with hyperplanes of its own."),
    ] = 2000
    planes: Annotated[
        Literal["normal", "rademacher"],
        Ui(
            "Normals drawn from",
            group="Code",
            choices={"normal": "Normal", "rademacher": "Signs ±1"},
            help="Normal entries make uniform directions; signs need no multiplication, and come close in high dimension.",
            advanced=True,
        ),
    ] = "normal"
