"""The last file that was read, so that it is read again only after it has changed."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Generic, TypeVar

Value = TypeVar("Value")
Mark = tuple[str, int, int, int]


class Kept(Generic[Value]):
    """One value and the key it belongs to.

    Parameters
    ----------
    most : int
        Bytes of the largest value that is kept.
    """

    def __init__(self, most: int = 1 << 26) -> None:
        self._most = most
        self._entry: tuple[Hashable, Value] | None = None

    def get(self, key: Hashable | None, make: Callable[[], Value], size: Callable[[Value], int]) -> Value:
        """The value of a key; made where another is kept, and always where the key is None."""
        entry = self._entry
        if key is not None and entry is not None and entry[0] == key:
            return entry[1]
        value = make()
        self._entry = (key, value) if key is not None and size(value) <= self._most else None
        return value


def mark(path: str | Path) -> Mark | None:
    """What changes when a file changes; None where there is none."""
    try:
        file = Path(path).expanduser().resolve()
        about = file.stat()
    except (OSError, ValueError, RuntimeError):
        return None
    return str(file), about.st_mtime_ns, about.st_size, about.st_ino
