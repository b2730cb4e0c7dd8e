"""Points of mixtures that are not normal, whose groups are known: far outliers, counts, lines, and digits as bits."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from engine.data.digits import digits
from engine.data.point_clouds import places, sample
from engine.math.latent.laws import Mixture

HEAVY = 2.0  # degrees of freedom of Student's law
FAINTEST, BRIGHTEST = 2.0, 40.0  # rates of counts
NOISE = 0.35  # deviation about a line
INK = 0.5  # grey from which on a pixel is on


def heavy_tailed(law: Mixture, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Points (d, n) of Student's law with 2 degrees of freedom about the means of a mixture, and their groups (n,)."""
    points, labels = sample(law, count, generator)
    means = law.to(points).means[labels].mT
    normal = torch.randn((int(HEAVY), count), generator=generator, dtype=points.dtype, device=points.device)
    return means + (points - means) / (normal.square().sum(0) / HEAVY).sqrt(), labels


def counted_law(clusters: int, dimension: int, separation: float, generator: torch.Generator) -> Mixture:
    """Rates that lie about `separation` deviations of the counts apart, as a mixture; on the CPU in double precision."""
    spots = places(clusters, dimension, generator)
    roots = math.sqrt(FAINTEST) + 0.5 * separation * (spots - spots.amin(0))  # a root of a count has deviation 1/2
    rates = roots.square().clamp(FAINTEST, BRIGHTEST**2)
    return Mixture(torch.full((clusters,), 1 / clusters, dtype=torch.float64), rates, torch.diag_embed(rates))


def counted(law: Mixture, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Counts (d, n) of Poisson laws with the means of a mixture, and their groups (n,)."""
    device = generator.device
    dtype = torch.float32 if device.type == "mps" else torch.float64
    labels = torch.multinomial(law.weights.to(device, dtype), count, replacement=True, generator=generator)
    rates = law.means.to(device, dtype)[labels].mT.contiguous()
    return torch.poisson(rates, generator=generator), labels


def lines(clusters: int, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Points (2, n) about lines that cross, evenly turned, and which line each belongs to (n,)."""
    device = generator.device
    dtype = torch.float32 if device.type == "mps" else torch.float64
    labels = torch.arange(count, device=device) % clusters
    x = 4 * torch.rand(count, generator=generator, dtype=dtype, device=device) - 2
    slopes = torch.tan(math.pi * (torch.arange(clusters, dtype=torch.float64) + 0.5) / clusters - 0.5 * math.pi)
    slopes = slopes.clamp(-3, 3) if clusters > 1 else torch.ones(1, dtype=torch.float64)
    shifts = 0.6 * torch.linspace(-1, 1, clusters, dtype=torch.float64) if clusters > 1 else torch.zeros(1, dtype=torch.float64)
    noise = NOISE * torch.randn(count, generator=generator, dtype=dtype, device=device)
    return torch.stack([x, slopes.to(x)[labels] * x + shifts.to(x)[labels] + noise]), labels


def binary_digits(count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Digits of 8 x 8 pixels that are on or off, (64, n), each once at most, and which digit each is (n,)."""
    images, labels = digits()
    chosen = torch.randperm(len(labels), generator=generator, device=generator.device).cpu()[:count]
    dtype = torch.float32 if generator.device.type == "mps" else torch.float64
    return (images[chosen] >= INK).to(generator.device, dtype).mT.contiguous(), labels[chosen]
