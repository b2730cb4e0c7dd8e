"""The state of `sampling`."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from engine.labs.langevin.sampling.flow import DensityFlow
from engine.labs.langevin.sampling.records import Record, Trajectory
from engine.labs.langevin.sampling.rules import SamplerSettings
from engine.labs.langevin.sampling.walk import Ensemble, Outcome


@dataclass(slots=True)
class State:
    """The swarms and what is kept of them. It lives in place: frames take copies."""

    step: int
    walks: list[Ensemble]
    records: list[Record]
    rules: list[SamplerSettings]
    way: Trajectory
    flow: DensityFlow | None = None  # the density by the Fokker-Planck equation, beside the first swarm
    outcomes: list[Outcome] = field(default_factory=list)
    ladder: list[tuple[int, ...]] = field(default_factory=list)
    swaps: np.ndarray = field(default_factory=lambda: np.zeros((2, 0)))  # accepted and asked, by pair of rungs
