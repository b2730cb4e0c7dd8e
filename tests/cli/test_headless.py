"""Runs without a window: how far they go, what they keep, what their files hold."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import pytest
import torch
from pydantic import Field

from engine import headless
from engine.api import Experiment, Frame, LabError, LabParameters, Measure, Result, Ui, UsageError, run, run_with
from engine.core.cancel import CancelToken
from engine.core.claims import ClaimSpec
from engine.core.context import Context
from engine.core.frames import Observation
from engine.core.results import history_csv, npz, plain

CLAIM = ClaimSpec("zero", "The mean is zero.", "m = 0")


class Parameters(LabParameters):
    """A sum of random numbers."""

    steps: Annotated[int, Field(ge=0), Ui("Steps")] = 10


@dataclass(frozen=True, slots=True)
class Picture:
    """The numbers."""

    numbers: torch.Tensor


def add(state: torch.Tensor, parameters: Parameters, context: Context) -> torch.Tensor:
    """Another four numbers."""
    return state + torch.randn(4, generator=context.generator("noise"))


def observe(state: torch.Tensor, parameters: Parameters, context: Context) -> Observation:
    """The mean, and a measure without a value."""
    mean = state.mean().item()
    claims = (CLAIM.check(0.0, mean, 1e9),)
    return Observation(Picture(state), {"mean": mean, "unknown": math.nan}, claims, {"quarters": state.chunk(4)})


def experiment(**changes: Any) -> Experiment:
    """A small experiment with something else in place."""
    given = {
        "parameters": Parameters,
        "init": lambda parameters, context: torch.zeros(4),
        "step": add,
        "observe": observe,
        "measures": (Measure("mean", "Mean"), Measure("unknown", "Unknown")),
        "claims": (CLAIM,),
        "total": lambda parameters, context: parameters.steps,
        "stride": lambda parameters, step: 3,
        "memory": ("steps",),
    }
    return Experiment(**{**given, **changes})


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs a small experiment."""

    def go(changes: dict[str, Any] | None = None, parameters: Parameters | None = None, **options: Any) -> Result:
        monkeypatch.setattr(headless, "load", lambda name: experiment(**(changes or {})))
        return run_with("small.sum", parameters or Parameters(), device="cpu", **options)

    return go


def test_a_run_goes_to_its_end_with_a_row_for_every_frame(small: Callable[..., Result]) -> None:
    seen: list[int] = []
    result = small(on_frame=lambda frame: seen.append(frame.step))
    assert seen == [0, 3, 6, 9, 10] == [row[0] for row in result.history]
    assert (result.steps, result.interrupted, result.device) == (10, False, "cpu")
    assert result.frame is not None
    assert result.history[-1][1] == result.frame.measures["mean"]


def test_a_run_without_an_end_stops_after_a_thousand_steps(small: Callable[..., Result]) -> None:
    assert small({"total": lambda parameters, context: None}).steps == 1000
    assert small({"total": lambda parameters, context: None}, limit=7).steps == 7
    assert small(limit=5).steps == 5
    assert small(limit=50).steps == 10
    assert small(limit=0).steps == 0


def test_the_same_run_twice_is_the_same_to_the_last_bit(small: Callable[..., Result]) -> None:
    one, other = small(), small()
    assert history_csv(one) == history_csv(other)
    assert {**one.to_dict(), "seconds": 0} == {**other.to_dict(), "seconds": 0}
    assert one.frame is not None
    assert other.frame is not None
    assert npz(one.frame.arrays) == npz(other.frame.arrays)
    assert history_csv(one) != history_csv(small(parameters=Parameters(seed=1)))


@pytest.mark.parametrize("frames", [0, 1, 3])
def test_ctrl_c_keeps_what_was_finished(small: Callable[..., Result], frames: int) -> None:
    steps = iter(range(3 * frames - 3))

    def interrupted(state: torch.Tensor, parameters: Parameters, context: Context) -> torch.Tensor:
        if next(steps, None) is None:
            raise KeyboardInterrupt
        return add(state, parameters, context)

    def at_once(parameters: Parameters, context: Context) -> torch.Tensor:
        raise KeyboardInterrupt

    result = small({"step": interrupted} if frames else {"init": at_once})
    assert result.interrupted
    assert len(result.history) == frames
    assert json.loads(result.to_json())["measures"].keys() == ({"mean", "unknown"} if frames else set())


def test_a_token_ends_a_run_from_outside(small: Callable[..., Result]) -> None:
    token = CancelToken()

    def cancel(frame: Frame) -> None:
        if frame.step == 6:
            token.cancel(now=True)

    assert (small(token=token, on_frame=cancel).steps, small(token=token).interrupted) == (6, True)


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory")])
def test_running_out_of_memory_names_what_to_lower(small: Callable[..., Result], error: Exception) -> None:
    def fails(*_: Any) -> torch.Tensor:
        raise error

    for part in ("init", "step"):
        with pytest.raises(LabError, match=r"not enough memory") as caught:
            small({part: fails})
        assert str(caught.value.hint) == "Lower Steps (steps) and try again."
        assert not isinstance(caught.value, UsageError)


def test_the_thread_keeps_its_settings(small: Callable[..., Result]) -> None:
    threads = torch.get_num_threads()
    with torch.no_grad():
        small()
        assert not torch.is_grad_enabled()
    assert torch.get_num_threads() == threads


def test_a_result_is_plain_json(small: Callable[..., Result]) -> None:
    data = small().to_dict()
    assert json.loads(json.dumps(data, allow_nan=False)) == data
    assert data["measures"]["unknown"] is None
    assert len(data["tables"]["quarters"]) == 4
    assert plain({"a": (1, np.float32(0.5), np.array([1.0, np.inf]))}) == {"a": [1, 0.5, [1.0, None]]}


def test_history_keeps_every_digit() -> None:
    row = (3, 0.1 + 0.2, math.nan)
    result = Result("small.sum", Parameters(), "cpu", 1.0, ("mean", "unknown"), [row])
    assert history_csv(result) == "step,mean,unknown\n3,0.30000000000000004,nan\n"


def test_archives_hold_any_name_and_no_pickles() -> None:
    arrays = {"file": np.arange(3), "empty": np.zeros((0, 2)), "flags": np.array([True])}
    with np.load(io.BytesIO(npz(arrays)), allow_pickle=False) as archive:
        assert {name: archive[name].tolist() for name in archive.files} == {n: a.tolist() for n, a in arrays.items()}
    with pytest.raises(ValueError, match="allow_pickle"):
        npz({"objects": np.array([None])})


def test_run_is_the_short_way() -> None:
    result = run("angles.distribution", "plane", pairs=1000, seed=2, device="cpu")
    assert (result.parameters.seed, result.steps) == (2, 0)
    assert result.to_dict()["measures"]["angles"] == 1000
    with pytest.raises(UsageError, match=r"Pairs \(pairs\) = 0"):
        run("angles.distribution", pairs=0)
