"""The law of large numbers, with the tolerance that so many throws deserve."""

from __future__ import annotations

from engine.core.claims import Claim, ClaimSpec, Finding, check_all
from engine.core.experiment import with_theory

MEASURES = with_theory("mean", "Mean")
CLAIMS = (ClaimSpec("mean", "The mean comes near the mean of the faces.", r"\bar x\to\frac{n+1}{2}"),)
STANDARD_ERRORS = 5


def check(mean: float, faces: int, throws: int) -> tuple[Claim, ...]:
    """The claims about the mean of so many throws of a die with so many faces."""
    error = ((faces**2 - 1) / 12 / max(throws, 1)) ** 0.5
    finding = Finding(
        (faces + 1) / 2, mean, STANDARD_ERRORS * error, enough=throws > 30, remark="" if throws > 30 else "too few throws"
    )
    return check_all(CLAIMS, {"mean": finding})
