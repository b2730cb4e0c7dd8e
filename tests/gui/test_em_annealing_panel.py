"""The panel of annealing draws what its frames say, and its line can be dragged."""

from __future__ import annotations

from functools import partial

import numpy as np
import panel_frames
import pytest
from panel_frames import draw_all
from PySide6.QtCore import QPoint, Qt

from engine.api import Frame, preset_parameters
from gui.core.i18n import translator
from gui.core.lab.panel import Panel, load_panel
from gui.panels.em.annealing.colours import centre_colour

NAME = "em.annealing"
frame_of = partial(panel_frames.frame_of, NAME)


@pytest.fixture
def shown(qapp, qtbot):
    language = translator.language

    def make(frame: Frame) -> Panel:
        panel = load_panel(NAME)(NAME)
        qtbot.addWidget(panel)
        panel.resize(1000, 680)
        panel.show_frame(frame, frame.parameters)
        panel.show()
        draw_all(panel)
        return panel

    yield make
    translator.set_language(language)


def test_branches_critical_line_and_small_pictures(shown) -> None:
    frame = frame_of(temperatures=30)
    panel, picture = shown(frame), frame.picture
    assert len(panel.cooling.shown) == len(panel.heating.shown) == picture.up.size
    assert panel.critical.value == frame.measures["critical_inverse_temperature"]
    assert panel.now.value == frame.parameters.inverse_temperature
    assert [marker.isVisible() for marker in panel.splits].count(True) == len(picture.splits) > 0
    assert panel.fork[0].isVisible()
    np.testing.assert_allclose(panel.layers[3].high, 1, atol=1e-9)
    assert np.all(panel.smooth.y <= panel.hard.y + 1e-9)
    assert np.all(panel.smooth.y >= panel.low.y - 1e-9)
    assert panel.limit.value == frame.measures["kmeans_distortion"]
    assert panel.entropy.y[0] == pytest.approx(np.log(4), abs=1e-3)


def test_centres_that_lie_together_share_a_colour(shown) -> None:
    frame = frame_of(temperatures=20, inverse_temperature=0.1, sweep="up")
    panel = shown(frame)
    roles = [layer.role for layer in panel.layers[:4]]
    assert roles == [centre_colour(0), centre_colour(0), centre_colour(2), centre_colour(2)]
    assert set(panel.swarm.groups.tolist()) == {0, 2}


def test_points_of_the_plane_are_drawn_in_the_plane(shown) -> None:
    frame = frame_of("plane", limit=4)
    panel = shown(frame)
    np.testing.assert_allclose(panel.swarm.y, frame.picture.data[:, 1])
    assert not any(layer.isVisible() for layer in panel.layers)
    panel.show_frame(frame_of("uniform", limit=4), preset_parameters(NAME, "uniform"))
    draw_all(panel)
    assert panel.layers[0].isVisible()


def test_an_odd_number_of_centres_has_no_pitchfork(shown) -> None:
    panel = shown(frame_of(components=3, limit=2))
    assert not panel.fork[0].isVisible()
    assert panel.fork[0] not in panel.branches.legend.listed


def test_the_line_can_be_dragged_and_clicked(shown, qtbot) -> None:
    frame = frame_of(limit=2)
    panel = shown(frame)
    qtbot.wait(20)
    asked: list[dict] = []
    panel.tweak_requested.connect(asked.append)
    panel.handle.held = 0
    panel._on_dragged(0, 0.123456, -3.0)
    assert asked == [{"inverse_temperature": 0.1235}]
    assert panel.handle.handles.y[0] > frame.picture.along.max()  # sideways only
    panel.handle.end()
    assert panel.handle.handles.x[0] == frame.parameters.inverse_temperature
    box = panel.branches.plot.getViewBox()
    place = panel.branches.view.mapFromScene(box.mapViewToScene(box.viewRect().center()))
    qtbot.mouseClick(panel.branches.view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(place))
    middle = 10 ** box.viewRect().center().x()
    assert asked[-1]["inverse_temperature"] == pytest.approx(middle, rel=0.05)
