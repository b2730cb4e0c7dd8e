"""Where the files under ``resources/`` lie, however the program was started."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2] / "resources"


def resource_path(*parts: str) -> Path:
    """The path of a file or folder below ``resources/``; it need not exist."""
    return ROOT.joinpath(*parts)


@cache
def load_toml(*parts: str) -> dict[str, Any]:
    """The content of a TOML file below ``resources/``, read once."""
    with resource_path(*parts).open("rb") as file:
        return tomllib.load(file)
