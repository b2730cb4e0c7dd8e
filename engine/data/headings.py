"""Where the names of a table stand, and which lines around it are no rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from engine.core.number_text import read_number
from engine.data.cells import Grid
from engine.data.number_columns import is_missing, is_number

JUDGED = 500  # rows that tell which columns hold numbers
MOST_LEADING = 40  # rows above the first number: titles, names, units
YEARS = (1500, 2500)


@dataclass(frozen=True, slots=True)
class Heading:
    """The names of the columns and the rows that are none.

    Parameters
    ----------
    names : tuple of str
        One per column, empty where a column has none; () where the file has none.
    line : int
        Where they stand; 0 where there are none.
    first : int
        The first row of the grid that is data.
    row_names : bool
        The first column counts or names the rows: it has no name of its own, the others have.
    left_out : tuple of (line, text)
        Titles above the table and units under the names.
    """

    names: tuple[str, ...] = ()
    line: int = 0
    first: int = 0
    row_names: bool = False
    left_out: tuple[tuple[int, str], ...] = ()


def heading(grid: Grid, comments: dict[int, str], delimiter: str) -> Heading:
    """The heading of a table.

    Rows above the first number are no data: the fullest of them has the names, those above it are titles, those below it
    units. Names may also be numbers, if they are years in a row over columns of other numbers; they may be one fewer than the
    columns (R leaves out that of the row names); and they may stand in a comment just above.
    """
    count = len(grid.records)
    index = next((row for row in range(count) if any(grid.row(row))), count)
    if index == count:
        return Heading(first=count)
    above = [record for record in grid.ragged if record < grid.records[index] and grid.ragged[record]]
    below = _sample(grid, index + 1)
    first = grid.row(index)
    numeric = [_mostly_numbers(cells) for cells in below]
    if not any(numeric):  # one row, or none with numbers
        numeric = [is_number(cell) for cell in first]
    names, leading = _leading_rows(grid, index, numeric)
    titles = _titles(grid, above)
    if names is None and _are_years(first, below, numeric):
        names, leading = index, [index]
    if names is not None:
        found = grid.row(names)
        others = [(grid.line(int(grid.records[row])), _short(grid.row(row))) for row in leading if row != names]
        line = grid.line(int(grid.records[names]))
        return Heading(tuple(found), line, leading[-1] + 1, _counts_rows(found), (*titles, *others))
    if above and _are_names(cells := grid.ragged[above[-1]], []) and len(cells) == grid.width - 1:
        trailing = all(not cell for cell in below[-1]) and not first[-1]  # every row ends with a delimiter
        shifted = (*cells, "") if trailing else ("", *cells)
        return Heading(shifted, grid.line(above[-1]), index, not trailing, _titles(grid, above[:-1]))
    line = grid.line(int(grid.records[index])) - 1
    above_it = comments.get(line, "").split(delimiter) if delimiter.strip() or delimiter == "\t" else []
    in_comment = tuple(cell.strip().strip('"') for cell in above_it)
    if len(in_comment) == grid.width > 1 and _are_names(in_comment, []):
        return Heading(in_comment, line, index, False, titles)
    return Heading((), 0, index, False, titles)


def _leading_rows(grid: Grid, start: int, numeric: Sequence[bool]) -> tuple[int | None, list[int]]:
    """The row of names, None if there is none, and all rows down to the last that is no data."""
    leading: list[int] = []
    for row in range(start, min(len(grid.records), start + MOST_LEADING)):
        cells = grid.row(row)
        if not any(cells):
            continue
        if any(wanted and is_number(cell) for cell, wanted in zip(cells, numeric, strict=True)):
            break
        leading.append(row)
    named = [row for row in leading if _are_names(grid.row(row), numeric)]
    if not named:
        return None, []
    names = max(named, key=lambda row: (sum(map(bool, grid.row(row))), -row))
    return names, [row for row in leading if row <= named[-1]]


def footers(grid: Grid) -> tuple[tuple[int, str], ...]:
    """Lines without any number below the last row: sources, remarks."""
    last = int(grid.records[-1]) if len(grid.records) else -1
    behind = [(record, cells) for record, cells in grid.ragged.items() if record > last and cells]
    return tuple((grid.line(record), _short(cells)) for record, cells in behind if not any(map(is_number, cells)))


def _titles(grid: Grid, records: Sequence[int]) -> tuple[tuple[int, str], ...]:
    """Those of the lines above a table that hold no number."""
    return tuple(
        (grid.line(record), _short(grid.ragged[record])) for record in records if not any(map(is_number, grid.ragged[record]))
    )


def _sample(grid: Grid, start: int) -> list[list[str]]:
    """Cells of each column, some hundred rows from all over the table, empty rows left out."""
    count = len(grid.records)
    rows = sorted(set(np.linspace(start, count - 1, JUDGED).astype(int).tolist())) if start < count else []
    found = [row for row in map(grid.row, rows) if any(row)]
    return [[row[column] for row in found] for column in range(grid.width)]


def _mostly_numbers(cells: Sequence[str]) -> bool:
    """At least half of what is not missing."""
    there = [cell for cell in cells if not is_missing(cell)]
    return bool(there) and 2 * sum(map(is_number, there)) >= len(there)


def _are_names(cells: Sequence[str], numeric: Sequence[bool]) -> bool:
    """Texts in columns of numbers, and no number there."""
    looked_at = [cell for cell, wanted in zip(cells, numeric, strict=False) if wanted] or list(cells)
    return any(not is_missing(cell) for cell in looked_at) and not any(map(is_number, looked_at))


def _are_years(first: Sequence[str], below: Sequence[Sequence[str]], numeric: Sequence[bool]) -> bool:
    """Years from 1500 to 2500 over columns that hold other numbers: in equal steps, or beside names of other columns."""
    columns = [column for column, wanted in enumerate(numeric) if wanted]
    named = [first[column] for column in columns if not is_number(first[column])]
    years = {column: value for column in columns if (value := read_number(first[column])) is not None}
    if not below[0] or not years or len(years) + len(named) < len(columns) or any(map(is_missing, named)):
        return False
    if not all(map(_is_year, years.values())) or (len(columns) == 1 and all(numeric)):
        return False
    steps = {later - earlier for earlier, later in pairwise(years.values())}
    if not named and (len(steps) > 1 or 0 in steps):
        return False
    return not any(_is_year(value) for column in years for cell in below[column] if (value := read_number(cell)) is not None)


def _is_year(value: float) -> bool:
    return value == int(value) and YEARS[0] <= value <= YEARS[1]


def _counts_rows(names: Sequence[str]) -> bool:
    """The first column has no name, and others have."""
    return len(names) > 1 and not names[0] and any(names[1:])


def _short(cells: Sequence[str]) -> str:
    text = " ".join(cell for cell in cells if cell)
    return text if len(text) <= 24 else text[:23] + "…"
