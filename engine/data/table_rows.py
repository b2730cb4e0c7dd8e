"""The rows of a table that have all their numbers; those that lack one are named, and what is no number is refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import LabError
from engine.core.number_text import Mark
from engine.data.cells import Grid
from engine.data.headings import Heading, footers
from engine.data.number_columns import Column, decimal_marks, read_column

NAMED_ROWS = 5  # bad rows that a sentence lists
MOST_TOLD = 1000  # rows left out that are listed


class Rows(NamedTuple):
    """Numbers by row, the decimal marks they were read with, lines left out with what stands there, and how many these are."""

    values: NDArray[np.float64]  # (n, d)
    marks: tuple[Mark, ...]
    left_out: tuple[tuple[int, str], ...]
    left_out_count: int


class Bad(NamedTuple):
    """A row that cannot be read: its line, a column counted from 1, and the cell, or None where there is none."""

    line: int
    column: int
    cell: str | None


def read_rows(grid: Grid, head: Heading, columns: Sequence[Column], places: Sequence[int], delimiter: str) -> Rows:
    """The numbers of some columns, row by row.

    A row that is shorter than the others is read as far as it goes; one that is longer is not, since nobody can tell which
    cells belong where.

    Parameters
    ----------
    columns : sequence of Column
        The columns below the heading.
    places : sequence of int
        Which columns of the grid these are.

    Raises
    ------
    LabError
        If a cell is neither a number nor missing, a row does not fit, or no row is left.
    """
    ends = footers(grid)
    aside = {line for line, _ in (*head.left_out, *ends)} | {head.line}
    short, bad = _partial_rows(grid, places, aside)
    records = grid.records[head.first :]
    if short:
        records = np.concatenate([records, list(short)])
        columns = [_extended(each, [cells[at] for cells in short.values()]) for each, at in zip(columns, places, strict=True)]
    marks = _marks(columns, places, delimiter)
    numbers = [read_column(each, mark) for each, mark in zip(columns, marks, strict=True)]
    values = np.stack([each.values for each in numbers], axis=1)
    numbered = records[np.isfinite(values).any(axis=1)]
    last = int(numbered.max()) if len(numbered) else -1  # below it stand totals and sources
    bad += [
        Bad(grid.line(int(records[index])), at + 1, columns[k].cells[index].as_py())
        for k, (each, at) in enumerate(zip(numbers, places, strict=True))
        for index in each.bad.tolist()
        if records[index] <= last
    ]
    if bad:
        raise _refusal(sorted(bad, key=lambda each: each[:2]), grid)
    lacking = np.zeros(values.shape, dtype=bool)
    for k, each in enumerate(numbers):
        lacking[each.missing, k] = True
        lacking[each.bad, k] = True
    missing = lacking.any(axis=1)
    left_out = np.flatnonzero(missing)
    left_out = left_out[~_blank(grid, head.first, left_out)]
    told = [
        (grid.line(int(records[index])), str(columns[int(lacking[index].argmax())].cells[index].as_py()))
        for index in left_out[:MOST_TOLD].tolist()
    ]
    values = values[~missing]
    if short:
        values = values[np.argsort(records[~missing], kind="stable")]
    if not len(values):
        raise LabError("No row has a number in every column.", "Choose other columns.")
    count = len(head.left_out) + len(left_out) + len(ends)
    return Rows(np.ascontiguousarray(values), marks, tuple(sorted([*head.left_out, *told, *ends])), count)


def _partial_rows(grid: Grid, places: Sequence[int], aside: set[int]) -> tuple[dict[int, list[str]], list[Bad]]:
    """Rows of another length: those that reach as far as they must, and those that do not fit."""
    fit: dict[int, list[str]] = {}
    bad: list[Bad] = []
    for record, cells in grid.ragged.items():
        if not cells or grid.line(record) in aside:
            continue
        lacking = next((at for at in places if at >= len(cells)), None)
        if lacking is not None:
            bad.append(Bad(grid.line(record), lacking + 1, None))
        elif any(cells[grid.width :]):
            bad.append(Bad(grid.line(record), len(cells), None))
        else:
            fit[record] = cells
    return fit, bad


def _extended(given: Column, cells: list[str]) -> Column:
    import pyarrow as pa

    return Column(pa.concat_arrays([given.cells, pa.array(cells, pa.string())]))


def _marks(columns: Sequence[Column], places: Sequence[int], delimiter: str) -> tuple[Mark, ...]:
    found = decimal_marks(columns, delimiter)
    sure = tuple(mark for mark in found if mark is not None)
    if len(sure) < len(found):
        at = found.index(None)
        example = next(cell for cell in columns[at].cells.to_pylist() if "," in cell)
        raise LabError(
            "In column {column} a comma may be the decimal mark or part thousands: {cell}.",
            "Save the table with points as decimal marks and nothing between thousands.",
            column=places[at] + 1,
            cell=repr(example),
        )
    return sure


def _blank(grid: Grid, first: int, chosen: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which of some rows are empty in all columns of the grid; partial rows, behind the others, are not."""
    import pyarrow as pa
    import pyarrow.compute as compute

    empty = np.zeros(len(chosen), dtype=bool)
    inside = chosen < len(grid.records) - first
    empty[inside] = True
    for each in grid.columns:
        cells = compute.utf8_trim_whitespace(each.take(pa.array(chosen[inside] + first)))
        empty[inside] &= np.asarray(compute.equal(cells, "").to_numpy(zero_copy_only=False), dtype=bool)
    return empty


def _refusal(bad: Sequence[Bad], grid: Grid) -> LabError:
    """The sentence about rows that cannot be read."""
    rows = sorted({each.line for each in bad})
    if len(rows) > 1:
        listed = ", ".join(map(str, rows[:NAMED_ROWS])) + (" …" if len(rows) > NAMED_ROWS else "")
        return LabError(
            "{count:,d} rows do not have their numbers: rows {rows}.",
            "Mend the rows, leave them out, or choose other columns.",
            count=len(rows),
            rows=listed,
        )
    first = bad[0]
    if first.cell is not None:
        return LabError(
            "Row {row}, column {column} is not a number: {cell}.",
            "Mend the row, or leave it out.",
            row=first.line,
            column=first.column,
            cell=repr(first.cell.strip()[:20]),
        )
    if first.column > grid.width:
        return LabError(
            "Row {row} has {found} cells instead of {wanted}.",
            "Mend the row, or leave it out.",
            row=first.line,
            found=first.column,
            wanted=grid.width,
        )
    return LabError(
        "Row {row} has no column {column}.", "Mend the row, or choose other columns.", row=first.line, column=first.column
    )
