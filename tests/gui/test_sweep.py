"""The sweep: it stands where the slider can stand, values are always allowed, the journey goes to and fro."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from pydantic import Field

from engine.api import FieldSpec, LabParameters, Ui, spec_of, validate
from gui.core.form.scale import scale_of
from gui.core.lab import sweep as module
from gui.core.lab.sweep import Sweep


class Parameters(LabParameters):
    """Every kind of range."""

    count: Annotated[int, Field(ge=2, le=1_000_000), Ui("Count", scale="log")] = 100
    few: Annotated[int, Field(ge=0, le=7), Ui("Few")] = 3
    rate: Annotated[float, Field(gt=0, le=0.99999), Ui("Rate", scale="log")] = 0.1
    share: Annotated[float, Field(gt=0, lt=1), Ui("Share")] = 0.5
    shift: Annotated[float, Field(ge=-12345.6, le=12345.6), Ui("Shift")] = 0.0
    free: Annotated[float, Field(ge=0), Ui("Free")] = 1.0
    title: Annotated[str, Ui("Title")] = ""


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
    sweep.toggle(spec("shift"), Parameters())
    assert sweep.parameter == "shift"
    qtbot.waitUntil(lambda: len(values) > 60)
    sweep.toggle(spec("shift"), Parameters())
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
    sweep.toggle(spec("share"), Parameters())
    sweep.toggle(spec("count"), Parameters())
    assert sweep.parameter == "count"
    sweep.stop()


@pytest.mark.parametrize("name", ["free", "title", "seed"])
def test_what_has_no_range_stays(moves: tuple[Sweep, list[Any]], name: str) -> None:
    sweep, _ = moves
    sweep.toggle(spec(name), Parameters())
    assert sweep.parameter is None


@pytest.mark.parametrize("name", ["count", "few", "rate", "share", "shift"])
def test_it_stands_where_the_slider_can_stand(moves: tuple[Sweep, list[Any]], qtbot: Any, name: str) -> None:
    """And reaches both ends of it; every value is allowed."""
    sweep, values = moves
    scale = scale_of(spec(name))
    assert scale is not None
    places = {scale.value(position) for position in range(scale.positions + 1)}
    sweep.toggle(spec(name), Parameters())
    qtbot.waitUntil(lambda: len(values) > 7 and len(set(values)) < len(values) - 2, timeout=20_000)
    sweep.stop()
    assert set(values) <= places
    for value in values:
        validate(Parameters, {name: value})


def test_who_listens_learns_when_a_journey_begins_and_what_was_before_it(moves: tuple[Sweep, list[Any]]) -> None:
    sweep, _ = moves
    names: list[str | None] = []
    before: list[LabParameters] = []
    sweep.changed.connect(names.append)
    sweep.ended.connect(before.append)
    first, second = Parameters(), Parameters(share=0.25)
    sweep.toggle(spec("share"), first)
    sweep.toggle(spec("count"), second)
    sweep.stop()
    sweep.stop()
    assert names == ["share", None, "count", None]
    assert before == [first, second]
