"""The base of all panels: a panel draws frames and knows nothing of runners and forms."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Any, Generic

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget
from typing_extensions import TypeVar

from engine.api import Frame, LabParameters
from gui.core.i18n import tr, translator
from gui.core.look.follow import follow
from gui.core.look.theme import space, theming
from gui.core.numbers import typeset

TURN = 12  # ms: Qt paints what has changed about 5 ms after it was told


P = TypeVar("P", bound=LabParameters, default=Any)
Q = TypeVar("Q", default=Any)


class Panel(QWidget, Generic[P, Q]):
    """Draws the frames of one experiment; ``P`` and ``Q`` are the types of its parameters and of its picture.

    A subclass creates its cards in `build`, arranges them with `arrange`, sets all texts in `retranslate`, and draws in `draw`.

    Signals
    -------
    tweak_requested : (dict)
        New parameter values asked for by a gesture in the picture.
    draw_failed : (Exception)
        A picture could not be drawn outside of `show_frame`: later, or again after a change of theme or language.
    """

    tweak_requested = Signal(dict)
    draw_failed = Signal(object)

    def __init__(self, experiment: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.experiment = experiment
        self._cards: list[QWidget] = []
        self._alone: QWidget | None = None
        self._splitters: list[QSplitter] = []
        self._last: tuple[Frame[P, Q], P] | None = None
        self._waiting: dict[str, Callable[[], None]] = {}
        self._turn = QTimer(self, interval=TURN, singleShot=True)
        self._turn.timeout.connect(self._draw_waiting)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self.build()
        self._retranslate()
        follow(translator.changed, self, self._on_language)
        follow(theming.changed, self, self._on_theme)

    # ---- what a subclass gives -----------------------------------------------------------------------------------

    def build(self) -> None:
        """Create the cards and their plot items."""
        raise TypeError(f"{type(self).__name__} does not build anything")

    def draw(self, frame: Frame[P, Q], parameters: P) -> None:
        """Draw a frame. ``parameters`` are those of the form: they may differ from the frame's in `view` parameters."""
        raise TypeError(f"{type(self).__name__} does not draw anything")

    def retranslate(self) -> None:
        """Set every text that does not depend on a frame; the legends are made again after it."""

    # ---- what the house gives ------------------------------------------------------------------------------------

    def show_frame(self, frame: Frame[P, Q], parameters: P) -> None:
        """Draw a frame and remember it for a change of theme or language."""
        self._last = (frame, parameters)
        self.draw(frame, parameters)

    def draw_later(self, name: str, work: Callable[[], None]) -> None:
        """Draw one of the smaller pictures a moment after the large one has been painted.

        All that changes in one turn of the event loop is painted at once; in turns of their own the pictures never hold up
        the window for long. Work of the same name that still waits is replaced by the newer, and keeps its place.
        """
        self._waiting[name] = work
        if not self._turn.isActive():
            self._turn.start()

    @property
    def drawing(self) -> bool:
        """Whether some of the smaller pictures still wait for their turn."""
        return bool(self._waiting)

    def draw_now(self) -> None:
        """Draw at once what waits for its turn."""
        while self._waiting:
            self._draw_waiting()
        self._turn.stop()

    def text(self, template: str, **values: Any) -> str:
        """A text of this experiment in the current language, its numbers in the style of the house."""
        return typeset(tr(template, self.experiment, **values)) if values else tr(template, self.experiment)

    def arrange(
        self, *rows: Sequence[QWidget], stretch: Sequence[float] = (3, 2), shares: Sequence[Sequence[float]] = ()
    ) -> None:
        """Put cards in rows, all of them resizable; a double click on one shows it alone.

        Parameters
        ----------
        rows
            The cards of each row, the most important first.
        stretch
            Heights of the rows, in proportion.
        shares
            Widths of the cards of the first rows, in proportion; equal where nothing is said.
        """
        column = self._splitter(Qt.Orientation.Vertical)
        for number, row in enumerate(rows):
            splitter = self._splitter(Qt.Orientation.Horizontal)
            widths = shares[number] if number < len(shares) else [1] * len(row)
            column.addWidget(splitter)
            for card in row:
                splitter.addWidget(card)
                self._cards.append(card)
                expand = getattr(card, "expand_requested", None)
                if expand is not None:
                    expand.connect(self._on_expand)
            splitter.setSizes([round(1000 * width) for width in widths])
        column.setSizes([round(1000 * height) for height in stretch[: len(rows)]])
        self._layout.addWidget(column)

    @property
    def cards(self) -> Sequence[QWidget]:
        """The pictures, the most important first."""
        return tuple(self._cards)

    @property
    def alone(self) -> bool:
        """Whether a single picture fills the panel."""
        return self._alone is not None

    def toggle_alone(self, card: QWidget | None) -> None:
        """Show one picture alone, or all again."""
        self._alone = None if card is None or self._alone is card else card
        for other in self._cards:
            other.setVisible(self._alone is None or other is self._alone)
        for splitter in self._splitters[1:]:  # a row without a visible card takes no room
            splitter.setVisible(any(not card.isHidden() for card in self._cards if card.parent() is splitter))

    def splitter_state(self) -> list[list[int]]:
        """How the room is shared between the pictures."""
        return [splitter.sizes() for splitter in self._splitters]

    def restore_splitters(self, state: Any) -> None:
        """Share the room as in a state; one that does not fit is ignored."""
        if isinstance(state, list) and len(state) == len(self._splitters):
            for splitter, sizes in zip(self._splitters, state, strict=True):
                if isinstance(sizes, list) and len(sizes) == splitter.count() and are_sizes(sizes):
                    splitter.setSizes(sizes)

    def _splitter(self, orientation: Qt.Orientation) -> QSplitter:
        splitter = QSplitter(orientation)
        splitter.setHandleWidth(space(2))
        splitter.setChildrenCollapsible(False)
        self._splitters.append(splitter)
        return splitter

    def _on_expand(self) -> None:
        card = self.sender()
        if isinstance(card, QWidget):
            self.toggle_alone(card)

    def _retranslate(self) -> None:
        self.retranslate()
        for card in self._cards:
            refresh = getattr(card, "refresh_legend", None)
            if refresh is not None:
                refresh()

    def _on_language(self) -> None:
        self._retranslate()
        self._redraw()

    def _on_theme(self) -> None:
        for splitter in self._splitters:
            splitter.setHandleWidth(space(2))
        self._redraw()

    def _redraw(self) -> None:
        if self._last is not None:
            try:
                self.draw(*self._last)
            except Exception as error:
                self.draw_failed.emit(error)

    @Slot()
    def _draw_waiting(self) -> None:
        if not self._waiting:
            return
        work = self._waiting.pop(next(iter(self._waiting)))
        if self._waiting:
            self._turn.start()
        try:
            work()
        except Exception as error:
            self.draw_failed.emit(error)


def are_sizes(sizes: list[Any]) -> bool:
    """Whether a list from a file can be sizes on a screen."""
    return all(isinstance(size, int) and 0 <= size < 100_000 for size in sizes)


def load_panel(experiment: str) -> type[Panel[Any, Any]]:
    """The panel of an experiment: class `ExperimentPanel` of ``gui/panels/<topic>/<experiment>``, a module or a package."""
    module = importlib.import_module(f"gui.panels.{experiment}")
    found: type[Panel[Any, Any]] = module.ExperimentPanel
    return found
