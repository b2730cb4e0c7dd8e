"""The pictures of `likelihood`: the curve, the law of its maximum, data beside model, and entropies as bars."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from gui.core.numbers import number_text
from gui.core.plots import Bars, Curve, DragPoints, Histogram, Label, Marker, PlotCard, Points, Swatch

SHARPER = (4, 16)
DEEPEST = -8.0  # of the logarithm that is shown, in units of the likelihood
HEADROOM = 1.14
FEW = 30  # bars that have their exact height marked; of means the bell is exact


class CurveCard(PlotCard):
    """The likelihood of one parameter, its parabola, and the model as a handle."""

    def __init__(self) -> None:
        super().__init__()
        self.sharper = [self.add(Curve(2, dash=dash, width=1.4, alpha=0.8)) for dash in ("dash", "dot")]
        self.parabola = self.add(Curve("theory", dash="dash", width=1.8))
        self.parabola.setZValue(7)
        self.curve = self.add(Curve("data", width=2.6))
        self.curve.setZValue(6)
        self.top = self.add(Marker("data", dash="dot", at=0.99))
        self.best = self.add(Points("data", size=9, halo=True))
        self.loss = self.add(Curve("fails", width=2.0))
        self.loss.setZValue(7)
        self.lost = self.add(Label(role="fails"))
        self.handle = DragPoints(self, "text", size=13)
        self.handle.handles.swatch = Swatch("marker", "text")

    def show_curve(self, picture: Any, scale: str, sharper: bool) -> None:
        """The likelihood on the wanted scale."""
        grid, below = picture.grid, picture.average - picture.highest
        if picture.highest < picture.here:  # the best parameter lies outside of rounding
            below = np.minimum(below, 0.0)
        bend = -0.5 * picture.curvature * (grid - picture.estimate) ** 2
        low, top = self.lowest(picture, scale), float(self.scaled(np.zeros(1), picture, scale)[0])
        shown = sharper and scale != "average"  # where all of them are one
        lines = [(self.curve, below, 1.0, True), (self.parabola, bend, 1.0, picture.curvature > 0)]
        lines += [(curve, below, float(times), shown) for curve, times in zip(self.sharper, SHARPER, strict=True)]
        for curve, values, times, visible in lines:
            curve.set_present(visible)
            heights = self.scaled(values, picture, scale, times)
            curve.setData(
                grid, np.where(heights < 2 * low - top, np.nan, heights)
            )  # what lies far below is no part of the line
        here = float(self.scaled(np.array([picture.here - picture.highest]), picture, scale)[0])
        self.best.setData([picture.estimate], [top])
        self.handle.setData([picture.model], [max(here, low)])
        self.loss.setData([picture.model, picture.model], [max(here, low), top])
        span = top - low
        self.lost.anchor = (1.1, 0.5) if picture.model < picture.estimate else (-0.1, 0.5)  # away from the curve
        self.lost.setData(picture.model, (max(here, low) + top) / 2)
        width = float(grid[-1] - grid[0])
        self.set_range(x=(float(grid[0]) - 0.015 * width, float(grid[-1]) + 0.015 * width))
        self.set_range(y=(low - 0.03 * span, top + 0.12 * span), steady=scale == "average")

    def scaled(self, below: np.ndarray, picture: Any, scale: str, times: float = 1.0) -> np.ndarray:
        """What is drawn for a log-likelihood per observation, counted from its maximum."""
        if scale == "average":
            average: np.ndarray = below + picture.highest
            return average
        total = times * picture.count * below
        found: np.ndarray = np.exp(np.maximum(total, -700)) if scale == "linear" else total
        return found

    def lowest(self, picture: Any, scale: str) -> float:
        """Where the y axis begins."""
        if scale == "linear":
            return 0.0
        depth = picture.here - picture.highest
        if scale == "log":
            deepest: float = min(DEEPEST, 1.15 * picture.count * depth)
            return deepest
        inside = np.quantile(picture.average, 0.12)
        found: float = min(float(inside), picture.highest + 1.15 * depth)
        return found


class LawCard(PlotCard):
    """Estimates of many simulated data sets against their law."""

    def __init__(self) -> None:
        super().__init__()
        self.bars = self.add(Histogram("data"))
        self.bell = self.add(Curve("theory", dash="dash", width=1.8))
        self.exact = self.add(Points("theory", size=8, symbol="d", halo=True))
        self.seen = self.add(Marker("text", dash="dash", at=0.97))

    def show_law(self, picture: Any, words: str) -> None:
        """The histogram, the normal curve, the exact law, and where the data lie."""
        self.bars.setData(picture.density, picture.edges, density=True)
        self.bell.setData(picture.bell_grid, picture.bell)
        middles = 0.5 * (picture.edges[1:] + picture.edges[:-1])
        self.exact.setData(*((middles, picture.exact) if len(middles) <= FEW and not picture.normal else ([], [])))
        self.seen.setData(picture.estimate, words)
        low, high = float(picture.edges[0]), float(picture.edges[-1])
        span = high - low
        near = low - span <= picture.estimate <= high + span
        ends = (min(low, picture.estimate - 0.08 * span), max(high, picture.estimate + 0.08 * span)) if near else (low, high)
        self.set_range(x=ends)
        highest = max(
            float(picture.bell.max()), float(picture.exact.max()), float(picture.density.max()) if picture.count else 0.0
        )
        self.set_range(y=(0.0, HEADROOM * highest), steady=True)


class ModelCard(PlotCard):
    """Data beside model: bars of shares, or two normal laws over the values; the model follows the mouse."""

    def __init__(self) -> None:
        super().__init__()
        self.data = self.add(Bars("data", offset=0, of=2))
        self.model = self.add(Bars("theory", offset=1, of=2))
        self.fitted = self.add(Curve("data", width=2.0))
        self.density = self.add(Curve("theory"))
        self.seen = DragPoints(self, "data", size=10)
        self.handle = DragPoints(self, "theory", size=12)

    def show_model(self, picture: Any, names: Sequence[str], labels: Sequence[str]) -> None:
        """Both laws; `labels` name the data and the model."""
        stale = False
        for bars, curve, label in ((self.data, self.fitted, labels[0]), (self.model, self.density, labels[1])):
            new = (None, label) if picture.normal else (label, None)
            stale = stale or (bars.label, curve.label) != new
            bars.label, curve.label = new
        if picture.normal:
            self._show_laws(picture)
        else:
            self._show_shares(picture, names)
        if stale:
            self.refresh_legend()

    def _show_laws(self, picture: Any) -> None:
        for bars in (self.data, self.model):
            bars.setData([])
        self.set_categories([])
        self.fitted.setData(picture.law_grid, picture.law_fitted)
        self.density.setData(picture.law_grid, picture.law_model)
        top = float(picture.law_model.max())
        highest = max(top, float(picture.law_fitted.max()))
        self.seen.setData(picture.values, np.full(len(picture.values), 0.03 * highest))
        self.handle.setData([picture.model], [top])
        self.set_range(x=(float(picture.law_grid[0]), float(picture.law_grid[-1])))
        self.set_range(y=(0.0, HEADROOM * highest), steady=True)

    def _show_shares(self, picture: Any, names: Sequence[str]) -> None:
        for curve in (self.fitted, self.density):
            curve.setData([], [])
        at = np.arange(len(picture.shares))
        self.data.setData(picture.shares, at=at)
        self.model.setData(picture.model_shares, at=at)
        self.seen.setData(at - 0.19, picture.shares)
        self.handle.setData(at + 0.19, picture.model_shares)
        self.set_categories(names)
        highest = max(float(picture.shares.max()), float(picture.model_shares.max()))
        self.set_range(y=(0.0, min(HEADROOM * highest, 1.08)), steady=True)


class EntropyCard(PlotCard):
    """Cross entropy = entropy + KL, as two bars of one height."""

    def __init__(self) -> None:
        super().__init__()
        self.cross = self.add(Bars("theory", fill=0.75))
        self.entropy = self.add(Bars("data", fill=0.9))
        self.kl = self.add(Bars(3, fill=0.9))
        self.words = [self.add(Label(role="text", anchor=(0.5, 0.5), size=13)) for _ in range(3)]

    def show_entropies(self, entropy: float, cross: float, kl: float, names: Sequence[str]) -> None:
        """The bars; entropy and divergence are missing where they are not numbers."""
        known = math.isfinite(entropy)
        self.cross.setData([cross], at=[0.0])
        self.entropy.setData([entropy] if known else [], at=[1.0] if known else [])
        self.kl.setData([cross] if known else [], at=[1.0] if known else [], base=[entropy] if known else [])
        low, high = min(0.0, cross, entropy if known else 0.0), max(0.05, cross, entropy if known else 0.0)
        span = high - low
        middles = ((0.0, cross / 2, cross), (1.0, entropy / 2, entropy), (1.0, entropy + kl / 2, kl))
        for label, (x, y, value) in zip(self.words, middles, strict=True):
            visible = math.isfinite(value) and abs(value) > 0.07 * span
            label.setData(x, y if math.isfinite(y) else 0.0, number_text(value, ".3f") if visible else "")
        self.set_categories(names)
        self.set_range(y=(low - 0.04 * span * (low < 0), high + 0.1 * span), steady=True)


class VarianceCard(PlotCard):
    """Variances of many simulated data sets: those of largest likelihood are too small by one part in n."""

    def __init__(self) -> None:
        super().__init__()
        self.bars = self.add(Histogram("data"))
        self.law = self.add(Curve("theory", width=1.8))
        self.divided = self.add(Marker("data", at=0.97))
        self.corrected = self.add(Marker(2, dash="dash", at=0.84))

    def show_variances(self, picture: Any, words: Sequence[str]) -> None:
        """The histogram with its law, and the means of the variances divided by n and by n - 1, in units of the model's."""
        edges = picture.spread_edges
        self.bars.setData(picture.spread_density, edges, density=True)
        self.law.setData(0.5 * (edges[1:] + edges[:-1]), picture.spread_law)
        for marker, mean, word in zip((self.divided, self.corrected), picture.spread_means.tolist(), words, strict=False):
            marker.setData(mean, f"{word} {mean:.3f}")
        if len(edges):
            self.set_range(x=(float(edges[0]), float(edges[-1])))
            top = np.sort(np.concatenate([picture.spread_density, picture.spread_law]))[-3:].min()
            self.set_range(y=(0.0, 1.3 * float(top)), steady=True)


class LadderCard(PlotCard):
    """How far estimates stray, against the number of observations."""

    def __init__(self) -> None:
        super().__init__()
        self.set_log(x=True, y=True)
        self.law = self.add(Curve("theory"))
        self.rungs = self.add(Points("data", size=7, alpha=0.75))
        self.here = self.add(Points("data", size=11, symbol="d", halo=True))

    def show_ladder(self, picture: Any, deviation: float, error: float) -> None:
        """The law 1/√(nI), the ladder of sample sizes, and the simulation beside it."""
        n = picture.count
        ends = np.array([1.0, max(float(picture.ladder[-1]), 3.0 * n)])
        self.law.setData(ends, error * np.sqrt(n / ends))
        self.rungs.setData(picture.ladder, picture.ladder_deviation)
        self.here.setData([n], [deviation if deviation > 0 else np.nan])
        self.set_range(x=(0.8, 1.3 * float(ends[1])), y=(0.5 * error * math.sqrt(n / ends[1]), 2.2 * error * math.sqrt(n)))
