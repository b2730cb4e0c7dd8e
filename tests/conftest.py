"""Settings that must stand before Qt or torch is imported, and fixtures every test may use."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from pytestqt.qtbot import QtBot

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ["FONTCONFIG_FILE"] = str(Path(__file__).parent / "fonts.conf")  # programs that tests start inherit it
os.environ.setdefault("OMP_NUM_THREADS", "1")

# How long an example takes says nothing beside other work.
settings.register_profile("theoria", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("theoria")

PATIENCE = 20_000  # ms that a machine under load may take for what takes a moment


@pytest.fixture(scope="session")
def qapp(qapp: Any) -> Any:
    """The application with the fonts that the program ships."""
    from gui.core.look.fonts import load_fonts

    load_fonts()
    return qapp


class PatientBot(QtBot):
    """Waits for what shall happen as long as a busy machine may need: a test fails for what is wrong, never for when."""

    def waitUntil(self, callback: Callable[[], bool | None], *, timeout: int = PATIENCE) -> None:
        super().waitUntil(callback, timeout=max(timeout, PATIENCE))

    def waitSignal(self, signal: Any, *, timeout: int = PATIENCE, **options: Any) -> Any:
        return super().waitSignal(signal, timeout=max(timeout, PATIENCE), **options)

    def wait(self, ms: int) -> None:
        """Let so much time pass, and in any case everything happen that is due."""
        super().wait(ms)
        from PySide6.QtCore import QCoreApplication

        for _ in range(5):
            QCoreApplication.processEvents()


@pytest.fixture
def qtbot(qapp: Any, request: pytest.FixtureRequest) -> QtBot:
    """The one of pytest-qt, with more patience."""
    return PatientBot(request)
