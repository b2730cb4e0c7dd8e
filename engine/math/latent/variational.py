"""Mixtures of normals by variational Bayes: EM with a law for the parameters instead of a point.

Prior: weights ~ Dirichlet(α₀), each (μ_k, Λ_k) ~ Normal(m₀, (β₀ Λ_k)⁻¹) Wishart(W₀, ν₀). The posterior is sought among products
q(labels) q(weights, means, precisions); coordinate ascent on the evidence lower bound (ELBO) alternates a step like E and one
like M, and never lowers it. Components that the data do not need lose their points: with a small α₀ the number of components
is found rather than given.

Points stand coordinates first, (d, n).

References
----------
Attias (1999), Inferring parameters and structure of latent variable models by variational Bayes, UAI.
Bishop (2006), Pattern Recognition and Machine Learning, section 10.2; the equations are named after it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.math.latent.gaussian_mixtures import Statistics, statistics_of
from engine.math.latent.laws import LOG_TWO_PI, Mixture


@dataclass(frozen=True, slots=True)
class Prior:
    """What is believed before the data.

    Parameters
    ----------
    concentration : float
        α₀ of each component.
    mean : Tensor, shape (d,)
        m₀.
    strength : float
        β₀, in points.
    freedom : float
        ν₀, above d - 1.
    scatter : Tensor, shape (d, d)
        W₀⁻¹: ν₀ times a covariance that is thought likely.
    """

    concentration: float
    mean: Tensor
    strength: float
    freedom: float
    scatter: Tensor


def vague_prior(points: Tensor, concentration: float) -> Prior:
    """Centred on the data, and worth one point: β₀ = 1, ν₀ = d, W₀⁻¹ their covariance; the choice of scikit-learn, too."""
    centred = points - points.mean(1, keepdim=True)
    d, n = points.shape
    return Prior(concentration, points.mean(1), 1.0, float(d), centred @ centred.mT / max(n - 1, 1))


@dataclass(frozen=True, slots=True)
class Posterior:
    """q of weights, means and precisions.

    Parameters
    ----------
    concentrations, strengths, freedoms : Tensor, shape (K,)
        α, β and ν of each component.
    means : Tensor, shape (K, d)
    scatters : Tensor, shape (K, d, d)
        W⁻¹.
    """

    concentrations: Tensor
    strengths: Tensor
    freedoms: Tensor
    means: Tensor
    scatters: Tensor

    @property
    def mixture(self) -> Mixture:
        """Expected weights and means, and the covariances W⁻¹/ν."""
        weights = self.concentrations / self.concentrations.sum()
        return Mixture(weights, self.means, self.scatters / self.freedoms[:, None, None])

    def effective(self, prior: Prior, least: float = 1.0) -> int:
        """Components that have at least so many points beyond what the prior gives them."""
        return int((self.concentrations - prior.concentration >= least).sum())


def updated(statistics: Statistics, prior: Prior) -> Posterior:
    """The M-like step, (10.58) and (10.60) to (10.63), from the moments of the points under the responsibilities."""
    counts, d = statistics.counts, len(prior.mean)
    alive = counts.clamp_min(torch.finfo(counts.dtype).tiny)
    centres = statistics.reference + statistics.sums / alive[:, None]
    strengths = prior.strength + counts
    means = (prior.strength * prior.mean + counts[:, None] * centres) / strengths[:, None]
    away = centres - prior.mean
    pull = (prior.strength * counts / strengths)[:, None, None] * away[:, :, None] * away[:, None, :]
    scatters = prior.scatter + statistics.scatter(centres) + pull
    assert d == means.shape[1]
    return Posterior(prior.concentration + counts, strengths, prior.freedom + counts, means, 0.5 * (scatters + scatters.mT))


def log_shares(points: Tensor, found: Posterior) -> Tensor:
    """The E-like step: log ρ, (10.46), (K, n); responsibilities are its softmax."""
    d = points.shape[0]
    factor = torch.linalg.cholesky(found.scatters)
    difference = points - found.means[:, :, None]
    squares = torch.linalg.solve_triangular(factor, difference, upper=False).square().sum(1)
    distance = d / found.strengths[:, None] + found.freedoms[:, None] * squares
    logs: Tensor = (expected_log_weights(found) + 0.5 * expected_log_determinants(found))[:, None] - 0.5 * (
        d * LOG_TWO_PI + distance
    )
    return logs


def expected_log_weights(found: Posterior) -> Tensor:
    """E log π_k, (10.66), shape (K,)."""
    return torch.digamma(found.concentrations) - torch.digamma(found.concentrations.sum())


def expected_log_determinants(found: Posterior) -> Tensor:
    """E log |Λ_k|, (10.65), shape (K,)."""
    d = found.means.shape[1]
    steps = torch.arange(d, dtype=found.freedoms.dtype, device=found.freedoms.device)
    logs: Tensor = (
        torch.digamma(0.5 * (found.freedoms[:, None] - steps)).sum(1) + d * math.log(2) - log_determinants(found.scatters)
    )
    return logs


def log_determinants(matrices: Tensor) -> Tensor:
    """log |W⁻¹| of positive definite matrices (K, d, d)."""
    logs: Tensor = 2 * torch.linalg.cholesky(matrices).diagonal(dim1=1, dim2=2).log().sum(1)
    return logs


def elbo(points: Tensor, found: Posterior, prior: Prior) -> float:
    """The evidence lower bound when the labels have their best law for these parameters.

    It is then Σ_i log Σ_k ρ_ik - KL(q(weights, means, precisions) || prior): at most the log of the evidence.
    """
    likelihood = float(torch.logsumexp(log_shares(points, found), 0).sum())
    return likelihood - dirichlet_divergence(found, prior) - wishart_divergence(found, prior)


def dirichlet_divergence(found: Posterior, prior: Prior) -> float:
    """KL of the Dirichlet law of the weights from its prior."""
    a = found.concentrations
    b = torch.full_like(a, prior.concentration)
    gap = ((a - b) * expected_log_weights(found)).sum()
    return float(torch.lgamma(a.sum()) - torch.lgamma(a).sum() - torch.lgamma(b.sum()) + torch.lgamma(b).sum() + gap)


def wishart_divergence(found: Posterior, prior: Prior) -> float:
    """KL of the normal-Wishart laws of all components from their priors."""
    d = len(prior.mean)
    nu, beta = found.freedoms, found.strengths
    inverse = torch.cholesky_inverse(torch.linalg.cholesky(found.scatters))  # W
    logs = expected_log_determinants(found)
    away = found.means - prior.mean
    moved = nu * ((away[:, None] @ inverse)[:, 0] * away).sum(1)
    normal = 0.5 * (d * (prior.strength / beta - 1 + beta.log() - math.log(prior.strength)) + prior.strength * moved)
    trace = (inverse * prior.scatter).sum((1, 2))
    own = log_wishart(nu, log_determinants(found.scatters), d)
    other = log_wishart(torch.full_like(nu, prior.freedom), log_determinants(prior.scatter[None]), d)
    wishart = own - other + 0.5 * (nu - prior.freedom) * logs + 0.5 * nu * (trace - d)
    return float((normal + wishart).sum())


def log_wishart(freedom: Tensor, log_scatter: Tensor, d: int) -> Tensor:
    """log of the constant B(W, ν) of a Wishart law, (B.79), for log |W⁻¹|."""
    halves = 0.5 * (freedom[:, None] - torch.arange(d, dtype=freedom.dtype, device=freedom.device))
    gammas = 0.25 * d * (d - 1) * math.log(math.pi) + torch.lgamma(halves).sum(1)
    found: Tensor = 0.5 * freedom * log_scatter - 0.5 * freedom * d * math.log(2) - gammas
    return found


def ascend(points: Tensor, found: Posterior, prior: Prior) -> Posterior:
    """One iteration: responsibilities, then the law of the parameters."""
    return updated(statistics_of(points, torch.softmax(log_shares(points, found), 0)), prior)
