"""What the actions of `gui.core.window.actions` do."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog

from engine.api import (
    LANGUAGES,
    LabError,
    Message,
    entries,
    open_session,
    themes,
    topics,
    write_archive,
    write_atomic,
    write_session,
)
from gui.core.i18n import tr, translator
from gui.core.look.theme import theming
from gui.core.window.actions import ACTIONS
from gui.core.window.search import details_of, words_of
from gui.core.window.sheets import CommandPalette, HelpSheet

if TYPE_CHECKING:
    from gui.core.form.field import Field
    from gui.core.lab.open_experiment import OpenExperiment
    from gui.main_window import MainWindow

EXPORT_DPI = 300


class Commands(QObject):
    """One method per action of the main window, none longer than it must be."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window

    # ---- the run -------------------------------------------------------------------------------------------------

    def toggle_playing(self) -> None:
        if (session := self._session()) is not None:
            session.toggle_playing()

    def step(self) -> None:
        if (session := self._session()) is not None:
            session.step()

    def restart(self) -> None:
        if (session := self._session()) is not None:
            session.restart()

    def new_seed(self) -> None:
        if (session := self._session()) is not None:
            session.new_seed()

    def undo(self) -> None:
        if (session := self._session()) is not None:
            session.form.finish_gesture()
            session.undo.undo()

    def redo(self) -> None:
        if (session := self._session()) is not None:
            session.form.finish_gesture()
            session.undo.redo()

    def reset_parameters(self) -> None:
        if (session := self._session()) is not None:
            session.form.reset_all()

    # ---- files ---------------------------------------------------------------------------------------------------

    def open_session(self) -> None:
        name, _ = QFileDialog.getOpenFileName(self._window, tr("Open a session …"), "", tr("Sessions (*.json *.zip)"))
        if name:
            self.open_session_file(Path(name))

    def open_session_file(self, path: Path) -> None:
        """Open a session file; one that cannot be read changes nothing."""
        try:
            session = open_session(path)
        except LabError as error:
            self._window.notices.show_error(error.message, error.hint)
            return
        self._window.file = path
        self._window.adopt(session)

    def save_session(self) -> None:
        if self._window.file is None:
            self.save_session_as()
        elif self._attempt(partial(self._write_session, self._window.file)):
            self._window.notices.show_info(Message("Saved as {path}.", {"path": str(self._window.file)}))

    def _write_session(self, path: Path) -> None:
        """JSON, or a zip that keeps the arrays on the screen too."""
        if path.suffix == ".zip":
            write_archive(path, self._window.snapshot(), self._window.arrays())
        else:
            write_session(path, self._window.snapshot())

    def save_session_as(self) -> None:
        name, _ = QFileDialog.getSaveFileName(
            self._window, tr("Save the session as …"), "theoria.json", tr("Sessions (*.json);;Sessions with arrays (*.zip)")
        )
        if name:
            self._window.file = Path(name)
            self.save_session()

    # ---- copy and export -----------------------------------------------------------------------------------------

    def copy_command(self) -> None:
        if (session := self._session()) is not None:
            self._copy(self._export.command_line(session.entry.name, session.parameters), "Copied the command line.")

    def copy_script(self) -> None:
        if (session := self._session()) is not None:
            self._copy(self._export.python_script(session.entry.name, session.parameters), "Copied the Python script.")

    def copy_data(self) -> None:
        if (session := self._session()) is not None and session.frame is not None:
            self._copy(self._export.csv_text(session.entry.name, session.frame), "Copied the data as CSV.")

    def copy_picture(self) -> None:
        if (session := self._session()) is not None:
            QGuiApplication.clipboard().setImage(self._export.picture(session.panel, EXPORT_DPI))
            self._window.notices.show_info(Message("Copied the picture."))

    def export_picture(self) -> None:
        if (session := self._session()) is not None:
            self._save(tr("Save picture as PNG (300 dpi) …"), session, "png", lambda: self._png(session))

    def export_data(self) -> None:
        if (session := self._session()) is not None and (frame := session.frame) is not None:
            self._save(
                tr("Save data as CSV …"), session, "csv", lambda: self._export.csv_text(session.entry.name, frame).encode()
            )

    def _png(self, session: OpenExperiment) -> bytes:
        found: bytes = self._export.png_bytes(
            self._export.picture(session.panel, EXPORT_DPI), self._export.command_line(session.entry.name, session.parameters)
        )
        return found

    @property
    def _export(self) -> ModuleType:
        """With it comes pyqtgraph: not before the window is on the screen."""
        from gui.core.output import export

        return export

    def _save(self, title: str, session: OpenExperiment, suffix: str, content: Callable[[], bytes]) -> None:
        suggested = f"{re.sub('[^a-z0-9]+', '-', session.entry.name)}-seed-{session.parameters.seed}.{suffix}"
        name, _ = QFileDialog.getSaveFileName(self._window, title, suggested, f"*.{suffix}")
        if name and self._attempt(lambda: write_atomic(Path(name), content())):
            self._window.notices.show_info(Message("Saved as {path}.", {"path": name}))

    def _copy(self, text: str, done: str) -> None:
        QGuiApplication.clipboard().setText(text)
        self._window.notices.show_info(Message(done))

    def _attempt(self, work: Callable[[], None]) -> bool:
        try:
            work()
        except LabError as error:
            self._window.notices.show_error(error.message, error.hint)
            return False
        return True

    def _session(self) -> OpenExperiment | None:
        return self._window.view.session if self._window.view is not None else None

    # ---- the view ------------------------------------------------------------------------------------------------

    def toggle_side(self) -> None:
        self._window.side.toggle()
        self._window.changed()

    def toggle_rail(self) -> None:
        self._window.rail.setVisible(not self._window.rail.isVisible())
        self._window.changed()

    def toggle_alone(self) -> None:
        if (session := self._session()) is not None:
            panel = session.panel
            panel.toggle_alone(None if panel.alone else panel.cards[0])

    def toggle_full_screen(self) -> None:
        if self._window.isFullScreen():
            self._window.showNormal()
        else:
            self._window.showFullScreen()

    def toggle_presentation(self) -> None:
        self._window.presentation.toggle()

    def leave(self) -> None:
        if self._window.presentation.active:
            self._window.presentation.stop()
        elif self._window.isFullScreen():
            self._window.showNormal()
        elif (session := self._session()) is not None and session.panel.alone:
            session.panel.toggle_alone(None)

    def next_slide(self) -> None:
        self.next_experiment()

    def previous_slide(self) -> None:
        self.previous_experiment()

    def toggle_black(self) -> None:
        self._window.presentation.toggle_black()

    def toggle_mouse(self) -> None:
        self._window.presentation.toggle_mouse()

    def next_theme(self) -> None:
        names = themes()
        theming.set(names[(names.index(theming.current.name) + 1) % len(names)])
        self._window.changed()

    def next_language(self) -> None:
        languages = list(LANGUAGES)
        translator.set_language(languages[(languages.index(translator.language) + 1) % len(languages)])
        self._window.changed()

    def zoom_in(self) -> None:
        theming.zoom_in()
        self._window.fit()
        self._window.changed()

    def zoom_out(self) -> None:
        theming.zoom_out()
        self._window.fit()
        self._window.changed()

    def zoom_reset(self) -> None:
        theming.set_zoom(1.0)
        self._window.fit()
        self._window.changed()

    # ---- going about ---------------------------------------------------------------------------------------------

    def next_experiment(self) -> None:
        self._go(1)

    def previous_experiment(self) -> None:
        self._go(-1)

    def _go(self, by: int) -> None:
        names = [item.name for item in entries()]
        self._window.open_experiment(names[(names.index(self._window.current_entry.name) + by) % len(names)])

    # ---- help ----------------------------------------------------------------------------------------------------

    def show_palette(self) -> None:
        palette = CommandPalette(self._window)
        for spec in ACTIONS:
            action = self._window.actions_by_name[spec.name]
            if action.isEnabled():
                palette.add(action.text(), action.trigger, action.shortcut().toString(), spec.title)
        for topic in topics():
            for item in entries():
                if item.topic == topic.name:
                    title = f"{topic.titles[translator.language]} · {item.titles[translator.language]}"
                    palette.add(
                        title, partial(self._window.open_experiment, item.name), item.name, words_of(item), details_of(item)
                    )
                    for preset in item.presets:
                        palette.add(
                            f"{title} · {preset.titles[translator.language]}",
                            partial(self._open_preset, item.name, preset.values),
                            words=" | ".join(preset.titles.values()),
                        )
        self._offer_parameters(palette)
        palette.open()

    def _offer_parameters(self, palette: CommandPalette) -> None:
        """The parameters of the experiment on the screen; choosing one puts the cursor there."""
        session = self._session()
        for field in session.form.fields.values() if session is not None else ():
            label = tr(field.spec.ui.label, field.experiment)
            names = field.spec.ui.choices.values()
            choices = " | ".join([*names, *(tr(name, field.experiment) for name in names)])
            palette.add(label, partial(self._show_parameter, field), field.spec.name, field.spec.ui.label, choices)

    def _show_parameter(self, field: Field) -> None:
        side = self._window.side
        if not side.isVisible():
            side.toggle()
        field.editor.main.setFocus(Qt.FocusReason.OtherFocusReason)

    def _open_preset(self, experiment: str, values: Mapping[str, Any]) -> None:
        self._window.open_experiment(experiment)
        if (session := self._session()) is not None and session.entry.name == experiment:
            session.form.presets.chosen.emit(dict(values))

    def show_help(self) -> None:
        HelpSheet(self._window).open()
