"""A panel of two rows that gives up the second one where there is no room for it."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QWidget

from gui.core.lab.panel import P, Panel, Q
from gui.core.look.theme import px

LEAST = 420  # height below which two rows are two rows of stumps


class TwoRows(Panel[P, Q]):
    """Shows the more important row alone on a low screen; a subclass says which cards of the other have something to show."""

    def wanted(self, card: QWidget) -> bool:
        """Whether a card of the second row has something to show."""
        return True

    def fit(self) -> None:
        """Show the cards that are wanted and have room."""
        if self.alone or len(self._splitters) < 3:  # the column and its two rows
            return
        lower, roomy = self._splitters[2], self.height() >= px(LEAST)
        for card in self.cards:
            if card.parent() is lower:
                card.setVisible(roomy and self.wanted(card))
        lower.setVisible(roomy)

    def toggle_alone(self, card: QWidget | None) -> None:
        """Show one picture alone, or all again."""
        super().toggle_alone(card)
        self.fit()

    def minimumSizeHint(self) -> QSize:
        """Room for the first row: the second one insists on nothing."""
        hint = super().minimumSizeHint()
        return QSize(hint.width(), self._splitters[1].minimumSizeHint().height() if len(self._splitters) > 1 else hint.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.fit()
