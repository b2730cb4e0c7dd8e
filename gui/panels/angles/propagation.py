"""Draws a tower: lengths and gradients by layer, the phase map, angles, pre-activations, bow tie, networks that learn."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtWidgets import QWidget

from engine.api import Frame
from gui.core.lab.two_rows import TwoRows
from gui.core.look.theme import px
from gui.core.plots import Curve, DensityImage, HeatMap, Label, Marker, PlotCard, Points

if TYPE_CHECKING:
    from engine.labs.angles.propagation import Parameters, Picture

RULES = ("fan in", "fan out", "average", "geometric", "quadratic")
COMPARED = ("½ σ²", "σ²", "2 σ²")
LOWEST, HIGHEST = 1e-45, 1e45
NARROW = 480  # width below which the map has no room for its scale
STEEP = 1.5  # ln χ₁ of the last colour


class ExperimentPanel(TwoRows["Parameters", "Picture"]):
    """Lengths and the phase map above; angles, pre-activations and what the parameters ask for below."""

    def build(self) -> None:
        self._training = self._bottleneck = False
        self._build_moments()
        self._build_phase()
        self._build_angles()
        self._build_preactivations()
        self._build_tie()
        self._build_comparison()
        self.arrange([self.moments, self.phase], [self.angles, self.preactivations, self.tie, self.comparison])
        self.fit()

    def wanted(self, card: QWidget) -> bool:
        """The comparison while there is one, the bow tie where there are bottlenecks."""
        return card not in (self.tie, self.comparison) or (self._training if card is self.comparison else self._bottleneck)

    def fit(self) -> None:
        super().fit()
        self.bar.setVisible(self.alone or self.width() >= px(NARROW))

    def _build_moments(self) -> None:
        self.moments = PlotCard()
        self.moments.set_log(y=True)
        self.moment = self.moments.add(Curve("data", width=2.4))
        self.gradient = self.moments.add(Curve(2, dash="dash", width=2.0))
        self.theory = self.moments.add(Curve("theory"))
        self.theory_gradient = self.moments.add(Curve("theory", dash="dash", width=1.6))  # dashed as what it is the theory of
        self.low, self.high = (self.moments.add(Curve("theory", dash="dot", width=1.2, alpha=0.8)) for _ in range(2))
        for measured in (self.gradient, self.moment):
            measured.setZValue(7)  # over the theory it lies on
        self.limit = self.moments.add(Marker("text", dash="dot"))

    def _build_phase(self) -> None:
        self.phase = PlotCard()
        self.chi = self.phase.add(HeatMap("ln χ₁"))
        self.bar = self.phase.add_colour_bar(self.chi)
        self.phase.set_axes_visible(grid=False)
        self.edge = self.phase.add(Curve("theory"))
        self.here = self.phase.add(Points("data", size=13, symbol="o", halo=True))
        self.ordered = self.phase.add(Label(role="text", anchor=(0.0, 0.0), size=13))
        self.chaotic = self.phase.add(Label(role="text", anchor=(1.0, 0.0), size=13))
        self.phase.clicked_at.connect(self._on_map)

    def _build_angles(self) -> None:
        self.angles = PlotCard()
        self.theory_angle = self.angles.add(Curve("theory"))
        self.angle = self.angles.add(Curve("data", width=2.2))
        self.theory_turned = self.angles.add(Curve("theory", dash="dash", width=1.6))
        self.turned = self.angles.add(Curve(2, dash="dash", width=2.0))

    def _build_preactivations(self) -> None:
        self.preactivations = PlotCard()
        self.shares = self.preactivations.add(DensityImage(fade=True))
        self.preactivations.set_axes_visible(grid=False)

    def _build_tie(self) -> None:
        self.tie = PlotCard()
        self.tie.set_log(y=True)
        self.tie.set_axes_visible(x=False)
        self.neutral = self.tie.add(Marker("muted", vertical=False, dash="dot"))
        self.there = self.tie.add(Points("data", size=8, symbol="t"))
        self.behind = self.tie.add(Points(2, size=8, symbol="s"))
        self.both = self.tie.add(Points("theory", size=9, symbol="d", halo=True))
        self.rules = [self.tie.add(Label(anchor=(0.5, 1.4 if at % 2 else -0.1), size=11)) for at in range(len(RULES))]

    def _build_comparison(self) -> None:
        self.comparison = PlotCard()
        self.losses = [
            self.comparison.add(Curve(role, dash=dash, width=1.8)) for role, dash in ((3, "dash"), ("data", None), (2, "dot"))
        ]
        self.chance = self.comparison.add(Marker("muted", vertical=False, dash="dot", at=1.0))

    def retranslate(self) -> None:
        self.moments.set_title(self.text("Lengths by layer"))
        self.moments.set_labels(x=self.text("layer"), y=self.text("second moment"))
        self.moment.label = self.text("signal")
        self.gradient.label = self.text("gradient")
        self.theory.label = self.text("theory")
        self.low.label = "± 2σ"
        self.phase.set_title(self.text("Order and chaos"))
        self.phase.set_labels(x=self.text("weight spread"), y=self.text("bias spread"))
        self.edge.label = self.text("edge of chaos, χ₁ = 1")
        self.here.label = self.text("this tower: click to move")
        self.angles.set_title(self.text("Angles by layer"))
        self.angles.set_labels(x=self.text("layer"), y=self.text("angle (degrees)"))
        self.angle.label = self.text("between two inputs")
        self.turned.label = self.text("to its own input")
        self.theory_angle.label = self.text("theory")
        self.preactivations.set_title(self.text("Pre-activations"))
        self.preactivations.set_labels(x=self.text("layer"), y="z")
        self.tie.set_title(self.text("Bow tie m → n → m"))
        self.tie.set_labels(y=self.text("factor"))
        self.there.label = self.text("signal there")
        self.behind.label = self.text("gradient there")
        self.both.label = self.text("there and back")
        self.comparison.set_title(self.text("Learning digits"))
        self.comparison.set_labels(x=self.text("update"), y=self.text("loss"))
        for curve, name in zip(self.losses, COMPARED, strict=True):
            curve.label = name

    def draw(self, frame: Frame[Parameters, Picture], parameters: Parameters) -> None:
        picture: Picture = frame.picture
        values = frame.parameters
        self._training, self._bottleneck = picture.training, values.waist != 1 and not picture.training
        self.fit()
        self._draw_moments(picture, values)
        self._draw_phase(picture, values)
        self._draw_angles(picture, frame)
        self._draw_preactivations(picture, frame)
        self._draw_tie(picture)
        self._draw_comparison(picture)

    def _draw_moments(self, picture: Picture, values: Parameters) -> None:
        layers = np.arange(len(picture.moment))
        self.moment.setData(layers, picture.moment)
        self.gradient.setData(layers, picture.gradient)
        self.theory.setData(layers, picture.theory_moment)
        self.theory_gradient.setData(layers, picture.theory_gradient)
        with np.errstate(over="ignore", invalid="ignore"):
            fan = np.exp(2 * np.minimum(picture.theory_spread, 50))
            self.low.setData(layers, picture.theory_moment / fan)
            self.high.setData(layers, picture.theory_moment * fan)
        self.moments.set_range(x=(0, layers[-1]))
        self.moments.set_range(y=decades(picture.moment, picture.gradient, picture.theory_moment, picture.theory_gradient))
        broken = picture.overflow or picture.underflow
        self.limit.set_present(bool(broken))
        if picture.overflow:
            self.limit.setData(broken, self.text("overflow at layer {layer}", layer=broken))
        elif picture.underflow:
            self.limit.setData(broken, self.text("all zero from layer {layer}", layer=broken))
        facts = f"L = {values.depth} · n = {values.width:,d}"
        self.moments.set_caption(facts if values.dtype == "float32" else f"{facts} · {values.dtype}")

    def _draw_phase(self, picture: Picture, values: Parameters) -> None:
        x, y = picture.phase_weights, picture.phase_biases
        wide, tall = x[1] - x[0], y[1] - y[0]
        rect = (x[0] - wide / 2, y[0] - tall / 2, wide * len(x), tall * len(y))
        self.chi.setData(np.clip(picture.phase, -STEEP, STEEP), rect, STEEP)
        self.phase.set_range(x=(x[0], x[-1]), y=(y[0] - 3 * tall, y[-1]))  # room for the mark of a tower without biases
        self.edge.setData(picture.edge[:, 1], picture.edge[:, 0])
        at = (min(max(math.sqrt(values.variance_factor), x[0]), x[-1]), min(values.bias_std, y[-1]))
        self.here.setData([at[0]], [at[1]])
        self.ordered.setData(x[0] + 2 * wide, y[-1] - 2 * tall, self.text("order"))
        self.chaotic.setData(x[-1] - 2 * wide, y[-1] - 2 * tall, self.text("chaos"))
        plain = values.normalisation == "none" and not values.residual
        self.phase.set_caption("" if plain else self.text("of the plain tower"))

    def _draw_angles(self, picture: Picture, frame: Frame[Parameters, Picture]) -> None:
        layers = np.arange(len(picture.angle))
        self.angle.setData(layers, np.degrees(picture.angle))
        self.theory_angle.setData(layers, np.degrees(picture.theory_angle))
        self.turned.setData(layers, np.degrees(picture.turned))
        self.theory_turned.setData(layers, np.degrees(picture.theory_turned))
        self.turned.set_present(frame.parameters.residual)
        self.theory_turned.set_present(frame.parameters.residual)
        shown = np.degrees(np.concatenate([picture.angle, picture.theory_angle, picture.turned, picture.theory_turned]))
        self.angles.set_range(x=(0, layers[-1]))
        self.angles.set_range(y=(0.0, 1.08 * max(1.0, np.nanmax(shown, initial=1.0))), steady=True)
        self.angles.set_caption("")

    def _draw_preactivations(self, picture: Picture, frame: Frame[Parameters, Picture]) -> None:
        layers, reach = len(picture.preactivations), picture.reach
        self.shares.setData(np.sqrt(picture.preactivations.T), (0.5, -reach, layers, 2 * reach), (0.0, 0.32))
        self.preactivations.set_range(x=(0.5, layers + 0.5), y=(-reach, reach))
        dead = frame.measures["dead_fraction"]
        self.preactivations.set_caption("" if math.isnan(dead) else self.text("dead units {share}", share=f"{dead:.0%}"))

    def _draw_tie(self, picture: Picture) -> None:
        places = np.arange(len(RULES), dtype=float)
        table = picture.bow_tie
        self.there.setData(places - 0.15, table[:, 0])
        self.behind.setData(places + 0.15, table[:, 1])
        self.both.setData(places, table[:, 4])
        self.neutral.setData(1.0)
        shown = table[:, [0, 1, 4]]
        room = (shown.max() / shown.min()) ** 0.2  # under the points, for the names in two lines
        low, high = min(0.1, shown.min()) / room, max(10.0, shown.max() * 1.2)
        self.tie.set_range(x=(-0.6, len(RULES) - 0.4), y=(low / room, high * 1.2))
        for place, label, name in zip(places, self.rules, RULES, strict=True):
            label.setData(place, low * room**-0.3, self.text(name))

    def _draw_comparison(self, picture: Picture) -> None:
        updates = np.arange(1, len(picture.losses) + 1)
        for curve, losses in zip(self.losses, picture.losses.T, strict=True):
            curve.setData(updates, losses)
        self.chance.setData(math.log(10), self.text("guessing"))
        lost = [index for index in range(len(COMPARED)) if np.isnan(picture.losses[:, index]).any()]
        texts = [self.text("{name} diverged", name=COMPARED[index]) for index in lost]
        self.comparison.set_caption(" · ".join(texts))
        self.comparison.set_range(x=(0, max(20, len(updates))), y=(0.0, 3.2), steady=True)

    def _on_map(self, x: float, y: float) -> None:
        weight, bias = max(0.1, round(x, 3)), min(3.0, max(0.0, round(y, 3)))
        self.tweak_requested.emit({"variance_factor": round(weight**2, 4), "bias_std": bias})


def decades(*curves: np.ndarray) -> tuple[float, float]:
    """Whole decades around everything positive, at least two."""
    values = np.concatenate(curves)
    values = values[np.isfinite(values) & (values > 0)]
    low, high = (math.log10(min(max(end, LOWEST), HIGHEST)) for end in (values.min(), values.max()))
    low, high = math.floor(low - 0.15), math.ceil(high + 0.15)
    return 0.7 * 10.0 ** min(low, -1), 1.4 * 10.0 ** max(high, 1)
