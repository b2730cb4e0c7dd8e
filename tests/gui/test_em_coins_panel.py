"""The panel of the two coins draws what its frames say, and the hand changes flips and start in the picture."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from conftest import Open
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QWidget

from engine.api import ExperimentState, Frame, Session, preset_parameters, run_with
from gui.core.i18n import translator
from gui.core.lab.panel import load_panel
from gui.core.plots import PlotCard

NAME = "em.coins"


@pytest.fixture
def shown(qapp: QApplication, qtbot: Any):
    language = translator.language
    places: list[QWidget] = []  # a panel is never a window of its own

    def make(preset: str | None = None, limit: int | None = None, **values: object) -> tuple[Any, Frame]:
        parameters = preset_parameters(NAME, preset).changed(**values)
        frame = run_with(NAME, parameters, device="cpu", limit=limit).frame
        assert frame is not None
        place = QWidget()
        places.append(place)
        qtbot.addWidget(place)
        panel = load_panel(NAME)(NAME, place)
        panel.resize(830, 720)
        place.resize(830, 720)
        place.show()
        panel.show_frame(frame, parameters)
        qtbot.waitUntil(lambda: not panel._waiting, timeout=2000)
        return panel, frame

    yield make
    translator.set_language(language)


def press(widget: Any, place: QPoint) -> None:
    for kind, buttons in (
        (QEvent.Type.MouseButtonPress, Qt.MouseButton.LeftButton),
        (QEvent.Type.MouseButtonRelease, Qt.MouseButton.NoButton),
    ):
        at, none = QPointF(place), Qt.KeyboardModifier.NoModifier
        globally = QPointF(widget.mapToGlobal(place))
        QApplication.sendEvent(widget, QMouseEvent(kind, at, globally, Qt.MouseButton.LeftButton, buttons, none))


def test_the_path_and_the_table_are_drawn_as_they_were_computed(shown: Any) -> None:
    panel, frame = shown(limit=6)
    np.testing.assert_allclose(panel.way.x, frame.picture.way[:4, 0])
    np.testing.assert_allclose(panel.way.y, frame.picture.way[:4, 1])
    np.testing.assert_allclose(panel.table.shares, frame.tables["responsibilities"])
    np.testing.assert_allclose(panel.likelihood.y, frame.picture.log_likelihood[:7])
    assert panel.bound_line.y[-1] == frame.measures["lower_bound"]
    assert "M" in panel.sets.caption_label.whole


def test_the_bound_can_be_hidden(shown: Any) -> None:
    panel, frame = shown()
    assert panel.bound.isVisible()
    panel.show_frame(frame, frame.parameters.changed(bound=False))
    assert not panel.bound.isVisible()


def test_many_flips_become_bars_and_many_sets_are_counted(shown: Any) -> None:
    panel, _ = shown(heads=tuple(range(40, 100)), flips=(100,))
    _, _, _, rows = panel.table.layout()
    assert 0 < rows < 60
    assert not panel.grab().isNull()


def test_a_low_screen_keeps_the_first_row(shown: Any, qtbot: Any) -> None:
    panel, _ = shown()
    panel.resize(830, 330)
    qtbot.waitUntil(lambda: [card.isVisible() for card in panel.cards] == [True, True, False, False], timeout=1000)


def test_titles_fit_beside_their_captions(shown: Any, qtbot: Any) -> None:
    panel, _ = shown()
    for language in ("en", "zh"):
        translator.set_language(language)
        qtbot.wait(20)
        for card in panel.cards:
            assert isinstance(card, PlotCard)
            assert card.title_label.text() == card.title_label.whole
            assert card.legend.heightForWidth(card.legend.width()) <= 18, card.title_label.whole


def test_a_click_on_a_flip_changes_the_heads(open_theoria: Open, qtbot: Any) -> None:
    session = Session(language="en", theme="dark", current=NAME, experiments={NAME: ExperimentState(parameters={})})
    window = open_theoria(session, wait="finished")
    assert window.view is not None
    lab = window.view.session
    panel: Any = lab.panel
    qtbot.waitUntil(lambda: not panel._waiting, timeout=2000)

    def heads() -> tuple[int, ...]:
        assert lab.frame is not None
        return lab.frame.parameters.heads  # type: ignore[attr-defined]

    def click(row: int, flip: int) -> None:
        centre, _ = panel.table.bead(row, flip)
        press(panel.sets.view.viewport(), panel.sets.view.mapFromScene(centre))

    click(0, 7)
    qtbot.waitUntil(lambda: heads() == (8, 9, 8, 4, 7), timeout=5000)
    click(3, 3)  # the last head turns over
    qtbot.waitUntil(lambda: heads() == (8, 9, 8, 3, 7), timeout=5000)


def test_dragging_the_start_asks_for_new_biases(shown: Any) -> None:
    panel, _ = shown()
    asked: list[dict[str, Any]] = []
    panel.tweak_requested.connect(asked.append)
    panel.start.dragged.emit(0, 0.25, 1.4)
    assert asked == [{"start_a": 0.25, "start_b": 0.995}]
