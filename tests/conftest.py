"""Settings that must stand before Qt or torch is imported, and fixtures every test may use."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ["FONTCONFIG_FILE"] = str(Path(__file__).parent / "fonts.conf")  # programs that tests start inherit it
os.environ.setdefault("OMP_NUM_THREADS", "1")

settings.register_profile("theoria", deadline=None)  # how long an example takes says nothing beside other work
settings.load_profile("theoria")


@pytest.fixture(scope="session")
def qapp(qapp: Any) -> Any:
    """The application with the fonts that the program ships."""
    from gui.core.look.fonts import load_fonts

    load_fonts()
    return qapp
