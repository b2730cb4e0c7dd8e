"""Play, pause, step, restart, new seed, scrub, speed: the bar under the pictures, the same in every topic."""

from __future__ import annotations

import time

from PySide6.QtCore import QRectF, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QAction, QActionGroup, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QPushButton, QSizePolicy, QToolButton, QWidget

from gui.core.i18n import tr, translator
from gui.core.look.follow import follow
from gui.core.look.icons import set_icon
from gui.core.look.slider import SlideBar
from gui.core.look.theme import BODY, font, px, space, text_width, theming
from gui.core.look.widgets import tabular_figures

SPEEDS = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
POSITIONS = 1000
BUSY_DELAY = 150  # ms; what is faster needs no mark
TURN = 40  # ms between two pictures of the busy mark
SLIDER_WIDTH = 120
BUTTONS = {
    "step": ("step", "Step", "One step", "N"),
    "restart": ("restart", "Restart", "Restart with the same seed", "Ctrl+R"),
    "seed": ("dice", "New seed", "New seed", "Ctrl+Shift+R"),
}


class BusyMark(QWidget):
    """A turning arc that keeps its place while it is not seen."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._angle = 0
        self._shown = False
        self._delay = QTimer(self, interval=BUSY_DELAY, singleShot=True)
        self._delay.timeout.connect(self._begin)
        self._turn = QTimer(self, interval=TURN)
        self._turn.timeout.connect(self._advance)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    @property
    def shown(self) -> bool:
        """Whether the arc is seen."""
        return self._shown

    def set_busy(self, busy: bool) -> None:
        """Show the arc after a moment, or take it away."""
        if not busy:
            self._delay.stop()
            self._turn.stop()
            self._shown = False
            self.update()
        elif not self._shown and not self._delay.isActive():
            self._delay.start()

    def sizeHint(self) -> QSize:
        """As high as a line of text."""
        return QSize(px(16), px(16))

    def paintEvent(self, _event: QPaintEvent) -> None:
        if not self._shown:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        pen = QPen(theming.current.colour("accent"), px(2))
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        margin = px(2)
        painter.drawArc(QRectF(self.rect()).adjusted(margin, margin, -margin, -margin), -self._angle * 16, 270 * 16)

    @Slot()
    def _begin(self) -> None:
        self._shown = True
        self._turn.start()
        self.update()

    @Slot()
    def _advance(self) -> None:
        self._angle = (self._angle + 18) % 360
        self.update()


class SpeedButton(QToolButton):
    """How fast time passes.

    Signals
    -------
    speed_changed : (float)
        The factor that was chosen.
    """

    speed_changed = Signal(float)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.speed = 1.0
        tabular_figures(self)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        menu = QMenu(self)
        group = QActionGroup(menu)
        self._actions = {speed: self._action(speed, menu, group) for speed in SPEEDS}
        group.triggered.connect(self._on_triggered)
        self.setMenu(menu)
        self.set_speed(1.0)

    def set_speed(self, speed: float) -> None:
        """Show a speed without a signal."""
        self.speed = speed
        self.setText(speed_text(speed))
        if speed in self._actions:
            self._actions[speed].setChecked(True)

    def sizeHint(self) -> QSize:
        """Wide enough for every speed; the style sheet would forget a fixed width."""
        widest = max(text_width(speed_text(s), font(BODY, 500, tabular=True)) for s in SPEEDS)
        return QSize(round(widest) + px(20), super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        """As `sizeHint`."""
        return self.sizeHint()

    def _action(self, speed: float, menu: QMenu, group: QActionGroup) -> QAction:
        action = menu.addAction(speed_text(speed))
        action.setCheckable(True)
        action.setData(speed)
        group.addAction(action)
        return action

    @Slot(QAction)
    def _on_triggered(self, action: QAction) -> None:
        if action.data() != self.speed:
            self.set_speed(action.data())
            self.speed_changed.emit(self.speed)


class Stopwatch:
    """How long a run has been playing."""

    def __init__(self) -> None:
        self._before = 0.0
        self._since: float | None = None

    @property
    def seconds(self) -> float:
        """Time played so far."""
        return self._before + (time.monotonic() - self._since if self._since is not None else 0.0)

    def run(self, running: bool) -> None:
        """Start or hold the clock."""
        self._before = self.seconds
        self._since = time.monotonic() if running else None

    def reset(self) -> None:
        """Back to zero; a running clock runs on."""
        self._before = 0.0
        self._since = time.monotonic() if self._since is not None else None


class TransportBar(QWidget):
    """The bar under the pictures. It knows no runner: it shows what it is told and says what a hand wants.

    Signals
    -------
    play_toggled : (bool)
        Play or pause.
    step_requested, restart_requested, new_seed_requested
        One step; the same run again; another seed.
    scrub_requested : (int)
        Show the kept frame of this number.
    live_requested
        Back to the newest frame.
    speed_changed : (float)
        A factor from 0.1 to 8.
    """

    play_toggled = Signal(bool)
    step_requested = Signal()
    restart_requested = Signal()
    new_seed_requested = Signal()
    scrub_requested = Signal(int)
    live_requested = Signal()
    speed_changed = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.playing = False
        self.finished = False
        self._step, self._total = 0, 0
        self._count, self._index = 0, 0
        self._watch = Stopwatch()
        self.play = QPushButton(self)
        self.play.setProperty("role", "play")
        self.buttons = {name: QPushButton(self) for name in BUTTONS}
        self.slider = SlideBar(self)
        self.slider.setRange(0, POSITIONS)
        self.busy = BusyMark(self)
        self.counter = QLabel(self)
        self.counter.setProperty("role", "muted")
        tabular_figures(self.counter)
        self.counter.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.speed = SpeedButton(self)
        self._arrange()
        self._connect()
        self.restyle()
        self.retranslate()
        self._show_track()

    # ---- what it is told -----------------------------------------------------------------------------------------

    def set_playing(self, playing: bool) -> None:
        """Show whether the run plays."""
        self.playing = playing
        self.finished = self.finished and not playing
        self._watch.run(playing)
        self._dress_play()

    def set_finished(self) -> None:
        """The run has come to its end; playing means running again."""
        self.set_playing(False)
        self.finished = True
        self.set_busy(False)
        self._dress_play()

    def set_progress(self, step: int, total: int | None) -> None:
        """Show how far the run is; an endless run has no total and shows the time."""
        if step < self._step:
            self._watch.reset()
            self.finished = False
            self._dress_play()
        if (step, total or 0) != (self._step, self._total):
            self._step, self._total = step, total or 0
            self._show_track()

    def set_history(self, count: int, index: int | None) -> None:
        """Show how many frames are kept and which is seen; None leaves that where it is."""
        at_end = self._index >= self._count - 1
        self._count = count
        self._index = min(index if index is not None else count - 1 if at_end else self._index, max(0, count - 1))
        self._show_track()

    def set_busy(self, busy: bool) -> None:
        """Whether the next picture is awaited; a mark appears after 150 ms."""
        self.busy.set_busy(busy)

    def set_speed(self, speed: float) -> None:
        """Show a speed."""
        self.speed.set_speed(speed)

    @property
    def scrubbing(self) -> bool:
        """Whether an older frame than the newest is shown."""
        return self._index < self._count - 1

    # ---- looks ---------------------------------------------------------------------------------------------------

    def minimumSizeHint(self) -> QSize:
        """Without words on the buttons."""
        return QSize(px(440), super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    @Slot()
    def retranslate(self) -> None:
        """Set all texts in the current language."""
        for name, (_, _, tip, key) in BUTTONS.items():
            self.buttons[name].setToolTip(f"{tr(tip)}  ({key})")
            self.buttons[name].setAccessibleName(tr(tip))
        self.slider.setAccessibleName(tr("Progress"))
        self.speed.setToolTip(tr("Speed"))
        self.speed.setAccessibleName(tr("Speed"))
        self._dress_play()
        self._show_track()
        self._fit()

    @Slot()
    def restyle(self) -> None:
        """Set sizes of the current theme."""
        self._row.setSpacing(space(1))
        self.counter.setMinimumWidth(0)
        self.speed.updateGeometry()
        self.busy.updateGeometry()
        self._show_track()
        self._fit()

    def _arrange(self) -> None:
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSizeConstraint(QHBoxLayout.SizeConstraint.SetNoConstraint)  # words give way first, see `_fit`
        self._row.addWidget(self.play)
        for name, button in self.buttons.items():
            set_icon(button, BUTTONS[name][0], "muted", 16)
            self._row.addWidget(button)
        self._row.addWidget(self.slider, 1)
        for widget in (self.busy, self.counter, self.speed):
            self._row.addWidget(widget)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def _connect(self) -> None:
        self.play.clicked.connect(self._on_play)
        self.buttons["step"].clicked.connect(self.step_requested)
        self.buttons["restart"].clicked.connect(self.restart_requested)
        self.buttons["seed"].clicked.connect(self.new_seed_requested)
        self.speed.speed_changed.connect(self.speed_changed)
        self.slider.slid.connect(self._on_slid)
        self.slider.stepped.connect(self._on_slider_stepped)
        follow(translator.changed, self, self.retranslate)
        follow(theming.changed, self, self.restyle)

    def _dress_play(self) -> None:
        icon, tip = ("pause", "Pause") if self.playing else ("restart", "Run again") if self.finished else ("play", "Play")
        set_icon(self.play, icon, "on_accent", 18)
        self.play.setToolTip(f"{tr(tip)}  ({tr('Space')})")
        self.play.setAccessibleName(tr(tip))

    def _fit(self) -> None:
        """Words on the buttons only where they leave room for the slider."""
        words = [tr(text) for _, text, _, _ in BUTTONS.values()]
        buttons = sum(text_width(word, font(BODY, 500)) + px(16 + 12 + 12 + 8) for word in words)
        fixed = (
            self.play.sizeHint().width()
            + self.counter.minimumWidth()
            + self.speed.sizeHint().width()
            + self.busy.sizeHint().width()
        )
        compact = buttons + fixed + px(SLIDER_WIDTH) + 7 * space(1) > self.width()
        for button, word in zip(self.buttons.values(), words, strict=True):
            button.setText("" if compact else word)

    # ---- the track -----------------------------------------------------------------------------------------------

    @property
    def _reach(self) -> float:
        """How much of the whole run is done; an endless run is always at its end."""
        return min(1.0, self._step / self._total) if self._total else 1.0

    def _show_track(self) -> None:
        seen = self._index / (self._count - 1) if self._count > 1 else 1.0
        known = self._total > 0 or self._count > 1
        self.slider.setEnabled(self._count > 1)
        self.slider.set_reach(round(POSITIONS * self._reach) if known else 0)
        if not self.slider.isSliderDown():
            self.slider.setValue(round(POSITIONS * self._reach * seen) if known else 0)
        self.counter.setText(self._counter_text())
        width = round(text_width(self._widest_text(), font(BODY, tabular=True))) + 1
        if width > self.counter.minimumWidth() or width < self.counter.minimumWidth() / 2:
            self.counter.setMinimumWidth(width)
            self._fit()

    def _counter_text(self) -> str:
        if self._total:
            return f"{self._step:,} / {self._total:,}"
        seconds = int(self._watch.seconds)
        return f"{self._step:,}  ·  {seconds // 60}:{seconds % 60:02d}" if self._step else ""

    def _widest_text(self) -> str:
        return (
            f"{self._total:,} / {self._total:,}"
            if self._total
            else "".join("0" if c.isdigit() else c for c in self._counter_text())
        )

    @Slot()
    def _on_play(self) -> None:
        self.play_toggled.emit(not self.playing)

    @Slot(int)
    def _on_slid(self, position: int) -> None:
        share = min(1.0, position / POSITIONS / self._reach) if self._reach > 0 else 1.0
        self._go(round(share * (self._count - 1)))

    @Slot(int, str)
    def _on_slider_stepped(self, direction: int, size: str) -> None:
        self._go(self._index + direction * (10 if size == "coarse" else 1))

    def _go(self, index: int) -> None:
        index = min(max(0, index), self._count - 1)
        if index == self._index or self._count < 2:
            return
        self._index = index
        self._show_track()
        if index == self._count - 1:
            self.live_requested.emit()
        else:
            self.scrub_requested.emit(index)


def speed_text(speed: float) -> str:
    """A speed as people say it, for example "0.5×"."""
    return f"{speed:g}×"
