"""Where the pages of the open experiments stand: pictures beside controls, one experiment at a time."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QEnterEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QSplitter, QSplitterHandle, QStackedWidget, QWidget

from gui.core.look.theme import mix, theming


class Pages(QStackedWidget):
    """A stack whose hidden pages ask for no room: they may be of a theme or language of the past."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.currentChanged.connect(self._share_room)

    def addWidget(self, page: QWidget) -> int:
        index = super().addWidget(page)
        self._share_room(self.currentIndex())
        return index

    def _share_room(self, current: int) -> None:
        for index in range(self.count()):
            policy = QSizePolicy.Policy.Preferred if index == current else QSizePolicy.Policy.Ignored
            if (page := self.widget(index)) is not None:
                page.setSizePolicy(policy, policy)


class Body(QSplitter):
    """Pictures and controls side by side. It draws its divider itself: a style sheet would reach into every page."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.setChildrenCollapsible(False)
        self.setHandleWidth(1)

    def createHandle(self) -> QSplitterHandle:
        return Divider(self.orientation(), self)


class Divider(QSplitterHandle):
    """Seen only while the mouse is on it."""

    def __init__(self, orientation: Qt.Orientation, parent: QSplitter) -> None:
        super().__init__(orientation, parent)
        self._pressed = False

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme = theming.current
        if self._pressed or self.underMouse():
            soft = mix(theme.surface, theme.accent, 0.2)
            QPainter(self).fillRect(self.rect(), theme.colour("accent" if self._pressed else soft))

    def enterEvent(self, event: QEnterEvent) -> None:
        super().enterEvent(event)
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._pressed = True
        super().mousePressEvent(event)
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._pressed = False
        super().mouseReleaseEvent(event)
        self.update()
