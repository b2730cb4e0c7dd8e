"""The script for machines with a card: tried on the CPU at tiny sizes, and what it says where there is no card."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmarks import _device
from benchmarks._device import PARTS, Python, Report

ROOT = Path(__file__).parents[2]


def test_the_script_on_the_cpu(tmp_path: Path) -> None:
    out = tmp_path / "device.json"
    command = [sys.executable, "-m", "benchmarks._device", "--device", "cpu", "--quick", "--out", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env={**os.environ, "PYTHON": sys.executable})
    assert done.returncode == 0, done.stdout + done.stderr
    table = json.loads(out.read_text("utf-8"))
    assert (table["device"], table["torch"]) == ("cpu", torch.__version__)
    assert table["left_out"] == table["tests"]["failed"] == []
    assert table["tests"]["passed"] + table["tests"]["skipped"] >= 17
    found = " ".join(row["benchmark"] for row in table["benchmarks"])
    assert all(word in found for word in ("10,000 particles: pictures", "EM, 10,000 points", "tower of", "digits: updates"))
    assert all(row["value"] > 0 for row in table["benchmarks"])


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a card")
def test_without_a_card_it_says_so_in_one_sentence(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks._device", "--out", str(tmp_path / "device.json")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("There is no CUDA device here")
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Report:
    about: dict[str, Any] = {"card": "a card", "torch": "3.0", "cuda": "14", "python": "3.15"}
    return Report(tmp_path / "device.json", Python(sys.executable, about), "cuda")


def script(*rows: str, then: str = "") -> str:
    return "\n".join([*(f"print({row!r}, flush=True)" for row in rows), then])


ROW = json.dumps({"benchmark": "b", "value": 1.0, "unit": "1/s", "peer": None})


@pytest.mark.parametrize(
    ("text", "rows", "left_out"),
    [
        (script(ROW, ROW), 2, []),
        (script(ROW, then="import time; time.sleep(1000)"), 1, ["em: stopped after 5 s."]),
        (script(ROW, "Out of room.", then="raise SystemExit(3)"), 1, ["em: failed: Out of room."]),
    ],
    ids=["whole", "too long", "broken"],
)
def test_what_was_measured_is_kept(
    report: Report, text: str, rows: int, left_out: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = _device._run
    monkeypatch.setattr(_device, "_run", lambda command, *rest: run([sys.executable, "-c", text], *rest))
    report.measure(Python(sys.executable, {}), "em", 5.0, True)
    table = json.loads((tmp_path / "device.json").read_text("utf-8"))
    assert (len(table["benchmarks"]), table["left_out"]) == (rows, left_out)
    assert report.sound == (not left_out)


def test_the_boxes_fit_into_eight_minutes() -> None:
    assert set(PARTS) < set(_device.BOXES)
    assert sum(_device.BOXES.values()) < 500
    assert _device.LIMIT < 480
    assert _device._box("tests", time.monotonic() - _device.LIMIT + 70, "cuda") == pytest.approx(70, abs=60)
    assert _device._box("tests", time.monotonic() - 500, "cuda") == 0
