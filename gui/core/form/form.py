"""The form of an experiment, made from its parameter model: presets, groups of rows, and one validated whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from engine.api import Entry, FieldSpec, LabParameters, Message, UsageError, field_specs, spec_of, strongest_effect, validate
from gui.core.form.drafts import WHOLE, Drafts
from gui.core.form.field import Field
from gui.core.form.presets import PresetBar
from gui.core.form.reading_watch import ReadingWatch
from gui.core.form.sections import make_sections
from gui.core.i18n import tr, translator
from gui.core.look.follow import follow
from gui.core.look.theme import space, theming
from gui.core.look.widgets import is_put_away, show_if


class Form(QWidget):
    """All parameters of an experiment.

    Each edit is checked as part of the whole model. What is refused stays on the screen with a sentence beside it, while the
    last valid parameters go on.

    Connections: every field -> `_on_edited`, `_on_gesture_finished` and `sweep_requested`; preset bar -> `_on_preset`;
    translator and theming -> texts and sizes.

    Parameters
    ----------
    model : type of LabParameters
        The parameter model.
    entry : Entry, optional
        The experiment, for its translations and presets.
    parent : QWidget, optional

    Signals
    -------
    changed : (LabParameters, str)
        New valid parameters, and the strongest effect among those that differ: ``view``, ``live`` or ``restart``.
    gesture_finished : (LabParameters, LabParameters)
        Parameters before and after one gesture; for the undo stack.
    problem : (str)
        A sentence about what was just refused; empty when all is well again.
    sweep_requested : (str)
        A parameter shall travel through its range, or stop.
    """

    changed = Signal(object, object)
    gesture_finished = Signal(object, object)
    problem = Signal(str)
    sweep_requested = Signal(str)

    def __init__(self, model: type[LabParameters], entry: Entry | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = model
        self.experiment = entry.name if entry is not None else None
        self._drafts = Drafts(model())
        self._before: LabParameters | None = None
        self._messages: Mapping[str, Message] = {}
        self.fields = {spec.name: Field(spec, self.experiment, self) for spec in field_specs(model)}
        self.presets = PresetBar(model, entry.presets if entry is not None else (), self)
        self.readings = ReadingWatch(self.fields, self)
        self._general = QLabel(self)
        self._sections = make_sections(list(self.fields.values()), self.experiment, self)
        self._arrange()
        self._connect()
        self.restyle()
        self.retranslate()
        self._show_parameters()

    @property
    def parameters(self) -> LabParameters:
        """The last valid parameters."""
        return self._drafts.parameters

    def set_parameters(self, parameters: LabParameters) -> None:
        """Show parameters without any signal; texts that were refused are forgotten."""
        self._before = None
        self._drafts.set(parameters)
        for name, field in self.fields.items():
            value = getattr(parameters, name)
            if field.value != value or field.problem:
                field.set_value(value)
        self._show_messages({})
        self._show_parameters()

    def take(self, parameters: LabParameters) -> None:
        """Show parameters and tell of them, as one gesture."""
        self.finish_gesture()
        old = self.parameters
        self.set_parameters(parameters)
        if parameters != old:
            self.changed.emit(parameters, strongest_effect(old, parameters))
            self.gesture_finished.emit(old, parameters)

    def finish_gesture(self) -> None:
        """End a gesture that still waits for a pause; to be called before undo."""
        for field in self.fields.values():
            field.editor.end_gesture()

    def spec(self, name: str) -> FieldSpec:
        """The specification of a parameter."""
        return spec_of(self.model, name)

    def set_sweeping(self, name: str | None) -> None:
        """Show which parameter is travelling, or that none is."""
        for field in self.fields.values():
            field.set_sweeping(field.spec.name == name)

    def reset_all(self) -> None:
        """All parameters to their defaults; the seed stays."""
        self._on_preset({})

    @Slot()
    def retranslate(self) -> None:
        """Set all texts; values, focus and half-typed texts stay."""
        self.presets.retranslate()
        for section in self._sections:
            section.retranslate()
        for field in self.fields.values():
            field.retranslate()
        self._show_messages(self._messages)

    @Slot()
    def restyle(self) -> None:
        """Set distances and sizes of the current theme."""
        self._column.setSpacing(space(2))
        self.presets.restyle()
        for section in self._sections:
            section.restyle()
        for field in self.fields.values():
            field.restyle()

    def _arrange(self) -> None:
        self._general.setProperty("role", "error")
        self._general.setWordWrap(True)
        self._general.hide()
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        for widget in (self.presets, self._general, *self._sections):
            self._column.addWidget(widget)
        self._column.addStretch(1)

    def _connect(self) -> None:
        for field in self.fields.values():
            field.edited.connect(self._on_edited)
            field.gesture_finished.connect(self._on_gesture_finished)
            field.sweep_requested.connect(self.sweep_requested)
        self.presets.chosen.connect(self._on_preset)
        follow(translator.changed, self, self.retranslate)
        follow(theming.changed, self, self.restyle)

    @Slot(object)
    def _on_edited(self, value: Any) -> None:
        field = self.sender()
        if not isinstance(field, Field):
            return
        old = self.parameters
        if self._before is None:
            self._before = old
        self._show_messages(self._drafts.edit(field.spec.name, value))
        new = self.parameters
        if new != old:
            self._show_parameters()
            self.changed.emit(new, strongest_effect(old, new))

    @Slot()
    def _on_gesture_finished(self) -> None:
        before, self._before = self._before, None
        if before is not None and before != self.parameters:
            self.gesture_finished.emit(before, self.parameters)

    @Slot(dict)
    def _on_preset(self, values: dict[str, Any]) -> None:
        try:
            self.take(validate(self.model, {"seed": self.parameters.seed, **values}))
        except UsageError as error:
            self._show_messages({WHOLE: error.message})

    def _show_parameters(self) -> None:
        """What follows from the valid parameters: which rows matter, and which preset this is."""
        values = dict(self.parameters)
        for section in self._sections:
            section.show_relevant(values)
        self.presets.show_parameters(self.parameters)
        self.readings.look(self.parameters)

    def _show_messages(self, messages: Mapping[str, Message]) -> None:
        """Each sentence at its field; those about none, or about a field that is hidden, at the top."""
        self._messages = messages
        for name, field in self.fields.items():
            field.set_problem(tr(messages[name], self.experiment) if name in messages else None)
        unseen = [name for name in messages if name not in self.fields or is_put_away(self.fields[name])]
        general = [tr(messages[name], self.experiment) for name in unseen]
        self._general.setText("\n".join(general))
        show_if(self._general, bool(general))
        self.problem.emit(tr(next(iter(messages.values())), self.experiment) if messages else "")
