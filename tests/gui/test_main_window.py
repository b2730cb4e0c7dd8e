"""The window as a whole: from the first picture to the last thread, with everything a hand can do in between."""

from __future__ import annotations

import csv
import dataclasses
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import NAME, SMALL, Open, calm, our_threads, seen, settle, still
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QComboBox, QLabel, QLineEdit, QListWidget, QMenu, QTabBar, QWidget

from engine.api import ExperimentState, Frame, Message, Session, WindowState, load, parse_assignments, read_session
from gui import app as starter
from gui.core.i18n import translator
from gui.core.lab.open_experiment import OpenExperiment
from gui.core.look.elided import Elided
from gui.core.look.theme import themes, theming
from gui.core.output.export import command_line, csv_text, python_script
from gui.core.window import commands as commands_module
from gui.core.window import lab_view
from gui.core.window.actions import ACTIONS
from gui.core.window.sheets import CommandPalette, HelpSheet
from gui.main_window import MainWindow

ROOT = Path(__file__).parents[2]
CJK = re.compile("[\u3400-\u9fff]")
LATIN = re.compile("[A-Za-z]{3,}")
NAMES = {
    "Theoria",
    "English",
    "torch",
    "PNG",
    "dpi",
    "CSV",
    "Python",
    "Ctrl",
    "Shift",
    "Alt",
    "Esc",
    "cos",
    "rad",
    "cpu",
    "Student",
}


def session_of(window: MainWindow) -> OpenExperiment:
    """The session on the screen."""
    assert window.view is not None
    return window.view.session


def do(window: MainWindow, action: str) -> None:
    """What a key or a menu entry does."""
    window.actions_by_name[action].trigger()


def numbers(frame: Frame) -> tuple[Any, ...]:
    """All that a frame says."""
    return frame.step, dict(frame.measures), {name: array.tobytes() for name, array in frame.arrays.items()}


def slide(session: OpenExperiment, name: str, share: float) -> None:
    """Click the slider of a parameter at a share of its length."""
    slider = session.form.fields[name].editor.slider  # type: ignore[attr-defined]
    QTest.mouseClick(slider, Qt.MouseButton.LeftButton, pos=QPoint(round(share * slider.width()), slider.height() // 2))


# ---- the first picture -----------------------------------------------------------------------------------------------


def test_the_window_is_there_before_torch_and_the_picture_follows(open_theoria: Open, qtbot: Any) -> None:
    window = open_theoria(wait="")
    assert window.isVisible()
    assert window.view is None
    window.status.refresh()
    qtbot.waitUntil(lambda: window.view is not None and session_of(window).frame is not None, timeout=20_000)
    assert window.current_entry.name == NAME
    assert session_of(window).frame.parameters.pairs == SMALL["pairs"]  # type: ignore[union-attr]


def test_nothing_that_a_key_does_fails_before_torch_is_there(open_theoria: Open, qtbot: Any) -> None:
    window = open_theoria(wait="")
    for name, action in window.actions_by_name.items():
        if not name.startswith(("open_", "save_", "toggle_full", "show_")):
            action.trigger()
    do(window, "leave")
    assert window.view is None
    qtbot.waitUntil(lambda: window.view is not None, timeout=20_000)


def test_torch_that_cannot_be_imported_is_said_and_nothing_waits_for_it(
    open_theoria: Open, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise ImportError("libtorch is not there")

    monkeypatch.setattr(starter, "import_torch", broken)
    window = open_theoria(wait="")
    qtbot.waitUntil(lambda: window.notices.notice is not None, timeout=5000)
    assert "libtorch is not there" in str(window.notices.notice.message)  # type: ignore[union-attr]
    window.status.refresh()
    assert not any("torch" in label.text() for label in seen(window.rail, QLabel))
    window.open_experiment(NAME)
    assert window.view is None


def test_an_experiment_that_cannot_be_opened_leaves_the_window_alive(
    open_theoria: Open, qtbot: Any, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    window = open_theoria(wait="")
    whole = lab_view.LabView

    def broken(*_: Any) -> None:
        raise NameError("half an experiment")

    monkeypatch.setattr(lab_view, "LabView", broken)
    qtbot.waitUntil(lambda: window.notices.notice is not None, timeout=20_000)
    assert "NameError: half an experiment" in str(window.notices.notice.message)  # type: ignore[union-attr]
    assert window.view is None
    monkeypatch.setattr(lab_view, "LabView", whole)
    window.open_experiment(NAME)
    qtbot.waitUntil(lambda: session_of(window).frame is not None, timeout=20_000)


def test_a_device_of_another_machine_is_replaced(open_theoria: Open) -> None:
    window = open_theoria(Session(language="en", device="abacus"), device="auto")
    assert "'abacus'" in str(window.notices.notice.message)  # type: ignore[union-attr]
    assert session_of(window).frame is not None
    assert window.snapshot().device == "abacus"


# ---- a tweak ---------------------------------------------------------------------------------------------------------


def test_a_slider_reaches_the_picture(window: MainWindow, session: OpenExperiment, qtbot: Any) -> None:
    slide(session, "dimension", 0.6)
    wanted = session.parameters.dimension  # type: ignore[attr-defined]
    assert wanted > 1000
    qtbot.waitUntil(lambda: session.frame.parameters.dimension == wanted, timeout=5000)
    assert f"n = {wanted:,d}" in session.panel.angle.caption_label.whole  # type: ignore[attr-defined]
    assert session.undo.can_undo


def test_a_dragged_slider_paints_while_it_moves_and_ends_at_its_last_value(session: OpenExperiment, qtbot: Any) -> None:
    slider = session.form.fields["dimension"].editor.slider  # type: ignore[attr-defined]
    shown: set[int] = set()
    session.frame_shown.connect(lambda frame: shown.add(frame.parameters.dimension))
    QTest.mousePress(slider, Qt.MouseButton.LeftButton, pos=QPoint(10, 8))
    for x in range(10, slider.width() - 10, 6):
        QTest.mouseMove(slider, QPoint(x, 8))
        qtbot.wait(4)
    QTest.mouseRelease(slider, Qt.MouseButton.LeftButton, pos=QPoint(slider.width() - 10, 8))
    last = session.parameters.dimension  # type: ignore[attr-defined]
    qtbot.waitUntil(lambda: session.frame.parameters.dimension == last, timeout=5000)
    assert len(shown) >= 2
    assert len(session.undo) == 1, "a drag is one gesture"


def test_each_effect_does_no_more_than_it_must(session: OpenExperiment, qtbot: Any, monkeypatch: Any) -> None:
    runner, before = session.runner, session.frame
    jobs, steps = runner.jobs_started, runner.steps_done
    drawn: list[str] = []
    draw = session.panel.draw
    monkeypatch.setattr(
        session.panel, "draw", lambda frame, parameters: drawn.append(parameters.unit) or draw(frame, parameters)
    )
    session.edit(unit="radians")
    assert session.frame is before
    assert drawn == ["radians"]
    session.edit(bins=33)
    qtbot.waitUntil(lambda: len(session.frame.picture.density) == 33, timeout=5000)
    assert (runner.jobs_started, runner.steps_done) == (jobs, steps)
    session.edit(dimension=7)
    qtbot.waitUntil(lambda: session.frame.parameters.dimension == 7, timeout=5000)
    assert runner.jobs_started == jobs + 1


def test_a_live_edit_while_a_restart_waits_does_not_reach_the_old_run(open_theoria: Open, qtbot: Any) -> None:
    name = "angles.capacity"
    small = ExperimentState(parameters={"dimension": 13, "vectors": 200})
    window = open_theoria(Session(language="en", theme="dark", current=name, experiments={name: small}), wait="finished")
    assert window.view is not None
    session = window.view.session
    for dimension, bins in ((20, 60), (64, 84), (13, 40), (64, 90)):  # the second and later restarts are held back for a moment
        session.edit(dimension=dimension)
        session.edit(bins=bins)
    qtbot.waitUntil(lambda: session.frame.parameters == session.parameters, timeout=20_000)
    assert session.notices.notice is None
    assert all(claim.holds is not False for claim in session.frame.claims)


def test_a_refused_value_changes_nothing(session: OpenExperiment) -> None:
    before = session.parameters
    session.edit(dimension=-1)
    assert session.parameters == before
    assert session.notices.notice is not None
    assert not session.undo.can_undo


def test_undo_and_redo(window: MainWindow, session: OpenExperiment, qtbot: Any) -> None:
    assert not window.actions_by_name["undo"].isEnabled()
    session.edit(dimension=7)
    session.edit(dimension=9, bins=50)
    do(window, "undo")
    assert (session.parameters.dimension, session.parameters.bins) == (7, 120)  # type: ignore[attr-defined]
    do(window, "undo")
    assert session.parameters.dimension == SMALL["dimension"]  # type: ignore[attr-defined]
    assert not window.actions_by_name["undo"].isEnabled()
    do(window, "redo")
    do(window, "redo")
    assert session.parameters.dimension == 9  # type: ignore[attr-defined]
    assert session.form.parameters == session.parameters
    qtbot.waitUntil(lambda: session.frame.parameters.dimension == 9, timeout=5000)
    do(window, "reset_parameters")
    assert session.parameters == type(session.parameters)()
    do(window, "undo")
    assert session.parameters.dimension == 9  # type: ignore[attr-defined]


def test_the_same_seed_gives_the_same_picture_and_a_new_one_another(
    window: MainWindow, session: OpenExperiment, qtbot: Any
) -> None:
    before = numbers(session.frame)  # type: ignore[arg-type]
    generation = session.runner.generation
    do(window, "restart")
    qtbot.waitUntil(lambda: session.finished and session.runner.generation > generation, timeout=5000)
    qtbot.waitUntil(lambda: numbers(session.frame) == before)  # type: ignore[arg-type]
    do(window, "new_seed")
    qtbot.waitUntil(lambda: session.frame.parameters.seed == session.parameters.seed != 0, timeout=5000)
    assert numbers(session.frame)[1] != before[1]  # type: ignore[arg-type]
    do(window, "undo")
    qtbot.waitUntil(lambda: session.finished and session.frame.parameters.seed == 0, timeout=5000)
    qtbot.waitUntil(lambda: numbers(session.frame) == before)  # type: ignore[arg-type]


def test_scrubbing_back_and_playing_on(open_theoria: Open, qtbot: Any) -> None:
    window = open_theoria(pairs=50_000_000)
    session = session_of(window)
    qtbot.waitUntil(lambda: len(session.history) > 5, timeout=10_000)
    kept = session.history[2]
    session.transport.scrub_requested.emit(2)
    assert session.frame is kept
    assert not session.playing
    qtbot.wait(100)
    assert session.frame is kept
    newest = session.history[len(session.history) - 1]
    session.leave_scrub()
    assert session.frame is newest
    session.scrub(1)
    do(window, "toggle_playing")
    assert session.playing
    qtbot.waitUntil(lambda: session.frame.step > newest.step, timeout=5000)
    session.scrub(10**6)
    session.scrub(-1)
    assert session.playing


def test_pause_step_and_play(open_theoria: Open, qtbot: Any) -> None:
    window = open_theoria(pairs=50_000_000)
    session = session_of(window)
    do(window, "toggle_playing")
    still(session, qtbot)
    step = session.frame.step  # type: ignore[union-attr]
    qtbot.wait(200)
    assert session.frame.step == step  # type: ignore[union-attr]
    do(window, "step")
    qtbot.waitUntil(lambda: session.frame.step == step + 1, timeout=5000)
    session.edit(bins=31)
    qtbot.waitUntil(lambda: len(session.frame.picture.density) == 31, timeout=5000)
    assert session.frame.step == step + 1  # type: ignore[union-attr]
    session.transport.speed_changed.emit(8.0)
    do(window, "toggle_playing")
    qtbot.waitUntil(lambda: session.frame.step > step + 8, timeout=5000)


def test_the_space_bar_runs_a_finished_run_again(window: MainWindow, session: OpenExperiment, qtbot: Any) -> None:
    jobs = session.runner.jobs_started
    QTest.keyClick(window, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: session.runner.jobs_started == jobs + 1 and session.finished, timeout=5000)


def test_a_sweep_is_one_gesture_and_a_hand_stops_it(session: OpenExperiment, qtbot: Any) -> None:
    session.toggle_sweep("dimension")
    qtbot.waitUntil(lambda: session.parameters.dimension != SMALL["dimension"], timeout=5000)  # type: ignore[attr-defined]
    session.toggle_sweep("dimension")
    assert session.sweep.parameter is None
    assert len(session.undo) == 1
    session.undo.undo()
    assert session.parameters.dimension == SMALL["dimension"]  # type: ignore[attr-defined]
    session.toggle_sweep("dimension")
    session.toggle_sweep("bins")
    assert session.sweep.parameter == "bins"
    slide(session, "dimension", 0.5)
    assert session.sweep.parameter == "bins", "another parameter may be moved meanwhile"
    slide(session, "bins", 0.5)
    assert session.sweep.parameter is None
    session.toggle_sweep("bins")
    session.set_active(False)
    assert session.sweep.parameter is None


# ---- what goes wrong -------------------------------------------------------------------------------------------------


def test_a_panel_that_cannot_draw_says_so_once(session: OpenExperiment, qtbot: Any, monkeypatch: Any, caplog: Any) -> None:
    calls: list[int] = []

    def broken(frame: Frame, parameters: Any) -> None:
        calls.append(frame.step)
        raise ZeroDivisionError("crooked picture")

    monkeypatch.setattr(session.panel, "draw", broken)
    session.edit(dimension=7)
    qtbot.waitUntil(lambda: session.notices.notice is not None, timeout=5000)
    assert "ZeroDivisionError: crooked picture" in str(session.notices.notice.message)
    assert "crooked picture" in session.notices.notice.traceback
    generation = session.runner.generation
    monkeypatch.undo()
    session.edit(dimension=8)
    qtbot.waitUntil(lambda: session.frame.parameters.dimension == 8 and session.runner.generation > generation, timeout=5000)
    assert session.notices.notice is None


def test_a_panel_that_cannot_draw_survives_theme_and_language(
    session: OpenExperiment, qtbot: Any, monkeypatch: Any, caplog: Any
) -> None:
    def broken(frame: Frame, parameters: Any) -> None:
        raise ZeroDivisionError("crooked picture")

    monkeypatch.setattr(session.panel, "draw", broken)
    session.edit(dimension=7)
    qtbot.waitUntil(lambda: session.notices.notice is not None, timeout=5000)
    theming.set("light")
    translator.set_language("zh")


def test_a_run_that_fails_says_so_and_the_next_one_clears_it(window: MainWindow, session: OpenExperiment, qtbot: Any) -> None:
    session.edit(law="laplace")
    qtbot.waitUntil(lambda: session.notices.notice is not None, timeout=5000)
    assert session.ended
    assert not session.transport.playing
    text = "\n".join(label.text() for label in seen(session.notices, QLabel))
    assert "The exact law is known for gaussian entries only" in text
    do(window, "next_language")
    text = "\n".join(label.text() for label in seen(session.notices, QLabel))
    assert "只有高斯元素才知道精确分布" in text
    session.edit(method="vectors")
    qtbot.waitUntil(lambda: session.finished, timeout=5000)
    assert session.notices.notice is None
    assert session.frame.parameters.law == "laplace"  # type: ignore[union-attr]


def test_after_a_failure_a_live_tweak_and_play_start_again(
    session: OpenExperiment, qtbot: Any, monkeypatch: Any, caplog: Any
) -> None:
    broken = dataclasses.replace(load(NAME), step=lambda *_: 1 / 0)
    monkeypatch.setattr(session.runner, "_load", lambda: broken)
    session.edit(pairs=3_000_000)
    qtbot.waitUntil(lambda: session.ended and session.notices.notice is not None, timeout=5000)
    assert "ZeroDivisionError" in session.notices.notice.traceback
    jobs = session.runner.jobs_started
    session.toggle_playing()
    qtbot.waitUntil(lambda: session.runner.jobs_started == jobs + 1 and session.ended, timeout=5000)
    monkeypatch.setattr(session.runner, "_load", lambda: load(NAME))
    session.edit(bins=40)
    qtbot.waitUntil(lambda: session.finished and len(session.frame.picture.density) == 40, timeout=5000)
    assert session.notices.notice is None
    assert session.transport.finished


# ---- theme, language, presentation -----------------------------------------------------------------------------------


def texts(window: MainWindow) -> list[str]:
    """Everything on the screen, in menus and in tool tips that can be read."""
    found = [label.whole if isinstance(label, Elided) else label.text() for label in seen(window, QLabel)]
    for button in seen(window, QAbstractButton):
        found += [button.text(), button.toolTip(), button.accessibleName()]
    for owner in (window, *window.findChildren(QMenu)):
        found += [action.text() for action in owner.actions()]
    for tabs in seen(window, QTabBar):
        found += [tabs.tabText(index) for index in range(tabs.count())]
    for combo in seen(window, QComboBox):
        found += [combo.itemText(index) for index in range(combo.count())]
    for widget in (*session_of(window).form.fields.values(), *session_of(window).panel.cards):
        found += [widget.toolTip(), widget.accessibleName()]
    return [text for text in found if text]


def words(text: str) -> str:
    """A text without markup, code and names."""
    plain = re.sub(r"<code>.*?</code>|<[^>]*>|&\w+;", " ", text)
    return re.sub(r"[A-Za-z]+", lambda found: "" if found[0] in NAMES else found[0], plain)


def test_everything_is_translated_while_it_runs(window: MainWindow, session: OpenExperiment, qtbot: Any) -> None:
    settle()
    english = texts(window)
    assert {text for text in english if CJK.search(text) and "中文 / English" not in text} == set()
    do(window, "next_language")
    calm(window, qtbot)
    chinese = texts(window)
    assert len(chinese) >= len(english) - 5
    assert sorted({text for text in chinese if LATIN.search(words(text)) and not CJK.search(text)}) == []
    do(window, "next_language")
    calm(window, qtbot)
    back = texts(window)
    assert {text for text in back if CJK.search(text) and "中文 / English" not in text} == set()


def test_the_subspace_form_and_presets_are_translated_too(window: MainWindow, session: OpenExperiment, qtbot: Any) -> None:
    translator.set_language("zh")
    session.edit(against="subspace", law="student_t", method="auto")
    qtbot.waitUntil(lambda: session.finished, timeout=5000)
    calm(window, qtbot)
    assert sorted({text for text in texts(window) if LATIN.search(words(text)) and not CJK.search(text)}) == []


def test_themes_change_at_once(window: MainWindow, session: OpenExperiment) -> None:
    first = theming.current.name
    frames = session.frame
    colours = []
    for _ in themes():
        do(window, "next_theme")
        settle()
        colours.append(window.grab().toImage().pixelColor(5, window.height() - 5).name())
    assert theming.current.name == first
    assert len(set(colours)) == len(themes())
    assert session.frame is frames


def test_zooming_keeps_the_window_whole(window: MainWindow) -> None:
    for _ in range(4):
        do(window, "zoom_in")
        settle()
    assert theming.zoom > 1.3
    assert window.side.is_drawer, "large type needs the room of the side"
    do(window, "zoom_reset")
    settle()
    assert not window.side.is_drawer


def look(window: MainWindow) -> dict[str, Any]:
    """How the window is arranged."""
    return {
        "theme": theming.current.name,
        "rail": window.rail.isVisible(),
        "side": window.side.isVisible(),
        "full": window.isFullScreen(),
        "buttons": [button.isVisible() for button in window.header.findChildren(QAbstractButton)],
        "keys": [action.isEnabled() for action in window.actions_by_name.values()],
        "mouse": QGuiApplication.overrideCursor() is None,
    }


def test_a_presentation_restores_everything(window: MainWindow, session: OpenExperiment) -> None:
    theming.set("light")
    do(window, "toggle_rail")
    before, size = look(window), window.size()
    do(window, "toggle_presentation")
    settle()
    assert theming.current.name == "stage"
    assert window.isFullScreen()
    assert not window.side.isVisible()
    assert not session.form.isVisible()
    snapshot = window.snapshot()
    assert (snapshot.theme, snapshot.window.rail) == ("light", False)
    do(window, "toggle_black")
    do(window, "toggle_mouse")
    settle()
    assert window.grab().toImage().pixelColor(300, 300).name() == "#000000"
    do(window, "toggle_black")
    do(window, "toggle_black")
    do(window, "toggle_side")
    do(window, "toggle_side")
    do(window, "leave")
    settle()
    assert look(window) == before
    assert window.size() == size
    do(window, "toggle_black")
    assert window.grab().toImage().pixelColor(300, 300).name() != "#000000"


# ---- sizes -----------------------------------------------------------------------------------------------------------


def clipped(window: MainWindow) -> list[str]:
    """The texts that are cut off by their own widget or by the edge of a page."""
    found = []
    for widget in [*seen(window, QLabel), *seen(window, QAbstractButton)]:
        shown = widget.visibleRegion().boundingRect()
        if shown.isEmpty() or not widget.text() or isinstance(widget, Elided):
            continue
        name = f"{type(widget).__name__} {widget.text()!r} {widget.width()} px"
        if isinstance(widget, QLabel) and widget.wordWrap():
            if widget.heightForWidth(widget.width()) > widget.height() + 1:
                found.append(f"{name}: {widget.height()} px high for {widget.heightForWidth(widget.width())}")
        elif widget.sizeHint().width() > widget.width() + 1 and not icon_only(widget):
            found.append(f"{name} for {widget.sizeHint().width()}")
        if shown.width() < widget.width():
            found.append(f"{name}: {shown.width()} px seen")
    for line in seen(window, QLineEdit):
        shown = line.visibleRegion().boundingRect()
        needed = line.fontMetrics().horizontalAdvance(line.text()) + 4
        if not shown.isEmpty() and (shown.width() < line.width() or needed > line.width()):
            found.append(f"QLineEdit {line.text()!r} {line.width()} px for {needed}, {shown.width()} seen")
    for combo in seen(window, QComboBox):
        shown = combo.visibleRegion().boundingRect()
        if not shown.isEmpty() and shown.width() < combo.width():
            found.append(f"QComboBox {combo.currentText()!r} {combo.width()} px, {shown.width()} seen")
    return found


def icon_only(widget: QWidget) -> bool:
    """Whether a button shows its text only as a tool tip."""
    return getattr(widget, "toolButtonStyle", lambda: None)() == Qt.ToolButtonStyle.ToolButtonIconOnly


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("size", [(1024, 768), (1280, 800), (1440, 900)], ids=str)
def test_nothing_is_cut_off(open_theoria: Open, qtbot: Any, size: tuple[int, int], language: str) -> None:
    window = open_theoria(Session(language=language, theme="dark"), size=size, wait="finished", **SMALL)  # type: ignore[arg-type]
    calm(window, qtbot)
    qtbot.wait(250)
    window.status.stop()
    settle()
    assert window.width() == size[0]
    assert clipped(window) == []
    if size[0] < 1200:
        do(window, "toggle_side")
        qtbot.wait(150)
        assert window.side.isVisible()
        assert [text for text in clipped(window) if not covered(text)] == []


def covered(text: str) -> bool:
    """Pictures lie under a drawer."""
    return "seen" in text


def test_the_side_grows_with_its_text(open_theoria: Open) -> None:
    window = open_theoria(Session(language="en", theme="dark"), size=(1920, 1080), **SMALL)  # type: ignore[arg-type]
    before = window.side.width()
    theming.set("stage")
    settle()
    assert window.side.width() == pytest.approx(1.6 * before, rel=0.05)
    theming.set("dark")
    settle()
    assert window.side.width() == pytest.approx(before, rel=0.05)


def test_the_side_becomes_a_drawer_on_a_narrow_window(open_theoria: Open, qtbot: Any) -> None:
    window = open_theoria(size=(1024, 768))
    assert window.side.is_drawer
    assert not window.side.isVisible()
    width = window.stack.width()
    do(window, "toggle_side")
    settle()
    assert window.side.isVisible()
    assert window.stack.width() == width, "a drawer lies over the pictures"
    corner = window.side.mapTo(window, QPoint(window.side.width(), 0))
    assert corner.x() == window.width()
    window.resize(1440, 900)
    settle()
    assert not window.side.is_drawer
    assert window.side.isVisible()
    assert window.stack.width() < 1440 - window.rail.width() - window.side.width()
    do(window, "toggle_side")
    settle()
    assert not window.side.isVisible()
    window.resize(1000, 700)
    window.resize(1440, 900)
    settle()
    assert not window.side.isVisible(), "what was put away stays away"


def test_the_first_window_fits_the_screen(open_theoria: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    window = MainWindow(Session())
    room = QGuiApplication.primaryScreen().availableSize()
    assert window.width() <= max(room.width(), window.minimumWidth())
    assert window.height() <= max(room.height(), window.minimumHeight())
    window.close()
    window.deleteLater()


def test_one_picture_alone_and_all_again(window: MainWindow, session: OpenExperiment) -> None:
    cards = session.panel.cards
    do(window, "toggle_alone")
    settle()
    assert [card.isVisible() for card in cards] == [True, False, False]
    do(window, "leave")
    settle()
    assert all(card.isVisible() for card in cards)


# ---- sessions --------------------------------------------------------------------------------------------------------


def test_a_session_is_saved_at_the_end_and_comes_back(open_theoria: Open, tmp_path: Path, qtbot: Any) -> None:
    path = tmp_path / "home" / "session.json"
    window = open_theoria(Session(language="en"), path, **SMALL)
    session = session_of(window)
    session.edit(dimension=33, seed=5, compare=(4, 5), unit="radians")
    session.set_playing(False)
    do(window, "next_language")
    theming.set("light")
    do(window, "zoom_in")
    do(window, "toggle_rail")
    session.panel._splitters[0].setSizes([300, 500])
    wanted, splitters = session.parameters, session.panel.splitter_state()
    window.close()
    saved = read_session(path)
    translator.set_language("en")
    theming.set("dark")
    theming.set_zoom(1.0)

    again = open_theoria(saved, path)
    back = session_of(again)
    assert back.parameters == wanted
    assert not back.playing
    assert (translator.language, theming.current.name, theming.zoom) == ("zh", "light", 1.1)
    assert not again.rail.isVisible()
    settle()
    for sizes, kept in zip(back.panel.splitter_state(), splitters, strict=True):
        assert [size / sum(sizes) for size in sizes] == pytest.approx([size / sum(kept) for size in kept], abs=0.01)
    assert again.snapshot().experiments[NAME].parameters == saved.experiments[NAME].parameters


def test_a_crash_loses_at_most_a_second(open_theoria: Open, tmp_path: Path, qtbot: Any) -> None:
    path = tmp_path / "session.json"
    window = open_theoria(Session(language="en"), path, **SMALL)
    session_of(window).edit(dimension=44)
    qtbot.waitUntil(
        lambda: path.exists() and read_session(path).experiments[NAME].parameters.get("dimension") == 44, timeout=3000
    )


def test_a_session_file_is_opened_in_place_of_what_was_there(window: MainWindow, tmp_path: Path, qtbot: Any) -> None:
    file = tmp_path / "shared.json"
    states = {NAME: ExperimentState(parameters={**SMALL, "dimension": 55}), "gone.experiment": ExperimentState()}
    file.write_text(Session(current="gone.experiment", experiments=states, language="zh", theme="stage").to_json())
    old = session_of(window)
    window.commands.open_session_file(file)
    assert not old.runner.alive
    assert "gone.experiment" in str(window.notices.notice.message)  # type: ignore[union-attr]
    qtbot.waitUntil(lambda: session_of(window).frame is not None, timeout=5000)
    assert session_of(window).parameters.dimension == 55  # type: ignore[attr-defined]
    assert (translator.language, theming.current.name) == ("zh", "stage")
    assert "gone.experiment" in window.snapshot().experiments
    assert len(our_threads()) == 1
    file.write_text("{")
    window.commands.open_session_file(file)
    assert "damaged" in str(window.notices.notice.message)  # type: ignore[union-attr]
    assert session_of(window).parameters.dimension == 55  # type: ignore[attr-defined]
    do(window, "save_session")
    assert read_session(file).experiments[NAME].parameters["dimension"] == 55


def test_bad_values_lose_only_themselves(open_theoria: Open) -> None:
    values = {"dimension": "many", "pairs": 3000, "law": None, "seed": 8, "colour": "red", "self": 1, "compare": [[1]]}
    window = open_theoria(Session(language="en", experiments={NAME: ExperimentState(parameters=values)}), wait="finished")
    session = session_of(window)
    model = type(session.parameters)
    assert session.parameters == model(pairs=3000, seed=8)  # type: ignore[call-arg]
    notice = str(session.notices.notice.message)  # type: ignore[union-attr]
    assert all(name in notice for name in ("dimension", "law", "colour", "self", "compare"))
    assert "pairs" not in notice


@pytest.mark.parametrize(
    "bad",
    [
        {"current": "no.such"},
        {"theme": "neon"},
        {"experiments": {"no.such": ExperimentState(parameters={"x": 1})}},
        {"experiments": {NAME: ExperimentState(view={"splitters": [[10**30, 1], "x", None]})}},
        {"window": WindowState(geometry="??", splitters={"body": [10**30, -5]})},
        {"window": WindowState(geometry="AdnQywADAAAAAAAA", splitters={"body": [1]}, maximized=True)},
    ],
    ids=["current", "theme", "experiment", "panel", "geometry", "maximised"],
)
def test_a_strange_session_still_opens(open_theoria: Open, bad: dict[str, Any]) -> None:
    window = open_theoria(Session(**{"language": "en", **bad}))
    assert session_of(window).frame is not None
    assert window.snapshot().to_json()


# ---- the end ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("moment", ["before torch", "at full load", "while hidden"])
def test_closing_leaves_no_thread(open_theoria: Open, tmp_path: Path, qtbot: Any, moment: str) -> None:
    busy = {"dimension": 1000, "pairs": 10_000_000, "method": "vectors"}
    window = open_theoria(
        Session(language="en"), tmp_path / "session.json", wait="" if moment == "before torch" else "frame", **busy
    )
    if moment != "before torch":
        qtbot.waitUntil(lambda: session_of(window).runner.steps_done > 3, timeout=20_000)
    if moment == "while hidden":
        session_of(window).set_active(False)
        session_of(window).submit()
    window.close()
    if moment == "before torch":
        window.preloader.join()
        qtbot.wait(50)
        assert window.view is None
    assert our_threads() == []
    assert read_session(tmp_path / "session.json").experiments[NAME].parameters["pairs"] == 10_000_000


def test_a_minimised_window_computes_nothing(open_theoria: Open, qtbot: Any) -> None:
    window = open_theoria(dimension=1000, pairs=10_000_000, method="vectors")
    runner = session_of(window).runner
    window.showMinimized()
    still(session_of(window), qtbot)
    steps = runner.steps_done
    qtbot.wait(150)
    assert runner.steps_done == steps
    window.showNormal()
    qtbot.waitUntil(lambda: runner.steps_done > steps, timeout=5000)


# ---- palette, help, copies -------------------------------------------------------------------------------------------


def palette(window: MainWindow) -> CommandPalette:
    """Open the command palette."""
    do(window, "show_palette")
    settle()
    (found,) = seen(window, CommandPalette)
    return found


def test_the_palette_finds_and_does(window: MainWindow, session: OpenExperiment, qtbot: Any) -> None:
    opened = palette(window)
    line, entries = opened.findChild(QLineEdit), opened.findChild(QListWidget)
    offered = [entries.item(row).text() for row in range(entries.count())]
    assert any("Restart with the same seed" in text and "Ctrl+R" in text for text in offered)
    assert any(NAME in text for text in offered)
    assert not any("while presenting" in text for text in offered), "only what can be done now"
    QTest.keyClicks(line, "theme nex")
    assert [entries.item(row).text() for row in range(entries.count())] == ["Next theme    Ctrl+T"]
    QTest.keyClick(line, Qt.Key.Key_Return)
    settle()
    assert theming.current.name != "dark"
    assert seen(window, CommandPalette) == []


def test_the_palette_moves_with_the_arrows_and_does_nothing_for_nonsense(window: MainWindow) -> None:
    opened = palette(window)
    line, entries = opened.findChild(QLineEdit), opened.findChild(QListWidget)
    QTest.keyClick(line, Qt.Key.Key_Down)
    assert entries.currentRow() == 1
    QTest.keyClick(line, Qt.Key.Key_Up)
    QTest.keyClick(line, Qt.Key.Key_Up)
    assert entries.currentRow() == entries.count() - 1
    QTest.keyClicks(line, "zzzz")
    QTest.keyClick(line, Qt.Key.Key_Return)
    assert opened.isVisible()
    opened.close()


def test_every_command_of_the_palette_can_be_done(
    window: MainWindow, session: OpenExperiment, monkeypatch: Any, qtbot: Any
) -> None:
    no_file = type("Dialog", (), {"getOpenFileName": lambda *_: ("", ""), "getSaveFileName": lambda *_: ("", "")})
    monkeypatch.setattr(commands_module, "QFileDialog", no_file)
    for name, action in window.actions_by_name.items():
        if name not in ("show_palette", "show_help"):
            action.trigger()
            settle()
    do(window, "leave")
    assert window.isVisible()
    qtbot.waitUntil(lambda: session_of(window).frame is not None, timeout=5000)


def test_the_sheet_of_keys_names_every_key(window: MainWindow) -> None:
    do(window, "show_help")
    settle()
    (sheet,) = seen(window, HelpSheet)
    text = "\n".join(label.text() for label in sheet.findChildren(QLabel))
    for spec in ACTIONS:
        assert spec.title in text or not spec.keys
    sheet.close()


def clipboard() -> str:
    """What was copied."""
    return QGuiApplication.clipboard().text()


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"dimension": 2, "compare": (), "window": "full", "seed": 4_294_967_295},
        {"law": "student_t", "degrees_of_freedom": 0.7, "against": "subspace", "share": 1 / 3, "compare": (3, 100_000)},
    ],
)
def test_the_copied_command_means_the_same_parameters(
    window: MainWindow, session: OpenExperiment, values: dict[str, Any]
) -> None:
    session.edit(**values)
    do(window, "copy_command")
    program, script, command, name, *options = shlex.split(clipboard())
    assert (program, script, command, name) == ("python", "main.py", "run", NAME)
    assignments = dict(zip(options[::2], options[1::2], strict=True)) if len(options) == 2 else {}
    texts = {"seed": assignments.get("--seed", "0")}
    for option, value in zip(options[::2], options[1::2], strict=True):
        key, _, text = value.partition("=") if option == "--set" else ("seed", "", value)
        texts[key] = text
    model = type(session.parameters)
    assert model(**parse_assignments(model, texts)) == session.parameters


@pytest.mark.slow
def test_the_copied_script_gives_the_same_numbers_without_qt(window: MainWindow, session: OpenExperiment) -> None:
    do(window, "copy_script")
    script = clipboard() + "\nimport sys\nassert not any('PySide' in name for name in sys.modules)\n"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    frame = session.frame
    assert frame is not None
    printed = [line.split(maxsplit=1) for line in done.stdout.splitlines()]
    assert printed[: len(frame.measures)] == [[name, f"{value:.9g}"] for name, value in frame.measures.items()]
    assert [claim for claim, _ in printed[len(frame.measures) :]] == [claim.name for claim in frame.claims]


def test_scripts_and_commands_of_every_preset(session: OpenExperiment) -> None:
    for preset in session.entry.presets:
        parameters = type(session.parameters)(**preset.values)
        compile(python_script(NAME, parameters), "script", "exec")
        assert shlex.split(command_line(NAME, parameters))


def test_the_copied_data_are_those_of_the_picture(window: MainWindow, session: OpenExperiment) -> None:
    do(window, "copy_data")
    assert session.frame is not None
    assert clipboard() == csv_text(NAME, session.frame)
    blocks = dict(block.split("\n", 1) for block in clipboard().split("\n\n")[1:])
    for name, heading in (("density", "density (1/rad)"), ("law", "law (1/rad)"), ("edges", "edges (rad)")):
        block = next(text for text in blocks.values() if heading in text.split("\n", 1)[0].split(","))
        headings, *rows = csv.reader(block.splitlines())
        column = [float(row[headings.index(heading)]) for row in rows]
        array = session.frame.arrays[name]
        np.testing.assert_array_equal(np.array(column, array.dtype), array)


def test_the_picture_has_the_dots_of_print(
    window: MainWindow, session: OpenExperiment, tmp_path: Path, monkeypatch: Any
) -> None:
    file = tmp_path / "picture.png"
    dialog = type("Dialog", (), {"getSaveFileName": lambda *_: (str(file), "")})
    monkeypatch.setattr(commands_module, "QFileDialog", dialog)
    size = session.panel.size()
    do(window, "export_picture")
    image = QImage(str(file))
    assert image.width() == pytest.approx(size.width() * 300 / 96, abs=1.5)
    assert image.height() == pytest.approx(size.height() * 300 / 96, abs=1.5)
    assert round(image.dotsPerMeterX() * 0.0254) == 300
    assert image.text("Title") == command_line(NAME, session.parameters)
    assert "Saved as" in str(window.notices.notice.message)  # type: ignore[union-attr]
    settle()
    do(window, "copy_picture")
    copied = QGuiApplication.clipboard().image()
    assert copied.width() == image.width()
    file = tmp_path / "no" / "such" / "folder"
    (tmp_path / "no").write_text("in the way")
    do(window, "export_data")
    assert "cannot be written" in str(window.notices.notice.message)  # type: ignore[union-attr]


# ---- starting as a program -------------------------------------------------------------------------------------------

PROGRAM = """
import sys
from PySide6.QtCore import QTimer
from gui import app, main_window

def show(window):
    main_window.MainWindow.showNormal(window)
    def look():
        view = window.view
        if view is not None and view.session.finished:
            print("picture", view.session.frame.parameters.dimension, flush=True)
            timer.stop()
            window.close()
    timer = QTimer(window, interval=20)
    timer.timeout.connect(look)
    timer.start()

main_window.MainWindow.show = show
sys.exit(app.run(device="cpu"))
"""


@pytest.mark.slow
def test_the_program_starts_shows_saves_and_ends_cleanly(tmp_path: Path) -> None:
    state = ExperimentState(parameters={**SMALL, "dimension": 12})
    (tmp_path / "session.json").write_text(Session(experiments={NAME: state}).to_json())
    environment = {**os.environ, "THEORIA_HOME": str(tmp_path), "PYTHONFAULTHANDLER": "1"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout) == (0, "picture 12\n"), done.stderr
    assert "Traceback" not in done.stderr
    assert json.loads((tmp_path / "session.json").read_text())["experiments"][NAME]["parameters"]["dimension"] == 12


def test_a_damaged_session_is_said_in_the_window(open_theoria: Open) -> None:
    window = open_theoria()
    values = {"problem": "x", "path": "y"}
    window.notices.show_warning(Message("The last session could not be opened: {problem} It was set aside as {path}.", values))
    session_of(window).edit(dimension=9)
    settle()
    assert window.notices.isVisible()
