"""Moving swarms: one step of every sampler, chunk by chunk, two swarms on the same noise."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from engine.core.context import Context
from engine.labs.langevin.sampling.rules import SamplerSettings
from engine.math.chains.nuts import nuts
from engine.math.chains.samplers import baoab, hmc, leapfrog, mala, no_force, ula
from engine.math.chains.tempering import annealed_temperature, ladder, pairs, swap
from engine.math.energies.registry import Energy
from engine.math.numerics.precision import slices

CHUNK = {"cpu": 1 << 16, "cuda": 1 << 24, "mps": 1 << 20}  # particles whose scratch stays in the cache
HOLD = 0.2  # share of an annealed run that stays at T in the end
FOLLOWED = 20  # particles whose proposals are drawn

Both = Callable[[Tensor], tuple[Tensor, Tensor]]


@dataclass(slots=True)
class Ensemble:
    """A swarm and what its sampler keeps beside the points. Everything in it is overwritten by the next step.

    Attributes
    ----------
    points : Tensor, shape (2, N)
        float32.
    energy, gradient : Tensor, shapes (N), (2, N), optional
        U and ∇U at the points, for samplers that accept or reject, and ∇U for the underdamped one.
    velocities : Tensor, shape (2, N), optional
        Of the underdamped sampler.
    replicas, replica_energy, replica_gradient : Tensor, shapes (K, 2, N), (K, N), (K, 2, N), optional
        Of parallel tempering; the coldest replica is the swarm, and shares its memory.
    labels : Tensor, shape (K, n), optional
        Which walker stands on each rung, for the followed particles.
    ready_for : tuple
        The rule's part for which all of this was made.
    """

    points: Tensor
    energy: Tensor | None = None
    gradient: Tensor | None = None
    velocities: Tensor | None = None
    replicas: Tensor | None = None
    replica_energy: Tensor | None = None
    replica_gradient: Tensor | None = None
    labels: Tensor | None = None
    ready_for: tuple[object, ...] = ()

    @property
    def count(self) -> int:
        """N."""
        return self.points.shape[1]


@dataclass(slots=True)
class Outcome:
    """What one step did."""

    accepted: Tensor  # number of particles that moved to what was proposed
    extreme: Tensor  # largest |coordinate|, nan if one is not a number
    temperature: float  # of this step; differs from the rule's while annealing
    proposals: Tensor  # (5, n): from x and y, to x and y, and whether it was accepted; empty without proposals
    swapped: Tensor | None = None  # (K,) number of swaps of each pair of rungs that was asked, -1 where none was
    gradients: float = 1  # evaluations of the gradient per particle


@dataclass(slots=True)
class Draws:
    """The random numbers of one chunk, the same for both swarms."""

    context: Context
    count: int
    scale: float
    _kept: dict[str, Tensor] = field(default_factory=dict)

    @property
    def noise(self) -> Tensor | None:
        """ξ of every sampler, shape (2, n); None where the noise is off."""
        if not self.scale:
            return None
        return self._once("noise", (2, self.count), normal=True)

    @property
    def uniform(self) -> Tensor:
        """What proposals are accepted by, shape (n)."""
        return self._once("uniform", (self.count,))

    def replica_noise(self, rung: int) -> Tensor | None:
        """ξ of a replica; the coldest one has that of the swarm."""
        if rung == 0 or not self.scale:
            return self.noise
        return self._once(f"noise {rung}", (2, self.count), normal=True)

    def replica_uniform(self, rung: int) -> Tensor:
        """What proposals of a replica are accepted by."""
        return self.uniform if rung == 0 else self._once(f"uniform {rung}", (self.count,))

    def swaps(self, rungs: int) -> Tensor:
        """What swaps are accepted by, shape (K, n)."""
        return self._once("swap", (rungs, self.count))

    def _once(self, name: str, shape: tuple[int, ...], *, normal: bool = False) -> Tensor:
        if name not in self._kept:
            generator = self.context.generator(name)
            if normal:
                drawn = torch.randn(shape, generator=generator, device=self.context.device)
                self._kept[name] = drawn.mul_(self.scale) if self.scale != 1.0 else drawn
            else:
                self._kept[name] = torch.rand(shape, generator=generator, device=self.context.device)
        return self._kept[name]


def chunks(count: int, context: Context) -> list[slice]:
    """Slices of at most a chunk of particles."""
    return slices(count, CHUNK[context.device.type])


# ---- what a sampler keeps ----------------------------------------------------------------------------------------------


def prepare(walk: Ensemble, rule: SamplerSettings, energy: Energy, context: Context) -> None:
    """Make what the sampler of a rule keeps beside the points, where it is not there or belongs to another rule."""
    wanted = (rule.energy, rule.drift, rule.sampler, rule.rungs)
    if walk.ready_for == wanted:
        return
    moving = walk.velocities if rule.sampler == "underdamped" else None
    stack = walk.replicas if rule.sampler == "tempering" else None
    if rule.sampler != "tempering" and walk.replicas is not None:
        walk.points = walk.points.clone()  # they lived among the replicas
    walk.energy = walk.gradient = walk.velocities = walk.replicas = walk.replica_energy = walk.replica_gradient = None
    if rule.sampler == "tempering":
        _prepare_replicas(walk, rule, force(rule, energy), context, stack)
    elif rule.sampler in ("mala", "hmc", "nuts", "underdamped"):
        _prepare_force(walk, force(rule, energy), context)
        if rule.sampler == "underdamped":
            walk.velocities = moving if moving is not None else start_velocities(walk, rule, context)
    if rule.sampler != "tempering":
        walk.labels = None
    walk.ready_for = wanted


def force(rule: SamplerSettings, energy: Energy) -> Both:
    """U and ∇U as a rule sees them."""
    return energy.value_and_gradient if rule.drift else no_force


def start_velocities(walk: Ensemble, rule: SamplerSettings, context: Context) -> Tensor:
    """Velocities in equilibrium, √T N(0, 1)."""
    found = torch.empty_like(walk.points)
    for part in chunks(walk.count, context):
        context.checkpoint()
        found[:, part] = torch.randn(
            (2, part.stop - part.start), generator=context.generator("velocities"), device=context.device
        )
    return found.mul_(math.sqrt(rule.temperature) * rule.noise)


def _prepare_force(walk: Ensemble, both: Both, context: Context) -> None:
    walk.energy, walk.gradient = torch.empty_like(walk.points[0]), torch.empty_like(walk.points)
    for part in chunks(walk.count, context):
        context.checkpoint()
        walk.energy[part], walk.gradient[:, part] = both(walk.points[:, part])


def _prepare_replicas(walk: Ensemble, rule: SamplerSettings, both: Both, context: Context, old: Tensor | None) -> None:
    """Replicas where the swarm is, or where they are already."""
    kept = old[: rule.rungs] if old is not None else walk.points[None]
    fresh = [walk.points[None]] * (rule.rungs - len(kept))
    walk.replicas = torch.cat([kept, *fresh]) if fresh or old is None else kept.clone()
    walk.points = walk.replicas[0]
    walk.replica_energy = torch.empty((rule.rungs, walk.count), device=context.device)
    walk.replica_gradient = torch.empty_like(walk.replicas)
    for part in chunks(walk.count, context):
        for rung in range(rule.rungs):
            context.checkpoint()
            value, slope = both(walk.replicas[rung][:, part])
            walk.replica_energy[rung, part], walk.replica_gradient[rung][:, part] = value, slope
    names = torch.arange(rule.rungs, dtype=torch.int8, device=context.device)
    walk.labels = names[:, None].repeat(1, min(walk.count, FOLLOWED))


# ---- one step ----------------------------------------------------------------------------------------------------------


def advance(
    walks: Sequence[tuple[Ensemble, SamplerSettings]], energy: Energy, context: Context, step: int, progress: float
) -> list[Outcome]:
    """Move swarms of equal size by one step each, in place, on the same noise.

    Parameters
    ----------
    walks : sequence of (Ensemble, SamplerSettings)
        The swarms and their rules; all of one energy.
    step : int
        Number of the step, which decides the pairs of replicas that may swap.
    progress : float
        Share of the run that is done, for annealing.
    """
    for walk, rule in walks:
        prepare(walk, rule, energy, context)
    outcomes = [_nothing_yet(walk, rule, progress) for walk, rule in walks]
    for part in chunks(walks[0][0].count, context):
        context.checkpoint()
        draws = Draws(context, part.stop - part.start, walks[0][1].noise)
        for (walk, rule), outcome in zip(walks, outcomes, strict=True):
            _move(walk, rule, energy, part, draws, step, outcome)
    return outcomes


def _nothing_yet(walk: Ensemble, rule: SamplerSettings, progress: float) -> Outcome:
    zero = torch.zeros((), device=walk.points.device)
    temperature = rule.temperature
    if rule.sampler == "annealed":
        temperature = annealed_temperature(progress, rule.temperature, rule.hottest, HOLD)
    return Outcome(zero.clone(), zero.clone(), temperature, torch.empty((5, 0), device=walk.points.device))


def _move(
    walk: Ensemble, rule: SamplerSettings, energy: Energy, part: slice, draws: Draws, step: int, outcome: Outcome
) -> None:
    points = walk.points[:, part]
    if rule.sampler in ("ula", "annealed") or (not rule.noise and rule.sampler in ("mala", "nuts")):
        gradient = energy.gradient(points) if rule.drift else None
        ula(points, gradient, rule.step_size, outcome.temperature, draws.noise, in_place=True)
        outcome.accepted += points.shape[1]
        outcome.extreme = torch.maximum(outcome.extreme, farthest(points))
        if rule.sampler in ("mala", "nuts"):
            walk.ready_for = ()  # U and ∇U are those of another place now
    elif rule.sampler == "underdamped":
        slope = energy.gradient if rule.drift else torch.zeros_like
        assert walk.velocities is not None
        assert walk.gradient is not None
        numbers = (rule.step_size, rule.temperature, rule.friction)
        baoab(points, walk.velocities[:, part], walk.gradient[:, part], *numbers, draws.noise, slope, in_place=True)
        outcome.accepted += points.shape[1]
        outcome.extreme = torch.maximum(outcome.extreme, farthest(points))
    elif rule.sampler == "tempering":
        _temper(walk, rule, energy, part, draws, step, outcome)
    elif rule.sampler == "nuts" and rule.noise and rule.temperature > 0:
        _turn(walk, rule, energy, part, draws, outcome)
    else:
        _adjusted(walk, rule, energy, part, draws, outcome)


def _adjusted(walk: Ensemble, rule: SamplerSettings, energy: Energy, part: slice, draws: Draws, outcome: Outcome) -> None:
    """MALA or HMC."""
    assert walk.energy is not None
    assert walk.gradient is not None
    both = force(rule, energy)
    state = (walk.points[:, part], walk.energy[part], walk.gradient[:, part])
    shown = _proposals(state[0], state[2], rule, energy, draws) if walk.count <= FOLLOWED else None
    if rule.sampler == "hmc":
        slope = energy.gradient if rule.drift else torch.zeros_like
        numbers = (rule.step_size, rule.temperature, rule.leapfrogs)
        accepted = hmc(*state, *numbers, draws.noise, draws.uniform, slope, both, in_place=True).accepted
        outcome.gradients = rule.leapfrogs
    else:
        accepted = mala(*state, rule.step_size, rule.temperature, draws.noise, draws.uniform, both, in_place=True).accepted
    outcome.accepted += accepted.sum()
    if shown is not None:
        outcome.proposals = torch.cat([shown, accepted[None].to(shown.dtype)])


def _turn(walk: Ensemble, rule: SamplerSettings, energy: Energy, part: slice, draws: Draws, outcome: Outcome) -> None:
    """A path that ends where it turns; what counts as accepted is its mean acceptance."""
    assert walk.energy is not None
    assert walk.gradient is not None
    assert draws.noise is not None
    points, values, gradient = walk.points[:, part], walk.energy[part], walk.gradient[:, part]
    start = points.clone() if walk.count <= FOLLOWED else None
    generator = draws.context.generator("paths")
    numbers = (rule.step_size, rule.temperature, draws.noise, generator, force(rule, energy))
    found = nuts(points, values, gradient, *numbers, most_doublings=rule.doublings)
    points.copy_(found.points)
    values.copy_(found.energy)
    gradient.copy_(found.gradient)
    outcome.accepted += found.acceptance.sum()
    outcome.gradients += float(found.leapfrogs.sum()) / walk.count - (1 if part.start == 0 else 0)  # device sync
    if start is not None:
        moved = (points != start).any(0)
        outcome.proposals = torch.cat([start, points, moved[None].to(points.dtype)])


def _proposals(points: Tensor, gradient: Tensor, rule: SamplerSettings, energy: Energy, draws: Draws) -> Tensor:
    """Where particles are and where they are asked to go, shape (4, n)."""
    start = points.clone()
    if rule.sampler == "hmc":
        noise = draws.noise
        speed = torch.zeros_like(start) if noise is None else noise * math.sqrt(rule.temperature)
        slope = energy.gradient if rule.drift else torch.zeros_like
        end = leapfrog(start, speed, gradient, rule.step_size, rule.leapfrogs, slope, force(rule, energy))[0]
    else:
        end = ula(start, gradient, rule.step_size, rule.temperature, draws.noise)
    return torch.cat([start, end])


def _temper(
    walk: Ensemble, rule: SamplerSettings, energy: Energy, part: slice, draws: Draws, step: int, outcome: Outcome
) -> None:
    """A MALA step at every temperature, then swaps of neighbours."""
    assert walk.replicas is not None
    assert walk.replica_energy is not None
    assert walk.replica_gradient is not None
    assert walk.labels is not None
    both = force(rule, energy)
    heat = rung_temperatures(rule)
    state = walk.replicas[..., part], walk.replica_energy[:, part], walk.replica_gradient[..., part]
    for rung, temperature in enumerate(heat):
        place = (state[0][rung], state[1][rung], state[2][rung])
        shown = _proposals(place[0], place[2], rule, energy, draws) if not rung and walk.count <= FOLLOWED else None
        noise, uniform = draws.replica_noise(rung), draws.replica_uniform(rung)
        accepted = mala(*place, rule.step_size, temperature, noise, uniform, both, in_place=True).accepted
        if rung == 0:
            outcome.accepted += accepted.sum()
        if shown is not None:
            outcome.proposals = torch.cat([shown, accepted[None].to(shown.dtype)])
    outcome.gradients = len(heat)
    if rule.temperature <= 0:
        return
    swapped = swap(heat, state[1], draws.swaps(len(heat)), step, state[0], state[2])
    followed = walk.labels.shape[1]
    if part.start == 0:
        for rung in range(len(heat) - 1):
            done = swapped[rung, :followed]
            cold, hot = walk.labels[rung].clone(), walk.labels[rung + 1].clone()
            walk.labels[rung], walk.labels[rung + 1] = torch.where(done, hot, cold), torch.where(done, cold, hot)
    counts = swapped.sum(1)
    asked = {cold for cold, _ in pairs(len(heat), step)}
    counts[[rung for rung in range(len(heat)) if rung not in asked]] = -1
    outcome.swapped = counts if outcome.swapped is None else torch.where(counts < 0, counts, outcome.swapped + counts)


def rung_temperatures(rule: SamplerSettings) -> list[float]:
    """Temperatures of the replicas, the coldest first: equal ratios up to the hottest."""
    ratio = rule.hottest ** (1 / max(1, rule.rungs - 1))
    return [float(value) for value in ladder(rule.temperature, rule.rungs, ratio)]


def farthest(points: Tensor) -> Tensor:
    """The largest |coordinate|; nan if one is not a number."""
    low, high = torch.aminmax(points)
    return torch.maximum(-low, high)
