"""The benchmarks of `benchmarks._device`: ``python -m benchmarks._device_parts PART DEVICE SECONDS [--quick]``.

Each part prints a row as JSON as soon as it is measured, the smaller sizes first: one that is stopped has said something.
A rate is the median over repetitions, each ended by waiting for the device.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch

from benchmarks import angles_propagation, em_mixture
from benchmarks._rows import row
from benchmarks.langevin_window import SWARM
from engine.api import LabParameters, load, preset_parameters
from engine.core.context import Context
from engine.core.device import is_out_of_memory, prepare_thread
from engine.core.drive import Run
from engine.math.latent.gaussian_mixtures import iterate
from engine.math.latent.laws import Mixture

Row = dict[str, Any]


def main() -> None:
    """One part, as named on the command line."""
    part, device, seconds = sys.argv[1], torch.device(sys.argv[2]), float(sys.argv[3])
    prepare_thread(device)
    for each in PARTS[part](device, seconds, "--quick" in sys.argv):
        print(json.dumps(each), flush=True)


def particles(device: torch.device, seconds: float, quick: bool) -> Iterator[Row]:
    """The swarm of langevin.sampling on eight modes: steps, and pictures with all their measures."""
    model = load("langevin.sampling").parameters
    sizes = (1_000, 10_000) if quick else (10_000, 100_000, 1_000_000, 10_000_000, 100_000_000)
    share = seconds / (3 * len(sizes))
    for count in sizes:
        # The largest is ten times what the window offers, hence not validated.
        swarm = Again("langevin.sampling", model.model_construct(**{**dict(model(**SWARM)), "particles": count}), device)
        try:
            steps = _rate(swarm.step, device, share)
            pictures = _rate(swarm.picture, device, share)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            print(f"{count:,d} particles do not fit into the memory of the device", file=sys.stderr)
            return
        yield row(f"ULA on eight modes, {count:,d} particles: steps", _short(steps), "1/s")
        yield row(f"ULA on eight modes, {count:,d} particles: pictures", _short(pictures), "1/s")


def em(device: torch.device, seconds: float, quick: bool) -> Iterator[Row]:
    """Iterations of EM in double precision, eight components with full covariances."""
    cases = [(count, d) for d in (2, 8) for count in ((1_000, 10_000) if quick else (1_000_000, 10_000_000))]
    torch.set_grad_enabled(False)
    for count, dimension in cases:
        points, start = em_mixture.problem(count, dimension)
        points = points.to(device)
        state = [Mixture(start.weights.to(device), start.means.to(device), start.covariances.to(device))]

        def step(points: torch.Tensor = points, state: list[Mixture] = state) -> None:
            state[0], _ = iterate(points, state[0], "full", 1e-6)

        rate = _rate(step, device, seconds / (2 * len(cases)))
        yield row(f"EM, {count:,d} points, 8 components, d = {dimension}: iterations", _short(rate), "1/s")


def tower(device: torch.device, seconds: float, quick: bool) -> Iterator[Row]:
    """Layers of a tower up and down, with all that is read off on the way, beside torch's own modules with autograd."""
    for depth, width in ((5, 64),) if quick else ((50, 1024), (50, 4096), (200, 1024)):
        ours = _rate(angles_propagation.tower_run(depth, width, device), device, seconds / 8)
        peer = _rate(angles_propagation.modules_run(depth, width, device), device, seconds / 8)
        yield row(
            f"tower of {depth} relu layers of {width} units, up and down",
            _short(depth * ours),
            "layers/s",
            peer="nn.Sequential",
            peer_value=_short(depth * peer),
        )


def digits(device: torch.device, seconds: float, quick: bool) -> Iterator[Row]:
    """Updates of the energy model that learns handwritten digits, and its pictures."""
    model = Again("langevin.energy_model", preset_parameters("langevin.energy_model", "digits"), device)
    updates = _rate(model.step, device, seconds / (30 if quick else 3))
    yield row("energy model on digits: updates", _short(updates), "1/s")
    yield row("energy model on digits: pictures", _short(_rate(model.picture, device, seconds / 6)), "1/s")


class Again:
    """A run that begins again when it has come to its end."""

    def __init__(self, name: str, parameters: LabParameters, device: torch.device) -> None:
        self._begin = partial(Run, load(name), parameters)
        self._device = device
        self._run: Run | None = None

    def step(self) -> None:
        """One step of the algorithm."""
        self._current().advance(1)

    def picture(self) -> None:
        """What the window asks for: steps until the next picture, and the picture."""
        run = self._current()
        run.advance(run.stride())
        run.observe()

    def _current(self) -> Run:
        if self._run is None or self._run.finished:
            self._run = None  # what it holds is given back first
            self._run = self._begin(Context(self._device, 0))
        return self._run


def _rate(work: Callable[[], object], device: torch.device, seconds: float) -> float:
    """How often a second: median over repetitions for so many seconds (three at least), after one that warms up."""
    times: list[float] = []
    end = time.perf_counter() + seconds
    while len(times) < 4 or time.perf_counter() < end:
        began = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        times.append(time.perf_counter() - began)
    return 1 / statistics.median(times[1:])


def _short(value: float) -> float:
    return float(f"{value:.3g}")


PARTS: dict[str, Callable[[torch.device, float, bool], Iterator[Row]]] = {
    "particles": particles,
    "em": em,
    "tower": tower,
    "digits": digits,
}

if __name__ == "__main__":
    main()
