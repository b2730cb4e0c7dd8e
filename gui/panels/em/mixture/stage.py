"""The large picture of `mixture`: points, components, where they come from, and handles on them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QCheckBox, QLabel

from gui.core.look.theme import Role, px
from gui.core.plots import Area, Brush, Contours, Curve, DragPoints, Ellipses, Histogram, PlotCard, Points, Trails
from gui.core.plots.base import Plotted, text_with_halo
from gui.core.plots.raster.paint import Floats
from gui.panels.em.mixture.points import HUES, SharedPoints, hue

if TYPE_CHECKING:
    from engine.labs.em.mixture import Picture

STRETCHED = 1.9  # times wider than high: equal scales would leave most of a card empty
LEVELS = np.geomspace(0.02, 0.9, 8)  # of the highest density, at the level lines
HEADROOM = 1.12  # over the densities on a line
FLOOR = 0.17  # of the height of a picture of densities that lies below zero, for the points
HELD = ("normal", "student")  # families whose components a hand can take hold of
LIGHTEST = 0.005  # expected weight from which on a component of variational Bayes is drawn
GOLDEN = 0.6180339887  # shifts by it spread points evenly
SPIKE = 3.0  # times the histogram: a component that collapses may not flatten the rest
LINED_UP = 30  # so few points stand in one row


class ComponentEllipses(Ellipses):
    """Ellipses in the colours of the components."""

    def role_of(self, index: int) -> Role:
        return hue(index)


class ComponentTrails(Trails):
    """Paths in the colours of the components."""

    def draw(self, painter: QPainter) -> None:
        if not len(self.x) or not self.x.shape[1]:
            return
        x, y = self.across(self.shown[0]), self.down(self.shown[1])
        for at in range(len(x)):
            self._draw_paths(painter, x[at : at + 1], y[at : at + 1], hue(at))


class Numbers(Plotted):
    """The numbers of the components beside their means."""

    def __init__(self) -> None:
        super().__init__("text")
        self.places: Floats = np.empty((0, 2))
        self.setZValue(45)

    def setData(self, places: Floats) -> None:
        """Write 1, 2, ... at places of shape (k, 2)."""
        self.places = places
        self.changed()

    def draw(self, painter: QPainter) -> None:
        frame = self.frame()
        for at, (x, y) in enumerate(self.places.tolist()):
            if not np.isfinite([x, y]).all():
                continue
            point = self.to_pixels(x, y)
            if frame.contains(point):
                text_with_halo(painter, point + QPointF(px(9), -px(7)), str(at + 1), hue(at), 13, 700)


class StageCard(PlotCard):
    """Points in the colours of the components they belong to, ellipses or densities, and handles.

    What a legend entry is clicked away with stays away: nothing here hides an item, items without a part are fed nothing.
    """

    def __init__(self) -> None:
        super().__init__()
        self.on_a_line = False
        self.notice = QLabel(self)
        self.notice.setProperty("role", "muted")
        self.notice.setWordWrap(True)
        self.notice.hide()
        self.column.insertWidget(1, self.notice)
        self.pencil = QCheckBox(self)
        self.header.insertWidget(1, self.pencil)
        self._build_plane()
        self._build_line()
        self.points = self.add(SharedPoints())
        self.arrived = self.add(Points("text", size=5, symbol="o", alpha=0.9))
        self.arrived.setZValue(9)  # on the points, below means and ellipses
        self.numbers = self.add(Numbers())
        self.brush = Brush(self, radius=0.1, limits=(1e-9, 1e9))
        self.corners = DragPoints(self, "text", size=7)
        self.centres = DragPoints(self, "text", size=11)

    def _build_plane(self) -> None:
        self.field = self.add(Contours("muted", alpha=(0.2, 0.6), width=1.0))
        self.truth = self.add(Ellipses("muted", ghost=True, width=2.4))
        self.beginning = self.add(ComponentEllipses(0, ghost=True, width=1.1))
        self.ghosts = self.add(ComponentEllipses(0, ghost=True, width=1.6))
        self.paths = self.add(ComponentTrails(0, width=2.0))
        self.ellipses = self.add(ComponentEllipses(0, width=2.4))
        self.bayes = self.add(Ellipses("theory", width=2.0))
        self.bayes.setZValue(11)  # where it agrees with EM it would lie below
        self.lines = [self.add(Curve(role, width=2.6, dash=None)) for role in HUES]
        self.hard = self.add(Points(3, symbol="x", size=10))
        self.gradient = self.add(Points(2, symbol="t", size=9))
        self.truth.set_present(False)

    def _build_line(self) -> None:
        self.histogram = self.add(Histogram("muted", fill=0.16))
        self.bumps = [self.add(Area(role, alpha=0.2)) for role in HUES]
        self.outlines = [self.add(Curve(role, width=1.8, dash=None)) for role in HUES]
        self.total = self.add(Curve("text", width=2.2))

    # ---- the plane ---------------------------------------------------------------------------------------------------

    def show_picture(self, picture: Picture, covariance: str, racing: bool) -> None:
        """Draw a picture; the kind of covariance says which handles the ellipses have. In a race the rivals are shown, too."""
        self._turn(picture.dimension == 1)
        if self.on_a_line:
            self._show_line(picture)
            return
        self._show_window(picture)
        density = picture.field if picture.field.size else None
        top = float(np.nanmax(density)) if density is not None else 0.0
        levels = tuple((LEVELS * top).tolist()) if top > 0 else (0.0, 1.0)
        left, bottom = picture.low.tolist()
        self.field.setData(density, (left, bottom, *(picture.high - picture.low).tolist()), levels)
        x, y = picture.points.T
        self.points.setData(x, y, picture.responsibilities, pies=True)
        self.arrived.setData(x[picture.arrived], y[picture.arrived])
        lined = picture.family == "regression"
        for at, line in enumerate(self.lines):
            line.setData(*(picture.lines[at].T if at < len(picture.lines) else ([], [])))
        none = slice(0, 0) if lined else slice(None)  # a line has no ellipse
        self.ellipses.setData(picture.means[none], picture.covariances[none])
        self.ghosts.setData(picture.before_means[none], picture.before_covariances[none], (1,))
        self.beginning.setData(picture.start_means[none], picture.start_covariances[none], (1,))
        kept = picture.bayes_weights > LIGHTEST
        self.bayes.setData(picture.bayes_means[kept], picture.bayes_covariances[kept], (2,))
        self.truth.setData(picture.true_means, picture.true_covariances)
        self.paths.setData(picture.path[:, :, 0].T, picture.path[:, :, 1].T)
        for marks, rivals in ((self.hard, picture.race_hard_means), (self.gradient, picture.race_gradient_means)):
            marks.setData(*(rivals if racing else rivals[:0]).T)
        self.numbers.setData(picture.means)
        held = picture.means if picture.family in HELD else picture.means[:0]
        self.centres.setData(*held.T)
        ends = axis_ends(held, picture.covariances[: len(held)], covariance, bool(picture.projected))
        self.corners.setData(*ends.reshape(-1, 2).T)

    def _turn(self, on_a_line: bool) -> None:
        """Change between the plane and the line."""
        if on_a_line == self.on_a_line:
            return
        self.on_a_line = on_a_line
        self.set_axes_visible(y=not on_a_line, grid=not on_a_line)
        self.brush.outline.set_present(not on_a_line)  # a round rim says nothing where the height is a density
        if on_a_line:
            self._clear_plane()
        else:
            self._clear_line()

    def _clear_plane(self) -> None:
        none, spreads = np.empty((0, 2)), np.empty((0, 2, 2))
        self.field.setData(None)
        for item in (self.ellipses, self.ghosts, self.beginning, self.truth, self.bayes):
            item.setData(none, spreads)
        self.paths.setData(np.empty((0, 0)), np.empty((0, 0)))
        for marks in (self.hard, self.gradient, *self.lines):
            marks.setData([], [])

    def _clear_line(self) -> None:
        self.histogram.setData([], [0.0], density=True)
        self.total.setData([], [])
        for area, curve in zip(self.bumps, self.outlines, strict=True):
            area.setData([], [], [])
            curve.setData([], [])

    def _show_window(self, picture: Picture) -> None:
        (left, bottom), (right, top) = picture.low.tolist(), picture.high.tolist()
        ratio = (right - left) / max(top - bottom, 1e-12)
        self.set_aspect(1 / STRETCHED < ratio < STRETCHED)
        self.set_range(x=(left, right), y=(bottom, top))
        self.brush.radius = 0.03 * min(right - left, top - bottom)

    # ---- the line ----------------------------------------------------------------------------------------------------

    def _show_line(self, picture: Picture) -> None:
        grid, parts = picture.grid, picture.component_densities
        total = parts.sum(axis=0)
        highest = float(picture.heights.max(initial=0.0))
        top = HEADROOM * max(highest, min(float(total.max(initial=0.0)), SPIKE * highest), 1e-12)
        self.set_aspect(False)
        self.set_range(x=(float(picture.low[0]), float(picture.high[0])))
        self.set_range(y=(-FLOOR * top, top), steady=False)
        self.brush.radius = 0.02 * float(picture.high[0] - picture.low[0])
        self.histogram.setData(picture.heights, picture.edges, density=True)
        self.total.setData(grid, total)
        for at, (area, curve) in enumerate(zip(self.bumps, self.outlines, strict=True)):
            there = at < len(parts)
            area.setData(grid if there else [], np.zeros(len(grid)) if there else [], parts[at] if there else [])
            curve.setData(grid if there else [], parts[at] if there else [])
        x = picture.points[:, 0]
        heights = top * rug(len(x))
        self.points.setData(x, heights, picture.responsibilities, pies=True)
        self.arrived.setData(x[picture.arrived], heights[picture.arrived])
        peaks, shoulders = line_handles(picture, 0.96 * top)
        self.numbers.setData(peaks)
        if picture.family not in HELD:
            peaks, shoulders = peaks[:0], shoulders[:0]
        self.centres.setData(*peaks.T)
        ends = np.stack([shoulders, np.full_like(shoulders, np.nan)], axis=1)  # as in the plane, two to a component
        self.corners.setData(*ends.reshape(-1, 2).T)

    def warn(self, sentences: Sequence[str]) -> None:
        """What is to be said of the data or the run, above the plot."""
        text = " ".join(sentences)
        if text != self.notice.text():
            self.notice.setText(text)
            self.notice.setVisible(bool(text))


def rug(count: int) -> Floats:
    """Heights of points below zero, in units of the picture's height: in one row while they are few, else spread evenly."""
    if count <= LINED_UP:
        return np.full(count, -0.4 * FLOOR)
    spread = 0.12 + 0.76 * (np.arange(count) * GOLDEN % 1.0).astype(np.float64)
    return -FLOOR * spread


def line_handles(picture: Picture, top: float) -> tuple[Floats, Floats]:
    """Peaks of the densities on a line, and their shoulders one deviation to the right, shape (K, 2), no higher than top."""
    means, deviations = picture.full_means[:, 0], np.sqrt(np.maximum(picture.full_covariances[:, 0, 0], 1e-300))
    peaks = picture.weights / (deviations * np.sqrt(2 * np.pi))
    heights = [np.minimum(peaks * factor, top) for factor in (1.0, np.exp(-0.5))]
    return np.column_stack([means, heights[0]]), np.column_stack([means + deviations, heights[1]])


def axes_of(covariance: Floats, kind: str, projected: bool) -> tuple[Floats, Floats]:
    """Half axes of an ellipse, as columns, and which of them have a handle.

    Parameters
    ----------
    covariance : array, shape (2, 2)
    kind : str
        `full`, `tied`, `diagonal` or `spherical`.
    projected : bool
        In a projection no axis lies along a coordinate.

    Returns
    -------
    axes : array, shape (2, 2)
        The columns end at one standard deviation.
    held : array, shape (2,)
        Ones, and nan for an axis without a handle.
    """
    if kind == "diagonal" and not projected:
        return np.diag(np.sqrt(np.maximum(np.diag(covariance), 0.0))), np.ones(2)
    values, vectors = np.linalg.eigh(covariance)
    if kind == "spherical":
        return np.eye(2) * np.sqrt(max(float(values[1]), 0.0)), np.array([1.0, np.nan])
    vectors = vectors[:, ::-1]  # the long axis first
    long = vectors[:, 0] * (1.0 if vectors[0, 0] >= 0 else -1.0)  # to the right, whatever sign the library has chosen
    turned = np.column_stack([long, [-long[1], long[0]]])
    return turned * np.sqrt(np.maximum(values[::-1], 0.0)), np.ones(2)


def axis_ends(means: Floats, covariances: Floats, kind: str, projected: bool) -> Floats:
    """Where the handles of the ellipses are, shape (K, 2, 2): component, axis, coordinate; nan where there is none."""
    ends = np.full((len(means), 2, 2), np.nan)
    for at, (mean, covariance) in enumerate(zip(means, covariances, strict=True)):
        if np.isfinite(mean).all() and np.isfinite(covariance).all():
            axes, held = axes_of(covariance, kind, projected)
            ends[at] = (mean[:, None] + axes * held).T
    return ends
