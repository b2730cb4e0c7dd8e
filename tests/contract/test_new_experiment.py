"""A new experiment is its own files (and those of its topic): list, command line, pictures and tests follow by themselves.

One of a single file in engine and gui (`walk.coin`), and one with a folder of its own (`walk.die`).
"""

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
    done = subprocess.run([sys.executable, *arguments], cwd=house, capture_output=True, encoding="utf-8", timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_is_listed(house: Path) -> None:
    listed = python(house, "main.py", "list")
    assert "walk.coin" in listed
    assert "walk.die" in listed


def test_it_is_described(house: Path) -> None:
    about = json.loads(python(house, "main.py", "describe", "walk.coin", "--json"))
    assert [each["name"] for each in about["parameters"]] == ["walkers", "steps", "stride", "start", "seed"]
    assert [each["name"] for each in about["presets"]] == ["long"]


def test_it_runs(house: Path) -> None:
    result = json.loads(python(house, "main.py", "run", "walk.coin", "--preset", "long", "--set", "stride=0.5", "--json"))
    assert result["steps"] == 200
    assert result["measures"]["variance"] == pytest.approx(50, rel=0.3)
    assert [claim["holds"] for claim in result["claims"]] == [True]


@pytest.mark.parametrize("stem", ["coin", "die"])
def test_it_is_drawn(house: Path, stem: str) -> None:
    python(house, "main.py", "render", f"walk.{stem}", "--out", f"{stem}.png", "--language", "zh")
    assert (house / f"{stem}.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("stem", ["coin", "die"])
def test_it_is_tested(house: Path, stem: str) -> None:
    """The contract of experiments and that of panels cover it."""
    tests = ("tests/contract/test_experiments.py", "tests/contract/test_translations.py", "tests/gui/test_every_panel.py")
    printed = python(house, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests, "-k", stem)
    assert int(printed.split(" passed")[0].split()[-1]) > 26
