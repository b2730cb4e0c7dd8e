"""On a stage the chrome goes, type and lines grow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from gui.core.look.theme import theming

if TYPE_CHECKING:
    from gui.main_window import MainWindow


class Presentation(QObject):
    """Full screen, stage theme, pictures only; black screen and hidden mouse on demand."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._before: tuple[str, Qt.WindowState, bool] | None = None
        self._black: QWidget | None = None
        self._mouse_hidden = False

    @property
    def active(self) -> bool:
        """Whether a presentation is going on."""
        return self._before is not None

    @property
    def everyday_theme(self) -> str:
        """The theme outside the presentation."""
        return self._before[0] if self._before is not None else theming.current.name

    @property
    def everyday_rail(self) -> bool:
        """Whether the rail is there outside the presentation."""
        return self._before[2] if self._before is not None else self._window.rail.isVisibleTo(self._window)

    def start(self) -> None:
        """Clear the stage."""
        if self.active:
            return
        window = self._window
        self._before = (theming.current.name, window.windowState(), window.rail.isVisibleTo(window))
        theming.set("stage")
        window.rail.hide()
        window.side.set_hidden(True)
        window.header.set_stage(True)
        window.set_presenter_keys(True)
        window.showFullScreen()
        window.fit()

    def stop(self) -> None:
        """Back to the window as it was."""
        if self._before is None:
            return
        theme, state, rail = self._before
        self._before = None
        self.set_black(False)
        self._hide_mouse(False)
        theming.set(theme)
        self._window.rail.setVisible(rail)
        self._window.side.set_hidden(False)
        self._window.header.set_stage(False)
        self._window.set_presenter_keys(False)
        self._window.setWindowState(state)
        self._window.fit()

    def toggle(self) -> None:
        """F5."""
        if self.active:
            self.stop()
        else:
            self.start()

    def toggle_black(self) -> None:
        """Clickers send B or a dot."""
        if self.active:
            self.set_black(self._black is None)

    def set_black(self, black: bool) -> None:
        """Cover everything, or uncover it."""
        if black and self._black is None:
            self._black = QWidget(self._window)
            self._black.setStyleSheet("background: black")
            self.fit()
            self._black.show()
        elif not black and self._black is not None:
            self._black.deleteLater()
            self._black = None

    def toggle_mouse(self) -> None:
        """Hide the mouse, or show it again."""
        if self.active:
            self._hide_mouse(not self._mouse_hidden)

    def fit(self) -> None:
        """The window has another size."""
        if self._black is not None:
            self._black.setGeometry(self._window.rect())

    def _hide_mouse(self, hidden: bool) -> None:
        if hidden and not self._mouse_hidden:
            QGuiApplication.setOverrideCursor(Qt.CursorShape.BlankCursor)
        elif self._mouse_hidden and not hidden:
            QGuiApplication.restoreOverrideCursor()
        self._mouse_hidden = hidden
