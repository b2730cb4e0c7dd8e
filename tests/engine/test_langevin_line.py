"""One dimension: claims over seeds and energies, honest waiting, and errors that are seen."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from engine.api import Frame, LabError, load, preset_parameters
from engine.core.context import Context
from engine.core.drive import Run
from engine.labs.langevin import line

NAME = "langevin.line"


def started(preset: str | None = None, **values: Any) -> Run:
    parameters = preset_parameters(NAME, preset).changed(**values)
    return Run(load(NAME), parameters, Context(torch.device("cpu"), parameters.seed))


def told(frame: Frame) -> dict[str, bool | None]:
    return {claim.name: claim.holds for claim in frame.claims}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("preset", ["tilted", "rough"])
def test_claims_hold(preset: str, seed: int) -> None:
    run = started(preset, particles=4000, seed=seed)
    for _ in range(10):
        run.advance(200)
        assert False not in told(run.observe()).values()
    assert set(told(run.observe()).values()) == {True}


def test_a_high_barrier_leaves_all_open() -> None:
    run = started("high", particles=2000)
    run.advance(200)
    assert set(told(run.observe()).values()) == {None}
    assert "forgotten" in str(run.observe().claims[0].remark)


def test_a_parabola_without_metropolis_is_as_wide_as_the_formula() -> None:
    run = started("biased")
    run.advance(100)
    frame = run.observe()
    assert frame.measures["theory_variance"] == pytest.approx(1 / (1 - 0.9 / 4))
    assert told(frame)["variance"] is told(frame)["mean_energy"] is True
    assert told(frame)["log_partition"] is None


def test_a_wrong_rule_is_refuted(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = line.mala

    def hotter(x: Tensor, u: Tensor, g: Tensor, step_size: float, temperature: float, *rest: Any) -> Any:
        return honest(x, u, g, step_size, 2.5 * temperature, *rest)

    monkeypatch.setattr(line, "mala", hotter)
    run = started(energy="harmonic", exact_start=True, step_size=0.5, particles=20_000)
    run.advance(40)
    assert told(run.observe())["mean_energy"] is told(run.observe())["log_partition"] is False


def test_what_flies_apart_says_so() -> None:
    run = started(energy="double_well", barrier=10.0, sampler="ula", step_size=1.0)
    with pytest.raises(LabError, match="flew apart"):
        run.advance(100)


def test_another_step_size_starts_the_clock_anew() -> None:
    run = started(particles=500)
    run.advance(10)
    run.tweak(run.parameters.changed(step_size=0.02))
    assert run.observe().measures["time"] == 0
