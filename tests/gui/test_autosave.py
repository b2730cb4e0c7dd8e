"""The session on disk: a crash at any moment leaves a readable one, and a bad place or file is one sentence."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QObject

from engine.api import ExperimentState, Message, Session, read_session
from gui.core.window import autosave as module
from gui.core.window.autosave import Autosave, restore, session_path

ROOT = Path(__file__).parents[2]


class Owner(QObject):
    """What the window is to its autosave."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.zoom = 1.0
        self.told: list[Message] = []
        self.autosave = Autosave(path, self.snapshot, self.told.append, self)

    def snapshot(self) -> Session:
        """The state now."""
        return Session(zoom=self.zoom)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No waiting."""
    monkeypatch.setattr(module, "DELAY", 20)
    monkeypatch.setattr(module, "PATIENCE", 20)


@pytest.mark.usefixtures("quick")
def test_many_changes_are_one_file(tmp_path: Path, qtbot: Any) -> None:
    owner = Owner(tmp_path / "deep" / "session.json")
    for step in range(20):
        owner.zoom = 1 + step / 20
        owner.autosave.schedule()
    qtbot.waitUntil(lambda: (tmp_path / "deep" / "session.json").exists(), timeout=2000)
    qtbot.waitUntil(lambda: read_session(tmp_path / "deep" / "session.json").zoom == 1.95)
    assert [file.name for file in (tmp_path / "deep").iterdir()] == ["session.json"]
    owner.autosave.close()


def test_closing_saves_what_was_not_saved_yet(tmp_path: Path, qtbot: Any) -> None:
    owner = Owner(tmp_path / "session.json")
    owner.zoom = 1.5
    owner.autosave.schedule()
    owner.autosave.close()
    assert read_session(tmp_path / "session.json").zoom == 1.5


@pytest.mark.usefixtures("quick")
def test_a_place_that_cannot_be_written_is_told_once(tmp_path: Path, qtbot: Any) -> None:
    (tmp_path / "file").write_text("in the way")
    owner = Owner(tmp_path / "file" / "session.json")
    for _ in range(3):
        owner.autosave.schedule()
        qtbot.wait(80)
    assert len(owner.told) == 1
    assert "cannot be written" in str(owner.told[0])
    owner.autosave.close()
    assert len(owner.told) == 1
    assert (tmp_path / "file").read_text() == "in the way"


@pytest.mark.usefixtures("quick")
def test_a_disk_that_was_full_for_a_moment(tmp_path: Path, qtbot: Any) -> None:
    (tmp_path / "home").write_text("in the way")
    owner = Owner(tmp_path / "home" / "session.json")
    owner.autosave.schedule()
    qtbot.waitUntil(lambda: len(owner.told) == 1, timeout=2000)
    (tmp_path / "home").unlink()
    owner.zoom = 1.25
    owner.autosave.schedule()
    qtbot.waitUntil((tmp_path / "home" / "session.json").exists, timeout=2000)
    owner.autosave.close()
    assert read_session(tmp_path / "home" / "session.json").zoom == 1.25


@pytest.mark.usefixtures("quick")
def test_whatever_goes_wrong_once_is_told_and_saving_goes_on(
    tmp_path: Path, qtbot: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    owner = Owner(tmp_path / "session.json")
    snapshot, write = owner.autosave._snapshot, module.write_session
    for place, name in ((owner.autosave, "_snapshot"), (module, "write_session")):

        def fail(*_: object) -> None:
            raise RecursionError("too deep")

        monkeypatch.setattr(place, name, fail)
        owner.autosave._told = False
        told = len(owner.told)
        owner.autosave.schedule()
        qtbot.waitUntil(lambda told=told: len(owner.told) == told + 1, timeout=20_000)
        assert "too deep" in str(owner.told[-1])
        monkeypatch.setattr(place, name, snapshot if name == "_snapshot" else write)
    owner.zoom = 1.75
    owner.autosave.close()
    assert read_session(tmp_path / "session.json").zoom == 1.75
    caplog.clear()


SAVER = """
import sys
from pathlib import Path
from engine.api import ExperimentState, Session, write_session

path = Path(sys.argv[1])
number = 0
while True:
    number += 1
    state = ExperimentState(parameters={"number": number, "filler": "x" * (number * 997 % 50_000)})
    write_session(path, Session(experiments={"a.b": state}))
    if number == 3:
        print("saving", flush=True)
"""


def test_a_kill_in_the_middle_of_saving_leaves_a_readable_session(tmp_path: Path) -> None:
    path = tmp_path / "session.json"
    chance = random.Random(1)
    newest = 0
    for _ in range(6):
        saver = subprocess.Popen([sys.executable, "-c", SAVER, str(path)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert saver.stdout is not None
        assert saver.stdout.readline() == "saving\n"
        time.sleep(chance.random() * 0.05)
        os.kill(saver.pid, signal.SIGKILL)
        saver.wait()
        saver.stdout.close()
        session, problem = restore(path)
        assert problem is None
        newest = session.experiments["a.b"].parameters["number"]
        assert newest >= 3


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00" * 1000,
        bytes(range(256)),
        b"[" * 200_000,
        b'{"program": "theoria", "experiments": {"a',
        b'{"program": "another"}',
        json.dumps({"program": "theoria", "schema": 99}).encode(),
        b'{"program": "theoria", "language": 7}',
        b'{"program": "theoria", "experiments": {"a.b": {"parameters": {"x": ' + b"[" * 260 + b"]" * 260 + b"}}}}",
    ],
    ids=["empty", "zeros", "garbage", "deep", "cut off", "foreign", "newer", "wrong", "nested"],
)
def test_a_damaged_session_is_set_aside_and_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "session.json"
    path.write_bytes(content)
    session, problem = restore(path)
    assert session == Session()
    assert problem is not None
    (aside,) = tmp_path.iterdir()
    assert str(aside) in str(problem)
    assert aside.read_bytes() == content
    assert restore(path) == (Session(), None)


def test_a_file_far_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "session.json"
    with path.open("wb") as file:
        file.truncate(2**31)
    monkeypatch.setattr(Path, "read_bytes", lambda path: pytest.fail("it was read"))
    session, problem = restore(path)
    assert session == Session()
    assert "too large" in str(problem)


def test_two_damaged_files_in_one_second_do_not_overwrite_each_other(tmp_path: Path) -> None:
    path = tmp_path / "session.json"
    for content in ("one", "two"):
        path.write_text(content)
        restore(path)
    assert sorted(file.read_text() for file in tmp_path.iterdir()) == ["one", "two"]


def test_a_folder_in_the_place_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "session.json").mkdir()
    session, problem = restore(tmp_path / "session.json")
    assert session == Session()
    assert problem is not None


def test_nothing_saved_yet(tmp_path: Path) -> None:
    assert restore(tmp_path / "session.json") == (Session(), None)


def test_the_place_follows_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THEORIA_HOME", str(tmp_path))
    assert session_path() == tmp_path / "session.json"
    monkeypatch.delenv("THEORIA_HOME")
    assert session_path().name == "session.json"


def test_a_good_session_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "session.json"
    kept = Session(current="a.b", experiments={"a.b": ExperimentState(parameters={"x": 1}, playing=False)}, zoom=1.2)
    path.write_text(kept.to_json())
    assert restore(path) == (kept, None)
