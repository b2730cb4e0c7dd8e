"""The geometry of the globe: where the viewer stands, circles on the sphere, bands of equal area."""

from __future__ import annotations

import math

import numpy as np

from gui.core.plots.raster.paint import Floats


def camera(azimuth: float, elevation: float) -> Floats:
    """The rotation into the viewer's frame: its rows point right, up and towards the viewer.

    Parameters
    ----------
    azimuth, elevation : float
        Where the viewer stands, in radians.
    """
    toward = np.array([math.cos(elevation) * math.cos(azimuth), math.cos(elevation) * math.sin(azimuth), math.sin(elevation)])
    right = np.array([-math.sin(azimuth), math.cos(azimuth), 0.0])
    return np.stack([right, np.cross(toward, right), toward])


def equal_area_angles(count: int) -> Floats:
    """The polar angles in degrees, shape (count - 1,), that cut the sphere into `count` bands of equal area.

    The area above polar angle t is 2 pi (1 - cos t) (Archimedes), so their cosines are equally spaced.
    """
    return np.degrees(np.arccos(1 - 2 * np.arange(1, count) / count))


def graticule(lines: int = 73) -> Floats:
    """Circles of latitude each 30 degrees and meridians each 30 degrees, shape (circles, lines, 3)."""
    turn = np.linspace(0, 2 * np.pi, lines)
    parallels = [
        np.column_stack([np.cos(b) * np.cos(turn), np.cos(b) * np.sin(turn), np.full(lines, np.sin(b))])
        for b in np.radians([0, -60, -30, 30, 60])
    ]
    meridians = [
        np.column_stack([np.sin(turn) * np.cos(a), np.sin(turn) * np.sin(a), np.cos(turn)])
        for a in np.radians(np.arange(0, 180, 30))
    ]
    return np.stack(parallels + meridians)
