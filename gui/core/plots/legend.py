"""A compact legend: swatch and name of every item of a plot in one row, more rows where the room ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from weakref import ref

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui.core.look.theme import font, px, text_width, theming
from gui.core.plots.base import LOWERED, Swatch, indexed_width, pen, pieces
from gui.core.plots.raster.paint import symbol_path

SWATCH_WIDTHS = {"line": 20, "patch": 12, "marker": 8}
ROW = 18


class Legend(QWidget):
    """Explains the items of a plot; a click on an entry hides or shows its item."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.items: list[Any] = []
        self._all: list[Any] = []
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def set_items(self, items: Sequence[Any]) -> None:
        """Explain these items; those without a label or a swatch are left out."""
        self._all = list(items)
        for item in items:
            item.legend = ref(self)
        self.items = [item for item in items if item.label and item.swatch]
        self.refresh()

    def relist(self) -> None:
        """Explain the same items after one of them got or lost its name."""
        self.set_items(self._all)

    @property
    def listed(self) -> list[Any]:
        """The items that have an entry now, hidden ones too."""
        return [item for item in self.items if item.present and item.label]

    def refresh(self) -> None:
        """Draw again after a label, the theme or what there is to explain changed."""
        self.setVisible(bool(self.listed))
        self.updateGeometry()
        self.update()

    def places(self, width: float) -> list[QRectF]:
        """Where the entries lie when the legend is this wide."""
        x, y, found = 0.0, 0.0, []
        for item in self.listed:
            length = swatch_width(item.swatch) + px(6) + indexed_width(item.label, 12)
            if x > 0 and x + length > width:
                x, y = 0.0, y + px(ROW)
            found.append(QRectF(x, y, length, px(ROW)))
            x += length + px(16)
        return found

    def heightForWidth(self, width: int) -> int:
        places = self.places(width)
        return round(places[-1].bottom()) if places else 0

    def sizeHint(self) -> QSize:
        return QSize(px(120), self.heightForWidth(max(self.width(), px(200))))

    def minimumSizeHint(self) -> QSize:
        return QSize(px(60), px(ROW) if self.listed else 0)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        for item, place in zip(self.listed, self.places(self.width()), strict=True):
            if place.contains(event.position()):
                item.set_hidden(not item.hidden)
                return
        event.ignore()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(font(12))
        for item, place in zip(self.listed, self.places(self.width()), strict=True):
            painter.setOpacity(0.4 if item.hidden else 1.0)
            draw_swatch(painter, item.swatch, QRectF(place.left(), place.top(), swatch_width(item.swatch), place.height()))
            painter.setPen(theming.current.colour("muted"))
            draw_words(painter, place.adjusted(swatch_width(item.swatch) + px(6), 0, px(4), 0), item.label)


def draw_words(painter: QPainter, box: QRectF, text: str) -> None:
    """Write a name into a box, its indices lowered."""
    for piece, lowered in pieces(text):
        face = font(LOWERED * 12 if lowered else 12, tabular=True)
        painter.setFont(face)
        down = px(12) * 0.25 if lowered else 0.0
        painter.drawText(box.translated(0, down), Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, piece)
        box = box.adjusted(text_width(piece, face), 0, 0, 0)


def swatch_width(swatch: Swatch) -> int:
    """How much room the sign before a label takes."""
    return px(SWATCH_WIDTHS[swatch.kind])


def draw_swatch(painter: QPainter, swatch: Swatch, box: QRectF) -> None:
    """Draw a short line, a marker or a patch into a box, as the item itself looks."""
    theme = theming.current
    middle = box.center().y()
    if swatch.kind == "line":
        painter.setPen(pen(theme, swatch.role, 2, swatch.dash))
        painter.drawLine(QPointF(box.left() + 1, middle), QPointF(box.right() - 1, middle))
    elif swatch.kind == "patch":
        painter.setPen(QPen(theme.colour(swatch.role), 1))
        painter.setBrush(theme.colour(swatch.role, 0.42))
        painter.drawRoundedRect(QRectF(box.left(), middle - px(5), box.width(), px(10)).adjusted(0.5, 0.5, -0.5, -0.5), 2, 2)
    else:
        outlined = swatch.symbol in "x+"
        painter.setPen(QPen(theme.colour(swatch.role), theme.width(1.6)) if outlined else Qt.PenStyle.NoPen)
        painter.setBrush(Qt.BrushStyle.NoBrush if outlined else theme.colour(swatch.role))
        painter.drawPath(symbol_path(swatch.symbol, px(8)).translated(box.center()))
