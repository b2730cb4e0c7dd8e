"""The variance of a weight in a rectangular layer: what it is divided by, and what that does on the way there and back."""

from __future__ import annotations

import math
from dataclasses import dataclass

RULES = ("fan_in", "fan_out", "average", "geometric", "quadratic", "orthogonal")


def fan_variance(rule: str, fan_in: int, fan_out: int) -> float:
    """Variance of a weight under a rule.

    ``fan_in`` 1/m keeps second moments forward, ``fan_out`` 1/n keeps them backward; between them lie the arithmetic
    ``average`` 2/(m+n) of Xavier, ``geometric`` 1/√(mn), and ``quadratic`` (m+n)/(m²+n²), which minimises
    (m t - 1)² + (n t - 1)² over the variance t. ``orthogonal`` matrices have entries of variance 1/max(m, n).
    """
    m, n = fan_in, fan_out
    match rule:
        case "fan_in":
            return 1 / m
        case "fan_out":
            return 1 / n
        case "average":
            return 2 / (m + n)
        case "geometric":
            return 1 / math.sqrt(m * n)
        case "quadratic":
            return (m + n) / (m * m + n * n)
        case "orthogonal":
            return 1 / max(m, n)
    raise ValueError(f"there is no rule {rule!r}")


@dataclass(frozen=True, slots=True)
class BowTie:
    """Factors of second moments of linear layers from m to n units and back to m: exact expectations for any width."""

    rule: str
    forward: float  # of a signal, m -> n
    backward: float  # of a gradient through the same layer
    forward_return: float  # of a signal, n -> m
    backward_return: float
    round_trip: float  # of a signal through both
    round_trip_backward: float


def bow_tie(rule: str, m: int, n: int) -> BowTie:
    """The factors for a rule: with weights of variance t a signal is multiplied by inputs · t, a gradient by outputs · t."""
    there, back = fan_variance(rule, m, n), fan_variance(rule, n, m)
    return BowTie(rule, m * there, n * there, n * back, m * back, m * there * n * back, n * there * m * back)
