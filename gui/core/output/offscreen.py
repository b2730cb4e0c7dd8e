"""Pictures without a window: the same panels and the same driver, drawn into a file."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEventLoop, QSize, QTimer
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QLabel, QVBoxLayout, QWidget

from engine.api import (
    Entry,
    ExperimentState,
    Frame,
    LabError,
    LabParameters,
    Session,
    UsageError,
    entry,
    run_with,
    write_atomic,
)
from gui.core.i18n import LANGUAGES, translator
from gui.core.lab.panel import Panel, load_panel
from gui.core.look.theme import space, themes, theming
from gui.core.output.export import png_bytes
from gui.core.plots import render_widget

if TYPE_CHECKING:
    from gui.core.lab.open_experiment import OpenExperiment

DEFAULT_SIZE = (1280, 800)
LARGEST_SIDE = 16_384
ENDLESS_STEPS = 1000  # after which a picture is taken of a run without an end of its own, as `run` does


def render(
    name: str,
    parameters: LabParameters,
    out: Path,
    size: tuple[int, int] = DEFAULT_SIZE,
    language: str = "en",
    theme: str = "light",
    device: str = "auto",
    window: bool = False,
    ratio: float = 1.0,
) -> None:
    """Run an experiment to its end and write its picture as PNG.

    Parameters
    ----------
    name : str
        ``topic.experiment``.
    parameters : LabParameters
        Of this experiment.
    out : Path
        The file to write.
    size : tuple of int
        Width and height in logical pixels.
    language, theme, device : str
        As in the window.
    window : bool
        The whole window, controls and all, instead of the figure.
    ratio : float
        Pixels of the file per logical pixel.

    Raises
    ------
    UsageError
        If the size, language or theme cannot be had, or the file cannot be written.
    LabError
        If the run fails.
    """
    check_look(size, language, theme)
    application()
    translator.set_language(language)
    theming.set(theme)
    picture = window_picture(name, parameters, size, device, ratio) if window else figure(name, parameters, size, device, ratio)
    write_atomic(out, png_bytes(picture, name))


def check_look(size: tuple[int, int], language: str, theme: str) -> None:
    """Refuse what no picture can be made of, in one sentence."""
    width, height = size
    if not (64 <= width <= LARGEST_SIDE and 64 <= height <= LARGEST_SIDE):
        raise UsageError(
            "A picture of {width} x {height} pixels cannot be made: each side takes 64 to {most}.",
            width=width,
            height=height,
            most=LARGEST_SIDE,
        )
    if language not in LANGUAGES:
        raise UsageError("There is no language {name}: it is one of {names}.", name=repr(language), names=", ".join(LANGUAGES))
    if theme not in themes():
        raise UsageError("There is no theme {name}: it is one of {names}.", name=repr(theme), names=", ".join(themes()))


def application() -> QApplication:
    """The application object; on a machine without a screen Qt draws into memory."""
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from gui.app import make_application

    app = make_application([])
    theming.apply(app)
    return app


def figure(name: str, parameters: LabParameters, size: tuple[int, int], device: str, ratio: float) -> QImage:
    """Title, one sentence and the pictures of the last frame."""
    result = run_with(name, parameters, device=device)
    if result.frame is None:
        raise LabError("The run of {name} was interrupted before its first picture.", name=name)
    sheet = Sheet(entry(name), result.frame, parameters)
    sheet.resize(*size)
    sheet.show()  # layouts and plots settle only in a widget that is shown
    _settle(sheet.panel)
    picture = render_widget(sheet, QSize(*size), ratio)
    sheet.close()
    sheet.deleteLater()
    return picture


class Sheet(QWidget):
    """A figure: what the middle of the window shows, without anything to click."""

    def __init__(self, item: Entry, frame: Frame, parameters: LabParameters) -> None:
        super().__init__()
        self.setObjectName("center")
        theming.dress(self)
        title = QLabel(item.titles[translator.language], self)
        title.setProperty("role", "title")
        summary = QLabel(item.summaries[translator.language], self)
        summary.setProperty("role", "muted")
        self.panel: Panel = load_panel(item.name)(item.name, self)
        box = QVBoxLayout(self)
        box.setContentsMargins(space(3), space(2), space(3), space(3))
        box.setSpacing(space(1))
        box.addWidget(title)
        box.addWidget(summary)
        box.addSpacing(space(0))
        box.addWidget(self.panel, 1)
        self.panel.show_frame(frame, parameters)


def window_picture(name: str, parameters: LabParameters, size: tuple[int, int], device: str, ratio: float) -> QImage:
    """The whole window after the run has ended."""
    from gui.app import open_window

    state = ExperimentState(parameters=parameters.saved())
    session = Session(current=name, experiments={name: state}, language=translator.language, theme=theming.current.name)
    window = open_window(session, device=device)
    window.resize(*size)
    window.show()
    window.preloader.join()
    wait_until(lambda: not window.starting and (window.view is None or old_enough(window.view.session)), 600)
    _settle(window)
    wait_until(lambda: window.view is None or told(window.view.session), 20)
    _settle(window)
    picture = render_widget(window, QSize(*size), ratio)
    window.close()
    window.deleteLater()
    return picture


def old_enough(session: OpenExperiment) -> bool:
    """Whether a run has come to its end; one that has none of its own is taken after as many steps as without a window."""
    frame = session.frame
    return session.ended or (frame is not None and frame.total is None and frame.step >= ENDLESS_STEPS)


def told(session: OpenExperiment) -> bool:
    """Whether the notes stand, and what the files hold is known."""
    return session.notes.complete and not session.form.readings.busy


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Let events happen until the condition holds; False if the time ran out first."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        _pause(10)
    return True


def _settle(widget: QWidget) -> None:
    for _ in range(3):
        widget.update()
        _pause(120)


def _pause(milliseconds: int) -> None:
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop, loop.quit)
    loop.exec()
