"""The panel of the joint KL draws what its frames say, and hands break tables, move data and take half-steps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtWidgets import QApplication, QWidget

from engine.api import Frame, load, preset_parameters, run_with
from gui.core.i18n import translator
from gui.core.lab.panel import load_panel
from gui.core.look.theme import theming
from gui.panels.em.joint_kl.cards import moved_border, moved_share

NAME = "em.joint_kl"


@pytest.fixture
def shown(qapp: QApplication, qtbot: Any):
    language, theme = translator.language, theming.current.name
    places: list[QWidget] = []

    def make(preset: str | None = None, **values: Any) -> tuple[Any, Frame]:
        parameters = preset_parameters(NAME, preset).changed(**values)
        frame = run_with(NAME, parameters, device="cpu").frame
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


def asked(panel: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    panel.tweak_requested.connect(found.append)
    return found


def test_columns_are_marginal_and_gap(shown: Any) -> None:
    panel, frame = shown(steps=5)
    stairs, picture = panel.stairs, frame.picture
    assert stairs.marginal.heights.tolist() == picture.marginal.tolist()
    assert stairs.gap.base.tolist() == picture.marginal.tolist()
    assert stairs.gap.heights == pytest.approx(picture.marginal + picture.gap)
    assert stairs.next_marginal.at[0] == 6
    assert stairs.here.interval == (4.5, 5.5)
    assert f"{frame.measures['joint_kl']:.4f}" in stairs.caption_label.whole
    bound = panel.bound
    assert bound.likelihood.y - bound.bound.y == pytest.approx(picture.gap)
    assert bound.best.value == -picture.entropy


def test_tables_lie_over_one_another(shown: Any) -> None:
    panel, frame = shown()
    one, two, terms = (image.image for image in panel.tables.images)
    assert np.array_equal(one, frame.picture.completed.T)
    assert np.array_equal(two, frame.picture.joint.T)
    assert terms.sum() == pytest.approx(frame.measures["joint_kl"], abs=1e-6)
    assert panel.tables.axes["y"].categories[:3] == ("", "z = 1", "z = 2")
    assert panel.tables.frames.cells
    numbers = panel.tables.numbers
    assert numbers[0].word(0.25, 3) == ".250"
    assert numbers[2].word(-0.25, 2) == "−.25"
    assert numbers[2].word(-1e-9, 2) == "0"
    closed, _ = shown(steps=199, learn="both", start="random", order="me")
    assert not closed.tables.frames.cells


def test_breaking_the_table_and_letting_go(shown: Any) -> None:
    panel, frame = shown()
    wanted = asked(panel)
    panel.shares.handles.dragged.emit(1, 1.0, 0.9)
    assert wanted[-1]["posterior"][1] == (0.9, 0.1)
    assert wanted[-1]["posterior"][0] == (0.5, 0.5)
    assert set(wanted[-1]) == {"posterior", "moves", "steps"}
    panel.shares.handles.dropped.emit(1)
    assert len(wanted) == 1  # no run was interrupted
    again = run_with(NAME, frame.parameters.changed(**wanted[-1]), device="cpu").frame
    assert again is not None
    assert again.measures["gap"] != frame.measures["gap"]
    assert again.measures["marginal_kl"] == frame.measures["marginal_kl"]


@pytest.mark.parametrize("learn", ["prior", "coins"])
def test_breaking_in_the_middle_goes_on_from_there(learn: str, shown: Any) -> None:
    panel, frame = shown(steps=3, learn=learn)
    wanted = asked(panel)
    panel.shares.handles.dragged.emit(0, 0.0, 0.2)
    assert wanted[-1]["steps"] == 0
    assert ("coins" in wanted[-1]) == (learn == "coins")
    broken = frame.parameters.changed(**wanted[-1])
    again = run_with(NAME, broken, device="cpu").frame
    assert again is not None
    assert again.picture.prior == pytest.approx(frame.picture.prior, abs=1e-4)
    assert again.measures["marginal_kl"] == pytest.approx(frame.measures["marginal_kl"], abs=1e-4)
    assert again.measures["gap"] > frame.measures["gap"]
    panel.shares.handles.dropped.emit(0)
    assert wanted[-1] == {"steps": 3}


def test_buttons_and_columns_take_half_steps(shown: Any, qtbot: Any) -> None:
    panel, _ = shown(steps=2)
    wanted = asked(panel)
    panel.stairs.buttons["E"].click()
    panel.stairs.buttons["M"].click()
    assert wanted == [{"moves": "EME", "steps": 0}, {"moves": "EMM", "steps": 0}]
    panel.stairs.column_wanted.emit(5)
    panel.stairs.column_wanted.emit(2)
    panel.stairs.column_wanted.emit(-3)
    panel.stairs.column_wanted.emit(1)
    assert wanted[2:] == [{"moves": "EMEME", "steps": 0}, {"moves": "E", "steps": 0}]
    box = panel.stairs.plot.getViewBox()
    place = panel.stairs.view.mapFromScene(box.mapViewToScene(QPointF(4.0, 0.05)))
    qtbot.mouseClick(panel.stairs.view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert wanted[-1] == {"moves": "EMEM", "steps": 0}


def test_dragging_the_data(shown: Any) -> None:
    panel, frame = shown()
    wanted = asked(panel)
    panel.data.handles.dragged.emit(4, 4.0, 0.6)
    law = wanted[-1]["data_distribution"]
    assert law[4] == pytest.approx(0.6, abs=1e-3)
    assert sum(law) == pytest.approx(1, abs=1e-9)
    load(NAME).parameters().changed(**wanted[-1])
    panel.data.handles.dragged.emit(0, 0.0, 1.7)
    assert wanted[-1]["data_distribution"][0] == 1.0
    assert frame.parameters.changed(**wanted[-1])


def test_borders_stop_at_their_neighbours() -> None:
    assert moved_border([0.5, 0.5], 0, 0.8) == [0.8, 0.2]
    assert moved_border([0.2, 0.3, 0.5], 0, 0.9) == [0.5, 0.0, 0.5]
    assert moved_border([0.2, 0.3, 0.5], 1, 0.0) == [0.2, 0.0, 0.8]
    assert moved_border([0.2, 0.3, 0.5], 1, 2.0) == [0.2, 0.8, 0.0]
    assert moved_share([0.5, 0.25, 0.25], 0, 0.8) == [0.8, 0.1, 0.1]
    assert moved_share([1.0, 0.0, 0.0], 0, 0.4) == [0.4, 0.3, 0.3]


def test_three_causes_have_two_borders(shown: Any) -> None:
    panel, frame = shown("three", steps=2)
    assert panel.shares.borders == 2
    assert len(panel.shares.handles.handles.x) == 12
    wanted = asked(panel)
    panel.shares.handles.dragged.emit(3, 1.0, 0.5)
    assert len(wanted[-1]["posterior"][1]) == 3
    assert frame.parameters.changed(**wanted[-1])
    assert [bars.isVisible() for bars in panel.shares.shares] == [True] * 3 + [False] * 3
    single, _ = shown(prior=(1.0,), conditional=((0.2,) * 5,))
    single.shares.handles.dragged.emit(0, 0.0, 0.5)
    assert len(single.shares.handles.handles.x) == 0


def test_a_low_panel_keeps_the_staircase(shown: Any, qtbot: Any) -> None:
    panel, _ = shown()
    panel.resize(1000, 330)
    qtbot.waitUntil(lambda: [card for card in panel.cards if card.isVisible()] == [panel.stairs, panel.tables], timeout=1000)
