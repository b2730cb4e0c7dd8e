"""What the actions of `gui.core.actions` do; the main window is made of this and its own pieces."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog

from engine.api import LabError, Message, entries, read_session, topics, write_atomic, write_session
from gui.core.autosave import Autosave
from gui.core.export import command_line, csv_text, picture, png_bytes, python_script
from gui.core.i18n import LANGUAGES, tr, translator
from gui.core.sheets import CommandPalette, HelpSheet
from gui.core.theme import themes, theming

if TYPE_CHECKING:
    from gui.core.lab_session import LabSession
    from gui.main_window import MainWindow

EXPORT_DPI = 300


class Commands:
    """Mixin of the main window: one method per action, none longer than it must be."""

    ready = False
    autosave: Autosave | None = None

    # ---- the run -------------------------------------------------------------------------------------------------

    def toggle_playing(self: MainWindow) -> None:
        if self.view is not None:
            self.view.session.toggle_playing()

    def step(self: MainWindow) -> None:
        if self.view is not None:
            self.view.session.step()

    def restart(self: MainWindow) -> None:
        if self.view is not None:
            self.view.session.restart()

    def new_seed(self: MainWindow) -> None:
        if self.view is not None:
            self.view.session.new_seed()

    def undo(self: MainWindow) -> None:
        if self.view is not None:
            self.view.session.undo.undo()

    def redo(self: MainWindow) -> None:
        if self.view is not None:
            self.view.session.undo.redo()

    def reset_parameters(self: MainWindow) -> None:
        if self.view is not None:
            self.view.session.form.reset_all()

    # ---- files ---------------------------------------------------------------------------------------------------

    def changed(self: MainWindow) -> None:
        """Something worth keeping has changed."""
        if self.autosave is not None:
            self.autosave.schedule()

    def open_session(self: MainWindow) -> None:
        name, _ = QFileDialog.getOpenFileName(self, tr("Open a session …"), "", tr("Sessions (*.json)"))
        if name:
            self.open_session_file(Path(name))

    def open_session_file(self: MainWindow, path: Path) -> None:
        """Open a session file; one that cannot be read changes nothing."""
        try:
            session = read_session(path)
        except LabError as error:
            self.notices.show_error(error.message, error.hint)
            return
        self.file = path
        self.adopt(session)

    def save_session(self: MainWindow) -> None:
        if self.file is None:
            self.save_session_as()
        elif self._attempt(lambda: write_session(self.file, self.snapshot())):  # type: ignore[arg-type]
            self.notices.show_info(Message("Saved as {path}.", {"path": str(self.file)}))

    def save_session_as(self: MainWindow) -> None:
        name, _ = QFileDialog.getSaveFileName(self, tr("Save the session as …"), "theoria.json", tr("Sessions (*.json)"))
        if name:
            self.file = Path(name)
            self.save_session()

    # ---- copy and export -----------------------------------------------------------------------------------------

    def copy_command(self: MainWindow) -> None:
        if (session := self._session()) is not None:
            self._copy(command_line(session.entry.name, session.parameters), "Copied the command line.")

    def copy_script(self: MainWindow) -> None:
        if (session := self._session()) is not None:
            self._copy(python_script(session.entry.name, session.parameters), "Copied the Python script.")

    def copy_data(self: MainWindow) -> None:
        if (session := self._session()) is not None and session.frame is not None:
            self._copy(csv_text(session.entry.name, session.frame), "Copied the data as CSV.")

    def copy_picture(self: MainWindow) -> None:
        if (session := self._session()) is not None:
            QGuiApplication.clipboard().setImage(picture(session.panel, EXPORT_DPI))
            self.notices.show_info(Message("Copied the picture."))

    def export_picture(self: MainWindow) -> None:
        if (session := self._session()) is not None:
            self._save(tr("Save picture as PNG (300 dpi) …"), session, "png", lambda: self._png(session))

    def export_data(self: MainWindow) -> None:
        if (session := self._session()) is not None and (frame := session.frame) is not None:
            self._save(tr("Save data as CSV …"), session, "csv", lambda: csv_text(session.entry.name, frame).encode())

    def _png(self: MainWindow, session: LabSession) -> bytes:
        return png_bytes(picture(session.panel, EXPORT_DPI), command_line(session.entry.name, session.parameters))

    def _save(self: MainWindow, title: str, session: LabSession, suffix: str, content: Callable[[], bytes]) -> None:
        suggested = f"{re.sub('[^a-z0-9]+', '-', session.entry.name)}-seed-{session.parameters.seed}.{suffix}"
        name, _ = QFileDialog.getSaveFileName(self, title, suggested, f"*.{suffix}")
        if name and self._attempt(lambda: write_atomic(Path(name), content())):
            self.notices.show_info(Message("Saved as {path}.", {"path": name}))

    def _copy(self: MainWindow, text: str, done: str) -> None:
        QGuiApplication.clipboard().setText(text)
        self.notices.show_info(Message(done))

    def _attempt(self: MainWindow, work: Callable[[], None]) -> bool:
        try:
            work()
        except LabError as error:
            self.notices.show_error(error.message, error.hint)
            return False
        return True

    def _session(self: MainWindow) -> LabSession | None:
        return self.view.session if self.view is not None else None

    # ---- the view ------------------------------------------------------------------------------------------------

    def toggle_side(self: MainWindow) -> None:
        self.side.toggle()
        self.changed()

    def toggle_rail(self: MainWindow) -> None:
        self.rail.setVisible(not self.rail.isVisible())
        self.changed()

    def toggle_alone(self: MainWindow) -> None:
        if self.view is not None:
            panel = self.view.session.panel
            panel.toggle_alone(None if panel.alone else panel.cards[0])

    def toggle_full_screen(self: MainWindow) -> None:
        if self.isFullScreen():
            self.showNormal()
        else:
            self.showFullScreen()

    def toggle_presentation(self: MainWindow) -> None:
        self.presentation.toggle()

    def leave(self: MainWindow) -> None:
        if self.presentation.active:
            self.presentation.stop()
        elif self.isFullScreen():
            self.showNormal()
        elif self.view is not None and self.view.session.panel.alone:
            self.view.session.panel.toggle_alone(None)

    def next_slide(self: MainWindow) -> None:
        self.next_experiment()

    def previous_slide(self: MainWindow) -> None:
        self.previous_experiment()

    def toggle_black(self: MainWindow) -> None:
        self.presentation.toggle_black()

    def toggle_mouse(self: MainWindow) -> None:
        self.presentation.toggle_mouse()

    def next_theme(self: MainWindow) -> None:
        names = themes()
        theming.set(names[(names.index(theming.current.name) + 1) % len(names)])
        self.changed()

    def next_language(self: MainWindow) -> None:
        languages = list(LANGUAGES)
        translator.set_language(languages[(languages.index(translator.language) + 1) % len(languages)])
        self.changed()

    def zoom_in(self: MainWindow) -> None:
        theming.zoom_in()
        self.fit()
        self.changed()

    def zoom_out(self: MainWindow) -> None:
        theming.zoom_out()
        self.fit()
        self.changed()

    def zoom_reset(self: MainWindow) -> None:
        theming.set_zoom(1.0)
        self.fit()
        self.changed()

    # ---- going about ---------------------------------------------------------------------------------------------

    def next_experiment(self: MainWindow) -> None:
        self._go(1)

    def previous_experiment(self: MainWindow) -> None:
        self._go(-1)

    def _go(self: MainWindow, by: int) -> None:
        names = [item.name for item in entries()]
        self.open_experiment(names[(names.index(self.current_entry.name) + by) % len(names)])

    # ---- help ----------------------------------------------------------------------------------------------------

    def show_palette(self: MainWindow) -> None:
        palette = CommandPalette(self)
        for action in self.actions_by_name.values():
            palette.add(action.text(), action.shortcut().toString(), action.trigger)
        for topic in topics():
            for item in entries():
                if item.topic == topic.name:
                    title = f"{topic.titles[translator.language]} · {item.titles[translator.language]}"
                    palette.add_experiment(title, item.name, self.open_experiment)
        palette.open()

    def show_help(self: MainWindow) -> None:
        HelpSheet(self).open()
