"""The parameters of `passage`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from engine.core.parameters import LabParameters, Ui


class Parameters(LabParameters):
    """A double well U = a (x² - 1)² and particles that start at the bottom of the left one."""

    barrier: Annotated[
        float,
        Field(ge=0.5, le=6),
        Ui("Barrier", symbol="a", group="Double well", help="Height of the barrier in U = a (x² - 1)²; the wells lie at ±1."),
    ] = 2.0
    temperature: Annotated[
        float,
        Field(ge=0.3, le=4),
        Ui(
            "Temperature",
            symbol="T",
            scale="log",
            group="Double well",
            help="Only the ratio a/T of barrier to temperature matters.",
        ),
    ] = 1.0
    step_size: Annotated[
        float,
        Field(ge=5e-4, le=0.2),
        Ui(
            "Step size",
            symbol="ε",
            scale="log",
            group="Chain",
            help="Time that one step stands for: x' = x - (ε/2) U'(x) + √(εT) ξ. Steps should stay well below 1/(2a).",
        ),
    ] = 0.005
    particles: Annotated[
        int,
        Field(ge=10, le=200_000),
        Ui("Particles", symbol="N", scale="log", group="Chain", help="How many particles start at -1 and wait to reach +1."),
    ] = 5000
    bridge: Annotated[
        bool,
        Ui(
            "Crossings between steps",
            group="Chain",
            help="Count a particle that was beyond the target between two steps, by a Brownian bridge; else they come late.",
        ),
    ] = True
    most_steps: Annotated[
        int,
        Field(ge=1000, le=20_000_000),
        Ui(
            "Steps at most",
            scale="log",
            group="Chain",
            advanced=True,
            help="The run ends when all have crossed (on average a twentieth of a particle is left), or after so many steps.",
        ),
    ] = 2_000_000
    budget: Annotated[
        int,
        Field(ge=1, le=1000),
        Ui(
            "Steps per update",
            symbol="K",
            scale="log",
            effect="live",
            group="Training",
            help="Length of the chains that contrastive divergence affords between two updates of a model; 20 to 50 are usual.",
        ),
    ] = 30
    restart: Annotated[
        float,
        Field(ge=0.005, le=1),
        Ui(
            "Restart probability",
            symbol="p",
            scale="log",
            effect="live",
            group="Training",
            help="Chance that an entry of the buffer is replaced before a round of K steps; it lives 1/p rounds on average.",
        ),
    ] = 0.05
    time_axis: Annotated[
        Literal["linear", "log"],
        Ui(
            "Axis of time",
            effect="live",
            group="Picture",
            choices={"linear": "Linear", "log": "Logarithmic"},
            advanced=True,
            help="On a logarithmic axis the first crossings can be seen as well as the last ones.",
        ),
    ] = "linear"
    bins: Annotated[
        int, Field(ge=10, le=200), Ui("Bins", effect="live", group="Picture", advanced=True, help="Bars of the histogram.")
    ] = 60
