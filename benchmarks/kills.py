"""What a crash costs: a window in which somebody edits is killed (SIGKILL) at random moments, and its session is read."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks._kill_probe import NAME
from benchmarks._rows import row
from engine.api import UsageError, read_session

ROOT = Path(__file__).parents[1]
LONGEST = 4.0  # seconds from the first edit to the kill


def rows(quick: bool) -> list[dict[str, Any]]:
    """The edits lost by so many kills."""
    times = 10 if quick else 100
    chance = random.Random(9)
    lost = [_kill(LONGEST * chance.random()) for _ in range(times)]
    readable = [seconds for seconds in lost if seconds is not None]
    return [
        row(f"sessions that cannot be read after {times} kills", len(lost) - len(readable), "", "<= 0"),
        row(f"age of the oldest edit lost, longest of {times} kills", round(max(readable), 3), "s", "<= 1 s"),
        row("age of the oldest edit lost, median", round(sorted(readable)[len(readable) // 2], 3), "s"),
    ]


def _kill(after: float) -> float | None:
    """Seconds before the kill at which the oldest edit was made that is not in the file; None for a file that is none."""
    with tempfile.TemporaryDirectory() as home:
        path = Path(home) / "session.json"
        environment = {**os.environ, "THEORIA_HOME": home, "QT_QPA_PLATFORM": "offscreen"}
        command = [sys.executable, "-m", "benchmarks._kill_probe", str(path)]
        window = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
        assert window.stdout is not None
        first = window.stdout.readline()
        time.sleep(after)
        window.kill()
        killed = time.monotonic()
        told = [first, *window.stdout]
        window.wait()
        window.stdout.close()
        try:
            saved = read_session(path).experiments[NAME].parameters["seed"]
        except (UsageError, KeyError):
            return None
    edits = [line.split() for line in told if line.endswith("\n")]
    return max((killed - float(moment) for seed, moment in edits if int(seed) > saved), default=0.0)
