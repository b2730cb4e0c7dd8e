"""Particles on an energy of one variable: the exact density, its partition function, and both again from the particles."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal

import numpy as np
import torch
from pydantic import Field, model_validator
from torch import Tensor

from engine.core.claims import ClaimSpec, Finding, check_all
from engine.core.context import Context
from engine.core.errors import LabError
from engine.core.experiment import Experiment, Measure, with_theory
from engine.core.frames import GAPS, Observation
from engine.core.messages import Message
from engine.core.parameters import LabParameters, Ui, problem
from engine.math.chains.samplers import mala, ula
from engine.math.energies.base import EnergyError
from engine.math.energies.line import (
    LineEnergy,
    LineLaw,
    LineName,
    density,
    line_energy,
    line_law,
    log_partition_of_samples,
)
from engine.math.formulas.parser import FormulaError
from engine.math.numerics.statistics import standard_error_of_mean, standard_error_of_variance, tolerance

GRID = 401
BINS = 80
SHOWN = 400  # particles drawn on the energy
FLAT = 1.5  # of U/T above the lowest place: the range whose particles tell Z
RARE = 1e-6  # false alarms per claim: a run shows hundreds of frames
FAR = 1e3  # a particle out there does not come back


class Parameters(LabParameters):
    """Particles on an energy of one variable."""

    energy: Annotated[
        LineName,
        Ui(
            "Energy",
            symbol="U",
            group="Energy",
            choices={
                "harmonic": "Parabola",
                "double_well": "Double well",
                "tilted": "Tilted double well",
                "formula": "A formula",
            },
            help="The target is the density exp(-U/T)/Z on the line.",
        ),
    ] = "tilted"
    stiffness: Annotated[
        float,
        Field(ge=0.01, le=100),
        Ui("Stiffness", symbol="k", scale="log", group="Energy", when={"energy": ("harmonic",)}, help="U = k x²/2."),
    ] = 1.0
    barrier: Annotated[
        float,
        Field(ge=0.1, le=10),
        Ui(
            "Barrier",
            symbol="a",
            group="Energy",
            when={"energy": ("double_well", "tilted")},
            help="Height between the wells of a (x² - 1)².",
        ),
    ] = 1.5
    tilt: Annotated[
        float,
        Field(ge=-5, le=5),
        Ui("Tilt", symbol="b", group="Energy", when={"energy": ("tilted",)}, help="U = a (x² - 1)² + b x: one well is deeper."),
    ] = 0.5
    formula: Annotated[
        str,
        Ui(
            "Formula",
            symbol="U(x)",
            group="Energy",
            when={"energy": ("formula",)},
            help="Arithmetic in x that grows far outside, for example x^4/4 - x^2 + sin(5*x)/2.",
        ),
    ] = "x^4/4 - x^2 + sin(5*x)/2"
    temperature: Annotated[
        float,
        Field(ge=0.05, le=5),
        Ui("Temperature", symbol="T", scale="log", group="Energy", help="The target is exp(-U/T)/Z."),
    ] = 1.0
    sampler: Annotated[
        Literal["ula", "mala"],
        Ui(
            "Sampler",
            group="Sampler",
            choices={"ula": "Unadjusted Langevin (ULA)", "mala": "Metropolis-adjusted (MALA)"},
            help="With Metropolis every step is accepted or rejected; without it the law settles too wide.",
        ),
    ] = "mala"
    step_size: Annotated[
        float,
        Field(ge=1e-4, le=2),
        Ui("Step size", symbol="ε", scale="log", effect="live", group="Sampler", help="x' = x - (ε/2) U' + √(εT) ξ."),
    ] = 0.03
    particles: Annotated[
        int, Field(ge=100, le=1_000_000), Ui("Particles", symbol="N", scale="log", group="Run", help="Independent chains.")
    ] = 10_000
    steps: Annotated[
        int,
        Field(ge=1, le=100_000),
        Ui("Steps", unit="steps", scale="log", group="Run", advanced=True, help="Length of the run."),
    ] = 2000
    exact_start: Annotated[
        bool,
        Ui(
            "Exact start",
            group="Run",
            help="Draw the first places from the target; else all begin in the left half, where it is deepest.",
        ),
    ] = False

    @model_validator(mode="after")
    def _check_energy(self) -> Parameters:
        if self.energy == "formula":
            try:
                line_energy("formula", formula=self.formula)
            except (FormulaError, EnergyError) as error:
                raise problem("formula", error.template, **error.values) from None
        return self


@dataclass(frozen=True, slots=True)
class Line:
    """What follows from the parameters alone."""

    energy: LineEnergy
    law: LineLaw
    grid: np.ndarray  # (GRID,)
    values: np.ndarray  # (GRID,): U
    density: np.ndarray  # (GRID,)
    flat: tuple[float, float]  # ends of the range whose particles tell Z

    @property
    def limit(self) -> float:
        """The step size 4/L from which a step diverges."""
        return 4 / self.law.curvature if self.law.curvature > 0 else math.inf


@dataclass(frozen=True, slots=True)
class State:
    """The particles, and the estimates so far."""

    points: Tensor  # (1, N), double precision where there is one
    energy: Tensor  # (N,)
    gradient: Tensor  # (1, N)
    step: int = 0
    time: float = 0.0  # since the last change of the step size
    exact: bool = False  # drawn from the target, which every step so far has kept
    acceptance: float = math.nan
    estimates: list[tuple[int, float]] = field(default_factory=list)  # step and ln Z


@dataclass(frozen=True, slots=True)
class Picture:
    """What the panel draws."""

    grid: np.ndarray  # (GRID,)
    energy: np.ndarray = field(metadata=GAPS)  # (GRID,): U
    density: np.ndarray  # (GRID,): exp(-U/T)/Z
    edges: np.ndarray  # (BINS + 1,)
    heights: np.ndarray  # (BINS,): density of the particles
    places: np.ndarray  # (k,): of some particles
    place_energies: np.ndarray = field(metadata=GAPS)  # (k,)
    estimate_steps: np.ndarray  # (s,)
    estimates: np.ndarray = field(metadata=GAPS)  # (s,): ln Z from the particles
    flat: np.ndarray  # (2,): the range whose particles tell Z
    log_partition: float  # by quadrature


MEASURES = (
    *with_theory("mean", "Mean of x", by="quadrature"),
    *with_theory("variance", "Variance of x", by="quadrature", known=False),
    *with_theory("mean_energy", "Mean energy", by="quadrature", known=False),
    *with_theory("log_partition", "ln Z", by="quadrature", optional=True),
    Measure("quadrature_error", "Error of the quadrature of ln Z"),
    Measure("acceptance", "Share of proposals accepted", optional=True),
    Measure("relaxation_time", "Time in which the diffusion forgets"),
    Measure("time", "Time since the last change"),
    Measure("stability_limit", "Stability limit of the step size"),
)

CLAIMS = (
    ClaimSpec("mean", "The particles have the mean of the target.", r"\mathbb{E}x=\frac1Z\int x\,e^{-U/T}dx"),
    ClaimSpec(
        "variance", "The particles have the variance of the target.", r"\operatorname{Var}x=\frac1Z\int(x-\bar x)^2e^{-U/T}dx"
    ),
    ClaimSpec("mean_energy", "Their mean energy is the slope of ln Z.", r"\mathbb{E}U=T^2\,\frac{d\ln Z}{dT}"),
    ClaimSpec(
        "log_partition",
        "Particles alone tell Z: the mean of exp(U/T) over a range A, which they visit.",
        r"\frac1Z=\mathbb{E}\left[\frac{1_A(x)}{|A|}\,e^{U(x)/T}\right]",
    ),
)


# ---- the algorithm -----------------------------------------------------------------------------------------------------


def line(name: LineName, stiffness: float, barrier: float, tilt: float, formula: str, temperature: float) -> Line:
    """Everything about an energy at a temperature; dear, so ask the context for it.

    Raises
    ------
    LabError
        If exp(-U/T) is no density.
    """
    try:
        energy = line_energy(name, stiffness=stiffness, barrier=barrier, tilt=tilt, formula=formula)
        law = line_law(energy, temperature)
    except EnergyError as error:
        raise LabError(error.template, "Choose an energy that grows on both sides, as x^2 does.", **error.values) from None
    grid = np.linspace(*law.window, GRID)
    values = energy.at(grid)
    lowest = int(values.argmin())
    high = np.flatnonzero(values - law.lowest > FLAT * temperature)
    left, right = high[high < lowest], high[high > lowest]
    flat = (float(grid[left[-1]]) if len(left) else law.window[0], float(grid[right[0]]) if len(right) else law.window[1])
    return Line(energy, law, grid, values, density(energy, law, temperature, grid), flat)


def line_of(parameters: Parameters, context: Context) -> Line:
    """The line of the parameters."""
    p = parameters
    return context.once(line, p.energy, p.stiffness, p.barrier, p.tilt, p.formula, p.temperature)


def init(parameters: Parameters, context: Context) -> State:
    """All particles at their start."""
    place = line_of(parameters, context)
    if parameters.exact_start:
        fine = np.linspace(*place.law.ends, 20_001)
        mass = np.exp(-(place.energy.at(fine) - place.law.lowest) / parameters.temperature)
        rising = np.append(0.0, np.cumsum(0.5 * (mass[1:] + mass[:-1])))
        luck = torch.rand(
            parameters.particles, generator=context.generator("start"), device=context.device, dtype=torch.float32
        )
        x = np.interp(luck.cpu().numpy().astype(float) * rising[-1], rising, fine)
    else:
        left = place.values[: GRID // 2 + 1]
        x = np.full(parameters.particles, place.grid[int(left.argmin())])
    points = torch.from_numpy(x)[None].to(context.device, torch.float32)
    state = State(
        points,
        place.energy.value(points)[0],
        place.energy.gradient(points),
        exact=parameters.exact_start and parameters.sampler == "mala",
    )
    return noted(state, place, parameters)


def step(state: State, parameters: Parameters, context: Context) -> State:
    """One step of every particle."""
    place, p, x = line_of(parameters, context).energy, parameters, state.points
    noise = torch.randn(x.shape, generator=context.generator("noise"), device=x.device)
    if p.sampler == "ula":
        points = ula(x, state.gradient, p.step_size, p.temperature, noise)
        if not bool((points.abs() < FAR).all()):  # device sync; also where it is not a number
            raise LabError(
                "The particles flew apart after {step:,d} steps: at ε = {epsilon:g} some came to places too steep for it.",
                "Choose a smaller step size, or Metropolis.",
                step=state.step + 1,
                epsilon=p.step_size,
            )
        moved = (points, place.value(points)[0], place.gradient(points), math.nan)
    else:
        uniform = torch.rand(x.shape[1], generator=context.generator("uniform"), device=x.device)

        def both(at: Tensor) -> tuple[Tensor, Tensor]:
            return place.value(at)[0], place.gradient(at)

        found = mala(x, state.energy, state.gradient, p.step_size, p.temperature, noise, uniform, both)
        moved = (found.points, found.energy, found.gradient, float(found.accepted.float().mean()))  # device sync
    points, energy, gradient, accepted = moved
    state = replace(
        state,
        points=points,
        energy=energy,
        gradient=gradient,
        step=state.step + 1,
        time=state.time + p.step_size,
        exact=state.exact and p.sampler == "mala",
        acceptance=accepted,
    )
    return noted(state, line_of(parameters, context), parameters)


def noted(state: State, place: Line, parameters: Parameters) -> State:
    """Keep the estimate of ln Z where a point of the curve is due: every step at first, then one in fifty."""
    if state.step % max(1, state.step // 50) == 0:
        state.estimates.append((state.step, estimate(state, place, parameters)[0]))
    return state


def estimate(state: State, place: Line, parameters: Parameters) -> tuple[float, float]:
    """ln Z from the particles, and its standard error."""
    x, u = state.points[0].double().cpu().numpy(), state.energy.double().cpu().numpy()  # device sync
    return log_partition_of_samples(x, u, parameters.temperature, *place.flat)


def adapt(state: State, _parameters: Parameters, _context: Context) -> State:
    """Another step size: the particles stay where they are, and settle anew."""
    return replace(state, time=0.0)


# ---- what one sees -----------------------------------------------------------------------------------------------------


def observe(state: State, parameters: Parameters, context: Context) -> Observation[Picture]:
    """Energy, densities, ln Z so far, measures and claims."""
    place = line_of(parameters, context)
    law, x = place.law, state.points[0].double().cpu().numpy()  # device sync
    u = state.energy.double().cpu().numpy()
    found, error = estimate(state, place, parameters)
    edges = np.linspace(*law.window, BINS + 1)
    variance, mean_energy = law_of(place, parameters)
    measures = {
        "mean": float(x.mean()),
        "theory_mean": law.mean,
        "variance": float(x.var()),
        "theory_variance": variance,
        "mean_energy": float(u.mean()),
        "theory_mean_energy": mean_energy,
        "log_partition": found,
        "theory_log_partition": law.log_partition,
        "quadrature_error": law.error,
        "acceptance": state.acceptance,
        "relaxation_time": 1 / law.rate,
        "time": state.time,
        "stability_limit": place.limit,
    }
    curve = np.array(state.estimates)
    picture = Picture(
        grid=place.grid,
        energy=np.where(np.isfinite(place.values), place.values, np.nan),
        density=place.density,
        edges=edges,
        heights=np.histogram(x, edges)[0] / (len(x) * np.diff(edges)),
        places=x[:SHOWN],
        place_energies=np.where(np.isfinite(u[:SHOWN]), u[:SHOWN], np.nan),
        estimate_steps=curve[:, 0],
        estimates=curve[:, 1],
        flat=np.array(place.flat),
        log_partition=law.log_partition,
    )
    reason = why_open(state, place, parameters)
    count = len(x)
    errors = {
        "mean": standard_error_of_mean(variance, count) if math.isfinite(variance) else math.nan,
        "variance": standard_error_of_variance(law.variance, law.fourth, count) + law.variance / count,
        "mean_energy": standard_error_of_mean(law.energy_variance, count),
        "log_partition": error,
    }
    biased = Message("Without Metropolis the law is another one.") if parameters.sampler == "ula" else None
    findings = {}
    for name, spread in errors.items():
        expected = measures[f"theory_{name}"]
        wide = biased if name == "log_partition" or math.isnan(expected) else None
        open_ = wide or reason
        margin = tolerance(spread, RARE) * (1.1 if parameters.sampler == "ula" else 1.0) + 1e-5 * (1 + abs(expected))
        findings[name] = Finding(expected, measures[name], margin, enough=open_ is None, remark=open_)
    return Observation(picture, measures, check_all(CLAIMS, findings))


def law_of(place: Line, parameters: Parameters) -> tuple[float, float]:
    """Var x and E U where the sampler settles; not a number where no closed form is known."""
    if parameters.sampler == "mala":
        return place.law.variance, place.law.mean_energy
    if parameters.energy != "harmonic" or parameters.step_size >= place.limit:
        return math.nan, math.nan
    wider = 1 / (1 - parameters.step_size * parameters.stiffness / 4)
    return place.law.variance * wider, place.law.mean_energy * wider


def why_open(state: State, place: Line, parameters: Parameters) -> Message | None:
    """Why nothing can be said about the law as yet; None where it can."""
    if state.exact:
        return None
    if parameters.sampler == "ula" and parameters.energy != "harmonic":
        return Message("Without Metropolis the law is another one.")
    if parameters.step_size > 0.5 * place.limit:
        return Message(
            "So near to the limit {limit} it is not known how fast the start is forgotten.", {"limit": f"{place.limit:.3g}"}
        )
    needed = (math.log(20 * math.sqrt(parameters.particles)) + 3) / place.law.rate
    if parameters.sampler == "mala" and state.acceptance < 0.5:
        return Message("Too few proposals are accepted to say how fast the start is forgotten.")
    if state.time * (state.acceptance if parameters.sampler == "mala" and state.step else 1.0) < needed:
        return Message(
            "The start is forgotten at the time {needed}; now it is {time}.",
            {"needed": f"{needed:.3g}", "time": f"{state.time:.3g}"},
        )
    return None


EXPERIMENT = Experiment(
    parameters=Parameters,
    init=init,
    step=step,
    adapt=adapt,
    observe=observe,
    measures=MEASURES,
    claims=CLAIMS,
    total=lambda parameters, _context: parameters.steps,
    history=True,
    memory=("particles",),
)
