"""Draws the price of a finite step: variance against the step, histogram, traces, correlations and what a step is worth."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtWidgets import QWidget

from engine.api import Frame
from gui.core.lab.two_rows import TwoRows
from gui.core.numbers import number_text
from gui.core.plots import Area, Band, Curve, DragPoints, Histogram, Label, Marker, PlotCard, Points, Swatch

if TYPE_CHECKING:
    from engine.labs.langevin.bias import Parameters, Picture

UNADJUSTED = ("ula", "underdamped")
SHOWN = 4
HEADROOM = 1.15
ERRORS = 2.0  # standard errors that a bar shows on both sides


class ExperimentPanel(TwoRows["Parameters", "Picture"]):
    """Variance against the step and the histogram above; the way there, memory and cost below."""

    def build(self) -> None:
        self._unstable = False
        self._build_bias()
        self._build_law()
        self._build_way()
        self._build_growth()
        self._build_memory()
        self._build_cost()
        self.arrange([self.bias, self.law], [self.way, self.growth, self.memory, self.cost], stretch=(5, 4))
        self.fit()

    def wanted(self, card: QWidget) -> bool:
        """The growth in place of the traces while the chains run away."""
        return card is not (self.way if self._unstable else self.growth)

    def _build_bias(self) -> None:
        self.bias = PlotCard()
        self.zone = self.bias.add(Band("fails", alpha=0.08))
        self.exact = self.bias.add(Curve("muted", dash="dash", width=1.4))
        self.pole = self.bias.add(Curve("muted", dash="long", width=1.4))
        self.printed = self.bias.add(Curve("muted", dash="dashdot", width=1.4))
        self.chosen = self.bias.add(Curve("theory"))
        self.limit = self.bias.add(Marker("fails", dash="dash", at=0.45))
        self.names = [self.bias.add(Label(role="muted", anchor=anchor)) for anchor in ((1.0, 1.9), (1.4, 0.5), (-0.2, 0.5))]
        self.before = self.bias.add(Points("data", size=7, alpha=0.5, symbol="d"))
        self.bar = self.bias.add(Curve("data", width=2.0))
        self.bar.setZValue(9)
        self.handle = DragPoints(self.bias, "data", size=13)
        self.handle.handles.swatch = Swatch("marker", "data")
        self.handle.dragged.connect(self._on_drag)

    def _build_law(self) -> None:
        self.law = PlotCard()
        self.bars = self.law.add(Histogram("data"))
        self.target = self.law.add(Curve("muted", dash="dash", width=1.6))
        self.stationary = self.law.add(Curve("theory"))

    def _build_way(self) -> None:
        self.way = PlotCard()
        self.tube = self.way.add(Area("theory", alpha=0.16, edges=True))
        self.chains = [self.way.add(Curve("muted", width=1.0, alpha=0.55)) for _ in range(SHOWN)]
        self.middle = self.way.add(Curve("theory", width=1.6))
        self.mean = self.way.add(Curve("data", width=2.0))
        self.low, self.high = (self.way.add(Curve("data", dash="dot", width=1.6)) for _ in range(2))
        for curve in (self.mean, self.low, self.high):
            curve.setZValue(7)  # over the theory it lies on
        self.change = self.way.add(Marker("muted", dash="dot"))

    def _build_growth(self) -> None:
        self.growth = PlotCard()
        self.growth.set_log(y=True)
        self.theory_size = self.growth.add(Curve("theory"))
        self.size_ = self.growth.add(Points("data", size=5))
        self.runaways = [self.growth.add(Curve("muted", width=1.0, alpha=0.55)) for _ in range(SHOWN)]

    def _build_memory(self) -> None:
        self.memory = PlotCard()
        self.zero = self.memory.add(Marker("muted", vertical=False, dash="dot"))
        self.zero.setData(0.0)
        self.decay = self.memory.add(Curve("theory"))
        self.correlation = self.memory.add(Points("data", size=6, halo=True))

    def _build_cost(self) -> None:
        self.cost = PlotCard()
        self.cost_zone = self.cost.add(Band("fails", alpha=0.08))
        self.one = self.cost.add(Marker("muted", vertical=False, dash="dot"))
        self.accepted = self.cost.add(Curve("theory", dash="dash", width=1.6))
        self.worth = self.cost.add(Curve("theory"))
        self.worth_here = self.cost.add(Points("data", size=10, symbol="o", halo=True))
        self.accepted_here = self.cost.add(Points("data", size=10, symbol="s", halo=True))

    def retranslate(self) -> None:
        self.bias.set_title(self.text("Variance against ε"))
        self.bias.set_labels(x=self.text("step size ε"), y=self.text("variance of x"))
        self.chosen.label = self.text("theory")
        self.before.label = self.text("measured before")
        self.handle.handles.label = self.text("now: drag it")
        self.zone.label = self.text("ULA diverges")
        self.law.set_title(self.text("What is sampled"))
        self.law.set_labels(x="x", y=self.text("density"))
        self.bars.label = self.text("chains")
        self.target.label = self.text("target")
        self.stationary.label = self.text("stationary law")
        self.way.set_title(self.text("On the way"))
        self.way.set_labels(x=self.text("step"), y="x")
        self.mean.label = self.text("mean")
        self.low.label = "± 2σₙ"
        self.tube.label = self.text("exact law")
        self.growth.set_title(self.text("Running away"))
        self.growth.set_labels(x=self.text("step"), y=self.text("size of x"))
        self.size_.label = self.text("root mean square")
        self.theory_size.label = self.text("exact law")
        self.runaways[0].label = self.text("some chains, |x|")
        self.memory.set_title(self.text("Memory"))
        self.memory.set_labels(x=self.text("lag (steps)"), y=self.text("autocorrelation"))
        self.correlation.label = self.text("measured")
        self.decay.label = self.text("theory")
        self.cost.set_title(self.text("Efficiency per gradient"))
        self.cost.set_labels(x=self.text("step size ε"), y="")
        self.one.setData(1.0, self.text("an independent draw"))
        self.worth.label = self.text("effective samples per gradient")
        self.accepted.label = None

    def draw(self, frame: Frame[Parameters, Picture], parameters: Parameters) -> None:
        picture: Picture = frame.picture
        values = frame.parameters.model_dump()
        if picture.unstable != self._unstable:
            self._unstable = picture.unstable
            self.fit()
        self._draw_bias(picture, frame, values)
        self._draw_way(picture)
        self.draw_later("law", partial(self._draw_law, picture, frame))
        self.draw_later("memory", partial(self._draw_memory, picture, frame))
        self.draw_later("cost", partial(self._draw_cost, picture, frame, values))

    def _draw_bias(self, picture: Picture, frame: Frame[Parameters, Picture], values: dict[str, Any]) -> None:
        target, limit, sampler = frame.measures["target_variance"], frame.measures["step_limit"], values["sampler"]
        ends = np.array([0.0, picture.view])
        flat = np.full(2, target)
        self.exact.setData(ends, flat)
        measured = frame.measures["variance"] if picture.settled else 0.0
        theory = frame.measures["theory_variance"]
        top = max(3.2 * target, 1.3 * measured, 1.3 * min(theory, 200 * target) if math.isfinite(theory) else 0.0)
        pole = picture.pole_step, below(picture.pole, 2 * top)
        printed = picture.printed_step, below(picture.printed, 2 * top)
        self.pole.setData(*pole)
        self.printed.setData(*printed)
        of = {"ula": pole, "mala_printed": printed}
        level = np.array([0.0, limit if sampler == "underdamped" else picture.view])
        self.chosen.setData(*of.get(sampler, (level, flat)))
        self.zone.setData(limit, picture.view)
        self.limit.setData(limit, "4σ²")
        self._draw_dot(picture, frame, values)
        self.bias.set_range(x=(0.0, picture.view))
        self.bias.set_range(y=(0.0, top), steady=True)
        self._name_curves(picture, target, top)
        self.bias.set_caption(self._progress(picture, frame, values))

    def _draw_dot(self, picture: Picture, frame: Frame[Parameters, Picture], values: dict[str, Any]) -> None:
        self.before.setData(picture.dots[:, 1], picture.dots[:, 2])
        here, value, error = values["step_size"], frame.measures["variance"], frame.measures["standard_error"]
        if picture.unstable or not math.isfinite(value):
            self.handle.setData([here], [0.0])
            self.bar.setData([], [])
            return
        self.handle.setData([here], [value])
        if math.isfinite(error):
            low, high, half = value - ERRORS * error, value + ERRORS * error, 0.008 * picture.view
            gap = math.nan
            self.bar.setData(
                [here, here, gap, here - half, here + half, gap, here - half, here + half],
                [low, high, gap, low, low, gap, high, high],
            )
        else:
            self.bar.setData([], [])

    def _name_curves(self, picture: Picture, target: float, top: float) -> None:
        """Names beside the curves, where these are inside the picture."""
        exact, pole, printed = self.names
        exact.setData(0.99 * picture.view, target, self.text("target"))
        at = int(np.searchsorted(picture.pole, 0.8 * top)) - 1
        pole.setData(picture.pole_step[at], picture.pole[at], "ULA")
        at = int(np.searchsorted(-picture.printed, -0.84 * top))
        printed.setData(picture.printed_step[at], picture.printed[at], self.text("misprint"))

    def _progress(self, picture: Picture, frame: Frame[Parameters, Picture], values: dict[str, Any]) -> str:
        if picture.unstable:
            return self.text("beyond the limit")
        if not picture.settled:
            if picture.missing > 9:
                return self.text("settling: not yet")
            return self.text("settling: {missing} to go", missing=f"{picture.missing:.1%}")
        count = round(frame.measures["measured_steps"])
        return self.text("{chains:,d} chains · {count:,d} steps", chains=values["chains"], count=count)

    def _draw_law(self, picture: Picture, frame: Frame[Parameters, Picture]) -> None:
        self.bars.setData(picture.density, picture.edges, density=True)
        self.target.setData(picture.grid, picture.target)
        self.stationary.setData(picture.grid, picture.law)
        top = max(picture.target.max(), np.nanmax(picture.law) if np.isfinite(picture.law).any() else 0.0)
        self.law.set_range(x=(picture.edges[0], picture.edges[-1]), y=(0.0, HEADROOM * top))
        ratio = frame.measures["theory_variance"] / frame.measures["target_variance"]
        if abs(ratio - 1) < 1e-9:
            self.law.set_caption(self.text("no bias"))
        else:
            many = f"{ratio:.3g}"
            self.law.set_caption(self.text("{ratio} times the variance", ratio=many) if math.isfinite(ratio) else "")

    def _draw_way(self, picture: Picture) -> None:
        steps = picture.trace_steps
        span = (steps[0], max(steps[-1], steps[0] + picture.trace_length - 1))
        if picture.unstable:
            self._draw_growth(picture, span)
            return
        low, high = (picture.theory_mean + sign * 2 * picture.theory_deviation for sign in (-1, 1))
        self.tube.setData(steps, low, high)
        self.middle.setData(steps, picture.theory_mean)
        self.mean.setData(steps, picture.mean)
        self.low.setData(steps, picture.mean - 2 * picture.deviation)
        self.high.setData(steps, picture.mean + 2 * picture.deviation)
        for curve, trace in zip(self.chains, picture.traces.T, strict=True):
            curve.setData(steps, trace)
        self.change.set_present(bool(picture.changed > steps[0]))
        self.change.setData(picture.changed)
        room = 1.3 * picture.deviation.max() + 1e-6
        bottom, top = (
            float(edge) for edge in ((picture.mean - 2 * picture.deviation).min(), (picture.mean + 2 * picture.deviation).max())
        )
        self.way.set_range(x=span)
        self.way.set_range(y=(bottom - room, top + room), steady=True)

    def _draw_growth(self, picture: Picture, span: tuple[float, float]) -> None:
        steps = picture.trace_steps
        size = np.hypot(picture.mean, picture.deviation)
        theory = np.hypot(picture.theory_mean, picture.theory_deviation)
        self.size_.setData(steps, size)
        self.theory_size.setData(steps, theory)
        for curve, trace in zip(self.runaways, picture.traces.T, strict=True):
            curve.setData(steps, np.abs(trace))
        scale = math.sqrt(max(float(np.nanmin(picture.deviation[picture.deviation > 0], initial=1.0)), 1e-12))
        self.growth.set_range(x=span, y=(0.1 * scale, max(100.0 * scale, 3.0 * float(size.max()))))
        self.growth.set_caption(self.text("{factor} times per step", factor=number_text(picture.factor)))

    def _draw_memory(self, picture: Picture, frame: Frame[Parameters, Picture]) -> None:
        lags, theory, measured = picture.lags, picture.theory_correlation, picture.correlation
        self.decay.setData(lags, theory)
        self.correlation.setData(lags, measured)
        lowest = float(np.nanmin(np.concatenate([theory, measured, [0.0]])))
        self.memory.set_range(x=(-0.5, lags[-1] + 0.5))
        self.memory.set_range(y=(-1.05 if lowest < -0.08 else -0.15, 1.05))
        first = frame.measures["theory_lag1_correlation"]
        known = math.isfinite(first) and not picture.unstable
        self.memory.set_caption(f"ρ₁ = {number_text(first, '.3f')}" if known else self.text("beyond the limit"))

    def _draw_cost(self, picture: Picture, frame: Frame[Parameters, Picture], values: dict[str, Any]) -> None:
        measures, sampler = frame.measures, values["sampler"]
        adjusted = sampler not in UNADJUSTED
        if adjusted != (self.accepted.label is not None):
            self._name_acceptance(adjusted)
        self.accepted.set_present(adjusted)
        self.accepted_here.set_present(adjusted)
        self.cost_zone.set_present(not adjusted)
        self.cost_zone.setData(measures["step_limit"], picture.view)
        self.accepted.setData(picture.cost_step, picture.accepted)
        here = [values["step_size"]]
        self.worth_here.setData(here, [measures["ess_per_gradient"]])
        self.accepted_here.setData(here, [measures["acceptance"]])
        found = measures["ess_per_gradient"]
        top = max(1.12, 1.25 * found if math.isfinite(found) else 0.0)
        self.worth.setData(picture.cost_step, below(picture.worth, 2 * top))
        self.cost.set_range(x=(0.0, picture.view))
        self.cost.set_range(y=(0.0, top), steady=True)
        words = ""
        if math.isfinite(found):
            words = f"{found:.3f}"
        elif not picture.unstable:
            words = self.text("not yet")
        self.cost.set_caption(words)

    def _name_acceptance(self, shown: bool) -> None:
        """Acceptance is in the legend where there is any."""
        self.accepted.label = self.text("accepted") if shown else None
        self.cost.refresh_legend()

    def _on_drag(self, index: int, x: float, _y: float) -> None:
        self.tweak_requested.emit({"step_size": float(f"{min(max(x, 0.001), 100.0):.3g}")})


def below(values: np.ndarray, most: float) -> np.ndarray:
    """The values, with a gap where a curve is far outside of the picture: what is not seen need not be drawn."""
    return np.where(values <= most, values, np.nan)
