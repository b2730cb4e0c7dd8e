"""Columns of cells as numbers: which are numbers at all, with which decimal mark, and what stands where none does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.core.number_text import Mark, half_width, read_number

if TYPE_CHECKING:
    import pyarrow as pa

# Cells that say that there is no number, in any case of letters.
MISSING = frozenset(
    ("", "-", "--", "—", "?", ".", "..", "…", "na", "n/a", "<na>", "nan", "null", "none", "nil", "missing", "缺失", "缺", "无")
) | {f"#{error}" for error in ("n/a", "div/0!", "value!", "ref!", "num!", "name?", "null!", "spill!", "calc!")}

PLAIN = r"^[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?$"
PLAIN_COMMA = r"^[-+]?([0-9]+,?[0-9]*|,[0-9]+)([eE][-+]?[0-9]+)?$"
# A number with either mark, with groups or without; full-width digits and the real minus sign are accepted.
DIGIT = "[0-9０-９]"
EITHER = (
    rf"^[-+−－＋]?({DIGIT}+([.,．，]{DIGIT}*)?|[.,]{DIGIT}+|"
    rf"{DIGIT}{{1,3}}([,.'’ \x{{a0}}\x{{2009}}\x{{202f}}]{DIGIT}{{3}})+([.,]{DIGIT}+)?)([eE][-+−]?{DIGIT}+)?$"
)
TRIED = 64  # cells before all of them
GROUP = r"[1-9][0-9]{0,2}"
# What only one of the two readings explains. 1,234 is both.
SURELY_DECIMAL_COMMA = (
    r"^[-+]?([0-9]*,([0-9]{0,2}|[0-9]{4,})|0*,[0-9]+|0[0-9]*,[0-9]+|[0-9]{4,},[0-9]+|"
    r"[0-9]{1,3}(\.[0-9]{3})+,[0-9]*)([eE].*)?$"
)
SURELY_GROUPS = rf"^[-+]?{GROUP}((,[0-9]{{3}})+\.[0-9]*|(,[0-9]{{3}}){{2,}})$"
SURELY_DECIMAL_POINT = r"^[-+]?([0-9]*\.([0-9]{0,2}|[0-9]{4,})|0*\.[0-9]+|[0-9]{4,}\.[0-9]+)([eE].*)?$"


def is_missing(cell: str) -> bool:
    """Whether a cell says that there is no number."""
    return half_width(cell).strip().lower() in MISSING


def is_number(cell: str) -> bool:
    """Whether a cell is a number with either decimal mark."""
    return read_number(cell, ".") is not None or read_number(cell, ",") is not None


class Column:
    """The cells of a column below the names, blanks around them taken away where there are any.

    Parameters
    ----------
    cells : pyarrow.StringArray
        As they stand in the file.
    """

    def __init__(self, cells: pa.StringArray) -> None:
        import pyarrow.compute as compute

        self.plain = _cast(cells)  # the numbers (n,), where every cell is one written in the plainest way, else None
        self.cells = cells if self.plain is not None else compute.utf8_trim_whitespace(cells)
        if self.plain is None:
            self.plain = _cast(self.cells)

    def __len__(self) -> int:
        return len(self.cells)

    @cached_property
    def plain_commas(self) -> NDArray[np.float64] | None:
        """The numbers (n,), where every cell is a plain one with a decimal comma or none, else None."""
        import pyarrow.compute as compute

        if self.holds(".") or not self.holds(","):
            return None
        return _cast(compute.replace_substring(self.cells, ",", "."))

    @cached_property
    def numeric(self) -> NDArray[np.bool_]:
        """Which cells are numbers, with either decimal mark, shape (n,)."""
        if self.plain is not None or self.plain_commas is not None:
            return np.ones(len(self), dtype=bool)
        return self.matches(EITHER)

    @cached_property
    def missing(self) -> int:
        """How many cells say that there is no number."""
        import pyarrow.compute as compute

        if self.numeric.all():
            return 0
        other = compute.value_counts(self.cells.filter(_mask(~self.numeric)))
        return sum(each["counts"] for each in other.to_pylist() if is_missing(each["values"]))

    def matches(self, pattern: str) -> NDArray[np.bool_]:
        """Which cells a pattern of RE2 fits, shape (n,)."""
        import pyarrow.compute as compute

        found = compute.match_substring_regex(self.cells, pattern)
        return np.asarray(found.to_numpy(zero_copy_only=False), dtype=bool)

    def count(self, pattern: str) -> int:
        """How many cells a pattern of RE2 fits."""
        return int(self.matches(pattern).sum())

    def fits_some(self, pattern: str) -> bool:
        """Whether a pattern of RE2 fits some cell; mostly one of the first tells."""
        import pyarrow.compute as compute

        parts = (self.cells.slice(0, TRIED), self.cells.slice(TRIED))
        return any(bool(compute.any(compute.match_substring_regex(part, pattern)).as_py()) for part in parts)

    def holds(self, text: str) -> bool:
        """Whether some cell contains a text."""
        import pyarrow.compute as compute

        return bool(compute.any(compute.match_substring(self.cells, text)).as_py())


def decimal_marks(columns: Sequence[Column], delimiter: str) -> list[Mark | None]:
    """The decimal mark of each column; None where ``1,234`` may be either of two numbers.

    What one column leaves open, the others decide, and then the delimiter: semicolons are used where commas are decimal
    marks, and a comma within a cell of a table that is parted by commas parts thousands.
    """
    commas = [each.plain is None and each.holds(",") for each in columns]
    if not any(commas):
        return ["."] * len(columns)
    found: list[Mark | None] = []
    for each, has_commas in zip(columns, commas, strict=True):
        if has_commas and each.plain_commas is not None:  # no points, and no two commas in a cell
            found.append("," if each.fits_some(SURELY_DECIMAL_COMMA) else None)
            continue
        decimal = each.count(SURELY_DECIMAL_COMMA) if has_commas else 0
        other = (each.count(SURELY_DECIMAL_POINT) if each.holds(".") else 0) + (each.count(SURELY_GROUPS) if has_commas else 0)
        found.append("," if decimal > other else "." if other else None)
    sure = set(found) - {None}
    if len(sure) == 1:
        told: Mark | None = "," if "," in sure else "."
    else:
        told = None if sure else "," if delimiter == ";" else "." if delimiter == "," else None
    return [mark or (told if has_commas or len(sure) == 1 else ".") for mark, has_commas in zip(found, commas, strict=True)]


@dataclass(frozen=True, slots=True, eq=False)
class Numbers:
    """A column read with a decimal mark.

    Parameters
    ----------
    values : array, shape (n,)
        Not a number where there is none.
    missing, bad : array of int
        The cells that say so, and those that are something else.
    """

    values: NDArray[np.float64]
    missing: NDArray[np.int64]
    bad: NDArray[np.int64]


def read_column(given: Column, mark: Mark) -> Numbers:
    """The numbers of a column: plain ones all at once, the others one by one."""
    import pyarrow as pa
    import pyarrow.compute as compute

    ready = given.plain if mark == "." else given.plain_commas
    if ready is not None:
        return Numbers(ready, _indices(()), _indices(()))
    plain = given.matches(PLAIN if mark == "." else PLAIN_COMMA)
    cells = given.cells.filter(_mask(plain))
    values = np.full(len(given), np.nan)
    found = _cast(cells if mark == "." else compute.replace_substring(cells, ",", "."), finite=False)
    if found is not None:
        values[plain] = found
    missing, bad = [], []
    other = np.flatnonzero(~np.isfinite(values))
    for index, cell in zip(other.tolist(), given.cells.take(pa.array(other)).to_pylist(), strict=True):
        value = read_number(cell, mark)
        if value is not None:
            values[index] = value
        elif is_missing(cell):
            missing.append(index)
        else:
            bad.append(index)
            values[index] = np.nan
    return Numbers(values, _indices(missing), _indices(bad))


def _indices(found: Iterable[int]) -> NDArray[np.int64]:
    return np.array(list(found), dtype=np.int64)


def _mask(chosen: NDArray[np.bool_]) -> pa.BooleanArray:
    import pyarrow as pa

    return pa.array(chosen)


def _cast(cells: pa.StringArray, *, finite: bool = True) -> NDArray[np.float64] | None:
    """All cells as numbers; None where one is none, or (`finite`) is nan or infinite, which Arrow takes for numbers."""
    import pyarrow as pa
    import pyarrow.compute as compute

    try:
        compute.cast(cells.slice(0, TRIED), pa.float64())  # each cell that is none is dear
        found = compute.cast(cells, pa.float64()).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid:
        return None
    values = np.asarray(found, dtype=np.float64)
    return values if not finite or bool(np.isfinite(values).all()) else None
