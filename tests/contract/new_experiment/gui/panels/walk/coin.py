"""Draws where the walkers are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.api import Frame
from gui.core.lab.panel import Panel
from gui.core.plots import Histogram, PlotCard

if TYPE_CHECKING:
    from engine.labs.walk.coin import Parameters, Picture


class ExperimentPanel(Panel["Parameters", "Picture"]):
    """One histogram."""

    def build(self) -> None:
        self.card = PlotCard()
        self.bars = self.card.add(Histogram("data"))
        self.arrange([self.card])

    def retranslate(self) -> None:
        self.card.set_title(self.text("Where the walkers are"))

    def draw(self, frame: Frame[Parameters, Picture], parameters: Parameters) -> None:
        counts, edges = np.histogram(frame.picture.positions, bins=41)
        self.bars.setData(counts, edges)
        self.card.set_range(x=(edges[0], edges[-1]), y=(0, counts.max() * 1.1))
