"""Draws a mixture half-step by half-step: points and components, the bound under the likelihood, and what surrounds a run."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtWidgets import QWidget

from engine.api import Frame
from gui.core.lab.two_rows import TwoRows
from gui.core.plots.mouse import Dropper
from gui.panels.em.mixture.hand import Hand
from gui.panels.em.mixture.mouse import Finder
from gui.panels.em.mixture.side import (
    BayesCard,
    BoundCard,
    ChoiceCard,
    ConvergenceCard,
    ImagesCard,
    MaximaCard,
    RaceCard,
    RestartsCard,
    WeightsCard,
)
from gui.panels.em.mixture.stage import StageCard

if TYPE_CHECKING:
    from engine.labs.em.mixture import Parameters, Picture

MOST_BELOW = 3  # cards of the second row
WIDE = 3  # shares of the first row that the points have, where the curves have 2


class ExperimentPanel(TwoRows["Parameters", "Picture"]):
    """Points and likelihood above; convergence, weights and what is switched on below."""

    def build(self) -> None:
        self._wanted: tuple[QWidget, ...] = ()
        self._present: dict[str, bool] = {}
        self._run: Parameters | None = None
        self._left: tuple[object, ...] = ()
        self._canvas: tuple[bool, bool] | None = None
        self.stage, self.bound = StageCard(), BoundCard()
        self.convergence, self.weights = ConvergenceCard(), WeightsCard()
        self.race, self.choice, self.restarts, self.maxima = RaceCard(), ChoiceCard(), RestartsCard(), MaximaCard()
        self.images, self.bayes = ImagesCard(), BayesCard()
        self.hand = Hand(self.stage)
        self.hand.wanted.connect(self.tweak_requested)
        self.hand.began.connect(self._on_leaving)
        self.dropper = Dropper(self.stage)
        self.dropper.dropped.connect(self.hand.add_component)
        self.finder = Finder(self.stage)
        self.finder.found.connect(self._on_found)
        self.stage.pencil.toggled.connect(self._on_pencil)
        self.stage.brush.enabled_changed.connect(self.stage.pencil.setChecked)
        self.stage.brush.enabled = False
        below = [self.images, self.bayes, self.race, self.choice, self.restarts, self.maxima, self.convergence, self.weights]
        self.arrange([self.stage, self.bound], below, stretch=(2, 1), shares=[(WIDE, 2)])
        self.fit()

    def wanted(self, card: QWidget) -> bool:
        """What is switched on, and as much of the rest as there is room for."""
        return card in self._wanted

    # ---- texts -----------------------------------------------------------------------------------------------------

    def retranslate(self) -> None:
        self.stage.pencil.setText(self.text("Add points"))
        self.stage.pencil.setToolTip(
            self.text("Click or paint to add points, right button or Shift to erase; Ctrl and a click adds a component.")
        )
        self.bound.set_title(self.text("Likelihood and bound"))
        self.bound.set_labels(x=self.text("iteration"), y=self.text("nats"))
        self.convergence.set_title(self.text("Distance to the maximum"))
        self.convergence.set_labels(x=self.text("iteration"), y=self.text("nats/point"))
        self.weights.set_title(self.text("Weights"))
        self.bayes.set_title(self.text("Variational Bayes"))
        self.bayes.set_labels(x=self.text("component"), y=self.text("weight"))
        self.bayes.em.label, self.bayes.bayes.label = self.text("EM"), self.text("expected by variational Bayes")
        self.images.set_title(self.text("Means of the components"))
        self.weights.set_labels(x=self.text("component"), y=self.text("share"))
        self.race.set_title(self.text("Three ways from one start"))
        self.race.set_labels(x=self.text("iteration"), y=self.text("log-likelihood"))
        self.choice.set_title(self.text("How many?"))
        self.choice.set_labels(x=self.text("components K"), y=self.text("criterion"))
        self.restarts.set_title(self.text("Restarts"))
        self.maxima.set_title(self.text("Their local maxima"))
        self.maxima.set_labels(x=self.text("rank"), y=self.text("log-likelihood"))
        self.bound.likelihood.label = self.text("log-likelihood")
        self.bound.bound.label = self.text("lower bound")
        self.bound.gap.label = self.text("gap")
        self.convergence.way.label = self.text("EM")
        self.convergence.law.label = self.text("missing information")
        self.race.em.label, self.race.hard.label = self.text("EM"), self.text("hard EM")
        self.race.gradient.label = self.text("gradient ascent")
        for curve, name in zip(self.choice.curves, ("AIC", "BIC"), strict=True):
            curve.label = name
        self._name_items()

    def _name_items(self) -> None:
        """Name in the legends what there is."""
        stage, has = self.stage, self._present.get
        plane = has("plane", True)
        round_ones = plane and not has("lines")
        stage.ellipses.label = self.text("1σ and 2σ") if round_ones else None
        stage.ghosts.label = self.text("one iteration ago") if round_ones else None
        stage.beginning.label = self.text("start") if round_ones else None
        stage.field.label = self.text("density") if has("field") else None
        stage.arrived.label = self.text("just arrived") if has("online") else None
        stage.truth.label = self.text("truth") if has("truth") else None
        stage.bayes.label = self.text("variational Bayes") if has("bayes") and plane else None
        stage.histogram.label = None if plane else self.text("data")
        stage.total.label = None if plane else self.text("mixture")
        stage.hard.label = self.text("hard EM") if has("race") and plane else None
        stage.gradient.label = self.text("gradient ascent") if has("race") and plane else None
        self.bound.branch.label = self.text("without the edit") if has("branch") else None
        self.weights.of_point.label = self.text("of the point under the mouse") if has("point") else None
        for card in (stage, self.bound, self.weights):
            card.refresh_legend()

    # ---- drawing ---------------------------------------------------------------------------------------------------

    def draw(self, frame: Frame[Parameters, Picture], parameters: Parameters) -> None:
        picture: Picture = frame.picture
        values: Parameters = frame.parameters
        self._follow(values)
        self._arrange_for(picture, values)
        self.hand.show(picture, values.covariance, parameters.drawn)
        self.stage.show_picture(picture, values.covariance, values.compare and values.family == "normal")
        self.stage.set_title(self._headline(picture, values.algorithm))
        self.stage.set_caption(self._facts(picture))
        self.stage.warn([self.text(notice.template, **notice.values) for notice in picture.notices])
        self._name_axes(picture)
        self.draw_later("bound", partial(self.bound.show_picture, picture, self.text, watched=is_watched(frame)))
        shows = {
            self.images: partial(self.images.show_picture, picture),
            self.bayes: partial(self.bayes.show_picture, picture, self.text),
            self.race: partial(self.race.show_picture, picture),
            self.choice: partial(self.choice.show_picture, picture, self.text),
            self.restarts: partial(self.restarts.show_picture, picture),
            self.maxima: partial(self.maxima.show_picture, picture, last_of(picture.log_likelihoods), self.text),
            self.convergence: partial(self.convergence.show_picture, picture, self.text),
            self.weights: partial(self.weights.show_picture, picture, self.text),
        }
        for card in self._wanted:
            if card in shows:
                self.draw_later(type(card).__name__, shows[card])

    def _follow(self, values: Parameters) -> None:
        """Forget what belongs to a run that is gone."""
        if values is not self._run and values != self._run:
            self._run = values
            self.bound.longest = (np.empty(0), np.empty(0))
        if self.bound.branched and (values.start != "manual" or origin_of(values) != self._left):
            self.bound.forget()

    def _arrange_for(self, picture: Picture, values: Parameters) -> None:
        """Cards, legends and the pencil that depend on what there is."""
        at, high = picture.curve_at, picture.log_likelihoods
        if len(at) >= len(self.bound.longest[0]):
            self.bound.longest = (at, high)
        switched = [
            (self.images, len(picture.images) > 0),
            (self.bayes, len(picture.bayes_weights) > 0),
            (self.race, values.compare and values.family == "normal"),
            (self.choice, values.choose),
            (self.restarts, values.restarts > 0),
            (self.maxima, values.restarts > 0),
        ]
        wanted = [card for card, on in switched if on]
        wanted = [*wanted, *([self.convergence] if values.rate and values.family == "normal" else []), self.weights]
        wanted = wanted[: max(MOST_BELOW, sum(on for _, on in switched))]
        if tuple(wanted) != self._wanted:
            self._wanted = tuple(wanted)
            self.fit()
        present = {
            "plane": picture.dimension > 1,
            "truth": len(picture.true_means) > 0 and picture.dimension > 1,
            "race": values.compare and values.family == "normal",
            "lines": len(picture.lines) > 0,
            "online": bool(picture.arrived.any()),
            "bayes": len(picture.bayes_weights) > 0,
            "field": picture.field.size > 0,
            "branch": self.bound.branched,
            "point": bool(self.weights.of_point.x.size),
        }
        if present != self._present:
            self._present = present
            self._name_items()
        flat, empty = picture.dimension <= 2, values.data == "drawn"
        if (
            flat,
            empty,
        ) != self._canvas:  # elsewhere the hand looks for means and ellipses, and points come only when asked for
            self._canvas = flat, empty
            self.stage.pencil.setChecked(flat and empty)  # a click on a projection would invent what it does not show

    def _headline(self, picture: Picture, algorithm: str) -> str:
        """What this half-step has changed."""
        number = math.ceil(picture.iteration - 1e-9)
        if picture.phase == "start":
            return self.text("Start: the points belong to nobody yet")
        if picture.converged:
            return self.text("Converged in iteration {number}", number=number)
        if picture.phase == "e":
            plain = "Batch {number} has arrived" if algorithm == "online" else "E step {number}: responsibilities"
            template = "E step {number}: one component each" if algorithm == "hard" else plain
        else:
            template = "M step {number}: a step uphill" if algorithm == "gradient" else "M step {number}: means move"
        return self.text(template, number=number)

    def _facts(self, picture: Picture) -> str:
        facts = [f"n = {picture.count:,d}"]
        if len(picture.degrees):
            facts.append("ν = " + ", ".join(f"{value:.3g}" for value in sorted(set(picture.degrees.tolist()))[:4]))
        if len(picture.points) < picture.count:
            facts.append(self.text("{shown:,d} shown", shown=len(picture.points)))
        if picture.projected:
            facts.append(f"d = {picture.dimension}")
        return " · ".join(facts)

    def _name_axes(self, picture: Picture) -> None:
        across, up = picture.axes
        if picture.projected == "principal":
            share = self.text("together {share} of the variance", share=f"{picture.explained:.0%}")
            names = [self.text("principal axis {number}", number=number) for number in (1, 2)]
            names[0] = f"{names[0]} ({share})"
        else:
            names = [across or "x", up or "y"]
        for card in (self.stage, self.restarts):
            line = "" if card is self.stage else self.text("start")
            card.set_labels(x=names[0], y=line if picture.dimension == 1 else names[1])

    # ---- gestures --------------------------------------------------------------------------------------------------

    def _on_leaving(self) -> None:
        """The hand leaves the run: keep what it would have done."""
        picture = self.hand.picture
        if picture is not None and self._run is not None:
            self._left = origin_of(self._run)
            self.bound.keep(picture.iteration)

    def _on_pencil(self, checked: bool) -> None:
        self.stage.brush.enabled = checked

    def _on_found(self, index: int) -> None:
        """The mouse is over a point, or over none (-1)."""
        picture = self.hand.picture
        found = picture is not None and 0 <= index < len(picture.responsibilities)
        self.weights.point_out(picture.responsibilities[index] if found and picture is not None else None)
        if found != self._present.get("point"):
            self._present["point"] = found
            self._name_items()


def is_watched(frame: Frame[Parameters, Picture]) -> bool:
    """Whether a fall of the curve is worth a mark: it broke the theorem, or there is none for this algorithm.

    The curve also falls where a hand has added points or taken the covariance of another kind; nothing is wrong with that.
    """
    values: Parameters = frame.parameters
    broken = any(claim.name == "monotone" and claim.holds is False for claim in frame.claims)
    return broken or values.algorithm == "hard"


def origin_of(values: Parameters) -> tuple[Any, ...]:
    """What the points are made from: a hand on a component changes nothing of it."""
    return (values.data, values.seed, values.points, values.clusters, values.dimension, values.separation, len(values.drawn))


def last_of(values: np.ndarray) -> float:
    """The last of some numbers, nan of none."""
    return float(values[-1]) if len(values) else math.nan
