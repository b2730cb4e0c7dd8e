"""The way of the centres through the temperatures, up and back, and the centres at one temperature asked for."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from engine.core.context import Context
from engine.labs.em.annealing.parameters import Parameters
from engine.math.latent.soft_kmeans import (
    Centres,
    Shape,
    come_to_rest,
    converge,
    distances,
    entropy,
    groups,
    largest_group_variance,
    responsibilities,
    smooth_minimum,
)

LOWEST = 0.3  # in critical values: where the sweep begins
LEAST_REACH = 0.002  # standard deviations within which centres count as together
CLOSE = 0.002  # widths of a centre within which two at rest are one
STAGE = 1.25  # at most between one temperature and the next on the way to one asked for
STILL = 1e-10  # standard deviations that a resting centre moves


@dataclass(frozen=True, slots=True)
class Split:
    """A number of distinct centres that grew on the way up.

    Parameters
    ----------
    at : float
        Between which two temperatures: their geometric mean.
    theory : float
        Where twice M times the variance of a group reaches one, as the group before the split tells.
    before, after : int
        Distinct centres.
    """

    at: float
    theory: float
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Branch:
    """One direction of the sweep; rows are filled as it goes on.

    Parameters
    ----------
    centres : tuple of Centres
        At the temperatures passed so far.
    along : array, shape (temperatures, components)
        Their places along the axis, not a number where it has not come yet.
    records : array, shape (temperatures, 4)
        Soft and hard distance, entropy, number of distinct centres.
    """

    centres: tuple[Centres, ...]
    along: np.ndarray
    records: np.ndarray


def grid(parameters: Parameters, shape: Shape) -> np.ndarray:
    """The temperatures of the sweep, from low to high M."""
    return np.geomspace(LOWEST, parameters.highest, parameters.temperatures) * shape.critical


def nearness(shape: Shape, temperature: float) -> float:
    """Distance within which centres at rest count as one: a small part of the width 1/√(2M) of a centre, above rounding."""
    spread = math.sqrt(shape.variance)
    return min(max(CLOSE / math.sqrt(2 * temperature), 100 * STILL * spread), LEAST_REACH * spread)


def reach(parameters: Parameters, shape: Shape) -> float:
    """Distance within which centres count as together: pushes make no groups."""
    return max(LEAST_REACH, 4 * parameters.perturbation) * math.sqrt(shape.variance)


def slack(parameters: Parameters, deviation: float = 1.0) -> float:
    """By how much a growth factor may exceed one and a push still not have grown into a visible distance.

    `deviation` is that of the group that splits, in deviations of all data: a small group must part further to be seen.
    """
    pushed = max(parameters.perturbation, 1e-12)
    visible = max(LEAST_REACH, 4 * parameters.perturbation)
    slow = 2 * math.expm1(min(math.log(4 * visible / pushed) / parameters.iterations, 20.0))
    return slow + (visible / deviation) ** 2 + 1e-4


def empty(parameters: Parameters) -> Branch:
    """A branch that has not begun."""
    number = parameters.temperatures
    return Branch((), np.full((number, parameters.components), np.nan), np.full((number, 4), np.nan))


def at_the_mean(parameters: Parameters, shape: Shape) -> Centres:
    """All centres together."""
    count = parameters.components
    shares = torch.full((count,), 1 / count, dtype=shape.mean.dtype, device=shape.mean.device)
    return Centres(shape.mean.expand(count, -1).clone(), shares)


def settle(
    points: Tensor, centres: Centres, temperature: float, push: Tensor, parameters: Parameters, shape: Shape, context: Context
) -> Centres:
    """Push the centres a little and let them come to rest.

    Parameters
    ----------
    push : Tensor, shape (components, dimension)
        Standard normal numbers, scaled here.
    """
    spread = math.sqrt(shape.variance)
    pushed = replace(centres, places=centres.places + parameters.perturbation * spread * push)
    settled, _ = converge(
        points,
        pushed,
        temperature,
        learned=parameters.weights == "learned",
        most=parameters.iterations,
        tolerance=STILL * spread,
        pause=context.checkpoint,
    )
    return settled


def visit(
    points: Tensor, branch: Branch, centres: Centres, at: int, temperature: float, parameters: Parameters, shape: Shape
) -> Branch:
    """The branch with one more temperature."""
    held = responsibilities(points, centres, temperature)
    squares = distances(points, centres.places)
    along, records = branch.along.copy(), branch.records.copy()  # frames of the past keep theirs
    along[at] = ((centres.places - shape.mean) @ shape.axis).cpu().numpy()  # device sync
    distinct = len(groups(centres.places, reach(parameters, shape)))
    soft, hard = float((held * squares).sum(1).mean()), float(squares.amin(1).mean())
    records[at] = soft, hard, entropy(held), distinct
    return Branch((*branch.centres, centres), along, records)


def next_critical(points: Tensor, centres: Centres, temperature: float, parameters: Parameters, shape: Shape) -> float:
    """The inverse temperature 1/(2 λ) of the widest group of several centres; infinite where every centre is alone."""
    held = responsibilities(points, centres, temperature)
    variance = largest_group_variance(points, held, groups(centres.places, reach(parameters, shape)))
    return 1 / (2 * variance) if variance > 1e-9 * shape.variance else math.inf


def present(
    points: Tensor,
    up: Branch,
    temperatures: np.ndarray,
    push: Tensor,
    parameters: Parameters,
    shape: Shape,
    context: Context,
    known: dict[tuple[float, float, int], tuple[Centres, bool]],
) -> tuple[Centres, bool]:
    """The centres at the inverse temperature asked for, and whether they are at rest: on from the nearest one passed.

    Until then they come from the mean, in a few stages. What `known` has is not computed again while the way goes on; it
    keeps the last one only.
    """
    wanted = parameters.inverse_temperature
    below = int(np.searchsorted(temperatures, wanted * (1 + 1e-12), side="right"))
    passed = below if below <= len(up.centres) else 0
    key = wanted, parameters.perturbation, passed
    if key not in known:
        found = approach(points, up, temperatures, passed, push, parameters, shape, context)
        known.clear()
        known[key] = found
    return known[key]


def approach(
    points: Tensor,
    up: Branch,
    temperatures: np.ndarray,
    passed: int,
    push: Tensor,
    parameters: Parameters,
    shape: Shape,
    context: Context,
) -> tuple[Centres, bool]:
    """On to rest at the inverse temperature asked for from the last of `passed` temperatures, or from the mean, in stages."""
    wanted = parameters.inverse_temperature
    centres = up.centres[passed - 1] if passed else at_the_mean(parameters, shape)
    start = float(temperatures[passed - 1]) if passed else min(wanted, float(temperatures[0]))
    stages = max(1, math.ceil(math.log(max(wanted / start, 1.0)) / math.log(STAGE)))
    for temperature in np.geomspace(start, wanted, stages + 1)[1:]:
        centres = settle(points, centres, float(temperature), push, parameters, shape, context)
    return come_to_rest(
        points,
        centres,
        wanted,
        learned=parameters.weights == "learned",
        tolerance=STILL * math.sqrt(shape.variance),
        pause=context.checkpoint,
    )


def energies(points: Tensor, centres: Centres, temperature: float, learned: bool) -> dict[str, float]:
    """Free energy and what it consists of, at one temperature."""
    held = responsibilities(points, centres, temperature)
    squares = distances(points, centres.places)
    shares = centres.shares if learned else None
    soft = float((held * squares).sum(1).mean())
    disorder = entropy(held)
    given = disorder + float((held * centres.shares.log()).sum(1).mean()) if learned else disorder
    plain = float(smooth_minimum(squares, temperature).mean())
    return {
        "free_energy": float(smooth_minimum(squares, temperature, shares).mean()),
        "energy_sum": soft - given / temperature,
        "distortion": soft,
        "hard_distortion": float(squares.amin(1).mean()),
        "smooth_excess": float(squares.amin(1).mean()) - plain,
        "entropy": disorder,
    }
