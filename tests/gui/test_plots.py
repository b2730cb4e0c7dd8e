"""The plot kit: steady axes, right areas, colours by role, true line widths in exports."""

from __future__ import annotations

import gc
import math
import weakref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QEvent, QPoint, QPointF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QMouseEvent, QPainter
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QApplication, QWidget

from gui.core.look.theme import font, load_theme, luminance, text_width, themes, theming
from gui.core.numbers import nice_above, power_text
from gui.core.plots import (
    Band,
    Card,
    Contours,
    Curve,
    DensityImage,
    HeatMap,
    Histogram,
    Label,
    Marker,
    PlotCard,
    Points,
    diverging_lut,
    render_widget,
    sequential_lut,
    steady_range,
)
from gui.core.plots.axes import Axis, as_html, log_texts, tick_texts
from gui.core.plots.base import indexed_width, pieces, wrapped
from gui.core.plots.items import thin

numbers = st.floats(-1e9, 1e9, allow_nan=False, allow_subnormal=False)
SYMBOLS = "ostdx+"


@pytest.fixture(autouse=True)
def dark_again(qapp):
    """Leave the theme as it was found."""
    yield
    theming.set("dark")


@pytest.fixture
def card(qtbot):
    """A card of the unit square, 400 x 300."""
    made = PlotCard("Title")
    qtbot.addWidget(made)
    made.resize(400, 300)
    made.set_range(x=(0, 1), y=(0, 1))
    return made


def near(a: QColor, b: QColor, slack: int = 60) -> bool:
    return abs(a.red() - b.red()) + abs(a.green() - b.green()) + abs(a.blue() - b.blue()) <= slack


def count_near(image: QImage, colour: QColor, slack: int = 60) -> int:
    return sum(near(image.pixelColor(x, y), colour, slack) for x in range(image.width()) for y in range(image.height()))


# Ranges and numbers


@given(numbers, numbers)
def test_a_steady_range_contains_what_is_wanted(a, b):
    low, high = steady_range(None, (a, b))
    assert low <= min(a, b)
    assert high >= max(a, b)
    assert low < high


@given(numbers, numbers)
def test_a_steady_range_rests(a, b):
    first = steady_range(None, (a, b))
    assert steady_range(first, (a, b)) == first or abs(a - b) <= 1e-8 * max(abs(a), abs(b), 1e-300)


@given(numbers, numbers, st.floats(0.5, 1.0))
def test_a_steady_range_ignores_small_changes(a, b, part):
    first = steady_range(None, (a, b))
    middle, half = (first[0] + first[1]) / 2, (first[1] - first[0]) / 2
    inside = (max(middle - part * half, first[0]), min(middle + part * half, first[1]))  # rounding may lead out of it
    assert steady_range(first, inside) == first


def test_a_steady_range_grows_at_once_and_shrinks_late():
    assert steady_range((0, 1), (0, 1.01)) == pytest.approx((0, 1.2))
    assert steady_range((0, 1), (0, 0.5)) == (0, 1)
    assert steady_range((0, 1), (0, 0.0712)) == pytest.approx((0, 0.08))


def test_a_steady_range_survives_odd_wishes():
    assert steady_range((0, 1), (0, math.inf)) == (0, 1)
    assert steady_range(None, (math.nan, 1)) == (0, 1)
    low, high = steady_range(None, (3, 3))
    assert low < 3 < high


@given(st.floats(1e-12, 1e12))
def test_nice_steps_are_1_2_5(span):
    step = nice_above(span / 10)
    assert round(step / 10 ** math.floor(math.log10(step) + 1e-9), 6) in (1, 2, 5)
    assert 4 - 1e-6 <= span / step <= 10 + 1e-6


def test_a_range_narrower_than_the_quantity_means_is_widened(card):
    """At the start of a fit the likelihood differs by rounding alone: its ticks were -30.026876996 ... -30.026877000."""
    card.set_range(y=(-30.026877000, -30.026876996))
    low, high = card.plot.getViewBox().viewRange()[1]
    assert high - low >= 1e-8 * 30
    card.set_least_range(y=1e-3)
    card.set_range(y=(-30.0, -30.0 + 1e-5))
    low, high = card.plot.getViewBox().viewRange()[1]
    assert (low, high) == pytest.approx((-30.0005 + 5e-6, -29.9995 + 5e-6), abs=1e-9)
    card.set_range(y=(0.0, 2.0))
    assert card.plot.getViewBox().viewRange()[1] == [0.0, 2.0]


def test_numbers_at_ticks_never_run_into_each_other(qapp):
    """A narrow plot of many thousands has fewer numbers, at round places."""
    metrics = QFontMetricsF(font(12, tabular=True))
    axis = Axis("bottom")
    axis.restyle(theming.current)
    for width in (60, 90, 140, 220, 400):
        for high in (0.004, 1.0, 200.0, 123_456.0):
            spacing, values = axis.tickValues(0.0, high, width)[0]
            texts = axis.tickStrings(values, 1.0, spacing)
            room = spacing / high * width
            assert len(texts) == 1 or max(map(metrics.horizontalAdvance, texts)) < room, (width, high, texts)


def test_an_index_in_a_title_is_lowered():
    assert as_html("weight spread σ_w (a < b)") == "weight spread σ<sub>w</sub> (a &lt; b)"


def test_tick_texts_have_no_needless_decimals():
    assert tick_texts([0, 0.02, 0.04], 0.02) == ["0.00", "0.02", "0.04"]
    assert tick_texts([-10, 0, 10], 10) == ["−10", "0", "10"]
    assert tick_texts([0, 20000], 20000) == ["0", "20,000"]
    assert tick_texts([0, 2e-5, 4e-5], 2e-5) == ["0", "2×10⁻⁵", "4×10⁻⁵"]
    assert tick_texts([1e6, 2.5e6], 5e5) == ["10⁶", "2.5×10⁶"]


def test_powers_of_ten():
    assert log_texts([-2, 0, math.log10(2), 4]) == ["10⁻²", "10⁰", "", "10⁴"]
    assert power_text(-1e-7) == "−10⁻⁷"


def test_axes_never_rescale_their_numbers(card):
    card.set_labels(x="angle (degrees)", y="density")
    card.set_range(y=(0, 1e-5))
    card.grab()
    assert card.axes["y"].autoSIPrefixScale == 1.0
    assert "x1" not in card.axes["y"].labelString()


def test_logarithmic_axes_show_decades(card):
    card.set_log(x=True)
    card.set_range(x=(1, 1e4))
    assert card.plot.getViewBox().viewRange()[0] == pytest.approx([0, 4])
    assert card.axes["x"].tickStrings([0.0, 1.0, 4.0], 1, 1) == ["10⁰", "10¹", "10⁴"]


# Items


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=60))
def test_a_histogram_has_area_one(counts):
    histogram = Histogram()
    edges = np.cumsum(np.linspace(0.1, 2, len(counts) + 1))
    histogram.setData(counts, edges)
    assert histogram.area() == pytest.approx(1.0 if sum(counts) else 0.0)


def test_a_histogram_covers_the_pixels_of_its_bars(card):
    theming.set("dark")
    histogram = card.add(Histogram("#ff0000", fill=1.0))
    histogram.setData([0.5, 1.0], [0.0, 0.5, 1.0], density=True)
    image = card.grab().toImage()
    area = card.plot.getViewBox().sceneBoundingRect()
    painted = count_near(image, QColor("#ff0000"), 30)
    assert painted == pytest.approx(0.75 * area.width() * area.height(), rel=0.03)


@pytest.mark.parametrize(
    ("item", "data"),
    [(Histogram(), ([1, 2], [0, 1])), (Curve(), ([1, 2], [1])), (Points(), ([1], [1, 2]))],
)
def test_lengths_must_agree(item, data):
    with pytest.raises(ValueError, match="2"):
        item.setData(*data)


def test_every_item_draws_and_restyles_by_role(card):
    x = np.linspace(0, 1, 50)
    card.add(Band(3)).setData(0.2, 0.4)
    card.add(Band(vertical=False)).setData(0.2, 0.4)
    card.add(Histogram("data", "samples")).setData(np.ones(49), x)
    card.add(Curve("theory", "law")).setData(x, x)
    card.add(Marker("accent", "mean")).setData(0.5)
    card.add(Marker("accent", "level", vertical=False)).setData(0.98)
    card.add(Label("here")).setData(0.3, 0.3)
    for number, symbol in enumerate(SYMBOLS):
        card.add(Points(number, symbol, symbol=symbol, halo=True)).setData(x, 1 - x)
    for name in themes():
        theming.set(name)
        image = card.grab().toImage()
        theme = load_theme(name)
        assert count_near(image, QColor(theme.theory), 40) > 100
        assert count_near(image, QColor(theme.accent), 40) > 20


def test_a_ragged_histogram_is_filled_as_exactly_as_a_calm_one(card):
    heights = np.tile([0.0, 1.0], 40)
    histogram = card.add(Histogram("#ff0000", fill=1.0))
    histogram.setData(heights, np.linspace(0, 1, 81), density=True)
    for ratio in (1, 2):
        image = render_widget(card, None, ratio)
        area = card.plot.getViewBox().sceneBoundingRect()
        row = round((area.center().y() + card.view.y()) * ratio)
        red = sum(near(image.pixelColor(x, row), QColor("#ff0000")) for x in range(image.width()))
        bars, outlines = area.width() / 2, 40
        assert red == pytest.approx((bars + outlines) * ratio, rel=0.05)


def test_an_export_to_a_vector_file_has_no_images(card, tmp_path):
    card.add(Points()).setData([0.2, 0.4], [0.5, 0.5])
    card.add(Histogram()).setData(np.tile([0.0, 1.0], 40), np.linspace(0, 1, 81), density=True)
    target = QSvgGenerator()
    target.setFileName(str(tmp_path / "card.svg"))
    target.setSize(card.size())
    card.ensurePolished()
    card.view.render(painter := QPainter(target))
    painter.end()
    text = (tmp_path / "card.svg").read_text()
    assert "<path" in text
    assert "<image" not in text


def test_items_on_logarithmic_axes_survive_zeros(card):
    card.set_log(x=True, y=True)
    card.set_range(x=(1e-2, 1), y=(1e-3, 1))
    x = np.linspace(0, 1, 20)
    card.add(Histogram()).setData(np.arange(19), x)
    card.add(Curve()).setData(x, x)
    card.add(Points()).setData(x, x)
    card.add(Marker()).setData(0.0)
    card.add(Band()).setData(0.0, 0.1)
    card.grab()


def test_empty_and_broken_data_draw_nothing_and_raise_nothing(card):
    card.add(Histogram()).setData([], [0.0])
    card.add(Curve()).setData([], [])
    card.add(Curve()).setData([0, 1, 2], [0, np.nan, 1])
    card.add(Points()).setData([np.nan], [1])
    for item in (Band(), Marker(), Label(), Histogram(), Curve(), Points()):
        card.add(item)
    card.grab()


def test_marker_text_stays_inside(card):
    marker = card.add(Marker(text="a rather long text"))
    card.grab()
    frame = marker.frame()
    for share in (0.0, 0.5, 1.0):
        along = frame.left() + share * frame.width()
        place = marker.text_place(frame, along)
        assert frame.left() <= place.x() <= frame.right() - 60
        assert frame.top() <= place.y() <= frame.bottom()


def test_thinning_keeps_the_peaks():
    x = np.linspace(0, 1, 100_000)
    y = np.sin(50 * x)
    y[12_345] = 9.0
    few_x, few_y = thin(x, y, 0.0, 1.0, 300)
    assert len(few_x) == len(few_y) <= 1300
    assert few_y.max() == 9.0
    assert np.all(np.diff(few_x) >= 0)
    same_x, _ = thin(x[:100], y[:100], 0.0, 1.0, 300)
    assert len(same_x) == 100


def test_automatic_range_finds_the_data(qtbot):
    card = PlotCard("auto")
    qtbot.addWidget(card)
    card.resize(300, 200)
    card.add(Points()).setData([2, 4], [10, 30])
    card.add(Label("far away")).setData(100, 100)
    card.grab()
    (x0, x1), (y0, y1) = card.plot.getViewBox().viewRange()
    assert 1 < x0 <= 2
    assert 4 <= x1 < 5
    assert 5 < y0 <= 10
    assert 30 <= y1 < 35


# Colour maps


def test_light_reverses_the_sequential_map():
    dark, light = (load_theme(name) for name in ("dark", "light"))
    up = sequential_lut(dark.sequential, dark.sequential_reversed)
    down = sequential_lut(light.sequential, light.sequential_reversed)
    assert up.shape == (256, 3)
    assert up.astype(int).sum(axis=1)[-1] > up.astype(int).sum(axis=1)[0]
    assert np.array_equal(up[::-1], down)


@pytest.mark.parametrize("name", themes())
def test_the_diverging_map_is_symmetric_about_the_card(name):
    theme = load_theme(name)
    table = diverging_lut(theme.diverging)
    bright = np.array([luminance(QColor(*map(int, colour)).name()) for colour in table])
    ground = luminance(theme.surface)
    assert np.abs(bright[127:129] - ground).max() < 0.03
    away = np.abs(bright - ground)
    assert np.all(np.diff(away[:128]) <= 0.004)
    assert np.all(np.diff(away[128:]) >= -0.004)
    assert np.abs(away - away[::-1]).max() < 0.12


def test_images_draw_row_zero_at_the_bottom_and_keep_their_levels(card):
    image = card.add(DensityImage())
    values = np.zeros((8, 8), np.float32)
    values[0] = 1.0
    image.setData(values, rect=(0, 0, 1, 1), levels=(0, 1))
    picture = card.grab().toImage()
    area = card.plot.getViewBox().mapRectToScene(card.plot.getViewBox().boundingRect()).toRect()
    origin = card.view.mapTo(card, QPoint(0, 0))
    low = picture.pixelColor(area.center().x() + origin.x(), area.bottom() - 6 + origin.y())
    high = picture.pixelColor(area.center().x() + origin.x(), area.top() + 6 + origin.y())
    table = sequential_lut("viridis")
    assert near(low, QColor(*map(int, table[-1])), 12)
    assert near(high, QColor(*map(int, table[0])), 12)
    image.setData(values * 0.5, levels=(0, 1))
    assert (image.low, image.high) == (0, 1)
    image.setData(values * 3)
    assert image.high == pytest.approx(3)


def test_zero_of_a_heat_map_is_the_card(card):
    heat = card.add(HeatMap("curvature"))
    heat.setData(np.array([[-2.0, 0.0], [0.0, 1.0]]), rect=(0, 0, 1, 1))
    assert (heat.low, heat.high) == (-2, 2)
    bar = card.add_colour_bar(heat)
    texts = [text for _, text in bar.ticks()]
    assert "0" in texts
    assert any(text.startswith("−") for text in texts)
    card.grab()


# The card


def test_header_legend_and_labels(card):
    card.set_caption("n = 100 · seed 7")
    curve = card.add(Curve("theory", "law"))
    card.add(Curve("muted"))
    assert card.title_label.whole == "Title"
    assert card.accessibleName() == "Title"
    assert card.legend.items == [curve]
    curve.label = None
    card.refresh_legend()
    assert not card.legend.isVisibleTo(card)
    card.remove(curve)
    assert curve not in card.items


def test_a_long_title_is_shortened_and_told_in_full_by_its_tip(qtbot):
    card = Card("A title that is much longer than there is room for in a card as narrow as this one")
    qtbot.addWidget(card)
    card.resize(180, 120)
    card.show()
    assert card.title_label.text().endswith("…")
    assert card.title_label.toolTip() == card.title_label.whole


def test_a_legend_entry_hides_its_item(card, qtbot):
    curve = card.add(Curve("theory", "law"))
    card.show()
    place = card.legend.places(card.legend.width())[0]
    qtbot.mouseClick(card.legend, Qt.MouseButton.LeftButton, pos=place.center().toPoint())
    assert not curve.isVisible()


def test_double_click_and_button_ask_for_the_screen(card, qtbot):
    card.show()
    with qtbot.waitSignal(card.expand_requested, timeout=500):
        card.expand_button.click()
    with qtbot.waitSignal(card.expand_requested, timeout=500):
        at = QPointF(card.view.viewport().rect().center())
        left, no = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        QApplication.sendEvent(card.view.viewport(), QMouseEvent(QEvent.Type.MouseButtonDblClick, at, at, left, left, no))


def test_a_steady_card_range_rests(card):
    card.set_range(y=(0, 0.93), steady=True)
    card.set_range(y=(0, 0.7), steady=True)
    assert card.plot.getViewBox().viewRange()[1] == pytest.approx([0, 1])


# Export and cost


def test_an_export_has_all_pixels_and_true_line_widths(card):
    card.add(Marker("#ff0000", dash=None)).setData(0.5)
    card.add(Curve("#00ff00", width=2)).setData([0, 1], [0.5, 0.5])
    widths = {}
    for ratio in (1, 3):
        image = render_widget(card, QSize(400, 300), ratio)
        assert (image.width(), image.height()) == (400 * ratio, 300 * ratio)
        rows = [sum(near(image.pixelColor(x, y), QColor("#ff0000"), 120) for x in range(image.width())) for y in (100 * ratio,)]
        columns = [
            sum(near(image.pixelColor(x, y), QColor("#00ff00"), 120) for y in range(image.height())) for x in (120 * ratio,)
        ]
        widths[ratio] = (rows[0], columns[0])
    assert (widths[1][0], widths[3][0]) == (1, 3)
    assert widths[3][1] >= 5
    assert card.size() == QSize(400, 300)
    assert not card.expand_button.isHidden()


def test_print_resolution_is_written_into_the_image(card):
    assert render_widget(card).dotsPerMeterX() == pytest.approx(300 / 0.0254, rel=0.01)


def test_cards_die_when_they_are_dropped(qapp):
    gone = []
    gc.disable()  # only counting references may free them: the collector could run on a worker thread
    try:
        card = Card("short-lived")
        card.destroyed.connect(lambda: gone.append("card"))
        python_side = weakref.ref(card)
        del card
        assert gone == ["card"]
        assert python_side() is None
    finally:
        gc.enable()
    theming.set("light")


def test_plots_die_with_their_owner(qapp):
    holder, gone = QWidget(), []
    card = PlotCard("short-lived", holder)
    heat = card.add(HeatMap("curvature"))
    card.add_colour_bar(heat)
    card.add(Curve("theory", "law")).setData([0, 1], [0, 1])
    card.destroyed.connect(lambda: gone.append("card"))
    del card, heat
    holder.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert gone == ["card"]
    theming.set("light")


def test_a_view_moved_by_hand_stays_until_it_is_reset(qtbot) -> None:
    card = PlotCard("held")
    qtbot.addWidget(card)
    box = card.plot.getViewBox()
    card.set_range(x=(0.0, 1.0), y=(0.0, 2.0))
    box.setRange(xRange=(5.0, 6.0), padding=0)
    box.sigRangeChangedManually.emit([True, False])
    card.set_range(x=(0.0, 3.0))
    assert box.viewRange()[0] == [5.0, 6.0]
    assert not card.reset_button.isHidden()
    card.reset_view()
    assert box.viewRange() == [[0.0, 3.0], [0.0, 2.0]]
    assert card.reset_button.isHidden()


# Places far from zero, of any size, and on logarithmic axes


@pytest.mark.parametrize(
    ("x", "width"),
    [
        (1.7e9 + np.arange(120.0), 600),  # unix seconds: single precision knows 4 places among them
        (1.7e15 + 1e6 * np.arange(120.0), 600),
        (1e150 * np.linspace(1, 2, 120), 600),
        (1e-100 * np.linspace(1, 2, 120), 600),
        (-1e300 * np.linspace(0.1, 0.5, 120), 600),
    ],
    ids=["unix seconds", "microseconds", "1e150", "1e-100", "-1e300"],
)
def test_points_far_away_keep_their_own_places(card, x, width):
    points = card.add(Points("data", size=3))
    points.setData(x, np.zeros(120))
    card.resize(width + 100, 300)
    card.set_range(x=(x.min(), x.max()), y=(-1.0, 1.0))
    card.show()
    QApplication.processEvents()
    across = points.across(points.shown[:, 0])
    assert len(np.unique(np.round(across, 3))) == 120
    assert np.abs(np.diff(across)) == pytest.approx(np.abs(np.diff(across)).mean(), rel=0.01)
    shown = card.view.grab().toImage()
    colour = theming.current.colour("data")
    columns = {c for c in range(shown.width()) for r in range(shown.height()) if shown.pixelColor(c, r) == colour}
    assert len(columns) >= 100


def test_level_lines_are_drawn_on_logarithmic_axes(card):
    """The circle x y = 1 is the straight line through (1, 1) where both axes are logarithmic."""
    grid = np.linspace(0.1, 10, 200)
    lines = card.add(Contours("theory", levels=[1.0]))
    card.set_log(x=True, y=True)
    card.set_range(x=(0.1, 10), y=(0.1, 10))
    lines.setData(np.outer(grid, grid), (0.1, 0.1, 9.9, 9.9), nodes=True)
    card.resize(500, 500)
    card.show()
    assert lines.bounds(0) == pytest.approx((-1, 1))
    places = np.vstack(lines._placed(lines.lines[0][0]))
    corner, far = lines.to_pixels(-1, 1), lines.to_pixels(1, -1)
    along = np.interp(places[:, 0], (corner.x(), far.x()), (corner.y(), far.y()))
    assert np.abs(places[:, 1] - along).max() < 1.5
    shown = card.view.grab().toImage()
    assert (
        sum(
            shown.pixelColor(c, r) == theming.current.colour("theory", 0.85) or shown.pixelColor(c, r).hue() in range(30, 50)
            for c in range(shown.width())
            for r in range(shown.height())
        )
        > 100
    )


def test_a_click_comes_in_data_coordinates(card, qtbot):
    card.set_log(x=True)
    card.set_range(x=(1, 100), y=(0, 1))
    card.resize(500, 400)
    card.show()
    seen = []
    card.clicked_at.connect(lambda x, y: seen.append((x, y)))
    middle = card.plot.getViewBox().sceneBoundingRect().center()
    at = card.view.mapFromScene(middle)
    qtbot.mouseClick(card.view.viewport(), Qt.MouseButton.LeftButton, pos=at)
    qtbot.waitUntil(lambda: bool(seen), timeout=2000)
    assert seen[0] == (pytest.approx(10, rel=0.05), pytest.approx(0.5, abs=0.02))


def test_a_new_name_is_in_the_legend_at_once(card):
    curve = card.add(Curve("theory"))
    assert card.legend.listed == []
    curve.set_label("law")
    assert card.legend.listed == [curve]
    curve.set_label(None)
    assert card.legend.listed == []
    curve.set_label("law")
    curve.label = None  # before the legend is made again it may be measured
    assert card.legend.places(300) == []


def test_long_texts_in_a_plot_are_wrapped_and_indices_lowered(qapp):
    sentence = "the discriminator digs alone; the points are set free after 20 steps"
    for text in (sentence, "判别器独自在挖；20 步之后放开各点，再看它们往哪里滚"):
        lines = wrapped(text, 150, 12)
        assert len(lines) > 1
        assert "".join(lines).replace(" ", "") == text.replace(" ", "")
        assert max(indexed_width(line, 12) for line in lines) <= 150
    assert wrapped("short", 150, 12) == ["short"]
    assert pieces("M_c = 2, σ_w") == [("M", False), ("c", True), (" = 2, σ", False), ("w", True)]
    assert pieces("plain") == [("plain", False)]
    assert indexed_width("M_c", 12) < text_width("M_c", font(12, tabular=True))
