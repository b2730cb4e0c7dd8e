"""The smaller pictures of `sampling`: marginals, the distance to the target, the bias against the step size, the ladder."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.api import Frame
from gui.core.look.theme import Role
from gui.core.plots import Curve, Histogram, Label, Marker, PlotCard, Points
from gui.panels.langevin.sampling.swarm import GHOST, HUES

if TYPE_CHECKING:
    from engine.labs.langevin.sampling.picture import Picture

Text = Callable[..., str]

HEADROOM = 1.15
STEEPEST = 3.0  # times the highest place of the exact marginal up to which a density that flows is followed
SYMBOLS = {"ula": "o", "mala": "s", "underdamped": "t", "hmc": "d", "nuts": "star", "annealed": "o", "tempering": "x"}
FLOW: Role = 2  # of the density by the Fokker-Planck equation
MOST_NATS = 20.0  # a start in one point is infinitely far
LADDER = 80  # steps that the ladder shows
MARGIN = 12  # of it to the right, for the shares


class MarginalCard(PlotCard):
    """One coordinate of the swarm on its exact density."""

    def __init__(self) -> None:
        super().__init__()
        self.bars = self.add(Histogram("data"))
        self.other = self.add(Histogram(GHOST, fill=0.0))
        self.law = self.add(Curve("theory"))
        self.flow = self.add(Curve(FLOW, dash="dash", width=2.0))

    def feed(
        self, density: np.ndarray, other: np.ndarray, law: np.ndarray, flow: np.ndarray, ends: tuple[float, float]
    ) -> None:
        """Draw equal bins over a range; the other swarm, the law and the Fokker-Planck density may have none."""
        edges = np.linspace(*ends, len(density) + 1)
        middles = 0.5 * (edges[1:] + edges[:-1])
        self.bars.setData(density, edges, density=True)
        self.other.set_present(len(other) > 0)
        self.other.setData(other, edges if len(other) else edges[:1], density=True)
        self.law.set_present(bool(law.any()))
        self.law.setData(middles, law)
        self.flow.set_present(len(flow) > 0)
        self.flow.setData(middles[: len(flow)], flow)
        top = float(law.max()) or float(density.max())
        if len(flow):
            top = max(top, min(float(flow.max()), STEEPEST * top))
        self.set_range(x=ends)
        self.set_range(y=(0.0, HEADROOM * top), steady=True)


class WayCard(PlotCard):
    """The distance to the target over the run, with the distance that chance alone would leave."""

    def __init__(self) -> None:
        super().__init__()
        self.set_log(y=True)
        self.changes = self.add(Curve("muted", dash="dot", width=1.0))
        self.floor = self.add(Marker("theory", vertical=False, dash="dash", at=0.02))
        self.second = self.add(Curve(GHOST, width=1.8))
        self.first = self.add(Curve("data", width=2.2))

    def feed(self, frame: Frame, clock: str, text: Text) -> None:
        """Draw against steps, gradients or seconds."""
        picture: Picture = frame.picture
        x = {
            "steps": picture.way_steps,
            "gradients": picture.way_gradients,
            "seconds": np.array(picture.way_seconds),
        }[clock]
        first, second = picture.way_distances
        self.first.setData(x, np.maximum(first, 1e-9))
        self.second.set_present(bool(np.isfinite(second).any()))
        self.second.setData(x, np.maximum(second, 1e-9))
        floor = frame.measures["kl_floor"]
        self.floor.set_present(math.isfinite(floor))
        if math.isfinite(floor):
            self.floor.setData(floor, text("sampling noise: {value:.2g}", value=floor))
        low, high = ends_of(first, second, floor)
        self.set_range(x=(0.0, max(float(x[-1]), 1e-3 if clock == "seconds" else 20.0)), steady=True)
        self.set_range(y=(low, high), steady=False)
        places = [x[min(at, len(x) - 1)] for at in picture.changes]
        self.changes.set_present(bool(places))
        self.changes.setData(np.repeat(places, 3), np.tile([low, high, np.nan], len(places)))


def ends_of(first: np.ndarray, second: np.ndarray, floor: float) -> tuple[float, float]:
    """Decades, or halves of them, around all that is drawn."""
    values = np.concatenate([first, second, [floor, 3 * floor]])
    values = values[np.isfinite(values) & (values > 1e-6)]
    if not len(values):
        return 0.01, 1.0
    low, high = math.log10(values.min()), math.log10(values.max())
    return 10 ** (math.floor(2 * low - 0.3) / 2), min(10 ** (math.ceil(2 * high + 0.1) / 2), MOST_NATS)


class BiasCard(PlotCard):
    """Where the variance settles against the step size, up to the stability limit, and where the swarm is now."""

    def __init__(self) -> None:
        super().__init__()
        self.set_log(x=True)
        self.law = self.add(Curve("theory"))
        self.exact = self.add(Marker("muted", vertical=False, dash="dot", at=0.0))
        self.limit = self.add(Marker("fails", dash="dash", at=1.0))
        self.visited = [self.add(Points("muted", size=6, symbol=symbol)) for symbol in ("o", "s", "t", "d", "o", "x")]
        self.other = self.add(Points(GHOST, size=9, symbol="d", halo=True))
        self.here = self.add(Points("data", size=11, halo=True))

    def feed(self, frame: Frame, text: Text) -> None:
        """Draw the law, the limit, step sizes visited and the present one."""
        picture: Picture = frame.picture
        place, rules, measures = picture.landscape, picture.rules, frame.measures
        known = np.isfinite(picture.bias_variances)
        self.law.set_present(bool(known.any()))
        self.law.setData(picture.bias_steps[known], picture.bias_variances[known])
        exact = measures["exact_var_x"]
        level = exact if math.isfinite(exact) else measures["var_x"]
        self.exact.set_present(math.isfinite(exact))
        self.exact.setData(level, text("target {value:.3g}", value=level))
        bounded = math.isfinite(place.limit)
        self.limit.set_present(bounded)
        if bounded:
            self.limit.setData(place.limit, text("limit {value:.3g}", value=place.limit))
        for number, points in enumerate(self.visited):
            chosen = picture.visited[picture.visited[:, 0] == number]
            points.setData(chosen[:, 1], chosen[:, 2])
        top = max(3.5 * level, 1e-9)
        self.here.setData([rules[0].step_size], [min(measures["var_x"], 0.97 * top)])
        twice = len(rules) > 1
        self.other.setData([rules[1].step_size] if twice else [], [min(measures["second_var_x"], 0.97 * top)] if twice else [])
        limit = place.limit if bounded else 4.0
        sizes = [rule.step_size for rule in rules]
        self.set_range(x=(min(limit / 100, *(0.7 * size for size in sizes)), max(2.2 * limit, *(1.3 * size for size in sizes))))
        self.set_range(y=(0.0, top), steady=True)


class LadderCard(PlotCard):
    """The temperatures of the replicas, and how walkers climb them by swapping."""

    def __init__(self) -> None:
        super().__init__()
        self.walkers = [self.add(Curve(hue, width=1.8, dash=None)) for hue in HUES]
        self.shares = [self.add(Label(role="muted", anchor=(0.0, 0.5), size=11)) for _ in HUES]

    def feed(self, picture: Picture, share: float, text: Text) -> None:
        """Draw the rung of every walker over the last steps."""
        steps, rungs = picture.walkers.shape
        x = np.arange(-steps + 1, 1)
        for number, curve in enumerate(self.walkers):
            shown = number < rungs and steps > 0
            curve.set_present(shown)
            if shown:
                curve.setData(x, (picture.walkers == number).argmax(1) + 0.06 * (number - 0.5 * rungs))
        for number, label in enumerate(self.shares):
            shown = number < len(picture.swap_shares)
            label.set_present(shown)
            if shown:
                label.setData(1.5, number + 0.5, f"{picture.swap_shares[number]:.0%}")
        self.set_categories([f"T = {value:.3g}" for value in picture.rung_temperatures], "y")
        self.set_range(x=(-LADDER, MARGIN))
        self.set_caption("" if math.isnan(share) else text("{share} of swaps accepted", share=f"{share:.0%}"))


def side_by_side(rules: tuple[Any, ...]) -> bool:
    """Whether the second swarm has a picture of its own: where more than the step differs."""
    return len(rules) > 1 and rules[0].sampler != rules[1].sampler
