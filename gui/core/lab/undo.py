"""Undo and redo of parameter changes, one command for each gesture of a hand."""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QUndoCommand, QUndoStack

from engine.api import FieldSpec, LabParameters, changed_specs
from gui.core.form.text import show_value
from gui.core.i18n import tr

DEPTH = 1000  # gestures; a command holds two small frozen models
STROKE = 0.6  # s: edits of a hand in a picture that follow each other so closely are one gesture
ONE_OF_MANY = 1  # identity of commands that may be joined
NAMED_AT_MOST = 2  # parameters in the name of a command


class ParameterChange(QUndoCommand):
    """The parameters before and after one gesture."""

    def __init__(self, old: LabParameters, new: LabParameters, history: ParameterHistory, *, moving: bool = False) -> None:
        super().__init__()
        self.old = old
        self.new = new
        self.moving = moving
        self.made = time.monotonic()
        self._history = weakref.ref(history)  # the history owns the command
        self._done = True  # by the hand, before the command existed

    def redo(self) -> None:
        """The parameters after the gesture."""
        if self._done:  # the stack calls this once when the command is pushed
            self._done = False
        else:
            self._want(self.new)

    def undo(self) -> None:
        """The parameters before the gesture."""
        self._want(self.old)

    def id(self) -> int:
        """Only what a moving hand has made is ever joined."""
        return ONE_OF_MANY if self.moving else -1

    def mergeWith(self, other: QUndoCommand) -> bool:
        """Join the next edit of the same stroke: at once, and of no other parameters than the first edit touched."""
        if not isinstance(other, ParameterChange) or other.made - self.made > STROKE or other.old != self.new:
            return False
        touched = {spec.name for spec in changed_specs(self.old, self.new)}
        if not {spec.name for spec in changed_specs(other.old, other.new)} <= touched:
            return False
        self.new, self.made = other.new, other.made
        self.setObsolete(self.old == self.new)
        return True

    def _want(self, parameters: LabParameters) -> None:
        history = self._history()
        if history is not None:
            history.wanted.emit(parameters)


class ParameterHistory(QObject):
    """What was changed in one experiment, and the way back.

    Parameters
    ----------
    model : type of LabParameters
        The parameter model, for the names of commands.
    experiment : str or None
        Whose translations hold the labels.
    apply : callable
        Takes over parameters; connected to `wanted`.
    parent : QObject

    Signals
    -------
    changed
        What can be undone or redone has changed.
    wanted : (LabParameters)
        Parameters to take over.
    """

    changed = Signal()
    wanted = Signal(object)

    def __init__(
        self, model: type[LabParameters], experiment: str | None, apply: Callable[[LabParameters], Any], parent: QObject
    ) -> None:
        super().__init__(parent)
        self._model = model
        self._experiment = experiment
        self._stack = QUndoStack(self)
        self._stack.setUndoLimit(DEPTH)
        self._stack.indexChanged.connect(self._on_index_changed)
        self.wanted.connect(apply)

    def __len__(self) -> int:
        return self._stack.count()

    @property
    def can_undo(self) -> bool:
        """Whether there is a gesture to take back."""
        return self._stack.canUndo()

    @property
    def can_redo(self) -> bool:
        """Whether there is a gesture to repeat."""
        return self._stack.canRedo()

    @property
    def undo_text(self) -> str:
        """What the next undo takes back, for example "Dimension 100 → 300", in the current language."""
        return self._text(self._stack.index() - 1)

    @property
    def redo_text(self) -> str:
        """What the next redo repeats, in the current language."""
        return self._text(self._stack.index())

    @Slot(object, object)
    def push(self, old: LabParameters, new: LabParameters) -> None:
        """Remember a gesture that has been made; one without effect is not remembered."""
        if old != new:
            self._stack.push(ParameterChange(old, new, self))

    def push_moving(self, old: LabParameters, new: LabParameters) -> None:
        """Remember an edit of a hand that may still be moving: a stroke is one gesture, however many edits it is."""
        if old != new:
            self._stack.push(ParameterChange(old, new, self, moving=True))

    @Slot()
    def undo(self) -> None:
        """Take the last gesture back."""
        self._stack.undo()

    @Slot()
    def redo(self) -> None:
        """Repeat the gesture that was taken back last."""
        self._stack.redo()

    def clear(self) -> None:
        """Forget everything."""
        self._stack.clear()

    @Slot(int)
    def _on_index_changed(self, _index: int) -> None:
        self.changed.emit()

    def _text(self, index: int) -> str:
        command = self._stack.command(index)
        return self.describe(command.old, command.new) if isinstance(command, ParameterChange) else ""

    def describe(self, old: LabParameters, new: LabParameters) -> str:
        """The name of a change in the current language."""
        specs = changed_specs(old, new)
        if len(specs) > NAMED_AT_MOST:
            return tr("{count} parameters", count=len(specs))
        return ", ".join(self._one(spec, getattr(old, spec.name), getattr(new, spec.name)) for spec in specs)

    def _one(self, spec: FieldSpec, old: Any, new: Any) -> str:
        label = tr(spec.ui.label, self._experiment)
        return f"{label} {self._value(spec, old)} → {self._value(spec, new)}"

    def _value(self, spec: FieldSpec, value: Any) -> str:
        if spec.kind == "choice":
            return tr(spec.ui.choices.get(value, value), self._experiment)
        if spec.kind == "switch":
            return tr("on") if value else tr("off")
        return show_value(spec, value)
