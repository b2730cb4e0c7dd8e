"""Tables of numbers from text files: any columns, bad rows named."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import LabError

MOST_BYTES = 1 << 28
NAMED_ROWS = 5  # bad rows that a sentence lists
BLOCK = 8192  # rows read at a time


class NumberTable(NamedTuple):
    """Rows of numbers and the names of their columns, empty where the file has none."""

    rows: NDArray[np.float64]  # (n, d)
    names: tuple[str, ...]


def nothing() -> None:
    """Between two blocks."""


def read_table(path: str, columns: Sequence[int] = (), between: Callable[[], None] = nothing) -> NumberTable:
    """Columns of numbers of a text file.

    Columns are parted by commas, semicolons, tabs or spaces; one line of names may come first; empty lines and lines that
    begin with # are passed over.

    Parameters
    ----------
    path : str
        The file.
    columns : sequence of int
        Which columns, counted from 1; none means those that hold a number in the first row of numbers.
    between : callable
        Called between blocks of rows; may raise.

    Raises
    ------
    LabError
        If the file cannot be read; the sentence names bad rows, counted from 1 with all lines of the file.
    """
    if not path:
        raise LabError("No file has been chosen.", "Choose a text file with columns of numbers.")
    lines = _lines(path)
    if not lines:
        raise LabError("The file is empty.", "Each row needs numbers.")
    delimiter = next((each for each in (",", ";", "\t") if each in lines[0][1]), None)
    first = _cells(lines[0][1], delimiter)
    wanted = [column - 1 for column in columns]
    if wanted and max(wanted) >= len(first):
        raise LabError(
            "The file has {found} columns, and column {wanted} is asked for.",
            "Choose other columns.",
            found=len(first),
            wanted=max(wanted) + 1,
        )
    looked_at = [first[column] for column in wanted] if wanted else first
    headed = not any(_number(cell) is not None for cell in looked_at)
    names = tuple(cell.strip() for cell in first) if headed else ()
    lines = lines[1:] if headed else lines
    if not lines:
        raise LabError("The file has a row of names and no numbers.", "Each row needs numbers.")
    if not wanted:
        wanted = [at for at, cell in enumerate(_cells(lines[0][1], delimiter)) if _number(cell) is not None]
        if not wanted:
            raise LabError("Row {row} has no numbers.", "Choose another file.", row=lines[0][0])
    blocks: list[NDArray[np.float64]] = []
    for start in range(0, len(lines), BLOCK):
        between()
        block = _quickly(lines[start : start + BLOCK], delimiter, wanted)
        if block is None:
            blocks = [_carefully(lines, delimiter, wanted)]
            break
        blocks.append(block)
    rows = np.concatenate(blocks)
    return NumberTable(rows, tuple(names[at] if at < len(names) else "" for at in wanted) if names else ())


def _lines(path: str) -> list[tuple[int, str]]:
    file = Path(path).expanduser()
    try:
        size = file.stat().st_size
        if size > MOST_BYTES:
            raise LabError(
                "The file has {size:,d} megabytes.", "At most {most:,d} are read.", size=size >> 20, most=MOST_BYTES >> 20
            )
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        reason = "it is not text" if isinstance(error, UnicodeError) else (getattr(error, "strerror", None) or str(error))
        raise LabError("The file {path} cannot be read: {reason}.", "Choose another file.", path=path, reason=reason) from None
    return [(at, line) for at, line in enumerate(text.splitlines(), 1) if line.strip() and not line.lstrip().startswith("#")]


def _cells(line: str, delimiter: str | None) -> list[str]:
    return line.split() if delimiter is None else next(csv.reader([line], delimiter=delimiter), [])


def _number(cell: str) -> float | None:
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _quickly(lines: list[tuple[int, str]], delimiter: str | None, wanted: list[int]) -> NDArray[np.float64] | None:
    """All rows at once, None where one of them is not as it should be."""
    try:
        rows = np.loadtxt(
            [line for _, line in lines], delimiter=delimiter, usecols=wanted, ndmin=2, comments=None, quotechar='"'
        )
    except (ValueError, IndexError):
        return None
    return rows if np.isfinite(rows).all() else None


def _carefully(lines: list[tuple[int, str]], delimiter: str | None, wanted: list[int]) -> NDArray[np.float64]:
    """Row by row; bad ones are named."""
    rows: list[list[float]] = []
    bad: list[tuple[int, int, str | None]] = []  # row, column, cell or None where there is none
    for at, line in lines:
        cells = _cells(line, delimiter)
        found: list[float] = []
        for column in wanted:
            value = _number(cells[column]) if column < len(cells) else None
            if value is None:
                bad.append((at, column + 1, cells[column] if column < len(cells) else None))
                break
            found.append(value)
        else:
            rows.append(found)
    if not bad:
        return np.array(rows)
    row, column_of, cell = bad[0]
    if len(bad) > 1:
        listed = ", ".join(str(each[0]) for each in bad[:NAMED_ROWS]) + (" …" if len(bad) > NAMED_ROWS else "")
        raise LabError(
            "{count:,d} rows do not have their numbers: rows {rows}.",
            "Mend the rows, leave them out, or choose other columns.",
            count=len(bad),
            rows=listed,
        )
    if cell is None:
        raise LabError("Row {row} has no column {column}.", "Mend the row, or choose other columns.", row=row, column=column_of)
    raise LabError(
        "Row {row}, column {column} is not a number: {cell}.",
        "Mend the row, or leave it out.",
        row=row,
        column=column_of,
        cell=repr(cell.strip()[:20]),
    )
