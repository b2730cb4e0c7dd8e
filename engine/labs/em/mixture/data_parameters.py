"""The parameters of `mixture` that say where its points come from."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from engine.core.parameters import LabParameters, Ui, problem

Matrix = tuple[tuple[float, ...], ...]

NORMALS = ("blobs", "overlapping", "anisotropic", "cross")  # made by a mixture of normals: the truth is known
CURVED = ("moons", "rings")
OTHERS = ("heavy", "counts", "lines", "digits")  # made for other families
MADE = NORMALS + CURVED + OTHERS
CLASSICS = ("iris", "wine", "breast_cancer")


class DataParameters(LabParameters):
    """Where the points come from."""

    data: Annotated[
        Literal[
            "blobs",
            "overlapping",
            "anisotropic",
            "cross",
            "moons",
            "rings",
            "heavy",
            "counts",
            "lines",
            "digits",
            "drawn",
            "values",
            "file",
            "iris",
            "wine",
            "breast_cancer",
        ],
        Ui(
            "Data",
            symbol="x",
            group="Data",
            choices={
                "blobs": "Round groups",
                "overlapping": "Overlapping groups",
                "anisotropic": "Long groups",
                "cross": "A cross",
                "moons": "Two moons",
                "rings": "Two rings",
                "heavy": "Groups with outliers",
                "counts": "Counts",
                "lines": "Points about lines",
                "digits": "Digits, pixels on or off",
                "drawn": "Drawn with the mouse",
                "values": "A list of numbers",
                "file": "A file",
                "iris": "Iris (4 columns)",
                "wine": "Wine (13 columns)",
                "breast_cancer": "Breast cancer (30 columns)",
            },
            help="Where the points come from. Points drawn with the mouse are added to any of them.",
        ),
    ] = "anisotropic"
    values: Annotated[
        Matrix,
        Ui(
            "Values",
            symbol="x_i",
            group="Data",
            when={"data": ("values",)},
            help="A single row is a list of numbers; of several rows, parted by semicolons, each is a point.",
        ),
    ] = ((1.0, 2.0, 3.0, 8.0, 9.0, 10.0),)
    drawn: Annotated[
        Matrix,
        Ui(
            "Drawn points",
            effect="live",
            group="Data",
            advanced=True,
            help="Rows with the coordinates of points, one number on a line; they join the data, and the run goes on.",
        ),
    ] = ()
    file: Annotated[
        str,
        Ui(
            "File",
            kind="file",
            reads="table",
            group="Data",
            when={"data": ("file",)},
            help="A text file of numbers in columns (CSV); names may stand in the first row.",
        ),
    ] = ""
    columns: Annotated[
        tuple[Annotated[int, Field(ge=1, le=10_000)] | str, ...],
        Ui(
            "Columns",
            kind="columns",
            of="file",
            group="Data",
            when={"data": ("file", *CLASSICS)},
            help="Which columns are used, by name or counted from one; none given means every column of numbers.",
        ),
    ] = ()
    points: Annotated[
        int,
        Field(ge=2, le=10_000_000),
        Ui("Points", symbol="n", scale="log", group="Data", when={"data": MADE}, help="How many points are made."),
    ] = 500
    clusters: Annotated[
        int,
        Field(ge=1, le=8),
        Ui(
            "Groups made",
            group="Data",
            when={"data": ("blobs", "overlapping", "anisotropic", "heavy", "counts", "lines")},
            help="How many laws the points truly come from; the fit need not use as many.",
        ),
    ] = 3
    dimension: Annotated[
        int,
        Field(ge=1, le=16),
        Ui(
            "Dimension",
            symbol="d",
            group="Data",
            when={"data": ("blobs", "overlapping", "anisotropic", "heavy", "counts")},
            help="Coordinates of a point; above two the picture is a projection.",
        ),
    ] = 2
    separation: Annotated[
        float,
        Field(ge=0, le=8),
        Ui(
            "Separation",
            symbol="δ",
            group="Data",
            when={"data": (*NORMALS, "heavy", "counts")},
            help="Distance of neighbouring groups in standard deviations; EM is slow where groups overlap.",
        ),
    ] = 4.0
    noise: Annotated[
        float,
        Field(ge=0, le=0.5),
        Ui("Noise", symbol="σ", group="Data", when={"data": CURVED}, help="Width of the moons and rings."),
    ] = 0.1

    @field_validator("columns")
    @classmethod
    def different_columns(cls, columns: tuple[int | str, ...]) -> tuple[int | str, ...]:
        """None twice: a covariance could not be inverted."""
        if len(set(columns)) != len(columns):
            raise problem("columns", "columns names one column twice.")
        return columns
