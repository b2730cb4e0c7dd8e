"""Where a mixture may start: random points, k-means++, k-means.

References
----------
Arthur & Vassilvitskii (2007), k-means++: the advantages of careful seeding, SODA.
Lloyd (1982), Least squares quantization in PCM, IEEE Trans. Inf. Theory 28.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from engine.math.latent.gaussian_mixtures import maximisation, nothing, statistics_of
from engine.math.latent.laws import Mixture, Shape, degenerate, shaped

MOST_LOOKED_AT = 50_000  # points that k-means looks at; more are thinned evenly
MOST_ROUNDS = 100  # of k-means


def thinned(points: Tensor, most: int = MOST_LOOKED_AT) -> Tensor:
    """At most so many of the points (d, n), evenly."""
    n = points.shape[1]
    if n <= most:
        return points
    places = torch.linspace(0, n - 1, most, device=points.device, dtype=torch.float64).round().long()
    return points[:, places]


def random_means(points: Tensor, components: int, generator: torch.Generator) -> Tensor:
    """Different points by chance, shape (K, d)."""
    chosen = torch.randperm(points.shape[1], generator=generator, device=points.device)[:components]
    return points[:, chosen].mT.contiguous()


def spread_means(points: Tensor, components: int, generator: torch.Generator) -> Tensor:
    """k-means++: each further mean is a point drawn with probability in proportion to its squared distance, shape (K, d)."""
    points = thinned(points)
    n = points.shape[1]
    first = int(torch.randint(n, (1,), generator=generator, device=points.device))
    chosen = [first]
    nearest = (points - points[:, first, None]).square().sum(0)
    for _ in range(components - 1):
        shares = nearest.cumsum(0)
        drawn = torch.rand(1, generator=generator, device=points.device, dtype=points.dtype) * shares[-1]
        index = min(n - 1, int(torch.searchsorted(shares, drawn, right=True)))
        chosen.append(index)
        nearest = torch.minimum(nearest, (points - points[:, index, None]).square().sum(0))
    return points[:, chosen].mT.contiguous()


def nearest_means(points: Tensor, means: Tensor) -> Tensor:
    """Index of the nearest mean of each point, shape (n,)."""
    return torch.cdist(points.mT, means, compute_mode="donot_use_mm_for_euclid_dist").argmin(
        1
    )  # differences: groups may lie far apart


def k_means(points: Tensor, means: Tensor, between: Callable[[], None] = nothing) -> tuple[Tensor, Tensor]:
    """Lloyd's rounds to their end: means (K, d) and the index of the nearest of them for each point.

    A mean without points stays where it is.
    """
    labels = nearest_means(points, means)
    for _ in range(MOST_ROUNDS):
        between()
        one_hot = torch.zeros((len(means), points.shape[1]), dtype=points.dtype, device=points.device)
        one_hot.scatter_(0, labels[None], 1.0)
        counts = one_hot.sum(1)
        means = torch.where(counts[:, None] > 0, one_hot @ points.mT / counts.clamp_min(1)[:, None], means)
        fresh = nearest_means(points, means)
        if bool((fresh == labels).all()):
            break
        labels = fresh
    return means, labels


def covariance_of(points: Tensor) -> Tensor:
    """Population covariance of points (d, n), shape (d, d)."""
    centred = points - points.mean(1, keepdim=True)
    return centred @ centred.mT / points.shape[1]


def around(points: Tensor, means: Tensor, shape: Shape, weights: Tensor | None = None) -> Mixture:
    """Equal weights, and every covariance that of the data, shrunk until all together fill the volume of one."""
    k, d = means.shape
    weights = torch.full((k,), 1 / k, dtype=means.dtype, device=means.device) if weights is None else weights
    shared = covariance_of(thinned(points)) * k ** (-2 / d)
    return Mixture(weights, means, shaped(shared.expand(k, d, d), weights, shape).contiguous())


def from_labels(points: Tensor, labels: Tensor, means: Tensor, shape: Shape, floor: float) -> Mixture:
    """Weights, means and covariances of given groups; a group too small for a covariance takes that of all groups together."""
    k = len(means)
    one_hot = torch.zeros((k, points.shape[1]), dtype=points.dtype, device=points.device).scatter_(0, labels[None], 1.0)
    statistics = statistics_of(points, one_hot)
    plain = around(points, means, shape)
    own = maximisation(statistics, shape, floor, before=plain)
    pooled = shaped(maximisation(statistics, "tied", floor, before=plain).covariances, own.weights, shape)
    if bool(unfit(own.means, pooled, floor).any()):
        pooled = plain.covariances  # as many groups as points
    return Mixture(
        own.weights, own.means, torch.where(unfit(own.means, own.covariances, floor)[:, None, None], pooled, own.covariances)
    )


def unfit(means: Tensor, covariances: Tensor, floor: float) -> Tensor:
    """Which components (K,) are no law."""
    gone, flat = degenerate(means, covariances, floor)
    return gone.any(1) | flat


def begin(
    points: Tensor,
    components: int,
    start: str,
    shape: Shape,
    floor: float,
    generator: torch.Generator,
    between: Callable[[], None] = nothing,
) -> Mixture:
    """A start of one of the kinds ``random``, ``kmeans++``, ``kmeans``."""
    if start == "random":
        return around(points, random_means(points, components, generator), shape)
    means = spread_means(points, components, generator)
    if start == "kmeans++":
        return around(points, means, shape)
    looked = thinned(points)
    means, labels = k_means(looked, means, between)
    return from_labels(looked, labels, means, shape, floor)
