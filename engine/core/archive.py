"""Arrays in files: ``.npz`` without pickles, and a session together with the arrays that were on the screen."""

from __future__ import annotations

import io
import lzma
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from engine.core.errors import UsageError
from engine.core.files import NoRegularFile, check_regular, write_atomic
from engine.core.session import LARGEST_FILE, Session, parse_session, read_session

if TYPE_CHECKING:  # the window is on the screen a tenth of a second sooner without it
    import numpy as np

MANIFEST = "session.json"


def npz(arrays: Mapping[str, np.ndarray]) -> bytes:
    """An ``.npz`` archive: no pickles, any array name, no time stamps, so that equal arrays are equal bytes."""
    from numpy.lib.format import write_array

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, array in arrays.items():
            entry = zipfile.ZipInfo(f"{name}.npy")
            entry.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(entry, "w", force_zip64=True) as file:
                write_array(file, array, allow_pickle=False)
    return buffer.getvalue()


def write_archive(path: Path, session: Session, arrays: Mapping[str, Mapping[str, np.ndarray]]) -> None:
    """Write a zip with the session as ``session.json`` and the arrays of each experiment as ``arrays/<name>.npz``.

    Raises
    ------
    UsageError
        If the place cannot be written.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(MANIFEST, session.to_json())
        for name, values in arrays.items():
            archive.writestr(f"arrays/{name}.npz", npz(values))
    write_atomic(path, buffer.getvalue())


def open_session(path: Path) -> Session:
    """Read a session from a JSON file, or from the manifest of a zip; what else is in the zip is not touched.

    Raises
    ------
    UsageError
        As `read_session`; also where the zip is damaged or has no manifest.
    """
    try:
        check_regular(path)
    except (OSError, NoRegularFile):
        return read_session(path)  # which says what is wrong
    if not zipfile.is_zipfile(path):
        return read_session(path)
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.getinfo(MANIFEST).file_size > LARGEST_FILE:
                raise UsageError("{path} is too large to be a session.", path=str(path))
            text = archive.read(MANIFEST).decode("utf-8")
    except KeyError:
        raise UsageError("{name} is not a session of Theoria.", name=str(path)) from None
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, OSError, EOFError, RuntimeError, ValueError) as error:
        raise UsageError("{path} cannot be read: {reason}.", path=str(path), reason=str(error)) from None
    return parse_session(text, str(path))
