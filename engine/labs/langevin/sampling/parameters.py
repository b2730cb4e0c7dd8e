"""The parameters of `sampling`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from engine.core.parameters import LabParameters, Ui, problem
from engine.math.energies.registry import ENERGIES, EnergyError, EnergyName, energy
from engine.math.formulas.parser import FormulaError, parse

Sampler = Literal["ula", "mala", "underdamped", "hmc", "nuts", "annealed", "tempering"]
Second = Literal["none", "same", "ula", "mala", "underdamped", "hmc", "nuts", "annealed", "tempering"]
Painted = tuple[tuple[float, ...], ...]

SAMPLERS = {
    "ula": "Unadjusted Langevin (ULA)",
    "mala": "Metropolis-adjusted (MALA)",
    "underdamped": "Underdamped (BAOAB)",
    "hmc": "Hamiltonian Monte Carlo",
    "nuts": "No-U-turn sampler (NUTS)",
    "annealed": "Annealed Langevin",
    "tempering": "Parallel tempering",
}
MOST_PAINTED = 1000  # strokes of the brush


def used_by(*samplers: Sampler) -> tuple[dict[str, tuple[str, ...]], ...]:
    """Where a parameter of some samplers matters: whether the first or the second ensemble uses one of them."""
    return {"sampler": samplers}, {"second": samplers}


class Parameters(LabParameters):
    """A swarm of particles on an energy in the plane."""

    energy: Annotated[
        EnergyName,
        Ui(
            "Energy",
            symbol="U",
            effect="live",
            group="Energy",
            choices={name: kind.label for name, kind in ENERGIES.items()},
            help="The landscape; the target is the density exp(-U/T), divided by its integral Z.",
        ),
    ] = "ring"
    formula: Annotated[
        str,
        Ui(
            "Formula",
            symbol="U(x, y)",
            effect="live",
            group="Energy",
            when={"energy": ("formula",)},
            help="Arithmetic in x and y that grows far outside, for example (x^2 + y - 2)^2 + (x - y)^2/2.",
        ),
    ] = "(x^2 + y - 2)^2/2 + (x - y)^2/2 + sin(3*x)"
    sigma: Annotated[
        float,
        Field(ge=0.1, le=5),
        Ui(
            "Deviation",
            symbol="σ",
            effect="live",
            scale="log",
            group="Energy",
            when={"energy": ("gaussian", "correlated_gaussian")},
            help="Standard deviation of each coordinate at T = 1.",
        ),
    ] = 1.0
    correlation: Annotated[
        float,
        Field(ge=-0.99, le=0.99),
        Ui(
            "Correlation",
            symbol="ρ",
            effect="live",
            group="Energy",
            when={"energy": ("correlated_gaussian",)},
            help="Of x and y: the valley becomes long and narrow, and its narrow side limits the step.",
        ),
    ] = 0.8
    barrier: Annotated[
        float,
        Field(ge=0.1, le=10),
        Ui(
            "Barrier",
            symbol="a",
            effect="live",
            group="Energy",
            when={"energy": ("double_well",)},
            help="Height of the saddle between the two wells: U = a (x² - 1)² + y²/2.",
        ),
    ] = 2.0
    painted: Annotated[
        Painted,
        Ui(
            "Painted strokes",
            effect="live",
            group="Energy",
            when={"energy": ("painted",)},
            help="Rows x, y, height, radius of smooth pits (negative) and hills (positive); drag in the picture to add some.",
        ),
    ] = ((-1.5, 0.0, -4.0, 0.8), (1.5, 0.8, -3.0, 0.8), (0.2, -1.8, -4.0, 0.6))

    sampler: Annotated[
        Sampler,
        Ui(
            "Sampler",
            effect="live",
            group="Sampler",
            choices=SAMPLERS,
            help="The rule of one step. All of them are fed the same noise.",
        ),
    ] = "mala"
    step_size: Annotated[
        float,
        Field(ge=1e-4, le=20),
        Ui(
            "Step size",
            symbol="ε",
            effect="live",
            scale="log",
            group="Sampler",
            help="x' = x - (ε/2) ∇U + √(εT) ξ; samplers with velocities take time steps of √ε.",
        ),
    ] = 0.15
    temperature: Annotated[
        float,
        Field(ge=0, le=3),
        Ui(
            "Temperature",
            symbol="T",
            effect="live",
            group="Sampler",
            help="The target is exp(-U/T); at 0 only slope is left.",
        ),
    ] = 1.0
    friction: Annotated[
        float,
        Field(ge=0, le=20),
        Ui(
            "Friction",
            symbol="γ",
            effect="live",
            group="Sampler",
            when=used_by("underdamped"),
            help="How fast velocities forget, in the underdamped sampler; at 0 they never do.",
        ),
    ] = 1.0
    leapfrog_steps: Annotated[
        int,
        Field(ge=1, le=64),
        Ui(
            "Leapfrog steps",
            symbol="L",
            effect="live",
            group="Sampler",
            when=used_by("hmc"),
            help="Hamiltonian Monte Carlo: steps of √ε along a path before it is accepted or not; 1 is MALA.",
        ),
    ] = 10
    doublings: Annotated[
        int,
        Field(ge=1, le=10),
        Ui(
            "Doublings at most",
            symbol="J",
            effect="live",
            group="Sampler",
            when=used_by("nuts"),
            help="No-U-turn sampler: a path is doubled until it turns back, at most so often; it then has 2^J points.",
        ),
    ] = 6
    rungs: Annotated[
        int,
        Field(ge=2, le=8),
        Ui(
            "Replicas",
            symbol="K",
            effect="live",
            group="Sampler",
            when=used_by("tempering"),
            help="Parallel tempering: how many temperatures each particle lives at, which it may swap.",
        ),
    ] = 5
    hottest: Annotated[
        float,
        Field(ge=1, le=100),
        Ui(
            "Temperature ratio",
            symbol="T_max/T",
            effect="live",
            scale="log",
            group="Sampler",
            when=used_by("annealed", "tempering"),
            help="How many times hotter annealing begins and the last replica of tempering is.",
        ),
    ] = 10.0
    noise: Annotated[
        bool, Ui("Noise", effect="live", group="Sampler", help="Off: the swarm rolls downhill, gradient descent.")
    ] = True
    drift: Annotated[
        bool,
        Ui(
            "Drift",
            effect="live",
            group="Sampler",
            help="Off: the gradient of U is left out, and the particles diffuse.",
        ),
    ] = True
    noise_scale: Annotated[
        float,
        Field(ge=0, le=3),
        Ui(
            "Noise scale",
            symbol="s",
            effect="live",
            group="Sampler",
            advanced=True,
            help="The noise times this: the swarm then settles at about the temperature s²T. Only 1 is Langevin's proportion.",
        ),
    ] = 1.0

    second: Annotated[
        Second,
        Ui(
            "Second ensemble",
            effect="live",
            group="Comparison",
            choices={"none": "None", "same": "The same sampler", **SAMPLERS},
            help="On the same noise: beside the first, or as ghost trails where only the step size differs.",
        ),
    ] = "none"
    second_step_size: Annotated[
        float,
        Field(ge=1e-4, le=20),
        Ui(
            "Second step size",
            symbol="ε₂",
            effect="live",
            scale="log",
            group="Comparison",
            when={"second": ("same", *SAMPLERS)},
            help="Step size of the second swarm.",
        ),
    ] = 0.15

    fokker_planck: Annotated[
        bool,
        Ui(
            "Fokker-Planck density",
            effect="live",
            group="Comparison",
            when={"sampler": ("ula", "mala")},
            help="The density of the process in continuous time, on a grid: from where the swarm is, ε per step.",
        ),
    ] = False

    particles: Annotated[
        int,
        Field(ge=1, le=10_000_000),
        Ui(
            "Particles",
            symbol="N",
            scale="log",
            group="Swarm",
            help="Independent walkers; up to 10,000 are drawn as points, more as a density.",
        ),
    ] = 5000
    steps: Annotated[
        int,
        Field(ge=1, le=1_000_000),
        Ui(
            "Steps",
            unit="steps",
            scale="log",
            group="Swarm",
            help="Length of the run; up to sixty steps a second are shown.",
        ),
    ] = 3600
    stop_r_hat: Annotated[
        float,
        Field(ge=1, le=2),
        Ui(
            "Stop below R-hat",
            symbol="R̂",
            effect="live",
            group="Swarm",
            advanced=True,
            help="The run ends when the rank-normalised R-hat of its paths is below this; at 1 it never does. "
            "Paths that all stay in one well agree too.",
        ),
    ] = 1.0
    start: Annotated[
        Literal["point", "gaussian", "uniform", "exact", "left"],
        Ui(
            "Start",
            group="Swarm",
            choices={
                "point": "At one point",
                "gaussian": "In a cloud around it",
                "uniform": "Spread over the window",
                "exact": "Drawn from the target",
                "left": "In the deepest place on the left",
            },
            help="Where the particles begin; a click with Ctrl in the picture drops them there.",
        ),
    ] = "point"
    start_x: Annotated[
        float,
        Field(ge=-100, le=100),
        Ui("Start x", symbol="x₀", group="Swarm", when={"start": ("point", "gaussian")}, help="First coordinate."),
    ] = 0.0
    start_y: Annotated[
        float,
        Field(ge=-100, le=100),
        Ui("Start y", symbol="y₀", group="Swarm", when={"start": ("point", "gaussian")}, help="Second coordinate."),
    ] = 0.0

    average: Annotated[
        Literal["auto", "swarm", "time"],
        Ui(
            "Averages over",
            effect="live",
            group="Picture",
            choices={"auto": "Automatic", "swarm": "The present swarm", "time": "Swarm and time"},
            help="Automatic: the present swarm from 1,000 particles on, else the later half of the steps too.",
            advanced=True,
        ),
    ] = "auto"
    trails: Annotated[
        int,
        Field(ge=0, le=32),
        Ui("Trails", effect="view", group="Picture", advanced=True, help="How many particles draw their last steps."),
    ] = 4
    proposals: Annotated[
        bool,
        Ui(
            "Proposals",
            effect="view",
            group="Picture",
            advanced=True,
            help="Arrows to what was proposed, red where it was rejected; for up to 20 particles.",
        ),
    ] = True
    background: Annotated[
        Literal["contours", "shaded", "none"],
        Ui(
            "Energy as",
            effect="view",
            group="Picture",
            choices={"contours": "Level lines", "shaded": "Colours", "none": "Nothing"},
            advanced=True,
            help="How the energy is drawn under the swarm.",
        ),
    ] = "contours"
    clock: Annotated[
        Literal["steps", "gradients", "seconds"],
        Ui(
            "Distance over",
            effect="view",
            group="Picture",
            choices={"steps": "Steps", "gradients": "Gradients", "seconds": "Seconds of computation"},
            advanced=True,
            help="What the distance to the target is drawn against.",
        ),
    ] = "steps"

    @model_validator(mode="after")
    def _check_energy(self) -> Parameters:
        if len(self.painted) > MOST_PAINTED:
            raise problem(
                "painted", "There are {count} strokes; at most {most} fit.", count=len(self.painted), most=MOST_PAINTED
            )
        try:
            parse(self.formula, ("x", "y"))
            energy("painted", painted=self.painted)
        except FormulaError as error:
            raise problem("formula", error.template, **error.values) from None
        except EnergyError as error:
            raise problem("painted", error.template, **error.values) from None
        if self.energy == "formula":
            try:
                energy("formula", formula=self.formula)
            except EnergyError as error:
                raise problem("formula", error.template, **error.values) from None
        return self
