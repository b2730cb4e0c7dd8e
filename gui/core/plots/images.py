"""Images in a plot: densities in a sequential colour map, signed quantities in a diverging one, and their colour bar."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import ArrayLike, NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QImage, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui.core.look.follow import follow
from gui.core.look.theme import Theme, font, px, rgb, text_width, theming
from gui.core.numbers import nice_above
from gui.core.plots.axes import tick_texts
from gui.core.plots.base import Shown, Swatch

LEVELS = 256
BAR_WIDTH = 10

# OKLab (B. Ottosson, 2020): linear sRGB -> cone responses -> (cube root) -> lightness and two opponent axes.
TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def to_oklab(colours: NDArray[np.float64]) -> NDArray[np.float64]:
    """sRGB colours in [0, 1], shape (n, 3), as OKLab, where equal distances look equal."""
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    found: NDArray[np.float64] = np.cbrt(linear @ TO_CONES.T) @ TO_LAB.T
    return found


def from_oklab(lab: NDArray[np.float64]) -> NDArray[np.float64]:
    """OKLab colours, shape (n, 3), as sRGB in [0, 1]; colours outside it are clipped."""
    linear = ((lab @ np.linalg.inv(TO_LAB).T) ** 3) @ np.linalg.inv(TO_CONES).T
    linear = np.clip(linear, 0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


@cache
def sequential_lut(name: str, reverse: bool = False) -> NDArray[np.uint8]:
    """256 colours of a map that pyqtgraph ships, shape (256, 3), from low to high."""
    table = pg.colormap.get(name).getLookupTable(0.0, 1.0, LEVELS, alpha=False)
    return np.ascontiguousarray(table[::-1] if reverse else table, dtype=np.uint8)


@cache
def diverging_lut(stops: tuple[str, ...]) -> NDArray[np.uint8]:
    """256 colours through equally spaced stops, blended in OKLab, shape (256, 3); the middle stop stands for zero."""
    lab = to_oklab(np.array([rgb(stop) for stop in stops]))
    places = np.linspace(0, len(stops) - 1, LEVELS)
    blended = np.column_stack([np.interp(places, np.arange(len(stops)), lab[:, i]) for i in range(3)])
    return np.round(255 * from_oklab(blended)).astype(np.uint8)


class _Image(Shown, pg.ImageItem):  # type: ignore[misc]
    """An image on a data rectangle with fixed levels and the theme's colours."""

    swatch: Swatch | None = None
    levels_changed = Signal()

    def __init__(self, label: str | None) -> None:
        super().__init__(axisOrder="row-major")
        self.label = label
        self.low, self.high = 0.0, 1.0
        self.setZValue(-100)
        self.restyle(theming.current)

    def table(self, theme: Theme) -> NDArray[np.uint8]:
        """The 256 colours, low to high."""
        raise TypeError(f"{type(self).__name__} does not say how it is drawn")

    def restyle(self, theme: Theme) -> None:
        """Take the colour map from a theme."""
        self.lookup = self.table(theme)
        self.setLookupTable(self.lookup)

    def set_levels(self, low: float, high: float) -> None:
        """The values that get the first and the last colour."""
        if (low, high) != (self.low, self.high) or self.levels is None:
            self.low, self.high = float(low), float(high)
            self.setLevels((self.low, self.high if self.high > self.low else self.low + 1.0))
            self.levels_changed.emit()

    def _show(self, values: NDArray[Any], rect: tuple[float, float, float, float] | None) -> None:
        self.setImage(values, autoLevels=False, levels=(self.low, self.high if self.high > self.low else self.low + 1.0))
        if rect is not None and rect != getattr(self, "_rect", None):
            self._rect = rect
            self.setRect(QRectF(*rect))


class DensityImage(_Image):
    """A two-dimensional density; row 0 of the array lies at the bottom.

    Parameters
    ----------
    label : str, optional
        What the colours mean, written at the colour bar.
    fade : bool
        Let the lowest values fade into the card instead of filling it with the first colour.
    """

    def __init__(self, label: str | None = None, *, fade: bool = False) -> None:
        self.fade = fade
        super().__init__(label)

    def table(self, theme: Theme) -> NDArray[np.uint8]:
        colours = sequential_lut(theme.sequential, theme.sequential_reversed)
        if not self.fade:
            return colours
        alpha = np.round(255 * np.clip(np.arange(LEVELS) / 24, 0, 1)).astype(np.uint8)
        return np.column_stack([colours, alpha])

    def setData(
        self,
        values: ArrayLike,
        rect: tuple[float, float, float, float] | None = None,
        levels: tuple[float, float] | None = None,
    ) -> None:
        """Show values of shape (rows, columns).

        Parameters
        ----------
        values : array
            Finite numbers; float32 and uint8 are the quickest.
        rect : tuple of float, optional
            Left, bottom, width and height in data coordinates; as before if left out.
        levels : tuple of float, optional
            Values of the first and last colour. Left out: from zero to the largest value seen, growing only.
        """
        array = np.asarray(values)
        if levels is None and array.size:
            peak = float(array.max())
            levels = (0.0, peak) if peak > self.high or self.image is None or peak < 0.3 * self.high else (self.low, self.high)
        self.set_levels(*(levels or (0.0, 1.0)))
        self._show(array, rect)


class HeatMap(_Image):
    """A signed quantity; zero always has the card's own colour, in the middle of the map. Row 0 lies at the bottom.

    Parameters
    ----------
    label : str, optional
        What the colours mean, written at the colour bar.
    """

    def table(self, theme: Theme) -> NDArray[np.uint8]:
        return diverging_lut(theme.diverging)

    def __init__(self, label: str | None = None) -> None:
        super().__init__(label)

    def setData(
        self, values: ArrayLike, rect: tuple[float, float, float, float] | None = None, limit: float | None = None
    ) -> None:
        """Show values of shape (rows, columns).

        Parameters
        ----------
        values : array
            Finite numbers.
        rect : tuple of float, optional
            Left, bottom, width and height in data coordinates; as before if left out.
        limit : float, optional
            The absolute value of the two end colours; the largest one in `values` if left out.
        """
        array = np.asarray(values)
        reach = float(limit if limit is not None else np.abs(array).max(initial=0.0)) or 1.0
        self.set_levels(-reach, reach)
        self._show(array, rect)


class ColourBar(QWidget):
    """What the colours of an image mean: a thin bar with a few numbers."""

    def __init__(self, image: _Image, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.image = image
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        image.levels_changed.connect(self.refresh)
        follow(theming.changed, self, self.refresh)

    def refresh(self) -> None:
        """Draw again after the levels or the theme changed."""
        self.updateGeometry()
        self.update()

    def ticks(self) -> list[tuple[float, str]]:
        """Values that get a number, and the numbers."""
        low, high = self.image.low, self.image.high
        if not high > low:
            return []
        step = 2 * nice_above((high - low) / 10)
        values = [i * step for i in range(int(np.ceil(low / step - 1e-9)), int(np.floor(high / step + 1e-9)) + 1)]
        return list(zip(values, tick_texts(values, step), strict=True))

    def sizeHint(self) -> QSize:
        widest = max((text_width(text, font(12, tabular=True)) for _, text in self.ticks()), default=0.0)
        title = px(18) if self.image.label else 0
        return QSize(px(BAR_WIDTH + 12) + round(widest) + title, px(80))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        theme = theming.current
        bar = QRectF(0.5, px(8) + 0.5, px(BAR_WIDTH), self.height() - px(16) - 1)
        table = self.image.lookup
        column = np.ascontiguousarray(np.column_stack([table[::-1, :3], np.full(LEVELS, 255, np.uint8)]))
        painter.drawImage(bar, QImage(column.data, 1, LEVELS, 4, QImage.Format.Format_RGBA8888))
        painter.setPen(QPen(theme.colour("line"), 1))
        painter.drawRect(bar)
        painter.setFont(font(12, tabular=True))
        painter.setPen(theme.colour("muted"))
        span = self.image.high - self.image.low
        for value, text in self.ticks():
            y = bar.bottom() - (value - self.image.low) / span * bar.height()
            place = QRectF(bar.right() + px(6), y - px(9), self.width(), px(18))
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)
        if self.image.label:
            painter.translate(QPointF(self.width() - px(16), self.height() / 2))
            painter.rotate(-90)
            box = QRectF(-self.height() / 2, 0, self.height(), px(16))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, self.image.label)
