"""Draws particles on an energy of one variable, their density on the exact one, and ln Z as they tell it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.api import Frame
from gui.core.lab.two_rows import TwoRows
from gui.core.plots import Band, Curve, Histogram, Marker, PlotCard, Points

if TYPE_CHECKING:
    from engine.labs.langevin.line import Parameters, Picture

HEADROOM = 1.15
ROOM = 0.08  # above and below the energies shown
LEAST = 0.1  # half height of the axis of ln Z


class ExperimentPanel(TwoRows["Parameters", "Picture"]):
    """The energy and the densities above, ln Z over the steps below."""

    def build(self) -> None:
        self.well = PlotCard()
        self.flat = self.well.add(Band("theory", alpha=0.12))
        self.energy = self.well.add(Curve("text", width=2.2))
        self.balls = self.well.add(Points("data", size=6, alpha=0.6))
        self.law = PlotCard()
        self.bars = self.law.add(Histogram("data"))
        self.exact = self.law.add(Curve("theory"))
        self.partition = PlotCard()
        self.truth = self.partition.add(Marker("theory", vertical=False, dash="dash", at=0.02))
        self.estimates = self.partition.add(Curve("data"))
        self.arrange([self.well, self.law], [self.partition], stretch=(3, 2))
        self.fit()

    def retranslate(self) -> None:
        self.well.set_title(self.text("Energy"))
        self.well.set_labels(x="x", y="U")
        self.balls.label = self.text("particles")
        self.flat.label = self.text("range that tells Z")
        self.law.set_title(self.text("Density"))
        self.law.set_labels(x="x", y=self.text("density"))
        self.bars.label = self.text("particles")
        self.exact.label = "exp(-U/T)/Z"
        self.partition.set_title(self.text("ln Z"))
        self.partition.set_labels(x=self.text("step"), y="ln Z")
        self.estimates.label = self.text("from the particles")

    def draw(self, frame: Frame[Parameters, Picture], parameters: Parameters) -> None:
        picture = frame.picture
        ends = float(picture.grid[0]), float(picture.grid[-1])
        low, high = float(picture.energy[picture.energy == picture.energy].min()), float(frame.parameters.temperature)
        self.flat.setData(*map(float, picture.flat))
        self.energy.setData(picture.grid, picture.energy)
        self.balls.setData(picture.places, picture.place_energies)
        self.well.set_range(x=ends, y=(low - ROOM * 10 * high, low + 10 * high))
        self.bars.setData(picture.heights, picture.edges, density=True)
        self.exact.setData(picture.grid, picture.density)
        self.law.set_range(x=ends)
        self.law.set_range(y=(0.0, HEADROOM * float(picture.density.max())), steady=True)
        self.law.set_caption(self.text("ln Z = {value:.6g} by quadrature", value=picture.log_partition))
        self._draw_partition(frame)

    def _draw_partition(self, frame: Frame[Parameters, Picture]) -> None:
        picture = frame.picture
        self.estimates.setData(picture.estimate_steps, picture.estimates)
        self.truth.setData(picture.log_partition, self.text("quadrature: {value:.4g}", value=picture.log_partition))
        last = picture.estimates[-max(1, len(picture.estimates) // 2) :]
        away = abs(last[last == last] - picture.log_partition).max(initial=LEAST)
        self.partition.set_range(x=(0.0, max(1.0, float(frame.step))))
        self.partition.set_range(y=(picture.log_partition - 1.3 * away, picture.log_partition + 1.3 * away), steady=True)
