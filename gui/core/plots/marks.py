"""What points something out in a plot: a shaded band, a marked value, a text."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QBrush, QPainter

from gui.core.look.theme import Role, Theme, font, px, text_width, theming
from gui.core.plots.base import Dash, Plotted, Swatch, indexed_width, pen, text_with_halo, to_log, wrapped


class Band(Plotted):
    """A shaded interval of x (or y) with a line at both ends.

    Parameters
    ----------
    role : str or int
        Colour by meaning.
    label : str, optional
        Text in the legend.
    vertical : bool
        The interval lies on the x axis.
    alpha : float
        Opacity of the shade.
    """

    def __init__(self, role: Role = "muted", label: str | None = None, *, vertical: bool = True, alpha: float = 0.1) -> None:
        super().__init__(role, label)
        self.vertical, self.alpha = vertical, alpha
        self.swatch = Swatch("patch", role)
        self.interval: tuple[float, float] | None = None
        self.setZValue(-10)
        self.restyle(theming.current)

    def restyle(self, theme: Theme) -> None:
        self.brush = QBrush(theme.colour(self.role, self.alpha))
        self.pen = pen(theme, self.role, 1, alpha=0.45)
        self.update()

    def setData(self, low: float, high: float) -> None:
        """Shade from low to high, in data coordinates."""
        self.interval = (float(low), float(high))
        self.changed()

    def draw(self, painter: QPainter) -> None:
        if self.interval is None:
            return
        ends = to_log(np.array(self.interval), self.log[0 if self.vertical else 1])
        frame = self.frame()
        if not np.isfinite(ends).all():
            return
        a, b = (self.to_pixels(*((e, 0) if self.vertical else (0, e))) for e in ends)
        if self.vertical:
            area = QRectF(QPointF(a.x(), frame.top()), QPointF(b.x(), frame.bottom())).normalized()
        else:
            area = QRectF(QPointF(frame.left(), a.y()), QPointF(frame.right(), b.y())).normalized()
        painter.fillRect(area & frame, self.brush)
        painter.setPen(self.pen)
        if self.vertical:
            painter.drawLine(area.topLeft(), area.bottomLeft())
            painter.drawLine(area.topRight(), area.bottomRight())
        else:
            painter.drawLine(area.topLeft(), area.topRight())
            painter.drawLine(area.bottomLeft(), area.bottomRight())


class Marker(Plotted):
    """A vertical or horizontal line at one value; its text stays inside the plot.

    Parameters
    ----------
    role : str or int
        Colour by meaning.
    text : str
        Written beside the line.
    vertical : bool
        The value lies on the x axis.
    dash : str or None
        A name of `DASHES`.
    at : float
        Where the text stands along the line: 0 at the bottom or left, 1 at the top or right.
    label : str, optional
        Text in the legend.
    """

    def __init__(
        self,
        role: Role = "theory",
        text: str = "",
        *,
        vertical: bool = True,
        dash: Dash = "dash",
        at: float = 1.0,
        label: str | None = None,
    ) -> None:
        super().__init__(role, label)
        self.text, self.vertical, self.dash, self.at = text, vertical, dash, at
        self.swatch = Swatch("line", role, dash)
        self.value: float | None = None
        self.setZValue(20)
        self.restyle(theming.current)

    def restyle(self, theme: Theme) -> None:
        self.pen = pen(theme, self.role, 1, self.dash)
        self.update()

    def setData(self, value: float, text: str | None = None) -> None:
        """Move the line, and change its text if one is given."""
        self.value = float(value)
        if text is not None:
            self.text = text
        self.changed()

    def draw(self, painter: QPainter) -> None:
        if self.value is None:
            return
        place = to_log(np.array([self.value]), self.log[0 if self.vertical else 1])[0]
        frame = self.frame()
        point = self.to_pixels(*((place, 0) if self.vertical else (0, place)))
        along = point.x() if self.vertical else point.y()
        low, high = (frame.left(), frame.right()) if self.vertical else (frame.top(), frame.bottom())
        if not low <= along <= high:
            return
        painter.setPen(self.pen)
        if self.vertical:
            painter.drawLine(QPointF(along, frame.top()), QPointF(along, frame.bottom()))
        else:
            painter.drawLine(QPointF(frame.left(), along), QPointF(frame.right(), along))
        if self.text:
            text_with_halo(painter, self.text_place(frame, along), self.text, self.role)

    def text_place(self, frame: QRectF, along: float) -> QPointF:
        """Where the text's baseline starts: beside the line, on the other side where it would leave the plot."""
        width, height, gap = text_width(self.text, font(12, 500, tabular=True)), px(12), px(6)
        if self.vertical:
            x = along + gap if along + gap + width <= frame.right() - 2 else along - gap - width
            y = frame.top() + px(4) + height + (1 - self.at) * (frame.height() - height - px(8))
            return QPointF(max(x, frame.left() + 2), min(y, frame.bottom() - px(4)))
        y = along - gap if along - gap - height >= frame.top() + 2 else along + gap + height
        return QPointF(frame.left() + px(6) + self.at * max(frame.width() - width - px(12), 0), min(y, frame.bottom() - 2))


class Label(Plotted):
    """Text at a point of the data.

    Parameters
    ----------
    text : str
        What it says.
    role : str or int
        Colour by meaning.
    anchor : tuple of float
        Which point of the text lies on the data point: (0, 0) its top left, (1, 1) its bottom right, (0.5, 0.5) its centre.
    """

    def __init__(
        self, text: str = "", role: Role = "muted", *, anchor: tuple[float, float] = (0.0, 0.5), size: float = 12
    ) -> None:
        super().__init__(role)
        self.text, self.anchor, self.size = text, anchor, size
        self.place: tuple[float, float] | None = None
        self.setZValue(30)

    def setData(self, x: float, y: float, text: str | None = None) -> None:
        """Move the text, and change it if one is given."""
        self.place = (float(x), float(y))
        if text is not None:
            self.text = text
        self.changed()

    def draw(self, painter: QPainter) -> None:
        if self.place is None or not self.text:
            return
        x, y = (float(to_log(np.array([v]), log)[0]) for v, log in zip(self.place, self.log, strict=True))
        if not (np.isfinite(x) and np.isfinite(y)):
            return
        at, frame = self.to_pixels(x, y), self.frame()
        if not frame.adjusted(-1, -1, 1, 1).contains(at):
            return
        lines = wrapped(self.text, frame.width() - 4, self.size, 500)
        high, step = px(self.size) * 0.78, px(self.size) * 1.3
        block = high + (len(lines) - 1) * step
        base = min(max(at.y() + (1 - self.anchor[1]) * block, frame.top() + block + 2), frame.bottom() - 3)
        for number, line in enumerate(reversed(lines)):
            width = indexed_width(line, self.size, 500)
            left = max(min(at.x() - self.anchor[0] * width, frame.right() - width - 2), frame.left() + 2)
            text_with_halo(painter, QPointF(left, base - number * step), line, self.role, self.size)
