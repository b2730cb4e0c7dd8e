"""The slider: drawn here, so that it looks the same everywhere and goes where it is clicked."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QWheelEvent
from PySide6.QtWidgets import QSlider, QWidget

from gui.core.look.theme import mix, px, theming
from gui.core.look.widgets import Wheel, step_size

KNOB = 7  # radius
GROOVE = 4
DIRECTIONS = {Qt.Key.Key_Up: 1, Qt.Key.Key_Right: 1, Qt.Key.Key_Down: -1, Qt.Key.Key_Left: -1}


class SlideBar(QSlider):
    """A horizontal slider that goes where it is clicked.

    It leaves PageUp and PageDown to the window, and the wheel to those who scroll unless it has the focus.

    Signals
    -------
    slid : (int)
        The new position under a dragging hand.
    stepped : (int, str)
        An arrow key or a notch of the wheel: direction and ``fine``, ``step`` or ``coarse``.
    let_go
        The hand or the focus has left the slider.
    """

    slid = Signal(int)
    stepped = Signal(int, str)
    let_go = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self._wheel = Wheel()
        self._origin = 0
        self._reach: int | None = None
        self.sliderReleased.connect(self.let_go)

    def set_origin(self, position: int) -> None:
        """Where the filled part begins: at zero, if the range has both signs."""
        self._origin = position
        self.update()

    def set_reach(self, position: int | None) -> None:
        """How far the range has been filled, whatever the knob shows: a paler track up to there."""
        if position != self._reach:
            self._reach = position
            self.update()

    def sizeHint(self) -> QSize:
        """As high as a finger needs."""
        return QSize(px(120), px(20))

    def minimumSizeHint(self) -> QSize:
        """Still usable."""
        return QSize(px(60), px(20))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            event.ignore()
            return
        self.setSliderDown(True)
        self._go(self._position_at(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self.isSliderDown():
            self._go(self._position_at(event.position().x()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.isSliderDown():
            self.setSliderDown(False)
            self.update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if not self.hasFocus():
            event.ignore()
            return
        event.accept()
        for _ in range(abs(notches := self._wheel.notches(event))):
            self.stepped.emit(1 if notches > 0 else -1, step_size(event.modifiers()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        ends = {Qt.Key.Key_Home: self.minimum(), Qt.Key.Key_End: self.maximum()}
        if key in DIRECTIONS:
            self.stepped.emit(DIRECTIONS[key], step_size(event.modifiers()))
        elif key in ends:
            self._go(ends[key])
        else:
            event.ignore()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.let_go.emit()

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme = theming.current
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        left, knob = self._x(self.minimum()) - px(KNOB), self._x(self.sliderPosition())
        self._paint_groove(painter, left, self._x(self.maximum()) + px(KNOB), theme.line)
        if self._reach is not None and self._reach > self.minimum():
            self._paint_groove(painter, left, self._x(self._reach), mix(theme.line, theme.accent, 0.45))
        if self.isEnabled() or self._reach:
            start = self._x(self._origin) if self._origin > self.minimum() else left
            self._paint_groove(painter, min(start, knob), max(start, knob), theme.accent)
        if self.isEnabled() or self._reach is None:
            self._paint_knob(painter, QPointF(knob, self.height() / 2), theme.dark)

    def _paint_groove(self, painter: QPainter, left: float, right: float, colour: str) -> None:
        height = px(GROOVE)
        painter.setBrush(theming.current.colour(colour))
        box = QRectF(left, (self.height() - height) / 2, right - left, height)
        painter.drawRoundedRect(box, height / 2, height / 2)

    def _paint_knob(self, painter: QPainter, centre: QPointF, dark: bool) -> None:
        theme = theming.current
        hot = self.isEnabled() and (self.isSliderDown() or self.underMouse())
        if self.hasFocus():
            painter.setBrush(theme.colour("accent", 0.35))
            painter.drawEllipse(centre, px(KNOB) + px(3), px(KNOB) + px(3))
        fill, edge = (theme.text, theme.surface) if dark else (theme.surface, theme.accent)
        if not self.isEnabled():
            fill, edge = mix(theme.surface, theme.muted, 0.4), theme.surface
        painter.setPen(QPen(theme.colour(edge), px(1.5)))
        painter.setBrush(theme.colour(mix(fill, theme.accent, 0.2) if hot else fill))
        painter.drawEllipse(centre, px(KNOB), px(KNOB))

    def _x(self, position: int) -> float:
        """The middle of the knob at a position; the ring of the focus needs a little more room than the knob."""
        margin = px(KNOB) + 1
        span = max(1, self.maximum() - self.minimum())
        return margin + (self.width() - 2 * margin) * (position - self.minimum()) / span

    def _position_at(self, x: float) -> int:
        margin = px(KNOB) + 1
        share = (x - margin) / max(1, self.width() - 2 * margin)
        return self.minimum() + round(min(1.0, max(0.0, share)) * (self.maximum() - self.minimum()))

    def _go(self, position: int) -> None:
        if position != self.value():
            self.setValue(position)
            self.slid.emit(position)
