"""What every experiment promises. A new one is covered from the minute its file exists."""

from __future__ import annotations

import dataclasses
import json
import math
import random
import re
import threading
import time
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import numpy as np
import pytest

from engine.api import (
    Cancelled,
    Entry,
    Experiment,
    Frame,
    LabError,
    LabParameters,
    Runner,
    entries,
    entry,
    field_specs,
    last_frame,
    load,
    load_toml,
    parse_assignments,
    resource_path,
    run_with,
    validate,
)
from engine.core.cancel import CancelToken
from engine.core.catalog import lab_files
from engine.core.context import Context
from engine.core.device import prepare_thread, resolve_device
from engine.core.drive import Run
from engine.core.results import plain
from engine.core.streams import Streams

CPU = resolve_device("cpu")
FRAMES = 3
PATIENCE = 20  # seconds that a machine under load may take to end a thread

every_experiment = pytest.mark.parametrize("name", [each.name for each in entries()])


def start(name: str, parameters: LabParameters | None = None, token: CancelToken | None = None) -> Run:
    """A run on the CPU, settings as in a worker."""
    experiment = load(name)
    parameters = parameters or experiment.parameters()
    prepare_thread(CPU)
    return Run(experiment, parameters, Context(CPU, parameters.seed, token))


def frames_of(name: str, parameters: LabParameters | None = None, number: int = FRAMES) -> list[Frame]:
    """The first frames."""
    return list(islice(start(name, parameters).frames(), number))


def difference(one: Frame, other: Frame) -> str:
    """What differs between two frames, bit for bit; empty if nothing does."""
    if one.step != other.step:
        return f"step {one.step} and {other.step}"
    for name, array in one.arrays.items():
        if array.dtype != other.arrays[name].dtype or array.tobytes() != other.arrays[name].tobytes():
            return f"array {name} at step {one.step}"
    for name, value in one.measures.items():
        if repr(value) != repr(other.measures[name]):
            return f"measure {name} at step {one.step}: {value!r} and {other.measures[name]!r}"
    return "" if repr(dict(one.tables)) == repr(dict(other.tables)) else f"tables at step {one.step}"


def test_every_lab_file_is_an_experiment() -> None:
    """A damaged one is left out of the window, with a line in the log; here it fails."""
    assert {entry.name for entry in entries()} == {".".join(names) for names in lab_files()}


# ---- what is told of it ------------------------------------------------------------------------------------------------


def translations(name: str) -> Mapping[str, str]:
    """Chinese texts an experiment can use: its own and the program's."""
    texts: dict[str, str] = {}
    for file in sorted(resource_path("translations", "zh").glob("*.toml")):
        texts.update(load_toml("translations", "zh", file.name))
    topic, stem = name.split(".")
    return texts | load_toml("labs", topic, f"{stem}.toml").get("zh", {}).get("text", {})


def texts_of(experiment: Experiment) -> Iterator[str]:
    """Every English text of an experiment's declaration that a person reads."""
    specs = field_specs(experiment.parameters)
    for spec in specs:
        yield from (spec.ui.label, spec.ui.help, spec.ui.group, *spec.ui.choices.values())
    yield from (measure.label for measure in experiment.measures)
    yield from (claim.statement for claim in experiment.claims)
    units = (*(spec.ui.unit for spec in specs), *(each.unit for each in (*experiment.measures, *experiment.claims)))
    yield from (unit for unit in units if re.search("[A-Za-z]{4}", unit))  # "steps", not "rad"


@every_experiment
def test_titles_summaries_and_presets_are_in_both_languages(name: str) -> None:
    item: Entry = entry(name)
    for texts in (item.titles, item.summaries, *(preset.titles for preset in item.presets)):
        assert set(texts) == {"en", "zh"}
        assert all(texts.values())


@every_experiment
@pytest.mark.parametrize("language", ["en", "zh"])
def test_notes_are_in_both_languages(name: str, language: str) -> None:
    topic, stem = name.split(".")
    file = resource_path("labs", topic, f"{stem}.{language}.md")
    assert file.exists()
    assert len(file.read_text(encoding="utf-8")) > 100


@every_experiment
def test_every_text_has_a_chinese_translation(name: str) -> None:
    known = translations(name)
    missing = [text for text in texts_of(load(name)) if re.search("[A-Za-z]{2}", text) and text not in known]
    assert not missing


@every_experiment
def test_every_parameter_is_explained(name: str) -> None:
    for spec in field_specs(load(name).parameters):
        assert spec.ui.label
        assert spec.ui.help.endswith((".", "?")), spec.name
        assert set(spec.ui.choices) <= set(spec.choices), spec.name
        assert spec.kind != "choice" or set(spec.ui.choices) == set(spec.choices), spec.name


@every_experiment
def test_conditions_name_parameters_and_values_there_are(name: str) -> None:
    specs = {spec.name: spec for spec in field_specs(load(name).parameters)}
    for spec in specs.values():
        for other, wanted in (item for condition in spec.ui.conditions for item in condition.items()):
            allowed = specs[other].choices if specs[other].kind == "choice" else (True, False)
            assert set(wanted) <= set(allowed), f"{spec.name} when {other}"


@every_experiment
def test_names_can_be_keys(name: str) -> None:
    experiment = load(name)
    for names in ([m.name for m in experiment.measures], [c.name for c in experiment.claims]):
        assert len(set(names)) == len(names)
        assert all(re.fullmatch("[a-z][a-z0-9_]*", each) for each in names)
    assert set(experiment.memory) <= set(experiment.parameters.model_fields)


# ---- parameters --------------------------------------------------------------------------------------------------------


@every_experiment
def test_defaults_and_presets_are_valid(name: str) -> None:
    model = load(name).parameters
    model()
    for preset in entry(name).presets:
        validate(model, preset.values)


@every_experiment
def test_values_survive_their_text(name: str) -> None:
    model = load(name).parameters
    for parameters in (model(), *(validate(model, preset.values) for preset in entry(name).presets)):
        texts = {spec.name: spec.format(getattr(parameters, spec.name)) for spec in field_specs(model)}
        assert validate(model, parse_assignments(model, texts)) == parameters


@every_experiment
def test_values_survive_json(name: str) -> None:
    model = load(name).parameters
    for parameters in (model(), *(validate(model, preset.values) for preset in entry(name).presets)):
        assert validate(model, json.loads(json.dumps(parameters.model_dump(mode="json")))) == parameters


# ---- frames ------------------------------------------------------------------------------------------------------------


def missing_measures(experiment: Experiment, frame: Frame) -> list[str]:
    """Measures that are not finite and not declared as optional."""
    finite = {name for name, value in frame.measures.items() if math.isfinite(value)}
    return [measure.name for measure in experiment.measures if not measure.optional and measure.name not in finite]


@every_experiment
def test_frames_carry_what_is_declared(name: str) -> None:
    experiment = load(name)
    for frame in frames_of(name):
        assert list(frame.measures) == [measure.name for measure in experiment.measures]
        assert not missing_measures(experiment, frame), frame.measures
        assert [claim.name for claim in frame.claims] == [spec.name for spec in experiment.claims]
        json.dumps(plain(dict(frame.tables)), allow_nan=False)


@every_experiment
def test_arrays_are_read_only_and_finite(name: str) -> None:
    """A field of the picture that uses NaN for gaps in a line says so: `engine.core.frames.GAPS`."""
    for frame in frames_of(name):
        gaps = {item.name for item in dataclasses.fields(frame.picture) if item.metadata.get("gaps")}
        for key, array in frame.arrays.items():
            assert not array.flags.writeable
            assert array.flags.c_contiguous
            assert not array.dtype.hasobject, key
            assert key in gaps or array.dtype.kind != "f" or np.isfinite(array).all(), key


@every_experiment
def test_the_same_seed_gives_the_same_run(name: str) -> None:
    pairs = zip(frames_of(name), frames_of(name), strict=True)
    assert [difference(one, other) for one, other in pairs if difference(one, other)] == []


@every_experiment
def test_another_seed_gives_another_run(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    child_seed = Streams.child_seed
    monkeypatch.setattr(Streams, "child_seed", lambda self, stream: asked.append(stream) or child_seed(self, stream))
    model = load(name).parameters
    pairs = zip(frames_of(name, model(seed=1)), frames_of(name, model(seed=2)), strict=False)
    assert any(difference(one, other) for one, other in pairs) or not asked


@every_experiment
def test_observing_changes_nothing(name: str) -> None:
    once = start(name)
    twice = start(name)
    for _ in range(FRAMES):
        assert difference(twice.observe(), twice.observe()) == ""
        assert difference(once.observe(), twice.observe()) == ""
        once.advance(once.stride())
        twice.advance(twice.stride())


@every_experiment
def test_the_last_frame_needs_none_before_it(name: str) -> None:
    third = frames_of(name)[-1]
    assert difference(third, last_frame(name, load(name).parameters(), device="cpu", limit=third.step)) == ""


# ---- runs --------------------------------------------------------------------------------------------------------------


class CountedToken(CancelToken):
    """Cancels at one particular checkpoint."""

    def __init__(self, last: int) -> None:
        super().__init__()
        self.left = last

    def checkpoint(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Cancelled


@every_experiment
def test_a_run_can_be_cancelled_at_any_checkpoint(name: str) -> None:
    """A checkpoint stands in every step, and whoever meets one lets the cancellation through."""
    frames = len(frames_of(name))
    met = CountedToken(1_000_000)
    list(islice(start(name, token=met).frames(), FRAMES))
    passed = 1_000_000 - met.left
    assert passed >= frames - 1
    for last in sorted({*range(min(passed, 12)), passed - 1} if passed else ()):
        with pytest.raises(Cancelled):
            list(islice(start(name, token=CountedToken(last)).frames(), FRAMES))


@every_experiment
def test_closing_leaves_no_thread(name: str) -> None:
    chance = random.Random(name)
    for delay in (0.0, *(chance.uniform(0, 0.3) for _ in range(4))):
        runner = Runner(lambda: load(name), device="cpu", name=f"closing {name}")
        runner.submit(load(name).parameters())
        time.sleep(delay)
        runner.close()
        assert runner.join(PATIENCE)
    assert not [thread for thread in threading.enumerate() if thread.name == f"closing {name}"]


def frames_of_window(name: str, parameters: LabParameters, number: int) -> list[Frame]:
    """The frames that a window would be given."""
    runner = Runner(lambda: load(name), device="cpu")
    frames: list[Frame] = []
    try:
        runner.submit(parameters)
        until = time.monotonic() + 60
        finished = False
        while len(frames) < number and not finished and time.monotonic() < until:
            events, ready = runner.mailbox.take()
            assert not [event for event in events if type(event).__name__ == "Failed"]
            finished = any(type(event).__name__ == "Finished" for event in events)
            if ready:
                frames.append(ready.frame)
            time.sleep(0.002)
    finally:
        runner.close()
        assert runner.join(PATIENCE)
    return frames


@every_experiment
def test_a_window_sees_the_frames_of_a_run_without_one(name: str) -> None:
    parameters = load(name).parameters(seed=5)
    shown = frames_of_window(name, parameters, 5)
    assert shown
    headless: dict[int, Frame] = {}
    run_with(
        name,
        parameters,
        device="cpu",
        limit=shown[-1].step,
        on_frame=lambda frame: headless.__setitem__(frame.step, frame),
    )
    assert [difference(frame, headless[frame.step]) for frame in shown if difference(frame, headless[frame.step])] == []


# ---- extremes ----------------------------------------------------------------------------------------------------------


def extremes(name: str) -> Iterator[dict[str, Any]]:
    """Every preset; every parameter at its smallest and largest value, every choice, the others at their defaults."""
    for preset in entry(name).presets:
        yield dict(preset.values)
    for spec in field_specs(load(name).parameters):
        for choice in spec.choices:
            yield {spec.name: choice}
        if spec.kind == "switch":
            yield {spec.name: not spec.default}
        low, high = spec.minimum, spec.maximum
        inset = 1e-6 * ((high - low) if low is not None and high is not None else 1)
        if low is not None:
            yield {spec.name: low + inset if spec.open_minimum else low}
        if high is not None:
            yield {spec.name: high - inset if spec.open_maximum else high}


def trouble_at(name: str, values: Mapping[str, Any]) -> str:
    """What is wrong with the first frame for these values, if anything; to refuse with a sentence is right."""
    try:
        frame = frames_of(name, validate(load(name).parameters, values), 1)[0]
    except LabError as error:
        return "" if str(error) else f"{values}: an error without a sentence"
    except Exception as error:
        return f"{values}: {type(error).__name__}: {error}"
    bad = missing_measures(load(name), frame)
    return f"{values}: {', '.join(bad)} not finite" if bad else ""


@every_experiment
@pytest.mark.timeout(600)
def test_extreme_parameters_give_a_picture_or_a_sentence(name: str) -> None:
    assert [trouble for trouble in (trouble_at(name, values) for values in extremes(name)) if trouble] == []


# ---- live changes ------------------------------------------------------------------------------------------------------


def live_changes(name: str) -> Iterator[LabParameters]:
    """The defaults with one live parameter at an extreme."""
    defaults = load(name).parameters()
    live = {spec.name for spec in field_specs(type(defaults)) if spec.ui.effect == "live"}
    for values in extremes(name):
        if len(values) == 1 and set(values) <= live and (changed := validate(type(defaults), values)) != defaults:
            yield changed


def frames_around(name: str, changed: LabParameters) -> list[Frame]:
    """Two steps, a live change, the same moment under it, and a step more."""
    run = start(name)
    run.advance(2 * run.stride())
    run.observe()
    run.tweak(changed)
    found = [run.observe(), run.observe()]
    run.advance(run.stride())
    return [*found, run.observe()]


@every_experiment
@pytest.mark.timeout(600)
def test_live_changes_reach_a_run_on_its_way(name: str) -> None:
    """As a picture or a sentence, the same one each time, and without a claim that is refuted."""
    for changed in live_changes(name):
        try:
            at_once, again, later = frames_around(name, changed)
        except LabError as error:
            assert str(error)
            continue
        assert difference(at_once, again) == "", changed
        assert difference(later, frames_around(name, changed)[-1]) == "", changed
        for frame in (at_once, later):
            assert frame.parameters == changed
            assert missing_measures(load(name), frame) == [], changed
            assert [claim.name for claim in frame.claims if claim.holds is False] == [], changed


@every_experiment
def test_the_state_is_adapted_once_for_each_live_change(name: str) -> None:
    experiment = load(name)
    if experiment.adapt is None:
        pytest.skip("step and observe see live parameters with the state as it is")
    changes, adapted = list(live_changes(name)), []

    def counted(state: Any, parameters: LabParameters, context: Context) -> Any:
        adapted.append(parameters)
        return experiment.adapt(state, parameters, context) if experiment.adapt else state

    prepare_thread(CPU)
    parameters = experiment.parameters()
    run = Run(dataclasses.replace(experiment, adapt=counted), parameters, Context(CPU, parameters.seed))
    for changed in changes:
        run.tweak(changed)
        run.tweak(changed)
        run.observe()
    assert adapted == changes
