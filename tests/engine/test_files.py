"""Files: a crash at any moment leaves the old content or the new one."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine.api import UsageError, write_atomic

ROOT = Path(__file__).parents[2]
SIZE = 300_000
WRITER = f"""
import sys
from pathlib import Path
from engine.core.files import write_atomic
while True:
    for letter in "ab":
        write_atomic(Path(sys.argv[1]), letter * {SIZE})
"""


def test_text_and_bytes_are_written_and_replaced(tmp_path: Path) -> None:
    file = tmp_path / "new" / "folder" / "file.txt"
    write_atomic(file, "数学")
    assert file.read_bytes() == "数学".encode()
    write_atomic(file, b"\x00\xff")
    assert file.read_bytes() == b"\x00\xff"
    assert [path.name for path in file.parent.iterdir()] == ["file.txt"]


def test_a_place_that_cannot_be_written_is_a_sentence_and_keeps_what_was_there(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("before")
    with pytest.raises(UsageError, match="cannot be written"):
        write_atomic(file / "below a file", "text")
    assert file.read_text() == "before"
    (tmp_path / "folder").mkdir()
    with pytest.raises(UsageError, match="cannot be written"):
        write_atomic(tmp_path / "folder", "text")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


@pytest.mark.skipif(os.name != "posix", reason="kill -9")
def test_a_killed_writer_leaves_a_whole_file(tmp_path: Path) -> None:
    file = tmp_path / "file"
    write_atomic(file, "a" * SIZE)
    for delay in (0.0, 0.003, 0.01, 0.017, 0.05):
        before = file.stat().st_ino
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(file)], cwd=ROOT)
        while file.stat().st_ino == before and writer.poll() is None:
            time.sleep(0.001)
        time.sleep(delay)
        writer.kill()
        assert writer.wait() == -9
        assert file.read_text() in ("a" * SIZE, "b" * SIZE)
