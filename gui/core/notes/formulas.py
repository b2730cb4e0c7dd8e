r"""Formulas: LaTeX in, sharp pictures out, at any size, colour and pixel ratio.

ziamath turns LaTeX into outlines once per formula (3 to 17 ms, and 0.2 s for its import), off the GUI thread. Size and
colour are applied while painting, so a new theme, font size or screen costs only painting.
"""

from __future__ import annotations

import contextlib
import math
import re
import threading
import unicodedata
from collections import OrderedDict, deque
from dataclasses import dataclass
from functools import lru_cache
from queue import Empty, SimpleQueue
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from PySide6.QtCore import QByteArray, QCoreApplication, QObject, QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QImage, QPaintEngine, QPainter, QTransform
from PySide6.QtSvg import QSvgRenderer
from shiboken6 import isValid

_EM = 100.0  # the size at which outlines are made
_INK = "#010203"  # stands for the colour that is chosen while painting
_BLEED = 0.02  # of an em around the ink, for antialiasing
_THICK = 0.22  # of an em around a relation: TeX has 0.28 and lets it shrink in a full line
_RELATIONS = set("=<>∼≈≤≥≠≡∝∈∉∋⊂⊃⊆⊇→←↦⇒⇔≪≫≃≅∣⊥")
_BEARING = 0.04  # of an em after the last glyph, as type has it
_MONOSPACE_ADVANCE = 0.51  # of an em: 0.6 for nearly every fixed-width face, at 85 % of the size

_making = threading.Lock()


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula ready to paint; its measures are in em, the baseline is at zero.

    Attributes
    ----------
    tex : the LaTeX as it was asked for
    svg : the outlines, 100 units to the em
    width, ascent, depth : extent to the right, above and below the baseline
    problem : what is wrong with the picture, None if nothing
    """

    tex: str
    svg: str
    width: float
    ascent: float
    depth: float
    problem: str | None = None

    def svg_bytes(self, size: float, colour: QColor) -> bytes:
        """A standalone SVG at a size in pixels."""
        height = self.ascent + self.depth
        view = f"0 {-self.ascent * _EM:.3f} {self.width * _EM:.3f} {height * _EM:.3f}"
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.width * size:.3f}" height="{height * size:.3f}" '
            f'viewBox="{view}">{self.svg.replace(_INK, colour.name())}</svg>'
        ).encode()

    def image(self, size: float, colour: QColor, ratio: float = 1.0) -> QImage:
        """A picture whose baseline lies on a pixel edge, ``ceil(ascent)`` device pixels from the top."""
        return _image(self, size, colour.rgba(), ratio)

    def paint(self, painter: QPainter, position: QPointF, size: float, colour: QColor) -> None:
        """Paint with the left end of the baseline at a position: pixels on a screen, outlines on paper."""
        transform = painter.worldTransform()
        if not _on_pixels(painter, transform):
            top = position - QPointF(0, self.ascent * size)
            box = QRectF(top.x(), top.y(), self.width * size, (self.ascent + self.depth) * size)
            QSvgRenderer(QByteArray(self.svg_bytes(size, colour))).render(painter, box)
            return
        ratio = painter.device().devicePixelRatioF() * transform.m11()
        image = self.image(size, colour, ratio)
        # Whole device pixels, or the picture would be interpolated and lose its edge.
        origin = transform.map(position) * painter.device().devicePixelRatioF()
        rows = math.ceil(self.ascent * size * ratio)
        corner = QPointF(round(origin.x()), round(origin.y()) - rows) / painter.device().devicePixelRatioF()
        box = QRectF(transform.inverted()[0].map(corner), image.deviceIndependentSize())
        painter.drawImage(box, image)


class FormulaStore(QObject):
    """Makes formulas on a worker thread and keeps the most recently used.

    The thread lives only while there is work. It touches no Qt object: it fills a queue, which a timer of this object's
    own thread empties.

    Parameters
    ----------
    capacity : how many formulas are kept
    """

    ready = Signal()
    """Formulas that were asked for can now be had; emitted in the thread of this object."""

    def __init__(self, parent: QObject | None = None, *, capacity: int = 512) -> None:
        super().__init__(parent)
        self.capacity = capacity
        self._kept: OrderedDict[tuple[str, bool], Formula] = OrderedDict()
        self._awaited: set[tuple[str, bool]] = set()
        self._asked: deque[tuple[str, bool]] = deque()
        self._made: SimpleQueue[tuple[tuple[str, bool], Formula]] = SimpleQueue()
        self._lock = threading.Lock()
        self._worker: threading.Thread | None = None
        self._timer = QTimer(self, interval=20)
        self._timer.timeout.connect(self._collect)
        if (application := QCoreApplication.instance()) is not None:
            application.aboutToQuit.connect(self.close)

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def busy(self) -> bool:
        """Whether a formula is still being made."""
        return bool(self._awaited)

    def get(self, tex: str, *, display: bool = False, wait: bool = False) -> Formula | None:
        """The formula, or None if it is still to be made: then `ready` will be emitted.

        Parameters
        ----------
        tex : LaTeX without dollar signs
        display : set like a displayed formula, with large operators and limits above and below
        wait : make it at once, on this thread (for pictures made without a window)
        """
        key = (tex, display)
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        if wait:
            return self._keep(key, make_formula(tex, display=display))
        if key not in self._awaited:
            self._awaited.add(key)
            self._ask(key)
        return None

    def close(self) -> None:
        """Drop what was asked for and wait for the thread; the store can be used again afterwards."""
        with self._lock:
            self._asked.clear()
            worker = self._worker
        if worker is not None:
            worker.join()
        if isValid(self._timer):
            self._timer.stop()
        self._awaited.clear()

    def _keep(self, key: tuple[str, bool], formula: Formula) -> Formula:
        self._kept[key] = formula
        self._kept.move_to_end(key)
        while len(self._kept) > self.capacity:
            self._kept.popitem(last=False)
        return formula

    def _ask(self, key: tuple[str, bool]) -> None:
        with self._lock:
            self._asked.append(key)
            if self._worker is None:
                self._worker = threading.Thread(target=self._work, name="formulas", daemon=True)
                self._worker.start()
        self._timer.start()

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._asked:
                    self._worker = None
                    return
                tex, display = self._asked.popleft()
            self._made.put(((tex, display), make_formula(tex, display=display)))

    def _collect(self) -> None:
        arrived = False
        with contextlib.suppress(Empty):
            while True:
                key, formula = self._made.get_nowait()
                self._keep(key, formula)
                self._awaited.discard(key)
                arrived = True
        if not self._awaited:
            self._timer.stop()
        if arrived:
            self.ready.emit()


_shared: FormulaStore | None = None


def shared_store() -> FormulaStore:
    """The program's one store."""
    global _shared
    if _shared is None or not isValid(_shared):
        _shared = FormulaStore(QCoreApplication.instance())
    return _shared


def make_formula(tex: str, *, display: bool = False) -> Formula:
    """Make a formula on this thread; one that cannot be set shows its source in a fixed-width face. Never raises."""
    try:
        with _making:
            return _set(tex, display)
    except Exception as error:  # ziamath and its parser raise nearly every kind, AssertionError for a missing brace
        return _as_source(tex, f"{type(error).__name__}: {error}" if str(error) else type(error).__name__)


def formula_problems(tex: str, *, display: bool = True) -> str | None:
    """What is wrong with the picture of a formula, None if nothing: for tests of everything that is shipped."""
    return make_formula(tex, display=display).problem


def normalised(tex: str, *, display: bool = False) -> str:
    r"""LaTeX that ziamath sets correctly, from LaTeX in which it has known faults.

    Examples
    --------
    >>> normalised(r"\mathop{\text{argmax}}_\theta \lVert x \rVert")
    '\\operatorname*{argmax}_\\theta \\| x \\|'
    """
    for pattern, replacement in _REPAIRS + (_DISPLAY_REPAIRS if display else []):
        tex = pattern.sub(replacement, tex)
    return tex.strip()


_LETTERS = "alpha|beta|theta|phi|psi|sigma|mu|lambda|nabla|bar|hat|tilde|frac|mathbf|mathbb|boldsymbol"
_REPAIRS: list[tuple[re.Pattern[str], str]] = [
    # The word inside \mathop vanishes.
    (re.compile(r"\\mathop\s*\{\s*\\(?:text|mathrm|rm|operatorname)\s*\{([^{}]*)\}\s*\}(?:\\limits)?"), r"\\operatorname*{\1}"),
    # A named operator stands as close to what it acts on as two letters of one word.
    (re.compile(rf"(\\operatorname\*?\{{[^{{}}]*\}})\s*(?=[A-Za-z]|\\(?:{_LETTERS})(?![A-Za-z]))"), r"\1\\,"),
    # These come out twice as tall as what they enclose.
    (re.compile(r"\\[lr]Vert(?![A-Za-z])"), r"\\|"),
    # \color also colours all that follows.
    (re.compile(r"\\color\s*(\{[^{}]*\}\s*\{)"), r"\\textcolor\1"),
    # Digits have no bold and no double-struck form, but Unicode has.
    (re.compile(r"\\(?:mathbb|mathds|mathbbm)\s*(?:\{\s*1\s*\}|1)"), "\U0001d7d9"),
    (re.compile(r"\\(?:mathbf|boldsymbol|bm)\s*(?:\{\s*1\s*\}|1)"), "\U0001d7cf"),
    (re.compile(r"\\(?:mathbf|boldsymbol|bm)\s*(?:\{\s*0\s*\}|0)"), "\U0001d7ce"),
    # An alphabet without braces is not always applied.
    (re.compile(r"\\(mathbb|mathcal|mathfrak|mathscr|mathbf|mathsf|boldsymbol|bm)\s*([A-Za-z]|\\[A-Za-z]+)"), r"\\\1{\2}"),
    # A script directly on an environment raises AssertionError.
    (re.compile(r"(\\begin\{(\w+\*?)\}(?:(?!\\begin).)*?\\end\{\2\})(?=\s*[\^_])", re.DOTALL), r"{\1}"),
]
_DISPLAY_REPAIRS: list[tuple[re.Pattern[str], str]] = [
    (re.compile(r"\\(inf|sup)\s*(?=_)"), r"\\\1\\limits"),
]


def _set(tex: str, display: bool) -> Formula:
    zmath, tex2mml = _ziamath()
    mathml = ElementTree.fromstring(tex2mml(normalised(tex, display=display), inline=not display))
    _space_like_tex(mathml)
    text = "".join(mathml.itertext())
    mathml.set("mathcolor", _INK)
    drawn = zmath.Math(mathml, size=_EM, margin=0)
    outlines = ElementTree.Element("g")
    drawn.node.draw(0, 0, outlines)
    box = drawn.node.bbox
    left = min(box.xmin / _EM, 0.0) - _BLEED
    outlines.set("transform", f"translate({-left * _EM:.3f} 0)")
    return Formula(
        tex=tex,
        svg=ElementTree.tostring(outlines, encoding="unicode"),
        width=max(box.xmax, 0.0) / _EM - left + _BEARING,
        ascent=max(box.ymax, 0.0) / _EM + _BLEED,
        depth=max(-box.ymin, 0.0) / _EM + _BLEED,
        problem=_fault(text, outlines, drawn.font),
    )


def _space_like_tex(mathml: ElementTree.Element) -> None:
    """Thin spaces after commas, thick ones around relations but none before the first; ``\\sim`` is a relation."""
    for row in mathml.iter():
        for position, node in enumerate(row):
            if node.text == "~" and node.tag.endswith("}mi"):
                node.tag, node.text = node.tag[:-1] + "o", "\u223c"
            if not node.tag.endswith("}mo"):
                continue
            if node.text == "," and len(row) > 1:  # alone in braces it groups figures: 2{,}000
                node.set("rspace", "0.17em")
            elif node.text in _RELATIONS:
                node.set("lspace", f"{_THICK}em" if position else "0em")
                node.set("rspace", f"{_THICK}em")


def _ziamath() -> tuple[Any, Any]:
    # Imported late: it costs 0.2 s, which belongs to the worker thread.
    from ziamath import zmath
    from ziamath.config import config
    from ziamath.tex import tex2mml

    config.svg2 = False  # QSvgRenderer does not know the <symbol> of SVG 2
    return zmath, tex2mml


def _fault(text: str, outlines: ElementTree.Element, font: Any) -> str | None:
    """What went wrong without an error: a command printed as text, a character without a glyph, words that vanished."""
    if "\\" in text:
        return f"unknown command in {text!r}"
    visible = [letter for letter in text if not letter.isspace() and unicodedata.category(letter) not in ("Cf", "Mn", "Zs")]
    missing = {letter for letter in visible if not font.glyphindex(letter)}
    if missing:
        return f"no glyph for {' '.join(sorted(missing))}"
    shapes = sum(1 for shape in outlines.iter() if shape.tag not in ("g", "svg"))
    if shapes < len(visible):
        return f"{len(visible)} letters in {text!r}, only {shapes} drawn"
    return None


def _as_source(tex: str, problem: str) -> Formula:
    source = " ".join(tex.split()) or "?"
    columns = sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in source)
    face = f'font-family="monospace" font-size="{0.85 * _EM:g}" fill="{_INK}"'
    svg = f'<text x="0" y="0" xml:space="preserve" {face}>{escape(source)}</text>'
    return Formula(tex, svg, width=columns * _MONOSPACE_ADVANCE, ascent=0.8, depth=0.25, problem=problem)


def _on_pixels(painter: QPainter, transform: QTransform) -> bool:
    engine = painter.paintEngine()
    upright = transform.m12() == transform.m21() == 0 and transform.m11() == transform.m22() > 0
    return upright and engine is not None and engine.type() == QPaintEngine.Type.Raster


@lru_cache(maxsize=256)
def _image(formula: Formula, size: float, rgba: int, ratio: float) -> QImage:
    scale = size * ratio
    above, below = math.ceil(formula.ascent * scale), math.ceil(formula.depth * scale)
    image = QImage(max(math.ceil(formula.width * scale), 1), max(above + below, 1), QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    renderer = QSvgRenderer(QByteArray(formula.svg_bytes(scale, QColor.fromRgba(rgba))))
    top = above - formula.ascent * scale
    renderer.render(painter, QRectF(0, top, formula.width * scale, (formula.ascent + formula.depth) * scale))
    painter.end()
    image.setDevicePixelRatio(ratio)
    return image
