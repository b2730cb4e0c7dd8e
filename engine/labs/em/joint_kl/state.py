"""What a run of `joint_kl` is made of."""

from __future__ import annotations

from dataclasses import dataclass

from engine.labs.em.joint_kl.half_steps import World


@dataclass(frozen=True, slots=True)
class State:
    """The tables now, and the way to them."""

    world: World
    kinds: tuple[str, ...]
    marginal: tuple[float, ...]
    gap: tuple[float, ...]
