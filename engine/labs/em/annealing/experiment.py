"""Soft k-means while it cools: one centre becomes two, two become four, at temperatures that the variance tells."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.core.context import Context
from engine.core.experiment import Experiment
from engine.core.frames import Observation
from engine.labs.em.annealing.claims import CLAIMS, MEASURES, check_claims
from engine.labs.em.annealing.parameters import Parameters, make_points
from engine.labs.em.annealing.picture import Picture
from engine.labs.em.annealing.state import State
from engine.labs.em.annealing.sweep import (
    Branch,
    Split,
    at_the_mean,
    empty,
    energies,
    grid,
    nearness,
    next_critical,
    present,
    settle,
    slack,
    visit,
)
from engine.math.latent.soft_kmeans import (
    Centres,
    Shape,
    converge,
    distances,
    groups,
    growth,
    largest_group_variance,
    lloyd,
    pitchfork,
    pitchfork_error,
    responsibilities,
    shape_of,
    smooth_minimum,
    tiny_distance,
)

FORK = 0.005  # relative distance above the critical value at which the pitchfork is measured
FORK_REACH = 1.35  # up to so many critical values it is drawn
FORK_POINTS = 120
GRID_POINTS = 241
DEGENERATE = 0.7  # share of the second variance above which the direction of the first split is not sure


# ---- the algorithm ---------------------------------------------------------------------------------------------------


def init(parameters: Parameters, context: Context) -> State:
    """All centres at the mean, before the first temperature."""
    points = make_points(parameters, context)
    shape = shape_of(points)
    return State(
        points=points,
        shape=shape,
        temperatures=grid(parameters, shape),
        push=draw_push(points, parameters, context),
        fork=measured_fork(points, shape, context) if parameters.components > 1 else math.nan,
        centres=at_the_mean(parameters, shape),
        up=empty(parameters),
        down=empty(parameters),
    )


def step(state: State, parameters: Parameters, context: Context) -> State:
    """On to the next temperature: colder on the way up in M, then warmer again."""
    count = parameters.temperatures
    cooling = state.step < count
    at = state.step if cooling else 2 * count - 1 - state.step
    temperature = float(state.temperatures[at])
    points, shape = state.points, state.shape
    push = draw_push(points, parameters, context)
    centres = settle(points, state.centres, temperature, push, parameters, shape, context)
    if not cooling:
        down = visit(points, state.down, centres, at, temperature, parameters, shape)
        return replace(state, centres=centres, down=down, step=state.step + 1)
    up = visit(points, state.up, centres, at, temperature, parameters, shape)
    splits = state.splits
    if at and up.records[at, 3] > up.records[at - 1, 3]:
        where = math.sqrt(temperature * float(state.temperatures[at - 1]))
        splits = (*splits, Split(where, state.coming, int(up.records[at - 1, 3]), int(up.records[at, 3])))
    coming = next_critical(points, centres, temperature, parameters, shape)
    kmeans = lloyd(points, centres.places)[1] if at == count - 1 else math.nan
    return replace(state, centres=centres, up=up, splits=splits, coming=coming, kmeans=kmeans, step=state.step + 1)


def draw_push(points: Tensor, parameters: Parameters, context: Context) -> Tensor:
    """Standard normal numbers, one row for each centre."""
    generator = context.generator("perturbation")
    size = (parameters.components, points.shape[1])
    return torch.randn(size, generator=generator, device=points.device, dtype=points.dtype)


def measured_fork(points: Tensor, shape: Shape, context: Context) -> float:
    """Half the distance of two equal centres a little above the critical value, at rest."""
    temperature = (1 + FORK) * shape.critical
    guess = float(pitchfork(torch.tensor(temperature, dtype=torch.float64), shape))
    sides = torch.tensor([[1.0], [-1.0]], dtype=points.dtype, device=points.device)
    pair = Centres(shape.mean + guess * sides * shape.axis, torch.full_like(sides[:, 0], 0.5))
    still = 1e-9 * math.sqrt(shape.variance)
    pair, _ = converge(points, pair, temperature, most=3000, tolerance=still, pause=context.checkpoint)
    return 0.5 * float((pair.places[0] - pair.places[1]) @ shape.axis)


def total(parameters: Parameters, context: Context) -> int:
    """Temperatures up, and back if asked for."""
    return parameters.temperatures * (2 if parameters.sweep == "both" else 1)


def stride(parameters: Parameters, step_number: int) -> int:
    """So many temperatures that a sweep is some 150 frames."""
    return max(1, parameters.temperatures // 75)


# ---- what one sees ---------------------------------------------------------------------------------------------------


def observe(state: State, parameters: Parameters, context: Context) -> Observation:
    """The branches so far, and the centres at the temperature asked for."""
    points, shape, temperature = state.points, state.shape, parameters.inverse_temperature
    centres, settled = present(points, state.up, state.temperatures, state.push, parameters, shape, context, state.known)
    held = responsibilities(points, centres, temperature)
    parts = energies(points, centres, temperature, parameters.weights == "learned")
    together = groups(centres.places, nearness(shape, temperature))
    variance = largest_group_variance(points, held, together)
    crowded = len(together) < parameters.components
    later = [split for split in state.splits if split.before > 1 and math.isfinite(split.theory)]
    first = next((split for split in state.splits if split.before == 1), None)
    fork = torch.tensor((1 + FORK) * shape.critical, dtype=torch.float64)
    sure = parameters.components > 1 and shape.second < DEGENERATE * shape.variance
    measures = {
        "critical_inverse_temperature": shape.critical,
        "measured_critical": first.at if first else math.nan,
        "largest_variance": shape.variance,
        "distinct_centres": len(together),
        "growth_factor": growth(points, shape, temperature),
        "theory_growth_factor": 2 * temperature * shape.variance,
        "group_growth": 2 * temperature * variance if crowded else math.nan,
        "next_critical": 1 / (2 * variance) if variance > 1e-9 * shape.variance else math.nan,
        **{name: parts[name] for name in ("free_energy", "distortion", "hard_distortion", "entropy")},
        "kmeans_distortion": state.kmeans,
        "pitchfork_gap": state.fork if sure else math.nan,
        "theory_pitchfork_gap": float(pitchfork(fork, shape)) if sure else math.nan,
        "settled": float(settled),
        "hysteresis": hysteresis(state.up, state.down),
    }
    size = float(points.square().sum(1).mean() + shape.variance)
    rounding = torch.finfo(points.dtype).eps
    facts = {
        "settled": settled,
        "pushed": parameters.perturbation > 0,
        "dimension": points.shape[1],
        "growth_rounding": 64 * rounding * math.sqrt(size) / tiny_distance(points, shape, temperature),
        "spacing": math.log(state.temperatures[1] / state.temperatures[0]),
        "slack": slack(parameters),
        "pitchfork_error": 2 * pitchfork_error(float(fork), shape) + 1e-5,
        "split_slack": slack(parameters, 1 / math.sqrt(2 * later[-1].theory * shape.variance)) if later else math.nan,
        "split": later[-1].at if later else math.nan,
        "split_theory": later[-1].theory if later else math.nan,
        "components": parameters.components,
        "temperature": temperature,
        "coldest": float(state.temperatures[-1]),
        "cold_distortion": float(state.up.records[-1, 0]),
        "energy_sum": parts["energy_sum"],
        "smooth_excess": parts["smooth_excess"],
        "rounding": 100 * rounding * (size + 1 / temperature),
    }
    picture = draw_picture(state, parameters, centres, held, [split.theory for split in later])
    tables = tables_of(centres)
    return Observation(picture, measures, check_claims(measures, facts), tables)


def tables_of(centres: Centres) -> dict[str, list[Any]]:
    """The centres from left to right, numbers in one dimension and rows in more, and their weights."""
    order = centres.places[:, 0].argsort()
    places = centres.places[order].cpu()
    return {
        "centres": (places[:, 0] if places.shape[1] == 1 else places).tolist(),
        "weights": centres.shares[order].cpu().tolist(),
    }


def hysteresis(up: Branch, down: Branch) -> float:
    """The largest distance, in any centre's place after sorting, between cooling and heating at the same temperature."""
    both = np.isfinite(up.along[:, 0]) & np.isfinite(down.along[:, 0])
    if not both.any():
        return math.nan
    return float(np.abs(np.sort(up.along[both], 1) - np.sort(down.along[both], 1)).max())


def draw_picture(state: State, parameters: Parameters, centres: Centres, held: Tensor, splits: list[float]) -> Picture:
    """The arrays of the picture."""
    points, shape, temperature = state.points, state.shape, parameters.inverse_temperature
    flat = points.shape[1] == 1
    origin = float(shape.mean @ shape.axis) if flat else 0.0
    order = centres.places[:, 0].argsort()
    along = (points - shape.mean) @ shape.axis + origin
    places = (centres.places[order] - shape.mean) @ shape.axis + origin
    low, high = float(along.min()), float(along.max())
    margin = 0.08 * (high - low)
    line = torch.linspace(low - margin, high + margin, GRID_POINTS, dtype=points.dtype, device=points.device)
    tracks = shape.mean + (line - origin)[:, None] * shape.axis
    sorted_centres = Centres(centres.places[order], centres.shares[order])
    squares = distances(tracks, sorted_centres.places)
    learned = sorted_centres.shares if parameters.weights == "learned" else None
    members = torch.zeros(len(order), dtype=torch.int64, device=points.device)
    for group in groups(sorted_centres.places, nearness(shape, temperature)):
        members[group] = group[0]
    gathered = torch.zeros_like(held).index_add_(1, members, held[:, order])
    owners = gathered.argmax(1)
    fork = torch.linspace(1.0, FORK_REACH, FORK_POINTS, dtype=torch.float64) ** 2
    fork = (1 + (FORK_REACH - 1) * (fork - 1) / (FORK_REACH**2 - 1)) * shape.critical
    return Picture(
        temperatures=state.temperatures,
        up=np.sort(state.up.along, 1) + origin,
        down=np.sort(state.down.along, 1) + origin,
        up_records=state.up.records,
        down_records=state.down.records,
        fork_temperatures=fork.numpy(),
        fork_offsets=pitchfork(fork, shape).numpy(),
        splits=np.array(splits),
        data=points.cpu().numpy(),
        along=along.cpu().numpy(),
        owners=owners.cpu().numpy(),
        members=members.cpu().numpy(),
        centres=sorted_centres.places.cpu().numpy(),
        places=places.cpu().numpy(),
        line=line.cpu().numpy(),
        shares=responsibilities(tracks, sorted_centres, temperature).mT.cpu().numpy(),
        hard=squares.amin(1).cpu().numpy(),
        smooth=smooth_minimum(squares, temperature, learned).cpu().numpy(),
        mean=origin,
        critical=shape.critical,
        temperature=temperature,
        even=parameters.weights == "fixed" and parameters.components % 2 == 0,
        kmeans=state.kmeans,
        heating=state.step > parameters.temperatures,
    )


EXPERIMENT = Experiment(
    parameters=Parameters,
    init=init,
    step=step,
    observe=observe,
    measures=MEASURES,
    claims=CLAIMS,
    total=total,
    stride=stride,
    pacing="paced",
    history=True,
    memory=("points", "temperatures"),
)
