"""The command line from inside: what it accepts, what it prints, what it refuses."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import main
from engine.api import LabError, Session, UsageError, entries, field_specs, load, write_archive

NAME = "angles.distribution"

every_experiment = pytest.mark.parametrize("name", [entry.name for entry in entries()])


def outcome(*arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error."""
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
        code = main.command(arguments)
    return code, out.getvalue(), err.getvalue()


def test_list_shows_every_experiment() -> None:
    code, out, err = outcome("list")
    assert (code, err) == (0, "")
    assert [line.split()[0] for line in out.splitlines()] == [entry.name for entry in entries()]
    listed = json.loads(outcome("list", "--json")[1])["experiments"]
    assert [(item["name"], item["title"]) for item in listed] == [(entry.name, entry.titles["en"]) for entry in entries()]


@every_experiment
def test_describe_shows_everything(name: str) -> None:
    code, out, err = outcome("describe", name, "--json")
    assert (code, err) == (0, "")
    about = json.loads(out)
    experiment = load(name)
    assert [item["name"] for item in about["parameters"]] == [spec.name for spec in field_specs(experiment.parameters)]
    keys = {"name", "type", "default", "range", "choices", "unit", "effect", "help", "symbol", "group"}
    assert all(keys <= item.keys() for item in about["parameters"])
    assert [item["name"] for item in about["measures"]] == [measure.name for measure in experiment.measures]
    assert [item["statement"] for item in about["claims"]] == [claim.statement for claim in experiment.claims]
    code, out, err = outcome("describe", name)
    assert (code, err) == (0, "")
    assert all(item["name"] in out for item in (*about["parameters"], *about["measures"], *about["presets"]))


@every_experiment
def test_first_frames_of_a_run_can_be_printed(name: str) -> None:
    code, out, err = outcome("run", name, "--limit", "0", "--device", "cpu")
    assert (code, err) == (0, "")
    assert all(measure.name in out for measure in load(name).measures)


def test_assignments_start_from_the_preset_and_the_last_word_counts() -> None:
    parameters = main._parameters(NAME, "plane", ["bins=50", "bins=60", "seed=4"], "9")
    assert (
        parameters.model_dump()
        == load(NAME).parameters(dimension=2, window="full", compare=(3, 10), bins=60, seed=9).model_dump()
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run"], "Missing argument 'TOPIC.EXPERIMENT'"),
        (
            ["run", "angels.distribution"],
            "no experiment 'angels.distribution'. Did you mean angles.distribution? The experiments are",
        ),
        (["run", NAME, "--sett", "a=1"], "--sett"),
        (["run", NAME, "--set"], "--set"),
        (["run", NAME, "--set", "bins"], "--set 'bins' has no '=': write --set name=value."),
        (["run", NAME, "--set", "bims=20"], "no parameter 'bims'. Did you mean bins? The parameters are dimension, pairs"),
        (["run", NAME, "--set", "bins=many"], "Bins (bins) = 'many' is not allowed: it takes a whole number from 10 to 500."),
        (["run", NAME, "--set", "law=a\nb"], "Entries drawn from (law) = 'a\\nb' is not allowed: it takes one of gaussian"),
        (["run", NAME, "--seed", "-1"], "Seed (seed) = -1 is not allowed: it takes a whole number from 0 to 4,294,967,295."),
        (
            ["run", NAME, "--preset", "plan"],
            "no preset 'plan' of angles.distribution. Did you mean plane? The presets are plane",
        ),
        (["run", NAME, "--device", "tpu"], "no device 'tpu'. Did you mean cpu? The devices are auto, cpu, cuda, mps."),
        (["run", NAME, "--limit", "-1"], "--limit = '-1' is not allowed"),
        (["describe", "nothing"], "no experiment 'nothing'"),
        (["list", "extra"], "extra"),
        (["render", NAME], "--out"),
        (["render", NAME, "--out", "a.bmp"], "--out = 'a.bmp' is not allowed"),
        (["render", NAME, "--out", "a.png", "--size", "4"], "--size = '4' is not allowed: it takes width and height"),
        (
            ["render", NAME, "--out", "a.png", "--size", "9x1200"],
            "9 x 1200 pixels cannot be made: each side takes 64 to 16384.",
        ),
        (["render", NAME, "--out", "a.png", "--scale", "x"], "--scale = 'x' is not allowed: it takes a number"),
        (["render", NAME, "--out", "a.png", "--scale", "40"], "scaled by 40.0: it takes a number from 0.1 to 16."),
        (["render", NAME, "--out", "a.png", "--theme", "pink"], "no theme 'pink'. The themes are dark, light, stage."),
        (["render", NAME, "--out", "a.png", "--theme", "drak"], "no theme 'drak'. Did you mean dark?"),
        (["render", NAME, "--out", "a.png", "--language", "fr"], "no language 'fr'. The languages are en, zh."),
        (["render", NAME, "--out", "nowhere/a.png"], "no folder nowhere. Make it first, or choose another place."),
        (["bench", "nothing"], "no benchmark 'nothing'"),
        (["--experiment", "nothing"], "no experiment 'nothing'"),
        (["--experimnet", NAME], "no option '--experimnet'. Did you mean --experiment?"),
        (["rneder", NAME], "'rneder' is neither a command nor a file. Did you mean render? The commands are list"),
        (["describe", "sampling"], "no experiment 'sampling'. Did you mean langevin.sampling?"),
        (["--experiment"], "--experiment needs a value."),
        (["--bright"], "no option '--bright'. The options of the window are --experiment, --device."),
        (["--device", "tpu"], "no device 'tpu'. Did you mean cpu? The devices are auto, cpu, cuda, mps."),
        (["nothing.json"], "'nothing.json' is neither a command nor a file."),
        (["pyproject.toml"], "pyproject.toml is damaged: it is not JSON."),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_request_is_explained_in_one_line(arguments: list[str], words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(main.__file__).parent)
    code, out, err = outcome(*arguments)
    assert (code, out) == (2, "")
    assert words in err
    assert err.count("\n") == 1


def test_help_tells_of_the_window() -> None:
    code, out, err = outcome("--help")
    assert (code, err) == (0, "")
    assert "[--experiment TOPIC.EXPERIMENT] [--device auto|cpu|cuda|mps] [SESSION]" in out
    assert all(f"\n  {command} " in out for command in main.COMMANDS)


def test_a_slip_in_a_path_makes_no_folder(tmp_path: Path) -> None:
    code, _, err = outcome("render", NAME, "--out", str(tmp_path / "pictrues" / "a.png"))
    assert (code, err) == (2, f"There is no folder {tmp_path / 'pictrues'}. Make it first, or choose another place.\n")
    assert list(tmp_path.iterdir()) == []


def test_the_window_opens_an_archive_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_archive(tmp_path / "mine.zip", Session(current=NAME), {})
    opened: list[object] = []
    monkeypatch.setattr("gui.app.run", lambda *arguments: opened.append(arguments[2]) or 0)
    assert outcome("-platform", "offscreen", str(tmp_path / "mine.zip")) == (0, "", "")
    assert opened == [tmp_path / "mine.zip"]


def test_an_output_that_cannot_be_written_is_found_before_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.headless.run_with", lambda *_, **__: pytest.fail("it ran"))
    (tmp_path / "file").write_text("")
    (tmp_path / "taken" / "history.csv").mkdir(parents=True)
    for out in ("file", "file/below", "taken"):
        code, printed, err = outcome("run", NAME, "--out", str(tmp_path / out))
        assert (code, printed) == (2, "")
        assert "cannot be written" in err


def test_a_failed_run_is_explained_and_exit_code_1(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise LabError("Step size {value} is above the stability limit.", "Lower it.", value=0.9)

    monkeypatch.setattr("engine.headless.run_with", fails)
    assert outcome("run", NAME, "--json") == (1, "", "Step size 0.9 is above the stability limit. Lower it.\n")


def test_a_mistake_of_ours_is_exit_code_1_with_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.headless.run_with", lambda *_, **__: 1 / 0)
    code, out, err = outcome("run", NAME, "--json")
    assert (code, out) == (1, "")
    assert err.splitlines()[-1].startswith("Internal error: ZeroDivisionError: division by zero")
    assert "Traceback" in err


def test_the_window_takes_qt_options_a_session_and_an_experiment(tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text("{}")
    arguments = [
        "-platform",
        "vnc",
        "--style=Fusion",
        "-reverse",
        "--experiment",
        NAME,
        str(tmp_path / "mine.json"),
        "--device=cpu",
    ]
    ours, qt, files = main._window_arguments(arguments)
    assert ours == {"experiment": NAME, "device": "cpu"}
    assert qt == ["-platform", "vnc", "-style", "Fusion", "-reverse"]
    assert files == [tmp_path / "mine.json"]


@pytest.mark.skipif(sys.platform != "linux", reason="asks the X server")
@pytest.mark.parametrize(("name", "reason"), [("", "DISPLAY is not set"), (":98765", "the display :98765 does not answer")])
def test_without_a_display_there_is_a_gallery(name: str, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("DISPLAY", name)
    monkeypatch.setattr(main, "gallery", lambda: 0)
    code, out, err = outcome()
    assert (code, out) == (0, "")
    assert reason in err
    assert err.count("\n") == 1


# ---- garbage -----------------------------------------------------------------------------------------------------------

NAMES = st.sampled_from([spec.name for spec in field_specs(load(NAME).parameters)])
ASSIGNMENTS = st.one_of(st.text(), st.builds("{}={}".format, NAMES, st.text()))


@given(st.lists(ASSIGNMENTS, max_size=4), st.none() | st.text())
def test_any_assignment_is_taken_or_explained(assignments: list[str], seed: str | None) -> None:
    try:
        main._parameters(NAME, None, assignments, seed)
    except UsageError as error:
        assert str(error)


@settings(deadline=None)
@given(st.sampled_from(main.COMMANDS), st.lists(st.text(min_size=1).map("--no-{}".format), min_size=1, max_size=3))
def test_unknown_options_are_explained(command: str, options: list[str]) -> None:
    code, out, err = outcome(command, *options)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1


@given(st.lists(st.one_of(st.text(), st.text().map("-{}".format), st.text().map("--{}".format)), max_size=4))
def test_any_arguments_of_the_window_are_taken_or_explained(arguments: list[str]) -> None:
    try:
        main._window_arguments(arguments)
    except UsageError as error:
        assert str(error)
