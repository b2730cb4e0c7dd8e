"""Painting into a plot with the mouse, without getting in the way of panning, zooming and menus."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QWheelEvent
from PySide6.QtWidgets import QApplication

from gui.core.look.theme import Theme, theming
from gui.core.plots.base import Plotted, pen
from gui.core.plots.mouse import LEFT, RIGHT, MouseTool
from gui.core.plots.plot import PlotCard

WHEEL_STEP = 1.15


class BrushOutline(Plotted):
    """The round rim of a brush under the mouse."""

    def __init__(self) -> None:
        super().__init__("text")
        self.place: tuple[float, float] | None = None
        self.radius = 0.0
        self.second = False
        self.setZValue(60)
        self.restyle(theming.current)

    def restyle(self, theme: Theme) -> None:
        self.under = pen(theme, "surface", 3.2, alpha=0.7)
        self.over = pen(theme, "text", 1.3)
        self.broken = pen(theme, "text", 1.3, "dash")
        self.update()

    def move(self, place: tuple[float, float] | None, radius: float, second: bool) -> None:
        """Show the rim around a place of the view, or nowhere; broken while the second tool is held."""
        if (place, radius, second) != (self.place, self.radius, self.second):
            self.place, self.radius, self.second = place, radius, second
            self.update()

    def draw(self, painter: QPainter) -> None:
        if self.place is None:
            return
        transform = self.sceneTransform()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        centre = self.to_pixels(*self.place)
        for line in (self.under, self.broken if self.second else self.over):
            painter.setPen(line)
            painter.drawEllipse(centre, abs(self.radius * transform.m11()), abs(self.radius * transform.m22()))


class Brush(MouseTool):
    """Painting: while enabled, dragging with the left button paints instead of moving the view.

    The right button, or Shift, is the second tool (erase). The middle button still moves the view, the wheel still zooms,
    Alt still zooms into a box; the wheel with Ctrl changes the radius, Escape ends a stroke, or else puts the brush down.
    A double click paints twice.

    Parameters
    ----------
    card : PlotCard
        Where to paint; it also owns the brush.
    radius : float
        Radius in data units (of the view: decades on a logarithmic axis).

    Attributes
    ----------
    stroke_began : Signal(float, float, object)
        Data coordinates, and `Qt.MouseButton.LeftButton`, or `RightButton` for the second tool.
    stroke_moved : Signal(float, float)
        The mouse moved during a stroke.
    stroke_ended : Signal()
        The button came up, or Escape was pressed.
    clicked : Signal(float, float, object)
        A stroke ended where it began; comes after `stroke_ended`.
    radius_changed : Signal(float)
        By the wheel.
    enabled_changed : Signal(bool)
        By hand or by program.
    """

    stroke_began = Signal(float, float, object)
    stroke_moved = Signal(float, float)
    stroke_ended = Signal()
    clicked = Signal(float, float, object)
    radius_changed = Signal(float)
    enabled_changed = Signal(bool)

    def __init__(self, card: PlotCard, radius: float = 0.1, *, limits: tuple[float, float] | None = None) -> None:
        super().__init__(card)
        self.radius = float(radius)
        self.limits = limits or (radius / 8, radius * 8)
        self.outline = card.add(BrushOutline())
        self._button: Qt.MouseButton | None = None
        self._tool: Qt.MouseButton = LEFT
        self._start = QPointF()
        self._dragged = False
        self.switched()

    @property
    def painting(self) -> bool:
        """Whether a stroke is under way."""
        return self._button is not None

    def set_radius(self, radius: float) -> None:
        """Make the brush larger or smaller, within its limits."""
        low, high = self.limits
        radius = min(max(float(radius), low), high)
        if radius != self.radius:
            self.radius = radius
            self.outline.move(self.outline.place, radius, self.outline.second)
            self.radius_changed.emit(radius)

    def switched(self) -> None:
        self.view.viewport().setCursor(Qt.CursorShape.CrossCursor if self.enabled else Qt.CursorShape.ArrowCursor)
        if not self.enabled:
            self.outline.move(None, self.radius, False)
        self.enabled_changed.emit(self.enabled)

    def pressed(self, event: QMouseEvent) -> bool:
        if self.painting:
            return True
        alt = bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
        if event.button() not in (LEFT, RIGHT) or alt or not self.inside(event.position()):
            return False
        self._button, self._start, self._dragged = event.button(), event.position(), False
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        self._tool = RIGHT if shift or event.button() == RIGHT else LEFT
        self.listen()
        self._show(event.position())
        self.stroke_began.emit(*self.to_data(event.position()), self._tool)
        return True

    def moved(self, event: QMouseEvent) -> bool:
        if self._button is not None and not event.buttons() & self._button:  # it came up where nobody heard it
            self.end()
        self._show(event.position())
        if not self.painting:
            return False
        away = event.position() - self._start
        self._dragged = self._dragged or math.hypot(away.x(), away.y()) >= QApplication.startDragDistance() / 2
        self.stroke_moved.emit(*self.to_data(event.position()))
        return True

    def released(self, event: QMouseEvent) -> bool:
        if not self.painting:
            return False
        if event.button() == self._button:
            tool, clicked = self._tool, not self._dragged
            self.end()
            self._show(event.position())
            if clicked:
                self.clicked.emit(*self.to_data(self._start), tool)
        return True

    def end(self) -> None:
        if self.painting:
            self._button = None
            self.stroke_ended.emit()

    def left(self) -> None:
        if not self.painting:
            self.outline.move(None, self.radius, False)

    def turned(self, event: QWheelEvent) -> bool:
        if not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            return False
        delta = event.angleDelta()
        self.set_radius(self.radius * WHEEL_STEP ** ((delta.y() or delta.x()) / 120))
        event.accept()
        return True

    def wants(self, event: QKeyEvent) -> bool:
        return event.key() == Qt.Key.Key_Escape

    def key(self, event: QKeyEvent) -> bool:
        if self.painting:
            self.end()
        else:
            self.enabled = False
        return True

    def _show(self, at: QPointF) -> None:
        shown = self.painting or self.inside(at)
        point = self.plot.getViewBox().mapSceneToView(self.view.mapToScene(at.toPoint()))
        self.outline.move((point.x(), point.y()) if shown else None, self.radius, self.painting and self._tool == RIGHT)
