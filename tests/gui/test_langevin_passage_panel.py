"""The panel of passage draws what its frames say."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import panel_frames
import pytest
from panel_frames import draw_all

from engine.api import Frame
from gui.core.i18n import translator
from gui.core.lab.panel import Panel, load_panel
from gui.panels.langevin.passage import BAR

NAME = "langevin.passage"
frame_of = partial(panel_frames.frame_of, NAME)


@pytest.fixture
def shown(qapp, qtbot):
    language = translator.language

    def make(frame: Frame) -> Panel:
        panel = load_panel(NAME)(NAME)
        qtbot.addWidget(panel)
        panel.resize(900, 640)
        panel.show_frame(frame, frame.parameters)
        draw_all(panel)
        return panel

    yield make
    translator.set_language(language)


def test_swarm_lies_on_the_energy_and_is_parted_by_crossing(shown) -> None:
    frame = frame_of(limit=280, barrier=1.0, particles=2000, step_size=0.02)
    panel = shown(frame)
    picture = frame.picture
    assert len(panel.waiting.x) + len(panel.arrived.x) == len(picture.tracer_places)
    assert len(panel.arrived.x) == picture.tracer_crossed.sum() > 0
    for item in (panel.waiting, panel.arrived):
        assert np.all(item.y >= (item.x**2 - 1) ** 2 - 1e-5)
    assert panel.halves[1].x[1] == pytest.approx(1 - BAR + 2 * BAR * frame.measures["right_share"])
    assert panel.exact_halves[0].x[0] == pytest.approx(-1 - BAR + 2 * BAR * (1 - frame.measures["exact_right_share"]))


def test_histogram_and_marks(shown) -> None:
    frame = frame_of(limit=280, barrier=1.0, particles=2000, step_size=0.02)
    panel = shown(frame)
    assert panel.bars.area() <= frame.measures["crossed_fraction"] + 1e-12
    assert panel.exact.value == frame.measures["exact_passage_time"]
    assert panel.kramers.value == frame.measures["kramers_time"]
    assert panel.measured.value == frame.measures["mean_passage_time"]
    assert panel.now.interval[0] == pytest.approx(frame.measures["time"])
    assert not panel.times.axes["x"].logMode
    frame = frame_of(barrier=1.0, particles=2000, step_size=0.02, time_axis="log")
    panel.show_frame(frame, frame.parameters)
    draw_all(panel)
    assert panel.times.axes["x"].logMode
    assert math.isnan(panel.now.interval[0])  # all have crossed


def test_before_anybody_has_crossed_nothing_is_measured(shown) -> None:
    frame = frame_of(limit=0)
    panel = shown(frame)
    assert math.isnan(frame.measures["mean_passage_time"])
    assert not panel.measured.isVisibleTo(panel.times.plot)
    assert len(panel.here.x) == len(panel.buffer.x) == 0
    assert np.all(np.isfinite(panel.waiting.y))


def test_dots_of_earlier_barriers_stay_and_follow_the_step_size(shown) -> None:
    panel = shown(frame_of(barrier=0.5, particles=300, step_size=0.05))
    for barrier, step in ((1.0, 0.05), (1.5, 0.02)):
        frame = frame_of(barrier=barrier, particles=300, step_size=step)
        panel.show_frame(frame, frame.parameters)
    draw_all(panel)
    assert panel.before.x.tolist() == [0.5, 1.0]
    assert panel.here.x.tolist() == [1.5]
    assert panel.before.y[0] == pytest.approx(panel.seen[0.5, 1.0] / 0.02)
    frame = frame_of(barrier=0.5, particles=300, step_size=0.05, temperature=2.0)
    panel.show_frame(frame, frame.parameters)
    draw_all(panel)
    assert len(panel.before.x) == 0  # another temperature has its own curve


def test_shares_and_buffer(shown) -> None:
    frame = frame_of(barrier=1.0, particles=2000, step_size=0.02, budget=40, restart=0.1)
    panel = shown(frame)
    assert panel.buffer.x.tolist() == [400.0]
    assert panel.buffer.y[0] == frame.measures["buffer_fraction"]
    assert panel.buffer_law.y[0] == frame.measures["exact_buffer_fraction"]
    assert panel.share_life.interval == (200.0, 500.0)
    assert panel.counted.y[-1] == pytest.approx(frame.measures["crossed_fraction"])
    assert panel.life_band.interval == (200.0, 500.0)
