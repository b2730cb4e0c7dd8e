"""How the swarm of `langevin.sampling` moves in the window: pictures a second, and how soon a run is given up.

Each part runs in a fresh process; on Linux the window is drawn on Xvfb where that is installed, else off screen.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._rows import row
from benchmarks.app import _screen

ROOT = Path(__file__).parents[1]
NAME = "langevin.sampling"
SWARM = {"energy": "mixture", "sampler": "ula", "step_size": 0.02, "steps": 20_000, "trails": 0}


def rows(quick: bool) -> list[dict[str, Any]]:
    """Pictures a second by the number of particles, the work of drawing one, and the time to cancel."""
    found = []
    seconds = 4.0 if quick else 10.0
    with _screen() as environment:
        for count, target in ((10_000, ">= 55 1/s"), (100_000, ">= 30 1/s"), (1_000_000, ">= 15 1/s")):
            run = _run(environment, "flow", count, seconds)
            found.append(row(f"pictures of {count:,d} particles on eight modes, ULA", _short(run["fps"]), "1/s", target))
            what = f"processor time of the window's thread per picture of {count:,d} particles"
            found.append(row(what, _short(1000 * run["busy"]), "ms", "<= 12 ms"))
        for count in (1_000_000,) if quick else (1_000_000, 10_000_000):
            waits = 1000 * np.array(_run(environment, "cancel", count, 3 if quick else 8)["waits"])
            what = f"from a new request to its start, a run of {count:,d} particles given up"
            found.append(row(f"{what}, longest", _short(float(waits.max())), "ms", "<= 100 ms"))
    return found


def _run(environment: dict[str, str], part: str, count: int, amount: float) -> dict[str, Any]:
    """One part in a process of its own, without the user's session."""
    with tempfile.TemporaryDirectory() as home:
        command = [sys.executable, "-m", "benchmarks.langevin_window", part, str(count), str(amount)]
        variables = {**os.environ, **environment, "THEORIA_HOME": home}
        done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, timeout=600)
    if done.returncode:
        raise RuntimeError(f"{part}: {done.stderr.strip().splitlines()[-1] if done.stderr else done.returncode}")
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


# ---- what runs in the fresh processes ----------------------------------------------------------------------------------


def flow(count: int, seconds: float) -> dict[str, Any]:
    """Pictures a second, and the processor time that the thread of the window takes for each: updating and painting."""
    from benchmarks import _app_probe

    _app_probe.NAME = NAME
    probe = _app_probe.Probe({**SWARM, "particles": count})
    probe.ready(60 if count < 500_000 else 20)
    shown: list[float] = []
    probe.session.frame_shown.connect(lambda frame: shown.append(time.perf_counter()))
    busy = time.thread_time()
    probe.wait(seconds)
    busy = time.thread_time() - busy
    probe.close()
    return {"fps": (len(shown) - 1) / (shown[-1] - shown[0]), "busy": busy / len(shown)}


def cancel(count: int, times: float) -> dict[str, Any]:
    """Seconds from a new request to its start while a large run goes on; without a window."""
    from engine.api import Runner, Started, load

    experiment = load(NAME)
    parameters = experiment.parameters(**{**SWARM, "particles": count})
    runner = Runner(lambda: experiment, "cpu")
    waits = []
    runner.submit(parameters)
    for number in range(round(times)):
        until = time.perf_counter() + 120
        seen = 0
        while seen < 3 and time.perf_counter() < until:  # the first picture of a run is always waited for
            seen += runner.mailbox.take()[1] is not None
            time.sleep(0.001)
        time.sleep(0.037 * (number % 5))
        began = time.perf_counter()
        newest = runner.submit(parameters.changed(seed=number + 1))
        while not any(isinstance(event, Started) and event.generation == newest for event in runner.mailbox.take()[0]):
            time.sleep(0.0002)
        waits.append(time.perf_counter() - began)
    runner.close()
    runner.join(5)
    return {"waits": waits}


def _short(value: float) -> float:
    return float(f"{value:.3g}")


if __name__ == "__main__":
    print(json.dumps({"flow": flow, "cancel": cancel}[sys.argv[1]](int(sys.argv[2]), float(sys.argv[3]))))
