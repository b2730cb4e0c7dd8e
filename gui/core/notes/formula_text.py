"""Running text with formulas on its baseline and live numbers in their places: a `QTextDocument` that knows both."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from PySide6.QtCore import QObject, QPointF, QRect, QRectF, QSizeF, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QPainter,
    QPyTextObject,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFormat,
)

from gui.core.notes.formulas import Formula, FormulaStore, shared_store
from gui.core.notes.live_text import MARKS, Place, fill_tex, place_of

_FORMULA = QTextFormat.ObjectTypes.UserObject.value + 1
_STRUT = QTextFormat.ObjectTypes.UserObject.value + 2
_INDEX = QTextFormat.Property.UserProperty.value + 1
_OBJECT = "\ufffc"
_FIGURE_SPACE = "\u2007"

_X_HEIGHT_MATCH = 1.12  # STIX has a lower x-height than the sans faces it stands among
_DISPLAY_SCALE = 1.08
_SLACK = 0.2  # of an em: how far a formula may reach into the space between lines before it pushes them apart
_AIR = 0.12  # of an em, above a formula that does push them apart
_CHINESE_GAP = 0.14  # of an em, between a formula and a Chinese character
_CLOSING = set(",.;:!?)]}’”'\"%-–—…，。；：！？）】」』、》")


@dataclass(frozen=True, slots=True)
class Words:
    """A run of text in one format; marks in it stand for live numbers."""

    text: str
    format: QTextCharFormat


@dataclass(frozen=True, slots=True)
class Math:
    """A formula in a run of text."""

    tex: str
    format: QTextCharFormat
    display: bool = False


@dataclass(slots=True)
class _Spot:
    """What may change after the text was written: a live number or a formula, where it is and how long."""

    start: int
    length: int = 1
    place: Place | None = None


@dataclass(slots=True)
class _Inline(_Spot):
    """A formula: its source with marks, what is wanted now, what is shown, and the punctuation that must not leave it."""

    source: str = ""
    tex: str = ""
    display: bool = False
    size: float = 13.0
    colour: QColor = field(default_factory=QColor)
    suffix: str = ""
    before: float = 0.0
    after: float = 0.0
    inset: float = 0.0  # the page's width that is not its own, in a list or a quote
    formula: Formula | None = None


class FormulaDocument(QTextDocument):
    """A document into which runs of words and formulas are written.

    Formulas are asked from a store and appear when they are ready; until then their place is kept by an estimate.
    """

    formulas_arrived = Signal()
    """The layout has changed because formulas were made."""

    def __init__(self, parent: QObject | None = None, *, store: FormulaStore | None = None, wait: bool = False) -> None:
        super().__init__(parent)
        self.store = store or shared_store()
        self.wait = wait
        self.places: list[Place] = []
        self.values: Mapping[str, object] = {}
        self._spots: list[_Spot] = []
        self._drawer = _Drawer(self)
        for kind in (_FORMULA, _STRUT):
            self.documentLayout().registerHandler(kind, self._drawer)
        self.setUndoRedoEnabled(False)
        self.store.ready.connect(self._take_formulas)

    @property
    def complete(self) -> bool:
        """Whether every formula shows what it should."""
        return all(spot.formula is not None and spot.formula.tex == spot.tex for spot in self._inlines())

    def erase(self, places: Sequence[Place] = ()) -> None:
        """Empty the document; what is written next may hold marks for these places."""
        self.clear()
        self._spots.clear()
        self.places = list(places)

    def write(self, cursor: QTextCursor, runs: Iterable[Words | Math], *, inset: float = 0.0) -> None:
        """Write runs at a cursor that stands at the end of what was written before.

        `inset` is how much of the page's width a list, a quote or a table takes away from them.
        """
        queue = [run for run in runs if not isinstance(run, Words) or run.text]
        for index, run in enumerate(queue):
            following = queue[index + 1] if index + 1 < len(queue) else None
            if isinstance(run, Words):
                self._write_words(cursor, run)
                continue
            suffix = ""
            if isinstance(following, Words) and not run.display:
                suffix = _closing_run(following.text)
                queue[index + 1] = following = Words(following.text[len(suffix) :], following.format)
            last = queue[index - 1] if index else None
            self._write_formula(cursor, run, last, following, suffix, inset)

    def set_values(self, values: Mapping[str, object]) -> None:
        """Show new values in all places; only what reads differently is laid out again."""
        self.values = values
        moved = 0
        edit = QTextCursor(self)
        edit.beginEditBlock()
        for spot in self._spots:
            spot.start += moved
            if isinstance(spot, _Inline):
                self._ask(spot)
            elif spot.place is not None:
                moved += self._rewrite(spot, spot.place)
        edit.endEditBlock()

    def source_at(self, position: int) -> str:
        """The LaTeX behind a character of the document, with its dollar signs; the empty string behind an empty object."""
        inline = next((spot for spot in self._inlines() if spot.start == position), None)
        if inline is None:
            return ""
        mark = "$$" if inline.display else "$"
        return f"{mark}{inline.tex}{mark}{inline.suffix}"

    def source_text(self, start: int, end: int) -> str:
        """The plain text between two positions, formulas as LaTeX."""
        cursor = QTextCursor(self)
        cursor.setPosition(start)
        cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
        text = cursor.selectedText().replace("\u2029", "\n").replace("\u2028", "\n")
        return "".join(self.source_at(start + i) if letter == _OBJECT else letter for i, letter in enumerate(text))

    def _inlines(self) -> Iterable[_Inline]:
        return (spot for spot in self._spots if isinstance(spot, _Inline))

    def _write_words(self, cursor: QTextCursor, run: Words) -> None:
        end = 0
        for mark in MARKS.finditer(run.text):
            cursor.insertText(run.text[end : mark.start()], run.format)
            place = place_of(mark[0], self.places)
            text = place.text(self.values)
            self._spots.append(_Spot(cursor.position(), len(text), place))
            cursor.insertText(text, run.format)
            end = mark.end()
        cursor.insertText(run.text[end:], run.format)

    def _write_formula(
        self,
        cursor: QTextCursor,
        run: Math,
        last: Words | Math | None,
        following: Words | Math | None,
        suffix: str,
        inset: float,
    ) -> None:
        font = run.format.font() if run.format.hasProperty(QTextFormat.Property.FontPixelSize.value) else self.defaultFont()
        size = font.pixelSize() * _X_HEIGHT_MATCH
        gap = _CHINESE_GAP * size
        inline = _Inline(
            start=cursor.position(),
            source=run.tex,
            display=run.display,
            size=size * _DISPLAY_SCALE if run.display else size,
            colour=run.format.foreground().color(),
            suffix=suffix,
            before=gap if isinstance(last, Words) and _is_chinese(last.text[-1:]) else 0.0,
            after=gap if isinstance(following, Words) and not suffix and _is_chinese(following.text[:1]) else 0.0,
            inset=inset,
        )
        self._spots.append(inline)
        self._ask(inline)
        shape = QTextCharFormat(run.format)
        shape.setProperty(_INDEX, len(self._spots) - 1)
        shape.setObjectType(_FORMULA)
        if run.display:
            # The line of a displayed formula has no text: its font must not add a descent.
            shape.setProperty(QTextFormat.Property.FontPixelSize.value, 1)
        cursor.insertText(_OBJECT, shape)
        if not run.display:
            # An object stands on the baseline with all of its height; what hangs below it is kept free by a second, empty one.
            strut = QTextCharFormat(shape)
            strut.setObjectType(_STRUT)
            strut.setVerticalAlignment(QTextCharFormat.VerticalAlignment.AlignMiddle)
            cursor.insertText(_OBJECT, strut)

    def _rewrite(self, spot: _Spot, place: Place) -> int:
        """Put the newest number into its place; returns by how much the text grew."""
        # One figure more or less, or a minus sign, must not move the words after it.
        text = place.text(self.values)
        text = text.rjust(min(spot.length, len(text) + 1), _FIGURE_SPACE)
        cursor = QTextCursor(self)
        cursor.setPosition(spot.start)
        cursor.setPosition(spot.start + spot.length, QTextCursor.MoveMode.KeepAnchor)
        if cursor.selectedText() == text:
            return 0
        cursor.insertText(text, cursor.charFormat())
        grown = len(text) - spot.length
        spot.length = len(text)
        return grown

    def _ask(self, inline: _Inline) -> None:
        tex = fill_tex(inline.source, self.places, self.values)
        if tex == inline.tex and inline.formula is not None and inline.formula.tex == tex:
            return
        inline.tex = tex
        self._show(inline)

    def _show(self, inline: _Inline) -> bool:
        """Show what is wanted if the store has it; until then the old picture stays."""
        made = self.store.get(inline.tex, display=inline.display, wait=self.wait)
        if made is None or made is inline.formula:
            return False
        inline.formula = made
        if inline.start < self.characterCount() - 1:
            self.markContentsDirty(inline.start, 1)
        return True

    def _take_formulas(self) -> None:
        wanting = [i for i in self._inlines() if i.formula is None or i.formula.tex != i.tex]
        if not wanting:
            return
        edit = QTextCursor(self)
        edit.beginEditBlock()
        arrived = [self._show(inline) for inline in wanting]
        edit.endEditBlock()
        if any(arrived):
            self.formulas_arrived.emit()


class _Drawer(QPyTextObject):
    """Sizes and paints the formulas of a document."""

    def __init__(self, document: FormulaDocument) -> None:
        super().__init__(document)
        self._document = document

    def intrinsicSize(self, document: QTextDocument, position: int, text_format: QTextFormat) -> QSizeF:
        inline = self._inline(text_format)
        if inline is None:
            return QSizeF()
        shape = text_format.toCharFormat()
        metrics = QFontMetricsF(shape.font())
        scale = self._scale(inline, metrics)
        depth = (inline.formula.depth if inline.formula else 0.0) * inline.size * scale
        if text_format.objectType() == _STRUT:
            # Qt centres such an object on half the x-height: this height reaches as deep as the formula, at least as the font.
            depth = max(depth - _SLACK * inline.size, metrics.descent())
            return QSizeF(0, 2 * depth + metrics.xHeight() / 2)
        ascent = (inline.formula.ascent if inline.formula else 0.7) * inline.size * scale
        if inline.display:
            ascent += depth if inline.formula else inline.size
        elif ascent > metrics.ascent() + _SLACK * inline.size:
            ascent += _AIR * inline.size
        return QSizeF(self._width(inline, metrics, scale), ascent)

    def drawObject(
        self, painter: QPainter, rect: QRectF | QRect, document: QTextDocument, position: int, text_format: QTextFormat
    ) -> None:
        inline = self._inline(text_format)
        if inline is None or inline.formula is None or text_format.objectType() == _STRUT:
            return
        shape = text_format.toCharFormat()
        metrics = QFontMetricsF(shape.font())
        size = inline.size * self._scale(inline, metrics)
        rect = QRectF(rect)
        baseline = rect.bottom() - (inline.formula.depth * size if inline.display else 0.0)
        if shape.hasProperty(QTextFormat.Property.BackgroundBrush.value):
            painter.fillRect(rect, shape.background())
        inline.formula.paint(painter, QPointF(rect.left() + inline.before, baseline), size, inline.colour)
        if inline.suffix:
            painter.setPen(inline.colour)
            painter.setFont(shape.font())
            painter.drawText(QPointF(rect.left() + inline.before + inline.formula.width * size, baseline), inline.suffix)

    def _inline(self, text_format: QTextFormat) -> _Inline | None:
        index = text_format.property(_INDEX)
        spot = self._document._spots[index] if isinstance(index, int) and index < len(self._document._spots) else None
        return spot if isinstance(spot, _Inline) else None

    def _width(self, inline: _Inline, metrics: QFontMetricsF, scale: float = 1.0) -> float:
        width = inline.formula.width if inline.formula else min(0.4 * len(inline.tex), 12.0)
        return width * inline.size * scale + inline.before + inline.after + metrics.horizontalAdvance(inline.suffix)

    def _scale(self, inline: _Inline, metrics: QFontMetricsF) -> float:
        """How much a formula that is wider than the page is made smaller."""
        room = self._document.textWidth()
        if room <= 0:
            return 1.0
        root = self._document.rootFrame().frameFormat()
        room -= root.leftMargin() + root.rightMargin() + inline.inset + 1
        width = self._width(inline, metrics)
        return max(room / width, 0.2) if width > room else 1.0


def tabular(font: QFont) -> QFont:
    """The font with figures of one width, so that a number that changes does not move its neighbours."""
    fixed = QFont(font)
    fixed.setFeature(QFont.Tag("tnum"), 1)
    return fixed


def has_chinese(text: str) -> bool:
    """Whether a text holds a Chinese character."""
    return any(_is_chinese(letter) for letter in text)


def _is_chinese(letter: str) -> bool:
    return "\u3400" <= letter <= "\u9fff" or "\uf900" <= letter <= "\ufaff"


def _closing_run(text: str) -> str:
    """The punctuation with which a text begins: it stays with the formula before it, where Qt would allow a new line."""
    end = 0
    while end < len(text) and text[end] in _CLOSING:
        end += 1
    return text[:end]
