"""What tests of the window share: windows that always close, and guards that fail a test for what nobody looked at."""

from __future__ import annotations

import gc
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QtMsgType
from PySide6.QtWidgets import QApplication, QWidget

from engine.api import ExperimentState, Session
from gui.app import open_window
from gui.core.i18n import translator
from gui.core.lab.open_experiment import OpenExperiment
from gui.core.look.theme import theming
from gui.main_window import MainWindow

THREADS = ("runner", "autosave", "preloader")
NAME = "angles.distribution"
SMALL = {"dimension": 20, "pairs": 20_000, "method": "exact"}
ALL = QEvent.Type.DeferredDelete

# What Qt says without anything being wrong.
HARMLESS = (
    "This plugin does not support propagateSizeHints",  # the offscreen platform has no window manager
    "This plugin does not support raise()",
    "This plugin does not support grabbing the keyboard",
    "QFont::setPixelSize: Pixel size <= 0",  # said by pyqtgraph for an axis that was never shown
)


def our_threads() -> list[str]:
    """The names of the threads of ours that live."""
    return [thread.name for thread in threading.enumerate() if thread.name.startswith(THREADS)]


def settle() -> None:
    """Let everything that is due happen, deletions included."""
    for _ in range(3):
        QCoreApplication.processEvents()
        QCoreApplication.sendPostedEvents(None, ALL)


@pytest.fixture(autouse=True)
def guard_exceptions(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """An exception in a slot or in a virtual method fails the test; one that is meant is taken out of the list."""
    seen: list[str] = []

    def remember(kind: type[BaseException], error: BaseException, trace: Any) -> None:
        seen.append("".join(traceback.format_exception(kind, error, trace)))

    monkeypatch.setattr(sys, "excepthook", remember)
    yield seen
    assert seen == []


@pytest.fixture(autouse=True)
def guard_messages(qtlog: Any) -> Iterator[None]:
    """A warning of Qt fails the test."""
    yield
    bad = [record for record in qtlog.records if record.type != QtMsgType.QtDebugMsg and record.type != QtMsgType.QtInfoMsg]
    assert [record.message for record in bad if not any(text in record.message for text in HARMLESS)] == []


@pytest.fixture(autouse=True)
def guard_leaks(qapp: QApplication) -> Iterator[None]:
    """No thread and no window outlives its test."""
    before = {id(widget) for widget in qapp.topLevelWidgets()}
    yield
    settle()
    assert our_threads() == []
    left = [widget for widget in qapp.topLevelWidgets() if id(widget) not in before and widget.isVisible()]
    assert left == []


def calm(window: MainWindow, qtbot: Any) -> None:
    """Wait until everything is drawn and written that was to be."""
    assert window.view is not None
    session = window.view.session
    qtbot.waitUntil(lambda: not session.panel.drawing and session.notes.complete)
    session.claims.flush()
    window.status.refresh()
    settle()


def still(session: OpenExperiment, qtbot: Any) -> None:
    """Wait until the engine has ended the step that it was at, and its picture is shown."""

    runner = session.runner

    def idle() -> bool:
        seen = runner.mailbox.empty or not session.pump.running
        return bool(runner._condition._waiters) and seen  # type: ignore[attr-defined]

    qtbot.waitUntil(idle)


Open = Callable[..., MainWindow]


@pytest.fixture
def open_theoria(qapp: QApplication, qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Opens windows, waits for their first picture, and closes them whatever happens."""
    monkeypatch.setenv("THEORIA_HOME", str(tmp_path / "home"))
    theming.apply(qapp)
    windows: list[MainWindow] = []

    def open_(
        session: Session | None = None,
        path: Path | None = None,
        size: tuple[int, int] = (1440, 900),
        wait: str = "frame",
        device: str = "cpu",
        **values: Any,
    ) -> MainWindow:
        chosen = session or Session(language="en", theme="dark")
        chosen.current = chosen.current or NAME
        if session is None or values:
            chosen.experiments[NAME] = ExperimentState(parameters={**SMALL, **values})
        window = open_window(chosen, path, device)
        windows.append(window)
        window.resize(*size)
        window.show()
        if wait:
            qtbot.waitUntil(lambda: window.view is not None and window.view.session.frame is not None, timeout=20_000)
        if wait == "finished":
            qtbot.waitUntil(lambda: window.view.session.finished, timeout=20_000)
        return window

    yield open_
    for window in windows:
        window.close()
        window.preloader.join()
        window.preloader.stop()
        window.deleteLater()
    settle()
    gc.enable()
    translator.set_language("en")
    theming.set_zoom(1.0)
    theming.set("dark")


@pytest.fixture
def window(open_theoria: Open) -> MainWindow:
    """A window whose run has ended."""
    return open_theoria(wait="finished")


@pytest.fixture
def session(window: MainWindow) -> OpenExperiment:
    """The session on the screen."""
    assert window.view is not None
    return window.view.session


def seen(root: QWidget, kind: type[QWidget]) -> list[Any]:
    """All widgets of a kind that are on the screen."""
    return [widget for widget in root.findChildren(kind) if widget.isVisible()]
