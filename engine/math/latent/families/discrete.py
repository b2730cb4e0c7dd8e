"""Mixtures of independent bits and of independent counts."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.math.latent.families.base import RAREST, Family, Look, weighted_means
from engine.math.latent.laws import Mixture


@dataclass(frozen=True)
class Bernoulli(Family):
    """Independent coordinates 0 or 1; the mean of a component is how probable each 1 is."""

    slack = 4 * RAREST

    def begin(self, points: Tensor, start: Mixture) -> Mixture:
        middle = points.mean(1)
        return self._law(start.weights, 0.5 * (start.means + middle).clamp(0.0, 1.0))  # no pixel is sure at first

    def _law(self, weights: Tensor, means: Tensor) -> Mixture:
        means = means.clamp(RAREST, 1 - RAREST)
        return Mixture(weights, means, torch.diag_embed(means * (1 - means)))

    def log_density(self, points: Tensor, law: Mixture) -> Tensor:
        return law.means.log() @ points + torch.log1p(-law.means) @ (1 - points)

    def fit(self, points: Tensor, found: Look, before: Mixture) -> Mixture:
        return self._law(*weighted_means(points, found.shares, before))

    def parameter_count(self, components: int, dimension: int) -> int:
        return components - 1 + components * dimension


@dataclass(frozen=True)
class Poisson(Family):
    """Independent counts; the mean of a component is its rates."""

    slack = 4 * RAREST

    def begin(self, points: Tensor, start: Mixture) -> Mixture:
        return self._law(start.weights, start.means.clamp_min(0.05 * float(points.mean()) + RAREST))

    def _law(self, weights: Tensor, means: Tensor) -> Mixture:
        means = means.clamp_min(RAREST)
        return Mixture(weights, means, torch.diag_embed(means))

    def log_density(self, points: Tensor, law: Mixture) -> Tensor:
        known = torch.where(points > -0.5, points, math.inf)  # between whole numbers for the sake of curves
        return law.means.log() @ points - law.means.sum(1)[:, None] - torch.lgamma(known + 1).sum(0)

    def fit(self, points: Tensor, found: Look, before: Mixture) -> Mixture:
        return self._law(*weighted_means(points, found.shares, before))

    def parameter_count(self, components: int, dimension: int) -> int:
        return components - 1 + components * dimension
