"""The smaller pictures of `mixture`: bound and likelihood, convergence, weights, other starts, other numbers of components."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from gui.core.numbers import power_text
from gui.core.plots import Area, Bars, Curve, ImageGrid, Label, Marker, PlotCard, Points, Trails
from gui.core.plots.raster.paint import Floats
from gui.panels.em.mixture.points import HUES

if TYPE_CHECKING:
    from engine.labs.em.mixture import Picture

Text = Callable[..., str]

LEAST_NATS, LEAST_SHARE = 0.01, 1e-5  # range of a log-likelihood that is always shown, and relative to its size
FALL = 1e-9  # of the size of a log-likelihood: a smaller fall is rounding
LEAST_ERROR = 1e-16
MARKED = 60  # half-steps that have room for a mark each
SOON = 6  # half-steps of a run that are always seen in full
SEEN = 9.0  # iterations in which bound and likelihood can still be told apart
EDGE = 2e-3  # of the width: a line on the very edge would not be drawn
SLIGHT, AFTER = 0.01, 2.0  # share of the climb that is no longer worth seeing, and iterations after the last one that was


class BoundCard(PlotCard):
    """Log-likelihood, lower bound and the gap between them, half-step by half-step."""

    def __init__(self) -> None:
        super().__init__()
        self.gap = self.add(Area("theory", alpha=0.28))
        self.branch = self.add(Curve("muted", dash="dot", width=1.6))
        self.limit = self.add(Marker("muted", vertical=False, dash="dot", at=0.0))
        self.bound = self.add(Curve("theory", width=2.0))
        self.likelihood = self.add(Curve("data", width=2.2))
        self.likelihood.setZValue(7)
        self.touches = self.add(Points("theory", symbol="o", size=6, halo=True))
        self.climbs = self.add(Points("data", symbol="s", size=6, halo=True))
        self.here = self.add(Marker("text", dash="dot", at=0.0))
        self.falls = self.add(Points("fails", symbol="x", size=13))
        self.longest: tuple[Floats, Floats] = (np.empty(0), np.empty(0))
        self.branched = False

    def keep(self, iteration: float) -> None:
        """Keep what the run does from an iteration on, before a hand leaves it."""
        at, values = self.longest
        later = at >= iteration - 1e-9
        self.branch.setData(at[later] - iteration, values[later])
        self.branched = bool(later.sum() > 1)

    def forget(self) -> None:
        """No run has been left."""
        self.branch.setData([], [])
        self.branched = False

    def show_picture(self, picture: Picture, text: Text, *, watched: bool) -> None:
        """Draw the curves so far; falls of the likelihood are marked where they are `watched`."""
        at, high, low = picture.curve_at, picture.log_likelihoods, picture.lower_bounds
        self.gap.setData(at, low, high)
        self.bound.setData(at, low)
        self.likelihood.setData(at, high)
        some = np.arange(len(at)) if len(at) <= MARKED else np.arange(0)
        even = np.abs(at - np.round(at)) < 0.25
        self.touches.setData(at[some][~even[some]], low[some][~even[some]])
        self.climbs.setData(at[some][even[some]], high[some][even[some]])
        fallen = falls(high) if watched else np.arange(0)
        self.falls.setData(at[fallen], high[fallen])
        self.limit.setData(picture.limit)
        first, last = climbing(at, high)
        pinned = picture.iteration > last
        self.here.setData(
            min(picture.iteration, last - EDGE * (last - first)), f"{math.floor(picture.iteration)} →" if pinned else ""
        )
        self.set_range(x=(first, last))
        ends = bound_range(picture, first, last)
        if ends is not None:
            self.set_range(y=ends)
        gap = high[-1] - low[-1] if len(high) and len(low) else math.nan
        if len(fallen):
            self.set_caption(text("falls at {at:g}", at=float(at[fallen[-1]])))
        else:
            self.set_caption(text("gap {value}", value=gap_text(max(gap, 0.0))) if math.isfinite(gap) else "")


def falls(values: Floats) -> np.ndarray:
    """Where a log-likelihood is lower than before, by more than rounding."""
    if len(values) < 2:
        return np.arange(0)
    with np.errstate(invalid="ignore"):
        return 1 + np.flatnonzero(np.diff(values) < -FALL * np.maximum(1.0, np.abs(values[:-1])))


def climbing(at: Floats, values: Floats) -> tuple[float, float]:
    """The iterations that are worth seeing: the last ones that climb by more than a hundredth of the way so far."""
    whole = np.flatnonzero(np.abs(at - np.round(at)) < 0.25)
    last = float(at[-1]) if len(at) else 0.0
    if len(whole) > 2:
        climbs = np.diff(values[whole])
        if len(falls(values[whole])):  # it wanders: the latest is what there is to see
            return max(0.0, last - SEEN), max(last, 3.0)
        worth = np.flatnonzero(climbs >= SLIGHT * max(float(values[whole[-1]] - values[whole[1]]), 1e-300))
        last = min(last, float(at[whole[worth[-1] + 1]]) + AFTER) if len(worth) else last
    last = max(last, 3.0)
    return max(0.0, last - SEEN), last


def bound_range(picture: Picture, first: float, last: float) -> tuple[float, float] | None:
    """What the curves need between two iterations; of a run that is no longer short not the first leap."""
    at, high, low = picture.curve_at, picture.log_likelihoods, picture.lower_bounds
    inside = (at >= first - 1e-9) & (at <= last + 1e-9)
    if len(at) > SOON:
        inside &= at >= 1.0
    values = np.concatenate([high[inside], low[inside]])
    values = values[np.isfinite(values)]
    if not len(values):
        return None
    least, most = float(values.min()), float(values.max())
    if math.isfinite(picture.limit) and 0 <= picture.limit - most < 0.3 * (most - least):
        most = picture.limit
    return nats_range(least, most)


def nats_range(least: float, most: float, below: float = 0.08, above: float = 0.1) -> tuple[float, float]:
    """The range of log-likelihoods that a picture shows, with shares of it around; never so small that ticks are all digits."""
    missing = max(0.0, max(LEAST_NATS, LEAST_SHARE * max(abs(least), abs(most))) - (most - least))
    least, most = least - 0.5 * missing, most + 0.5 * missing
    return least - below * (most - least), most + above * (most - least)


def gap_text(gap: float) -> str:
    """A gap with as many digits as say something."""
    return f"{gap:.3g}" if gap >= 1e-3 or gap == 0 else power_text(gap, 2)


class ConvergenceCard(PlotCard):
    """The distance of the log-likelihood to its maximum, and the slope that the missing information predicts."""

    def __init__(self) -> None:
        super().__init__()
        self.set_log(y=True)
        self.law = self.add(Curve("theory", dash="dash"))
        self.way = self.add(Curve("data", width=1.8))
        self.dots = self.add(Points("data", size=5))
        self.words = self.add(Label(role="muted", anchor=(0.5, 0.5), size=13))
        self.counted = self.add(Label(role="data", anchor=(1.0, 0.0)))
        self.known = self.add(Label(role="theory", anchor=(0.0, 1.0)))

    def show_picture(self, picture: Picture, text: Text) -> None:
        """Draw the errors so far, on the line through the last of them."""
        at, errors = picture.error_at, picture.errors
        known = np.isfinite(errors) & (errors > LEAST_ERROR)
        at, errors = at[known], errors[known]
        self.way.setData(at, errors)
        self.dots.setData(at if len(at) <= MARKED else [], errors if len(at) <= MARKED else [])
        rate = picture.predicted_rate
        lawful = len(at) > 1 and math.isfinite(rate) and 0.0 < rate < 1.0
        line = predicted(at, errors, rate) if lawful else (np.empty(0), np.empty(0))
        self.law.setData(*line)
        low, high, last = -6.0, 0.0, 3.0
        if len(at) > 1:
            low, high = math.floor(math.log10(errors.min())), math.ceil(math.log10(errors.max()) + 0.05)
            low, last = min(low, high - 2), max(float(at[-1]), 3.0)
        self.set_range(x=(0.0, last), y=(10.0**low, 10.0**high))
        self.words.setData(last / 2, 10 ** (0.5 * (low + high)), "" if len(at) > 1 else text("nothing to measure yet"))
        corners = (  # errors fall from the upper left to the lower right
            (self.counted, "rate {value}", picture.measured_rate, last, 10.0**high),
            (self.known, "predicted {value}", rate, 0.0, 10.0**low),
        )
        for label, template, value, x, y in corners:
            label.setData(x, y, text(template, value=f"{value:.3f}") if len(at) > 1 and math.isfinite(value) else "")


def predicted(at: Floats, errors: Floats, rate: float) -> tuple[Floats, Floats]:
    """Errors that shrink by the square of a rate per iteration, through the last one measured."""
    line = errors[-1] * rate ** (2 * (at - at[-1]))
    seen = line <= 3 * errors.max()
    return at[seen], line[seen]


class WeightsCard(PlotCard):
    """How much of the data each component has; with a point under the mouse, how much of that point."""

    def __init__(self) -> None:
        super().__init__()
        self.bars = [self.add(Bars(hue, fill=0.75)) for hue in HUES]
        self.of_point = self.add(Points("text", symbol="d", size=10, halo=True))
        self.equal = self.add(Marker("muted", vertical=False, dash="dot", at=1.0))

    def show_picture(self, picture: Picture, text: Text) -> None:
        """Draw the weights."""
        count = len(picture.weights)
        for at, bar in enumerate(self.bars):
            there = at < count
            bar.setData([picture.weights[at]] if there else [], at=[float(at)] if there else [])
        self.set_categories([str(at + 1) for at in range(count)])
        self.equal.setData(1.0 / count, text("equal"))
        top = float(np.nanmax(picture.weights, initial=0.0))
        self.set_range(y=(0.0, 1.0 if top > 0.62 or self.of_point.x.size else 1.25 * max(top, 0.2)))

    def point_out(self, shares: Floats | None) -> None:
        """Show the responsibilities for one point, or none."""
        self.of_point.setData(np.arange(len(shares)) if shares is not None else [], shares if shares is not None else [])
        if shares is not None:
            self.set_range(y=(0.0, 1.0))


class BayesCard(PlotCard):
    """Weights by EM beside those that variational Bayes expects, and how many components it keeps."""

    def __init__(self) -> None:
        super().__init__()
        self.em = self.add(Bars("data", offset=0, of=2))
        self.bayes = self.add(Bars("theory", offset=1, of=2))
        self.kept = self.add(Label(role="theory", anchor=(1.0, 0.0)))

    def show_picture(self, picture: Picture, text: Text) -> None:
        """Draw both weights of each component, and the bound so far."""
        count = len(picture.bayes_weights)
        at = np.arange(count)
        self.em.setData(picture.weights[:count], at=at)
        self.bayes.setData(picture.bayes_weights, at=at)
        self.set_categories([str(number + 1) for number in range(count)])
        top = float(max(picture.weights.max(initial=0.0), picture.bayes_weights.max(initial=0.0)))
        self.set_range(y=(0.0, 1.25 * max(top, 0.2)), steady=True)
        if count:
            kept = text("{kept} of {all} kept", kept=round(float(picture.bayes_kept[-1])), all=count)
            self.kept.setData(count - 0.5, 1.22 * max(top, 0.2), kept)
            self.set_caption(f"ELBO {picture.bayes_bounds[-1]:.6g}".replace("-", "−"))


class ImagesCard(ImageGrid):
    """The means of components whose points are images."""

    SIDE = 8

    def show_picture(self, picture: Picture) -> None:
        """Draw how probable each pixel is, the heaviest component first."""
        order = np.argsort(-picture.weights, kind="stable") if len(picture.images) else np.arange(0)
        pixels = np.round(255 * np.clip(picture.images[order], 0.0, 1.0)).astype(np.uint8)
        captions = [f"{number + 1}: {picture.weights[number]:.0%}" for number in order.tolist()]
        self.setData(
            pixels.reshape(-1, self.SIDE, self.SIDE),
            captions=captions,
            highlight={at: HUES[number % len(HUES)] for at, number in enumerate(order.tolist())},
        )


class RaceCard(PlotCard):
    """EM, hard EM and gradient ascent from one start."""

    def __init__(self) -> None:
        super().__init__()
        self.gradient = self.add(Curve(2, dash="dot", width=2.0))
        self.hard = self.add(Curve(3, dash="dash", width=2.0))
        self.em = self.add(Curve("data", width=2.2))

    def show_picture(self, picture: Picture) -> None:
        """Draw the log-likelihoods by iteration, without the first leap of a long race."""
        at = picture.race_at
        curves = (picture.race_em, picture.race_hard, picture.race_gradient)
        for curve, values in zip((self.em, self.hard, self.gradient), curves, strict=True):
            curve.setData(at, values)
        values = np.concatenate([curve[1 if len(at) > SOON else 0 :] for curve in curves])
        values = values[np.isfinite(values)]
        if len(values):
            self.set_range(x=(0.0, max(float(at[-1]), 3.0)), y=nats_range(float(values.min()), float(values.max())))


class ChoiceCard(PlotCard):
    """AIC and BIC over the number of components; the lowest point of each is the choice."""

    def __init__(self) -> None:
        super().__init__()
        self.present = self.add(Marker("muted", dash="dot", at=0.0))
        self.curves = [self.add(Curve(role, dash=dash, width=1.8)) for role, dash in ((0, None), (1, "dash"))]
        self.dots = [self.add(Points(role, symbol=symbol, size=6)) for role, symbol in ((0, "o"), (1, "s"))]
        self.best = [self.add(Points(role, symbol=symbol, size=12, halo=True)) for role, symbol in ((0, "o"), (1, "s"))]

    def show_picture(self, picture: Picture, text: Text) -> None:
        """Draw what has been fitted so far."""
        numbers = picture.choice_components
        for at, values in enumerate((picture.choice_aic, picture.choice_bic)):
            self.curves[at].setData(numbers, values)
            self.dots[at].setData(numbers, values)
            best = [int(np.nanargmin(values))] if np.isfinite(values).any() else []
            self.best[at].setData(numbers[best], values[best])
        self.present.setData(len(picture.weights), "K")
        shown = np.concatenate([picture.choice_aic, picture.choice_bic])
        shown = shown[np.isfinite(shown)]
        if len(shown):
            room = max(float(np.ptp(shown)), 1.0)
            self.set_range(x=(0.7, 8.3), y=(float(shown.min()) - 0.12 * room, float(shown.max()) + 0.12 * room))
            chosen = [int(numbers[np.nanargmin(v)]) for v in (picture.choice_aic, picture.choice_bic) if np.isfinite(v).any()]
            self.set_caption(f"AIC: {chosen[0]} · BIC: {chosen[-1]}")
        else:
            self.set_caption("")


class MaximaCard(PlotCard):
    """Where other starts end: final log-likelihoods in order, coloured by local maximum."""

    def __init__(self) -> None:
        super().__init__()
        self.here = self.add(Marker("text", vertical=False, dash="dot", at=0.0))
        self.ends = [self.add(Points(hue, size=9, symbol="o", halo=True)) for hue in HUES]

    def show_picture(self, picture: Picture, present: float, text: Text) -> None:
        """Draw the restarts that have finished, the best first."""
        ends, basins = picture.restart_log_likelihoods, picture.restart_basins
        good = np.flatnonzero(np.isfinite(ends) & (basins >= 0))
        order = good[np.argsort(-ends[good], kind="stable")]
        for number, points in enumerate(self.ends):
            chosen = np.flatnonzero(capped(basins[order]) == number)
            points.setData(chosen + 1, ends[order][chosen])
        self.here.setData(present, text("this run"))
        shown = ends[order]
        if math.isfinite(present):
            shown = np.append(shown, present)
        if len(shown):
            self.set_range(y=nats_range(float(shown.min()), float(shown.max()), 0.12, 0.12))
        self.set_range(x=(0.0, picture.restarts_wanted + 1.0))
        self.set_caption(tally(picture, text))


def capped(basins: np.ndarray) -> np.ndarray:
    """The number of a colour for each local maximum; the last colour is for all further ones."""
    found: np.ndarray = np.minimum(basins, len(HUES) - 1)
    return found


def tally(picture: Picture, text: Text) -> str:
    """How many starts reach the best local maximum."""
    basins = picture.restart_basins
    if not len(basins):
        return ""
    facts = [text("best: {share}", share=f"{int((basins == 0).sum())}/{len(basins)}")]
    collapsed = int((basins < 0).sum())
    return " · ".join([*facts, text("{count} collapsed", count=collapsed)] if collapsed else facts)


class RestartsCard(PlotCard):
    """A map of other starts: from every first mean to where it ended, coloured by local maximum."""

    def __init__(self) -> None:
        super().__init__()
        self.ways = [self.add(Trails(hue, width=1.3, alpha=0.8)) for hue in HUES]
        self.starts = [self.add(Points(hue, size=5, symbol="o", alpha=0.8)) for hue in HUES]
        self.ends = [self.add(Points(hue, size=9, symbol="d", halo=True)) for hue in HUES]

    def show_picture(self, picture: Picture) -> None:
        """Draw the restarts that have finished; on a line their numbers are the heights."""
        starts, ends = (np.array(places, dtype=float) for places in (picture.restart_starts, picture.restart_means))
        flat = picture.dimension == 1
        if flat:
            for places in (starts, ends):
                places[:, :, 1] = (1 + np.arange(len(places)))[:, None]
        for number in range(len(HUES)):
            chosen = (picture.restart_basins >= 0) & (capped(picture.restart_basins) == number)
            first, last = (places[chosen].reshape(-1, 2) for places in (starts, ends))
            steps = np.linspace(0.0, 1.0, 9)[:, None, None]
            ways = first + steps * (last - first)  # in pieces, so that it is seen which end is new
            self.ways[number].setData(ways[:, :, 0].T, ways[:, :, 1].T)
            self.starts[number].setData(*first.T)
            self.ends[number].setData(*last.T)
        low, high = picture.low, picture.high
        self.set_aspect(not flat)
        self.set_range(x=(float(low[0]), float(high[0])))
        self.set_range(y=(0.0, picture.restarts_wanted + 1.0) if flat else (float(low[1]), float(high[1])))
