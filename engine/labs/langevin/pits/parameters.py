"""What can be changed about the discriminator, the points, and the data both are after."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from engine.core.parameters import LabParameters, Ui

GROUP_DISCRIMINATOR, GROUP_POINTS, GROUP_DATA = "Discriminator", "Points", "Data"


class Parameters(LabParameters):
    """The discriminator, the points, and the data both are after."""

    momentum: Annotated[
        float,
        Field(ge=0, le=0.99),
        Ui(
            "Momentum",
            symbol="m",
            effect="live",
            group=GROUP_POINTS,
            help="Share of its velocity that a point keeps. Beyond (1 - √(ηk))² it runs past the bottom of a pit.",
        ),
    ] = 0.0
    entropy: Annotated[
        float,
        Field(ge=0, le=1),
        Ui(
            "Entropy",
            symbol="τ",
            effect="live",
            group=GROUP_POINTS,
            help="Weight of the entropy term -τ H(q) in what the points lower; it drives them apart and cures a collapse.",
        ),
    ] = 0.0
    entropy_by: Annotated[
        Literal["repulsion", "noise"],
        Ui(
            "Entropy by",
            effect="live",
            group=GROUP_POINTS,
            choices={"repulsion": "Repulsion", "noise": "Noise"},
            help="The gradient of the entropy as a force between the points, or as noise: then rolling is a Langevin step.",
        ),
    ] = "repulsion"
    points: Annotated[
        int,
        Field(ge=1, le=1000),
        Ui("Points", symbol="N", scale="log", group=GROUP_POINTS, help="Generated points, which move down the energy."),
    ] = 300
    roll_rate: Annotated[
        float,
        Field(ge=1e-3, le=2),
        Ui(
            "Generator learning rate",
            symbol="η",
            scale="log",
            effect="live",
            group=GROUP_POINTS,
            help="Length of a step of the generated points per unit of gradient.",
        ),
    ] = 0.1
    rolls: Annotated[
        int,
        Field(ge=0, le=50),
        Ui(
            "Generator steps per update",
            effect="live",
            group=GROUP_POINTS,
            help="Steps of the points for one of the discriminator. Many let all run into one minimum; 0 holds them still.",
        ),
    ] = 1
    start: Annotated[
        Literal["centre", "together", "spread", "point"],
        Ui(
            "Start",
            group=GROUP_POINTS,
            choices={"centre": "Centre", "together": "Beside one pit", "spread": "Everywhere", "point": "At the place below"},
            help="Where the points are when they are let go.",
        ),
    ] = "centre"
    start_x: Annotated[
        float,
        Field(ge=-2.9, le=2.9),
        Ui(
            "Start x",
            effect="live",
            group=GROUP_POINTS,
            advanced=True,
            help="Where all points are put, at once when it changes; or click there.",
        ),
    ] = 0.0
    start_y: Annotated[
        float,
        Field(ge=-2.9, le=2.9),
        Ui(
            "Start y",
            effect="live",
            group=GROUP_POINTS,
            advanced=True,
            help="Where all points are put, at once when it changes; or click there.",
        ),
    ] = 0.0

    penalty: Annotated[
        float,
        Field(ge=0, le=10),
        Ui(
            "Penalty",
            symbol="λ",
            effect="live",
            group=GROUP_DISCRIMINATOR,
            help="Weight of E (|∇U| - c)². At centre 0 it flattens the bottoms of the pits; without it their walls grow steep.",
        ),
    ] = 0.2
    centre: Annotated[
        float,
        Field(ge=0, le=3),
        Ui(
            "Centre",
            symbol="c",
            effect="live",
            group=GROUP_DISCRIMINATOR,
            advanced=True,
            help="The slope that the penalty asks for: 0 makes data lie on flat ground.",
        ),
    ] = 0.0
    where: Annotated[
        Literal["data", "points", "between"],
        Ui(
            "Penalised at",
            effect="live",
            group=GROUP_DISCRIMINATOR,
            choices={"data": "Data", "points": "Points", "between": "Between"},
            advanced=True,
            help="Where slopes are held to the centre: at data, at generated points, or on lines between the two.",
        ),
    ] = "data"
    loss: Annotated[
        Literal["linear", "hinge", "margin"],
        Ui(
            "Loss",
            effect="live",
            group=GROUP_DISCRIMINATOR,
            choices={"linear": "Linear", "hinge": "Hinge", "margin": "Margin"},
            help="Linear lowers data without end; the hinge stops at energies -1 and 1; the margin stops raising at 1.",
        ),
    ] = "hinge"
    dig: Annotated[
        bool,
        Ui(
            "Discriminator learns",
            effect="live",
            group=GROUP_DISCRIMINATOR,
            help="Switched off, its energy is frozen and the generated points move in it.",
        ),
    ] = True
    dig_rate: Annotated[
        float,
        Field(ge=1e-4, le=3e-2),
        Ui(
            "Discriminator learning rate",
            scale="log",
            effect="live",
            group=GROUP_DISCRIMINATOR,
            help="Learning rate of the discriminator (Adam, β₁ = 0.5).",
        ),
    ] = 3e-3
    width: Annotated[
        int,
        Field(ge=8, le=256),
        Ui("Width", scale="log", group=GROUP_DISCRIMINATOR, advanced=True, help="Units in each of its two hidden layers."),
    ] = 64

    modes: Annotated[
        int,
        Field(ge=1, le=12),
        Ui("Modes", group=GROUP_DATA, help="Clouds of data on a circle."),
    ] = 8
    spread: Annotated[
        float,
        Field(ge=0.02, le=0.5),
        Ui("Spread", symbol="s", group=GROUP_DATA, advanced=True, help="Standard deviation of a cloud of data."),
    ] = 0.1
    steps: Annotated[
        int,
        Field(ge=1, le=1_000_000),
        Ui(
            "Steps",
            scale="log",
            group="Run",
            advanced=True,
            help="Length of the run; in the first fifty only the discriminator learns.",
        ),
    ] = 5000
