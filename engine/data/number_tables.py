"""Tables of numbers from text files: any encoding, any delimiter, either decimal mark; nothing left out without a word."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import LabError
from engine.core.messages import Message
from engine.data.cells import cut
from engine.data.dialects import prepare, sniff
from engine.data.headings import Heading, heading
from engine.data.kept import Kept, mark
from engine.data.number_columns import Column
from engine.data.reading import ColumnReading, TableReading
from engine.data.table_rows import read_rows
from engine.data.text_files import read_text_file

COUNTERS = frozenset({"", "id", "index", "row", "no", "no.", "nr", "nr.", "#", "unnamed: 0", "序号", "编号"})


@dataclass(frozen=True, slots=True, eq=False)
class NumberTable:
    """Rows of numbers, the names of their columns (empty where the file has none), and how they were read."""

    rows: NDArray[np.float64]  # (n, d)
    names: tuple[str, ...]
    reading: TableReading


def nothing() -> None:
    """Between two steps."""


def read_table(path: str, columns: Sequence[int | str] = (), between: Callable[[], None] = nothing) -> NumberTable:
    """Columns of numbers of a text file.

    Cells are parted by commas, semicolons, tabs, bars or blanks; the decimal mark is a point or a comma; names may stand
    above; empty lines and lines that begin with # are passed over. A row with an empty cell (or NA, #DIV/0! and the like)
    where a number is needed is left out, and the reading says so. The last table is kept and read again only after the
    file has changed.

    Parameters
    ----------
    path : str
        The file.
    columns : sequence of int or str
        Which columns, by number counted from 1 or by name; none means all columns of numbers but those that count rows.
    between : callable
        Called between steps; may raise.

    Raises
    ------
    LabError
        If the file cannot be read or a cell is neither a number nor missing; the sentence names rows by their lines in the
        file, counted from 1.
    """
    if not path:
        raise LabError("No file has been chosen.", "Choose a text file with columns of numbers.")
    about = mark(path)
    key = (about, tuple(columns)) if about else None
    return _kept.get(key, lambda: _read(path, columns, between), lambda table: table.rows.nbytes)


_kept = Kept[NumberTable]()


def _read(path: str, wanted: Sequence[int | str], between: Callable[[], None]) -> NumberTable:
    file = read_text_file(path)
    between()
    if not file.data.strip():
        raise LabError("The file is empty.", "Each row needs numbers.")
    dialect = sniff(file.data)
    prepared = prepare(file.data, dialect, between)
    if not prepared.data.strip():
        raise LabError("The file has comments and no numbers.", "Each row needs numbers.")
    grid = cut(prepared, dialect, between)
    head = heading(grid, prepared.comments, dialect.delimiter)
    if head.first >= len(grid.records):
        raise LabError("The file has a row of names and no numbers.", "Each row needs numbers.")
    columns = []
    for each in grid.columns:
        between()
        columns.append(Column(each.slice(head.first)))
    reasons = [_reason(each, at, head) for at, each in enumerate(columns)]
    chosen = column_places(wanted, head.names, grid.width) if wanted else [at for at, why in enumerate(reasons) if not why]
    if not chosen:
        raise LabError("No column of the file holds numbers.", "Choose another file, or name the columns.")
    for at in chosen:
        if not columns[at].numeric.any():
            example = next((cell for cell in columns[at].cells.to_pylist() if cell), "")
            raise LabError(
                "Column {column} holds no numbers: {cell}.", "Choose other columns.", column=at + 1, cell=repr(example[:20])
            )
    rows = read_rows(grid, head, [columns[at] for at in chosen], chosen, dialect.delimiter)
    told = [Message("") if at in chosen else why for at, why in enumerate(reasons)]
    reading = TableReading(
        path=path,
        rows=len(rows.values),
        columns=tuple(
            ColumnReading(at + 1, head.names[at] if head.names else "", at in chosen, why) for at, why in enumerate(told)
        ),
        encoding=file.encoding,
        delimiter=dialect.delimiter,
        decimal="," if "," in rows.marks else ".",
        header=head.line,
        left_out=rows.left_out,
        left_out_count=rows.left_out_count,
        comments=prepared.commented,
        damaged=file.damaged,
        stray=grid.stray,
    )
    return NumberTable(rows.values, tuple(head.names[at] for at in chosen) if head.names else (), reading)


# ---- which columns -----------------------------------------------------------------------------------------------------


def column_places(wanted: Sequence[int | str], names: Sequence[str], count: int) -> list[int]:
    """The columns asked for, by number counted from 1 or by name, as places counted from 0.

    A number beyond the last column is taken for a name, if there is one like it: a year, for instance.

    Raises
    ------
    LabError
        If there is no such column, two have that name, or one is asked for twice.
    """
    places = []
    for each in wanted:
        if isinstance(each, int) and each <= count and each > 0:
            places.append(each - 1)
            continue
        found = [at for at, name in enumerate(names) if name and name == str(each)]
        found = found or [at for at, name in enumerate(names) if name and _folded(name) == _folded(str(each))]
        if len(found) > 1:
            raise LabError(
                "{count} columns are named {name}: {numbers}.",
                "Choose one of them by its number.",
                count=len(found),
                name=str(each),
                numbers=", ".join(str(at + 1) for at in found),
            )
        if not found and isinstance(each, int):
            raise LabError(
                "The table has {found} columns, and column {wanted} is asked for.",
                "Choose other columns.",
                found=count,
                wanted=each,
            )
        if not found:
            listed = ", ".join(name for name in names[:20] if name) + (" …" if len(names) > 20 else "")
            raise LabError(
                "There is no column named {name}; the names are: {names}." if listed else "The columns have no names: {name}.",
                "Choose other columns.",
                name=str(each),
                names=listed,
            )
        places.append(found[0])
    if len(set(places)) < len(places):
        twice = next(at for at in places if places.count(at) > 1)
        raise LabError("Column {column} is chosen twice.", "Choose each column once.", column=twice + 1)
    return places


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold().strip()


def _reason(cells: Column, at: int, head: Heading) -> Message:
    """Why a column is not among those taken when none are named."""
    numbers, missing = int(cells.numeric.sum()), cells.missing
    if missing == len(cells):
        return Message("empty")
    if 2 * numbers < len(cells) - missing:
        return Message("text")
    if at == 0 and head.row_names and (not head.names[0] or _counts(cells)):
        return Message("names of rows")
    if head.names and head.names[at].casefold() in COUNTERS and _counts(cells):
        return Message("numbers of rows")
    if 2 * missing > len(cells):
        return Message("mostly empty")
    return Message("")


def _counts(cells: Column) -> bool:
    """Whether a column counts 0, 1, 2 ... or 1, 2, 3 ..."""
    values = cells.plain
    return values is not None and values[0] in (0, 1) and bool((np.diff(values) == 1).all())
