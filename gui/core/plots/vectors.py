"""What moves: the fading trails of paths, and arrows of vector fields and of single moves."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PySide6.QtGui import QPainter

from gui.core.look.theme import Role, Theme, theming
from gui.core.plots.base import Plotted, Swatch, extent, floats, to_log
from gui.core.plots.raster.paint import Floats, bounded, device_scale, on_pixels
from gui.core.plots.raster.stamps import HEAD_SIZES, HeadSheet, StampSheet
from gui.core.plots.raster.strokes import draw_strokes

AGES = 12
MANY_STROKES = 2500
MOST_ARROWS = 1000
EMPTY = np.empty(0)


class Trails(Plotted):
    """The last stretch of paths, fading from old to new.

    Parameters
    ----------
    role : str or int
        Colour by meaning.
    label : str, optional
        Text in the legend.
    width : float
        Pixels at the newest end.
    alpha : float
        Opacity of the newest end.
    heads : bool
        A dot at the newest end of each path.
    """

    def __init__(
        self,
        role: Role = "data",
        label: str | None = None,
        *,
        width: float = 1.5,
        alpha: float = 0.9,
        heads: bool = False,
    ) -> None:
        super().__init__(role, label)
        self.width, self.alpha, self.heads = width, alpha, heads
        self.swatch = Swatch("line", role)
        self.x: Floats = np.empty((0, 0))
        self.y: Floats = np.empty((0, 0))
        self.groups: NDArray[np.intp] | None = None
        self.setZValue(7)
        self.restyle(theming.current)
        self.changed()

    def restyle(self, theme: Theme) -> None:
        self._sheets: dict[Role, StampSheet] = {}
        self.update()

    def setData(self, x: ArrayLike, y: ArrayLike, groups: ArrayLike | None = None) -> None:
        """Show paths.

        Parameters
        ----------
        x, y : array, shape (chains, length)
            Places from old to new; a path is broken where one is not finite.
        groups : array of int, shape (chains,), optional
            Series numbers that colour the paths.
        """
        across, up = (np.atleast_2d(np.asarray(values, dtype=np.float64)) for values in (x, y))
        if across.shape != up.shape or across.ndim != 2:
            raise ValueError(f"paths of the shapes {across.shape} and {up.shape}")
        kinds = None if groups is None else np.asarray(groups).reshape(-1).astype(np.intp)
        if kinds is not None and len(kinds) != len(across):
            raise ValueError(f"{len(across)} paths, {len(kinds)} groups")
        self.x, self.y, self.groups = across, up, kinds
        self.changed()

    def changed(self) -> None:
        self.shown = to_log(self.x, self.log[0]), to_log(self.y, self.log[1])
        super().changed()

    def bounds(self, axis: int) -> tuple[float, float] | None:
        return extent(self.shown[axis])

    def draw(self, painter: QPainter) -> None:
        if self.x.shape[1] < 1 or not len(self.x):
            return
        x, y = self.across(self.shown[0]), self.down(self.shown[1])
        if self.groups is None:
            self._draw_paths(painter, x, y, self.role)
            return
        for group in np.unique(self.groups):
            chosen = self.groups == group
            self._draw_paths(painter, x[chosen], y[chosen], int(group))

    def _draw_paths(self, painter: QPainter, x: Floats, y: Floats, role: Role) -> None:
        theme = theming.current
        segments = np.stack([x[:, :-1], y[:, :-1], x[:, 1:], y[:, 1:]], axis=-1)
        count = segments.shape[1]
        many = segments.shape[0] * count > MANY_STROKES and on_pixels(painter)
        dense = device_scale(painter) >= 1.5  # there jagged lines look well, and fine ones would be too thin
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, not (many and dense))
        ages = np.linspace(0, count, min(AGES, max(count, 1)) + 1).round().astype(int)
        for number, (first, last) in enumerate(pairwise(ages), start=1):
            fresh = (number / (len(ages) - 1)) ** 1.6
            piece = bounded(segments[:, first:last].reshape(-1, 4))
            width = theme.width(self.width * (0.6 + 0.4 * fresh))
            colour = theme.colour(role, self.alpha * fresh)
            draw_strokes(painter, piece[np.isfinite(piece).all(axis=1)], colour, 1.0 if many and not dense else width)
        if self.heads:
            if role not in self._sheets:
                self._sheets[role] = StampSheet(theme.width(5), [theme.colour(role)], theme.colour("surface"))
            self._sheets[role].draw(painter, x[:, -1], y[:, -1])


class Arrows(Plotted):
    """Arrows from points of the data, with heads of a constant size in pixels.

    Parameters
    ----------
    role : str or int
        Colour by meaning, where no roles are given.
    label : str, optional
        Text in the legend.
    width : float
        Of the shafts, in pixels.
    head : float
        Length of a head in pixels; short arrows get shorter heads.
    longest : float, optional
        Scale all arrows so that the longest one has this many pixels; else they end where the data says.
    power : float
        With `longest`: lengths go as this power of the true ones; below 1, weak vectors stay visible beside strong ones.
    alpha : float
        Opacity.
    """

    def __init__(
        self,
        role: Role = "text",
        label: str | None = None,
        *,
        width: float = 1.3,
        head: float = 7,
        longest: float | None = None,
        power: float = 1.0,
        alpha: float = 1.0,
    ) -> None:
        super().__init__(role, label)
        self.width, self.head, self.longest, self.power, self.alpha = width, head, longest, power, alpha
        self.swatch = Swatch("line", role)
        self.x: Floats = EMPTY
        self.y: Floats = EMPTY
        self.dx: Floats = EMPTY
        self.dy: Floats = EMPTY
        self.roles: tuple[Role, ...] | None = None
        self.setZValue(9)
        self.restyle(theming.current)
        self.changed()

    def restyle(self, theme: Theme) -> None:
        self._heads: dict[Role, HeadSheet] = {}
        self.update()

    def setData(self, x: ArrayLike, y: ArrayLike, dx: ArrayLike, dy: ArrayLike, roles: Sequence[Role] | None = None) -> None:
        """Show arrows from (x, y) to (x + dx, y + dy), all of shape (n,).

        Parameters
        ----------
        x, y, dx, dy : array, shape (n,)
            In data coordinates; arrows that are not finite are left out. Of more than 1,000 arrows an even selection is shown.
        roles : sequence of str or int, length n, optional
            A colour by meaning for each arrow.
        """
        arrays = [floats(values) for values in (x, y, dx, dy)]
        lengths = {len(array) for array in arrays} | ({len(roles)} if roles is not None else set())
        if len(lengths) != 1:
            raise ValueError(f"arrows of the lengths {', '.join(map(str, sorted(lengths)))}")
        if len(arrays[0]) > MOST_ARROWS:
            chosen = np.linspace(0, len(arrays[0]) - 1, MOST_ARROWS).astype(int)
            arrays = [array[chosen] for array in arrays]
            roles = None if roles is None else [roles[i] for i in chosen]
        self.x, self.y, self.dx, self.dy = arrays
        self.roles = None if roles is None else tuple(roles)
        self.changed()

    def changed(self) -> None:
        starts = to_log(self.x, self.log[0]), to_log(self.y, self.log[1])
        ends = to_log(self.x + self.dx, self.log[0]), to_log(self.y + self.dy, self.log[1])
        self.shown = np.column_stack([*starts, *ends])
        super().changed()

    def bounds(self, axis: int) -> tuple[float, float] | None:
        return extent(self.shown[:, [axis] if self.longest is not None else [axis, axis + 2]])

    def pixels(self) -> Floats:
        """Starts and ends in pixels, shape (n, 4); what is not finite is not a number."""
        starts = np.column_stack([self.across(self.shown[:, 0]), self.down(self.shown[:, 1])])
        ends = np.column_stack([self.across(self.shown[:, 2]), self.down(self.shown[:, 3])])
        moves = ends - starts
        if self.longest is not None:
            lengths = np.hypot(*moves.T)
            finite = lengths[np.isfinite(lengths) & (lengths > 0)]
            if len(finite):
                with np.errstate(divide="ignore", invalid="ignore"):
                    share = np.where(lengths > 0, (lengths / finite.max()) ** self.power / lengths, 0.0)
                moves = moves * (share * theming.current.width(self.longest))[:, None]
        return np.hstack([bounded(starts), bounded(starts + moves)])

    def draw(self, painter: QPainter) -> None:
        if not len(self.x):
            return
        ends = self.pixels()
        usable = np.isfinite(ends).all(axis=1)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.roles is None:
            self._draw_kind(painter, ends[usable], self.role)
            return
        for role in dict.fromkeys(self.roles):
            self._draw_kind(painter, ends[usable & np.array([own == role for own in self.roles])], role)

    def _draw_kind(self, painter: QPainter, ends: Floats, role: Role) -> None:
        """Draw arrows of one colour: all shafts, then all heads."""
        theme = theming.current
        moves = ends[:, 2:] - ends[:, :2]
        lengths = np.hypot(*moves.T)
        long_enough = lengths > 0.5
        ends, moves, lengths = ends[long_enough], moves[long_enough], lengths[long_enough]
        if not len(ends):
            return
        if role not in self._heads:
            self._heads[role] = HeadSheet(theme.width(self.head), theme.colour(role, self.alpha))
        sheet = self._heads[role]
        sizes = sheet.sizes(0.6 * lengths)
        along = moves / lengths[:, None]
        backs = ends[:, 2:] - along * (0.94 * sheet.length * np.array(HEAD_SIZES)[sizes])[:, None]
        shafts = np.hstack([ends[:, :2], backs])
        draw_strokes(painter, shafts[lengths > 2], theme.colour(role, self.alpha), theme.width(self.width))
        sheet.draw(painter, ends[:, 2:], along, sizes)
