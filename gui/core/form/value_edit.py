"""Lines of text for one value. They do not know parameters; they report what a user does, and nothing else."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal, Slot
from PySide6.QtGui import (
    QContextMenuEvent,
    QDragEnterEvent,
    QDropEvent,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import (
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from gui.core.look.theme import px
from gui.core.look.widgets import PAGE_KEYS, IconButton, Wheel, step_size, tabular_figures


class ValueEdit(QLineEdit):
    """A line of text for one value.

    Signals
    -------
    stepped : (int, str)
        Up and Down keys or the wheel while focused, if `steps` is set.
    abandoned
        Escape, or undo while something was typed: it shall be forgotten. There is no history of letters beside that of the
        parameters, which would bring back texts that were refused.
    """

    stepped = Signal(int, str)
    abandoned = Signal()

    def __init__(self, parent: QWidget, *, steps: bool = False) -> None:
        super().__init__(parent)
        self.steps = steps
        self._shown = ""
        self._wheel = Wheel()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        tabular_figures(self)

    def add_arrows(self) -> None:
        """Two small arrows at the right end, for a number without an end to slide to."""
        column = QVBoxLayout(self)
        column.setSpacing(0)
        for icon, slot in (("chevron-up", self._on_up), ("chevron-down", self._on_down)):
            arrow = IconButton(icon, self, size=9)
            arrow.setAutoRepeat(True)
            arrow.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            arrow.clicked.connect(slot)
            column.addWidget(arrow, 0, Qt.AlignmentFlag.AlignRight)
        self.restyle()

    def restyle(self) -> None:
        """Room for the arrows."""
        layout = self.layout()
        if layout is not None:
            layout.setContentsMargins(0, 0, px(2), 0)
            self.setTextMargins(0, 0, px(12), 0)

    def show_text(self, text: str) -> None:
        """Show a text from its beginning, without a signal."""
        self._shown = text
        if text != self.text():
            self.setText(text)
            self.setCursorPosition(0)

    @property
    def typed(self) -> bool:
        """Whether there is a text that was typed, not shown."""
        return self.text() != self._shown

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride and _is_undo(event):
            event.setAccepted(self.typed)  # else the key belongs to the window: the last change of a parameter
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        vertical = {Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1}
        key = Qt.Key(event.key())
        if self.steps and key in vertical:
            self.stepped.emit(vertical[key], step_size(event.modifiers()))
        elif self.typed and (key == Qt.Key.Key_Escape or event.matches(QKeySequence.StandardKey.Undo)):
            self.abandoned.emit()
        elif _is_undo(event) or key in PAGE_KEYS:
            event.ignore()
        else:
            super().keyPressEvent(event)

    @Slot()
    def _on_up(self) -> None:
        self.stepped.emit(1, "step")

    @Slot()
    def _on_down(self) -> None:
        self.stepped.emit(-1, "step")

    def wheelEvent(self, event: QWheelEvent) -> None:
        if not (self.steps and self.hasFocus()):
            event.ignore()
            return
        event.accept()
        for _ in range(abs(notches := self._wheel.notches(event))):
            self.stepped.emit(1 if notches > 0 else -1, step_size(event.modifiers()))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.selectAll()  # Qt would take a number apart at its separators

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        event.ignore()  # the row has a menu of its own; copy and paste have their keys


def _is_undo(event: QKeyEvent) -> bool:
    return event.matches(QKeySequence.StandardKey.Undo) or event.matches(QKeySequence.StandardKey.Redo)


class PathEdit(ValueEdit):
    """A line for the path of a file, which can be dropped on it.

    Signals
    -------
    dropped : (str)
        The path of the file that was dropped.
    """

    dropped = Signal(str)

    def show_text(self, text: str) -> None:
        """Show a path without a signal, its end in sight: folders are known, the file is not."""
        super().show_text(text)
        self.setCursorPosition(len(text))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()
        else:
            super().dragEnterEvent(event)

    def dropEvent(self, event: QDropEvent) -> None:
        paths = [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
        if paths:
            event.acceptProposedAction()
            self.dropped.emit(paths[0])
        else:
            super().dropEvent(event)
