"""The curves and the range of the picture of `distribution`: pure functions of the exact law."""

from __future__ import annotations

import math

import numpy as np

from engine.math.random.angles import SubspaceLaw, VectorLaw

Law = VectorLaw | SubspaceLaw

CURVE_POINTS = 401
CDF_POINTS = 4097  # over 28 deviations: a straight line between two of them is off by less than 2e-6
HALF_WIDTHS = np.radians([90, 60, 45, 30, 20, 15, 10, 6, 4, 3, 2, 1, 0.6, 0.4, 0.3, 0.2])  # of the picture, to choose from


def picture_window(law: Law, deviation: float, full: bool) -> tuple[float, float]:
    """The angles to show: all of them, or the narrowest round range with more than five deviations on each side."""
    low, high = law.support
    if full:
        return low, high
    half = next((half for half in HALF_WIDTHS[::-1] if half >= 5.2 * deviation), HALF_WIDTHS[0])
    grain = math.radians(1) if half > math.radians(4) else half / 4
    middle = round(law.mean / grain) * grain
    return max(low, middle - half), min(high, middle + half)


def cosine_window(window: tuple[float, float]) -> tuple[float, float]:
    """The cosines of the picture's angles."""
    return math.cos(window[1]), math.cos(window[0])


def exact_curves(law: Law, window: tuple[float, float], compare: tuple[int, ...]) -> dict[str, np.ndarray]:
    """The law of angle and cosine over the window, and the angle laws of other dimensions."""
    grid = np.linspace(*window, CURVE_POINTS)
    others = [VectorLaw(n).density(grid) for n in compare]
    low, high = cosine_window(window)
    inset = 1e-4 * (high - low)  # for n = 2 the law of the cosine has poles at the ends
    cosines = np.linspace(low + inset, high - inset, CURVE_POINTS)
    sines = np.sqrt((1 - cosines) * (1 + cosines))
    return {
        "grid": grid,
        "law": law.density(grid),
        "compare_dimensions": np.array(compare, dtype=np.int64),
        "compare_laws": np.array(others).reshape(len(compare), CURVE_POINTS),
        "cosine_grid": cosines,
        "cosine_law": law.density(np.arccos(cosines)) / sines,
    }


def cdf_on(law: Law, low: float, high: float, bins: int) -> np.ndarray:
    """The distribution function on the edges of equal bins, shape (bins + 1,), to 2e-6.

    An incomplete beta function costs about a microsecond: it is evaluated where the law lives, and interpolated.
    """
    reach = 14 * math.sqrt(law.var)
    support = law.support
    grid = np.linspace(max(support[0], law.mean - reach), min(support[1], law.mean + reach), CDF_POINTS)
    return np.interp(np.linspace(low, high, bins + 1), grid, law.cdf(grid))
