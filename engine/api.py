"""The facade: everything `gui/` and `main.py` may use of the engine. Importing it loads neither torch nor any lab."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from engine.core.archive import open_session, write_archive
from engine.core.catalog import Entry, Preset, Topic, entries, entry, load, preset_parameters, topics
from engine.core.choices import DEVICES, LANGUAGES, themes
from engine.core.claims import Claim, ClaimSpec
from engine.core.errors import Cancelled, LabError, UsageError, internal_error, unknown_name
from engine.core.events import Event, Failed, Finished, FrameReady, Progress, Returned, Started
from engine.core.experiment import ENDLESS_LIMIT, Experiment, Measure
from engine.core.files import write_atomic
from engine.core.frame_tables import FrameTable, csv_blocks, frame_tables
from engine.core.frames import Frame
from engine.core.mailbox import Mailbox
from engine.core.messages import Message, fill
from engine.core.parameters import (
    SEED_LIMIT,
    Effect,
    FieldSpec,
    LabParameters,
    Problem,
    Ui,
    changed_specs,
    field_specs,
    parse_assignments,
    problems,
    salvage,
    spec_of,
    strongest_effect,
    validate,
)
from engine.core.resources import load_toml, resource_path
from engine.core.results import Result, check_folder, check_place, write_outputs
from engine.core.runner import Runner
from engine.core.session import ExperimentState, Session, WindowState, parse_session, read_session, write_session

if TYPE_CHECKING:
    from engine.data.reading import ColumnReading, Reading
    from engine.data.readings import reading
    from engine.headless import Check, first_frames, last_frame, run, run_with


def import_torch() -> None:
    """Import torch and set what must stand before any work."""
    from engine.core.device import prepare_process

    prepare_process()


def device_problem(name: str) -> LabError | None:
    """Why a device cannot be used on this machine, None if it can. Loads torch."""
    from engine.core.device import resolve_device

    try:
        resolve_device(name)
    except LabError as error:
        return error
    return None


def give_back_memory() -> None:
    """Return to the system what the allocators keep of runs that have ended; takes milliseconds, any thread will do."""
    from engine.core.device import give_back_memory as give_back

    give_back()


__all__ = [
    "DEVICES",
    "ENDLESS_LIMIT",
    "LANGUAGES",
    "SEED_LIMIT",
    "Cancelled",
    "Check",
    "Claim",
    "ClaimSpec",
    "ColumnReading",
    "Effect",
    "Entry",
    "Event",
    "Experiment",
    "ExperimentState",
    "Failed",
    "FieldSpec",
    "Finished",
    "Frame",
    "FrameReady",
    "FrameTable",
    "LabError",
    "LabParameters",
    "Mailbox",
    "Measure",
    "Message",
    "Preset",
    "Problem",
    "Progress",
    "Reading",
    "Result",
    "Returned",
    "Runner",
    "Session",
    "Started",
    "Topic",
    "Ui",
    "UsageError",
    "WindowState",
    "changed_specs",
    "check_folder",
    "check_place",
    "csv_blocks",
    "device_problem",
    "entries",
    "entry",
    "field_specs",
    "fill",
    "first_frames",
    "frame_tables",
    "give_back_memory",
    "import_torch",
    "internal_error",
    "last_frame",
    "load",
    "load_toml",
    "open_session",
    "parse_assignments",
    "parse_session",
    "preset_parameters",
    "problems",
    "read_session",
    "reading",
    "resource_path",
    "run",
    "run_with",
    "salvage",
    "spec_of",
    "strongest_effect",
    "themes",
    "topics",
    "unknown_name",
    "validate",
    "write_archive",
    "write_atomic",
    "write_outputs",
    "write_session",
]

_LATER = {
    **dict.fromkeys(("Check", "first_frames", "last_frame", "run", "run_with"), "engine.headless"),
    **dict.fromkeys(("ColumnReading", "Reading"), "engine.data.reading"),
    "reading": "engine.data.readings",
}


def __getattr__(name: str) -> Any:
    """What needs torch or numpy is imported when it is first asked for."""
    if name in _LATER:
        return getattr(importlib.import_module(_LATER[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
