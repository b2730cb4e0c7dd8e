"""Particles in a double well: how long until they cross the barrier, and why short chains cannot."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Literal

import numpy as np
import torch
from pydantic import Field

from engine.core.context import Context
from engine.core.errors import LabError
from engine.core.experiment import Experiment
from engine.core.frames import Observation
from engine.core.parameters import LabParameters, Ui
from engine.labs.langevin.passage.claims import CLAIMS, MEASURES, check_claims
from engine.labs.langevin.passage.curves import (
    barrier_curves,
    budget_shares,
    chain_mean,
    heap,
    histogram,
    share_curves,
    time_curve,
    time_window,
    well_peak,
)
from engine.labs.langevin.passage.sample import Sample, transient
from engine.labs.langevin.passage.walk import TRACERS, Walk, advance, schedule, start_walk
from engine.math.chains.laws import kramers_time
from engine.math.chains.passage_chain import chain_law, shifted_target, stability_limit
from engine.math.chains.passage_times import double_well, passage_law, relaxation_rate, right_share, well_passage_time

WELL_POINTS = 201
WELL_ENDS = 1.95


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
            help="On a logarithmic axis the first crossings can be seen as well as the last ones.",
        ),
    ] = "linear"
    bins: Annotated[int, Field(ge=10, le=200), Ui("Bins", effect="live", group="Picture", help="Bars of the histogram.")] = 60


@dataclass(frozen=True, slots=True)
class Picture:
    """What the panel draws."""

    well_grid: np.ndarray  # (WELL_POINTS,)
    well_energy: np.ndarray  # (WELL_POINTS,): U
    tracer_places: np.ndarray  # (k,): where tracers are
    tracer_heaps: np.ndarray  # (k,): local density over that of a full well
    tracer_crossed: np.ndarray  # (k,), int8: 1 for those that have reached the target once
    time_edges: np.ndarray  # (bins + 1,)
    time_heights: np.ndarray  # (bins,): share of all particles per time, or per ln t on a logarithmic axis
    time_grid: np.ndarray
    time_law: np.ndarray
    barrier_grid: np.ndarray  # (b,)
    barrier_exact: np.ndarray  # (b,): mean passage time at this temperature
    barrier_kramers: np.ndarray  # (b,)
    share_grid: np.ndarray  # numbers of steps
    share_law: np.ndarray  # share that has crossed by then, by the chain's law
    share_steps: np.ndarray  # numbers of steps so far
    share_counted: np.ndarray  # share of the particles that has crossed by then
    logarithmic: bool
    capped: bool  # the run ends before all have crossed
    last_step: int  # of the run


@dataclass(frozen=True, slots=True)
class State:
    """The particles and how many blocks of steps they have taken."""

    walk: Walk
    block: int = 0


# ---- the algorithm ---------------------------------------------------------------------------------------------------


def init(parameters: Parameters, context: Context) -> State:
    """All particles at -1.

    Raises
    ------
    LabError
        If no step of this size can stay in the wells.
    """
    if parameters.step_size >= stability_limit(parameters.barrier):
        raise LabError(
            "Steps of size {step:g} cannot stay in a well of curvature 8a = {curvature:g}: from 4/(8a) = {limit:.3g} on the "
            "chain diverges.",
            "Lower step_size or barrier.",
            step=parameters.step_size,
            curvature=8 * parameters.barrier,
            limit=stability_limit(parameters.barrier),
        )
    return State(start_walk(parameters.particles, context.device))


def step(state: State, parameters: Parameters, context: Context) -> State:
    """One block of steps: single ones at first, more and more as time goes on."""
    end = blocks(parameters, context)[state.block]
    walk = advance(
        state.walk,
        end - state.walk.steps,
        parameters.barrier,
        parameters.temperature,
        parameters.step_size,
        parameters.bridge,
        context,
    )
    return replace(state, walk=walk, block=state.block + 1)


def blocks(parameters: Parameters, context: Context) -> tuple[int, ...]:
    """Numbers of steps at the ends of the blocks."""
    p = parameters
    return schedule(p.barrier, p.temperature, p.step_size, p.particles, p.most_steps, context.device.type)


def total(parameters: Parameters, context: Context) -> int:
    """Blocks of the run."""
    return len(blocks(parameters, context))


# ---- what one sees ---------------------------------------------------------------------------------------------------


def observe(state: State, parameters: Parameters, context: Context) -> Observation:
    """The swarm, the histogram, the means by barrier, the shares by steps."""
    p, walk = parameters, state.walk
    crossings = walk.crossings.cpu().numpy()  # device sync
    sample = Sample(np.sort(crossings[crossings > 0]), p.particles, walk.steps, p.step_size, p.bridge)
    last_step = blocks(p, context)[-1]
    places, ever = tracers(walk, crossings)
    measures, deviations = measured(sample, places, p)
    logarithmic = p.time_axis == "log"
    grid = np.linspace(-WELL_ENDS, WELL_ENDS, WELL_POINTS)
    picture = Picture(
        well_grid=grid,
        well_energy=double_well(grid, p.barrier),
        tracer_places=places,
        tracer_heaps=(heap(places) / well_peak(p.barrier, p.temperature)).astype(np.float32),
        tracer_crossed=ever,
        **histogram(sample, *time_window(p.barrier, p.temperature, logarithmic), p.bins, logarithmic),
        **time_curve(p.barrier, p.temperature, logarithmic),
        **barrier_curves(p.temperature),
        **share_curves(sample, chain_law(p.barrier, p.temperature, p.step_size, p.bridge), last_step),
        logarithmic=logarithmic,
        capped=last_step >= p.most_steps,
        last_step=last_step,
    )
    claims = check_claims(measures, p.barrier, p.temperature, p.step_size, p.bridge, deviations)
    return Observation(picture, measures, claims)


def tracers(walk: Walk, crossings: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Places of the particles that are drawn, float32, and 1 for those that have crossed, both of shape (k,)."""
    count = min(TRACERS, len(crossings))
    places = torch.empty(count, device=walk.places.device)
    near = int(torch.searchsorted(walk.numbers, count))  # numbers are ascending
    places[walk.numbers[:near]] = walk.places[:near]
    places[walk.settled_numbers] = walk.settled
    return places.cpu().numpy(), (crossings[:count] > 0).astype(np.int8)


def measured(sample: Sample, places: np.ndarray, parameters: Parameters) -> tuple[dict[str, float], dict[str, float]]:
    """The numbers beside those of the exact laws, and what the claims need to know of their spread."""
    p, law = parameters, passage_law(parameters.barrier, parameters.temperature)
    chain = chain_law(p.barrier, p.temperature, p.step_size, p.bridge)
    mean = sample.mean()
    late_rate, late = sample.late_rate(law)
    buffer, buffer_variance = sample.within_rounds(p.budget, p.restart)
    exact_budget, exact_buffer = budget_shares(p.barrier, p.temperature, p.step_size, p.bridge, p.budget, p.restart)
    measures = {
        "mean_passage_time": mean,
        "exact_passage_time": law.mean,
        "kramers_time": kramers_time(p.barrier, p.temperature),
        "chain_passage_time": chain_mean(chain, p.step_size, p.bridge),
        "shifted_passage_time": well_passage_time(p.barrier, p.temperature, -1.0, shifted_target(p.step_size, p.temperature)),
        "standard_error": sample.standard_error(law),
        "mean_passage_steps": mean / p.step_size,
        "exact_passage_steps": law.mean / p.step_size,
        "crossed": sample.crossed,
        "crossed_fraction": sample.crossed / p.particles,
        "survivors": sample.survivors,
        "time": sample.time,
        "steps": sample.steps,
        "late_rate": late_rate,
        "exact_late_rate": float(law.rates[0]),
        "relaxation_time": 1 / relaxation_rate(p.barrier, p.temperature),
        "right_share": float((places > 0).mean()),
        "exact_right_share": float(right_share(sample.time, p.barrier, p.temperature)),
        "budget_fraction": sample.within(p.budget),
        "exact_budget_fraction": exact_budget,
        "buffer_fraction": buffer,
        "exact_buffer_fraction": exact_buffer,
        "ks_distance": sample.distance(chain),
    }
    return measures, {
        "particles": p.particles,
        "tracers": len(places),
        "late": sample.late_half[0],
        "constant": float(0.5 * sample.time >= transient(law)),
        "crossings_late": late,
        "buffer": buffer_variance,
    }


EXPERIMENT = Experiment(
    parameters=Parameters,
    init=init,
    step=step,
    observe=observe,
    measures=MEASURES,
    claims=CLAIMS,
    total=total,
    pacing="paced",
    history=True,
    memory=("particles",),
)
