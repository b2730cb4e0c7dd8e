"""The window: topics at the left, pictures in the middle, controls at the right."""

from __future__ import annotations

import base64
import logging
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QByteArray, QEvent, QSize, Qt, QTimer
from PySide6.QtGui import QAction, QCloseEvent, QGuiApplication, QImage, QKeySequence, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMainWindow, QMenu, QVBoxLayout, QWidget

from engine.api import Entry, ExperimentState, LabError, Message, Session, WindowState, device_problem, entries, entry, topics
from gui.core.i18n import tr, translator
from gui.core.lab.notices import NoticeStrip
from gui.core.lab.panel import are_sizes
from gui.core.look.follow import follow
from gui.core.look.icons import icon
from gui.core.look.theme import px, space, theming
from gui.core.window.actions import ACTIONS, PRESENTER_ONLY
from gui.core.window.autosave import Autosave
from gui.core.window.commands import Commands
from gui.core.window.header import Header
from gui.core.window.pages import Body, Pages
from gui.core.window.presentation import Presentation
from gui.core.window.rail import Rail
from gui.core.window.side import Side
from gui.core.window.status import Status
from gui.core.window.waiting import Waiting, keep_picture

if TYPE_CHECKING:
    import numpy as np

    from gui.core.window.lab_view import LabView

log = logging.getLogger(__name__)

SIZE = QSize(1440, 900)
FRAME = QSize(16, 48)  # what title bar and edges of a window take at most
NARROW = 1200  # below this width the side becomes a drawer
FAREWELL = 2.0  # seconds the workers have to end


class MainWindow(QMainWindow):
    """The window. What its actions do stands in `Commands`; this class holds the pieces together.

    Parameters
    ----------
    session : Session
        What to restore.
    """

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.setWindowTitle("Theoria")
        self.setWindowIcon(icon("logo"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
        self.setMinimumSize(860, 560)
        self.resize(SIZE.boundedTo(_room()))
        self.file: Path | None = None
        self.file_to_open: Path | None = None
        self.session_file: Path | None = None  # the picture of the last moment is kept beside it
        self.preloader: Any = None
        self.autosave: Autosave | None = None
        self.ready = False
        self.starting = True
        self.device = session.device
        self._saved_device = session.device
        self.views: dict[str, LabView] = {}
        self._saved = session.experiments
        self._current = session.current if session.current in {item.name for item in entries()} else ""
        self._closing = False

        self.commands = Commands(self)
        self.rail = Rail(self)
        self.header = Header(self)
        self.notices = NoticeStrip(self)
        self.stack = Pages(self)
        self.waiting = Waiting(self)  # shown until there is something else, and where an experiment cannot be opened
        self.waiting.show_message(Message("Importing torch: the first picture comes in a few seconds."))
        self.stack.addWidget(self.waiting)
        self.side = Side(self)
        self._body = Body(self)
        self._center = QFrame(self)
        self.presentation = Presentation(self)
        self.status = Status(self, self.rail)
        for part in (self.rail, self.header, self.notices):
            theming.dress(part)
        self._build()
        self._make_actions()
        self._make_buttons()
        self._restore_window(session.window)
        self._restyle()
        self._show_topic()
        self._center.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self._center.setFocus()  # else the first topic wears a focus ring before anybody has touched a key
        follow(theming.changed, self, self._restyle)
        follow(translator.changed, self, self.retranslate)

    def changed(self) -> None:
        """Something worth keeping has changed."""
        if self.autosave is not None:
            self.autosave.schedule()

    def moved(self) -> None:
        """A run has gone on."""
        if self.autosave is not None:
            self.autosave.schedule_position()

    # ---- experiments ---------------------------------------------------------------------------------------------

    @property
    def current_entry(self) -> Entry:
        """The experiment on the screen (or about to be)."""
        return entry(self._current) if self._current else entries()[0]

    @property
    def view(self) -> LabView | None:
        """The page of the experiment on the screen, None until torch is there."""
        return self.views.get(self.current_entry.name)

    def open_experiment(self, name: str) -> None:
        """Show an experiment, opening it the first time."""
        for other, view in self.views.items():
            if other != name:
                view.session.set_active(False)
        self._current = name
        self._show_topic()
        if not self.ready:
            return
        if name not in self.views:
            self._open(name)
        if (page := self.views.pop(name, None)) is not None:
            self.views[name] = page  # the last one is the one seen last
            for part in (page, page.side):
                theming.dress(part)
            self.stack.setCurrentWidget(page)
            self.side.show_page(page.side)
            page.session.set_active(not self.isMinimized())
        else:
            self.stack.setCurrentIndex(0)
            self.side.show_page(None)
        self._update_actions()
        self.changed()

    def open_topic(self, topic: str) -> None:
        """Show a topic at the experiment last seen in it."""
        known = [item.name for item in entries() if item.topic == topic]
        opened = [name for name in self.views if name in known]
        self.open_experiment(opened[-1] if opened else known[0])

    def on_preloaded(self, problem: Message | None) -> None:
        """torch is imported: open what is to be seen."""
        if self._closing:
            return
        self.starting = False
        self.waiting.show_message(None)
        self.waiting.picture = QImage()
        if problem is not None:
            self.notices.show_error(problem)
            return
        self.ready = True
        if (unusable := device_problem(self.device)) is not None:
            self.notices.show_warning(unusable.message, unusable.hint)
            self.device = "auto"
        if self.file_to_open is not None:
            self.commands.open_session_file(self.file_to_open)
        if self.view is None:
            self.open_experiment(self.current_entry.name)

    def _open(self, name: str) -> None:
        from gui.core.window.lab_view import LabView  # with it comes pyqtgraph: not before the window is on the screen

        state = self._saved.get(name, ExperimentState())
        try:
            view = LabView(entry(name), state, self.device, self)
        except LabError as error:
            self.notices.show_error(error.message, error.hint)
            return
        except Exception as error:  # the other experiments go on
            log.exception("%s cannot be opened", name)
            self.notices.show_internal(error)
            return
        view.session.parameters_changed.connect(self.changed)
        view.session.frame_shown.connect(self.moved)
        view.session.undo.changed.connect(self._update_actions)
        self.views[name] = view
        self.stack.addWidget(view)
        self.side.add_page(view.side)

    def _show_topic(self) -> None:
        current = self.current_entry
        topic = next(item for item in topics() if item.name == current.topic)
        self.rail.select(topic.name)
        self.header.show_topic(topic, [item for item in entries() if item.topic == topic.name], current.name)

    # ---- pieces --------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        self._center.setAutoFillBackground(True)  # a style sheet here would reach into every page
        self.center_box = QVBoxLayout(self._center)
        self.center_box.addWidget(self.header)
        self.center_box.addWidget(self.notices)
        self.center_box.addWidget(self.stack, 1)
        self._body.addWidget(self._center)
        self._body.addWidget(self.side)
        self._body.setStretchFactor(0, 1)
        self._body.setStretchFactor(1, 0)
        whole = QWidget(self)
        row = QHBoxLayout(whole)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.rail)
        row.addWidget(self._body, 1)
        self.setCentralWidget(whole)
        self.rail.topic_chosen.connect(self.open_topic)
        self.header.experiment_chosen.connect(self.open_experiment)

    def _make_actions(self) -> None:
        self.actions_by_name: dict[str, QAction] = {}
        for spec in ACTIONS:
            action = QAction(self)
            action.setShortcuts([QKeySequence(key) for key in spec.keys])
            action.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
            action.triggered.connect(getattr(self.commands, spec.name))
            self.addAction(action)
            self.actions_by_name[spec.name] = action
        self._topic_actions: dict[str, QAction] = {}
        for number, topic in enumerate(topics(), 1):
            action = QAction(self)
            action.setShortcut(QKeySequence(f"Ctrl+{number}"))
            action.triggered.connect(partial(self.open_topic, topic.name))
            self.addAction(action)
            self._topic_actions[topic.name] = action
        self.set_presenter_keys(False)
        self.retranslate()

    def set_presenter_keys(self, active: bool) -> None:
        """Keys that clickers send mean something else outside a presentation."""
        for name in PRESENTER_ONLY:
            self.actions_by_name[name].setEnabled(active)

    def _make_buttons(self) -> None:
        self.header.add_button("copy", "Copy as", labelled=True, menu=self._menu("Copy"))
        present = self.header.add_button("stage", "Present", labelled=True)
        present.clicked.connect(self.commands.toggle_presentation)
        language = self.header.add_button("language", "中文 / English")
        language.clicked.connect(self.commands.next_language)
        theme = self.header.add_button("moon", "Next theme")
        theme.clicked.connect(self.commands.next_theme)
        more = self._new_menu()
        for name in ("open_session", "save_session", "save_session_as"):
            more.addAction(self.actions_by_name[name])
        more.addSeparator()
        for name in ("undo", "redo", "reset_parameters"):
            more.addAction(self.actions_by_name[name])
        more.addSeparator()
        for name in ("toggle_full_screen", "toggle_rail", "toggle_side", "show_palette", "show_help"):
            more.addAction(self.actions_by_name[name])
        self.header.add_button("menu", "More", menu=more)
        side = self.header.add_button("sidebar", "Show or hide the control panel")
        side.clicked.connect(self.commands.toggle_side)
        self.header.finish()

    def _menu(self, group: str) -> QMenu:
        menu = self._new_menu()
        for spec in ACTIONS:
            if spec.group == group:
                menu.addAction(self.actions_by_name[spec.name])
        return menu

    def _new_menu(self) -> QMenu:
        menu = QMenu(self)
        theming.dress(menu)
        menu.aboutToShow.connect(self._draw_icons)
        return menu

    def _draw_icons(self) -> None:
        """Icons in the colours of the theme, drawn when they are about to be seen."""
        for spec in ACTIONS:
            if spec.icon:
                self.actions_by_name[spec.name].setIcon(icon(spec.icon))

    def _update_actions(self) -> None:
        undo = self.view.session.undo if self.view is not None else None
        self.actions_by_name["undo"].setEnabled(undo is not None and undo.can_undo)
        self.actions_by_name["redo"].setEnabled(undo is not None and undo.can_redo)
        self._name_undo()

    def _name_undo(self) -> None:
        """What would be undone and redone stands in the menu."""
        undo = self.view.session.undo if self.view is not None else None
        texts = {"undo": undo.undo_text, "redo": undo.redo_text} if undo is not None else {}
        for spec in ACTIONS:
            if spec.name in ("undo", "redo"):
                what = texts.get(spec.name, "")
                self.actions_by_name[spec.name].setText(f"{tr(spec.title)}: {what}" if what else tr(spec.title))

    def retranslate(self) -> None:
        """Set the texts of the actions in the current language."""
        for spec in ACTIONS:
            self.actions_by_name[spec.name].setText(tr(spec.title))
        for topic in topics():
            self._topic_actions[topic.name].setText(topic.titles.get(translator.language, topic.titles["en"]))
        self._name_undo()

    def _restyle(self) -> None:
        edge = space(3) if self.width() >= NARROW else space(2)
        self.center_box.setContentsMargins(edge, space(2), edge, space(2))
        self.center_box.setSpacing(space(1))

    # ---- size ----------------------------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.fit()
        self.presentation.fit()

    def fit(self) -> None:
        """Give the side its place: beside the pictures, or over them as a drawer on a narrow window."""
        narrow = self.width() < NARROW * min(theming.current.scale, 1.25)
        self.header.set_compact(narrow)
        self.rail.set_compact(narrow)
        if narrow and not self.side.is_drawer and not self.presentation.active:
            keys = self.actions_by_name["toggle_side"].shortcut().toString(QKeySequence.SequenceFormat.NativeText)
            self.notices.show_info(Message("The controls are behind the last button above ({keys}).", {"keys": keys}))
        self.side.set_drawer(narrow, self._body)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.WindowStateChange and self.view is not None:
            self.view.session.set_active(not self.isMinimized())

    # ---- sessions ------------------------------------------------------------------------------------------------

    def snapshot(self) -> Session:
        """Everything worth keeping, as it is now."""
        states = dict(self._saved)
        states.update({name: view.session.state() for name, view in self.views.items()})
        return Session(
            current=self.current_entry.name,
            experiments=states,
            language=translator.language,
            theme=self.presentation.everyday_theme,
            zoom=theming.zoom,
            device=self._saved_device,
            window=WindowState(
                geometry=base64.b64encode(self.saveGeometry().data()).decode("ascii"),
                splitters={"body": self._body.sizes()},
                rail=self.presentation.everyday_rail,
                side=self.side.wanted,
                maximized=self.isMaximized(),
            ),
        )

    def arrays(self) -> dict[str, dict[str, np.ndarray]]:
        """The arrays of the pictures on the screen, by experiment."""
        frames = {name: view.session.frame for name, view in self.views.items()}
        return {name: frame.arrays for name, frame in frames.items() if frame is not None}

    def adopt(self, session: Session) -> None:
        """Open what a session file holds, in place of what is open."""
        for view in list(self.views.values()):
            self._discard(view)
        self._saved = session.experiments
        if session.language:
            translator.set_language(session.language)
        if session.theme:
            theming.set(session.theme)
        known = {item.name for item in entries()}
        unknown = sorted(set(session.experiments) - known)
        if unknown:
            names = {"names": ", ".join(unknown)}
            self.notices.show_warning(Message("Experiments that this program does not have were left out: {names}.", names))
        self.open_experiment(session.current if session.current in known else entries()[0].name)

    def _discard(self, view: LabView) -> None:
        view.session.close()
        view.session.runner.join(FAREWELL)
        self.views.pop(view.session.entry.name)
        self.stack.removeWidget(view)
        self.side.remove_page(view.side)
        view.deleteLater()

    def _restore_window(self, window: WindowState) -> None:
        if window.geometry:
            self.restoreGeometry(QByteArray.fromBase64(window.geometry.encode("ascii", "ignore")))
            self._stay_on_screen()
        sizes = window.splitters.get("body", [])
        self._body.setSizes(sizes if len(sizes) == 2 and are_sizes(sizes) else [10_000, px(Side.WIDTH)])
        self.rail.setVisible(window.rail)
        self.side.wanted = window.side

    def _stay_on_screen(self) -> None:
        if not any(screen.availableGeometry().intersects(self.geometry()) for screen in QGuiApplication.screens()):
            self.move(0, 0)
        if not self.isMaximized():
            self.resize(self.size().boundedTo(_room()))

    def _keep_picture(self) -> None:
        """What is seen now is what the next start shows until there is something live."""
        if self.session_file is not None and self.view is not None and self.view.session.frame is not None:
            keep_picture(self.session_file, self.current_entry.name, self.view.grab().toImage())

    # ---- the end -------------------------------------------------------------------------------------------------

    def closeEvent(self, event: QCloseEvent) -> None:
        """Cancel first, join then, save last: the order keeps a busy engine from holding the window open."""
        if not self._closing:
            self._closing = True
            if self.preloader is not None:
                self.preloader.stop()
            self.presentation.stop()
            for view in self.views.values():
                view.session.close()
            self.status.stop()
            self.hide()
            self._keep_picture()
            if self.autosave is not None:
                self.autosave.close()
            for view in self.views.values():
                view.session.runner.join(FAREWELL)
            QTimer.singleShot(0, self, QGuiApplication.quit)
        super().closeEvent(event)


def _room() -> QSize:
    """What a window can have of the screen: its frame takes some."""
    return QGuiApplication.primaryScreen().availableSize() - FRAME
