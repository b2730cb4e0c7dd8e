"""Swarms, trails and arrows; and all new items together: right pixels, all themes, odd data."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from plot_pictures import GREEN, RED, at, at_pixels, count, near, paint_ground, pixels
from PySide6.QtCore import QPointF, QSize
from PySide6.QtGui import QColor, QPainter
from PySide6.QtSvg import QSvgGenerator

from gui.core.look.theme import load_theme, themes, theming
from gui.core.plots import (
    PRINT_RATIO,
    Area,
    Arrows,
    Bars,
    Contours,
    Ellipses,
    PlotCard,
    Swarm,
    Trails,
    render_widget,
)
from gui.core.plots.swarm import fitting


@pytest.fixture(autouse=True)
def dark_again(qapp):
    """Leave the theme as it was found."""
    yield
    theming.set("dark")


@pytest.fixture
def card(qtbot):
    """A card of the unit square, 400 x 300, on the ground of the theme."""
    made = PlotCard("Title")
    qtbot.addWidget(made)
    paint_ground(made)
    made.resize(400, 300)
    made.set_range(x=(0, 1), y=(0, 1))
    return made


# Swarm


@pytest.mark.parametrize("ratio", [1, 2, PRINT_RATIO])
def test_a_point_has_its_place_and_colour(card, ratio):
    card.add(Swarm(RED, size=9, alpha=1.0, glow=False)).setData([0.3, np.nan, 0.6], [0.7, 0.5, 0.2])
    image = render_widget(card, None, ratio)
    assert at(card, image, 0.3, 0.7) == QColor(RED)
    assert at(card, image, 0.6, 0.2) == QColor(RED)
    assert count(image, RED, 200) == pytest.approx(2 * np.pi / 4 * 81 * ratio**2, rel=0.1)


def test_stamps_lie_where_they_should_within_a_quarter_of_a_pixel(card):
    swarm = card.add(Swarm(RED, size=6, alpha=1.0, glow=False))
    blank = pixels(render_widget(card, None, 1))
    for x in np.linspace(0.4, 0.41, 7):
        swarm.setData([x], [0.47])
        weight = np.abs(pixels(render_widget(card, None, 1)) - blank).sum(axis=2)
        found = np.average(np.arange(weight.shape[1]) + 0.5, weights=weight.sum(axis=0))
        wanted = card.plot.getViewBox().mapViewToScene(QPointF(x, 0.5)).x() + card.view.x()
        assert found == pytest.approx(wanted, abs=0.25)


def test_groups_have_the_series_colours_and_can_be_hidden(card):
    swarm = card.add(Swarm(label="chains", size=9, alpha=1.0))
    swarm.setData([0.2, 0.5, 0.8], [0.5, 0.5, 0.5], [0, 1, -1])
    image = render_widget(card, None, 1)
    theme = theming.current
    assert [at(card, image, x, 0.5).name() for x in (0.2, 0.5, 0.8)] == [
        theme.series[0].lower(),
        theme.series[1].lower(),
        theme.muted.lower(),
    ]
    swarm.hide_groups([1])
    image = render_widget(card, None, 1)
    assert near(at(card, image, 0.5, 0.5), QColor(theme.surface), 90)
    assert at(card, image, 0.2, 0.5).name() == theme.series[0].lower()
    swarm.roles = ("holds", "fails")
    swarm.setData([0.2, 0.5], [0.5, 0.5], [0, 1])
    swarm.hide_groups([])
    swarm.restyle(theme)
    assert at(card, render_widget(card, None, 1), 0.5, 0.5).name() == theme.fails.lower()


@pytest.mark.parametrize(("name", "brighter"), [("dark", True), ("light", False)])
def test_crowds_glow(card, name, brighter):
    theming.set(name)
    paint_ground(card)
    swarm = card.add(Swarm("data", size=9, alpha=0.4))
    swarm.setData([0.2, *[0.7] * 5], np.full(6, 0.5))
    image = render_widget(card, None, 1)
    one, many = at(card, image, 0.2, 0.5).lightness(), at(card, image, 0.7, 0.5).lightness()
    assert (many > one + 40) if brighter else (many < one - 40)


def test_faint_and_emphasised_points(card):
    swarm = card.add(Swarm(RED, size=7, alpha=1.0, glow=False))
    swarm.setData([0.2, 0.8], [0.5, 0.5], faint=True, emphasised=[False, True])
    image = render_widget(card, None, 1)
    assert at(card, image, 0.8, 0.5) == QColor(RED)
    assert not near(at(card, image, 0.2, 0.5), QColor(RED), 200)
    swarm.setData([0.2, 0.8], [0.5, 0.5], emphasised=[0])
    assert at(card, render_widget(card, None, 1), 0.2, 0.5) == QColor(RED)


def test_many_points_are_small_and_translucent():
    sizes = [fitting(n, 500 * 300) for n in (1, 1000, 10_000, 100_000)]
    assert sizes[0] == (6.0, 0.9)
    assert all(a[0] >= b[0] and a[1] >= b[1] for a, b in pairwise(sizes))
    assert fitting(10, 1e5, 1.6)[0] == pytest.approx(9.6)


# Trails and arrows


def test_trails_fade_towards_the_past(card):
    trails = card.add(Trails(RED, width=6, alpha=1.0))
    trails.setData([np.linspace(0.1, 0.9, 101)], [np.full(101, 0.5)])
    image = render_widget(card, None, 1)
    reds = [at(card, image, x, 0.5).red() for x in (0.12, 0.5, 0.88)]
    assert reds[0] < reds[1] < reds[2]
    assert reds[2] > 200  # which of the last segments lies there depends on the font of the axes
    trails.setData(np.zeros((0, 5)), np.zeros((0, 5)))
    trails.setData(np.zeros((3, 1)), np.zeros((3, 1)))
    card.grab()


def test_trails_of_groups_have_the_series_colours_and_heads(card):
    trails = card.add(Trails(width=5, alpha=1.0, heads=True))
    trails.setData([[0.1, 0.4], [0.6, 0.9]], [[0.5, 0.5], [0.5, 0.5]], groups=[0, 1])
    image = render_widget(card, None, 2)
    assert at(card, image, 0.9, 0.5).name() == theming.current.series[1].lower()


def test_arrows_point_to_their_ends(card):
    arrows = card.add(Arrows(RED, width=3, head=16))
    arrows.setData([0.2, np.nan], [0.5, 0.5], [0.5, 0.1], [0.0, 0.1])
    image = render_widget(card, None, 1)
    assert near(at(card, image, 0.4, 0.5), QColor(RED))
    beside = QPointF(at_pixels(card, 0.7, 0.5)) - QPointF(10, 0)
    for down, red in ((0, True), (3, True), (9, False)):
        colour = image.pixelColor((beside + QPointF(0, down)).toPoint())
        assert near(colour, QColor(RED), 120) == red
    assert near(at(card, image, 0.72, 0.5), QColor(theming.current.surface), 120)


def test_arrows_have_roles_a_longest_length_and_a_cap(card):
    arrows = card.add(Arrows(longest=40, width=4))
    arrows.setData([0.2, 0.2], [0.3, 0.7], [1e6, 5e5], [0, 0], roles=[RED, GREEN])
    lengths = np.diff(arrows.pixels()[:, [0, 2]], axis=1).reshape(-1)
    assert lengths == pytest.approx([40, 20])
    arrows.power = 0.5
    assert np.diff(arrows.pixels()[:, [0, 2]], axis=1).reshape(-1) == pytest.approx([40, 40 * 0.5**0.5])
    image = render_widget(card, None, 1)
    assert count(image, RED) > 60
    assert count(image, GREEN) > 40
    arrows.setData(*np.zeros((4, 5000)))
    assert len(arrows.x) == 1000
    card.grab()


# All of them


def full_card(card: PlotCard) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.uniform(0.05, 1, (2, 40))
    card.add(Swarm("data", "swarm")).setData(x, y)
    card.add(Swarm(label="groups")).setData(x, y, np.arange(40) % 5, emphasised=[1, 2])
    card.add(Trails("accent", "trails", heads=True)).setData(rng.random((3, 30)), rng.random((3, 30)))
    card.add(Arrows("holds", "arrows")).setData(x, y, x / 4, y / 4, roles=["holds", "fails"] * 20)
    card.add(Area("theory", "area", edges=True)).setData(np.linspace(0, 1, 9), 0.1, 0.3)
    card.add(Bars(2, "bars")).setData([0.2, 0.5], errors=[0.1, 0.1], at=[0.3, 0.6])
    card.add(Ellipses("fails", "ellipses")).setData([[0.5, 0.5]], 0.01 * np.eye(2))
    card.add(Ellipses("muted", "ghosts", ghost=True)).setData([[0.5, 0.5]], 0.02 * np.eye(2), groups=[3])
    card.add(Contours("theory", "levels")).setData(np.add.outer(np.arange(9), np.arange(9)), (0, 0, 1, 1))


def test_all_items_follow_the_theme(card):
    full_card(card)
    card.resize(700, 500)
    for name in themes():
        theming.set(name)
        image = card.grab().toImage()
        theme = load_theme(name)
        for colour in (theme.theory, theme.accent, theme.holds, theme.fails):
            assert count(image, colour, 40) > 20


def test_all_items_survive_logarithmic_axes(card):
    card.set_log(x=True, y=True)
    card.set_range(x=(1e-2, 1), y=(1e-2, 1))
    full_card(card)
    card.grab()


def test_a_swarm_lies_right_on_a_logarithmic_axis(card):
    card.set_log(x=True)
    card.set_range(x=(1, 100), y=(0, 1))
    card.add(Swarm(RED, size=9, alpha=1, glow=False)).setData([10, -5, 0], [0.5, 0.5, 0.5])
    assert at(card, render_widget(card, None, 1), 1.0, 0.5) == QColor(RED)


@pytest.mark.parametrize("item", [Swarm, Trails, Arrows, Area, Bars, Ellipses, Contours])
def test_nothing_is_drawn_from_nothing(card, item):
    made = card.add(item("data", "label"))
    assert made.bounds(0) is None
    card.grab()
    hollow = {
        Swarm: ([], []),
        Trails: (np.zeros((2, 0)), np.zeros((2, 0))),
        Arrows: ([], [], [], []),
        Area: ([np.nan], [1.0], [2.0]),
        Bars: ([],),
        Ellipses: (np.zeros((0, 2)), np.zeros((0, 2, 2))),
        Contours: (None,),
    }
    made.setData(*hollow[item])
    card.grab()


@pytest.mark.parametrize(
    ("item", "data"),
    [
        (Swarm, ([1], [1, 2])),
        (Swarm, ([1, 2], [1, 2], [0])),
        (Trails, (np.zeros((2, 3)), np.zeros((2, 4)))),
        (Arrows, ([1], [1], [1], [1, 2])),
        (Area, ([1, 2], [1], [1, 2])),
        (Bars, ([1, 2], ["one"])),
    ],
)
def test_lengths_must_agree(item, data):
    with pytest.raises(ValueError, match=r"[12]"):
        item().setData(*data)


def test_a_vector_file_of_them_has_no_images(card, tmp_path):
    full_card(card)
    target = QSvgGenerator()
    target.setFileName(str(tmp_path / "card.svg"))
    target.setSize(card.size())
    card.ensurePolished()
    card.view.render(painter := QPainter(target))
    painter.end()
    text = (tmp_path / "card.svg").read_text()
    assert "<path" in text
    assert "<image" not in text


def test_equal_scales_keep_all_that_is_wanted_in_view(card):
    for size in (QSize(600, 300), QSize(300, 500)):
        card.resize(size)
        card.set_aspect(True)
        card.set_range(x=(-2, 2), y=(-1, 3))
        render_widget(card)
        box = card.plot.getViewBox()
        (x0, x1), (y0, y1) = box.viewRange()
        assert x0 <= -2 + 1e-9
        assert x1 >= 2 - 1e-9
        assert y0 <= -1 + 1e-9
        assert y1 >= 3 - 1e-9
        assert min(x1 - x0, y1 - y0) == pytest.approx(4)
        assert (x1 - x0) / box.width() == pytest.approx((y1 - y0) / box.height())
    card.set_range(x=(-4, 4))
    render_widget(card)
    (x0, x1), _ = card.plot.getViewBox().viewRange()
    assert x0 <= -4 + 1e-9
    assert x1 >= 4 - 1e-9
    card.set_aspect(False)
    assert card.plot.getViewBox().viewRange() == [[-4, 4], [-1, 3]]


def test_equal_scales_and_a_hand(card):
    card.set_aspect(True)
    card.set_range(x=(0, 2), y=(0, 2))
    box = card.plot.getViewBox()
    box.setRange(xRange=(5, 6), yRange=(5, 6), padding=0)
    box.sigRangeChangedManually.emit([True, True])
    held = box.viewRange()
    card.set_range(x=(0, 3), y=(0, 3))
    assert box.viewRange() == held
    card.reset_view()
    (x0, x1), (y0, y1) = box.viewRange()
    assert min(x1 - x0, y1 - y0) == pytest.approx(3)
    assert x0 <= 0
    assert y0 <= 0
