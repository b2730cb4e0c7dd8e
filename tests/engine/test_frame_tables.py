"""A frame as tables: every number once, under its name and unit, nothing beside what has another length."""

from __future__ import annotations

import csv
import io
import os
from dataclasses import dataclass, field

import numpy as np
import pytest

from engine.api import csv_blocks, entries, frame_tables, load, run_with
from engine.core.frames import Observation, make_frame, unit


@dataclass(frozen=True)
class Picture:
    """Curves of two lengths, a wide matrix, a cube, words."""

    at: np.ndarray = field(metadata=unit("steps"))
    height: np.ndarray
    edges: np.ndarray
    wide: np.ndarray
    cube: np.ndarray
    empty: np.ndarray
    words: tuple[tuple[str, ...], ...]
    late: np.ndarray


def frame(**tables: list):
    parameters = load("em.topics").parameters(folder="texts")
    picture = Picture(
        np.arange(3),
        np.array([0.1, np.nan, 1 / 3]),
        np.array([0.1, 0.2], np.float32),
        np.arange(6.0).reshape(2, 3),
        np.arange(12).reshape(2, 2, 3),
        np.empty(0),
        (("one", "two"), ("three", "four")),
        np.array([True, False, True]),
    )
    return make_frame(7, None, parameters, Observation(picture, {"gap": 0.5}, (), tables))


def blocks(text: str) -> dict[str, list[list[str]]]:
    found = {}
    for block in text.split("\n\n"):
        name, rest = block.split("\n", 1)
        assert name.startswith("# ")
        assert name[2:] not in found
        found[name[2:]] = list(csv.reader(io.StringIO(rest)))
    return found


def test_tables_have_names_headings_and_units() -> None:
    found = blocks(csv_blocks(frame_tables("em.topics", frame(edges=[1, 2], uneven=[[1], [2, 3]], one=[0.5]))))
    assert list(found)[:2] == ["parameters", "measures"]
    parameters = {row[0]: row[1] for row in found["parameters"][1:]}
    assert parameters["folder"] == os.path.abspath("texts")
    assert parameters["stop_words"] == "true"
    assert found["measures"] == [["name", "value", "unit"], ["gap", "0.5", "nat"]]
    assert found["at"] == [["at (steps)", "height"], ["0", "0.1"], ["1", ""], ["2", "0.3333333333333333"]]
    assert found["edges"] == [["edges"], ["1"], ["2"]]
    assert found["edges (picture)"] == [["edges"], ["0.1"], ["0.2"]]
    assert found["uneven"] == [["uneven_1", "uneven_2"], ["1", ""], ["2", "3"]]
    assert found["wide"] == [["wide_1", "wide_2"], ["0.0", "3.0"], ["1.0", "4.0"], ["2.0", "5.0"]]
    assert found["cube"][0] == ["axis_1", "axis_2", "cube_1", "cube_2", "cube_3"]
    assert found["cube"][3] == ["2", "1", "6", "7", "8"]
    assert found["words"] == [["words_1", "words_2"], ["one", "two"], ["three", "four"]]
    assert found["late"] == [["late"], ["True"], ["False"], ["True"]]
    assert "empty" not in found


@pytest.mark.parametrize("name", [entry.name for entry in entries()])
def test_every_frame_becomes_tables_of_one_length(name: str) -> None:
    result = run_with(name, load(name).parameters(), device="cpu", limit=2)
    assert result.frame is not None
    tables = frame_tables(name, result.frame)
    for table in tables:
        assert {len(row) for row in table.rows} == {len(table.headings)}
    cells = sum(len(table.rows) * len([h for h in table.headings if not h.startswith("axis_")]) for table in tables[3:])
    assert cells >= sum(array.size for array in result.frame.arrays.values())
    assert len(blocks(csv_blocks(tables))) == len(tables)
