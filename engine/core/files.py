"""Writing files so that a crash at any moment leaves the old content or the new one, never a half."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from engine.core.errors import UsageError


def write_atomic(path: Path, content: bytes | str) -> None:
    """Replace the content of a file in one step.

    Raises
    ------
    UsageError
        If the place cannot be written; what was there before stays.
    """
    data = content.encode("utf-8") if isinstance(content, str) else content
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            temporary = Path(file.name)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        reason = error.strerror or str(error)
        raise UsageError(
            "{path} cannot be written: {reason}.", "Choose another place.", path=str(path), reason=reason
        ) from None
