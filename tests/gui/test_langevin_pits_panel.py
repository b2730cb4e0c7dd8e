"""The panel of pits draws what its frames say."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent

from engine.api import Frame, preset_parameters, run_with
from gui.core.i18n import translator
from gui.core.lab.panel import Panel, load_panel
from gui.panels.langevin.pits.cards import REACH, directions_of, level_spacing, near_the_circle

NAME = "langevin.pits"


def frame_of(limit: int, preset: str | None = None, **values: object) -> Frame:
    parameters = preset_parameters(NAME, preset).changed(**values)
    frame = run_with(NAME, parameters, device="cpu", limit=limit).frame
    assert frame is not None
    return frame


@pytest.fixture(scope="module")
def rolling() -> Frame:
    return frame_of(70, momentum=0.9, points=120)


@pytest.fixture
def shown(qapp, qtbot):
    language = translator.language

    def make(frame: Frame) -> Panel:
        panel = load_panel(NAME)(NAME)
        qtbot.addWidget(panel)
        panel.resize(1000, 700)
        panel.show_frame(frame, frame.parameters)
        finish(panel)
        return panel

    yield make
    translator.set_language(language)


def finish(panel: Panel) -> None:
    while panel._waiting:
        panel._draw_waiting()


def test_balls_lie_on_the_ground_or_above(shown, rolling) -> None:
    panel, picture = shown(rolling), rolling.picture
    side = panel.side
    assert len(side.balls.x) + len(side.far.x) == picture.points.shape[1]
    ground = np.interp(side.balls.x, picture.directions, picture.ground)
    reach = float(np.ptp(picture.ground))
    assert np.all(side.balls.y >= ground - 0.05 * reach)
    assert side.limits[0] < picture.ground.min()
    assert side.ground.y.tolist() == picture.ground.astype(float).tolist()
    for layer in side.earth:
        assert np.all(layer.high <= picture.ground + 1e-6)
        assert np.all(layer.low <= layer.high)


def test_from_above(shown, rolling) -> None:
    panel, picture = shown(rolling), rolling.picture
    above = panel.above
    assert np.allclose(np.column_stack([above.balls.x, above.balls.y]), picture.points.T)
    assert len(above.data.x) == picture.data.shape[1]
    assert above.paths.x.shape == picture.trails.shape[1:]
    assert len(above.lines.levels) > 3
    assert sum(label.isVisibleTo(above.plot) for label in above.names) == 8
    assert f"{rolling.measures['caught']:.0%}" in above.caption_label.whole


def test_lower_row(shown, rolling) -> None:
    panel, picture = shown(rolling), rolling.picture
    assert panel.shares.heights.tolist() == pytest.approx(picture.shares.tolist())
    assert panel.fair.value == pytest.approx(1 / 8)
    assert panel.of_points.y[-1] == pytest.approx(picture.curve_points[-1])
    assert len(panel.of_data.x) == 20
    known = np.isfinite(picture.stiffness).sum()
    assert len(panel.momentum.pits.x) == known > 0
    assert set(panel.momentum.pits.y) == {0.9}
    assert panel.momentum.steepest.x[0] == pytest.approx(np.nanmax(picture.stiffness))
    at = panel.momentum.critical
    assert at.y == pytest.approx((1 - np.sqrt(at.x)) ** 2)
    assert panel.momentum.limit.x == pytest.approx(2 * (1 + panel.momentum.limit.y))


def test_while_points_wait_it_is_said(shown) -> None:
    panel = shown(frame_of(20))
    assert "30" in panel.side.words.text
    assert "discriminator" in panel.above.caption_label.whole
    assert len(panel.of_points.x) == 0
    frame = frame_of(52)
    panel.show_frame(frame, frame.parameters)
    assert panel.side.words.text == ""


def test_dashed_lines_are_those_of_the_loss(shown) -> None:
    for loss, deep, high in (("hinge", True, True), ("margin", False, True), ("linear", False, False)):
        panel = shown(frame_of(30, loss=loss))
        low, top = panel.side.limits
        assert panel.side.deep.isVisibleTo(panel.side.plot) == (deep and low < -1)
        assert panel.side.high.isVisibleTo(panel.side.plot) == (high and top > 1)


def click(panel: Panel, x: float, y: float, kind: QEvent.Type = QEvent.Type.MouseButtonPress) -> None:
    """Press and release the left button at a place of the landscape."""
    view = panel.above.view
    scene = panel.above.plot.getViewBox().mapViewToScene(QPointF(x, y))
    at = view.viewportTransform().map(scene)
    none = Qt.KeyboardModifier.NoModifier
    left, up = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
    tool = panel.above.dropper
    tool.pressed(QMouseEvent(kind, at, view.mapToGlobal(at), left, left, none))
    tool.released(QMouseEvent(QEvent.Type.MouseButtonRelease, at, view.mapToGlobal(at), left, up, none))


def test_a_click_drops_all_points_there(shown, rolling, qtbot) -> None:
    panel = shown(rolling)
    panel.show()
    asked: list[dict[str, float]] = []
    panel.tweak_requested.connect(asked.append)
    for _ in range(2):
        click(panel, -1.0, 0.5)
        panel.above.dropper._turn.timeout.emit()
        panel.above.dropper._turn.stop()
    assert asked[0] == {"start_x": pytest.approx(-1.0, abs=0.05), "start_y": pytest.approx(0.5, abs=0.05)}
    assert asked[1] != asked[0]  # or nothing would happen
    changed = rolling.parameters.changed(**asked[1])
    assert abs(changed.start_x) < REACH
    click(panel, 1.0, 1.0)
    click(panel, 1.0, 1.0, QEvent.Type.MouseButtonDblClick)
    assert not panel.above.dropper._turn.isActive()  # a double click shows the card alone
    assert len(asked) == 2


def test_helpers() -> None:
    assert directions_of(np.array([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0]])).tolist() == pytest.approx([90, 180, 315])
    assert near_the_circle(np.array([[2.0, 1.0, 0.0], [0.0, 0.0, 2.3]])).tolist() == [True, False, True]
    assert [level_spacing(span) for span in (1.8, 9.0, 0.5, 90)] == pytest.approx([0.2, 1.0, 0.1, 10.0])
