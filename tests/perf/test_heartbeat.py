"""The event loop goes on while the engine works as hard as it can; how fast is measured by ``python main.py bench app``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

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
    yield made
    made.close()
    made.preloader.join()
    made.deleteLater()


@pytest.fixture
def session(window: MainWindow) -> OpenExperiment:
    """Its experiment."""
    assert window.view is not None
    return window.view.session


def test_the_event_loop_goes_on_at_full_load(session: OpenExperiment, qtbot: Any) -> None:
    beats: list[int] = []
    timer = QTimer(interval=16, timerType=Qt.TimerType.PreciseTimer)
    timer.timeout.connect(lambda: beats.append(session.runner.steps_done))
    timer.start()
    qtbot.waitUntil(lambda: len(beats) > 20 and beats[-1] > beats[0] + 10)
    timer.stop()


def test_a_tweak_is_a_picture_at_full_load(session: OpenExperiment, qtbot: Any) -> None:
    for dimension in (900, 950, 1000, 1050, 1100):
        session.edit(dimension=dimension)
        qtbot.waitUntil(lambda wanted=dimension: session.frame.parameters.dimension == wanted)


def test_live_values_changed_while_it_runs_start_no_run_and_the_last_is_shown(session: OpenExperiment, qtbot: Any) -> None:
    jobs = session.runner.jobs_started
    for bins in range(20, 220):
        session.edit(bins=bins)
    qtbot.waitUntil(lambda: len(session.frame.picture.density) == 219)
    assert session.runner.jobs_started == jobs
