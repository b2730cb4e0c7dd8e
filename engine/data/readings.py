"""What the parameters of an experiment read: told before the run, on the command line and beside the field."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.core.parameters import FieldSpec, LabParameters, field_specs, spec_of
from engine.data.number_tables import nothing, read_table
from engine.data.reading import Reading
from engine.data.texts import read_folder, read_text


def readings(parameters: LabParameters, between: Callable[[], None] = nothing) -> dict[str, Reading]:
    """The readings of all files and folders that these parameters use, by parameter.

    Raises
    ------
    LabError
        If one of them cannot be read.
    """
    values = dict(parameters)
    return {
        spec.name: reading(parameters, spec.name, between)
        for spec in field_specs(type(parameters))
        if spec.ui.reads and values[spec.name] and spec.matters(values)
    }


def reading(parameters: LabParameters, name: str, between: Callable[[], None] = nothing, *, whole: bool = False) -> Reading:
    """The reading of one file or folder; of a `whole` table, without regard to the columns that are chosen.

    Raises
    ------
    LabError
        If it cannot be read.
    """
    spec = spec_of(type(parameters), name)
    path = getattr(parameters, name)
    match spec.ui.reads:
        case "table":
            return read_table(path, () if whole else _columns(parameters, name), between).reading
        case "text":
            return read_text(path)[1]
        case "texts":
            found = read_folder(path, between).reading
            assert found is not None  # only examples have none
            return found
    raise TypeError(f"{name} does not say what it reads")


def _columns(parameters: LabParameters, name: str) -> tuple[Any, ...]:
    """The columns chosen of a table, all where no parameter chooses them."""
    chooser: FieldSpec | None = next((spec for spec in field_specs(type(parameters)) if spec.ui.of == name), None)
    return tuple(getattr(parameters, chooser.name)) if chooser is not None else ()
