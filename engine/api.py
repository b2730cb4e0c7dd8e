"""The facade: everything `gui/` and `main.py` may use of the engine. Importing it loads neither torch nor any lab."""

from __future__ import annotations

from engine.core.catalog import Entry, Preset, Topic, entries, entry, load, preset_parameters, topics
from engine.core.claims import Claim, ClaimSpec
from engine.core.errors import Cancelled, LabError, UsageError
from engine.core.events import Event, Failed, Finished, FrameReady, Progress, Started
from engine.core.experiment import Experiment, Measure
from engine.core.files import write_atomic
from engine.core.frames import Frame
from engine.core.messages import Message, fill
from engine.core.parameters import (
    SEED_LIMIT,
    FieldSpec,
    LabParameters,
    Problem,
    Ui,
    field_specs,
    parse_assignments,
    problems,
    spec_of,
    validate,
)
from engine.core.resources import load_toml, resource_path
from engine.core.runner import Runner
from engine.core.session import ExperimentState, Session, WindowState, parse_session, read_session, write_session

__all__ = [
    "SEED_LIMIT",
    "Cancelled",
    "Claim",
    "ClaimSpec",
    "Entry",
    "Event",
    "Experiment",
    "ExperimentState",
    "Failed",
    "FieldSpec",
    "Finished",
    "Frame",
    "FrameReady",
    "LabError",
    "LabParameters",
    "Measure",
    "Message",
    "Preset",
    "Problem",
    "Progress",
    "Runner",
    "Session",
    "Started",
    "Topic",
    "Ui",
    "UsageError",
    "WindowState",
    "entries",
    "entry",
    "field_specs",
    "fill",
    "load",
    "load_toml",
    "parse_assignments",
    "parse_session",
    "preset_parameters",
    "problems",
    "read_session",
    "resource_path",
    "spec_of",
    "topics",
    "validate",
    "write_atomic",
    "write_session",
]
