"""Draws a landscape that is being dug, the points that roll in it, and what decides whether they run past a pit."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from engine.api import Frame
from gui.core.lab.two_rows import TwoRows
from gui.core.plots import Bars, Curve, Marker, PlotCard
from gui.panels.langevin.pits.cards import AboveCard, MomentumCard, SideCard

if TYPE_CHECKING:
    from engine.labs.langevin.pits import Parameters, Picture

WALL = 2.9  # how far out points may be put
NUDGE = 0.001  # so that a second click at the same place is another place


class ExperimentPanel(TwoRows["Parameters", "Picture"]):
    """The landscape from above and from the side; energies, modes and momentum below."""

    def build(self) -> None:
        self.above, self.side, self.momentum = AboveCard(), SideCard(), MomentumCard()
        self.above.dropper.dropped.connect(self._on_dropped)
        self._dropped = (0.0, 0.0)
        self.energies, self.bars = PlotCard(), PlotCard()
        self.of_data = self.energies.add(Curve(2, width=1.8))
        self.of_points = self.energies.add(Curve("data", width=1.8))
        self.energies.set_range(x=(50.0, 150.0), y=(-2.0, 2.0))
        self.shares = self.bars.add(Bars("data"))
        self.fair = self.bars.add(Marker("theory", vertical=False, at=0.98))
        self.arrange([self.above, self.side], [self.energies, self.bars, self.momentum], stretch=(5, 3), shares=[(1, 1.35)])
        self.fit()

    def retranslate(self) -> None:
        self.above.set_title(self.text("From above"))
        self.above.view.setToolTip(self.text("A click puts all points there."))
        self.above.data.label = self.side.data.label = self.of_data.label = self.text("data")
        self.above.balls.label = self.side.balls.label = self.of_points.label = self.text("points")
        self.side.far.label = self.text("points elsewhere")
        self.side.set_title(self.text("From the side"))
        self.side.set_labels(x=self.text("direction along the circle of the data"), y=self.text("energy U"))
        self.energies.set_title(self.text("Mean energies"))
        self.energies.set_labels(x=self.text("step"), y=self.text("mean of U"))
        self.bars.set_title(self.text("Points by mode"))
        self.bars.set_labels(x=self.text("mode"), y=self.text("share"))
        self.momentum.set_title(self.text("Momentum"))
        self.momentum.set_labels(x=self.text("stiffness ηk of a pit"), y=self.text("momentum m"))
        for card in (self.above, self.side, self.energies):
            card.refresh_legend()
        creeps, past, out = self.momentum.words
        creeps.setData(0.016, 0.3, self.text("creeps"))
        past.setData(0.7, 0.55, self.text("runs past"))
        out.setData(90.0, 0.3, self.text("thrown out"))

    def draw(self, frame: Frame[Parameters, Picture], parameters: Parameters) -> None:
        self._draw_above(frame)
        self._draw_side(frame)
        self.draw_later("momentum", partial(self._draw_momentum, frame))
        self.draw_later("bars", partial(self._draw_bars, frame))
        self.draw_later("energies", partial(self._draw_energies, frame))

    def _draw_above(self, frame: Frame[Parameters, Picture]) -> None:
        picture: Picture = frame.picture
        self.above.show_field(picture)
        self.above.show_modes(picture)
        self.above.show_points(picture)
        facts = {"share": f"{frame.measures['caught']:.0%}", "spacing": self.above.spacing}
        if picture.waiting:
            self.above.set_caption(self.text("only the discriminator learns", **facts))
        else:
            self.above.set_caption(self.text("{share} in a mode · lines every {spacing:g}", **facts))

    def _draw_side(self, frame: Frame[Parameters, Picture]) -> None:
        picture: Picture = frame.picture
        values, measures = frame.parameters, frame.measures
        self.side.show_ground(picture)
        self.side.show_points(picture)
        self.side.show_data(picture)
        floor, top = self.side.limits
        waiting = self.text("The discriminator learns alone; in {steps} steps the points are let go.", steps=picture.before)
        self.side.words.setData(180.0, top - 0.3 * (top - floor), waiting if picture.waiting else "")
        loss = values.loss
        for mark, value, words, losses in (
            (self.side.deep, -1.0, self.text("deep enough"), ("hinge",)),
            (self.side.high, 1.0, self.text("high enough"), ("hinge", "margin")),
        ):
            mark.set_present(loss in losses and floor < value < top)
            mark.setData(value, words)
        self.side.set_caption(
            self.text(
                "speed {speed:.2f} · {share} uphill · slope at data {slope:.2f}",
                speed=measures["speed"],
                share=f"{measures['uphill_share']:.0%}",
                slope=measures["slope_at_data"],
            )
        )

    def _draw_energies(self, frame: Frame[Parameters, Picture]) -> None:
        picture: Picture = frame.picture
        self.of_data.setData(picture.curve_steps, picture.curve_data)
        self.of_points.setData(picture.curve_steps, picture.curve_points)
        if len(picture.curve_steps) > 1:
            both = np.concatenate([picture.curve_data, picture.curve_points])
            low, high = min(float(both.min()), -0.1), max(float(both.max()), 0.1)
            self.energies.set_range(x=(float(picture.curve_steps[0]), max(float(picture.curve_steps[-1]), 100.0)))
            self.energies.set_range(y=(low, high), steady=True)
        gap = frame.measures["mean_energy"] - frame.measures["data_energy"]
        self.energies.set_caption(self.text("gap {gap:.2f}", gap=gap))

    def _draw_bars(self, frame: Frame[Parameters, Picture]) -> None:
        picture: Picture = frame.picture
        count = len(picture.shares)
        self.shares.setData(picture.shares, [str(number + 1) for number in range(count)])
        self.fair.setData(1 / count, self.text("fair share"))
        highest = max(2.2 / count, 1.1 * float(picture.shares.max()))
        self.bars.set_range(x=(-0.6, count - 0.4), y=(0.0, min(highest, 1.05)), steady=True)
        self.bars.set_caption(self.text("{modes:.1f} of {all} modes", modes=frame.measures["effective_modes"], all=count))

    def _draw_momentum(self, frame: Frame[Parameters, Picture]) -> None:
        picture: Picture = frame.picture
        measures = frame.measures
        self.momentum.show_pits(picture.stiffness, frame.parameters.momentum)
        if not math.isfinite(measures["overshoot"]):
            self.momentum.set_caption(self.text("there is no pit yet"))
            return
        self.momentum.set_caption(self.text("overshoot {share:.0f} %", share=100 * measures["overshoot"]))

    def _on_dropped(self, x: float, y: float) -> None:
        place = (round(float(np.clip(x, -WALL, WALL)), 3), round(float(np.clip(y, -WALL, WALL)), 3))
        if place == self._dropped:
            place = (round(place[0] - math.copysign(NUDGE, place[0]), 3), place[1])
        self._dropped = place
        self.tweak_requested.emit({"start_x": place[0], "start_y": place[1]})
