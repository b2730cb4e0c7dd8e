"""Draws WᵀW beside the singular values of W, and what one entry, one input and the worst input see."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.api import Frame
from gui.core.lab.two_rows import TwoRows
from gui.core.plots import Curve, HeatMap, Histogram, Label, Marker, PlotCard, Points

if TYPE_CHECKING:
    from engine.labs.angles.orthogonality import Parameters, Picture

HEADROOM = 1.15  # of the axis above the highest point
BAR_EDGES = np.array([0.65, 1.35, 1.65, 2.35, 2.65, 3.35])
CIRCLE = np.linspace(0, 2 * np.pi, 361)


class ExperimentPanel(TwoRows["Parameters", "Picture"]):
    """The matrix, its singular values, and three small pictures."""

    def build(self) -> None:
        self.matrix = PlotCard()
        self.image = self.matrix.add(HeatMap())
        self.matrix.set_aspect(True)
        self.matrix.set_axes_visible(x=False, y=False, grid=False)
        self.matrix.add_colour_bar(self.image)
        self.singular = PlotCard()
        self.singular_bars, self.singular_law = self.singular.add(Histogram()), self.singular.add(Curve())
        self.kept = self.singular.add(Marker("muted", dash="dot"))
        self.common = self.singular.add(Marker("theory", at=0.85))
        self.atom = self.singular.add(Marker("theory", dash=None, at=0.85))
        self.entry = PlotCard()
        self.entry_bars, self.entry_law = self.entry.add(Histogram()), self.entry.add(Curve())
        self.ratio = PlotCard()
        self.ratio_bars, self.ratio_law = self.ratio.add(Histogram()), self.ratio.add(Curve())
        self.last = PlotCard()
        self.bars, self.expected = self.last.add(Histogram(fill=0.6)), self.last.add(Curve("theory", width=3))
        self.numbers = [self.last.add(Label(role="text", anchor=(0.5, 1.0))) for _ in range(3)]
        self.eigenvalues, self.circle = self.last.add(Points(size=2.6)), self.last.add(Curve("theory"))
        self.absent = self.last.add(Label(anchor=(0.5, 0.5)))
        self.arrange([self.matrix, self.singular], [self.entry, self.ratio, self.last], stretch=(8, 5))

    def retranslate(self) -> None:
        self.matrix.set_title(self.text("WᵀW, column by column"))
        self.singular.set_title(self.text("Singular values"))
        self.singular.set_labels(x=self.text("singular value s"), y=self.text("density"))
        self.entry.set_title(self.text("One entry"))
        self.entry.set_labels(x=self.text("entry of WᵀW off the diagonal"), y=self.text("density"))
        self.ratio.set_title(self.text("One input"))
        self.ratio.set_labels(x="|Wx|² / |x|²", y=self.text("density"))
        for bars in (self.singular_bars, self.entry_bars, self.ratio_bars):
            bars.label = self.text("measured")
        self.singular.refresh_legend()

    def draw(self, frame: Frame[Parameters, Picture], parameters: Parameters) -> None:
        picture: Picture = frame.picture
        self._draw_matrix(frame, picture, parameters)
        self._draw_singular(frame, picture)
        self._draw_density(self.entry, self.entry_bars, self.entry_law, picture, "entry")
        self.entry.set_caption(self.text("MSE {mse}", mse=number(frame.measures["mse_identity"], 3)))
        self._draw_density(self.ratio, self.ratio_bars, self.ratio_law, picture, "ratio")
        self.ratio.set_caption(self.text("{count:,d} inputs", count=round(frame.measures["inputs"])))
        if parameters.last == "comparison":
            self._draw_comparison(picture)
        else:
            self._draw_eigenvalues(frame, picture)
        self.last.refresh_legend()

    def _draw_matrix(self, frame: Frame[Parameters, Picture], picture: Picture, parameters: Parameters) -> None:
        size, columns = len(picture.matrix), frame.parameters.columns
        limit = 1.0 if parameters.colours == "one" else 4 * picture.noise
        self.image.setData(picture.matrix[::-1], (0.0, 0.0, size, size), limit)
        self.matrix.set_range(x=(0, size), y=(0, size))
        facts = {"m": frame.parameters.rows, "n": columns, "v": f"{picture.variance:.4g}"}
        if size < columns:
            self.matrix.set_caption(self.text("first {k} of {n:,d} columns · σ² = {v}", k=size, **facts))
        else:
            self.matrix.set_caption(self.text("m = {m:,d} · n = {n:,d} · σ² = {v}", **facts))

    def _draw_singular(self, frame: Frame[Parameters, Picture], picture: Picture) -> None:
        edges, heights = picture.singular_edges, picture.singular_density
        self.singular_bars.setData(heights, edges, density=True)
        self.singular_law.setData(picture.singular_grid[: len(picture.singular_law)], picture.singular_law)
        square = frame.parameters.rows == frame.parameters.columns
        law = self.text("quarter circle") if square else self.text("Marchenko-Pastur law")
        spread = len(picture.singular_law) > 0
        self.singular_law.label = law if spread else None
        law_top, top = picture.singular_law.max() if spread else 0.0, heights.max()
        if top < 3 * law_top:
            top = 1.3 * law_top  # at rest while the first matrices are still rough
        self.singular.set_range(x=(edges[0], edges[-1]), y=(0.0, HEADROOM * max(top, 1e-9)), steady=True)
        self.kept.set_present(spread)
        self.kept.setData(1.0, self.text("s = 1: length kept"))
        self.common.set_present(not spread)
        value = frame.measures["theory_mean_singular"]
        self.common.setData(value, self.text("all at {value:.2f}", value=value))
        self.atom.set_present(picture.zeros > 0)
        self.atom.setData(0.0, self.text("s = 0 for {share:.0%} of directions", share=picture.zeros))
        caption = "{count:,d} matrices" if picture.exact else "estimated by Lanczos steps"
        if not picture.exact and not heights.any():
            caption = "being computed …"
        self.singular.set_caption(self.text(caption, count=picture.finished))
        self.singular.refresh_legend()

    def _draw_density(self, card: PlotCard, bars: Histogram, law: Curve, picture: Picture, name: str) -> None:
        heights, edges, grid, curve = (getattr(picture, f"{name}_{part}") for part in ("density", "edges", "grid", "law"))
        bars.setData(heights, edges, density=True)
        law.setData(grid[: len(curve)], curve)
        known = self.text("exact law") if picture.exact_law else self.text("approximation")
        law.label = known if len(curve) else None
        top = HEADROOM * max(curve.max() if len(curve) else 0.0, heights.max())
        card.set_range(x=(edges[0], edges[-1]), y=(0.0, max(top, 1e-9)), steady=True)
        card.refresh_legend()

    def _show(self, eigenvalues: bool) -> None:
        for item in (self.bars, self.expected, *self.numbers):
            item.set_present(not eigenvalues)
        for item in (self.eigenvalues, self.circle, self.absent):
            item.set_present(eigenvalues)
        self.bars.label = None if eigenvalues else self.text("measured")
        self.expected.label = None if eigenvalues else self.text("by law")
        self.circle.label = self.text("circle law") if eigenvalues else None
        self.last.set_aspect(eigenvalues)

    def _draw_comparison(self, picture: Picture) -> None:
        self._show(eigenvalues=False)
        self.last.set_title(self.text("How far from orthogonal?"))
        self.last.set_caption("")
        measured, law = picture.distances.T
        heights = np.zeros(5)
        heights[::2] = measured
        self.bars.setData(heights, BAR_EDGES, density=True)
        gaps = np.full((3, 1), np.nan)
        places = np.column_stack([BAR_EDGES[::2] - 0.08, BAR_EDGES[1::2] + 0.08, gaps[:, 0]])
        self.expected.setData(places.ravel(), np.column_stack([law, law, gaps[:, 0]]).ravel())
        top = max(measured.max(), law.max(), 0.8)
        for index, label in enumerate(self.numbers):
            highest = max(measured[index], law[index])
            label.setData(index + 1, highest + 0.07 * top, number(measured[index], 2))
        names = (self.text("entry"), self.text("input"), self.text("worst input"))
        self.last.axes["x"].setTicks([list(enumerate(names, start=1))])
        self.last.set_labels(x="", y=self.text("error of WᵀW"))
        self.last.set_range(x=(0.5, 3.5), y=(0.0, 1.3 * top), steady=True)

    def _draw_eigenvalues(self, frame: Frame[Parameters, Picture], picture: Picture) -> None:
        self._show(eigenvalues=True)
        self.last.set_title(self.text("Eigenvalues of W"))
        real, imaginary = picture.eigenvalues.T
        known = len(real) > 0
        self.last.set_caption(self.text("{count:,d} of the newest matrix", count=len(real)) if known else "")
        self.eigenvalues.setData(real, imaginary)
        self.circle.setData(picture.radius * np.cos(CIRCLE), picture.radius * np.sin(CIRCLE))
        square = frame.parameters.rows == frame.parameters.columns
        words = self.text("computed up to 1,024 columns") if square else self.text("only a square matrix has eigenvalues")
        self.absent.setData(0.0, 0.0, "" if known else words)
        self.last.axes["x"].setTicks(None)
        self.last.set_labels(x=self.text("real part"), y=self.text("imaginary part"))
        reach = 1.15 * picture.radius
        self.last.set_range(x=(-reach, reach), y=(-reach, reach))


def number(value: float, digits: int) -> str:
    """A few digits; what is left of rounding is 0."""
    return f"{value:.{digits}g}" if value > 1e-9 else "0"
