"""Pictures of a plot, read pixel by pixel."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor, QImage

from gui.core.look.theme import theming
from gui.core.plots import PlotCard

RED, GREEN = "#ff0000", "#00ff00"


def paint_ground(card: PlotCard) -> None:
    """Give a plot the ground of the theme, which otherwise comes from the program's style sheet."""
    card.view.setBackground(theming.current.surface)


def near(a: QColor, b: QColor, slack: int = 60) -> bool:
    return abs(a.red() - b.red()) + abs(a.green() - b.green()) + abs(a.blue() - b.blue()) <= slack


def at(card: PlotCard, image: QImage, x: float, y: float) -> QColor:
    """The colour at a point of the view in a picture of the card."""
    scene = card.plot.getViewBox().mapViewToScene(QPointF(x, y))
    place = card.view.mapTo(card, card.view.mapFromScene(scene)) * image.devicePixelRatio()
    return image.pixelColor(place)


def at_pixels(card: PlotCard, x: float, y: float):
    return card.view.mapTo(card, card.view.mapFromScene(card.plot.getViewBox().mapViewToScene(QPointF(x, y))))


def pixels(image: QImage) -> np.ndarray:
    plain = image.convertToFormat(QImage.Format.Format_RGBA8888)
    rows = np.frombuffer(plain.constBits(), np.uint8).reshape(plain.height(), plain.bytesPerLine() // 4, 4)
    return rows[:, : plain.width(), :3].astype(int)


def count(image: QImage, colour: str, slack: int = 60) -> int:
    wanted = QColor(colour)
    away = np.abs(pixels(image) - (wanted.red(), wanted.green(), wanted.blue())).sum(axis=2)
    return int((away <= slack).sum())
