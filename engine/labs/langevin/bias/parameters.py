"""The parameters of `bias`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from engine.core.parameters import LabParameters, Ui


class Parameters(LabParameters):
    """Many chains on U = x²/(2σ²)."""

    sigma: Annotated[
        float,
        Field(ge=0.1, le=10),
        Ui(
            "Target deviation",
            symbol="σ",
            scale="log",
            effect="live",
            group="Target",
            help="U = x²/(2σ²): the curvature is 1/σ², and a step is long or short beside σ² alone.",
        ),
    ] = 1.0
    temperature: Annotated[
        float,
        Field(ge=0.01, le=10),
        Ui(
            "Temperature",
            symbol="T",
            scale="log",
            effect="live",
            group="Target",
            help="The target exp(-U/T) is the normal law of variance σ²T.",
        ),
    ] = 1.0
    sampler: Annotated[
        Literal["ula", "mala", "mala_printed", "hmc", "underdamped"],
        Ui(
            "Sampler",
            effect="live",
            group="Sampler",
            choices={
                "ula": "Unadjusted Langevin (ULA)",
                "mala": "Metropolis-adjusted (MALA)",
                "mala_printed": "MALA as misprinted",
                "hmc": "Hamiltonian Monte Carlo",
                "underdamped": "Underdamped (BAOAB)",
            },
            help="The misprint has the full ε∇U in the proposal density while the move takes half of it.",
        ),
    ] = "ula"
    step_size: Annotated[
        float,
        Field(ge=0.001, le=100),
        Ui(
            "Step size",
            symbol="ε",
            scale="log",
            effect="live",
            group="Sampler",
            help="x' = x - (ε/2) ∇U + √(εT) ξ; samplers with velocities take time steps of √ε.",
        ),
    ] = 0.8
    friction: Annotated[
        float,
        Field(ge=0.01, le=20),
        Ui(
            "Friction",
            symbol="γ",
            scale="log",
            effect="live",
            group="Sampler",
            when={"sampler": ("underdamped",)},
            help="How fast velocities forget.",
        ),
    ] = 1.0
    leapfrog_steps: Annotated[
        int,
        Field(ge=1, le=32),
        Ui(
            "Leapfrog steps",
            symbol="L",
            effect="live",
            group="Sampler",
            when={"sampler": ("hmc",)},
            help="Steps of √ε along a path before it is accepted or not; 1 is MALA.",
        ),
    ] = 3
    chains: Annotated[
        int,
        Field(ge=100, le=200_000),
        Ui("Chains", symbol="N", scale="log", group="Chains", help="Independent chains that walk at once."),
    ] = 20_000
    start: Annotated[
        float,
        Field(ge=-8, le=8),
        Ui(
            "Start",
            symbol="x₀/σ√T",
            group="Chains",
            help="Where all chains begin, in deviations of the target: the way from there is followed exactly.",
        ),
    ] = 3.0
    trace: Annotated[
        Literal["latest", "first"],
        Ui(
            "Traces show",
            effect="live",
            group="Chains",
            choices={"latest": "The last steps", "first": "The first steps after a change"},
            advanced=True,
            help="The first steps show how the law moves from where it was to where it belongs.",
        ),
    ] = "latest"
    steps: Annotated[
        int,
        Field(ge=0, le=1_000_000),
        Ui(
            "Steps",
            group="Chains",
            advanced=True,
            help="Length of the run; 0 goes on until it is stopped (1000 steps without a window).",
        ),
    ] = 0
