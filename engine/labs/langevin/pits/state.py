"""The state of `pits`: network, points, and what is remembered of them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import torch
from torch import Tensor

from engine.labs.langevin.pits.field import Discs, EnergyMap, Pits, Probe, holds
from engine.math.networks.energy_networks import LayeredEnergy, LayeredNetwork
from engine.math.networks.energy_training import Adam

SETTLED = 300  # steps in a frozen landscape before the law is expected
ROLLED = 20.0  # units of time, steps times rate, before the law is expected
WINDOW = 200  # steps over which the law is averaged
DIGS = 200  # over which gap and balance are averaged


@dataclass
class Frozen:
    """What the points have done since the landscape froze, and the law they should follow.

    The law is that of a point while it is in the disc of its mode: between the discs are walls that noise rarely climbs, so
    that how many points there are in each says more of where they came from.
    """

    rule: tuple[float, float]  # rate and temperature
    centres: Tensor
    radius: float
    law: Discs
    steps: int = 0
    time: float = 0.0
    sums: deque[Tensor] = field(default_factory=lambda: deque(maxlen=WINDOW))  # (2, K): energy and number in each disc

    @staticmethod
    def begin(energy: LayeredEnergy, centres: Tensor, radius: float, rule: tuple[float, float]) -> Frozen:
        """From now on."""
        return Frozen(rule, centres, radius, Discs.of(energy, centres, radius, rule[1]))

    def add(self, points: Tensor, energies: Tensor, rolls: int) -> None:
        """A step with so many rolls has ended at points (2, N) of energies (N,)."""
        held = holds(points, self.centres, self.radius)
        self.sums.append(torch.stack([held @ energies, held.sum(1)]))
        self.steps += 1
        self.time += rolls * self.rule[0]

    @property
    def settled(self) -> bool:
        """Whether the points have had time to roll down and to wander through a disc many times."""
        wandered = self.time * self.rule[1] > 5 * self.radius**2
        return self.steps >= SETTLED + WINDOW and self.time >= ROLLED and wandered


BEFORE = 50  # steps that only dig, before the points are let go
TRAIL = 12  # places of a watched point that are kept


@dataclass
class Curves:
    """What has been measured, step by step."""

    steps: list[int] = field(default_factory=list)
    points: list[float] = field(default_factory=list)
    data: list[float] = field(default_factory=list)


@dataclass
class State:
    """Discriminator, points, and what is remembered of them."""

    network: LayeredNetwork
    adam: Adam
    centres: Tensor  # (2, K)
    points: Tensor  # (2, N)
    velocities: Tensor
    data: Tensor  # (2, B), the last batch
    pits: Pits
    place: tuple[float, float]  # where points were put last
    probe: Probe | None = None
    step: int = 0
    trail: deque[Tensor] = field(default_factory=lambda: deque(maxlen=TRAIL))
    curves: Curves = field(default_factory=Curves)
    gaps: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=DIGS))  # gap and balance, dig by dig
    rule: tuple[object, ...] = ()  # of digging
    rested: int = 0  # digs under this rule
    frozen: Frozen | None = None  # what the points did since the landscape froze
    seen: tuple[int, EnergyMap] | None = None  # the landscape after so many digs

    @property
    def waiting(self) -> bool:
        """Whether the points still wait for pits."""
        return self.before > 0

    @property
    def before(self) -> int:
        """Steps that the points still wait."""
        return max(BEFORE - self.step, 0)
