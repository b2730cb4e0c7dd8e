"""Points whose groups are known: mixtures of normal laws in d dimensions, moons and rings."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from engine.math.latent.laws import Mixture
from engine.math.numerics.precision import wide_dtype

LONG, SHORT = 1.7, 0.4  # deviations of a long group along and across
INNER, OUTER = 1.0, 2.4  # radii of the rings


def truth(kind: str, clusters: int, dimension: int, separation: float, generator: torch.Generator) -> Mixture:
    """The mixture behind generated data, on the CPU in double precision.

    Parameters
    ----------
    kind : str
        ``blobs``: round, of deviation 1. ``overlapping``: round, of different sizes and weights, half as far apart.
        ``anisotropic``: long, each turned its own way. ``cross``: two long ones in the plane, across each other.
    clusters : int
        K; 2 for a cross.
    dimension : int
        d; 2 for a cross.
    separation : float
        Distance of neighbouring means, in units of the mean deviation.
    generator : torch.Generator
        Turns everything.
    """
    double = torch.float64
    if kind == "cross":
        spread = torch.diag(torch.tensor([LONG**2, SHORT**2 / 2], dtype=double))
        turns = [_plane_turn(math.pi / 4), _plane_turn(-math.pi / 4)]
        means = torch.tensor([[-0.5, 0.0], [0.5, 0.0]], dtype=double) * separation * SHORT
        return Mixture(torch.full((2,), 0.5, dtype=double), means, torch.stack([turn @ spread @ turn.mT for turn in turns]))
    gap = separation / 2 if kind == "overlapping" else separation
    means = places(clusters, dimension, generator) * gap
    weights = torch.ones(clusters, dtype=double) if kind == "blobs" else torch.linspace(1.0, 0.6, clusters, dtype=double)
    deviations = torch.ones((clusters, dimension), dtype=double)
    if kind == "overlapping" and clusters > 1:
        deviations *= torch.linspace(1.5, 0.5, clusters, dtype=double)[:, None]
    turns_of = [torch.eye(dimension, dtype=double) for _ in range(clusters)]
    if kind == "anisotropic" and dimension > 1:
        deviations = torch.linspace(LONG, SHORT, dimension, dtype=double).expand(clusters, dimension)
        turns_of = [turn(dimension, generator) for _ in range(clusters)]
    covariances = torch.stack([q @ torch.diag(s.square()) @ q.mT for q, s in zip(turns_of, deviations, strict=True)])
    return Mixture(weights / weights.sum(), means, covariances)


def places(clusters: int, dimension: int, generator: torch.Generator) -> Tensor:
    """Means (K, d) whose neighbours are 1 apart: on a line, on a circle, or at the corners of a simplex where there is room."""
    double = torch.float64
    if dimension == 1 or clusters == 1:
        found = torch.zeros((clusters, dimension), dtype=double)
        found[:, 0] = torch.arange(clusters, dtype=double) - 0.5 * (clusters - 1)
        return found
    if dimension > 2 and clusters <= dimension:
        found = torch.eye(dimension, dtype=double)[:clusters] / math.sqrt(2)
    else:
        angle = 2 * math.pi * torch.arange(clusters, dtype=double) / clusters
        found = torch.zeros((clusters, dimension), dtype=double)
        found[:, 0], found[:, 1] = angle.cos(), angle.sin()
        found *= 0.5 / math.sin(math.pi / clusters)
    found = found - found.mean(0)
    return found @ turn(dimension, generator).mT


def turn(dimension: int, generator: torch.Generator) -> Tensor:
    """A random rotation, uniform, shape (d, d)."""
    noise = torch.randn((dimension, dimension), generator=generator, dtype=torch.float64, device=generator.device).cpu()
    q, r = torch.linalg.qr(noise)
    found: Tensor = q * r.diagonal().sign()
    return found


def _plane_turn(angle: float) -> Tensor:
    cos, sin = math.cos(angle), math.sin(angle)
    return torch.tensor([[cos, -sin], [sin, cos]], dtype=torch.float64)


def sample(mixture: Mixture, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Points (d, n) of a mixture and the component of each (n,), on the device of the generator."""
    device = generator.device
    kind = wide_dtype(device)
    law = mixture.to(torch.empty(0, dtype=kind, device=device))
    labels = torch.multinomial(law.weights, count, replacement=True, generator=generator)
    noise = torch.randn((mixture.dimension, count), generator=generator, dtype=kind, device=device)
    roots = torch.linalg.cholesky(law.covariances)
    points = law.means[labels].mT.contiguous()
    for component in range(mixture.components):
        chosen = labels == component
        points[:, chosen] += roots[component] @ noise[:, chosen]
    return points, labels


def curved(kind: str, count: int, noise: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Points (2, n) of two ``moons`` or two ``rings``, and which of the two each belongs to."""
    device = generator.device
    dtype = wide_dtype(device)
    labels = torch.arange(count, device=device) % 2
    part = torch.rand(count, generator=generator, dtype=dtype, device=device)
    blur = noise * torch.randn((2, count), generator=generator, dtype=dtype, device=device)
    if kind == "moons":
        angle = math.pi * part
        upper = torch.stack([angle.cos() - 0.5, angle.sin() - 0.25])
        lower = torch.stack([0.5 - angle.cos(), 0.25 - angle.sin()])
        return torch.where(labels == 0, upper, lower) + blur, labels
    angle = 2 * math.pi * part
    radius = torch.where(labels == 0, INNER, OUTER).to(dtype)
    return radius * torch.stack([angle.cos(), angle.sin()]) + blur, labels
