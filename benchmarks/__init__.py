"""Benchmarks, each beside a peer measured in the same process.

A file ``benchmarks/<topic>_<experiment>.py`` (or one about the program, such as ``app.py``) is one benchmark and has a function
``rows(quick: bool) -> list[dict]``. Every row has the keys of `KEYS`:

``benchmark``
    What was measured, in a few words.
``value``, ``unit``
    Our number, for example 12.3 and ``ms``.
``peer``, ``peer_value``, ``ratio``
    Whom we are held against, their number, and how many times better we are; None where there is no peer.
``target``
    What we promise, as text, for example ``<= 100 ms``; None where nothing is promised.
``ok``
    Whether the promise was kept; None without one.

``quick`` asks for smaller sizes and fewer repetitions. No list names the benchmarks: the file is enough.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Sequence
from typing import Any

from engine.core.errors import UsageError

KEYS = ("benchmark", "value", "unit", "peer", "peer_value", "ratio", "target", "ok")


def names() -> list[str]:
    """All benchmarks as ``topic.experiment``; those about the program have no dot."""
    found = (module.name for module in pkgutil.iter_modules(__path__))
    return sorted(name.replace("_", ".", 1) for name in found if not name.startswith("_"))


def select(wanted: Sequence[str]) -> list[str]:
    """The benchmarks of these topics and experiments, all of them for none.

    Raises
    ------
    UsageError
        If one names nothing.
    """
    everything = names()
    for name in wanted:
        if not any(_belongs(candidate, name) for candidate in everything):
            known = ", ".join(everything) or "none yet"
            raise UsageError("There is no benchmark {name}.", "The benchmarks are {names}.", name=repr(name), names=known)
    return [name for name in everything if not wanted or any(_belongs(name, each) for each in wanted)]


def collect(wanted: Sequence[str], quick: bool) -> tuple[list[dict[str, Any]], list[str]]:
    """The rows of these benchmarks, and a sentence about each that broke down."""
    rows: list[dict[str, Any]] = []
    failures: list[str] = []
    for name in select(wanted):
        try:
            module = importlib.import_module(f"{__name__}.{name.replace('.', '_', 1)}")
            rows += [{key: row[key] for key in KEYS} for row in module.rows(quick)]
        except Exception as error:  # the other benchmarks go on
            failures.append(f"{name} failed: {type(error).__name__}: {error}")
    return rows, failures


def _belongs(name: str, wanted: str) -> bool:
    return name == wanted or name.startswith(f"{wanted}.")
