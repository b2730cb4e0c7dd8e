"""The event loop goes on while the engine works as hard as it can.

Times on a shared machine lie: this fails only where something is wrong by a large factor. The numbers to look at come from
``python main.py bench app``.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication

from engine.api import ExperimentState, Session
from gui.app import open_window
from gui.core.lab.open_experiment import OpenExperiment
from gui.core.look.theme import theming
from gui.main_window import MainWindow

NAME = "angles.distribution"
BUSY = {"dimension": 1000, "pairs": 100_000_000, "method": "vectors"}


@pytest.fixture
def window(qapp: QApplication, qtbot: Any) -> Iterator[MainWindow]:
    """A window whose engine is at full load."""
    theming.apply(qapp)
    session = Session(current=NAME, experiments={NAME: ExperimentState(parameters=BUSY)}, language="en")
    made = open_window(session, device="cpu")
    made.resize(1280, 800)
    made.show()
    qtbot.waitUntil(lambda: made.view is not None and made.view.session.runner.steps_done > 10, timeout=20_000)
    qtbot.wait(1000)  # formulas and first paintings belong to the start
    yield made
    made.close()
    made.preloader.join()
    made.deleteLater()


@pytest.fixture
def session(window: MainWindow) -> OpenExperiment:
    """Its experiment."""
    assert window.view is not None
    return window.view.session


def test_the_event_loop_keeps_its_beat_at_full_load(session: OpenExperiment, qtbot: Any) -> None:
    beats: list[float] = []
    timer = QTimer(interval=16, timerType=Qt.TimerType.PreciseTimer)
    timer.timeout.connect(lambda: beats.append(time.perf_counter()))
    steps = session.runner.steps_done
    timer.start()
    qtbot.wait(2500)
    timer.stop()
    gaps = np.diff(beats)
    assert session.runner.steps_done > steps + 10, "the engine was at work"
    assert np.percentile(gaps, 99) < 0.1
    assert len(beats) > 2.5 / 0.016 / 3


def test_a_tweak_is_a_picture_at_full_load(session: OpenExperiment, qtbot: Any) -> None:
    waits = []
    for dimension in (900, 950, 1000, 1050, 1100):
        began = time.perf_counter()
        session.edit(dimension=dimension)
        qtbot.waitUntil(lambda wanted=dimension: session.frame.parameters.dimension == wanted, timeout=5000)
        waits.append(time.perf_counter() - began)
        qtbot.wait(40)
    assert np.median(waits) < 0.5


def test_changing_a_live_value_while_it_runs_does_not_wait_for_the_engine(session: OpenExperiment) -> None:
    began = time.perf_counter()
    for bins in range(20, 220):
        session.edit(bins=bins)
    assert (time.perf_counter() - began) / 200 < 0.01
