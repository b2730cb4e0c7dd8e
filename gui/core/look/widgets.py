"""The small widgets that form, transport bar and lists share. They report what a user does, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QFont,
    QFontMetrics,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QWheelEvent,
)
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QRadioButton,
    QSizePolicy,
    QStyle,
    QStyleOptionComboBox,
    QStylePainter,
    QToolButton,
    QWidget,
)

from gui.core.look.icons import set_icon
from gui.core.look.theme import BODY, font, mix, px, theming

PAGE_KEYS = (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)
NUMBER_WIDTH = 104
WHEEL_NOTCH = 120


def step_size(modifiers: Qt.KeyboardModifier) -> str:
    """How far a key or a notch of the wheel goes: Shift a tenth of a step, Ctrl ten steps."""
    if modifiers & Qt.KeyboardModifier.ControlModifier:
        return "coarse"
    return "fine" if modifiers & Qt.KeyboardModifier.ShiftModifier else "step"


def tabular_figures(*widgets: QWidget, weight: int | None = None) -> None:
    """Give widgets digits of one width, so that changing numbers stand still.

    Only that is set, not the size: a size set by hand is lost when the style sheet sees the widget anew.
    """
    made = QFont()
    made.setFeature(QFont.Tag("tnum"), 1)
    if weight is not None:
        made.setWeight(QFont.Weight(weight))
    for widget in widgets:
        widget.setFont(made)


def is_put_away(widget: QWidget) -> bool:
    """Whether a widget was hidden on purpose; one whose parent has not been shown yet was not."""
    return widget.isHidden() and widget.testAttribute(Qt.WidgetAttribute.WA_WState_ExplicitShowHide)


def show_if(widget: QWidget, wanted: bool) -> None:
    """Show or put away; does nothing, and costs nothing, if it is so already."""
    if is_put_away(widget) == wanted:
        widget.setVisible(wanted)


class Wheel:
    """Turns the angles of a wheel or a touch pad into whole notches."""

    def __init__(self) -> None:
        self._angle = 0

    def notches(self, event: QWheelEvent) -> int:
        """Notches since the last call; positive is away from the hand."""
        delta = event.angleDelta()
        self._angle += delta.y() or delta.x()  # Shift turns the wheel sideways on some platforms
        whole = int(self._angle / WHEEL_NOTCH)
        self._angle -= whole * WHEEL_NOTCH
        return whole


class IconButton(QToolButton):
    """A small quiet button that shows only an icon."""

    def __init__(self, icon: str, parent: QWidget, *, size: int = 14) -> None:
        super().__init__(parent)
        self.setProperty("role", "ghost")
        self.setProperty("compact", True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        set_icon(self, icon, "muted", size)

    def set_text(self, text: str) -> None:
        """What the button does: tooltip and accessible name."""
        self.setToolTip(text)
        self.setAccessibleName(text)


class ChoiceBox(QComboBox):
    """A combo box whose wheel acts only when it is focused, and which leaves PageUp and PageDown to the window."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.setMaxVisibleItems(16)

    def paintEvent(self, event: QPaintEvent) -> None:
        """The style sheet's own drawing cuts a long name in the middle of a letter."""
        painter = QStylePainter(self)
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        edit = QStyle.SubControl.SC_ComboBoxEditField
        room = self.style().subControlRect(QStyle.ComplexControl.CC_ComboBox, option, edit, self).width() - 2
        option.currentText = self.fontMetrics().elidedText(self.currentText(), Qt.TextElideMode.ElideRight, room)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in PAGE_KEYS:
            event.ignore()
        else:
            super().keyPressEvent(event)


class Segment(QRadioButton):
    """One choice of a segmented control."""

    def sizeHint(self) -> QSize:
        """Room for the text in its heavier face, so that choosing it moves nothing."""
        metrics = QFontMetrics(font(BODY, 500))
        return QSize(metrics.horizontalAdvance(self.text()) + px(20), px(26))

    def minimumSizeHint(self) -> QSize:
        """As `sizeHint`, with narrower margins."""
        return QSize(self.sizeHint().width() - px(12), px(26))

    def hitButton(self, _position: object) -> bool:
        """The whole segment can be clicked."""
        return True

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in PAGE_KEYS:
            event.ignore()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme = theming.current
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.isChecked() or self.underMouse():
            self._paint_pill(painter)
        painter.setFont(font(BODY, 500))
        painter.setPen(theme.colour("text" if self.isChecked() or self.underMouse() else "muted"))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self.text())

    def _paint_pill(self, painter: QPainter) -> None:
        theme = theming.current
        box = QRectF(self.rect()).adjusted(2.5, 2.5, -2.5, -2.5)
        if self.isChecked():
            fill = mix(theme.raised, theme.accent, 0.28) if theme.dark else theme.surface
            edge = theme.accent if self.hasFocus() else fill if theme.dark else theme.line
            painter.setPen(QPen(theme.colour(edge), theme.width(1)))
            painter.setBrush(theme.colour(fill))
        else:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour(mix(theme.raised, theme.line, 0.5)))
        painter.drawRoundedRect(box, px(4), px(4))

    def event(self, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Enter, QEvent.Type.Leave):
            self.update()
        return super().event(event)


class Segments(QWidget):
    """A few choices side by side.

    Signals
    -------
    chosen : (int)
        The number of the choice that was clicked or reached by arrow keys.
    """

    chosen = Signal(int)

    def __init__(self, count: int, parent: QWidget) -> None:
        super().__init__(parent)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        self.segments = [Segment(self) for _ in range(count)]
        for segment in self.segments:
            row.addWidget(segment, 1)
            segment.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            segment.clicked.connect(self._on_clicked)
        self.setFocusProxy(self.segments[0])

    def set_texts(self, texts: Sequence[str]) -> None:
        """Name the choices."""
        for segment, text in zip(self.segments, texts, strict=True):
            segment.setText(text)
            segment.updateGeometry()

    def choose(self, index: int) -> None:
        """Mark a choice without a signal; none if the number is negative."""
        for number, segment in enumerate(self.segments):
            segment.setAutoExclusive(index >= 0)
            segment.setChecked(number == index)
        if index >= 0:
            self.setFocusProxy(self.segments[index])

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme = theming.current
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.colour("fails" if self.property("invalid") else "line"), 1))
        painter.setBrush(theme.colour("raised"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), px(6), px(6))

    def _on_clicked(self) -> None:
        sender = self.sender()
        if isinstance(sender, Segment):
            index = self.segments.index(sender)
            self.setFocusProxy(sender)
            self.chosen.emit(index)
