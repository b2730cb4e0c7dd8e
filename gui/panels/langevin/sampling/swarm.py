"""The large pictures of `sampling`: a swarm on its landscape, and the density it should have."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtWidgets import QCheckBox

from gui.core.look.theme import Role
from gui.core.plots import Arrows, Brush, Contours, DensityImage, Label, PlotCard, Swarm, Trails

if TYPE_CHECKING:
    from engine.labs.langevin.sampling.landscape import Landscape

GHOST: Role = 3  # the second swarm, in all pictures
RISES = np.array([0.5, 1.5, 3.0, 5.0, 7.5, 10.5, 14.0, 18.0])  # of U/T above its lowest point at the level lines
STRETCHED = 1.7  # times wider than high: equal scales would leave most of a card empty
HUES: tuple[Role, ...] = ("data", 2, 3, 1, 4, 5, 0, "text")  # of the replicas, the coldest first
MOST_GHOSTS = 300  # of a second swarm in the picture of the first
PITS = 1000  # strokes that a painting keeps
DEEPER = 0.5  # energy that a resting brush digs in a turn
TURN = 60  # ms


class SwarmCard(PlotCard):
    """Particles over the level lines of their energy, as points or as a density."""

    def __init__(self, role: Role = "data") -> None:
        super().__init__()
        self.set_axes_visible(grid=False)
        self.place: Landscape | None = None
        self.shade, self.image = DensityImage(), DensityImage(fade=True)
        for image, depth in ((self.shade, -120), (self.image, -100)):
            image.setZValue(depth)
            self.plot.addItem(image)
            self.items.append(image)
        self.shade.setOpacity(0.5)
        self.lines = self.add(Contours("muted", alpha=(0.85, 0.25), width=1.1))
        self.ghosts = self.add(Swarm(GHOST, alpha=0.6))
        self.dots = self.add(Swarm(role))
        self.replicas = self.add(Swarm("data", roles=HUES, size=5))
        self.ghost_paths = self.add(Trails(GHOST, width=1.6))
        self.paths = self.add(Trails("text", width=1.6))
        self.taken = self.add(Arrows("holds", width=1.5))
        self.refused = self.add(Arrows("fails", width=1.2, alpha=0.8))
        self.words = self.add(Label(role="text", anchor=(0.5, 0.5), size=13))

    def set_place(self, place: Landscape, background: str) -> None:
        """Show a landscape: window, level lines or colours."""
        rect = rect_of(place)
        kept = place.values if background == "contours" else None
        warm = max(place.temperature, 0.25)
        self.lines.setData(kept, rect, tuple(RISES * warm))
        self.shade.set_present(background == "shaded")
        if background == "shaded" and (place is not self.place or self.shade.image is None):
            top = float(RISES[-1] * warm)
            self.shade.setData(top - np.minimum(place.values, top), rect, (0.0, 1.3 * top))
        if place is not self.place:
            self.place = place
            self.set_window(place)

    def set_window(self, place: Landscape) -> None:
        """The range of the axes, of equal scale where that leaves no half of the card empty."""
        width, height = place.size
        self.set_aspect(1 / STRETCHED < width / height < STRETCHED)
        self.set_range(x=place.window[:2], y=place.window[2:])

    def set_density(self, density: np.ndarray, place: Landscape) -> None:
        """Show a density, in the colours of the exact one; without cells none."""
        shown = density.size > 0
        self.image.set_present(shown)
        if shown:
            self.image.setData(density, rect_of(place), (0.0, top_of(place)))

    def set_dots(self, points: np.ndarray, faint: bool = False) -> None:
        """Show particles, shape (2, n)."""
        self.dots.setData(points[0], points[1], faint=faint)

    def set_ghosts(self, points: np.ndarray, trails: np.ndarray) -> None:
        """Show a second swarm where it walks on the same noise: a few particles and their paths."""
        shown = points if points.shape[1] <= MOST_GHOSTS else points[:, :0]
        self.ghosts.setData(shown[0], shown[1])
        self.ghost_paths.setData(trails[0], trails[1])

    def set_proposals(self, moves: np.ndarray) -> None:
        """Arrows to what was proposed: accepted or not, shape (5, n)."""
        x, y, to_x, to_y, accepted = moves
        for arrows, chosen in ((self.taken, accepted > 0.5), (self.refused, accepted <= 0.5)):
            arrows.setData(x[chosen], y[chosen], (to_x - x)[chosen], (to_y - y)[chosen])

    def set_replicas(self, places: np.ndarray) -> None:
        """The first particle at all temperatures, shape (2, K), the coldest first."""
        self.replicas.setData(places[0], places[1], np.arange(places.shape[1]), emphasised=np.arange(places.shape[1]))


def rect_of(place: Landscape) -> tuple[float, float, float, float]:
    """Left, bottom, width and height of the window."""
    return (place.window[0], place.window[2], *place.size)


def top_of(place: Landscape) -> float:
    """The density of the last colour."""
    return float(place.image.max()) or 1.0


class Digger(QObject):
    """Painting an energy: the left button digs pits, the right one (or Shift) raises hills, deeper while it rests.

    Attributes
    ----------
    painted : Signal(list)
        The rows x, y, height, radius, after every change.
    """

    painted = Signal(list)

    def __init__(self, card: PlotCard) -> None:
        super().__init__(card)
        self.rows: list[tuple[float, float, float, float]] = []
        self.brush = Brush(card, radius=0.5, limits=(0.2, 2.0))
        self.brush.enabled = False
        self.brush.stroke_began.connect(self._begin)
        self.brush.stroke_moved.connect(self._move)
        self.brush.stroke_ended.connect(self._end)
        self._sign = -1.0
        self._turn = QTimer(self, interval=TURN)
        self._turn.timeout.connect(self._deepen)

    def set_rows(self, rows: tuple[tuple[float, ...], ...], wanted: bool) -> None:
        """The rows now in force, unless a hand is painting, and whether there is something to paint on."""
        if self.brush.enabled != wanted:
            self.brush.enabled = wanted
        if not self.brush.painting:
            self.rows = [(row[0], row[1], row[2], row[3]) for row in rows]

    def _begin(self, x: float, y: float, button: Qt.MouseButton) -> None:
        self._sign = 1.0 if button == Qt.MouseButton.RightButton else -1.0
        self._add(x, y)
        self._turn.start()

    def _move(self, x: float, y: float) -> None:
        if self.rows and np.hypot(x - self.rows[-1][0], y - self.rows[-1][1]) > 0.6 * self.brush.radius:
            self._add(x, y)

    def _end(self) -> None:
        self._turn.stop()

    def _add(self, x: float, y: float) -> None:
        row = (round(x, 3), round(y, 3), self._sign, round(self.brush.radius, 3))
        self.rows = [*self.rows[-PITS + 1 :], row]
        self.painted.emit(list(self.rows))

    def _deepen(self) -> None:
        x, y, height, radius = self.rows[-1]
        deeper = round(min(12.0, max(-12.0, height + self._sign * DEEPER)), 3)
        if deeper != height:
            self.rows[-1] = (x, y, deeper, radius)
            self.painted.emit(list(self.rows))


def header_switch(card: PlotCard) -> QCheckBox:
    """A switch beside the title of a card."""
    switch = QCheckBox(card)
    switch.setCursor(Qt.CursorShape.PointingHandCursor)
    switch.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    card.header.insertWidget(1, switch)
    return switch
