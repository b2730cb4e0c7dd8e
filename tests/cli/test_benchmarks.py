"""The benchmark protocol: found by file, chosen by name, one that breaks down does not stop the others."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import benchmarks
import main
from engine.api import UsageError

ROW = {
    "benchmark": "angles",
    "value": 2.0,
    "unit": "ms",
    "peer": "numpy",
    "peer_value": 6.0,
    "ratio": 3.0,
    "target": "<= 5 ms",
    "ok": True,
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Three benchmarks, one of them broken, in place of the real ones."""
    (tmp_path / "one_fast.py").write_text(f"def rows(quick): return [{ROW!r}] if quick else [{ROW!r}] * 2")
    (tmp_path / "two_slow_start.py").write_text("def rows(quick): return 1 / 0")
    (tmp_path / "app.py").write_text(f"def rows(quick): return [{ {**ROW, 'peer': None, 'ok': None}!r}]")
    monkeypatch.setattr(benchmarks, "__path__", [str(tmp_path)])
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("benchmarks.")]:
        del sys.modules[name]


def test_names_follow_from_files() -> None:
    assert benchmarks.names() == ["app", "one.fast", "two.slow_start"]


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        ([], ["app", "one.fast", "two.slow_start"]),
        (["one"], ["one.fast"]),
        (["two.slow_start", "app"], ["app", "two.slow_start"]),
    ],
)
def test_topics_and_experiments_choose(wanted: list[str], chosen: list[str]) -> None:
    assert benchmarks.select(wanted) == chosen


def test_an_unknown_name_lists_those_there_are() -> None:
    with pytest.raises(UsageError, match=r"no benchmark 'on'. The benchmarks are app, one\.fast"):
        benchmarks.select(["on"])


def test_json_and_the_broken_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.command(["bench", "--json"]) == 1
    out, err = capsys.readouterr()
    assert len(json.loads(out)["benchmarks"]) == 3
    assert err == "two.slow_start failed: ZeroDivisionError: division by zero\n"


def test_the_table_marks_what_was_promised(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.command(["bench", "one", "app", "--quick"]) == 0
    heading, app, one = capsys.readouterr().out.splitlines()
    assert heading.split() == ["benchmark", "value", "unit", "peer", "its", "value", "ratio", "target"]
    assert app.startswith("…")
    assert one.split() == ["✓", "angles", "2", "ms", "numpy", "6", "3", "<=", "5", "ms"]
