"""The command line from outside: exit codes, streams, signals, files."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

import main
from engine.api import read_session

ROOT = Path(__file__).parents[2]
NAME = "angles.distribution"
SMALL = ("--set", "dimension=8", "--set", "pairs=2000")
LONG = ("--set", "dimension=100", "--set", "pairs=100000000", "--set", "method=vectors")
posix = pytest.mark.skipif(os.name != "posix", reason="POSIX signals and pipes")


PATIENCE = 300  # seconds: whoever needs them hangs


def processor_seconds(process: subprocess.Popen[str]) -> float:
    """Processor time that a process has used so far."""
    try:
        times = psutil.Process(process.pid).cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)


def main_py(*arguments: str, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the program to its end."""
    return subprocess.run(
        [sys.executable, str(ROOT / "main.py"), *arguments],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        encoding="utf-8",
        timeout=PATIENCE,
    )


def test_run_prints_one_json_object_and_leaves_four_files(tmp_path: Path) -> None:
    done = main_py("run", NAME, *SMALL, "--seed", "3", "--json", "--out", str(tmp_path / "out"), LANG="C", LC_ALL="C")
    assert (done.returncode, done.stderr) == (0, "")
    result = json.loads(done.stdout)
    assert {"experiment", "parameters", "seed", "device", "seconds", "measures", "tables", "claims"} <= result.keys()
    assert (result["experiment"], result["seed"], result["parameters"]["dimension"]) == (NAME, 3, 8)
    assert all(
        set(c) == {"name", "statement", "expected", "measured", "tolerance", "holds", "remark"} for c in result["claims"]
    )

    assert json.loads((tmp_path / "out" / "result.json").read_text("utf-8")) == result
    with (tmp_path / "out" / "history.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["step", *result["measures"]]
    assert {name: float(rows[-1][name]) for name in result["measures"]} == result["measures"]
    with np.load(tmp_path / "out" / "arrays.npz", allow_pickle=False) as arrays:
        assert len(arrays.files) > 0
        assert all(arrays[name].size for name in arrays.files if name != "compare")
    session = read_session(tmp_path / "out" / "session.json")
    assert session.experiments[NAME].parameters == result["parameters"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "arrays.npz",
        "history.csv",
        "result.json",
        "session.json",
    ]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["run", NAME, "--set", "dimension=1"], ["(dimension) = 1", "from 2 to 1,000,000"]),
        (["run", NAME, "--out", f"{__file__}/below"], ["below cannot be written"]),
        (["runn", NAME], ["'runn' is neither a command nor a file", "list, describe, run"]),
    ],
)
def test_a_wrong_request_is_one_line_and_exit_code_2(arguments: list[str], named: list[str]) -> None:
    done = main_py(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert all(word in done.stderr for word in named)


@posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_keeps_what_was_finished(tmp_path: Path, number: signal.Signals) -> None:
    arguments = [sys.executable, "main.py", "run", NAME, *LONG, "--json", "--out", str(tmp_path / "out")]
    process = subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8")
    while not (tmp_path / "out").exists() and process.poll() is None:
        time.sleep(0.01)
    began = processor_seconds(process)
    while processor_seconds(process) < began + 0.7 and process.poll() is None:  # the first frames are there
        time.sleep(0.05)
    process.send_signal(number)
    process.send_signal(number)  # as `timeout` does
    stdout, stderr = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert stderr.startswith("Interrupted after ")
    assert len(stderr.splitlines()) == 1
    result = json.loads(stdout)
    assert result["interrupted"]
    assert result["measures"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "arrays.npz",
        "history.csv",
        "result.json",
        "session.json",
    ]


# Says when main.py has taken over Ctrl+C: what comes before belongs to the interpreter.
ARMED = """
import runpy, signal, sys
take = signal.signal

def tell(number, handler):
    before = take(number, handler)
    print("armed", flush=True)
    signal.signal = take
    return before

signal.signal = tell
sys.argv[0] = "main.py"
runpy.run_path("main.py", run_name="__main__")
"""


@posix
@pytest.mark.parametrize("delay", [0.0, 0.1, 0.4, 1.2])
def test_ctrl_c_while_it_starts_says_nothing(delay: float) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", ARMED, "run", NAME, *LONG],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "armed\n"
    time.sleep(delay)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert "Traceback" not in stderr


@posix
@pytest.mark.parametrize("becomes", [None, ImportError("interrupted while it loads")])
def test_ctrl_c_is_never_an_internal_error(
    becomes: Exception | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither before the run has begun, nor where a module that was loading turns it into an error of its own."""

    def interrupted(*_: object, **__: object) -> None:
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            raise becomes or KeyboardInterrupt from None

    monkeypatch.setattr("engine.headless.load", interrupted)
    assert main.command(["run", NAME]) == 130
    assert capsys.readouterr().err == ""


@posix
@pytest.mark.parametrize("arguments", [["list"], ["describe", NAME, "--json"]], ids=" ".join)
def test_a_reader_that_leaves_early_is_no_error(arguments: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as closed:
        done = subprocess.run(
            [sys.executable, "main.py", *arguments],
            cwd=ROOT,
            stdout=closed,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            timeout=PATIENCE,
        )
    assert (done.returncode, done.stderr) == (0, "")


def test_check_tells_of_every_experiment() -> None:
    done = main_py("check")
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split()[1] for line in done.stdout.splitlines()] == ["ok"] * len(done.stdout.splitlines())
    assert NAME in done.stdout


# ---- files that are read -----------------------------------------------------------------------------------------------


def test_a_run_tells_what_it_read_and_its_session_opens_from_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    rows = "".join(f"{index};{index % 7},5;{(index * index) % 11},25\n" for index in range(1, 41))
    (tmp_path / "here" / "données.csv").write_bytes(("id;Größe;Länge\n" + rows + "41;NA;3\n").encode("cp1252"))
    mixture = ("run", "em.mixture", "--set", "data=file", "--set", "components=1", "--set", "steps=2")
    done = main_py(*mixture, "--set", "file=données.csv", "--out", "out", cwd=tmp_path / "here")
    assert done.returncode == 0
    assert done.stderr.splitlines() == [
        "Rows: 40. Columns: Größe, Länge.",
        "Columns left out: id (numbers of rows).",
        "Read as: Windows-1252, semicolons, decimal comma, names in row 1.",
        "Rows left out (1): 42 (NA).",
    ]
    saved = read_session(tmp_path / "here" / "out" / "session.json").experiments["em.mixture"].parameters
    assert saved["file"] == str(tmp_path / "here" / "données.csv")
    done = main_py(*mixture, "--set", f"file={saved['file']}", "--set", "columns=Länge", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    reading = json.loads(done.stdout)["reading"]["file"]
    assert (reading["rows"], reading["encoding"], reading["decimal_mark"]) == (41, "Windows-1252", ",")
    assert [column["name"] for column in reading["columns"] if column["taken"]] == ["Länge"]


@posix
@pytest.mark.parametrize("path", ["/dev/zero", "/dev/urandom", "pipe"])
def test_devices_and_pipes_are_refused_at_once(tmp_path: Path, path: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    done = main_py("run", "em.mixture", "--set", "data=file", "--set", f"file={tmp_path / path}")
    assert done.returncode == 1
    assert "it is no regular file" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_numbers_of_the_command_line_are_those_of_the_form() -> None:
    done = main_py("run", "em.mixture", "--set", "data=values", "--set", "values=1_000,2,3")
    assert done.returncode == 2
    assert "(values) = '1_000' is not allowed" in done.stderr
    wide = ("--set", "values=１，２，3，8，9，10", "--set", "components=2", "--set", "steps=1", "--json")
    done = main_py("run", "em.mixture", "--set", "data=values", *wide)
    assert json.loads(done.stdout)["parameters"]["values"] == [[1, 2, 3, 8, 9, 10]]
