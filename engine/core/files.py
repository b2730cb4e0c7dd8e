"""Writing files so that a crash at any moment leaves the old content or the new one, never a half."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

from engine.core.errors import UsageError
from engine.core.messages import Message


class NoRegularFile(Exception):
    """A folder, a device or a pipe where a file should be: reading it may wait for ever or fill the memory."""

    def __init__(self, reason: Message) -> None:
        super().__init__(str(reason))
        self.reason = reason


class TooLarge(Exception):
    """A file that holds more bytes than are wanted."""

    def __init__(self, size: int) -> None:
        super().__init__(f"{size} bytes")
        self.size = size


def check_regular(path: Path) -> os.stat_result:
    """What the system knows of a file, before it is opened.

    Raises
    ------
    NoRegularFile
        If it is something else.
    OSError
        If there is none.
    """
    about = path.stat()
    if not stat.S_ISREG(about.st_mode):
        raise NoRegularFile(Message("it is a folder") if stat.S_ISDIR(about.st_mode) else Message("it is no regular file"))
    return about


def read_regular(path: Path, most: int) -> bytes:
    """The bytes of a regular file.

    Raises
    ------
    TooLarge
        If there are more than the most, also of a file that grows meanwhile; nothing is read that was too large before.
    NoRegularFile, OSError
        As `check_regular`, or if it cannot be read.
    """
    size = check_regular(path).st_size
    if size > most:
        raise TooLarge(size)
    with path.open("rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise TooLarge(len(data))
    return data


def write_atomic(path: Path, content: bytes | str) -> None:
    """Replace the content of a file in one step.

    Raises
    ------
    UsageError
        If the place cannot be written; what was there before stays.
    """
    data = content.encode("utf-8") if isinstance(content, str) else content
    try:
        path = path.resolve()  # through a link, so that the link stays one
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, data)
    except OSError as error:
        reason = error.strerror or str(error)
        raise UsageError(
            "{path} cannot be written: {reason}.", "Choose another place.", path=str(path), reason=reason
        ) from None


def _replace(path: Path, data: bytes) -> None:
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        try:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            if os.name == "posix":
                os.fchmod(file.fileno(), _mode(path))
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise
    try:
        Path(file.name).replace(path)
    except BaseException:
        Path(file.name).unlink(missing_ok=True)
        raise


def _mode(path: Path) -> int:
    """The permissions of the file that is replaced, or those of any new file; a temporary file's are too narrow."""
    if path.exists():
        return path.stat().st_mode & 0o777
    umask = os.umask(0)
    os.umask(umask)
    return 0o666 & ~umask
