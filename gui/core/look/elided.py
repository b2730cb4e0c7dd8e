"""A line of text that gives way."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from gui.core.look.theme import text_width

FEWEST_SIGNS = 6


class Elided(QLabel):
    """A line of text that shortens itself with an ellipsis instead of pushing its neighbours.

    Parameters
    ----------
    role : str
        Of the style sheet.
    parent : QWidget, optional
        The owner.
    least : float
        Pixels that it keeps before it shortens itself, whatever the theme's scale: large type must not widen a page.
    """

    def __init__(self, role: str, parent: QWidget | None = None, *, least: float = 40) -> None:
        super().__init__(parent)
        self.least = least
        self.setProperty("role", role)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.whole = ""

    def set_text(self, text: str) -> None:
        """Show this text, as much of it as there is room for."""
        if text != self.whole:
            self.whole = text
            self.setToolTip("")
            self.updateGeometry()
            self._fit()

    def sizeHint(self) -> QSize:
        return QSize(round(text_width(self.whole, self.font())) + 4, super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        return QSize(min(self.sizeHint().width(), round(self.least)), super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._fit()

    def _fit(self) -> None:
        shown = self.fontMetrics().elidedText(self.whole, Qt.TextElideMode.ElideRight, self.width())
        if shown != self.whole and len(shown) < FEWEST_SIGNS:
            shown = ""  # a stump tells nothing
        if shown != self.text():
            self.setText(shown)
            self.setToolTip(self.whole if shown != self.whole else "")
