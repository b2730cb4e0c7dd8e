"""Ellipses of equal density of normal distributions: components of a mixture, covariances of a cloud."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QPainter, QPolygonF

from gui.core.look.theme import Role, Theme, theming
from gui.core.plots.base import Plotted, Swatch, extent, to_log
from gui.core.plots.raster.paint import Floats, Stamps, bounded, device_scale
from gui.core.plots.raster.strokes import OVERLAP, dashes, draw_strokes, polyline

CORNERS = 96
CIRCLE = np.stack([np.cos(np.linspace(0, 2 * np.pi, CORNERS)), np.sin(np.linspace(0, 2 * np.pi, CORNERS))])


def roots(covariances: Floats) -> Floats:
    """Symmetric square roots of covariance matrices of shape (k, 2, 2); negative eigenvalues count as zero."""
    values, vectors = np.linalg.eigh((covariances + covariances.transpose(0, 2, 1)) / 2)
    found: Floats = np.einsum("kij,kj,klj->kil", vectors, np.sqrt(np.maximum(values, 0)), vectors)
    return found


class Ellipses(Plotted):
    """The ellipses at so many standard deviations from the means of normal distributions.

    Parameters
    ----------
    role : str or int
        Colour by meaning, where no groups are given.
    label : str, optional
        Text in the legend.
    width : float
        Pixels of the innermost line; the outer ones are thinner.
    ghost : bool
        Faint broken lines without filling: what was, or what is true, behind what is now.
    fill : float
        Opacity of the innermost ellipse.
    """

    def __init__(
        self,
        role: Role = "theory",
        label: str | None = None,
        *,
        width: float = 2.0,
        ghost: bool = False,
        fill: float = 0.12,
    ) -> None:
        super().__init__(role, label)
        self.width, self.ghost, self.fill = width, ghost, 0.0 if ghost else fill
        self.swatch = Swatch("line", role, "dash" if ghost else None)
        self.means: Floats = np.empty((0, 2))
        self.covariances: Floats = np.empty((0, 2, 2))
        self.deviations: tuple[float, ...] = ()
        self.groups: NDArray[np.intp] | None = None
        self.setZValue(10 if not ghost else 6)
        self.restyle(theming.current)
        self.changed()

    def restyle(self, theme: Theme) -> None:
        self._crosses: dict[Role, Stamps] = {}
        self.update()

    def setData(
        self,
        means: ArrayLike,
        covariances: ArrayLike,
        deviations: Sequence[float] = (1, 2),
        groups: ArrayLike | None = None,
    ) -> None:
        """Show k distributions.

        Parameters
        ----------
        means : array, shape (k, 2)
            Centres in data coordinates; what is not finite is left out.
        covariances : array, shape (k, 2, 2), or (2, 2) for all
            Covariance matrices.
        deviations : sequence of float
            How many standard deviations away the ellipses lie.
        groups : array of int, shape (k,), optional
            Series numbers that colour the ellipses.
        """
        centres = np.asarray(means, dtype=np.float64).reshape(-1, 2)
        spreads = np.asarray(covariances, dtype=np.float64)
        if spreads.shape[-2:] != (2, 2) or spreads.ndim > 3 or (spreads.ndim == 3 and len(spreads) != len(centres)):
            raise ValueError(f"{len(centres)} means, covariances of the shape {spreads.shape}")
        kinds = None if groups is None else np.asarray(groups).reshape(-1).astype(np.intp)
        if kinds is not None and len(kinds) != len(centres):
            raise ValueError(f"{len(centres)} means, {len(kinds)} groups")
        self.means, self.groups = centres, kinds
        self.covariances = np.broadcast_to(spreads, (len(centres), 2, 2)).copy()
        self.deviations = tuple(sorted(float(deviation) for deviation in deviations))
        self.changed()

    def changed(self) -> None:
        usable = np.isfinite(self.means).all(axis=1) & np.isfinite(self.covariances).all(axis=(1, 2))
        self.number = np.flatnonzero(usable)
        self.roots = roots(self.covariances[usable])
        rings = np.einsum("kij,jn->kin", self.roots, CIRCLE)
        levels = np.array(self.deviations or (0.0,))
        outlines = self.means[usable][:, None, :, None] + levels[None, :, None, None] * rings[:, None]
        self.outlines = np.stack([to_log(outlines[:, :, axis], self.log[axis]) for axis in (0, 1)], axis=2)
        super().changed()

    def bounds(self, axis: int) -> tuple[float, float] | None:
        return extent(self.outlines[:, :, axis].reshape(-1))

    def hit(self, x: float, y: float) -> int | None:
        """The distribution whose mean is nearest to a point, in its own standard deviations; None outside all ellipses."""
        if not len(self.number) or not self.deviations:
            return None
        away = np.array([x, y]) - self.means[self.number]
        safe = self.roots @ self.roots + 1e-12 * np.eye(2)
        distances = np.einsum("ki,ki->k", away, np.linalg.solve(safe, away[:, :, None])[:, :, 0])
        best = int(distances.argmin())
        return int(self.number[best]) if distances[best] <= self.deviations[-1] ** 2 else None

    def role_of(self, index: int) -> Role:
        """The colour of a distribution by meaning."""
        return self.role if self.groups is None else int(self.groups[index])

    def draw(self, painter: QPainter) -> None:
        if not len(self.number) or not self.deviations:
            return
        theme = theming.current
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for place, index in enumerate(self.number.tolist()):
            role = self.role_of(index)
            for ring in reversed(range(len(self.deviations))):
                x, y = self.outlines[place, ring]
                outline = bounded(np.column_stack([self.across(x), self.down(y)]))
                outline = outline[np.isfinite(outline).all(axis=1)]
                if ring == 0 and self.fill and len(outline):
                    painter.setPen(Qt.PenStyle.NoPen)
                    painter.setBrush(theme.colour(role, self.fill))
                    painter.drawPolygon(QPolygonF([QPointF(*point) for point in outline.tolist()]))
                self._draw_ring(painter, outline, role, inner=ring == 0)
            self._draw_centre(painter, index, role)

    def _draw_ring(self, painter: QPainter, outline: Floats, role: Role, *, inner: bool) -> None:
        theme = theming.current
        width = theme.width(self.width * (1.0 if inner else 0.65) * (0.8 if self.ghost else 1.0))
        strokes = polyline(outline, 0.0 if self.ghost else OVERLAP / device_scale(painter))
        if self.ghost and len(strokes):
            strokes = dashes(strokes, 5.0, 4.0)
        draw_strokes(painter, strokes, theme.colour(role), width)

    def _draw_centre(self, painter: QPainter, index: int, role: Role) -> None:
        x, y = (float(to_log(self.means[index, axis : axis + 1], self.log[axis])[0]) for axis in (0, 1))
        if not np.isfinite([x, y]).all():
            return
        if role not in self._crosses:
            theme = theming.current
            colour = theme.colour(role)
            self._crosses[role] = Stamps("+", theme.width(8), colour, None if self.ghost else theme.colour("surface"))
        at = self.to_pixels(x, y)
        self._crosses[role].draw(painter, np.array([[at.x(), at.y()]]))
