"""Draws an activation over its Gaussian input, the gains of all activations, the law of its outputs, and lengths by layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF
from PySide6.QtGui import QPainter

from engine.api import Frame
from gui.core.lab.two_rows import TwoRows
from gui.core.look.theme import Role, font, px, text_width, theming
from gui.core.notes.formula_label import FormulaLabel
from gui.core.plots import Curve, Histogram, Label, Marker, PlotCard, Plotted, Points, pen
from gui.core.plots.base import text_with_halo

if TYPE_CHECKING:
    from engine.labs.angles.activation_gain import Parameters, Picture

STARTS = 5  # curves of the length map
HEADROOM = 1.15


class ExperimentPanel(TwoRows["Parameters", "Picture"]):
    """The activation and the gains above; outputs and lengths below."""

    def build(self) -> None:
        self._build_curve()
        self._build_gains()
        self._build_outputs()
        self._build_lengths()
        self.arrange([self.curve, self.gains], [self.outputs, self.lengths])

    def _build_curve(self) -> None:
        self.curve = PlotCard()
        self.zero = self.curve.add(Marker("line", vertical=False, dash=None))
        self.input = self.curve.add(Histogram("muted", fill=0.16))
        self.square = self.curve.add(Histogram("theory", fill=0.5))
        self.function = self.curve.add(Curve("data", width=2.4))
        self.area = self.curve.add(Label(role="theory", anchor=(0.5, 0.0), size=13))
        self.formula = FormulaLabel()
        self.curve.column.insertWidget(2, self.formula)

    def _build_gains(self) -> None:
        self.gains = PlotCard()
        self.gains.set_axes_visible(y=False, grid=False)
        self.rows = self.gains.add(Rows())
        self.ours = self.gains.add(Points("theory", size=9, symbol="o", halo=True))
        self.own = self.gains.add(Points("data", size=12, symbol="d", halo=True))
        self.theirs = self.gains.add(Points("text", size=8, symbol="x"))

    def _build_outputs(self) -> None:
        self.outputs = PlotCard()
        self.samples = self.outputs.add(Histogram("data"))
        self.law = self.outputs.add(Curve("theory"))
        self.atoms = [self.outputs.add(Label(role="theory", anchor=(0.0, 0.0))) for _ in range(3)]

    def _build_lengths(self) -> None:
        self.lengths = PlotCard()
        self.lengths.set_log(y=True)
        self.kept = self.lengths.add(Marker("muted", vertical=False, dash="dot", at=1.0))
        self.framework = [self.lengths.add(Curve("muted", dash="dash", width=1.4)) for _ in range(STARTS)]
        self.ours_by_layer = [self.lengths.add(Curve("theory")) for _ in range(STARTS)]

    def retranslate(self) -> None:
        self.curve.set_title(self.text("Activation"))
        self.curve.set_labels(x="x", y="f(x)")
        self.function.label = "f(x)"
        self.input.label = self.text("density φ(x)")
        self.square.label = self.text("f(x)² φ(x)")
        self.gains.set_title(self.text("Gains"))
        self.gains.set_labels(x=self.text("gain g = √(q / E f²)"))
        self.ours.label = self.text("integral")
        self.theirs.label = "torch.nn.init"
        self.own.label = self.text("chosen")
        self.outputs.set_title(self.text("Outputs"))
        self.outputs.set_labels(x="f(x)", y=self.text("density"))
        self.samples.label = self.text("samples")
        self.law.label = self.text("exact law")
        self.lengths.set_title(self.text("Length by layer"))
        self.lengths.set_labels(x=self.text("layer"), y="qₗ / q")
        self.ours_by_layer[0].label = self.text("gain of the integral")
        self.framework[0].label = self.text("gain of the framework")

    def draw(self, frame: Frame[Parameters, Picture], parameters: Parameters) -> None:
        picture: Picture = frame.picture
        self._draw_curve(picture, frame)
        self._draw_gains(picture)
        self._draw_outputs(picture, frame)
        self._draw_lengths(picture, frame)

    def _draw_curve(self, picture: Picture, frame: Frame[Parameters, Picture]) -> None:
        x = picture.x
        edges = np.append(x, 2 * x[-1] - x[-2]) - 0.5 * (x[1] - x[0])
        scale = min(1.0, x[-1] / 4)  # a narrow input has a tall density: shown as if its spread were one
        self.function.setData(x, picture.values)
        self.input.setData(picture.density * scale, edges, density=True)
        self.square.setData(picture.square * scale, edges, density=True)
        self.zero.setData(0.0)
        near = np.abs(x) <= 0.62 * x[-1]
        high = max(0.62, HEADROOM * picture.values[near].max(), HEADROOM * scale * picture.square.max())
        low = min(-0.12 * high, 1.1 * picture.values[near].min())
        self.curve.set_range(x=(x[0], x[-1]), y=(low, high), steady=True)
        peak = np.flatnonzero(picture.square >= (1 - 1e-9) * picture.square.max())[-1]  # of two alike the right one
        side = 1 if x[peak] >= 0 else -1
        self.area.anchor = (0.5 - 0.5 * side, 0.0)
        text = self.text("E f² = {value}", value=f"{picture.second_moment:.4f}")
        self.area.setData(0.04 * side * x[-1], -0.02 * (high - low), text)  # under the axis little is in its way
        self.formula.set_text(f"$f(x)={picture.latex}$")
        self.formula.set_size(px(15))
        self.formula.set_colour(theming.current.colour("text"))
        spread = frame.parameters.input_std
        self.curve.set_caption(self.text("gain {gain} · σ = {spread}", gain=f"{picture.gain:.4f}", spread=f"{spread:g}"))

    def _draw_gains(self, picture: Picture) -> None:
        gains, framework, names = picture.gains, picture.framework_gains, list(map(self.text, picture.labels))
        chosen = picture.chosen
        if chosen < 0:
            gains, framework = np.append(gains, picture.gain), np.append(framework, 0.0)
            names.append(self.text("Own formula"))
            chosen = len(names) - 1
        order = np.argsort(-gains, kind="stable")
        gains, framework, height = gains[order], framework[order], np.arange(len(order), dtype=float)
        at = int(np.flatnonzero(order == chosen)[0])
        known = framework > 0
        self.rows.setData([names[index] for index in order], gains, framework, at)
        self.ours.setData(gains, height)
        self.theirs.setData(framework[known], height[known])
        self.own.setData([gains[at]], [height[at]])
        top = max(2.0, 1.06 * gains.max())
        self.gains.set_range(x=(-0.36 * top, 1.28 * top), y=(-0.8, len(order) - 0.2))
        ratio = picture.framework_gain / picture.gain
        self.gains.set_caption("" if np.isnan(ratio) else self.text("torch / integral = {ratio}", ratio=f"{ratio:.4f}"))

    def _draw_outputs(self, picture: Picture, frame: Frame[Parameters, Picture]) -> None:
        edges = picture.edges
        middle = 0.5 * (edges[1:] + edges[:-1])
        width = edges[1] - edges[0]
        at_atom = np.zeros(len(middle), dtype=bool)
        for value in picture.atoms[:, 0]:
            at_atom |= np.abs(middle - value) <= width
        smooth = np.where(at_atom, np.nan, picture.law)
        self.samples.setData(picture.measured, edges, density=True)
        self.law.setData(middle, smooth)
        top = (
            (1.4 if at_atom.any() else HEADROOM) * np.nanmax(smooth)
            if (~at_atom).any() and np.nanmax(smooth) > 0
            else HEADROOM * picture.law.max()
        )
        self.outputs.set_range(x=(edges[0], edges[-1]))
        self.outputs.set_range(y=(0.0, top), steady=True)
        for index, label in enumerate(self.atoms):
            label.set_present(index < len(picture.atoms))
            if index < len(picture.atoms):
                value, mass = picture.atoms[index]
                text = self.text("{share} at {value}", share=f"{mass:.1%}", value=f"{value:.3g}")
                right = value > 0.5 * (edges[0] + edges[-1])
                label.anchor = (1.0, 0.0) if right else (0.0, 0.0)
                label.setData(value + (-1.2 if right else 1.2) * width, 0.96 * top, text)
        drawn, wanted = int(frame.measures["drawn"]), frame.parameters.samples
        text = "{drawn:,d} samples" if drawn >= wanted else "{drawn:,d} of {wanted:,d} samples"
        self.outputs.set_caption(self.text(text, drawn=drawn, wanted=wanted))

    def _draw_lengths(self, picture: Picture, frame: Frame[Parameters, Picture]) -> None:
        layers = np.arange(picture.lengths.shape[1])
        for index in range(STARTS):
            self.ours_by_layer[index].setData(layers, picture.lengths[index])
            known = index < len(picture.framework_lengths)
            self.framework[index].set_present(known)
            if known:
                self.framework[index].setData(layers, picture.framework_lengths[index])
        self.kept.setData(1.0)
        everything = np.concatenate([picture.lengths.ravel(), picture.framework_lengths.ravel()])
        low, high = max(1e-4, 0.7 * everything.min()), min(1e4, 1.4 * everything.max())
        self.lengths.set_range(x=(0, layers[-1]), y=(min(low, 0.05), max(high, 20.0)))
        slope = frame.measures["length_slope"]
        verdict = "χ = {slope} · stable" if slope < 1 else "χ = {slope} · unstable"
        if abs(slope - 1) < 1e-9:
            verdict = "χ = 1 · every length is kept"
        self.lengths.set_caption("" if np.isnan(slope) else self.text(verdict, slope=f"{slope:.3f}"))


class Rows(Plotted):
    """Names on the left and numbers on the right of horizontal rows, a line from one gain to the other, the chosen row marked.

    Where rows are lower than a line of text only some are named: first the chosen one, then those with two gains.
    """

    def __init__(self) -> None:
        super().__init__("muted")
        self.names: list[str] = []
        self.gains = self.framework = np.empty(0)
        self.chosen = 0

    def setData(self, names: list[str], gains: np.ndarray, framework: np.ndarray, chosen: int) -> None:
        """Show rows from the bottom up; a framework gain of zero stands for none."""
        self.names, self.gains, self.framework, self.chosen = names, gains, framework, chosen
        self.changed()

    def draw(self, painter: QPainter) -> None:
        theme, frame = theming.current, self.frame()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for index, (gain, framework) in enumerate(zip(self.gains, self.framework, strict=True)):
            ends = self.to_pixels(gain, index), self.to_pixels(framework, index)
            if index == self.chosen:
                painter.setPen(pen(theme, "muted", 1, "dot"))
                painter.drawLine(QPointF(frame.left(), ends[0].y()), QPointF(frame.right(), ends[0].y()))
            if framework > 0:
                painter.setPen(pen(theme, "muted", 1.4))
                painter.drawLine(*ends)
        for index in self.named():
            y = self.to_pixels(0, index).y() + px(4)
            role: Role = "text" if index == self.chosen else "muted"
            number = f"{self.gains[index]:.4f}"
            text_with_halo(painter, QPointF(frame.left() + 2, y), self.names[index], role)
            right = frame.right() - text_width(number, font(12, 500, tabular=True)) - 2
            text_with_halo(painter, QPointF(right, y), number, "theory")

    def named(self) -> list[int]:
        """The rows with room for their text."""
        height = abs(self.to_pixels(0, 1).y() - self.to_pixels(0, 0).y())
        apart = px(12.5) / height if height else len(self.names)
        taken: list[int] = []
        for index in sorted(range(len(self.names)), key=lambda i: (i != self.chosen, self.framework[i] == 0)):
            if all(abs(index - other) >= apart for other in taken):
                taken.append(index)
        return taken
