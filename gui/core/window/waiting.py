"""What stands where the pictures will be while torch is imported: the picture of the last session, and what is awaited."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QBuffer, QIODevice, QRect, Qt
from PySide6.QtGui import QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from engine.api import Message, UsageError, write_atomic
from gui.core.i18n import tr
from gui.core.look.theme import BODY, font, px, theming

FAINT = 0.45  # opacity of a kept picture: nobody shall take it for a live one


class Waiting(QWidget):
    """A page without anything to click."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.message: Message | None = None
        self.picture = QImage()

    def show_message(self, message: Message | None) -> None:
        """Say what is awaited, or nothing any more."""
        self.message = message
        self.update()

    def lines(self) -> list[str]:
        """What is written."""
        if self.message is None:
            return []
        kept = [] if self.picture.isNull() else [tr("The picture is the last session's; a live one will take its place.")]
        return [tr(self.message), *kept]

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        theme, lines = theming.current, self.lines()
        if not self.picture.isNull():
            painter.setOpacity(FAINT)
            size = self.picture.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(QRect((self.width() - size.width()) // 2, 0, size.width(), size.height()), self.picture)
            painter.setOpacity(1.0)
        if not lines:
            return
        painter.setFont(font(BODY))
        text = "\n".join(lines)
        flags = int(Qt.AlignmentFlag.AlignCenter) | int(Qt.TextFlag.TextWordWrap)
        room = self.rect().adjusted(px(40), 0, -px(40), 0)
        box = painter.boundingRect(room, flags, text).adjusted(-px(18), -px(12), px(18), px(12))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(theme.colour("line"))
        painter.setBrush(theme.colour("surface"))
        painter.drawRoundedRect(box, px(10), px(10))
        painter.setPen(theme.colour("muted"))
        painter.drawText(box, flags, text)


def kept_picture(session: Path, experiment: str) -> QImage:
    """The picture that lies beside a session file, if it shows this experiment; a null image otherwise."""
    image = QImage(str(session.with_suffix(".png")))
    return image if experiment in image.textKeys() else QImage()


def keep_picture(session: Path, experiment: str, image: QImage) -> None:
    """Write a picture beside a session file. It is a comfort: a disk that refuses it is no problem."""
    image.setText(experiment, experiment)  # a note in the file of what it shows
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")  # type: ignore[call-overload]
    try:
        write_atomic(session.with_suffix(".png"), bytes(buffer.data().data()))
    except UsageError:
        return
