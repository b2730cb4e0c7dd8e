"""``make device``: GPU tests and benchmarks on a machine with a CUDA card, unattended, within eight minutes.

``python -m benchmarks._device [--out FILE] [--device cpu] [--quick]`` needs nothing but Python to start. It looks for an
interpreter whose torch sees a card, and keeps that torch: what else the engine needs and is not there goes into a folder of its
own. Only where there is a card and no torch at all the usual environment is made. Each stage has a time box of its own; results
are printed as they come, and after each the file is written anew.

Exit codes: 0 all went well, 1 a test or benchmark did not, 2 there is no CUDA device.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.core.files import write_atomic

ROOT = Path(__file__).resolve().parents[1]
LIMIT = 465.0  # seconds for everything
BOXES = {"set-up": 90.0, "tests": 150.0, "particles": 90.0, "em": 60.0, "tower": 50.0, "digits": 50.0}
PARTS = ("particles", "em", "tower", "digits")
STARTING = 15.0  # seconds of a box that importing torch and waking the device may take
EXTRA = ROOT / "build" / "device"

# What the engine and its GPU tests import beside torch, and what provides it.
NEEDED = {
    "numpy": "numpy>=1.26",
    "scipy": "scipy>=1.13",
    "pydantic": "pydantic>=2.8,<3",
    "psutil": "psutil>=5.9",
    "pytest": "pytest>=8",
}

PROBE = f"""
import importlib.util, json, sys
about = {{"python": sys.version.split()[0], "recent": sys.version_info >= (3, 11), "torch": None, "cuda": None, "card": None}}
about["missing"] = [name for name in {sorted(NEEDED)!r} if importlib.util.find_spec(name) is None]
try:
    import torch
    about.update(torch=torch.__version__, cuda=torch.version.cuda)
    about["card"] = torch.cuda.get_device_name(0) if torch.cuda.is_available() else None
except Exception as error:
    about["problem"] = str(error)
print(json.dumps(about))
"""


def main() -> int:
    """The exit code."""
    options = _options()
    began = time.monotonic()
    found = find_python(options.device)
    if found is None:
        print("There is no CUDA device here that a torch of this machine could use: nothing was measured.", file=sys.stderr)
        return 2
    report = Report(options.out, found, options.device)
    report.show(f"{report.table['device']}, torch {found.about['torch']}, Python {found.about['python']} at {found.path}")
    missing = set_up(found)
    for name in missing:
        report.leave_out("set-up", f"{name} is missing and could not be installed.")
    if "pytest" not in missing:
        report.test(found, _box("tests", began, options.device))
    if set(missing) <= {"pytest"}:
        for part in PARTS:
            report.measure(found, part, _box(part, began, options.device), options.quick)
    report.table["seconds"] = round(time.monotonic() - began, 1)
    report.write()
    report.show(f"{report.table['seconds']} s; the table is in {options.out}")
    return 0 if report.sound else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make device", description="GPU tests and benchmarks within eight minutes.")
    parser.add_argument("--out", type=Path, default=Path("device.json"), metavar="FILE", help="the table, as JSON")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda", help="cpu tries the script itself")
    parser.add_argument("--quick", action="store_true", help="tiny sizes")
    return parser.parse_args()


def _box(stage: str, began: float, device: str) -> float:
    """Seconds for a stage: its own box, but never beyond the end of the whole; without a card nothing is hurried."""
    return 3600.0 if device == "cpu" else max(0.0, min(BOXES[stage], LIMIT - (time.monotonic() - began)))


# ---- an interpreter ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Python:
    """An interpreter and what a probe said of it."""

    path: str
    about: dict[str, Any]


def environment() -> dict[str, str]:
    """For everything that an interpreter runs: the sources, and what was installed beside them."""
    paths = (str(ROOT), str(EXTRA), os.environ.get("PYTHONPATH", ""))
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths)), "PYTHONUNBUFFERED": "1"}


def find_python(device: str) -> Python | None:
    """The first interpreter whose torch can use the device; where a card is idle for want of torch, one is installed."""
    names = (
        os.environ.get("PYTHON", ""),
        str(ROOT / ".venv/bin/python"),
        sys.executable,
        "python3",
        "python",
        "/opt/conda/bin/python",
    )
    for path in dict.fromkeys(filter(None, map(shutil.which, filter(None, names)))):
        found = probe(path)
        if found and found.about["recent"] and found.about["torch"] and (device == "cpu" or found.about["card"]):
            return found
    if device == "cuda" and _has_card():
        print("There is a card, but no torch that sees it: making the environment.", flush=True)
        _run(["make", ".venv/.installed"], BOXES["set-up"] + 120, dict(os.environ), print)
        found = probe(str(ROOT / ".venv/bin/python"))
        return found if found and found.about["card"] else None
    return None


def probe(path: str) -> Python | None:
    """What an interpreter is; None if it does not answer."""
    try:
        done = subprocess.run([path, "-c", PROBE], env=environment(), capture_output=True, text=True, timeout=60, check=True)
        return Python(path, json.loads(done.stdout.splitlines()[-1]))
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return None


def _has_card() -> bool:
    try:
        return subprocess.run(["nvidia-smi", "-L"], capture_output=True, timeout=30, check=False).returncode == 0
    except (OSError, subprocess.SubprocessError):
        return False


def set_up(python: Python) -> list[str]:
    """Install what the engine needs and is missing, never torch; the names of what is missing still."""
    missing = []
    end = time.monotonic() + BOXES["set-up"]
    for name in python.about["missing"]:
        command = [python.path, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target", str(EXTRA)]
        code, _ = _run([*command, NEEDED[name]], max(1.0, end - time.monotonic()), environment(), print)
        missing += [name] if code else []
    return missing


# ---- the table ---------------------------------------------------------------------------------------------------------


class Report:
    """The table that grows, on standard output and in its file."""

    def __init__(self, out: Path, python: Python, device: str) -> None:
        self._out = out
        self._device = device
        self.table: dict[str, Any] = {
            "device": python.about["card"] if device == "cuda" else "cpu",
            "torch": python.about["torch"],
            "cuda": python.about["cuda"],
            "python": python.about["python"],
            "tests": {"passed": 0, "skipped": 0, "failed": []},
            "benchmarks": [],
            "left_out": [],
        }
        self.write()

    @property
    def sound(self) -> bool:
        """Whether every test passed and nothing had to be left out."""
        return not self.table["tests"]["failed"] and not self.table["left_out"]

    def show(self, text: str) -> None:
        """Print a line now."""
        print(text, flush=True)

    def write(self) -> None:
        """The file as it stands."""
        write_atomic(self._out, json.dumps(self.table, indent=1, ensure_ascii=False) + "\n")

    def leave_out(self, stage: str, reason: str) -> None:
        """Something is not in the table, and why."""
        self.table["left_out"].append(f"{stage}: {reason}")
        self.show(f"{stage}: {reason}")
        self.write()

    def test(self, python: Python, seconds: float) -> None:
        """The tests that are marked ``gpu``."""
        files = [
            str(file.relative_to(ROOT)) for file in sorted(ROOT.glob("tests/**/*.py")) if "mark.gpu" in file.read_text("utf-8")
        ]
        command = [python.path, "-m", "pytest", *files, "-v", "--tb=short", "-W", "ignore", "--noconftest", "-c", os.devnull]
        command += ["--rootdir", str(ROOT), "-p", "no:cacheprovider"]
        tests = self.table["tests"]

        def line(text: str) -> None:
            name, _, rest = text.partition(" ")
            word = rest.split(" ")[0] if "::" in name else ""
            if word in ("PASSED", "SKIPPED"):
                tests[word.lower()] += 1
            elif word in ("FAILED", "ERROR"):
                tests["failed"].append(name)
            if text.strip():
                self.show(text)
            self.write()

        code, stopped = _run(command, seconds, environment(), line)
        if stopped:
            self.leave_out("tests", f"stopped after {seconds:.0f} s, {tests['passed']} had passed.")
        elif code not in (0, 1):
            self.leave_out("tests", f"pytest ended with {code}.")

    def measure(self, python: Python, part: str, seconds: float, quick: bool) -> None:
        """One part of the benchmarks."""
        work = 2.0 if quick else max(1.0, BOXES[part] - STARTING)
        command = [
            python.path,
            "-m",
            "benchmarks._device_parts",
            part,
            self._device,
            str(work),
            *(["--quick"] if quick else []),
        ]
        words: list[str] = []

        def line(text: str) -> None:
            if not text.startswith("{"):
                words.append(text)
                return
            row = json.loads(text)
            self.table["benchmarks"].append(row)
            peer = f"  ({row['peer']} {row['peer_value']:g})" if row["peer"] else ""
            self.show(f"{row['benchmark']:72}  {row['value']:10g} {row['unit']}{peer}")
            self.write()

        code, stopped = _run(command, seconds, environment(), line)
        if stopped:
            self.leave_out(part, f"stopped after {seconds:.0f} s.")
        elif code:
            self.leave_out(part, f"failed: {words[-1] if words else code}")
        elif words:
            self.leave_out(part, words[-1])


def _run(command: Sequence[str], seconds: float, environment: dict[str, str], line: Callable[[str], None]) -> tuple[int, bool]:
    """Run a command, hand over its lines as they come, and end it with all its children when its time is over.

    Returns
    -------
    int
        Its exit code.
    bool
        Whether it had to be ended.
    """
    stopped = threading.Event()
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )

    def stop() -> None:
        stopped.set()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)

    timer = threading.Timer(seconds, stop)
    timer.start()
    try:
        with process:
            for text in process.stdout or ():
                line(text.rstrip("\n"))
        return process.returncode, stopped.is_set()
    finally:
        timer.cancel()
        timer.join()


if __name__ == "__main__":
    sys.exit(main())
