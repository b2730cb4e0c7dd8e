"""Draws a swarm on its landscape, the exact density beside it, and how near the two have come."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QToolButton, QWidget

from engine.api import Frame
from gui.core.lab.two_rows import TwoRows
from gui.core.look.theme import px
from gui.core.plots.mouse import Dropper
from gui.panels.langevin.sampling.side import BiasCard, LadderCard, MarginalCard, WayCard, side_by_side
from gui.panels.langevin.sampling.swarm import GHOST, Digger, SwarmCard, header_switch, rect_of, top_of

if TYPE_CHECKING:
    from engine.labs.langevin.sampling.landscape import Landscape
    from engine.labs.langevin.sampling.parameters import Parameters
    from engine.labs.langevin.sampling.picture import Picture

NAMES = {
    "ula": "ULA",
    "mala": "MALA",
    "underdamped": "underdamped",
    "hmc": "HMC",
    "nuts": "NUTS",
    "annealed": "annealed",
    "tempering": "tempering",
}
CLOCKS = {"steps": "step", "gradients": "gradients per particle", "seconds": "seconds of computation"}
REST = 110  # ms between two pictures of the second row
ROOMY = 300  # width of a picture that has room for the name of the switch
ADJUSTED = ("mala", "hmc", "nuts", "tempering")


class ExperimentPanel(TwoRows["Parameters", "Picture"]):
    """The swarm, perhaps a second one, and the target above; marginals, distance and bias (or the ladder) below."""

    def build(self) -> None:
        self._paired = self._laddered = False
        self._second = self._ghostly = self._arrowed = self._lawful = False
        self.first = SwarmCard()
        self.other = SwarmCard(GHOST)
        self.target = SwarmCard("theory")
        self.bar = self.target.add_colour_bar(self.target.image)
        self.metropolis = header_switch(self.first)
        self.metropolis.clicked.connect(self._on_metropolis)
        self._build_clear()
        self.digger = Digger(self.first)
        self.digger.painted.connect(self._on_painted)
        self.droppers = [Dropper(card) for card in (self.first, self.other, self.target)]
        for dropper in self.droppers:
            dropper.dropped.connect(self._on_dropped)
        self.across, self.upright = MarginalCard(), MarginalCard()
        self.way, self.bias, self.ladder = WayCard(), BiasCard(), LadderCard()
        self._shown_target: tuple[object, ...] = ()
        self._newest: tuple[Frame, Parameters] | None = None
        self._rest = QTimer(self, interval=REST, singleShot=True)
        self._rest.timeout.connect(self._draw_small)
        self.arrange([self.first, self.other, self.target], [self.across, self.upright, self.way, self.bias, self.ladder])
        self.fit()

    def _build_clear(self) -> None:
        self.clear = QToolButton(self.first)
        self.clear.setProperty("role", "ghost")
        self.clear.setProperty("compact", True)
        self.clear.clicked.connect(lambda: self.tweak_requested.emit({"painted": []}))
        self.first.header.insertWidget(2, self.clear)
        self.clear.hide()

    # ---- which cards there are -------------------------------------------------------------------------------------

    def wanted(self, card: QWidget) -> bool:
        """The ladder in place of the bias while there are replicas."""
        return not (card is self.ladder and not self._laddered) and not (card is self.bias and self._laddered)

    def fit(self) -> None:
        super().fit()
        if not self.alone:
            self.other.setVisible(self._paired)
        self._fit_switch()

    def _fit_switch(self) -> None:
        """The switch without its name where there is no room for one; the tip names it still."""
        roomy = self.alone or self.width() >= px(ROOMY) * (3 if self._paired else 2)
        self.metropolis.setText(self.text("Metropolis") if roomy else "")

    # ---- texts -----------------------------------------------------------------------------------------------------

    def retranslate(self) -> None:
        self._fit_switch()
        self.metropolis.setToolTip(self.text("Metropolis: accept or reject every step, and the bias vanishes."))
        self.clear.setText(self.text("Clear"))
        self._shown_target = ()
        self.across.set_title(self.text("Marginal of x"))
        self.upright.set_title(self.text("Marginal of y"))
        self.way.set_title(self.text("Distance to the target"))
        self.bias.set_title(self.text("Variance against step size"))
        self.ladder.set_title(self.text("Ladder of replicas"))
        for card in (self.first, self.other, self.target):
            card.set_labels(x="x", y="y")
        self.across.set_labels(x="x", y=self.text("density"))
        self.upright.set_labels(x="y", y=self.text("density"))
        self.way.set_labels(y=self.text("relative entropy (nats)"))
        self.bias.set_labels(x=self.text("step size ε"), y=self.text("variance of x"))
        self.ladder.set_labels(x=self.text("steps ago"))
        for marginal in (self.across, self.upright):
            marginal.bars.label = self.text("swarm")
            marginal.law.label = self.text("exact")
            marginal.flow.label = self.text("Fokker-Planck")
        self.bias.here.label = self.text("this ensemble")
        self._name_items()

    def _name_items(self) -> None:
        """Name in the legends what there is: a second swarm, arrows, a law."""
        name = self.text("second swarm") if self._second else None
        for item in (self.across.other, self.upright.other, self.way.second, self.bias.other):
            item.label = name
        self.first.taken.label = self.text("accepted") if self._arrowed else None
        self.first.refused.label = self.text("rejected") if self._arrowed else None
        self.bias.law.label = self.text("ULA by law") if self._lawful else None
        self.way.first.label = self.text("first swarm") if self._second else None
        self.first.ghost_paths.label = self.text("the same noise, another step") if self._ghostly else None

    # ---- drawing ---------------------------------------------------------------------------------------------------

    def draw(self, frame: Frame[Parameters, Picture], parameters: Parameters) -> None:
        picture: Picture = frame.picture
        self._arrange_for(picture, parameters)
        self._draw_first(frame, parameters)
        if self._paired:
            self._draw_other(frame, parameters)
        self._draw_target(picture, parameters)
        self._newest = (frame, parameters)
        if not self._rest.isActive():
            self._draw_small()
            self._rest.start()

    def _draw_small(self) -> None:
        """The second row, fewer times a second: its painting would cost the swarm its smooth run."""
        if self._newest is None:
            return
        (frame, parameters), self._newest = self._newest, None
        self.draw_later("marginals", partial(self._draw_marginals, frame))
        self.draw_later("way", partial(self.way.feed, frame, parameters.clock, self.text))
        if self._laddered:
            share = frame.measures["swap_acceptance"]
            self.draw_later("ladder", partial(self.ladder.feed, frame.picture, share, self.text))
        else:
            self.draw_later("bias", partial(self.bias.feed, frame, self.text))

    def _arrange_for(self, picture: Picture, parameters: Parameters) -> None:
        """Cards, legends and tools that depend on what is compared."""
        paired, laddered = side_by_side(picture.rules), len(picture.rung_temperatures) > 0
        second, arrowed = len(picture.rules) > 1, parameters.proposals and picture.proposals.shape[1] > 0
        if (paired, laddered) != (self._paired, self._laddered):
            self._paired, self._laddered = paired, laddered
            self.fit()
        lawful = picture.landscape.quadratic
        compared = (second, second and not paired, arrowed, lawful)
        if compared != (self._second, self._ghostly, self._arrowed, self._lawful):
            self._second, self._ghostly, self._arrowed, self._lawful = compared
            self._name_items()
        self.metropolis.setChecked(parameters.sampler in ADJUSTED)
        self.digger.set_rows(parameters.painted, parameters.energy == "painted")
        self.clear.setVisible(parameters.energy == "painted")
        self.way.set_labels(x=self.text(CLOCKS[parameters.clock]))

    def _draw_first(self, frame: Frame[Parameters, Picture], parameters: Parameters) -> None:
        picture: Picture = frame.picture
        card, rule = self.first, picture.rules[0]
        card.set_place(picture.landscape, parameters.background)
        card.set_density(picture.density, picture.landscape)
        some = min(parameters.trails, picture.trails.shape[1])
        card.set_dots(picture.points if not picture.density.size else picture.points[:, :0])
        card.paths.setData(*picture.trails[:, :some])
        ghostly = self._ghostly
        trails = picture.second_trails[:, :some] if ghostly else picture.second_trails[:, :0]
        card.set_ghosts(picture.second_points if ghostly else picture.second_points[:, :0], trails)
        card.set_proposals(picture.proposals if parameters.proposals else picture.proposals[:, :0])
        card.set_replicas(picture.replicas if picture.rules[0].sampler == "tempering" else picture.replicas[:, :0])
        card.set_title(self.text("Swarm: {sampler}", sampler=self.text(NAMES[rule.sampler])))
        card.set_caption(self._caption(frame))
        card.words.setData(*middle_of(picture.landscape), "")

    def _draw_other(self, frame: Frame[Parameters, Picture], parameters: Parameters) -> None:
        picture: Picture = frame.picture
        card, rule = self.other, picture.rules[1]
        card.set_place(picture.landscape, parameters.background)
        card.set_density(picture.second_density, picture.landscape)
        card.set_dots(picture.second_points if not picture.second_density.size else picture.second_points[:, :0])
        some = min(parameters.trails, picture.second_trails.shape[1])
        card.paths.setData(*picture.second_trails[:, :some])
        card.set_replicas(picture.replicas if rule.sampler == "tempering" else picture.replicas[:, :0])
        card.set_title(self.text("Second swarm: {sampler}", sampler=self.text(NAMES[rule.sampler])))
        card.set_caption(self.text("ε = {epsilon:g}", epsilon=rule.step_size))

    def _draw_target(self, picture: Picture, parameters: Parameters) -> None:
        """The exact density, only when it is another one; or the one that flows there."""
        place = picture.landscape
        if picture.flow.size:
            self._draw_flow(picture, parameters)
            return
        wanted = (place, parameters.background)
        if wanted == self._shown_target:
            return
        self._shown_target = wanted
        self.target.set_title(self.text("Target density"))
        self.target.set_place(place, "contours" if parameters.background == "contours" else "none")
        self.target.image.set_present(True)
        self.target.image.setData(place.image, rect_of(place), (0.0, top_of(place)))
        cold = place.density is None
        self.target.words.setData(*middle_of(place), self.text("At T = 0 there is no density") if cold else "")
        log_partition = round(place.density.log_partition, 2) + 0.0 if place.density is not None else math.nan
        self.target.set_caption("" if cold else self.text("exp(-U/T)/Z · ln Z = {value:.2f}", value=log_partition))

    def _draw_flow(self, picture: Picture, parameters: Parameters) -> None:
        """The density by the Fokker-Planck equation, in the colours of the exact one."""
        place = picture.landscape
        self._shown_target = ()
        self.target.set_title(self.text("Fokker-Planck density"))
        self.target.set_place(place, "contours" if parameters.background == "contours" else "none")
        self.target.set_density(picture.flow, place)
        self.target.words.setData(*middle_of(place), "")
        self.target.set_caption(self.text("∂p/∂t = ½∇·(p∇U + T∇p) · t = {time:.3g}", time=picture.flow_time))

    def _draw_marginals(self, frame: Frame[Parameters, Picture]) -> None:
        picture: Picture = frame.picture
        window, measures = picture.landscape.window, frame.measures
        first, other, exact = picture.marginal_x, picture.second_marginal_x, picture.exact_marginal_x
        self.across.feed(first, other, exact, picture.flow_marginal_x, window[:2])
        first, other, exact = picture.marginal_y, picture.second_marginal_y, picture.exact_marginal_y
        self.upright.feed(first, other, exact, picture.flow_marginal_y, window[2:])
        for card, axis in ((self.across, "x"), (self.upright, "y")):
            card.set_caption(f"σ² = {measures[f'var_{axis}']:.2g}")

    def _caption(self, frame: Frame[Parameters, Picture]) -> str:
        values: dict[str, Any] = frame.parameters.model_dump()
        measures = frame.measures
        facts = {"n": values["particles"], "epsilon": values["step_size"], "share": f"{measures['step_share']:.0%}"}
        if values["noise_scale"] != 1.0 and values["noise"]:
            return self.text("thermometer: T = {read:.3g} · N = {n:,d}", n=facts["n"], read=measures["temperature_read"])
        if values["sampler"] == "annealed" and measures["present_temperature"] != values["temperature"]:
            return self.text("cooling: T = {now:.3g} · N = {n:,d}", n=facts["n"], now=measures["present_temperature"])
        accepted = measures["acceptance"]
        if values["sampler"] in ADJUSTED and math.isfinite(accepted):
            return self.text("{taken} accepted · N = {n:,d} · ε = {epsilon:g}", taken=f"{accepted:.0%}", **facts)
        return self.text("{share} of the limit · N = {n:,d} · ε = {epsilon:g}", **facts)

    # ---- gestures --------------------------------------------------------------------------------------------------

    def _on_metropolis(self, checked: bool) -> None:
        self.tweak_requested.emit({"sampler": "mala" if checked else "ula"})

    def _on_dropped(self, x: float, y: float) -> None:
        place = {"start_x": round(float(np.clip(x, -100, 100)), 3), "start_y": round(float(np.clip(y, -100, 100)), 3)}
        self.tweak_requested.emit({"start": "point", **place})

    def _on_painted(self, rows: list[tuple[float, float, float, float]]) -> None:
        self.tweak_requested.emit({"painted": rows})


def middle_of(place: Landscape) -> tuple[float, float]:
    """The middle of the window."""
    return 0.5 * (place.window[0] + place.window[1]), 0.5 * (place.window[2] + place.window[3])
