"""How a text file writes a table: what parts the cells, what quotes them, which lines are comments.

CleverCSV weighs delimiters on the first lines. What it does not know is added here: blanks in any number as a delimiter,
decimal commas beside them, full-width commas, the ``sep=`` line of Excel, comments.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

from engine.core.number_text import read_number

HEAD = 1 << 16  # bytes, or LINES lines if they are longer, that a dialect is judged by
LINES = 200
WEIGHED = 20_000  # characters of them that CleverCSV sees, so that it takes a few hundredths of a second
LONGEST = 400  # of a line among these
FULL_WIDTH = ("，", "；")
DELIMITERS = (",", ";", "\t", "|", " ", *FULL_WIDTH)
NO_CELL = "\x1f"  # stands in no text: a table of one column has no delimiter
BLOCK = 1 << 22  # bytes between two moments at which a run can be cancelled

# A line that begins with # is a comment, unless it is a cell: an error of a spreadsheet, or # alone as the name of a column.
ERRORS = rb"DIV/0!|N/A|VALUE!|REF!|NUM!|NAME\?|NULL!|SPILL!|CALC!"
COMMENT = re.compile(rb"(?m)^[ \t]*#(?!(?:" + ERRORS + rb")|[,;\t|])[^\n]*")
TRAILING = re.compile(rb"(?m)(?<=[0-9.]) [ \t]*#(?!" + ERRORS + rb")[^\n,;\t|\"]*$")
SEPARATOR = re.compile(rb'\A"?sep=(.)"?[ \t]*(?=\n|\Z)', re.IGNORECASE)

OPENING = re.compile(r'(?:(?<=[,;\t| \n])|\A)"')
QUOTED = re.compile(OPENING.pattern + r'(?:[^"]|"")*"(?=[,;\t| \n]|\Z)')


@dataclass(frozen=True, slots=True)
class Dialect:
    """How the cells of a table are written.

    Parameters
    ----------
    delimiter : str
        Parts the cells; a blank stands for any number of blanks and tabs, empty where there is one column.
    quote, escape : str
        Around a cell, and before a quotation mark inside one; the latter mostly empty.
    full_width : bool
        Full-width commas and semicolons part cells like plain ones.
    declared : bool
        The first line is Excel's ``sep=``.
    width : int
        Cells of most rows.
    """

    delimiter: str
    quote: str = '"'
    escape: str = ""
    full_width: bool = False
    declared: bool = False
    width: int = 1


@dataclass(frozen=True, slots=True)
class Prepared:
    """A table whose every line is a row or empty, with one byte between cells.

    Parameters
    ----------
    data : bytes
        As many lines as in the file.
    delimiter : str
        The byte.
    comments : dict of int to str
        Comment lines among the first, by line.
    commented : int
        How many comments there are in all, those behind numbers too.
    """

    data: bytes
    delimiter: str
    comments: dict[int, str]
    commented: int


def sniff(data: bytes) -> Dialect:
    """The dialect of a table, from its first lines; `data` is UTF-8 with line feeds."""
    head = _head(data)
    declared = SEPARATOR.match(head)
    text = TRAILING.sub(b"", COMMENT.sub(b"", head)).decode("utf-8", "ignore")
    lines = [line for line in _on_one_line(text).split("\n")[1 if declared else 0 :] if line.strip()][:LINES]
    if declared:
        return _measured(Dialect(declared[1].decode("ascii", "replace"), declared=True), lines)
    found = _measured(_detect(lines), lines)
    wide = [line.replace("，", ",").replace("；", ";") for line in lines]
    own = _steady(found, lines, 1.0) if found.delimiter in FULL_WIDTH else found.delimiter.strip(" ") and _steady(found, lines)
    if wide != lines and not own:
        found = replace(_measured(_detect(wide), wide), full_width=True)
    if found.delimiter == "," and _decimal_commas_between_blanks(lines):
        found = _measured(replace(found, delimiter=" "), lines)
    return found


def prepare(data: bytes, dialect: Dialect, between: Callable[[], None]) -> Prepared:
    """Comments taken out, full-width commas made plain, runs of blanks made one: what a strict parser can read."""
    if dialect.declared:
        data = SEPARATOR.sub(b"", data)
    comments: dict[int, str] = {}
    commented = 0
    if b"#" in data:
        head = _head(data)
        for found in COMMENT.finditer(head):
            comments[head.count(b"\n", 0, found.start()) + 1] = found[0].decode("utf-8", "replace").strip(" \t#")
        data, commented = _by_blocks(data, lambda block: COMMENT.subn(b"", block), between)
        data, trailing = _by_blocks(data, lambda block: TRAILING.subn(b"", block), between)
        commented += trailing
    if dialect.full_width:
        data = data.replace("，".encode(), b",").replace("；".encode(), b";")
    delimiter = dialect.delimiter
    if delimiter == " ":
        delimiter = "\t"
        data, _ = _by_blocks(data, lambda block: (_one_tab(block), 0), between)
    elif not delimiter.isascii():
        data, delimiter = data.replace(delimiter.encode(), NO_CELL.encode()), NO_CELL
    elif not delimiter:
        delimiter = NO_CELL
    mark, quote = re.escape(delimiter.encode()), dialect.quote.encode()
    if quote in data and re.search(mark + b"[ \t]+" + quote, data):
        spaced = re.compile(b"(?m)(^|" + mark + b")[ \t]+(?=" + quote + b")")
        data, _ = _by_blocks(data, lambda block: spaced.subn(rb"\1", block), between)
    return Prepared(data, delimiter, comments, commented)


def split_line(line: str, dialect: Dialect) -> list[str]:
    """The cells of a single line, blanks around them taken away."""
    if dialect.delimiter == " ":
        return [quoted[1:-1] if quoted else bare for quoted, bare in re.findall(r'("[^"]*")|(\S+)', line)]
    try:
        cells = next(csv.reader([line], delimiter=dialect.delimiter or NO_CELL, skipinitialspace=True), [])
    except csv.Error:  # a cell longer than the module reads
        cells = line.split(dialect.delimiter or NO_CELL)
    return [cell.strip() for cell in cells]


def _head(data: bytes) -> bytes:
    """The first lines, whole ones."""
    end, lines = 0, 0
    while lines < LINES or end < HEAD:
        after = data.find(b"\n", end)
        if after < 0:
            return data
        end, lines = after + 1, lines + 1
        if lines >= 2 and end > HEAD * 16:
            break
    return data[:end]


def _on_one_line(text: str) -> str:
    """Cells over several lines on one, and nothing of a cell whose end is not in sight, if rows stand above it."""
    text = QUOTED.sub(lambda cell: cell[0].replace("\n", " "), text)
    opened = max((found.start() for found in OPENING.finditer(text)), default=-1)
    end = text.rfind("\n", 0, max(opened, 0))
    above = end > 0 and "\n" in text[:end]
    return text[:end] if above and '"' not in text[opened + 1 :] else text


def _detect(lines: list[str]) -> Dialect:
    """What CleverCSV makes of the first lines."""
    from clevercsv.detect import Detector

    sample = re.sub(r"([,;\t|])[ \t]+([\"'])", r"\1\2", "\n".join(line[:LONGEST] for line in lines)[:WEIGHED])
    found = Detector().detect(sample, delimiters=list(DELIMITERS)) if sample.strip() else None
    if found is None:
        return Dialect(_steadiest(lines))
    quote = "'" if found.quotechar == "'" and '"' not in sample else '"'
    escape = found.escapechar if found.escapechar == "\\" and '\\"' in sample else ""
    return Dialect(found.delimiter or "", quote, escape or "")


def _steadiest(lines: list[str]) -> str:
    """The delimiter that most lines agree upon, empty if none does."""
    best, most = "", 0.5
    for delimiter in DELIMITERS:
        counts = Counter(len(split_line(line, Dialect(delimiter))) for line in lines)
        width, lines_of = counts.most_common(1)[0] if counts else (1, 0)
        if width > 1 and lines_of > most * len(lines):
            best, most = delimiter, lines_of / len(lines)
    return best


def _measured(dialect: Dialect, lines: list[str]) -> Dialect:
    """With the width of most lines; of equally many the wider ones."""
    counts = Counter(len(split_line(line, dialect)) for line in lines)
    width = max(counts, key=lambda cells: (counts[cells], cells), default=1)
    return replace(dialect, width=max(1, width))


def _steady(dialect: Dialect, lines: list[str], share: float = 0.8) -> bool:
    """Whether such a share of all lines has as many cells, more than one."""
    same = sum(len(split_line(line, dialect)) == dialect.width for line in lines)
    return dialect.width > 1 and same >= share * len(lines)


def _decimal_commas_between_blanks(lines: list[str]) -> bool:
    """Whether lines like ``164,4 3200 47,947`` stand here, which parted at commas would be no numbers."""
    rows = [line.split() for line in lines]
    fits = [len(row) > 1 and all(_whole_or_comma(cell) for cell in row) for row in rows]
    return sum(fits) > 0.5 * len(lines) and any("," in cell for row, fit in zip(rows, fits, strict=True) if fit for cell in row)


def _whole_or_comma(cell: str) -> bool:
    return not cell.startswith(",") and not cell.endswith(",") and read_number(cell, ",") is not None


def _one_tab(block: bytes) -> bytes:
    """Runs of blanks as one tab; in lines with quotation marks outside of these only."""
    if b'"' not in block:
        return b"\n".join(b"\t".join(line.split()) for line in block.split(b"\n"))
    return b"\n".join(b"\t".join(re.findall(rb'(?:"[^"]*"|[^\s"])+|"\S*', line)) for line in block.split(b"\n"))


def _by_blocks(data: bytes, change: Callable[[bytes], tuple[bytes, int]], between: Callable[[], None]) -> tuple[bytes, int]:
    """A change line by line, a few megabytes at a time: the window's thread is not kept waiting."""
    changed, total, start = [], 0, 0
    while start < len(data):
        between()
        end = data.find(b"\n", start + BLOCK) + 1 or len(data)
        block, count = change(data[start:end])
        changed.append(block)
        total += count
        start = end
    return b"".join(changed), total
