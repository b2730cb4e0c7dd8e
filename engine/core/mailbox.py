"""Where a worker leaves its newest frame and a listener takes it, at its own rate."""

from __future__ import annotations

import threading
from collections import deque

from engine.core.events import Event, FrameReady


class Mailbox:
    """Room for one frame, and a short queue of events.

    A producer that waits for `wait_empty` before it computes the next frame works at the listener's rate (a credit of one);
    one that does not simply overwrites.
    """

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._frame: FrameReady | None = None
        self._events: deque[Event] = deque(maxlen=256)
        self.dropped = 0

    def put(self, frame: FrameReady) -> None:
        """Leave a frame, replacing one that was not taken."""
        with self._condition:
            self.dropped += self._frame is not None
            self._frame = frame

    def post(self, event: Event) -> None:
        """Leave an event; only one progress event waits at a time."""
        with self._condition:
            if self._events and type(self._events[-1]) is type(event) and self._events[-1].generation == event.generation:
                self._events.pop()
            self._events.append(event)

    def take(self) -> tuple[list[Event], FrameReady | None]:
        """Everything that waits; afterwards the box is empty and a waiting producer goes on."""
        with self._condition:
            events, frame = list(self._events), self._frame
            self._events.clear()
            self._frame = None
            self._condition.notify_all()
        return events, frame

    def discard_frame(self) -> None:
        """Throw away a frame that has become stale."""
        with self._condition:
            self._frame = None
            self._condition.notify_all()

    @property
    def empty(self) -> bool:
        """Whether there is room for a frame (a hint, as another thread may change it)."""
        return self._frame is None

    def wait_empty(self, timeout: float) -> bool:
        """Wait until there is room for a frame; False if the time ran out first."""
        with self._condition:
            return self._condition.wait_for(lambda: self._frame is None, timeout)
