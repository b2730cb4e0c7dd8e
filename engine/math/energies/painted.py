"""An energy painted by hand: a flat floor inside a round wall, and Gaussian bumps and pits where a brush passed.

The bumps are tabulated once, so that a point costs the same after one stroke and after a thousand. Between the places of
the table runs a spline of second degree in x and y: U and ∇U belong to each other exactly, and ∇U has no jumps.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import ClassVar

import torch
from torch import Tensor

from engine.math.energies.base import EnergyError, PlanarEnergy, Window, local_minima, square_length

Stroke = tuple[float, float, float, float]  # x, y, height, radius

HALF = 4.5  # of the canvas
FLOOR = 2.75  # radius of the flat floor
STIFFNESS = 4.0  # of the wall: U = STIFFNESS (r - FLOOR)²/2 beyond
RADII = (0.15, 5.0)  # of a brush, its standard deviation
HIGHEST = 100.0
MOST = 20_000  # strokes

_EDGE = 6.0  # half side of the table; beyond the canvas bumps fade out, and at the edge there are none
_FADED = 5.7
_CELLS = 300
_STEP = 2 * _EDGE / _CELLS


@dataclass(frozen=True)
class Painted(PlanarEnergy):
    """U = 2 max(0, r - 2.75)² + Σ hₖ exp(-|x - cₖ|² / 2ρₖ²) over the strokes.

    Parameters
    ----------
    strokes
        Rows x, y, height h (negative: a pit) and radius ρ.
    """

    strokes: tuple[Stroke, ...] = ()
    name: ClassVar[str] = "painted"

    def __post_init__(self) -> None:
        _check(self.strokes)

    @property
    def window(self) -> Window:
        return -HALF, HALF, -HALF, HALF

    @property
    def latex(self) -> str:
        wall = rf"{STIFFNESS / 2:g}\,\max\left(0,\,r-{FLOOR:g}\right)^{{2}}"
        return wall + r"+\sum_{k}h_{k}\,e^{-\|x-c_{k}\|^{2}/2\rho_{k}^{2}}"

    @cached_property
    def modes(self) -> tuple[tuple[float, float], ...]:
        """The pits that a grid shows; none without strokes."""
        return local_minima(self) if self.strokes else ()

    def value(self, points: Tensor) -> Tensor:
        return self.value_and_gradient(points)[0]

    def gradient(self, points: Tensor) -> Tensor:
        return self.value_and_gradient(points)[1]

    def value_and_gradient(self, points: Tensor) -> tuple[Tensor, Tensor]:
        radius = square_length(points).clamp_(min=1e-30).sqrt_()
        climb = (radius - FLOOR).clamp_(min=0.0)
        value = torch.square(climb).mul_(0.5 * STIFFNESS)
        gradient = points * climb.mul_(STIFFNESS).div_(radius)
        if self.strokes:
            bump, slope = _interpolated(_table(self.strokes, points.dtype, points.device), points.reshape(2, -1))
            value += bump.reshape(value.shape)
            gradient += slope.reshape(gradient.shape)
        return value, gradient

    def facts(self, temperature: float = 1.0) -> Mapping[str, float]:
        return {}


def strokes(rows: Sequence[Sequence[float]]) -> tuple[Stroke, ...]:
    """Rows of four numbers as strokes.

    Raises
    ------
    EnergyError
        If a row is no stroke.
    """
    if any(len(row) != 4 for row in rows):
        raise EnergyError("A stroke is four numbers: x, y, height and radius.")
    return tuple((float(x), float(y), float(height), float(radius)) for x, y, height, radius in rows)


def _check(rows: tuple[Stroke, ...]) -> None:
    if len(rows) > MOST:
        raise EnergyError("There are {count} strokes; the painting holds at most {most}.", count=len(rows), most=MOST)
    for row in rows:
        if not all(math.isfinite(number) for number in row):
            raise EnergyError("A stroke holds a value that is not finite.")
        if not RADII[0] <= row[3] <= RADII[1]:
            raise EnergyError(
                "A brush of radius {radius} is not between {least} and {most}.",
                radius=row[3],
                least=RADII[0],
                most=RADII[1],
            )
        if abs(row[2]) > HIGHEST:
            raise EnergyError("A stroke of height {height} is beyond {most}.", height=row[2], most=HIGHEST)


@lru_cache(maxsize=4)
def _table(rows: tuple[Stroke, ...], dtype: torch.dtype, device: torch.device) -> Tensor:
    """The nine polynomial coefficients of each cell, shape (9, cells²): of sᵃ tᵇ at 3 b + a, s and t in [-1/2, 1/2]."""
    places = -_EDGE + _STEP * (torch.arange(_CELLS, dtype=torch.float64) + 0.5)
    fade = ((_FADED - places.abs()) / (_FADED - HALF)).clamp_(0.0, 1.0)
    fade = fade**2 * (3.0 - 2.0 * fade)
    x, y, height, radius = torch.tensor(sorted(rows), dtype=torch.float64).T[:, :, None]  # sorted: the order is of no effect
    along_x = torch.exp(-0.5 * ((places - x) / radius) ** 2) * fade
    along_y = torch.exp(-0.5 * ((places - y) / radius) ** 2) * fade * height
    bumps = along_y.T @ along_x
    # The spline of second degree rounds its coefficients off by δ²/8; taking that away first brings it back to the bumps.
    for axis in (0, 1):
        bumps = bumps - 0.125 * _second_difference(bumps, axis)
    table = torch.stack([p for row in _parts(bumps, 0) for p in _parts(row, 1)])
    return table.reshape(9, -1).to(dtype).to(device).contiguous()


def _neighbours(values: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    """The values one place before and one after; the border is zero, and so is what lies beyond."""
    return torch.roll(values, 1, axis), torch.roll(values, -1, axis)


def _second_difference(values: Tensor, axis: int) -> Tensor:
    before, after = _neighbours(values, axis)
    return before - 2.0 * values + after


def _parts(values: Tensor, axis: int) -> tuple[Tensor, Tensor, Tensor]:
    """Constant, linear and square coefficient of the spline in each cell."""
    before, after = _neighbours(values, axis)
    return 0.125 * (before + 6.0 * values + after), 0.5 * (after - before), 0.5 * (before - 2.0 * values + after)


def _interpolated(table: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
    """The bumps and their slope at points (2, N)."""
    place = points.add(_EDGE).mul_(1.0 / _STEP)
    cell = place.to(torch.int32).clamp_(0, _CELLS - 1)
    s, t = place.sub_(cell).sub_(0.5).clamp_(-1.0, 1.0)  # beyond the table everything is zero, whatever s and t
    found = table.index_select(1, torch.add(cell[0], cell[1], alpha=_CELLS))
    rows = [torch.addcmul(found[3 * b + 1], found[3 * b + 2], s).mul_(s).add_(found[3 * b]) for b in range(3)]
    slopes = [torch.addcmul(found[3 * b + 1], found[3 * b + 2], s, value=2.0) for b in range(3)]
    value = torch.addcmul(rows[1], rows[2], t).mul_(t).add_(rows[0])
    slope_x = torch.addcmul(slopes[1], slopes[2], t).mul_(t).add_(slopes[0])
    slope_y = torch.addcmul(rows[1], rows[2], t, value=2.0)
    return value, torch.stack((slope_x, slope_y)).mul_(1.0 / _STEP)
