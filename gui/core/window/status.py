"""What the machine is doing: device, steps and frames a second, dropped frames, memory."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import psutil
from PySide6.QtCore import QObject, QTimer

from gui.core.i18n import tr
from gui.core.window.rail import Rail

if TYPE_CHECKING:
    from gui.main_window import MainWindow

INTERVAL = 500


class Status(QObject):
    """Refreshes the status line of the rail twice a second."""

    def __init__(self, window: MainWindow, rail: Rail) -> None:
        super().__init__(window)
        self._window = window
        self._rail = rail
        self._process = psutil.Process()
        self._steps = 0
        self._moment = time.perf_counter()
        self._timer = QTimer(self, interval=INTERVAL)
        self._timer.timeout.connect(self.refresh)
        self._timer.start()

    def stop(self) -> None:
        """No more refreshing."""
        self._timer.stop()

    def refresh(self) -> None:
        """Measure and show."""
        memory = tr("{megabytes:,.0f} MB of memory", megabytes=self._process.memory_info().rss / 2**20)
        if not self._window.ready:
            starting = [tr("starting torch …")] if self._window.starting else []
            self._rail.set_status([*starting, memory])
            return
        view = self._window.view
        if view is None:
            self._rail.set_status([memory])
            return
        session = view.session
        now, steps = time.perf_counter(), session.runner.steps_done
        rate = max(0, steps - self._steps) / max(now - self._moment, 1e-3)
        self._steps, self._moment = steps, now
        self._rail.set_status(
            [
                tr(session.device_label),
                tr("{rate:,.0f} steps/s · {frames:.0f} frames/s", rate=rate, frames=session.pump.frames_per_second),
                tr("{count:,d} dropped", count=session.pump.stale + session.runner.mailbox.dropped),
                memory,
            ]
        )
