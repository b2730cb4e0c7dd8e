"""Areas, bars, ellipses and level lines: right shapes at the right places."""

from __future__ import annotations

import numpy as np
import pytest
from plot_pictures import GREEN, RED, at, at_pixels, count, near, paint_ground
from PySide6.QtGui import QColor

from gui.core.look.theme import theming
from gui.core.plots import (
    Area,
    Bars,
    Contours,
    Ellipses,
    PlotCard,
    render_widget,
)
from gui.core.plots.axes import halves
from gui.core.plots.contours import level_lines
from gui.core.plots.ellipses import roots
from gui.core.plots.raster.strokes import dashes, pieces, polyline


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


# Areas and bars


def test_an_area_fills_between_its_curves_and_breaks_at_gaps(card):
    area = card.add(Area(RED, alpha=1.0, edges=True))
    x = np.linspace(0, 1, 101)
    area.setData(x, 0.25, np.where((x > 0.4) & (x < 0.6), np.nan, 0.75))
    image = render_widget(card, None, 1)
    assert at(card, image, 0.2, 0.5) == QColor(RED)
    assert not near(at(card, image, 0.5, 0.5), QColor(RED), 200)
    assert not near(at(card, image, 0.2, 0.9), QColor(RED), 200)
    frame = area.frame()
    assert count(image, RED) == pytest.approx(0.4 * frame.width() * frame.height(), rel=0.05)
    assert area.bounds(1) == (0.25, 0.75)


def test_bars_stand_side_by_side_with_names_and_errors(card):
    names = ["one", "two words", "three"]
    left, right = (card.add(Bars(colour, fill=1.0, offset=i, of=2)) for i, colour in enumerate((RED, GREEN)))
    left.setData([0.5, 0.8, np.nan], names, errors=[0.1, 0.1, 0.1])
    right.setData([0.4, 0.2, 0.3])
    card.set_categories(names)
    image = render_widget(card, None, 1)
    assert at(card, image, -0.3, 0.2) == QColor(RED)
    assert at(card, image, 0.3, 0.2) == QColor(GREEN)
    assert not near(at(card, image, 0.3, 0.45), QColor(GREEN), 200)
    whisker = [at(card, image, -0.19 + shift, 0.58).lightness() for shift in np.linspace(-0.02, 0.02, 9)]
    assert max(whisker) > 120  # a thin line between two pixels is half as bright
    axis = card.axes["x"]
    assert axis.tickStrings([0.0, 2.0], 1, 1) == ["one", "three"]
    assert axis.tickValues(-0.5, 2.5, 300) == [(1.0, [0.0, 1.0, 2.0])]
    assert len(axis.tickValues(-0.5, 2.5, 30)[0][1]) < 3
    assert axis.major() == []
    assert left.bounds(1) == pytest.approx((0.0, 0.9))
    card.set_categories([])
    assert axis.tickStrings([0.0, 2.0], 1, 1) == ["0", "2"]


def test_lying_bars_begin_on_top_and_their_names_have_room(card):
    bars = card.add(Bars(RED, fill=1.0, horizontal=True))
    names = ["first of all", "second", "a name that is far too long to be written beside a bar"]
    bars.setData([0.9, 0.6, 0.3], names)
    card.set_categories(names, "y")
    image = render_widget(card, None, 1)
    assert at_pixels(card, 0, 0).y() < at_pixels(card, 0, 2).y()
    assert at(card, image, 0.7, 0.0) == QColor(RED)
    assert not near(at(card, image, 0.7, 1.0), QColor(RED), 200)
    axis = card.axes["y"]
    texts = axis.tickStrings([0.0, 1.0, 2.0], 1, 1)
    assert texts[0] == "first of all"
    assert texts[2].endswith("…")
    assert axis.textWidth > 60


def test_bars_can_be_stacked(card):
    low, high = card.add(Bars(RED, fill=1.0)), card.add(Bars(GREEN, fill=1.0))
    low.setData([0.4])
    high.setData([0.8], base=[0.4])
    card.set_range(x=(-0.5, 0.5))
    image = render_widget(card, None, 1)
    assert at(card, image, 0, 0.2) == QColor(RED)
    assert at(card, image, 0, 0.6) == QColor(GREEN)
    with pytest.raises(ValueError, match="bar 2 of 2"):
        Bars(offset=2, of=2)


def test_names_break_at_the_space_nearest_to_the_middle():
    assert halves("underdamped Langevin") == ["underdamped", "Langevin"]
    assert halves("a long row of words") == ["a long row", "of words"]
    assert halves("朗之万") == ["朗之万"]


# Ellipses and level lines


def test_ellipses_have_the_extent_of_their_deviations(card):
    ellipses = card.add(Ellipses(RED))
    covariance = np.array([[0.04, 0.015], [0.015, 0.01]])
    ellipses.setData([[0.5, 0.5]], covariance, deviations=(1, 2))
    assert ellipses.bounds(0) == pytest.approx((0.1, 0.9), abs=1e-3)
    assert ellipses.bounds(1) == pytest.approx((0.3, 0.7), abs=1e-3)
    root = roots(covariance[None])[0]
    assert root @ root == pytest.approx(covariance)
    inverse = np.linalg.inv(covariance)
    ring = ellipses.outlines[0, 1] - 0.5
    assert np.einsum("in,ij,jn->n", ring, inverse, ring) == pytest.approx(4.0)
    x, y = ellipses.outlines[0, 0, :, 10]
    image = render_widget(card, None, 2)
    assert near(at(card, image, x, y), QColor(RED), 200)


def test_ellipses_know_what_is_under_the_mouse():
    ellipses = Ellipses()
    assert ellipses.hit(0, 0) is None
    ellipses.setData([[0, 0], [np.nan, 0], [3, 0]], np.array([np.eye(2), np.eye(2), 4 * np.eye(2)]))
    assert ellipses.hit(0.2, 0.1) == 0
    assert ellipses.hit(1.2, 0.0) == 2  # 1.2 deviations from the first, 0.9 from the last
    assert ellipses.hit(9, 9) is None
    with pytest.raises(ValueError, match="2 means"):
        ellipses.setData([[0, 0], [1, 1]], np.ones((3, 2, 2)))


def test_level_lines_of_a_bowl_are_circles():
    x = np.linspace(-1, 1, 81)
    values = x[:, None] ** 2 + x[None, :] ** 2
    ((circle,), nothing) = level_lines(values, (-1, -1, 2, 2), [0.25, -1.0], nodes=True)
    assert np.hypot(*circle.T) == pytest.approx(0.5, abs=1e-3)
    assert circle[0] == pytest.approx(circle[-1])
    assert nothing == []
    ((flat,),) = level_lines(np.array([[0.0, 1.0], [0.0, 1.0]]), (0, 0, 4, 2), [0.5])
    assert flat[:, 0] == pytest.approx(2.0)  # values lie in the middles of their cells


def test_contours_are_drawn_in_place_and_kept_until_something_changes(card):
    contours = card.add(Contours(RED, levels=[0.5], alpha=1.0, width=3))
    ramp = np.tile(np.linspace(0, 1, 50), (50, 1))
    contours.setData(ramp, (0, 0, 1, 1), nodes=True)
    for ratio in (1, 2):
        image = render_widget(card, None, ratio)
        assert near(at(card, image, 0.5, 0.3), QColor(RED))
        assert not near(at(card, image, 0.45, 0.3), QColor(RED), 200)
    lines, picture = contours.lines, contours._picture
    contours.setData(ramp, (0, 0, 1, 1), nodes=True)
    render_widget(card, None, 2)
    assert contours.lines is lines
    assert contours._picture[1] is picture[1]
    contours.setData(ramp.copy(), (0, 0, 1, 1), nodes=True)
    assert contours.lines is not lines
    contours.setData(ramp, (0, 0, 1, 1), levels=3)
    assert contours.levels == pytest.approx([0.25, 0.5, 0.75])
    assert contours.bounds(0) == (0, 1)


def test_translucent_contours_have_no_beads(card):
    card.set_axes_visible(x=False, y=False, grid=False)
    contours = card.add(Contours(RED, levels=[0.5], alpha=0.5, width=4))
    contours.setData(np.tile(np.linspace(0, 1, 80)[:, None], (1, 80)), (0, 0, 1, 1), nodes=True)
    image = render_widget(card, None, 1)
    row = at_pixels(card, 0.5, 0.5).y()
    shades = {image.pixelColor(x, row).name() for x in range(at_pixels(card, 0.1, 0).x(), at_pixels(card, 0.9, 0).x())}
    assert len(shades) == 1


def test_contours_of_odd_grids(card):
    contours = card.add(Contours("theory", levels=4, dash="dash", alpha=(0.2, 1.0)))
    for grid in (None, np.zeros((0, 0)), np.zeros((1, 5)), np.full((5, 5), 2.0), np.full((5, 5), np.nan)):
        contours.setData(grid)
        card.grab()
    holes = np.add.outer(np.arange(9.0), np.arange(9.0))
    holes[3, 3], holes[5, 5] = np.nan, np.inf
    contours.setData(holes)
    assert len(contours.levels) == 4
    card.grab()


def test_strokes_are_cut_into_pieces_that_cover_them():
    cut = pieces(np.array([[0.0, 0.0, 30.0, 40.0], [1.0, 1.0, 2.0, 1.0]]), 12.0, 0.5)
    assert len(cut) == 6
    assert cut[0, :2].tolist() == [0, 0]
    assert cut[4, 2:] == pytest.approx([30, 40])
    assert np.hypot(*(cut[:5, 2:] - cut[:5, :2]).T).max() <= 11.0 + 1e-9
    assert cut[5].tolist() == [1, 1, 2, 1]
    line = dashes(np.array([[0.0, 0.0, 100.0, 0.0]]), 6.0, 4.0)
    assert (line[:, 2] - line[:, 0]).sum() == pytest.approx(60, abs=3)
    assert polyline(np.array([[0.0, 0.0], [1.0, 0.0]]), 0.25).tolist() == [[-0.25, 0, 1.25, 0]]
