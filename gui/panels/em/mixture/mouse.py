"""What the mouse does over the large picture of `mixture` beside handles and brush."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, Signal
from PySide6.QtGui import QMouseEvent

from gui.core.look.theme import px
from gui.core.plots.mouse import MouseTool
from gui.panels.em.mixture.stage import StageCard

NEAR = 9  # pixels


class Finder(MouseTool):
    """Tells which point the mouse is over.

    Attributes
    ----------
    found : Signal(int)
        The number of the point, -1 for none; only when it has changed.
    """

    found = Signal(int)

    def __init__(self, card: StageCard) -> None:
        super().__init__(card)
        self.points = card.points
        self.last = -1

    def moved(self, event: QMouseEvent) -> bool:
        self._tell(-1 if event.buttons() else self.nearest(event.position()))
        return False

    def left(self) -> None:
        self._tell(-1)

    def nearest(self, at: QPointF) -> int:
        """The point within reach of a place of the viewport, -1 for none."""
        if not len(self.points.x) or not self.inside(at):
            return -1
        scene = self.view.mapToScene(at.toPoint())
        x, y = self.points.across(self.points.x), self.points.down(self.points.y)
        away = np.nan_to_num(np.hypot(x - scene.x(), y - scene.y()), nan=np.inf)
        best = int(away.argmin())
        return best if away[best] <= px(NEAR) else -1

    def _tell(self, index: int) -> None:
        if index != self.last:
            self.last = index
            self.found.emit(index)
