"""Lets a parameter travel through its range, to and fro, as a hand on its slider would."""

from __future__ import annotations

import math
import time
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from engine.api import FieldSpec

SECONDS = 8.0  # from one end to the other
INTERVAL = 33


class Sweep(QObject):
    """Moves one numeric parameter at a time.

    Signals
    -------
    moved : (str, object)
        Name and new value.
    """

    moved = Signal(str, object)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._spec: FieldSpec | None = None
        self._start = 0.0
        self._began = 0.0
        self._last: Any = None
        self._timer = QTimer(self, interval=INTERVAL)
        self._timer.timeout.connect(self._tick)

    @property
    def parameter(self) -> str | None:
        """The name of the parameter that moves."""
        return self._spec.name if self._spec is not None else None

    def toggle(self, spec: FieldSpec, value: Any) -> None:
        """Set a parameter in motion from its value, or stop it."""
        if self._spec is not None and self._spec.name == spec.name:
            self.stop()
        elif spec.kind in ("int", "float") and spec.minimum is not None and spec.maximum is not None:
            self._spec = spec
            self._start = position_of(spec, value)
            self._began = time.monotonic()
            self._last = value
            self._timer.start()

    def stop(self) -> None:
        """Leave the parameter where it is."""
        self._spec = None
        self._timer.stop()

    def _tick(self) -> None:
        if self._spec is None:
            return
        travelled = self._start + (time.monotonic() - self._began) / SECONDS
        position = 1 - abs(1 - travelled % 2)  # a triangle wave: up, then down
        value = value_at(self._spec, position)
        if value != self._last:
            self._last = value
            self.moved.emit(self._spec.name, value)


def value_at(spec: FieldSpec, position: float) -> int | float:
    """The value at a position from 0 (minimum) to 1 (maximum), on the parameter's own scale."""
    low, high = _ends(spec)
    value = low * (high / low) ** position if spec.ui.scale == "log" else low + (high - low) * position
    value = min(high, max(low, float(f"{value:.4g}")))
    return round(value) if spec.kind == "int" else value


def position_of(spec: FieldSpec, value: float) -> float:
    """Where a value lies between minimum (0) and maximum (1)."""
    low, high = _ends(spec)
    if spec.ui.scale == "log":
        return min(1.0, max(0.0, math.log(max(value, low) / low) / math.log(high / low)))
    return min(1.0, max(0.0, (value - low) / (high - low)))


def _ends(spec: FieldSpec) -> tuple[float, float]:
    low, high = float(spec.minimum or 0), float(spec.maximum or 1)
    margin = 1e-3 * (high - low)
    if spec.ui.scale == "log" and low <= 0:
        low = high * 1e-6
    elif spec.open_minimum:
        low += margin
    return low, high - margin if spec.open_maximum else high
