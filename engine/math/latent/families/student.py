"""Mixtures of Student's law: points far out are given less weight."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.math.latent.families.base import Family, Look, moved, weights_of
from engine.math.latent.laws import EMPTY, LOG_TWO_PI, Mixture, Shape, shaped, whitening

LEAST_DEGREES, MOST_DEGREES = 0.05, 1e4  # of freedom; beyond, Student's law is normal
HALVINGS = 60  # of the interval that holds the degrees of freedom


@dataclass(frozen=True, slots=True)
class StudentMixture(Mixture):
    """Components of Student's law; `covariances` are scale matrices, ν / (ν - 2) times smaller than covariances."""

    degrees: Tensor  # (K,)

    def to(self, like: Tensor) -> StudentMixture:
        """On the device and in the precision of a tensor."""
        return StudentMixture(*moved(self, like))

    def projected(self, basis: Tensor, origin: Tensor) -> StudentMixture:
        """The law of (x - origin) @ basis: again of this family."""
        flat = Mixture.projected(self, basis, origin)
        return StudentMixture(flat.weights, flat.means, flat.covariances, self.degrees)


@dataclass(frozen=True)
class Student(Family):
    """Student's law: a normal one whose precision is multiplied by a hidden u ~ Gamma(ν/2, ν/2) of each point.

    Parameters
    ----------
    shape, floor
        Of the scale matrices, as in `maximisation`.
    degrees : float
        ν at the beginning.
    learned : bool
        Whether each component estimates its own ν, in a second conditional step (ECM).
    """

    shape: Shape
    floor: float
    degrees: float
    learned: bool

    def begin(self, points: Tensor, start: Mixture) -> StudentMixture:
        return StudentMixture(start.weights, start.means, start.covariances, torch.full_like(start.weights, self.degrees))

    def _squares(self, points: Tensor, law: Mixture) -> tuple[Tensor, Tensor]:
        """Squared distances (K, n) in the metric of each component, and log √|Σ| (K,)."""
        inverse, half_determinant = whitening(law)
        return (inverse @ (points - law.means[:, :, None])).square_().sum(1), half_determinant

    def log_density(self, points: Tensor, law: Mixture) -> Tensor:
        assert isinstance(law, StudentMixture)
        squares, half_determinant = self._squares(points, law)
        nu, d = law.degrees[:, None], points.shape[0]
        constant = torch.lgamma(0.5 * (nu + d)) - torch.lgamma(0.5 * nu) - 0.5 * d * (nu * math.pi).log()
        found: Tensor = constant - half_determinant[:, None] - 0.5 * (nu + d) * torch.log1p(squares / nu)
        return found

    def hidden(self, points: Tensor, law: Mixture) -> Tensor:
        """Shape and rate of the posterior Gamma law of u, (2, K, n)."""
        assert isinstance(law, StudentMixture)
        squares, _ = self._squares(points, law)
        nu = law.degrees[:, None].expand_as(squares)
        return torch.stack([0.5 * (nu + points.shape[0]), 0.5 * (nu + squares)])

    def complete(self, points: Tensor, law: Mixture, hidden: Tensor | None) -> Tensor:
        assert isinstance(law, StudentMixture)
        assert hidden is not None
        a, b = hidden
        squares, half_determinant = self._squares(points, law)
        d, mean, log = points.shape[0], a / b, torch.digamma(a) - b.log()
        normal = 0.5 * d * (log - LOG_TWO_PI) - half_determinant[:, None] - 0.5 * mean * squares
        half = 0.5 * law.degrees[:, None]
        prior = half * half.log() - torch.lgamma(half) + (half - 1) * log - half * mean
        own = a * b.log() - torch.lgamma(a) + (a - 1) * log - a
        found: Tensor = normal + prior - own
        return found

    def fit(self, points: Tensor, found: Look, before: Mixture) -> StudentMixture:
        assert isinstance(before, StudentMixture)
        assert found.hidden is not None
        a, b = found.hidden
        shares = found.shares
        pulled = shares * (a / b)
        counts, mass = shares.sum(1), pulled.sum(1)
        empty = counts < EMPTY
        means = torch.where(empty[:, None], before.means, pulled @ points.mT / mass.clamp_min(EMPTY)[:, None])
        difference = points - means[:, :, None]
        scatter = (difference * pulled[:, None]) @ difference.mT / counts.clamp_min(EMPTY)[:, None, None]
        scales = shaped(scatter, counts, self.shape) + self.floor * torch.eye(
            len(points), dtype=means.dtype, device=means.device
        )
        scales = torch.where(empty[:, None, None], before.covariances, scales)
        degrees = before.degrees
        if self.learned:
            drift = (shares * (torch.digamma(a) - b.log() - a / b)).sum(1) / counts.clamp_min(EMPTY)
            degrees = torch.where(empty, degrees, best_degrees(drift))
        return StudentMixture(weights_of(counts), means, scales, degrees)

    def hidden_divergence(self, one: Tensor, other: Tensor) -> Tensor:
        return gamma_divergence(one, other)

    def parameter_count(self, components: int, dimension: int) -> int:
        k, d = components, dimension
        scales = {"full": k * d * (d + 1) // 2, "tied": d * (d + 1) // 2, "diagonal": k * d, "spherical": k}[self.shape]
        return k - 1 + k * d + scales + (k if self.learned else 0)


def best_degrees(drift: Tensor) -> Tensor:
    """The ν that maximises the bound: the root of log(ν/2) + 1 - ψ(ν/2) + E[log u - u], which falls in ν; by bisection."""
    low, high = torch.full_like(drift, math.log(LEAST_DEGREES)), torch.full_like(drift, math.log(MOST_DEGREES))
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        half = 0.5 * middle.exp()
        above = half.log() + 1 - torch.digamma(half) + drift > 0
        low, high = torch.where(above, middle, low), torch.where(above, high, middle)
    return (0.5 * (low + high)).exp()


def gamma_divergence(one: Tensor, other: Tensor) -> Tensor:
    """KL of two Gamma laws, each given by shape and rate along the first axis."""
    (a, b), (c, e) = one, other
    found: Tensor = (a - c) * torch.digamma(a) - torch.lgamma(a) + torch.lgamma(c) + c * (b.log() - e.log()) + a * (e - b) / b
    return found
