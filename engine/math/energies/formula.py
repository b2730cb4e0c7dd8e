"""An energy typed as a formula in x and y: its slope by autograd, its window by a search for where exp(-U) has its mass."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.math.energies.base import EnergyError, PlanarEnergy, Window, local_minima, widened
from engine.math.formulas.parser import parse
from engine.math.formulas.tree import Formula

Array = NDArray[np.float64]

VARIABLES = ("x", "y")

_CHUNK = 1 << 16  # points for which autograd keeps its intermediate results at a time
_HALVES = tuple(0.25 * 2.0**k for k in range(13))  # half sides of the boxes in which the lowest place is looked for
_COARSE = 48  # cells across each of them
_FINE = 0.004  # size of the cells near the lowest place, growing in proportion to the distance from it
_SPREAD = 240  # such cells across
_CELLS = 96  # across a window
_FAR = 0.5  # of the outermost distance: what lies beyond never comes back
_ESCAPED = 1e-4  # share of the mass out there that is too much
_WALL = 6.0  # how much higher than the lowest place every way out must climb at least
_RARE = 2.0e-4  # share of the mass that a window leaves out on each of its four sides


@dataclass(frozen=True)
class FormulaEnergy(PlanarEnergy):
    """U(x, y) as a person typed it; made by `formula_energy`, which knows that it is an energy."""

    text: str
    window: Window
    formula: Formula = field(repr=False, compare=False)
    name: ClassVar[str] = "formula"

    @property
    def latex(self) -> str:
        return self.formula.to_latex()

    @cached_property
    def modes(self) -> tuple[tuple[float, float], ...]:
        """The local minima that a grid shows."""
        return local_minima(self)

    def value(self, points: Tensor) -> Tensor:
        return self.formula.torch(points[0], points[1]).contiguous()

    def gradient(self, points: Tensor) -> Tensor:
        return self.value_and_gradient(points)[1]

    def value_and_gradient(self, points: Tensor) -> tuple[Tensor, Tensor]:
        flat = points.reshape(2, -1)
        count = flat.shape[1]
        value, gradient = torch.empty_like(flat[0]), torch.empty_like(flat)
        for start in range(0, count, _CHUNK):
            part = slice(start, min(start + _CHUNK, count))
            value[part], gradient[0, part], gradient[1, part] = self._differentiated(flat[:, part])
        return value.reshape(points.shape[1:]), gradient.reshape(points.shape)

    def _differentiated(self, points: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        with torch.inference_mode(False), torch.enable_grad():
            x, y = points[0].detach().clone().requires_grad_(), points[1].detach().clone().requires_grad_()
            value = self.formula.torch(x, y)
            slopes = torch.autograd.grad(value.sum(), (x, y), allow_unused=True)
        value = value.detach()
        slope_x, slope_y = (torch.zeros_like(value) if slope is None else slope for slope in slopes)
        lost = torch.isfinite(value) & (torch.isnan(slope_x) | torch.isnan(slope_y))
        if bool(lost.any()):
            slope_x[lost], slope_y[lost] = self._differences(points[:, lost])
        return value, slope_x, slope_y

    def _differences(self, points: Tensor) -> Tensor:
        """Central differences in double precision, for the places where autograd meets 0 times infinity, as at √0."""
        x, y = points.double().cpu().numpy()
        h_x, h_y = 1e-6 * (1.0 + np.abs(x)), 1e-6 * (1.0 + np.abs(y))
        slope_x = (self.formula.numpy(x + h_x, y) - self.formula.numpy(x - h_x, y)) / (2.0 * h_x)
        slope_y = (self.formula.numpy(x, y + h_y) - self.formula.numpy(x, y - h_y)) / (2.0 * h_y)
        return torch.from_numpy(np.nan_to_num(np.stack((slope_x, slope_y)))).to(points)

    def facts(self, temperature: float = 1.0) -> Mapping[str, float]:
        return {}


@lru_cache(maxsize=64)
def formula_energy(text: str) -> FormulaEnergy:
    """The energy of a formula.

    Parameters
    ----------
    text : str
        In x and y, as `engine.math.formulas.parser.parse` reads it.

    Raises
    ------
    FormulaError
        If the text is no arithmetic on x and y.
    EnergyError
        If exp(-U) is no density on the plane: it does not depend on both, is undefined, or does not hold its mass.
    """
    formula = parse(text, VARIABLES)
    if not (formula.uses("x") and formula.uses("y")):
        raise EnergyError("The energy must depend on x and on y, or nothing holds the particles together.")
    window = _grown(formula, _zoomed(formula, _first_window(formula)))
    _refuse_holes(formula, window)
    return FormulaEnergy(text, window, formula)


def _grid(formula: Formula, window: Window, cells: int = _CELLS) -> tuple[Array, Array, Array]:
    """Centres x (cells,), y (cells,) and U (cells, cells), rows of constant y."""
    x_low, x_high, y_low, y_high = window
    steps = (np.arange(cells) + 0.5) / cells
    x, y = x_low + (x_high - x_low) * steps, y_low + (y_high - y_low) * steps
    return x, y, formula.numpy(x[None, :], y[:, None])


def _forbidden(energy: Array) -> Array:
    """Places where U is undefined are none where a particle can be."""
    return np.where(np.isnan(energy), math.inf, energy)


def _lowest(formula: Formula) -> tuple[float, float]:
    """A place near the lowest: the best of boxes of all sizes, then under a magnifying glass.

    Raises
    ------
    EnergyError
        If U is nowhere finite, or falls without bound.
    """
    depth, best = math.inf, (0.0, 0.0, 1.0)
    for half in _HALVES:
        x, y, energy = _grid(formula, (-half, half, -half, half), _COARSE)
        energy = _forbidden(energy)
        if energy.min() < depth:
            row, column = np.unravel_index(int(energy.argmin()), energy.shape)
            depth, best = float(energy.min()), (float(x[column]), float(y[row]), 2 * half / _COARSE)
        if depth == -math.inf:
            _refuse_bottomless(bool(np.isfinite(energy[[0, -1]]).all() and np.isfinite(energy[:, [0, -1]]).all()))
    if depth == math.inf:
        raise EnergyError("The energy has no finite value near the origin.")
    for _ in range(4):
        x, y, energy = _grid(formula, _about(*best), _COARSE)
        energy = _forbidden(energy)
        row, column = np.unravel_index(int(energy.argmin()), energy.shape)
        if energy.min() < depth:
            depth, best = float(energy.min()), (float(x[column]), float(y[row]), best[2])
        best = (best[0], best[1], 3 * best[2] / _COARSE)
    return best[0], best[1]


def _about(x: float, y: float, half: float) -> Window:
    return x - half, x + half, y - half, y + half


def _first_window(formula: Formula) -> Window:
    """Where the mass is, on one grid that is fine near the lowest place and reaches a thousand units beyond it.

    Raises
    ------
    EnergyError
        If too much of it is far away.
    """
    x_0, y_0 = _lowest(formula)
    farthest = math.asinh(_HALVES[-1] / _FINE)
    edges = _FINE * np.sinh(np.linspace(-farthest, farthest, _SPREAD + 1))
    places, widths = 0.5 * (edges[1:] + edges[:-1]), np.diff(edges)
    energy = _forbidden(formula.numpy(x_0 + places[None, :], y_0 + places[:, None]))
    if not math.isfinite(float(energy.min())):
        _refuse_bottomless(bool(energy.min() == -math.inf) and not (energy[[0, -1]] == -math.inf).any())
    weight = np.exp(energy.min() - energy) * widths[None, :] * widths[:, None]
    far = np.abs(places) > _FAR * _HALVES[-1]
    if weight[far].sum() + weight[:, far].sum() > _ESCAPED * weight.sum():
        _refuse_bottomless(False)
    if min(_rim(formula, x_0, y_0, share * _HALVES[-1]) for share in (_FAR, 1.0)) < float(energy.min()) + _WALL:
        _refuse_bottomless(False)
    x_low, x_high = _held(x_0 + edges, weight.sum(0))
    y_low, y_high = _held(y_0 + edges, weight.sum(1))
    return x_low, x_high, y_low, y_high


def _rim(formula: Formula, x: float, y: float, half: float) -> float:
    """The lowest U on the sides of a square: the way out through a valley, however narrow."""
    low, high, least = 0.0, 8.0, math.inf
    for _ in range(5):
        share = np.linspace(low, high, 1601)  # along the four sides, two units each
        side, along = np.divmod(share, 2.0)
        along = along - 1.0
        across = np.where(np.isin(side, (0.0, 3.0)), -1.0, 1.0)
        level = np.isin(side % 2.0, 1.0)  # on the sides of constant y
        energy = _forbidden(formula.numpy(x + half * np.where(level, along, across), y + half * np.where(level, across, along)))
        best = int(energy.argmin())
        least, step = min(least, float(energy[best])), 2.0 * (high - low) / 1600
        low, high = float(share[best]) - step, float(share[best]) + step
    return least


def _weights(formula: Formula, window: Window) -> Array:
    """exp(-U) on a grid over a window, up to a factor."""
    energy = _forbidden(_grid(formula, window)[2])
    least = float(energy.min())
    return np.exp(least - energy) if math.isfinite(least) else np.ones_like(energy)


def _zoomed(formula: Formula, window: Window) -> Window:
    """Narrowed to the mass until it stays."""
    for _ in range(12):
        weight = _weights(formula, window)
        x_low, x_high = _held(np.linspace(window[0], window[1], _CELLS + 1), weight.sum(0))
        y_low, y_high = _held(np.linspace(window[2], window[3], _CELLS + 1), weight.sum(1))
        stays = x_high - x_low > 0.75 * (window[1] - window[0]) and y_high - y_low > 0.75 * (window[3] - window[2])
        window = (x_low, x_high, y_low, y_high)
        if stays:
            return window
    # A density that keeps shrinking under a magnifying glass has all its mass in a point.
    _refuse_bottomless(True)
    return window


def _grown(formula: Formula, window: Window) -> Window:
    """Made wider as long as there is mass around it, as along a narrow valley that the first grid fell through."""
    ring = np.ones((_CELLS, _CELLS), dtype=bool)
    ring[_CELLS // 4 : -_CELLS // 4, _CELLS // 4 : -_CELLS // 4] = False
    for _ in range(16):
        wide = widened(window, 2.0)
        weight = _weights(formula, wide)
        if weight[ring].sum() <= 4 * _RARE * weight.sum():
            break
        before, window = window, _zoomed(formula, wide)
        width, height = window[1] - window[0], window[3] - window[2]
        if max(width, height) > 2 * _HALVES[-1]:
            _refuse_bottomless(False)
        if width < 1.05 * (before[1] - before[0]) and height < 1.05 * (before[3] - before[2]):
            break
    return window


def _held(edges: Array, weight: Array) -> tuple[float, float]:
    """The range that leaves out a share `_RARE` of the weights on each side, and a cell more."""
    reached = np.cumsum(weight) / weight.sum()
    first, last = int(np.searchsorted(reached, _RARE)), int(np.searchsorted(reached, 1 - _RARE))
    return float(edges[max(0, first - 1)]), float(edges[min(len(edges) - 1, last + 2)])


def _refuse_bottomless(near: bool) -> None:
    if near:
        raise EnergyError("The energy falls without bound at a point, and all particles would end there.")
    raise EnergyError(
        "The energy does not hold the particles: exp(-U) does not vanish far away. Add for example (x^2 + y^2)/10."
    )


def _refuse_holes(formula: Formula, window: Window) -> None:
    """Refuse a formula that is undefined or bottomless where particles walk."""
    x, y, energy = _grid(formula, widened(window, 1.05))  # a little of what is beyond, where an edge of the defined may lie
    holes = np.argwhere(np.isnan(energy) | (energy == -math.inf))
    if len(holes):
        row, column = holes[len(holes) // 2]
        place = {"x": f"{x[column]:.3g}", "y": f"{y[row]:.3g}"}
        raise EnergyError("The energy is not a number at x = {x}, y = {y}.", **place)
    depths, around = [float(energy.min())], window
    for _ in range(4):  # under a magnifying glass a well has a bottom; a logarithm falls by the same again each time
        row, column = np.unravel_index(int(energy.argmin()), energy.shape)
        cell_x, cell_y = 1.5 * (around[1] - around[0]) / _CELLS, 1.5 * (around[3] - around[2]) / _CELLS
        around = (float(x[column]) - cell_x, float(x[column]) + cell_x, float(y[row]) - cell_y, float(y[row]) + cell_y)
        x, y, energy = _grid(formula, around)
        energy = _forbidden(energy)
        depths.append(float(energy.min()))
    if not math.isfinite(depths[-1]) or depths[-2] - depths[-1] > 0.5:
        _refuse_bottomless(True)
