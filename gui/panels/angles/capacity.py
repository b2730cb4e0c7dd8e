"""Draws the largest |cos| while vectors are added, the histogram of all, and how many vectors fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.api import Frame
from gui.core.lab.two_rows import TwoRows
from gui.core.numbers import power_text
from gui.core.plots import Curve, Histogram, Label, Marker, PlotCard, Points

if TYPE_CHECKING:
    from engine.labs.angles.capacity import Parameters, Picture

HEADROOM = 1.12  # of an axis above the highest point
MOST_DIGITS = 40  # of the numbers of vectors that the axis reaches


class ExperimentPanel(TwoRows["Parameters", "Picture"]):
    """The staircase of the largest |cos|, the cosines of all pairs, and the number of vectors by dimension."""

    def build(self) -> None:
        self.largest = PlotCard()
        self.largest.set_log(x=True)
        self.stairs = self.largest.add(Curve("data", width=2.4))
        self.stairs.setZValue(8)
        self.median = self.largest.add(Curve("theory"))
        self.low = self.largest.add(Curve("theory", dash="dash", width=1.2))
        self.high = self.largest.add(Curve("theory", dash="dash", width=1.2))
        self.thumb = self.largest.add(Curve("muted", dash="dot"))
        self.limit = self.largest.add(Marker("muted", vertical=False, at=0.0))
        self.pairs = PlotCard()
        self.pairs.set_log(y=True)
        self.bars = self.pairs.add(Histogram("data"))
        self.law = self.pairs.add(Curve("theory"))
        self.extreme = self.pairs.add(Marker("data", dash="dot", at=0.9))
        self.counts = PlotCard()
        self.counts.set_log(y=True)
        self.here = self.counts.add(Points("data", size=9, halo=True))
        self.exact = self.counts.add(Curve("theory"))
        self.rule = self.counts.add(Curve("muted", dash="dot"))
        self.diagonal = self.counts.add(Curve("muted", dash="dash", width=1.3))
        self.count = self.counts.add(Label(role="data", anchor=(1.08, 1.4)))
        self.arrange([self.largest], [self.pairs, self.counts])

    def retranslate(self) -> None:
        self.largest.set_title(self.text("Largest |cos| of all pairs"))
        self.largest.set_labels(x=self.text("number of vectors"), y=self.text("largest |cos θ|"))
        self.pairs.set_title(self.text("All pairs"))
        self.pairs.set_labels(x="|cos θ|", y=self.text("pairs per bin"))
        self.counts.set_title(self.text("How many vectors fit"))
        self.counts.set_labels(x=self.text("dimension n"), y=self.text("vectors"))
        self.stairs.label = self.bars.label = self.here.label = self.text("measured")
        self.median.label = self.exact.label = self.text("median by law")
        self.low.label = self.text("5 % and 95 %")
        self.law.label = self.text("exact law")
        self.thumb.label = "√(4 ln m / n)"
        self.rule.label = "exp(n ε² / 4)"
        self.diagonal.label = self.text("m = n: perpendicular")
        for card in (self.largest, self.pairs, self.counts):
            card.refresh_legend()

    def draw(self, frame: Frame[Parameters, Picture], parameters: Parameters) -> None:
        picture: Picture = frame.picture
        self._draw_largest(frame, picture)
        self._draw_pairs(frame, picture)
        self._draw_fit(frame, picture)

    def _draw_largest(self, frame: Frame[Parameters, Picture], picture: Picture) -> None:
        grid = picture.vector_grid
        self.thumb.setData(grid, picture.max_crude)
        self.low.setData(grid, picture.max_low)
        self.high.setData(grid, picture.max_high)
        self.median.setData(grid, picture.max_median)
        self.stairs.setData(np.maximum(picture.record_vectors, grid[0]), picture.record_values)
        self.limit.setData(picture.epsilon, f"ε = {picture.epsilon:g}")
        highest = max(picture.max_high.max(), picture.record_values.max(), min(1.0, picture.max_crude.max()))
        self.largest.set_range(x=(grid[0], grid[-1]), y=(0.0, min(1.04, HEADROOM * highest)))
        facts = {"n": frame.parameters.dimension, "m": picture.drawn, "all": frame.parameters.vectors}
        if picture.drawn < facts["all"]:
            self.largest.set_caption(self.text("n = {n:,d} · {m:,d} of {all:,d} vectors", **facts))
        else:
            self.largest.set_caption(self.text("n = {n:,d} · {m:,d} vectors", **facts))

    def _draw_pairs(self, frame: Frame[Parameters, Picture], picture: Picture) -> None:
        scale = picture.pairs_per_height
        self.bars.setData(picture.cosine_density * scale, picture.cosine_edges, density=True)
        self.law.setData(picture.cosine_grid, picture.cosine_law * scale)
        largest = frame.measures["max_abs_cos"]
        self.extreme.setData(largest, self.text("largest {value:.3f}", value=largest))
        grown = picture.wanted * (picture.wanted - 1) / max(2.0, 2.0 * frame.measures["pairs"])  # the axis of the last frame
        body = picture.cosine_law[: -max(1, len(picture.cosine_law) // 20)]  # for n = 2 there is a pole at 1
        top = 3.0 * scale * grown * max(body.max(), 1e-9)
        self.pairs.set_range(x=(0.0, picture.cosine_edges[-1]), y=(0.5, max(top, 5.0)))
        self.pairs.set_caption(self.text("{count:,d} pairs", count=round(frame.measures["pairs"])))

    def _draw_fit(self, frame: Frame[Parameters, Picture], picture: Picture) -> None:
        grid = picture.dimension_grid
        shown = picture.capacity_median < 300
        for curve, digits in ((self.exact, picture.capacity_median), (self.rule, picture.capacity_crude)):
            curve.setData(grid[shown], 10.0 ** digits[shown])
        self.diagonal.setData(grid, grid)
        n = frame.parameters.dimension
        measured = frame.measures["pairs_above"] > 0
        theory = frame.measures["theory_log10_capacity"]
        self.here.setData([n] if measured else [], [10 ** frame.measures["log10_capacity"]] if measured else [])
        words = self.text("{count} vectors", count=rounded(frame.measures["log10_capacity"]))
        self.count.setData(n, 10 ** min(theory, 300), words if measured else "")
        highest = min(MOST_DIGITS, max(picture.capacity_median.max(), np.log10(grid[-1])))
        self.counts.set_range(x=(grid[0], grid[-1]), y=(1.0, 10 ** (HEADROOM * highest)))
        words = self.text("ε = {epsilon:g}: {count} by law", epsilon=picture.epsilon, count=rounded(theory))
        self.counts.set_caption(words)


def rounded(digits: float) -> str:
    """The number with this decimal logarithm, in three digits."""
    return f"{10**digits:,.0f}" if digits < 5 else power_text(10 ** min(digits, 300.0), 2)
