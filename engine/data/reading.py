"""What was read of a file, to be told before it is used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.core.messages import Message
from engine.core.value_text import format_column

NAMED = 5  # columns or rows that a sentence lists
PARTED = {
    "": "one column",
    ",": "commas",
    ";": "semicolons",
    "\t": "tabs",
    " ": "blanks",
    "|": "vertical bars",
    "，": "full-width commas",
    "；": "full-width semicolons",
}


@dataclass(frozen=True, slots=True)
class ColumnReading:
    """A column of a file, whether it is taken, and why not.

    Parameters
    ----------
    number : int
        Counted from 1.
    name : str
        Empty where the file has none.
    taken : bool
    reason : Message
        Why it was left out; empty where it was taken, or others were asked for.
    """

    number: int
    name: str
    taken: bool
    reason: Message = field(default_factory=lambda: Message(""))

    @property
    def title(self) -> str:
        """The name as a list of columns takes it, or the number where there is none."""
        return format_column(self.name) if self.name else str(self.number)


@dataclass(frozen=True, slots=True)
class TableReading:
    """A table as it was read.

    Parameters
    ----------
    path : str
    rows : int
        That were taken.
    columns : tuple of ColumnReading
        All of the file.
    encoding : str
    delimiter : str
        A key of `PARTED` or the character itself.
    decimal : str
        The decimal mark of the columns taken.
    header : int
        The line of the names, 0 where there are none.
    left_out : tuple of (line, text)
        Rows without a number where one is needed, titles, remarks; the first of very many.
    left_out_count : int
        How many there are.
    comments, damaged : int
        Comments passed over; characters that belong to no encoding.
    stray : tuple of int
        Lines with a quotation mark read as a letter.
    """

    path: str
    rows: int
    columns: tuple[ColumnReading, ...]
    encoding: str
    delimiter: str
    decimal: str
    header: int
    left_out: tuple[tuple[int, str], ...] = ()
    left_out_count: int = 0
    comments: int = 0
    damaged: int = 0
    stray: tuple[int, ...] = ()

    def sentences(self) -> tuple[Message, ...]:
        """The report, a few words each."""
        taken = [column for column in self.columns if column.taken]
        refused = [column for column in self.columns if not column.taken and column.reason]
        found = [
            Message("Rows: {rows:,d}. Columns: {names}.", {"rows": self.rows, "names": _few([c.title for c in taken])}),
        ]
        if refused:
            named = [Message("{name} ({reason})", {"name": each.title, "reason": each.reason}) for each in refused]
            found.append(Message("Columns left out: {names}.", {"names": _few(named)}))
        parts: list[Message | str] = [self.encoding, Message(PARTED.get(self.delimiter, self.delimiter))]
        parts.append(Message("decimal comma" if self.decimal == "," else "decimal point"))
        parts.append(Message("names in row {row}", {"row": self.header}) if self.header else Message("no names"))
        found.append(Message("Read as: {parts}.", {"parts": _few(parts)}))
        if self.left_out:
            rows = [Message("{row} ({text})", {"row": row, "text": text or Message("empty")}) for row, text in self.left_out]
            found.append(Message("Rows left out ({count:,d}): {rows}.", {"count": self.left_out_count, "rows": _few(rows)}))
        if self.comments:
            found.append(Message("Comments: {count:,d}.", {"count": self.comments}))
        if self.stray:
            found.append(
                Message("A quotation mark without its partner was read as a letter: row {rows}.", {"rows": _few(self.stray)})
            )
        if self.damaged:
            found.append(Message("Characters that could not be read: {count:,d}.", {"count": self.damaged}))
        return tuple(found)

    def to_dict(self) -> dict[str, Any]:
        """The report for JSON."""
        return {
            "file": self.path,
            "rows": self.rows,
            "columns": [
                {"number": each.number, "name": each.name, "taken": each.taken, "reason": str(each.reason)}
                for each in self.columns
            ],
            "encoding": self.encoding,
            "delimiter": self.delimiter,
            "decimal_mark": self.decimal,
            "header_row": self.header or None,
            "rows_left_out": [{"row": row, "text": text} for row, text in self.left_out],
            "rows_left_out_count": self.left_out_count,
            "comments": self.comments,
            "stray_quotation_marks": list(self.stray),
            "unreadable_characters": self.damaged,
        }


@dataclass(frozen=True, slots=True)
class TextReading:
    """Texts as they were read.

    Parameters
    ----------
    path : str
    files : int
    encodings : tuple of (str, int)
        How many files are in each, the most frequent first.
    characters : int
    left_out : tuple of (str, Message)
        Files that were not taken, and why.
    damaged : int
        Characters that belong to no encoding.
    """

    path: str
    files: int
    encodings: tuple[tuple[str, int], ...]
    characters: int
    left_out: tuple[tuple[str, Message], ...] = ()
    damaged: int = 0

    def sentences(self) -> tuple[Message, ...]:
        """The report, a few words each."""
        values = {"files": self.files, "characters": self.characters}
        found = [Message("Texts: {files:,d}. Characters: {characters:,d}.", values)]
        named = [name if len(self.encodings) == 1 else f"{name} ({count:,d})" for name, count in self.encodings]
        found.append(Message("Read as: {parts}.", {"parts": _few(named)}))
        if self.left_out:
            files = [Message("{name} ({reason})", {"name": name, "reason": reason}) for name, reason in self.left_out]
            found.append(Message("Files left out ({count:,d}): {names}.", {"count": len(files), "names": _few(files)}))
        if self.damaged:
            found.append(Message("Characters that could not be read: {count:,d}.", {"count": self.damaged}))
        return tuple(found)

    def to_dict(self) -> dict[str, Any]:
        """The report for JSON."""
        return {
            "file": self.path,
            "texts": self.files,
            "characters": self.characters,
            "encodings": dict(self.encodings),
            "files_left_out": [{"file": name, "reason": str(reason)} for name, reason in self.left_out],
            "unreadable_characters": self.damaged,
        }


Reading = TableReading | TextReading


def _few(parts: Sequence[Any]) -> Message:
    """The first few of a list, parted by commas; each may be a message of its own."""
    named = {f"part{index}": part for index, part in enumerate(parts[:NAMED])}
    template = ", ".join(f"{{{name}}}" for name in named) + (", …" if len(parts) > NAMED else "")
    return Message(template, named) if named else Message("")
