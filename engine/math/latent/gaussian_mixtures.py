"""Gaussian mixtures: the two half-steps of EM, and what they do to the lower bound.

For responsibilities r and parameters θ the lower bound is F(r, θ) = Σ_ik r_ik log(π_k N(x_i; μ_k, Σ_k) / r_ik), and
log L(θ) = F(r, θ) + Σ_i KL(r_i || p_θ(. | x_i)). The E half-step maximises F in r, the M half-step in θ. The data enter the M
half-step through `Statistics` alone, hence millions of points are met once per iteration, chunk by chunk.

Points stand coordinates first, (d, n).

References
----------
Dempster, Laird & Rubin (1977), Maximum likelihood from incomplete data via the EM algorithm, JRSS B 39.
Neal & Hinton (1998), A view of the EM algorithm that justifies incremental, sparse, and other variants.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from engine.math.latent.laws import (
    EMPTY,
    LOG_TWO_PI,
    Mixture,
    Shape,
    harden,
    joint_and_differences,
    log_weights,
    shaped,
    whitening,
)
from engine.math.numerics.precision import wide_dtype

CHUNK = {"cpu": 1 << 18, "cuda": 1 << 25, "mps": 1 << 22}  # numbers of a block: it should stay in the cache
EXACT_WORK = 1 << 17  # numbers (K n d) up to which differences are taken for their accuracy
WORST_CANCELLATION = 1e7  # |x|² over the smallest variance up to which moments about a common point are accurate enough


def nothing() -> None:
    """Between two chunks."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """Moments of the points under responsibilities, taken about a reference point for each component."""

    reference: Tensor  # (K, d)
    counts: Tensor  # (K,): effective numbers of points
    sums: Tensor  # (K, d): Σ r (x - reference)
    squares: Tensor  # (K, d, d): Σ r (x - reference)(x - reference)ᵀ

    def scatter(self, means: Tensor) -> Tensor:
        """Σ r (x - μ)(x - μ)ᵀ about other points, shape (K, d, d)."""
        shift = means - self.reference
        cross = self.sums[:, :, None] * shift[:, None, :]
        return self.squares - cross - cross.mT + self.counts[:, None, None] * shift[:, :, None] * shift[:, None, :]

    @staticmethod
    def empty(reference: Tensor) -> Statistics:
        """Of no points."""
        k, d = reference.shape
        return Statistics(reference, reference.new_zeros(k), reference.new_zeros(k, d), reference.new_zeros(k, d, d))

    def to(self, dtype: torch.dtype) -> Statistics:
        """In another precision."""
        return Statistics(*(each.to(dtype) for each in (self.reference, self.counts, self.sums, self.squares)))

    def joined(self, other: Statistics) -> Statistics:
        """Of both sets of points, about the mean of all (Chan, Golub & LeVeque 1983): nothing cancels."""
        counts = self.counts + other.counts
        share = (other.counts / counts.clamp_min(EMPTY))[:, None]
        between = other.reference - self.reference
        lever = torch.where(self.counts > 0, self.counts * share[:, 0], 0.0)
        squares = self.squares + other.squares + lever[:, None, None] * between[:, :, None] * between[:, None, :]
        reference = self.reference + share * between
        return Statistics(reference, counts, self.sums + other.sums, squares)


@dataclass(frozen=True, slots=True)
class Expectation:
    """What one look at all points brings."""

    log_likelihood: float  # at the parameters of the look
    entropy: float  # -Σ r log r
    statistics: Statistics
    rounding: float  # how far the log-likelihood may be off
    responsibilities: Tensor | None = None  # (K, n) where they were asked for

    @property
    def counts(self) -> Tensor:
        """Effective numbers of points, (K,)."""
        return self.statistics.counts


# ---- the E half-step ---------------------------------------------------------------------------------------------------


def expectation(
    points: Tensor,
    mixture: Mixture,
    *,
    hard: bool = False,
    keep: bool = False,
    entropy: bool = True,
    between: Callable[[], None] = nothing,
) -> Expectation:
    """Responsibilities at these parameters, and the moments that the M half-step needs.

    Parameters
    ----------
    points : Tensor, shape (d, n)
        In single or double precision; sums over chunks are always kept in double.
    mixture : Mixture
    hard : bool
        Give each point wholly to the component with the largest share.
    keep : bool
        Keep the responsibilities.
    entropy : bool
        Whether their entropy is wanted; else it is 0.
    between : callable
        Called between chunks; may raise.

    Raises
    ------
    Collapse
        If a covariance is not positive definite.
    """
    d, n = points.shape
    k = mixture.components
    inverse, half_determinant = whitening(mixture)
    wide = wide_dtype(points.device)
    precise = mixture.to(torch.empty(0, dtype=wide, device=points.device))
    fast = False
    reach = 0.0
    if k * n * d > EXACT_WORK:
        low, high = points.amin(1), points.amax(1)
        furthest = torch.maximum(low.abs(), high.abs()).square().sum()
        reach = float(furthest * inverse.square().sum((1, 2)).amax())  # |x|² over the smallest variance
        fast = reach < WORST_CANCELLATION
    f = 1 + d + d * (d + 1) // 2
    size = max(256, CHUNK[points.device.type] // (max(f, 2 * k) if fast else k * d))
    found = [torch.zeros((), dtype=wide, device=points.device) for _ in range(3)]
    kept = []
    moments = torch.zeros((k, f), dtype=wide, device=points.device)
    gathered = Statistics.empty(precise.means)
    coefficients = _coefficients(precise, inverse.to(wide), half_determinant.to(wide)).to(points.dtype) if fast else None
    narrow = mixture.to(points)
    for start in range(0, n, size):
        between()
        block = points[:, start : start + size]
        if coefficients is not None:
            features = _features(block)
            joint = coefficients @ features
        else:
            joint, difference = joint_and_differences(block, narrow, inverse, half_determinant)
        best = joint.amax(0)
        if hard:
            shares = harden(joint)
            total = best + (joint - best).exp_().sum(0).log_()
        else:
            joint -= best
            shares = joint.exp()
            norm = shares.sum(0)
            shares /= norm
            norm.log_()
            total = best.add_(norm)
            if entropy:
                found[1] += (norm.sum(dtype=wide) - torch.dot(shares.reshape(-1), joint.reshape(-1))).to(wide)
        found[0] += total.sum(dtype=wide)
        found[2] += total.abs_().sum(dtype=wide)
        if coefficients is not None:
            moments += (shares @ features.mT).to(wide)
        else:
            gathered = gathered.joined(_block(narrow.means, difference, shares).to(wide))
        if keep:
            kept.append(shares)
    statistics = _unpacked(moments, d) if fast else gathered
    value, spread, size_of = (each.item() for each in found)
    unit = torch.finfo(points.dtype).eps
    variances = mixture.covariances.diagonal(dim1=1, dim2=2)
    inflation = float(
        (inverse.square().sum(1) * variances).amax()
    )  # 1 for a diagonal covariance, large for a nearly singular one
    rounding = unit * (32 * (size_of + n * d) + n * d * inflation + (4 * n * reach if fast else 0.0))
    return Expectation(value, spread, statistics, rounding, torch.cat(kept, 1) if keep else None)


@lru_cache(maxsize=64)
def _pairs(d: int, device: torch.device) -> tuple[Tensor, Tensor]:
    rows, columns = torch.triu_indices(d, d, device=device)
    return rows, columns


def _features(points: Tensor) -> Tensor:
    """1, x_i and x_i x_j for i <= j, shape (f, n)."""
    d, n = points.shape
    found = torch.empty((1 + d + d * (d + 1) // 2, n), dtype=points.dtype, device=points.device)
    found[0] = 1
    found[1 : 1 + d] = points
    at = 1 + d
    for i in range(d):
        torch.mul(points[i:], points[i], out=found[at : at + d - i])
        at += d - i
    return found


def _coefficients(mixture: Mixture, inverse: Tensor, half_determinant: Tensor) -> Tensor:
    """The quadratic form log π_k N(x) in the features, shape (K, f)."""
    d = mixture.dimension
    precision = inverse.mT @ inverse
    slope = (precision @ mixture.means[:, :, None])[:, :, 0]
    constant = log_weights(mixture) - half_determinant - 0.5 * d * LOG_TWO_PI - 0.5 * (slope * mixture.means).sum(1)
    rows, columns = _pairs(d, precision.device)
    squares = precision[:, rows, columns] * torch.where(rows == columns, -0.5, -1.0)
    return torch.cat([constant[:, None], slope, squares], 1)


def _unpacked(moments: Tensor, d: int) -> Statistics:
    rows, columns = _pairs(d, moments.device)
    squares = moments.new_zeros((len(moments), d, d))
    squares[:, rows, columns] = moments[:, 1 + d :]
    squares[:, columns, rows] = moments[:, 1 + d :]
    return Statistics(moments.new_zeros((len(moments), d)), moments[:, 0], moments[:, 1 : 1 + d], squares)


def _block(reference: Tensor, difference: Tensor, shares: Tensor) -> Statistics:
    """Moments about the means of a block itself: points far apart cancel nothing.

    `difference` (K, d, n) is from the reference (K, d), and is overwritten.
    """
    counts = shares.sum(1)
    shift = (difference @ shares[:, :, None])[:, :, 0] / counts.clamp_min(EMPTY)[:, None]
    difference -= shift[:, :, None]
    weighted = difference * shares[:, None]
    return Statistics(reference + shift, counts, weighted.sum(2), weighted @ difference.mT)


def statistics_of(points: Tensor, responsibilities: Tensor) -> Statistics:
    """Moments under given responsibilities (K, n), each about the mean of its own points."""
    centre = points.mean(1).expand(len(responsibilities), -1)
    return _block(centre, points - centre[:, :, None], responsibilities)


# ---- the M half-step ---------------------------------------------------------------------------------------------------


def maximisation(statistics: Statistics, shape: Shape, floor: float = 0.0, *, before: Mixture | None = None) -> Mixture:
    """Parameters of the largest lower bound under these responsibilities.

    Parameters
    ----------
    statistics : Statistics
    shape : str
        Which covariances are allowed.
    floor : float
        Added to the diagonal of every covariance, as `reg_covar` of scikit-learn. Above 0 the bound may fall short of its
        maximum by as much as `cost_of_floor` says.
    before : Mixture, optional
        Where a component without points keeps its place.
    """
    counts = statistics.counts
    empty = counts < EMPTY
    divisor = counts.clamp_min(EMPTY)
    means = statistics.reference + statistics.sums / divisor[:, None]
    covariances = statistics.scatter(means) / divisor[:, None, None]
    covariances = shaped(covariances, counts, shape)
    covariances = covariances + floor * torch.eye(means.shape[1], dtype=means.dtype, device=means.device)
    if before is not None and bool(empty.any()):
        old = before.to(means)
        means = torch.where(empty[:, None], old.means, means)
        if shape != "tied":
            covariances = torch.where(empty[:, None, None], shaped(old.covariances, counts, shape), covariances)
    counts = torch.where(empty, 0.0, counts)
    return Mixture(counts / counts.sum(), means, covariances)


def expected_log_joint(statistics: Statistics, mixture: Mixture) -> Tensor:
    """Q = Σ_ik r_ik log π_k N(x_i; μ_k, Σ_k), a scalar that gradients flow through."""
    d = mixture.dimension
    factor = torch.linalg.cholesky(mixture.covariances)
    solved = torch.cholesky_solve(statistics.scatter(mixture.means), factor)
    traces = solved.diagonal(dim1=1, dim2=2).sum(1)
    half_determinant = factor.diagonal(dim1=1, dim2=2).log().sum(1)
    counts = statistics.counts
    logs = torch.where(counts >= EMPTY, log_weights(mixture), 0.0)  # an empty component adds nothing
    found: Tensor = (counts * (logs - half_determinant - 0.5 * d * LOG_TWO_PI) - 0.5 * traces).sum()
    return found


def lower_bound(expected: Expectation, mixture: Mixture) -> float:
    """F(r, θ) for the responsibilities of one look and the parameters of any."""
    return float(expected_log_joint(expected.statistics, mixture.to(expected.statistics.counts))) + expected.entropy


def cost_of_floor(covariances: Tensor, counts: Tensor, floor: float) -> float:
    """How far below its maximum over θ the floor leaves the lower bound: ½ Σ_k N_k [log|I + εS⁻¹| - ε tr (S + εI)⁻¹].

    S is the covariance before the floor was added; infinite where S is singular.
    """
    if floor == 0:
        return 0.0
    eigenvalues = (torch.linalg.eigvalsh(covariances) - floor).clamp_min(0.0)
    ratio = floor / eigenvalues
    each = torch.log1p(ratio) - ratio / (1 + ratio)
    each = torch.where(torch.isfinite(ratio), each, math.inf)
    used = counts >= EMPTY
    return 0.5 * float((counts[used, None] * each[used]).sum())


def cost_of_rounding(mixture: Mixture, counts: Tensor) -> float:
    """How far the lower bound may lie below its maximum since means are rounded: about ½ Σ_k N_k |Σ_k^(-1/2) δμ_k|²."""
    rounded = 4 * torch.finfo(mixture.means.dtype).eps * mixture.means.abs()
    inverse = whitening(mixture)[0]
    return 0.5 * float((counts * (inverse.abs() @ rounded[:, :, None])[:, :, 0].square().sum(1)).sum())


# ---- whole iterations --------------------------------------------------------------------------------------------------


def iterate(
    points: Tensor,
    mixture: Mixture,
    shape: Shape,
    floor: float = 0.0,
    *,
    hard: bool = False,
    between: Callable[[], None] = nothing,
) -> tuple[Mixture, Expectation]:
    """An E and an M half-step in one look at the data; the log-likelihood is that of the parameters before.

    Raises
    ------
    Collapse
        If a covariance before the step is not positive definite.
    """
    expected = expectation(points, mixture, hard=hard, entropy=False, between=between)
    return maximisation(expected.statistics, shape, floor, before=mixture), expected
