"""The table of the two coins, drawn like the figure of the paper: flips, shares, expected counts and what follows from them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QMouseEvent, QPainter, QPen

from gui.core.look.theme import Role, Theme, font, px, theming
from gui.core.plots import PlotCard, Plotted
from gui.core.plots.mouse import LEFT, MouseTool

COINS: tuple[Role, Role] = (2, 3)  # of the series: green and pink; blue and amber have a meaning already
MOST_BEADS = 40  # flips of a set beyond which its beads become a bar
TALLEST, LOWEST = 46, 15  # pixels of a row
HEADER = 22
NARROW = 300  # pixels below which there is no room for the expected counts
FEW_COLUMNS = (0.08, 0.5, 0.42, 0.0, 0.0)
COLUMNS = (0.06, 0.36, 0.22, 0.18, 0.18)  # shares of the width: set, flips, whose coin, counts of A and of B


@dataclass(frozen=True)
class Words:
    """The texts of the table in the language of now."""

    columns: tuple[str, ...] = ("",) * len(COLUMNS)
    total: str = ""
    more: str = ""


class FlipTable(Plotted):
    """Sets of flips as rows, drawn over the whole view.

    Rows are as high as there is room for; those for which there is none are counted in the last line.
    """

    def __init__(self) -> None:
        super().__init__("data")
        self.words = Words()
        self.heads = np.zeros(0, dtype=int)
        self.flips = np.zeros(0, dtype=int)
        self.shares = np.zeros((0, 2))
        self.counts = np.zeros((0, 2, 2))
        self.biases: Sequence[float] = (0.0, 0.0)
        self.phase = ""
        self.hot: tuple[int, int] | None = None
        self.restyle(theming.current)

    def restyle(self, theme: Theme) -> None:
        self.update()

    def setData(self, heads: ArrayLike, flips: ArrayLike, shares: ArrayLike, counts: ArrayLike, phase: str) -> None:
        """Show n sets.

        Parameters
        ----------
        heads, flips : array of int, shape (n,)
        shares : array, shape (n, 2)
            Of the coins A and B in each set.
        counts : array, shape (n, 2, 2)
            Expected heads and tails of each coin.
        phase : str
            `E`, `M` or empty: which columns are new and stand out.
        """
        self.heads, self.flips = np.asarray(heads, dtype=int), np.asarray(flips, dtype=int)
        self.shares, self.counts, self.phase = np.asarray(shares, dtype=float), np.asarray(counts, dtype=float), phase
        self.changed()

    # ---- where things are ------------------------------------------------------------------------------------------

    def layout(self) -> tuple[list[float], float, float, int]:
        """The left ends of the columns and the right one, the top of the first row, the height of a row, and rows shown."""
        frame = self.frame()
        columns = FEW_COLUMNS if self.narrow() else COLUMNS
        edges = frame.left() + frame.width() * np.concatenate([[0.0], np.cumsum(columns)])
        top = frame.top() + px(HEADER)
        room = frame.bottom() - top
        height = min(float(px(TALLEST)), room / (len(self.heads) + 1.6))
        height = max(height, float(px(LOWEST)))
        shown = min(len(self.heads), max(0, math.floor(room / height - 1.6 + 1e-6)))
        return edges.tolist(), top, height, shown

    def narrow(self) -> bool:
        """Whether only flips and shares have room."""
        return bool(self.frame().width() < px(NARROW))

    def bead(self, row: int, flip: int) -> tuple[QPointF, float]:
        """Centre and radius of one flip."""
        edges, top, height, _ = self.layout()
        width = (edges[2] - edges[1] - px(16)) / max(int(self.flips.max(initial=1)), 1)
        radius = max(1.5, min(width * 0.42, height * 0.36, float(px(10))))
        step = min(width, 2.7 * radius)
        return QPointF(edges[1] + (flip + 0.5) * step, top + (row + 0.5) * height), radius

    def hit(self, at: QPointF) -> tuple[int, int] | None:
        """The row and the flip (from 0) under a place in the pixels of the scene."""
        edges, top, height, shown = self.layout()
        row = math.floor((at.y() - top) / height)
        if not 0 <= row < shown or not edges[1] <= at.x() <= edges[2]:
            return None
        first, second = self.bead(row, 0)[0].x(), self.bead(row, 1)[0].x()
        flip = math.floor((at.x() - first) / (second - first) + 0.5)
        return row, min(max(flip, -1), int(self.flips[row]) - 1)

    # ---- drawing ---------------------------------------------------------------------------------------------------

    def draw(self, painter: QPainter) -> None:
        if not len(self.heads):
            return
        edges, top, height, shown = self.layout()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._draw_header(painter, edges, top)
        for row in range(shown):
            line = top + row * height
            if self.hot is not None and self.hot[0] == row:
                painter.fillRect(QRectF(edges[0], line, edges[-1] - edges[0], height), theming.current.colour("raised"))
            self._draw_row(painter, row, edges, QRectF(edges[0], line, edges[-1] - edges[0], height))
        self._draw_total(painter, edges, top + shown * height, height, len(self.heads) - shown)

    def _write(
        self,
        painter: QPainter,
        box: QRectF,
        text: str,
        role: Role = "text",
        size: float = 13,
        weight: int = 400,
        left: bool = False,
    ) -> None:
        painter.setFont(font(min(size, box.height() / theming.current.scale * 0.8), weight, tabular=True))
        painter.setPen(theming.current.colour(role))
        side = Qt.AlignmentFlag.AlignLeft if left else Qt.AlignmentFlag.AlignHCenter
        painter.drawText(box, side | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine, text)

    def _draw_header(self, painter: QPainter, edges: list[float], top: float) -> None:
        new = {"E": (2, 3, 4)}.get(self.phase, ())
        for column, ((left, right), text) in enumerate(zip(pairwise(edges), self.words.columns, strict=True)):
            if right <= left:
                continue
            box = QRectF(left, top - px(HEADER), right - left - px(4), px(HEADER))
            role: Role = "accent" if column in new else "muted"
            weight = 600 if column in new else 400
            fitting = QFontMetricsF(font(12, weight, tabular=True)).elidedText(text, Qt.TextElideMode.ElideRight, box.width())
            self._write(painter, box, fitting, role, 12, weight, left=column < 2)
        painter.setPen(QPen(theming.current.colour("line"), 1))
        painter.drawLine(QPointF(edges[0], top), QPointF(edges[-1], top))

    def _draw_row(self, painter: QPainter, row: int, edges: list[float], box: QRectF) -> None:
        name = QRectF(edges[0], box.top(), edges[1] - edges[0], box.height())
        self._write(painter, name, str(row + 1), "muted", left=True)
        if self.flips.max() <= MOST_BEADS:
            self._draw_beads(painter, row)
        else:
            self._draw_bar(painter, row, edges, box)
        self._draw_shares(painter, self.shares[row], QRectF(edges[2], box.top(), edges[3] - edges[2] - px(10), box.height()))
        for coin in () if self.narrow() else (0, 1):
            cell = QRectF(edges[3 + coin], box.top(), edges[4 + coin] - edges[3 + coin], box.height())
            heads, tails = self.counts[row, coin]
            self._write(painter, cell, pair_text(heads, tails))

    def _draw_beads(self, painter: QPainter, row: int) -> None:
        theme = theming.current
        for flip in range(int(self.flips[row])):
            centre, radius = self.bead(row, flip)
            head = flip < self.heads[row]
            painter.setPen(QPen(theme.colour("muted" if not head else "text", 0.9), theme.width(1.2)))
            painter.setBrush(theme.colour("text", 0.85) if head else Qt.BrushStyle.NoBrush)
            painter.drawEllipse(centre, radius, radius)
        if self.hot is not None and self.hot[0] == row:
            centre, radius = self.bead(row, max(self.hot[1], 0))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(theme.colour("accent"), theme.width(2)))
            painter.drawEllipse(centre, radius + 2, radius + 2)

    def _draw_bar(self, painter: QPainter, row: int, edges: list[float], box: QRectF) -> None:
        """Heads as the filled part of a bar as long as the flips."""
        theme = theming.current
        (first, radius), (last, _) = self.bead(row, 0), self.bead(row, int(self.flips[row]) - 1)
        (end, _) = self.bead(row, int(self.heads[row]) - 1)
        whole = QRectF(first.x(), box.center().y() - radius, max(last.x() - first.x(), 1.0), 2 * radius)
        thick = max(box.height() * 0.5, 2.0)
        whole = QRectF(whole.left(), box.center().y() - thick / 2, whole.width(), thick)
        painter.setPen(QPen(theme.colour("muted", 0.9), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(whole)
        if self.heads[row]:
            painter.fillRect(
                QRectF(whole.left(), whole.top(), max(end.x() - whole.left(), 1.0), thick), theme.colour("text", 0.85)
            )
        text = f"{self.heads[row]} / {self.flips[row]}"
        self._write(painter, QRectF(edges[1], box.top(), edges[2] - edges[1] - px(22), box.height()), text, "accent", 11, 600)

    def _draw_shares(self, painter: QPainter, shares: np.ndarray, box: QRectF) -> None:
        theme = theming.current
        thick = min(box.height() * 0.62, float(px(22)))
        bar = QRectF(box.left(), box.center().y() - thick / 2, box.width(), thick)
        split = bar.left() + bar.width() * float(shares[0])
        painter.setPen(Qt.PenStyle.NoPen)
        for left, right, role in ((bar.left(), split, COINS[0]), (split, bar.right(), COINS[1])):
            painter.fillRect(QRectF(left, bar.top(), right - left, thick), theme.colour(role, 0.78))
        painter.setPen(QPen(theme.colour("surface"), theme.width(1.5)))
        painter.drawLine(QPointF(split, bar.top()), QPointF(split, bar.bottom()))
        ink = "#0A1014"  # on both coins in every theme
        for share, left, right in ((shares[0], bar.left(), split), (shares[1], split, bar.right())):
            if right - left > px(34):
                self._write(painter, QRectF(left, bar.top(), right - left, thick), f"{share:.2f}", ink, 12, 600)

    def _draw_total(self, painter: QPainter, edges: list[float], top: float, height: float, hidden: int) -> None:
        theme = theming.current
        painter.setPen(QPen(theme.colour("line"), 1))
        painter.drawLine(QPointF(edges[0], top), QPointF(edges[-1], top))
        narrow, middle = self.narrow(), 0.5 * (edges[0] + edges[-1])
        if not narrow:
            text = self.words.more.format(count=hidden) if hidden else self.words.total
            self._write(painter, QRectF(edges[0], top, edges[2] - edges[0], height), text, "muted", 12, left=True)
        new = self.phase == "M"
        for coin in (0, 1):
            heads, tails = self.counts[:, coin].sum(axis=0)
            left, right = ((edges[0], middle), (middle, edges[-1]))[coin] if narrow else (edges[3 + coin], edges[4 + coin])
            self._write(painter, QRectF(left, top, right - left, height), pair_text(heads, tails), "text", 13, 600)
            result = QRectF(left, top + height * 0.8, right - left, height * 0.8)
            share = f"{heads / (heads + tails):.3f}" if heads + tails > 0 else "–"
            if new:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(theme.colour(COINS[coin], 0.3))
                painter.drawRoundedRect(result.adjusted(px(3), 1, -px(3), -1), px(5), px(5))
            self._write(painter, result, f"θ{'ᴀʙ'[coin]} {share}", "text" if new else "muted", 13, 600 if new else 400)


def pair_text(heads: float, tails: float) -> str:
    """Expected heads and tails, with the decimals that matter."""
    places = 1 if max(heads, tails) < 100 else 0
    return f"{heads:.{places}f} / {tails:.{places}f}"


class FlipEditor(MouseTool):
    """A click on a flip makes it the last head of its row; a click on the last head turns it over.

    Attributes
    ----------
    edited : Signal(int, int)
        The row and its new number of heads.
    """

    edited = Signal(int, int)

    def __init__(self, card: PlotCard, table: FlipTable) -> None:
        super().__init__(card)
        self.table = table

    def _under(self, event: QMouseEvent) -> tuple[int, int] | None:
        return self.table.hit(self.view.mapToScene(event.position().toPoint()))

    def pressed(self, event: QMouseEvent) -> bool:
        found = self._under(event)
        if found is None or event.button() != LEFT:
            return False
        row, flip = found
        heads = flip + 1
        self.edited.emit(row, heads - 1 if heads == self.table.heads[row] and heads > 0 else heads)
        return event.type() in (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonDblClick)

    def moved(self, event: QMouseEvent) -> bool:
        self._point_out(self._under(event) if not event.buttons() else None)
        return False

    def left(self) -> None:
        self._point_out(None)

    def _point_out(self, found: tuple[int, int] | None) -> None:
        if found != self.table.hot:
            self.table.hot = found
            self.table.update()
            shape = Qt.CursorShape.ArrowCursor if found is None else Qt.CursorShape.PointingHandCursor
            self.view.viewport().setCursor(shape)
