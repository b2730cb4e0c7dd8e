"""How fast EM converges: the largest eigenvalue of its map at a fixed point, which is the missing share of information.

Near a fixed point θ* errors shrink by J = I - I_complete⁻¹ I_observed per iteration, a matrix whose eigenvalues are real and
between 0 and 1 at a maximum. J is taken by central differences of the EM map itself, in a chart that makes all directions
alike: means in units of their component's covariance, covariances and weights relative to themselves.

References
----------
Dempster, Laird & Rubin (1977), section 3; Meng & Rubin (1991), Using EM to obtain asymptotic variance-covariance matrices;
Arnoldi (1951), The principle of minimized iterations in the solution of the matrix eigenvalue problem.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from engine.math.latent.laws import Mixture

STEP = 1e-4  # of the differences, in the chart
MOST_COLUMNS = 40  # of the Krylov space
EXCITED = 1e-3  # part of the first direction, relative to the largest, from which on an eigenvector is excited
EXHAUSTED = 1e-7  # of a new direction's length: below it the space holds all there is

Map = Callable[[Mixture], Mixture]


@dataclass(frozen=True, slots=True)
class Chart:
    """Coordinates around a mixture."""

    centre: Mixture
    root: Tensor  # (K, d, d): Cholesky factors

    @staticmethod
    def at(mixture: Mixture) -> Chart:
        """The chart of a mixture without empty components."""
        return Chart(mixture, torch.linalg.cholesky(mixture.covariances))

    def vector(self, mixture: Mixture) -> Tensor:
        """Coordinates of a mixture, shape (K + K d + K d²,)."""
        centre, root = self.centre, self.root
        alive = centre.weights > 0
        weights = torch.where(alive, mixture.weights / centre.weights.clamp_min(1e-300) - 1, 0.0)
        means = torch.linalg.solve_triangular(root, (mixture.means - centre.means)[:, :, None], upper=False)
        half = torch.linalg.solve_triangular(root, mixture.covariances - centre.covariances, upper=False)
        inner = torch.linalg.solve_triangular(root, half.mT, upper=False)
        return torch.cat([weights, means.reshape(-1), 0.5 * (inner + inner.mT).reshape(-1)])

    def everywhere(self) -> Tensor:
        """A direction that moves everything but components without points, which nothing moves."""
        k, d = self.centre.means.shape
        alive = (self.centre.weights > 0).to(self.centre.means)
        spreads = alive[:, None, None] * torch.eye(d, dtype=alive.dtype, device=alive.device)
        return torch.cat([alive, alive[:, None].expand(k, d).reshape(-1), spreads.reshape(-1)])

    def mixture(self, vector: Tensor) -> Mixture:
        """The mixture at these coordinates, which must be small."""
        centre, root = self.centre, self.root
        k, d = centre.means.shape
        weights = centre.weights * (1 + vector[:k])
        means = centre.means + (root @ vector[k : k + k * d].reshape(k, d, 1))[:, :, 0]
        inner = vector[k + k * d :].reshape(k, d, d)
        return Mixture(weights / weights.sum(), means, centre.covariances + root @ inner @ root.mT)


def distance(one: Mixture, other: Mixture) -> float:
    """Length of the difference in the chart of the first."""
    return float(torch.linalg.vector_norm(Chart.at(one).vector(other)))


@dataclass(slots=True)
class Arnoldi:
    """The eigenvalue of largest modulus of the Jacobian of a map at its fixed point, a column at a time.

    Parameters
    ----------
    chart : Chart
        At the fixed point.
    direction : Tensor
        Where to begin, in the chart: best the last difference of an iteration, which points along the slowest direction.
    """

    chart: Chart
    basis: list[Tensor] = field(default_factory=list)
    columns: list[Tensor] = field(default_factory=list)
    done: bool = False

    @staticmethod
    def begin(chart: Chart, direction: Tensor) -> Arnoldi:
        """With the first direction of the Krylov space, and no column of the matrix."""
        length = torch.linalg.vector_norm(direction)
        if float(length) == 0:
            direction = chart.everywhere()
            length = torch.linalg.vector_norm(direction)
        return Arnoldi(chart, [direction / length])

    def advance(self, image: Map) -> None:
        """One more column: two evaluations of the map."""
        if self.done:
            return
        newest = self.basis[-1]
        step = STEP * math.sqrt(len(newest)) / max(1.0, math.sqrt(len(newest)) * float(newest.abs().amax()))
        ahead, behind = (self.chart.vector(image(self.chart.mixture(sign * step * newest))) for sign in (1, -1))
        applied = (ahead - behind) / (2 * step)
        before = float(torch.linalg.vector_norm(applied))
        stacked = torch.stack(self.basis)
        weights = stacked @ applied
        applied = applied - stacked.mT @ weights
        again = stacked @ applied  # twice is enough
        applied = applied - stacked.mT @ again
        length = float(torch.linalg.vector_norm(applied))
        self.columns.append(torch.cat([weights + again, applied.new_tensor([length])]))
        if length <= EXHAUSTED * max(before, EXHAUSTED) or len(self.columns) >= min(MOST_COLUMNS, len(newest)):
            self.done = True
        else:
            self.basis.append(applied / length)

    @property
    def _matrix(self) -> Tensor:
        """The Jacobian in the basis, (m, m)."""
        size = len(self.columns)
        matrix = torch.zeros((size, size), dtype=torch.float64)
        for column, entries in enumerate(self.columns):
            rows = min(size, len(entries))
            matrix[:rows, column] = entries[:rows].double().cpu()
        return matrix

    @property
    def largest(self) -> float:
        """Of the eigenvalues found so far, the largest modulus."""
        return float(torch.linalg.eigvals(self._matrix).abs().amax()) if self.columns else math.nan

    @property
    def excited(self) -> float:
        """The same among the directions that the first one has a part in: one that no iteration moves does not count."""
        return self._leading()[0] if self.columns else math.nan

    def _leading(self) -> tuple[float, Tensor, int]:
        """Modulus of the largest excited eigenvalue, all eigenvectors (m, m), and which of them is its own."""
        values, vectors = torch.linalg.eig(self._matrix)
        first = torch.zeros(len(values), dtype=vectors.dtype)
        first[0] = 1
        parts = torch.linalg.lstsq(vectors, first[:, None]).solution[:, 0].abs()
        sizes = torch.where(parts > EXCITED * parts.amax(), values.abs(), -1.0)
        at = int(sizes.argmax())
        return float(sizes[at]), vectors, at

    def astray(self, one: Mixture, other: Mixture) -> float:
        """Share of the way from one mixture to another that does not lie along the slowest excited direction, from 0 to 1.

        As long as this is not small the ratio of two strides says nothing of the largest eigenvalue.
        """
        stride = self.chart.vector(other) - self.chart.vector(one)
        length = float(torch.linalg.vector_norm(stride))
        if not self.columns or length == 0:
            return 1.0
        _, vectors, at = self._leading()
        inside = (torch.stack(self.basis[: len(vectors)]) @ stride).double().cpu()
        parts = torch.linalg.lstsq(vectors, inside.to(vectors.dtype)[:, None]).solution[:, 0]
        along = parts[at] * vectors[:, at]
        rest = float(torch.linalg.vector_norm(inside - along)) ** 2 + max(0.0, length**2 - float(inside.square().sum()))
        return min(1.0, math.sqrt(rest) / length)


def largest_eigenvalue(image: Map, fixed: Mixture, direction: Tensor | None = None) -> float:
    """Largest modulus of an eigenvalue of the map's Jacobian at a fixed point; 0 where the map forgets everything."""
    chart = Chart.at(fixed)
    if direction is None:
        generator = torch.Generator().manual_seed(1)
        k, d = fixed.means.shape
        draws = torch.randn(k + k * d, generator=generator, dtype=torch.float64)
        spreads = torch.randn((k, d, d), generator=generator, dtype=torch.float64)
        direction = torch.cat([draws, (spreads + spreads.mT).reshape(-1)]).to(fixed.means)
    search = Arnoldi.begin(chart, direction)
    while not search.done:
        search.advance(image)
    return search.largest
