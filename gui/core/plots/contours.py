"""Level lines of a function on a grid, found once and drawn from a picture of themselves until something changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import pyqtgraph as pg
from contourpy import LineType, contour_generator
from numpy.typing import ArrayLike, NDArray
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage, QPainter

from gui.core.look.theme import Role, Theme, theming
from gui.core.plots.base import Dash, Plotted, Swatch, extent, pen, to_log
from gui.core.plots.raster.paint import Floats, bounded, device_scale, on_pixels
from gui.core.plots.raster.strokes import OVERLAP, draw_strokes, polyline

Rect = tuple[float, float, float, float]


def level_lines(values: NDArray[Any], rect: Rect, levels: Sequence[float], *, nodes: bool = False) -> list[list[Floats]]:
    """The lines along which a function on a grid takes given values, by marching squares (the library contourpy).

    Parameters
    ----------
    values : array, shape (rows, columns)
        Row 0 lies at the bottom; what is not finite is left out.
    rect : tuple of float
        Left, bottom, width and height of the grid in data coordinates.
    levels : sequence of float
        The values.
    nodes : bool
        The outermost values lie on the edges of the rectangle; else each value lies in the middle of its cell, as in an image.

    Returns
    -------
    list of list of array, shape (n, 2)
        For each level its lines, in data coordinates; closed ones end where they begin.
    """
    rows, columns = values.shape
    left, bottom, width, height = rect
    if nodes:
        x, y = left + np.linspace(0, width, columns), bottom + np.linspace(0, height, rows)
    else:
        x, y = left + (np.arange(columns) + 0.5) * (width / columns), bottom + (np.arange(rows) + 0.5) * (height / rows)
    grid = np.ma.masked_invalid(np.asarray(values, dtype=np.float64))
    generator = contour_generator(x=x, y=y, z=grid, name="serial", line_type=LineType.Separate)
    return [list(cast(list[Floats], generator.lines(float(level)))) for level in levels]


class Contours(Plotted):
    """Level lines of a function on a grid.

    Parameters
    ----------
    role : str or int
        Colour by meaning.
    label : str, optional
        Text in the legend.
    levels : int or sequence of float
        The values, or how many evenly spaced ones between the smallest and the largest value.
    width : float
        Pixels.
    dash : str, sequence of float, or None
        A name of `DASHES` or lengths in pixels.
    alpha : float or tuple of float
        Opacity; two numbers are those of the lowest and of the highest level.
    """

    def __init__(
        self,
        role: Role = "theory",
        label: str | None = None,
        levels: int | Sequence[float] = 8,
        *,
        width: float = 1.2,
        dash: Dash = None,
        alpha: float | tuple[float, float] = 0.85,
    ) -> None:
        super().__init__(role, label)
        self.wanted: int | tuple[float, ...] = levels if isinstance(levels, int) else tuple(levels)
        self.width, self.dash = width, dash
        self.alphas = (alpha, alpha) if isinstance(alpha, (int, float)) else alpha
        self.swatch = Swatch("line", role, dash)
        self.levels: tuple[float, ...] = ()
        self.lines: list[list[Floats]] = []
        self.rect: Rect | None = None
        self._seen: tuple[Any, ...] = (None,)
        self._picture: tuple[tuple[Any, ...], QImage] | None = None
        self.setZValue(9 if role == "theory" else 3)  # a law is drawn over the data

    def restyle(self, theme: Theme) -> None:
        self._picture = None
        self.update()

    def setData(
        self,
        values: ArrayLike | None,
        rect: Rect | None = None,
        levels: int | Sequence[float] | None = None,
        *,
        nodes: bool = False,
    ) -> None:
        """Show the level lines of a grid; giving the very same array, rectangle and levels again costs nothing.

        Parameters
        ----------
        values : array, shape (rows, columns), or None
            Row 0 lies at the bottom; None takes the lines away.
        rect : tuple of float, optional
            Left, bottom, width and height in data coordinates; as before if left out.
        levels : int or sequence of float, optional
            As at the making; as before if left out.
        nodes : bool
            See `level_lines`.
        """
        if levels is not None:
            self.wanted = levels if isinstance(levels, int) else tuple(float(level) for level in levels)
        rect = rect or self.rect or (0.0, 0.0, 1.0, 1.0)
        if self._seen[0] is values and self._seen[1:] == (rect, self.wanted, nodes):
            return
        self._seen = (values, rect, self.wanted, nodes)
        self.rect, self._picture = rect, None
        grid = np.empty((0, 0)) if values is None else np.asarray(values)
        self.levels = self._chosen_levels(grid)
        enough = grid.ndim == 2 and min(grid.shape) >= 2
        self.lines = level_lines(grid, rect, self.levels, nodes=nodes) if enough else []
        self.changed()

    def _chosen_levels(self, grid: NDArray[Any]) -> tuple[float, ...]:
        if not isinstance(self.wanted, int):
            return self.wanted
        finite = grid[np.isfinite(grid)]
        if not finite.size or finite.min() == finite.max():
            return ()
        return tuple(np.linspace(finite.min(), finite.max(), self.wanted + 2)[1:-1].tolist())

    def bounds(self, axis: int) -> tuple[float, float] | None:
        if self.rect is None or not self.lines:
            return None
        return extent(to_log(np.array([self.rect[axis], self.rect[axis] + self.rect[axis + 2]]), self.log[axis]))

    def draw(self, painter: QPainter) -> None:
        if not self.lines:
            return
        if not on_pixels(painter):
            self._stroke(painter)
            return
        device, transform = painter.deviceTransform(), self.sceneTransform()
        whole = device.mapRect(self.frame()).toAlignedRect()  # in device pixels, so that the picture is copied as it is
        back, possible = device.inverted()
        if not possible or whole.isEmpty():
            return
        key = (whole.getRect(), device, transform, self.log)
        if self._picture is None or self._picture[0] != key:
            image = QImage(whole.size(), QImage.Format.Format_ARGB32_Premultiplied)
            image.fill(Qt.GlobalColor.transparent)
            brush = QPainter(image)
            brush.translate(-whole.topLeft())
            brush.setTransform(device, True)
            self._stroke(brush)
            brush.end()
            self._picture = (key, image)
        painter.save()
        painter.setWorldTransform(back, True)
        painter.drawImage(whole.topLeft(), self._picture[1])
        painter.restore()

    def _placed(self, xy: Floats) -> list[Floats]:
        """Where a line is drawn, in parts where a logarithmic axis has no place for some of it."""
        places = np.column_stack([self.across(to_log(xy[:, 0], self.log[0])), self.down(to_log(xy[:, 1], self.log[1]))])
        lost = np.flatnonzero(~np.isfinite(places).all(axis=1))
        parts = np.split(places, np.union1d(lost, lost + 1)) if len(lost) else [places]
        return [part for part in parts if len(part) > 1 and np.isfinite(part).all()]

    def _stroke(self, painter: QPainter) -> None:
        theme = theming.current
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        # Where strokes of a line overlap they replace each other, else translucent ones would show beads.
        pixels = on_pixels(painter)
        if pixels:
            painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Source)
        stretch = OVERLAP / device_scale(painter)
        for lines, alpha in zip(self.lines, self.shades(), strict=True):
            line = pen(theme, self.role, self.width, self.dash, alpha)
            places = [bounded(place) for xy in lines for place in self._placed(xy)]
            if pixels and not self.dash and places:
                draw_strokes(painter, np.vstack([polyline(xy, stretch) for xy in places]), line.color(), line.widthF())
                continue
            painter.setPen(line)
            for xy in places:
                painter.drawPath(pg.arrayToQPath(xy[:, 0], xy[:, 1], finiteCheck=False))

    def shades(self) -> list[float]:
        """The opacities of the levels."""
        low, high = self.alphas
        return [high] if len(self.lines) == 1 else np.linspace(low, high, len(self.lines)).tolist()
