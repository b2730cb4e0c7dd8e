"""Draws a model that learns: its energy with data and chains, its density, its curves; or digits that grow out of noise."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QToolButton, QWidget

from engine.api import Frame
from gui.core.lab.two_rows import TwoRows
from gui.panels.langevin.energy_model.cards import (
    BLANK,
    AgesCard,
    BufferCard,
    ClassCard,
    DensityCard,
    EnergiesCard,
    GrowingCard,
    Hand,
    LikelihoodCard,
    MapCard,
)

if TYPE_CHECKING:
    from engine.labs.langevin.energy_model import Parameters, Picture


class ExperimentPanel(TwoRows["Parameters", "Picture"]):
    """Map and density above, or two galleries; below energies, likelihood (or energies by class) and ages."""

    def build(self) -> None:
        self._images = False
        self.map, self.density = MapCard(), DensityCard()
        self.growing, self.buffer = GrowingCard(), BufferCard()
        self.energies, self.likelihood, self.classes, self.ages = EnergiesCard(), LikelihoodCard(), ClassCard(), AgesCard()
        self.hand = Hand(self.map)
        self.hand.drawn.connect(lambda points: self.tweak_requested.emit({"drawn": points}))
        self._build_buttons()
        self.arrange(
            [self.map, self.density, self.growing, self.buffer], [self.energies, self.likelihood, self.classes, self.ages]
        )
        self.fit()

    def _build_buttons(self) -> None:
        self.draw_button, self.clear_button = QToolButton(self.map), QToolButton(self.map)
        for button in (self.draw_button, self.clear_button):
            button.setProperty("role", "ghost")
            button.setProperty("compact", True)
            button.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
            self.map.header.insertWidget(2, button)
        self.draw_button.clicked.connect(lambda: self.tweak_requested.emit({"data": "drawn"}))
        self.clear_button.clicked.connect(lambda: self.tweak_requested.emit({"drawn": [list(BLANK)]}))
        self.clear_button.hide()

    # ---- which cards there are -------------------------------------------------------------------------------------

    def wanted(self, card: QWidget) -> bool:
        """Likelihoods belong to the plane, classes to images."""
        return card not in ((self.likelihood,) if self._images else (self.classes,))

    def fit(self) -> None:
        super().fit()
        if not self.alone:
            galleries: tuple[QWidget, ...] = (self.growing, self.buffer)
            for card in (self.map, self.density, *galleries):
                card.setVisible((card in galleries) == self._images)

    # ---- texts -----------------------------------------------------------------------------------------------------

    def retranslate(self) -> None:
        self.draw_button.setText(self.text("Draw data"))
        self.draw_button.setToolTip(self.text("Paint the data with the mouse."))
        self.clear_button.setText(self.text("Clear"))
        self.clear_button.setToolTip(self.text("Take all points away; the next stroke begins anew."))
        for card in self.cards:
            card.retranslate(self.text)  # type: ignore[attr-defined]

    # ---- drawing ---------------------------------------------------------------------------------------------------

    def draw(self, frame: Frame[Parameters, Picture], parameters: Parameters) -> None:
        picture: Picture = frame.picture
        if picture.images != self._images:
            self._images = picture.images
            self.toggle_alone(None)
        hand = parameters.data == "drawn" and not picture.images
        self.hand.set_points(parameters.drawn, hand)
        self.draw_button.setVisible(not hand)
        self.clear_button.setVisible(hand)
        if picture.images:
            self.growing.show_picture(picture, self.text)
            self.draw_later("buffer", partial(self.buffer.show_picture, picture, frame, self.text))
            self.draw_later("classes", partial(self.classes.show_picture, picture))
        else:
            self._caption_map(frame)
            self.map.show_picture(picture)
            self.draw_later("density", partial(self.density.show_picture, picture, frame, self.text))
            self.draw_later("likelihood", partial(self.likelihood.show_picture, picture, frame, self.text))
        self.draw_later("energies", partial(self.energies.show_picture, picture, frame, self.text))
        self.draw_later("ages", partial(self.ages.show_picture, picture, frame, self.text))

    def _caption_map(self, frame: Frame[Parameters, Picture]) -> None:
        values = frame.parameters.model_dump()
        facts = {"update": frame.picture.update, "steps": values["steps_per_update"], "epsilon": values["step_size"]}
        self.map.set_caption(self.text("update {update:,d} · K = {steps} · ε = {epsilon:g}", **facts))
