"""Random values inside their declared bounds give a result or a sentence, never an internal error.

A few small lines for each experiment, always the same; ``python -m benchmarks.commands SEED COUNT`` runs more and larger ones.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from benchmarks.commands import command_line, run_line
from engine.api import entries, entry

LINES = 3


@pytest.mark.parametrize("name", [each.name for each in entries()])
def test_no_internal_error(name: str, tmp_path: Path) -> None:
    chance = random.Random(name)
    outcomes = [run_line(command_line(entry(name), chance, tmp_path, modest=True)) for _ in range(LINES)]
    assert [str(outcome) for outcome in outcomes if outcome.end == "internal error"] == []
    assert all(outcome.message for outcome in outcomes if outcome.end == "sentence")


def test_an_internal_error_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.headless.run_with", lambda *_, **__: 1 / 0)
    outcome = run_line(("run", "em.coins"))
    assert outcome.end == "internal error"
    assert "main.py run em.coins\n    Internal error: ZeroDivisionError" in str(outcome)


def test_a_line_that_takes_too_long_is_interrupted() -> None:
    line = (
        "run",
        "angles.distribution",
        "--json",
        "--set",
        "method=vectors",
        "--set",
        "dimension=100",
        "--set",
        "pairs=100000000",
    )
    assert run_line(line, 1.0).end == "interrupted"
