"""The pictures of `pits`: the landscape from above and from the side, and who runs past a pit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, Qt, QTimer, Signal
from PySide6.QtGui import QMouseEvent, QPainter
from PySide6.QtWidgets import QApplication

from gui.core.numbers import nice_above
from gui.core.plots import Area, Contours, Curve, HeatMap, Label, Marker, PlotCard, Points, Trails
from gui.core.plots.mouse import MouseTool

if TYPE_CHECKING:
    from engine.labs.langevin.pits import Picture

REACH = 3.0  # half the side of the square
RADIUS = 2.0  # of the circle of the data
BESIDE = 0.4  # how far from it a point may be to be seen clearly from the side
BRIGHTEST = 0.43  # of the colours: brighter ones would drown the points
NAMED = 2.72  # radius at which the modes have their numbers
MOST_MODES = 12
LEVELS = 9  # lines of equal energy between the deepest pit and as high a hill
FAINTEST = 0.35  # energy at which colours tell apart most, while the ground is still flat
MOST = 0.75  # share of all points that the side view has room for
STRATA = (0.0, 0.07, 0.16)  # depths of the layers of the earth, in heights of the picture
CIRCLE = np.linspace(0, 2 * np.pi, 49)
RATES = np.geomspace(3e-3, 1.0, 120)
THROWN = np.geomspace(2.0, 100.0, 80)
PATIENCE = 200  # ms: a second click makes a double click
STILL = 5  # pixels that a hand trembles


class AboveCard(PlotCard):
    """Colours and level lines of the energy, data, and points with their trails."""

    def __init__(self) -> None:
        super().__init__()
        self.set_axes_visible(x=False, y=False, grid=False)
        self.set_aspect(True)
        self.set_range(x=(-REACH, REACH), y=(-REACH, REACH))
        self.view.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        self.image = self.add(HeatMap())
        self.lines = self.add(Contours("muted", alpha=0.5, width=1.0))
        self.modes = self.add(Curve("text", dash="dot", width=1.1, alpha=0.6))
        self.data = self.add(Points(2, size=5, symbol="t", alpha=0.9))
        self.paths = self.add(Trails("data", width=1.5, alpha=0.8))
        self.balls = self.add(Points("data", size=7, halo=True))
        self.names = [self.add(Label(role="text", anchor=(0.5, 0.5))) for _ in range(MOST_MODES)]
        self.dropper = Dropper(self)
        self.limit = FAINTEST
        self.spacing = 0.1

    def show_field(self, picture: Picture) -> None:
        """The landscape; colours tell pits and ridges near the circle apart and fade into one on the hills beyond."""
        highest = float(np.abs(picture.ground).max())
        if highest > self.limit or highest < 0.4 * self.limit:
            self.limit = max(1.4 * highest, FAINTEST)
        rect = (-REACH, -REACH, 2 * REACH, 2 * REACH)
        self.image.setData(np.tanh(picture.landscape / self.limit), rect, 1 / BRIGHTEST)
        self.spacing = level_spacing(2 * self.limit)
        low = max(float(picture.landscape.min()), -3 * self.limit)
        high = min(float(picture.landscape.max()), 3 * self.limit)
        levels = np.arange(np.ceil(low / self.spacing), np.floor(high / self.spacing) + 1) * self.spacing
        self.lines.setData(picture.landscape, rect, tuple(levels.tolist()))

    def show_points(self, picture: Picture) -> None:
        """Who is where."""
        self.data.setData(*picture.data)
        self.paths.setData(*picture.trails)
        self.balls.setData(*picture.points)

    def show_modes(self, picture: Picture) -> None:
        """A dotted circle around each mode, and its number."""
        x = picture.centres[0][:, None] + picture.catch * np.append(np.cos(CIRCLE), np.nan)
        y = picture.centres[1][:, None] + picture.catch * np.append(np.sin(CIRCLE), np.nan)
        self.modes.setData(x.reshape(-1), y.reshape(-1))
        out = picture.centres * (NAMED / RADIUS)
        count = out.shape[1]
        for number, label in enumerate(self.names):
            label.set_present(number < count)
            if number < count:
                label.setData(out[0, number], out[1, number], str(number + 1))


def level_spacing(span: float) -> float:
    """A round distance of level lines, so that lines stay where they are while the ground moves."""
    return nice_above(span / LEVELS)


class SideCard(PlotCard):
    """The ground along the circle of the data, unrolled, and the points as balls that roll on it."""

    def __init__(self) -> None:
        super().__init__()
        self.axes["x"].setTicks([[(angle, f"{angle}°") for angle in range(0, 361, 90)]])
        self.earth = [self.add(Area("muted", alpha=0.14)) for _ in STRATA]
        self.ground = self.add(Curve("text", width=2.2, alpha=0.85))
        self.zero = self.add(Marker("muted", vertical=False, dash="dot"))
        self.deep = self.add(Marker("theory", vertical=False, dash="dash", at=0.99))
        self.high = self.add(Marker("theory", vertical=False, dash="dash", at=0.99))
        self.paths = self.add(Trails("data", width=1.6, alpha=0.75))
        self.data = self.add(Curve(2, dash=None, width=1.4, alpha=0.8))
        self.balls = self.add(Points("data", size=10, halo=True))
        self.far = self.add(Points("muted", size=5, alpha=0.55))
        self.far.setZValue(4)
        self.names = [self.add(Label(role="muted", anchor=(0.5, 0.5))) for _ in range(MOST_MODES)]
        self.words = self.add(Label(role="text", anchor=(0.5, 0.5), size=13))
        self.set_range(x=(0.0, 360.0))
        self.limits = (-0.3, 0.3)

    def show_ground(self, picture: Picture) -> None:
        """Earth up to the lowest energy in each direction."""
        ground = picture.ground
        near = picture.energies[near_the_circle(picture.points)]
        most = float(np.quantile(picture.energies, MOST))
        low, high = float(min(ground.min(), -0.25)), max(float(ground.max()), float(near.max(initial=0.25)), most)
        span = high - low
        self.set_range(y=(low - 0.2 * span, high + 0.08 * span), steady=True)
        floor = self._ranges["y"][0]  # type: ignore[index]
        top = self._ranges["y"][1]  # type: ignore[index]
        self.limits = (floor, top)
        for layer, depth in zip(self.earth, STRATA, strict=True):
            layer.setData(picture.directions, floor, np.maximum(ground - depth * (top - floor), floor))
        self.ground.setData(picture.directions, ground)
        self.zero.setData(0.0)

    def show_points(self, picture: Picture) -> None:
        """Balls near the circle, small dots for those that are elsewhere."""
        x = directions_of(picture.points)
        near = near_the_circle(picture.points)
        self.balls.setData(x[near], picture.energies[near])
        self.far.setData(x[~near], picture.energies[~near])
        way = directions_of(picture.trails)
        jumps = np.abs(np.diff(way, axis=1, append=way[:, -1:])) > 180  # across the seam
        unseen = jumps | ~near_the_circle(picture.trails)
        self.paths.setData(way, np.where(unseen, np.nan, picture.trail_energies))

    def show_data(self, picture: Picture) -> None:
        """A stroke at the bottom for every direction in which data lie, and the numbers of the modes."""
        floor, top = self.limits
        height = 0.035 * (top - floor)
        x = np.repeat(directions_of(picture.data), 3)
        y = np.tile([floor, floor + height, np.nan], picture.data.shape[1])
        self.data.setData(x, y)
        places = directions_of(picture.centres)
        for number, label in enumerate(self.names):
            label.set_present(number < len(places))
            if number < len(places):
                label.setData(places[number], floor + 2.2 * height, str(number + 1))


def directions_of(places: np.ndarray) -> np.ndarray:
    """Angles of places (2, ...) around the centre, 0 to 360 degrees."""
    return np.asarray(np.rad2deg(np.arctan2(places[1], places[0])) % 360)


def near_the_circle(places: np.ndarray) -> np.ndarray:
    """Whether places (2, ...) are so near to the circle of the data that the side view shows their ground."""
    return np.asarray(np.abs(np.hypot(places[0], places[1]) - RADIUS) <= BESIDE)


class MomentumCard(PlotCard):
    """Which momentum lets a point creep into a pit of a stiffness, run past it, or be thrown out."""

    def __init__(self) -> None:
        super().__init__()
        self.set_log(x=True)
        self.creeping = self.add(Area("holds", alpha=0.16))
        self.thrown = self.add(Area("fails", alpha=0.2))
        self.critical = self.add(Curve("theory"))
        self.limit = self.add(Curve("theory", dash="dash"))
        self.pits = self.add(Points("data", size=9, halo=True, alpha=0.95))
        self.steepest = self.add(Points("data", size=13, symbol="d", halo=True))
        self.words = [self.add(Label(role="text", anchor=anchor)) for anchor in ((0.5, 0.5), (0.5, 0.5), (1.0, 0.5))]
        self.set_range(x=(RATES[0], THROWN[-1]), y=(-0.05, 1.02))
        least = (1 - np.sqrt(RATES)) ** 2
        self.creeping.setData(RATES, 0.0, least)
        self.critical.setData(RATES, least)
        momentum = np.minimum(THROWN / 2 - 1, 1.0)
        self.thrown.setData(THROWN, 0.0, momentum)
        self.limit.setData(THROWN[momentum < 1], momentum[momentum < 1])

    def show_pits(self, stiffness: np.ndarray, momentum: float) -> None:
        """A dot for each pit."""
        known = np.clip(stiffness[np.isfinite(stiffness)], RATES[0], THROWN[-1])
        self.pits.setData(known, np.full(len(known), momentum))
        steepest = known[known == known.max(initial=0.0)][:1]
        self.steepest.setData(steepest, np.full(len(steepest), momentum))


class Dropper(MouseTool):
    """A click says where all points should be; dragging and double clicks stay with the plot.

    Attributes
    ----------
    dropped : Signal(float, float)
        Where, in data coordinates.
    """

    dropped = Signal(float, float)

    def __init__(self, card: PlotCard) -> None:
        super().__init__(card)
        self._pressed: QPointF | None = None
        self._place = (0.0, 0.0)
        self._turn = QTimer(self, interval=min(PATIENCE, QApplication.doubleClickInterval()), singleShot=True)
        self._turn.timeout.connect(lambda: self.dropped.emit(*self._place))

    def pressed(self, event: QMouseEvent) -> bool:
        self._turn.stop()
        once = event.type() == QMouseEvent.Type.MouseButtonPress and event.button() == Qt.MouseButton.LeftButton
        plain = not event.modifiers() & Qt.KeyboardModifier.AltModifier
        self._pressed = event.position() if once and plain and self.inside(event.position()) else None
        return False

    def released(self, event: QMouseEvent) -> bool:
        if self._pressed is not None and (event.position() - self._pressed).manhattanLength() <= STILL:
            self._place = self.to_data(event.position())
            self._turn.start()
        self._pressed = None
        return False
