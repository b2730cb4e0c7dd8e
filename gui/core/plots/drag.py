"""Points in a plot that the mouse moves."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter

from gui.core.look.theme import Role, Theme, theming
from gui.core.plots.base import Plotted, floats, pen, to_log
from gui.core.plots.mouse import LEFT, RIGHT, MouseTool
from gui.core.plots.plot import PlotCard
from gui.core.plots.raster.paint import Floats, Stamps

EMPTY = np.empty(0)
REACH = 14.0


class Handles(Plotted):
    """Points that can be taken hold of; the one under the mouse has a ring."""

    def __init__(self, role: Role, label: str | None, size: float) -> None:
        super().__init__(role, label)
        self.size = size
        self.x: Floats = EMPTY
        self.y: Floats = EMPTY
        self.hot: int | None = None
        self.setZValue(40)
        self.restyle(theming.current)

    def restyle(self, theme: Theme) -> None:
        self.stamps = Stamps("o", theme.width(self.size), theme.colour(self.role), theme.colour("surface"))
        self.ring = pen(theme, "text", 1.6)
        self.update()

    def pixels(self) -> Floats:
        """Where the handles are drawn, shape (n, 2)."""
        return np.column_stack([self.across(to_log(self.x, self.log[0])), self.down(to_log(self.y, self.log[1]))])

    def draw(self, painter: QPainter) -> None:
        places = self.pixels()
        self.stamps.draw(painter, places[np.isfinite(places).all(axis=1)])
        if self.hot is not None and self.hot < len(places):
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(self.ring)
            radius = theming.current.width(self.size / 2 + 4)
            painter.drawEllipse(QPointF(*places[self.hot]), radius, radius)


class DragPoints(MouseTool):
    """Handles that the mouse moves: the nearest within reach is taken, everything else stays with the plot.

    The right button, or Delete over a handle, asks for its removal; Escape during a drag puts it back.

    Parameters
    ----------
    card : PlotCard
        Where the handles are; it also owns them.
    role : str or int
        Colour by meaning.
    size : float
        Diameter in pixels.

    Attributes
    ----------
    grabbed : Signal(int)
        A handle was taken hold of.
    dragged : Signal(int, float, float)
        It moved to data coordinates.
    dropped : Signal(int)
        It was let go.
    removed : Signal(int)
        The hand wants it away; the handle stays until the next `setData`.
    """

    grabbed = Signal(int)
    dragged = Signal(int, float, float)
    dropped = Signal(int)
    removed = Signal(int)

    def __init__(self, card: PlotCard, role: Role = "text", *, label: str | None = None, size: float = 11) -> None:
        super().__init__(card)
        self.handles = card.add(Handles(role, label, size))
        self.held: int | None = None
        self._home = (0.0, 0.0)
        self._offset = QPointF()

    def setData(self, x: ArrayLike, y: ArrayLike) -> None:
        """Put handles at (x, y), both of shape (n,); one that is held stays under the mouse."""
        across, up = floats(x).copy(), floats(y).copy()
        if len(across) != len(up):
            raise ValueError(f"{len(across)} x values, {len(up)} y values")
        if self.held is not None:
            if self.held < len(across):
                across[self.held], up[self.held] = self.handles.x[self.held], self.handles.y[self.held]
            else:
                self.held = None
        self.handles.x, self.handles.y = across, up
        self.handles.changed()

    def nearest(self, at: QPointF) -> int | None:
        """The handle within reach of a place of the viewport."""
        scene = self.view.mapToScene(at.toPoint())
        places = self.handles.pixels()
        if not len(places) or not self.inside(at):
            return None
        away = np.hypot(places[:, 0] - scene.x(), places[:, 1] - scene.y())
        away = np.where(np.isfinite(away), away, np.inf)
        best = int(away.argmin())
        return best if away[best] <= theming.current.px(REACH) else None

    def pressed(self, event: QMouseEvent) -> bool:
        if self.held is not None:
            return True
        found = self.nearest(event.position())
        if found is None or event.button() not in (LEFT, RIGHT):
            return False
        self.listen()
        if event.button() == RIGHT:
            self.removed.emit(found)
            return True
        self.held, self._home = found, (float(self.handles.x[found]), float(self.handles.y[found]))
        self._offset = QPointF(*self.handles.pixels()[found]) - QPointF(self.view.mapToScene(event.position().toPoint()))
        self._point_out(found)
        self.grabbed.emit(found)
        return True

    def moved(self, event: QMouseEvent) -> bool:
        if self.held is not None and not event.buttons() & LEFT:
            self.end()
        if self.held is None:
            self._point_out(self.nearest(event.position()) if not event.buttons() else None)
            return False
        self._move(*self.to_data(event.position() + self._offset))
        return True

    def released(self, event: QMouseEvent) -> bool:
        if self.held is None:
            return False
        if event.button() == LEFT:
            self.end()
        return True

    def end(self) -> None:
        if self.held is not None:
            index, self.held = self.held, None
            self.dropped.emit(index)

    def switched(self) -> None:
        self._point_out(None)

    def left(self) -> None:
        if self.held is None:
            self._point_out(None)

    def wants(self, event: QKeyEvent) -> bool:
        if event.key() == Qt.Key.Key_Escape:
            return self.held is not None
        return event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace) and self.handles.hot is not None

    def key(self, event: QKeyEvent) -> bool:
        if event.key() == Qt.Key.Key_Escape:
            self._move(*self._home)
            self.end()
        elif self.handles.hot is not None:
            self.removed.emit(self.handles.hot)
        return True

    def _move(self, x: float, y: float) -> None:
        if self.held is None:
            return
        self.handles.x[self.held], self.handles.y[self.held] = x, y
        self.handles.changed()
        self.dragged.emit(self.held, x, y)

    def _point_out(self, index: int | None) -> None:
        if index != self.handles.hot:
            self.handles.hot = index
            self.handles.update()
            self.view.viewport().setCursor(Qt.CursorShape.ArrowCursor if index is None else Qt.CursorShape.PointingHandCursor)
