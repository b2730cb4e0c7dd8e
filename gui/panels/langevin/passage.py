"""Draws particles in a double well, their passage times, the mean by barrier, and who crosses within how many steps."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from engine.api import Frame
from gui.core.lab.two_rows import TwoRows
from gui.core.numbers import percent, short
from gui.core.plots import Area, Band, Curve, Histogram, Label, Marker, PlotCard, Points, Swarm

if TYPE_CHECKING:
    from engine.labs.langevin.passage import Parameters, Picture

HEAP = 0.42  # of the height of the picture: a well that holds all particles
HIGHEST_HEAP = 1.35  # while they still sit on their starting point
FLOOR = 0.2  # of the height, under the wells, for the bars of the halves
BAR = 0.84  # half a bar's length
SHORT = (20, 50)  # steps per update that are usual in contrastive divergence
REMEMBERED = 60  # barriers whose dots are kept
GOLDEN = 0.5 * (math.sqrt(5) - 1)


class ExperimentPanel(TwoRows["Parameters", "Picture"]):
    """The wells and the passage times above; the means by barrier and the shares by steps below."""

    def build(self) -> None:
        self.seen: dict[tuple[float, float], float] = {}  # mean passage times by barrier and temperature
        self._build_wells()
        self._build_times()
        self._build_barriers()
        self._build_shares()
        self.arrange([self.wells, self.times], [self.barriers, self.shares], stretch=(5, 4))
        self.fit()

    def _build_wells(self) -> None:
        self.wells = PlotCard()
        self.ground = self.wells.add(Area("muted", alpha=0.16))
        self.energy = self.wells.add(Curve("muted", width=1.8))
        self.top = self.wells.add(Marker("muted", vertical=False, dash="dot"))
        self.ratio = self.wells.add(Label(role="muted", anchor=(0.5, 0.0)))
        self.waiting = self.wells.add(Swarm("data", size=4.6, alpha=0.9, glow=False))
        self.arrived = self.wells.add(Points(2, size=5.5, symbol="t", alpha=0.9))
        self.frames = [self.wells.add(Area("muted", alpha=0.22)) for _ in range(2)]
        self.halves = [self.wells.add(Area(role, alpha=0.75)) for role in ("data", 2)]
        self.exact_halves = [self.wells.add(Curve("theory", width=3.0)) for _ in range(2)]
        self.half_labels = [self.wells.add(Label(role="text", anchor=(side, 0.5))) for side in (0.0, 1.0)]

    def _build_times(self) -> None:
        self.times = PlotCard()
        self.bars = self.times.add(Histogram("data"))
        self.law = self.times.add(Curve("theory"))
        self.measured = self.times.add(Marker("data", dash="dot", at=0.97))
        self.exact = self.times.add(Marker("theory", at=0.84))
        self.kramers = self.times.add(Marker(3, dash="dashdot", at=0.71))
        self.now = self.times.add(Band("muted", alpha=0.08))
        self._logarithmic: bool | None = None

    def _build_barriers(self) -> None:
        self.barriers = PlotCard()
        self.barriers.set_log(y=True)
        self.life_band = self.barriers.add(Band(3, vertical=False, alpha=0.14))
        self.update_band = self.barriers.add(Band(4, vertical=False, alpha=0.2))
        self.by_kramers = self.barriers.add(Curve(3, dash="dashdot", width=1.8))
        self.by_integral = self.barriers.add(Curve("theory"))
        self.before = self.barriers.add(Points("data", size=8, symbol="x", alpha=0.75))
        self.here = self.barriers.add(Points("data", size=11, halo=True))
        self.life_label = self.barriers.add(Label(role="text", anchor=(1.0, 0.5)))
        self.update_label = self.barriers.add(Label(role="text", anchor=(1.0, 0.5)))

    def _build_shares(self) -> None:
        self.shares = PlotCard()
        self.shares.set_log(x=True, y=True)
        self.share_life = self.shares.add(Band(3, alpha=0.14))
        self.share_update = self.shares.add(Band(4, alpha=0.2))
        self.share_law = self.shares.add(Curve("theory"))
        self.counted = self.shares.add(Curve("data", width=2.4))
        self.counted.setZValue(7)
        self.budget = self.shares.add(Marker("text", dash="dot", at=0.04))
        self.buffer_law = self.shares.add(Points("theory", size=15, symbol="d"))
        self.buffer = self.shares.add(Points("data", size=9, symbol="d", halo=True))
        self.buffer_label = self.shares.add(Label(role="text", anchor=(-0.14, 0.5)))
        self.band_labels = [self.shares.add(Label(anchor=(0.5, 0.5), size=11)) for _ in range(2)]

    def retranslate(self) -> None:
        self.wells.set_title(self.text("Particles in a double well"))
        self.wells.set_labels(x="x", y=self.text("energy U"))
        self.waiting.label = self.text("on the way")
        self.arrived.label = self.text("have reached +1 once")
        self.exact_halves[0].label = self.text("exact shares")
        self.times.set_title(self.text("Passage times, −1 to +1"))
        self.bars.label = self.text("measured")
        self.law.label = self.text("exact density")
        self.now.label = self.text("still to come")
        self.barriers.set_title(self.text("Mean passage time by barrier"))
        self.barriers.set_labels(x=self.text("barrier a"), y=self.text("steps"))
        self.by_integral.label = self.text("double integral")
        self.by_kramers.label = self.text("Kramers")
        self.here.label = self.text("measured")
        self.before.label = self.text("before")
        self.shares.set_title(self.text("Crossed within n steps"))
        self.shares.set_labels(x=self.text("steps n"), y=self.text("share"))
        self.share_law.label = self.text("law of the chain")
        self.counted.label = self.text("measured")
        self.buffer_law.label = self.text("a buffer entry")
        for card in (self.wells, self.times, self.barriers, self.shares):
            card.refresh_legend()

    def draw(self, frame: Frame[Parameters, Picture], parameters: Parameters) -> None:
        self._remember(frame)
        self._draw_wells(frame)
        self.draw_later("times", partial(self._draw_times, frame))
        self.draw_later("shares", partial(self._draw_shares, frame))
        self.draw_later("barriers", partial(self._draw_barriers, frame))

    def _remember(self, frame: Frame[Parameters, Picture]) -> None:
        """Keep the mean of this barrier, so that a hand that drags the slider draws a curve of dots."""
        values, mean = frame.parameters, frame.measures["mean_passage_time"]
        key = values.barrier, values.temperature
        if math.isfinite(mean):
            self.seen.pop(key, None)
            self.seen[key] = mean
            while len(self.seen) > REMEMBERED:
                self.seen.pop(next(iter(self.seen)))

    def _draw_wells(self, frame: Frame[Parameters, Picture]) -> None:
        picture: Picture = frame.picture
        barrier, temperature = frame.parameters.barrier, frame.parameters.temperature
        high = max(1.5 * barrier, barrier + 1.2 * temperature)
        grid, energy = picture.well_grid, picture.well_energy
        self.wells.set_range(x=(grid[0], grid[-1]), y=(-FLOOR * high, high))
        self.ground.setData(grid, np.full(len(grid), -FLOOR * high), np.minimum(energy, 2 * high))
        self.energy.setData(grid, energy)
        self.top.setData(barrier)
        words = self.text("barrier a = {a:g} = {ratio:.3g} T", a=barrier, ratio=barrier / temperature)
        self.ratio.setData(0.0, 0.985 * high, words)
        x = picture.tracer_places
        lift = np.modf(np.arange(1, len(x) + 1) * GOLDEN)[0]  # evenly over the heap, the same in every frame
        at = barrier * (x**2 - 1) ** 2 + lift * HEAP * high * np.minimum(picture.tracer_heaps, HIGHEST_HEAP)
        crossed = picture.tracer_crossed > 0
        self.waiting.setData(x[~crossed], at[~crossed])
        self.arrived.setData(x[crossed], at[crossed])
        self._draw_halves(frame, high)
        self.wells.set_caption(
            self.text("t = {time:.4g} · {steps:,d} steps", time=frame.measures["time"], steps=round(frame.measures["steps"]))
        )

    def _draw_halves(self, frame: Frame[Parameters, Picture], high: float) -> None:
        """Under each well a bar as long as its share of the particles, with a mark where the exact share ends."""
        low, top = -0.165 * high, -0.055 * high
        shares = frame.measures["right_share"], frame.measures["exact_right_share"]
        for side, centre in enumerate((-1.0, 1.0)):
            measured, exact = shares if side else (1 - shares[0], 1 - shares[1])
            start = centre - BAR
            self.frames[side].setData([start, centre + BAR], low, top)
            self.halves[side].setData([start, start + 2 * BAR * measured], low, top)
            end = start + 2 * BAR * exact
            self.exact_halves[side].setData([end, end], [1.12 * low, 0.6 * top])
            words = self.text("right {share:.1f} %", share=100 * measured) if side else ""
            words = words or self.text("left {share:.1f} %", share=100 * measured)
            beside = centre + (BAR - 0.04) * (1 if side else -1)  # away from the mark, which comes from the other end
            self.half_labels[side].setData(beside, 0.5 * (low + top), words)

    def _draw_times(self, frame: Frame[Parameters, Picture]) -> None:
        picture: Picture = frame.picture
        if picture.logarithmic != self._logarithmic:
            self._logarithmic = picture.logarithmic
            self.times.set_log(x=picture.logarithmic)
        self.times.set_labels(
            x=self.text("passage time t"), y=self.text("density of ln t") if picture.logarithmic else self.text("density")
        )
        edges = picture.time_edges
        self.bars.setData(picture.time_heights, edges, density=True)
        self.law.setData(picture.time_grid, picture.time_law)
        self.times.set_range(x=(edges[0], edges[-1]), y=(0.0, 1.35 * picture.time_law.max()))
        measures = frame.measures
        self.exact.setData(
            measures["exact_passage_time"], self.text("exact {time}", time=short(measures["exact_passage_time"]))
        )
        self.kramers.setData(measures["kramers_time"], self.text("Kramers {time}", time=short(measures["kramers_time"])))
        known = math.isfinite(measures["mean_passage_time"])
        self.measured.set_present(known)
        if known:
            self.measured.setData(
                measures["mean_passage_time"], self.text("measured {time}", time=short(measures["mean_passage_time"]))
            )
        since = float(min(max(measures["time"], edges[0]), edges[-1]))
        coming = since < edges[-1] and measures["survivors"] > 0
        self.now.setData(since if coming else math.nan, edges[-1])
        facts = {"crossed": round(measures["crossed"]), "all": frame.parameters.particles}
        self.times.set_caption(self.text("{crossed:,d} of {all:,d} have crossed", **facts))

    def _draw_barriers(self, frame: Frame[Parameters, Picture]) -> None:
        picture: Picture = frame.picture
        values = frame.parameters
        step, barrier, restart = values.step_size, values.barrier, values.restart
        grid = picture.barrier_grid
        self.by_integral.setData(grid, picture.barrier_exact / step)
        self.by_kramers.setData(grid, picture.barrier_kramers / step)
        key = barrier, values.temperature
        others = [(a, time) for (a, t), time in self.seen.items() if t == key[1] and a != barrier]
        self.before.setData([a for a, _ in others], [time / step for _, time in others])
        known = key in self.seen
        self.here.setData([barrier] if known else [], [self.seen[key] / step] if known else [])
        low, high = SHORT
        self.update_band.setData(low, high)
        self.life_band.setData(low / restart, high / restart)
        right = grid[-1] - 0.05
        self.update_label.setData(
            right, math.sqrt(low * high), self.text("{low} to {high} steps per update", low=low, high=high)
        )
        between = math.sqrt(low * high) / restart
        words = self.text("a buffer entry: {low:,.0f} to {high:,.0f}", low=low / restart, high=high / restart)
        self.life_label.setData(right, between, words if restart < 0.3 else "")
        highest = max(picture.barrier_exact.max(), picture.barrier_kramers.max()) / step
        self.barriers.set_range(x=(grid[0] - 0.15, grid[-1] + 0.15), y=(8.0, 2.5 * max(highest, high / restart)))
        self.barriers.set_caption(self.text("τ = {steps} steps", steps=short(frame.measures["exact_passage_steps"])))

    def _draw_shares(self, frame: Frame[Parameters, Picture]) -> None:
        picture: Picture = frame.picture
        values, measures = frame.parameters, frame.measures
        budget, restart = values.budget, values.restart
        lowest = 10.0 ** math.floor(math.log10(0.5 / values.particles))
        self.share_law.setData(picture.share_grid, picture.share_law)
        self.counted.setData(picture.share_steps, picture.share_counted)
        self.share_update.setData(*SHORT)
        self.share_life.setData(SHORT[0] / restart, SHORT[1] / restart)
        self.budget.setData(budget, f"K = {budget}")
        life, share, exact = budget / restart, measures["buffer_fraction"], measures["exact_buffer_fraction"]
        known = math.isfinite(share)
        self.buffer.setData([life] if known else [], [share] if known else [])
        self.buffer_law.setData([life], [exact])
        self.buffer_label.setData(life, exact, percent(exact))
        middle = math.sqrt(SHORT[0] * SHORT[1])
        for label, at, words in zip(
            self.band_labels, (middle, middle / restart), (self.text("update"), self.text("buffer")), strict=True
        ):
            label.setData(at, 2.2, words)
        self.shares.set_range(x=(min(10, budget), picture.share_grid[-1]), y=(lowest, 4.0))
        within = percent(measures["exact_budget_fraction"])
        self.shares.set_caption(self.text("{budget} steps: {share}", budget=budget, share=within))
