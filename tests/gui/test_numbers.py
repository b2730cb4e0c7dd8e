"""One style of numbers, wherever they stand."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gui.core.form.text import show_number
from gui.core.lab.claims_view import format_pair, format_tolerance
from gui.core.notes.live_text import Place
from gui.core.numbers import nice_above, nice_below, number_text, percent, power_of_ten, power_text, short, typeset
from gui.core.plots.axes import tick_texts

POSITIVE = st.floats(1e-290, 1e290)


@pytest.mark.parametrize(
    ("value", "text"),
    [(10, "10.0"), (161.8, "162"), (2052.3, "2,052"), (5.4e7, "5.4×10⁷"), (0, "0"), (-2.2e-7, "−2.2×10⁻⁷"), (0.05, "0.0500")],
)
def test_short_numbers(value: float, text: str) -> None:
    assert short(value) == text


@pytest.mark.parametrize(("share", "text"), [(0.0, "0 %"), (0.19153, "19.2 %"), (0.001, "0.1 %"), (2.2e-7, "2.2×10⁻⁵ %")])
def test_shares_in_percent(share: float, text: str) -> None:
    assert percent(share) == text


def test_no_number_and_infinity_have_signs() -> None:
    for shown in (number_text, short, power_text):
        assert [shown(value) for value in (math.nan, math.inf, -math.inf)] == ["–", "∞", "−∞"]
    assert power_of_ten(-12) == "10⁻¹²"


def test_axes_claims_notes_and_captions_write_numbers_alike() -> None:
    """Twelve thousand, minus a half, and a small number: the same signs in every room of the window."""
    assert tick_texts([12_000, 24_000], 12_000)[0] == format_pair(12_000, 12_000, 0)[0] == short(12_000) == "12,000"
    assert show_number(12_000.0) == Place("x", ",.0f").text({"x": 12_000.0}) == "12,000"
    assert tick_texts([-0.5, 0], 0.5)[0] == number_text(-0.5, ".1f") == Place("x", ".1f").text({"x": -0.5}) == "−0.5"
    small = {power_text(4e-9), short(4e-9), number_text(4e-9), format_tolerance(4e-9), Place("x", ".0e").text({"x": 4e-9})}
    assert small == {"4×10⁻⁹"} == {tick_texts([4e-9, 8e-9], 4e-9)[0]}


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("gap 4.2e-07", "gap 4.2×10⁻⁷"),
        ("from -1.5 to 2", "from −1.5 to 2"),
        ("(-3, -.5)", "(−3, −.5)"),
        ("half-step 3 of 2-4", "half-step 3 of 2-4"),
        ("4e7 points", "4×10⁷ points"),
        ("a 2e mark, file-1e5x", "a 2e mark, file-1e5x"),
    ],
)
def test_numbers_in_sentences(raw: str, shown: str) -> None:
    assert typeset(raw) == shown


@given(POSITIVE)
def test_nice_steps_enclose_the_size(size: float) -> None:
    below, above = nice_below(size), nice_above(size)
    assert below <= size * (1 + 1e-9) < 2.6 * below
    assert above >= size * (1 - 1e-8)
    assert above <= 2.6 * size * (1 + 1e-9)
    assert f"{above:e}"[0] in "125"


@pytest.mark.parametrize("size", [0.0, -1.0, math.nan, math.inf])
def test_a_step_of_nothing_is_one(size: float) -> None:
    assert nice_above(size) == nice_below(size) == 1.0
