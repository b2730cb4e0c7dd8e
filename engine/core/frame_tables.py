"""A frame as tables, each with a name, headings and units: what exports write."""

from __future__ import annotations

import csv
import dataclasses
import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.core.catalog import load
from engine.core.frames import Frame
from engine.core.parameters import field_specs

if TYPE_CHECKING:  # the window is on the screen a tenth of a second sooner without it
    import numpy as np


@dataclass(frozen=True, slots=True)
class FrameTable:
    """Columns of one length.

    Parameters
    ----------
    name : str
    headings : tuple of str
        Names of the columns, with their unit in brackets where they have one.
    rows : list of tuple
        Texts and numbers; every digit of a number is kept, one that does not exist is an empty text.
    """

    name: str
    headings: tuple[str, ...]
    rows: list[tuple[Any, ...]]


def frame_tables(experiment: str, frame: Frame) -> tuple[FrameTable, ...]:
    """Parameters, measures, claims, small tables and arrays of a frame.

    Curves that are declared one after the other and have the same length stand side by side; a matrix is a table of its own,
    its longer side down; of an array of more axes each row begins with the places along all but the last.
    """
    known: Any = load(experiment)
    units = {measure.name: measure.unit for measure in known.measures}
    whole = frame.parameters.saved()
    parameters = []
    for spec in field_specs(known.parameters):
        value = whole[spec.name] if spec.kind in ("file", "folder") else getattr(frame.parameters, spec.name)
        parameters.append((spec.name, spec.format(value), spec.ui.unit))
    measures = [(name, _number(value), units.get(name, "")) for name, value in frame.measures.items()]
    claims = [
        (claim.name, *map(_number, (claim.expected, claim.measured, claim.tolerance)), claim.unit, _verdict(claim.holds))
        for claim in frame.claims
    ]
    found = [
        FrameTable("parameters", ("name", "value", "unit"), parameters),
        FrameTable("measures", ("name", "value", "unit"), measures),
        FrameTable("claims", ("name", "expected", "measured", "tolerance", "unit", "holds"), claims),
        *(_listed(name, table) for name, table in frame.tables.items()),
    ]
    taken = {table.name for table in found}
    found += [
        dataclasses.replace(table, name=f"{table.name} (picture)") if table.name in taken else table
        for table in _pictured(frame)
    ]
    return tuple(table for table in found if table.rows)


def csv_blocks(tables: Iterable[FrameTable]) -> str:
    """Tables one below the other, each under its name, parted by empty lines."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    for table in tables:
        out.write(f"\n# {table.name}\n")
        writer.writerow(table.headings)
        writer.writerows(table.rows)
    return out.getvalue().removeprefix("\n")


def _listed(name: str, table: Sequence[Any]) -> FrameTable:
    """A list of numbers, of lists or of matrices."""
    import numpy as np

    try:
        array = np.asarray(table)
    except ValueError:  # rows of unlike length
        width = max(len(row) for row in table)
        rows = [(*map(_number, row), *[""] * (width - len(row))) for row in table]
        return FrameTable(name, tuple(f"{name}_{place}" for place in range(1, width + 1)), rows)
    return _many_axes(name, array, "") if array.ndim > 1 else FrameTable(name, (name,), _columns([array]))


def _pictured(frame: Frame) -> list[FrameTable]:
    """The arrays of the picture, and its lists of words."""
    import numpy as np

    picture: Any = frame.picture
    units = {item.name: str(item.metadata.get("unit", "")) for item in dataclasses.fields(picture)}
    words = {item.name: getattr(picture, item.name) for item in dataclasses.fields(picture)}
    arrays = frame.arrays | {name: np.asarray(value) for name, value in words.items() if _is_words(value)}
    found: list[FrameTable] = []
    beside: list[tuple[str, np.ndarray]] = []
    for name in words:
        array = arrays.get(name)
        if array is None or not array.size:
            continue
        if beside and (array.ndim != 1 or len(array) != len(beside[0][1])):
            found.append(_side_by_side(beside, units))
            beside = []
        if array.ndim == 1:
            beside.append((name, array))
        elif array.ndim > 1:
            found.append(_many_axes(name, array, units[name]))
        else:
            found.append(FrameTable(name, (_heading(name, units[name]),), [(_number(array.item()),)]))
    return [*found, _side_by_side(beside, units)] if beside else found


def _side_by_side(arrays: Sequence[tuple[str, np.ndarray]], units: dict[str, str]) -> FrameTable:
    headings = tuple(_heading(name, units[name]) for name, _ in arrays)
    return FrameTable(arrays[0][0], headings, _columns([array for _, array in arrays]))


def _many_axes(name: str, array: np.ndarray, unit: str) -> FrameTable:
    """A matrix by its longer side; of more axes the places come first, counted from 1."""
    import numpy as np

    if array.ndim == 2:
        array = array if array.shape[0] >= array.shape[1] else array.T
        headings = [_heading(f"{name}_{place}", unit) for place in range(1, array.shape[1] + 1)]
        return FrameTable(name, tuple(headings), _columns(list(array.T)))
    places = np.indices(array.shape[:-1]).reshape(array.ndim - 1, -1) + 1
    flat = array.reshape(-1, array.shape[-1])
    headings = [f"axis_{axis}" for axis in range(1, array.ndim)]
    headings += [_heading(f"{name}_{place}", unit) for place in range(1, array.shape[-1] + 1)]
    return FrameTable(name, tuple(headings), _columns([*places, *flat.T]))


def _columns(arrays: Sequence[np.ndarray]) -> list[tuple[Any, ...]]:
    """Rows of columns; numbers in the fewest digits that tell them from all others of their kind."""
    return list(zip(*([text if text != "nan" else "" for text in array.astype(str).tolist()] for array in arrays), strict=True))


def _heading(name: str, unit: str) -> str:
    return f"{name} ({unit})" if unit else name


def _is_words(value: Any) -> bool:
    """Whether a value is a list of words, or of such lists of one length."""
    if not isinstance(value, tuple) or not value:
        return False
    if all(isinstance(part, str) for part in value):
        return True
    return all(_is_words(part) and isinstance(part[0], str) for part in value) and len({len(part) for part in value}) == 1


def _number(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return repr(int(value)) if isinstance(value, float) and value.is_integer() and abs(value) < 1e15 else str(value)


def _verdict(holds: bool | None) -> str:
    return "open" if holds is None else "yes" if holds else "no"
