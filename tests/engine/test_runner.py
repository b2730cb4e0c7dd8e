"""The worker thread: the newest request wins, every picture is true, and no thread outlives its owner."""

from __future__ import annotations

import os
import random
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import pytest
import torch
from pydantic import Field

from engine.api import (
    Experiment,
    Failed,
    Finished,
    Frame,
    LabError,
    LabParameters,
    Measure,
    Message,
    Progress,
    Returned,
    Runner,
    Started,
    Ui,
    load,
    run,
)
from engine.core import runner as module
from engine.core.context import Context
from engine.core.drive import Run
from engine.core.frames import Observation
from engine.core.priority import NICENESS
from engine.core.runner import SLOWEST_FRAME

SOON = 20.0  # seconds a machine under load may take for what takes a moment


class Parameters(LabParameters):
    """Counts up in steps of `gain`, from `value`."""

    value: Annotated[int, Field(ge=0), Ui("Value")] = 0
    gain: Annotated[float, Ui("Gain", effect="live")] = 1.0
    steps: Annotated[int, Field(ge=0), Ui("Steps")] = 5


@dataclass(frozen=True, slots=True)
class Picture:
    """The number reached, and noise that tells runs apart."""

    level: torch.Tensor


def init(parameters: Parameters, context: Context) -> torch.Tensor:
    """The start."""
    return torch.full((2,), float(parameters.value))


def step(state: torch.Tensor, parameters: Parameters, context: Context) -> torch.Tensor:
    """One step, with a little noise."""
    return state + parameters.gain + 1e-3 * torch.rand(2, generator=context.generator("noise"))


def observe(state: torch.Tensor, parameters: Parameters, context: Context) -> Observation:
    """The level, seen through the gain."""
    return Observation(Picture(state), {"level": round(float(state[0])), "gain": parameters.gain})


def toy(**changes: Any) -> Experiment:
    """A small experiment with something else in place."""
    given = {
        "parameters": Parameters,
        "init": init,
        "step": step,
        "observe": observe,
        "measures": (Measure("level", "Level"), Measure("gain", "Gain")),
        "total": lambda parameters, context: parameters.steps,
        "memory": ("value", "steps"),
    }
    return Experiment(**{**given, **changes})


def lasting(seconds: float) -> Callable[[Parameters, Context], torch.Tensor]:
    """An init of so many seconds, with checkpoints."""

    def slow(parameters: Parameters, context: Context) -> torch.Tensor:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            context.checkpoint()
            time.sleep(0.005)
        return init(parameters, context)

    return slow


class Listener:
    """Looks into the mailbox as the pump of a window does."""

    def __init__(self, runner: Runner) -> None:
        self.runner = runner
        self.frames: list[tuple[int, Frame]] = []
        self.events: list[Any] = []

    def look(self) -> None:
        """Take what is there."""
        events, ready = self.runner.mailbox.take()
        self.events += events
        if ready is not None:
            self.frames.append((ready.generation, ready.frame))

    def until(self, condition: Callable[[], Any], seconds: float = SOON) -> None:
        """Look until something is so."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"{self.events}, {len(self.frames)} frames"
            self.look()
            time.sleep(0.001)

    def rest(self, seconds: float) -> None:
        """Look for a while."""
        end = time.monotonic() + seconds
        self.until(lambda: time.monotonic() > end, seconds + SOON)

    def of(self, kind: type) -> list[Any]:
        """The events of a kind."""
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def last(self) -> dict[str, float]:
        """The measures of the newest frame."""
        return dict(self.frames[-1][1].measures) if self.frames else {}

    @property
    def levels(self) -> list[float]:
        """The levels seen."""
        return [frame.measures["level"] for _, frame in self.frames]


Make = Callable[..., tuple[Runner, Listener]]


@pytest.fixture
def make() -> Iterator[Make]:
    """Makes runners; all of them must end at once."""
    runners: list[Runner] = []

    def new(experiment: Experiment | None = None, name: str = "runner test") -> tuple[Runner, Listener]:
        chosen = experiment or toy()
        runners.append(Runner(lambda: chosen, "cpu", name))
        return runners[-1], Listener(runners[-1])

    yield new
    for runner in runners:
        runner.close()
    assert [runner.join(SOON) for runner in runners] == [True] * len(runners)


# ---- one run ---------------------------------------------------------------------------------------------------------


def test_a_run_from_start_to_end(make: Make) -> None:
    runner, listener = make()
    assert runner.submit(Parameters(value=3)) == 1 == runner.generation
    listener.until(lambda: listener.of(Finished))
    assert listener.levels == [3, 4, 5, 6, 7, 8]
    assert [frame.step for _, frame in listener.frames] == list(range(6))
    (started,) = listener.of(Started)
    assert started.generation == 1
    assert str(started.device).startswith("cpu")
    assert (runner.jobs_started, runner.steps_done) == (1, 5)


@pytest.mark.parametrize("speed", [1.0, 4.0])
def test_frames_are_those_of_a_run_without_a_window(make: Make, speed: float) -> None:
    experiment = toy(stride=lambda parameters, step: 2)
    parameters = Parameters(value=1, steps=9, seed=5)
    alone = {frame.step: frame for frame in Run(experiment, parameters, Context(torch.device("cpu"), 5)).frames()}
    runner, listener = make(experiment)
    runner.set_speed(speed)
    runner.submit(parameters)
    listener.until(lambda: listener.of(Finished))
    for _, frame in listener.frames:
        np.testing.assert_array_equal(frame.picture.level, alone[frame.step].picture.level)
    steps = [frame.step for _, frame in listener.frames]
    assert steps == ([0, 2, 4, 6, 8, 9] if speed == 1 else [0, 8, 9])


def test_a_real_experiment_is_the_same_with_and_without_a_window(make: Make) -> None:
    experiment = load("angles.distribution")
    parameters = experiment.parameters(dimension=30, pairs=400_000, method="vectors", seed=4)  # type: ignore[call-arg]
    runner, listener = make(experiment)
    runner.submit(parameters)
    listener.until(lambda: listener.of(Finished), 20)
    listener.rest(0.05)
    alone: dict[int, Frame] = {}
    run(
        "angles.distribution",
        **{**dict(parameters), "device": "cpu"},
        on_frame=lambda frame: alone.setdefault(frame.step, frame),
    )
    assert listener.frames[-1][1].step == max(alone)
    for _, frame in listener.frames:
        assert dict(frame.measures) == dict(alone[frame.step].measures)
        for name, array in frame.arrays.items():
            np.testing.assert_array_equal(array, alone[frame.step].arrays[name])


def test_frames_keep_their_numbers_while_the_run_goes_on(make: Make) -> None:
    def in_place(state: torch.Tensor, parameters: Parameters, context: Context) -> torch.Tensor:
        return state.add_(1.0)

    runner, listener = make(toy(step=in_place))
    runner.submit(Parameters())
    listener.until(lambda: listener.of(Finished))
    assert [float(frame.picture.level[0]) for _, frame in listener.frames] == [0, 1, 2, 3, 4, 5]
    with pytest.raises(ValueError, match="read-only"):
        listener.frames[0][1].picture.level[0] = 7


# ---- the newest request wins -----------------------------------------------------------------------------------------


def test_dragging_a_slider_over_a_slow_job(make: Make) -> None:
    runner, listener = make(toy(init=lasting(0.3)))
    began = time.monotonic()
    for value in range(200):
        runner.submit(Parameters(value=value, steps=0))
        while time.monotonic() < began + value / 200:
            listener.look()
            time.sleep(0.001)
    assert len(listener.frames) >= 2, "pictures come while the slider moves"
    listener.until(lambda: listener.last.get("level") == 199)
    assert runner.jobs_started <= 2 + (time.monotonic() - began) / 0.3
    assert [generation for generation, _ in listener.frames] == sorted({generation for generation, _ in listener.frames})
    listener.rest(0.1)
    assert listener.last["level"] == 199


def test_requests_that_were_overtaken_never_start(make: Make) -> None:
    runner, listener = make(toy(init=lasting(0.05)))
    generations = [runner.submit(Parameters(value=value, steps=0)) for value in range(50)]
    assert generations == list(range(1, 51))
    listener.until(lambda: listener.last.get("level") == 49)
    assert runner.jobs_started <= 2


def test_a_run_that_has_shown_a_picture_ends_within_a_step(make: Make) -> None:
    taken: list[int] = []

    def slow(state: torch.Tensor, parameters: Parameters, context: Context) -> torch.Tensor:
        taken.append(parameters.value)
        time.sleep(0.01)
        return step(state, parameters, context)

    runner, listener = make(toy(step=slow))
    runner.submit(Parameters(steps=10_000))
    listener.until(lambda: len(listener.frames) > 3)
    newest = runner.submit(Parameters(value=7, steps=0))
    before = len(taken)
    listener.until(lambda: listener.frames[-1][0] == newest)
    assert len(taken) <= before + 1
    assert listener.last["level"] == 7


def test_generations_never_go_back(make: Make) -> None:
    runner, listener = make()
    for value in range(40):
        runner.submit(Parameters(value=value, steps=100))
        listener.rest(0.004)
    listener.until(lambda: listener.of(Finished))
    seen = [generation for generation, _ in listener.frames]
    assert seen == sorted(seen)
    assert seen[-1] == 40 == runner.generation
    assert [event.generation for event in listener.of(Finished)][-1] == 40


def test_two_runners_do_not_know_each_other(make: Make) -> None:
    (one, listens), (other, hears) = make(name="runner one"), make(name="runner other")
    one.submit(Parameters(value=1))
    other.submit(Parameters(value=100))
    listens.until(lambda: listens.of(Finished))
    hears.until(lambda: hears.of(Finished))
    assert (listens.last["level"], hears.last["level"]) == (6, 105)
    one.close()
    assert one.join(SOON)
    other.submit(Parameters(value=200))
    hears.until(lambda: hears.last["level"] == 205)


# ---- playing ---------------------------------------------------------------------------------------------------------


def test_pause_single_steps_and_play(make: Make) -> None:
    runner, listener = make()
    runner.pause()
    runner.submit(Parameters(steps=1000))
    listener.until(lambda: listener.frames)
    listener.rest(0.05)
    assert listener.levels == [0]
    runner.advance()
    runner.advance(2)
    listener.until(lambda: len(listener.frames) == 4)
    listener.rest(0.05)
    assert listener.levels == [0, 1, 2, 3]
    runner.play()
    listener.until(lambda: len(listener.frames) > 10)
    runner.pause()
    listener.rest(0.05)
    stopped = len(listener.frames)
    listener.rest(0.05)
    assert len(listener.frames) == stopped


def test_steps_asked_for_while_playing_are_not_taken_later(make: Make) -> None:
    runner, listener = make()
    runner.submit(Parameters(steps=2))
    listener.until(lambda: listener.of(Finished))
    runner.advance(50)
    runner.pause()
    runner.submit(Parameters(steps=100))
    newest = runner.generation
    listener.until(lambda: listener.frames[-1][0] == newest)
    listener.rest(0.1)
    assert listener.last["level"] == 0


def test_slow_motion_shows_few_frames_and_ends_at_once(make: Make) -> None:
    runner, listener = make()
    runner.set_speed(0.1)
    began = time.monotonic()
    runner.submit(Parameters(steps=1000))
    listener.until(lambda: len(listener.frames) >= 4)
    assert time.monotonic() - began > 2 * SLOWEST_FRAME / 0.1 * 0.9  # the first two come at once
    runner.set_speed(1e-6)  # hours until the next frame by itself
    runner.pause()
    runner.advance()
    seen = len(listener.frames)
    listener.until(lambda: len(listener.frames) > seen)
    runner.play()
    runner.set_speed(1.0)
    listener.until(lambda: len(listener.frames) > seen + 50)


def test_steps_that_are_followed_one_by_one_keep_their_rate(make: Make) -> None:
    runner, listener = make(toy(rate=20.0))
    began = time.monotonic()
    runner.submit(Parameters(steps=1000))
    listener.until(lambda: len(listener.frames) >= 5)
    assert time.monotonic() - began > 3 / 20.0 * 0.9  # the first two come at once
    runner.set_speed(50.0)  # frames come sooner, none is left out
    seen = len(listener.frames)
    listener.until(lambda: len(listener.frames) > seen + 30)
    steps = [frame.step for _, frame in listener.frames]
    assert steps == list(range(len(steps)))


def test_a_panel_nobody_sees_computes_nothing(make: Make) -> None:
    runner, listener = make()
    runner.suspend(True)
    runner.submit(Parameters(steps=1000))
    listener.until(lambda: listener.frames)
    listener.rest(0.1)
    assert listener.levels == [0]
    runner.suspend(False)
    listener.until(lambda: len(listener.frames) > 3)


def test_paced_waits_for_the_listener_and_latest_does_not(make: Make) -> None:
    paced, _ = make(toy())
    latest, listener = make(toy(pacing="latest"))
    for runner in (paced, latest):
        runner.submit(Parameters(steps=500))
    listener_deadline = time.monotonic() + SOON
    while latest.steps_done < 500 and time.monotonic() < listener_deadline:
        time.sleep(0.005)
    assert latest.steps_done == 500
    assert paced.steps_done <= 1
    listener.until(lambda: listener.of(Finished))
    assert [frame.step for _, frame in listener.frames][-1] == 500
    assert len(listener.frames) <= 3


# ---- tweaks while it lives -------------------------------------------------------------------------------------------


def test_a_live_tweak_is_seen_while_running_paused_and_finished(make: Make) -> None:
    runner, listener = make()
    runner.submit(Parameters(steps=30))
    runner.tweak(Parameters(steps=30, gain=2.0))
    listener.until(lambda: listener.last.get("gain") == 2.0)
    runner.pause()
    listener.rest(0.05)
    steps = runner.steps_done
    runner.tweak(Parameters(steps=30, gain=3.0))
    listener.until(lambda: listener.last["gain"] == 3.0)
    assert runner.steps_done == steps
    runner.play()
    listener.until(lambda: listener.of(Finished))
    runner.tweak(Parameters(steps=30, gain=4.0))
    listener.until(lambda: listener.last["gain"] == 4.0)
    assert listener.frames[-1][1].step == 30
    assert runner.jobs_started == 1
    assert len(listener.of(Finished)) == 1


def test_a_tweak_of_a_waiting_request_and_one_before_any(make: Make) -> None:
    runner, listener = make(toy(init=lasting(0.1)))
    runner.tweak(Parameters(gain=9.0))
    runner.submit(Parameters(value=1, steps=0))
    listener.until(lambda: runner.jobs_started == 1)
    runner.submit(Parameters(value=2, steps=0))
    runner.tweak(Parameters(value=2, steps=0, gain=5.0))
    listener.until(lambda: listener.last.get("level") == 2)
    listener.rest(0.1)
    assert listener.last == {"level": 2, "gain": 5.0}


def test_a_run_never_sees_parameters_it_was_not_made_for(make: Make) -> None:
    """A live edit may come while a restart is still held back: what the old run sees differs in live values alone."""
    runner, listener = make()
    runner.submit(Parameters(value=1, steps=3))
    listener.until(lambda: listener.of(Finished))
    runner.tweak(Parameters(value=70, steps=3, gain=8.0))  # 70 has not been asked for
    listener.rest(0.1)
    runner.tweak(Parameters(value=1, steps=3, gain=2.0))
    listener.until(lambda: listener.last["gain"] == 2.0)
    runner.submit(Parameters(value=70, steps=3, gain=8.0))
    listener.until(lambda: listener.last["level"] >= 70)
    assert {frame.parameters.value for _, frame in listener.frames if frame.measures["gain"] == 8.0} == {70}
    assert not listener.of(Failed)


def test_a_run_is_brought_back_to_its_step(make: Make) -> None:
    runner, listener = make()
    runner.pause()
    runner.submit(Parameters(steps=400), step=123)
    listener.until(lambda: listener.frames and listener.frames[-1][1].step >= 123)
    listener.rest(0.1)
    assert listener.frames[-1][1].step == 123
    expected = Run(toy(), Parameters(steps=400), Context(torch.device("cpu"), 0))
    expected.advance(123)
    assert np.array_equal(listener.frames[-1][1].picture.level, expected.observe().picture.level)
    runner.submit(Parameters(steps=7), step=123)
    listener.until(lambda: listener.of(Finished))
    assert listener.frames[-1][1].step == 7


def test_a_run_on_its_way_back_listens(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """It rests while nobody sees it, takes over live tweaks, and goes on from where it is when the time is over."""
    monkeypatch.setattr(module, "LONGEST_RETURN", float("inf"))

    def slow(state: torch.Tensor, parameters: Parameters, context: Context) -> torch.Tensor:
        time.sleep(0.001)
        return step(state, parameters, context)

    runner, listener = make(toy(step=slow))
    runner.pause()
    runner.suspend(True)
    runner.submit(Parameters(steps=10**9), step=10**6)
    listener.until(lambda: listener.frames)
    listener.rest(0.1)
    assert (listener.frames[-1][1].step, runner.steps_done) == (0, 0)
    runner.suspend(False)
    listener.until(lambda: listener.frames[-1][1].step > 10)
    assert runner.tweak(Parameters(steps=10**9, gain=7.0))
    listener.until(lambda: listener.last["gain"] == 7.0)
    monkeypatch.setattr(module, "LONGEST_RETURN", 0.0)
    listener.until(lambda: listener.of(Returned))
    (returned,) = listener.of(Returned)
    listener.until(lambda: listener.frames[-1][1].step == returned.step)
    listener.rest(0.1)
    assert 10 < returned.step == listener.frames[-1][1].step < returned.wanted == 10**6


def test_a_tweak_that_no_run_can_take_over_is_told(make: Make) -> None:
    def broken(state: torch.Tensor, parameters: Parameters, context: Context) -> torch.Tensor:
        raise LabError("It went wrong.")

    runner, listener = make(toy(step=broken))
    assert not runner.tweak(Parameters())
    runner.submit(Parameters(value=2))
    assert runner.tweak(Parameters(value=2, gain=3.0))
    assert not runner.tweak(Parameters(value=3, gain=3.0))
    listener.until(lambda: listener.of(Failed))
    listener.until(lambda: not runner.tweak(Parameters(value=2, gain=4.0)))


def test_a_settled_run_finishes_and_goes_on_after_a_live_tweak(make: Make) -> None:
    def settled(state: torch.Tensor, parameters: Parameters, context: Context) -> Message | None:
        return Message("Enough.") if state[0] > 5 * parameters.gain else None

    runner, listener = make(toy(settled=settled))
    runner.submit(Parameters(steps=1000))
    listener.until(lambda: listener.of(Finished))
    assert [str(event.settled) for event in listener.of(Finished)] == ["Enough."]
    listener.until(lambda: listener.frames[-1][1].settled)
    step = listener.frames[-1][1].step
    assert step < 10
    runner.tweak(Parameters(steps=1000, gain=2.0))
    listener.until(lambda: len(listener.of(Finished)) == 2)
    listener.until(lambda: listener.frames[-1][1].step > step)


def test_workers_leave_the_window_the_first_turn(make: Make) -> None:
    if sys.platform != "linux":
        pytest.skip("niceness of a thread can be read on Linux alone")
    seen: list[int] = []

    def nice(parameters: Parameters, context: Context) -> torch.Tensor:
        seen.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
        return init(parameters, context)

    before = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    runner, listener = make(toy(init=nice))
    runner.submit(Parameters())
    listener.until(lambda: listener.of(Finished))
    assert seen == [min(19, max(before, NICENESS))]
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == before


# ---- what goes wrong -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", ["init", "step", "observe", "total", "stride", "load"])
def test_a_failure_is_told_and_the_next_request_served(make: Make, part: str) -> None:
    broken = True

    def fails(*_: Any) -> Any:
        if broken:
            raise ZeroDivisionError("no way")
        whole = {"init": init, "step": step, "observe": observe, "total": lambda p, c: 5, "stride": lambda p, s: 1}
        return whole[part](*_)  # type: ignore[operator]

    def get() -> Experiment:
        if part == "load" and broken:
            raise ZeroDivisionError("no way")
        return toy() if part == "load" else toy(**{part: fails})

    runner = Runner(get, "cpu", "runner broken")
    listener = Listener(runner)
    runner.submit(Parameters())
    listener.until(lambda: listener.of(Failed))
    (failed,) = listener.of(Failed)
    assert failed.generation == 1
    assert "ZeroDivisionError: no way" in str(failed.message)
    assert "ZeroDivisionError: no way" in failed.traceback
    assert str(failed.hint)
    broken = False
    runner.submit(Parameters(value=7))
    listener.until(lambda: listener.of(Finished))
    assert listener.last["level"] == 12
    runner.close()
    assert runner.join(SOON)


def test_a_failure_of_a_live_tweak_is_told_too(make: Make) -> None:
    def picky(state: torch.Tensor, parameters: Parameters, context: Context) -> Observation:
        if parameters.gain > 3:
            raise LabError("The gain {gain} is too large.", "Stay below {limit}.", gain=parameters.gain, limit=3)
        return observe(state, parameters, context)

    runner, listener = make(toy(observe=picky))
    runner.submit(Parameters())
    listener.until(lambda: listener.of(Finished))
    runner.tweak(Parameters(gain=5.0))
    listener.until(lambda: listener.of(Failed))
    (failed,) = listener.of(Failed)
    assert (str(failed.message), str(failed.hint), failed.traceback) == ("The gain 5.0 is too large.", "Stay below 3.", "")
    runner.tweak(Parameters(gain=1.0))
    runner.submit(Parameters(gain=2.0))
    listener.until(lambda: len(listener.of(Finished)) == 2)


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9 GiB"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: not enough memory: you tried to allocate 8 bytes."),
        MemoryError(),
    ],
    ids=["device", "host", "python"],
)
@pytest.mark.parametrize("part", ["init", "step", "observe"])
def test_running_out_of_memory_names_what_to_lower(make: Make, error: Exception, part: str) -> None:
    held: list[Any] = []

    class Heavy:
        """Something large."""

    def greedy(*_: Any) -> Any:
        heavy = Heavy()
        held.append(weakref.ref(heavy))
        raise error

    runner, listener = make(toy(**{part: greedy}))
    runner.submit(Parameters())
    listener.until(lambda: listener.of(Failed))
    (failed,) = listener.of(Failed)
    assert str(failed.message) == "There is not enough memory on cpu for these parameters."
    assert str(failed.hint) == "Lower Value (value), Steps (steps) and try again."
    assert failed.traceback == ""
    assert held[0]() is None, "what the failed run held is given back"


def test_an_unknown_device_is_an_error_one_can_read() -> None:
    runner = Runner(toy, "abacus", "runner abacus")
    listener = Listener(runner)
    runner.submit(Parameters())
    listener.until(lambda: listener.of(Failed))
    assert str(listener.of(Failed)[0].message) == "There is no device 'abacus'."
    runner.close()
    assert runner.join(SOON)


def test_progress_is_reported_and_meets_the_token(make: Make) -> None:
    def long(parameters: Parameters, context: Context) -> torch.Tensor:
        for part in range(10):
            context.progress(part / 10, "part {part}", part=part)
            end = time.monotonic() + SOON
            while len(listener.of(Progress)) <= part and time.monotonic() < end:
                time.sleep(0.001)
        return init(parameters, context)

    runner, listener = make(toy(init=long))
    runner.submit(Parameters(steps=0))
    listener.until(lambda: listener.of(Finished))
    fractions = [event.fraction for event in listener.of(Progress)]
    assert fractions == pytest.approx([part / 10 for part in range(10)])
    assert str(listener.of(Progress)[0].message) == "part 0"


# ---- the end ---------------------------------------------------------------------------------------------------------


def slow_step(state: torch.Tensor, parameters: Parameters, context: Context) -> torch.Tensor:
    time.sleep(0.02)
    return step(state, parameters, context)


@pytest.mark.parametrize(
    "state", ["idle", "init", "steps", "paused", "finished", "failed", "credit", "suspended", "slow motion", "in a request"]
)
def test_closing_is_quick_from_every_state(state: str) -> None:
    changes: dict[str, Any] = {
        "init": {"init": lasting(60)},
        "steps": {"step": slow_step, "pacing": "latest"},
        "failed": {"init": lambda *_: 1 / 0},
    }.get(state, {})
    experiment = toy(**changes)
    runner = Runner(lambda: experiment, "cpu", "runner closing")
    listener = Listener(runner)
    if state == "paused":
        runner.pause()
    if state == "suspended":
        runner.suspend(True)
    if state == "slow motion":
        runner.set_speed(1e-6)
    if state != "idle":
        runner.submit(Parameters(steps=3 if state == "finished" else 10**6))
    wanted = {"finished": Finished, "failed": Failed}.get(state)
    if wanted:
        listener.until(lambda: listener.of(wanted))
    elif state != "in a request":
        time.sleep(0.1)
    runner.close()
    assert runner.join(SOON)
    assert not runner.alive
    runner.submit(Parameters())
    runner.tweak(Parameters())
    runner.close()


def test_stop_cancels_and_the_runner_goes_on(make: Make) -> None:
    def unless_two(parameters: Parameters, context: Context) -> torch.Tensor:
        return lasting(0.0 if parameters.value == 2 else 60.0)(parameters, context)

    runner, listener = make(toy(init=unless_two))
    runner.submit(Parameters(value=1))
    listener.until(lambda: runner.jobs_started == 1)
    runner.stop()
    listener.rest(0.3)
    assert listener.levels == []
    runner.submit(Parameters(value=2))
    listener.until(lambda: listener.of(Finished))
    assert listener.last["level"] == 7


def short(parameters: Parameters, context: Context) -> torch.Tensor:
    """A few milliseconds."""
    for _ in range(3):
        context.checkpoint()
        time.sleep(0.001)
    return init(parameters, context)


def do_anything(runner: Runner, listener: Listener, chance: random.Random) -> None:
    """One of all things that can be asked for."""
    value, steps = chance.randrange(1000), chance.choice([0, 3, 10**6])
    match chance.choice(["submit", "tweak", "play", "pause", "advance", "stop", "speed", "suspend", "look"]):
        case "submit":
            runner.submit(Parameters(value=value, steps=steps))
        case "tweak":
            runner.tweak(Parameters(value=value, gain=2.0))
        case "speed":
            runner.set_speed(chance.choice([0.1, 1.0, 8.0]))
        case "suspend":
            runner.suspend(chance.random() < 0.5)
        case "look":
            listener.look()
        case plain:
            getattr(runner, plain)()


@pytest.mark.parametrize("seed", range(12))
def test_anything_in_any_order_leaves_no_thread(seed: int) -> None:
    chance = random.Random(seed)
    experiment = toy(init=short, pacing=chance.choice(["paced", "latest"]))
    runner = Runner(lambda: experiment, "cpu", "runner chaos")
    listener = Listener(runner)
    for _ in range(40):
        do_anything(runner, listener, chance)
        time.sleep(chance.random() * 0.004)
    if seed % 2:
        runner.play()
        runner.suspend(False)
        runner.set_speed(1.0)
        newest = runner.submit(Parameters(value=77, steps=2))
        listener.until(lambda: newest in [event.generation for event in listener.of(Finished)])
        assert listener.last["level"] == 79
    runner.close()
    assert runner.join(SOON)
    assert [thread.name for thread in threading.enumerate() if "chaos" in thread.name] == []
