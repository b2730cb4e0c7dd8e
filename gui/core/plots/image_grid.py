"""A gallery of small images: samples, filters, digits."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QHelpEvent, QImage, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from gui.core.look.theme import Role, font, px, rgb, theming
from gui.core.plots.card import Card
from gui.core.plots.images import LEVELS, from_oklab, to_oklab

CAPTION = 11
GAP = 6
LONGEST_CAPTION = 110


@cache
def ink_lut(paper: str, ink: str) -> NDArray[np.uint32]:
    """256 opaque colours from paper to ink, blended in OKLab, as the numbers of a colour table."""
    ends = to_oklab(np.array([rgb(paper), rgb(ink)]))
    share = np.linspace(0, 1, LEVELS)[:, None]
    red, green, blue = np.round(255 * from_oklab(ends[0] + share * (ends[1] - ends[0]))).astype(np.uint32).T
    found: NDArray[np.uint32] = (np.uint32(255) << 24) | (red << 16) | (green << 8) | blue
    return found


@dataclass(frozen=True)
class Layout:
    """How a gallery arranges its images.

    Parameters
    ----------
    count : int
        Number of images.
    shape : tuple of int
        Height and width of one, in its own pixels.
    room : tuple of float
        Width and height of the gallery on the screen.
    gap, caption : float
        Pixels between images, and under each.
    least : float
        Pixels that a caption wants across.
    """

    count: int
    shape: tuple[int, int]
    room: tuple[float, float]
    gap: float
    caption: float = 0.0
    least: float = 0.0

    def columns(self) -> int:
        """How many columns make the images as large as possible, with captions that can be read."""
        scales = [self.scale(columns) for columns in range(1, self.count + 1)]
        wide = [columns * self.least + (columns - 1) * self.gap <= self.room[0] for columns in range(1, self.count + 1)]
        wants = [scale * (1.0 if fits else 0.6) - 1e-9 * i for i, (scale, fits) in enumerate(zip(scales, wide, strict=True))]
        return int(np.argmax(wants)) + 1

    def rows(self, columns: int) -> int:
        """How many rows so many columns need."""
        return math.ceil(self.count / columns)

    def scale(self, columns: int) -> float:
        """Pixels of the screen per pixel of the images, so that all of them fit."""
        rows = self.rows(columns)
        across = (self.room[0] - (columns - 1) * self.gap) / (columns * self.shape[1])
        down = (self.room[1] - (rows - 1) * self.gap - rows * self.caption) / (rows * self.shape[0])
        return max(min(across, down), 0.0)

    def pitch(self, columns: int, scale: float) -> float:
        """Pixels from one image to the next: captions push the images apart as far as there is room."""
        across = self.shape[1] * scale + self.gap
        if columns < 2:
            return across
        most = (self.room[0] - self.shape[1] * scale) / (columns - 1)
        return max(across, min(self.least + self.gap, most))


class Gallery(QWidget):
    """The images of an `ImageGrid`."""

    clicked = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.pictures: NDArray[np.uint8] = np.empty((0, 1, 1), np.uint8)
        self.columns: int | None = None
        self.captions: tuple[str, ...] = ()
        self.highlight: dict[int, Role] = {}
        self.smooth = False
        self.interactive = True
        self.hover: int | None = None
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def sizeHint(self) -> QSize:
        return QSize(px(240), px(180))

    def minimumSizeHint(self) -> QSize:
        return QSize(px(120), px(90))

    def places(self) -> list[QRectF]:
        """Where the images lie."""
        count, height, width = self.pictures.shape[:3]
        if not count:
            return []
        frame = px(3)
        room = (float(self.width() - 2 * frame), float(self.height() - 2 * frame))
        layout = Layout(count, (height, width), room, self._gap(), self._caption_height(), self._caption_width())
        columns = min(self.columns or layout.columns(), count)
        scale = self._tidy(layout.scale(columns))
        pitch, ratio = layout.pitch(columns, scale), self.devicePixelRatioF()
        across, down = width * scale, height * scale
        below, rows = down + layout.caption + layout.gap, layout.rows(columns)
        left = (self.width() - across - (columns - 1) * pitch) / 2
        top = (self.height() - rows * below + layout.gap) / 2
        corners = [(left + (i % columns) * pitch, top + (i // columns) * below) for i in range(count)]
        return [QRectF(round(x * ratio) / ratio, round(y * ratio) / ratio, across, down) for x, y in corners]

    def _tidy(self, scale: float) -> float:
        """Whole device pixels per pixel of the images, where they are drawn crisp and that costs little room."""
        ratio = self.devicePixelRatioF()
        whole = math.floor(scale * ratio) / ratio
        return whole if not self.smooth and whole >= 0.8 * scale else scale

    def _gap(self) -> int:
        return px(GAP if len(self.pictures) <= 100 else 3)

    def _caption_height(self) -> int:
        return px(CAPTION + 6) if any(self.captions) else 0

    def _caption_width(self) -> float:
        metrics = QFontMetricsF(font(CAPTION, tabular=True))
        widest = max((metrics.horizontalAdvance(text) for text in self.captions), default=0.0)
        return min(widest + px(4), px(LONGEST_CAPTION)) if widest else 0.0

    def image_at(self, at: QPointF) -> int | None:
        """The number of the image under a point."""
        return next((i for i, place in enumerate(self.places()) if place.contains(at)), None)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        theme = theming.current
        places = self.places()
        table = ink_lut(theme.raised if theme.dark else theme.surface, theme.text).tolist()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, self.smooth)
        for picture, place in zip(self.pictures, places, strict=True):
            painter.drawImage(place, to_image(picture, table))
        self._draw_frames(painter, places)
        if self._caption_height():
            self._draw_captions(painter, places)

    def _draw_frames(self, painter: QPainter, places: Sequence[QRectF]) -> None:
        theme = theming.current
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(theme.colour("line"), 1))
        for place in places:
            painter.drawRect(place.adjusted(-0.5, -0.5, 0.5, 0.5))
        if self.hover is not None and self.hover < len(places):
            painter.setPen(QPen(theme.colour("muted"), 1.4))
            painter.drawRect(places[self.hover].adjusted(-1, -1, 1, 1))
        for index, role in self.highlight.items():
            if 0 <= index < len(places):
                wide = min(theme.width(2.0), self._gap() / 2 + 1)
                line = QPen(theme.colour(role), wide)
                line.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
                painter.setPen(line)
                half = wide / 2
                painter.drawRect(places[index].adjusted(-half, -half, half, half))

    def _draw_captions(self, painter: QPainter, places: Sequence[QRectF]) -> None:
        small = font(CAPTION, tabular=True)
        metrics = QFontMetricsF(small)
        painter.setFont(small)
        room = max(places[0].width(), self._caption_width()) if len(places) < 2 else self._room_for_caption(places)
        for index, (text, place) in enumerate(zip(self.captions, places, strict=False)):
            painter.setPen(theming.current.colour(self.highlight.get(index, "muted")))
            box = QRectF(place.center().x() - room / 2, place.bottom() + px(2), room, px(CAPTION + 4))
            words = metrics.elidedText(text, Qt.TextElideMode.ElideRight, room)
            painter.drawText(box, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignVCenter, words)

    def _room_for_caption(self, places: Sequence[QRectF]) -> float:
        apart = places[1].left() - places[0].left()
        return apart - px(4) if apart > 0 else max(places[0].width(), self._caption_width())  # else one column

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._point_at(self.image_at(event.position()) if self.interactive else None)

    def leaveEvent(self, event: QEvent) -> None:
        self._point_at(None)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        index = self.image_at(event.position()) if self.interactive else None
        if index is None or event.button() != Qt.MouseButton.LeftButton:
            event.ignore()
            return
        self.clicked.emit(index)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            index = self.image_at(QPointF(event.pos()))
            text = self.captions[index] if index is not None and index < len(self.captions) else ""
            QToolTip.showText(event.globalPos(), text, self)
            return True
        return super().event(event)

    def _point_at(self, index: int | None) -> None:
        if index != self.hover:
            self.hover = index
            self.setCursor(Qt.CursorShape.ArrowCursor if index is None else Qt.CursorShape.PointingHandCursor)
            self.update()


def to_image(picture: NDArray[np.uint8], table: list[int]) -> QImage:
    """A picture of shape (height, width) through a colour table, or of shape (height, width, 3) as it is."""
    height, width = picture.shape[:2]
    if picture.ndim == 3:
        return QImage(picture.data, width, height, 3 * width, QImage.Format.Format_RGB888)
    image = QImage(picture.data, width, height, width, QImage.Format.Format_Indexed8)
    image.setColorTable(table)
    return image


class ImageGrid(Card):
    """A card full of small images: as many columns as make them largest, captions below, frames around some.

    Parameters
    ----------
    title, parent, expandable
        See `Card`.
    smooth : bool
        Blur between the pixels of enlarged images instead of showing them as squares.

    Attributes
    ----------
    image_clicked : Signal(int)
        The number of the image that was clicked.
    """

    image_clicked = Signal(int)

    def __init__(
        self, title: str = "", parent: QWidget | None = None, *, expandable: bool = True, smooth: bool = False
    ) -> None:
        super().__init__(title, parent, expandable=expandable)
        self.gallery = Gallery(self)
        self.gallery.smooth = smooth
        self.gallery.clicked.connect(self.image_clicked)
        self.set_content(self.gallery)

    def setData(
        self,
        images: ArrayLike,
        columns: int | None = None,
        captions: Sequence[str] | None = None,
        highlight: dict[int, Role] | Sequence[Role | None] | None = None,
    ) -> None:
        """Show n images.

        Parameters
        ----------
        images : array, shape (n, height, width) or (n, height, width, 3)
            From 0, the colour of the card, to 1, that of ink; three channels are red, green and blue. Values beyond are cut,
            what is not a number counts as 0. Row 0 lies on top.
        columns : int, optional
            How many stand side by side; as many as make the images largest if left out.
        captions : sequence of str, optional
            Small words under the images.
        highlight : dict or sequence, optional
            Roles of the frames (`holds`, `fails`, a series number) by the image's number, or one role or None for each image.
        """
        pictures = np.asarray(images)
        if pictures.ndim not in (3, 4) or (pictures.ndim == 4 and pictures.shape[3] != 3):
            raise ValueError(f"images of the shape {pictures.shape}")
        if pictures.dtype != np.uint8:
            cut = np.clip(np.nan_to_num(pictures.astype(np.float32), nan=0.0), 0, 1)
            pictures = np.round(255 * cut).astype(np.uint8)
        gallery = self.gallery
        gallery.pictures = np.ascontiguousarray(pictures)
        gallery.columns = columns
        gallery.captions = tuple(captions or ())
        if highlight is None:
            gallery.highlight = {}
        else:
            pairs = highlight.items() if isinstance(highlight, dict) else enumerate(highlight)
            gallery.highlight = {index: role for index, role in pairs if role is not None}
        gallery.update()

    def set_interactive(self, interactive: bool) -> None:
        """Whether images can be clicked."""
        self.gallery.interactive = interactive
