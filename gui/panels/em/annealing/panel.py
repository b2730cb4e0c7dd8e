"""Draws the centres by inverse temperature, who takes which data, the smooth minimum, distances and entropy."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from engine.api import Frame
from gui.core.lab.two_rows import TwoRows
from gui.core.look.theme import theming
from gui.core.plots import Area, Curve, DragPoints, Marker, PlotCard, Points, Swarm
from gui.panels.em.annealing.colours import centre_colour

if TYPE_CHECKING:
    from engine.labs.em.annealing import Parameters, Picture

MOST_CENTRES = 12
MOST_SPLITS = 6
TIER = 0.09  # under the stacked shares, for the data
JITTER = 0.5 * (math.sqrt(5) - 1)
HANDLE = 0.965  # of the height of the picture


class ExperimentPanel(TwoRows["Parameters", "Picture"]):
    """The bifurcation diagram and the data above; the smooth minimum, distances and entropy below."""

    def build(self) -> None:
        self._picture: Picture | None = None
        self._flat: bool | None = None
        self._build_branches()
        self._build_data()
        self._build_small()
        self.arrange([self.branches, self.data_card], [self.minimum, self.far, self.disorder], stretch=(5, 3), shares=[(3, 2)])
        self.fit()

    def _build_branches(self) -> None:
        self.branches = PlotCard()
        self.branches.set_log(x=True)
        self.branches.set_interactive(False)
        self.heating = self.branches.add(Points(3, size=7.0, symbol="t", alpha=0.6))
        self.cooling = self.branches.add(Points("data", size=4.0))
        self.fork = [self.branches.add(Curve("theory", width=2.4)) for _ in range(2)]
        self.critical = self.branches.add(Marker("theory", at=0.1))
        self.splits = [self.branches.add(Marker("theory", dash="dot")) for _ in range(MOST_SPLITS)]
        self.rug = self.branches.add(Points("muted", size=7, symbol="+", alpha=0.45))
        self.now = self.branches.add(Marker("text", dash=None, at=0.02))
        self.here = self.branches.add(Points("text", size=9, halo=True))
        self.handle = DragPoints(self.branches, "accent", size=13)
        self.handle.dragged.connect(self._on_dragged)
        self.handle.dropped.connect(self._on_dropped)
        self.branches.clicked_at.connect(self._on_click)

    def _build_data(self) -> None:
        self.data_card = PlotCard()
        self.data_card.set_axes_visible(grid=False)
        self.layers = [self.data_card.add(Area(k, alpha=0.7)) for k in range(MOST_CENTRES)]
        self.swarm = self.data_card.add(Swarm("data", size=5.5, alpha=0.85, roles=list(range(MOST_CENTRES)), glow=False))
        self.marks = self.data_card.add(Points("text", size=11, symbol="d", halo=True))

    def _build_small(self) -> None:
        self.minimum = PlotCard()
        self.low = self.minimum.add(Curve("theory", dash="dot", width=1.6))
        self.hard = self.minimum.add(Curve(2, dash="dash", width=1.8))
        self.smooth = self.minimum.add(Curve("data", width=2.4))
        self.feet = self.minimum.add(Points("text", size=9, symbol="d", halo=True))
        self.far = PlotCard()
        self.far.set_log(x=True)
        self.nearest = self.far.add(Curve(2, dash="dash", width=1.8))
        self.soft = self.far.add(Curve("data", width=2.4))
        self.limit = self.far.add(Marker("theory", vertical=False, at=0.0))
        self.far_now = self.far.add(Marker("text", dash=None))
        self.disorder = PlotCard()
        self.disorder.set_log(x=True)
        self.entropy = self.disorder.add(Curve("data", width=2.4))
        self.entropy_back = self.disorder.add(Curve(3, dash="dash", width=1.8))
        self.most = self.disorder.add(Marker("theory", vertical=False, at=1.0))
        self.disorder_now = self.disorder.add(Marker("text", dash=None))

    def retranslate(self) -> None:
        self.branches.set_title(self.text("Where the centres are"))
        self.branches.set_labels(x=self.text("inverse temperature M: drag the line"), y=self.text("centres"))
        self.cooling.label = self.text("cooling")
        self.heating.label = self.text("heating")
        self.rug.label = self.text("data")
        self.here.label = self.text("at the line")
        self.minimum.set_title(self.text("Smooth minimum"))
        self.minimum.set_labels(x=self.text("place"), y=self.text("squared distance"))
        self.hard.label = self.text("to the nearest")
        self.smooth.label = self.text("smooth")
        self.low.label = "−ln K / M"
        self.far.set_title(self.text("Mean squared distance"))
        self.far.set_labels(x="M", y=self.text("squared distance"))
        self.soft.label = self.text("soft")
        self.nearest.label = self.text("to the nearest")
        self.disorder.set_title(self.text("Entropy of the responsibilities"))
        self.disorder.set_labels(x="M", y=self.text("entropy (nat)"))
        self.entropy.label = self.text("cooling")
        self.entropy_back.label = self.text("heating")
        self._flat = None
        for card in (self.branches, self.minimum, self.far, self.disorder):
            card.refresh_legend()

    def draw(self, frame: Frame[Parameters, Picture], parameters: Parameters) -> None:
        picture: Picture = frame.picture
        self._picture = picture
        self._draw_branches(frame, picture)
        self.draw_later("data", partial(self._draw_data, frame, picture))
        self.draw_later("minimum", partial(self._draw_minimum, frame, picture))
        self.draw_later("far", partial(self._draw_far, frame, picture))
        self.draw_later("disorder", partial(self._draw_disorder, frame, picture))

    def _draw_branches(self, frame: Frame[Parameters, Picture], picture: Picture) -> None:
        grid = picture.temperatures
        low, high = picture.line[0], picture.line[-1]
        count = picture.up.shape[1]
        self.cooling.setData(grid.repeat(count), picture.up.reshape(-1))
        self.heating.setData(grid.repeat(count), picture.down.reshape(-1))
        fork = picture.even and count > 1
        for curve, side in zip(self.fork, (1, -1), strict=True):
            curve.set_present(fork)
            curve.setData(picture.fork_temperatures, picture.mean + side * picture.fork_offsets)
        self._name_fork(fork)
        self.critical.setData(picture.critical, f"M_c = {picture.critical:.4g}")
        for number, marker in enumerate(self.splits):
            marker.set_present(number < len(picture.splits))
            if number < len(picture.splits):
                marker.setData(picture.splits[number])
        left, right = self._ends(picture)
        self.rug.setData(np.full(len(picture.along), right / (right / left) ** 0.008), picture.along)
        self.now.setData(picture.temperature, f"M = {picture.temperature:.4g}")
        self.here.setData(np.full(len(picture.places), picture.temperature), picture.places)
        self.handle.setData([picture.temperature], [low + HANDLE * (high - low)])
        self.branches.set_range(x=(left, right), y=(low, high))
        facts = {"number": round(frame.measures["distinct_centres"]), "all": count}
        self.branches.set_caption(self.text("{number} of {all} centres are distinct", **facts))

    def _name_fork(self, shown: bool) -> None:
        label = self.text("pitchfork near M_c") if shown else ""
        if self.fork[0].label != label:
            self.fork[0].label = label
            self.branches.refresh_legend()

    def _ends(self, picture: Picture) -> tuple[float, float]:
        """What the axis of M shows: the sweep, and the temperature asked for."""
        grid = picture.temperatures
        left, right = min(grid[0], 0.8 * picture.temperature), max(grid[-1], 1.25 * picture.temperature)
        return float(left), float(right * (right / left) ** 0.02)

    def _draw_data(self, frame: Frame[Parameters, Picture], picture: Picture) -> None:
        flat = picture.data.shape[1] == 1
        if flat != self._flat:
            self._flat = flat
            self.data_card.set_aspect(not flat)
            self.data_card.set_title(self.text("Who takes which place") if flat else self.text("Who takes which point"))
            share = self.text("responsibility")
            self.data_card.set_labels(x=self.text("place") if flat else "x₁", y=share if flat else "x₂")
        count = len(picture.places)
        self.swarm.roles = tuple(centre_colour(k) for k in range(MOST_CENTRES))
        self.swarm.restyle(theming.current)
        ends = np.vstack([np.zeros(len(picture.line)), picture.shares.cumsum(0)])
        for k, layer in enumerate(self.layers):
            layer.set_present(flat and k < count)
            if flat and k < count:
                layer.role = centre_colour(int(picture.members[k]))
                layer.restyle(theming.current)
                layer.setData(picture.line, ends[k], ends[k + 1])
        if flat:
            lift = np.modf(np.arange(1, len(picture.along) + 1) * JITTER)[0]
            self.swarm.setData(picture.along, -TIER * (0.35 + 1.3 * lift), picture.owners)
            self.marks.setData(picture.places, np.full(count, -TIER))
            self.data_card.set_range(x=(picture.line[0], picture.line[-1]), y=(-2 * TIER, 1.0))
        else:
            self.swarm.setData(picture.data[:, 0], picture.data[:, 1], picture.owners)
            self.marks.setData(picture.centres[:, 0], picture.centres[:, 1])
            low, high = picture.data.min(0), picture.data.max(0)
            edge = 0.06 * (high - low).max()
            self.data_card.set_range(x=(low[0] - edge, high[0] + edge), y=(low[1] - edge, high[1] + edge))
        self.data_card.set_caption(self.text("{count:,d} points", count=len(picture.data)))

    def _draw_minimum(self, frame: Frame[Parameters, Picture], picture: Picture) -> None:
        count = len(picture.places)
        room = math.log(count) / picture.temperature
        self.hard.setData(picture.line, picture.hard)
        self.smooth.setData(picture.line, picture.smooth)
        self.low.setData(picture.line, picture.hard - room)
        self.feet.setData(picture.places, np.interp(picture.places, picture.line, picture.hard))
        self.minimum.set_range(x=(picture.line[0], picture.line[-1]))
        floor, top = float(min(picture.smooth.min(), (picture.hard - room).min())), float(picture.hard.max())
        self.minimum.set_range(y=(floor - 0.05 * (top - floor), top), steady=True)
        self.minimum.set_caption(f"F = {frame.measures['free_energy']:.4g}")

    def _draw_far(self, frame: Frame[Parameters, Picture], picture: Picture) -> None:
        left, right = self._ends(picture)
        self.soft.setData(picture.temperatures, picture.up_records[:, 0])
        self.nearest.setData(picture.temperatures, picture.up_records[:, 1])
        known = math.isfinite(picture.kmeans)
        self.limit.set_present(known)
        if known:
            self.limit.setData(picture.kmeans, self.text("k-means {value:.4g}", value=picture.kmeans))
        self.far_now.setData(picture.temperature)
        highest = float(((picture.data - picture.data.mean(0)) ** 2).sum(1).mean())
        self.far.set_range(x=(left, right), y=(0.0, 1.12 * highest))
        self.far.set_caption(f"{frame.measures['distortion']:.4g}")

    def _draw_disorder(self, frame: Frame[Parameters, Picture], picture: Picture) -> None:
        left, right = self._ends(picture)
        self.entropy.setData(picture.temperatures, picture.up_records[:, 2])
        self.entropy_back.setData(picture.temperatures, picture.down_records[:, 2])
        most = math.log(len(picture.places))
        self.most.setData(most, f"ln K = {most:.3f}")
        self.disorder_now.setData(picture.temperature)
        self.disorder.set_range(x=(left, right), y=(0.0, 1.25 * max(most, 0.1)))
        self.disorder.set_caption(f"H = {frame.measures['entropy']:.3f}")

    # ---- what a hand does ----------------------------------------------------------------------------------------

    def _on_dragged(self, _: int, x: float, _y: float) -> None:
        """The line follows the hand sideways only."""
        if self._picture is None:
            return
        low, high = self._picture.line[0], self._picture.line[-1]
        self.handle.handles.y[0] = low + HANDLE * (high - low)
        self.handle.handles.changed()
        self._ask(x)

    def _on_dropped(self, _: int) -> None:
        if self._picture is not None:
            low, high = self._picture.line[0], self._picture.line[-1]
            self.handle.setData([self._picture.temperature], [low + HANDLE * (high - low)])

    def _on_click(self, x: float, _y: float) -> None:
        self._ask(x)

    def _ask(self, temperature: float) -> None:
        """Ask for another inverse temperature, in four digits, within what the parameter takes."""
        value = min(max(temperature, 1e-6), 1e6)
        self.tweak_requested.emit({"inverse_temperature": float(f"{value:.4g}")})
