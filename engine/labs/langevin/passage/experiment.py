"""Particles in a double well: how long until they cross the barrier, and why short chains cannot."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from engine.core.context import Context
from engine.core.errors import LabError
from engine.core.experiment import Experiment
from engine.core.frames import Observation
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
from engine.labs.langevin.passage.parameters import Parameters
from engine.labs.langevin.passage.picture import Picture
from engine.labs.langevin.passage.sample import Sample, transient
from engine.labs.langevin.passage.walk import TRACERS, Walkers, advance, schedule, start_walk
from engine.math.chains.laws import kramers_time
from engine.math.chains.passage_chain import chain_law, shifted_target, stability_limit
from engine.math.chains.passage_times import double_well, passage_law, relaxation_rate, right_share, well_passage_time

WELL_POINTS = 201
WELL_ENDS = 1.95


@dataclass(frozen=True, slots=True)
class State:
    """The particles and how many blocks of steps they have taken."""

    walk: Walkers
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


def tracers(walk: Walkers, crossings: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
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
