"""The no-U-turn sampler for many chains at once: Hamiltonian Monte Carlo that finds the length of each path by itself.

A path is doubled, forwards or backwards by the toss of a coin, until it begins to turn back; the new state is drawn from the
whole path, each point with the weight exp(-H/T). Subpaths are built leaf by leaf (Phan et al. 2019), with velocities kept at a
logarithmic number of places, so that all chains take their leapfrog steps together and a chain that has turned only waits.

Conventions as in `engine.math.chains.samplers`: points of shape (d, N), time step h = √ε, unit mass, density exp(-U/T).

References
----------
Hoffman, Gelman (2014), The No-U-Turn Sampler, JMLR 15.
Betancourt (2017), A conceptual introduction to Hamiltonian Monte Carlo, arXiv:1701.02434, appendix A (weights, biased progress,
    the criterion of the summed velocities).
Phan, Pradhan, Jankowiak (2019), Composable effects for flexible and accelerated probabilistic programming in NumPyro,
    arXiv:1912.11554, algorithm 2 (the iterative tree).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.math.chains.samplers import ValueAndGradient

DIVERGED = 1000.0  # of (H - H₀)/T: from there on the path has left the energy surface for good


@dataclass(frozen=True, slots=True)
class NutsStep:
    """One step of all chains.

    Parameters
    ----------
    points, energy, gradient : Tensor, shapes (d, N), (N), (d, N)
        The new states.
    depth : Tensor, shape (N)
        How often the path was doubled.
    leapfrogs : Tensor, shape (N)
        Leapfrog steps that belong to the path, those of a rejected last doubling included.
    acceptance : Tensor, shape (N)
        Mean of min(1, exp((H₀ - H)/T)) over these steps; the number by which a step size is tuned (0.8 is usual).
    diverged : Tensor, shape (N)
        Whether the path left the energy surface.
    evaluations : int
        Gradients that were computed for all chains together, those of waiting chains included.
    """

    points: Tensor
    energy: Tensor
    gradient: Tensor
    depth: Tensor
    leapfrogs: Tensor
    acceptance: Tensor
    diverged: Tensor
    evaluations: int


@dataclass(slots=True)
class _Ends:
    """One end of every path: position, velocity, gradient, each of shape (d, n)."""

    x: Tensor
    v: Tensor
    g: Tensor

    def of(self, chains: Tensor) -> _Ends:
        """The ends of some chains."""
        return _Ends(self.x[:, chains], self.v[:, chains], self.g[:, chains])

    def put(self, chains: Tensor, new: _Ends) -> None:
        """Replace those of some chains."""
        self.x[:, chains], self.v[:, chains], self.g[:, chains] = new.x, new.v, new.g


@dataclass(slots=True)
class _Subpath:
    """What a doubling has built, for n chains."""

    end: _Ends
    x: Tensor  # (d, n), drawn from the subpath
    u: Tensor  # (n)
    g: Tensor  # (d, n)
    log_weight: Tensor  # (n)
    velocities: Tensor  # (d, n), their sum
    failed: Tensor  # (n): turned inside, or diverged
    diverged: Tensor
    steps: Tensor
    acceptance: Tensor  # (n), summed over the steps


def nuts(
    points: Tensor,
    energy: Tensor,
    gradient: Tensor,
    step_size: float,
    temperature: float,
    noise: Tensor,
    generator: torch.Generator,
    value_and_gradient: ValueAndGradient,
    *,
    most_doublings: int = 8,
) -> NutsStep:
    """One step of the no-U-turn sampler.

    Parameters
    ----------
    points, energy, gradient : Tensor, shapes (d, N), (N), (d, N)
        x with U(x) and ∇U(x), as the step before returned them.
    step_size, temperature : float
        ε and T > 0.
    noise : Tensor, shape (d, N)
        Standard normal: the fresh velocities are √T times it.
    generator : torch.Generator
        For directions and choices, on the device of the points.
    value_and_gradient : callable
        U and ∇U at points of shape (d, n), n <= N.
    most_doublings : int
        A path has at most 2^most_doublings - 1 steps.

    Returns
    -------
    NutsStep

    Raises
    ------
    ValueError
        If the temperature is not positive: there is no law to sample.
    """
    if temperature <= 0.0:
        raise ValueError("nuts samples at temperatures above 0")
    count, device = points.shape[1], points.device
    start = noise * math.sqrt(temperature)
    left, right = (_Ends(points.clone(), start.clone(), gradient.clone()) for _ in range(2))
    total = energy + 0.5 * start.square().sum(0)
    x, u, g = points.clone(), energy.clone(), gradient.clone()
    log_weight, velocities = torch.zeros_like(energy), start.clone()
    depth, steps = (torch.zeros(count, dtype=torch.int64, device=device) for _ in range(2))
    acceptance = torch.zeros_like(energy)
    diverged = torch.zeros(count, dtype=torch.bool, device=device)
    chains = torch.arange(count, device=device)
    evaluations = 0

    def uniforms(number: int) -> Tensor:
        return torch.rand(number, generator=generator, device=device, dtype=points.dtype)

    for doubling in range(most_doublings):
        forward = uniforms(len(chains)) < 0.5
        ends = _Ends(*(torch.where(forward, r, lft) for r, lft in _pairs(right.of(chains), left.of(chains))))
        h = math.sqrt(step_size) * torch.where(forward, 1.0, -1.0).to(points.dtype)
        new = _build(ends, h, total[chains], temperature, 1 << doubling, uniforms, value_and_gradient)
        evaluations += (1 << doubling) * len(chains)
        steps[chains] += new.steps
        acceptance[chains] += new.acceptance
        diverged[chains] |= new.diverged
        whole = ~new.failed
        chains, new, forward = chains[whole], _some(new, whole), forward[whole]
        depth[chains] += 1
        # biased progress: the newer half is preferred, which keeps the law since it does not depend on where the path began
        taken = torch.log(uniforms(len(chains))) < new.log_weight - log_weight[chains]
        chosen = chains[taken]
        x[:, chosen], u[chosen], g[:, chosen] = new.x[:, taken], new.u[taken], new.g[:, taken]
        log_weight[chains] = torch.logaddexp(log_weight[chains], new.log_weight)
        velocities[:, chains] += new.velocities
        for side, mine in ((right, forward), (left, ~forward)):
            side.put(chains[mine], new.end.of(mine))
        straight = ~_turns(left.v[:, chains], right.v[:, chains], velocities[:, chains])
        chains = chains[straight]
        if not len(chains):
            break
    return NutsStep(x, u, g, depth, steps, acceptance / steps.clamp_min(1), diverged, evaluations)


def _build(
    ends: _Ends,
    h: Tensor,
    total: Tensor,
    temperature: float,
    leaves: int,
    uniforms: Callable[[int], Tensor],
    value_and_gradient: ValueAndGradient,
) -> _Subpath:
    """Extend paths by so many leapfrog steps of h, shape (n), and draw a state from the new part of each."""
    n = len(total)
    x, v, g = ends.x.clone(), ends.v.clone(), ends.g.clone()
    new = _Subpath(
        end=ends,
        x=x.clone(),
        u=total.clone(),
        g=g.clone(),
        log_weight=torch.full_like(total, -math.inf),
        velocities=torch.zeros_like(v),
        failed=torch.zeros(n, dtype=torch.bool, device=x.device),
        diverged=torch.zeros(n, dtype=torch.bool, device=x.device),
        steps=torch.zeros(n, dtype=torch.int64, device=x.device),
        acceptance=torch.zeros_like(total),
    )
    levels = max(1, leaves.bit_length())
    kept_v, kept_sum = (v.new_zeros(levels, *v.shape) for _ in range(2))
    for leaf in range(leaves):
        v = v - 0.5 * h * g
        x = x + h * v
        u, g = value_and_gradient(x)
        v = v - 0.5 * h * g
        rise = (u + 0.5 * v.square().sum(0) - total) / temperature
        alive = ~new.failed
        away = ~(rise < DIVERGED)  # also where it is not a number
        rise = torch.where(away, math.inf, rise)
        new.steps += alive
        new.acceptance += torch.where(alive, torch.exp(-rise.clamp_min(0.0)), 0.0)
        new.diverged |= alive & away
        new.failed |= away
        log_weight = torch.logaddexp(new.log_weight, -rise)
        taken = ~new.failed & (torch.log(uniforms(n)) < -rise - log_weight)
        new.x, new.g = torch.where(taken, x, new.x), torch.where(taken, g, new.g)
        new.u = torch.where(taken, u, new.u)
        new.log_weight = log_weight
        new.velocities = new.velocities + v
        highest, lowest = checkpoints(leaf)
        if leaf % 2 == 0:
            kept_v[highest], kept_sum[highest] = v, new.velocities
        else:
            for level in range(highest, lowest - 1, -1):
                between = new.velocities - kept_sum[level] + kept_v[level]
                new.failed |= _turns(kept_v[level], v, between)
    new.end = _Ends(x, v, g)
    return new


def checkpoints(leaf: int) -> tuple[int, int]:
    """Where the velocity of a leaf is kept, and down to which place an odd leaf looks back (Phan et al. 2019).

    The first is the number of ones in the binary digits of the leaf without the last; the odd leaf ends as many balanced
    subpaths as it has ones at its end.
    """
    highest = (leaf >> 1).bit_count()
    ended = (~leaf & (leaf + 1)).bit_length() - 1  # ones at the end
    return highest, highest - ended + 1


def _turns(first: Tensor, last: Tensor, velocities: Tensor) -> Tensor:
    """Whether a path turns back, shape (n): one of its ends no longer moves along its sum of velocities (end points halved)."""
    along = velocities - 0.5 * (first + last)
    return ((first * along).sum(0) <= 0.0) | ((last * along).sum(0) <= 0.0)


def _pairs(one: _Ends, other: _Ends) -> Iterator[tuple[Tensor, Tensor]]:
    """Position, velocity and gradient of two ends."""
    return iter(((one.x, other.x), (one.v, other.v), (one.g, other.g)))


def _some(path: _Subpath, kept: Tensor) -> _Subpath:
    """The subpaths of some of the chains."""
    return _Subpath(
        path.end.of(kept),
        path.x[:, kept],
        path.u[kept],
        path.g[:, kept],
        path.log_weight[kept],
        path.velocities[:, kept],
        path.failed[kept],
        path.diverged[kept],
        path.steps[kept],
        path.acceptance[kept],
    )
