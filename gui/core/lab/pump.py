"""Takes frames and events from a runner's mailbox, on the GUI thread, at the GUI's own rate."""

from __future__ import annotations

import time
from collections import deque

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

from engine.api import Frame, Mailbox

FASTEST = 16  # ms between two looks into the mailbox
SLOWEST = 120
BUSY_SHARE = 0.6  # of the interval that showing and painting a frame may take before the pump slows down


class Pump(QObject):
    """Pulls from a mailbox. Nothing is ever emitted from the worker's thread.

    Signals
    -------
    frame_arrived : (Frame, int)
        A frame newer than all shown before, with its generation.
    event_arrived : (object)
        Started, Progress, Finished or Failed.
    """

    frame_arrived = Signal(object, int)
    event_arrived = Signal(object)

    def __init__(self, mailbox: Mailbox, parent: QObject) -> None:
        super().__init__(parent)
        self.stale = 0
        self._mailbox = mailbox
        self._shown_generation = 0
        self._shown_at: deque[float] = deque(maxlen=120)
        self._painted = QTimer(self, interval=0, singleShot=True)  # is due once what was shown has been painted
        self._painted.timeout.connect(self._adapt)
        self._timer = QTimer(self, interval=FASTEST, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self.pull)

    def start(self) -> None:
        """Look into the mailbox regularly."""
        self._timer.start()

    def stop(self) -> None:
        """Look no more; a producer that waits for its credit then waits on, at no cost."""
        self._timer.stop()

    def hurry(self) -> None:
        """Somebody waits for the next frame: look as often as possible until it is there."""
        if self._timer.interval() != FASTEST:
            self._timer.setInterval(FASTEST)

    @property
    def running(self) -> bool:
        """Whether the mailbox is being watched."""
        return self._timer.isActive()

    @property
    def interval(self) -> int:
        """Milliseconds between two looks, at present."""
        return self._timer.interval()

    @property
    def frames_per_second(self) -> float:
        """Frames shown within the last second."""
        now = time.perf_counter()
        return float(sum(1 for moment in self._shown_at if now - moment <= 1.0))

    def pull(self) -> None:
        """Take what waits and pass it on; a frame older than one already shown is dropped."""
        events, ready = self._mailbox.take()
        if ready is not None:
            if ready.generation >= self._shown_generation:
                self._shown_generation = ready.generation
                self._show(ready.frame, ready.generation)
            else:
                self.stale += 1
        for event in events:
            self.event_arrived.emit(event)

    def _show(self, frame: Frame, generation: int) -> None:
        self._shown_at.append(time.perf_counter())
        self.frame_arrived.emit(frame, generation)
        self._painted.start()

    @Slot()
    def _adapt(self) -> None:
        """Leave the GUI thread room to breathe: showing takes at most a share of the interval."""
        cost = (time.perf_counter() - self._shown_at[-1]) * 1000
        wanted = round(min(SLOWEST, max(FASTEST, cost / BUSY_SHARE)))
        if abs(wanted - self._timer.interval()) > 4 or wanted == FASTEST != self._timer.interval():
            self._timer.setInterval(wanted)
