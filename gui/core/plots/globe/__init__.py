"""The globe: points, caps and great circles on a sphere that can be turned."""

from gui.core.plots.globe.globe import Globe

__all__ = ["Globe"]
