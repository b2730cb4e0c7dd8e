"""Mixtures of linear regressions."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from engine.math.latent.families.base import Family, Look, moved, weighted_means
from engine.math.latent.laws import EMPTY, LOG_TWO_PI, Collapse, Mixture, posterior


@dataclass(frozen=True, slots=True)
class RegressionMixture(Mixture):
    """Lines y = c · (1, x): the last coordinate of a point is the response, the others are inputs.

    Means and covariances are those of the points that each line explains; the law itself is of the response alone.
    """

    coefficients: Tensor  # (K, d): intercept and slopes
    variances: Tensor  # (K,): of the response about its line

    def to(self, like: Tensor) -> RegressionMixture:
        """On the device and in the precision of a tensor."""
        return RegressionMixture(*moved(self, like))


@dataclass(frozen=True)
class Regression(Family):
    """Straight lines with normal errors; x is given, y is explained.

    Parameters
    ----------
    floor : float
        Added to every variance.
    """

    floor: float

    def begin(self, points: Tensor, start: Mixture) -> RegressionMixture:
        """The line through the points near each first mean, as a normal component there takes them."""
        k, d = start.means.shape
        flat = RegressionMixture(
            start.weights, start.means, start.covariances, start.means.new_zeros((k, d)), start.weights.new_ones(k)
        )
        shares = posterior(points, start)
        found = self._fitted(points, shares, flat)
        return RegressionMixture(start.weights, found.means, found.covariances, found.coefficients, found.variances)

    @staticmethod
    def design(points: Tensor) -> Tensor:
        """1 and the inputs, (d, n)."""
        return torch.cat([torch.ones_like(points[:1]), points[:-1]])

    def log_density(self, points: Tensor, law: Mixture) -> Tensor:
        assert isinstance(law, RegressionMixture)
        off = points[-1] - law.coefficients @ self.design(points)
        variances = law.variances[:, None]
        return -0.5 * (LOG_TWO_PI + variances.log() + off.square() / variances)

    def fit(self, points: Tensor, found: Look, before: Mixture) -> RegressionMixture:
        assert isinstance(before, RegressionMixture)
        law = self._fitted(points, found.shares, before)
        self._refuse(points, found.shares, law.variances, found.counts)
        return law

    def _fitted(self, points: Tensor, shares: Tensor, before: RegressionMixture) -> RegressionMixture:
        """Weighted least squares."""
        counts, design = shares.sum(1), self.design(points)
        alive = counts >= EMPTY
        roots = shares.sqrt()
        fitted = torch.linalg.lstsq((roots[:, None] * design).mT.cpu(), (roots * points[-1])[:, :, None].cpu(), driver="gelsd")
        coefficients = torch.where(alive[:, None], fitted.solution[:, :, 0].to(points), before.coefficients)
        off = points[-1] - coefficients @ design
        variances = (shares * off.square()).sum(1) / counts.clamp_min(EMPTY) + self.floor
        variances = torch.where(alive, variances, before.variances)
        weights, means = weighted_means(points, shares, before)
        difference = points - means[:, :, None]
        around = (difference * shares[:, None]) @ difference.mT / counts.clamp_min(EMPTY)[:, None, None]
        covariances = torch.where(alive[:, None, None], around, before.covariances)
        return RegressionMixture(weights, means, covariances, coefficients, variances)

    def _refuse(self, points: Tensor, shares: Tensor, variances: Tensor, counts: Tensor) -> None:
        """A line through its points exactly has an infinite density."""
        rounding = (64 * torch.finfo(points.dtype).eps * points[-1].abs().amax()).square()
        bad = ((variances <= rounding) & (counts >= EMPTY)).nonzero()
        if len(bad) and self.floor == 0:
            k = int(bad[0])
            mean = points @ shares[k] / counts[k]
            raise Collapse(k, True, float(counts[k]), mean)

    def parameter_count(self, components: int, dimension: int) -> int:
        return components - 1 + components * (dimension + 1)
