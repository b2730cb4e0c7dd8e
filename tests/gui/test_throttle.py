"""The throttle: the first call at once, never too many, the last never lost."""

from __future__ import annotations

import time
from itertools import pairwise
from typing import Any

import pytest
from PySide6.QtCore import QCoreApplication, QObject

from gui.core.lab.throttle import Throttle

INTERVAL = 40


class Heard(QObject):
    """Remembers which request was the newest at each call."""

    def __init__(self) -> None:
        super().__init__()
        self.throttle = Throttle(INTERVAL, self)
        self.newest = 0
        self.calls: list[tuple[float, int]] = []
        self.throttle.triggered.connect(self.on_triggered)

    def on_triggered(self) -> None:
        """A call."""
        self.calls.append((time.monotonic(), self.newest))

    def ask(self) -> None:
        """A request."""
        self.newest += 1
        self.throttle.request()


@pytest.fixture
def heard(qtbot: Any) -> Heard:
    return Heard()


def test_the_first_request_is_answered_at_once(heard: Heard) -> None:
    heard.ask()
    assert [number for _, number in heard.calls] == [1]


def test_one_request_is_one_call(heard: Heard, qtbot: Any) -> None:
    heard.ask()
    qtbot.wait(3 * INTERVAL)
    assert len(heard.calls) == 1


def test_the_last_request_is_answered(heard: Heard, qtbot: Any) -> None:
    for _ in range(5):
        heard.ask()
    assert len(heard.calls) == 1
    qtbot.waitUntil(lambda: [number for _, number in heard.calls] == [1, 5])


def test_a_dragging_hand_is_heard_at_most_once_per_interval(heard: Heard, qtbot: Any) -> None:
    end = time.monotonic() + 0.5
    while time.monotonic() < end:
        heard.ask()
        QCoreApplication.processEvents()
    qtbot.waitUntil(lambda: heard.calls[-1][1] == heard.newest)
    moments = [moment for moment, _ in heard.calls]
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    assert min(gaps) > 0.8 * INTERVAL / 1000
    assert 2 <= len(heard.calls) <= 15


def test_flush_makes_a_pending_call_now(heard: Heard, qtbot: Any) -> None:
    heard.throttle.flush()
    assert heard.calls == []
    heard.ask()
    heard.ask()
    heard.throttle.flush()
    assert [number for _, number in heard.calls] == [1, 2]
    qtbot.wait(3 * INTERVAL)
    assert len(heard.calls) == 2


def test_a_request_made_by_a_call_is_not_lost(heard: Heard, qtbot: Any) -> None:
    def again() -> None:
        if heard.newest < 3:
            heard.ask()

    heard.throttle.triggered.connect(again)
    heard.ask()
    qtbot.waitUntil(lambda: heard.newest == 3 and heard.calls[-1][1] == 3, timeout=1000)
