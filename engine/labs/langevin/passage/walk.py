"""The particles of `passage`: many steps at once, who crosses in them, and how many steps make a frame."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace
from functools import lru_cache

import torch
from torch import Tensor

from engine.core.context import Context
from engine.core.errors import LabError
from engine.math.chains.passage_chain import stability_limit
from engine.math.chains.passage_times import passage_law

START, TARGET = -1.0, 1.0
TRACERS = 1200  # particles that go on after they have crossed, for the picture
CHUNK = {"cpu": 1 << 17, "cuda": 1 << 24, "mps": 1 << 22}  # numbers drawn at once: about 2 ms, and within a cache
WORK = {"cpu": 800_000, "cuda": 100_000_000, "mps": 20_000_000}  # particle steps of a block: about 10 ms
LONGEST_BLOCK = 2000
GROWTH = 0.012  # a block is this share of the steps before it: time runs as on a logarithmic clock
SURVIVORS_WANTED = 0.05  # of all particles, on average, at the end
FAR = 1e3  # a particle out there does not come back


@dataclass(frozen=True, slots=True)
class Walkers:
    """Who is where.

    Attributes
    ----------
    places, numbers : Tensor, shape (n,)
        Particles that have not crossed: where they are (float32), and their numbers.
    settled, settled_numbers : Tensor, shape (m,)
        The same of tracers that have crossed; they go on for the picture.
    crossings : Tensor, shape (N,), int32
        The step in which each particle crossed, 0 while it has not.
    steps : int
        Steps so far.
    """

    places: Tensor
    numbers: Tensor
    settled: Tensor
    settled_numbers: Tensor
    crossings: Tensor
    steps: int = 0


def start_walk(particles: int, device: torch.device) -> Walkers:
    """All particles at the bottom of the left well."""
    return Walkers(
        places=torch.full((particles,), START, device=device),
        numbers=torch.arange(particles, device=device),
        settled=torch.empty(0, device=device),
        settled_numbers=torch.empty(0, dtype=torch.int64, device=device),
        crossings=torch.zeros(particles, dtype=torch.int32, device=device),
    )


def advance(
    walk: Walkers, steps: int, barrier: float, temperature: float, step_size: float, bridge: bool, context: Context
) -> Walkers:
    """So many steps of all particles; those that cross leave the walk, except for tracers.

    Raises
    ------
    LabError
        If the chain diverges.
    """
    limit = CHUNK[context.device.type]
    left = steps
    while left:
        context.checkpoint()
        count = min(left, max(1, limit // max(1, len(walk.places) + len(walk.settled))))
        settled = follow(walk.settled, count, barrier, temperature, step_size, context.generator("settled"))[-1]
        walk = replace(walk, settled=settled)
        if len(walk.places):
            path = follow(walk.places, count, barrier, temperature, step_size, context.generator("noise"))
            check_finite(path, barrier, step_size)
            chance = context.generator("bridge") if bridge else None
            walk = leave(walk, path, crossed(path, step_size * temperature, chance))
        check_finite(walk.settled, barrier, step_size)
        walk = replace(walk, steps=walk.steps + count)
        left -= count
    return walk


def follow(
    places: Tensor, steps: int, barrier: float, temperature: float, step_size: float, generator: torch.Generator
) -> Tensor:
    """The paths of particles, shape (steps + 1, n): x' = x - (ε/2) U'(x) + √(εT) ξ, with U' = 4a x (x² - 1)."""
    path = torch.empty((steps + 1, len(places)), device=places.device)
    if not len(places):
        return path
    path[0] = places
    path[1:].normal_(0, math.sqrt(step_size * temperature), generator=generator)
    pull = 2 * barrier * step_size
    stay = torch.full((1,), 1 + pull, device=places.device)
    rows = path.unbind(0)
    for here, there in itertools.pairwise(rows):
        there.addcmul_(here, torch.addcmul(stay, here, here, value=-pull))
    return path


def crossed(path: Tensor, variance: float, chance: torch.Generator | None) -> Tensor:
    """In which steps the target was reached, bool, shape (steps, n).

    Between two places before the target, at distances d and d', a Brownian bridge of this variance has been beyond it with
    probability exp(-2 d d'/variance): if d d' < E variance/2, with E exponential of mean one. With no random numbers given,
    only places count.
    """
    distance = TARGET - path
    if chance is None:
        return distance[1:] <= 0
    luck = torch.empty_like(distance[1:]).exponential_(generator=chance).mul_(0.5 * variance)
    return distance[:-1] * distance[1:] < luck


def leave(walk: Walkers, path: Tensor, hits: Tensor) -> Walkers:
    """Note the first crossing of each particle, and take those that crossed out of the walk."""
    gone = hits.any(0)
    if not bool(gone.any()):  # device sync
        return replace(walk, places=path[-1].clone())
    numbers, ends = walk.numbers[gone], path[-1][gone]
    first = hits[:, gone].to(torch.uint8).argmax(0)
    crossings = walk.crossings.index_put((numbers,), (first + (walk.steps + 1)).to(torch.int32))
    tracers = numbers < TRACERS
    return replace(
        walk,
        places=path[-1][~gone],
        numbers=walk.numbers[~gone],
        settled=torch.cat([walk.settled, ends[tracers]]),
        settled_numbers=torch.cat([walk.settled_numbers, numbers[tracers]]),
        crossings=crossings,
    )


def check_finite(places: Tensor, barrier: float, step_size: float) -> None:
    """Stop a run whose particles have been thrown out of the wells."""
    if places.numel() and not bool(places.abs().amax() < FAR):  # device sync; not a number is not less
        raise LabError(
            "The chain has diverged: at ε = {step:g} a particle got beyond |x| = {escape:.2f}, where a step leads farther out "
            "than back.",
            "Lower step_size or barrier; steps should stay well below 1/(2a) = {limit:.3g}.",
            step=step_size,
            escape=math.sqrt(1 + 1 / (step_size * barrier)),
            limit=stability_limit(barrier),
        )


@lru_cache(maxsize=64)
def schedule(
    barrier: float, temperature: float, step_size: float, particles: int, most_steps: int, device: str
) -> tuple[int, ...]:
    """How many steps there are after each block.

    One step at a time at first, so that one sees them jitter; then time runs ever faster, as far as a frame has room for the
    work. The end comes when, on average, a twentieth of a particle is left.
    """
    law = passage_law(barrier, temperature)
    rate = float(law.rates[0]) * step_size
    wanted = math.log(max(2.0, particles * float(law.weights[0]) / SURVIVORS_WANTED)) / rate
    last = math.ceil(min(wanted, most_steps))
    ends: list[int] = []
    done = 0
    while done < last:
        walkers = particles * math.exp(-rate * done) + min(particles, TRACERS)
        block = min(LONGEST_BLOCK, WORK[device] / walkers, GROWTH * done)
        done = min(last, done + max(1, int(block)))
        ends.append(done)
    return tuple(ends)
