"""Angles per second, against plain numpy in the same process.

Both sides draw the same number of pairs of gaussian vectors, in blocks that suit them, and return the angles; both use one
thread. numpy is measured as it is written without a second thought, in its default double precision, and once more in the
single precision that the engine draws in. Rounds alternate, and medians are compared.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from benchmarks._rows import row
from engine.math.random.angles import VectorLaw
from engine.math.random.entries import pair_angles

ENTRIES = 1 << 22  # numbers drawn per call, as in a step of the experiment
ROUNDS = 11
SAMPLES = 1 << 20


def rows(quick: bool) -> list[dict[str, Any]]:
    """Drawn vectors at three dimensions, and the exact law."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        found = []
        for n in (10, 100, 1000):
            pairs = (ENTRIES >> (2 if quick else 0)) // (2 * n)
            name = f"angles between drawn vectors, n = {n:,d}"
            for peer, dtype, target in (("numpy", np.float64, "ratio >= 3"), ("numpy float32", np.float32, None)):
                ours, numpys = compare(_ours(n, pairs), _numpys(n, pairs, dtype), 5 if quick else ROUNDS)
                found.append(_row(name, pairs / ours, "pairs/s", target, peer, pairs / numpys))
        for n in (10, 1000):
            count = SAMPLES >> (2 if quick else 0)
            ours, numpys = compare(_law(n, count), _numpys_law(n, count), 5 if quick else ROUNDS)
            name = f"angles from the exact law, n = {n:,d}"
            found.append(_row(name, count / ours, "angles/s", "ratio >= 3", "numpy beta", count / numpys))
    finally:
        torch.set_num_threads(threads)
    return found


def compare(one: Callable[[], Any], other: Callable[[], Any], rounds: int) -> tuple[float, float]:
    """Median seconds of each, rounds interleaved so that a noisy moment hits both."""
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(-1, rounds):
        for work, kept in zip((one, other), times, strict=True):
            began = time.perf_counter()
            work()
            if number >= 0:  # the first warms up
                kept.append(time.perf_counter() - began)
    return float(np.median(times[0])), float(np.median(times[1]))


def _row(name: str, value: float, unit: str, target: str | None, peer: str, peer_value: float) -> dict[str, Any]:
    return row(name, round(value), unit, target, peer=peer, peer_value=round(peer_value))


def _ours(n: int, pairs: int) -> Callable[[], torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return lambda: pair_angles("gaussian", n, pairs, generator)


def _numpys(n: int, pairs: int, dtype: type[np.floating[Any]]) -> Callable[[], np.ndarray]:
    random = np.random.default_rng(1)

    def work() -> np.ndarray:
        x = random.standard_normal((pairs, n), dtype=dtype)
        y = random.standard_normal((pairs, n), dtype=dtype)
        dots = np.einsum("ij,ij->i", x, y)
        lengths = np.linalg.norm(x, axis=1) * np.linalg.norm(y, axis=1)
        found: np.ndarray = np.arccos(np.clip(dots / lengths, -1, 1))
        return found

    return work


def _law(n: int, count: int) -> Callable[[], torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    law = VectorLaw(n)
    return lambda: law.sample(count, generator)


def _numpys_law(n: int, count: int) -> Callable[[], np.ndarray]:
    """cos² of the angle has the law Beta(1/2, (n - 1)/2), its sign is a coin."""
    random = np.random.default_rng(1)

    def work() -> np.ndarray:
        cosines = np.sqrt(random.beta(0.5, (n - 1) / 2, count))
        return np.arccos(np.where(random.random(count) < 0.5, cosines, -cosines))

    return work
