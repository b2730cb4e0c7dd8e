"""The cards of `energy_model`: the map with its chains, the density, the images, the curves."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, Qt, Signal

from engine.api import Frame
from gui.core.plots import (
    Brush,
    Contours,
    Curve,
    DensityImage,
    HeatMap,
    Histogram,
    ImageGrid,
    Label,
    Marker,
    PlotCard,
    Points,
    Swarm,
    Trails,
)

if TYPE_CHECKING:
    from engine.labs.langevin.energy_model import Picture

Text = Callable[..., str]

DEPTHS = (3.0, 4.5, 6.0, 9.0, 12.0, 18.0, 25.0)  # ends of the colours of the map: few, so that they rest
LEVELS = tuple(np.arange(-4.0, 12.1, 1.0))
SMOOTH = 25  # updates in a running mean
SPACING = 0.07  # between two points of a stroke
MOST = 2000  # points of a hand
YOUNGEST = 24  # rounds that the axis of ages shows at least
WIDE = 1.7  # sides of a card in which ten images stand side by side
BLANK = (0.0, 0.0)  # what is left after clearing


class MapCard(PlotCard):
    """The energy from above, data, and the chains of the last update with their ways."""

    def __init__(self) -> None:
        super().__init__()
        self.set_aspect(True)
        self.set_axes_visible(grid=False)
        self.map = self.add(HeatMap())
        self.bar = self.add_colour_bar(self.map)
        self.lines = self.add(Contours("muted", levels=LEVELS, width=1.0, alpha=0.45))
        self.data = self.add(Swarm("data", size=3.2, alpha=0.8, glow=False))
        self.paths = self.add(Trails("text", width=1.1, alpha=0.55))
        self.fresh = self.add(Points(3, size=5, symbol="d", halo=True))
        self.kept = self.add(Points(2, size=5, symbol="o", halo=True))
        self.span = 0.0

    def retranslate(self, text: Text) -> None:
        self.set_title(text("Energy"))
        self.set_labels(x="x", y="y")
        self.map.label = text("U/T against uniform")
        self.data.label = text("data")
        self.kept.label = text("negatives")
        self.fresh.label = text("started in noise")
        self.paths.label = text("their last K steps")
        self.bar.refresh()
        self.refresh_legend()

    def show_picture(self, picture: Picture) -> None:
        reach = picture.reach
        box = (-reach, -reach, 2 * reach, 2 * reach)
        deepest = max(-float(picture.energy.min()), 0.6 * float(np.quantile(picture.energy, 0.9)), 1.0)
        wanted = next((depth for depth in DEPTHS if depth >= deepest), DEPTHS[-1])
        if wanted > self.span or deepest < 0.4 * self.span:
            self.span = wanted
        self.map.setData(np.clip(picture.energy, -self.span, self.span), box, self.span)
        self.lines.setData(picture.energy, box)
        self.set_range(x=(-reach, reach), y=(-reach, reach))
        self.data.setData(*picture.data)
        self.paths.setData(picture.path[:, 0].T, picture.path[:, 1].T)
        self.kept.setData(*picture.negatives[:, picture.kept])
        self.fresh.setData(*picture.negatives[:, ~picture.kept])


class DensityCard(PlotCard):
    """The model's density with level lines of the truth."""

    def __init__(self) -> None:
        super().__init__()
        self.set_aspect(True)
        self.set_axes_visible(grid=False)
        self.density = self.add(DensityImage(fade=True))
        self.truth = self.add(Contours("theory", width=1.1, alpha=0.8))

    def retranslate(self, text: Text) -> None:
        self.set_title(text("Density exp(-U/T)/Z"))
        self.set_labels(x="x", y="y")
        self.truth.label = text("exact density of the data")
        self.refresh_legend()

    def show_picture(self, picture: Picture, frame: Frame, text: Text) -> None:
        reach = picture.reach
        box = (-reach, -reach, 2 * reach, 2 * reach)
        top = float(picture.truth.max())
        self.density.setData(picture.density, box, (0.0, 1.15 * top))
        self.truth.setData(picture.truth, box, (0.1 * top, 0.4 * top, 0.8 * top))
        self.set_range(x=(-reach, reach), y=(-reach, reach))
        divergence, found = frame.measures["kl_divergence"], frame.measures["mode_coverage"]
        modes = picture.mode_shares.shape[1]
        words = text("KL = {value:.3f} nats", value=divergence)
        if modes and math.isfinite(found):
            words += " · " + text("{found} of {all} modes", found=round(found * modes), all=modes)
        self.set_caption(words)


class GrowingCard(ImageGrid):
    """Images on their way from noise."""

    def retranslate(self, text: Text) -> None:
        self.set_title(text("From noise to digits"))

    def show_picture(self, picture: Picture, text: Text) -> None:
        self.setData(picture.gallery, columns=10 if self.width() > WIDE * self.height() else 5)
        done = picture.walked >= picture.life
        facts = {"step": picture.walked, "all": picture.life}
        self.set_caption(
            text("the last noise taken away") if done else text("Langevin step {step} of {all}", **facts),
        )


class BufferCard(ImageGrid):
    """Chains of the buffer with their ages."""

    def retranslate(self, text: Text) -> None:
        self.set_title(text("Buffer of chains"))

    def show_picture(self, picture: Picture, frame: Frame, text: Text) -> None:
        self.setData(picture.buffer, captions=[str(age) for age in picture.buffer_ages.tolist()])
        share = frame.measures["class_agreement"]
        self.set_caption(text("{share} read as their class · below: rounds lived", share=f"{share:.0%}"))


class EnergiesCard(PlotCard):
    """Mean energies of data and negatives by update."""

    def __init__(self) -> None:
        super().__init__()
        self.raw_sample = self.add(Curve(2, dash=None, width=1, alpha=0.25))
        self.raw_data = self.add(Curve("data", width=1, alpha=0.25))
        self.sample = self.add(Curve(2, width=1.9))
        self.data = self.add(Curve("data", width=1.9))
        self.model = self.add(Curve("theory", width=1.6))

    def retranslate(self, text: Text) -> None:
        self.set_title(text("Mean energies"))
        self.set_labels(x=text("update"), y="U")
        self.data.label = text("data")
        self.sample.label = text("negatives")
        self.model.label = None
        self.name_model(text("model, exact"))
        self.refresh_legend()

    def name_model(self, name: str | None) -> None:
        """Images have no exact mean: then the legend does without."""
        if name != self.model.label:
            self.model.label = name
            self.refresh_legend()

    def show_picture(self, picture: Picture, frame: Frame, text: Text) -> None:
        at = np.arange(len(picture.data_energies)) + (1 if picture.update else 0)
        for raw, mean, values in (
            (self.raw_data, self.data, picture.data_energies),
            (self.raw_sample, self.sample, picture.sample_energies),
        ):
            raw.setData(at, values)
            mean.setData(at, running_mean(values))
        self.model.setData(picture.read_at, picture.model_energies)
        self.name_model(None if picture.images else text("model, exact"))
        both = np.concatenate([picture.data_energies, picture.sample_energies, picture.model_energies])
        low, high = np.quantile(both, [0.005, 0.995])
        room = max(0.12 * (high - low), 0.1)
        self.set_range(x=(0, max(20, picture.update)), y=(low - room, high + room), steady=True)
        self.set_caption(text("gap {gap:.3f}", gap=frame.measures["energy_gap"]))


class LikelihoodCard(PlotCard):
    """The exact negative log-likelihood by update, above the entropy of the data."""

    def __init__(self) -> None:
        super().__init__()
        self.curve = self.add(Curve("data", width=1.9))
        self.best = self.add(Marker("theory", vertical=False, at=0.0))

    def retranslate(self, text: Text) -> None:
        self.set_title(text("Negative log-likelihood"))
        self.set_labels(x=text("update"), y=text("nats"))
        self.curve.label = text("model")
        self.best.label = text("entropy of the data")
        self.refresh_legend()

    def show_picture(self, picture: Picture, frame: Frame, text: Text) -> None:
        entropy = frame.measures["entropy"]
        values = picture.divergences + entropy
        self.curve.setData(picture.read_at, values)
        self.best.setData(entropy)
        settled = values[len(values) // 3 :]
        high = max(float(values[0]), float(settled.max()))
        self.set_range(x=(0, max(20, picture.update)), y=(entropy - 0.12 * (high - entropy + 0.1), high), steady=True)
        learned = frame.measures["log_partition_estimate"]
        words = text("ln Z = {value:.2f}", value=frame.measures["log_partition"])
        if math.isfinite(learned):
            words += " · " + text("learned {value:.2f}", value=learned)
        self.set_caption(words)


class ClassCard(PlotCard):
    """Which class gives an image the least energy."""

    def __init__(self) -> None:
        super().__init__()
        self.set_axes_visible(grid=False)
        self.table = self.add(DensityImage())
        self.bar = self.add_colour_bar(self.table)

    def retranslate(self, text: Text) -> None:
        self.set_title(text("Energy by class"))
        self.set_labels(x=text("class asked for"), y=text("class of the image"))
        self.table.label = text("above the row's least")
        self.bar.refresh()

    def show_picture(self, picture: Picture) -> None:
        table = picture.class_energies
        self.table.setData(table, (-0.5, -0.5, 10.0, 10.0), (0.0, max(1.0, float(table.max()))))
        self.set_range(x=(-0.5, 9.5), y=(-0.5, 9.5))


class AgesCard(PlotCard):
    """Ages of the chains in the buffer against the geometric law."""

    def __init__(self) -> None:
        super().__init__()
        self.bars = self.add(Histogram(2))
        self.law = self.add(Curve("theory"))
        self.words = self.add(Label(anchor=(0.5, 0.5)))

    def retranslate(self, text: Text) -> None:
        self.set_title(text("Ages in the buffer"))
        self.set_labels(x=text("rounds since the chain began"), y=text("share"))
        self.bars.label = text("chains")
        self.law.label = text("geometric law")
        self.refresh_legend()

    def show_picture(self, picture: Picture, frame: Frame, text: Text) -> None:
        shares, law = picture.ages, picture.age_law
        known = bool(law.any())
        self.bars.setData(shares, np.arange(len(shares) + 1) + 0.5, density=True)
        self.law.setData(np.arange(len(law) if known else 0) + 1, law[: len(law) if known else 0])
        reached = int(np.flatnonzero(np.cumsum(law) > 0.985 * law.sum())[0]) + 2 if known else YOUNGEST
        last = min(len(shares), max(YOUNGEST, 8 * math.ceil(reached / 8)))
        first = 1 if law[0] < 0.5 else 0  # chains that just began may be many: the law is read from the rest
        top = max(float(shares[first:last].max(initial=0.0)), float(law[first:last].max(initial=0.0)), 0.02)
        self.set_range(x=(0.5, last + 0.5), y=(0.0, 1.25 * top if known else 1.0), steady=True)
        self.words.setData(last / 2, 0.5, "" if known else text("no chain has come back yet"))
        age = frame.measures["chain_age"]
        self.set_caption(text("mean {age:.1f} rounds", age=age) if math.isfinite(age) else "")


class Hand(QObject):
    """Drawing data: the left button strews points along its way, the right one (or Shift) takes away what is near.

    Attributes
    ----------
    drawn : Signal(list)
        All points, after every change.
    """

    drawn = Signal(list)

    def __init__(self, card: PlotCard) -> None:
        super().__init__(card)
        self.points: list[tuple[float, float]] = []
        self.brush = Brush(card, radius=0.2, limits=(0.05, 1.0))
        self.brush.enabled = False
        self.brush.stroke_began.connect(self._begin)
        self.brush.stroke_moved.connect(self._move)
        self._erasing = False

    def set_points(self, points: tuple[tuple[float, ...], ...], wanted: bool) -> None:
        """The points now in force, unless a hand is drawing, and whether it may."""
        if self.brush.enabled != wanted:
            self.brush.enabled = wanted
        if not self.brush.painting:
            self.points = [(point[0], point[1]) for point in points]

    def _begin(self, x: float, y: float, button: Qt.MouseButton) -> None:
        self._erasing = button == Qt.MouseButton.RightButton
        if not self._erasing and self.points == [BLANK]:
            self.points = []
        self._touch(x, y)

    def _move(self, x: float, y: float) -> None:
        if self._erasing or not self.points or math.dist(self.points[-1], (x, y)) >= SPACING:
            self._touch(x, y)

    def _touch(self, x: float, y: float) -> None:
        if self._erasing:
            left = [point for point in self.points if math.dist(point, (x, y)) > self.brush.radius] or [BLANK]
            if len(left) == len(self.points):
                return
            self.points = left
        elif max(abs(x), abs(y)) <= 2.9:
            self.points = [*self.points[-MOST + 1 :], (round(x, 3), round(y, 3))]
        else:
            return
        self.drawn.emit([list(point) for point in self.points])


def running_mean(values: np.ndarray) -> np.ndarray:
    """Mean of each value with up to SMOOTH - 1 before it."""
    sums = np.concatenate([[0.0], np.cumsum(values, dtype=float)])
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(ends - SMOOTH, 0)
    found: np.ndarray = (sums[ends] - sums[starts]) / (ends - starts)
    return found
