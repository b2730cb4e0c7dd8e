"""The pictures of `joint_kl`: the staircase, the tables cell by cell, and shares that a hand moves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QHBoxLayout, QToolButton

from gui.core.look.theme import Theme, font, px, text_width, theming
from gui.core.numbers import minus
from gui.core.plots import Area, Band, Bars, Curve, DensityImage, DragPoints, HeatMap, Label, Marker, PlotCard, Plotted, Points

Table = NDArray[np.float64]

MARGINAL, GAP = "data", 3
CAUSES = (0, 2, 4, 5, 1, 3)  # series of the causes: amber marks must stand out from the first ones
FAINT = 0.28


class StairCard(PlotCard):
    """Stacked bars over half-steps: joint KL = marginal KL + gap, behind us and ahead."""

    step_wanted = Signal(str)
    column_wanted = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.here = self.add(Band("accent", alpha=0.1))
        self.marginal = self.add(Bars(MARGINAL, fill=0.9))
        self.gap = self.add(Bars(GAP, fill=0.9))
        self.next_marginal = self.add(Bars(MARGINAL, fill=FAINT))
        self.next_gap = self.add(Bars(GAP, fill=FAINT))
        self.joint = self.add(Curve("text", width=1.4, alpha=0.75))
        self.joint.setZValue(12)
        self.number = self.add(Label(role="text", anchor=(0.5, 2.6), size=13))
        self.letters = self.add(Letters())
        row = QHBoxLayout()
        self.column.removeWidget(self.legend)
        row.addWidget(self.legend, 1)
        self.column.insertLayout(1, row)
        self.buttons = {kind: self._button(kind, row) for kind in "EM"}
        self.clicked_at.connect(self._on_column)

    def _button(self, kind: str, row: QHBoxLayout) -> QToolButton:
        button = QToolButton(self)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the keys of the transport bar step as well
        button.setCursor(Qt.CursorShape.PointingHandCursor)
        button.clicked.connect(lambda: self.step_wanted.emit(kind))
        row.addWidget(button)
        return button

    def show_way(self, picture: Any) -> None:
        """All columns, and where we are."""
        gone = len(picture.kinds)
        marginal = np.append(picture.marginal, picture.ahead_marginal)
        joint = marginal + np.append(picture.gap, picture.ahead_gap)
        at = np.arange(len(joint))
        self.marginal.setData(marginal[:gone], at=at[:gone])
        self.gap.setData(joint[:gone], at=at[:gone], base=marginal[:gone])
        self.next_marginal.setData(marginal[gone:], at=at[gone:])
        self.next_gap.setData(joint[gone:], at=at[gone:], base=marginal[gone:])
        self.joint.setData(np.repeat(np.arange(gone + 1) - 0.5, 2)[1:-1], np.repeat(joint[:gone], 2))
        self.here.setData(gone - 1.5, gone - 0.5)
        self.number.setData(gone - 1, joint[gone - 1], f"{joint[gone - 1]:.3f}")
        self.letters.setData([" EM"[kind] for kind in [*picture.kinds, *picture.ahead_kinds]], joint)
        self.set_range(x=(-0.6, len(joint) - 0.4))
        self.set_range(y=(0.0, max(1.2 * float(joint.max()), 1e-6)), steady=True)

    def _on_column(self, x: float, _y: float) -> None:
        self.column_wanted.emit(round(x))


class Letters(Plotted):
    """A letter above each column, while there is room for it."""

    def __init__(self) -> None:
        super().__init__("muted")
        self.letters: Sequence[str] = ()
        self.heights: Table = np.empty(0)
        self.setZValue(25)

    def setData(self, letters: Sequence[str], heights: Table) -> None:
        """Letters that stand at (0, 1, 2, ...; heights)."""
        self.letters, self.heights = letters, heights
        self.changed()

    def draw(self, painter: QPainter) -> None:
        x, y = self.across(np.arange(len(self.letters) + 1.0)), self.down(self.heights)
        if len(x) < 2 or x[1] - x[0] < px(11):
            return
        painter.setFont(font(11, 500))
        painter.setPen(theming.current.colour(self.role))
        for letter, left, top in zip(self.letters, x.tolist(), y.tolist(), strict=False):
            cell = QRectF(left - px(10), top - px(17), px(20), px(16))
            painter.drawText(cell, Qt.AlignmentFlag.AlignCenter, letter)


class CellNumbers(Plotted):
    """Numbers in the cells of a table, dark or light as the colour under them asks; none where they have no room."""

    def __init__(self, *, signed: bool = False) -> None:
        super().__init__("text")
        self.signed = signed
        self.values: Table = np.empty((0, 0))
        self.under: NDArray[np.bool_] = np.empty((0, 0), dtype=bool)
        self.top = 0.0
        self.setZValue(20)

    def setData(self, values: Table, top: float, image: DensityImage | HeatMap) -> None:
        """Write values of shape (rows, columns) into the unit cells around (column, top + row)."""
        self.values, self.top = np.asarray(values), top
        place = (self.values - image.low) / max(image.high - image.low, 1e-12)
        colours = image.lookup[np.clip(place * 255, 0, 255).astype(int), :3] / 255
        self.under = (colours**2.2) @ np.array([0.2126, 0.7152, 0.0722]) > 0.2
        self.changed()

    def draw(self, painter: QPainter) -> None:
        rows, columns = self.values.shape
        if not rows:
            return
        width = float(self.across(np.array([0.0, 1.0])) @ np.array([-1, 1]))
        height = abs(float(self.down(np.array([0.0, 1.0])) @ np.array([-1, 1])))
        size = 12 if height >= px(16) else 10
        face = font(size, 500, tabular=True)
        digits = next((d for d in (3, 2) if text_width(self.word(-0.5 if self.signed else 0.5, d), face) <= width - px(3)), 0)
        if not digits or height < px(11):
            return
        painter.setFont(face)
        x, y = self.across(np.arange(columns, dtype=float)), self.down(self.top + np.arange(rows, dtype=float))
        for row in range(rows):
            for column in range(columns):
                painter.setPen(QColor("#0B0F14") if self.under[row, column] else QColor("#FFFFFF"))
                cell = QRectF(x[column] - width / 2, y[row] - height / 2, width, height)
                painter.drawText(cell, Qt.AlignmentFlag.AlignCenter, self.word(self.values[row, column], digits))

    def word(self, value: float, digits: int) -> str:
        """A number below one without its leading zero."""
        if abs(value) < 0.5 * 10**-digits:
            return "0"
        text = f"{value:+.{digits}f}" if self.signed else f"{value:.{digits}f}"
        return minus(text.replace("0.", ".", 1) if abs(value) < 0.9995 else text)


class CellFrames(Plotted):
    """Frames around cells."""

    def __init__(self, role: str | int) -> None:
        super().__init__(role)
        self.cells: list[tuple[float, float, float]] = []
        self.setZValue(15)
        self.restyle(theming.current)

    def restyle(self, theme: Theme) -> None:
        self.colour = theme.colour(self.role)
        self.update()

    def setData(self, strength: Table, tops: Sequence[float]) -> None:
        """Frame the unit cells of blocks that begin at `tops`, the thicker the larger `strength`, shape (rows, columns)."""
        places = np.argwhere(strength > 0.02)
        self.cells = [(float(c), top + float(r), float(strength[r, c])) for r, c in places for top in tops]
        self.changed()

    def draw(self, painter: QPainter) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for x, y, strength in self.cells:
            box = QRectF(self.to_pixels(x - 0.5, y - 0.5), self.to_pixels(x + 0.5, y + 0.5)).normalized()
            colour = QColor(self.colour)
            colour.setAlphaF(min(1.0, 0.25 + strength))
            pen = painter.pen()
            pen.setColor(colour)
            pen.setWidthF(theming.current.width(1.0 + 2.0 * strength))
            painter.setPen(pen)
            inset = pen.widthF() / 2 + 0.5
            painter.drawRect(box.adjusted(inset, inset, -inset, -inset))


class TableCard(PlotCard):
    """Three tables over the same values of x: what the data and r say, what the model says, and what each cell costs."""

    def __init__(self) -> None:
        super().__init__()
        self.set_axes_visible(grid=False)
        self.images = (self.add(DensityImage()), self.add(DensityImage()), self.add(HeatMap()))
        self.numbers = [self.add(CellNumbers(signed=image is self.images[2])) for image in self.images]
        self.frames = self.add(CellFrames(GAP))
        self.names = [self.add(Label(role=role, anchor=(0.0, 0.5), size=13)) for role in ("data", "theory", "text")]
        self.titles = ["", "", ""]

    def show_tables(self, picture: Any) -> None:
        """Cells, their numbers, and frames where the two tables part."""
        tables = (picture.completed.T, picture.joint.T, picture.terms.T)
        causes, values = tables[0].shape
        high = max(float(tables[0].max()), float(tables[1].max()))
        reach = max(float(np.abs(tables[2]).max()), 0.05)
        tops = [block * (causes + 1.0) + 1.0 for block in range(3)]
        for image, numbers, table, top in zip(self.images, self.numbers, tables, tops, strict=True):
            rect = (-0.5, top - 0.5, float(values), float(causes))
            if isinstance(image, HeatMap):
                image.setData(table, rect, reach)
            else:
                image.setData(table, rect, (0.0, high))
            numbers.setData(table, top, image)
        apart = np.abs(tables[0] - tables[1])
        self.frames.setData(np.clip(apart / 0.12, 0.0, 1.0) * (apart > 5e-4), tops[:2])
        for label, top, title in zip(self.names, tops, self.titles, strict=True):
            label.setData(-0.5, top - 1.0, title)
        rows = [name for _ in range(3) for name in ["", *(f"z = {z + 1}" for z in range(causes))]]
        self.set_categories(rows, "y")
        self.set_categories([str(x) for x in range(values)])
        self.set_range(y=(-0.55, len(rows) - 0.45))


class ShareCard(PlotCard):
    """For each x the shares r(z|x) of the causes, stacked; their borders can be dragged. Amber: the exact posterior."""

    dragged = Signal(int, int, float)
    dropped = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.shares = [self.add(Bars(role, fill=0.75)) for role in CAUSES]
        self.rim = self.add(Curve("surface", width=7.0))
        self.exact = self.add(Curve("theory", width=3.2))
        self.handles = DragPoints(self, "text", size=11)
        self.handles.dragged.connect(self._on_drag)
        self.handles.dropped.connect(lambda _: self.dropped.emit())
        self.borders = -1  # none has been shown
        self.set_range(y=(-0.03, 1.03))

    def show_shares(self, picture: Any) -> None:
        """The table r and the exact posterior."""
        values, causes = picture.posterior.shape
        tops = np.minimum(np.cumsum(picture.posterior, axis=1), 1.0)
        tops[:, -1] = 1.0
        at = np.arange(values)
        for z, bars in enumerate(self.shares):
            bars.set_present(z < causes)
            if z < causes:
                bars.setData(tops[:, z], at=at, base=tops[:, z - 1] if z else 0.0)
            bars.label = f"z = {z + 1}" if z < causes else None
        if causes != self.borders + 1:
            self.borders = causes - 1
            self.refresh_legend()
        truth = np.cumsum(picture.exact, axis=1)[:, :-1]
        x = np.stack(np.broadcast_arrays(at[:, None] - 0.44, at[:, None] + 0.44, np.nan), axis=-1)
        y = np.stack(np.broadcast_arrays(truth, truth, np.nan), axis=-1)
        for curve in (self.rim, self.exact):
            curve.setData(np.broadcast_to(x, y.shape).reshape(-1), y.reshape(-1))
        self.handles.setData(np.repeat(at, self.borders), tops[:, :-1].reshape(-1))
        self.set_categories([str(value) for value in range(values)])

    def _on_drag(self, index: int, _x: float, y: float) -> None:
        if self.borders > 0:
            self.dragged.emit(index // self.borders, index % self.borders, y)


class DataCard(PlotCard):
    """p̃(x) beside p(x); the shares of the data can be dragged."""

    def __init__(self) -> None:
        super().__init__()
        self.data = self.add(Bars("data", offset=0, of=2))
        self.model = self.add(Bars("theory", offset=1, of=2))
        self.handles = DragPoints(self, "data", size=10)

    def show_data(self, picture: Any) -> None:
        """Both distributions of x."""
        at = np.arange(len(picture.data))
        self.data.setData(picture.data, at=at)
        self.model.setData(picture.model, at=at)
        self.handles.setData(at - 0.19, picture.data)
        self.set_categories([str(value) for value in at])
        self.set_range(y=(0.0, 1.15 * max(float(picture.data.max()), float(picture.model.max()), 0.25)), steady=True)


class BoundCard(PlotCard):
    """The log-likelihood, and the lower bound below it that touches it after every E step."""

    def __init__(self) -> None:
        super().__init__()
        self.between = self.add(Area(GAP, alpha=0.3))
        self.best = self.add(Marker("theory", vertical=False, dash="dash", at=0.97))
        self.later = [self.add(Curve(role, dash="dot", width=1.8, alpha=0.85)) for role in (MARGINAL, GAP)]
        self.likelihood = self.add(Curve(MARGINAL, width=2.2))
        self.bound = self.add(Curve(GAP, dash="dash", width=2.2))
        self.here = self.add(Points("text", size=7, halo=True))

    def show_bound(self, picture: Any, best: str) -> None:
        """Both curves over half-steps, and the ceiling that no model can pass."""
        gone = len(picture.kinds)
        high = -picture.entropy - np.append(picture.marginal, picture.ahead_marginal)
        low = high - np.append(picture.gap, picture.ahead_gap)
        at = np.arange(len(high))
        for curve, later, values in ((self.likelihood, self.later[0], high), (self.bound, self.later[1], low)):
            curve.setData(at[:gone], values[:gone])
            later.setData(at[gone - 1 :], values[gone - 1 :])
        self.between.setData(at, low, high)
        self.here.setData([gone - 1, gone - 1], [high[gone - 1], low[gone - 1]])
        self.best.setData(-picture.entropy, best)
        span = max(-picture.entropy - float(low.min()), 1e-3)
        self.set_range(x=(-0.4, len(high) - 0.6))
        self.set_range(y=(-picture.entropy - 1.06 * span, -picture.entropy + 0.32 * span), steady=True)


def moved_border(row: Sequence[float], border: int, height: float) -> list[float]:
    """Shares after the upper border of share number `border` was put to a height; its neighbours give way, the rest stays.

    Examples
    --------
    >>> moved_border([0.5, 0.5], 0, 0.8)
    [0.8, 0.2]
    """
    tops = np.cumsum(row)
    low = tops[border - 1] if border else 0.0
    high = tops[border + 1] if border + 2 < len(tops) else 1.0
    tops[border] = min(max(height, low), high)
    tops[-1] = 1.0
    shares = [round(float(share), 4) for share in np.diff(tops, prepend=0.0)]
    shares[border + 1] = round(shares[border + 1] + 1.0 - sum(shares), 4)
    return shares


def moved_share(law: Sequence[float], at: int, height: float) -> list[float]:
    """A law after one of its shares was put to a height; the others keep their proportions.

    Examples
    --------
    >>> moved_share([0.5, 0.25, 0.25], 0, 0.8)
    [0.8, 0.1, 0.1]
    """
    share = min(max(height, 0.0), 1.0)
    others = np.delete(np.asarray(law, dtype=float), at)
    rest = others / others.sum() if others.sum() > 1e-9 else np.full(len(others), 1 / len(others))
    made = [round(float(value), 4) for value in np.insert(rest * (1 - share), at, share)]
    largest = int(np.argmax(made))
    made[largest] = round(made[largest] + 1.0 - sum(made), 4)
    return made


def short(value: float) -> float:
    """Five digits, as many as a form shows well; never zero where the number is not."""
    return float(f"{value:.5g}")
