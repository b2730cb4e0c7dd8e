"""Text cut into cells by Arrow, with the line that each row stands on.

Arrow reads a quotation mark that is never closed as the beginning of one long cell, to the end of the file. Such a cell is
found here, its mark is taken as a letter, and the text is cut again: no row is lost in it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import LabError
from engine.core.number_text import read_number
from engine.data.dialects import Dialect, Prepared, split_line

if TYPE_CHECKING:
    import pyarrow as pa

MOST_COLUMNS = 10_000
MOST_STRAY = 20  # quotation marks without a partner that are put right; more are a fault of the file


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """A text as cells. Records are rows and empty lines, in their order; a record spans several lines where a cell does.

    Parameters
    ----------
    columns : tuple of pyarrow.StringArray
        The cells of all regular records, those that have as many cells as most.
    records : array of int, shape (rows,)
        Which record each row of `columns` is, counted from 0.
    lines : array of int, shape (records + 1,)
        The line of the file on which each record begins, counted from 1; the last entry stands behind the end.
    ragged : dict
        The cells of the other records, by record.
    stray : tuple of int
        Lines with a quotation mark that was read as a letter.
    """

    columns: tuple[pa.StringArray, ...]
    records: NDArray[np.int64]
    lines: NDArray[np.int64]
    ragged: dict[int, list[str]]
    stray: tuple[int, ...] = ()

    @property
    def width(self) -> int:
        """Cells of a regular record."""
        return len(self.columns)

    def row(self, index: int) -> list[str]:
        """The cells of a row of `columns`, blanks around them taken away."""
        return [column[index].as_py().strip() for column in self.columns]

    def line(self, record: int) -> int:
        """Where a record begins."""
        return int(self.lines[record])


def cut(prepared: Prepared, dialect: Dialect, between: Callable[[], None]) -> Grid:
    """Cut a text into cells.

    Raises
    ------
    LabError
        If it has too many columns, or its quotation marks do not pair and nothing tells which of them are letters.
    """
    if dialect.width > MOST_COLUMNS:
        raise LabError(
            "The file has {found:,d} columns.", "At most {most:,d} columns are read.", found=dialect.width, most=MOST_COLUMNS
        )
    data = prepared.data
    stray: list[int] = []
    while True:
        between()
        grid = _cut(data, prepared.delimiter, dialect)
        span = _broken_span(data, grid, prepared.delimiter, dialect) if dialect.quote.encode() in data else None
        if span is None:
            return Grid(grid.columns, grid.records, grid.lines, grid.ragged, tuple(sorted(stray)))
        line, healed = span
        if healed is None or len(stray) == MOST_STRAY:
            raise LabError(
                "Row {row} opens a quotation mark that does not close.",
                "Close it, or leave out the quotation marks.",
                row=line,
            )
        data = healed
        stray.append(line)


def _cut(data: bytes, delimiter: str, dialect: Dialect) -> Grid:
    import pyarrow as pa
    import pyarrow.compute as compute
    from pyarrow import csv as arrow

    names = [str(number) for number in range(dialect.width)]
    ragged: dict[int, str] = {}

    def put_aside(row: arrow.InvalidRow) -> str:
        ragged[row.number - 1] = row.text
        return "skip"

    table = arrow.read_csv(
        pa.BufferReader(data),
        read_options=arrow.ReadOptions(use_threads=False, block_size=len(data) + 1024, column_names=names),
        parse_options=arrow.ParseOptions(
            delimiter=delimiter,
            quote_char=dialect.quote,
            escape_char=dialect.escape or False,
            newlines_in_values=True,
            ignore_empty_lines=False,
            invalid_row_handler=put_aside,
        ),
        convert_options=arrow.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False, quoted_strings_can_be_null=False
        ),
    )
    columns = tuple(column.combine_chunks() for column in table.itercolumns())
    count = table.num_rows + len(ragged)
    regular = np.ones(count, dtype=bool)
    regular[list(ragged)] = False
    heights = np.ones(count, dtype=np.int64)  # lines of each record
    if dialect.quote.encode() in data:
        for column in columns:
            heights[regular] += compute.count_substring(column, "\n").to_numpy(zero_copy_only=False)
        for record, text in ragged.items():
            heights[record] += text.count("\n")
    lines = np.concatenate([[1], 1 + heights.cumsum()])
    cells = {record: _cells(text, delimiter, dialect) for record, text in ragged.items()}
    return Grid(columns, np.flatnonzero(regular), lines, cells)


def _cells(text: str, delimiter: str, dialect: Dialect) -> list[str]:
    """The cells of a record that is not as wide as the others; none where it is empty."""
    if not text.strip():
        return []
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quotechar=dialect.quote))
    except csv.Error:  # a cell longer than the module reads
        rows = [text.split(delimiter)]
    return [cell.strip() for row in rows for cell in row]


def _broken_span(data: bytes, grid: Grid, delimiter: str, dialect: Dialect) -> tuple[int, bytes | None] | None:
    """The first cell over several lines that is none: its line, and the text with its mark made a letter.

    Lines are rows by themselves if each of them has the cells of a row with numbers in them; then the text cannot be healed
    only if the mark cannot be found. A cell that ends at a letter, or nowhere, was never meant to begin.
    """
    heights = np.diff(grid.lines)
    starts = None
    for record in np.flatnonzero(heights > 1):
        if starts is None:
            starts = np.flatnonzero(np.frombuffer(data, np.uint8) == ord("\n")) + 1
        first, after = int(grid.lines[record]), int(grid.lines[record + 1])
        begin = int(starts[first - 2]) if first > 1 else 0
        end = int(starts[after - 2]) if after - 2 < len(starts) else len(data)
        span = data[begin:end].decode("utf-8").removesuffix("\n")
        parted = Dialect(delimiter, dialect.quote, dialect.escape)
        rows = [split_line(line, parted) for line in span.split("\n") if line.strip()]
        alone = all(len(row) == grid.width for row in rows) and any(_numeric(cell) for row in rows[1:] for cell in row)
        if not alone and _sound(span, delimiter, dialect):
            continue
        line, rest = data[begin:end].split(b"\n", 1) if b"\n" in data[begin:end] else (data[begin:end], b"")
        mark = dialect.quote.encode()
        place = _opening(line, delimiter.encode(), mark)
        healed = data[:begin] + line[:place] + line[place + 1 :] + b"\n" + rest + data[end:] if alone and place >= 0 else None
        return first, healed
    return None


def _numeric(cell: str) -> bool:
    return read_number(cell) is not None or read_number(cell, ",") is not None


def _sound(span: str, delimiter: str, dialect: Dialect) -> bool:
    """Whether every quotation mark that opens a cell is closed at the end of it."""
    try:
        reader = csv.reader(io.StringIO(span, newline=""), delimiter=delimiter, quotechar=dialect.quote, strict=True)
        return len(list(reader)) == 1
    except csv.Error as error:
        return "field larger" in str(error)


def _opening(line: bytes, delimiter: bytes, mark: bytes) -> int:
    """Where in the first line of a broken cell its quotation mark stands: the last that begins a cell, -1 if none does."""
    place = line.rfind(delimiter + mark)
    return place + 1 if place >= 0 else 0 if line.startswith(mark) else -1
