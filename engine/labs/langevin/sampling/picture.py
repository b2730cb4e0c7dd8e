"""The state of `sampling`, and the arrays that its frames carry."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.core.context import Context
from engine.core.frames import GAPS, unit
from engine.labs.langevin.sampling.claims import marginals
from engine.labs.langevin.sampling.flow import DensityFlow, flow_density, flow_marginals
from engine.labs.langevin.sampling.landscape import CELLS, Landscape
from engine.labs.langevin.sampling.parameters import SAMPLERS
from engine.labs.langevin.sampling.records import EnsembleSums, Record
from engine.labs.langevin.sampling.rules import SamplerSettings
from engine.labs.langevin.sampling.state import State
from engine.labs.langevin.sampling.walk import FOLLOWED, Ensemble, rung_temperatures

SHOWN = 10_000  # particles drawn as points; more are drawn as a density
FINE = 100_000  # particles from which on the density has all its cells
SAMPLER_NAMES = tuple(SAMPLERS)


@dataclass(frozen=True, slots=True)
class Picture:
    """What the panel draws."""

    landscape: Landscape  # shared by all frames that have the same one
    rules: tuple[SamplerSettings, ...]  # of the first swarm, and of the second
    points: np.ndarray  # (2, n): the particles, at most SHOWN
    density: np.ndarray  # (cells, cells): of more particles; without any cells for fewer
    marginal_x: np.ndarray  # (COARSE,): density of x in equal bins over the window
    marginal_y: np.ndarray
    exact_marginal_x: np.ndarray
    exact_marginal_y: np.ndarray
    second_points: np.ndarray
    second_density: np.ndarray
    second_marginal_x: np.ndarray
    second_marginal_y: np.ndarray
    flow: np.ndarray  # (COARSE, COARSE): density by the Fokker-Planck equation; without any cells where it is not asked for
    flow_marginal_x: np.ndarray  # (COARSE,)
    flow_marginal_y: np.ndarray
    flow_time: float
    trails: np.ndarray  # (2, particles, steps): where the first particles came from
    second_trails: np.ndarray
    proposals: np.ndarray  # (5, particles): from x and y, to x and y, accepted
    replicas: np.ndarray  # (2, K): the first particle at all temperatures
    walkers: np.ndarray  # (steps, K): which walker stood on each rung
    rung_temperatures: np.ndarray  # (K,)
    swap_shares: np.ndarray  # (K - 1,): swaps accepted between neighbouring rungs
    way_steps: np.ndarray = field(metadata=unit("steps"))  # (k,): steps at which the distance was noted
    way_gradients: np.ndarray  # (k,): gradients per particle by then
    way_distances: np.ndarray = field(metadata=GAPS | unit("nat"))  # (2, k): relative entropy of both swarms
    changes: np.ndarray  # (c,): places among those notes where the rule had changed
    bias_steps: np.ndarray  # (b,): step sizes
    bias_variances: np.ndarray = field(metadata=GAPS)  # (b,): ULA's variance of x by law
    visited: np.ndarray  # (v, 3): number of the sampler, step size, variance of x
    way_seconds: tuple[float, ...]  # of computation, by a clock: differs from run to run
    in_time: bool  # whether averages go over time too


def draw(
    state: State,
    place: Landscape,
    rules: list[SamplerSettings],
    tallies: list[EnsembleSums],
    in_time: bool,
    context: Context,
) -> Picture:
    """The arrays of a frame."""
    way, none = state.way, np.zeros((2, 0), dtype=np.float32)
    both = [
        clouds(walk, tally, place, in_time, record, state.step, context)
        for walk, tally, record in zip(state.walks, tallies, state.records, strict=True)
    ]
    sides = [marginals(each, place) for each in tallies]
    trails = [record.trail() for record in state.records]
    exact_x, exact_y = place.marginals()
    steps, variances = place.bias_curves
    second = len(both) > 1
    return Picture(
        landscape=place,
        rules=tuple(rules),
        points=both[0][0],
        density=both[0][1],
        marginal_x=sides[0][0],
        marginal_y=sides[0][1],
        exact_marginal_x=exact_x,
        exact_marginal_y=exact_y,
        second_points=both[1][0] if second else none,
        second_density=both[1][1] if second else np.zeros((0, 0), dtype=np.float32),
        second_marginal_x=sides[1][0] if second else np.zeros(0),
        second_marginal_y=sides[1][1] if second else np.zeros(0),
        **flow_picture(state.flow),
        trails=trails[0],
        second_trails=trails[1] if second else np.zeros((2, 0, 0), dtype=np.float32),
        proposals=state.outcomes[0].proposals.cpu().numpy() if state.outcomes else np.zeros((5, 0), dtype=np.float32),
        **ladder_picture(state),
        way_steps=np.array(way.steps),
        way_gradients=np.array(way.gradients),
        way_distances=np.array(way.distances).T,
        changes=np.array(way.changes, dtype=np.int64),
        bias_steps=steps,
        bias_variances=variances,
        visited=np.array([(SAMPLER_NAMES.index(name), size, value) for (name, size), value in way.visited.items()]).reshape(
            -1, 3
        ),
        way_seconds=tuple(way.seconds),
        in_time=in_time,
    )


def flow_picture(moving: DensityFlow | None) -> dict[str, Any]:
    """The density by the Fokker-Planck equation and its marginals."""
    if moving is None:
        none = np.zeros(0)
        return {"flow": np.zeros((0, 0), dtype=np.float32), "flow_marginal_x": none, "flow_marginal_y": none, "flow_time": 0.0}
    x, y = flow_marginals(moving)
    density = flow_density(moving).astype(np.float32)
    return {"flow": density, "flow_marginal_x": x, "flow_marginal_y": y, "flow_time": moving.time}


def clouds(
    walk: Ensemble, tally: EnsembleSums, place: Landscape, in_time: bool, record: Record, step_number: int, context: Context
) -> tuple[np.ndarray, np.ndarray]:
    """The particles as points, or as a density where they are many."""
    if walk.count <= SHOWN:
        return walk.points.cpu().numpy(), np.zeros((0, 0), dtype=np.float32)
    if in_time:
        tally = record.counted(walk, place, step_number, context)
    counts, cells = tally.counts, CELLS
    if walk.count < FINE:
        cells = CELLS // 2
        counts = counts.reshape(cells, 2, cells, 2).sum((1, 3))
    width, height = place.size
    density = counts.astype(np.float32) * np.float32(cells * cells / (width * height * walk.count))
    return walk.points[:, :FOLLOWED].cpu().numpy(), density


def ladder_picture(state: State) -> dict[str, Any]:
    """The replicas of the first particle, and the rungs its walkers stood on."""
    for walk, rule in zip(state.walks, state.rules, strict=True):
        if walk.replicas is not None:
            accepted, asked = state.swaps
            return {
                "replicas": walk.replicas[:, :, 0].T.cpu().numpy(),
                "walkers": np.array(state.ladder, dtype=np.int8).reshape(len(state.ladder), -1),
                "rung_temperatures": np.array(rung_temperatures(rule)),
                "swap_shares": accepted / np.maximum(asked, 1),
            }
    empty = np.zeros(0)
    return {
        "replicas": np.zeros((2, 0), dtype=np.float32),
        "walkers": np.zeros((0, 0), dtype=np.int8),
        "rung_temperatures": empty,
        "swap_shares": empty,
    }
