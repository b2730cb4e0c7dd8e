"""Painting and dragging in a plot: what the tools hear, and what they leave to the plot."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication

from gui.core.look.theme import theming
from gui.core.plots import Brush, DragPoints, PlotCard

LEFT, RIGHT, MIDDLE = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton, Qt.MouseButton.MiddleButton
NONE, SHIFT, ALT, CTRL = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.AltModifier,
    Qt.KeyboardModifier.ControlModifier,
)
PRESS, MOVE, RELEASE, DOUBLE = (
    QEvent.Type.MouseButtonPress,
    QEvent.Type.MouseMove,
    QEvent.Type.MouseButtonRelease,
    QEvent.Type.MouseButtonDblClick,
)


@pytest.fixture
def card(qtbot):
    """A shown card of the unit square, 400 x 300."""
    made = PlotCard("Title")
    qtbot.addWidget(made)
    made.resize(400, 300)
    made.set_range(x=(0, 1), y=(0, 1))
    made.show()
    made.grab()
    return made


def place(card: PlotCard, x: float, y: float) -> QPointF:
    return QPointF(card.view.mapFromScene(card.plot.getViewBox().mapViewToScene(QPointF(x, y))))


def send(card: PlotCard, kind: QEvent.Type, x: float, y: float, button=LEFT, modifiers=NONE) -> None:
    at = place(card, x, y)
    held = Qt.MouseButton.NoButton if kind == RELEASE else button
    event = QMouseEvent(
        kind, at, card.view.mapToGlobal(at), button if kind != MOVE else Qt.MouseButton.NoButton, held, modifiers
    )
    QApplication.sendEvent(card.view.viewport(), event)


def wheel(card: PlotCard, x: float, y: float, turn: int, modifiers=NONE) -> None:
    at = place(card, x, y)
    event = QWheelEvent(
        at,
        card.view.mapToGlobal(at),
        QPoint(),
        QPoint(0, turn),
        Qt.MouseButton.NoButton,
        modifiers,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(card.view.viewport(), event)


def key(card: PlotCard, which: Qt.Key) -> bool:
    override = QKeyEvent(QEvent.Type.ShortcutOverride, which, NONE)
    override.ignore()
    QApplication.sendEvent(card.view, override)
    QApplication.sendEvent(card.view, QKeyEvent(QEvent.Type.KeyPress, which, NONE))
    return override.isAccepted()


def heard(tool, *names: str) -> list[tuple]:
    """A growing list of the signals that came."""
    found: list[tuple] = []
    for name in names:
        getattr(tool, name).connect(lambda *values, name=name: found.append((name, *values)))
    return found


@pytest.fixture
def brush(card):
    return Brush(card, 0.1)


STROKES = ("stroke_began", "stroke_moved", "stroke_ended", "clicked")


def test_a_drag_is_a_stroke_in_data_coordinates(card, brush):
    found = heard(brush, *STROKES)
    before = card.plot.getViewBox().viewRange()
    send(card, PRESS, 0.3, 0.4)
    assert brush.painting
    send(card, MOVE, 0.6, 0.7)
    send(card, RELEASE, 0.6, 0.7)
    assert [name for name, *_ in found] == ["stroke_began", "stroke_moved", "stroke_ended"]
    assert found[0][1:3] == pytest.approx((0.3, 0.4), abs=0.01)
    assert found[0][3] == LEFT
    assert found[1][1:] == pytest.approx((0.6, 0.7), abs=0.01)
    assert card.plot.getViewBox().viewRange() == before
    assert not brush.painting


@pytest.mark.parametrize(("button", "modifiers"), [(RIGHT, NONE), (LEFT, SHIFT)])
def test_the_second_tool(card, brush, button, modifiers):
    found = heard(brush, *STROKES)
    send(card, PRESS, 0.5, 0.5, button, modifiers)
    assert found[0][3] == RIGHT
    assert brush.outline.second
    send(card, RELEASE, 0.5, 0.5, button, modifiers)
    assert found[-1][0] == "clicked"
    assert found[-1][3] == RIGHT


def test_a_click_comes_after_its_stroke_and_a_double_click_paints_twice(card, brush, qtbot):
    found = heard(brush, *STROKES)
    with qtbot.assertNotEmitted(card.expand_requested):
        for kind in (PRESS, RELEASE, DOUBLE, RELEASE):
            send(card, kind, 0.5, 0.5)
    assert [name for name, *_ in found] == 2 * ["stroke_began", "stroke_ended", "clicked"]
    brush.enabled = False
    with qtbot.waitSignal(card.expand_requested, timeout=500):
        send(card, DOUBLE, 0.5, 0.5)


@pytest.mark.parametrize(("button", "modifiers"), [(MIDDLE, NONE), (LEFT, ALT)])
def test_moving_the_view_and_zooming_into_a_box_stay(card, brush, button, modifiers):
    found = heard(brush, *STROKES)
    before = card.plot.getViewBox().viewRange()
    send(card, PRESS, 0.3, 0.3, button, modifiers)
    for step in (0.4, 0.5, 0.6, 0.7):
        send(card, MOVE, step, step, button, modifiers)
    send(card, RELEASE, 0.7, 0.7, button, modifiers)
    assert found == []
    assert card.plot.getViewBox().viewRange() != before


def test_a_brush_that_is_put_down_leaves_the_mouse_to_the_plot(card, brush):
    changes = heard(brush, "enabled_changed")
    brush.enabled = False
    brush.enabled = False
    assert changes == [("enabled_changed", False)]
    found = heard(brush, *STROKES)
    before = card.plot.getViewBox().viewRange()
    send(card, PRESS, 0.3, 0.3)
    for step in (0.4, 0.5, 0.6):
        send(card, MOVE, step, step)
    send(card, RELEASE, 0.6, 0.6)
    assert found == []
    assert card.plot.getViewBox().viewRange() != before


def test_the_wheel_with_ctrl_changes_the_radius_within_limits(card, brush):
    found = heard(brush, "radius_changed")
    before = card.plot.getViewBox().viewRange()
    wheel(card, 0.5, 0.5, 120, CTRL)
    assert brush.radius == pytest.approx(0.115)
    assert found == [("radius_changed", brush.radius)]
    for _ in range(50):
        wheel(card, 0.5, 0.5, -120, CTRL)
    assert brush.radius == pytest.approx(0.1 / 8)
    assert card.plot.getViewBox().viewRange() == before
    wheel(card, 0.5, 0.5, 120)
    assert card.plot.getViewBox().viewRange() != before


def test_escape_ends_the_stroke_then_puts_the_brush_down(card, brush):
    found = heard(brush, *STROKES)
    send(card, PRESS, 0.5, 0.5)
    assert key(card, Qt.Key.Key_Escape)
    assert found[-1] == ("stroke_ended",)
    assert brush.enabled
    send(card, RELEASE, 0.5, 0.5)
    assert key(card, Qt.Key.Key_Escape)
    assert not brush.enabled
    assert not key(card, Qt.Key.Key_Escape)


def test_a_lost_release_and_a_switch_end_the_stroke(card, brush):
    found = heard(brush, *STROKES)
    send(card, PRESS, 0.5, 0.5)
    send(card, MOVE, 0.6, 0.6, Qt.MouseButton.NoButton)
    assert found[-1] == ("stroke_ended",)
    send(card, PRESS, 0.5, 0.5)
    brush.enabled = False
    assert found[-1] == ("stroke_ended",)


def test_the_outline_follows_the_mouse_and_is_as_large_as_the_brush(card, brush):
    blank = card.grab().toImage()
    send(card, MOVE, 0.5, 0.5, Qt.MouseButton.NoButton)
    assert brush.outline.place == pytest.approx((0.5, 0.5), abs=0.01)
    image = card.grab().toImage()
    edge = card.view.mapTo(card, place(card, 0.6, 0.5).toPoint())
    changed = [image.pixelColor(edge.x() + d, edge.y()) != blank.pixelColor(edge.x() + d, edge.y()) for d in range(-3, 4)]
    assert any(changed)
    middle = card.view.mapTo(card, place(card, 0.5, 0.52).toPoint())
    assert image.pixelColor(middle) == blank.pixelColor(middle)
    QApplication.sendEvent(card.view.viewport(), QEvent(QEvent.Type.Leave))
    assert brush.outline.place is None
    theming.set("light")
    theming.set("dark")


def test_outside_of_the_axes_nothing_is_painted(card, brush):
    found = heard(brush, *STROKES)
    send(card, PRESS, -0.08, 0.5)
    send(card, RELEASE, -0.08, 0.5)
    assert found == []


def test_logarithmic_axes_give_values(card):
    card.set_log(x=True)
    card.set_range(x=(1, 100), y=(0, 1))
    card.grab()
    brush = Brush(card, 0.2)
    found = heard(brush, "stroke_began")
    send(card, PRESS, 1.0, 0.5)
    assert found[0][1] == pytest.approx(10, rel=0.05)
    send(card, RELEASE, 1.0, 0.5)


# Handles

GRIPS = ("grabbed", "dragged", "dropped", "removed")


@pytest.fixture
def points(card):
    made = DragPoints(card)
    made.setData([0.2, 0.8], [0.5, 0.5])
    card.grab()
    return made


def test_the_nearest_handle_is_dragged(card, points):
    found = heard(points, *GRIPS)
    send(card, PRESS, 0.79, 0.5)
    send(card, MOVE, 0.49, 0.3)
    assert points.handles.x[1] == pytest.approx(0.5, abs=0.01)
    points.setData([0.1, 0.8], [0.1, 0.5])
    assert points.handles.x == pytest.approx([0.1, 0.5], abs=0.01)
    send(card, RELEASE, 0.49, 0.3)
    assert [entry[:2] for entry in found] == [("grabbed", 1), ("dragged", 1), ("dropped", 1)]
    assert found[1][2:] == pytest.approx((0.5, 0.3), abs=0.01)
    points.setData([0.1, 0.8], [0.1, 0.5])
    assert points.handles.x.tolist() == [0.1, 0.8]


def test_away_from_the_handles_the_view_moves(card, points):
    found = heard(points, *GRIPS)
    before = card.plot.getViewBox().viewRange()
    send(card, PRESS, 0.5, 0.5)
    for step in (0.55, 0.6, 0.7):
        send(card, MOVE, step, 0.5)
    send(card, RELEASE, 0.7, 0.5)
    assert found == []
    assert card.plot.getViewBox().viewRange() != before


def test_a_handle_is_removed_by_the_right_button_or_a_key(card, points):
    found = heard(points, *GRIPS)
    send(card, PRESS, 0.2, 0.5, RIGHT)
    send(card, RELEASE, 0.2, 0.5, RIGHT)
    send(card, MOVE, 0.8, 0.5, Qt.MouseButton.NoButton)
    assert points.handles.hot == 1
    assert key(card, Qt.Key.Key_Delete)
    assert found == [("removed", 0), ("removed", 1)]
    send(card, MOVE, 0.5, 0.9, Qt.MouseButton.NoButton)
    assert points.handles.hot is None
    assert not key(card, Qt.Key.Key_Delete)


def test_escape_puts_a_handle_back(card, points):
    found = heard(points, *GRIPS)
    send(card, PRESS, 0.2, 0.5)
    send(card, MOVE, 0.4, 0.9)
    assert key(card, Qt.Key.Key_Escape)
    assert found[-1] == ("dropped", 0)
    assert found[-2] == ("dragged", 0, 0.2, 0.5)
    assert points.handles.x[0] == 0.2
    send(card, RELEASE, 0.4, 0.9)


def test_handles_that_vanish_while_held(card, points):
    found = heard(points, *GRIPS)
    send(card, PRESS, 0.8, 0.5)
    points.setData([], [])
    send(card, MOVE, 0.4, 0.9)
    send(card, RELEASE, 0.4, 0.9)
    assert found == [("grabbed", 1)]
    points.setData([np.nan], [0.5])
    card.grab()
    send(card, PRESS, 0.5, 0.5)
    send(card, RELEASE, 0.5, 0.5)
    with pytest.raises(ValueError, match="1 x values"):
        points.setData([1], [1, 2])


def test_tools_do_not_keep_a_dropped_card_alive(qapp):
    card = PlotCard("short-lived")
    Brush(card)
    tool = DragPoints(card)
    card.grab()
    seen = weakref.ref(card)
    del tool, card
    gc.collect()
    assert seen() is None
    theming.set("light")
    theming.set("dark")
