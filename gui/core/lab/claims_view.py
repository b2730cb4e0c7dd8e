"""Claims: what a theorem says, what was computed, and whether they agree. By shape, colour and words."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from engine.api import Claim
from gui.core.i18n import tr, translator
from gui.core.lab.throttle import Throttle
from gui.core.look.elided import Elided
from gui.core.look.follow import follow
from gui.core.look.icons import icon
from gui.core.look.theme import BODY, px, space, theming
from gui.core.look.widgets import show_if, tabular_figures
from gui.core.notes.formula_label import FormulaLabel
from gui.core.numbers import minus, number_text, power_of_ten

INTERVAL = 100  # ms; numbers are for reading
MOST_DECIMALS = 6
MOST_DIGITS = 9
SMALLEST_PLAIN, LARGEST_PLAIN = 1e-3, 1e7
FIGURE_SPACE, PUNCTUATION_SPACE = "\u2007", "\u2008"  # as wide as a digit, as a point

ROLES = {True: "holds", False: "fails", None: "pending"}
_ATTACHED = {"degrees": "°", "degree": "°", "°": "°", "%": "%", "percent": "%"}


def format_pair(expected: float, measured: float, tolerance: float) -> tuple[str, str]:
    """Two numbers with as many digits as the tolerance justifies, and one more; their decimal points align.

    A number that is not zero is never shown as zero.

    Examples
    --------
    >>> format_pair(90.0, 89.99812, 0.0123)
    ('90.000', '89.998')
    >>> format_pair(12345.6, 12411.2, 250.0)
    ('12,346', '12,411')
    """
    largest = max((abs(x) for x in (expected, measured) if math.isfinite(x)), default=0.0)
    power = math.floor(math.log10(largest)) if largest > 0 else 0
    decimals = min(_wanted_decimals((expected, measured), power, tolerance), MOST_DIGITS - 1 - power)
    if largest >= LARGEST_PLAIN or (decimals > MOST_DECIMALS and largest < SMALLEST_PLAIN):
        places = max(1, decimals + power)
        return _scientific(expected, power, places), _scientific(measured, power, places)
    return _plain(expected, max(0, decimals)), _plain(measured, max(0, decimals))


def format_tolerance(tolerance: float) -> str:
    """A tolerance in one or two significant digits; empty where the two numbers have to be equal.

    Examples
    --------
    >>> format_tolerance(0.0123), format_tolerance(250), format_tolerance(4e-9), format_tolerance(0)
    ('0.012', '250', '4×10⁻⁹', '')
    """
    if not (math.isfinite(tolerance) and tolerance > 0):
        return ""
    rounded = float(f"{tolerance:.1e}")
    power = math.floor(math.log10(rounded))
    if power < -MOST_DECIMALS or rounded >= LARGEST_PLAIN:
        return f"{rounded / 10.0**power:.2g}×{power_of_ten(power)}"
    return f"{rounded:,.{max(0, 1 - power)}f}".rstrip("0").rstrip(".") if rounded < 1 or power < 1 else f"{rounded:,.0f}"


def unit_suffix(unit: str, experiment: str | None = None) -> str:
    """What stands after a number: degrees as a sign, other units with a space."""
    if not unit:
        return ""
    return _ATTACHED.get(unit) or f"\u00a0{tr(unit, experiment)}"


def pad_to(number: str, other: str) -> str:
    """A number without decimals, followed by as much room as the decimals of another one take."""
    point = other.find(".")
    if point < 0 or "." in number or "×" in other:
        return number
    return number + PUNCTUATION_SPACE + FIGURE_SPACE * (len(other) - point - 1)


def _wanted_decimals(numbers: tuple[float, float], power: int, tolerance: float) -> int:
    """The decimal place one below the first digit of the tolerance; negative left of the point."""
    if math.isfinite(tolerance) and tolerance > 0:
        return 1 - math.floor(math.log10(tolerance))
    if all(x.is_integer() for x in map(float, numbers) if math.isfinite(x)):
        return 0
    return MOST_DECIMALS - power if power < -3 else MOST_DECIMALS


def _plain(value: float, decimals: int) -> str:
    if not math.isfinite(value):
        return number_text(value)
    text = f"{value:,.{decimals}f}"
    if any(sign in text for sign in "123456789"):
        return minus(text)
    return "0" if value == 0 else _scientific(value, math.floor(math.log10(abs(value))), 1)


def _scientific(value: float, power: int, places: int) -> str:
    if not math.isfinite(value):
        return number_text(value)
    if value == 0:
        return "0"
    mantissa = f"{value / 10.0**power:.{places}f}"
    if not any(sign in mantissa for sign in "123456789"):
        power = math.floor(math.log10(abs(value)))
        mantissa = f"{value / 10.0**power:.1f}"
    return f"{minus(mantissa)}×{power_of_ten(power)}"


class Mark(QWidget):
    """A tick in a disc, a cross in a square, or three dots in a ring."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.holds: bool | None = None
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def set_holds(self, holds: bool | None) -> None:
        """Whether the claim holds; None while nobody can tell."""
        if holds is not self.holds:
            self.holds = holds
            self.update()

    def sizeHint(self) -> QSize:
        """A little larger than a letter."""
        return QSize(px(20), px(20))

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme, role = theming.current, ROLES[self.holds]
        box = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        if self.holds is None:
            painter.setPen(QPen(theme.colour(role), theme.width(1.2)))
            painter.drawEllipse(box)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour(role))
            for offset in (-4, 0, 4):
                painter.drawEllipse(box.center() + QPointF(px(4) * offset / 4, 0), px(1.3), px(1.3))
            return
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour(role, 0.18))
        radius = box.width() / 2 if self.holds else px(5)
        painter.drawRoundedRect(box, radius, radius)
        side = px(14)
        inner = QRectF(0, 0, side, side)
        inner.moveCenter(box.center())
        icon("check" if self.holds else "cross", role, 14).paint(painter, inner.toRect())


class Swatch(QWidget):
    """How expected and measured are drawn in the pictures: a line for the theory, a bar for the data."""

    def __init__(self, role: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.role = role
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """The key of a legend, in small."""
        return QSize(px(10), px(10))

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theming.current.colour(self.role))
        height = px(2) if self.role == "theory" else px(8)
        box = QRectF(0, (self.height() - height) / 2, self.width(), height)
        painter.drawRoundedRect(box, px(1), px(1))


class ClaimCard(QFrame):
    """One claim: mark, formula, sentence, and the two numbers one above the other."""

    def __init__(self, experiment: str | None, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self.experiment = experiment
        self.claim: Claim | None = None
        self.mark = Mark(self)
        self.formula = FormulaLabel("", self)
        self.statement = QLabel(self)
        self.remark = QLabel(self)
        self.numbers = {"expected": QLabel(self), "measured": QLabel(self)}
        self._captions = {"expected": QLabel(self), "measured": QLabel(self)}
        self._unit = Elided("muted", self)
        self._tolerance = Elided("muted", self)
        self._arrange()

    def show_claim(self, claim: Claim) -> None:
        """Show a claim; what has not changed is not touched."""
        old, self.claim = self.claim, claim
        if old is None or (old.statement, old.formula, old.remark) != (claim.statement, claim.formula, claim.remark):
            self._show_words(claim)
        if old != claim:
            self._show_numbers(claim)

    def retranslate(self) -> None:
        """Set all texts in the current language."""
        self._captions["expected"].setText(tr("expected"))
        self._captions["measured"].setText(tr("measured"))
        if self.claim is not None:
            self._show_words(self.claim)
            self._show_numbers(self.claim)

    def restyle(self) -> None:
        """Set sizes and colours of the current theme."""
        self._grid.setContentsMargins(px(12), px(10), px(12), px(10))
        self._grid.setHorizontalSpacing(space(1))
        self._grid.setVerticalSpacing(px(2))
        self._numbers_grid.setHorizontalSpacing(px(6))
        self._numbers_grid.setVerticalSpacing(px(2))
        self._numbers_grid.setContentsMargins(0, px(4), 0, 0)
        self.formula.set_size(px(BODY + 1))
        self.formula.set_colour(theming.current.text)
        for widget in (self.mark, *self.findChildren(Swatch)):
            widget.updateGeometry()

    def _arrange(self) -> None:
        for label in (self.statement, self.remark):
            label.setProperty("role", "muted")
        for label in self._captions.values():
            label.setProperty("role", "small")
        for label in (self.statement, self.remark):
            label.setWordWrap(True)
        tabular_figures(*self.numbers.values(), weight=500)
        tabular_figures(self._tolerance)
        self._numbers_grid = QGridLayout()
        for row, (name, role) in enumerate((("expected", "theory"), ("measured", "data"))):
            self._numbers_grid.addWidget(Swatch(role, self), row, 0)
            self._numbers_grid.addWidget(self._captions[name], row, 1)
            self._numbers_grid.addWidget(self.numbers[name], row, 2)
            self.numbers[name].setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self.numbers[name].setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._numbers_grid.addWidget(self._unit, 0, 3)
        self._numbers_grid.addWidget(self._tolerance, 1, 3)
        self._numbers_grid.setColumnStretch(3, 1)
        self._grid = QGridLayout(self)
        self._grid.setColumnStretch(1, 1)
        self._grid.addWidget(self.mark, 0, 0, Qt.AlignmentFlag.AlignTop)
        self._grid.addWidget(self.formula, 0, 1)
        self._grid.addWidget(self.statement, 1, 1)
        self._grid.addLayout(self._numbers_grid, 2, 1)
        self._grid.addWidget(self.remark, 3, 1)

    def _show_words(self, claim: Claim) -> None:
        self.formula.set_text(f"${claim.formula}$" if claim.formula else "")
        show_if(self.formula, bool(claim.formula))
        self.statement.setText(tr(claim.statement, self.experiment))
        self.remark.setText(tr(claim.remark, self.experiment))
        show_if(self.remark, bool(claim.remark))
        self.setAccessibleName(self.statement.text())

    def _show_numbers(self, claim: Claim) -> None:
        unit = unit_suffix(claim.unit, self.experiment)
        pair = format_pair(claim.expected, claim.measured, claim.tolerance)
        tolerance = format_tolerance(claim.tolerance)
        for label, number, other in zip(self.numbers.values(), pair, reversed(pair), strict=True):
            label.setText(pad_to(number, other))
        self._unit.set_text(unit.strip())
        self._tolerance.set_text(f"± {tolerance}" if tolerance else "")
        self.mark.set_holds(claim.holds)
        verdict = {True: tr("holds"), False: tr("does not hold"), None: tr("not enough data yet")}[claim.holds]
        self.mark.setToolTip(verdict)
        self.setAccessibleDescription(
            tr(
                "{verdict}: expected {expected}, measured {measured}",
                verdict=verdict,
                expected=pair[0] + unit,
                measured=pair[1] + unit,
            )
        )


class ClaimsView(QWidget):
    """All claims of an experiment and their sum.

    Parameters
    ----------
    experiment : str or None
        Whose translations hold the statements.
    parent : QWidget, optional

    Signals
    -------
    verdicts_changed : (int, int, int)
        How many hold, do not, and wait.
    """

    verdicts_changed = Signal(int, int, int)

    def __init__(self, experiment: str | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.experiment = experiment
        self.cards: list[ClaimCard] = []
        self._claims: tuple[Claim, ...] = ()
        self._counts = (0, 0, 0)
        self._summary = QLabel(self)
        self._summary.setProperty("role", "muted")
        self._summary.setWordWrap(True)
        tabular_figures(self._summary)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.addWidget(self._summary)
        self._column.addStretch(1)
        self._throttle = Throttle(INTERVAL, self)
        self._throttle.triggered.connect(self._show)
        self.restyle()
        self.retranslate()
        follow(translator.changed, self, self.retranslate)
        follow(theming.changed, self, self.restyle)

    @property
    def summary(self) -> str:
        """The line above the cards, for example "5 hold · 1 does not · 0 waiting"."""
        return self._summary.text()

    def set_claims(self, claims: Sequence[Claim]) -> None:
        """Show claims, at most ten times a second; the last ones are never lost."""
        self._claims = tuple(claims)
        self._throttle.request()

    def flush(self) -> None:
        """Show the newest claims now, for a picture."""
        self._throttle.flush()

    @Slot()
    def retranslate(self) -> None:
        """Set all texts in the current language."""
        for card in self.cards:
            card.retranslate()
        self._show_summary()

    @Slot()
    def restyle(self) -> None:
        """Set sizes of the current theme."""
        self._column.setSpacing(space(1))
        for card in self.cards:
            card.restyle()

    @Slot()
    def _show(self) -> None:
        while len(self.cards) < len(self._claims):
            self._add_card()
        for index, card in enumerate(self.cards):
            if index < len(self._claims):
                card.show_claim(self._claims[index])
            show_if(card, index < len(self._claims))
        verdicts = [claim.holds for claim in self._claims]
        counts = (verdicts.count(True), verdicts.count(False), verdicts.count(None))
        if counts != self._counts:
            self._counts = counts
            self.verdicts_changed.emit(*counts)
        self._show_summary()

    def _add_card(self) -> None:
        card = ClaimCard(self.experiment, self)
        card.restyle()
        card.retranslate()
        self.cards.append(card)
        self._column.insertWidget(self._column.count() - 1, card)

    def _show_summary(self) -> None:
        hold, fail, wait = self._counts
        if not hold + fail + wait:
            self._summary.setText(tr("Claims are checked as soon as the run has a picture."))
            return
        parts = (
            tr("{count} holds", count=hold) if hold == 1 else tr("{count} hold", count=hold),
            tr("{count} does not", count=fail) if fail == 1 else tr("{count} do not", count=fail),
            tr("{count} waiting", count=wait),
        )
        self._summary.setText(" · ".join(parts))
