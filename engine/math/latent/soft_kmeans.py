"""Soft k-means at an inverse temperature M, and where its centres split.

Responsibilities r_ij ∝ w_j exp(-M |x_i - μ_j|²), centres their weighted means: EM for a mixture of round normals that share the
variance 1/(2M). As M grows, centres that lay together part one after another (deterministic annealing).

References
----------
Rose, Gurewitz & Fox (1990), Statistical mechanics and phase transitions in clustering, Phys. Rev. Lett. 65.
Rose (1998), Deterministic annealing for clustering, compression, classification, regression, Proc. IEEE 86.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

BETWEEN_PAUSES = 32  # iterations
Pause = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Centres:
    """Where the centres are and how much of the data each is expected to take.

    Parameters
    ----------
    places : Tensor, shape (components, dimension)
        μ_j.
    shares : Tensor, shape (components,)
        w_j; they sum to 1.
    """

    places: Tensor
    shares: Tensor


@dataclass(frozen=True, slots=True)
class Shape:
    """What decides the first split.

    Parameters
    ----------
    mean, axis : Tensor, shape (dimension,)
        The mean of the data and the direction of largest variance.
    variance, second : float
        The two largest eigenvalues of the population covariance; `second` is 0 in one dimension.
    third, fourth, sixth : float
        Central moments along the axis.
    cross : float
        Length of E[p³ y], p along the axis and y perpendicular to it.
    """

    mean: Tensor
    axis: Tensor
    variance: float
    second: float
    third: float
    fourth: float
    sixth: float
    cross: float

    @property
    def critical(self) -> float:
        """The inverse temperature 1/(2 λ_max) above which centres cannot stay together at the mean."""
        return 1 / (2 * self.variance)


def shape_of(points: Tensor) -> Shape:
    """Covariance and moments of points of shape (n, dimension); the axis points to the right."""
    mean = points.mean(0)
    rest = points - mean
    values, vectors = torch.linalg.eigh(rest.mT @ rest / len(points))
    axis = vectors[:, -1] * (1.0 if float(vectors[:, -1][vectors[:, -1].abs().argmax()]) >= 0 else -1.0)
    along = rest @ axis
    across = rest - along[:, None] * axis
    second = max(float(values[-2]), 0.0) if len(values) > 1 else 0.0
    third, fourth, sixth = (float((along**power).mean()) for power in (3, 4, 6))
    cross = float((along[:, None] ** 3 * across).mean(0).norm())
    return Shape(mean, axis, float(along.square().mean()), second, third, fourth, sixth, cross)


def distances(points: Tensor, places: Tensor) -> Tensor:
    """Squared distances, shape (n, components), from differences: exact where a point lies on a centre."""
    return (points[:, None, :] - places).square().sum(2)


def responsibilities(points: Tensor, centres: Centres, temperature: float) -> Tensor:
    """r_ij ∝ w_j exp(-M |x_i - μ_j|²), shape (n, components), at the inverse temperature M."""
    return torch.softmax(centres.shares.log() - temperature * distances(points, centres.places), 1)


def iterate(points: Tensor, centres: Centres, temperature: float, learned: bool) -> Centres:
    """One E and one M step; the shares stay equal unless they are learned.

    The scores leave out |x|², which cancels in the responsibilities: points far from the origin should be centred first, as
    `converge` does.
    """
    places = centres.places
    own = centres.shares.log() - temperature * places.square().sum(1)
    held = torch.softmax(torch.addmm(own[:, None], places, points.mT, alpha=2 * temperature), 0)  # long rows are quick
    mass = held.sum(1)
    means = held @ points / mass.clamp(min=torch.finfo(mass.dtype).tiny)[:, None]
    means = torch.where(mass[:, None] > 0, means, places)
    if not learned:
        return Centres(means, centres.shares)
    shares = (mass / len(points)).clamp(min=torch.finfo(mass.dtype).eps / len(mass))  # without data one may still come back
    return Centres(means, shares / shares.sum())


def converge(
    points: Tensor,
    centres: Centres,
    temperature: float,
    *,
    learned: bool = False,
    most: int = 500,
    tolerance: float = 1e-12,
    pause: Pause = lambda: None,
) -> tuple[Centres, int]:
    """Iterate until no centre moves by more than `tolerance`, in the unit of the data, or `most` times; with the number."""
    every = 4 if points.device.type == "cpu" else 16  # comparing waits for the device
    middle = points.mean(0)
    points, centres = points - middle, Centres(centres.places - middle, centres.shares)
    number = 0
    for number in range(1, most + 1):
        if number % BETWEEN_PAUSES == 0:
            pause()
        new = iterate(points, centres, temperature, learned)
        moved = number % every == 0 and float((new.places - centres.places).abs().max()) <= tolerance
        settled = moved and (not learned or float((new.shares - centres.shares).abs().max()) <= tolerance)
        centres = new
        if settled:
            break
    return Centres(centres.places + middle, centres.shares), number


def come_to_rest(
    points: Tensor,
    centres: Centres,
    temperature: float,
    *,
    learned: bool = False,
    most: int = 400,
    tolerance: float = 1e-12,
    pause: Pause = lambda: None,
) -> tuple[Centres, bool]:
    """Iterate with long steps until an iteration moves no centre by more than `tolerance`; with whether that was reached.

    Near a split EM moves by a share of the distance that goes to 0. Two iterations tell the direction and this share, and the
    step that follows goes to where a geometric series would end (SQUAREM); one that raises the free energy is not taken.

    References
    ----------
    Varadhan & Roland (2008), Simple and globally convergent methods for accelerating the convergence of any EM algorithm,
    Scandinavian Journal of Statistics 35.
    """
    middle = points.mean(0)
    points, here = points - middle, Centres(centres.places - middle, centres.shares)
    still = 0
    for number in range(most):
        if number % BETWEEN_PAUSES == 0:
            pause()
        one = iterate(points, here, temperature, learned)
        two = iterate(points, one, temperature, learned)
        first, second = one.places - here.places, two.places - one.places
        moved = float(first.abs().amax())
        if learned:
            moved = max(moved, float((one.shares - here.shares).abs().amax()) * float(points.std()))
        still = still + 1 if moved <= tolerance else 0
        here = two
        if still == 2:
            return Centres(here.places + middle, here.shares), True
        bend = float((second - first).norm())
        length = float(first.norm()) / bend if bend > 0 else 1.0
        if length > 1:
            start = one.places - first
            leap = Centres(start + 2 * length * first + length**2 * (second - first), two.shares)
            leap = iterate(points, leap, temperature, learned)
            if free_energy(points, leap, temperature, learned) <= free_energy(points, two, temperature, learned):
                here = leap
    return Centres(here.places + middle, here.shares), False


def free_energy(points: Tensor, centres: Centres, temperature: float, learned: bool) -> float:
    """What EM lowers: the mean smooth minimum, with the shares as factors where they are learned."""
    return float(smooth_minimum(distances(points, centres.places), temperature, centres.shares if learned else None).mean())


def smooth_minimum(squares: Tensor, temperature: float, shares: Tensor | None = None) -> Tensor:
    """-(1/M) ln Σ_j exp(-M d_j²) over the last axis; with shares w_j as factors in the sum.

    Without shares it lies below the hard minimum by at most ln K / M.
    """
    scaled = -temperature * squares
    return -torch.logsumexp(scaled if shares is None else scaled + shares.log(), -1) / temperature


def entropy(held: Tensor) -> float:
    """Mean entropy of the responsibilities, in nats."""
    return float(-torch.xlogy(held, held).sum(1).mean())


def tiny_distance(points: Tensor, shape: Shape, temperature: float) -> float:
    """A distance so small that responsibilities are linear in it: its product with 2 M and any point's own is small."""
    furthest = float((points - shape.mean).norm(dim=1).amax())
    return min(1e-4 * math.sqrt(shape.variance), 5e-4 / (temperature * furthest))


def growth(points: Tensor, shape: Shape, temperature: float) -> float:
    """By what factor one iteration at the mean stretches a tiny distance between two centres along the axis."""
    apart = tiny_distance(points, shape, temperature)
    places = shape.mean + torch.tensor([[0.5], [-0.5]], dtype=points.dtype, device=points.device) * apart * shape.axis
    pair = Centres(places, torch.full((2,), 0.5, dtype=points.dtype, device=points.device))
    new = iterate(points - shape.mean, Centres(pair.places - shape.mean, pair.shares), temperature, False).places
    return float((new[0] - new[1]) @ shape.axis) / apart


def pitchfork(temperature: Tensor, shape: Shape) -> Tensor:
    """Half the distance of two equal centres a little above the critical value: a² = 3 (2 M λ - 1) / (8 M³ m₄).

    From a = E[p tanh(2 M a p)], expanded to third order; 0 below the critical value.
    """
    excess = (2 * temperature * shape.variance - 1).clamp(min=0)
    return (3 * excess / (8 * temperature**3 * shape.fourth)).sqrt()


def pitchfork_error(temperature: float, shape: Shape) -> float:
    """The relative size of the terms that `pitchfork` leaves out, about."""
    excess = max(2 * temperature * shape.variance - 1, 0.0)
    square = 3 * excess / (2 * temperature * shape.fourth)  # (2 M a)²
    rest = 1 - shape.second / shape.variance
    across = square**2 * shape.cross**2 / (3 * shape.variance * max(rest, 1e-9))
    return 0.2 * square * shape.sixth / shape.fourth + square**3 * shape.third**2 + across


def groups(places: Tensor, reach: float) -> list[list[int]]:
    """Centres that lie together: those connected by steps of at most `reach`; places of shape (components, dimension)."""
    near = torch.cdist(places, places).le(reach).tolist()
    left, found = set(range(len(places))), []
    while left:
        waiting, group = [min(left)], []
        while waiting:
            at = waiting.pop()
            if at in left:
                left.remove(at)
                group.append(at)
                waiting += [other for other in left if near[at][other]]
        found.append(sorted(group))
    return found


def group_variance(points: Tensor, weights: Tensor) -> float:
    """The largest eigenvalue of the covariance of points with weights of shape (n,)."""
    total = weights.sum()
    if not bool(total > 0):
        return 0.0
    share = weights / total
    rest = points - share @ points
    return max(float(torch.linalg.eigvalsh((rest * share[:, None]).mT @ rest)[-1]), 0.0)


def largest_group_variance(points: Tensor, held: Tensor, together: list[list[int]]) -> float:
    """The largest variance among the data of centres that lie together; 0 where every centre is alone.

    Two centres of a group part when 2 M times this exceeds 1: the same condition as for the whole, for the posterior data of
    the group (Rose 1998).
    """
    return max((group_variance(points, held[:, group].sum(1)) for group in together if len(group) > 1), default=0.0)


def lloyd(points: Tensor, places: Tensor, most: int = 200) -> tuple[Tensor, float]:
    """Hard k-means from given centres: the places and the mean squared distance to the nearest."""
    for _ in range(most):
        nearest = torch.nn.functional.one_hot(distances(points, places).argmin(1), len(places)).to(points.dtype)
        count = nearest.sum(0)
        new = torch.where(count[:, None] > 0, nearest.mT @ points / count.clamp(min=1)[:, None], places)
        if torch.equal(new, places):
            break
        places = new
    return places, float(distances(points, places).amin(1).mean())
