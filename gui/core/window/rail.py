"""The left rail: name, topics, and what the machine is doing."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from engine.api import topics
from gui.core.i18n import tr, translator
from gui.core.look.follow import follow
from gui.core.look.icons import icon
from gui.core.look.theme import px, space, theming

WIDTH, COMPACT_WIDTH = 208, 56


class Rail(QFrame):
    """Topics to choose from, and a status line.

    Signals
    -------
    topic_chosen : (str)
    """

    topic_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("rail")
        self._logo = QLabel(self)
        self._name = QLabel("Theoria", self)
        self._name.setProperty("role", "title")
        self._motto = QLabel(self)
        self._motto.setProperty("role", "muted")
        self._buttons: dict[str, QPushButton] = {}
        self._compact = False
        self._status = QLabel(self)
        self._status.setProperty("role", "small")
        self._status.setWordWrap(True)
        self._status.setTextFormat(Qt.TextFormat.PlainText)
        self._build()
        self._restyle()
        self.retranslate()
        follow(translator.changed, self, self.retranslate)
        follow(theming.changed, self, self._restyle)

    def select(self, topic: str) -> None:
        """Mark a topic as the one on the screen."""
        for name, button in self._buttons.items():
            button.setChecked(name == topic)

    def set_status(self, lines: list[str]) -> None:
        """Show what the machine is doing, a line each."""
        self._status.setText("\n".join(lines))

    def set_compact(self, compact: bool) -> None:
        """On a narrow window the icons alone, so that the pictures get the room."""
        if compact != self._compact:
            self._compact = compact
            for widget in (self._name, self._motto, self._status):
                widget.setVisible(not compact)
            self._restyle()
            self.retranslate()

    def retranslate(self) -> None:
        """Set all texts in the current language."""
        self._motto.setText(tr("see the theorem hold"))
        for number, topic in enumerate(topics(), 1):
            button = self._buttons[topic.name]
            title = topic.titles.get(translator.language, topic.titles["en"])
            button.setText("" if self._compact else title)
            button.setAccessibleName(title)
            named = f"{title}: " if self._compact else ""
            button.setToolTip(f"{named}{topic.summaries.get(translator.language, '')}  (Ctrl+{number})")

    def _build(self) -> None:
        self._box = QVBoxLayout(self)
        head = QHBoxLayout()
        head.addWidget(self._logo)
        head.addWidget(self._name)
        head.addStretch(1)
        self._box.addLayout(head)
        self._box.addWidget(self._motto)
        self._box.addSpacing(8)
        for topic in topics():
            button = QPushButton(self)
            button.setProperty("role", "nav")
            button.setCheckable(True)
            button.setCursor(Qt.CursorShape.PointingHandCursor)
            button.clicked.connect(partial(self.topic_chosen.emit, topic.name))
            self._buttons[topic.name] = button
            self._box.addWidget(button)
        self._box.addStretch(1)
        self._box.addWidget(self._status)

    def _restyle(self) -> None:
        self.setFixedWidth(px(COMPACT_WIDTH if self._compact else WIDTH))
        side = space(1 if self._compact else 2)
        self._box.setContentsMargins(side, space(3), side, space(2))
        self._box.setSpacing(space(0))
        self._logo.setPixmap(icon("logo").pixmap(QSize(px(24), px(24)), self.devicePixelRatioF()))
        for topic in topics():
            self._buttons[topic.name].setIcon(icon(topic.icon))
            self._buttons[topic.name].setIconSize(QSize(px(18), px(18)))
