"""Two pictures made of words: topics as lists with bars, and a text with its words in the colours of their topics."""

from __future__ import annotations

import html
from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFont, QFontMetricsF, QMouseEvent, QPainter, QPaintEvent, QTextDocument
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui.core.look.theme import font, mix, px, theming

COLUMN, HEAD = 86, 26  # pixels a list wants across, and of a heading
LINES = (19, 27)  # pixels of a line: at least, and where there is room
GAP = 12
FEWEST, NARROWEST = 4, 74  # words of a list and pixels across: rather narrow lists than short ones, but not too narrow
BAR = 26  # pixels of the bar under a text
FAINT = 0.25
SERIES = 6


def topic_colour(topic: int) -> str:
    """The colour of a topic as ``#rrggbb``: the series of the theme, then these mixed with the text, then with the card."""
    theme = theming.current
    base = theme.colour(topic % SERIES).name()
    match topic // SERIES:
        case 0:
            return base
        case 1:
            return mix(base, theme.text, 0.5)
        case 2:
            return mix(base, theme.surface, 0.45)
    return mix(base, theme.muted, 0.6)


class WordLists(QWidget):
    """Topics side by side: a heading, and under it the words with bars as long as they are probable.

    Attributes
    ----------
    clicked : Signal(int)
        The number of a topic, from zero.
    """

    clicked = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.words: tuple[tuple[str, ...], ...] = ()
        self.probabilities = np.zeros((0, 0))
        self.heads: tuple[str, ...] = ()
        self.chosen: int | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def setData(
        self, words: Sequence[Sequence[str]], probabilities: np.ndarray, heads: Sequence[str], chosen: int | None = None
    ) -> None:
        """Show topics.

        Parameters
        ----------
        words : sequence of sequence of str
            The words of each topic, most probable first.
        probabilities : array, shape (topics, words)
            How long the bars are; the longest of all fills its column.
        heads : sequence of str
            Headings.
        chosen : int, optional
            The others step back.
        """
        self.words, self.heads = tuple(map(tuple, words)), tuple(heads)
        self.probabilities, self.chosen = np.asarray(probabilities), chosen
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(px(420), px(240))

    def minimumSizeHint(self) -> QSize:
        return QSize(px(160), px(110))

    def places(self) -> list[QRectF]:
        """Where the lists stand: in one row while they have room, else in two or more."""
        count = len(self.words)
        if not count:
            return []
        across = max(1, min(count, int((self.width() + px(GAP)) // (px(COLUMN) + px(GAP)))))
        rows = -(-count // across)
        while rows > 1 and self.height() / rows < px(HEAD + FEWEST * LINES[0] + 8):
            if self.width() / -(-count // (rows - 1)) < px(NARROWEST):
                break
            rows -= 1
        across = -(-count // rows)
        width = (self.width() - (across - 1) * px(GAP)) / across
        height = (self.height() - (rows - 1) * px(8)) / rows
        return [QRectF((z % across) * (width + px(GAP)), (z // across) * (height + px(8)), width, height) for z in range(count)]

    def mousePressEvent(self, event: QMouseEvent) -> None:
        for topic, place in enumerate(self.places()):
            if place.contains(event.position()) and event.button() == Qt.MouseButton.LeftButton:
                self.clicked.emit(topic)
                return
        event.ignore()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        longest = float(self.probabilities.max(initial=0.0)) or 1.0
        for topic, place in enumerate(self.places()):
            painter.setOpacity(1.0 if self.chosen in (None, topic) else FAINT)
            self._draw_list(painter, topic, place, longest)

    def _draw_list(self, painter: QPainter, topic: int, place: QRectF, longest: float) -> None:
        theme = theming.current
        room = place.height() - px(HEAD)
        line = int(min(max(room / max(len(self.words[topic]), 1), px(LINES[0])), px(LINES[1])))
        left_to_middle = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        colour = theme.colour(topic_colour(topic))
        painter.setFont(font(13, 600))
        head = QRectF(place.left(), place.top(), place.width(), px(HEAD) - px(6))
        painter.fillRect(QRectF(place.left(), place.top() + px(HEAD) - px(5), place.width(), px(2)), colour)
        painter.setPen(theme.colour("text"))
        painter.drawText(head, left_to_middle, elided(self.heads[topic], font(13, 600), place.width()))
        shown = max(0, int(room // line))
        painter.setFont(font(13))
        for rank, (word, share) in enumerate(zip(self.words[topic][:shown], self.probabilities[topic], strict=False)):
            top = place.top() + px(HEAD) + rank * line
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour(colour.name(), 0.38))
            painter.drawRect(QRectF(place.left(), top + px(1), place.width() * float(share) / longest, line - px(3)))
            painter.setPen(theme.colour("text"))
            box = QRectF(place.left() + px(5), top, place.width() - px(5), line - px(1))
            painter.drawText(box, left_to_middle, elided(word, font(13), box.width()))


class ColouredText(QWidget):
    """A text whose known words lie on the colours of their topics, the stronger the surer."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.document = QTextDocument(self)
        self.document.setDocumentMargin(0)
        self.mixture = np.zeros(0)
        self.chosen: int | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def setData(
        self, text: str, spans: np.ndarray, strengths: np.ndarray, mixture: np.ndarray, chosen: int | None = None
    ) -> None:
        """Show a text and its mixture.

        Parameters
        ----------
        text : str
            The whole of it.
        spans : array of int, shape (n, 3)
            Where words begin and end, and their topics; where words overlap, the surer one shows.
        strengths : array, shape (n,)
            The responsibilities of these topics, from 0 to 1.
        mixture : array, shape (topics,)
            The shares of the topics, drawn as a bar under the text.
        chosen : int, optional
            Only the words of this topic are coloured.
        """
        self.mixture, self.chosen = np.asarray(mixture, dtype=float), chosen
        self.document.setDefaultFont(font(17))
        self.document.setHtml(coloured(text, spans, strengths, chosen))
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(px(240), px(200))

    def minimumSizeHint(self) -> QSize:
        return QSize(px(140), px(110))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        bar = QRectF(0, self.height() - px(BAR), self.width(), px(BAR))
        self._draw_mixture(painter, bar)
        painter.setClipRect(self.rect().adjusted(0, 0, 0, -px(BAR + 6)))
        self.document.setTextWidth(self.width())
        painter.translate(QPoint(0, px(4)))
        self.document.drawContents(painter)

    def _draw_mixture(self, painter: QPainter, bar: QRectF) -> None:
        """The shares of the topics side by side, with their numbers where they have room."""
        ends = bar.left() + bar.width() * np.concatenate([[0.0], self.mixture.cumsum()])
        painter.setFont(font(13, 600, tabular=True))
        for topic, (start, end) in enumerate(zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True)):
            painter.setOpacity(1.0 if self.chosen in (None, topic) else FAINT)
            part = QRectF(start, bar.top(), end - start, bar.height())
            painter.fillRect(part, theming.current.colour(topic_colour(topic), 0.55))
            words = f"{topic + 1} · {self.mixture[topic]:.0%}"
            if part.width() > px(62):
                painter.setPen(theming.current.colour("text"))
                painter.drawText(part.adjusted(px(8), 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, words)
        painter.setOpacity(1.0)


def coloured(text: str, spans: np.ndarray, strengths: np.ndarray, chosen: int | None) -> str:
    """A text as HTML, its words on coloured ground."""
    theme = theming.current
    topic, sure = np.full(len(text), -1), np.zeros(len(text))
    for (begin, end, z), strength in zip(spans.tolist(), strengths.tolist(), strict=True):
        if chosen in (None, z) and strength > sure[begin:end].max(initial=0.0):
            topic[begin:end], sure[begin:end] = z, strength
    pieces, start = [], 0
    for at in range(1, len(text) + 1):
        if at < len(text) and topic[at] == topic[start] and sure[at] == sure[start]:
            continue
        part = html.escape(text[start:at])
        if topic[start] >= 0:
            ground = mix(theme.surface, topic_colour(int(topic[start])), 0.14 + 0.5 * float(sure[start]) ** 2)
            part = f'<span style="background-color:{ground}; color:{theme.text}">{part}</span>'
        pieces.append(part)
        start = at
    return f'<p style="line-height:145%; color:{theme.muted}">{"".join(pieces)}</p>'


def elided(text: str, of: QFont, width: float) -> str:
    """The text, cut with an ellipsis where it is too long."""
    return QFontMetricsF(of).elidedText(text, Qt.TextElideMode.ElideRight, width)
