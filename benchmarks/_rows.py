"""Rows of a benchmark."""

from __future__ import annotations

import operator
from typing import Any

COMPARE = {"<=": operator.le, "<": operator.lt, ">=": operator.ge, ">": operator.gt, "=": operator.eq}


def row(
    benchmark: str,
    value: float,
    unit: str,
    target: str | None = None,
    *,
    peer: str | None = None,
    peer_value: float | None = None,
    more_is_better: bool = True,
) -> dict[str, Any]:
    """A row with its ratio and verdict worked out.

    Parameters
    ----------
    target : str, optional
        A comparison and a number, for example ``<= 100 ms``. It speaks of the value; one that begins with ``ratio`` of the
        ratio to the peer.
    more_is_better : bool
        Which way round the ratio is.
    """
    ratio = None
    if peer_value:
        ratio = value / peer_value if more_is_better else peer_value / value
    ok = None
    if target is not None:
        words = target.split()
        measured = value
        if words[0] == "ratio":
            words = words[1:]
            measured = ratio if ratio is not None else float("nan")
        ok = bool(COMPARE[words[0]](measured, float(words[1])))
    return {
        "benchmark": benchmark,
        "value": value,
        "unit": unit,
        "peer": peer,
        "peer_value": peer_value,
        "ratio": ratio,
        "target": target,
        "ok": ok,
    }
