"""A label that mixes words and formulas, for claims and captions."""

from __future__ import annotations

import math
import re

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent, QTextBlockFormat, QTextCharFormat, QTextCursor, QTextOption
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui.core.notes.formula_text import FormulaDocument, Math, Words, tabular
from gui.core.notes.formulas import FormulaStore

_PIECES = re.compile(r"(?<!\\)\$([^$]+)(?<!\\)\$")
_NARROWEST = 9  # em: below this a claim cannot be read
_LINE_HEIGHT = 1.45
_FOOT = 0.24


class FormulaLabel(QWidget):
    """Plain text with ``$...$`` formulas on its baseline, broken into lines where there is no room.

    Parameters
    ----------
    text : the words; ``\\$`` is a dollar sign
    size : of the words, in px
    colour : of words and formulas; the palette's text colour if None
    store, wait : see `gui.core.notes.NotesView`
    """

    def __init__(
        self,
        text: str = "",
        parent: QWidget | None = None,
        *,
        size: int = 13,
        colour: QColor | str | None = None,
        store: FormulaStore | None = None,
        wait: bool = False,
    ) -> None:
        super().__init__(parent)
        self._text = text
        self._size = size
        self._colour = QColor(colour) if colour is not None else self.palette().windowText().color()
        self._page = FormulaDocument(self, store=store, wait=wait)
        self._page.setDocumentMargin(0)
        wrap = QTextOption()
        wrap.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self._page.setDefaultTextOption(wrap)
        self._page.formulas_arrived.connect(self._changed)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._write()

    def text(self) -> str:
        """The text with its formulas as LaTeX."""
        return self._text

    @property
    def complete(self) -> bool:
        """Whether all formulas are shown."""
        return self._page.complete

    def set_text(self, text: str) -> None:
        """Show another text."""
        if text != self._text:
            self._text = text
            self._write()

    def set_colour(self, colour: QColor | str) -> None:
        """Paint in another colour."""
        if QColor(colour) != self._colour:
            self._colour = QColor(colour)
            self._write()

    def set_size(self, size: int) -> None:
        """Set the size of the words in px; formulas follow."""
        if size != self._size:
            self._size = size
            self._write()

    def sizeHint(self) -> QSize:
        return self._measured(-1)

    def minimumSizeHint(self) -> QSize:
        whole = self.sizeHint()
        return QSize(min(whole.width(), _NARROWEST * self._size), round(self._size * _LINE_HEIGHT))

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return self._measured(width).height()

    def paintEvent(self, event: QPaintEvent) -> None:
        self._page.setTextWidth(self.width())
        painter = QPainter(self)
        self._page.drawContents(painter)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.FontChange:
            self._write()
        super().changeEvent(event)

    def _measured(self, width: float) -> QSize:
        self._page.setTextWidth(width)
        size = self._page.size()
        return QSize(math.ceil(size.width()), math.ceil(size.height()))

    def _write(self) -> None:
        font = tabular(QFont(self.font()))
        font.setPixelSize(self._size)
        self._page.setDefaultFont(font)
        self._page.erase()
        shape = QTextCharFormat()
        shape.setFont(font)
        shape.setForeground(self._colour)
        cursor = QTextCursor(self._page)
        block = QTextBlockFormat()
        block.setLineHeight(round(self._size * _LINE_HEIGHT), QTextBlockFormat.LineHeightTypes.MinimumHeight.value)
        cursor.setBlockFormat(block)
        # As much as a line leaves above its words: here the foot of a fraction finds its room.
        frame = self._page.rootFrame().frameFormat()
        frame.setBottomMargin(round(self._size * _FOOT))
        self._page.rootFrame().setFrameFormat(frame)
        self._page.write(cursor, _runs(self._text, shape))
        self.setAccessibleName(self._text)
        self._changed()

    def _changed(self) -> None:
        self.updateGeometry()
        self.update()


def _runs(text: str, shape: QTextCharFormat) -> list[Words | Math]:
    pieces = _PIECES.split(text)
    return [
        Math(piece.strip(), shape) if at % 2 else Words(piece.replace(r"\$", "$"), shape) for at, piece in enumerate(pieces)
    ]
