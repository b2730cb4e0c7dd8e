"""Claims: digits that the tolerance justifies, verdicts by shape and words, cards that stay where they are."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QRect
from PySide6.QtWidgets import QLabel

from engine.api import Claim, Message
from gui.core.i18n import translator
from gui.core.lab.claims_view import ClaimsView, Mark, format_pair, format_tolerance, pad_to, unit_suffix
from gui.core.look.theme import theming

SUPERSCRIPTS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


def claim(name: str = "mean", holds: bool | None = True, measured: float = 89.998, **values: object) -> Claim:
    settings = {"statement": "The mean is a right angle.", "formula": r"\mathbb{E}\theta=\pi/2", "unit": "degrees"}
    return Claim(name=name, expected=90.0, measured=measured, tolerance=0.0123, holds=holds, **{**settings, **values})


def number(text: str) -> float:
    mantissa, _, power = text.replace(",", "").replace("−", "-").partition("×10")
    return float(mantissa) * 10.0 ** int(power.translate(SUPERSCRIPTS) or 0) if power else float(mantissa)


@pytest.mark.parametrize(
    ("numbers", "shown"),
    [
        ((90.0, 89.99812, 0.0123), ("90.000", "89.998")),
        ((0.010101, 0.010095, 1.4e-5), ("0.010101", "0.010095")),
        ((12345.6, 12411.2, 250.0), ("12,346", "12,411")),
        ((1.0, 0.97, 0.5), ("1.00", "0.97")),
        ((0.0, 0.0312, 0.01), ("0", "0.031")),
        ((0.0, 1.2e-9, 0.01), ("0", "1.2×10⁻⁹")),
        ((3.2e-8, 3.1e-8, 1e-9), ("3.20×10⁻⁸", "3.10×10⁻⁸")),
        ((2.5e9, 2.4e9, 1e8), ("2.50×10⁹", "2.40×10⁹")),
        ((-1.5, -1.49, 0.1), ("−1.50", "−1.49")),
        ((3.0, 4.0, 0.0), ("3", "4")),
        ((1.0, math.nan, 0.1), ("1.00", "–")),
        ((math.inf, 1.0, 0.1), ("∞", "1.00")),
        ((0.0, 0.0, 0.0), ("0", "0")),
        ((1 / 3, 1 / 3, 0.0), ("0.333333", "0.333333")),
    ],
)
def test_pairs(numbers, shown) -> None:
    assert format_pair(*numbers) == shown


FINITE = st.floats(-1e12, 1e12).filter(lambda x: x == 0 or abs(x) > 1e-12)


@given(FINITE, FINITE, st.floats(1e-12, 1e6))
def test_a_pair_is_true_to_a_tenth_of_the_tolerance(expected: float, measured: float, tolerance: float) -> None:
    largest = max(abs(expected), abs(measured))
    for text, value in zip(format_pair(expected, measured, tolerance), (expected, measured), strict=True):
        assert not re.fullmatch(r"−?0[.,0]+", text)
        assert abs(number(text) - value) <= max(tolerance / 10, largest * 1e-7, abs(value) * 0.051)
        assert len(text.translate(SUPERSCRIPTS)) <= 18


@given(st.floats(0.01, 1e6), st.floats(-3, 3), st.floats(1e-6, 1e-2))
def test_decimal_points_align(expected: float, off: float, relative: float) -> None:
    tolerance = relative * expected
    one, other = format_pair(expected, expected + off * tolerance, tolerance)
    assert len(one.partition(".")[2]) == len(other.partition(".")[2])


@given(st.floats(1e-15, 1e12))
def test_a_tolerance_is_never_shown_as_zero(tolerance: float) -> None:
    assert abs(number(format_tolerance(tolerance)) / tolerance - 1) <= 0.051


def test_tolerances_and_units() -> None:
    assert format_tolerance(0.0123) == "0.012"
    assert format_tolerance(0.01) == "0.01"
    assert format_tolerance(250) == "250"
    assert format_tolerance(0) == format_tolerance(math.nan) == ""
    assert unit_suffix("degrees") == "°"
    assert unit_suffix("nats") == "\u00a0nats"
    assert unit_suffix("") == ""
    assert pad_to("0", "0.031") == "0\u2008\u2007\u2007\u2007"
    assert pad_to("0.5", "0.25") == "0.5"


@pytest.fixture
def view(qtbot) -> ClaimsView:
    made = ClaimsView()
    qtbot.addWidget(made)
    made.resize(280, 400)
    made.show()
    return made


def test_empty_says_what_to_do(view: ClaimsView) -> None:
    assert view.summary == "Claims are checked as soon as the run has a picture."


def test_cards_show_verdict_numbers_and_sum(view: ClaimsView) -> None:
    heard = []
    view.verdicts_changed.connect(lambda *counts: heard.append(counts))
    view.set_claims([claim(), claim("b", False), claim("c", None, math.nan, remark=Message("Needs {n} pairs.", {"n": 9}))])
    assert view.summary == "1 holds · 1 does not · 1 waiting"
    assert heard == [(1, 1, 1)]
    first, second, third = view.cards
    assert first.numbers["expected"].text() == "90.000"
    assert first.numbers["measured"].text() == "89.998"
    assert [card.mark.holds for card in view.cards] == [True, False, None]
    assert "holds: expected 90.000°, measured 89.998°" in first.accessibleDescription()
    assert "does not hold" in second.accessibleDescription()
    assert third.remark.text() == "Needs 9 pairs."
    assert third.numbers["measured"].text().startswith("–")


def test_cards_are_reused_and_the_newest_claims_are_never_lost(view: ClaimsView, qtbot) -> None:
    view.set_claims([claim(), claim("b")])
    cards = list(view.cards)
    for step in range(20):
        view.set_claims([claim(measured=80 + step), claim("b")])
    assert view.cards[0].numbers["measured"].text() == "89.998"
    qtbot.waitUntil(lambda: view.cards[0].numbers["measured"].text() == "99.000")
    assert view.cards == cards
    view.set_claims([claim()])
    view.flush()
    assert view.cards == cards
    assert not cards[1].isVisible()


def test_updates_do_not_move_anything(view: ClaimsView, qtbot) -> None:
    view.set_claims([claim(), claim("b")])
    qtbot.wait(150)

    def places() -> list[QRect]:
        return [card.geometry() for card in view.cards]

    before = places()
    for measured in (89.1, 90.99, 88.888):
        view.set_claims([claim(measured=measured), claim("b", None)])
        view.flush()
        qtbot.wait(20)
    assert places() == before


@pytest.mark.parametrize("width", [200, 280, 420])
def test_nothing_is_clipped(view: ClaimsView, qtbot, width: int) -> None:
    view.resize(width, 700)
    view.set_claims(
        [claim(statement="A sentence that is long enough to need a second line, or even a third one, in a narrow panel.")]
    )
    qtbot.wait(50)
    card = view.cards[0]
    for label in card.findChildren(QLabel):
        if label.isVisible() and label.text():
            needed = label.heightForWidth(label.width()) if label.wordWrap() else label.sizeHint().height()
            assert label.height() >= needed
            assert label.wordWrap() or label.width() >= label.sizeHint().width()


def test_a_new_language(view: ClaimsView) -> None:
    view.set_claims([claim()])
    translator.set_language("zh")
    try:
        assert view.summary == "1 条成立 · 0 条不成立 · 0 条待定"
        assert view.cards[0].mark.toolTip() == "成立"
    finally:
        translator.set_language("en")
    assert view.cards[0].mark.toolTip() == "holds"


def test_marks_differ_by_shape_not_only_colour(qtbot) -> None:
    mark = Mark(None)  # type: ignore[arg-type]
    qtbot.addWidget(mark)
    mark.resize(mark.sizeHint())
    pictures = []
    for holds in (True, False, None):
        mark.set_holds(holds)
        image = mark.grab().toImage()
        background = image.pixel(0, 0)
        pictures.append(tuple(image.pixel(x, y) != background for x in range(image.width()) for y in range(image.height())))
    assert len(set(pictures)) == 3


def test_a_new_theme_resizes(view: ClaimsView) -> None:
    view.set_claims([claim()])
    small = view.cards[0].mark.sizeHint()
    theming.set("stage")
    try:
        assert view.cards[0].mark.sizeHint().width() > small.width()
    finally:
        theming.set("dark")
