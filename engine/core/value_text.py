"""Values of parameters as text: the syntax of the command line, of text fields and of copied command lines."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from engine.core.number_text import half_width, plain_number

MOST_DIGITS = 400  # of a whole number; Python refuses to read very long ones
SWITCH = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}

_COLUMN = re.compile(r'\s*("(?:[^"]|"")*")\s*(?:[,，]|$)|([^,，]+)')


def parse_value(kind: str, text: str) -> Any:
    """The value that a text means for a kind of parameter; a text that means none is returned as it is."""
    text = text.strip()
    match kind:
        case "int" | "seed":
            return _parse_int(text)
        case "float":
            return _parse_float(text)
        case "ints":
            return _parse_list(text, _parse_int)
        case "floats":
            return _parse_list(text, _parse_float)
        case "matrix":
            return tuple(_parse_list(row, _parse_float) for row in half_width(text).split(";") if row.strip())
        case "columns":
            return _parse_columns(text)
        case "switch":
            return SWITCH.get(text.lower(), text)
    return text


def format_value(kind: str, value: Any) -> str:
    """The text that `parse_value` turns into the value again."""
    match kind:
        case "ints" | "floats":
            return ",".join(map(plain_text, value))
        case "columns":
            return ",".join(map(format_column, value))
        case "matrix":
            return ";".join(",".join(map(plain_text, row)) for row in value)
        case "switch":
            return "true" if value else "false"
        case "int" | "seed" | "float":
            return plain_text(value)
    return str(value)


def format_column(column: int | str) -> str:
    """A column as a list of columns takes it: a name in quotation marks where it could be mistaken for something else."""
    if isinstance(column, int):
        return str(column)
    bare = column and column == column.strip() and not re.search('[,，"]', column) and _column("", column) == column
    return column if bare else '"' + column.replace('"', '""') + '"'


def plain_text(value: Any) -> str:
    """The shortest text of a number, a whole one without a decimal point."""
    if isinstance(value, float):
        return repr(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return str(value)


def _parse_int(text: str, *, groups: bool = True) -> Any:
    plain = plain_number(text, groups=groups)
    if plain is None or len(plain) > MOST_DIGITS:
        return text
    if plain.lstrip("+-").isdigit():
        return int(plain)
    number = float(plain)
    return int(number) if number.is_integer() else text


def _parse_float(text: str, *, groups: bool = True) -> Any:
    plain = plain_number(text, groups=groups)
    return text if plain is None else float(plain)


def _parse_list(text: str, part: Callable[..., Any]) -> tuple[Any, ...]:
    """The numbers of a row, parted by commas: no comma parts thousands here."""
    return tuple(part(piece, groups=False) for piece in half_width(text).split(",")) if text else ()


def _parse_columns(text: str) -> tuple[Any, ...]:
    """Names and numbers of columns, parted by commas; what stands in quotation marks is a name, commas, digits and all."""
    return tuple(_column(quoted, bare) for quoted, bare in _COLUMN.findall(text) if quoted or bare.strip())


def _column(quoted: str, bare: str) -> int | str:
    if quoted:
        return quoted[1:-1].replace('""', '"')
    plain = half_width(bare).strip()
    return int(plain) if plain.isascii() and plain.isdigit() and len(plain) <= MOST_DIGITS else bare.strip()
