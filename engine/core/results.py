"""What a run without a window leaves: numbers, claims, and four files."""

from __future__ import annotations

import csv
import io
import json
import math
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.core.archive import npz
from engine.core.claims import Claim
from engine.core.errors import UsageError
from engine.core.files import write_atomic
from engine.core.frames import Frame
from engine.core.parameters import LabParameters
from engine.core.session import ExperimentState, Session

FILES = ("result.json", "history.csv", "arrays.npz", "session.json")


@dataclass(frozen=True, slots=True)
class Result:
    """A run from its first frame to its last.

    Parameters
    ----------
    experiment
        Its name, ``topic.experiment``.
    parameters
        What it ran with.
    device
        Where it ran: ``cpu``, ``cuda`` or ``mps``.
    seconds
        How long it took.
    columns
        Names of the measures.
    history
        One row per frame: the step number, then the measures in the order of `columns`.
    frame
        The last frame; None where the run was interrupted before the first.
    interrupted
        Whether somebody stopped it; what was finished is here.
    reading
        How files were read, by parameter, ready for JSON.
    """

    experiment: str
    parameters: LabParameters
    device: str
    seconds: float
    columns: tuple[str, ...]
    history: list[tuple[float, ...]] = field(default_factory=list)
    frame: Frame | None = None
    interrupted: bool = False
    reading: Mapping[str, Any] = field(default_factory=dict)

    @property
    def steps(self) -> int:
        """Steps of the algorithm behind the last frame."""
        return self.frame.step if self.frame else 0

    @property
    def measures(self) -> Mapping[str, float]:
        """The measures of the last frame by name."""
        return self.frame.measures if self.frame else {}

    @property
    def claims(self) -> tuple[Claim, ...]:
        """The claims as they stood at the last frame."""
        return self.frame.claims if self.frame else ()

    @property
    def tables(self) -> Mapping[str, list[Any]]:
        """The tables of the last frame by name."""
        return self.frame.tables if self.frame else {}

    def to_dict(self) -> dict[str, Any]:
        """Everything but the arrays, ready for JSON: numbers that are not finite become None."""
        data = {
            "experiment": self.experiment,
            "parameters": self.parameters.model_dump(mode="json"),
            "seed": self.parameters.seed,
            "device": self.device,
            "seconds": self.seconds,
            "steps": self.steps,
            "interrupted": self.interrupted,
            "settled": str(self.frame.settled) if self.frame else "",
            "measures": dict(self.measures),
            "tables": dict(self.tables),
            "claims": [
                {
                    "name": claim.name,
                    "statement": claim.statement,
                    "expected": claim.expected,
                    "measured": claim.measured,
                    "tolerance": claim.tolerance,
                    "holds": claim.holds,
                    "remark": str(claim.remark),
                }
                for claim in self.claims
            ],
        }
        if self.reading:
            data["reading"] = dict(self.reading)
        found: dict[str, Any] = plain(data)
        return found

    def to_json(self) -> str:
        """`to_dict` as text; a file name that is no text keeps its odd bytes as JSON escapes."""
        text = json.dumps(self.to_dict(), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        return text.encode("utf-8", "backslashreplace").decode("utf-8")


def plain(value: Any) -> Any:
    """The value in the types that JSON has; numbers that are not finite become None."""
    if hasattr(value, "tolist"):  # arrays, tensors and their scalars
        value = value.tolist()
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def check_folder(folder: Path, names: Iterable[str] = FILES) -> None:
    """Make the folder, and make sure that a long run will be able to leave files of these names there.

    Raises
    ------
    UsageError
        If the files could not be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
        taken = next((folder / name for name in names if (folder / name).is_dir()), None)
    except OSError as error:
        reason = error.strerror or str(error)
        raise UsageError("{path} cannot be written: {reason}.", path=str(folder), reason=reason) from None
    if taken:
        raise UsageError("{path} cannot be written: it is a folder.", path=str(taken))


def check_place(file: Path) -> None:
    """Make sure that a file can be written later, in a folder that is there: a slip in a path must not make folders.

    Raises
    ------
    UsageError
        If it cannot.
    """
    if not file.parent.exists():
        raise UsageError("There is no folder {path}.", "Make it first, or choose another place.", path=str(file.parent))
    check_folder(file.parent, [file.name])


def write_outputs(result: Result, folder: Path) -> None:
    """Write ``result.json``, ``history.csv``, ``arrays.npz`` and ``session.json`` into a folder.

    Raises
    ------
    UsageError
        If the folder cannot be written.
    """
    state = ExperimentState(parameters=result.parameters.saved())
    session = Session(current=result.experiment, experiments={result.experiment: state})
    write_atomic(folder / "result.json", result.to_json())
    write_atomic(folder / "history.csv", history_csv(result))
    write_atomic(folder / "arrays.npz", npz(result.frame.arrays if result.frame else {}))
    write_atomic(folder / "session.json", session.to_json())


def history_csv(result: Result) -> str:
    """One row of measures per frame, every digit kept."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("step", *result.columns))
    writer.writerows((int(step), *map(repr, measures)) for step, *measures in result.history)
    return text.getvalue()
