"""Kept frames: never too many, never too large, always spanning the run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.api import Frame, LabParameters
from gui.core.lab.history import FrameHistory


@dataclass(frozen=True)
class Picture:
    """Some numbers."""

    numbers: np.ndarray


def frame(step: int, size: int = 1) -> Frame:
    """A frame of so many bytes."""
    return Frame(step, None, LabParameters(), Picture(np.zeros(size, np.uint8)), {}, (), {})


def steps(history: FrameHistory) -> list[int]:
    """The steps that are kept."""
    return [history[index].step for index in range(len(history))]


def test_frames_are_kept_in_order() -> None:
    history = FrameHistory()
    for step in range(5):
        history.append(frame(step))
    assert steps(history) == [0, 1, 2, 3, 4]
    history.clear()
    assert len(history) == 0


def test_a_frame_of_the_same_step_takes_the_place_of_the_last() -> None:
    history = FrameHistory()
    for size in (1, 2, 3):
        history.append(frame(0, size))
    history.append(frame(1))
    history.append(frame(1, 9))
    assert steps(history) == [0, 1]
    assert [history[0].nbytes, history[1].nbytes] == [3, 9]


@given(st.lists(st.integers(0, 400), min_size=1, max_size=300), st.integers(2, 20), st.integers(100, 2000))
def test_any_run_stays_within_its_budget(sizes: list[int], most: int, budget: int) -> None:
    history = FrameHistory(most, budget)
    for step, size in enumerate(sizes):
        history.append(frame(step, size))
    kept = steps(history)
    total = sum(history[index].nbytes for index in range(len(history)))
    assert kept[0] == 0
    assert kept[-1] == len(sizes) - 1
    assert kept == sorted(set(kept))
    assert len(history) <= most
    assert total <= budget or len(history) <= 2


def test_a_long_run_is_thinned_evenly() -> None:
    history = FrameHistory(100)
    for step in range(100_000):
        history.append(frame(step))
    kept = np.array(steps(history))
    gaps = np.diff(kept)
    assert 40 <= len(kept) <= 100
    assert gaps.max() < 0.06 * kept[-1], "no hole in what can be scrubbed through"
