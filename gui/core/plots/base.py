"""What all items of a plot share: pens by role, and drawing in pixels over a view."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol, runtime_checkable
from weakref import ref

import numpy as np
import pyqtgraph as pg
from numpy.typing import ArrayLike, NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPainterPathStroker, QPen, QTransform

from gui.core.look.theme import Role, Theme, font, text_width, theming
from gui.core.plots.raster.paint import dashed

# One place for the settings of pyqtgraph: thin lines without antialiasing are what moves at 60 frames a second.
pg.setConfigOptions(antialias=False, imageAxisOrder="row-major", background=None, foreground="w")

Dash = str | Sequence[float] | None
DASHES: dict[str, tuple[float, ...]] = {"dash": (6, 4), "dot": (1.2, 3), "dashdot": (7, 3, 1.2, 3), "long": (11, 4)}
SERIES_DASHES: tuple[Dash, ...] = (None, "dash", "dot", "dashdot", "long", (3, 2))
LOWERED = 0.75  # of the size of a text: its indices
INDEX = re.compile(r"(?<=\w)_(\w)")
WORDS = re.compile(r"[\u2e80-\u9fff\uff00-\uffef]|[^\s\u2e80-\u9fff\uff00-\uffef]+\s*|\s+")
SERIES_SYMBOLS = ("o", "s", "t", "d", "x", "+")


@dataclass(frozen=True)
class Swatch:
    """How an item looks in a legend: a line with its dash, a marker, or a filled patch."""

    kind: str
    role: Role
    dash: Dash = None
    symbol: str = "o"


@runtime_checkable
class Styled(Protocol):
    """A plot item that takes its colours from the theme."""

    def restyle(self, theme: Theme) -> None:
        """Take colours, widths and fonts from a theme."""


def pen(theme: Theme, role: Role, width: float = 1.0, dash: Dash = None, alpha: float = 1.0) -> QPen:
    """A pen for drawing in pixels.

    Parameters
    ----------
    theme : Theme
        Where the colour of `role` and the line scale come from.
    role : str or int
        See `Theme.colour`.
    width : float
        Pixels before the line scale.
    dash : str, sequence of float, or None
        A name of `DASHES` or lengths of strokes and gaps in pixels; None draws through.
    alpha : float
        Opacity.
    """
    thick = theme.width(width)
    made = QPen(theme.colour(role, alpha), thick)
    made.setCapStyle(Qt.PenCapStyle.FlatCap if dash else Qt.PenCapStyle.RoundCap)
    made.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    if dash:
        lengths = DASHES[dash] if isinstance(dash, str) else dash
        made.setDashPattern(dashed(lengths, width))
    return made


def to_log(values: NDArray[Any], logarithmic: bool) -> NDArray[Any]:
    """The values as the view places them: their decimal logarithms on a logarithmic axis (not a number where there is none)."""
    if not logarithmic:
        return values
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log10(np.where(values > 0, values, np.nan))


def floats(values: ArrayLike) -> NDArray[np.float64]:
    """The values as a contiguous vector of doubles."""
    return np.ascontiguousarray(values, dtype=np.float64).reshape(-1)


class Shown:
    """Whether an item is seen: the panel says whether it belongs to the picture, the user whether to look at it.

    Attributes
    ----------
    present, hidden : bool
        What the panel and what the user said last; neither changes the other's word.
    legend : weak reference to a Legend, optional
        The one that lists the item, told of every change.
    """

    present = True
    hidden = False
    legend: ref[Any] | None = None

    def set_present(self, present: bool) -> None:
        """For the panel: whether there is something to show. An absent item has no entry in the legend."""
        if present != self.present:
            self.present = bool(present)
            self._apply_visibility()

    def set_hidden(self, hidden: bool) -> None:
        """For the user's click in the legend, which every later picture respects."""
        self.hidden = hidden
        self._apply_visibility()

    def set_label(self, label: str | None) -> None:
        """Name the item in the legend, which is laid out again only where that changes something."""
        item: Any = self
        if label != item.label:
            item.label = label
            legend = self.legend() if self.legend is not None else None
            if legend is not None:
                legend.relist()

    def _apply_visibility(self) -> None:
        item: Any = self
        item.setVisible(self.present and not self.hidden)
        legend = self.legend() if self.legend is not None else None
        if legend is not None:
            legend.refresh()


class Plotted(Shown, pg.GraphicsObject):  # type: ignore[misc]
    """An item of ours, drawn in pixels over the whole view: widths then follow the device's pixel ratio and any export.

    Parameters
    ----------
    role : str or int
        Colour by meaning.
    label : str, optional
        Text in the legend; without one the item is not listed there.
    """

    swatch: Swatch | None = None

    def __init__(self, role: Role = "data", label: str | None = None) -> None:
        super().__init__()
        self.role = role
        self.label = label
        self.log = (False, False)

    def restyle(self, theme: Theme) -> None:
        """Take colours, widths and fonts from a theme."""
        self.update()

    def setLogMode(self, x: bool, y: bool) -> None:
        if (bool(x), bool(y)) != self.log:
            self.log = (bool(x), bool(y))
            self.changed()

    def changed(self) -> None:
        """Draw again after the data or the kind of axes changed."""
        self.informViewBoundsChanged()
        self.update()

    def frame(self) -> QRectF:
        """The rectangle of the view in pixels."""
        found: QRectF = self.sceneTransform().mapRect(self.viewRect())
        return found

    def to_pixels(self, x: float, y: float) -> QPointF:
        """Where a point of the view is drawn."""
        found: QPointF = self.sceneTransform().map(QPointF(x, y))
        return found

    def across(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Where values of the x axis are drawn."""
        transform = self.sceneTransform()
        found: NDArray[np.float64] = x * transform.m11() + transform.dx()
        return found

    def down(self, y: NDArray[np.float64]) -> NDArray[np.float64]:
        """Where values of the y axis are drawn."""
        transform = self.sceneTransform()
        found: NDArray[np.float64] = y * transform.m22() + transform.dy()
        return found

    def boundingRect(self) -> QRectF:
        return self.viewRect() if self.getViewBox() is not None else QRectF()

    def viewTransformChanged(self) -> None:
        super().viewTransformChanged()  # forgets the rectangle it has cached
        self.prepareGeometryChange()
        self.update()

    def bounds(self, axis: int) -> tuple[float, float] | None:
        """The smallest and largest value along an axis (0 is x) that the view should show; None asks for nothing."""
        return None

    def dataBounds(self, ax: int, frac: float = 1.0, orthoRange: Any = None) -> tuple[float, float] | tuple[None, None]:
        return self.bounds(ax) or (None, None)

    def paint(self, painter: QPainter, *_: Any) -> None:
        item = self.sceneTransform()
        if not item.m11() or not item.m22():
            return
        # Qt's own inverse gives up where a unit of data is less than a billionth of a pixel.
        inverse = QTransform(1 / item.m11(), 0, 0, 1 / item.m22(), -item.dx() / item.m11(), -item.dy() / item.m22())
        painter.save()
        painter.setWorldTransform(inverse, True)  # combined, so that exports at other scales stay right
        self.draw(painter)
        painter.restore()

    def draw(self, painter: QPainter) -> None:
        """Draw with the painter in pixels of the scene."""
        raise TypeError(f"{type(self).__name__} does not say how it is drawn")


def extent(values: NDArray[np.float64]) -> tuple[float, float] | None:
    """The smallest and largest finite value, None if there is none."""
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if len(finite) else None


def pieces(text: str) -> list[tuple[str, bool]]:
    """A text in pieces, and whether each is an index, lowered where it is drawn: ``M_c = 2`` has the index c."""
    parts = INDEX.split(text)
    return [(part, bool(at % 2)) for at, part in enumerate(parts) if part]


def indexed_width(text: str, size: float, weight: int = 400) -> float:
    """How wide a text with lowered indices is, in pixels."""
    return sum(text_width(p, font(LOWERED * size if low else size, weight, tabular=True)) for p, low in pieces(text))


def wrapped(text: str, room: float, size: float, weight: int = 400) -> list[str]:
    """A text in as many lines as it takes to stay within some pixels; Chinese is broken between any two characters."""
    lines = [""]
    for word_ in WORDS.findall(text):
        if lines[-1] and indexed_width((lines[-1] + word_).rstrip(), size, weight) > room:
            lines.append("")
        lines[-1] += word_
    return [line.strip() for line in lines]


def text_with_halo(painter: QPainter, at: QPointF, text: str, colour: Role, size: float = 12, weight: int = 500) -> None:
    """Write text whose baseline starts at a point, with a rim in the card's colour that keeps it readable over lines."""
    theme = theming.current
    letters, rim = word(text, size, weight, theme.name, theme.scale)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(at)
    painter.fillPath(rim, theme.colour("surface", 0.9))
    painter.fillPath(letters, theme.colour(colour))
    painter.restore()


@lru_cache(maxsize=256)
def word(text: str, size: float, weight: int, theme: str, scale: float) -> tuple[QPainterPath, QPainterPath]:
    """The outline of a text whose baseline starts at the origin, and that of its rim; dear to make, cheap to fill.

    Parameters
    ----------
    text : str
        What is written.
    size, weight
        As `font` takes them.
    theme, scale
        The look for which it is made: key of the cache, since the font follows it.
    """
    letters = QPainterPath()
    at = 0.0
    for piece, lowered in pieces(text):
        face = font(LOWERED * size if lowered else size, weight, tabular=True)
        letters.addText(QPointF(at, 0.2 * theming.current.px(size) if lowered else 0.0), face, piece)
        at += text_width(piece, face)
    stroker = QPainterPathStroker()
    stroker.setWidth(theming.current.px(4))
    stroker.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    rim = stroker.createStroke(letters)
    rim.setFillRule(Qt.FillRule.WindingFill)
    return letters, rim
