"""An experiment that was left gives back what its run held, and comes back to its step."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest

from engine.core.drive import Run
from gui.core.lab import open_experiment
from gui.main_window import MainWindow
from tests.gui.conftest import NAME

OTHER = "angles.capacity"


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[weakref.ref[Run]]:
    """All runs that are ever made, held weakly; an unseen experiment rests almost at once."""
    found: list[weakref.ref[Run]] = []
    make = Run.__init__

    def remembered(run: Run, *arguments: Any, **named: Any) -> None:
        found.append(weakref.ref(run))
        make(run, *arguments, **named)

    monkeypatch.setattr(Run, "__init__", remembered)
    monkeypatch.setattr(open_experiment, "REST_AFTER", 50)
    return found


def leave(window: MainWindow, qtbot: Any) -> Any:
    """Pause the experiment on the screen after some steps, and show another one."""
    session = window.views[NAME].session
    qtbot.waitUntil(lambda: session.frame is not None and session.frame.step >= 3, timeout=20_000)
    session.set_playing(False)
    qtbot.waitUntil(lambda: session.runner.mailbox.empty)
    window.open_experiment(OTHER)
    return session


def test_a_left_run_is_released_and_comes_back_to_its_step(runs: list[weakref.ref[Run]], open_theoria: Any, qtbot: Any) -> None:
    window = open_theoria(dimension=20, pairs=50_000_000, method="vectors")
    session = leave(window, qtbot)
    step = session.state().step
    mine = runs[0]
    qtbot.waitUntil(lambda: mine() is None or gc.collect() < 0, timeout=20_000)
    assert len(session.history) == 0
    assert session.state().step == step  # as a session file keeps it
    window.open_experiment(NAME)
    qtbot.waitUntil(lambda: session.frame.step == step and session._newest_step() == step, timeout=60_000)
    assert not session.playing


def test_a_run_that_has_ended_keeps_its_picture_and_is_computed_again_only_when_asked(
    runs: list[weakref.ref[Run]], open_theoria: Any, qtbot: Any
) -> None:
    window = open_theoria(wait="finished")
    session = window.views[NAME].session
    window.open_experiment(OTHER)
    qtbot.waitUntil(lambda: len(session.history) == 0 and runs[0]() is None, timeout=20_000)
    jobs = session.runner.jobs_started
    window.open_experiment(NAME)
    qtbot.wait(50)
    assert session.runner.jobs_started == jobs
    assert session.finished
    session.edit(bins=31)  # live: there is no run that could take it over
    qtbot.waitUntil(lambda: len(session.frame.picture.density) == 31, timeout=20_000)


def test_an_experiment_that_is_seen_again_soon_keeps_its_run(open_theoria: Any, qtbot: Any) -> None:
    window = open_theoria(dimension=20, pairs=50_000_000, method="vectors")
    session = leave(window, qtbot)
    jobs, generation = session.runner.jobs_started, session.runner.generation
    window.open_experiment(NAME)
    assert (session.runner.jobs_started, session.runner.generation) == (jobs, generation)
