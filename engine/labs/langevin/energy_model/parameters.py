"""The parameters of `energy_model`."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import Field, field_validator

from engine.core.parameters import LabParameters, Ui, problem
from engine.data.planar import REACH

Drawn = tuple[tuple[float, ...], ...]

PLANE = ("moons", "rings", "pinwheel", "checkerboard", "eight_gaussians", "file", "drawn")
CHAINS = ("contrastive", "persistent")  # objectives whose negative phase is made by chains
MOST_DRAWN = 2000  # points of a hand
CURVE = [2 * math.pi * step / 72 for step in range(72)]
HEART = tuple(  # what is drawn before a hand draws
    (
        round(2 * math.sin(t) ** 3, 3),
        round((13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t) + 2) / 8, 3),
    )
    for t in CURVE
)


class Parameters(LabParameters):
    """An energy that learns."""

    data: Annotated[
        Literal["moons", "rings", "pinwheel", "checkerboard", "eight_gaussians", "file", "drawn", "digits"],
        Ui(
            "Data",
            symbol="p",
            group="Data",
            choices={
                "moons": "Two moons",
                "rings": "Three rings",
                "pinwheel": "Pinwheel",
                "checkerboard": "Checkerboard",
                "eight_gaussians": "Eight Gaussians",
                "file": "A file",
                "drawn": "Drawn with the mouse",
                "digits": "Handwritten digits",
            },
            help="What the model is to become: a law in the plane, or images of 8 x 8 pixels.",
        ),
    ] = "moons"
    file: Annotated[
        str,
        Ui(
            "File",
            kind="file",
            reads="table",
            group="Data",
            when={"data": ("file",)},
            help="A text file of numbers in columns; names may stand in the first row.",
        ),
    ] = ""
    columns: Annotated[
        tuple[Annotated[int, Field(ge=1, le=10_000)] | str, ...],
        Ui(
            "Columns",
            kind="columns",
            of="file",
            group="Data",
            when={"data": ("file",)},
            help="Which two columns are x and y, by name or counted from one.",
        ),
    ] = (1, 2)
    drawn: Annotated[
        Drawn,
        Ui(
            "Drawn points",
            effect="live",
            group="Data",
            when={"data": ("drawn",)},
            help="Rows x, y; paint in the picture to add points, with the right button to take some away.",
        ),
    ] = HEART
    digit_class: Annotated[
        Literal["all", "0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
        Ui(
            "Digit to generate",
            symbol="c",
            effect="live",
            group="Data",
            when={"data": ("digits",)},
            choices={"all": "All", **{digit: digit for digit in "0123456789"}},
            help="The model knows all ten classes; this one grows out of noise in the gallery.",
        ),
    ] = "all"

    model: Annotated[
        Literal["mlp", "rbf", "grid", "conv"],
        Ui(
            "Model",
            symbol="U_θ",
            group="Model",
            choices={
                "mlp": "Network of layers",
                "rbf": "Bumps on a lattice",
                "grid": "Splines on a fine grid",
                "conv": "Convolution first (images)",
            },
            help="Bumps and splines are linear in their weights: their likelihood has a single maximum.",
        ),
    ] = "mlp"
    width: Annotated[
        int,
        Field(ge=4, le=256),
        Ui(
            "Width",
            symbol="n",
            scale="log",
            group="Model",
            when={"data": PLANE, "model": ("mlp",)},
            help="Units of a hidden layer.",
        ),
    ] = 64
    image_width: Annotated[
        int,
        Field(ge=16, le=512),
        Ui(
            "Width for images",
            symbol="n",
            scale="log",
            group="Model",
            when={"data": ("digits",)},
            help="Units of a hidden layer; a convolution has a sixteenth as many channels.",
        ),
    ] = 256
    depth: Annotated[
        int,
        Field(ge=1, le=4),
        Ui("Hidden layers", symbol="L", group="Model", when={"model": ("mlp", "conv")}, help="How many hidden layers."),
    ] = 2
    spectral_norm: Annotated[
        bool,
        Ui(
            "Spectral normalisation",
            symbol="W/‖W‖₂",
            effect="live",
            group="Model",
            when={"model": ("mlp", "conv")},
            help="Divide each matrix by its spectral norm: U then has slopes near one, and only a low T can model detail.",
        ),
    ] = False

    objective: Annotated[
        Literal["contrastive", "persistent", "score_matching", "noise_contrastive", "exact"],
        Ui(
            "Objective",
            effect="live",
            group="Training",
            choices={
                "contrastive": "Contrastive divergence",
                "persistent": "Persistent chains (buffer)",
                "score_matching": "Denoising score matching",
                "noise_contrastive": "Noise contrastive",
                "exact": "Exact likelihood (grid)",
            },
            help="Where the push upwards comes from: chains from the data, chains of a buffer, or none at all.",
        ),
    ] = "persistent"
    updates: Annotated[
        int, Field(ge=1, le=20_000), Ui("Updates", scale="log", group="Training", help="Steps of the optimiser.")
    ] = 2000
    learning_rate: Annotated[
        float,
        Field(ge=1e-5, le=0.1),
        Ui(
            "Learning rate",
            symbol="η",
            scale="log",
            effect="live",
            group="Training",
            help="Of Adam; ten times as much for bumps and splines.",
        ),
    ] = 3e-3
    batch: Annotated[
        int,
        Field(ge=8, le=1024),
        Ui("Batch", symbol="N", scale="log", effect="live", group="Training", help="Real points, and as many negatives."),
    ] = 200
    noise_level: Annotated[
        float,
        Field(ge=0.01, le=1.0),
        Ui(
            "Noise level",
            symbol="σ",
            scale="log",
            effect="live",
            group="Training",
            when={"objective": ("score_matching",), "data": PLANE},
            help="Noise on the data that score matching takes away; the model learns the blurred law.",
        ),
    ] = 0.1
    regularisation: Annotated[
        float,
        Field(ge=0, le=1),
        Ui(
            "Regularisation",
            symbol="λ",
            effect="live",
            group="Training",
            when={"objective": CHAINS},
            help="Weight of the squares of energies (per pixel for images): it keeps U near zero.",
        ),
    ] = 0.1
    regularisation_sign: Annotated[
        Literal["corrected", "printed"],
        Ui(
            "Sign on negatives",
            effect="live",
            group="Training",
            when={"objective": CHAINS},
            choices={"corrected": "Plus (corrected)", "printed": "Minus (as printed)"},
            help="With minus, a large |U| on negatives lowers the loss, and nothing holds it.",
        ),
    ] = "corrected"

    steps_per_update: Annotated[
        int,
        Field(ge=1, le=200),
        Ui("Steps per update", symbol="K", scale="log", effect="live", group="Chains", help="Langevin steps of each chain."),
    ] = 20
    step_size: Annotated[
        float,
        Field(ge=1e-4, le=2),
        Ui(
            "Step size",
            symbol="ε",
            scale="log",
            effect="live",
            group="Chains",
            help="x' = x - (ε/2)∇U + √(εT) ξ; stable below 4 over the curvature of U.",
        ),
    ] = 0.015
    temperature: Annotated[
        float,
        Field(ge=1e-6, le=4),
        Ui(
            "Temperature",
            symbol="T",
            scale="log",
            effect="live",
            group="Chains",
            help="Of chains and density exp(-U/T)/Z; the published code for images runs at 0.00000125.",
        ),
    ] = 1.0
    buffer_probability: Annotated[
        float,
        Field(ge=0, le=1),
        Ui(
            "Buffer probability",
            symbol="p",
            effect="live",
            group="Chains",
            help="With it a chain goes on from the buffer, else it starts in uniform noise.",
        ),
    ] = 0.95

    momentum: Annotated[
        float,
        Field(ge=0, lt=1),
        Ui(
            "Momentum",
            symbol="β₁",
            effect="live",
            group="Optimiser",
            advanced=True,
            help="Memory of Adam's mean gradient; the published code has none.",
        ),
    ] = 0.9
    averaging: Annotated[
        float,
        Field(ge=0, le=0.9999),
        Ui(
            "Weight averaging",
            effect="live",
            group="Optimiser",
            advanced=True,
            help="Memory of the mean weights, which are shown and measured; chains and gradient use the newest.",
        ),
    ] = 0.99

    @field_validator("columns")
    @classmethod
    def two_columns(cls, columns: tuple[int | str, ...]) -> tuple[int | str, ...]:
        """Two different ones."""
        if len(columns) != 2 or columns[0] == columns[1]:
            raise problem("columns", "columns takes two different columns, for example 1,2.")
        return columns

    @field_validator("drawn")
    @classmethod
    def points_of_the_square(cls, drawn: Drawn) -> Drawn:
        """Rows of two numbers within reach."""
        if not drawn:
            raise problem("drawn", "drawn needs at least one point.")
        if len(drawn) > MOST_DRAWN:
            raise problem("drawn", "drawn takes at most {most:,d} points.", most=MOST_DRAWN)
        for at, row in enumerate(drawn, 1):
            if len(row) != 2:
                raise problem(
                    "drawn", "Row {row} of drawn has {found} numbers instead of two, x and y.", row=at, found=len(row)
                )
            if max(abs(each) for each in row) > REACH:
                raise problem(
                    "drawn", "Row {row} of drawn lies outside of the square from -{reach} to {reach}.", row=at, reach=REACH
                )
        return drawn
