"""Claims: statements of a source, held against what was computed."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from engine.core.messages import Message


@dataclass(frozen=True, slots=True)
class Claim:
    """A statement with its two numbers. ``holds`` is None while there is not enough data to tell."""

    name: str
    statement: str
    formula: str
    unit: str
    expected: float
    measured: float
    tolerance: float
    holds: bool | None
    remark: Message = field(default_factory=lambda: Message(""))


@dataclass(frozen=True, slots=True)
class ClaimSpec:
    """A claim as an experiment declares it, before there are numbers.

    Parameters
    ----------
    name
        Key of the claim in results.
    statement
        One sentence, translated by the experiment's resources.
    formula
        LaTeX of the statement.
    unit
        Unit of the two numbers, empty for pure numbers.
    """

    name: str
    statement: str
    formula: str
    unit: str = ""

    def check(
        self, expected: float, measured: float, tolerance: float, *, enough: bool = True, remark: Message | None = None
    ) -> Claim:
        """Two-sided: it holds when the two numbers are at most the tolerance apart."""
        known = enough and math.isfinite(measured) and math.isfinite(expected) and math.isfinite(tolerance)
        holds = abs(measured - expected) <= tolerance if known else None
        numbers = (expected, measured, tolerance)
        return Claim(self.name, self.statement, self.formula, self.unit, *numbers, holds, remark or Message(""))
