"""The no-U-turn sampler, for many chains at once: Hamiltonian paths that end where they begin to turn back.

A path is doubled in a random direction of time until it turns, at its ends or inside of any of its halves, quarters ...; the
next point is drawn from all points of the path with weights exp(-(U + |v|²/2)/T), halves farther from the start preferred
(Betancourt 2017, appendix A.3). Halves are built leaf by leaf, without recursion: a leaf of odd number closes as many subtrees
as its binary number has ones at the end, and their first leaves are what has to be kept (Phan, Pradhan, Jankowiak 2019).

References
----------
Hoffman, Gelman (2014), The No-U-Turn Sampler, Journal of Machine Learning Research 15.
Betancourt (2017), A conceptual introduction to Hamiltonian Monte Carlo, arXiv 1701.02434.
Phan, Pradhan, Jankowiak (2019), Composable effects for flexible and accelerated probabilistic programming, arXiv 1912.11554.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from engine.math.chains.samplers import ValueAndGradient

LARGEST_ERROR = 1000.0  # of the energy over T along a path: beyond, it has diverged and is given up


class NutsStep(NamedTuple):
    """What one transition led to.

    Attributes
    ----------
    points, energy, gradient : Tensor, shapes (d, N), (N), (d, N)
        x with U(x) and ∇U(x).
    acceptance : Tensor, shape (N)
        Mean of min(1, exp(-ΔH/T)) over the new points of each path, 1 where leapfrog is exact.
    leaves : Tensor, shape (N), int64
        Leapfrog steps, each one evaluation of the gradient.
    depth : Tensor, shape (N), int64
        Doublings that were begun.
    """

    points: Tensor
    energy: Tensor
    gradient: Tensor
    acceptance: Tensor
    leaves: Tensor
    depth: Tensor


class _Place(NamedTuple):
    """Points on their way with all that belongs to them; the last axis counts chains."""

    x: Tensor
    v: Tensor
    u: Tensor
    g: Tensor

    def at(self, chosen: Tensor) -> _Place:
        """Of some chains."""
        return _Place(*(each[..., chosen] for each in self))

    def where(self, which: Tensor, other: _Place) -> _Place:
        """This where true, the other one elsewhere."""
        return _Place(*(torch.where(which, one, two) for one, two in zip(self, other, strict=True)))

    def put(self, chosen: Tensor, new: _Place) -> None:
        """Overwrite some chains."""
        for one, two in zip(self, new, strict=True):
            one[..., chosen] = two


class _Branch(NamedTuple):
    """A finished half of a path."""

    end: _Place
    proposal: _Place
    weight: Tensor  # logarithm of the sum of its weights
    sound: Tensor  # bool: it neither turned nor diverged
    acceptance: Tensor  # sum of min(1, exp(-ΔH/T))
    leaves: Tensor


def nuts(
    points: Tensor,
    energy: Tensor,
    gradient: Tensor,
    step_size: float,
    temperature: float,
    noise: Tensor,
    value_and_gradient: ValueAndGradient,
    generator: torch.Generator,
    *,
    most_doublings: int = 6,
) -> NutsStep:
    """One transition of every chain, which leaves exp(-U/T) as it is.

    Parameters
    ----------
    points, energy, gradient : Tensor, shapes (d, N), (N), (d, N)
        x with U(x) and ∇U(x), as the step before returned them; not changed.
    step_size, temperature : float
        ε, of leapfrog steps of √ε, and T > 0.
    noise : Tensor, shape (d, N)
        ξ: the fresh velocities are √T ξ.
    value_and_gradient : callable
        U and ∇U.
    generator : torch.Generator
        For directions and choices; how many numbers are drawn depends on the paths.
    most_doublings : int
        A path has at most 2 to this power points.
    """
    count, device = points.shape[1], points.device
    v = noise * math.sqrt(temperature)
    here = _Place(points.clone(), v, energy.clone(), gradient.clone())
    total = hamiltonian(here)
    left, right, chosen = (_Place(*(each.clone() for each in here)) for _ in range(3))
    weight = torch.zeros_like(energy)
    acceptance = torch.zeros_like(energy)
    leaves, depth = (torch.zeros(count, dtype=torch.int64, device=device) for _ in range(2))
    active = torch.arange(count, device=device)
    for doubling in range(most_doublings):
        if not len(active):
            break
        depth[active] += 1
        forward = torch.rand(len(active), generator=generator, device=device) < 0.5
        sign = torch.where(forward, 1.0, -1.0).to(points.dtype)
        edge = right.at(active).where(forward, left.at(active))
        branch = _grow(edge, sign, 2**doubling, total[active], step_size, temperature, value_and_gradient, generator)
        acceptance[active] += branch.acceptance
        leaves[active] += branch.leaves
        luck = torch.rand(len(active), generator=generator, device=device)
        taken = branch.sound & (torch.log(luck) < branch.weight - weight[active])
        chosen.put(active, branch.proposal.where(taken, chosen.at(active)))
        weight[active] = torch.logaddexp(weight[active], torch.where(branch.sound, branch.weight, -math.inf))
        right.put(active, branch.end.where(forward & branch.sound, right.at(active)))
        left.put(active, branch.end.where(~forward & branch.sound, left.at(active)))
        span = right.x[:, active] - left.x[:, active]
        turned = ((span * left.v[:, active]).sum(0) < 0) | ((span * right.v[:, active]).sum(0) < 0)
        active = active[branch.sound & ~turned]
    return NutsStep(chosen.x, chosen.u, chosen.g, acceptance / leaves.clamp(min=1), leaves, depth)


def hamiltonian(place: _Place) -> Tensor:
    """U + |v|²/2."""
    return place.u + 0.5 * place.v.square().sum(0)


def _grow(
    edge: _Place,
    sign: Tensor,
    count: int,
    total: Tensor,
    step_size: float,
    temperature: float,
    value_and_gradient: ValueAndGradient,
    generator: torch.Generator,
) -> _Branch:
    """So many leapfrog steps on from the edges, forward or backward in time."""
    h = math.sqrt(step_size) * sign
    x, v, u, g = (each.clone() for each in edge)
    proposal = _Place(x.clone(), v.clone(), u.clone(), g.clone())
    weight = torch.full_like(u, -math.inf)
    sound = torch.ones_like(u, dtype=torch.bool)
    acceptance = torch.zeros_like(u)
    leaves = torch.zeros(u.shape, dtype=torch.int64, device=u.device)
    first: dict[int, tuple[Tensor, Tensor]] = {}  # places where subtrees begin that are not yet closed
    for leaf in range(count):
        v = v - 0.5 * h * g
        x = x + h * v
        u, g = value_and_gradient(x)
        v = v - 0.5 * h * g
        error = torch.nan_to_num((total - u - 0.5 * v.square().sum(0)) / temperature, nan=-math.inf, neginf=-math.inf)
        leaves += sound
        acceptance += torch.where(sound, error.clamp(max=0.0).exp(), 0.0)
        sound = sound & (error > -LARGEST_ERROR)
        weight = torch.logaddexp(weight, error)
        luck = torch.rand(u.shape, generator=generator, device=u.device)
        proposal = _Place(x, v, u, g).where(torch.log(luck) < error - weight, proposal)
        ones = (leaf >> 1).bit_count()
        if leaf % 2 == 0:
            first[ones] = (x, v)
        else:
            closed = (~leaf & leaf + 1).bit_length() - 1  # ones at the end of its number
            for at in range(ones, ones - closed, -1):
                begin, speed = first[at]
                span = sign * (x - begin)
                sound = sound & ((span * speed).sum(0) >= 0) & ((span * v).sum(0) >= 0)
        if not bool(sound.any()):  # device sync
            break
    return _Branch(_Place(x, v, u, g), proposal, weight, sound, acceptance, leaves)
