"""A panel of two rows that becomes pages where there is no room for both."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QTabBar, QWidget

from engine.api import Frame
from gui.core.lab.panel import P, Panel, Q
from gui.core.look.theme import px

LEAST = 540  # height below which two rows are two rows of stumps
LEAST_OF_A_FIGURE = 420  # where nobody can turn pages
COMFORTABLE = 220  # width of a card whose title, legend and ticks can be read


class TwoRows(Panel[P, Q]):
    """Both rows where there is room; on a low screen pages of them, with a tab for each, the more important row first.

    A subclass says which cards of the second row have something to show.
    """

    least = LEAST
    pages: QTabBar  # made with the rows, inside the panel: without a parent it would be a window of its own

    def arrange(
        self, *rows: Sequence[QWidget], stretch: Sequence[float] = (3, 2), shares: Sequence[Sequence[float]] = ()
    ) -> None:
        """As that of any panel, with the pages below the rows."""
        super().arrange(*rows, stretch=stretch, shares=shares)
        self.pages = QTabBar(self)
        self.pages.setProperty("role", "pages")
        self.pages.setExpanding(False)
        self.pages.setDrawBase(False)
        self.pages.setElideMode(Qt.TextElideMode.ElideNone)
        self.pages.setUsesScrollButtons(True)
        self.pages.hide()
        self._layout.addWidget(self.pages)
        self.pages.currentChanged.connect(self._on_page)

    def wanted(self, card: QWidget) -> bool:
        """Whether a card of the second row has something to show."""
        return True

    @property
    def roomy(self) -> bool:
        """Whether both rows are shown at once."""
        return self.height() >= px(self.least)

    def fit(self) -> None:
        """Show the cards that are wanted and have room; name the pages of the others."""
        if self.alone or len(self._splitters) < 3:  # the column and its two rows
            self.pages.hide()
            return
        upper, lower = self._splitters[1:3]
        below = [card for card in self.cards if card.parent() is lower and self.wanted(card)]
        pages = [] if self.roomy else self._paged(below)
        self._name(pages)
        page = self.pages.currentIndex() if pages else 0
        shown = below if self.roomy else pages[page] if page > 0 else []
        for card in self.cards:
            if card.parent() is lower:
                card.setVisible(card in shown)
        upper.setVisible(page <= 0)
        lower.setVisible(bool(shown))
        self.pages.setVisible(len(pages) > 1)

    def show_frame(self, frame: Frame[P, Q], parameters: P) -> None:
        super().show_frame(frame, parameters)
        if self.pages.isVisibleTo(self):
            self.fit()  # titles may follow the frame

    def toggle_alone(self, card: QWidget | None) -> None:
        """Show one picture alone, or all again."""
        super().toggle_alone(card)
        self.fit()

    def minimumSizeHint(self) -> QSize:
        """Room for the first row: the second one insists on nothing."""
        hint = super().minimumSizeHint()
        if len(self._splitters) < 2:
            return hint
        tabs = self.pages.sizeHint().height() if self.pages.isVisibleTo(self) else 0
        return QSize(hint.width(), self._splitters[1].minimumSizeHint().height() + tabs)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.fit()

    def _retranslate(self) -> None:
        super()._retranslate()
        self.fit()

    def _paged(self, below: list[QWidget]) -> list[list[QWidget]]:
        """The first row, then the cards of the second one, as many to a page as are comfortable side by side."""
        each = max(1, self.width() // px(COMFORTABLE))
        first = [card for card in self.cards if card.parent() is self._splitters[1]]
        return [first, *(below[at : at + each] for at in range(0, len(below), each))]

    def _name(self, pages: list[list[QWidget]]) -> None:
        """A tab for each page, named like its pictures, the first like the main one; the chosen one stays while it is there."""
        named = [page[:1] if at == 0 else page for at, page in enumerate(pages)]
        names = [" · ".join(card.accessibleName() for card in page) for page in named]
        if names == [self.pages.tabText(at) for at in range(self.pages.count())]:
            return
        blocked = self.pages.blockSignals(True)
        while self.pages.count() > len(names):
            self.pages.removeTab(self.pages.count() - 1)
        for at, name in enumerate(names):
            if at < self.pages.count():
                self.pages.setTabText(at, name)
            else:
                self.pages.addTab(name)
            self.pages.setTabToolTip(at, name)
        self.pages.blockSignals(blocked)

    @Slot(int)
    def _on_page(self, _index: int) -> None:
        self.fit()
