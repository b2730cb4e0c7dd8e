"""What is loaded when: the engine without Qt, the window without torch, the list of experiments without either."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
QT = ("PySide6", "pyqtgraph", "gui")


def loaded_after(code: str) -> set[str]:
    """The packages in `sys.modules` of a fresh interpreter that has run the code."""
    ask = "import sys; print('\\n' + ' '.join(sorted({name.split('.')[0] for name in sys.modules})))"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{ask}"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    return set(done.stdout.splitlines()[-1].split())


def test_the_engine_runs_without_qt() -> None:
    code = "from engine.api import entries, load, run\nfor entry in entries(): load(entry.name)"
    assert loaded_after(code).isdisjoint(QT)


def test_the_facade_loads_neither_torch_nor_qt() -> None:
    assert loaded_after("import engine.api").isdisjoint({*QT, "torch", "scipy"})


@pytest.mark.parametrize("arguments", [["list"], ["list", "--json"], ["--help"]], ids=" ".join)
def test_the_list_loads_neither_torch_nor_qt(arguments: list[str]) -> None:
    assert loaded_after(f"import main; assert main.command({arguments}) == 0").isdisjoint({*QT, "torch", "scipy"})


def test_the_window_opens_before_torch_is_there() -> None:
    assert loaded_after("import gui.app").isdisjoint({"torch", "scipy"})
