"""What a run of `coins` is made of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class State:
    """How many half-steps have been taken: everything else follows."""

    half: int = 0
