"""Digits from energy models: seconds of training on one thread, and whether a classifier that never saw the model agrees.

Time is that of the processor, as training shares it with the window. The peer of the chains is the same energy with its slope
by automatic differentiation, the usual way; rounds alternate, and medians are compared.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch

from benchmarks._rows import row
from engine.data.digit_judge import digits_to_learn, judge, judge_accuracy
from engine.math.energies import digits as digit_energy
from engine.math.networks.digit_network import initial_weights
from engine.math.networks.kernel_classifier import quality

SEED = 0
STEPS = 400  # from noise to digits
EACH = 50  # digits of each class


def rows(quick: bool) -> list[dict[str, Any]]:
    """Training and generation for each objective that starts from noise, and the speed of chains."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        found = [row("judge's agreement on real digits", _percent(judge_accuracy()), "%", ">= 95 %")]
        for objective, updates in (("persistent", 120), ("score_matching", 300)):
            settings = digit_energy.recommended(objective)
            if quick:
                settings = replace(settings, updates=updates, averaging=0.95)
            found += _trained(settings)
        return [*found, _chains(5 if quick else 25)]
    finally:
        torch.set_num_threads(threads)


def _trained(settings: digit_energy.DigitSettings) -> list[dict[str, Any]]:
    images, labels = digits_to_learn()
    generator = torch.Generator().manual_seed(SEED)
    began = time.process_time()
    state = digit_energy.init(settings, generator)
    for _ in range(settings.updates):
        state = digit_energy.update(state, settings, images, labels, generator)
    seconds = time.process_time() - began
    classes = torch.arange(10).repeat_interleave(EACH)
    ends = digit_energy.generate(state.average, settings, classes, STEPS, generator)[-1]
    shown = digit_energy.expected(state.average, ends, classes, settings.noise)
    clean, noisy = (quality(judge(), each, classes, images, labels) for each in (shown, ends))
    name = settings.objective.replace("_", " ")
    return [
        row(f"{name}: training, {settings.updates:,d} updates", round(seconds, 1), "s", "<= 180 s"),
        row(f"{name}: judge agrees with the class", _percent(clean.agreement), "%", ">= 60 %"),
        row(f"{name}: the same before the noise is removed", _percent(noisy.agreement), "%", ">= 60 %"),
        row(f"{name}: diversity within a class, real is 1", round(clean.diversity, 2), ""),
        row(f"{name}: distance to the nearest example, examples' own is 1", round(clean.novelty, 2), ""),
    ]


def _chains(rounds: int) -> dict[str, Any]:
    settings = digit_energy.recommended("persistent")
    generator = torch.Generator().manual_seed(SEED)
    weights = initial_weights(settings.width, settings.depth, generator)
    images, classes = torch.rand(settings.batch, 64, generator=generator), torch.arange(settings.batch) % 10
    noises = [settings.noise] * settings.steps_per_update

    def ours() -> None:
        digit_energy.walk(weights, settings, images, classes, noises, generator)

    def peer() -> None:
        places = images
        for sigma in noises:
            leaf = places.detach().requires_grad_()
            with torch.enable_grad():
                value = digit_energy.energy(weights, leaf, classes, sigma).sum()
            (slope,) = torch.autograd.grad(value, leaf)
            kick = torch.randn(leaf.shape, generator=generator)
            places = places - 0.5 * settings.step_size * slope + math.sqrt(settings.step_size) * kick

    times: dict[Callable[[], None], list[float]] = {ours: [], peer: []}
    for number in range(-1, rounds):
        for work, kept in times.items():
            began = time.process_time()
            work()
            if number >= 0:  # the first warms up
                kept.append(time.process_time() - began)
    mine, theirs = (len(noises) / statistics.median(kept) for kept in times.values())
    return row(
        f"Langevin steps of {settings.batch} digits",
        round(mine),
        "steps/s",
        "ratio >= 1",
        peer="autograd",
        peer_value=round(theirs),
    )


def _percent(share: float) -> float:
    return round(100 * share, 1)
