"""Layers of a tower per second, against a plain loop of torch modules; the first picture; the integrals behind the theory.

The peer makes the same network in the usual way, `torch.nn.Sequential` of linear maps and rectifiers with weights drawn by
`torch.nn.init`, sends a batch through it and takes the gradient with respect to the input. Ours also reads moments, angles,
dead units and histograms at each layer, and computes the theory beside it. Rounds alternate, and medians are compared.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from benchmarks._rows import row
from engine.core.context import Context
from engine.core.drive import Run
from engine.labs.angles.propagation import EXPERIMENT, Parameters
from engine.math.networks import mean_field
from engine.math.networks.activations import ACTIVATIONS
from engine.math.networks.mean_field import moments
from engine.math.numerics.quadrature import gaussian_mean, gaussian_pair_mean

BATCH = 64
CPU = torch.device("cpu")


def rows(quick: bool) -> list[dict[str, Any]]:
    """Throughput, first pictures, quadrature."""
    rounds = 3 if quick else 7
    depth, width = (20, 256) if quick else (50, 1024)
    ours, peers = _medians([tower_run(depth, width), modules_run(depth, width)], rounds)
    found = [
        row(
            f"tower of {depth} relu layers of {width} units, up and down",
            round(depth / ours, 1),
            "layers/s",
            "ratio >= 0.7",
            peer="nn.Sequential",
            peer_value=round(depth / peers, 1),
        )
    ]
    for name in ("relu", "tanh"):
        (seconds,) = _medians([_first_picture(name, depth=200, width=1024)], rounds)
        found.append(row(f"first picture of 200 layers of 1,024 units, {name}", round(1e3 * seconds), "ms", "<= 300 ms"))
    tanh = ACTIVATIONS["tanh"].numpy
    single, double = _medians(
        [
            lambda: gaussian_mean(lambda x: tanh(x) ** 2, 1.3),
            lambda: gaussian_pair_mean(tanh, tanh, (1.3, 1.3), 0.4, nodes=8),
        ],
        20 * rounds,
    )
    found.append(row("integral over one Gaussian variable", round(1e6 * single), "µs", "<= 1000 us"))
    found.append(row("integral over a Gaussian pair, eight nodes a panel", round(1e6 * double), "µs", "<= 3000 us"))
    return found


def _medians(works: list[Callable[[], Any]], rounds: int) -> list[float]:
    """Median seconds of each, rounds interleaved so that a noisy moment hits all."""
    times: list[list[float]] = [[] for _ in works]
    for number in range(-1, rounds):
        for work, kept in zip(works, times, strict=True):
            began = time.perf_counter()
            work()
            if number >= 0:  # the first warms up
                kept.append(time.perf_counter() - began)
    return [statistics.median(each) for each in times]


def tower_run(depth: int, width: int, device: torch.device = CPU) -> Callable[[], Any]:
    """Our tower, layer by layer to its end."""
    parameters = Parameters(depth=depth, width=width, batch=BATCH)

    def work() -> None:
        run = Run(EXPERIMENT, parameters, Context(device, 0))
        while not run.finished:
            run.advance(1)

    return work


def modules_run(depth: int, width: int, device: torch.device = CPU) -> Callable[[], Any]:
    """The same network of torch's modules, with the gradient of its input."""

    def work() -> None:
        layers: list[nn.Module] = []
        for _ in range(depth):
            linear = nn.utils.skip_init(nn.Linear, width, width, device=device)  # type: ignore[no-untyped-call]
            nn.init.kaiming_normal_(linear.weight, nonlinearity="relu")
            nn.init.zeros_(linear.bias)
            layers += [linear.requires_grad_(False), nn.ReLU()]
        with torch.enable_grad():
            x = torch.randn(BATCH, width, device=device, requires_grad=True)
            y = nn.Sequential(*layers)(x)
            y.backward(torch.randn_like(y))

    return work


def _first_picture(activation: str, **values: int) -> Callable[[], Any]:
    """From the parameters to the first frame, with no integral known beforehand."""
    parameters = Parameters(activation=activation, **values)

    def work() -> None:
        for cache in (moments, mean_field._tables):
            cache.cache_clear()
        Run(EXPERIMENT, parameters, Context(CPU, 0)).observe()

    return work
