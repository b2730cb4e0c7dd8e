"""Notes: Markdown, formulas and live numbers on one page that stays still while numbers run."""

from __future__ import annotations

import math

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QDesktopServices, QFont, QTextCursor, QTextFormat

from gui.core.notes import NotesView, fill_values, live_names
from gui.core.notes.formulas import FormulaStore
from gui.core.notes.live_text import DASH, format_value

DARK = ("#E8ECF1", "#8D97A6", "#57A8F5", "#151A21", 13)
NOTE = r"""# Angles

The mean is {{mean_angle:.4f}}, for $n={{parameters.dimension:,d}}$; the text goes on.

$$p_n(\theta)=\frac{\Gamma(n/2)}{\Gamma(\frac{n-1}2)\sqrt\pi}\sin^{n-2}\theta$$

- one
- two $\frac12$, see [the post](https://example.org/a)

| entries | error |
|:--|--:|
| normal | {{mse:.3f}} |

> quoted {{mse:.2e}}
"""


@pytest.fixture
def view(qapp, qtbot):
    qapp.setStyleSheet("")  # another test may have dressed the application
    store = FormulaStore()
    made = NotesView(store=store, wait=True)
    qtbot.addWidget(made)
    made.set_style(*DARK)
    made.resize(400, 300)
    made.show()
    yield made
    store.close()


def plain(view: NotesView) -> str:
    return view.document().toPlainText()


def formats(view: NotesView) -> list[tuple[str, object]]:
    """All pieces of text with their formats."""
    found = []
    block = view.document().begin()
    while block.isValid():
        found += [(part.fragment().text(), part.fragment().charFormat()) for part in block]
        block = block.next()
    return found


# Live numbers


def test_names_are_found_in_prose_and_formulas():
    assert live_names(NOTE) == {"mean_angle", "parameters.dimension", "mse"}
    assert live_names(r"$\frac{1}{{{n}}}$, $x_{{\rm a}}$, {{ spaced }}, {{1x}}") == {"n"}


@pytest.mark.parametrize(
    ("markdown", "values", "filled"),
    [
        ("{{a:.2f}}", {"a": 1.234}, "1.23"),
        ("{{a:.2f}}", {"a": -1.234}, "−1.23"),
        ("{{a:.1e}}", {"a": 1.2e-5}, "1.2×10⁻⁵"),
        ("{{a.b:,d}}", {"a.b": 2000}, "2,000"),
        ("{{a.b:,d}}", {"a": {"b": 2000}}, "2,000"),
        ("{{a}}", {}, DASH),
        ("{{a:.2f}}", {"a": math.nan}, DASH),
        ("{{a:.2f}}", {"a": np.float32("inf")}, DASH),
        ("{{a:.2f}}", {"a": None}, DASH),
        ("{{a:d}}", {"a": 1.5}, "1.5"),
        ("{{a:.2f}}", {"a": "ring"}, "ring"),
        (r"$\sigma = {{a:.3f}}$", {"a": 0.5}, r"$\sigma = 0.500$"),
        (r"$\frac{1}{{{a}}}$", {"a": 3}, r"$\frac{1}{3}$"),
        ("$n={{a:,d}}$", {"a": 2000}, "$n=2{,}000$"),
        ("$p={{a:.0%}}$", {"a": 0.5}, r"$p=50\%$"),
        ("$e={{a:.1e}}$", {"a": 1.2e-5}, r"$e=1.2\times10^{-5}$"),
        ("$a={{a}}$", {}, r"$a=\text{–}$"),
        ("costs \\$5 {{a}} and {{a}}", {"a": -1}, "costs \\$5 −1 and −1"),
    ],
)
def test_filling(markdown, values, filled):
    assert fill_values(markdown, values) == filled


def test_no_value_and_no_format_raises():
    for value in (object(), [1, 2], {"a": 1}, b"x", np.arange(3), True, 1 + 2j, np.float64(2)):
        for spec in ("", ".3f", ",d", "nonsense", "%", "99z"):
            assert isinstance(format_value(value, spec), str)


# The page


def test_page_shows_headings_lists_tables_and_formulas(view):
    view.set_source(NOTE)
    text = plain(view)
    for piece in ("Angles", "one", "two", "entries", "normal", "quoted"):
        assert piece in text
    assert "{{" not in text
    assert "$" not in text
    assert "|" not in text
    assert view.complete
    heading = view.document().begin()
    assert heading.blockFormat().headingLevel() == 1


def test_page_is_painted_in_the_theme_colours(view):
    view.set_source("# Text\n\n$$x+y=z$$")
    image = view.viewport().grab().toImage()
    seen = {image.pixelColor(x, y).name() for x in range(image.width()) for y in range(image.height())}
    assert "#151a21" in seen
    assert "#e8ecf1" in seen


@pytest.mark.parametrize(
    ("markdown", "bold"),
    [
        ("取**粗体**字", "粗体"),
        ("这里是**强调：**之后", "强调："),
        ("他说**“好”**了", "“好”"),
        ("plain **bold** text", "bold"),
    ],
)
def test_bold_beside_chinese(view, markdown, bold):
    view.set_source(markdown)
    assert "*" not in plain(view)
    heavy = [text for text, shape in formats(view) if shape.fontWeight() >= QFont.Weight.DemiBold]
    assert heavy == [bold]


def test_lonely_asterisks_stay(view):
    view.set_source("2 * 3 * 4, 中文 * 文字")
    assert plain(view) == "2 * 3 * 4, 中文 * 文字"


def test_chinese_lines_join_without_a_space(view):
    view.set_source("高维空间，\n随机向量\n\nEnglish\nlines")
    assert plain(view).split("\n") == ["高维空间，随机向量", "English lines"]


def test_html_is_text(view):
    view.set_source("a <b>c</b> &amp; d < e")
    assert plain(view) == "a <b>c</b> & d < e"


def test_money_is_not_a_formula(view):
    view.set_source("it costs $5 and $6")
    assert plain(view) == "it costs $5 and $6"


def test_punctuation_stays_with_its_formula(view):
    view.set_source(r"取$\theta$，再取 $n$. End")
    assert "，" not in plain(view)  # it belongs to the formula and is painted with it
    view.selectAll()
    assert view.createMimeDataFromSelection().text() == r"取$\theta$，再取 $n$. End"


def test_copy_gives_latex(view):
    view.set_values({"mean_angle": 1.5})
    view.set_source(NOTE)
    view.selectAll()
    copied = view.createMimeDataFromSelection().text()
    assert r"$n=\text{–}$;" in copied
    assert r"$$p_n(\theta)=\frac" in copied
    assert "\ufffc" not in copied


def test_wide_formula_is_made_smaller_to_fit(view):
    view.set_source(r"$$a+b+c+d+e+f+g+h+i+j+k+l+m+n+o+p+q+r+s+t+u+v+w+x+y+z=\frac{a}{b}$$")
    view.resize(900, 300)
    tall = view.document().size().height()
    view.resize(260, 300)
    assert view.document().idealWidth() <= view.viewport().width()
    assert view.document().size().height() < tall
    assert not view.horizontalScrollBar().isVisible()


def test_long_lines_are_kept_short(view):
    view.set_source("word " * 300)
    view.resize(1600, 300)
    widest = max(
        line.naturalTextWidth()
        for layout in [view.document().begin().layout()]
        for line in (layout.lineAt(i) for i in range(layout.lineCount()))
    )
    assert widest <= 48 * 13


def test_size_of_type_follows_the_style(view):
    view.set_source(NOTE)
    small = view.document().size().height()
    view.set_style(*DARK[:4], 26)
    assert view.document().size().height() > 1.7 * small
    assert view.complete


# Live


def test_values_fill_the_page_in_place(view):
    view.set_source(NOTE)
    assert plain(view).count(DASH) == 3
    view._shown_at = -math.inf
    view.set_values({"mean_angle": 1.5703, "parameters.dimension": 2000, "mse": 0.0101})
    assert "The mean is 1.5703, for" in plain(view)
    assert "0.010\n" in plain(view)
    assert "quoted 1.01×10⁻²" in plain(view)
    assert "$n=2{,}000$" in view._page.source_text(0, view.document().characterCount() - 1)
    view._shown_at = -math.inf
    view.set_values({"mean_angle": -1.5, "mse": 12.5})
    assert "The mean is −1.5000, for" in plain(view)
    assert "12.500\n" in plain(view)


def test_values_are_shown_at_most_five_times_a_second(view, qtbot):
    view.set_source("now {{a}}")
    view._shown_at = -math.inf
    shown = []
    view.document().contentsChanged.connect(lambda: shown.append(plain(view)))
    for step in range(10, 60):
        view.set_values({"a": step})
    assert shown == ["now 10"]
    qtbot.waitUntil(lambda: len(shown) > 1, timeout=2000)
    assert shown[1:] == ["now 59"]


def test_same_text_is_not_laid_out_again(view):
    view.set_source("now {{a:.1f}} and $x={{a:.1f}}$")
    view._page.set_values({"a": 1.01})
    changes = []
    view.document().documentLayout().update.connect(lambda: changes.append(1))
    view.document().contentsChange.connect(lambda *_: changes.append(1))
    view._page.set_values({"a": 1.02})
    assert not changes


def test_live_update_keeps_scroll_position_and_selection(view):
    view.set_source(NOTE + "\n\nfiller\n" * 60)
    view.set_values({"mean_angle": 1.5})
    bar = view.verticalScrollBar()
    bar.setValue(bar.maximum() // 2)
    before = bar.value()
    cursor = view.textCursor()
    start = plain(view).index("text goes on")
    cursor.setPosition(start)
    cursor.setPosition(start + 12, QTextCursor.MoveMode.KeepAnchor)
    view.setTextCursor(cursor)
    bar.setValue(before)
    for value in (22.75, -3.5, math.nan, 1.5):
        view._shown_at = -math.inf
        view.set_values({"mean_angle": value, "parameters.dimension": 7})
    assert bar.value() == before > 0
    assert view.textCursor().selectedText() == "text goes on"


def test_a_minus_sign_does_not_shorten_the_text_again(view):
    view.set_source("a {{a:.2f}} b")
    view._page.set_values({"a": -1.0})
    signed = len(plain(view))
    view._page.set_values({"a": 1.0})
    assert len(plain(view)) == signed


def test_figures_have_one_width(view):
    view.set_source("1111\n\n0000")
    first = view.document().begin()
    widths = [block.layout().lineAt(0).naturalTextWidth() for block in (first, first.next())]
    assert widths[0] == pytest.approx(widths[1])


def test_old_formula_stays_until_the_new_one_is_ready(qapp, qtbot):
    store = FormulaStore()
    view = NotesView(store=store)
    qtbot.addWidget(view)
    view.set_source(r"$\sigma = {{std:.3f}}$")
    qtbot.waitUntil(lambda: view.complete, timeout=5000)
    shown = view._page._spots[0].formula
    view._shown_at = -math.inf
    view.set_values({"std": 0.25})
    assert view._page._spots[0].formula is shown
    assert not view.complete
    qtbot.waitUntil(lambda: view.complete, timeout=5000)
    assert view._page._spots[0].formula.tex == r"\sigma = 0.250"
    store.close()


# Reading


def test_only_web_links_are_opened(view, monkeypatch):
    opened = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toString()))
    view.set_source("[a](https://example.org/a) [b](file:///etc/passwd)")
    links = {shape.anchorHref() for _, shape in formats(view) if shape.isAnchor()}
    for link in sorted(links):
        view.anchorClicked.emit(link)
    assert opened == ["https://example.org/a"]


def test_page_is_read_only_and_scrolls_by_keyboard(view, qtbot):
    view.set_source("line\n\n" * 80)
    assert view.isReadOnly()
    assert view.accessibleName()
    qtbot.keyClick(view, Qt.Key.Key_PageDown)
    qtbot.waitUntil(lambda: view.verticalScrollBar().value() > 0, timeout=2000)
    view.set_source("another\n\n" * 80)
    assert view.verticalScrollBar().value() == 0


def test_objects_are_the_only_special_formats(view):
    """A formula and what keeps its depth free: two objects, each with the index of the same formula."""
    view.set_source("a $x$ b")
    indices = [shape.property(QTextFormat.Property.UserProperty.value + 1) for text, shape in formats(view) if "\ufffc" in text]
    assert indices == [0, 0]


@pytest.mark.parametrize(
    "markdown",
    [
        "> intro\n> $$a+b$$\n>\n> - {{n:.1f}} $x$\n\nafter {{n}}",
        "- ```\n  code {{n}}\n  ```\n- > quote $y$\n- $$x^2$$",
        "| a | b |\n|--|--|\n| $x$ | {{n:.2f}} |\n\n| c |\n|--|\n| {{n}} |",
        "a $$d$$ b {{n}}\n\n---\n\n![alt](x.png)",
        "",
    ],
)
def test_nested_blocks_keep_their_live_numbers_in_place(view, markdown):
    view.set_source(markdown)
    for value in (1.5, -100.25, None):
        view._page.set_values({"n": value})
        for spot in view._page._spots:
            text = "".join(view.document().characterAt(spot.start + i) for i in range(spot.length))
            assert text.strip("\u2007") == (spot.place.text({"n": value}) if spot.place else "\ufffc")
    view.grab()


def test_display_formula_without_empty_lines_has_its_own_line(view):
    view.set_source("before\n$$x+y$$\nafter")
    assert plain(view).split("\n") == ["before", "\ufffc", "after"]


@pytest.mark.parametrize("before", ["", "> ", "- ", "> - "])
def test_wide_formula_ends_inside_the_page(view, before):
    view.set_style("#FFFFFF", "#FFFFFF", "#000000", "#000000", 13)
    view.set_source(f"{before}$$a+b+c+d+e+f+g+h+i+j+k+l+m+n+o+p+q+r+s+t+u+v+w=\\frac ab$$")
    image = view.viewport().grab().toImage()
    margin = [image.pixelColor(x, y).lightness() for x in range(386, 400) for y in range(image.height())]
    assert max(margin) < 40
