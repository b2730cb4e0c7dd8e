"""Particle steps per second on the mixture of eight Gaussians, against a plain numpy loop and against blackjax.

All sides run the same chains: the same energy, start, step size and number of steps, ULA against ULA and MALA against MALA, in
rounds that alternate; medians are compared. Where the system allows it everything is held on one core, since XLA uses a second
thread even when told not to. numpy is the loop as one writes it, all particles at once in its default double precision, and
once more in single precision. blackjax (the extra ``bench``) runs in a process of its own, compiled before the first round:
``sgld`` and ``mala``, once on all particles together, which is how its documentation maps chains, and once in chunks of the
size that suits it best. The mean of |x|² at the end must agree, or there is no row.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch

from benchmarks._rows import row
from engine.math.chains.samplers import mala, ula
from engine.math.energies.registry import energy

PARTICLES, QUICK = 1 << 20, 1 << 17
ROUNDS = 5
STEPS = 4  # per round
STEP_SIZE = 0.05  # 0.3 σ²: MALA accepts 98 %
CHUNK = 1 << 16
SPREAD = 3.0  # of the start
AGREEMENT = 0.02  # relative difference of the mean of |x|²
UNIT = "steps/s of 1M"

Round = Callable[[], tuple[float, float]]  # seconds of `STEPS` steps, and the mean of |x|² after them


def rows(quick: bool) -> list[dict[str, Any]]:
    """ULA and MALA, each beside its peers."""
    count, rounds = (QUICK, 3) if quick else (PARTICLES, ROUNDS)
    found = []
    with _one_thread(), contextlib.ExitStack() as open_until_the_end:
        probe = open_until_the_end.enter_context(_probe(count)) if installed() else None
        for sampler in ("ula", "mala"):
            peers: dict[str, tuple[Round, str | None]] = {}
            if sampler == "ula":
                peers = {
                    "numpy": (_numpys(count, np.float64), "ratio >= 3"),
                    "numpy float32": (_numpys(count, np.float32), None),
                }
            if probe is not None:
                peers["blackjax"] = (_blackjaxes(probe, sampler, "whole"), "ratio >= 1")
                peers["blackjax, chunks"] = (_blackjaxes(probe, sampler, "chunks"), None)
            name = f"{sampler.upper()} on the mixture, {count:,d} particles"
            ours, times = compare(_ours(sampler, count), {peer: work for peer, (work, _) in peers.items()}, rounds)
            scale = count * STEPS / 1e6
            found += [
                row(name, _short(scale / ours), UNIT, target, peer=peer, peer_value=_short(scale / times[peer]))
                for peer, (_, target) in peers.items()
            ]
            if probe is None:
                found.append(row(f"{name} (blackjax is not installed: extra bench)", _short(scale / ours), UNIT))
    return found


def installed() -> bool:
    """Whether blackjax can be measured here."""
    return importlib.util.find_spec("blackjax") is not None


def compare(ours: Round, peers: dict[str, Round], rounds: int) -> tuple[float, dict[str, float]]:
    """Median seconds of a round, ours and each peer's; one round each to warm up, then they alternate.

    Raises
    ------
    RuntimeError
        If a peer's chains end up elsewhere.
    """
    works = {"": ours, **peers}
    times: dict[str, list[float]] = {name: [] for name in works}
    squares = dict.fromkeys(works, math.nan)
    for number in range(-1, rounds):
        for name, work in works.items():
            seconds, squares[name] = work()
            if number >= 0:
                times[name].append(seconds)
    for name, square in squares.items():
        if not abs(square / squares[""] - 1.0) < AGREEMENT:
            raise RuntimeError(f"the chains of {name} disagree: mean |x|² {square:.4f}, ours {squares['']:.4f}")
    medians = {name: float(np.median(each)) for name, each in times.items()}
    return medians.pop(""), medians


def _ours(sampler: str, count: int) -> Round:
    target = energy("mixture")
    generator = torch.Generator().manual_seed(1)
    points = torch.randn((2, count), generator=generator).mul_(SPREAD)
    energies, gradients = target.value_and_gradient(points) if sampler == "mala" else (points[0], points)
    pieces = list(
        zip(torch.split(points, CHUNK, 1), torch.split(energies, CHUNK), torch.split(gradients, CHUNK, 1), strict=True)
    )
    noise, uniform = torch.empty((2, CHUNK)), torch.empty(CHUNK)

    def work() -> tuple[float, float]:
        began = time.perf_counter()
        for x, u, g in pieces:  # a piece makes all its steps while it is in the cache; so do the chunks of blackjax
            for _ in range(STEPS):
                noise.normal_(generator=generator)
                if sampler == "ula":
                    ula(x, target.gradient(x), STEP_SIZE, 1.0, noise, in_place=True)
                else:
                    uniform.uniform_(generator=generator)
                    mala(x, u, g, STEP_SIZE, 1.0, noise, uniform, target.value_and_gradient, in_place=True)
        return time.perf_counter() - began, float(points.square().sum(0).mean())

    return work


def _numpys(count: int, dtype: type[np.floating[Any]]) -> Round:
    """One unadjusted step after the other on an array (particles, 2)."""
    target = energy("mixture")
    random = np.random.default_rng(1)
    centres = np.array(target.modes, dtype=dtype)
    variance = dtype(1.0 / target.curvature())
    state = [dtype(SPREAD) * random.standard_normal((count, 2), dtype=dtype)]

    def gradient(x: np.ndarray) -> np.ndarray:
        logits = x @ centres.T / variance
        weights = np.exp(logits - logits.max(axis=1, keepdims=True))
        weights /= weights.sum(axis=1, keepdims=True)
        slope: np.ndarray = (x - weights @ centres) / variance
        return slope

    def work() -> tuple[float, float]:
        began = time.perf_counter()
        x = state[0]
        for _ in range(STEPS):
            noise = random.standard_normal(x.shape, dtype=dtype)
            x = x - dtype(0.5 * STEP_SIZE) * gradient(x) + dtype(math.sqrt(STEP_SIZE)) * noise
        state[0] = x
        return time.perf_counter() - began, float((x**2).sum(axis=1).mean())

    return work


def _blackjaxes(probe: subprocess.Popen[str], sampler: str, way: str) -> Round:
    def work() -> tuple[float, float]:
        _stream(probe.stdin).write(f"{sampler} {way}\n")
        _stream(probe.stdin).flush()
        answer = _stream(probe.stdout).readline()
        if not answer:
            raise RuntimeError("the process of blackjax has ended")
        seconds, square = json.loads(answer)
        return float(seconds), float(square)

    return work


@contextlib.contextmanager
def _probe(count: int) -> Iterator[subprocess.Popen[str]]:
    """blackjax in a process of its own, which answers a line of its input by a line of its output."""
    target = energy("mixture")
    numbers = {
        "centres": target.modes,
        "variance": 1.0 / target.curvature(),
        "count": count,
        "steps": STEPS,
        "step_size": STEP_SIZE,
        "spread": SPREAD,
    }
    flags = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("_blackjax_probe.py")), json.dumps(numbers)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"},
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """One thread of torch, and one core for this thread and the processes it starts, where the system can do that."""
    threads = torch.get_num_threads()
    cores = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
    torch.set_num_threads(1)
    if cores:
        os.sched_setaffinity(0, {max(cores)})
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        if cores:
            os.sched_setaffinity(0, cores)


def _stream(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None
    return pipe


def _short(rate: float) -> float:
    return float(f"{rate:.3g}")
