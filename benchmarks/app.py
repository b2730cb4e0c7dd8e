"""How the window feels: starting, dragging, drawing beside a busy engine, closing. Each part runs in fresh processes.

On Linux the window is drawn on Xvfb where that is installed (as on a real screen, through the X protocol), else off screen.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._rows import row

ROOT = Path(__file__).parents[1]


def rows(quick: bool) -> list[dict[str, Any]]:
    """Everything about the window."""
    with _screen() as screen:
        return [
            *_starting(screen, 3 if quick else 7),
            *_dragging(screen, 2 if quick else 6),
            *_beating(screen, 1 if quick else 3, 3 if quick else 10),
            *_storming(screen),
            *_ending(screen, 10 if quick else 30, 1 if quick else 3),
            *_soaking(screen, 500 if quick else 5000),
            *_with_everything(screen, 40 if quick else 60),
            *_listing(4 if quick else 10),
        ]


def _starting(screen: dict[str, str], times: int) -> list[dict[str, Any]]:
    runs = [_run(screen, "start", 0) for _ in range(times)]
    first, later = runs[0], runs[1:]
    window, picture = (float(np.median([run[name] for run in later])) for name in ("window", "picture"))
    return [
        row("start to painted window, warm disk, median", _short(window), "s", "< 0.7 s"),
        row("start to painted window, first run", _short(first["window"]), "s"),
        row("start to first picture, warm disk, median", _short(picture), "s"),
        row("start to first picture, first run", _short(first["picture"]), "s"),
        row("memory after the first run has ended", round(later[0]["memory"]), "MB"),
    ]


def _dragging(screen: dict[str, str], seconds: float) -> list[dict[str, Any]]:
    found = []
    for part, name in (("drag vectors", "drawn as vectors"), ("drag exact", "by the exact law")):
        run = _run(screen, part, seconds)
        waits = np.array(run["waits"]) * 1000
        what = f"tweak to painted picture, 1 M pairs, n = 1,000, {name}"
        found += [
            row(f"{what}, median", _short(np.median(waits)), "ms", "<= 100 ms"),
            row(f"{what}, p95", _short(np.percentile(waits, 95)), "ms", "<= 100 ms"),
            row(f"{what}, longest", _short(waits.max()), "ms"),
            row(f"pictures while dragging, {name}", _short(run["per_second"]), "1/s"),
        ]
    return found


def _beating(screen: dict[str, str], times: int, seconds: float) -> list[dict[str, Any]]:
    runs = [_run(screen, "beat", seconds) for _ in range(times)]
    quiet = np.array(_run(screen, "idle", seconds)["gaps"]) * 1000

    def middle(key: str, share: float) -> float:
        """The median over the runs of a percentile in milliseconds."""
        return _short(np.median([np.percentile(run[key], share) * 1000 for run in runs]))

    return [
        row("drawing a picture (update and paint), engine at full load, median", middle("clock", 50), "ms"),
        row("drawing a picture (update and paint), engine at full load, p99", middle("clock", 99), "ms", "< 16 ms"),
        row("processor time of drawing a picture, median", middle("busy", 50), "ms"),
        row("processor time of drawing a picture, p99", middle("busy", 99), "ms"),
        row("interval of a 16 ms timer, engine at full load, median", middle("gaps", 50), "ms"),
        row("interval of a 16 ms timer, engine at full load, p99", middle("gaps", 99), "ms", "< 20 ms"),
        row("longest stall of the event loop after starting up", _short(middle("gaps", 100) - 16), "ms", "<= 50 ms"),
        row("interval of a 16 ms timer, nothing to do, p99", _short(np.percentile(quiet, 99)), "ms"),
        row("pictures drawn, engine at full load", _short(np.median([run["fps"] for run in runs])), "1/s"),
        row("steps of the engine beside the window", _short(np.median([run["steps"] for run in runs])), "1/s"),
    ]


def _storming(screen: dict[str, str]) -> list[dict[str, Any]]:
    run = _run(screen, "storm", 0)
    return [
        row("jobs started by 200 moves in 1 s over a job of 300 ms", run["jobs"], "", "<= 5"),
        row("from the last move to its picture", _short(run["last"] * 1000), "ms"),
    ]


def _ending(screen: dict[str, str], cancels: int, times: int) -> list[dict[str, Any]]:
    waits = np.array(_run(screen, "cancel", cancels)["waits"]) * 1000
    ends = [_run(screen, "farewell", 0) for _ in range(times)]
    edits = np.array(_run(screen, "live", 0)["waits"]) * 1000
    return [
        row("changing a live value at full load, median of 200", _short(np.median(edits)), "ms", "<= 10 ms"),
        row("changing a live value at full load, longest of 200", _short(edits.max()), "ms"),
        row("from a new request to its start, a run given up, median", _short(np.median(waits)), "ms", "<= 50 ms"),
        row("from a new request to its start, a run given up, longest", _short(waits.max()), "ms"),
        row("closing the window at full load, longest", _short(max(end["seconds"] for end in ends) * 1000), "ms", "<= 2000 ms"),
        row("threads left after closing", max(end["threads"] for end in ends), "", "<= 0"),
    ]


def _soaking(screen: dict[str, str], pictures: int) -> list[dict[str, Any]]:
    run = _run(screen, "soak", pictures)
    lost = max(0, -run["none"], -run["true"])
    return [
        row(f"memory gained over {pictures:,d} pictures", _short(run["memory"]), "MB", "<= 24 MB"),
        row(f"references to None and True lost over {pictures:,d} pictures", lost, "", "<= 200"),
    ]


def _with_everything(screen: dict[str, str], idle: float) -> list[dict[str, Any]]:
    run = _run(screen, "everything", idle)
    names = {"next_theme": "theme", "zoom_in": "zoom", "toggle_presentation": "F5", "leave": "Esc", "next_language": "language"}
    return [
        *(
            row(
                f"{title}, all experiments open, processor time with painting",
                _short(run["spent"][name] * 1000),
                "ms",
                "< 300 ms",
            )
            for name, title in names.items()
        ),
        row("opening an experiment to its first picture, median", _short(np.median(list(run["first"].values())) * 1000), "ms"),
        row("PageDown on stage, all experiments open, longest", _short(max(run["slides"]) * 1000), "ms", "<= 150 ms"),
        row("memory with the first experiment", round(run["memory"]["start"]), "MB"),
        row("memory, all experiments opened, a million particles and points", round(run["memory"]["opened"]), "MB"),
        row(f"the same {idle:.0f} s later, nothing done", round(run["memory"]["idle"]), "MB", "< 700 MB"),
    ]


def _listing(times: int) -> list[dict[str, Any]]:
    """Processor time of the smallest command, from the start of the process to its end."""
    found = []
    for _ in range(times):
        before = os.times()
        subprocess.run([sys.executable, "main.py", "list"], cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
        after = os.times()
        found.append(after.children_user + after.children_system - before.children_user - before.children_system)
    return [row("processor time of `main.py list`, least", _short(min(found)), "s", "<= 0.6 s")]


def _run(screen: dict[str, str], part: str, amount: float) -> dict[str, Any]:
    """One part in a process of its own, without the user's session."""
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, **screen, "THEORIA_HOME": home, "THEORIA_SPAWNED": repr(time.time())}
        command = [sys.executable, "-m", "benchmarks._app_probe", part, str(amount)]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600)
    if done.returncode:
        raise RuntimeError(f"{part}: {done.stderr.strip().splitlines()[-1] if done.stderr else done.returncode}")
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


@contextmanager
def _screen() -> Iterator[dict[str, str]]:
    """Environment variables of a screen nobody sees."""
    xvfb = shutil.which("Xvfb")
    if xvfb is None or not sys.platform.startswith("linux"):
        yield {"QT_QPA_PLATFORM": "offscreen"} if sys.platform.startswith("linux") else {}
        return
    read, write = os.pipe()
    command = [xvfb, "-displayfd", str(write), "-screen", "0", "1600x1000x24"]
    server = subprocess.Popen(command, pass_fds=[write], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(write)
    try:
        with os.fdopen(read) as answer:
            display = answer.readline().strip()
        yield {"DISPLAY": f":{display}", "QT_QPA_PLATFORM": "xcb"} if display else {"QT_QPA_PLATFORM": "offscreen"}
    finally:
        server.terminate()
        server.wait()


def _short(value: float) -> float:
    return float(f"{value:.3g}")
