"""Draws the law of the angle: its density, the directions on a globe, and the density of the cosine."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.api import Frame
from gui.core.lab.two_rows import TwoRows
from gui.core.plots import SERIES_DASHES, Band, Card, Curve, Histogram, Label, Marker, PlotCard
from gui.core.plots.globe.globe import Globe, equal_area_angles

if TYPE_CHECKING:
    from engine.labs.angles.distribution import Parameters, Picture

MOST_COMPARED = 5
HEADROOM = 1.12  # of the axis above the highest point


class ExperimentPanel(TwoRows["Parameters", "Picture"]):
    """One large density, a globe, and the cosine."""

    def build(self) -> None:
        self.angle = PlotCard()
        self.bars = self.angle.add(Histogram("data"))
        self.law = self.angle.add(Curve("theory"))
        self.spread = self.angle.add(Band("muted"))
        self.others = [self.angle.add(Curve("muted", dash=dash, width=1.3)) for dash in SERIES_DASHES[1 : MOST_COMPARED + 1]]
        self.other_labels = [self.angle.add(Label(role="muted", anchor=(0.0, 1.0))) for _ in self.others]
        self.middle = self.angle.add(Marker("muted", dash="dot"))
        self.directions = Card()
        self.globe = Globe()
        self.directions.set_content(self.globe)
        self.cosine = PlotCard()
        self.cosine_bars = self.cosine.add(Histogram("data"))
        self.cosine_law = self.cosine.add(Curve("theory"))
        self.arrange([self.angle], [self.directions, self.cosine])

    def retranslate(self) -> None:
        self.angle.set_title(self.text("Density of the angle"))
        self.cosine.set_title(self.text("Density of the cosine"))
        self.cosine.set_labels(x="cos θ", y=self.text("density"))
        for bars, law in ((self.bars, self.law), (self.cosine_bars, self.cosine_law)):
            bars.label = self.text("measured")
            law.label = self.text("exact law")
        self.spread.label = self.text("mean ± one deviation")
        self.angle.refresh_legend()
        self.cosine.refresh_legend()

    def draw(self, frame: Frame[Parameters, Picture], parameters: Parameters) -> None:
        picture: Picture = frame.picture
        degrees = parameters.unit == "degrees"
        self._draw_angle(picture, 180 / math.pi if degrees else 1.0, degrees)
        self.angle.set_caption(self._caption(frame))
        self.draw_later("cosine", partial(self._draw_cosine, frame))
        self.draw_later("globe", partial(self._draw_globe, frame))

    def _draw_angle(self, picture: Picture, scale: float, degrees: bool) -> None:
        unit = "degrees" if degrees else "radians"
        self.angle.set_labels(
            x=self.text("angle θ (degrees)" if degrees else "angle θ (radians)"),
            y=self.text("density per degree" if degrees else "density per radian"),
        )
        grid, law = picture.grid * scale, picture.law / scale
        self.bars.setData(picture.density / scale, picture.edges * scale, density=True)
        self.law.setData(grid, law)
        top = HEADROOM * max(law.max(), picture.density.max() / scale)
        self.angle.set_range(x=(grid[0], grid[-1]))
        self.angle.set_range(y=(0.0, top), steady=True)
        mean, deviation = picture.mean * scale, picture.deviation * scale
        self.spread.setData(mean - deviation, mean + deviation)
        number = f"{mean:.2f}°" if unit == "degrees" else f"{mean:.4f}"
        self.middle.setData(mean, self.text("mean {angle}", angle=number))
        self._draw_others(picture, grid, scale, top)

    def _draw_others(self, picture: Picture, grid: np.ndarray, scale: float, top: float) -> None:
        taken: list[int] = []
        for index, (curve, label) in enumerate(zip(self.others, self.other_labels, strict=True)):
            shown = index < len(picture.compare_dimensions)
            curve.set_present(shown)
            label.set_present(shown)
            if shown:
                heights = picture.compare_laws[index] / scale
                curve.setData(grid, heights)
                rest = [picture.law, *np.delete(picture.compare_laws, index, axis=0)]
                at = label_place(heights, np.array(rest) / scale, top, taken)
                taken.append(at)
                label.setData(grid[at], heights[at], self.text("n = {n}", n=f"{picture.compare_dimensions[index]:,d}"))

    def _draw_cosine(self, frame: Frame[Parameters, Picture]) -> None:
        picture: Picture = frame.picture
        self.cosine.set_caption(self._origin(frame))
        self.cosine_bars.setData(picture.cosine_density, picture.cosine_edges, density=True)
        self.cosine_law.setData(picture.cosine_grid, picture.cosine_law)
        law, bars = picture.cosine_law, picture.cosine_density
        if law[0] > law[len(law) // 2]:  # n = 2: poles at both ends, which no axis can hold
            law, bars = (values[len(values) // 20 : -len(values) // 20] for values in (law, bars))
        top = HEADROOM * float(max(law.max(), bars.max()))
        ends = (picture.cosine_edges[0], picture.cosine_edges[-1])
        low, high = (-1.0, 1.0) if ends[1] - ends[0] > 1.9 else (picture.cosine_grid[0], picture.cosine_grid[-1])
        self.cosine.set_range(x=(low, high))
        self.cosine.set_range(y=(0.0, top), steady=True)

    def _draw_globe(self, frame: Frame[Parameters, Picture]) -> None:
        picture: Picture = frame.picture
        subspace = picture.subspace_dimension > 0
        self.directions.set_title(
            self.text("Angles to a random subspace (the equator)" if subspace else "Angles to a fixed vector x")
        )
        n = frame.parameters.dimension
        self.globe.pole_text = "⊥" if subspace else "x"
        self.globe.set_flat(n == 2)
        self.globe.set_points(picture.points[:, [0, 2]] if n == 2 else picture.points)
        self.globe.set_bands(equal_area_angles(12) if n == 3 else ())
        self.globe.set_equator_band(0.0 if subspace or n <= 3 else 10.0)

    def _caption(self, frame: Frame[Parameters, Picture]) -> str:
        values: dict[str, Any] = frame.parameters.model_dump()
        k = frame.picture.subspace_dimension
        facts = {"n": values["dimension"], "pairs": values["pairs"], "seed": values["seed"]}
        if k:
            return self.text("n = {n:,d} · k = {k:,d} · {pairs:,d} pairs · seed {seed}", k=k, **facts)
        return self.text("n = {n:,d} · {pairs:,d} pairs · seed {seed}", **facts)

    def _origin(self, frame: Frame[Parameters, Picture]) -> str:
        """How the angles came about, and how many there are so far."""
        picture, pairs = frame.picture, frame.parameters.pairs
        if picture.exact:
            return self.text("drawn from the exact law")
        if picture.drawn < pairs:
            return self.text("drawn as vectors · {drawn:,d} of {pairs:,d}", drawn=picture.drawn, pairs=pairs)
        return self.text("drawn as vectors")


def label_place(heights: np.ndarray, others: np.ndarray, top: float, taken: Sequence[int]) -> int:
    """Where on its right half a curve stands clearest of the others, of the frame and of other labels.

    Parameters
    ----------
    heights : ndarray, shape (m,)
        The curve.
    others : ndarray, shape (k, m)
        The curves to keep away from; the first one is the law, with the bars below it.
    top : float
        Upper end of the picture.
    taken : sequence of int
        Places of the labels already there.
    """
    places = np.arange(int(0.56 * len(heights)), int(0.9 * len(heights)))
    clear = np.abs(others[:, places] - heights[places]).min(axis=0)
    clear = np.where(heights[places] < others[0, places], 0.2 * clear, clear)  # rather not on the bars
    clear = np.minimum(clear, 0.9 * top - heights[places])  # a label stands above its curve
    for other in taken:
        clear = np.where(np.abs(places - other) < 0.09 * len(heights), -top, clear)
    return int(places[np.argmax(clear)])
