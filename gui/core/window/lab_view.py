"""The two pages of an open experiment: pictures in the middle, parameters, claims and notes at the side."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QSplitter, QStackedWidget, QTabBar, QVBoxLayout, QWidget

from engine.api import Entry, ExperimentState
from gui.core.i18n import tr, translator
from gui.core.lab.open_experiment import OpenExperiment
from gui.core.look.follow import follow
from gui.core.look.theme import space, theming


class LabView(QWidget):
    """The middle page: notices, pictures, transport bar. Owns the session of its experiment, and its side page."""

    def __init__(self, entry: Entry, state: ExperimentState, device: str, parent: QWidget) -> None:
        super().__init__(parent)
        try:
            self.session = OpenExperiment(entry, state, device, self)
        except Exception:
            self.deleteLater()  # half a page must not stay in the window
            raise
        self.side = SidePage(self.session)
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.addWidget(self.session.notices)
        self._box.addWidget(self.session.panel, 1)
        self._box.addWidget(self.session.transport)
        theming.dress(self)
        self._restyle()
        self.retranslate()
        follow(translator.changed, self, self.retranslate)
        follow(theming.changed, self, self._restyle)

    def retranslate(self) -> None:
        """The notes are a file per language."""
        self.session.notes.set_source(self.session.entry.notes(translator.language))

    def _restyle(self) -> None:
        self._box.setSpacing(space(1))
        theme = theming.current
        self.session.notes.set_style(theme.text, theme.muted, theme.accent, theme.surface, theme.px(13))


class SidePage(QSplitter):
    """The side page: parameters above, claims or notes below."""

    def __init__(self, session: OpenExperiment) -> None:
        super().__init__(Qt.Orientation.Vertical)
        self.setChildrenCollapsible(False)
        self._head = QLabel(self)
        self._head.setProperty("role", "section")
        self._tabs = QTabBar(self)
        self._tabs.setExpanding(False)
        self._tabs.setDrawBase(False)
        self._tabs.setElideMode(Qt.TextElideMode.ElideNone)
        self._pages = QStackedWidget(self)
        self._boxes: list[QVBoxLayout] = []
        self._add(self._head, scrolling(session.form))
        for page in (scrolling(session.claims), session.notes):
            self._tabs.addTab("")
            self._pages.addWidget(page)
        self._tabs.currentChanged.connect(self._pages.setCurrentIndex)
        self._add(self._tabs, self._pages)
        self.setSizes([430, 470])
        theming.dress(self)
        self._restyle()
        self.retranslate()
        follow(translator.changed, self, self.retranslate)
        follow(theming.changed, self, self._restyle)

    def retranslate(self) -> None:
        """Set the heads of the sections."""
        self._head.setText(tr("Parameters").upper())
        for index, title in enumerate(("Claims", "Notes")):
            self._tabs.setTabText(index, tr(title))

    def show_notes(self, notes: bool = True) -> None:
        """Show the notes, or the claims."""
        self._tabs.setCurrentIndex(int(notes))

    def _add(self, head: QWidget, content: QWidget) -> None:
        page = QWidget(self)
        box = QVBoxLayout(page)
        box.addWidget(head)
        box.addWidget(content, 1)
        self._boxes.append(box)
        self.addWidget(page)

    def _restyle(self) -> None:
        for box in self._boxes:
            box.setContentsMargins(space(2), space(1), space(1), 0)
            box.setSpacing(space(1))


class _Page(QScrollArea):
    """Asks for the width its content cannot do without."""

    def minimumSizeHint(self) -> QSize:
        hint = super().minimumSizeHint()
        return hint.expandedTo(QSize(self._width(), 0))

    def sizeHint(self) -> QSize:
        hint = super().sizeHint()
        return hint.expandedTo(QSize(self._width(), 0))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return super().eventFilter(watched, event)

    def _width(self) -> int:
        content: QWidget | None = self.widget()
        return (content.minimumSizeHint().width() if content is not None else 0) + self.verticalScrollBar().sizeHint().width()


def scrolling(content: QWidget) -> QScrollArea:
    """A page that scrolls up and down, never sideways."""
    area = _Page()
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidget(content)
    return area
