"""Keeps the session on disk while the program runs, without ever making the window wait."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import platformdirs
from PySide6.QtCore import QObject, QTimer

from engine.api import Message, Session, UsageError, read_session, write_session
from gui.core.lab.throttle import Throttle

log = logging.getLogger(__name__)

DELAY = 400  # ms between two files; what is lost by a crash is less than a second
MOVING = 3000  # ms after a run has gone on; a crash loses no more of its position
PATIENCE = 500  # ms that a disk may take to say no


def session_path() -> Path:
    """Where the last session lies; the environment variable THEORIA_HOME moves it."""
    home = os.environ.get("THEORIA_HOME")
    folder = Path(home) if home else platformdirs.user_state_path("theoria", appauthor=False)
    return folder / "session.json"


def restore(path: Path) -> tuple[Session, Message | None]:
    """The session of the last time. A damaged file is set aside, and the message says where."""
    if not path.exists():
        return Session(), None
    try:
        return read_session(path), None
    except UsageError as error:
        aside = _free_name(path)
        try:
            path.replace(aside)
        except OSError:
            return Session(), error.message
        values = {"problem": error.message, "path": str(aside)}
        return Session(), Message("The last session could not be opened: {problem} It was set aside as {path}.", values)


def _free_name(path: Path) -> Path:
    """A name beside the file that says when it was set aside."""
    moment = time.strftime("%Y%m%d-%H%M%S")
    names = (
        path.with_name(f"{path.stem}.damaged-{moment}{end}{path.suffix}") for end in ("", *map("-{}".format, range(2, 100)))
    )
    return next((name for name in names if not name.exists()), path.with_name(f"{path.stem}.damaged{path.suffix}"))


class Autosave(QObject):
    """Writes the session at once after a change and a moment after many, in a thread of its own, the newest state only.

    Parameters
    ----------
    path : Path
    snapshot : callable
        Returns the session as it is now; called on the GUI thread.
    failed : callable
        Told once, on the GUI thread, when the session cannot be saved.
    """

    def __init__(self, path: Path, snapshot: Callable[[], Session], failed: Callable[[Message], None], parent: QObject) -> None:
        super().__init__(parent)
        self._path = path
        self._snapshot = snapshot
        self._failed = failed
        self._problem: Message | None = None
        self._told = False
        self._condition = threading.Condition()
        self._pending: Session | None = None
        self._closing = False
        self._throttle = Throttle(DELAY, self)
        self._throttle.triggered.connect(self.save)
        self._moving = QTimer(self, interval=MOVING, singleShot=True)
        self._moving.timeout.connect(self.schedule)
        self._look = QTimer(self, interval=PATIENCE, singleShot=True)
        self._look.timeout.connect(self._tell)
        self._thread = threading.Thread(target=self._write_all, name="autosave", daemon=True)
        self._thread.start()

    def schedule(self) -> None:
        """Something has changed."""
        self._throttle.request()

    def schedule_position(self) -> None:
        """A run has gone on."""
        if not self._moving.isActive():
            self._moving.start()

    def save(self) -> None:
        """Hand the present state to the writer."""
        try:
            session = self._snapshot()
        except Exception as error:  # whatever is wrong with one experiment must not end all saving
            self._fail(error)
        else:
            with self._condition:
                self._pending = session
                self._condition.notify_all()
        self._look.start()

    def close(self) -> None:
        """Write what is pending and end the thread."""
        self._throttle.stop()
        self._moving.stop()
        self.save()
        self._look.stop()
        with self._condition:
            self._closing = True
            self._condition.notify_all()
        self._thread.join(2.0)

    def _fail(self, error: Exception) -> None:
        log.error("autosave", exc_info=error)
        what = {"error": f"{type(error).__name__}: {error}"}
        self._problem = Message("The session cannot be saved: {error}. Changes are lost when the program ends.", what)

    def _tell(self) -> None:
        if self._problem is not None and not self._told:
            self._told = True
            self._failed(self._problem)

    def _write_all(self) -> None:
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._pending is not None or self._closing)
                session, self._pending = self._pending, None
                if session is None:
                    return
            try:
                write_session(self._path, session)
                self._problem = None
            except UsageError as error:
                log.warning("autosave: %s", error)
                self._problem = error.message
            except Exception as error:  # the thread must outlive it: the next state may be fine
                self._fail(error)
