"""Asks whether a window can be opened here, before Qt is asked: Qt ends the program where it cannot."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import sys
from pathlib import Path


def obstacle() -> str:
    """Why no window can be opened on this machine; empty where nothing is in the way.

    Only Linux is asked: elsewhere a session always has a display. A platform chosen by ``QT_QPA_PLATFORM`` is taken as it is.
    """
    if sys.platform != "linux" or os.environ.get("QT_QPA_PLATFORM") or os.environ.get("WAYLAND_DISPLAY"):
        return ""
    if not os.environ.get("DISPLAY"):
        return "there is no display: DISPLAY is not set"
    return _xcb_obstacle()


def _xcb_obstacle() -> str:
    """Load what Qt would load, and greet the X server as Qt would."""
    found = importlib.util.find_spec("PySide6")
    plugin = Path(found.origin).parent / "Qt/plugins/platforms/libqxcb.so" if found and found.origin else None
    try:
        if plugin and plugin.exists():
            ctypes.CDLL(str(plugin))
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError as error:
        return f"a system library is missing: {error}"
    xcb.xcb_connect.restype = ctypes.c_void_p
    connection = ctypes.c_void_p(xcb.xcb_connect(None, None))
    refused = xcb.xcb_connection_has_error(connection) != 0
    xcb.xcb_disconnect(connection)
    return f"the display {os.environ['DISPLAY']} does not answer" if refused else ""
