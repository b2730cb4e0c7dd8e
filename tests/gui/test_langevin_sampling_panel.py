"""The panel of the swarm draws what its frames say, and its gestures ask for what they mean."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from engine.api import Frame, preset_parameters, run_with
from gui.core.i18n import translator
from gui.core.lab.panel import Panel, load_panel

NAME = "langevin.sampling"


@pytest.fixture
def shown(qapp, qtbot):
    language = translator.language

    def make(preset: str | None = None, limit: int = 6, **values: object) -> tuple[Panel, Frame]:
        parameters = preset_parameters(NAME, preset).changed(**{"particles": 300, **values})
        frame = run_with(NAME, parameters, device="cpu", limit=limit).frame
        assert frame is not None
        panel = load_panel(NAME)(NAME)
        qtbot.addWidget(panel)
        panel.resize(1100, 720)
        panel.show()
        panel.show_frame(frame, parameters)
        qtbot.waitUntil(lambda: not panel._waiting)
        return panel, frame

    yield make
    translator.set_language(language)


def test_points_lie_on_the_level_lines_of_their_energy(shown) -> None:
    panel, frame = shown()
    assert np.allclose(panel.first.dots.x, frame.picture.points[0])
    assert len(panel.first.lines.lines) == 8
    assert np.array_equal(panel.target.image.image, frame.picture.landscape.image)
    assert not panel.other.isVisible()
    assert panel.bias.isVisible()
    assert not panel.ladder.isVisible()


def test_many_particles_are_an_image_in_the_colours_of_the_target(shown) -> None:
    panel, frame = shown(particles=12_000)
    assert panel.first.image.image.shape == frame.picture.density.shape == (64, 64)
    assert panel.first.image.high == panel.target.image.high
    assert len(panel.first.dots.x) == 0


def test_samplers_that_differ_stand_side_by_side(shown) -> None:
    panel, frame = shown("metropolis", particles=500)
    assert panel.other.isVisible()
    assert np.allclose(panel.other.dots.x, frame.picture.second_points[0])
    assert "MALA" in panel.other.title_label.whole
    assert panel.way.second.label
    assert len(panel.across.other.density) == len(frame.picture.second_marginal_x)


def test_another_step_leaves_ghost_trails(shown) -> None:
    panel, frame = shown("ghost", particles=40)
    assert not panel.other.isVisible()
    assert np.allclose(panel.first.ghosts.x, frame.picture.second_points[0])
    assert panel.first.ghost_paths.x.shape[0] == 12
    assert panel.first.ghost_paths.label


def test_proposals_are_arrows_accepted_or_not(shown) -> None:
    panel, frame = shown("arrows", limit=10, particles=10)
    assert len(panel.first.taken.x) + len(panel.first.refused.x) == frame.picture.proposals.shape[1]
    assert panel.first.taken.label
    panel.show_frame(frame, frame.parameters.changed(proposals=False))
    assert len(panel.first.taken.x) == 0
    assert panel.first.taken.label is None


def test_replicas_have_a_ladder(shown) -> None:
    panel, frame = shown("tempering", particles=100)
    assert panel.ladder.isVisible()
    assert not panel.bias.isVisible()
    assert len(panel.other.replicas.x) == 5
    assert panel.ladder.axes["y"].categories[0] == "T = 1"
    assert len(panel.ladder.walkers[0].x) == len(frame.picture.walkers)


def test_the_bias_curve_ends_at_the_limit(shown) -> None:
    panel, frame = shown("bias", limit=60, particles=2000)
    assert panel.bias.law.isVisible()
    assert panel.bias.limit.value == 4.0
    assert panel.bias.here.x[0] == 3.0
    assert panel.bias.here.y[0] == pytest.approx(min(frame.measures["var_x"], 0.97 * 3.5))
    assert panel.bias.law.y[-1] > 10


def test_the_distance_can_be_drawn_against_its_cost(shown) -> None:
    panel, frame = shown("funnel", limit=4, second="none", sampler="hmc", leapfrog_steps=5)
    steps = panel.way.first.x.copy()
    for clock, expected in (("gradients", 5 * steps), ("seconds", frame.picture.way_seconds)):
        panel._rest.stop()
        panel.show_frame(frame, frame.parameters.changed(clock=clock))
        while panel._waiting:
            panel._draw_waiting()
        assert np.allclose(panel.way.first.x, expected)


def test_the_landscape_can_be_shaded_or_left_out(shown) -> None:
    panel, frame = shown()
    panel.show_frame(frame, frame.parameters.changed(background="shaded"))
    assert panel.first.shade.isVisible()
    assert not panel.first.lines.lines
    panel.show_frame(frame, frame.parameters.changed(background="none"))
    assert not panel.first.shade.isVisible()


def test_without_temperature_there_is_a_sentence(shown) -> None:
    panel, _ = shown(temperature=0.0)
    assert panel.target.words.text
    assert not panel.way.floor.isVisible()


def test_the_switch_asks_for_metropolis(shown, qtbot) -> None:
    panel, frame = shown()
    assert panel.metropolis.isChecked()
    with qtbot.waitSignal(panel.tweak_requested) as asked:
        panel.metropolis.click()
    assert asked.args == [{"sampler": "ula"}]
    panel.show_frame(frame, frame.parameters.changed(sampler="underdamped"))
    assert not panel.metropolis.isChecked()


def at(panel: Panel, x: float, y: float) -> QPoint:
    """Where a place of the plane lies in the first picture."""
    box = panel.first.plot.getViewBox()
    from PySide6.QtCore import QPointF

    return panel.first.view.mapFromScene(box.mapViewToScene(QPointF(x, y)))


def test_a_click_with_ctrl_drops_the_swarm(shown, qtbot) -> None:
    panel, _ = shown()
    viewport = panel.first.view.viewport()
    with qtbot.waitSignal(panel.tweak_requested) as asked:
        QTest.mouseClick(viewport, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier, at(panel, 1.0, -0.5))
    assert asked.args[0]["start"] == "point"
    assert (asked.args[0]["start_x"], asked.args[0]["start_y"]) == pytest.approx((1.0, -0.5), abs=0.05)


def test_the_brush_digs_pits_and_raises_hills(shown, qtbot) -> None:
    panel, frame = shown("paint", particles=200)
    assert panel.digger.brush.enabled
    asked: list[dict] = []
    panel.tweak_requested.connect(asked.append)
    viewport = panel.first.view.viewport()
    before = len(frame.parameters.painted)
    for button, sign in ((Qt.MouseButton.LeftButton, -1), (Qt.MouseButton.RightButton, 1)):
        QTest.mousePress(viewport, button, Qt.KeyboardModifier.NoModifier, at(panel, 0.5, 0.5))
        QTest.mouseMove(viewport, at(panel, 1.5, 0.5))
        qtbot.wait(150)
        QTest.mouseRelease(viewport, button, Qt.KeyboardModifier.NoModifier, at(panel, 1.5, 0.5))
        rows = asked[-1]["painted"]
        assert len(rows) > before
        assert np.sign(rows[-1][2]) == sign
        frame.parameters.changed(painted=rows)
    count = len(asked)
    qtbot.wait(150)
    assert len(asked) == count
    with qtbot.waitSignal(panel.tweak_requested) as cleared:
        panel.clear.click()
    assert cleared.args == [{"painted": []}]


def test_the_brush_is_put_away_for_other_energies(shown) -> None:
    panel, _ = shown()
    assert not panel.digger.brush.enabled
    assert not panel.clear.isVisible()
