"""Draws how often each face came, and the mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gui.panels.walk.die.cards import FacesCard

from engine.api import Frame
from gui.core.lab.panel import Panel

if TYPE_CHECKING:
    from engine.labs.walk.die import Parameters, Picture


class ExperimentPanel(Panel["Parameters", "Picture"]):
    """One card."""

    def build(self) -> None:
        self.faces = FacesCard()
        self.arrange([self.faces])

    def retranslate(self) -> None:
        self.faces.set_title(self.text("How often each face came"))

    def draw(self, frame: Frame[Parameters, Picture], parameters: Parameters) -> None:
        self.faces.show_counts(frame.picture.counts, frame.measures["mean"])
