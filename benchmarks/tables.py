"""Seconds until a large table is read, beside `numpy.loadtxt` on the same file in the same process.

Numpy is given what we find out: encoding, delimiter, decimal mark, the row of names. Two more rows have what it does not read:
decimal commas, and missing numbers in a fifth of the rows.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks._rows import row
from engine.data.number_tables import read_table

ROWS, COLUMNS = 1_000_000, 4
ROUNDS = 3


def rows(quick: bool) -> list[dict[str, Any]]:
    """A plain table beside numpy; the same with semicolons and commas; one with gaps."""
    count, rounds = (ROWS >> 4, 1) if quick else (ROWS, ROUNDS)
    values = np.random.default_rng(0).normal(size=(count, COLUMNS))
    with tempfile.TemporaryDirectory() as folder:
        paths = written(values, Path(folder))
        read_table(str(paths["warm"]))  # imports are not reading
        ours = {name: best(partial(read_table, str(path)), path, rounds) for name, path in paths.items()}
        numpy = round(best(lambda: np.loadtxt(paths["plain"], delimiter=",", skiprows=1), paths["plain"], rounds), 2)
        exact = np.array_equal(read_table(str(paths["plain"])).rows, values)
    title = f"Reading a table of {count:,d} rows, {COLUMNS} columns"
    return [
        row(
            title,
            round(ours["plain"], 2),
            "s",
            None if quick else "ratio >= 2",
            peer="numpy.loadtxt",
            peer_value=numpy,
            more_is_better=False,
        ),
        row(f"{title}: semicolons, decimal commas", round(ours["commas"], 2), "s"),
        row(f"{title}: NA in a fifth of the rows", round(ours["gaps"], 2), "s"),
        row(f"{title}: numbers that differ from those written", float(not exact), "", "= 0"),
    ]


def written(values: NDArray[np.float64], folder: Path) -> dict[str, Path]:
    """The same numbers in three dialects, every digit kept."""
    lines = [",".join(map(repr, each)) for each in values.tolist()]
    gaps = [line if at % 5 else "NA," + line.split(",", 1)[1] for at, line in enumerate(lines)]
    texts = {
        "warm": "1,2\n3,4\n",
        "plain": "a,b,c,d\n" + "\n".join(lines),
        "commas": "a;b;c;d\n" + "\n".join(lines).replace(",", ";").replace(".", ","),
        "gaps": "a,b,c,d\n" + "\n".join(gaps),
    }
    for name, text in texts.items():
        (folder / f"{name}.csv").write_text(text)
    return {name: folder / f"{name}.csv" for name in texts}


def best(read: Callable[[], object], path: Path, rounds: int) -> float:
    """The shortest of a few times; the file is touched before each, so that it is read again."""
    times = []
    for _ in range(rounds):
        path.touch()
        begin = time.perf_counter()
        read()
        times.append(time.perf_counter() - begin)
    return min(times)
