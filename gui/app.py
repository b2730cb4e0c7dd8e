"""Starts the window, and torch behind it."""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from PySide6.QtCore import (
    QCoreApplication,
    QEvent,
    QLocale,
    QObject,
    Qt,
    QTimer,
    QtMsgType,
    Signal,
    Slot,
    qInstallMessageHandler,
)
from PySide6.QtWidgets import QApplication, QWidget

from engine.api import Message, Session, entry, import_torch, internal_error, load
from gui.core.i18n import translator
from gui.core.lab.panel import load_panel
from gui.core.look.fonts import load_fonts
from gui.core.look.theme import theming
from gui.core.window.autosave import Autosave, restore, session_path
from gui.core.window.instance import Claim
from gui.core.window.waiting import kept_picture
from gui.main_window import MainWindow

log = logging.getLogger(__name__)

LATEST_START = 300  # ms after which torch is imported although no window has been painted
SWITCH_INTERVAL = 0.0005  # seconds; with the default of 5 ms a Python loop in a worker makes the window stutter


class Preloader(QObject):
    """Imports torch, the plots and one experiment in a thread while the window is already up.

    Signals
    -------
    done : (object)
        None, or the message of why torch cannot be had.
    """

    done = Signal(object)

    def __init__(self, experiment: str, parent: QObject) -> None:
        super().__init__(parent)
        self._experiment = experiment
        self._problem: Message | None = None
        self._wanted = True
        self._timer = QTimer(self, interval=15)
        self._timer.timeout.connect(self._look)
        self._latest = QTimer(self, interval=LATEST_START, singleShot=True)
        self._latest.timeout.connect(self.start)
        self._thread = threading.Thread(target=self._import, name="preloader", daemon=True)

    def start_after(self, window: QWidget) -> None:
        """Start once the window has been painted; one that is not shown has a moment's patience."""
        window.installEventFilter(self)
        self._latest.start()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint:
            watched.removeEventFilter(self)
            self._latest.start(0)
        return False

    @Slot()
    def start(self) -> None:
        """Garbage collection waits meanwhile: with torch half loaded a full one takes a tenth of a second."""
        if self._wanted and self._thread.ident is None:
            gc.disable()
            self._thread.start()
            self._timer.start()

    def stop(self) -> None:
        """Tell nobody any more, and do not start if that has not happened yet."""
        self._wanted = False
        self._timer.stop()
        self._latest.stop()

    def join(self) -> None:
        """Wait for the import, which nothing can cancel."""
        self.start()
        if self._thread.ident is not None:
            self._thread.join()

    def _import(self) -> None:
        try:
            import_module("gui.core.window.lab_view")
            import_torch()
        except Exception as error:
            log.exception("torch or the plots cannot be imported")
            self._problem = internal_error(error).message
            return
        try:
            load_panel(self._experiment)
            load(self._experiment)
        except Exception:  # the window will meet it again, say so, and offer the other experiments
            log.debug("%s cannot be imported", self._experiment, exc_info=True)

    def _look(self) -> None:
        if not self._thread.is_alive():
            self._timer.stop()
            gc.collect()
            gc.freeze()
            gc.enable()
            self.done.emit(self._problem)


def make_application(arguments: Sequence[str]) -> QApplication:
    """The application object with everything that must be set before a window exists."""
    existing = QApplication.instance()
    if isinstance(existing, QApplication):
        return existing
    QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)
    sys.setswitchinterval(SWITCH_INTERVAL)
    qInstallMessageHandler(_log_qt_message)
    app = QApplication([sys.argv[0], *arguments])
    load_fonts()
    app.setApplicationName("Theoria")
    app.setDesktopFileName("theoria")
    app.setQuitOnLastWindowClosed(False)  # the window quits itself, once its workers have ended
    return app


def _log_qt_message(kind: QtMsgType, context: object, text: str) -> None:
    """Qt's own messages go to the log, but for one that the offscreen platform says of every window."""
    if "propagateSizeHints" not in text:
        serious = kind not in (QtMsgType.QtDebugMsg, QtMsgType.QtInfoMsg)
        log.log(logging.WARNING if serious else logging.DEBUG, "Qt: %s", text)


def default_language() -> str:
    """The language of the system, where it is one of ours."""
    return "zh" if QLocale.system().language() == QLocale.Language.Chinese else "en"


def open_window(session: Session, path: Path | None = None, device: str = "auto") -> MainWindow:
    """Make the window of a session and let torch come after it.

    Parameters
    ----------
    session : Session
        What to show.
    path : Path, optional
        Where the session is kept from now on; None keeps nothing.
    device : str
        ``auto``, or a device that takes the place of the session's for this time.
    """
    translator.set_language(session.language or default_language())
    if session.theme is not None:
        theming.set(session.theme)
    theming.set_zoom(session.zoom)
    window = MainWindow(session)
    if device != "auto":
        window.device = device
    if session.window.maximized:
        window.setWindowState(Qt.WindowState.WindowMaximized)
    if path is not None:
        window.autosave = Autosave(path, window.snapshot, window.notices.show_warning, window)
        window.session_file = path
        window.waiting.picture = kept_picture(path, window.current_entry.name)
    window.preloader = Preloader(window.current_entry.name, window)
    window.preloader.done.connect(window.on_preloaded)
    window.preloader.start_after(window)
    return window


def run(
    arguments: Sequence[str] = (), experiment: str | None = None, session_file: Path | None = None, device: str = "auto"
) -> int:
    """Show the window until it is closed; returns the exit code."""
    if experiment is not None:
        entry(experiment)  # raises the sentence that lists what there is
    app = make_application(arguments)
    theming.apply(app)
    claim = Claim(session_path())
    session, problem = restore(claim.path)
    if experiment is not None:
        session.current = experiment
    window = open_window(session, claim.path, device)
    window.file_to_open = session_file
    if problem is not None:
        window.notices.show_warning(problem)
    elif not claim.first:
        window.notices.show_warning(
            Message("Theoria is open already. This window keeps a session of its own: {path}.", {"path": str(claim.path)})
        )
    window.show()
    _quit_on_signals(window)
    code = app.exec()
    window.preloader.join()
    claim.release()
    return code


def _quit_on_signals(window: MainWindow) -> None:
    """Ctrl+C in the terminal closes the window as its button would."""

    def close(_number: int, frame: object) -> None:
        QTimer.singleShot(0, window, window.close)

    signal.signal(signal.SIGINT, close)
    if os.name == "posix":
        signal.signal(signal.SIGTERM, close)
    timer = QTimer(window, interval=200)  # Python sees signals only when it runs
    timer.timeout.connect(int)
    timer.start()
