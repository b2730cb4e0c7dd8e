"""The sweep: positions and values belong together, values are always allowed, the journey goes to and fro."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from engine.api import FieldSpec, LabParameters, Ui, spec_of, validate
from gui.core.lab import sweep as module
from gui.core.lab.sweep import Sweep, position_of, value_at


class Parameters(LabParameters):
    """Every kind of range."""

    count: Annotated[int, Field(ge=2, le=1_000_000), Ui("Count", scale="log")] = 100
    few: Annotated[int, Field(ge=0, le=7), Ui("Few")] = 3
    rate: Annotated[float, Field(gt=0, le=0.99999), Ui("Rate", scale="log")] = 0.1
    share: Annotated[float, Field(gt=0, lt=1), Ui("Share")] = 0.5
    shift: Annotated[float, Field(ge=-12345.6, le=12345.6), Ui("Shift")] = 0.0
    free: Annotated[float, Field(ge=0), Ui("Free")] = 1.0
    title: Annotated[str, Ui("Title")] = ""


RANGES = ("count", "few", "rate", "share", "shift")


@given(st.sampled_from(RANGES), st.floats(0, 1))
def test_every_position_is_an_allowed_value(name: str, position: float) -> None:
    value = value_at(spec_of(Parameters, name), position)
    validate(Parameters, {name: value})


@given(st.sampled_from(["rate", "share", "shift"]), st.floats(0, 1))
def test_positions_and_values_belong_together(name: str, position: float) -> None:
    spec = spec_of(Parameters, name)
    assert position_of(spec, value_at(spec, position)) == pytest.approx(position, abs=2e-3)


@pytest.mark.parametrize("name", RANGES)
def test_the_ends_are_reached(name: str) -> None:
    spec = spec_of(Parameters, name)
    low, high = value_at(spec, 0), value_at(spec, 1)
    assert spec.minimum is not None
    assert spec.maximum is not None
    assert low <= spec.minimum + 2e-3 * (spec.maximum - spec.minimum)
    assert high >= spec.maximum - 2e-3 * (spec.maximum - spec.minimum)


def spec(name: str) -> FieldSpec:
    return spec_of(Parameters, name)


class Clock:
    """The time that the sweep reads: a hundredth of a second passes from one look to the next."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        """The time now."""
        self.now += 0.01
        return self.now


@pytest.fixture
def moves(qtbot: Any, monkeypatch: pytest.MonkeyPatch) -> tuple[Sweep, list[Any]]:
    monkeypatch.setattr(module, "SECONDS", 0.3)
    monkeypatch.setattr(module, "time", Clock())
    sweep = Sweep(None)  # type: ignore[arg-type]
    sweep._timer.setInterval(5)
    values: list[Any] = []
    sweep.moved.connect(lambda name, value: values.append(value))
    return sweep, values


def test_it_goes_to_and_fro_from_where_it_stands(moves: tuple[Sweep, list[Any]], qtbot: Any) -> None:
    sweep, values = moves
    sweep.toggle(spec("shift"), 0.0)
    assert sweep.parameter == "shift"
    qtbot.waitUntil(lambda: len(values) > 60)
    sweep.toggle(spec("shift"), 0.0)
    assert sweep.parameter is None
    count = len(values)
    qtbot.wait(50)
    assert len(values) == count
    assert values[0] > 0
    turns = [values.index(max(values)), values.index(min(values))]
    assert turns == sorted(turns), "up first, then down"
    assert min(values) < -6000 < 6000 < max(values)


def test_another_parameter_takes_over(moves: tuple[Sweep, list[Any]]) -> None:
    sweep, _ = moves
    sweep.toggle(spec("share"), 0.5)
    sweep.toggle(spec("count"), 100)
    assert sweep.parameter == "count"
    sweep.stop()


@pytest.mark.parametrize("name", ["free", "title", "seed"])
def test_what_has_no_range_stays(moves: tuple[Sweep, list[Any]], name: str) -> None:
    sweep, _ = moves
    sweep.toggle(spec(name), 0)
    assert sweep.parameter is None
