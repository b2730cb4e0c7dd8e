"""Gaussian mixtures as laws: densities, posteriors, shapes of covariances, and when a component is no law any more.

Points stand coordinates first, (d, n).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

Shape = Literal["full", "tied", "diagonal", "spherical"]

LOG_TWO_PI = math.log(2 * math.pi)
IMPOSSIBLE = -1e30  # log of a weight 0: finite, so that 0 times it is 0
COLLAPSED = 32.0  # roundings of a mean within which the deviation of a component is none
TINY = 1e-300  # below, squares of numbers lose their digits
FLATTEST = 1e-11  # smallest eigenvalue of a correlation matrix
SINGULAR = 8.0  # roundings: the smallest eigenvalue of a correlation matrix that still has a Cholesky factor
EMPTY = 1e-10  # effective points below which a component has none


@dataclass(frozen=True, slots=True)
class Mixture:
    """Parameters of K normal laws in d dimensions."""

    weights: Tensor  # (K,)
    means: Tensor  # (K, d)
    covariances: Tensor  # (K, d, d)

    @property
    def components(self) -> int:
        """K."""
        return len(self.weights)

    @property
    def dimension(self) -> int:
        """d."""
        return self.means.shape[1]

    def to(self, like: Tensor) -> Mixture:
        """On the device and in the precision of a tensor."""
        return Mixture(*(each.to(like.device, like.dtype) for each in (self.weights, self.means, self.covariances)))

    def permuted(self, order: Tensor) -> Mixture:
        """Components in another order."""
        return Mixture(self.weights[order], self.means[order], self.covariances[order])

    def projected(self, basis: Tensor, origin: Tensor) -> Mixture:
        """The law of (x - origin) @ basis, for a basis (d, p): again a mixture."""
        return Mixture(self.weights, (self.means - origin) @ basis, basis.mT @ self.covariances @ basis)


class Collapse(Exception):
    """A component whose covariance cannot be inverted.

    Parameters
    ----------
    component : int
        Counted from 0.
    flat : bool
        Whether it still has some extent, only not in every direction.
    count : float
        Its effective number of points.
    mean : Tensor, shape (d,)
    """

    def __init__(self, component: int, flat: bool, count: float, mean: Tensor) -> None:
        super().__init__(f"component {component + 1} has {'become flat' if flat else 'collapsed'}")
        self.component, self.flat, self.count, self.mean = component, flat, count, mean


# ---- densities ---------------------------------------------------------------------------------------------------------


def whitening(mixture: Mixture) -> tuple[Tensor, Tensor]:
    """Inverse Cholesky factors (K, d, d) and log √|Σ| (K,).

    Raises
    ------
    Collapse
        If a covariance is not positive definite.
    """
    factor, info = torch.linalg.cholesky_ex(mixture.covariances)
    bad = info.nonzero()
    if len(bad):
        worst = int(bad[0])
        raise Collapse(worst, mixture.dimension > 1, math.nan, mixture.means[worst])
    identity = torch.eye(mixture.dimension, dtype=factor.dtype, device=factor.device)
    inverse = torch.linalg.solve_triangular(factor, identity.expand_as(factor), upper=False)
    return inverse, factor.diagonal(dim1=1, dim2=2).log().sum(1)


def log_weights(mixture: Mixture) -> Tensor:
    """log π, very negative where a weight is 0."""
    return torch.where(mixture.weights > 0, mixture.weights.clamp_min(1e-300).log(), IMPOSSIBLE)


def log_joint(points: Tensor, mixture: Mixture) -> Tensor:
    """log π_k N(x_i; μ_k, Σ_k), shape (K, n), from differences: accurate for narrow components far from the origin."""
    inverse, half_determinant = whitening(mixture)
    return joint_and_differences(points, mixture, inverse, half_determinant)[0]


def joint_and_differences(points: Tensor, mixture: Mixture, inverse: Tensor, half_determinant: Tensor) -> tuple[Tensor, Tensor]:
    difference = points - mixture.means[:, :, None]  # (K, d, n)
    squares = (inverse @ difference).square_().sum(1)
    constant = log_weights(mixture) - half_determinant - 0.5 * mixture.dimension * LOG_TWO_PI
    return squares.mul_(-0.5).add_(constant[:, None]), difference


def log_density(points: Tensor, mixture: Mixture) -> Tensor:
    """log p(x), shape (n,)."""
    return torch.logsumexp(log_joint(points, mixture), 0)


def posterior(points: Tensor, mixture: Mixture, *, hard: bool = False) -> Tensor:
    """Responsibilities p(k | x_i), shape (K, n); of hard EM all for the best."""
    joint = log_joint(points, mixture)
    return harden(joint) if hard else torch.softmax(joint, 0)


def harden(joint: Tensor) -> Tensor:
    """One for the largest of each column, the first of several; zero for the others."""
    return torch.zeros_like(joint).scatter_(0, joint.argmax(0, keepdim=True), 1.0)


# ---- shapes and extents -----------------------------------------------------------------------------------------------


def shaped(covariances: Tensor, counts: Tensor, shape: Shape) -> Tensor:
    """The nearest covariances (K, d, d) of a shape, in the sense of the likelihood of normal points."""
    d = covariances.shape[-1]
    if shape == "tied":
        shares = (counts / counts.sum())[:, None, None]
        return (shares * covariances).sum(0, keepdim=True).expand_as(covariances)
    variances = covariances.diagonal(dim1=1, dim2=2)
    if shape == "diagonal":
        return torch.diag_embed(variances)
    if shape == "spherical":
        return torch.diag_embed(variances.mean(1, keepdim=True).expand(-1, d))
    return 0.5 * (covariances + covariances.mT)


def check_extent(mixture: Mixture, counts: Tensor, floor: float = 0.0) -> None:
    """Refuse a component whose extent is no more than the rounding of its own mean.

    A narrow component among points that lie far apart is none, nor is one that the floor holds.

    Parameters
    ----------
    mixture : Mixture
    counts : Tensor, shape (K,)
        Effective numbers of points; components without any are not looked at.
    floor : float
        What was added to every variance.

    Raises
    ------
    Collapse
        Naming the first.
    """
    gone, flat = degenerate(mixture.means, mixture.covariances, floor)
    bad = ((gone.any(1) | flat) & (counts >= EMPTY)).nonzero()
    if len(bad):
        k = int(bad[0])
        raise Collapse(k, not bool(gone[k].all()), float(counts[k]), mixture.means[k])


def degenerate(means: Tensor, covariances: Tensor, floor: float = 0.0) -> tuple[Tensor, Tensor]:
    """Which variances (K, d) are no more than rounding of the mean, and which components (K,) are flat in some direction."""
    variances = covariances.diagonal(dim1=1, dim2=2)
    unit = torch.finfo(variances.dtype).eps
    gone = variances <= (COLLAPSED * unit * means.abs()).square().clamp_min(TINY)
    if floor > 0:
        gone &= variances < 0.5 * floor
    gone |= ~torch.isfinite(variances)
    root = variances.clamp_min(TINY).sqrt()
    correlation = covariances / root[:, :, None] / root[:, None, :]
    identity = torch.eye(means.shape[1], dtype=root.dtype, device=root.device)
    safe = torch.where(gone.any(1)[:, None, None], identity, correlation)
    least = FLATTEST if floor == 0 else SINGULAR * unit
    return gone, torch.linalg.eigvalsh(safe)[:, 0] < least


# ---- counting and moving ----------------------------------------------------------------------------------------------


def parameter_count(components: int, dimension: int, shape: Shape) -> int:
    """Free parameters: K - 1 weights, K d means, and the covariances."""
    k, d = components, dimension
    covariances = {"full": k * d * (d + 1) // 2, "tied": d * (d + 1) // 2, "diagonal": k * d, "spherical": k}[shape]
    return k - 1 + k * d + covariances


def aic(log_likelihood: float, parameters: int) -> float:
    """2 p - 2 log L (Akaike 1974)."""
    return 2 * parameters - 2 * log_likelihood


def bic(log_likelihood: float, parameters: int, points: int) -> float:
    """p log n - 2 log L (Schwarz 1978)."""
    return parameters * math.log(points) - 2 * log_likelihood


def relaxed(old: Mixture, new: Mixture, factor: float) -> Mixture:
    """old + ω (new - old) in log weights, means and log covariances: no step leaves the set of mixtures.

    References
    ----------
    Salakhutdinov & Roweis (2003), Adaptive overrelaxed bound optimization methods, ICML.
    """
    old = old.to(new.means)
    alive = (new.weights > 0) & (old.weights > 0)
    logs = log_weights(old) + factor * (log_weights(new) - log_weights(old))
    weights = torch.softmax(torch.where(alive, logs, -math.inf), 0)
    means = old.means + factor * (new.means - old.means)
    root = torch.linalg.cholesky(old.covariances)
    inner = torch.linalg.solve_triangular(
        root, torch.linalg.solve_triangular(root, new.covariances, upper=False).mT, upper=False
    )
    values, vectors = torch.linalg.eigh(0.5 * (inner + inner.mT))
    powers = (vectors * values.clamp_min(1e-300).pow(factor)[:, None, :]) @ vectors.mT
    return replace(new, weights=weights, means=means, covariances=root @ powers @ root.mT)
