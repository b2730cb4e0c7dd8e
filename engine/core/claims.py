"""Claims: statements of a source, held against what was computed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
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
        self,
        expected: float,
        measured: float,
        tolerance: float,
        *,
        enough: bool = True,
        remark: str | Message | None = None,
    ) -> Claim:
        """Two-sided: it holds when the two numbers are at most the tolerance apart."""
        known = enough and math.isfinite(measured) and math.isfinite(expected) and math.isfinite(tolerance)
        holds = abs(measured - expected) <= tolerance if known else None
        numbers = (expected, measured, tolerance)
        words = remark if isinstance(remark, Message) else Message(remark or "")
        return Claim(self.name, self.statement, self.formula, self.unit, *numbers, holds, words)


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found about a claim.

    Parameters
    ----------
    expected, measured, tolerance
        The two numbers, and how far they may lie apart.
    enough
        False leaves the claim open: it cannot be judged yet, or not at all here.
    remark
        Why it is open, or what else should be said.
    """

    expected: float
    measured: float
    tolerance: float
    enough: bool = True
    remark: str | Message | None = None


def check_all(specs: Sequence[ClaimSpec], findings: Mapping[str, Finding]) -> tuple[Claim, ...]:
    """The claims in their declared order.

    Raises
    ------
    KeyError
        If a declared claim has no finding, or a finding no claim.
    """
    names = {spec.name for spec in specs}
    if names != findings.keys():
        raise KeyError(f"claims and findings differ in {', '.join(sorted(names ^ findings.keys()))}")
    checked = []
    for spec in specs:
        found = findings[spec.name]
        checked.append(spec.check(found.expected, found.measured, found.tolerance, enough=found.enough, remark=found.remark))
    return tuple(checked)
