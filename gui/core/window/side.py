"""The control panel at the right: beside the pictures, or a drawer over them where the window is narrow."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

from gui.core.look.follow import follow
from gui.core.look.theme import mix, px, theming
from gui.core.window.pages import Pages


class Side(QWidget):
    """Holds the side page of each open experiment."""

    WIDTH = 360

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAutoFillBackground(True)  # a style sheet here would reach into every page
        self.setBackgroundRole(QPalette.ColorRole.Base)
        self.wanted = True
        self._drawer = False
        self._drawer_open = False
        self._hidden_for_stage = False
        self._body: QSplitter | None = None
        self._scale = theming.current.scale
        self._pages = Pages(self)
        self._empty = QWidget(self)
        self._pages.addWidget(self._empty)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 8, 0, 8)
        box.addWidget(self._pages)
        self._restyle()
        follow(theming.changed, self, self._restyle)

    def add_page(self, page: QWidget) -> None:
        """Take in the page of an experiment."""
        self._pages.addWidget(page)

    def show_page(self, page: QWidget | None) -> None:
        """Show the page of an experiment, or none."""
        self._pages.setCurrentWidget(page or self._empty)

    def remove_page(self, page: QWidget) -> None:
        """Let go of a page."""
        self._pages.removeWidget(page)
        page.deleteLater()

    @property
    def is_drawer(self) -> bool:
        """Whether the panel lies over the pictures."""
        return self._drawer

    def toggle(self) -> None:
        """Show or hide; a drawer that is opened on a narrow window does not come back by itself."""
        if self._drawer:
            self._drawer_open = not self._drawer_open
        else:
            self.wanted = not self.wanted
        self._place()

    def set_hidden(self, hidden: bool) -> None:
        """On a stage there are no controls."""
        self._hidden_for_stage = hidden
        self._place()

    def set_drawer(self, drawer: bool, body: QSplitter) -> None:
        """Become a drawer over the splitter, or a pane of it."""
        if self._body is None:
            self._body = body
            body.installEventFilter(self)
        if drawer != self._drawer:
            self._drawer = drawer
            self._drawer_open = False
            if drawer:
                self.setParent(body.parentWidget())
            else:
                body.addWidget(self)
                body.setSizes([10_000, px(self.WIDTH)])
        self._place()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if self._drawer and event.type() == QEvent.Type.Resize:
            self._place()
        return False

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme = theming.current
        QPainter(self).fillRect(0, 0, 1, self.height(), theme.colour(mix(theme.surface, theme.line, 0.6)))

    def _place(self) -> None:
        visible = (self._drawer_open if self._drawer else self.wanted) and not self._hidden_for_stage
        self.setVisible(visible)
        if self._drawer and visible and self._body is not None:
            area = self._body.geometry()
            width = min(px(self.WIDTH), area.width() - 80)
            self.setGeometry(area.right() + 1 - width, area.top(), width, area.height())
            self.raise_()

    def _restyle(self) -> None:
        grown, self._scale = theming.current.scale / self._scale, theming.current.scale
        width = round(grown * self.width())
        self.setMinimumWidth(min(px(280), 420))
        if self._body is not None and not self._drawer and grown != 1:  # its text has grown or shrunk
            self._body.setSizes([max(sum(self._body.sizes()) - width, 1), width])
        self._place()
