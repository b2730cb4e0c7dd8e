"""Sessions with arrays: what is written is read, what is damaged gives a sentence."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.api import ExperimentState, Session, UsageError, open_session, write_archive, write_session

SESSION = Session(current="a.b", experiments={"a.b": ExperimentState(parameters={"seed": 3})})


def test_a_zip_keeps_session_and_arrays(tmp_path: Path) -> None:
    path = tmp_path / "kept.zip"
    write_archive(path, SESSION, {"a.b": {"density": np.arange(6.0).reshape(2, 3)}})
    assert open_session(path) == SESSION
    with zipfile.ZipFile(path) as archive, np.load(io.BytesIO(archive.read("arrays/a.b.npz")), allow_pickle=False) as arrays:
        assert np.array_equal(arrays["density"], np.arange(6.0).reshape(2, 3))


def test_json_is_read_by_the_same_door(tmp_path: Path) -> None:
    path = tmp_path / "kept.json"
    write_session(path, SESSION)
    assert open_session(path) == SESSION


def test_a_zip_without_manifest_is_no_session(tmp_path: Path) -> None:
    path = tmp_path / "other.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("hello.txt", "hello")
    with pytest.raises(UsageError, match=r"is not a session"):
        open_session(path)


@settings(max_examples=200, deadline=None)
@given(
    cut=st.floats(0, 1),
    flip=st.integers(0, 255),
    compression=st.sampled_from((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)),
)
def test_damage_gives_a_sentence(tmp_path_factory: pytest.TempPathFactory, cut: float, flip: int, compression: int) -> None:
    path = tmp_path_factory.mktemp("damage") / "damaged.zip"
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("session.json", SESSION.to_json())
    data = bytearray(path.read_bytes())
    place = min(len(data) - 1, int(cut * len(data)))
    data[place] ^= flip
    for content in (bytes(data), bytes(data[:place])):
        path.write_bytes(content)
        try:
            opened = open_session(path)
        except UsageError as error:
            assert "\n" not in str(error)
        else:
            assert isinstance(opened, Session)
