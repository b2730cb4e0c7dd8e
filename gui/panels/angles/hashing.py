"""Draws products of signs by angle, the code of a pair, estimates of the angle, and their error by the number of bits."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from engine.api import Frame
from gui.core.lab.two_rows import TwoRows
from gui.core.plots import Curve, DensityImage, Histogram, Label, Marker, PlotCard, Points

if TYPE_CHECKING:
    from engine.labs.angles.hashing import Parameters, Picture

HEADROOM = 1.15
DEVIATIONS = 5.0  # of the estimate on either side of its picture
ROWS = 3
BRIGHT = 1.5  # the brightest colour of the bits belongs to this value: a bit is less glaring


class ExperimentPanel(TwoRows["Parameters", "Picture"]):
    """Products of signs and estimates above; a code and the error below."""

    def build(self) -> None:
        self.products = PlotCard()
        self.real = self.products.add(Curve("muted", dash="dash", width=1.4))
        self.line = self.products.add(Curve("theory"))
        self.measured = self.products.add(Points("data", size=9, halo=True))
        self.here = self.products.add(Marker("muted", dash="dot"))
        self.estimates = PlotCard()
        self.bars = self.estimates.add(Histogram("data"))
        self.law = self.estimates.add(Points("theory", size=6))
        self.angle = self.estimates.add(Marker("theory", dash="dot"))
        self.codes = PlotCard()
        self.bits = self.codes.add(DensityImage(fade=True))
        self.names = [self.codes.add(Label(anchor=(0.0, 1.0), size=12)) for _ in range(ROWS)]
        self.codes.set_axes_visible(y=False, grid=False)
        self.errors = PlotCard()
        self.errors.set_log(x=True, y=True)
        self.theory_error = self.errors.add(Curve("theory"))
        self.error = self.errors.add(Points("data", size=9, halo=True))
        self.arrange([self.products, self.estimates], [self.codes, self.errors])

    def retranslate(self) -> None:
        self.products.set_title(self.text("Products of signs"))
        self.products.set_labels(x=self.text("angle θ (degrees)"), y=self.text("mean product"))
        self.measured.label = self.bars.label = self.error.label = self.text("measured")
        self.line.label = "1 − 2θ/π"
        self.real.label = "cos θ"
        self.estimates.set_title(self.text("Estimates of the angle"))
        self.estimates.set_labels(x=self.text("π · differing bits / b (degrees)"), y=self.text("share of pairs"))
        self.law.label = self.text("binomial law")
        self.codes.set_title(self.text("Code of the newest pair"))
        self.codes.set_labels(x=self.text("bit"))
        self.errors.set_title(self.text("Error of the estimate"))
        self.errors.set_labels(x=self.text("bits"), y=self.text("error (degrees)"))
        self.theory_error.label = "√(θ(π − θ)/b)"

    def draw(self, frame: Frame[Parameters, Picture], parameters: Parameters) -> None:
        self._draw_products(frame)
        self._draw_estimates(frame)
        self._draw_code(frame.picture)
        self._draw_errors(frame.picture)

    def _draw_products(self, frame: Frame[Parameters, Picture]) -> None:
        theta = np.linspace(0, math.pi, 181)
        self.line.setData(np.degrees(theta), 1 - 2 * theta / math.pi)
        self.real.setData(np.degrees(theta), np.cos(theta))
        self.measured.setData(np.degrees(frame.picture.angles), frame.picture.products)
        self.here.setData(frame.parameters.angle, f"θ = {frame.parameters.angle:g}°")
        self.products.set_range(x=(0.0, 180.0), y=(-1.1, 1.1))
        drawn, wanted = frame.picture.drawn, frame.parameters.pairs
        text = "{drawn:,d} pairs" if drawn >= wanted else "{drawn:,d} of {wanted:,d} pairs"
        self.products.set_caption(self.text(text, drawn=drawn, wanted=wanted))

    def _draw_estimates(self, frame: Frame[Parameters, Picture]) -> None:
        picture, theta, bits = frame.picture, frame.parameters.angle, frame.parameters.bits
        grain = 180 / bits
        edges = np.degrees(picture.estimate_edges)
        self.bars.setData(picture.estimate_density * math.radians(grain), edges, density=True)
        shares = picture.estimate_law * math.radians(grain)
        self.law.setData(0.5 * (edges[1:] + edges[:-1]), shares)
        self.angle.setData(theta, f"θ = {theta:g}°")
        reach = max(DEVIATIONS * math.sqrt(max(0.0, theta * (180 - theta)) / bits), 2 * grain)
        low, high = max(-0.6 * grain, theta - reach), min(180 + 0.6 * grain, theta + reach)
        self.estimates.set_range(x=(low, high))
        top = max(shares.max(), picture.estimate_density.max() * math.radians(grain))
        self.estimates.set_range(y=(0.0, HEADROOM * top), steady=True)
        degrees = math.degrees(math.sqrt(frame.measures["estimate_variance"]))
        mean = math.degrees(frame.measures["estimate_mean"])
        self.estimates.set_caption(self.text("{mean}° ± {deviation}°", mean=f"{mean:.2f}", deviation=f"{degrees:.2f}"))

    def _draw_code(self, picture: Picture) -> None:
        shown = picture.code.shape[1]
        rows = np.zeros((4 * ROWS, shown))  # three quarters of a row hold the bits, one holds the name
        for row, code in enumerate(picture.code[::-1]):
            rows[4 * row : 4 * row + 3] = code
        self.bits.setData(rows, (0.5, 0.0, shown, float(ROWS)), (0.0, BRIGHT))
        names = (self.text("sides of x"), self.text("sides of y"), self.text("where they differ"))
        for row, (label, name) in enumerate(zip(self.names, names, strict=True)):
            label.setData(0.5, ROWS - row - 0.21, name)
        self.codes.set_range(x=(0.5, shown + 0.5), y=(0.0, float(ROWS)))
        count = int(picture.code[2].sum())
        self.codes.set_caption(self.text("{count} of {bits} differ", count=count, bits=shown))

    def _draw_errors(self, picture: Picture) -> None:
        theory, measured = np.degrees(picture.theory_prefix_error), np.degrees(picture.prefix_error)
        self.theory_error.setData(picture.prefix_bits, theory)
        self.error.setData(picture.prefix_bits, measured)
        seen = np.concatenate([theory, measured])
        seen = seen[seen > 1e-6]
        low, high = (0.6 * seen.min(), 1.6 * seen.max()) if len(seen) else (0.1, 100.0)
        self.errors.set_range(x=(0.9, 1.15 * max(2, picture.prefix_bits[-1])), y=(low, high))
