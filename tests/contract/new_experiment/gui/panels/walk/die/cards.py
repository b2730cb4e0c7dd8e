"""The card of the faces."""

from __future__ import annotations

import numpy as np

from gui.core.plots import Histogram, Marker, PlotCard


class FacesCard(PlotCard):
    """Bars for the faces, and a line at the mean."""

    def __init__(self) -> None:
        super().__init__()
        self.bars = self.add(Histogram("data"))
        self.mean = self.add(Marker("theory"))

    def show_counts(self, counts: np.ndarray, mean: float) -> None:
        """Draw counts, shape (n,), and the mean of all throws."""
        edges = np.arange(len(counts) + 1) + 0.5
        self.bars.setData(counts, edges)
        self.mean.setData(mean)
        self.set_range(x=(0.5, len(counts) + 0.5), y=(0, max(1.0, 1.1 * counts.max())))
