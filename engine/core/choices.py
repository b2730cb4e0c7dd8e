"""What command line, session files and window let one choose from, in one place. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Literal

from engine.core.resources import resource_path

Language = Literal["en", "zh"]
LANGUAGES: Mapping[str, str] = {"en": "English", "zh": "中文"}
DEVICES = ("auto", "cpu", "cuda", "mps")


@cache
def themes() -> tuple[str, ...]:
    """The names of all themes, the default first."""
    names = sorted(path.stem for path in resource_path("themes").glob("*.toml"))
    return tuple(sorted(names, key=lambda name: name != "dark"))
