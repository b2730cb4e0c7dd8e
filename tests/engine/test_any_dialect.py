"""A table written in any dialect and encoding reads back as the same numbers, or as one clear sentence; never as fewer rows."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
from hypothesis import HealthCheck, given, settings

from engine.core.errors import LabError
from engine.data.number_tables import read_table

ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "gb18030", "cp1252")
NAMES = {"gb18030": ("身高", "体重（公斤）", "年龄", "温度", "速度"), "cp1252": ("Größe", "Länge", "Höhe", "Übung", "naïve")}
PLAIN_NAMES = ("height", "width, cm", "x y", "z", "température; °C")
WORDS = ("ok", "Big Al", "red", "a b c", "it's", "N1")
MISSING = ("", "NA", "n/a", "#DIV/0!", "NaN", "-")


@dataclass(frozen=True)
class Written:
    """A file and what it holds."""

    data: bytes
    rows: np.ndarray
    missing: int


def number(value: float, style: str, mark: str) -> str:
    text = {"short": f"{value:.1f}", "long": repr(value), "power": f"{value:.6e}", "whole": str(round(value))}[style]
    return text.replace(".", mark)


@st.composite
def tables(draw: st.DrawFn) -> Written:
    delimiter = draw(st.sampled_from([",", ";", "\t", "|", " ", "   ", "，"]))
    count, width = draw(st.integers(2, 25)), draw(st.integers(2, 5))
    mark = "." if delimiter in (",", "，") else draw(st.sampled_from([".", ","]))
    styles = [draw(st.sampled_from(["short", "long", "power", "whole"])) for _ in range(width)]
    floats = st.floats(-1400, 1400, allow_subnormal=False)
    values = draw(st.lists(st.lists(floats, min_size=width, max_size=width), min_size=count, max_size=count))
    quoted = draw(st.booleans())
    text = draw(st.booleans()) and delimiter.strip() != ""
    encoding = draw(st.sampled_from(ENCODINGS if delimiter.isascii() else ENCODINGS[:-1]))
    blanks = not delimiter.strip(" ")
    holes = draw(st.sets(st.integers(0, count - 1), max_size=count // 3)) if not blanks else set()
    cells = [[number(value, style, mark) for value, style in zip(row, styles, strict=True)] for row in values]
    rows = [[float(cell.replace(mark, ".")) for cell in row] for row in cells]
    for row in holes:
        cells[row][draw(st.integers(0, width - 1))] = draw(st.sampled_from(MISSING))
    if text:
        cells = [[draw(st.sampled_from(WORDS)), *row] for row in cells]
    lines = cells
    if draw(st.booleans()):
        lines = [list(NAMES.get(encoding, PLAIN_NAMES))[:width], *cells]
        lines[0] = ["name", *lines[0]] if text else lines[0]

    def written(cell: str) -> str:
        return f'"{cell}"' if quoted or any(sign in cell for sign in (delimiter.strip(" ") or " ", '"')) else cell

    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    body = end.join(delimiter.join(map(written, line)) for line in lines)
    body = draw(st.sampled_from(["", "# a remark" + end, end])) + body + draw(st.sampled_from(["", end, end + end]))
    kept = [row for index, row in enumerate(rows) if index not in holes]
    return Written(body.encode(encoding), np.array(kept).reshape(-1, width), len(holes))


def read(data: bytes):  # type: ignore[no-untyped-def]
    handle, path = tempfile.mkstemp()
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        return read_table(path)
    finally:
        Path(path).unlink()


SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]


@settings(max_examples=150, deadline=None, suppress_health_check=SLOW)
@given(written=tables())
def test_what_was_written_is_read(written: Written) -> None:
    try:
        table = read(written.data)
    except LabError as error:
        assert str(error)
        return
    assert table.rows.shape == written.rows.shape
    assert np.array_equal(table.rows, written.rows)
    assert table.reading.rows == len(written.rows)
    assert table.reading.left_out_count == written.missing


@settings(max_examples=150, deadline=None, suppress_health_check=SLOW)
@given(written=tables(), data=st.data())
def test_mutated_bytes_give_numbers_or_a_sentence(written: Written, data: st.DataObject) -> None:
    changed = bytearray(written.data)
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, max(0, len(changed) - 1)))
        piece = data.draw(st.binary(max_size=3) | st.sampled_from([b'"', b"'", b"\n", b"#", b",", b"\0", b"\x1f", b"\\"]))
        changed[place : place + data.draw(st.integers(0, 3))] = piece
    try:
        table = read(bytes(changed))
    except LabError as error:
        assert str(error)
        return
    assert np.isfinite(table.rows).all()
    assert len(table.rows) == table.reading.rows > 0
    assert all(map(str, table.reading.sentences()))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_give_numbers_or_a_sentence(data: bytes) -> None:
    try:
        read(data)
    except LabError as error:
        assert str(error)
