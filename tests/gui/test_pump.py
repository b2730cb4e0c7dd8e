"""The pump: shows the newest frame, never an older one after it, and leaves the window room to breathe."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Any

import pytest
from PySide6.QtCore import QObject, QThread
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QWidget

from engine.api import Finished, Frame, FrameReady, LabParameters, Mailbox, Message, Progress, Started
from gui.core.lab import pump
from gui.core.lab.pump import FASTEST, SLOWEST, Pump


@dataclass(frozen=True)
class Picture:
    """Nothing to draw."""


def ready(generation: int, step: int = 0) -> FrameReady:
    """A frame of a generation."""
    return FrameReady(generation, Frame(step, None, LabParameters(), Picture(), {}, (), {}))


class Clock:
    """The time that the pump reads: it goes on only when something costs time."""

    def __init__(self) -> None:
        self.now = 0.0

    def perf_counter(self) -> float:
        """The time now."""
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(pump, "time", made)
    return made


class Screen(QObject):
    """Shows frames, at a price."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock
        self.mailbox = Mailbox()
        self.pump = Pump(self.mailbox, self)
        self.cost = 0.0
        self.shown: list[tuple[int, int]] = []
        self.events: list[Any] = []
        self.threads: set[bool] = set()
        self.pump.frame_arrived.connect(self.on_frame)
        self.pump.event_arrived.connect(self.on_event)

    def on_frame(self, frame: Frame, generation: int) -> None:
        """Draw."""
        self.shown.append((generation, frame.step))
        self.threads.add(QThread.currentThread() is self.thread())
        self.clock.now += self.cost

    def on_event(self, event: Any) -> None:
        """Note."""
        self.events.append(event)


@pytest.fixture
def screen(qtbot: Any, clock: Clock) -> Screen:
    return Screen(clock)


def test_only_the_newest_frame_is_shown(screen: Screen) -> None:
    for step in range(5):
        screen.mailbox.put(ready(1, step))
    screen.pump.pull()
    screen.pump.pull()
    assert screen.shown == [(1, 4)]
    assert screen.mailbox.dropped == 4


def test_a_stale_frame_is_dropped_and_counted(screen: Screen) -> None:
    for generation in (2, 1, 2, 3):
        screen.mailbox.put(ready(generation))
        screen.pump.pull()
    assert [generation for generation, _ in screen.shown] == [2, 2, 3]
    assert screen.pump.stale == 1


def test_events_come_in_order_after_their_frame(screen: Screen) -> None:
    events = [
        Started(1, Message("cpu")),
        Progress(1, 0.1, Message("")),
        Progress(1, 0.2, Message("")),
        Progress(2, 0.1, Message("")),
        Finished(2),
    ]
    order: list[str] = []
    screen.pump.frame_arrived.connect(lambda *_: order.append("frame"))
    screen.pump.event_arrived.connect(lambda *_: order.append("event"))
    for event in events:
        screen.mailbox.post(event)
    screen.mailbox.put(ready(2))
    screen.pump.pull()
    assert screen.events == [events[0], *events[2:]], "only the newest progress of a run"
    assert order == ["frame", *["event"] * 4]


def test_it_pulls_by_itself_on_the_thread_of_the_window(screen: Screen, qtbot: Any) -> None:
    screen.pump.start()
    worker = threading.Thread(target=lambda: [screen.mailbox.put(ready(1, step)) or time.sleep(0.02) for step in range(10)])
    worker.start()
    qtbot.waitUntil(lambda: (1, 9) in screen.shown, timeout=3000)
    worker.join()
    assert screen.threads == {True}
    assert screen.shown == sorted(screen.shown)
    screen.pump.stop()
    assert not screen.pump.running
    screen.mailbox.put(ready(2))
    qtbot.wait(3 * FASTEST)
    assert screen.shown[-1] == (1, 9)


def test_a_waiting_producer_goes_on_once_its_frame_is_taken(screen: Screen) -> None:
    screen.mailbox.put(ready(1))
    assert not screen.mailbox.wait_empty(0.01)
    screen.pump.pull()
    assert screen.mailbox.wait_empty(0)


class Slow(QWidget):
    """A picture that takes its time to paint."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock
        self.cost = 0.0

    def paintEvent(self, event: QPaintEvent) -> None:
        self.clock.now += self.cost


@pytest.mark.parametrize("part", ["show", "paint"])
def test_it_slows_down_for_a_dear_picture_and_recovers(screen: Screen, qtbot: Any, part: str) -> None:
    picture = Slow(screen.clock)
    qtbot.addWidget(picture)
    with qtbot.waitExposed(picture, timeout=20_000):
        picture.show()
    screen.pump.frame_arrived.connect(lambda *_: picture.update())
    dear = screen if part == "show" else picture
    for cost, interval in ((0.03, 50), (0.2, SLOWEST), (0, FASTEST)):
        dear.cost = cost
        screen.mailbox.put(ready(1))
        screen.pump.pull()
        qtbot.waitUntil(lambda wanted=interval: screen.pump.interval == wanted, timeout=20_000)


def test_it_hurries_when_somebody_waits(screen: Screen, qtbot: Any) -> None:
    screen.pump.start()
    screen.cost = 0.2
    screen.mailbox.put(ready(1))
    qtbot.waitUntil(lambda: screen.pump.interval == SLOWEST, timeout=2000)
    screen.pump.hurry()
    assert screen.pump.interval == FASTEST

    def asked_again() -> bool:
        screen.mailbox.put(ready(2))
        screen.pump.hurry()
        return len(screen.shown) > 1

    qtbot.waitUntil(asked_again, timeout=20_000)  # asking again and again does not put it off


def test_frames_per_second_are_those_of_the_last_second(screen: Screen, qtbot: Any) -> None:
    for step in range(12):
        screen.mailbox.put(ready(1, step))
        screen.pump.pull()
    assert screen.pump.frames_per_second == 12
    screen.clock.now += 1.1
    assert screen.pump.frames_per_second == 0
