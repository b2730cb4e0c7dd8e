"""The panel of the energy model: two kinds of data, a hand that draws, texts in both languages."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QWidget

from engine.api import Frame, preset_parameters, run_with
from gui.core.i18n import translator
from gui.core.lab.panel import load_panel
from gui.core.look.theme import theming

NAME = "langevin.energy_model"
SMALL = {"width": 16, "batch": 40, "image_width": 32}
CJK = re.compile("[\u3400-\u9fff]")


def frame_of(limit: int, **values: Any) -> Frame:
    frame = run_with(NAME, preset_parameters(NAME, None).changed(**{**SMALL, **values}), device="cpu", limit=limit).frame
    assert frame is not None
    return frame


@pytest.fixture
def shown(qapp: QApplication, qtbot: Any):
    language, theme = translator.language, theming.current.name
    places: list[QWidget] = []

    def make(frame: Frame) -> Any:
        place = QWidget()
        places.append(place)
        qtbot.addWidget(place)
        panel = load_panel(NAME)(NAME, place)
        panel.resize(1100, 760)
        place.resize(1100, 760)
        place.show()
        panel.show_frame(frame, frame.parameters)
        qtbot.waitUntil(lambda: not panel._waiting)
        return panel

    yield make
    translator.set_language(language)
    theming.set(theme)


def names(panel: Any) -> set[str]:
    cards = ("map", "density", "growing", "buffer", "energies", "likelihood", "classes", "ages")
    return {name for name in cards if getattr(panel, name).isVisible()}


def test_the_plane_and_images_have_their_own_cards(shown: Any, qtbot: Any) -> None:
    plane, images = frame_of(8), frame_of(3, data="digits")
    panel = shown(plane)
    assert names(panel) == {"map", "density", "energies", "likelihood", "ages"}
    assert len(panel.map.data.x) == plane.picture.data.shape[1]
    assert len(panel.map.kept.x) + len(panel.map.fresh.x) == 40
    assert panel.map.paths.x.shape == (40, 21)
    assert panel.density.density.image is not None
    panel.show_frame(images, images.parameters)
    qtbot.waitUntil(lambda: not panel._waiting)
    assert names(panel) == {"growing", "buffer", "energies", "classes", "ages"}
    assert len(panel.growing.gallery.pictures) == 30
    assert len(panel.buffer.gallery.captions) == len(images.picture.buffer)
    assert panel.energies.model.label is None
    panel.show_frame(plane, plane.parameters)
    assert names(panel) == {"map", "density", "energies", "likelihood", "ages"}


def test_the_hand_draws_and_erases(shown: Any) -> None:
    frame = frame_of(1, data="drawn", drawn=((0.5, 0.5), (2.0, 2.0)))
    panel = shown(frame)
    asked: list[dict[str, Any]] = []
    panel.tweak_requested.connect(asked.append)
    assert panel.hand.brush.enabled
    assert panel.clear_button.isVisible()
    brush = panel.hand.brush
    brush.stroke_began.emit(-1.0, 0.0, Qt.MouseButton.LeftButton)
    brush.stroke_moved.emit(-0.99, 0.0)  # too near
    brush.stroke_moved.emit(-0.8, 0.0)
    brush.stroke_moved.emit(-5.0, 0.0)  # outside
    assert asked[-1] == {"drawn": [[0.5, 0.5], [2.0, 2.0], [-1.0, 0.0], [-0.8, 0.0]]}
    brush.stroke_began.emit(2.0, 2.05, Qt.MouseButton.RightButton)
    assert [2.0, 2.0] not in asked[-1]["drawn"]
    panel.clear_button.click()
    assert asked[-1] == {"drawn": [[0.0, 0.0]]}
    panel.hand.set_points(((0.0, 0.0),), True)
    brush.stroke_began.emit(1.0, 1.0, Qt.MouseButton.LeftButton)
    assert asked[-1] == {"drawn": [[1.0, 1.0]]}
    frame.parameters.changed(**asked[-1])


def test_other_data_leave_the_mouse_alone_and_offer_to_draw(shown: Any) -> None:
    panel = shown(frame_of(1))
    asked: list[dict[str, Any]] = []
    panel.tweak_requested.connect(asked.append)
    assert not panel.hand.brush.enabled
    panel.draw_button.click()
    assert asked == [{"data": "drawn"}]


def test_texts_follow_the_language(shown: Any) -> None:
    for frame in (frame_of(2), frame_of(2, data="digits")):
        panel = shown(frame)
        translator.set_language("zh")
        for card in panel.cards:
            assert CJK.search(card.title_label.whole)
        translator.set_language("en")


def test_colours_of_the_map_rest(shown: Any) -> None:
    frame = frame_of(8)
    panel = shown(frame)
    depth = panel.map.span
    assert depth >= 3
    assert np.abs(frame.picture.energy).max() < 3 * depth
    panel.show_frame(frame, frame.parameters)
    assert panel.map.span == depth
