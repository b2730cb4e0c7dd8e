"""What a run of `likelihood` is made of."""

from __future__ import annotations

from dataclasses import dataclass

from engine.labs.em.likelihood.family import Family
from engine.math.numerics.divergences import Table


@dataclass(frozen=True, slots=True)
class State:
    """The estimates from all data sets simulated so far."""

    family: Family
    searched: float
    ladder: Table
    errors: Table  # of the parameter, estimate less model
    variances: Table  # of a normal law, in units of the model's
    step: int = 0
