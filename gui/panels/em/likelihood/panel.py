"""Draws a likelihood, the data beside the model, cross entropy against KL, and how far the maximum strays."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QWidget

from engine.api import Frame
from gui.core.lab.two_rows import TwoRows
from gui.core.numbers import number_text
from gui.panels.em.likelihood.cards import CurveCard, EntropyCard, LadderCard, LawCard, ModelCard, VarianceCard

if TYPE_CHECKING:
    from engine.labs.em.likelihood import Parameters, Picture

LEAST, MOST = 0.001, 0.999


class ExperimentPanel(TwoRows["Parameters", "Picture"]):
    """The curve and the law of its maximum above; data and model, entropies and the law of large numbers below."""

    def build(self) -> None:
        self._frame: Frame | None = None
        self.curve, self.law = CurveCard(), LawCard()
        self.model, self.entropies, self.ladder = ModelCard(), EntropyCard(), LadderCard()
        self.variance = VarianceCard()
        self._spread = False
        self.curve.handle.dragged.connect(self._on_parameter)
        self.model.handle.dragged.connect(self._on_model)
        self.model.seen.dragged.connect(self._on_data)
        below = [self.model, self.entropies, self.ladder, self.variance]
        self.arrange([self.curve, self.law], below, stretch=(5, 4), shares=[(5, 4)])
        self.fit()

    def wanted(self, card: QWidget) -> bool:
        """A normal law has a variance to estimate; that its mean gets sharper as 1/√n is no news then."""
        return card is not (self.ladder if self._spread else self.variance)

    def retranslate(self) -> None:
        self.curve.set_title(self.text("Likelihood of the parameter"))
        self.curve.curve.label = self.text("likelihood")
        self.curve.parabola.label = self.text("parabola by the information")
        self.curve.handle.handles.label = self.text("model: drag it")
        self.law.set_title(self.text("Estimates under the model"))
        self.law.bars.label = self.text("simulated estimates")
        self.law.bell.label = self.text("normal, 1/√(nI)")
        self.model.set_title(self.text("Data and model"))
        self.entropies.set_title(self.text("Entropy and KL"))
        self.entropies.set_labels(y=self.text("nats per observation"))
        self.entropies.entropy.label = self.text("entropy of the data")
        self.entropies.kl.label = "KL"
        self.variance.set_title(self.text("Variances under the model"))
        self.variance.set_labels(x=self.text("variance / σ²"), y=self.text("density"))
        self.variance.bars.label = self.text("divided by n")
        self.variance.law.label = self.text("law of χ²")
        self.ladder.set_title(self.text("More data, sharper"))
        self.ladder.set_labels(x=self.text("observations n"), y=self.text("standard error"))
        self.ladder.law.label = "1/√(nI)"
        self.ladder.rungs.label = self.text("simulated")

    def draw(self, frame: Frame[Parameters, Picture], parameters: Parameters) -> None:
        self._frame = frame
        spread = len(frame.picture.spread_means) > 0
        if spread != self._spread:
            self._spread = spread
            self.fit()
        self._draw_curve(frame, parameters)
        self.draw_later("law", partial(self._draw_law, frame))
        self.draw_later("model", partial(self._draw_model, frame))
        self.draw_later("entropies", partial(self._draw_entropies, frame))
        if spread:
            self.draw_later("variance", partial(self._draw_variance, frame))
        else:
            self.draw_later("ladder", partial(self._draw_ladder, frame))

    def _symbol(self, picture: Picture) -> str:
        return self.text("mean μ") if picture.normal else self.text("probability θ")

    def _draw_curve(self, frame: Frame[Parameters, Picture], parameters: Parameters) -> None:
        picture: Picture = frame.picture
        self.curve.show_curve(picture, parameters.scale, parameters.sharper)
        for curve, words in zip(self.curve.sharper, (self.text("4 times the data"), self.text("16 times")), strict=True):
            curve.set_label(words)
        names = {
            "linear": self.text("likelihood / maximum"),
            "log": self.text("log (L / maximum) (nats)"),
            "average": self.text("log-likelihood / n (nats)"),
        }
        self.curve.set_labels(x=self._symbol(picture), y=names[parameters.scale])
        self.curve.top.setData(picture.estimate, self.text("maximum {value}", value=number_text(picture.estimate)))
        lost = frame.measures["log_ratio"]
        per = lost / picture.count
        words = {"average": f"KL = {per:.3f}", "log": f"n·KL = {lost:.3g}", "linear": f"exp(−n·KL) = {math.exp(-lost):.2g}"}[
            parameters.scale
        ]
        self.curve.lost.setData(*(self.curve.lost.place or (0.0, 0.0)), words if lost > 1e-4 else "")
        facts = {"n": picture.count, "lost": lost}
        self.curve.set_caption(self.text("n = {n:,d} · the model loses {lost:.3g} nats", **facts))

    def _draw_law(self, frame: Frame[Parameters, Picture]) -> None:
        picture: Picture = frame.picture
        self.law.show_law(picture, self.text("the data"))
        self.law.exact.set_label(self.text("exact law") if len(self.law.exact.x) else None)
        self.law.set_labels(x=self.text("estimate"), y=self.text("density"))
        self.law.set_caption(self.text("{share} as far out", share=percent(frame)))

    def _draw_model(self, frame: Frame[Parameters, Picture]) -> None:
        picture: Picture = frame.picture
        count = len(picture.shares)
        names = [self.text("heads"), self.text("tails")] if count == 2 else [str(number + 1) for number in range(count)]
        if frame.parameters.kind == "categorical":
            names = [str(number + 1) for number in range(count)]
        fitted = self.text("normal law of the data") if picture.normal else self.text("data p")
        self.model.show_model(picture, names, (fitted, self.text("model q")))
        self.model.set_labels(
            x=self.text("value") if picture.normal else "", y=self.text("density") if picture.normal else self.text("share")
        )
        error = frame.measures["mean_square_error"]
        caption = self.text("mean square error {value:.3g}", value=error) if math.isfinite(error) else ""
        self.model.set_caption(caption or self.text("drag the model"))

    def _draw_entropies(self, frame: Frame[Parameters, Picture]) -> None:
        values = [frame.measures[name] for name in ("entropy", "cross_entropy", "kl")]
        names = [self.text("cross entropy"), self.text("entropy + KL")]
        self.entropies.show_entropies(values[0], values[1], values[2], names)
        known = math.isfinite(values[2])
        self.entropies.set_caption(f"KL = {values[2]:.4f}" if known else self.text("no spread, no entropy"))

    def _draw_variance(self, frame: Frame[Parameters, Picture]) -> None:
        self.variance.show_variances(frame.picture, (self.text("÷ n:"), self.text("÷ (n − 1):")))
        n = frame.picture.count
        self.variance.set_caption(f"(n − 1)/n = {(n - 1) / n:.3f}")

    def _draw_ladder(self, frame: Frame[Parameters, Picture]) -> None:
        deviation, error = frame.measures["simulated_deviation"], frame.measures["standard_error"]
        self.ladder.show_ladder(frame.picture, deviation, error)
        self.ladder.set_caption(self.text("here {value:.3g}", value=deviation))

    # ---- what a hand does --------------------------------------------------------------------------------------------

    def _on_parameter(self, _index: int, x: float, _y: float) -> None:
        """The model's parameter follows the hand along the curve."""
        if self._frame is None:
            return
        picture: Picture = self._frame.picture
        if picture.normal:
            self.tweak_requested.emit({"mean": rounded(x, float(picture.grid[-1] - picture.grid[0]))})
        else:
            self._set_share(0, x)

    def _on_model(self, index: int, x: float, y: float) -> None:
        """A bar of the model follows the hand; a normal law follows it sideways and gets narrower as it rises."""
        if self._frame is None:
            return
        picture: Picture = self._frame.picture
        if not picture.normal:
            self._set_share(index, y)
            return
        span = float(picture.law_grid[-1] - picture.law_grid[0])
        sigma = 1 / (max(y, 0.05 / span) * math.sqrt(2 * math.pi))
        self.tweak_requested.emit({"mean": rounded(x, span), "sigma": float(f"{min(max(sigma, span / 200), span):.3g}")})

    def _on_data(self, index: int, x: float, y: float) -> None:
        """The data follow the hand: a value sideways, a share as far as whole numbers let it."""
        if self._frame is None:
            return
        picture, values = self._frame.picture, self._frame.parameters
        if picture.normal:
            numbers = picture.values.tolist()
            numbers[index] = rounded(x, float(picture.law_grid[-1] - picture.law_grid[0]))
            self.tweak_requested.emit({"values": tuple(numbers), "distribution": "gaussian"})
        elif values.kind == "bernoulli":
            share = min(max(1 - y if index else y, 0.0), 1.0)
            self.tweak_requested.emit({"successes": round(share * values.trials)})
        else:
            counts = list(values.counts)
            rest = sum(counts) - counts[index]
            share = min(max(y, 0.0), 0.95)
            counts[index] = max(round(share / (1 - share) * rest), 0 if rest else 1)
            self.tweak_requested.emit({"counts": tuple(counts)})

    def _set_share(self, index: int, share: float) -> None:
        """Share number `index` of the model; the others keep their proportions."""
        assert self._frame is not None
        share = min(max(share, LEAST), MOST)
        if self._frame.parameters.kind == "bernoulli":
            self.tweak_requested.emit({"probability": round(min(max(1 - share if index else share, LEAST), MOST), 3)})
            return
        shares = self._frame.picture.model_shares.tolist()
        rest = sum(shares) - shares[index]
        made = [max(LEAST, round(value * (1 - share) / rest, 4)) for value in shares]
        made[index] = 0.0
        made[index] = round(1 - sum(made), 4)
        self.tweak_requested.emit({"model": tuple(made)})


def rounded(value: float, span: float) -> float:
    """A number with as many decimals as a hand can mean in a picture of this width."""
    return round(value, max(0, 3 - math.floor(math.log10(span)))) if span > 0 else value


def percent(frame: Frame[Parameters, Picture]) -> str:
    """The share of estimates as far out as the data."""
    share: Any = frame.measures["beyond"]
    return f"{share:.1%}" if share >= 0.001 or share == 0 else f"{share:.3%}"
