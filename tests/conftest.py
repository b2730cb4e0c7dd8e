"""Settings that must stand before Qt or torch is imported, and fixtures every test may use."""

from __future__ import annotations

import os

from hypothesis import settings

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("OMP_NUM_THREADS", "1")

settings.register_profile("theoria", deadline=None)  # how long an example takes says nothing beside other work
settings.load_profile("theoria")
