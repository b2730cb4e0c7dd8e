"""The energy of the discriminator: seen from above and from the side, its pits, and a probe set free on the wall of one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from scipy.interpolate import CubicSpline
from torch import Tensor

from engine.math.energies.pits import largest_curvature, roll
from engine.math.networks.energy_networks import LayeredEnergy

REACH = 3.0  # half the side of the square in which everything happens
RADIUS = 2.0  # of the circle on which the data sit
BATCH = 256
NODES = 61  # of the map, per side
CELLS = 96  # of its picture, per side
DIRECTIONS = 181  # of the side view
BESIDE = 0.4  # distance from the circle of the data up to which the side view looks
RINGS = 7  # circles in that band
NEWTON = 3  # steps at a time: the bottoms move slowly
LONGEST = 0.1  # of a Newton step
OWN = 0.75  # of half the way to the neighbour: a bottom further away is another's
OFFSET = 2e-4  # of the probe from the bottom: so near a pit is a parabola, if the walls are not of another kind
POLISH = 6  # Newton steps for a bottom that is far more exact than this
RELEASE = 60  # steps of the probe
CREEPING = 1e-6  # swings below this are roundings
EXACT = 1e-3  # relative error of a swing that Hessians by differences may make
DISC = (24, 48)  # radii and directions of the places in the disc around a mode


@dataclass(frozen=True, slots=True)
class EnergyMap:
    """Energies from above and from the side."""

    square: Tensor  # (CELLS, CELLS), rows upwards
    directions: Tensor  # (DIRECTIONS,), degrees
    ground: Tensor  # (DIRECTIONS,), the lowest energy of each direction near the circle

    @staticmethod
    def of(energy: LayeredEnergy, device: torch.device) -> EnergyMap:
        """Measured at nodes, drawn at the centres of cells."""
        nodes, across, directions, band = _places(device)
        values = energy.value(torch.cat([nodes, band], 1))
        square, beside = values[: NODES * NODES].reshape(NODES, NODES), values[NODES * NODES :].reshape(RINGS, DIRECTIONS)
        return EnergyMap(across @ square @ across.mT, directions, beside.amin(0))


@lru_cache(maxsize=4)
def _places(device: torch.device) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Nodes (2, NODES²), the matrix of the cubic spline from nodes to cells, directions, and the places beside the circle."""
    axis = np.linspace(-REACH, REACH, NODES)
    cells = REACH * ((2 * np.arange(CELLS) + 1) / CELLS - 1)
    across = CubicSpline(axis, np.eye(NODES))(cells)
    y, x = np.meshgrid(axis, axis, indexing="ij")
    directions = np.linspace(0, 360, DIRECTIONS)
    radii, turns = np.linspace(RADIUS - BESIDE, RADIUS + BESIDE, RINGS)[:, None], np.deg2rad(directions)
    band = np.stack([radii * np.cos(turns), radii * np.sin(turns)]).reshape(2, -1)
    nodes = np.stack([x.reshape(-1), y.reshape(-1)])

    def there(values: np.ndarray) -> Tensor:
        return torch.tensor(values, dtype=torch.float32, device=device)

    return there(nodes), there(across), there(directions), there(band)


@dataclass(frozen=True, slots=True)
class Discs:
    """Means over the law exp(-U/τ) in the disc of each mode, on the host."""

    energy: np.ndarray  # (K,)
    variance: np.ndarray  # (K,)
    steepness: np.ndarray  # (K,): of |∇U|²

    @staticmethod
    def of(energy: LayeredEnergy, centres: Tensor, radius: float, temperature: float) -> Discs:
        """By the midpoint rule in radius and direction."""
        rings, rays = DISC
        r = radius * (torch.arange(rings, dtype=torch.float64) + 0.5) / rings
        turns = 2 * math.pi * torch.arange(rays, dtype=torch.float64) / rays
        across = torch.stack([torch.outer(r, turns.cos()), torch.outer(r, turns.sin())]).reshape(2, 1, -1)
        centres = centres.cpu().double()
        places = (centres[:, :, None] + across).reshape(2, -1)
        values, slopes = precisely(energy).value_and_gradient(places)
        values, squares = (each.reshape(centres.shape[1], -1) for each in (values, slopes.square().sum(0)))
        weights = r.repeat_interleave(rays) * torch.exp(-(values - values.amin(1, keepdim=True)) / temperature)
        weights = weights / weights.sum(1, keepdim=True)
        mean = (weights * values).sum(1)
        variance = (weights * (values - mean[:, None]).square()).sum(1)
        return Discs(mean.numpy(), variance.numpy(), (weights * squares).sum(1).numpy())


def ring(modes: int, device: torch.device) -> Tensor:
    """Centres of the clouds (2, K); the first stands at half a turn of a mode, so that none is cut by the seam at 0°."""
    turns = (torch.arange(modes, device=device) + 0.5) * (2 * math.pi / modes)
    return RADIUS * torch.stack([turns.cos(), turns.sin()])


def catch_radius(modes: int, spread: float) -> float:
    """How near to a centre a point belongs to its mode: four deviations, at least 0.3, at most half way to the next."""
    halfway = RADIUS * math.sin(math.pi / modes) if modes > 1 else REACH
    return min(max(4 * spread, 0.3), halfway)


def holds(points: Tensor, centres: Tensor, radius: float) -> Tensor:
    """Which mode holds which of the points (2, N): 1 or 0, shape (K, N)."""
    distances = (points[:, None, :] - centres[:, :, None]).norm(dim=0)
    nearest = distances.amin(0)
    found: Tensor = ((distances == nearest) & (distances < radius)).to(points.dtype)
    return found


@dataclass(frozen=True, slots=True)
class Pits:
    """The bottoms near the centres of the clouds."""

    centres: Tensor  # (2, K), float64 on the host, as all here
    bottoms: Tensor  # (2, K)
    hessians: Tensor  # (K, 2, 2)
    found: Tensor  # (K,), bool: whether there is a bottom of its own
    curvature: Tensor  # (K,): largest eigenvalue, nan without a bottom

    @staticmethod
    def at(centres: Tensor) -> Pits:
        """Nothing is known yet."""
        centres = centres.cpu().double()
        count = centres.shape[1]
        nothing = torch.full((count,), math.nan, dtype=torch.float64)
        return Pits(centres, centres.clone(), torch.zeros((count, 2, 2), dtype=torch.float64), nothing.isfinite(), nothing)


def precisely(energy: LayeredEnergy) -> LayeredEnergy:
    """The same energy in double precision on the host."""
    matrices, biases = ([each.cpu().double() for each in group] for group in (energy.matrices, energy.biases))
    return LayeredEnergy(matrices, biases)


def settle(energy: LayeredEnergy, pits: Pits) -> Pits:
    """A few Newton steps downhill from where the bottoms were."""
    exact, places = precisely(energy), pits.bottoms
    gap = OWN * (RADIUS * math.sin(math.pi / len(pits.found)) if len(pits.found) > 1 else RADIUS)
    for _ in range(NEWTON):
        places = newton(exact, places)
        away = places - pits.centres
        places = pits.centres + away * (gap / away.norm(dim=0).clamp_min(gap))
    slopes, hessians = slopes_and_hessians(exact, places)
    values = torch.linalg.eigvalsh(hessians)
    found = (
        (values[:, 0] > 1e-3) & (slopes.norm(dim=0) < 0.01 * values[:, 1]) & ((places - pits.centres).norm(dim=0) < 0.999 * gap)
    )
    curvature = torch.where(found, values[:, 1], torch.full_like(values[:, 1], math.nan))
    return Pits(pits.centres, places, hessians, found, curvature)


def newton(energy: LayeredEnergy, places: Tensor) -> Tensor:
    """A Newton step of places (2, K), downhill even beside a saddle, no longer than `LONGEST`."""
    slopes, hessians = slopes_and_hessians(energy, places)
    values, vectors = torch.linalg.eigh(hessians)
    along = torch.einsum("kij,ik->jk", vectors, slopes) / values.abs().clamp_min(1e-3).mT
    move = -torch.einsum("kij,jk->ik", vectors, along)
    found: Tensor = places + move * (LONGEST / move.norm(dim=0).clamp_min(LONGEST))
    return found


def slopes_and_hessians(energy: LayeredEnergy, places: Tensor, h: float = 1e-4) -> tuple[Tensor, Tensor]:
    """Slopes (2, K) and Hessians (K, 2, 2) by central differences of the slope, error O(h²)."""
    count = places.shape[1]
    shifts = h * torch.tensor([[0, 1, -1, 0, 0], [0, 0, 0, 1, -1]], dtype=places.dtype)
    slopes = energy.gradient((places[:, None] + shifts[:, :, None]).reshape(2, -1)).reshape(2, 5, count)
    columns = torch.stack([slopes[:, 1] - slopes[:, 2], slopes[:, 3] - slopes[:, 4]]) / (2 * h)  # (2, 2, K)
    hessians = columns.permute(2, 0, 1)
    return slopes[:, 0], 0.5 * (hessians + hessians.mT)


@dataclass(frozen=True, slots=True)
class Probe:
    """A point set free on the wall of the steepest pit, in the frozen landscape."""

    expected: float  # how far beyond the bottom the rule of a parabola takes it, in units of its first distance; 0 if it creeps
    measured: float
    error: float  # what the pit's not being a parabola may make of it


def release(energy: LayeredEnergy, pits: Pits, rate: float, momentum: float) -> Probe | None:
    """Let a probe go along the steepest direction of the steepest pit; None where there is no pit.

    Two distances, one twice the other, on both sides tell how much the pit differs from a parabola.
    """
    if not bool(pits.found.any()):
        return None
    at = int(torch.nan_to_num(pits.curvature, nan=-1.0).argmax())
    exact, bottom = precisely(energy), pits.bottoms[:, at : at + 1]
    for _ in range(POLISH):
        bottom = newton(exact, bottom)
    _, hessians = slopes_and_hessians(exact, bottom)
    curvature, direction = largest_curvature(hessians[0])
    if (bottom - pits.bottoms[:, at : at + 1]).norm() > LONGEST or curvature <= 0:
        return None  # it has only been passed by
    starts = OFFSET * torch.tensor([1.0, 2.0, -1.0, -2.0], dtype=torch.float64)
    places = bottom + direction[:, None] * starts
    velocities = torch.zeros_like(places)
    parabola, speed = 1.0, 0.0
    lowest, expected = torch.ones(4, dtype=torch.float64), 1.0
    for _ in range(RELEASE):
        places, velocities = roll(places, velocities, exact.gradient(places), rate, momentum)
        lowest = torch.minimum(lowest, direction @ (places - bottom) / starts)
        speed = momentum * speed - rate * curvature * parabola
        parabola += speed
        expected = min(expected, parabola)
        if expected < parabola and parabola > 0:  # on its way back: what follows is smaller
            break
    swings = [swing if swing > CREEPING else 0.0 for swing in (-lowest).tolist()]
    expected = -expected if -expected > CREEPING else 0.0
    return Probe(expected, swings[0], 2 * (max(swings) - min(swings)) + EXACT * (1 + expected))
