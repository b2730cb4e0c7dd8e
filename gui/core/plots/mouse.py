"""What hears the mouse over a plot before the plot does."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPointF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QWheelEvent

from gui.core.plots.plot import PlotCard

LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
PRESSES = (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonDblClick)


class MouseTool(QObject):
    """A tool that is asked first for every event of the mouse over a plot; what it declines stays with the plot.

    Parameters
    ----------
    card : PlotCard
        Where the tool works; it also owns the tool.
    """

    def __init__(self, card: PlotCard) -> None:
        super().__init__(card)
        self.card = card
        self.view, self.plot, self.axes = card.view, card.plot, card.axes
        self._enabled = True  # before anything can be filtered
        self.view.viewport().setMouseTracking(True)
        self.view.viewport().installEventFilter(self)
        self.view.installEventFilter(self)

    @property
    def enabled(self) -> bool:
        """Whether the tool takes the mouse."""
        return self._enabled

    @enabled.setter
    def enabled(self, enabled: bool) -> None:
        if bool(enabled) != self._enabled:
            self.end()
            self._enabled = bool(enabled)
            self.switched()

    def switched(self) -> None:
        """The tool was taken up or laid down."""

    def end(self) -> None:
        """Finish what the hand is doing now."""

    def inside(self, at: QPointF) -> bool:
        """Whether a place of the viewport lies in the plot between its axes."""
        box = self.plot.getViewBox()
        found: bool = box.sceneBoundingRect().contains(self.view.mapToScene(at.toPoint()))
        return found

    def to_data(self, at: QPointF) -> tuple[float, float]:
        """Where in data coordinates a place of the viewport lies."""
        return self.card.to_data(self.view.viewportTransform().inverted()[0].map(at))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if not getattr(self, "_enabled", False):  # events still come while the collector takes a dropped card apart
            return False
        if isinstance(event, QKeyEvent):  # these come to the view, all others to its viewport
            return self._heard_key(event)
        if watched is self.view:
            return False
        if isinstance(event, QMouseEvent):
            if event.type() in PRESSES:
                return self.pressed(event)
            if event.type() == QEvent.Type.MouseMove:
                return self.moved(event)
            return event.type() == QEvent.Type.MouseButtonRelease and self.released(event)
        if isinstance(event, QWheelEvent):
            return self.turned(event)
        if event.type() == QEvent.Type.Leave:
            self.left()
        return False

    def _heard_key(self, event: QKeyEvent) -> bool:
        if not self.wants(event):
            return False
        if event.type() == QEvent.Type.ShortcutOverride:
            event.accept()  # then it comes again as a key, instead of being a command of the window
            return True
        return event.type() == QEvent.Type.KeyPress and self.key(event)

    def listen(self) -> None:
        """Take the keyboard while the hand works here."""
        self.view.setFocus(Qt.FocusReason.MouseFocusReason)

    def pressed(self, event: QMouseEvent) -> bool:
        """A button went down; True keeps it from the plot."""
        return False

    def moved(self, event: QMouseEvent) -> bool:
        """The mouse moved."""
        return False

    def released(self, event: QMouseEvent) -> bool:
        """A button came up."""
        return False

    def turned(self, event: QWheelEvent) -> bool:
        """The wheel was turned."""
        return False

    def left(self) -> None:
        """The mouse left the plot."""

    def wants(self, event: QKeyEvent) -> bool:
        """Whether a key is meant for the tool."""
        return False

    def key(self, event: QKeyEvent) -> bool:
        """A wanted key was pressed."""
        return False


class Dropper(MouseTool):
    """A click with Ctrl names a place.

    Attributes
    ----------
    dropped : Signal(float, float)
        Where, in data coordinates.
    """

    dropped = Signal(float, float)

    def pressed(self, event: QMouseEvent) -> bool:
        held = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if not held or event.button() != Qt.MouseButton.LeftButton or not self.inside(event.position()):
            return False
        self.dropped.emit(*self.to_data(event.position()))
        return True
