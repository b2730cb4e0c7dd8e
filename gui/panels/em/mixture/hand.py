"""What a hand does to a mixture: it pulls means and ellipses, adds and erases points; each gesture becomes parameters."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QObject, Qt, QTimer, Signal

from gui.core.plots.raster.paint import Floats
from gui.panels.em.mixture.stage import StageCard, axes_of

if TYPE_CHECKING:
    from engine.labs.em.mixture import Picture

MOST_COMPONENTS = 12
MOST_POINTS = 4000  # drawn by hand
MOST_TAKEN = 2000  # points of other data that become drawn ones when the hand erases among them
LEAST = 2e-3  # of the window: no ellipse is made smaller by hand
LIGHTEST = 0.01  # no component is made lighter by hand
TURN = 60  # ms between two changes of the data while the brush moves
ANGLE = 2.399963  # the golden angle: a stroke scatters points evenly
DIGITS = 7

Rows = tuple[tuple[float, ...], ...]


def short(values: Any, extent: float = 0.0) -> tuple[float, ...]:
    """Numbers as a form can show them: with `DIGITS` digits, or as many as places need that lie within an extent far from 0."""
    numbers = np.asarray(values, dtype=float).reshape(-1)
    largest = float(np.abs(numbers).max(initial=0.0))
    more = math.ceil(math.log10(largest / extent)) if largest > extent > 0 else 0
    return tuple(float(f"{value:.{min(DIGITS + more, 17)}g}") for value in numbers.tolist())


def rows(matrix: Any, extent: float = 0.0) -> Rows:
    """The rows of a matrix as a form can show them."""
    return tuple(short(row, extent) for row in matrix)


def extent_of(picture: Picture) -> float:
    """The shorter side of what a picture shows."""
    sides = np.asarray(picture.high - picture.low)[: min(picture.dimension, 2)]
    return float(sides.min())


def start_from(means: Floats, covariances: Floats, weights: Floats, extent: float = 0.0) -> dict[str, Any]:
    """Parameters of a run that begins with these components, shapes (K, d), (K, d, d) and (K,), in a window of an extent."""
    return {
        "start": "manual",
        "means": rows(means, extent),
        "deviations": (),
        "spreads": rows(covariances.reshape(len(means), -1)),
        "weights": short(weights),
    }


def lifted(picture: Picture, places: Floats) -> Floats:
    """Points of the picture, shape (m, 2), in the coordinates of the data, shape (m, d)."""
    if picture.dimension <= 2:
        return places[:, : picture.dimension]
    return picture.origin + places @ lift(picture).T


def lift(picture: Picture) -> Floats:
    """The least motion of a point that moves it in the picture, shape (d, 2); the axes shown need not be orthonormal."""
    dual: Floats = np.linalg.pinv(np.asarray(picture.basis, dtype=float).T)
    return dual


def moved(picture: Picture, component: int, x: float, y: float) -> Floats:
    """The means, shape (K, d), after one was pulled to a place of the picture; what the picture does not show stays."""
    means = np.array(picture.full_means, dtype=float)
    if picture.dimension <= 2:
        means[component] = (x, y)[: picture.dimension]
    else:
        means[component] += lift(picture) @ (np.array([x, y]) - picture.means[component])
    return means


def reweighted(weights: Floats, component: int, weight: float) -> Floats:
    """The weights after one was changed; the others keep their proportions."""
    one = min(max(weight, LIGHTEST), 1 - LIGHTEST) if len(weights) > 1 else 1.0
    rest = np.delete(weights, component)
    shared = rest / rest.sum() if rest.sum() > 0 else np.full(len(rest), 1 / max(len(rest), 1))
    return np.insert((1 - one) * shared, component, one)


def pulled(covariance: Floats, axis: int, arm: Floats, kind: str, projected: bool, least: float) -> Floats:
    """An ellipse of which a hand has pulled the end of an axis.

    Parameters
    ----------
    covariance : array, shape (2, 2)
        As it was.
    axis : int
        0 for the long axis (or that of x), which may also turn; 1 for the other, which only grows.
    arm : array, shape (2,)
        From the mean to the hand.
    kind : str
        Of covariance.
    projected : bool
        In a projection no axis lies along a coordinate.
    least : float
        The shortest half axis.
    """
    length = max(float(np.hypot(*arm)), least)
    if kind == "spherical":
        return length**2 * np.eye(2)
    axes = axes_of(covariance, kind, projected)[0]
    halves = np.maximum(np.hypot(*axes), least)
    if kind == "diagonal" and not projected:
        halves[axis] = max(abs(float(arm[axis])), least)
        return np.diag(halves**2)
    along = arm / length if axis == 0 and length > least else axes[:, 0] / max(float(np.hypot(*axes[:, 0])), 1e-300)
    turned = np.column_stack([along, [-along[1], along[0]]])
    halves[axis] = length if axis == 0 else max(abs(float(turned[:, 1] @ arm)), least)
    found: Floats = (turned * halves**2) @ turned.T
    return found


def root(matrix: Floats, power: float) -> Floats:
    """A power of a positive definite matrix."""
    values, vectors = np.linalg.eigh(matrix)
    found: Floats = (vectors * values**power) @ vectors.T
    return found


def reshaped(picture: Picture, component: int, wanted: Floats, *, every: bool) -> Floats:
    """The covariances, shape (K, d, d), after one ellipse (with `every`, all of them) has become another.

    In a projection the covariance is stretched within the plane of the picture, and keeps what is seen from other sides.
    """
    covariances = np.array(picture.full_covariances, dtype=float)
    d = picture.dimension
    if d <= 2:
        new = wanted[:d, :d]
    else:
        seen = np.asarray(picture.covariances[component], dtype=float)
        values = np.linalg.eigvalsh(seen)
        if values[0] <= 1e-12 * max(values[1], 1e-300):
            return covariances  # flat: there is no map from it to an ellipse
        stretch = root(wanted, 0.5) @ root(seen, -0.5)
        whole = np.eye(d) + lift(picture) @ (stretch - np.eye(2)) @ picture.basis.T
        new = whole @ covariances[component] @ whole.T
    if every:
        covariances[:] = new
    else:
        covariances[component] = new
    return covariances


class Hand(QObject):
    """Handles and brush of the large picture.

    Signals
    -------
    began
        A component was taken hold of: the run as it was is about to be left.
    wanted : (dict)
        Parameter values that a gesture asks for.
    """

    began = Signal()
    wanted = Signal(dict)

    def __init__(self, card: StageCard) -> None:
        super().__init__(card)
        self.card = card
        self.picture: Picture | None = None
        self.kind = "full"
        self.drawn: list[tuple[float, ...]] = []
        self._base: Picture | None = None  # the components at the beginning of a drag
        self._erasing = self._late = False
        self._scattered = 0
        self._last = (math.inf, math.inf)
        self._turn = QTimer(self, interval=TURN, singleShot=True)
        self._turn.timeout.connect(self._send)
        for handles in (card.centres, card.corners):
            handles.grabbed.connect(self._grab)
            handles.dropped.connect(self._drop)
        card.centres.dragged.connect(self._pull_mean)
        card.centres.removed.connect(self._remove)
        card.corners.dragged.connect(self._pull_axis)
        card.corners.removed.connect(self._erase_at)
        card.brush.stroke_began.connect(self._begin)
        card.brush.stroke_moved.connect(self._move)
        card.brush.stroke_ended.connect(self._send)

    def show(self, picture: Picture, kind: str, drawn: Rows) -> None:
        """The picture that gestures begin from."""
        self.picture, self.kind = picture, kind
        if not self.card.brush.painting and not self._turn.isActive():
            self.drawn = list(drawn)

    # ---- components --------------------------------------------------------------------------------------------------

    def _grab(self, _handle: int) -> None:
        self._base = self.picture
        self.began.emit()

    def _drop(self, _handle: int) -> None:
        self._base = None

    def _ask(self, picture: Picture, means: Floats, covariances: Floats, weights: Floats) -> None:
        changes: dict[str, Any] = start_from(means, covariances, weights, extent_of(picture))
        if len(means) != len(picture.means):
            changes["components"] = len(means)
        self.wanted.emit(changes)

    def _pull_mean(self, component: int, x: float, y: float) -> None:
        base = self._base
        if base is None or component >= len(base.means):
            return
        weights = np.array(base.weights, dtype=float)
        if base.dimension == 1:
            deviation = math.sqrt(max(float(base.full_covariances[component, 0, 0]), 1e-300))
            weights = reweighted(weights, component, y * deviation * math.sqrt(2 * math.pi))
        self._ask(base, moved(base, component, x, y), np.asarray(base.full_covariances), weights)

    def _pull_axis(self, handle: int, x: float, y: float) -> None:
        base, component, axis = self._base, handle // 2, handle % 2
        if base is None or component >= len(base.means):
            return
        least = LEAST * float(np.max(base.high - base.low))
        if base.dimension == 1:
            half = max(abs(x - float(base.full_means[component, 0])), least)
            wanted = np.diag([half**2, 0.0])
        else:
            arm = np.array([x, y]) - base.means[component]
            seen = np.asarray(base.covariances[component], dtype=float)
            wanted = pulled(seen, axis, arm, self.kind, bool(base.projected), least)
        covariances = reshaped(base, component, wanted, every=self.kind == "tied")
        self._ask(base, np.asarray(base.full_means), covariances, np.asarray(base.weights))

    def _remove(self, component: int) -> None:
        picture = self.picture
        if picture is None or not 0 <= component < len(picture.means) > 1:
            return
        kept = np.arange(len(picture.means)) != component
        weights = picture.weights[kept]
        total = float(weights.sum())
        self.began.emit()
        self._ask(
            picture, picture.full_means[kept], picture.full_covariances[kept], weights / total if total > 0 else weights + 1
        )

    def add_component(self, x: float, y: float) -> None:
        """One more component, as wide as the others are on average."""
        picture = self.picture
        if picture is None or len(picture.means) >= MOST_COMPONENTS:
            return
        here = lifted(picture, np.array([[x, y]]))
        covariances = np.asarray(picture.full_covariances)
        means = np.vstack([picture.full_means, here])
        weights = np.append(picture.weights * (len(means) - 1), 1.0) / len(means)
        self.began.emit()
        self._ask(picture, means, np.concatenate([covariances, covariances.mean(axis=0)[None]]), weights)

    # ---- points ------------------------------------------------------------------------------------------------------

    def _begin(self, x: float, y: float, button: Qt.MouseButton) -> None:
        self._erasing = button == Qt.MouseButton.RightButton
        self._scattered, self._last = 0, (math.inf, math.inf)
        self._touch(x, y)

    def _move(self, x: float, y: float) -> None:
        self._touch(x, y)

    def _touch(self, x: float, y: float) -> None:
        if self.picture is None:
            return
        if self._erasing:
            self._erase(x, y)
        else:
            self._add(x, y)

    def _add(self, x: float, y: float) -> None:
        """The first point lies where the hand is, those of a stroke around it."""
        radius, picture = self.card.brush.radius, self.picture
        away = abs(x - self._last[0]) if self.card.on_a_line else math.hypot(x - self._last[0], y - self._last[1])
        if picture is None or (self._scattered and away < 0.35 * radius) or len(self.drawn) >= MOST_POINTS:
            return
        far = radius * math.sqrt(self._scattered * 0.618 % 1.0)
        turn = self._scattered * ANGLE
        place = np.array([[x + far * math.cos(turn), y + far * math.sin(turn)]])
        self._last = (x, y)
        self._scattered += 1
        self.drawn.append(short(lifted(picture, place)[0], extent_of(picture)))
        self._soon()

    def _erase(self, x: float, y: float) -> None:
        picture, radius = self.picture, 1.2 * self.card.brush.radius
        if picture is None:
            return
        places = np.asarray(self.card.points.x), np.asarray(self.card.points.y)
        away = np.abs(places[0] - x) if self.card.on_a_line else np.hypot(places[0] - x, places[1] - y)
        hit = away <= radius
        first = len(hit) - picture.drawn
        if hit[:first].any():
            self._take_over(picture, ~hit)
        elif hit[first:].any() and len(self.drawn) == picture.drawn:
            self.drawn = [row for row, gone in zip(self.drawn, hit[first:].tolist(), strict=True) if not gone]
            self._soon()

    def _erase_at(self, handle: int) -> None:
        """The right button over the handle of an ellipse means the points below it."""
        handles = self.card.corners.handles
        self._erase(float(handles.x[handle]), float(handles.y[handle]))

    def _take_over(self, picture: Picture, kept: np.ndarray) -> None:
        """Points of the data become drawn ones, without those that were erased, and the run goes on from where it is."""
        if picture.dimension > 2 or len(kept) != picture.count or not 2 <= int(kept.sum()) <= MOST_TAKEN:
            return
        places = np.asarray(picture.points, dtype=float)[kept][:, : picture.dimension]
        state = start_from(
            np.asarray(picture.full_means),
            np.asarray(picture.full_covariances),
            np.asarray(picture.weights),
            extent_of(picture),
        )
        self.drawn = [short(row, extent_of(picture)) for row in places]
        self._turn.stop()
        self.card.brush.end()  # the run that follows has other points under the brush
        self.wanted.emit({"data": "drawn", "drawn": tuple(self.drawn), **state})

    def _soon(self) -> None:
        if not self._turn.isActive():
            self._send_now()
            self._turn.start()
        else:
            self._late = True

    def _send(self) -> None:
        if self._late:
            self._send_now()

    def _send_now(self) -> None:
        self._late = False
        self.wanted.emit({"drawn": tuple(self.drawn)})
