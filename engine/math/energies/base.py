"""What every energy of the plane has in common: the error it raises, its measured curvature and its constants on a device."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

Window = tuple[float, float, float, float]  # x low, x high, y low, y high

RARE = 1e-3  # of the largest density: below it a place does not count as one where the target has mass
CURVATURE_CELLS = 160  # across the window where a curvature is measured
LOG2_E = 1.0 / math.log(2.0)


class EnergyError(ValueError):
    """What is wrong with an energy, in one sentence.

    Parameters
    ----------
    template : str
        The sentence, with named places.
    values
        What goes into the places.
    """

    def __init__(self, template: str, **values: Any) -> None:
        self.template = template
        self.values: dict[str, Any] = values
        super().__init__(template.format(**values))


@runtime_checkable
class Energy(Hashable, Protocol):
    """An energy U on the plane; the target density is proportional to exp(-U/T).

    Points are stored coordinates first, shape (2, ...), of any floating type on any device. Every energy is an immutable
    value: two with the same numbers are equal and have the same hash.
    """

    @property
    def name(self) -> str:
        """As in `ENERGIES`."""

    @property
    def window(self) -> Window:
        """x low, x high, y low, y high: what is shown; holds at least 99.9 % of the mass at T = 1."""

    @property
    def latex(self) -> str:
        """U(x, y) in print."""

    @property
    def modes(self) -> tuple[tuple[float, float], ...]:
        """Centres by which modes are counted; empty where there is nothing to count, as on a ring."""

    def value(self, points: Tensor) -> Tensor:
        """U at points of shape (2, ...); shape (...)."""

    def gradient(self, points: Tensor) -> Tensor:
        """∇U at points of shape (2, ...); the same shape, a new tensor."""

    def value_and_gradient(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """Both, sharing what they have in common."""

    def curvature(self, temperature: float = 1.0) -> float:
        """Largest eigenvalue L of the Hessian where the density is above `RARE` of its maximum.

        A Langevin step is stable below ε = 4/L.
        """

    def facts(self, temperature: float = 1.0) -> Mapping[str, float]:
        """What is known in closed form, among mean_x, mean_y, var_x, var_y, mean_energy and log_partition."""


class PlanarEnergy:
    """What an energy gets for nothing; each does better where it can."""

    __slots__ = ()

    def value(self, points: Tensor) -> Tensor:
        return self.value_and_gradient(points)[0]

    def gradient(self, points: Tensor) -> Tensor:
        return self.value_and_gradient(points)[1]

    def value_and_gradient(self, points: Tensor) -> tuple[Tensor, Tensor]:
        return self.value(points), self.gradient(points)

    @property
    def modes(self) -> tuple[tuple[float, float], ...]:
        return ()

    def curvature(self, temperature: float = 1.0) -> float:
        return measured_curvature(self, float(temperature))

    def facts(self, temperature: float = 1.0) -> Mapping[str, float]:
        return {}


def square_length(points: Tensor) -> Tensor:
    """x² + y² of points (2, ...)."""
    x, y = points
    return torch.addcmul(x * x, y, y)


@lru_cache(maxsize=256)
def constants(rows: tuple[tuple[float, ...], ...], dtype: torch.dtype, device: torch.device) -> Tensor:
    """A small matrix on a device, made once."""
    return torch.tensor(rows, dtype=dtype, device=device)


def fixed(rows: Sequence[Sequence[float]], like: Tensor) -> Tensor:
    """A small matrix of the type and on the device of another tensor."""
    return constants(tuple(tuple(float(v) for v in row) for row in rows), like.dtype, like.device)


def powers_of_two(exponents: Tensor) -> Tensor:
    """2 to these powers, in place. Three times as fast as exp; below 2⁻¹⁰⁰ all is that, since denormal numbers are slow."""
    return exponents.clamp_(min=-100.0).exp2_()


def quadratic_features(points: Tensor) -> Tensor:
    """x², xy, y², x, y and 1 of points (2, N), shape (6, N)."""
    x, y = points
    features = torch.empty((6, points.shape[1]), dtype=points.dtype, device=points.device)
    torch.mul(x, x, out=features[0])
    torch.mul(x, y, out=features[1])
    torch.mul(y, y, out=features[2])
    features[3:5] = points
    features[5] = 1.0
    return features


def quadratic_slope(forms: Sequence[Sequence[float]], weights: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
    """Σ wₖ ∇qₖ, shape (2, N), and Σ wₖ of quadratic forms qₖ, each six coefficients as in `quadratic_features`."""
    rows = [(2 * xx, xy, 2 * yy, a, b, 1.0) for xx, xy, yy, a, b, _ in forms]
    sums = torch.matmul(fixed(list(zip(*rows, strict=True)), points), weights)
    x, y = points
    slope = sums[3:5]
    slope[0].addcmul_(sums[0], x).addcmul_(sums[1], y)
    slope[1].addcmul_(sums[1], x).addcmul_(sums[2], y)
    return slope, sums[5]


def widened(window: Window, factor: float) -> Window:
    """A window about the same centre, so many times as wide and high."""
    x_low, x_high, y_low, y_high = window
    x, y, width, height = 0.5 * (x_low + x_high), 0.5 * (y_low + y_high), 0.5 * (x_high - x_low), 0.5 * (y_high - y_low)
    return x - factor * width, x + factor * width, y - factor * height, y + factor * height


def centres(window: Window, cells: int) -> Tensor:
    """Centres of a grid of cells over a window, shape (2, cells, cells) with rows of constant y, double precision."""
    x_low, x_high, y_low, y_high = window
    steps = (torch.arange(cells, dtype=torch.float64) + 0.5) / cells
    y, x = torch.meshgrid(y_low + (y_high - y_low) * steps, x_low + (x_high - x_low) * steps, indexing="ij")
    return torch.stack((x, y))


@lru_cache(maxsize=64)
def measured_curvature(energy: Energy, temperature: float) -> float:
    """The largest Hessian eigenvalue on a grid, by central differences of the gradient in double precision.

    Only cells with a density above `RARE` of the largest count; for T > 1 the grid is wider than the window by √T. A kink, as
    of |x|, has no curvature and is left out; 0 means that the gradient is constant by pieces.
    """
    window = widened(energy.window, math.sqrt(max(temperature, 1.0)))
    points = centres(window, CURVATURE_CELLS).reshape(2, -1)
    value = energy.value(points)
    value = torch.where(torch.isfinite(value), value, math.inf)
    here = points[:, value < value.min() - temperature * math.log(RARE)]
    step = 1e-5 * max(window[1] - window[0], window[3] - window[2])
    coarse, fine = largest_eigenvalue(energy, here, step), largest_eigenvalue(energy, here, 0.25 * step)
    smooth = (coarse - fine).abs() < 0.2 * fine.abs() + 1e-3  # across a kink the two differ by a factor of four
    return max(0.0, float(torch.where(smooth, coarse, 0.0).max()))


def largest_eigenvalue(energy: Energy, points: Tensor, difference: float) -> Tensor:
    """Of the Hessian at double-precision points (2, N), by central differences of the gradient."""
    h_x, h_y = torch.tensor([[[difference], [0.0]], [[0.0], [difference]]], dtype=points.dtype, device=points.device)
    along_x = (energy.gradient(points + h_x) - energy.gradient(points - h_x)) / (2 * difference)
    along_y = (energy.gradient(points + h_y) - energy.gradient(points - h_y)) / (2 * difference)
    return larger_eigenvalue(along_x[0], 0.5 * (along_x[1] + along_y[0]), along_y[1])


def larger_eigenvalue(xx: Tensor, xy: Tensor, yy: Tensor) -> Tensor:
    """Of the symmetric matrices [[xx, xy], [xy, yy]]."""
    return 0.5 * (xx + yy) + torch.sqrt(0.25 * (xx - yy) ** 2 + xy**2)


def local_minima(energy: Energy, cells: int = 72, least_depth: float = 0.5, most: int = 16) -> tuple[tuple[float, float], ...]:
    """The wells of an energy on a grid over its window, deepest first.

    The grid is flooded from below. A well is a pool that rises by `least_depth` before it spills into a deeper one, and
    whose ground is not rare: exp(-U) there is above `RARE` of its maximum.

    Parameters
    ----------
    energy : Energy
        U.
    cells : int
        Across the window.
    least_depth : float
        Of a well below the lowest way out of it.
    most : int
        How many are kept.
    """
    points = centres(energy.window, cells).reshape(2, -1)
    value = energy.value(points)
    value = torch.where(torch.isfinite(value), value, math.inf)
    levels: list[float] = value.tolist()
    water = float(value.min()) - 2.0 * math.log(RARE)
    pool: dict[int, int] = {}  # from a flooded cell to one nearer to the ground of its pool
    wells: list[int] = []

    def ground(cell: int) -> int:
        while pool[cell] != cell:
            pool[cell] = cell = pool[pool[cell]]
        return cell

    for cell in torch.argsort(value).tolist():
        if levels[cell] >= water:
            break
        meeting = {ground(beside) for beside in _neighbours(cell, cells) if beside in pool}
        deepest = min(meeting, key=lambda each: (levels[each], each), default=cell)
        pool[cell] = deepest
        for other in meeting - {deepest}:
            pool[other] = deepest
            if levels[cell] - levels[other] >= least_depth:
                wells.append(other)
    wells += [cell for cell, below in pool.items() if cell == below]  # those that never met another
    lowest = float(value.min()) - math.log(RARE)
    kept = sorted((each for each in wells if levels[each] < lowest), key=lambda each: (levels[each], each))[:most]
    return tuple((float(points[0, each]), float(points[1, each])) for each in kept)


def _neighbours(cell: int, cells: int) -> list[int]:
    """The up to eight cells around one of a square grid."""
    row, column = divmod(cell, cells)
    rows = range(max(0, row - 1), min(cells, row + 2))
    columns = range(max(0, column - 1), min(cells, column + 2))
    return [i * cells + j for i in rows for j in columns if (i, j) != (row, column)]
