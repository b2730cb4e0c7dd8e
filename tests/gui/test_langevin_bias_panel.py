"""The panel of the bias draws what its frames say, and its dot moves the step."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication, QWidget

from engine.api import Frame, preset_parameters, run_with
from gui.core.i18n import translator
from gui.core.lab.panel import load_panel
from gui.core.look.theme import theming
from gui.core.plots import PlotCard

NAME = "langevin.bias"


@pytest.fixture
def shown(qapp: QApplication, qtbot: Any):
    language, theme = translator.language, theming.current.name
    places: list[QWidget] = []

    def make(preset: str | None = None, limit: int = 40, **values: Any) -> tuple[Any, Frame]:
        parameters = preset_parameters(NAME, preset).changed(**{"chains": 2000, **values})
        frame = run_with(NAME, parameters, device="cpu", limit=limit).frame
        assert frame is not None
        place = QWidget()
        places.append(place)
        qtbot.addWidget(place)
        panel = load_panel(NAME)(NAME, place)
        panel.resize(1000, 700)
        place.resize(1000, 700)
        place.show()
        panel.show_frame(frame, parameters)
        qtbot.waitUntil(lambda: not panel._waiting, timeout=5000)
        return panel, frame

    yield make
    translator.set_language(language)
    theming.set(theme)


def visible(panel: Any) -> list[PlotCard]:
    return [card for card in panel.cards if card.isVisible()]


def test_the_dot_lies_on_the_curve(shown: Any) -> None:
    panel, frame = shown(step_size=2.0, limit=80)
    handle = panel.handle.handles
    assert handle.x[0] == 2.0
    assert handle.y[0] == frame.measures["variance"]
    finite = np.isfinite(panel.chosen.y)
    assert np.interp(2.0, panel.chosen.x[finite], panel.chosen.y[finite]) == pytest.approx(handle.y[0], rel=0.1)
    assert np.isfinite(panel.bar.y).any()
    assert visible(panel) == [panel.bias, panel.law, panel.way, panel.memory, panel.cost]
    assert panel.worth_here.x[0] == 2.0
    assert not panel.accepted.isVisible()
    assert "steps" in panel.bias.caption_label.whole


def test_a_flat_line_for_mala_and_acceptance_beside_it(shown: Any) -> None:
    panel, frame = shown(sampler="mala", step_size=1.0)
    assert np.ptp(panel.chosen.y) == 0
    assert panel.accepted.isVisible()
    assert panel.accepted_here.y[0] == frame.measures["acceptance"]
    assert "accepted" in [item.label for item in panel.cost.legend.listed]


def test_dragging_the_dot_asks_for_another_step(shown: Any) -> None:
    panel, _ = shown()
    asked: list[dict[str, Any]] = []
    panel.tweak_requested.connect(asked.append)
    panel.handle.dragged.emit(0, 1.23456, 0.4)
    panel.handle.dragged.emit(0, -3.0, 0.4)
    assert asked == [{"step_size": 1.23}, {"step_size": 0.001}]


def test_while_the_chains_settle_nothing_is_claimed(shown: Any) -> None:
    panel, _ = shown(step_size=0.05, limit=20)
    assert "settling" in panel.bias.caption_label.whole
    assert not np.isfinite(panel.bar.y).any()
    assert panel.cost.caption_label.whole == "not yet"


def test_the_growth_takes_the_place_of_the_traces(shown: Any, qtbot: Any) -> None:
    panel, _ = shown(step_size=4.5, limit=30)
    assert panel.growth.isVisible()
    assert not panel.way.isVisible()
    assert panel.size_.y == pytest.approx(panel.theory_size.y, rel=0.2)
    assert "−1.25" in panel.growth.caption_label.whole
    assert not np.isfinite(panel.correlation.y).any()
    panel.resize(1000, 330)
    qtbot.waitUntil(lambda: len(visible(panel)) == 2, timeout=1000)
    panel.resize(1000, 700)
    qtbot.waitUntil(lambda: len(visible(panel)) == 5, timeout=1000)
    assert panel.growth.isVisible()


def test_earlier_measurements_stay_as_dots(shown: Any) -> None:
    panel, frame = shown()
    assert len(panel.before.x) == 0
    dots = np.array([[0.0, 1.0, 1.34, 0.01], [1.0, 2.0, 1.01, 0.01]])
    frame = dataclasses.replace(frame, picture=dataclasses.replace(frame.picture, dots=dots))
    panel.show_frame(frame, frame.parameters)
    assert panel.before.x.tolist() == [1.0, 2.0]
