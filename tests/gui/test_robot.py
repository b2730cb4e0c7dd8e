"""A robot tweaks every experiment at random: no internal error, no claim that a fresh run denies, nothing out of its place."""

from __future__ import annotations

import random
from typing import Any

import pytest
from PySide6.QtWidgets import QWidget

from engine.api import FieldSpec, Frame, entries, run_with
from gui.core.form.scale import scale_of
from gui.main_window import MainWindow
from tests.gui.conftest import settle

EDITS = 12  # of each experiment
SIZES = ((1440, 900), (1024, 768), (1800, 1000), (900, 600))
WINDOW = (
    "next_theme",
    "next_language",
    "zoom_in",
    "zoom_reset",
    "toggle_playing",
    "step",
    "undo",
    "redo",
    "toggle_alone",
    "new_seed",
)
PAUSE = 15  # ms between two edits: some runs start, some are overtaken


def any_value(spec: FieldSpec, dice: random.Random) -> Any:
    """A value at or between the limits of a parameter; None where it has no such."""
    if spec.kind == "choice":
        return dice.choice(spec.choices)
    if spec.kind == "switch":
        return dice.random() < 0.5
    scale = scale_of(spec)
    return None if scale is None else scale.value(dice.choice([0, scale.positions, dice.randint(0, scale.positions)]))


def tweak(window: MainWindow, dice: random.Random) -> None:
    """One thing that a user may do."""
    assert window.view is not None
    session = window.view.session
    kind = dice.random()
    if kind < 0.6:
        field = dice.choice(list(session.form.fields.values()))
        value = any_value(field.spec, dice)
        if value is not None:
            field.set_value(value)
            field.editor.touch_at_once(value)
    elif kind < 0.7 and session.entry.presets:
        session.form.presets.chosen.emit(dict(dice.choice(session.entry.presets).values))
    elif kind < 0.8 and len(session.history):
        session.scrub(dice.randrange(len(session.history)))
    elif kind < 0.85:
        window.resize(*dice.choice(SIZES))
    else:
        getattr(window.commands, dice.choice(WINDOW))()


def out_of_place(window: MainWindow) -> list[str]:
    """Cards and controls that are seen outside of what holds them."""
    assert window.view is not None
    found = []
    parts: list[QWidget] = [*window.view.session.panel.cards, window.view.session.transport, window.header]
    for part in parts:
        holder = part.parentWidget()
        if part.isVisible() and holder is not None and not holder.rect().contains(part.geometry()):
            found.append(f"{type(part).__name__} {part.geometry()} in {holder.rect()}")
    return found


def denied(name: str, frame: Frame) -> list[str]:
    """Claims that a picture refutes although a fresh run of its parameters does not, at the same step."""
    refuted = [claim.name for claim in frame.claims if claim.holds is False]
    if not refuted:
        return []
    fresh = run_with(name, frame.parameters, device="cpu", limit=frame.step).frame
    assert fresh is not None
    verdicts = {claim.name: claim.holds for claim in fresh.claims}
    return [claim for claim in refuted if verdicts[claim] is not False]


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("topic", sorted({item.topic for item in entries()}))
def test_random_tweaks_end_well(open_theoria: Any, qtbot: Any, topic: str) -> None:
    dice = random.Random(f"robot of {topic}")
    window = open_theoria()
    for item in entries():
        if item.topic != topic:
            continue
        window.open_experiment(item.name)
        session = window.views[item.name].session
        for _ in range(EDITS):
            tweak(window, dice)
            qtbot.wait(PAUSE)
            notice = session.notices.notice
            assert notice is None or not notice.traceback, f"{item.name} {session.parameters!r}\n{notice.traceback}"
        session.form.reset_all()
        generation = session.runner.generation
        qtbot.waitUntil(
            lambda session=session, generation=generation: session.ended or session._generation_seen >= generation,
            timeout=120_000,
        )
        session.set_playing(False)
        settle()
        notice = session.notices.notice
        assert notice is None or not notice.traceback, f"{item.name} {session.parameters!r}\n{notice.traceback}"
        assert session.frame is not None
        assert denied(item.name, session.frame) == [], f"{item.name} {session.parameters!r}"
        assert out_of_place(window) == [], item.name
