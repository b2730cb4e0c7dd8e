"""Random command lines over all experiments, every value inside its declared bounds: no internal error may come of them.

``python -m benchmarks.commands 7 440`` runs those of seed 7 and prints each that ended in an internal error or with a claim
refuted, ready to be pasted. A value lies at a limit, close to one, or anywhere between; a line changes a few parameters of the
defaults or of a preset. What takes longer than its share of time is interrupted, as by Ctrl+C; memory is limited.
"""

from __future__ import annotations

import _thread
import contextlib
import io
import json
import math
import random
import shlex
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import main
from benchmarks._rows import row
from engine.api import Entry, FieldSpec, LabParameters, entries, field_specs, load, preset_parameters

LINES, QUICK = 440, 51
SEED = 20_240
SECONDS = 12.0  # of one line
MEMORY = 6 << 30  # bytes that a line may ask for
MOST_CHANGES = 6
FORMULAS = (
    "tanh(3*x)",
    "sin(18*x)",
    "exp(-100*x^2)",
    "abs(x)",
    "x^2/2",
    "x^2/2+(y^2-1)^2",
    "log(1+x^2)",
    "step(x-1)",
    "1/x",
    "x",
)


def rows(quick: bool) -> list[dict[str, Any]]:
    """How the lines ended; what went wrong stands on standard error."""
    outcomes = list(run_all(SEED, QUICK if quick else LINES))
    for outcome in outcomes:
        if outcome.trouble:
            print(outcome, file=sys.stderr)
    ends = Counter(outcome.end for outcome in outcomes)
    refuted = sum(bool(outcome.refuted) for outcome in outcomes)
    name = f"{len(outcomes)} random command lines"
    return [
        row(f"{name}: internal errors", ends["internal error"], "", "<= 0"),
        row(f"{name}: with a claim refuted, to be looked at", refuted, ""),
        row(f"{name}: answered with a sentence", ends["sentence"], ""),
        row(f"{name}: longer than {SECONDS:g} s", ends["interrupted"], ""),
        row(f"{name}: longest", round(max(outcome.seconds for outcome in outcomes), 1), "s"),
    ]


@dataclass(frozen=True, slots=True)
class Outcome:
    """A command line and how it ended: ``result``, ``sentence``, ``interrupted`` or ``internal error``."""

    arguments: tuple[str, ...]
    end: str
    message: str
    seconds: float
    refuted: list[str] = field(default_factory=list)

    @property
    def trouble(self) -> bool:
        """Whether somebody has to look at it."""
        return self.end == "internal error" or bool(self.refuted)

    def __str__(self) -> str:
        what = "; ".join([*([self.message] if self.end == "internal error" else []), *self.refuted])
        return f"{shlex.join(['main.py', *self.arguments])}\n    {what}"


# ---- drawing -----------------------------------------------------------------------------------------------------------


def command_line(entry: Entry, chance: random.Random, folder: Path, modest: bool = False) -> tuple[str, ...]:
    """A command line for one experiment.

    Parameters
    ----------
    entry : Entry
        The experiment.
    chance : random.Random
        Decides everything.
    folder : Path
        Where files that a line names are written.
    modest : bool
        Whole numbers at most twice their default, and few steps, so that it ends soon.
    """
    model = load(entry.name).parameters
    specs = field_specs(model)
    preset = chance.choice([None, *(preset.name for preset in entry.presets)])
    base = preset_parameters(entry.name, preset)
    changes = chance.sample(specs, min(len(specs), chance.randint(1, MOST_CHANGES)))
    relevant = [spec for spec in changes if chance.random() < 0.25 or spec.matters(dict(base))] or changes[:1]
    words = [
        "run",
        entry.name,
        "--json",
        "--device",
        "cpu",
        "--limit",
        str(chance.choice((0, 1, 3, 20) if modest else (0, 3, 40, 400))),
    ]
    words += ["--preset", preset] if preset else []
    for spec in relevant:
        words += ["--set", f"{spec.name}={_text(spec, base, chance, folder, modest)}"]
    return tuple(words)


def _text(spec: FieldSpec, base: LabParameters, chance: random.Random, folder: Path, modest: bool) -> str:
    default = getattr(base, spec.name)
    match spec.kind:
        case "choice":
            return chance.choice(spec.choices)
        case "switch":
            return chance.choice(("true", "false"))
        case "int" | "seed" | "float":
            return spec.format(_number(spec, default, chance, modest))
        case "ints" | "floats":
            return spec.format(_list(default, chance, spec.kind == "ints"))
        case "matrix":
            return spec.format(tuple(_list(line, chance, False) for line in _list_of_rows(default, chance)))
        case "file":
            return str(_table(folder, chance)) if chance.random() < 0.8 else ""
        case "folder":
            return ""
    return chance.choice((str(default), *FORMULAS)) if "formula" in spec.name else str(default)


def _number(spec: FieldSpec, default: float, chance: random.Random, modest: bool) -> float:
    low = spec.minimum if spec.minimum is not None else min(-10.0, -2 * abs(default))
    high = spec.maximum if spec.maximum is not None else max(10.0, 2 * abs(default))
    if modest and spec.kind == "int":
        high = min(high, max(2 * abs(default), low + 8))
    inset = 1e-6 * (high - low)
    low, high = low + inset * spec.open_minimum, high - inset * spec.open_maximum
    if spec.ui.scale == "log" and high > 0:
        least = max(low, 1e-9 * high, 1e-300)
        between = math.exp(chance.uniform(math.log(least), math.log(high)))
    else:
        between = chance.uniform(low, high)
    value = chance.choice((low, high, between, between, between, low + inset, high - inset))
    value = min(high, max(low, value))
    return round(value) if spec.kind in ("int", "seed") else float(f"{value:.12g}") if low < value < high else value


def _list(values: tuple[Any, ...], chance: random.Random, whole: bool) -> tuple[Any, ...]:
    """A list like this one: some values drawn from it, some changed, sometimes shorter or longer."""
    length = max(0, len(values) + chance.choice((-1, 0, 0, 0, 1)))
    found = [chance.choice(values or (1,)) * chance.choice((1, 1, 1, 0, 2, 0.5)) for _ in range(length)]
    return tuple(round(value) if whole else value for value in found)


def _list_of_rows(rows: tuple[tuple[float, ...], ...], chance: random.Random) -> list[tuple[float, ...]]:
    return [chance.choice(rows or ((0.0, 1.0),)) for _ in range(max(0, len(rows) + chance.choice((-1, 0, 0, 1))))]


def _table(folder: Path, chance: random.Random) -> Path:
    """A file of numbers, well formed, now and then with a constant column or far from the origin."""
    file = folder / f"{chance.getrandbits(32)}.csv"
    centre, spread = chance.choice((0.0, 1e6)), chance.choice((0.0, 1.0, 1.0, 1.0))
    count, columns = chance.randint(3, 60), chance.randint(1, 4)
    lines = [",".join(f"{chance.gauss(centre, spread if at else 1.0):.6g}" for at in range(columns)) for _ in range(count)]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


# ---- running -----------------------------------------------------------------------------------------------------------


def run_all(seed: int, count: int) -> Iterator[Outcome]:
    """So many command lines, the experiments in turns."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder, _limited_memory():
        for number in range(count):
            entry = entries()[number % len(entries())]
            yield run_line(command_line(entry, chance, Path(folder)), SECONDS)


def run_line(arguments: tuple[str, ...], seconds: float = math.inf) -> Outcome:
    """Run one command line in this process, interrupted after so many seconds."""
    began = time.perf_counter()
    out, err = io.StringIO(), io.StringIO()
    with _interrupted_after(seconds), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main.command(arguments)
        except KeyboardInterrupt:  # before the run had begun
            code = 130
    words = err.getvalue().strip().splitlines()
    message = words[-1] if words else ""
    ends = {0: "result", 130: "interrupted"}
    end = "internal error" if "Internal error" in message or "Traceback" in err.getvalue() else ends.get(code, "sentence")
    result = json.loads(out.getvalue()) if out.getvalue() else {"claims": []}
    refuted = [
        f"✗ {claim['name']}: expected {claim['expected']}, measured {claim['measured']}, tolerance {claim['tolerance']}"
        for claim in result["claims"]
        if claim["holds"] is False
    ]
    return Outcome(arguments, end, message, time.perf_counter() - began, refuted)


@contextlib.contextmanager
def _interrupted_after(seconds: float) -> Iterator[None]:
    """Ctrl+C after so many seconds, and again each second should one be swallowed."""
    over = threading.Event()

    def interrupt() -> None:
        wait = seconds
        while not over.wait(wait):
            _thread.interrupt_main()
            wait = 1.0

    timer = threading.Thread(target=interrupt, name="time box", daemon=True)
    if math.isfinite(seconds):
        timer.start()
    try:
        yield
    finally:
        with contextlib.suppress(KeyboardInterrupt):  # one that comes too late
            over.set()
            if timer.ident is not None:
                timer.join()


@contextlib.contextmanager
def _limited_memory() -> Iterator[None]:
    """Refuse to give this process more memory than a lab may take, where the system can do that."""
    try:
        import resource
    except ModuleNotFoundError:
        yield
        return
    before = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)


if __name__ == "__main__":
    for each in run_all(int(sys.argv[1]), int(sys.argv[2])):
        if each.trouble or "-v" in sys.argv:
            print(f"{each.end}, {each.seconds:.1f} s: {each}", flush=True)
