"""Where a number stands on its slider, and how far a key or a click of the wheel moves it. Pure arithmetic, no Qt."""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass
from typing import Literal

from engine.api import FieldSpec
from gui.core.numbers import nice_below

POSITIONS = 1000
SERIES = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
DECADES_BELOW_DEFAULT = 3

Size = Literal["fine", "step", "coarse"]


@dataclass(frozen=True, slots=True)
class Scale:
    """Maps the numbers of a parameter to slider positions and back.

    Parameters
    ----------
    low, high : float
        The smallest and largest number that the slider reaches; open bounds lie outside.
    whole : bool
        Whether only integers count.
    logarithmic : bool
        Whether equal distances are equal ratios.
    zero : bool
        A logarithmic scale whose first position is exactly 0.
    """

    low: float
    high: float
    whole: bool
    logarithmic: bool
    zero: bool = False

    @property
    def positions(self) -> int:
        """The number of the last position; the first is 0."""
        span = self.high - self.low
        return max(1, int(span)) if self.whole and not self.logarithmic and span <= POSITIONS else POSITIONS

    @property
    def step(self) -> float:
        """The linear step: a nice number near a hundredth of the range, 1 at least for integers."""
        step = nice_below((self.high - self.low) / 100)
        return max(1.0, step) if self.whole else step

    def position(self, value: float) -> int:
        """The position nearest to a value; values outside stand at the ends."""
        if self.zero and value < self.low:
            return 0
        value = min(self.high, max(self.low, value))
        if self.logarithmic:
            first = 1 if self.zero else 0
            return first + round((self.positions - first) * math.log(value / self.low) / self._decades(math.e))
        return round(self.positions * ((value - self.low) / (self.high - self.low)))

    def value(self, position: int) -> float:
        """The nice number at a position; the two ends are exact."""
        if position <= 0:
            return self._typed(0.0 if self.zero else self.low)
        if position >= self.positions:
            return self._typed(self.high)
        if self.logarithmic:
            first = 1 if self.zero else 0
            raw = self.low * math.exp(self._decades(math.e) * (position - first) / (self.positions - first))
            return self._clamped(round_mantissa(raw, self._mantissa_grid()))
        raw = self.low + (self.high - self.low) * (position / self.positions)
        return self._clamped(raw if self.whole else snap(raw, self.step / 10))

    def stepped(self, value: float, direction: int, size: Size) -> float:
        """The value one step further: a tenth of a step if fine, ten steps (a factor of ten) if coarse."""
        if self.logarithmic:
            return self._stepped_ratio(value, direction, size)
        step = {"fine": self.step / 10, "step": self.step, "coarse": self.step * 10}[size]
        step = max(1.0, round(step)) if self.whole else step
        moved = value + direction * step
        return self._clamped(moved if self.whole else snap(moved, min(step, self.step / 10)))

    def _stepped_ratio(self, value: float, direction: int, size: Size) -> float:
        if self.zero and value < self.low:
            return self._typed(self.low if direction > 0 else 0.0)
        if self.zero and direction < 0 and value <= self.low:
            return self._typed(0.0)
        exponent = direction * {"fine": 0.01, "step": 0.1, "coarse": 1.0}[size]
        raw = max(value, self.low) * 10**exponent
        moved = self._clamped({"fine": round_mantissa(raw, 0.01), "step": nearest_in_series(raw), "coarse": tidy(raw)}[size])
        if moved == value and self.whole:
            return self._clamped(value + direction)
        return moved

    def _decades(self, base: float = 10.0) -> float:
        return math.log(self.high / self.low) / math.log(base)

    def _mantissa_grid(self) -> float:
        # As fine as a screen pixel can choose, and no finer: digits nobody chose are noise.
        decades = self._decades()
        return 0.1 if decades >= 4 else 0.05 if decades >= 2 else 0.01

    def _clamped(self, value: float) -> float:
        return self._typed(min(self.high, max(self.low, round(value) if self.whole else value)))

    def _typed(self, value: float) -> float:
        return int(value) if self.whole else float(value)


def scale_of(spec: FieldSpec) -> Scale | None:
    """The scale of a numeric parameter; None where it has no finite range to slide through."""
    if spec.minimum is None or spec.maximum is None or spec.kind not in ("int", "float"):
        return None
    whole = spec.kind == "int"
    low, high = float(spec.minimum), float(spec.maximum)
    logarithmic = spec.ui.scale == "log" and high > 0
    zero = False
    if logarithmic and low <= 0:
        zero = low == 0 and not spec.open_minimum
        low = 1.0 if whole else _smallest(float(spec.default), high)
    margin = 1.0 if whole else None
    if spec.open_minimum and low == spec.minimum:
        low += margin or (low * 1e-3 if logarithmic else nice_below((high - low) / 100) / 10)
    if spec.open_maximum:
        high -= margin or (high * 1e-3 if logarithmic else nice_below((high - low) / 100) / 10)
    return Scale(low, high, whole, logarithmic, zero) if low < high else None


def snap(value: float, step: float) -> float:
    """The multiple of a step nearest to a value, without the dust of binary fractions."""
    return tidy(round(value / step) * step)


def tidy(value: float) -> float:
    """The value to twelve significant digits, which removes the dust of binary fractions."""
    return float(f"{value:.12g}")


def round_mantissa(value: float, grid: float) -> float:
    """The value with its mantissa (1 to 10) rounded to a grid, for example 0.1 for two significant digits."""
    if value == 0 or not math.isfinite(value):
        return value
    power = math.floor(math.log10(abs(value)))
    return tidy(round(value / 10.0**power / grid) * grid * 10.0**power)


def nearest_in_series(value: float) -> float:
    """The number 1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6 or 8 times a power of ten whose ratio to a positive value is nearest to 1."""
    power = math.floor(math.log10(value))
    mantissa = value / 10.0**power
    above = min(len(SERIES) - 1, max(1, bisect_left(SERIES, mantissa)))
    low, high = SERIES[above - 1], SERIES[above]
    return tidy((low if mantissa * mantissa < low * high else high) * 10.0**power)


def _smallest(default: float, high: float) -> float:
    """Where a logarithmic slider begins whose range reaches down to zero."""
    start = default if default > 0 else high
    return 10.0 ** (math.floor(math.log10(start)) - DECADES_BELOW_DEFAULT)
