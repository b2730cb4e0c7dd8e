"""Editors: what a hand does with the widgets of a field, turned into values and gestures. One class per kind of parameter."""

from __future__ import annotations

import secrets
from typing import Any, cast

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QStyle, QStyleOptionButton, QWidget

from engine.api import SEED_LIMIT, FieldSpec
from gui.core.form.scale import Size, scale_of, snap
from gui.core.form.text import show_value
from gui.core.form.value_edit import ValueEdit
from gui.core.i18n import tr
from gui.core.look.slider import SlideBar
from gui.core.look.style import set_invalid
from gui.core.look.theme import px
from gui.core.look.widgets import NUMBER_WIDTH, ChoiceBox, IconButton, Segments
from gui.core.numbers import nice_below

PAUSE = 300  # ms without a key or a notch of the wheel end a gesture
THOUGHT = 700  # ms without a key: a number that stands so long is meant, and not the beginning of another
SEGMENTS_AT_MOST = 4
LETTERS_ACROSS = 30  # of all segments together, side by side in a side panel
LETTERS_INLINE = 10  # of all segments, or 16 of the longest item of a combo box, beside the label
NEW_SEEDS = 10**6  # a new seed is short enough to be read aloud


class Editor(QObject):
    """The editing part of a field.

    ``box`` stands beside the label and ``wide`` below it; either may be missing. An editor holds the value that was edited
    last, allowed or not.

    Signals
    -------
    edited : (object)
        A new value, on every tick of a drag and every key.
    finished
        The gesture has ended.
    """

    edited = Signal(object)
    finished = Signal()

    box: QWidget | None = None
    wide: QWidget | None = None

    def __init__(self, spec: FieldSpec, experiment: str | None, parent: QWidget) -> None:
        super().__init__(parent)
        self.spec = spec
        self.experiment = experiment
        self.value: Any = spec.default
        self._open = False
        self._pause = QTimer(self, interval=PAUSE, singleShot=True)
        self._pause.timeout.connect(self.end_gesture)
        self.build(parent)

    def build(self, parent: QWidget) -> None:
        """Make the widgets."""
        raise TypeError(f"{type(self).__name__} does not build anything")

    def show(self, value: Any) -> None:
        """Put a value into the widgets, without a signal."""
        raise TypeError(f"{type(self).__name__} does not show anything")

    def retranslate(self) -> None:
        """Set all texts."""

    def restyle(self) -> None:
        """Set all sizes and fonts."""

    @property
    def main(self) -> QWidget:
        """The widget that takes the focus and the red border."""
        return cast(QWidget, self.box or self.wide)

    def set_value(self, value: Any) -> None:
        """Hold and show a value, without a signal."""
        self.value = value
        self.show(value)

    def set_invalid(self, invalid: bool) -> None:
        """Mark the widget."""
        set_invalid(self.main, invalid)

    def touch(self, value: Any) -> None:
        """The hand has made a new value."""
        self._open = True
        self.value = value
        self.edited.emit(value)

    def touch_at_once(self, value: Any) -> None:
        """A gesture of one single edit."""
        self.touch(value)
        self.end_gesture()

    @Slot()
    def end_gesture(self) -> None:
        """The hand has let go."""
        self._pause.stop()
        if self._open:
            self._open = False
            self.finished.emit()


class TextEditor(Editor):
    """Texts, lists and matrices in the syntax of the command line: one line of text.

    What was typed is taken over at once, in a `patient` editor after a pause or with Return: 1e4 is the beginning of 1e400.
    """

    patient = False

    def build(self, parent: QWidget) -> None:
        """One line below the label."""
        self.line = self.wide = ValueEdit(parent)
        self.connect_line()

    def connect_line(self) -> None:
        """Listen to the line."""
        self.line.textEdited.connect(self._on_typed)
        self.line.editingFinished.connect(self._on_editing_finished)
        self.line.abandoned.connect(self._on_abandoned)
        self._sound: Any = self.value  # what stood here before it was typed at; Escape goes back to it
        self._thought = QTimer(self, interval=THOUGHT, singleShot=True)
        self._thought.timeout.connect(self._take_typed)

    def show(self, value: Any) -> None:
        """The value as text."""
        self._thought.stop()
        self._sound = value
        self.line.show_text(show_value(self.spec, value))

    def restyle(self) -> None:
        """Room for what stands in the line."""
        self.line.restyle()

    def take(self, value: Any) -> None:
        """Take over what was typed."""
        self.touch(value)

    @Slot()
    def end_gesture(self) -> None:
        """What was typed counts before the gesture ends."""
        if self._thought.isActive():
            self._take_typed()
        super().end_gesture()

    @Slot(str)
    def _on_typed(self, _text: str) -> None:
        if self.patient:
            self._thought.start()
        else:
            self._take_typed()

    @Slot()
    def _take_typed(self) -> None:
        self._thought.stop()
        self.take(self.spec.parse(self.line.text()))

    @Slot()
    def _on_editing_finished(self) -> None:
        if self._thought.isActive():
            self._take_typed()
        if not self.line.property("invalid"):
            self.show(self.value)
        self.end_gesture()

    @Slot()
    def _on_abandoned(self) -> None:
        sound = self._sound
        self.set_value(sound)
        self.touch_at_once(sound)


class NumberEditor(TextEditor):
    """A number: a typed value, and a slider below it where the range is finite."""

    patient = True

    def build(self, parent: QWidget) -> None:
        """The line beside the label, the slider below."""
        self.scale = scale_of(self.spec)
        self.line = ValueEdit(parent, steps=True)
        self.line.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.line.stepped.connect(self._on_stepped)
        self.connect_line()
        self.slider: SlideBar | None = None
        self.box = self.line
        if self.scale is None:
            self.line.add_arrows()
        else:
            self.wide = self.slider = SlideBar(parent)
            self.slider.setRange(0, self.scale.positions)
            if self.scale.low < 0 < self.scale.high:
                self.slider.set_origin(self.scale.position(0))
            self.slider.slid.connect(self._on_slid)
            self.slider.stepped.connect(self._on_stepped)
            self.slider.let_go.connect(self.end_gesture)

    def show(self, value: Any) -> None:
        """The value as text and as a position."""
        super().show(value)
        self._show_position(value)

    def retranslate(self) -> None:
        """Nothing but numbers here; the slider is told apart by name."""
        if self.slider is not None:
            self.slider.setAccessibleName(tr(self.spec.ui.label, self.experiment))

    def restyle(self) -> None:
        """One width for all numbers of a form."""
        super().restyle()
        self.line.setFixedWidth(px(NUMBER_WIDTH))

    def take(self, value: Any) -> None:
        """The slider goes along."""
        self._show_position(value)
        self.touch(value)

    @Slot(int)
    def _on_slid(self, position: int) -> None:
        if self.scale is not None:
            value = self._sound = self.scale.value(position)
            self._thought.stop()
            self.line.show_text(show_value(self.spec, value))
            if value != self.value:
                self.touch(value)

    @Slot(int, str)
    def _on_stepped(self, direction: int, size: str) -> None:
        if self._thought.isActive():
            self._take_typed()
        start = self._sound if isinstance(self.value, str) else self.value
        value = self._sound = self._stepped(start, direction, cast(Size, size))
        self.line.show_text(show_value(self.spec, value))
        self._show_position(value)
        if value != self.value:
            self._pause.start()
            self.touch(value)

    def _stepped(self, value: float, direction: int, size: Size) -> float:
        if self.scale is not None:
            return self.scale.stepped(value, direction, size)
        step = {"fine": 0.1, "step": 1.0, "coarse": 10.0}[size]
        if self.spec.kind == "int":
            moved: float = int(value) + direction * max(1, int(step))
        else:
            unit = nice_below(max(abs(value), abs(float(self.spec.default))) / 10) * step
            moved = snap(value + direction * unit, unit)
        if self.spec.minimum is not None and moved <= self.spec.minimum:
            return value if self.spec.open_minimum else type(moved)(self.spec.minimum)
        if self.spec.maximum is not None and moved >= self.spec.maximum:
            return value if self.spec.open_maximum else type(moved)(self.spec.maximum)
        return moved

    def _show_position(self, value: Any) -> None:
        if self.slider is not None and self.scale is not None and isinstance(value, int | float):
            self.slider.setValue(self.scale.position(value))


class SeedEditor(TextEditor):
    """A seed: a typed number and a die for a new one."""

    patient = True

    def build(self, parent: QWidget) -> None:
        """Line and die beside the label."""
        self.line = ValueEdit(parent)
        self.line.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.connect_line()
        self.dice = IconButton("dice", parent, size=16)
        self.dice.clicked.connect(self._on_dice)
        self.box = beside(parent, self.dice, self.line)

    @property
    def main(self) -> QWidget:
        """The line."""
        return self.line

    def retranslate(self) -> None:
        """The die says what it does."""
        self.dice.set_text(tr("New seed"))

    def restyle(self) -> None:
        """As wide as a number."""
        super().restyle()
        self.line.setFixedWidth(px(NUMBER_WIDTH))

    @Slot()
    def _on_dice(self) -> None:
        seed = secrets.randbelow(min(SEED_LIMIT, NEW_SEEDS))
        self.set_value(seed)
        self.touch_at_once(seed)


class SwitchEditor(Editor):
    """On or off."""

    def build(self, parent: QWidget) -> None:
        """A switch beside the label."""
        self.switch = self.box = QCheckBox(parent)
        self.switch.clicked.connect(self.touch_at_once)

    def restyle(self) -> None:
        """No wider than what is drawn, so that the right column stands."""
        option = QStyleOptionButton()
        option.initFrom(self.switch)
        self.switch.setFixedWidth(self.switch.style().pixelMetric(QStyle.PixelMetric.PM_IndicatorWidth, option, self.switch))

    def show(self, value: Any) -> None:
        """Set the switch."""
        self.switch.setChecked(bool(value))


class ChoiceEditor(Editor):
    """One of several names: segments where they are few and short, a combo box otherwise."""

    def build(self, parent: QWidget) -> None:
        """Beside the label if there is room for it, else below."""
        lengths = [len(self._name(choice)) for choice in self.spec.choices]
        self.segments: Segments | None = None
        self.combo: ChoiceBox | None = None
        if (
            len(lengths) <= SEGMENTS_AT_MOST
            and sum(lengths) <= LETTERS_ACROSS
            and max(lengths) * len(lengths) <= LETTERS_ACROSS + 6
        ):
            self.segments = Segments(len(lengths), parent)
            self.segments.chosen.connect(self._on_chosen)
            inline = sum(lengths) <= LETTERS_INLINE
        else:
            self.combo = ChoiceBox(parent)
            self.combo.addItems(list(self.spec.choices))
            self.combo.activated.connect(self._on_chosen)
            inline = max(lengths) <= LETTERS_INLINE + 6
        widget = self.segments or self.combo
        self.box, self.wide = (widget, None) if inline else (None, widget)

    def show(self, value: Any) -> None:
        """Mark the choice."""
        index = self.spec.choices.index(value) if value in self.spec.choices else -1
        if self.segments is not None:
            self.segments.choose(index)
        elif self.combo is not None:
            self.combo.setCurrentIndex(index)

    def retranslate(self) -> None:
        """Name the choices in the current language."""
        names = [tr(self._name(choice), self.experiment) for choice in self.spec.choices]
        if self.segments is not None:
            self.segments.set_texts(names)
        elif self.combo is not None:
            for index, name in enumerate(names):
                self.combo.setItemText(index, name)

    def restyle(self) -> None:
        """At least as wide as a number, so that the right column stands."""
        self.main.setMinimumWidth(px(NUMBER_WIDTH))

    def _name(self, choice: str) -> str:
        return self.spec.ui.choices.get(choice, choice)

    @Slot(int)
    def _on_chosen(self, index: int) -> None:
        choice = self.spec.choices[index]
        if choice != self.value:
            self.touch_at_once(choice)


def beside(parent: QWidget, *widgets: QWidget) -> QWidget:
    """A row of widgets that takes its focus from its first line."""
    holder = QWidget(parent)
    row = QHBoxLayout(holder)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(px(4))
    for widget in widgets:
        row.addWidget(widget)
        if isinstance(widget, ValueEdit):
            holder.setFocusProxy(widget)
    return holder
