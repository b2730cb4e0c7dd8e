"""A sphere of directions, drawn with QPainter alone: it works where there is no OpenGL, offscreen, and in exports.

The projection is orthographic. The last coordinate points up: it is the fixed vector x from which polar angles are measured.
Turning is that of a turntable, so x stays upright. `set_flat` shows the case of two dimensions, a circle in the plane.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from numpy.typing import ArrayLike, NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QBrush,
    QFocusEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
    QRadialGradient,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui.core.look.follow import follow
from gui.core.look.theme import Role, font, px, rgb, text_width, theming
from gui.core.plots.base import text_with_halo
from gui.core.plots.globe.sphere import camera, equal_area_angles, graticule
from gui.core.plots.raster.paint import Floats, Stamps, device_scale

__all__ = ["Globe", "camera", "equal_area_angles", "graticule"]

MAX_POINTS = 5000
DEPTHS = ((-1.01, -0.45, 0.16), (-0.45, 0.0, 0.24), (0.0, 0.4, 0.62), (0.4, 1.01, 0.92))
HOME = (math.radians(35), math.radians(20))
KEY_STEP = math.radians(5)
ZOOM_RANGE = (0.5, 4.0)
MARGIN = 20


GRATICULE = graticule()


class Globe(QWidget):
    """Points and vectors on the unit sphere.

    Drag to turn, wheel to zoom; arrow keys, plus, minus and Home do the same. `turned` is emitted after the view changed.
    """

    turned = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.azimuth, self.elevation = HOME
        self.zoom = 1.0
        self.flat = False
        self.points: Floats = np.empty((0, 3))
        self.role: Role = "data"
        self.bands: Floats = np.empty(0)
        self.equator = 0.0
        self.pole_text = "x"
        self._stamps: dict[tuple[float, float, Role], Stamps] = {}
        self._drag: QPointF | None = None
        self._shade: tuple[tuple[float, ...], QImage] | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setCursor(Qt.CursorShape.OpenHandCursor)
        follow(theming.changed, self, self.restyle)

    def restyle(self) -> None:
        """Take the colours of the current theme."""
        self._shade = None
        self._stamps.clear()
        self.updateGeometry()
        self.update()

    def set_points(self, points: ArrayLike, role: Role = "data") -> None:
        """Show points of unit length, shape (n, 3), or (n, 2) when flat; beyond 5,000 only the first are drawn."""
        array = np.asarray(points, dtype=np.float64)
        dimension = 2 if self.flat else 3
        if array.ndim != 2 or array.shape[1] < dimension:
            raise ValueError(f"points need the shape (n, {dimension}), not {array.shape}")
        array = array[:MAX_POINTS]
        if role != self.role or not np.array_equal(array, self.points):  # most frames of a run bring the same ones
            self.points, self.role = array, role
            self.update()

    def set_bands(self, angles: ArrayLike) -> None:
        """Shade every other band between these polar angles in degrees; an empty list removes the shade."""
        bands = np.sort(np.asarray(angles, dtype=np.float64).reshape(-1))
        if not np.array_equal(bands, self.bands):
            self.bands = bands
            self.restyle()

    def set_equator_band(self, half_width: float) -> None:
        """Highlight the latitudes within this many degrees of the equator; 0 removes the highlight."""
        if half_width != self.equator:
            self.equator = float(half_width)
            self.restyle()

    def set_flat(self, flat: bool) -> None:
        """Show a circle in the plane (two dimensions) instead of the sphere; its points are taken away."""
        if flat != self.flat:
            self.flat = flat
            self.points = np.empty((0, 2 if flat else 3))
            self.setCursor(Qt.CursorShape.ArrowCursor if flat else Qt.CursorShape.OpenHandCursor)
            self.restyle()

    def set_view(self, azimuth: float, elevation: float) -> None:
        """Look from this direction, in radians; the elevation is kept between the poles."""
        self.azimuth = math.remainder(azimuth, 2 * math.pi)
        self.elevation = min(math.pi / 2, max(-math.pi / 2, elevation))
        self.update()
        self.turned.emit()

    def set_zoom(self, zoom: float) -> None:
        """Draw the globe this many times as large as it fits, between 0.5 and 4."""
        self.zoom = min(ZOOM_RANGE[1], max(ZOOM_RANGE[0], zoom))
        self.restyle()

    def rotation(self) -> Floats:
        """The matrix that turns points into the viewer's frame: right, up, towards the viewer."""
        if self.flat:
            return np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
        return camera(self.azimuth, self.elevation)

    def project(self, points: Floats) -> Floats:
        """Points of shape (n, 3) in the viewer's frame; the third coordinate is positive on the front."""
        turned = points[:, : 2 if self.flat else 3] @ self.rotation().T
        if self.flat:
            turned[:, 2] = 1.0
        return turned

    def pole(self) -> Floats:
        """The fixed vector x."""
        return np.array([0.0, 1.0] if self.flat else [0.0, 0.0, 1.0])

    def radius(self) -> float:
        """The radius of the globe in pixels."""
        return max(min(self.width(), self.height()) / 2 - px(MARGIN), 4) * self.zoom

    def sizeHint(self) -> QSize:
        return QSize(px(260), px(260))

    def minimumSizeHint(self) -> QSize:
        return QSize(px(120), px(120))

    # Input

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and not self.flat:
            self._drag = event.position()
            self.setCursor(Qt.CursorShape.ClosedHandCursor)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._drag is not None:
            moved = event.position() - self._drag
            self._drag = event.position()
            self.set_view(self.azimuth - moved.x() / self.radius(), self.elevation + moved.y() / self.radius())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._drag is not None:
            self._drag = None
            self.setCursor(Qt.CursorShape.OpenHandCursor)

    def wheelEvent(self, event: QWheelEvent) -> None:
        self.set_zoom(self.zoom * 1.1 ** (event.angleDelta().y() / 120))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        turns = {Qt.Key.Key_Left: (1, 0), Qt.Key.Key_Right: (-1, 0), Qt.Key.Key_Up: (0, 1), Qt.Key.Key_Down: (0, -1)}
        zooms = {Qt.Key.Key_Plus: 1.1, Qt.Key.Key_Equal: 1.1, Qt.Key.Key_Minus: 1 / 1.1}
        if key in turns and not self.flat:
            across, up = turns[Qt.Key(key)]
            self.set_view(self.azimuth + across * KEY_STEP, self.elevation + up * KEY_STEP)
        elif key in zooms and not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.set_zoom(self.zoom * zooms[Qt.Key(key)])
        elif key == Qt.Key.Key_Home:
            self.set_zoom(1.0)
            self.set_view(*HOME)
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    # Drawing, back to front

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        self._draw_ball(painter)
        self._draw_bands(painter)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._draw_graticule(painter, front=False)
        projected = self.project(self.points)
        self._draw_points(painter, projected, DEPTHS[:2])
        self._draw_graticule(painter, front=True)
        self._draw_rim(painter)
        self._draw_points(painter, projected, DEPTHS[2:])
        self._draw_pole(painter)

    def _disc(self) -> QRectF:
        radius = self.radius()
        return QRectF(self.width() / 2 - radius, self.height() / 2 - radius, 2 * radius, 2 * radius)

    def _to_pixels(self, projected: Floats) -> Floats:
        radius = self.radius()
        return projected[:, :2] * (radius, -radius) + (self.width() / 2, self.height() / 2)

    def _draw_ball(self, painter: QPainter) -> None:
        theme, disc = theming.current, self._disc()
        painter.setPen(Qt.PenStyle.NoPen)
        light = QRadialGradient(disc.center() - QPointF(disc.width() * 0.16, disc.height() * 0.2), disc.width() * 0.72)
        light.setColorAt(0, theme.colour("raised"))
        light.setColorAt(1, theme.colour("surface" if theme.dark else "background"))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(QBrush(light) if not self.flat else theme.colour("raised", 0.35))
        painter.drawEllipse(disc)

    def _draw_rim(self, painter: QPainter) -> None:
        theme = theming.current
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(
            QPen(theme.colour("accent" if self.hasFocus() else "muted", 0.8), theme.width(1.6 if self.hasFocus() else 1.2))
        )
        painter.drawEllipse(self._disc())

    def _draw_graticule(self, painter: QPainter, *, front: bool) -> None:
        if self.flat:
            return
        theme = theming.current
        turned = self.project(GRATICULE.reshape(-1, 3))
        pixels = self._to_pixels(turned)
        seen = turned[:, 2] >= 0 if front else turned[:, 2] <= 0
        connect = np.zeros(len(seen), dtype=np.int32)
        connect[:-1] = seen[:-1] & seen[1:]
        length = GRATICULE.shape[1]
        connect[length - 1 :: length] = 0
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for part, alpha in ((slice(0, length), 0.75 if front else 0.28), (slice(length, None), 0.36 if front else 0.14)):
            path = pg.arrayToQPath(pixels[part, 0], pixels[part, 1], connect=connect[part], finiteCheck=False)
            painter.setPen(QPen(theme.colour("muted", alpha), theme.width(1)))
            painter.drawPath(path)

    def _draw_bands(self, painter: QPainter) -> None:
        if not len(self.bands) and not self.equator:
            return
        disc = self._disc()
        side = min(max(round(disc.width() * device_scale(painter)), 8), 1600)
        key = (float(side), 0.0 if self.flat else self.elevation)
        if self._shade is None or self._shade[0] != key:
            self._shade = (key, self._shade_image(side))
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(disc, self._shade[1])

    def _shade_image(self, side: int) -> QImage:
        """The bands on the front as an image; they depend on the elevation only, so turning about x costs nothing."""
        heights, inside = self._heights(side)
        theme = theming.current
        alpha = np.zeros(heights.shape)
        if len(self.bands):
            number = np.searchsorted(np.cos(np.radians(self.bands[::-1])), heights)
            alpha = np.where(number % 2 == 0, 0.13 if theme.dark else 0.10, 0.0)
        colours = np.zeros((*heights.shape, 3)) + rgb(theme.muted)
        if self.equator:
            near = np.abs(heights) <= math.sin(math.radians(self.equator))
            colours[near] = rgb(theme.theory)
            alpha[near] = 0.24
        rgba = np.round(255 * np.dstack([colours, alpha * inside])).astype(np.uint8)
        return QImage(np.ascontiguousarray(rgba).data, side, side, 4 * side, QImage.Format.Format_RGBA8888).copy()

    def _heights(self, side: int) -> tuple[Floats, NDArray[np.bool_]]:
        """The last coordinate of the front point under each pixel of the disc, and which pixels lie on it."""
        across = (np.arange(side) + 0.5) / side * 2 - 1
        u, v = np.meshgrid(across, -across)
        square = u**2 + v**2
        inside = square <= 1
        if self.flat:
            return v / np.sqrt(np.maximum(square, 1e-12)), inside
        toward = np.sqrt(np.maximum(1 - square, 0))
        return v * math.cos(self.elevation) + toward * math.sin(self.elevation), inside

    def _draw_points(self, painter: QPainter, projected: Floats, levels: Sequence[tuple[float, float, float]]) -> None:
        if not len(projected):
            return
        theme = theming.current
        pixels, depth = self._to_pixels(projected), projected[:, 2]
        size = round(min(max(2.4 * self.radius() / math.sqrt(len(projected)), 2.0), 5.0), 1)
        for low, high, alpha in levels:
            key = (size, alpha, self.role)
            if key not in self._stamps:
                self._stamps[key] = Stamps("o", size, theme.colour(self.role, alpha))
            self._stamps[key].draw(painter, pixels[(depth > low) & (depth <= high)])

    def _draw_pole(self, painter: QPainter) -> None:
        """The arrow of the fixed vector, dashed where it points away."""
        theme = theming.current
        turned = self.project(self.pole()[None])
        tip = QPointF(*self._to_pixels(turned)[0])
        centre = self._disc().center()
        behind = turned[0, 2] < -1e-9
        colour = theme.colour("text", 0.45 if behind else 1.0)
        line = QPen(colour, theme.width(2), Qt.PenStyle.DashLine if behind else Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap)
        painter.setPen(line)
        shaft = tip - centre
        length = math.hypot(shaft.x(), shaft.y())
        head = theme.px(9)
        if length > head:
            along = shaft / length
            painter.drawLine(centre, tip - along * head * 0.6)
            side = QPointF(-along.y(), along.x()) * head * 0.45
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour)
            painter.drawPolygon(QPolygonF([tip, tip - along * head + side, tip - along * head - side]))
            beyond = tip + along * px(11)
        else:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour)
            painter.drawEllipse(tip, head * 0.4, head * 0.4)
            beyond = tip + QPointF(px(10), -px(8))
        if self.pole_text:
            self._write(painter, beyond, self.pole_text, "text")

    def _write(self, painter: QPainter, centre: QPointF, text: str, role: Role) -> None:
        """Write text around a point, kept inside the widget."""
        width, height = text_width(text, font(13, 600, tabular=True)), px(10)
        left = min(max(centre.x() - width / 2, 2), self.width() - width - 2)
        base = min(max(centre.y() + height / 2, height + 2), self.height() - 4)
        text_with_halo(painter, QPointF(left, base), text, role, 13, 600)
