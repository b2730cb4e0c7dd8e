"""Randomness: one seed, many independent streams, each of them steady."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.core.streams import Streams

CPU = torch.device("cpu")


def numbers(seed: int, name: str, count: int = 4) -> list[float]:
    """The first numbers of a stream."""
    return torch.rand(count, generator=Streams(seed, CPU).generator(name)).tolist()


def test_a_stream_depends_on_seed_and_name_alone() -> None:
    assert numbers(3, "noise") == numbers(3, "noise")
    assert numbers(3, "noise") != numbers(4, "noise")
    assert numbers(3, "noise") != numbers(3, "data")


def test_another_stream_does_not_shift_the_first() -> None:
    streams = Streams(1, CPU)
    torch.rand(100, generator=streams.generator("data"))
    streams.numpy("init").random(10)
    assert torch.rand(4, generator=streams.generator("noise")).tolist() == numbers(1, "noise")


def test_a_stream_goes_on_where_it_was() -> None:
    streams = Streams(1, CPU)
    first, then = (torch.rand(2, generator=streams.generator("noise")).tolist() for _ in range(2))
    assert first + then == pytest.approx(numbers(1, "noise"))
    assert first != then


def test_the_numbers_of_a_seed_stay_what_they_are() -> None:
    """A published seed must give the same run in the next version of the program."""
    assert Streams(0, CPU).child_seed("noise") == 3674443432713553628
    assert Streams(2**32 - 1, CPU).child_seed("data") == 7944664120294295570


def test_numpy_streams() -> None:
    streams = Streams(9, CPU)
    np.testing.assert_array_equal(streams.numpy("data").random(5), streams.numpy("data").random(5))
    assert not np.array_equal(streams.numpy("data").random(5), streams.numpy("noise").random(5))


def test_neighbouring_seeds_and_names_look_unrelated() -> None:
    """Means and correlations of a thousand streams are those of independent uniform numbers (five deviations)."""
    first = torch.tensor([numbers(seed, name, 2) for seed in range(100) for name in map(str, range(10))], dtype=torch.float64)
    deviation = 12**-0.5
    assert (first.mean(0) - 0.5).abs().max() < 5 * deviation / 1000**0.5
    neighbours = torch.corrcoef(torch.stack([first[:-1, 0], first[1:, 0], first[:-1, 1]]))
    assert (neighbours - torch.eye(3)).abs().max() < 5 / 999**0.5


def test_the_global_seed_is_left_alone() -> None:
    torch.manual_seed(7)
    before = torch.get_rng_state()
    numbers(1, "noise")
    assert torch.equal(before, torch.get_rng_state())
