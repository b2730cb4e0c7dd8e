"""Lets a parameter travel through its range, to and fro, as a hand on its slider would."""

from __future__ import annotations

import time
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from engine.api import FieldSpec, LabParameters
from gui.core.form.scale import Scale, scale_of

SECONDS = 8.0  # from one end to the other
INTERVAL = 33


class Sweep(QObject):
    """Moves one numeric parameter at a time, through the values of its slider.

    Signals
    -------
    changed : (str or None)
        The name of the parameter that moves from now on.
    moved : (str, object)
        Name and new value.
    ended : (LabParameters)
        A journey is over; the parameters are those before it.
    """

    changed = Signal(object)
    moved = Signal(str, object)
    ended = Signal(object)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._journey: tuple[FieldSpec, Scale, LabParameters] | None = None
        self._start = 0.0
        self._began = 0.0
        self._last: Any = None
        self._timer = QTimer(self, interval=INTERVAL)
        self._timer.timeout.connect(self._tick)

    @property
    def parameter(self) -> str | None:
        """The name of the parameter that moves."""
        return self._journey[0].name if self._journey is not None else None

    def toggle(self, spec: FieldSpec, parameters: LabParameters) -> None:
        """Set a parameter in motion from its value, in the place of any other; or stop it."""
        again = self.parameter == spec.name
        self.stop()
        scale = scale_of(spec)
        if again or scale is None:
            return
        self._journey = spec, scale, parameters
        self._last = getattr(parameters, spec.name)
        self._start = scale.position(self._last) / scale.positions
        self._began = time.monotonic()
        self._timer.start()
        self.changed.emit(spec.name)

    @Slot()
    def stop(self) -> None:
        """Leave the parameter where it is."""
        if self._journey is None:
            return
        before, self._journey = self._journey[2], None
        self._timer.stop()
        self.changed.emit(None)
        self.ended.emit(before)

    @Slot()
    def _tick(self) -> None:
        if self._journey is None:
            return
        spec, scale, _ = self._journey
        travelled = self._start + (time.monotonic() - self._began) / SECONDS
        position = 1 - abs(1 - travelled % 2)  # a triangle wave: up, then down
        value = scale.value(round(position * scale.positions))
        if value != self._last:
            self._last = value
            self.moved.emit(spec.name, value)
