"""Draws two coins: the table of flips, the landscape of both biases with the path of EM, and two curves of progress."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from engine.api import Frame
from gui.core.lab.two_rows import TwoRows
from gui.core.numbers import number_text
from gui.core.plots import Area, Contours, Curve, DensityImage, DragPoints, Label, Marker, PlotCard, Points
from gui.panels.em.coins.table import COINS, FlipEditor, FlipTable, Words

if TYPE_CHECKING:
    from engine.labs.em.coins import Parameters, Picture

DROPS = (-40.0, -25.0, -16.0, -10.0, -6.0, -4.0, -2.5, -1.5, -0.8, -0.4, -0.1)  # levels below the highest log-likelihood
HILLS = (-8.0, -4.0, -2.0, -1.0, -0.5, -0.2, -0.05)  # levels below the peak of the bound
DEEPEST = 14.0  # of the image behind them
SMALLEST = 1e-14  # error that is still drawn


class ExperimentPanel(TwoRows["Parameters", "Picture"]):
    """The table and the landscape above; the bound that climbs and the errors that shrink below."""

    def build(self) -> None:
        self._surface = self._hill = np.empty((0, 0))
        self._heads: list[int] = []
        self._build_table()
        self._build_landscape()
        self._build_climb()
        self._build_errors()
        self.arrange([self.sets, self.plane], [self.climb, self.fall], stretch=(5, 3), shares=[(14, 11)])
        self.fit()

    def _build_table(self) -> None:
        self.sets = PlotCard()
        self.sets.set_axes_visible(x=False, y=False, grid=False)
        self.sets.set_interactive(False)
        self.table = self.sets.add(FlipTable())
        self.coins = [self.sets.add(Area(role, alpha=0.78)) for role in COINS]  # only their names in the legend
        self.editor = FlipEditor(self.sets, self.table)
        self.editor.edited.connect(self._on_edited)

    def _build_landscape(self) -> None:
        self.plane = PlotCard()
        self.plane.set_axes_visible(grid=False)
        self.glow = DensityImage(fade=True)
        self.glow.setOpacity(0.5)
        self.plane.plot.addItem(self.glow)
        self.plane.items.append(self.glow)
        self.levels = self.plane.add(Contours("muted", levels=DROPS, width=1.0, alpha=(0.3, 0.9)))
        self.bound = self.plane.add(Contours("theory", levels=HILLS, width=1.1, dash="dash", alpha=(0.25, 0.85)))
        self.ridge = self.plane.add(Curve("muted", dash="dot", width=1.2))
        self.ridge_words = self.plane.add(Label(role="muted", anchor=(0.5, 1.3), size=11))
        self.ahead = self.plane.add(Curve("data", width=1.2, alpha=0.4, dash=None))
        self.way = self.plane.add(Curve("data", width=2.2))
        self.stations = self.plane.add(Points("data", size=6))
        self.best = self.plane.add(Points("theory", size=14, symbol="d", halo=True))
        self.twin = self.plane.add(Points("theory", size=12, symbol="d", alpha=0.5))
        self.peak = self.plane.add(Points("theory", size=10, symbol="+"))
        self.now = self.plane.add(Points("data", size=11, halo=True))
        self.start = DragPoints(self.plane, "text", size=10)
        self.start.dragged.connect(self._on_start)

    def _build_climb(self) -> None:
        self.climb = PlotCard()
        self.lack = self.climb.add(Area("theory", alpha=0.16))
        self.later = self.climb.add(Curve("muted", width=1.0, alpha=0.7))
        self.bound_line = self.climb.add(Curve("theory", dash="dash", width=1.8))
        self.likelihood = self.climb.add(Curve("data", width=2.4))
        self.likelihood.setZValue(7)
        self.highest = self.climb.add(Marker("text", vertical=False, dash="dot", at=1.0))
        self.present = self.climb.add(Points("data", size=9, halo=True))

    def _build_errors(self) -> None:
        self.fall = PlotCard()
        self.fall.set_log(y=True)
        self.law = self.fall.add(Curve("theory", width=1.8))
        self.error_line = self.fall.add(Curve("data", width=1.2, alpha=0.6, dash=None))
        self.errors = self.fall.add(Points("data", size=6))
        self.error_now = self.fall.add(Points("data", size=11, halo=True))
        self.nothing = self.fall.add(Label(role="muted", anchor=(0.5, 0.5), size=13))

    def retranslate(self) -> None:
        self.sets.set_title(self.text("Whose coin?"))
        self.table.words = Words(
            columns=(
                self.text("set"),
                self.text("flips: click to change"),
                self.text("from A or B?"),
                "A: ● / ○",
                "B: ● / ○",
            ),
            total=self.text("expected in total"),
            more=self.text("expected in total; {count} more sets", count="{count}"),
        )
        for area, text in zip(self.coins, (self.text("coin A"), self.text("coin B")), strict=True):
            area.label = text
        self.plane.set_title(self.text("Log-likelihood"))
        self.plane.set_labels(x=self.text("bias of coin A"), y=self.text("bias of coin B"))
        self.bound.label = self.text("lower bound")
        self.way.label = "EM"
        self.best.label = self.text("exact maximum")
        self.ridge_words.text = self.text("identical coins")
        self.climb.set_title(self.text("Likelihood and lower bound"))
        self.climb.set_labels(x=self.text("iteration"), y=self.text("log-likelihood"))
        self.likelihood.label = self.text("log-likelihood")
        self.bound_line.label = self.text("lower bound")
        self.lack.label = self.text("gap")
        self.fall.set_title(self.text("Distance to the fixed point"))
        self.fall.set_labels(x=self.text("iteration"), y=self.text("distance"))
        self.errors.label = self.text("measured")
        self.law.label = self.text("share of missing information")
        for card in (self.sets, self.plane, self.climb, self.fall):
            card.refresh_legend()

    def draw(self, frame: Frame[Parameters, Picture], parameters: Parameters) -> None:
        picture: Picture = frame.picture
        self._heads = picture.heads.tolist()
        self._draw_table(picture, frame)
        self._draw_landscape(picture, parameters)
        self.draw_later("climb", partial(self._draw_climb, picture, frame))
        self.draw_later("errors", partial(self._draw_errors, picture))

    def _draw_table(self, picture: Picture, frame: Frame[Parameters, Picture]) -> None:
        phase = "" if picture.half == 0 else "EM"[(picture.half - 1) % 2]
        self.table.setData(picture.heads, picture.flips, picture.shares, picture.counts, phase)
        iteration = (picture.half + 1) // 2
        if not phase:
            words = self.text("before the first step")
        elif phase == "E":
            words = self.text("E step {iteration}: whose flips?", iteration=iteration)
        else:
            words = self.text("M step {iteration}: new biases", iteration=iteration)
        weight = f" · w = {picture.parameters[2]:.3f}" if picture.profile else ""
        self.sets.set_caption(words + weight)

    def _draw_landscape(self, picture: Picture, parameters: Parameters) -> None:
        rect = (0.0, 0.0, 1.0, 1.0)
        if not np.array_equal(self._surface, picture.surface):  # level lines are dear
            self._surface = picture.surface
            self.levels.setData(picture.surface, rect)
            self.glow.setData(np.square(np.clip(1 + picture.surface / DEEPEST, 0, 1)).astype(np.float32), rect, (0.0, 1.0))
        shown = parameters.bound and picture.half > 0
        if shown and not np.array_equal(self._hill, picture.hill):
            self._hill = picture.hill
            self.bound.setData(picture.hill, rect)
        self.bound.set_present(shown)
        self.peak.set_present(shown)
        totals = picture.counts.sum(axis=0)
        top = totals[:, 0] / np.maximum(totals.sum(axis=1), 1e-300)
        self.peak.setData(top[:1], top[1:])
        self.ridge.setData([0, 1], [0, 1])
        self.ridge_words.setData(0.88, 0.88)
        done = picture.half // 2
        self.ahead.setData(picture.way[done:, 0], picture.way[done:, 1])
        self.way.setData(picture.way[: done + 1, 0], picture.way[: done + 1, 1])
        self.stations.setData(picture.way[1 : done + 1, 0], picture.way[1 : done + 1, 1])
        self.now.setData(picture.parameters[:1], picture.parameters[1:2])
        self.best.setData(picture.maximum[:1], picture.maximum[1:2])
        there = 1 if picture.twin else 0
        self.twin.setData(picture.maximum[1 : 1 + there], picture.maximum[:there])
        self.start.setData(picture.way[:1, 0], picture.way[:1, 1])
        self.plane.set_range(x=(0.0, 1.0), y=(0.0, 1.0))
        self.plane.set_caption(self.text("best w everywhere") if picture.profile else "")

    def _draw_climb(self, picture: Picture, frame: Frame[Parameters, Picture]) -> None:
        upto = picture.half + 1
        at = np.arange(len(picture.log_likelihood)) / 2
        self.lack.setData(at[:upto], picture.lower_bound[:upto], picture.log_likelihood[:upto])
        self.bound_line.setData(at[:upto], picture.lower_bound[:upto])
        self.likelihood.setData(at[:upto], picture.log_likelihood[:upto])
        self.later.setData(at, picture.log_likelihood)
        self.present.setData(at[upto - 1 : upto], picture.log_likelihood[upto - 1 : upto])
        highest = frame.measures["maximum_log_likelihood"]
        self.highest.setData(highest, self.text("highest {value}", value=number_text(highest, ".3f")))
        low = min(picture.log_likelihood.min(), np.median(picture.lower_bound), picture.lower_bound[2:3].min(initial=np.inf))
        high = max(highest, picture.log_likelihood.max())
        room = 0.12 * max(high - low, 1e-3)
        self.climb.set_range(x=(0, max(at[-1], 1) * 1.02), y=(low - room, high + 1.6 * room))
        gap = frame.measures["gap"]
        self.climb.set_caption(self.text("gap {value:.2g}", value=gap if gap > 1e-12 else 0.0))

    def _draw_errors(self, picture: Picture) -> None:
        at = np.arange(len(picture.errors))
        errors = np.where(picture.errors > SMALLEST, picture.errors, np.nan)
        known = bool(np.isfinite(errors).sum() >= 2)
        done = picture.half // 2 + 1
        self.nothing.set_present(not known)
        for item in (self.law, self.error_line, self.errors, self.error_now):
            item.set_present(known)
        rate = float(picture.rates[0])
        self.fall.set_caption(self.text("rate {value:.4f}", value=rate) if np.isfinite(rate) else "")
        if not known:
            self.fall.set_range(x=(0, max(len(at) - 1, 1)), y=(1e-3, 1.0))
            self.nothing.setData(
                max(len(at) - 1, 1) / 2, 10**-1.5, self.text("nothing shrinks here: see the claim on the rate")
            )
            return
        last = int(np.flatnonzero(np.isfinite(errors))[-1])
        line = at[: last + 1] if np.isfinite(rate) else at[:0]
        self.law.setData(line, errors[last] * rate ** (line - last))
        self.error_line.setData(at, errors)
        self.errors.setData(at[:done], errors[:done])
        self.error_now.setData(at[done - 1 : done], errors[done - 1 : done])
        low, high = np.nanmin(errors), np.nanmax(errors)
        self.fall.set_range(x=(0, max(last, 1) * 1.02), y=(low / 2, high * 3))

    def _on_edited(self, row: int, heads: int) -> None:
        changed = [heads if index == row else old for index, old in enumerate(self._heads)]
        self.tweak_requested.emit({"heads": tuple(changed)})

    def _on_start(self, index: int, a: float, b: float) -> None:
        inside = [round(min(max(value, 0.005), 0.995), 3) for value in (a, b)]
        self.tweak_requested.emit({"start_a": inside[0], "start_b": inside[1]})
