"""Two-dimensional data of known law: five classics, and smoothed points of one's own.

Every law has an exact density, so that a model's divergence from it is a number and not an impression. Points stand
coordinates first, (2, N). All laws are centred, with a mean variance of one per coordinate, and lie in [-REACH, REACH]².
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

REACH = 3.0  # half the side of the square that holds everything
PLANAR = ("moons", "rings", "pinwheel", "checkerboard", "eight_gaussians")
FAR = 0.01  # share of a law that counts as belonging to no mode: the thinnest part of it
PLACES = 48  # nodes per moon: 12 places fit into one noise width
SQUARES = 4  # of the checkerboard, per side
SQUARE = 0.875  # side of one: its edges lie on those of grids of 48 and 96 cells
MOST_CENTRES = 2048  # of a smoothed sample: more are thinned evenly


class Planar(Protocol):
    """A law on the plane."""

    @property
    def modes(self) -> int:
        """Number of modes, 0 where nobody knows."""

    def sample(self, count: int, generator: torch.Generator) -> Tensor:
        """Independent points, shape (2, count)."""

    def log_density(self, points: Tensor) -> Tensor:
        """Exact log density (...) at points (2, ...)."""

    def mode_log_densities(self, points: Tensor) -> Tensor:
        """Log density of each mode's own share, shape (modes, ...)."""


def planar(name: str) -> Planar:
    """One of the laws of `PLANAR`."""
    makers: dict[str, Callable[[], Planar]] = {
        "moons": moons,
        "rings": Rings,
        "pinwheel": Pinwheel,
        "checkerboard": Checkerboard,
        "eight_gaussians": eight_gaussians,
    }
    return makers[name]()


# ---- mixtures of round bumps -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Mixture:
    """Round normal bumps of one width.

    Parameters
    ----------
    centres : Tensor, shape (2, K)
    spread : float
        Standard deviation of each bump in each direction.
    weights : Tensor, shape (K,)
        Adding up to one.
    labels : Tensor, shape (K,)
        The mode each bump belongs to.
    modes : int
        Number of modes, 0 for none.
    place : callable, optional
        Draws centres (2, count) where they lie densely on a curve and those above are nodes of a quadrature.
    """

    centres: Tensor
    spread: float
    weights: Tensor
    labels: Tensor
    modes: int
    place: Callable[[int, torch.Generator], Tensor] | None = field(default=None, repr=False)

    def sample(self, count: int, generator: torch.Generator) -> Tensor:
        """See `Planar`."""
        device = generator.device
        if self.place is not None:
            centres = self.place(count, generator)
        else:
            chosen = torch.multinomial(self.weights.to(device), count, replacement=True, generator=generator)
            centres = self.centres.to(device)[:, chosen]
        return centres + self.spread * torch.randn((2, count), generator=generator, device=device)

    def bumps(self, points: Tensor) -> Tensor:
        """Log density of every weighted bump, shape (K, ...)."""
        centres = self.centres.to(points.device, points.dtype)
        flat = points.reshape(2, -1)
        squares = torch.zeros((centres.shape[1], flat.shape[1]), dtype=points.dtype, device=points.device)
        for axis in range(2):
            squares += (flat[axis][None] - centres[axis][:, None]).square()
        constant = math.log(2 * math.pi * self.spread**2)
        logs = self.weights.to(points.device, points.dtype).log()[:, None] - squares / (2 * self.spread**2) - constant
        return logs.reshape(-1, *points.shape[1:])

    def log_density(self, points: Tensor) -> Tensor:
        """See `Planar`."""
        return torch.logsumexp(self.bumps(points), 0)

    def mode_log_densities(self, points: Tensor) -> Tensor:
        """See `Planar`."""
        logs = self.bumps(points)
        return torch.stack([torch.logsumexp(logs[self.labels == mode], 0) for mode in range(self.modes)])


def eight_gaussians(spread: float = 0.15) -> Mixture:
    """Eight bumps on a circle."""
    radius = math.sqrt(2 * (1 - spread**2))
    angles = torch.arange(8) * (math.pi / 4)
    centres = radius * torch.stack([angles.cos(), angles.sin()])
    return Mixture(centres, spread, torch.full((8,), 1 / 8), torch.arange(8), 8)


def moons(noise: float = 0.1) -> Mixture:
    """Two interleaved half circles of radius one with normal noise, as scikit-learn draws them, then scaled.

    The centre on an arc is uniform in its angle; the density integrates over it with Gauss-Legendre nodes.
    """
    mean = torch.tensor([[0.5], [0.25]])
    # of either moon about the common mean: E(cos t - ½)² = ¾ and E(sin t - ¼)² = ½ - 1/π + 1/16
    scale = 1 / math.sqrt(0.5 * (0.75 + 0.5 - 1 / math.pi + 0.0625) + noise**2)

    def arc(angle: Tensor, inner: Tensor) -> Tensor:
        outer = torch.stack([angle.cos(), angle.sin()])
        return scale * (torch.where(inner, torch.stack([1 - angle.cos(), 0.5 - angle.sin()]), outer) - mean.to(angle.device))

    def place(count: int, generator: torch.Generator) -> Tensor:
        device = generator.device
        angle = math.pi * torch.rand(count, generator=generator, device=device)
        return arc(angle, torch.rand(count, generator=generator, device=device) < 0.5)

    nodes, weights = np.polynomial.legendre.leggauss(PLACES)
    angles = torch.from_numpy(math.pi / 2 * (nodes + 1)).float().repeat(2)
    labels = torch.arange(2).repeat_interleave(PLACES)
    return Mixture(arc(angles, labels == 1), noise * scale, torch.from_numpy(weights).float().repeat(2) / 4, labels, 2, place)


def smoothed(points: Tensor, spread: float) -> Mixture:
    """The law of a point chosen from (2, N) plus normal noise of this spread: its density is known, its modes are not."""
    count = points.shape[1]
    if count > MOST_CENTRES:
        points = points[:, torch.linspace(0, count - 1, MOST_CENTRES).long()]
        count = MOST_CENTRES
    return Mixture(points.float(), spread, torch.full((count,), 1 / count), torch.zeros(count, dtype=torch.int64), 0)


# ---- laws with a formula -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rings:
    """Three circles with normal noise across them; the mass of each goes with its radius."""

    spread: float = 0.12
    modes: int = 3

    @property
    def radii(self) -> Tensor:
        """c (1, 2, 3), with E r² = 2: Σ i³ / Σ i = 6."""
        return math.sqrt((2 - self.spread**2) / 6) * torch.arange(1.0, 4.0)

    @property
    def shares(self) -> Tensor:
        """1/6, 2/6, 3/6."""
        return torch.arange(1.0, 4.0) / 6

    def sample(self, count: int, generator: torch.Generator) -> Tensor:
        """See `Planar`."""
        device = generator.device
        ring = torch.multinomial(self.shares.to(device), count, replacement=True, generator=generator)
        radius = self.radii.to(device)[ring] + self.spread * torch.randn(count, generator=generator, device=device)
        angle = 2 * math.pi * torch.rand(count, generator=generator, device=device)
        return radius * torch.stack([angle.cos(), angle.sin()])

    def mode_log_densities(self, points: Tensor) -> Tensor:
        """See `Planar`; a radius is normal, and one below zero lies on the other side."""
        radius = (points[0].square() + points[1].square()).sqrt().clamp_min(1e-6)
        constant = 0.5 * math.log(2 * math.pi * self.spread**2) + math.log(2 * math.pi)
        found = []
        for share, place in zip(self.shares.tolist(), self.radii.tolist(), strict=True):
            both = torch.stack([radius - place, radius + place]).square() / (-2 * self.spread**2)
            found.append(math.log(share) + torch.logsumexp(both, 0) - constant - radius.log())
        return torch.stack(found)

    def log_density(self, points: Tensor) -> Tensor:
        """See `Planar`."""
        return torch.logsumexp(self.mode_log_densities(points), 0)


@dataclass(frozen=True)
class Pinwheel:
    """Long normal bumps on five arms, turned by an angle that grows with the radius: turning keeps areas.

    References
    ----------
    Johnson, Duvenaud, Wiltschko, Datta & Adams (2016), Composing graphical models with neural networks, NeurIPS 29
    (the shape; there the angle follows the radial coordinate before the turn, and areas are not kept).
    """

    radial: float = 0.45
    tangential: float = 0.16
    twist: float = 1.2
    modes: int = 5

    @property
    def radius(self) -> float:
        """Where an arm's middle lies, so that E |x|² = 2."""
        return math.sqrt(2 - self.radial**2 - self.tangential**2)

    def sample(self, count: int, generator: torch.Generator) -> Tensor:
        """See `Planar`."""
        device = generator.device
        arm = torch.randint(5, (count,), generator=generator, device=device)
        noise = torch.randn((2, count), generator=generator, device=device)
        x, y = self.radius + self.radial * noise[0], self.tangential * noise[1]
        return turn(torch.stack([x, y]), arm * (2 * math.pi / 5), self.twist)

    def mode_log_densities(self, points: Tensor) -> Tensor:
        """See `Planar`."""
        constant = math.log(2 * math.pi * self.radial * self.tangential * 5)
        found = []
        for arm in range(5):
            x, y = turn(points, torch.tensor(-arm * 2 * math.pi / 5, device=points.device), -self.twist)
            found.append(-0.5 * (((x - self.radius) / self.radial).square() + (y / self.tangential).square()) - constant)
        return torch.stack(found)

    def log_density(self, points: Tensor) -> Tensor:
        """See `Planar`."""
        return torch.logsumexp(self.mode_log_densities(points), 0)


def turn(points: Tensor, angle: Tensor, twist: float) -> Tensor:
    """Points (2, ...) turned about the origin by an angle plus `twist` times their radius; of Jacobian one."""
    x, y = points
    angle = angle + twist * (x.square() + y.square()).sqrt()
    cos, sin = angle.cos(), angle.sin()
    return torch.stack([cos * x - sin * y, sin * x + cos * y])


@dataclass(frozen=True)
class Checkerboard:
    """Uniform on the eight black squares of a board of sixteen."""

    modes: int = SQUARES**2 // 2

    def sample(self, count: int, generator: torch.Generator) -> Tensor:
        """See `Planar`."""
        device = generator.device
        row = torch.randint(SQUARES, (count,), generator=generator, device=device)
        column = 2 * torch.randint(SQUARES // 2, (count,), generator=generator, device=device) + row % 2
        inside = torch.rand((2, count), generator=generator, device=device)
        return SQUARE * (torch.stack([column, row]) - SQUARES / 2 + inside)

    def mode_log_densities(self, points: Tensor) -> Tensor:
        """See `Planar`; minus infinity outside of a square."""
        cell = torch.floor(points / SQUARE + SQUARES / 2)
        column, row = cell
        constant = -math.log(self.modes * SQUARE**2)
        found = []
        for mode in range(self.modes):
            at_row = mode // (SQUARES // 2)
            at_column = 2 * (mode % (SQUARES // 2)) + at_row % 2
            inside = (row == at_row) & (column == at_column)
            found.append(torch.where(inside, constant, -math.inf))
        return torch.stack(found).to(points.dtype)

    def log_density(self, points: Tensor) -> Tensor:
        """See `Planar`."""
        return self.mode_log_densities(points).amax(0)


# ---- modes -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Modes:
    """Which mode a point belongs to: the one most likely to have made it, if the law is not too thin there.

    Parameters
    ----------
    law : Planar
        With modes.
    generator : torch.Generator
        Draws the sample that says what is thin.
    """

    law: Planar
    threshold: float
    shares: Tensor  # (modes,): of the law itself

    @staticmethod
    def of(law: Planar, generator: torch.Generator, count: int = 8192) -> Modes:
        """Modes of a law; a hundredth of it, where it is thinnest, belongs to none."""
        sample = law.sample(count, generator)
        logs = law.log_density(sample)
        found = Modes(law, float(logs.kthvalue(max(1, int(FAR * count))).values), torch.empty(0))
        return Modes(law, found.threshold, found.count(sample).cpu().double() / count)

    def labels(self, points: Tensor) -> Tensor:
        """The mode of each point (2, ...), -1 for none."""
        logs = self.law.mode_log_densities(points)
        # wider than the law by half: a model a little too warm has found the mode as well
        near = torch.logsumexp(logs, 0) >= self.threshold - 2.0
        return torch.where(near, logs.argmax(0), torch.full_like(near, -1, dtype=torch.int64))

    def count(self, points: Tensor) -> Tensor:
        """Number of points (2, N) in each mode, shape (modes,)."""
        labels = self.labels(points)
        return torch.bincount(labels[labels >= 0], minlength=self.law.modes)
