"""Every picture of every experiment has ink in it, in all themes and both languages.

No reference images: fonts differ between machines. What is held is what a glance would tell: the theme's colours, no empty
card, no card larger than its place.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from PySide6.QtGui import QColor, QImage

from engine.api import Frame, entries, run
from gui.core.i18n import translator
from gui.core.look.theme import theming
from gui.core.output.offscreen import Sheet
from gui.core.plots import render_widget

SIZE = (1100, 760)
LEAST_INK = 0.004  # share of a card's pixels that are not its background


@cache
def frame_of(name: str) -> Frame:
    """A frame after a few steps: young enough to come at once, old enough to have data."""
    frame = run(name, limit=8).frame
    assert frame is not None
    return frame


def pixels(image: QImage) -> np.ndarray:
    image = image.convertToFormat(QImage.Format.Format_RGB32)
    data = np.frombuffer(image.constBits(), dtype=np.uint8)
    return data.reshape(image.height(), image.bytesPerLine() // 4, 4)[:, : image.width(), :3].astype(int)


def ink(image: QImage, background: QColor) -> float:
    paper = np.array([background.blue(), background.green(), background.red()])
    return float((np.abs(pixels(image) - paper).sum(axis=2) > 60).mean())


@pytest.fixture
def look(qapp):
    language, theme = translator.language, theming.current.name
    theming.apply(qapp)
    yield
    translator.set_language(language)
    theming.set(theme)


@pytest.mark.parametrize("theme", ["dark", "light", "stage"])
@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", [entry.name for entry in entries()])
def test_no_picture_is_empty(name: str, language: str, theme: str, look, qtbot) -> None:
    translator.set_language(language)
    theming.set(theme)
    entry = next(entry for entry in entries() if entry.name == name)
    frame = frame_of(name)
    sheet = Sheet(entry, frame, frame.parameters)
    qtbot.addWidget(sheet)
    sheet.resize(*SIZE)
    sheet.show()
    qtbot.wait(1)  # layouts
    sheet.panel.draw_now()
    whole = render_widget(sheet, ratio=1.0)
    assert pixels(whole)[2, 2].tolist() == [
        theming.current.colour("background").blue(),
        theming.current.colour("background").green(),
        theming.current.colour("background").red(),
    ]
    shown = [card for card in sheet.panel.cards if card.isVisible()]  # one that is hidden is no picture
    assert shown
    for card in shown:
        assert card.width() <= SIZE[0]
        assert card.height() >= 100, f"{card.accessibleName()} has no room"
        assert ink(render_widget(card, ratio=1.0), theming.current.colour("surface")) > LEAST_INK, card.accessibleName()
