"""The notes of an experiment: Markdown with formulas and live numbers, set as a page."""

from __future__ import annotations

import time
from collections.abc import Mapping

from PySide6.QtCore import QMimeData, Qt, QTimer, QUrl
from PySide6.QtGui import QColor, QDesktopServices, QFont, QPalette, QResizeEvent, QTextCursor
from PySide6.QtWidgets import QFrame, QTextBrowser, QWidget

from gui.core.notes.formula_text import FormulaDocument
from gui.core.notes.formulas import FormulaStore
from gui.core.notes.live_text import fill_values, live_names, mark_places
from gui.core.notes.markdown import parse
from gui.core.notes.writer import NoteStyle, NoteWriter

__all__ = ["NotesView", "fill_values", "live_names"]

_REFRESH = 0.2  # seconds between updates of live numbers: faster cannot be read
_MEASURE = 48  # the longest comfortable line, in em
_MARGIN = 14


class NotesView(QTextBrowser):
    """Shows a note, read-only: scrolls with the keyboard, opens links in the browser, copies formulas as LaTeX.

    Parameters
    ----------
    store : where formulas come from; the program's own if None
    wait : make formulas at once instead of showing them when they are ready (for pictures without a window)
    """

    def __init__(self, parent: QWidget | None = None, *, store: FormulaStore | None = None, wait: bool = False) -> None:
        super().__init__(parent)
        self._source = ""
        self._style = NoteStyle(font=self.font())
        self._values: Mapping[str, object] = {}
        self._shown_at = -_REFRESH
        self._later = QTimer(self, singleShot=True, interval=round(_REFRESH * 1000))
        self._later.timeout.connect(self._show_values)
        self._page = FormulaDocument(self, store=store, wait=wait)
        self._page.setDocumentMargin(0)
        self.setDocument(self._page)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setOpenLinks(False)
        self.anchorClicked.connect(_open_link)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("Notes")

    def note(self) -> str:
        """The Markdown that is shown."""
        return self._source

    def set_source(self, markdown: str) -> None:
        """Show a note from its beginning."""
        if markdown != self._source:
            self._source = markdown
            self._write()
            self.verticalScrollBar().setValue(0)

    def set_values(self, values: Mapping[str, object]) -> None:
        """Give the newest values of the live numbers; they are shown at most five times a second."""
        self._values = values
        if self._later.isActive():
            return
        if time.monotonic() - self._shown_at >= _REFRESH:
            self._show_values()
        else:
            self._later.start()

    def set_style(
        self,
        text_colour: QColor | str,
        muted_colour: QColor | str,
        accent_colour: QColor | str,
        surface_colour: QColor | str,
        font_px: int,
    ) -> None:
        """Set colours and the size of the body text; the place that is being read stays in view."""
        font = QFont(self.font())
        style = NoteStyle(
            QColor(text_colour), QColor(muted_colour), QColor(accent_colour), QColor(surface_colour), font, font_px
        )
        if style == self._style:
            return
        self._style = style
        palette = self.palette()
        palette.setColor(QPalette.ColorRole.Base, style.surface)
        palette.setColor(QPalette.ColorRole.Text, style.text)
        palette.setColor(QPalette.ColorRole.Link, style.accent)
        palette.setColor(QPalette.ColorRole.Highlight, style.tint(style.accent, 0.35))
        palette.setColor(QPalette.ColorRole.HighlightedText, style.text)
        self.setPalette(palette)
        self._write()

    @property
    def complete(self) -> bool:
        """Whether all formulas are shown."""
        return self._page.complete

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._set_margins()
        super().resizeEvent(event)

    def createMimeDataFromSelection(self) -> QMimeData:
        cursor = self.textCursor()
        copied = QMimeData()
        copied.setText(self._page.source_text(cursor.selectionStart(), cursor.selectionEnd()))
        return copied

    def _write(self) -> None:
        bar = self.verticalScrollBar()
        read = bar.value() / bar.maximum() if bar.maximum() else 0.0
        marked, places = mark_places(self._source)
        self._page.erase(places)
        self._page.values = self._values
        self._set_margins()
        NoteWriter(self._page, self._style).write(parse(marked))
        self.moveCursor(QTextCursor.MoveOperation.Start)  # writing has carried it to the end, and a view follows its cursor
        bar.setValue(round(read * bar.maximum()))

    def _set_margins(self) -> None:
        """Keep a margin, and in a wide view keep the lines short."""
        side = max(self._style.px(_MARGIN), (self.viewport().width() - _MEASURE * self._style.font_px) / 2)
        shape = self._page.rootFrame().frameFormat()
        if shape.leftMargin() != side or shape.topMargin() != self._style.px(_MARGIN):
            shape.setMargin(self._style.px(_MARGIN))
            shape.setLeftMargin(side)
            shape.setRightMargin(side)
            self._page.rootFrame().setFrameFormat(shape)

    def _show_values(self) -> None:
        self._shown_at = time.monotonic()
        bar = self.verticalScrollBar()
        position = bar.value()
        self._page.set_values(self._values)
        bar.setValue(position)


def _open_link(link: QUrl) -> None:
    if link.scheme() in ("http", "https"):
        QDesktopServices.openUrl(link)
