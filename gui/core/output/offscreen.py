"""Pictures without a window: the same panels and the same driver, drawn into a file."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QEvent, QEventLoop, QRect, QSize, QTimer
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QLabel, QVBoxLayout, QWidget

from engine.api import (
    ENDLESS_LIMIT,
    LANGUAGES,
    Entry,
    ExperimentState,
    Frame,
    LabParameters,
    Session,
    UsageError,
    entry,
    last_frame,
    themes,
    unknown_name,
    write_atomic,
)
from gui.core.i18n import translator
from gui.core.lab.panel import Panel, load_panel
from gui.core.lab.two_rows import LEAST_OF_A_FIGURE, TwoRows
from gui.core.look.theme import space, theming
from gui.core.notes.formula_label import FormulaLabel
from gui.core.output.export import png_bytes
from gui.core.plots import render_widget

if TYPE_CHECKING:
    from gui.core.lab.open_experiment import OpenExperiment

DEFAULT_SIZE = (1280, 800)
SIDES = (64, 16_384)
SCALES = (0.1, 16.0)

# Between these sizes a larger picture has more room; beyond them it is the same picture, larger or smaller.
SMALLEST_ROOM, LARGEST_ROOM = (1024, 768), (1920, 1080)
ROOMIER = (1.0, 0.95, 0.9, 0.85, 0.8)  # how far a scale gives way to a picture that has no room
MOST_TRIES = 8
PLENTY = QSize(3840, 2400)  # logical pixels, at which every picture has room


def render(
    name: str,
    parameters: LabParameters,
    out: Path,
    size: tuple[int, int] = DEFAULT_SIZE,
    language: str = "en",
    theme: str = "light",
    device: str = "auto",
    window: bool = False,
    scale: float | None = None,
) -> Sequence[str]:
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
        Width and height of the file in pixels.
    language, theme, device : str
        As in the window.
    window : bool
        The whole window, controls and all, instead of the figure.
    scale : float, optional
        How large type and lines are, 1 as on a plain screen; follows the size if left out.

    Returns
    -------
    sequence of str
        The titles of the cards that found no room in the figure.

    Raises
    ------
    UsageError
        If the size, scale, language or theme cannot be had, or the file cannot be written.
    LabError
        If the run fails.
    """
    check_look(size, language, theme, scale)
    application()
    translator.set_language(language)
    theming.set(theme)
    left_out: Sequence[str] = ()
    if window:
        picture = window_picture(name, parameters, size, device, scale or natural_scale(size))
    else:
        sheet = Sheet(entry(name), last_frame(name, parameters, device=device), parameters)
        picture = sheet.picture(size, scale)
        left_out = sheet.left_out()
        sheet.discard()
    write_atomic(out, png_bytes(picture, name))
    return left_out


def check_look(size: tuple[int, int], language: str = "en", theme: str = "dark", scale: float | None = None) -> None:
    """Refuse what no picture can be made of, in one sentence."""
    least, most = SIDES
    width, height = size
    if not (least <= width <= most and least <= height <= most):
        raise UsageError(
            "A picture of {width} x {height} pixels cannot be made: each side takes {least} to {most}.",
            width=width,
            height=height,
            least=least,
            most=most,
        )
    smallest, largest = SCALES
    if scale is not None and not smallest <= scale <= largest:
        raise UsageError(
            "A picture cannot be scaled by {scale}: it takes a number from {low:g} to {high:g}.",
            scale=scale,
            low=smallest,
            high=largest,
        )
    if language not in LANGUAGES:
        raise unknown_name("There is no language {name}.", "The languages are {names}.", language, LANGUAGES)
    if theme not in themes():
        raise unknown_name("There is no theme {name}.", "The themes are {names}.", theme, themes())


def natural_scale(size: tuple[int, int]) -> float:
    """How large type and lines of a picture are: they follow its size where that is very large or very small."""
    larger, smaller = (min(size[0] / room[0], size[1] / room[1]) for room in (LARGEST_ROOM, SMALLEST_ROOM))
    return larger if larger > 1 else min(smaller, 1.0)


def application() -> QApplication:
    """The application object; on a machine without a screen Qt draws into memory."""
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from gui.app import make_application

    app = make_application([])
    theming.apply(app)
    return app


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
        if isinstance(self.panel, TwoRows):
            self.panel.least = LEAST_OF_A_FIGURE
        self._everything: list[QWidget] = []  # the cards that are shown where there is room
        self._box = QVBoxLayout(self)
        self._box.addWidget(title)
        self._box.addWidget(summary)
        self._box.addSpacing(space(0))
        self._box.addWidget(self.panel, 1)
        self._restyle()
        theming.changed.connect(self._restyle)
        self.panel.show_frame(frame, parameters)

    def picture(self, size: tuple[int, int], scale: float | None = None) -> QImage:
        """The figure in so many pixels.

        Parameters
        ----------
        size : tuple of int
            Width and height.
        scale : float, optional
            Pixels per logical pixel; if left out it follows the size, and gives way a little to cards that have no room.
        """
        if not self._everything:
            self.setUpdatesEnabled(False)
            self.show()  # layouts and plots settle only in a widget that is shown
            self.resize(PLENTY * theming.current.scale)
            _settle(self.panel)
            self._everything = self._cards()
            self.setUpdatesEnabled(True)
        chosen = scale or self._fitting_scale(size)
        self._settle_at(logical(size, chosen))
        return picture_of(self, size, chosen)

    def left_out(self) -> list[str]:
        """The titles of the cards that would be in the last picture if there were room."""
        here = self._cards()
        return [card.accessibleName() for card in self._everything if card not in here]

    def discard(self) -> None:
        """Close and delete it now: outside of an event loop nobody does that later, and each theme would dress it again."""
        self.close()
        self.deleteLater()
        QCoreApplication.sendPostedEvents(self, QEvent.Type.DeferredDelete)

    def _fitting_scale(self, size: tuple[int, int]) -> float:
        """The largest scale near the natural one that leaves nothing out; where there is none, one that cuts nothing off."""
        natural = natural_scale(size)
        for share in ROOMIER:
            self._settle_at(logical(size, natural * share))
            if self.size() == logical(size, natural * share) and not self.left_out():
                return natural * share
        chosen = natural
        for _ in range(MOST_TRIES):  # what is left out changes what the rest needs
            self._settle_at(logical(size, chosen))
            excess = max(self.width() / logical(size, chosen).width(), self.height() / logical(size, chosen).height())
            if excess <= 1:
                break
            chosen /= excess
        return chosen

    def _settle_at(self, size: QSize) -> None:
        for _ in range(2):  # cards that go for want of room still hold the first of these sizes open
            self.resize(size)
            _settle(self.panel)

    def _cards(self) -> list[QWidget]:
        return [card for card in self.panel.cards if card.isVisibleTo(self)]

    def _restyle(self) -> None:
        self._box.setContentsMargins(space(3), space(2), space(3), space(3))
        self._box.setSpacing(space(1))


def logical(size: tuple[int, int], scale: float) -> QSize:
    """The logical size of a widget that fills so many pixels at a scale."""
    return QSize(*(max(1, -int(-side // scale)) for side in size))


def picture_of(widget: QWidget, size: tuple[int, int], scale: float) -> QImage:
    """A picture of exactly so many pixels: a widget has whole logical pixels, and may overlap by part of one."""
    return render_widget(widget, logical(size, scale), scale).copy(QRect(0, 0, *size))


def window_picture(name: str, parameters: LabParameters, size: tuple[int, int], device: str, scale: float) -> QImage:
    """The whole window after the run has ended."""
    from gui.app import open_window

    state = ExperimentState(parameters=parameters.saved())
    session = Session(current=name, experiments={name: state}, language=translator.language, theme=theming.current.name)
    window = open_window(session, device=device)
    window.resize(logical(size, scale))
    window.show()
    window.preloader.join()
    wait_until(lambda: not window.starting and (window.view is None or old_enough(window.view.session)), 600)
    _pause(120)
    wait_until(lambda: window.view is None or told(window.view.session), 20)
    _pause(120)
    picture = picture_of(window, size, scale)
    window.close()
    window.deleteLater()
    return picture


def old_enough(session: OpenExperiment) -> bool:
    """Whether a run has come to its end; one that has none of its own is taken after as many steps as without a window."""
    frame = session.frame
    return session.ended or (frame is not None and frame.total is None and frame.step >= ENDLESS_LIMIT)


def told(session: OpenExperiment) -> bool:
    """Whether notes and claims stand with their formulas, and what the files hold is known."""
    formulas = all(label.complete for label in session.claims.findChildren(FormulaLabel))
    return session.notes.complete and formulas and not session.form.readings.busy


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Let events happen until the condition holds; False if the time ran out first."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        _pause(10)
    return True


def _settle(panel: Panel) -> None:
    """Let everything that is due be laid out and drawn: what was drawn may ask for another layout, hence three rounds."""
    for _ in range(3):
        QCoreApplication.processEvents()
        panel.draw_now()


def _pause(milliseconds: int) -> None:
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop, loop.quit)
    loop.exec()
