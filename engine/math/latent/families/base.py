"""Mixtures of other families than the normal: what EM needs of a component is its density and its weighted fit.

A family says how likely points are under each component, and which component fits points of given weights best. Where it hides
more than the label, as Student's law hides a scale for each point, it also says what is expected of that. Everything else, the
half-steps, the lower bound and what parts it from the likelihood, is the same for all (`look`, `bound`, `divergence`).

Points stand coordinates first, (d, n).

References
----------
Peel & McLachlan (2000), Robust mixture modelling using the t distribution, Statistics and Computing 10.
Liu & Rubin (1995), ML estimation of the t distribution using EM and its extensions, ECM and ECME, Statistica Sinica 5.
Bishop (2006), Pattern Recognition and Machine Learning, sections 9.3.3 (Bernoulli) and 14.5.1 (regressions).
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.math.latent.laws import EMPTY, IMPOSSIBLE, Mixture, harden, log_weights

RAREST = 1e-12  # least probability of a pixel, and least rate: a logarithm stays finite


def moved(law: Mixture, like: Tensor) -> list[Tensor]:
    """All tensors of a law on the device and in the precision of a tensor."""
    return [getattr(law, each.name).to(like.device, like.dtype) for each in dataclasses.fields(law)]


@dataclass(frozen=True, slots=True)
class Look:
    """One look at all points with the components of a moment."""

    log_likelihood: float
    entropy: float  # -Σ r log r
    shares: Tensor  # (K, n)
    hidden: Tensor | None
    rounding: float  # how far the log-likelihood may be off

    @property
    def counts(self) -> Tensor:
        """Effective numbers of points, (K,)."""
        return self.shares.sum(1)


class Family(ABC):
    """What the half-steps ask of the components of a mixture.

    Attributes
    ----------
    slack : float
        How far below its maximum the fit may leave the bound for each number of the data, beside rounding.
    """

    slack = 0.0

    @abstractmethod
    def log_density(self, points: Tensor, law: Mixture) -> Tensor:
        """log p(x_i | component k), shape (K, n)."""

    @abstractmethod
    def fit(self, points: Tensor, found: Look, before: Mixture) -> Mixture:
        """The components that maximise the lower bound for what a look has found; an empty one stays where it was."""

    @abstractmethod
    def parameter_count(self, components: int, dimension: int) -> int:
        """Free parameters, weights included."""

    @abstractmethod
    def begin(self, points: Tensor, start: Mixture) -> Mixture:
        """The first components, from means and covariances that k-means or chance have found."""

    def hidden(self, points: Tensor, law: Mixture) -> Tensor | None:
        """What is hidden beside the label, as a tensor (..., K, n) that `complete` understands; None for nothing."""
        return None

    def complete(self, points: Tensor, law: Mixture, hidden: Tensor | None) -> Tensor:
        """Expected log p(x, hidden | k) less the expected log of the law of what is hidden, (K, n): at most `log_density`."""
        return self.log_density(points, law)

    def hidden_divergence(self, one: Tensor, other: Tensor) -> Tensor:
        """KL of two laws of what is hidden, (K, n)."""
        return torch.zeros_like(one + other)

    def log_joint(self, points: Tensor, law: Mixture) -> Tensor:
        """log π_k p(x_i | k), shape (K, n)."""
        return log_weights(law)[:, None] + self.log_density(points, law).clamp_min(IMPOSSIBLE)

    def density(self, points: Tensor, law: Mixture) -> Tensor:
        """log p(x_i), shape (n,)."""
        return torch.logsumexp(self.log_joint(points, law), 0)

    def posterior(self, points: Tensor, law: Mixture, *, hard: bool = False) -> Tensor:
        """Responsibilities (K, n); of hard EM all for the best."""
        joint = self.log_joint(points, law)
        return harden(joint) if hard else torch.softmax(joint, 0)


def weights_of(counts: Tensor) -> Tensor:
    """Shares of effective numbers of points; empty components get none."""
    counts = torch.where(counts < EMPTY, 0.0, counts)
    return counts / counts.sum()


def weighted_means(points: Tensor, shares: Tensor, before: Mixture) -> tuple[Tensor, Tensor]:
    """Weights (K,) and means (K, d) under responsibilities (K, n); an empty component keeps its mean."""
    counts = shares.sum(1)
    means = shares @ points.mT / counts.clamp_min(EMPTY)[:, None]
    return weights_of(counts), torch.where((counts < EMPTY)[:, None], before.means, means)


def look(family: Family, points: Tensor, law: Mixture, *, hard: bool = False) -> Look:
    """The E half-step of any family."""
    joint = family.log_joint(points, law)
    total = torch.logsumexp(joint, 0)
    shares = harden(joint) if hard else (joint - total).exp()
    entropy = 0.0 if hard else float(-torch.xlogy(shares, shares).sum())
    size = float(total.abs().sum())
    rounding = torch.finfo(points.dtype).eps * (64 * size + 64 * points.numel())
    return Look(float(total.sum()), entropy, shares, family.hidden(points, law), rounding)


def bound(family: Family, points: Tensor, found: Look, law: Mixture) -> float:
    """F(r, θ): what the look found, and the components of any moment."""
    complete = log_weights(law)[:, None] + family.complete(points, law, found.hidden).clamp_min(IMPOSSIBLE)
    return float((found.shares * complete).sum()) + found.entropy


def divergence(family: Family, points: Tensor, found: Look, law: Mixture) -> float:
    """Σ KL of the law of labels and of all that is hidden from the posterior at other components."""
    joint = family.log_joint(points, law)
    log_p = joint - torch.logsumexp(joint, 0)
    r = found.shares
    labels = torch.where(r > 0, r * (r.clamp_min(1e-300).log() - log_p), 0.0)
    if found.hidden is None:
        return float(labels.sum())
    now = family.hidden(points, law)
    assert now is not None
    return float(labels.sum() + (r * family.hidden_divergence(found.hidden, now)).sum())
