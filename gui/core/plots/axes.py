"""Axes of plots: ranges that stand still, numbers a reader can take in, faint horizontal grid lines."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

import pyqtgraph as pg
from PySide6.QtCore import QLineF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter

from gui.core.look.theme import Theme, font, px
from gui.core.numbers import minus, nice_above, power_of_ten, power_text
from gui.core.plots.base import INDEX, Plotted, pen

SHRINK_BELOW = 0.45
FINEST = 1e-8  # of the largest value: a narrower range has ticks that tell apart by rounding alone
LONGEST_NAME = 130


def steady_range(previous: tuple[float, float] | None, wanted: tuple[float, float]) -> tuple[float, float]:
    """An axis range with round ends that does not jump while numbers change.

    It grows at once when the wanted range leaves it, and shrinks only when the wanted range fills less than 45 % of it.

    Parameters
    ----------
    previous : tuple of float, or None
        What the axis shows now.
    wanted : tuple of float
        The smallest and largest value that must be visible. Infinite or missing values leave the axis as it is.

    Returns
    -------
    tuple of float
        The range to show; it contains `wanted`.
    """
    low, high = sorted(map(float, wanted))
    span = high - low
    if not math.isfinite(span):
        return previous or (0.0, 1.0)
    if (
        previous is not None
        and previous[0] <= low
        and high <= previous[1]
        and span >= SHRINK_BELOW * (previous[1] - previous[0])
    ):
        return previous
    if span <= 1e-9 * max(abs(low), abs(high)) or span < 1e-300:
        margin = 0.5 * max(abs(low), abs(high)) or 0.5
        low, high, span = low - margin, high + margin, 2 * margin
    step = nice_above(span / 10)
    return min(low, math.floor(low / step + 1e-9) * step), max(high, math.ceil(high / step - 1e-9) * step)


def at_least(shown: tuple[float, float], least: float) -> tuple[float, float]:
    """A range about the same middle that is no narrower than `least`, nor than doubles can tell apart in a hundred million."""
    low, high = sorted(shown)
    missing = max(least, FINEST * max(abs(low), abs(high))) - (high - low)
    return (low - 0.5 * missing, high + 0.5 * missing) if missing > 0 else shown


def tick_texts(values: Sequence[float], spacing: float) -> list[str]:
    """The numbers at the ticks of a linear axis: no more decimals than the spacing needs, powers of ten at the extremes."""
    largest = max((abs(v) for v in values), default=0.0)
    if largest >= 1e6 or 0 < largest < 1e-3:
        digits = max(1, math.floor(math.log10(largest)) - math.floor(math.log10(spacing)) + 1) if largest else 1
        return [power_text(0.0 if abs(v) < spacing / 1e6 else v, digits) for v in values]
    places = max(0, math.ceil(-math.log10(spacing) - 1e-9))
    texts = [f"{0.0 if abs(v) < spacing / 1e6 else v:,.{places}f}" for v in values]
    return [minus(text) for text in texts]


def log_texts(values: Sequence[float]) -> list[str]:
    """The numbers at the ticks of a logarithmic axis, given their logarithms: ``10ᵏ`` at the decades, nothing between them."""
    return [power_of_ten(round(v)) if abs(v - round(v)) < 1e-6 else "" for v in values]


def sparse_log_texts(values: Sequence[float]) -> list[str]:
    """The numbers at all ticks of a logarithmic axis that spans about a decade or less."""
    numbers = [10.0**v for v in values]
    return [f"{n:g}" if 1e-3 <= n < 1e5 else power_text(n, 1) for n in numbers]


def as_html(text: str) -> str:
    """A title as the axis writes it: the index of a letter (``σ_w``) is lowered."""
    return INDEX.sub(r"<sub>\1</sub>", escape(text, quote=False))


def halves(text: str) -> list[str]:
    """The text in two parts of about the same length, parted at a space; in one where there is none."""
    spaces = [i for i, sign in enumerate(text) if sign == " "]
    if not spaces:
        return [text]
    at = min(spaces, key=lambda i: abs(2 * i - len(text)))
    return [text[:at], text[at + 1 :]]


class Axis(pg.AxisItem):  # type: ignore[misc]
    """An axis in the theme's colours and figures; never rescales its numbers by an SI prefix."""

    def __init__(self, orientation: str) -> None:
        super().__init__(orientation, maxTickLength=0)
        self.enableAutoSIPrefix(False)
        self.title = ""
        self.categories: tuple[str, ...] = ()

    def set_title(self, title: str) -> None:
        """Name the quantity and its unit beside the axis; an empty title takes no room."""
        if title != self.title:  # else all ticks would be made anew for every picture
            self.title = title
            self.restyle_title()

    def set_categories(self, names: Sequence[str]) -> None:
        """Write names at 0, 1, 2, ... in place of numbers; no names bring the numbers back."""
        if tuple(names) != self.categories:
            self.categories = tuple(names)
            self.setStyle(tickLength=self._tick_length())
            self._reserve()
            self.picture = None
            self.update()

    def _reserve(self) -> None:
        """Make room for the names before they are drawn: names that do not fit yet would be left out at first."""
        if not self.categories:
            return
        metrics = QFontMetricsF(font(12, tabular=True))
        names = self._fitting_names(list(self.categories), 1.0)
        if self.orientation in ("left", "right"):
            self.textWidth = math.ceil(max(metrics.horizontalAdvance(name) for name in names)) + 4
        else:
            self.textHeight = px(16) * max(name.count("\n") + 1 for name in names)
        self._adjustSize()

    def _tick_length(self) -> int:
        return 0 if self.categories or self.orientation in ("left", "right") else -px(4)

    def restyle_title(self) -> None:
        """Set the title again in the current type size."""
        self.label.setFont(font(12))
        self.setLabel(as_html(self._fitting_title()) or None)
        self.showLabel(bool(self.title))

    def _fitting_title(self) -> str:
        """The title, cut with an ellipsis where the axis is too short for it."""
        room = self.height() if self.orientation in ("left", "right") else self.width()
        if room < px(40):  # not laid out yet
            return self.title
        return QFontMetricsF(font(12)).elidedText(self.title, Qt.TextElideMode.ElideRight, room)

    def resizeEvent(self, event: object = None) -> None:
        if getattr(self, "title", "") and as_html(self._fitting_title()) != self.labelText:
            self.setLabel(as_html(self._fitting_title()))
        super().resizeEvent(event)
        if self.orientation in ("top", "bottom") and getattr(self, "categories", None):
            self._reserve()

    def restyle(self, theme: Theme) -> None:
        """Take colours and fonts from a theme."""
        line = pen(theme, "line", 1)
        self.setPen(line)
        self.setTickPen(line)
        self.setTextPen(theme.colour("muted"))
        self.setTickFont(font(12, tabular=True))
        vertical = self.orientation in ("left", "right")
        self.setStyle(
            tickLength=self._tick_length(),
            tickTextOffset=px(8 if vertical else 6),
            autoReduceTextSpace=True,
            hideOverlappingLabels=px(24),
            maxTickLevel=0,
        )
        self.setTickDensity(1.2 / math.sqrt(theme.scale))
        self.textWidth = px(26)
        self.textHeight = px(16)
        self.restyle_title()
        self._reserve()
        self._adjustSize()

    def tickValues(self, minVal: float, maxVal: float, size: float) -> list[tuple[float, list[float]]]:
        if not self.categories:
            found: list[tuple[float, list[float]]] = super().tickValues(minVal, maxVal, size)
            return self._apart(found, maxVal - minVal, size) if found and not self.logMode else found
        low, high = sorted((minVal, maxVal))
        room = size / max(high - low, 1e-9)  # pixels from one category to the next
        every = max(math.ceil(px(16 if self.orientation in ("left", "right") else 22) / max(room, 1e-9)), 1)
        places = range(max(math.ceil(low), 0), min(math.floor(high), len(self.categories) - 1) + 1)
        return [(float(every), [float(place) for place in places if place % every == 0])]

    def _apart(self, levels: list[tuple[float, list[float]]], span: float, size: float) -> list[tuple[float, list[float]]]:
        """The ticks with numbers, fewer of them where the numbers would run into each other."""
        metrics = QFontMetricsF(font(12, tabular=True))
        spacing, values = levels[0]
        chosen = levels[0]
        for step in dict.fromkeys((spacing, *(nice_above(spacing * more) for more in (1.9, 4, 5, 10)))):
            kept = [value for value in values if abs(value / step - round(value / step)) < 1e-6]
            if not kept:
                break
            chosen = (step, kept)
            widest = max(metrics.horizontalAdvance(text) for text in tick_texts(kept, step)) + px(8)
            needed = widest if self.orientation in ("top", "bottom") else 1.1 * metrics.height()
            if len(kept) == 1 or step * size >= needed * span:
                break
        return [chosen, *levels[1:]]

    def tickStrings(self, values: list[float], scale: float, spacing: float | None) -> list[str]:
        if not values:
            return []
        if self.categories:
            return self._fitting_names([self.categories[round(value)] for value in values], spacing or 1.0)
        if self.logMode:
            return sparse_log_texts(values) if self.range[1] - self.range[0] < 1 else log_texts(values)
        return tick_texts(values, spacing or 1.0)

    def _fitting_names(self, names: list[str], every: float) -> list[str]:
        """The names, in two lines or cut with an ellipsis where they would run into each other or push the plot aside."""
        metrics = QFontMetricsF(font(12, tabular=True))
        if self.orientation in ("left", "right"):
            return [metrics.elidedText(name, Qt.TextElideMode.ElideRight, px(LONGEST_NAME)) for name in names]
        room = self.geometry().width() / max(abs(self.range[1] - self.range[0]), 1e-9) * every - px(4)
        lines = [[name] if metrics.horizontalAdvance(name) <= room else halves(name) for name in names]
        elide = Qt.TextElideMode.ElideRight
        return ["\n".join(metrics.elidedText(part, elide, room) for part in parts) for parts in lines]

    def major(self) -> list[float]:
        """The places of the labelled ticks that are numbers, in view coordinates."""
        if self.categories:
            return []
        low, high = self.range
        length = self.geometry().height() if self.orientation in ("left", "right") else self.geometry().width()
        levels = self.tickValues(low, high, max(length, 1))
        if self.logMode:
            return [v for _, values in levels for v in values if high - low < 1 or abs(v - round(v)) < 1e-6]
        return levels[0][1] if levels else []


class Grid(Plotted):
    """Faint horizontal lines at the labelled ticks of the left axis, under everything else."""

    def __init__(self, axis: Axis) -> None:
        super().__init__()
        self.axis = axis
        self.setZValue(-1000)

    def restyle(self, theme: Theme) -> None:
        self.line = pen(theme, "line", 1, alpha=0.55)
        self.update()

    def draw(self, painter: QPainter) -> None:
        frame = self.frame()
        painter.setPen(self.line)
        heights = [self.to_pixels(0, y).y() for y in self.axis.major()]
        inside = [round(y) + 0.5 for y in heights if frame.top() + 1 < y < frame.bottom() - 1]
        painter.drawLines([QLineF(frame.left(), y, frame.right(), y) for y in inside])
