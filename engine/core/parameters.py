"""Parameters: one frozen pydantic model per experiment, from which form, command line, presets, files and undo follow."""

from __future__ import annotations

import os
import re
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Annotated, Any, Literal, Self, TypeVar

import annotated_types
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError, PydanticUndefined

from engine.core.errors import UsageError, unknown_name
from engine.core.messages import Message
from engine.core.number_text import half_width
from engine.core.value_text import format_value, parse_value, plain_text

Kind = Literal["int", "float", "choice", "switch", "seed", "file", "folder", "text", "ints", "floats", "matrix", "columns"]
Reads = Literal["", "table", "text", "texts"]
Effect = Literal["view", "live", "restart"]

SEED_LIMIT = 2**32 - 1

Model = TypeVar("Model", bound="LabParameters")


@dataclass(frozen=True, slots=True)
class Ui:
    """What a parameter means to a person; never how it is drawn.

    Parameters
    ----------
    label, symbol, unit, help
        The name, the letter of the formulas, the unit, and one sentence.
    group
        Heading under which the parameter stands.
    scale
        ``log`` where ratios matter more than differences.
    effect
        ``view``: the last frame is drawn again; ``live``: the next step sees it; ``restart``: a new run.
    kind
        Given only where the type does not tell: ``seed``, ``file``, ``folder`` or ``columns``.
    choices
        Names of the values of a choice.
    when
        Other parameters and the values for which this one matters: all of them, or of several such mappings any one.
    advanced
        Shown only on demand.
    reads
        What a path leads to: a ``table`` of numbers, a ``text``, or a folder of ``texts``; what was read of it is told.
    of
        The table whose columns are chosen here: the name of its parameter.
    """

    label: str
    symbol: str = ""
    unit: str = ""
    help: str = ""
    group: str = ""
    scale: Literal["linear", "log"] = "linear"
    effect: Effect = "restart"
    kind: Kind | None = None
    choices: Mapping[str, str] = field(default_factory=dict)
    when: Mapping[str, tuple[Any, ...]] | Sequence[Mapping[str, tuple[Any, ...]]] = ()
    advanced: bool = False
    reads: Reads = ""
    of: str = ""

    @property
    def conditions(self) -> tuple[Mapping[str, tuple[Any, ...]], ...]:
        """The alternatives of `when`; none where the parameter always matters."""
        return ((self.when,) if self.when else ()) if isinstance(self.when, Mapping) else tuple(self.when)


class LabParameters(BaseModel):
    """Base of all parameter models: immutable, hashable, closed to unknown names, finite numbers only."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True)

    seed: Annotated[
        int,
        Field(ge=0, le=SEED_LIMIT),
        Ui("Seed", help="The same seed gives the same run, number by number.", kind="seed", group="Run"),
    ] = 0

    @model_validator(mode="before")
    @classmethod
    def numbers_are_no_texts(cls, values: Any) -> Any:
        """A text that means no number in our grammar is not given to the more generous one of pydantic (``2023_01``)."""
        for spec in field_specs(cls) if isinstance(values, Mapping) else ():
            text = _text_in(spec.kind, values.get(spec.name))
            if text is not None:
                refused = _not_allowed(spec, text)
                raise PydanticCustomError(
                    "lab", "{template}", {"field": spec.name, "template": refused.template, "values": refused.values}
                )
        return values

    def changed(self, /, **values: Any) -> Self:
        """A validated copy with some values replaced (`model_copy` would not validate)."""
        return validate(type(self), {**self.model_dump(), **values})

    def saved(self) -> dict[str, Any]:
        """Plain values for a file that may be opened from another folder: paths are whole."""
        paths = {spec.name: getattr(self, spec.name) for spec in field_specs(type(self)) if spec.kind in ("file", "folder")}
        whole = {name: os.path.abspath(os.path.expanduser(path)) for name, path in paths.items() if path}
        return {**self.model_dump(mode="json"), **whole}


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One parameter as forms, command lines and documents need it."""

    name: str
    kind: Kind
    default: Any
    ui: Ui
    minimum: float | None = None
    maximum: float | None = None
    open_minimum: bool = False
    open_maximum: bool = False
    choices: tuple[str, ...] = ()

    @property
    def called(self) -> Message:
        """What the parameter is called in a sentence: its label, and the name that command line and files know."""
        return Message("{label} ({name})", {"label": Message(self.ui.label), "name": self.name})

    @property
    def allowed(self) -> Message:
        """What the parameter accepts, as part of a sentence."""
        low, high = _number(self.minimum), _number(self.maximum)
        match self.kind:
            case "choice":
                return Message("one of {choices}", {"choices": ", ".join(self.choices)})
            case "switch":
                return Message("true or false")
            case "file":
                return Message("the path of a file")
            case "folder":
                return Message("the path of a folder")
            case "text":
                return Message("a text")
            case "ints":
                return Message("whole numbers separated by commas")
            case "floats":
                return Message("numbers separated by commas")
            case "matrix":
                return Message("numbers separated by commas, rows by semicolons")
            case "columns":
                return Message("names or numbers of columns separated by commas")
            case "int" | "seed" if self.minimum is not None and self.maximum is not None:
                return Message("a whole number from {low} to {high}", {"low": low, "high": high})
            case "int" | "seed" if self.minimum is not None:
                return Message("a whole number from {low} up", {"low": low})
            case "int" | "seed":
                return Message("a whole number")
        return Message(self._interval(), {"low": low, "high": high})

    def _interval(self) -> str:
        if self.minimum is None and self.maximum is None:
            return "a number"
        if self.maximum is None:
            return "a number above {low}" if self.open_minimum else "a number from {low} up"
        if self.minimum is None:
            return "a number below {high}" if self.open_maximum else "a number up to {high}"
        match self.open_minimum, self.open_maximum:
            case False, False:
                return "a number from {low} to {high}"
            case True, False:
                return "a number above {low}, up to {high}"
            case False, True:
                return "a number from {low}, below {high}"
        return "a number between {low} and {high}"

    def matters(self, values: Mapping[str, Any]) -> bool:
        """Whether the parameter has an effect beside these values of the others."""
        conditions = self.ui.conditions
        return not conditions or any(all(values.get(name) in wanted for name, wanted in each.items()) for each in conditions)

    def parse(self, text: str) -> Any:
        """The value that a text means; a text that means none is returned as it is, for the model to refuse."""
        return parse_value(self.kind, text)

    def format(self, value: Any) -> str:
        """The text that `parse` turns into the value again."""
        return format_value(self.kind, value)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one parameter; the field is empty where it is the whole."""

    field: str
    message: Message


@cache
def field_specs(model: type[LabParameters]) -> tuple[FieldSpec, ...]:
    """The parameters of a model in the order of declaration, the seed last."""
    names = [name for name in model.model_fields if name != "seed"] + ["seed"]
    return tuple(_field_spec(name, model.model_fields[name]) for name in names)


def changed_specs(old: LabParameters, new: LabParameters) -> tuple[FieldSpec, ...]:
    """The parameters of a model that differ between two sets of values, in their order."""
    return tuple(spec for spec in field_specs(type(new)) if getattr(old, spec.name) != getattr(new, spec.name))


def strongest_effect(old: LabParameters, new: LabParameters) -> Effect | None:
    """What a change asks for: ``restart`` before ``live`` before ``view``; None where nothing differs."""
    order: tuple[Effect, ...] = ("restart", "live", "view")
    effects = {spec.ui.effect for spec in changed_specs(old, new)}
    return next((effect for effect in order if effect in effects), None)


def spec_of(model: type[LabParameters], name: str) -> FieldSpec:
    """The specification of one parameter.

    Raises
    ------
    UsageError
        If there is no parameter of this name; the sentence lists those there are.
    """
    for spec in field_specs(model):
        if spec.name == name:
            return spec
    raise _unknown(model, name)


def validate(model: type[Model], values: Mapping[str, Any]) -> Model:
    """Build the model, or say in one sentence what is wrong with the first value that is.

    Raises
    ------
    UsageError
        Names the parameter, the value and what is allowed.
    """
    try:
        return model(**values)
    except ValidationError as error:
        first = problems(model, error)[0]
        raise UsageError("{problem}", problem=first.message) from None


def salvage(model: type[Model], values: Mapping[str, Any]) -> tuple[Model, tuple[str, ...]]:
    """The model of values that may be damaged, value by value, and the names of those that were replaced by defaults."""
    try:
        return validate(model, values), ()
    except UsageError:
        pass
    found, refused = model(), list[str]()
    for name, value in values.items():
        try:
            found = found.changed(**{name: value})
        except UsageError:
            refused.append(name)
    return found, tuple(refused)


def problems(model: type[LabParameters], error: ValidationError) -> list[Problem]:
    """The sentences behind a pydantic error, one per parameter."""
    found: dict[str, Problem] = {}
    for detail in error.errors(include_url=False):
        context = detail.get("ctx", {})
        name = str(detail["loc"][0]) if detail["loc"] else str(context.get("field", ""))
        found.setdefault(name, Problem(name, _sentence(model, name, detail)))
    return list(found.values())


def problem(field_name: str, template: str, **values: Any) -> PydanticCustomError:
    """What a validator of a lab raises: a translatable sentence about one parameter."""
    context = {"field": field_name, "template": template, "values": values}
    return PydanticCustomError("lab", "{template}", context)


def parse_assignments(model: type[LabParameters], assignments: Mapping[str, str]) -> dict[str, Any]:
    """Values from texts, as the command line and text fields give them.

    Raises
    ------
    UsageError
        If a name is unknown.
    """
    return {name: spec_of(model, name).parse(text) for name, text in assignments.items()}


def _unknown(model: type[LabParameters], name: str) -> UsageError:
    names = (spec.name for spec in field_specs(model))
    return unknown_name("There is no parameter {name}.", "The parameters are {names}.", name, names)


def _sentence(model: type[LabParameters], name: str, detail: Any) -> Message:
    if detail["type"] == "lab":
        return Message(detail["ctx"]["template"], detail["ctx"]["values"])
    if detail["type"] == "extra_forbidden":
        unknown = _unknown(model, name)
        return Message("{what} {hint}", {"what": unknown.message, "hint": unknown.hint})
    if not name:  # a rule of the whole model that names no field
        return Message("{problem}", {"problem": detail["msg"]})
    return _not_allowed(spec_of(model, name), detail["input"])


def _not_allowed(spec: FieldSpec, value: Any) -> Message:
    values = {"name": spec.called, "value": _shorten(spec, value), "allowed": spec.allowed}
    if isinstance(value, str) and spec.kind in ("int", "float", "seed") and re.search("[0-9],[0-9]", half_width(value)):
        return Message(
            "{name} = {value} is not allowed: it takes {allowed}. The decimal mark is a point, a comma parts groups of three.",
            values,
        )
    return Message("{name} = {value} is not allowed: it takes {allowed}.", values)


def _text_in(kind: Kind, value: Any) -> str | None:
    """A text where numbers belong, None where there is none."""
    match kind:
        case "int" | "float" | "seed":
            parts: Sequence[Any] = (value,)
        case "ints" | "floats" if isinstance(value, tuple | list):
            parts = value
        case "matrix" if isinstance(value, tuple | list):
            parts = [part for row in value if isinstance(row, tuple | list) for part in row]
        case _:
            return None
    return next((part for part in parts if isinstance(part, str)), None)


def _shorten(spec: FieldSpec, value: Any, limit: int = 60) -> str:
    text = repr(value) if isinstance(value, str) or spec.kind in ("choice", "text", "file", "folder") else plain_text(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _field_spec(name: str, info: FieldInfo) -> FieldSpec:
    ui = next((item for item in info.metadata if isinstance(item, Ui)), None)
    if ui is None or info.default is PydanticUndefined:
        raise TypeError(f"parameter {name} needs a default and a Ui")
    bounds: dict[str, Any] = {}
    for item in info.metadata:
        match item:
            case annotated_types.Ge(bound):
                bounds.update(minimum=bound)
            case annotated_types.Gt(bound):
                bounds.update(minimum=bound, open_minimum=True)
            case annotated_types.Le(bound):
                bounds.update(maximum=bound)
            case annotated_types.Lt(bound):
                bounds.update(maximum=bound, open_maximum=True)
    annotation = info.annotation
    choices = tuple(typing.get_args(annotation)) if typing.get_origin(annotation) is Literal else ()
    return FieldSpec(name, ui.kind or _kind(name, annotation), info.default, ui, choices=choices, **bounds)


def _kind(name: str, annotation: Any) -> Kind:
    simple: dict[Any, Kind] = {bool: "switch", int: "int", float: "float", str: "text"}
    if annotation in simple:
        return simple[annotation]
    if typing.get_origin(annotation) is Literal:
        return "choice"
    if typing.get_origin(annotation) is tuple:
        inner = typing.get_args(annotation)[0]
        inner = typing.get_args(inner)[0] if typing.get_origin(inner) is Annotated else inner
        if inner is int:
            return "ints"
        if inner is float:
            return "floats"
        if isinstance(inner, types.GenericAlias) or typing.get_origin(inner) is tuple:
            return "matrix"
    raise TypeError(f"parameter {name} has a type no form can show: {annotation}")


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"
