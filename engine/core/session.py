"""The session file: what was open, with which parameters; versioned JSON, read with suspicion."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from engine.core.choices import Language
from engine.core.errors import UsageError
from engine.core.files import NoRegularFile, TooLarge, read_regular, write_atomic

SCHEMA = 1
LARGEST_FILE = 64 * 2**20


class _Document(BaseModel):
    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)


class ExperimentState(_Document):
    """An open experiment. Values are checked against its model when it is opened, so that one bad value loses only itself."""

    parameters: dict[str, Any] = Field(default_factory=dict)
    playing: bool = True
    step: int = Field(0, ge=0)
    tweaked: bool = False  # live parameters were changed on the way: the same steps now lead elsewhere
    view: dict[str, Any] = Field(default_factory=dict)


class WindowState(_Document):
    """How the window looked."""

    geometry: str = ""
    splitters: dict[str, list[int]] = Field(default_factory=dict)
    rail: bool = True
    side: bool = True
    maximized: bool = False


class Session(_Document):
    """Everything open."""

    program: Literal["theoria"] = "theoria"
    schema_: int = Field(SCHEMA, alias="schema", ge=1)
    current: str = ""
    experiments: dict[str, ExperimentState] = Field(default_factory=dict)
    language: Language | None = None
    theme: str | None = None
    zoom: float = Field(1.0, ge=0.5, le=3)
    device: str = "auto"
    window: WindowState = Field(default_factory=WindowState)

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False, populate_by_name=True)

    def to_json(self) -> str:
        """The text of the file; a file name that is no text keeps its odd bytes as JSON escapes."""
        text = json.dumps(self.model_dump(mode="json", by_alias=True), indent=1, ensure_ascii=False) + "\n"
        return text.encode("utf-8", "backslashreplace").decode("utf-8")


def read_session(path: Path) -> Session:
    """Read a session file.

    Raises
    ------
    UsageError
        If the file is missing, too large, damaged, not a session, or of a newer program; the sentence says which.
    """
    try:
        text = read_regular(path, LARGEST_FILE).decode("utf-8")
    except TooLarge:
        raise UsageError("{path} is too large to be a session.", path=str(path)) from None
    except NoRegularFile as error:
        raise UsageError("{path} cannot be read: {reason}.", path=str(path), reason=error.reason) from None
    except OSError as error:
        raise UsageError("{path} cannot be read: {reason}.", path=str(path), reason=error.strerror or str(error)) from None
    except UnicodeDecodeError:
        raise UsageError("{path} is not a session: it is not text.", path=str(path)) from None
    return parse_session(text, str(path))


def parse_session(text: str, name: str) -> Session:
    """The session in a text; `name` is what the sentence calls it.

    Raises
    ------
    UsageError
        As `read_session`.
    """
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise UsageError("{name} is damaged: it is not JSON.", name=name) from None
    if not isinstance(data, dict) or data.get("program") != "theoria":
        raise UsageError("{name} is not a session of Theoria.", name=name)
    schema = data.get("schema")
    if isinstance(schema, int) and schema > SCHEMA:
        raise UsageError("{name} was written by a newer Theoria.", "Update the program to open it.", name=name)
    try:
        session = Session.model_validate(data)
        session.to_json()  # lists in lists, too deep to be written, would stop every later save
    except ValidationError as error:
        place = ".".join(map(str, error.errors()[0]["loc"]))
        raise UsageError("{name} is damaged at {place}.", name=name, place=place) from None
    except (ValueError, RecursionError):
        raise UsageError("{name} is damaged at {place}.", name=name, place="nesting") from None
    return session


def write_session(path: Path, session: Session) -> None:
    """Write a session file in one step.

    Raises
    ------
    UsageError
        If the place cannot be written.
    """
    write_atomic(path, session.to_json())
