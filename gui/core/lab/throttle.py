"""At most one call in a span of time, the first at once and the last never lost."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal


class Throttle(QObject):
    """Emits `triggered` on the first `request`, then at most once per interval, and once more for the last request.

    Without the leading edge a slider feels dead, without the trailing one its last value is lost.
    """

    triggered = Signal()

    def __init__(self, interval: int, parent: QObject) -> None:
        super().__init__(parent)
        self._pending = False
        self._timer = QTimer(self, interval=interval, singleShot=True)
        self._timer.timeout.connect(self._elapsed)

    def request(self) -> None:
        """Ask for a call."""
        if self._timer.isActive():
            self._pending = True
        else:
            self._timer.start()
            self.triggered.emit()

    def flush(self) -> None:
        """Make a pending call now."""
        if self._pending:
            self._elapsed()

    def stop(self) -> None:
        """Forget what is pending; the next request is the first one again."""
        self._pending = False
        self._timer.stop()

    def _elapsed(self) -> None:
        if self._pending:
            self._pending = False
            self._timer.start()
            self.triggered.emit()
