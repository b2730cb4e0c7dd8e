"""Values as people read them: with thousands separators. What they type is read by `FieldSpec.parse`."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from engine.api import FieldSpec

_LISTS = ("ints", "floats")


def show_value(spec: FieldSpec, value: Any) -> str:
    """The text of a value in a field; `FieldSpec.parse` turns it into the same value again."""
    if isinstance(value, str):
        return value
    if spec.kind == "int":
        return f"{value:,}"
    if spec.kind == "float":
        return show_number(value)
    if spec.kind == "matrix":
        return "; ".join(", ".join(show_number(part, separators=False) for part in row) for row in value)
    if spec.kind == "columns":
        return ", ".join(spec.format((part,)) for part in value)
    if spec.kind in _LISTS:
        return ", ".join(show_number(part, separators=False) for part in value)
    return spec.format(value)


def show_number(value: float, *, separators: bool = True) -> str:
    """The shortest text that means exactly this number.

    Examples
    --------
    >>> show_number(12345.5), show_number(1e-06), show_number(0.005), show_number(3.0)
    ('12,345.5', '1e-6', '0.005', '3')
    """
    if isinstance(value, int):
        return f"{value:,}" if separators else str(value)
    if value != 0 and not 1e-4 <= abs(value) < 1e15:
        mantissa, _, exponent = repr(value).partition("e")
        if not exponent:
            mantissa, _, exponent = f"{Decimal(mantissa):e}".partition("e")
        mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
        return f"{mantissa}e{int(exponent)}"
    if value.is_integer():
        return f"{int(value):,}" if separators else str(int(value))
    plain = Decimal(repr(value))
    return f"{plain:,f}" if separators else f"{plain:f}"


def symbol_html(symbol: str) -> str:
    """A letter of the formulas in italics, ``x_0`` with its index below."""
    letter, _, index = symbol.partition("_")
    below = f"<sub>{index.strip('{}')}</sub>" if index else ""
    return f"<i>{letter}</i>{below}"
