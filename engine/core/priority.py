"""Who goes first: the window draws between two steps of a worker, also where both share a core."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
import threading

NICENESS = 10  # of a worker on Linux; the window has 0
BELOW_NORMAL = -1  # THREAD_PRIORITY_BELOW_NORMAL of Windows
UTILITY = 0x11  # QOS_CLASS_UTILITY of macOS: work with a progress bar


def step_back() -> None:
    """Give this thread, and those it starts later, a lower priority than the thread of the window.

    Linux keeps a niceness for each thread, Windows a priority, macOS a class of service. Where the system refuses, the thread
    goes on as it was.
    """
    with contextlib.suppress(OSError, AttributeError):
        if sys.platform == "win32":
            kernel = ctypes.windll.kernel32
            kernel.GetCurrentThread.restype = ctypes.c_void_p  # a handle: 64 bits, where ctypes thinks of 32
            kernel.SetThreadPriority.argtypes = (ctypes.c_void_p, ctypes.c_int)
            kernel.SetThreadPriority(kernel.GetCurrentThread(), BELOW_NORMAL)
        elif sys.platform == "darwin":
            ctypes.CDLL(None).pthread_set_qos_class_self_np(UTILITY, 0)
        else:
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
