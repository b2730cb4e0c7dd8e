"""The panel of mixtures draws what its frames say; a hand on means, ellipses and points asks for the run that follows."""

from __future__ import annotations

import re
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from conftest import Open
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QWidget

from engine.api import ExperimentState, Frame, Session, load, preset_parameters, run_with
from gui.core.i18n import translator
from gui.core.lab.panel import load_panel
from gui.core.look.theme import theming
from gui.core.plots import PlotCard
from gui.panels.em.mixture.hand import lifted, pulled, reshaped, reweighted, short
from gui.panels.em.mixture.points import LEVELS, SharedPoints, blended, colour_of
from gui.panels.em.mixture.side import climbing, falls, nats_range, predicted
from gui.panels.em.mixture.stage import axis_ends, rug

NAME = "em.mixture"
CJK = re.compile("[\u3400-\u9fff]")
LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
NONE, SHIFT, CTRL = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier,
)
PRESS, MOVE, RELEASE = QEvent.Type.MouseButtonPress, QEvent.Type.MouseMove, QEvent.Type.MouseButtonRelease
SMALL = {"points": 120, "steps": 12}
GROUPS = {"data": "values", "values": ((0.0, 0.0), (0.5, 0.2), (0.2, 0.6), (4.0, 3.0), (4.4, 3.5), (3.6, 3.2)), "components": 2}
APART = {**GROUPS, "start": "manual", "means": ((0.2, 0.2), (4.0, 3.2)), "deviations": ((0.5, 0.5), (0.6, 0.6)), "rate": False}


@pytest.fixture
def shown(qapp: QApplication, qtbot: Any):
    language, theme = translator.language, theming.current.name
    places: list[QWidget] = []

    def make(preset: str | None = None, limit: int | None = 6, **values: Any) -> tuple[Any, Frame]:
        parameters = preset_parameters(NAME, preset).changed(**values)
        frame = run_with(NAME, parameters, device="cpu", limit=limit).frame
        assert frame is not None
        place = QWidget()  # a panel is never a window of its own
        places.append(place)
        qtbot.addWidget(place)
        panel = load_panel(NAME)(NAME, place)
        panel.resize(1000, 720)
        place.resize(1000, 720)
        place.show()
        panel.show_frame(frame, parameters)
        qtbot.waitUntil(lambda: not panel._waiting, timeout=5000)
        panel.grab()
        return panel, frame

    yield make
    translator.set_language(language)
    theming.set(theme)


def visible(panel: Any) -> list[PlotCard]:
    return [card for card in panel.cards if card.isVisible()]


def send(card: PlotCard, kind: QEvent.Type, x: float, y: float, button: Any = LEFT, modifiers: Any = NONE) -> None:
    at = QPointF(card.view.mapFromScene(card.plot.getViewBox().mapViewToScene(QPointF(x, y))))
    held = Qt.MouseButton.NoButton if kind == RELEASE else button
    pressed = button if kind != MOVE else Qt.MouseButton.NoButton
    QApplication.sendEvent(
        card.view.viewport(), QMouseEvent(kind, at, QPointF(card.view.mapToGlobal(at)), pressed, held, modifiers)
    )


def drag(card: PlotCard, start: Any, end: Any, button: Any = LEFT) -> None:
    send(card, PRESS, *start, button)
    send(card, MOVE, *end, button)
    send(card, RELEASE, *end, button)


def asked_of(panel: Any) -> list[dict[str, Any]]:
    asked: list[dict[str, Any]] = []
    panel.tweak_requested.connect(asked.append)
    return asked


# ---- pictures --------------------------------------------------------------------------------------------------------


def test_the_plane_is_drawn_as_it_is(shown: Any) -> None:
    panel, frame = shown(None, limit=5, **SMALL)
    picture = frame.picture
    stage = panel.stage
    assert picture.phase == "e"
    assert "E step 3" in stage.title_label.whole
    np.testing.assert_allclose(stage.points.x, picture.points[:, 0])
    np.testing.assert_allclose(stage.points.shares, picture.responsibilities)
    assert stage.points.pies
    np.testing.assert_allclose(stage.ellipses.means, picture.means)
    np.testing.assert_allclose(stage.centres.handles.x, picture.means[:, 0])
    np.testing.assert_allclose(panel.bound.likelihood.y, picture.log_likelihoods)
    assert panel.bound.falls.x.size == 0
    panel, frame = shown(None, limit=6, **SMALL)
    assert "M step 3" in panel.stage.title_label.whole
    assert panel.stage.on_a_line is False


def test_a_line_has_densities_that_add_up(shown: Any) -> None:
    panel, frame = shown("line", limit=6)
    stage, picture = panel.stage, frame.picture
    assert stage.on_a_line
    shown_parts = [curve.y for curve in stage.outlines if len(curve.y)]
    assert len(shown_parts) == len(picture.weights)
    np.testing.assert_allclose(stage.total.y, np.sum(shown_parts, axis=0))
    assert (stage.points.y < 0).all()
    assert not len(stage.ellipses.means)
    panel.show_frame(shown(None, **SMALL)[1], load(NAME).parameters())
    assert not panel.stage.on_a_line
    assert not len(panel.stage.total.x)
    assert len(panel.stage.ellipses.means)


def test_a_projection_says_what_it_shows(shown: Any) -> None:
    panel, frame = shown("iris", limit=4)
    assert frame.picture.projected == "principal"
    assert "d = 4" in panel.stage.caption_label.whole
    assert not panel.stage.brush.enabled
    assert panel.stage.axes["x"].title.startswith("principal axis 1 (together 9")


def test_cards_come_when_they_are_switched_on(shown: Any) -> None:
    panel, _ = shown(None, limit=1, **SMALL)
    assert visible(panel) == [panel.stage, panel.bound, panel.convergence, panel.weights]
    panel, _ = shown(None, limit=1, compare=True, choose=True, restarts=2, **SMALL)
    assert visible(panel) == [panel.stage, panel.bound, panel.race, panel.choice, panel.restarts, panel.maxima]


# ---- the hand --------------------------------------------------------------------------------------------------------


def test_a_dragged_mean_continues_the_run_from_there(shown: Any) -> None:
    panel, frame = shown(None, limit=2, **APART)
    asked, picture = asked_of(panel), frame.picture
    drag(panel.stage, picture.means[1], (2.0, 2.0))
    last = asked[-1]
    assert last["start"] == "manual"
    assert last["means"][1] == pytest.approx((2.0, 2.0), abs=0.05)
    assert last["means"][0] == pytest.approx(tuple(picture.full_means[0]), rel=1e-5)
    assert last["weights"] == pytest.approx(tuple(picture.weights), rel=1e-5)
    np.testing.assert_allclose(np.array(last["spreads"]).reshape(2, 2, 2), picture.full_covariances, rtol=1e-5, atol=1e-6)
    after = preset_parameters(NAME, None).changed(**{**APART, **last})
    again = run_with(NAME, after, device="cpu", limit=0).frame
    assert again is not None
    np.testing.assert_allclose(again.picture.means[1], last["means"][1], rtol=1e-6)
    np.testing.assert_allclose(again.picture.covariances, picture.covariances, rtol=1e-4, atol=1e-6)


def test_a_dragged_ellipse_turns_and_grows(shown: Any) -> None:
    panel, frame = shown(None, limit=2, **APART)
    asked, picture = asked_of(panel), frame.picture
    end = (panel.stage.corners.handles.x[2], panel.stage.corners.handles.y[2])  # the long axis of the second
    wanted = picture.means[1] + np.array([0.0, 1.2])
    drag(panel.stage, end, wanted)
    covariance = np.array(asked[-1]["spreads"][1]).reshape(2, 2)
    values, vectors = np.linalg.eigh(covariance)
    assert np.sqrt(values[1]) == pytest.approx(1.2, rel=0.05)
    assert abs(vectors[1, 1]) == pytest.approx(1.0, abs=0.02)
    short = np.linalg.eigvalsh(picture.covariances[1])[0]
    assert values[0] == pytest.approx(short, rel=1e-3)


def test_a_click_adds_a_point_and_shift_takes_it_away(shown: Any) -> None:
    panel, frame = shown(None, limit=2, **APART)
    panel.stage.pencil.setChecked(True)
    asked = asked_of(panel)
    send(panel.stage, PRESS, 2.0, 1.5)
    send(panel.stage, RELEASE, 2.0, 1.5)
    assert list(asked[-1]) == ["drawn"]
    assert asked[-1]["drawn"][0] == pytest.approx((2.0, 1.5), abs=0.05)
    panel, frame = shown(None, limit=2, **{**APART, "drawn": ((2.0, 1.5), (1.0, 3.0))})
    assert frame.picture.drawn == 2
    assert frame.picture.count == 8
    panel.stage.pencil.setChecked(True)
    asked = asked_of(panel)
    send(panel.stage, PRESS, 2.0, 1.5, LEFT, SHIFT)
    send(panel.stage, RELEASE, 2.0, 1.5, LEFT, SHIFT)
    assert asked[-1] == {"drawn": ((1.0, 3.0),)}


def test_a_stroke_scatters_points_around_its_way(shown: Any) -> None:
    panel, _ = shown(None, limit=2, **APART)
    panel.stage.pencil.setChecked(True)
    asked, stage = asked_of(panel), panel.stage
    send(stage, PRESS, 1.0, 2.0)
    for x in np.linspace(1.0, 3.0, 30):
        send(stage, MOVE, float(x), 2.0)
    send(stage, RELEASE, 3.0, 2.0)
    points = np.array(asked[-1]["drawn"])
    assert len(points) > 10
    assert np.abs(points[:, 1] - 2.0).max() < 1.1 * stage.brush.radius
    assert points[:, 1].std() > 0


def test_erasing_points_of_the_data_makes_them_drawn_ones(shown: Any) -> None:
    panel, frame = shown(None, limit=2, **APART)
    panel.stage.pencil.setChecked(True)
    asked = asked_of(panel)
    send(panel.stage, PRESS, 0.0, 0.0, RIGHT)
    send(panel.stage, RELEASE, 0.0, 0.0, RIGHT)
    (last,) = asked
    assert last["data"] == "drawn"
    assert len(last["drawn"]) == 5
    assert last["start"] == "manual"
    after = preset_parameters(NAME, None).changed(**{**APART, **last})
    again = run_with(NAME, after, device="cpu", limit=0).frame
    assert again is not None
    assert again.picture.count == 5
    np.testing.assert_allclose(again.picture.means, frame.picture.means, rtol=1e-5)


def test_components_come_and_go_by_hand(shown: Any) -> None:
    panel, frame = shown(None, limit=2, **APART)
    asked = asked_of(panel)
    send(panel.stage, PRESS, 1.0, 3.0, LEFT, CTRL)
    send(panel.stage, RELEASE, 1.0, 3.0, LEFT, CTRL)
    assert asked[-1]["components"] == 3
    assert asked[-1]["means"][2] == pytest.approx((1.0, 3.0), abs=0.05)
    assert sum(asked[-1]["weights"]) == pytest.approx(1.0, rel=1e-5)
    send(panel.stage, PRESS, *frame.picture.means[0], RIGHT)
    send(panel.stage, RELEASE, *frame.picture.means[0], RIGHT)
    assert asked[-1]["components"] == 1
    assert asked[-1]["weights"] == (1.0,)


def test_a_mean_on_a_line_takes_its_weight_along(shown: Any) -> None:
    panel, frame = shown(None, limit=4, data="values", components=2, start="manual", means=((2.0,), (9.0,)), rate=False)
    asked, stage = asked_of(panel), panel.stage
    start = (stage.centres.handles.x[0], stage.centres.handles.y[0])
    drag(stage, start, (start[0] + 1.0, start[1]))
    assert asked[-1]["means"][0][0] == pytest.approx(start[0] + 1.0, abs=0.1)
    assert asked[-1]["weights"] == pytest.approx(tuple(frame.picture.weights), abs=0.02)
    drag(stage, (stage.centres.handles.x[1], stage.centres.handles.y[1]), (9.0, 0.5 * start[1]))
    assert asked[-1]["weights"][1] < 0.35
    shoulder = (stage.corners.handles.x[0], stage.corners.handles.y[0])
    assert np.isnan(stage.corners.handles.x[1])
    drag(stage, shoulder, (frame.picture.means[0, 0] + 2.0, shoulder[1]))
    assert asked[-1]["spreads"][0][0] == pytest.approx(4.0, rel=0.1)


def test_what_would_have_come_stays_dotted(shown: Any) -> None:
    panel, full = shown(None, limit=10, **SMALL)
    early = run_with(NAME, preset_parameters(NAME, None).changed(**SMALL), device="cpu", limit=4).frame
    assert early is not None
    panel.show_frame(early, early.parameters)  # scrubbed back
    drag(panel.stage, early.picture.means[0], early.picture.means[0] + 0.4)
    branch = panel.bound.branch
    np.testing.assert_allclose(branch.y, full.picture.log_likelihoods[4:])
    np.testing.assert_allclose(branch.x, full.picture.curve_at[4:] - 2.0)


def test_the_point_under_the_mouse_shows_its_responsibilities(shown: Any) -> None:
    panel, frame = shown(None, limit=3, **APART)
    send(panel.stage, MOVE, 4.4, 3.5, Qt.MouseButton.NoButton)
    np.testing.assert_allclose(panel.weights.of_point.y, frame.picture.responsibilities[4])
    send(panel.stage, MOVE, 2.0, 0.5, Qt.MouseButton.NoButton)
    assert not panel.weights.of_point.y.size


def test_a_click_adds_points_only_with_the_pencil(shown: Any) -> None:
    """It lies beside the plot until somebody takes it; of points drawn with the mouse it is the first thing one wants."""
    panel, _ = shown(None, limit=2, **APART)
    asked = asked_of(panel)
    send(panel.stage, PRESS, 2.0, 1.5)
    send(panel.stage, RELEASE, 2.0, 1.5)
    assert asked == []
    panel.stage.pencil.setChecked(True)
    send(panel.stage, PRESS, 2.0, 1.5)
    send(panel.stage, RELEASE, 2.0, 1.5)
    assert len(asked) == 1
    panel, _ = shown("paint", limit=2)
    assert panel.stage.brush.enabled


def test_a_flat_curve_has_ticks_one_can_read(shown: Any) -> None:
    panel, frame = shown(None, limit=0, **APART)
    low, high = panel.bound.plot.getViewBox().viewRange()[1]
    assert low < frame.measures["log_likelihood"] < high
    assert high - low > 0.009
    assert nats_range(-3e6, -3e6 + 1e-3)[1] - nats_range(-3e6, -3e6 + 1e-3)[0] > 30


def test_no_rate_where_there_is_no_curve(shown: Any) -> None:
    panel, frame = shown(None, limit=2, **SMALL)
    panel.convergence.show_picture(replace(frame.picture, measured_rate=0.889, errors=np.full(2, np.nan)), panel.text)
    assert panel.convergence.words.text
    assert not panel.convergence.counted.text
    assert not panel.convergence.known.text


def test_hands_keep_the_digits_of_places_far_from_zero() -> None:
    assert short([1.7e9 + 12.345678], 100.0) == (1700000012.34568,)
    assert short([1 / 3]) == (0.3333333,)


def test_in_the_window_a_drag_while_scrubbing_continues_from_there(open_theoria: Open, qtbot: Any) -> None:
    state = ExperimentState(parameters={**SMALL, "data": "blobs"})
    window = open_theoria(Session(language="en", theme="dark", current=NAME, experiments={NAME: state}), wait="finished")
    session = window.view.session
    qtbot.waitUntil(lambda: len(session.history) >= 8, timeout=5000)
    session.scrub(4)
    before = session.frame.picture
    assert before.iteration == 2.0
    target = before.means[0] + 1.0
    drag(session.panel.stage, before.means[0], target)
    assert session.parameters.start == "manual"
    qtbot.waitUntil(lambda: session.frame is not None and session.frame.parameters == session.parameters, timeout=5000)
    after = session.frame.picture
    np.testing.assert_allclose(after.start_means[0], target, atol=0.1)
    np.testing.assert_allclose(after.start_means[1:], before.means[1:], rtol=1e-5)
    assert session.panel.bound.branch.x.size
    session.undo.undo()
    assert session.parameters.start == "random"


# ---- pieces ----------------------------------------------------------------------------------------------------------


def test_colours_are_blended() -> None:
    hues = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    red, blue, both = (colour_of(code) for code in blended(np.array([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]]), hues).tolist())
    assert red.redF() > 1 - 1 / LEVELS
    assert blue.blueF() > 1 - 1 / LEVELS
    assert both.redF() == pytest.approx(0.5, abs=1 / LEVELS)
    assert both.blueF() == pytest.approx(0.5, abs=1 / LEVELS)


def test_many_points_are_dots_and_few_are_pies(qapp: QApplication) -> None:
    points = SharedPoints()
    points.setData(np.zeros(200), np.zeros(200), np.full((200, 2), 0.5), pies=True)
    assert points.pies
    points.setData(np.zeros(201), np.zeros(201), np.full((201, 2), 0.5), pies=True)
    assert not points.pies
    with pytest.raises(ValueError, match="3 x values"):
        points.setData(np.zeros(3), np.zeros(2), np.zeros((3, 2)))


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("kind", ["full", "tied", "diagonal", "spherical"])
def test_a_handle_that_is_not_moved_changes_nothing(kind: str, axis: int) -> None:
    covariance = {"full": [[2.0, 0.6], [0.6, 0.5]], "diagonal": [[0.5, 0.0], [0.0, 2.0]], "spherical": np.eye(2) * 1.7}
    before = np.array(covariance[kind if kind != "tied" else "full"])
    mean = np.array([[1.0, -2.0]])
    end = axis_ends(mean, before[None], kind, False)[0, axis]
    if np.isnan(end).any():
        assert (kind, axis) == ("spherical", 1)
        return
    np.testing.assert_allclose(pulled(before, axis, end - mean[0], kind, False, 1e-6), before, atol=1e-12)


def test_an_ellipse_of_a_projection_is_pulled_in_the_plane_alone() -> None:
    rng = np.random.default_rng(0)
    basis, _ = np.linalg.qr(rng.normal(size=(5, 2)))
    factor = rng.normal(size=(1, 5, 5))
    full = factor @ factor.transpose(0, 2, 1)
    seen = basis.T @ full[0] @ basis
    picture: Any = SimpleNamespace(
        dimension=5, full_covariances=full, covariances=seen[None], basis=basis, origin=np.arange(5.0)
    )
    wanted = np.array([[3.0, -0.4], [-0.4, 0.8]])
    new = reshaped(picture, 0, wanted, every=False)[0]
    np.testing.assert_allclose(basis.T @ new @ basis, wanted, atol=1e-10)
    other = np.linalg.svd(basis.T)[2][2:].T  # what the plane does not show
    np.testing.assert_allclose(other.T @ new @ other, other.T @ full[0] @ other, atol=1e-10)
    place = np.array([[0.3, -1.2]])
    np.testing.assert_allclose((lifted(picture, place) - picture.origin) @ basis, place, atol=1e-12)


def test_weights_keep_their_proportions() -> None:
    np.testing.assert_allclose(reweighted(np.array([0.2, 0.3, 0.5]), 2, 0.1), [0.36, 0.54, 0.1])
    np.testing.assert_allclose(reweighted(np.array([0.0, 0.0, 1.0]), 2, 0.4), [0.3, 0.3, 0.4])
    assert reweighted(np.array([1.0]), 0, 0.3).tolist() == [1.0]


def test_a_fall_is_found_and_rounding_is_not() -> None:
    assert falls(np.array([-5.0, -4.0, -4.0 - 1e-12, -4.5, -3.0])).tolist() == [3]
    assert not len(falls(np.array([-1.0])))
    assert not len(falls(np.array([np.nan, -4.0, -3.0])))


def test_the_curves_are_shown_where_they_climb() -> None:
    at = np.arange(0, 60.5, 0.5)
    values = -1000 - 500 * 0.5 ** np.floor(at)
    first, last = climbing(at, values)
    assert 5 <= last <= 12
    assert first == max(0.0, last - 9)
    late = np.where(at < 40, values, values + 800 * (1 - 0.5 ** np.floor(at - 40)))  # a plateau, then a way up
    assert 40 < climbing(at, late)[1] < 52
    assert climbing(at[:3], values[:3]) == (0.0, 3.0)
    assert climbing(at[:0], values[:0]) == (0.0, 3.0)


def test_the_prediction_goes_through_the_last_error() -> None:
    at = np.arange(6.0)
    x, y = predicted(at, 3.0 * 0.81**at, 0.9)
    np.testing.assert_allclose(y, 3.0 * 0.81**x)
    assert x[-1] == 5.0


def test_few_points_stand_in_a_row() -> None:
    assert np.ptp(rug(6)) == 0
    heights = rug(1000)
    assert heights.max() < 0
    assert np.ptp(heights) > 0.1


@pytest.mark.parametrize(("algorithm", "phrase"), [("hard", "one component each"), ("gradient", "responsibilities")])
def test_the_title_says_what_a_half_step_does(algorithm: str, phrase: str, shown: Any) -> None:
    panel, _ = shown(None, limit=3, algorithm=algorithm, **SMALL)
    assert panel.stage.title_label.whole == f"E step 2: {phrase}"
    translator.set_language("zh")
    assert CJK.search(panel.stage.title_label.whole)
