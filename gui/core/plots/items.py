"""Histogram, curve and points: made once, then fed by `setData`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPen

from gui.core.look.theme import Role, Theme, theming
from gui.core.plots.base import SERIES_DASHES, SERIES_SYMBOLS, Dash, Plotted, Swatch, extent, floats, pen, to_log
from gui.core.plots.raster.paint import Floats, Stamps, bounded, draw_line, fill_steps, ink, steps

FINE_POINTS = 3000
FINE_INK = 15_000
EMPTY = np.empty(0)
DEFAULT = object()


def thin(x: Floats, y: Floats, low: float, high: float, columns: int) -> tuple[Floats, Floats]:
    """At most two points per pixel column of a curve with ascending x, keeping every peak that can be seen.

    Parameters
    ----------
    x, y : array, shape (n,)
        The curve.
    low, high : float
        What the view shows of the x axis.
    columns : int
        Its width in pixels.
    """
    first = max(int(np.searchsorted(x, low)) - 1, 0)
    last = min(int(np.searchsorted(x, high)) + 1, len(x))
    x, y = x[first:last], y[first:last]
    step = len(x) // max(2 * columns, 1)
    if step < 2:
        return x, y
    starts = np.arange(0, len(x), 2 * step)
    peaks = np.column_stack([np.fmin.reduceat(y, starts), np.fmax.reduceat(y, starts)])
    return np.repeat(x[starts], 2), peaks.reshape(-1)


class Histogram(Plotted):
    """A filled step of densities.

    Parameters
    ----------
    role : str or int
        Colour by meaning; `data` is what was computed.
    label : str, optional
        Text in the legend.
    fill : float
        Opacity of the filling; 0 leaves the outline.
    """

    def __init__(self, role: Role = "data", label: str | None = None, *, fill: float = 0.42) -> None:
        super().__init__(role, label)
        self.fill = fill
        self.swatch = Swatch("patch", role)
        self.edges: Floats = EMPTY
        self.density: Floats = EMPTY
        self.restyle(theming.current)

    def restyle(self, theme: Theme) -> None:
        self.colour = theme.colour(self.role, self.fill)
        self.pen = pen(theme, self.role, 1)
        self.pen.setCapStyle(Qt.PenCapStyle.SquareCap)
        self.pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
        self.update()

    def setData(self, counts: ArrayLike, edges: ArrayLike, *, density: bool = False) -> None:
        """Show n counts between n + 1 edges as a density of area one.

        Parameters
        ----------
        counts : array, shape (n,)
            Counts or weights; or, with `density`, heights that are drawn as they are.
        edges : array, shape (n + 1,)
            Bin edges, ascending.
        density : bool
            The heights are final.
        """
        heights, places = floats(counts), floats(edges)
        if len(places) != len(heights) + 1:
            raise ValueError(f"{len(heights)} counts need {len(heights) + 1} edges, not {len(places)}")
        if not density:
            total = heights.sum()
            heights = heights / (total * np.diff(places)) if total > 0 else np.zeros_like(heights)
        self.edges, self.density = places, heights
        self.changed()

    def area(self) -> float:
        """The area under the steps."""
        return float(self.density @ np.diff(self.edges)) if len(self.density) else 0.0

    def bounds(self, axis: int) -> tuple[float, float] | None:
        if axis == 0:
            return extent(to_log(self.edges, self.log[0]))
        found = extent(to_log(self.density, self.log[1]))
        return found if found is None or self.log[1] else (min(found[0], 0.0), found[1])

    def draw(self, painter: QPainter) -> None:
        n = len(self.density)
        if not n:
            return
        frame = self.frame()
        x = self.across(to_log(self.edges, self.log[0]))
        base = frame.bottom() + 2 if self.log[1] else float(bounded(np.array(self.to_pixels(0, 0).y())))
        y = bounded(np.nan_to_num(self.down(to_log(self.density, self.log[1])), nan=base))
        if self.fill > 0:
            fill_steps(painter, x, y, base, self.colour, frame)
        painter.setPen(self.pen)
        draw_line(painter, *steps(x, y, base))


class Curve(Plotted):
    """A line through points: thick and smooth while there are few, one pixel and downsampled when there are many.

    Parameters
    ----------
    role : str or int
        `theory` for exact laws, `data` for what was computed, a number for further series.
    label : str, optional
        Text in the legend.
    dash : str, sequence of float, or None
        A name of `DASHES`; series have their own unless one is given.
    width : float, optional
        Pixels while there are few points; 2.2 for theory, 1.6 otherwise.
    alpha : float
        Opacity.
    """

    def __init__(
        self,
        role: Role = "theory",
        label: str | None = None,
        *,
        dash: Any = DEFAULT,
        width: float | None = None,
        alpha: float = 1.0,
    ) -> None:
        super().__init__(role, label)
        series = SERIES_DASHES[role % len(SERIES_DASHES)] if isinstance(role, int) else None
        self.dash: Dash = series if dash is DEFAULT else dash
        self.width = width or (2.2 if role == "theory" else 1.6)
        self.alpha = alpha
        self.swatch = Swatch("line", role, self.dash)
        self.x: Floats = EMPTY
        self.y: Floats = EMPTY
        self.ascending = True
        if role == "theory":
            self.setZValue(5)
        self.restyle(theming.current)

    def restyle(self, theme: Theme) -> None:
        self.fine_pen = pen(theme, self.role, self.width, self.dash, self.alpha)
        self.thin_pen = QPen(theme.colour(self.role, self.alpha), 1)
        self.update()

    def setData(self, x: ArrayLike, y: ArrayLike) -> None:
        """Show a line through (x, y), both of shape (n,); it is broken where a value is not finite."""
        across, up = floats(x), floats(y)
        if len(across) != len(up):
            raise ValueError(f"{len(across)} x values, {len(up)} y values")
        self.x, self.y = across, up
        self.changed()

    def changed(self) -> None:
        self.shown = to_log(self.x, self.log[0]), to_log(self.y, self.log[1])
        self.ascending = len(self.x) <= FINE_POINTS or bool(np.all(np.diff(self.shown[0]) >= 0))
        super().changed()

    def bounds(self, axis: int) -> tuple[float, float] | None:
        return extent(self.shown[axis]) if len(self.x) else None

    def draw(self, painter: QPainter) -> None:
        if not len(self.x):
            return
        x, y = self.shown
        few = len(x) <= FINE_POINTS
        if not few and self.ascending:
            view = self.viewRect()
            x, y = thin(x, y, view.left(), view.right(), round(self.frame().width()))
        across, down = self.across(x), self.down(y)
        fine = few and ink(across, down) <= FINE_INK
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, fine)
        painter.setPen(self.fine_pen if fine else self.thin_pen)
        draw_line(painter, across, down)


class Points(Plotted):
    """Many markers in one colour; 25,000 of them take about 4 ms.

    Parameters
    ----------
    role : str or int
        Colour by meaning.
    label : str, optional
        Text in the legend.
    size : float
        Diameter in pixels.
    alpha : float
        Opacity.
    symbol : str, optional
        `o`, `s`, `t`, `d`, `x` or `+`; series have their own unless one is given.
    halo : bool
        A rim in the card's colour, for few points over a line.
    """

    def __init__(
        self,
        role: Role = "data",
        label: str | None = None,
        *,
        size: float = 5,
        alpha: float = 1.0,
        symbol: str | None = None,
        halo: bool = False,
    ) -> None:
        super().__init__(role, label)
        self.size, self.alpha, self.halo = size, alpha, halo
        self.symbol = symbol or (SERIES_SYMBOLS[role % len(SERIES_SYMBOLS)] if isinstance(role, int) else "o")
        self.swatch = Swatch("marker", role, symbol=self.symbol)
        self.x: Floats = EMPTY
        self.y: Floats = EMPTY
        self.shown: Floats = np.empty((0, 2))
        self.setZValue(8)
        self.restyle(theming.current)

    def restyle(self, theme: Theme) -> None:
        rim = theme.colour("surface") if self.halo else None
        self.stamps = Stamps(self.symbol, theme.width(self.size), theme.colour(self.role, self.alpha), rim)
        self.update()

    def setData(self, x: ArrayLike, y: ArrayLike) -> None:
        """Show markers at (x, y), both of shape (n,); those that are not finite are left out."""
        across, up = floats(x), floats(y)
        if len(across) != len(up):
            raise ValueError(f"{len(across)} x values, {len(up)} y values")
        self.x, self.y = across, up
        self.changed()

    def changed(self) -> None:
        both = np.column_stack([to_log(self.x, self.log[0]), to_log(self.y, self.log[1])])
        self.shown = both[np.isfinite(both).all(axis=1)]
        super().changed()

    def bounds(self, axis: int) -> tuple[float, float] | None:
        return extent(self.shown[:, axis])

    def draw(self, painter: QPainter) -> None:
        x, y = self.shown.T
        self.stamps.draw(painter, np.column_stack([self.across(x), self.down(y)]))
