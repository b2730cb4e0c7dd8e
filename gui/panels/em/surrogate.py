"""Draws a log-likelihood of one parameter and what three methods climb in its place; the map of the method, and its errors."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from engine.api import Frame
from gui.core.lab.two_rows import TwoRows
from gui.core.look.theme import Role, theming
from gui.core.plots import Arrows, Curve, DragPoints, Label, Marker, PlotCard, Points, Swatch

if TYPE_CHECKING:
    from engine.labs.em.surrogate import Parameters, Picture

ROLES: tuple[Role, ...] = ("theory", 2, 3)
DASHES: tuple[str | None, ...] = (None, "dash", "dashdot")
SYMBOLS = ("o", "s", "t")
EARLIER = 8
SMALLEST = 1e-15  # error that is still drawn


class ExperimentPanel(TwoRows["Parameters", "Picture"]):
    """The likelihood with the surrogates above; where the method jumps from everywhere, and the errors of all three below."""

    def build(self) -> None:
        self._build_hill()
        self._build_map()
        self._build_errors()
        self.arrange([self.hill], [self.map, self.fall], stretch=(5, 3))
        self.fit()

    def _build_hill(self) -> None:
        self.hill = PlotCard()
        self.former = [self.hill.add(Curve("theory", width=1.2, alpha=0.2 + 0.05 * at)) for at in range(EARLIER)]
        self.likelihood = self.hill.add(Curve("text", width=2.6))
        self.surrogates = [self.hill.add(Curve(role, dash=dash, width=2.2)) for role, dash in zip(ROLES, DASHES, strict=True)]
        self.best = self.hill.add(Marker("muted", dash="dot", at=0.06))
        self.jump = self.hill.add(Arrows("data", width=1.8, head=9))
        self.tops = [
            self.hill.add(Points(role, size=10, symbol=symbol, halo=True)) for role, symbol in zip(ROLES, SYMBOLS, strict=True)
        ]
        self.before = self.hill.add(Points("data", size=6))
        self.now = self.hill.add(Points("data", size=13, halo=True))
        self.words = self.hill.add(Label(role="data", anchor=(0.5, 2.0), size=13))
        self.start = DragPoints(self.hill, "text", size=10)
        self.start.dragged.connect(self._on_start)

    def _build_map(self) -> None:
        self.map = PlotCard()
        self.map.set_axes_visible(grid=False)
        self.diagonal = self.map.add(Curve("muted", dash="dash", width=1.2))
        self.image = self.map.add(Curve("theory"))
        self.web = self.map.add(Curve("data", width=1.4))
        self.place = self.map.add(Points("data", size=10, halo=True))

    def _build_errors(self) -> None:
        self.fall = PlotCard()
        self.fall.set_log(y=True)
        self.law = self.fall.add(Curve("muted", dash="dot", width=1.6))
        self.errors = [self.fall.add(Curve(role, dash=dash, width=1.8)) for role, dash in zip(ROLES, DASHES, strict=True)]
        self.marks = [self.fall.add(Points(role, size=6, symbol=symbol)) for role, symbol in zip(ROLES, SYMBOLS, strict=True)]
        self.error_now = self.fall.add(Points("data", size=11, halo=True))

    def retranslate(self) -> None:
        self.hill.set_title(self.text("The surrogate and the jump to its peak"))
        self.hill.set_labels(x=self.text("parameter θ"), y=self.text("log-likelihood"))
        self.likelihood.label = self.text("log-likelihood")
        names = (self.text("EM: lower bound"), self.text("gradient: curvature −1/h"), self.text("Newton: true curvature"))
        for curve, name in zip(self.surrogates, names, strict=True):
            curve.label = name
        self.map.set_title(self.text("Where each θ jumps to"))
        self.map.set_labels(x="θ", y=self.text("next θ"))
        self.diagonal.label = self.text("stays where it is")
        self.image.label = self.text("map of the method")
        self.fall.set_title(self.text("Errors of all three"))
        self.fall.set_labels(x=self.text("iteration"), y=self.text("distance to the maximum"))
        for curve, name in zip(self.errors, ("EM", self.text("gradient"), self.text("Newton")), strict=True):
            curve.label = name
        self.law.label = self.text("predicted slope")
        for card in (self.hill, self.map, self.fall):
            card.refresh_legend()

    def draw(self, frame: Frame[Parameters, Picture], parameters: Parameters) -> None:
        picture: Picture = frame.picture
        self._draw_hill(picture, parameters)
        self.draw_later("map", partial(self._draw_map, picture))
        self.draw_later("errors", partial(self._draw_errors, picture))

    def _draw_hill(self, picture: Picture, parameters: Parameters) -> None:
        chosen, grid, fitted = picture.chosen, picture.grid, picture.half > 0
        low, high = heights(picture)
        self.likelihood.setData(grid, np.where(picture.likelihood > low - (high - low), picture.likelihood, np.nan))
        for index, (curve, top) in enumerate(zip(self.surrogates, self.tops, strict=True)):
            shown = fitted and (index == chosen or parameters.others)
            values = picture.surrogates[index]
            near = (values > low - 2 * (high - low)) & (values < high + 2 * (high - low))
            curve.alpha, curve.width = (1.0, 2.8) if index == chosen else (0.65, 1.5)
            curve.restyle(theming.current)
            curve.setData(grid, np.where(near, values, np.nan))
            curve.set_present(shown)
            top.setData(picture.peaks[index, :1], picture.peaks[index, 1:])
            top.set_present(shown and picture.half % 2 == 1)
        for index, curve in enumerate(self.former):
            at = index - EARLIER + len(picture.earlier)
            wear(curve, ROLES[chosen])
            curve.set_present(at >= 0)
            if at >= 0:
                curve.setData(grid, np.where(picture.earlier[at] > low - 2 * (high - low), picture.earlier[at], np.nan))
        done = picture.half // 2
        self.before.setData(picture.way[:done], picture.heights[:done])
        self.now.setData([picture.theta], [picture.height])
        self.start.setData(picture.way[:1], picture.heights[:1])
        self._draw_jump(picture)
        self.best.setData(picture.target, f"{picture.target:.6g}")
        self.words.setData(picture.theta, picture.height, f"θ = {picture.theta:.6g}")
        self.hill.set_range(x=picture.window, y=(low, high))
        phase = self.text("start")
        if fitted and picture.half % 2:
            phase = self.text("iteration {number}: the surrogate touches", number=(picture.half + 1) // 2)
        elif fitted:
            phase = self.text("iteration {number}: jump to its peak", number=picture.half // 2)
        self.hill.set_caption(phase)

    def _draw_jump(self, picture: Picture) -> None:
        """From the touching point to the peak, and from there onto the likelihood."""
        if picture.half == 0:
            self.jump.setData([], [], [], [])
            return
        x, y = picture.peaks[picture.chosen]
        base = float(np.interp(picture.anchor, picture.grid, picture.likelihood))
        if picture.half % 2:
            self.jump.setData([picture.anchor], [base], [x - picture.anchor], [y - base])
        else:
            self.jump.setData([x], [y], [0.0], [picture.height - y])

    def _draw_map(self, picture: Picture) -> None:
        window = picture.window
        self.diagonal.setData(window, window)
        wear(self.image, ROLES[picture.chosen])
        self.map.legend.refresh()
        self.image.setData(picture.grid, picture.image)
        done = picture.half // 2
        across = np.repeat(picture.way[: done + 1], 2)
        self.web.setData(across[:-1], across[1:])
        self.place.setData([picture.theta], [picture.theta])
        self.map.set_range(x=window, y=window)
        self.map.set_caption(
            self.text("slope at the maximum {value:.4f}", value=picture.rate) if np.isfinite(picture.rate) else ""
        )

    def _draw_errors(self, picture: Picture) -> None:
        at, done = np.arange(picture.errors.shape[1]), picture.half // 2
        errors = np.where(picture.errors > SMALLEST, picture.errors, np.nan)
        for index, (curve, marks) in enumerate(zip(self.errors, self.marks, strict=True)):
            curve.setData(at, errors[index])
            curve.alpha = 1.0 if index == picture.chosen else 0.5
            curve.restyle(theming.current)
            upto = done + 1 if index == picture.chosen else len(at)
            marks.setData(at[:upto], errors[index, :upto])
        own = errors[picture.chosen]
        usable = np.flatnonzero(np.isfinite(own) & (own > 1e-12))
        straight = len(usable) > 0 and 0 < picture.rate < 1
        self.law.set_present(straight)
        if straight:
            last = usable[-1]
            self.law.setData(at, own[last] * picture.rate ** (at - float(last)))
        self.error_now.setData(at[done : done + 1], own[done : done + 1])
        positive = errors[np.isfinite(errors)]
        ends = (positive.min(), positive.max()) if len(positive) else (1e-3, 1.0)
        self.fall.set_range(x=(0, max(at[-1], 1) * 1.02), y=(max(ends[0] / 3, SMALLEST), ends[1] * 3))
        self.fall.set_caption("" if not np.isfinite(picture.rate) else self.text("rate {value:.4f}", value=picture.rate))

    def _on_start(self, index: int, x: float, _y: float) -> None:
        picture: Picture | None = self._last[0].picture if self._last is not None else None
        if picture is not None:
            low, high = picture.window
            room = 0.004 * (high - low)
            self.tweak_requested.emit({"start": float(f"{min(max(x, low + room), high - room):.4g}")})


def wear(curve: Curve, role: Role) -> None:
    """Give a curve the colour of a method."""
    if curve.role != role:
        curve.role = role
        curve.swatch = Swatch("line", role, curve.dash)
        curve.restyle(theming.current)


def heights(picture: Picture) -> tuple[float, float]:
    """What the picture shows of the log-likelihood: the path, and some room around it."""
    inside = (picture.way > picture.window[0]) & (picture.way < picture.window[1])
    top, low = float(picture.likelihood.max()), float(picture.heights[inside].min())
    usual = top - float(np.quantile(picture.likelihood, 0.35))
    span = max(top - low, 0.5 * usual, 1e-6)
    return top - 1.18 * span, top + 0.2 * span
