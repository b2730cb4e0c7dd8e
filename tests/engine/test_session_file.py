"""Session files: whatever they hold, reading them gives a session or one sentence."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.api import ExperimentState, Session, UsageError, open_session, parse_session, read_session, write_session

SESSION = Session(
    current="angles.distribution",
    experiments={"angles.distribution": ExperimentState(parameters={"dimension": 64, "compare": [3, 10], "seed": 7})},
    language="zh",
    theme="light",
    zoom=1.25,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
KEYS = ("schema", "current", "experiments", "language", "theme", "zoom", "device", "window", "unknown")
ALMOST = st.fixed_dictionaries({"program": st.just("theoria")}, optional=dict.fromkeys(KEYS, JSON))


def parsed(text: str) -> Session | None:
    """The session of a text, None where it is refused with a sentence of one line about the file."""
    try:
        return parse_session(text, "file.json")
    except UsageError as error:
        assert str(error).startswith("file.json ")
        assert "\n" not in str(error)
        return None


def test_a_session_survives_its_file(tmp_path: Path) -> None:
    write_session(tmp_path / "a" / "session.json", SESSION)
    assert read_session(tmp_path / "a" / "session.json") == SESSION


@given(st.text())
def test_any_text(text: str) -> None:
    assert parsed(text) is None


@given(JSON)
def test_any_json(value: Any) -> None:
    assert parsed(json.dumps(value)) is None


@given(ALMOST)
def test_almost_a_session_can_be_written_again(value: Any) -> None:
    session = parsed(json.dumps(value))
    if session is not None:
        session.to_json().encode("utf-8")


@pytest.mark.parametrize(
    "text",
    [
        r'{"program": "theoria", "current": "\udcff"}',
        r'{"program": "theoria", "experiments": {"a": {"parameters": {"file": "\udcff"}}}}',
    ],
)
def test_odd_values_survive_too(text: str) -> None:
    session = parse_session(text, "file.json")
    again = parse_session(session.to_json().encode("utf-8").decode("utf-8"), "file.json")
    assert repr(again) == repr(session)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary())
def test_any_bytes(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "session.json"
    file.write_bytes(content)
    with pytest.raises(UsageError):
        read_session(file)


def test_a_file_cut_off_anywhere() -> None:
    text = SESSION.to_json()
    whole = len(text.rstrip())
    for end in range(len(text)):
        assert (parsed(text[:end]) == SESSION) == (end >= whole)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"program": "theoria", "experiments": ' + '{"a": ' * 50_000,
        '{"program": "theoria", "zoom": ' + "9" * 5000 + "}",
        '{"program": "theoria", "zoom": NaN}',
        '{"program": "theoria", "schema": 0}',
        '{"program": "theoria", "window": []}',
    ],
    ids=["deep", "deep objects", "long number", "not a number", "schema", "window"],
)
def test_hostile_texts(text: str) -> None:
    assert parsed(text) is None


def test_a_newer_file_asks_for_a_newer_program() -> None:
    with pytest.raises(UsageError, match=r"newer Theoria\. Update the program"):
        parse_session('{"program": "theoria", "schema": 99}', "file.json")


def test_what_a_newer_program_added_is_ignored() -> None:
    assert parse_session('{"program": "theoria", "schema": 1, "brightness": 3}', "file.json") == Session()


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nothing\.json cannot be read: No such file"):
        read_session(tmp_path / "nothing.json")
    with pytest.raises(UsageError, match="cannot be read"):
        read_session(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes and devices of Unix")
def test_devices_and_pipes_are_no_sessions(tmp_path: Path) -> None:
    """Reading /dev/zero fills the memory; a pipe waits for ever."""
    os.mkfifo(tmp_path / "pipe")
    for path in (Path("/dev/zero"), tmp_path / "pipe", tmp_path):
        for read in (read_session, open_session):
            with pytest.raises(UsageError, match=r"cannot be read: it is (no regular file|a folder)"):
                read(path)
