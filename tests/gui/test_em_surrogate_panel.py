"""The panel of the surrogates draws what its frames say, and the start can be dragged."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication, QWidget

from engine.api import Frame, preset_parameters, run_with
from gui.core.i18n import translator
from gui.core.lab.panel import load_panel

NAME = "em.surrogate"


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


def test_the_curves_are_those_of_the_frame(shown: Any) -> None:
    panel, frame = shown(limit=3)
    picture = frame.picture
    seen = np.isfinite(panel.likelihood.y)
    np.testing.assert_allclose(panel.likelihood.y[seen], picture.likelihood[seen])
    drawn = panel.surrogates[0].y
    shared = np.isfinite(drawn)
    assert shared.sum() > 100
    np.testing.assert_allclose(drawn[shared], picture.surrogates[0][shared])
    assert (panel.now.x[0], panel.now.y[0]) == (picture.theta, picture.height)
    np.testing.assert_allclose(panel.errors[0].y, picture.errors[0])


def test_before_the_first_step_there_is_no_surrogate(shown: Any) -> None:
    panel, _ = shown(limit=0)
    assert not any(curve.isVisible() for curve in panel.surrogates)


def test_the_other_surrogates_can_be_hidden(shown: Any) -> None:
    panel, frame = shown(limit=1)
    assert all(curve.isVisible() for curve in panel.surrogates)
    panel.show_frame(frame, frame.parameters.changed(others=False))
    assert [curve.isVisible() for curve in panel.surrogates] == [True, False, False]


def test_a_low_screen_keeps_the_first_row(shown: Any, qtbot: Any) -> None:
    panel, _ = shown()
    panel.resize(830, 330)
    qtbot.waitUntil(lambda: [card.isVisible() for card in panel.cards] == [True, False, False], timeout=1000)


def test_titles_fit_beside_their_captions(shown: Any, qtbot: Any) -> None:
    panel, _ = shown()
    for language in ("en", "zh"):
        translator.set_language(language)
        qtbot.wait(20)
        for card in panel.cards:
            assert card.title_label.text() == card.title_label.whole
            assert card.legend.heightForWidth(card.legend.width()) <= 18, card.title_label.whole


def test_dragging_the_start_stays_inside(shown: Any) -> None:
    panel, _ = shown()
    asked: list[dict[str, Any]] = []
    panel.tweak_requested.connect(asked.append)
    panel.start.dragged.emit(0, 0.333333, 0.0)
    panel.start.dragged.emit(0, 1.7, 0.0)
    assert asked == [{"start": 0.3333}, {"start": 0.996}]
