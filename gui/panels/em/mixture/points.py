"""Points that belong to several components at once: blended colours, or small pies while there are few."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pyqtgraph.Qt.internals import PrimitiveArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPixmap, QTransform

from gui.core.look.theme import Role, Theme, theming
from gui.core.plots.base import Plotted, extent, floats
from gui.core.plots.raster.paint import FAR, Floats, device_scale, on_pixels
from gui.core.plots.raster.stamps import print_stamps
from gui.core.plots.swarm import fitting

HUES: tuple[Role, ...] = (0, 1, 2, 3, 4, 5, "#8A7BE8", "muted", "#B5763A", "#3FC1C9", "#A4C639", "text")  # of 1, 2, ...
MOST_PIES = 200
PIE = 12.0  # pixels across
LEVELS = 32  # of red, green and blue: finer shades look the same
SHADES = 32  # blocks along an edge of the sheet
PHASES = 2  # the points rest, so that half pixels are fine enough
FULL_TURN = 5760  # in the sixteenths of a degree that Qt counts
SLIVER = 1e-3


def hue(component: int) -> Role:
    """The colour of a component by meaning."""
    return HUES[component % len(HUES)]


def blended(shares: Floats, hues: Floats) -> NDArray[np.intp]:
    """Codes of blended colours.

    Parameters
    ----------
    shares : array, shape (n, k)
        How much of a point belongs to each component; rows sum to one.
    hues : array, shape (k, 3)
        Red, green and blue of the components, from 0 to 1.

    Returns
    -------
    array of int, shape (n,)
        Red, green and blue in steps of one in `LEVELS`, as digits of one number.
    """
    mixed = np.clip(shares @ hues, 0.0, 1.0)
    red, green, blue = np.minimum((mixed * LEVELS).astype(np.intp), LEVELS - 1).T
    found: NDArray[np.intp] = (red * LEVELS + green) * LEVELS + blue
    return found


def colour_of(code: int) -> QColor:
    """The colour of a code."""
    red, green, blue = code // LEVELS**2, code // LEVELS % LEVELS, code % LEVELS
    return QColor.fromRgbF(*((level + 0.5) / LEVELS for level in (red, green, blue)))


class ShadeSheet:
    """Dots of many shades on one pixmap, which grows with the shades that were ever wanted.

    Parameters
    ----------
    size : float
        Diameter in pixels.
    scale : float
        Device pixels per pixel.
    rim : QColor, optional
        A ring that parts a dot from those below.
    """

    def __init__(self, size: float, scale: float, rim: QColor | None) -> None:
        self.size, self.scale, self.rim = size, scale, rim
        self.side = int(np.ceil((size + (2.0 if rim is not None else 0.0)) * scale)) + 3
        self.sheet = QPixmap(self.side * PHASES * SHADES, self.side * PHASES * SHADES)
        self._fragments = PrimitiveArray(QPainter.PixmapFragment, 10)
        self._clear()

    def _clear(self) -> None:
        self.sheet.fill(Qt.GlobalColor.transparent)
        self._slots = np.full(LEVELS**3, -1, dtype=np.intp)
        self._used = 0

    def print(self, painter: QPainter, x: Floats, y: Floats, codes: NDArray[np.intp]) -> None:
        """Print dots at finite places in the painter's coordinates."""
        wanted = np.unique(codes)
        missing = wanted[self._slots[wanted] < 0]
        if self._used + len(missing) > SHADES**2:
            self._clear()
            missing = wanted[: SHADES**2]
        if len(missing):
            self._cut(missing)
        slots = np.maximum(self._slots[codes], 0)
        print_stamps(painter, self._fragments, self.sheet, self.side, PHASES, x, y, slots % SHADES, slots // SHADES)

    def _cut(self, codes: NDArray[np.intp]) -> None:
        painter = QPainter(self.sheet)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        for code in codes.tolist():
            self._slots[code] = self._used
            left, top = (part * PHASES * self.side for part in (self._used % SHADES, self._used // SHADES))
            colour = colour_of(code)
            for right in range(PHASES):
                for down in range(PHASES):
                    middle = self.side / 2 + 0.5 / PHASES
                    x, y = (start + at * self.side + middle + at / PHASES for start, at in ((left, right), (top, down)))
                    painter.setTransform(QTransform(self.scale, 0, 0, self.scale, x, y))
                    draw_dot(painter, QPointF(), self.size, colour, self.rim)
            self._used += 1
        painter.end()


def draw_dot(painter: QPainter, at: QPointF, size: float, colour: QColor, rim: QColor | None) -> None:
    """A disc, perhaps with a ring around it."""
    half = size / 2
    disc = QRectF(at.x() - half, at.y() - half, size, size)
    if rim is not None:
        painter.setBrush(rim)
        painter.drawEllipse(disc.adjusted(-1, -1, 1, 1))
    painter.setBrush(colour)
    painter.drawEllipse(disc)


class SharedPoints(Plotted):
    """Points coloured by how much of them belongs to each component; up to 200 of them can be pies.

    Parameters
    ----------
    size : float, optional
        Diameter in pixels; chosen by the number of points if left out.
    """

    def __init__(self, size: float | None = None) -> None:
        super().__init__("data")
        self.size = size
        self.x: Floats = np.empty(0)
        self.y: Floats = np.empty(0)
        self.shares: Floats = np.empty((0, 1))
        self.pies = False
        self._sheets: dict[tuple[float, float, bool], ShadeSheet] = {}
        self.setZValue(8)
        self.restyle(theming.current)

    def restyle(self, theme: Theme) -> None:
        self.colours = [theme.colour(role) for role in HUES]
        self._sheets.clear()
        self._mix()
        self.update()

    def setData(self, x: ArrayLike, y: ArrayLike, shares: ArrayLike, *, pies: bool = False) -> None:
        """Show points.

        Parameters
        ----------
        x, y : array, shape (n,)
            Places in data coordinates.
        shares : array, shape (n, k)
            How much of each belongs to each component; without a component all are muted.
        pies : bool
            Draw the shares as slices, where there are no more than 200 points.
        """
        across, up = floats(x), floats(y)
        parts = np.asarray(shares, dtype=np.float64).reshape(len(across), -1)
        if len(across) != len(up):
            raise ValueError(f"{len(across)} x values, {len(up)} y values")
        self.x, self.y, self.shares = across, up, np.nan_to_num(parts)
        self.pies = pies and len(across) <= MOST_PIES and parts.shape[1] > 1
        self._mix()
        self.changed()

    def _mix(self) -> None:
        parts = [self.colours[k % len(HUES)] for k in range(self.shares.shape[1])]
        hues = np.array([(part.redF(), part.greenF(), part.blueF()) for part in parts])
        if not self.shares.shape[1] or not len(self.shares):
            self.codes = np.zeros(len(self.x), dtype=np.intp)
            return
        self.codes = blended(self.shares, hues)

    def bounds(self, axis: int) -> tuple[float, float] | None:
        return extent((self.x, self.y)[axis])

    def look(self, count: int, area: float) -> float:
        """Diameter in pixels of so many points in a plot of so many square pixels."""
        theme = theming.current
        if self.size is not None:
            return theme.width(self.size)
        return 1.05 * fitting(count, area, theme.line_scale)[0]

    def draw(self, painter: QPainter) -> None:
        if not len(self.x):
            return
        x, y = self.across(self.x), self.down(self.y)
        near = (np.abs(x) < FAR) & (np.abs(y) < FAR)  # false for what is not a number
        frame = self.frame()
        if self.pies:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            size = theming.current.width(PIE)
            for at, (a, b) in enumerate(zip(x.tolist(), y.tolist(), strict=True)):
                if near[at] and frame.adjusted(-size, -size, size, size).contains(a, b):
                    self._draw_pie(painter, a, b, size, self.shares[at])
            return
        size, rimmed = self.look(len(x), frame.width() * frame.height()), len(x) <= 3000
        rim = theming.current.colour("surface", 0.85) if rimmed else None
        if not on_pixels(painter):
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            for a, b, code in zip(x[near].tolist(), y[near].tolist(), self.codes[near].tolist(), strict=True):
                draw_dot(painter, QPointF(a, b), size, colour_of(code), rim)
            return
        key = (round(size, 1), device_scale(painter), rimmed)
        if key not in self._sheets:
            if len(self._sheets) > 4:
                self._sheets.clear()
            self._sheets[key] = ShadeSheet(key[0], key[1], rim)
        self._sheets[key].print(painter, x[near], y[near], self.codes[near])

    def _draw_pie(self, painter: QPainter, x: float, y: float, size: float, shares: Sequence[float] | Floats) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        largest = int(np.argmax(shares))
        draw_dot(painter, QPointF(x, y), size, self.colours[largest % len(HUES)], theming.current.colour("surface", 0.85))
        disc = QRectF(x - size / 2, y - size / 2, size, size)
        start = FULL_TURN // 4  # at twelve o'clock, and on with the clock
        for component, share in enumerate(shares):
            span = round(-share * FULL_TURN)
            if component != largest and share > SLIVER:
                painter.setBrush(self.colours[component % len(HUES)])
                painter.drawPie(disc, start, span)
            start += span
