"""Energies with weights: a small network, bumps on a lattice, splines on a grid; and spectral normalisation.

An energy maps points of shape (2, N), coordinates first, to (N,) values. Its gradient in the points is written out, so
that a Langevin step costs no graph; it is made of tensor operations, so that a loss on the gradient (score matching) can
still be differentiated by the weights.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Protocol

import torch
from torch import Tensor

from engine.math.numerics.power_iteration import power_iteration

EPSILON = 1e-12  # keeps a norm from being divided by zero


class EnergyFunction(Protocol):
    """An energy with the weights it has now."""

    def value(self, points: Tensor) -> Tensor:
        """Energies (N,) of points (2, N)."""

    def gradient(self, points: Tensor) -> Tensor:
        """Gradients (2, N) of the energy at points (2, N)."""

    def value_and_gradient(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """Both for the price of the gradient."""


class EnergyNetwork(Protocol):
    """The weights of an energy, and the energy they make."""

    weights: list[Tensor]

    def energy(self, *, spectral: bool = False, frozen: bool = False) -> EnergyFunction:
        """The energy with the present weights.

        Parameters
        ----------
        spectral
            Divide every matrix by its spectral norm.
        frozen
            Without a graph to the weights, as chains need it.
        """

    def iterate(self, rounds: int = 1) -> None:
        """Bring the singular vectors behind the spectral norms up to date."""

    def matrices_used(self, *, spectral: bool) -> list[Tensor]:
        """The matrices as the energy uses them."""

    def rebuilt(self, weights: Sequence[Tensor]) -> EnergyNetwork:
        """The same network with other weights, of any floating type."""


# ---- a network with hidden layers --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LayeredEnergy:
    """f_L(... f_1(x)) with f_l(h) = silu(W h + b), and a linear map to one number at the end."""

    matrices: Sequence[Tensor]
    biases: Sequence[Tensor]  # the last layer has one as well

    def value(self, points: Tensor) -> Tensor:
        """Energies (N,) of points (d, N)."""
        hidden = points
        for matrix, bias in zip(self.matrices[:-1], self.biases[:-1], strict=True):
            hidden = torch.nn.functional.silu(torch.addmm(bias[:, None], matrix, hidden))
        return (self.matrices[-1] @ hidden)[0] + self.biases[-1]

    def gradient(self, points: Tensor) -> Tensor:
        """Gradients (d, N)."""
        return self.value_and_gradient(points)[1]

    def value_and_gradient(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """Forward, with the slopes kept, and back."""
        hidden, slopes = points, []
        for matrix, bias in zip(self.matrices[:-1], self.biases[:-1], strict=True):
            before = torch.addmm(bias[:, None], matrix, hidden)
            gate = torch.sigmoid(before)
            hidden = before * gate
            slopes.append(torch.addcmul(gate, hidden, 1 - gate))  # of silu: s + z s (1 - s)
        values = (self.matrices[-1] @ hidden)[0] + self.biases[-1]
        back = self.matrices[-1].mT
        for matrix, slope in zip(reversed(self.matrices[:-1]), reversed(slopes), strict=True):
            back = matrix.mT @ (back * slope)
        return values, back


class LayeredNetwork:
    """Weights of a `LayeredEnergy`.

    Parameters
    ----------
    inputs, width, depth
        Coordinates of a point, units of a hidden layer, number of hidden layers.
    generator : torch.Generator
        Source of the first weights.
    reach : float
        Points lie in [-reach, reach]; the first layer's units bend there and not elsewhere.
    sharpness : float
        Root mean square of a first layer's weight: how quickly its units bend.
    """

    def __init__(
        self, inputs: int, width: int, depth: int, generator: torch.Generator, reach: float = 3.0, sharpness: float = 2.0
    ) -> None:
        device = generator.device
        sizes = [inputs, *[width] * depth, 1]
        matrices, biases = [], []
        for at, (fan_in, fan_out) in enumerate(pairwise(sizes)):
            scale = sharpness if at == 0 else math.sqrt(2 / fan_in)
            if at == depth:
                scale = 0.1 / math.sqrt(fan_in)  # nearly flat at first: the chains meet no slope that nobody learned
            matrix = scale * torch.randn((fan_out, fan_in), generator=generator, device=device)
            bias = torch.zeros(fan_out, device=device)
            if at == 0:  # each unit bends along a line through some point of the square
                places = reach * (2 * torch.rand((fan_out, inputs), generator=generator, device=device) - 1)
                bias = -(matrix * places).sum(1)
            matrices.append(matrix)
            biases.append(bias)
        self.matrices = [matrix.requires_grad_() for matrix in matrices]
        self.biases = [bias.requires_grad_() for bias in biases]
        self.weights = [*self.matrices, *self.biases]
        self.power = [PowerIteration.start(matrix, generator) for matrix in self.matrices]
        self.iterate(60)

    def energy(self, *, spectral: bool = False, frozen: bool = False) -> LayeredEnergy:
        """See `EnergyNetwork`."""
        matrices: Sequence[Tensor] = self.matrices_used(spectral=spectral)
        biases: Sequence[Tensor] = self.biases
        if frozen:
            matrices, biases = [each.detach() for each in matrices], [each.detach() for each in biases]
        return LayeredEnergy(matrices, biases)

    def iterate(self, rounds: int = 1) -> None:
        """See `EnergyNetwork`."""
        self.power = [power.step(matrix, rounds) for power, matrix in zip(self.power, self.matrices, strict=True)]

    def matrices_used(self, *, spectral: bool) -> list[Tensor]:
        """The matrices, each divided by its spectral norm if wanted."""
        if not spectral:
            return list(self.matrices)
        return [matrix / power.norm(matrix) for matrix, power in zip(self.matrices, self.power, strict=True)]

    def rebuilt(self, weights: Sequence[Tensor]) -> LayeredNetwork:
        """See `EnergyNetwork`."""
        made = copy(self)
        half = len(weights) // 2
        made.weights, made.matrices, made.biases = list(weights), list(weights[:half]), list(weights[half:])
        made.power = [power.like(matrix) for power, matrix in zip(self.power, made.matrices, strict=True)]
        return made

    def copy(self) -> LayeredNetwork:
        """The same weights at another place."""
        return self.rebuilt([weight.detach().clone() for weight in self.weights])


# ---- linear in the weights ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ProductEnergy:
    """Σ c_ij b_i(x) b_j(y): an exponential family, whose likelihood has a single summit.

    Parameters
    ----------
    coefficients : Tensor, shape (G, G)
        One for each pair; columns belong to x.
    places : Tensor, shape (G,)
        Centres of the functions b on either axis.
    width : float
        Their width.
    bumps : bool
        Gaussian bumps exp(-t²/2) instead of cubic splines, t the distance from the centre over the width.
    """

    coefficients: Tensor
    places: Tensor
    width: float
    bumps: bool

    def value(self, points: Tensor) -> Tensor:
        """Energies (N,) of points (2, N)."""
        (across, _), (up, _) = (self.profile(each) for each in points)
        return (up * (self.coefficients @ across)).sum(0)

    def gradient(self, points: Tensor) -> Tensor:
        """Gradients (2, N)."""
        return self.value_and_gradient(points)[1]

    def value_and_gradient(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """Both, from the functions and their slopes."""
        (across, across_slope), (up, up_slope) = (self.profile(each) for each in points)
        rows = self.coefficients @ across
        slope = (up * (self.coefficients @ across_slope)).sum(0)
        return (up * rows).sum(0), torch.stack([slope, (up_slope * rows).sum(0)])

    def profile(self, coordinate: Tensor) -> tuple[Tensor, Tensor]:
        """The functions and their slopes at coordinates (N,), shape (G, N) each."""
        t = (coordinate[None] - self.places[:, None]) / self.width
        if self.bumps:
            value = torch.exp(-0.5 * t * t)
            return value, -t * value / self.width
        return cubic_spline(t, self.width)


def cubic_spline(t: Tensor, width: float = 1.0) -> tuple[Tensor, Tensor]:
    """The cardinal cubic B-spline, knots at the whole numbers and support [-2, 2], and its slope over `width`.

    B(t) = ((2-|t|)₊³ - 4 (1-|t|)₊³) / 6; shifted by whole numbers they add up to one.
    """
    a = t.abs()
    outer, inner = (2 - a).clamp_min(0), (1 - a).clamp_min(0)
    value = (outer**3 - 4 * inner**3) / 6
    return value, t.sign() * (2 * inner**2 - 0.5 * outer**2) / width


class ProductNetwork:
    """Weights of a `ProductEnergy` on a lattice over the square [-reach, reach]².

    Parameters
    ----------
    count : int
        Functions per axis.
    device : torch.device
    reach : float
        Half the side of the square.
    bumps : bool
        Gaussian bumps (wide, overlapping) or cubic splines (local, no further than two cells).
    """

    def __init__(self, count: int, device: torch.device, reach: float = 3.0, *, bumps: bool) -> None:
        spacing = 2 * reach / (count - 1) if bumps else 2 * reach / (count - 3)
        first = -reach if bumps else -reach - spacing  # a spline reaches two cells: one more on either side closes the sum
        self.places = first + spacing * torch.arange(count, device=device, dtype=torch.float32)
        self.width, self.bumps = spacing, bumps
        self.weights = [torch.zeros((count, count), device=device).requires_grad_()]

    def energy(self, *, spectral: bool = False, frozen: bool = False) -> ProductEnergy:
        """See `EnergyNetwork`; there is no layer to normalise."""
        coefficients = self.weights[0].detach() if frozen else self.weights[0]
        return ProductEnergy(coefficients, self.places, self.width, self.bumps)

    def iterate(self, rounds: int = 1) -> None:
        """Nothing: there is no matrix between layers."""

    def matrices_used(self, *, spectral: bool) -> list[Tensor]:
        """None."""
        return []

    def rebuilt(self, weights: Sequence[Tensor]) -> ProductNetwork:
        """See `EnergyNetwork`."""
        made = copy(self)
        made.weights = list(weights)
        made.places = self.places.to(weights[0])
        return made

    def copy(self) -> ProductNetwork:
        """The same weights at another place."""
        return self.rebuilt([weight.detach().clone() for weight in self.weights])


# ---- spectral normalisation --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PowerIteration:
    """Approximate first singular vectors of a matrix that changes little from one step to the next.

    v <- Wᵀu / |Wᵀu|, u <- W v / |W v|, |W| ≈ uᵀ W v; the error falls by (σ₂/σ₁)² at every round.

    References
    ----------
    Miyato, Kataoka, Koyama & Yoshida (2018), Spectral normalization for generative adversarial networks, ICLR.
    """

    left: Tensor  # u, shape (rows,)
    right: Tensor = field(repr=False)  # v, shape (columns,)

    @staticmethod
    def start(matrix: Tensor, generator: torch.Generator) -> PowerIteration:
        """A random direction."""
        left = torch.randn(matrix.shape[0], generator=generator, device=matrix.device, dtype=matrix.dtype)
        return PowerIteration(unit(left), unit(matrix.detach().mT @ left))

    @torch.no_grad()
    def step(self, matrix: Tensor, rounds: int = 1) -> PowerIteration:
        """So many rounds with the matrix (rows, columns)."""
        _, left, right = power_iteration(matrix, self.left, rounds)
        return PowerIteration(left, right)

    def like(self, matrix: Tensor) -> PowerIteration:
        """The same vectors in the type and at the place of a matrix."""
        return PowerIteration(self.left.to(matrix), self.right.to(matrix))

    def norm(self, matrix: Tensor) -> Tensor:
        """The estimate uᵀ W v, never above the spectral norm; its gradient in W is u vᵀ."""
        return (self.left @ (matrix @ self.right)).clamp_min(EPSILON)


def unit(vector: Tensor) -> Tensor:
    """The vector over its length."""
    found: Tensor = vector / vector.norm().clamp_min(EPSILON)
    return found
