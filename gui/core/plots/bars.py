"""Filled areas: the band between two curves, and bars of categories."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen, QPolygonF

from gui.core.look.theme import Role, Theme, theming
from gui.core.plots.axes import Axis
from gui.core.plots.base import Plotted, Swatch, extent, floats, pen, to_log
from gui.core.plots.raster.paint import Floats, bounded

EMPTY = np.empty(0)
GROUP = 0.76


def runs(usable: np.ndarray) -> list[slice]:
    """The unbroken stretches of true values."""
    steps = np.diff(np.concatenate([[0], usable.astype(np.int8), [0]]))
    starts, ends = np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)
    return [slice(int(a), int(b)) for a, b in zip(starts, ends, strict=True)]


class Area(Plotted):
    """The band between two curves.

    Parameters
    ----------
    role : str or int
        Colour by meaning.
    label : str, optional
        Text in the legend.
    alpha : float
        Opacity of the filling.
    edges : bool
        Thin lines along both curves.
    """

    def __init__(self, role: Role = "theory", label: str | None = None, alpha: float = 0.22, *, edges: bool = False) -> None:
        super().__init__(role, label)
        self.alpha, self.edges = alpha, edges
        self.swatch = Swatch("patch", role)
        self.x: Floats = EMPTY
        self.low: Floats = EMPTY
        self.high: Floats = EMPTY
        self.setZValue(-5)
        self.restyle(theming.current)
        self.changed()

    def restyle(self, theme: Theme) -> None:
        self.colour = theme.colour(self.role, self.alpha)
        self.line = pen(theme, self.role, 1, alpha=0.6)
        self.update()

    def setData(self, x: ArrayLike, low: ArrayLike, high: ArrayLike) -> None:
        """Fill between (x, low) and (x, high), all of shape (n,); a single number as `low` or `high` is a straight edge.

        The band is broken where a value is not finite.
        """
        across = floats(x)
        ends = [np.full(len(across), floats(v)[0]) if np.ndim(v) == 0 else floats(v) for v in (low, high)]
        if any(len(end) != len(across) for end in ends):
            raise ValueError(f"{len(across)} x values, {len(ends[0])} low and {len(ends[1])} high ones")
        self.x, self.low, self.high = across, *ends
        self.changed()

    def changed(self) -> None:
        self.shown = to_log(self.x, self.log[0]), to_log(self.low, self.log[1]), to_log(self.high, self.log[1])
        super().changed()

    def bounds(self, axis: int) -> tuple[float, float] | None:
        return extent(self.shown[0] if axis == 0 else np.concatenate(self.shown[1:]))

    def draw(self, painter: QPainter) -> None:
        x = bounded(self.across(self.shown[0]))
        low, high = (bounded(self.down(values)) for values in self.shown[1:])
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for piece in runs(np.isfinite(x) & np.isfinite(low) & np.isfinite(high)):
            there = [QPointF(a, b) for a, b in zip(x[piece].tolist(), high[piece].tolist(), strict=True)]
            back = [QPointF(a, b) for a, b in zip(x[piece].tolist(), low[piece].tolist(), strict=True)]
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self.colour)
            painter.drawPolygon(QPolygonF([*there, *reversed(back)]))
            if self.edges:
                painter.setPen(self.line)
                painter.drawPolyline(QPolygonF(there))
                painter.drawPolyline(QPolygonF(back))


class Bars(Plotted):
    """Bars of categories, or at numbers; several items stand side by side.

    Parameters
    ----------
    role : str or int
        Colour by meaning.
    label : str, optional
        Text in the legend.
    offset, of : int
        This is the bar number `offset` (from 0) of `of` bars in each category.
    horizontal : bool
        The bars lie, as in a list of words; the first is on top once the axis has its categories.
    fill : float
        Opacity.
    """

    def __init__(
        self,
        role: Role = "data",
        label: str | None = None,
        *,
        offset: int = 0,
        of: int = 1,
        horizontal: bool = False,
        fill: float = 0.8,
    ) -> None:
        super().__init__(role, label)
        if not 0 <= offset < of:
            raise ValueError(f"bar {offset} of {of}")
        self.offset, self.of, self.horizontal, self.fill = offset, of, horizontal, fill
        self.swatch = Swatch("patch", role)
        self.at: Floats = EMPTY
        self.heights: Floats = EMPTY
        self.base: Floats = EMPTY
        self.errors: Floats | None = None
        self.width = 1.0
        self.setZValue(1)
        self.restyle(theming.current)
        self.changed()

    def restyle(self, theme: Theme) -> None:
        self.colour = theme.colour(self.role, self.fill)
        self.whisker = QPen(theme.colour("text", 0.85), theme.width(1.4))
        self.whisker.setCapStyle(Qt.PenCapStyle.FlatCap)
        self.update()

    def setData(
        self,
        heights: ArrayLike,
        names: Sequence[str] | None = None,
        errors: ArrayLike | None = None,
        base: ArrayLike = 0.0,
        *,
        at: ArrayLike | None = None,
    ) -> None:
        """Show n bars.

        Parameters
        ----------
        heights : array, shape (n,)
            Where the bars end; those that are not finite are left out.
        names : sequence of str, optional
            The categories, written at the axis of the plot that the item has been added to.
        errors : array, shape (n,), optional
            Half lengths of the whiskers.
        base : float or array, shape (n,)
            Where the bars start. To stack bars, give the ends of those below.
        at : array, shape (n,), optional
            Where they stand, evenly spaced; 0, 1, 2, ... if left out.
        """
        ends = floats(heights)
        count = len(ends)
        starts = np.broadcast_to(np.asarray(base, dtype=np.float64), (count,)) if np.ndim(base) == 0 else floats(base)
        places = np.arange(count, dtype=np.float64) if at is None else floats(at)
        whiskers = None if errors is None else floats(errors)
        for what, values in (("bases", starts), ("places", places), ("errors", whiskers), ("names", names)):
            if values is not None and len(values) != count:
                raise ValueError(f"{count} bars, {len(values)} {what}")
        self.heights, self.base, self.at, self.errors = ends, starts, places, whiskers
        self.width = float(np.abs(np.diff(places)).min()) if count > 1 else 1.0
        self.changed()
        if names is not None:
            self._name(names)

    def _name(self, names: Sequence[str]) -> None:
        """Write the categories at the axis of the plot."""
        box = self.getViewBox()
        plot = box.parentItem() if box is not None else None
        axis = plot.getAxis("left" if self.horizontal else "bottom") if plot is not None else None
        if isinstance(axis, Axis):
            axis.set_categories(names)
            if self.horizontal:
                box.invertY(bool(names))

    def spans(self) -> tuple[Floats, Floats]:
        """Where the bars begin and end along the axis of the categories."""
        thick = GROUP * self.width / self.of
        low = self.at - GROUP * self.width / 2 + self.offset * thick
        gap = 0.05 * thick if self.of > 1 else 0.0
        return low + gap, low + thick - gap

    def changed(self) -> None:
        across, along = (1, 0) if self.horizontal else (0, 1)
        low, high = self.spans()
        self.sides = to_log(low, self.log[across]), to_log(high, self.log[across])
        ends = to_log(self.heights, self.log[along])
        starts = to_log(self.base, self.log[along])
        self.starts, self.ends = np.where(np.isfinite(starts), starts, -300.0 if self.log[along] else 0.0), ends
        error = np.zeros(0) if self.errors is None else self.errors
        self.reach = (
            (to_log(self.heights - error, self.log[along]), to_log(self.heights + error, self.log[along]))
            if len(error)
            else None
        )
        super().changed()

    def bounds(self, axis: int) -> tuple[float, float] | None:
        if axis == (1 if self.horizontal else 0):
            return extent(np.concatenate(self.sides))
        ends = [self.ends, *([] if self.log[axis] else [self.starts]), *(self.reach or ())]
        return extent(np.concatenate(ends))

    def draw(self, painter: QPainter) -> None:
        if not len(self.heights):
            return
        place, value = (self.down, self.across) if self.horizontal else (self.across, self.down)
        low, high = (bounded(place(side)) for side in self.sides)
        starts, ends = bounded(value(self.starts)), bounded(value(self.ends))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.colour)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for a, b, c, d in zip(low.tolist(), high.tolist(), starts.tolist(), ends.tolist(), strict=True):
            if np.isfinite([a, b, c, d]).all():
                corners = (QPointF(c, a), QPointF(d, b)) if self.horizontal else (QPointF(a, c), QPointF(b, d))
                painter.drawRect(QRectF(*corners).normalized())
        if self.reach is not None:
            self._draw_whiskers(painter, (low + high) / 2, *(bounded(value(end)) for end in self.reach))

    def _draw_whiskers(self, painter: QPainter, middle: Floats, low: Floats, high: Floats) -> None:
        painter.setPen(self.whisker)
        cap = theming.current.width(3)
        for at, a, b in zip(middle.tolist(), low.tolist(), high.tolist(), strict=True):
            if not np.isfinite([at, a, b]).all():
                continue
            lines = [((at, a), (at, b)), ((at - cap, a), (at + cap, a)), ((at - cap, b), (at + cap, b))]
            for start, end in lines:
                ends = (start[::-1], end[::-1]) if self.horizontal else (start, end)
                painter.drawLine(QPointF(*ends[0]), QPointF(*ends[1]))
