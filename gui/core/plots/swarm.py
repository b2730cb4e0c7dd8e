"""Many points at once: the particles of a sampler, that may move with every frame."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PySide6.QtGui import QPainter

from gui.core.look.theme import Role, Theme, theming
from gui.core.plots.base import Plotted, Swatch, extent, floats, to_log
from gui.core.plots.raster.paint import Floats, on_pixels
from gui.core.plots.raster.stamps import StampSheet

EMPTY = np.empty(0)
SIZES = (2.4, 6.0)
COVER = 0.25
FAINT = 0.22
GLOW = 0.62
GROUPS = 64
BRIGHTER, DARKER = QPainter.CompositionMode.CompositionMode_Plus, QPainter.CompositionMode.CompositionMode_Multiply


def fitting(count: int, area: float, scale: float = 1.0) -> tuple[float, float]:
    """A diameter in pixels and an opacity at which points fill a plot without drowning it.

    Parameters
    ----------
    count : int
        How many points.
    area : float
        Of the plot, in square pixels.
    scale : float
        The line scale of the theme.
    """
    each = max(area, 1.0) / max(count, 1)
    small, large = (scale * size for size in SIZES)
    size = min(max(math.sqrt(4 / math.pi * COVER * each), small), large)
    cover = math.pi / 4 * size**2 / each
    return size, min(max(0.9 * math.sqrt(COVER / cover), 0.3), 0.9)


class Swarm(Plotted):
    """Up to 25,000 round, slightly translucent points that may move with every frame.

    Parameters
    ----------
    role : str or int
        Colour by meaning, where no groups are given.
    label : str, optional
        Text in the legend.
    size : float, optional
        Diameter in pixels; chosen by the number of points if left out.
    alpha : float, optional
        Opacity; chosen by the number of points if left out.
    roles : sequence of str or int, optional
        The colours of the groups 0, 1, ...; the series colours if left out.
    glow : bool
        Where points crowd they brighten on dark cards and darken on light ones, so that density is seen; never with groups,
        whose colours must stay what they are.
    """

    def __init__(
        self,
        role: Role = "data",
        label: str | None = None,
        *,
        size: float | None = None,
        alpha: float | None = None,
        roles: Sequence[Role] | None = None,
        glow: bool = True,
    ) -> None:
        super().__init__(role, label)
        self.size, self.alpha, self.glow = size, alpha, glow
        self.roles = tuple(roles) if roles is not None else None
        self.swatch = Swatch("marker", role)
        self.x: Floats = EMPTY
        self.y: Floats = EMPTY
        self.groups: NDArray[np.intp] | None = None
        self.emphasised: NDArray[np.intp] | None = None
        self.hidden_groups: frozenset[int] = frozenset()
        self.faint = False
        self._sheets: dict[tuple[float, float, int, bool], StampSheet] = {}
        self.setZValue(8)
        self.changed()

    def restyle(self, theme: Theme) -> None:
        self._sheets.clear()
        self.update()

    def setData(
        self,
        x: ArrayLike,
        y: ArrayLike,
        groups: ArrayLike | None = None,
        *,
        faint: bool = False,
        emphasised: ArrayLike | None = None,
    ) -> None:
        """Show points.

        Parameters
        ----------
        x, y : array, shape (n,)
            Places in data coordinates; those that are not finite are left out.
        groups : array of int, shape (n,), optional
            Numbers from 0 that choose colours: chains, modes or classes; negative ones belong nowhere and are muted.
        faint : bool
            Step back behind other items.
        emphasised : array of bool, shape (n,), or of int, optional
            Points drawn larger, on top and with a rim: a mask or their indices.
        """
        across, up = floats(x), floats(y)
        if len(across) != len(up):
            raise ValueError(f"{len(across)} x values, {len(up)} y values")
        kinds = None if groups is None else np.asarray(groups).reshape(-1).astype(np.intp, copy=False)
        if kinds is not None and len(kinds) != len(across):
            raise ValueError(f"{len(across)} points, {len(kinds)} groups")
        chosen = None if emphasised is None else np.asarray(emphasised).reshape(-1)
        if chosen is not None:
            chosen = np.flatnonzero(chosen) if chosen.dtype == np.bool_ else chosen.astype(np.intp)
        self.x, self.y, self.groups, self.faint, self.emphasised = across, up, kinds, bool(faint), chosen
        self.changed()

    def hide_groups(self, groups: Collection[int]) -> None:
        """Leave out these groups, for example after a click into a list of them."""
        self.hidden_groups = frozenset(int(group) for group in groups)
        self.changed()

    def changed(self) -> None:
        self.shown = to_log(self.x, self.log[0]), to_log(self.y, self.log[1])
        self._kinds = 0 if self.groups is None else min(int(self.groups.max(initial=-1)) + 1, GROUPS)
        super().changed()

    def bounds(self, axis: int) -> tuple[float, float] | None:
        return extent(self.shown[axis])

    def group_role(self, group: int) -> Role:
        """The colour of a group by meaning."""
        return group if self.roles is None else self.roles[group % len(self.roles)]

    def look(self, count: int, area: float) -> tuple[float, float]:
        """Diameter in pixels and opacity, for so many points in a plot of so many square pixels."""
        theme = theming.current
        size, alpha = fitting(count, area, theme.line_scale)
        return (
            size if self.size is None else theme.width(self.size),
            alpha if self.alpha is None else self.alpha,
        )

    def draw(self, painter: QPainter) -> None:
        count = len(self.x)
        if not count:
            return
        x, y, groups = self.across(self.shown[0]), self.down(self.shown[1]), self.groups
        frame = self.frame()
        size, alpha = self.look(count, frame.width() * frame.height())
        frame.adjust(-size, -size, size, size)
        seen = (x >= frame.left()) & (x <= frame.right()) & (y >= frame.top()) & (y <= frame.bottom())
        if groups is not None and self.hidden_groups:
            seen &= ~np.isin(groups, list(self.hidden_groups))
        kinds = None if groups is None else np.where(groups < 0, self._kinds, groups % GROUPS)
        glowing = self.glow and groups is None and on_pixels(painter)
        if glowing:
            painter.setCompositionMode(BRIGHTER if theming.current.dark else DARKER)
            alpha *= GLOW if self.alpha is None else 1.0
        sheet = self._sheet(size, alpha * FAINT if self.faint else alpha, rim=False)
        sheet.draw(painter, x[seen], y[seen], None if kinds is None else kinds[seen])
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceOver)
        if self.emphasised is not None and len(self.emphasised):
            top = self.emphasised[seen[self.emphasised]]
            sheet = self._sheet(max(1.7 * size, theming.current.width(6)), 1.0, rim=True)
            sheet.draw(painter, x[top], y[top], None if kinds is None else kinds[top])

    def _sheet(self, size: float, alpha: float, *, rim: bool) -> StampSheet:
        key = (round(size, 1), round(alpha, 2), self._kinds, rim)
        if key not in self._sheets:
            if len(self._sheets) > 8:
                self._sheets.clear()
            theme = theming.current
            named = [self.group_role(kind) for kind in range(self._kinds)]
            roles = [self.role] if self.groups is None else [*named, "muted"]
            colours = [theme.colour(role, key[1]) for role in roles]
            self._sheets[key] = StampSheet(key[0], colours, theme.colour("surface") if rim else None)
        return self._sheets[key]
