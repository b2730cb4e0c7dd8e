"""The density beside the swarm: the Fokker-Planck equation on a grid, which moves by the time ε with every step."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.core.context import Context
from engine.labs.langevin.sampling.landscape import COARSE, Landscape
from engine.labs.langevin.sampling.rules import SamplerSettings
from engine.math.chains.fokker_planck import GridFlow, flow, grid_flow, point_masses
from engine.math.energies.base import centres

Floats = NDArray[np.float64]

OVERDAMPED = ("ula", "mala")  # samplers whose step of size ε stands for the time ε
SHARE = 0.25  # of the stability limit: a longer step is split, so that the splitting by direction stays exact enough


@dataclass(slots=True)
class DensityFlow:
    """A density on its way.

    Attributes
    ----------
    place : Landscape
        Where it moves.
    masses : Tensor, shape (COARSE, COARSE)
        Of the cells, rows of y, sum 1; double precision on the host.
    time : float
        Since it began.
    """

    place: Landscape
    masses: Tensor
    time: float = 0.0


def flows(rule: SamplerSettings) -> bool:
    """Whether the steps of a rule approach a Fokker-Planck equation in time."""
    return rule.sampler in OVERDAMPED and rule.settles


def begin_flow(points: Tensor, place: Landscape) -> DensityFlow:
    """From where the particles (2, N) are."""
    return DensityFlow(place, point_masses(points.cpu(), place.window, (COARSE, COARSE)))


def move_flow(moving: DensityFlow, step_size: float, context: Context) -> None:
    """Let the time of one step pass."""
    parts = math.ceil(step_size / (SHARE * moving.place.limit)) if math.isfinite(moving.place.limit) else 1
    prepared = context.once(prepare_flow, moving.place, step_size / parts)
    for _ in range(parts):
        moving.masses = flow(moving.masses, prepared)
    moving.time += step_size


def prepare_flow(place: Landscape, time: float) -> GridFlow:
    """How masses move in a time; dear, so ask the context for it."""
    width, height = place.size
    values = place.energy.value(centres(place.window, COARSE))
    return grid_flow(torch.nan_to_num(values, posinf=1e30), place.temperature, (width / COARSE, height / COARSE), time)


def flow_density(moving: DensityFlow) -> Floats:
    """Per area, shape (COARSE, COARSE)."""
    width, height = moving.place.size
    found: Floats = moving.masses.numpy() * (COARSE * COARSE / (width * height))
    return found


def flow_marginals(moving: DensityFlow) -> tuple[Floats, Floats]:
    """Densities of x and of y, shape (COARSE,) each."""
    width, height = moving.place.size
    masses = moving.masses.numpy()
    return masses.sum(0) * (COARSE / width), masses.sum(1) * (COARSE / height)


def flow_moments(moving: DensityFlow) -> tuple[float, float]:
    """Mean and variance of x."""
    low, high = moving.place.window[:2]
    x = low + (high - low) * (np.arange(COARSE) + 0.5) / COARSE
    shares = moving.masses.numpy().sum(0)
    mean = float(shares @ x)
    return mean, float(shares @ (x - mean) ** 2)


def flow_distance(moving: DensityFlow, counts: NDArray[np.int64], number: float) -> tuple[float, float]:
    """Total variation between particles counted in the cells and the density, and what chance alone makes of it.

    E |p̂ - q| of a share is about √(2q(1 - q)/(πN)), and never more than 2q.
    """
    q = moving.masses.numpy()
    by_chance = np.minimum(np.sqrt(2 * q * (1 - q) / (math.pi * number)), 2 * q)
    return 0.5 * float(np.abs(counts / number - q).sum()), 0.5 * float(by_chance.sum())
