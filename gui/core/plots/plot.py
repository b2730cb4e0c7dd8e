"""The themed card around a pyqtgraph plot."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeVar

import pyqtgraph as pg
from PySide6.QtCore import QEvent, QObject, QPointF, Qt, Signal
from PySide6.QtGui import QCursor, QGuiApplication, QMouseEvent
from PySide6.QtWidgets import QFrame, QGraphicsScene, QMenu, QToolButton, QWidget

from gui.core.i18n import tr, translator
from gui.core.look.follow import follow
from gui.core.look.icons import set_icon
from gui.core.look.theme import px, theming
from gui.core.plots.axes import Axis, Grid, at_least, steady_range
from gui.core.plots.base import Styled
from gui.core.plots.card import Card, render_widget
from gui.core.plots.images import ColourBar, DensityImage, HeatMap

Range = tuple[float, float]
Item = TypeVar("Item")


class PlotCard(Card):
    """A plot in a card: title, caption, legend, axes in the theme's look.

    Parameters
    ----------
    title, parent, expandable
        See `Card`.

    Attributes
    ----------
    clicked_at : Signal(float, float)
        A single click of the left button between the axes, in data coordinates.
    """

    clicked_at = Signal(float, float)

    def __init__(self, title: str = "", parent: QWidget | None = None, *, expandable: bool = True) -> None:
        self._ranges: dict[str, Range | None] = {"x": None, "y": None}
        self._least = {"x": 0.0, "y": 0.0}
        self._held = False
        self.items: list[Any] = []
        super().__init__(title, parent, expandable=expandable)
        self._build_plot()
        self.set_content(self.view)
        self._build_reset()
        self.restyle()

    def _build_plot(self) -> None:
        self.axes = {"x": Axis("bottom"), "y": Axis("left")}
        self.view = pg.PlotWidget(self, axisItems={"bottom": self.axes["x"], "left": self.axes["y"]})
        # Our items are as large as the view, so that an index by place finds nothing and goes stale when the view moves.
        self.view.scene().setItemIndexMethod(QGraphicsScene.ItemIndexMethod.NoIndex)
        self.view.setFrameShape(QFrame.Shape.NoFrame)
        self.view.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.plot = self.view.getPlotItem()
        self.plot.hideButtons()
        self.plot.setMenuEnabled(False)
        self.plot.getViewBox().sigRangeChangedManually.connect(self._on_moved_by_hand)
        self.view.scene().sigMouseClicked.connect(self._on_clicked)
        self.plot.getViewBox().setDefaultPadding(0.02)
        self.grid = Grid(self.axes["y"])
        self.plot.addItem(self.grid, ignoreBounds=True)
        self.view.viewport().installEventFilter(self)

    def _build_reset(self) -> None:
        self.reset_button = QToolButton(self)
        self.reset_button.setProperty("role", "ghost")
        self.reset_button.setProperty("compact", True)
        set_icon(self.reset_button, "reset", "muted", 14)
        self.reset_button.clicked.connect(self.reset_view)
        self.reset_button.hide()
        self._retranslate()
        follow(translator.changed, self, self._retranslate)
        self.header.insertWidget(self.header.count() - 1, self.reset_button)

    def _retranslate(self) -> None:
        self.reset_button.setToolTip(tr("Reset the view"))

    def add(self, item: Item) -> Item:
        """Put an item into the plot and the legend, and give it back."""
        self.items.append(item)
        self.plot.addItem(item)
        self.refresh_legend()
        return item

    def remove(self, item: Any) -> None:
        """Take an item out again."""
        if item in self.items:
            self.items.remove(item)
            self.plot.removeItem(item)
            self.refresh_legend()

    def add_colour_bar(self, image: DensityImage | HeatMap) -> ColourBar:
        """Explain the colours of an image to the right of the plot."""
        bar = ColourBar(image, self)
        self.body.addWidget(bar)
        return bar

    def refresh_legend(self) -> None:
        """Show the items' labels again after one changed."""
        self.legend.set_items(self.items)

    def set_labels(self, *, x: str | None = None, y: str | None = None) -> None:
        """Name the axes, with units in brackets; an axis that is left out keeps its name."""
        for axis, text in (("x", x), ("y", y)):
            if text is not None:
                self.axes[axis].set_title(text)

    def set_range(self, *, x: Range | None = None, y: Range | None = None, steady: bool = False) -> None:
        """Fix what the axes show, in data values (not logarithms).

        Parameters
        ----------
        x, y : tuple of float, optional
            Low and high end; an axis that is left out stays as it is.
        steady : bool
            Pass the range through `steady_range`, so that the axis rests while numbers fluctuate.
        """
        changed = []
        for axis, wanted in (("x", x), ("y", y)):
            if wanted is None:
                continue
            low, high = map(float, wanted)  # single precision overflows in pyqtgraph's limits
            if not self.axes[axis].logMode and math.isfinite(high - low):
                low, high = at_least((low, high), self._least[axis])
            shown = steady_range(self._ranges[axis], (low, high)) if steady else (low, high)
            if shown != self._ranges[axis]:
                self._ranges[axis] = shown
                changed.append(axis)
        if not self._held:
            self._apply_ranges(changed)

    def set_least_range(self, *, x: float = 0.0, y: float = 0.0) -> None:
        """Never show less than this of an axis, so that differences below what the quantity means do not fill the picture."""
        self._least = {"x": x, "y": y}
        self.plot.getViewBox().setLimits(minXRange=x or None, minYRange=y or None)

    def reset_view(self) -> None:
        """Show again what the panel wants shown, after the mouse has moved or zoomed the view."""
        self._held = False
        self.reset_button.hide()
        for axis, shown in self._ranges.items():
            if shown is None:
                self.plot.getViewBox().enableAutoRange(axis=axis)
        self._apply_ranges(list(self._ranges))

    def _apply_ranges(self, axes: Sequence[str]) -> None:
        """Show the wanted ranges of these axes; with equal scales both at once, so that all that is wanted can be seen."""
        box = self.plot.getViewBox()
        ends = {axis: self._view_range(axis, shown) for axis, shown in self._ranges.items() if shown is not None}
        if axes and len(ends) == 2 and box.state["aspectLocked"]:
            box.setRange(xRange=ends["x"], yRange=ends["y"], padding=0)
            return
        for axis in axes:
            if axis in ends:
                (box.setXRange if axis == "x" else box.setYRange)(*ends[axis], padding=0)

    def _view_range(self, axis: str, shown: Range) -> Range:
        """A range as the view counts it."""
        low, high = shown
        if self.axes[axis].logMode:
            return math.log10(max(low, 1e-300)), math.log10(max(high, 1e-300))
        return low, high

    def _on_moved_by_hand(self) -> None:
        """What a hand has chosen stays, whatever the next frames would show."""
        self._held = True
        self.reset_button.show()

    def to_data(self, scene: QPointF) -> tuple[float, float]:
        """Where in data coordinates a place of the plot's scene lies."""
        point = self.plot.getViewBox().mapSceneToView(scene)
        x, y = (10.0**value if self.axes[axis].logMode else value for axis, value in (("x", point.x()), ("y", point.y())))
        return float(x), float(y)

    def _on_clicked(self, event: Any) -> None:
        inside = self.plot.getViewBox().sceneBoundingRect().contains(event.scenePos())
        if event.button() == Qt.MouseButton.LeftButton and inside and not event.double():
            self.clicked_at.emit(*self.to_data(event.scenePos()))
        if event.button() != Qt.MouseButton.RightButton:
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(tr("Reset the view"), self.reset_view)
        menu.addAction(tr("Show it alone, or all again"), self.expand_requested.emit)
        menu.addAction(tr("Copy this picture"), self.copy_picture)
        menu.popup(QCursor.pos())

    def copy_picture(self) -> None:
        """Put this card into the clipboard, at 300 dots per inch."""
        QGuiApplication.clipboard().setImage(render_widget(self))

    def set_log(self, *, x: bool = False, y: bool = False) -> None:
        """Make axes logarithmic; their numbers are then powers of ten."""
        self.plot.setLogMode(x=x, y=y)
        self._ranges = {"x": None, "y": None}

    def set_aspect(self, equal: bool) -> None:
        """Give both axes the same scale, so that circles are round.

        All of the wanted ranges stays visible: the axis that has room to spare shows more than was wanted of it.
        """
        if equal != bool(self.plot.getViewBox().state["aspectLocked"]):
            self.plot.setAspectLocked(equal)
            if not self._held:
                self._apply_ranges(list(self._ranges))

    def set_categories(self, names: Sequence[str], axis: str = "x") -> None:
        """Write names at 0, 1, 2, ... of an axis and show all of them; on the y axis the first is on top.

        Parameters
        ----------
        names : sequence of str
            What the categories are called; an empty one brings the numbers back.
        axis : str
            `x` or `y`.
        """
        self.axes[axis].set_categories(names)
        if axis == "y":
            self.plot.getViewBox().invertY(bool(names))
        if names:
            ends = (-0.5, len(names) - 0.5)
            self.set_range(x=ends if axis == "x" else None, y=ends if axis == "y" else None)

    def set_axes_visible(self, *, x: bool = True, y: bool = True, grid: bool = True) -> None:
        """Hide axes or grid where they say nothing, as under a picture."""
        self.plot.showAxis("bottom", x)
        self.plot.showAxis("left", y)
        self.grid.setVisible(grid)

    def set_interactive(self, interactive: bool) -> None:
        """Let the mouse move and zoom the view."""
        self.plot.setMouseEnabled(interactive, interactive)

    def restyle(self) -> None:
        """Take everything from the current theme again."""
        super().restyle()
        if not hasattr(self, "view"):  # called while the frame around the plot is made
            return
        theme = theming.current
        self.view.setMinimumSize(px(140), px(110))
        for axis in self.axes.values():
            axis.restyle(theme)
        self.plot.layout.setContentsMargins(0, px(8), px(16), px(4))  # room for the numbers at the ends, and for descenders
        self.grid.restyle(theme)
        for item in self.items:
            if isinstance(item, Styled):
                item.restyle(theme)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.MouseButtonDblClick:
            self.expand_requested.emit()
            return True
        if isinstance(event, QMouseEvent) and event.type() == QEvent.Type.MouseButtonPress:
            boxed = bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)  # Alt and drag: zoom into a box
            self.plot.getViewBox().setMouseMode(pg.ViewBox.RectMode if boxed else pg.ViewBox.PanMode)
        if event.type() == QEvent.Type.Wheel and not any(self.plot.getViewBox().state["mouseEnabled"]):
            event.ignore()  # let the page scroll
            return True
        return super().eventFilter(watched, event)
