"""Gradient ascent on the log-likelihood of a mixture, from the moments that an E half-step leaves.

The gradient of log L at θ is that of F(r, θ) with r held at the posterior of θ (Fisher's identity), and F needs the data
through their moments alone. So a gradient step costs as much as an EM step: one goes uphill on F, the other to its top.

References
----------
Salakhutdinov, Roweis & Ghahramani (2003), Optimization with EM and expectation-conjugate-gradient, ICML.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from engine.math.latent.gaussian_mixtures import Statistics, expected_log_joint
from engine.math.latent.laws import Mixture, Shape, log_weights, shaped

MOST_HALVINGS = 40
NARROWEST = 1e-8  # variance relative to the data's below which the floor's share of a covariance is cut


def ascend(
    statistics: Statistics,
    mixture: Mixture,
    shape: Shape,
    floor: float,
    rate: float,
    scale: Tensor,
) -> Mixture:
    """One step of length `rate` along the gradient of the mean log-likelihood, halved until the lower bound does not fall.

    The bound touches the log-likelihood where the step begins, so that this falls no more than the bound does; to look at the
    bound costs no look at the data.

    The coordinates are logits of the weights, means over the deviations of the data, and factors of covariances: logarithms of
    the diagonal of a Cholesky factor and what is below it, as far as the shape has them.

    Parameters
    ----------
    statistics : Statistics
        From an E half-step at these parameters.
    mixture : Mixture
    shape, floor
        As in `maximisation`; a covariance is the floor plus a factor times its transpose.
    rate : float
    scale : Tensor, shape (d,)
        Standard deviations of the data.
    """
    means = mixture.means
    d = means.shape[1]
    unit = scale.square().mean().sqrt().expand(d) if shape == "spherical" else scale
    covariances = shaped(mixture.covariances, statistics.counts, shape) / (unit[:, None] * unit)
    low = torch.diag_embed(floor / unit.square())
    values, vectors = torch.linalg.eigh(covariances - low)
    positive = (vectors * values.clamp_min(NARROWEST)[:, None, :]) @ vectors.mT
    factor = torch.linalg.cholesky(positive)
    if shape == "tied":
        factor = factor[:1]
    logits, places = log_weights(mixture).clamp_min(-700), means / scale
    logs, below = factor.diagonal(dim1=1, dim2=2).log(), factor.tril(-1)
    if shape == "spherical":
        logs = logs[:, :1]
    pulled = _gradient(statistics, [logits, places, logs, below], scale, unit, low, shape)
    total = float(statistics.counts.sum())
    here = [logits, places, logs, below]
    now = float(expected_log_joint(statistics, _built(here, scale, unit, low, shape)))
    for halving in range(MOST_HALVINGS):
        length = rate / total * 0.5**halving
        moved = _built([each + length * slope for each, slope in zip(here, pulled, strict=True)], scale, unit, low, shape)
        if _value(statistics, moved) >= now:
            return moved
    return _built(here, scale, unit, low, shape)  # at a maximum, as far as rounding tells


def _value(statistics: Statistics, mixture: Mixture) -> float:
    """Q, or minus infinity where the step has left what numbers can hold."""
    finite = all(bool(torch.isfinite(each).all()) for each in (mixture.weights, mixture.means, mixture.covariances))
    if not finite or bool(torch.linalg.cholesky_ex(mixture.covariances).info.any()):
        return -math.inf
    return float(expected_log_joint(statistics, mixture))


def _gradient(
    statistics: Statistics, coordinates: list[Tensor], scale: Tensor, unit: Tensor, low: Tensor, shape: Shape
) -> tuple[Tensor, ...]:
    with torch.enable_grad():
        leaves = [each.detach().clone().requires_grad_() for each in coordinates]
        value = expected_log_joint(statistics, _built(leaves, scale, unit, low, shape))
        return torch.autograd.grad(value, leaves, materialize_grads=True)


def _built(coordinates: list[Tensor], scale: Tensor, unit: Tensor, low: Tensor, shape: Shape) -> Mixture:
    logits, places, logs, below = coordinates
    k, d = places.shape
    diagonal = torch.diag_embed(logs.exp().expand(-1, d))
    factor = diagonal + below.tril(-1) if shape in ("full", "tied") else diagonal
    covariances = (factor @ factor.mT + low) * (unit[:, None] * unit)
    return Mixture(torch.softmax(logits, 0), places * scale, covariances.expand(k, d, d))
