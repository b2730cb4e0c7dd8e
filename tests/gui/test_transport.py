"""The transport bar: it shows what it is told, and says what a hand wants."""

from __future__ import annotations

import weakref

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QApplication

from gui.core.i18n import translator
from gui.core.lab.transport import BUSY_DELAY, POSITIONS, SPEEDS, Stopwatch, TransportBar, speed_text

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def bar(qtbot) -> TransportBar:
    made = TransportBar()
    qtbot.addWidget(made)
    made.resize(900, made.sizeHint().height())
    made.show()
    return made


def test_play_asks_and_waits_to_be_told(bar: TransportBar, qtbot) -> None:
    asked: list[bool] = []
    bar.play_toggled.connect(asked.append)
    qtbot.mouseClick(bar.play, LEFT)
    assert asked == [True]
    assert not bar.playing
    bar.set_playing(True)
    assert bar.play.accessibleName() == "Pause"
    qtbot.mouseClick(bar.play, LEFT)
    assert asked == [True, False]


@pytest.mark.parametrize(
    ("button", "signal"), [("step", "step_requested"), ("restart", "restart_requested"), ("seed", "new_seed_requested")]
)
def test_buttons(bar: TransportBar, qtbot, button: str, signal: str) -> None:
    with qtbot.waitSignal(getattr(bar, signal)):
        qtbot.mouseClick(bar.buttons[button], LEFT)


def test_progress_counts_steps(bar: TransportBar) -> None:
    bar.set_progress(7200, 10_000)
    assert bar.counter.text() == "7,200 / 10,000"
    assert bar.slider.value() == round(0.72 * POSITIONS)
    assert not bar.slider.isEnabled()
    width = bar.counter.minimumWidth()
    bar.set_progress(9, 10_000)
    assert bar.counter.minimumWidth() == width


def test_an_endless_run_shows_steps_and_time(bar: TransportBar) -> None:
    bar.set_playing(True)
    bar.set_progress(1234, None)
    assert bar.counter.text() == "1,234  ·  0:00"


def test_the_clock_runs_only_while_playing(monkeypatch) -> None:
    now = [10.0]

    def clock() -> float:
        return now[0]

    monkeypatch.setattr("gui.core.lab.transport.time.monotonic", clock)
    watch = Stopwatch()
    now[0] = 20.0
    assert watch.seconds == 0
    watch.run(True)
    now[0] = 25.0
    watch.run(False)
    now[0] = 99.0
    assert watch.seconds == 5
    watch.run(True)
    watch.reset()
    now[0] = 101.0
    assert watch.seconds == 2


def test_scrubbing_through_kept_frames(bar: TransportBar) -> None:
    scrubbed: list[int] = []
    live: list[bool] = []
    bar.scrub_requested.connect(scrubbed.append)
    bar.live_requested.connect(lambda: live.append(True))
    bar.set_progress(5000, 10_000)
    bar.set_history(101, 100)
    assert bar.slider.isEnabled()
    assert bar.slider.value() == POSITIONS // 2
    bar.slider.slid.emit(POSITIONS // 4)
    assert scrubbed == [50]
    assert bar.scrubbing
    bar.slider.slid.emit(POSITIONS)  # beyond what has been computed
    assert live == [True]
    assert not bar.scrubbing


def test_keys_scrub_frame_by_frame(bar: TransportBar, qtbot) -> None:
    scrubbed: list[int] = []
    bar.scrub_requested.connect(scrubbed.append)
    bar.set_progress(100, 100)
    bar.set_history(50, 49)
    qtbot.keyClick(bar.slider, Qt.Key.Key_Left)
    qtbot.keyClick(bar.slider, Qt.Key.Key_Left)
    qtbot.keyClick(bar.slider, Qt.Key.Key_Left, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClick(bar.slider, Qt.Key.Key_Home)
    assert scrubbed == [48, 47, 37, 0]


def test_new_frames_keep_the_place_of_one_who_looks_back(bar: TransportBar) -> None:
    bar.set_progress(100, 1000)
    bar.set_history(100, 20)
    bar.set_history(110, None)
    assert bar._index == 20
    bar.set_history(110, 109)
    bar.set_history(111, None)
    assert not bar.scrubbing


def test_without_history_nothing_can_be_scrubbed(bar: TransportBar) -> None:
    asked: list[int] = []
    bar.scrub_requested.connect(asked.append)
    bar.set_history(0, None)
    bar.slider.slid.emit(10)
    assert asked == []


def test_finished_offers_to_run_again(bar: TransportBar) -> None:
    bar.set_playing(True)
    bar.set_progress(10, 10)
    bar.set_finished()
    assert (bar.finished, bar.playing) == (True, False)
    assert bar.play.accessibleName() == "Run again"
    bar.set_progress(0, 10)
    assert not bar.finished
    assert bar.play.accessibleName() == "Play"


def test_the_busy_mark_appears_only_after_a_moment(bar: TransportBar, qtbot) -> None:
    bar.set_busy(True)
    bar.set_busy(False)
    qtbot.wait(BUSY_DELAY + 60)
    assert not bar.busy.shown
    bar.set_busy(True)
    assert not bar.busy.shown
    qtbot.waitUntil(lambda: bar.busy.shown)
    bar.set_busy(False)
    assert not bar.busy.shown


def test_speeds(bar: TransportBar) -> None:
    heard: list[float] = []
    bar.speed_changed.connect(heard.append)
    actions = bar.speed.menu().actions()
    assert [action.text() for action in actions] == ["0.1×", "0.25×", "0.5×", "1×", "2×", "4×", "8×"]
    actions[5].trigger()
    actions[5].trigger()
    assert heard == [4.0]
    assert bar.speed.text() == "4×"
    bar.set_speed(0.25)
    assert heard == [4.0]
    assert actions[1].isChecked()
    assert [speed_text(speed) for speed in SPEEDS][-1] == "8×"


@pytest.mark.parametrize(("width", "words"), [(1000, True), (560, False)])
def test_words_vanish_where_there_is_no_room(bar: TransportBar, qtbot, width: int, words: bool) -> None:
    bar.set_progress(7200, 10_000)
    bar.resize(width, bar.height())
    qtbot.waitUntil(lambda: bool(bar.buttons["step"].text()) is words)
    assert bar.width() == width
    assert bar.slider.width() >= 60
    assert bar.speed.geometry().right() <= width
    assert bar.counter.width() >= bar.counter.sizeHint().width()
    assert bar.buttons["step"].toolTip() == "One step  (N)"


def test_a_new_language(bar: TransportBar) -> None:
    translator.set_language("zh")
    try:
        assert bar.buttons["step"].text() == "单步"
        assert bar.play.toolTip() == "播放  (空格)"
    finally:
        translator.set_language("en")


def test_a_dropped_bar_dies(qapp) -> None:
    bar = TransportBar()
    dead = weakref.ref(bar)
    bar.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    del bar
    assert dead() is None
