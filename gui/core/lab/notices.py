"""A strip above the pictures for errors and hints: what happened, what helps, and the details for those who ask."""

from __future__ import annotations

from dataclasses import dataclass
from traceback import format_exception

from PySide6.QtCore import QEvent, QObject, QRect, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QGuiApplication, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from engine.api import Message, internal_error
from gui.core.i18n import tr, translator
from gui.core.look.follow import follow
from gui.core.look.icons import icon, set_icon
from gui.core.look.style import restyle
from gui.core.look.theme import SMALL, font, px, space, theming
from gui.core.look.widgets import IconButton

INFO_SECONDS = 6
WARNING_SECONDS = 60  # long enough to be read twice; an error stays until it is closed or mended
LOOKS = {"error": ("warning", "fails"), "warning": ("warning", "pending"), "info": ("info", "accent")}

Text = Message | str


@dataclass(frozen=True, slots=True)
class Notice:
    """What is said, kept as messages so that it can be said again in another language."""

    level: str
    message: Text
    hint: Text = ""
    traceback: str = ""


class IconLabel(QWidget):
    """An icon that is only looked at."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._name, self._role = "info", "accent"
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def set_icon(self, name: str, role: str) -> None:
        """Show an icon in the colour of a role."""
        self._name, self._role = name, role
        self.update()

    def sizeHint(self) -> QSize:
        """As high as a line of text."""
        return QSize(px(18), px(18))

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        icon(self._name, self._role, 18).paint(painter, QRect(0, 0, px(18), px(18)))


class NoticeStrip(QFrame):
    """Shows one notice at a time; it takes room only while it has something to say.

    Parameters
    ----------
    parent : QWidget, optional
    experiment : str, optional
        Whose translations hold sentences of a lab.

    Signals
    -------
    closed
        The user has read it.
    """

    closed = Signal()

    def __init__(self, parent: QWidget | None = None, experiment: str | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("strip")
        self.experiment = experiment
        self.notice: Notice | None = None
        self._place = -1  # in the layout, while it floats over the pictures
        self._icon = IconLabel(self)
        self._message = _text_label(self)
        self._message.setProperty("role", "strong")
        self._hint = _text_label(self)
        self._hint.setProperty("role", "muted")
        self._details = QPushButton(self)
        self._details.clicked.connect(self.show_details)
        self._close = IconButton("close", self)
        self._close.clicked.connect(self._on_close)
        self._fade = QTimer(self, interval=INFO_SECONDS * 1000, singleShot=True)
        self._fade.timeout.connect(self.clear)
        self._arrange()
        self.restyle()
        self.hide()
        follow(translator.changed, self, self.retranslate)
        follow(theming.changed, self, self.restyle)

    def show_error(self, message: Text, hint: Text = "", traceback: str = "") -> None:
        """Say what failed and what helps; a traceback stays behind a button."""
        self._say(Notice("error", message, hint, traceback))

    def show_internal(self, error: Exception) -> None:
        """Say that something of ours went wrong, with its traceback."""
        sentence = internal_error(error)
        self.show_error(sentence.message, sentence.hint, "".join(format_exception(error)))

    def show_warning(self, message: Text, hint: Text = "") -> None:
        """Say what should be known."""
        self._say(Notice("warning", message, hint))
        self._fade.start(WARNING_SECONDS * 1000)

    def show_info(self, message: Text, hint: Text = "") -> None:
        """Say what was done; it goes by itself after some seconds."""
        self._say(Notice("info", message, hint))
        self._fade.start(INFO_SECONDS * 1000)

    def clear_error(self) -> None:
        """What has failed goes well again; warnings and the like stay."""
        if self.notice is not None and self.notice.level == "error":
            self.clear()

    @Slot()
    def clear(self) -> None:
        """Nothing to say."""
        self._fade.stop()
        self.notice = None
        self.hide()

    @Slot()
    def show_details(self) -> QDialog | None:
        """Open the traceback in a window of its own."""
        if self.notice is None or not self.notice.traceback:
            return None
        dialog = Details(self.notice.traceback, self)
        dialog.show()
        return dialog

    @Slot()
    def retranslate(self) -> None:
        """Say it again in the current language."""
        self._details.setText(tr("Details"))
        self._close.set_text(tr("Close"))
        if self.notice is None:
            return
        self._message.setText(tr(self.notice.message, self.experiment))
        self._hint.setText(tr(self.notice.hint, self.experiment))
        self._hint.setVisible(bool(self._hint.text()))
        self.setAccessibleName(f"{self._message.text()} {self._hint.text()}".strip())

    @Slot()
    def restyle(self) -> None:
        """Set sizes of the current theme."""
        self._row.setContentsMargins(px(12), px(8), px(8), px(8))
        self._row.setSpacing(px(10))
        self._words.setSpacing(px(2))
        self._icon.updateGeometry()

    def _arrange(self) -> None:
        self._words = QVBoxLayout()
        self._words.addWidget(self._message)
        self._words.addWidget(self._hint)
        self._row = QHBoxLayout(self)
        self._row.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignTop)
        self._row.addLayout(self._words, 1)
        self._row.addWidget(self._details, 0, Qt.AlignmentFlag.AlignVCenter)
        self._row.addWidget(self._close, 0, Qt.AlignmentFlag.AlignTop)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)

    def _say(self, notice: Notice) -> None:
        self._fade.stop()
        self.notice = notice
        self._icon.set_icon(*LOOKS[notice.level])
        self.setProperty("level", notice.level)
        restyle(self)
        self._details.setVisible(bool(notice.traceback))
        self.retranslate()
        self._float(notice.level == "info")
        self.show()

    def _float(self, floating: bool) -> None:
        """What goes by itself lies over the pictures, which would move twice otherwise; what stays has room of its own."""
        parent = self.parentWidget()
        layout = parent.layout() if parent is not None else None
        if parent is None or not isinstance(layout, QVBoxLayout):
            return
        if floating:
            if self._place < 0:
                self._place = layout.indexOf(self)
                layout.removeWidget(self)
                parent.installEventFilter(self)
            self._lie()
        elif self._place >= 0:
            parent.removeEventFilter(self)
            layout.insertWidget(self._place, self)
            self._place = -1

    def _lie(self) -> None:
        parent = self.parentWidget()
        layout = parent.layout() if parent is not None else None
        below = layout.itemAt(self._place) if layout is not None else None
        if parent is None or layout is None or below is None:
            return
        area = parent.rect().marginsRemoved(layout.contentsMargins())
        width = min(area.width(), px(560))
        height = self.heightForWidth(width) if self.hasHeightForWidth() else self.sizeHint().height()
        self.setGeometry(area.right() + 1 - width, below.geometry().top() + px(4), width, height)
        self.raise_()

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and self._place >= 0:
            self._lie()
        return False

    @Slot()
    def _on_close(self) -> None:
        self.clear()
        self.closed.emit()


class Details(QDialog):
    """A traceback to read and to copy."""

    def __init__(self, traceback: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("Details"))
        self.resize(px(720), px(420))
        self.text = QPlainTextEdit(traceback, self)
        self.text.setReadOnly(True)
        self.text.setFont(font(SMALL + 1, mono=True))
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.copy_button = QPushButton(tr("Copy"), self)
        set_icon(self.copy_button, "copy")
        self.copy_button.clicked.connect(self.copy)
        close = QPushButton(tr("Close"), self)
        close.clicked.connect(self.close)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(self.copy_button)
        buttons.addWidget(close)
        column = QVBoxLayout(self)
        column.setContentsMargins(space(2), space(2), space(2), space(2))
        column.setSpacing(space(2))
        column.addWidget(self.text, 1)
        column.addLayout(buttons)

    @Slot()
    def copy(self) -> None:
        """The traceback to the clipboard."""
        QGuiApplication.clipboard().setText(self.text.toPlainText())
        self.copy_button.setText(tr("Copied"))


def _text_label(parent: QWidget) -> QLabel:
    label = QLabel(parent)
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label
