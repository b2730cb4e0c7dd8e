"""The head of the window: topic, one sentence, the experiments as tabs, and the few buttons one reaches for."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QMenu, QTabBar, QToolButton, QVBoxLayout, QWidget

from engine.api import Entry, Topic
from gui.core.i18n import tr, translator
from gui.core.look.elided import Elided
from gui.core.look.follow import follow
from gui.core.look.icons import icon
from gui.core.look.theme import px, space, theming


class Header(QWidget):
    """Title, summary, tabs and buttons.

    Signals
    -------
    experiment_chosen : (str)
    """

    experiment_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._topic: Topic | None = None
        self._entries: Sequence[Entry] = ()
        self._title = Elided("title", self)
        self._stage = False
        self._summary = Elided("muted", self)
        self._tabs = QTabBar(self)
        self._tabs.setExpanding(False)
        self._tabs.setDrawBase(False)
        self._tabs.setElideMode(Qt.TextElideMode.ElideNone)
        self._tabs.setUsesScrollButtons(True)
        self._tabs.currentChanged.connect(self._on_tab)
        self._buttons = QHBoxLayout()
        self._named: list[tuple[QToolButton, str, str, bool]] = []
        self._build()
        follow(translator.changed, self, self.retranslate)
        follow(theming.changed, self, self._restyle)

    def add_button(self, icon_name: str, text: str, *, labelled: bool = False, menu: QMenu | None = None) -> QToolButton:
        """A button of the head; the text is its label or its tool tip, translated here."""
        button = QToolButton(self)
        button.setCursor(Qt.CursorShape.PointingHandCursor)
        if menu is not None:
            button.setMenu(menu)
            button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._named.append((button, icon_name, text, labelled))
        self._buttons.addWidget(button)
        return button

    def show_topic(self, topic: Topic, entries: Sequence[Entry], current: str) -> None:
        """Show a topic with its experiments as tabs."""
        self._topic, self._entries = topic, entries
        self._tabs.blockSignals(True)
        while self._tabs.count():
            self._tabs.removeTab(0)
        for entry in entries:
            self._tabs.addTab("")
            if entry.name == current:
                self._tabs.setCurrentIndex(self._tabs.count() - 1)
        self._tabs.blockSignals(False)
        self.retranslate()

    def set_compact(self, compact: bool) -> None:
        """On a narrow window the labels of the buttons give way."""
        for button, _, _, labelled in self._named:
            words = labelled and not compact
            styles = Qt.ToolButtonStyle
            button.setToolButtonStyle(styles.ToolButtonTextBesideIcon if words else styles.ToolButtonIconOnly)

    def set_stage(self, stage: bool) -> None:
        """On a stage the titles of topic and experiment stand above the pictures, and no tabs."""
        self._stage = stage
        self._tabs.setVisible(not stage)
        for button, *_ in self._named:
            button.setVisible(not stage)
        self.retranslate()

    def retranslate(self) -> None:
        """Set all texts in the current language."""
        language = translator.language
        if self._topic is not None:
            title = self._topic.titles.get(language, self._topic.titles["en"])
            self._title.set_text(f"{title} · {self._current_title()}" if self._stage else title)
        for index, entry in enumerate(self._entries):
            self._tabs.setTabText(index, entry.titles.get(language, entry.titles["en"]))
            self._tabs.setTabToolTip(index, entry.name)
        if self._entries and 0 <= self._tabs.currentIndex() < len(self._entries):
            summaries = self._entries[self._tabs.currentIndex()].summaries
            self._summary.set_text(summaries.get(language, summaries["en"]))
        for button, _, text, _ in self._named:
            button.setText(tr(text))
            button.setToolTip(tr(text))

    def _current_title(self) -> str:
        index = self._tabs.currentIndex()
        titles = self._entries[index].titles if 0 <= index < len(self._entries) else {}
        return titles.get(translator.language, titles.get("en", ""))

    def finish(self) -> None:
        """Call once all buttons are there."""
        self._restyle()
        self.retranslate()
        self.set_compact(False)

    def _build(self) -> None:
        top = QHBoxLayout()
        top.addWidget(self._title, 1)
        top.addLayout(self._buttons)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(top)
        column.addWidget(self._summary)  # in a line of its own, as long as the pictures are wide
        column.addWidget(self._tabs)
        self._column = column

    def _restyle(self) -> None:
        self._column.setSpacing(space(1))
        self._buttons.setSpacing(space(1))
        for button, icon_name, _, _ in self._named:
            button.setIcon(icon(icon_name))
            button.setIconSize(QSize(px(16), px(16)))

    def _on_tab(self, index: int) -> None:
        if 0 <= index < len(self._entries):
            self.retranslate()
            self.experiment_chosen.emit(self._entries[index].name)
