"""A new experiment is its three files (and those of its topic): list, command line, pictures and tests follow by themselves."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ADDED = Path(__file__).parent / "new_experiment"
PARTS = ("engine", "gui", "resources", "benchmarks", "tests", "main.py", "pyproject.toml")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program with one experiment more."""
    root = tmp_path_factory.mktemp("house")
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, root / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, root)
    shutil.copytree(ADDED, root, dirs_exist_ok=True)
    return root


def python(house: Path, *arguments: str) -> str:
    """What a command prints; it must succeed."""
    done = subprocess.run([sys.executable, *arguments], cwd=house, capture_output=True, encoding="utf-8", timeout=110)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_is_listed(house: Path) -> None:
    assert "walk.coin" in python(house, "main.py", "list")


def test_it_is_described(house: Path) -> None:
    about = json.loads(python(house, "main.py", "describe", "walk.coin", "--json"))
    assert [each["name"] for each in about["parameters"]] == ["walkers", "steps", "stride", "start", "seed"]
    assert [each["name"] for each in about["presets"]] == ["long"]


def test_it_runs(house: Path) -> None:
    result = json.loads(python(house, "main.py", "run", "walk.coin", "--preset", "long", "--set", "stride=0.5", "--json"))
    assert result["steps"] == 200
    assert result["measures"]["variance"] == pytest.approx(50, rel=0.3)
    assert [claim["holds"] for claim in result["claims"]] == [True]


def test_it_is_drawn(house: Path) -> None:
    python(house, "main.py", "render", "walk.coin", "--out", "coin.png", "--language", "zh")
    assert (house / "coin.png").read_bytes().startswith(b"\x89PNG")


def test_it_is_tested(house: Path) -> None:
    printed = python(house, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/contract", "-k", "coin")
    assert int(printed.split(" passed")[0].split()[-1]) > 20
