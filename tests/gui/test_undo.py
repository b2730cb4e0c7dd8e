"""Undo: one command per gesture, the whole way back and forth, names in the current language."""

from __future__ import annotations

import random
import weakref
from typing import Annotated, Literal

import pytest
from pydantic import Field as Bounds
from PySide6.QtCore import QEvent, QObject, Slot
from PySide6.QtWidgets import QApplication

from engine.api import LabParameters, Ui
from gui.core.form import Form
from gui.core.i18n import translator
from gui.core.lab.undo import ParameterHistory


class Parameters(LabParameters):
    """Three kinds of values."""

    dimension: Annotated[int, Bounds(ge=1, le=10_000), Ui("Dimension", scale="log")] = 100
    law: Annotated[Literal["gauss", "cauchy"], Ui("Law", choices={"gauss": "Gaussian", "cauchy": "Cauchy"})] = "gauss"
    whiten: Annotated[bool, Ui("Whiten")] = False


class Session(QObject):
    """Takes over parameters, as a session does."""

    def __init__(self) -> None:
        super().__init__()
        self.parameters = Parameters()
        self.history = ParameterHistory(Parameters, None, self.take, self)

    @Slot(object)
    def take(self, parameters: Parameters) -> None:
        self.parameters = parameters

    def change(self, **values: object) -> None:
        old, self.parameters = self.parameters, self.parameters.changed(**values)
        self.history.push(old, self.parameters)


@pytest.fixture
def session(qapp) -> Session:
    return Session()


def test_pushing_changes_nothing_itself(session: Session) -> None:
    session.change(dimension=300)
    assert session.parameters.dimension == 300
    assert (session.history.can_undo, session.history.can_redo) == (True, False)


def test_undo_and_redo(session: Session, qtbot) -> None:
    session.change(dimension=300)
    session.change(law="cauchy")
    with qtbot.waitSignal(session.history.changed):
        session.history.undo()
    assert session.parameters == Parameters(dimension=300)
    session.history.redo()
    assert session.parameters == Parameters(dimension=300, law="cauchy")


def test_a_gesture_without_effect_is_not_remembered(session: Session) -> None:
    session.history.push(session.parameters, Parameters())
    assert len(session.history) == 0


def test_a_new_change_forgets_what_could_be_repeated(session: Session) -> None:
    session.change(dimension=300)
    session.history.undo()
    session.change(dimension=7)
    assert not session.history.can_redo
    assert len(session.history) == 1


def test_names(session: Session) -> None:
    session.change(dimension=3000)
    assert session.history.undo_text == "Dimension 100 → 3,000"
    session.change(law="cauchy", whiten=True)
    assert session.history.undo_text == "Law Gaussian → Cauchy, Whiten off → on"
    session.history.undo()
    assert session.history.redo_text == "Law Gaussian → Cauchy, Whiten off → on"
    session.change(dimension=1, law="cauchy", whiten=True)
    assert session.history.undo_text == "3 parameters"
    translator.set_language("zh")
    try:
        assert session.history.undo_text == "3 个参数"
    finally:
        translator.set_language("en")
    session.history.clear()
    assert session.history.undo_text == session.history.redo_text == ""


def test_a_random_walk_of_500_gestures_and_back(session: Session) -> None:
    dice = random.Random(0)
    states = [session.parameters]
    while len(states) <= 500:
        session.change(dimension=dice.randint(1, 10_000), whiten=dice.random() < 0.5, seed=dice.randint(0, 9))
        if session.parameters != states[-1]:
            states.append(session.parameters)
    for state in reversed(states[:-1]):
        session.history.undo()
        assert session.parameters == state
    assert not session.history.can_undo
    for state in states[1:]:
        session.history.redo()
        assert session.parameters == state
    assert not session.history.can_redo


def test_a_form_and_its_history_walk_together(session: Session, qtbot) -> None:
    form = Form(Parameters)
    qtbot.addWidget(form)
    form.gesture_finished.connect(session.history.push)
    session.history.wanted.connect(form.set_parameters)
    slider = form.fields["dimension"].editor.slider
    for position in range(400, 900, 10):
        slider.slid.emit(position)
    slider.let_go.emit()
    assert len(session.history) == 1
    session.history.undo()
    assert form.parameters == Parameters()
    assert form.fields["dimension"].editor.line.text() == "100"
    assert len(session.history) == 1


def test_a_history_dies_with_its_session(qapp) -> None:
    session = Session()
    session.change(dimension=5)
    dead = [weakref.ref(session), weakref.ref(session.history)]
    session.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    del session
    assert [reference() for reference in dead if reference() is not None] == []


def test_a_stroke_in_the_picture_is_one_gesture(qapp, monkeypatch) -> None:
    now = [100.0]
    monkeypatch.setattr("gui.core.lab.undo.time.monotonic", lambda: now[0])
    session = Session()
    history = session.history

    def move(**values: object) -> None:
        old = session.parameters
        session.take(old.changed(**values))
        history.push_moving(old, session.parameters)

    move(dimension=101, whiten=True)  # the first edit of a drag may set more than those that follow
    for dimension in (102, 103):
        now[0] += 0.1
        move(dimension=dimension)
    assert len(history) == 1
    now[0] += 5  # the hand rested: the next stroke
    move(dimension=104)
    move(law="cauchy")  # another parameter
    assert len(history) == 3
    for expected in (104, 103, 100):
        history.undo()
        assert session.parameters.dimension == expected
    history.redo()
    assert session.parameters.dimension == 103


def test_a_stroke_that_ends_where_it_began_is_forgotten(qapp) -> None:
    session = Session()
    for dimension in (101, 100):
        old = session.parameters
        session.take(old.changed(dimension=dimension))
        session.history.push_moving(old, session.parameters)
    assert len(session.history) == 0
