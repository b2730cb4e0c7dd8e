"""The parameters of `mixture`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from engine.core.parameters import LabParameters, Ui, problem

Matrix = tuple[tuple[float, ...], ...]

NORMALS = ("blobs", "overlapping", "anisotropic", "cross")  # made by a mixture of normals: the truth is known
CURVED = ("moons", "rings")
MADE = NORMALS + CURVED
CLASSICS = ("iris", "wine", "breast_cancer")
MOST_NUMBERS = 50_000  # of a list by hand


class Parameters(LabParameters):
    """A mixture of normals, fitted half-step by half-step."""

    data: Annotated[
        Literal[
            "blobs",
            "overlapping",
            "anisotropic",
            "cross",
            "moons",
            "rings",
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
            when={"data": ("blobs", "overlapping", "anisotropic")},
            help="How many normal laws the points truly come from; the fit need not use as many.",
        ),
    ] = 3
    dimension: Annotated[
        int,
        Field(ge=1, le=16),
        Ui(
            "Dimension",
            symbol="d",
            group="Data",
            when={"data": ("blobs", "overlapping", "anisotropic")},
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
            when={"data": NORMALS},
            help="Distance of neighbouring groups in standard deviations; EM is slow where groups overlap.",
        ),
    ] = 4.0
    noise: Annotated[
        float,
        Field(ge=0, le=0.5),
        Ui("Noise", symbol="σ", group="Data", when={"data": CURVED}, help="Width of the moons and rings."),
    ] = 0.1

    components: Annotated[
        int,
        Field(ge=1, le=12),
        Ui("Components", symbol="K", group="Mixture", help="How many normal laws are mixed."),
    ] = 3
    covariance: Annotated[
        Literal["full", "tied", "diagonal", "spherical"],
        Ui(
            "Covariance",
            symbol="Σ",
            effect="live",
            group="Mixture",
            choices={
                "full": "Full: any ellipse",
                "tied": "Tied: one ellipse for all",
                "diagonal": "Diagonal: axes along the coordinates",
                "spherical": "Spherical: circles",
            },
            help="Which shapes the components may take.",
        ),
    ] = "full"
    floor: Annotated[
        float,
        Field(ge=0, le=10),
        Ui(
            "Covariance floor",
            symbol="ε",
            effect="live",
            group="Mixture",
            help="Added to every variance after an M half-step; at 0 a component may fall onto a single point.",
        ),
    ] = 0.0

    start: Annotated[
        Literal["random", "kmeans++", "kmeans", "manual"],
        Ui(
            "Start",
            group="Start",
            choices={
                "random": "Random points",
                "kmeans++": "Points far apart (k-means++)",
                "kmeans": "k-means",
                "manual": "By hand",
            },
            help="Where the components begin. EM finds the nearest summit, not the highest.",
        ),
    ] = "random"
    means: Annotated[
        Matrix,
        Ui(
            "Means",
            symbol="μ",
            group="Start",
            when={"start": ("manual",)},
            help="A row per component, parted by semicolons; on a line a single row will do. Drag them in the picture.",
        ),
    ] = ()
    deviations: Annotated[
        Matrix,
        Ui(
            "Deviations",
            symbol="σ",
            group="Start",
            when={"start": ("manual",)},
            help="One standard deviation per component, or a row of them with one per coordinate; none: those of the data.",
        ),
    ] = ()
    spreads: Annotated[
        Matrix,
        Ui(
            "Covariance matrices",
            symbol="Σ",
            group="Start",
            when={"start": ("manual",)},
            advanced=True,
            help="A row per component with all d x d numbers of its covariance; they go before the deviations.",
        ),
    ] = ()
    weights: Annotated[
        tuple[Annotated[float, Field(ge=0)], ...],
        Ui(
            "Weights",
            symbol="π",
            group="Start",
            when={"start": ("manual",)},
            help="One per component, divided by their sum; none: all the same.",
        ),
    ] = ()

    algorithm: Annotated[
        Literal["em", "hard", "gradient"],
        Ui(
            "Algorithm",
            effect="live",
            group="Algorithm",
            choices={"em": "EM", "hard": "Hard EM (k-means)", "gradient": "Gradient ascent"},
            help="Hard EM gives each point to one component; gradient ascent takes a step uphill where EM jumps to the summit.",
        ),
    ] = "em"
    steps: Annotated[
        int,
        Field(ge=0, le=2000),
        Ui("Iterations", symbol="T", scale="log", group="Algorithm", help="Full iterations: an E and an M half-step each."),
    ] = 60
    tolerance: Annotated[
        float,
        Field(ge=0, le=1),
        Ui(
            "Tolerance",
            effect="live",
            scale="log",
            group="Algorithm",
            help="Converged once an iteration adds less to the mean log-likelihood; from there on nothing moves.",
        ),
    ] = 1e-12
    relaxation: Annotated[
        float,
        Field(ge=0.1, le=3),
        Ui(
            "Over-relaxation",
            symbol="ω",
            effect="live",
            group="Algorithm",
            when={"algorithm": ("em",)},
            help="Steps so many times as long as those of EM; one that lowers the likelihood is replaced by that of EM.",
        ),
    ] = 1.0
    learning_rate: Annotated[
        float,
        Field(ge=1e-4, le=10),
        Ui(
            "Learning rate",
            symbol="η",
            effect="live",
            scale="log",
            group="Algorithm",
            help="Of gradient ascent on the mean log-likelihood, in coordinates of unit variance.",
        ),
    ] = 0.1

    compare: Annotated[
        bool,
        Ui(
            "Race the algorithms",
            group="Beside it",
            help="EM, hard EM and gradient ascent from the same start, iteration by iteration.",
        ),
    ] = False
    choose: Annotated[
        bool,
        Ui(
            "AIC and BIC over K",
            group="Beside it",
            help="Fit 1 to 8 components as well, and weigh likelihood against the number of parameters.",
        ),
    ] = False
    restarts: Annotated[
        int,
        Field(ge=0, le=100),
        Ui(
            "Restarts",
            group="Beside it",
            help="Further runs from other starts of the same kind (from random points if it is by hand): where do they end?",
        ),
    ] = 0
    rate: Annotated[
        bool,
        Ui(
            "Predict the rate",
            group="Beside it",
            help="Look ahead to the fixed point, and find the missing share of information there: EM converges at that rate.",
        ),
    ] = True
    plane: Annotated[
        Literal["principal", "columns"],
        Ui(
            "Seen from",
            effect="live",
            group="Picture",
            choices={"principal": "Principal axes", "columns": "Two columns"},
            help="Of more than two columns: which plane the picture shows.",
        ),
    ] = "principal"
    shown: Annotated[
        tuple[Annotated[int, Field(ge=1, le=10_000)], ...],
        Ui(
            "Columns shown",
            effect="live",
            group="Picture",
            when={"plane": ("columns",)},
            help="Two of the columns that are used, counted from one.",
        ),
    ] = (1, 2)

    @field_validator("values", "drawn", "means", "deviations", "spreads")
    @classmethod
    def rows_of_one_length(cls, rows: Matrix, info: ValidationInfo) -> Matrix:
        """Of a matrix, and not too many."""
        name, length = str(info.field_name), len(rows[0]) if rows else 0
        for at, row in enumerate(rows, 1):
            if len(row) != length or not row:
                raise problem(
                    name,
                    "Row {row} of {name} has {found} numbers instead of {wanted}.",
                    row=at,
                    name=name,
                    found=len(row),
                    wanted=length,
                )
        if len(rows) * length > MOST_NUMBERS:
            raise problem(name, "{name} takes at most {most:,d} numbers.", name=name, most=MOST_NUMBERS)
        return rows

    @field_validator("weights")
    @classmethod
    def not_all_zero(cls, weights: tuple[float, ...]) -> tuple[float, ...]:
        """Something must be left to divide by."""
        if weights and sum(weights) <= 0:
            raise problem("weights", "weights needs at least one number above 0.")
        return weights

    @field_validator("shown")
    @classmethod
    def two_columns(cls, shown: tuple[int, ...]) -> tuple[int, ...]:
        """Two different ones."""
        if len(shown) != 2 or shown[0] == shown[1]:
            raise problem("shown", "shown takes two different numbers, for example 1,2.")
        return shown

    @field_validator("columns")
    @classmethod
    def different_columns(cls, columns: tuple[int | str, ...]) -> tuple[int | str, ...]:
        """None twice: a covariance could not be inverted."""
        if len(set(columns)) != len(columns):
            raise problem("columns", "columns names one column twice.")
        return columns
