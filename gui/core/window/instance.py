"""One session file belongs to one running program: a second one keeps a session of its own."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QLockFile

MOST = 99  # programs of one user at the same time


class Claim:
    """The session file that is ours while the program runs.

    The lock knows the process that holds it, so that one left behind by a crash is taken over.

    Attributes
    ----------
    path : Path
        The wanted file, or ``session-2.json`` and so on where another program holds it.
    first : bool
        Whether it is the wanted one.
    """

    def __init__(self, wanted: Path) -> None:
        self.path = wanted
        self._lock: QLockFile | None = None
        try:
            wanted.parent.mkdir(parents=True, exist_ok=True)
        except OSError:  # nothing can be kept there, and autosave says so
            self.first = True
            return
        for number in range(1, MOST + 1):
            path = wanted if number == 1 else wanted.with_name(f"{wanted.stem}-{number}{wanted.suffix}")
            lock = QLockFile(str(path.with_suffix(".lock")))
            lock.setStaleLockTime(0)
            if lock.tryLock(0) or lock.error() != QLockFile.LockError.LockFailedError:
                self.path, self._lock = path, lock
                break
        self.first = self.path == wanted

    def release(self) -> None:
        """Let another program have it."""
        if self._lock is not None:
            self._lock.unlock()
