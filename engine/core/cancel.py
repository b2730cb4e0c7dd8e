"""Cancelling a run from another thread."""

from __future__ import annotations

import threading

from engine.core.errors import Cancelled


class CancelToken:
    """One per run. A tweak cancels *softly*: only once the first frame is out; closing cancels at once.

    A run that is cancelled before its first picture leaves the screen empty for as long as a hand drags a slider; one that
    shows it first paints many pictures a second.
    """

    def __init__(self) -> None:
        self._asked = threading.Event()
        self._shielded = True

    def cancel(self, *, now: bool = False) -> None:
        """Ask the run to end; ``now`` also before its first frame."""
        if now:
            self._shielded = False
        self._asked.set()

    def first_frame_out(self) -> None:
        """From here on a soft cancel counts too."""
        self._shielded = False

    @property
    def cancelled(self) -> bool:
        """Whether the run should end at its next checkpoint."""
        return self._asked.is_set() and not self._shielded

    def checkpoint(self) -> None:
        """Raise `Cancelled` if the run should end."""
        if self.cancelled:
            raise Cancelled
