"""Runs come back to where they stood when a session is opened again, also one that was killed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PySide6.QtCore import QTimer

from engine.api import ExperimentState, Finished, Frame, Message, Session, load, read_session
from engine.core import runner as runner_module
from engine.core.context import Context
from engine.core.drive import Run
from gui.core.lab.open_experiment import OpenExperiment
from gui.core.window import autosave as autosave_module
from gui.main_window import MainWindow

Open = Callable[..., MainWindow]

NAME = "langevin.bias"  # goes on for ever
SLOW = 20_000  # ms a busy machine may take


def opened(open_theoria: Open, path: Path | None = None, **state: Any) -> OpenExperiment:
    """The experiment with this state in a session; the window keeps it in a file, if there is a path."""
    session = Session(language="en", theme="dark", current=NAME, experiments={NAME: ExperimentState(**state)})
    window = open_theoria(session, path)
    assert window.view is not None
    return window.view.session


def numbers(frame: Frame) -> tuple[Any, ...]:
    """All that a frame says, seconds apart."""
    return frame.step, {name: array.tobytes() for name, array in frame.arrays.items()}


def test_a_run_comes_back_to_its_step_bit_for_bit(open_theoria: Open, qtbot: Any) -> None:
    session = opened(open_theoria, playing=False, step=37)
    assert session.state().step == 37, "also before it is there"
    qtbot.waitUntil(lambda: session.frame.step == 37, timeout=SLOW)
    parameters = load(NAME).parameters()
    alone = Run(load(NAME), parameters, Context(torch.device("cpu"), parameters.seed))
    alone.advance(37)
    assert numbers(session.frame) == numbers(alone.observe())
    assert session.state().step == 37
    assert session.notices.notice is None


def test_a_new_run_forgets_the_step_of_the_old_one(open_theoria: Open, qtbot: Any) -> None:
    session = opened(open_theoria, playing=False, step=5)
    qtbot.waitUntil(lambda: session.frame.step == 5, timeout=SLOW)
    session.edit(seed=9)
    assert session.state().step == 0, "before its first frame, too"
    qtbot.waitUntil(lambda: session.frame.parameters.seed == 9, timeout=SLOW)
    assert session.state().step == 0


def test_a_run_that_was_changed_on_its_way_says_so(open_theoria: Open, qtbot: Any) -> None:
    session = opened(open_theoria, playing=False, step=5)
    qtbot.waitUntil(lambda: session.frame.step == 5, timeout=SLOW)
    assert not session.state().tweaked
    session.edit(temperature=0.5)
    assert session.state().tweaked
    again = opened(open_theoria, **session.state().model_dump())
    assert again.notices.notice is not None
    assert "changed on the way" in str(again.notices.notice.message)
    qtbot.waitUntil(lambda: again.frame.step == 5, timeout=SLOW)
    assert not again.state().tweaked, "this one was not"
    session.restart()
    assert not session.state().tweaked


def test_a_run_too_long_to_come_back_says_where_it_goes_on(
    open_theoria: Open, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner_module, "LONGEST_RETURN", 0.2)
    session = opened(open_theoria, playing=False, step=10**12)
    qtbot.waitUntil(lambda: session.notices.notice is not None, timeout=SLOW)
    assert f"{10**12}" in str(session.notices.notice.message)
    assert session.state().step == session.frame.step < 10**12


def test_a_run_that_goes_on_after_the_news_of_its_end_is_not_finished(open_theoria: Open, qtbot: Any) -> None:
    """A live tweak may be on its way to the worker when the news comes that the run has settled."""
    session = opened(open_theoria)
    session.pump.event_arrived.emit(Finished(session.runner.generation, Message("Enough.")))
    assert session.finished
    assert session.transport.finished
    qtbot.waitUntil(lambda: not session.finished, timeout=SLOW)
    assert session.playing
    assert session.transport.playing


def saved(path: Path) -> ExperimentState:
    """What the file holds."""
    return read_session(path).experiments[NAME] if path.exists() else ExperimentState()


def test_the_position_is_saved_while_a_run_goes_on(
    open_theoria: Open, qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(autosave_module, "MOVING", 50)
    path = tmp_path / "session.json"
    opened(open_theoria, path)
    qtbot.waitUntil(lambda: saved(path).step > 0, timeout=SLOW)
    first = saved(path).step
    qtbot.waitUntil(lambda: saved(path).step > first, timeout=SLOW)


def test_edits_without_a_pause_are_saved_while_they_come(open_theoria: Open, qtbot: Any, tmp_path: Path) -> None:
    """An edit every few milliseconds, as by a dragged slider, puts no saving off."""
    path = tmp_path / "session.json"
    session = opened(open_theoria, path, playing=False)
    seeds = iter(range(1, 10**6))
    hand = QTimer(session, interval=5)
    hand.timeout.connect(lambda: session.edit(seed=next(seeds)))
    hand.start()
    qtbot.waitUntil(lambda: saved(path).parameters["seed"] > 3, timeout=SLOW)
    assert hand.isActive()
