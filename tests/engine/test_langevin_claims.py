"""Claims of the topic are open while a chain may remember its start, and ✗ where a rule is wrong."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from engine.api import Frame, preset_parameters
from engine.core.catalog import load
from engine.core.context import Context
from engine.core.drive import Run
from engine.labs.langevin.bias import chains
from engine.math.chains import samplers
from engine.math.chains.laws import ou_transient


def started(name: str, **values: Any) -> Run:
    parameters = preset_parameters(name, None).changed(**values)
    return Run(load(name), parameters, Context(torch.device("cpu"), parameters.seed))


def told(frame: Frame) -> dict[str, bool | None]:
    return {claim.name: claim.holds for claim in frame.claims}


def remarks(frame: Frame) -> str:
    return " ".join(str(claim.remark) for claim in frame.claims)


def looked_at(run: Run, steps: int, every: int) -> list[Frame]:
    frames = []
    for _ in range(0, steps, every):
        run.advance(every)
        frames.append(run.observe())
    return frames


@pytest.mark.parametrize("seed", range(3))
def test_metropolis_far_beyond_the_limit_is_not_judged(seed: int) -> None:
    run = started("langevin.sampling", energy="gaussian", sampler="mala", step_size=8.0, particles=5000, steps=300, seed=seed)
    frames = looked_at(run, 300, 60)
    assert all(False not in told(frame).values() for frame in frames)
    assert "Far beyond the limit" in remarks(frames[-1])


@pytest.mark.parametrize(
    "values",
    [
        {"energy": "gaussian", "sampler": "underdamped", "friction": 0.0, "step_size": 0.5},
        {"energy": "gaussian", "sampler": "hmc", "leapfrog_steps": 2, "step_size": 2.0},  # two quarter turns
        {"energy": "gaussian", "sampler": "hmc", "leapfrog_steps": 4, "step_size": 2.0},  # a whole turn
    ],
)
def test_motion_that_is_not_ergodic_is_not_judged(values: dict[str, Any]) -> None:
    run = started("langevin.sampling", particles=2000, steps=400, start="gaussian", start_x=1.0, **values)
    frames = looked_at(run, 400, 100)
    assert all(told(frame)["var_x"] is None and told(frame)["mean_energy"] is None for frame in frames)
    assert "not ergodic" in remarks(frames[-1])


def test_paths_that_only_change_sides_have_not_forgotten_their_energy() -> None:
    """Nearly half a turn: means vanish at once, energies stay."""
    run = started(
        "langevin.sampling", energy="gaussian", sampler="hmc", leapfrog_steps=2, step_size=1.97, particles=4000, steps=400
    )
    assert all(False not in told(frame).values() for frame in looked_at(run, 400, 50))


def test_a_metropolis_rule_that_accepts_everything_is_refuted(monkeypatch: pytest.MonkeyPatch) -> None:
    def accept(log_ratio: Tensor, temperature: float, uniform: Tensor) -> Tensor:
        return torch.ones_like(uniform, dtype=torch.bool)

    monkeypatch.setattr(samplers, "metropolis", accept)
    run = started("langevin.sampling", energy="gaussian", sampler="mala", step_size=1.0, particles=8000, steps=200)
    run.advance(200)
    found = told(run.observe())
    assert found["var_x"] is found["mean_energy"] is found["temperature_read"] is found["kl_divergence"] is False
    assert found["acceptance"] is False


@pytest.mark.parametrize("start", [3.0, 8.0])
def test_misprinted_chains_stuck_at_their_start_are_not_judged(start: float) -> None:
    run = started("langevin.bias", sampler="mala_printed", step_size=20.0, start=start, chains=4000, steps=400)
    frames = looked_at(run, 400, 50)
    assert all(False not in told(frame).values() for frame in frames)
    assert told(frames[-1])["variance"] is None
    assert "on their way" in remarks(frames[-1]) or "keeps its start" in remarks(frames[-1])


def test_the_way_of_chains_that_hardly_move_is_followed() -> None:
    """One of thousands that moves, far, is no refutation of the exact law."""
    for seed in range(4):
        run = started("langevin.bias", sampler="mala", step_size=13.4, start=-3.8, chains=4000, steps=150, seed=seed)
        assert all(told(frame)["transient"] is not False for frame in looked_at(run, 150, 15))


def test_hamiltonian_turns_of_the_parabola_are_not_judged() -> None:
    run = started("langevin.bias", sampler="hmc", leapfrog_steps=2, step_size=2.0, chains=2000, steps=100)
    run.advance(100)
    assert told(run.observe())["variance"] is None
    assert "not ergodic" in remarks(run.observe())


def test_chains_of_another_rule_are_refuted(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = chains.ula

    def longer(points: Tensor, gradient: Tensor, step_size: float, temperature: float, noise: Tensor) -> Tensor:
        return honest(points, gradient, 1.1 * step_size, temperature, noise)

    monkeypatch.setattr(chains, "ula", longer)
    run = started("langevin.bias", sampler="ula", step_size=1.0, chains=10_000, steps=200)
    run.advance(200)
    found = told(run.observe())
    assert found["variance"] is found["lag1_correlation"] is found["transient"] is False


def test_passage_says_nothing_before_crossings_come_at_a_constant_rate() -> None:
    """In the second half of a short time fewer cross than later: those left would seem to wait longer than they do."""
    run = started("langevin.passage", barrier=1.43, particles=3000, bridge=False, most_steps=15_386, seed=514)
    while run.step < 300:
        run.advance(6)
        assert False not in told(run.observe()).values()


def test_a_start_far_away_does_not_weigh_on_the_correlation_of_steps() -> None:
    run = started("langevin.sampling", energy="gaussian", step_size=0.15, particles=2000, steps=400, start_x=70.0)
    assert all(False not in told(frame).values() for frame in looked_at(run, 400, 16))
    assert told(run.observe())["lag1_correlation"] is True


@pytest.mark.parametrize("energy", ["gaussian", "ring"])
def test_the_no_u_turn_sampler_keeps_its_claims(energy: str) -> None:
    run = started("langevin.sampling", energy=energy, sampler="nuts", step_size=0.15, particles=2000, steps=160)
    assert all(False not in told(frame).values() for frame in looked_at(run, 160, 20))
    assert told(run.observe())["var_x"] is True
    assert run.observe().measures["acceptance"] > 0.8


def test_a_run_stops_when_its_paths_agree() -> None:
    values = {"energy": "gaussian", "step_size": 0.5, "particles": 500, "steps": 3000}
    run = started("langevin.sampling", stop_r_hat=1.05, **values)
    run.advance(3000)
    assert run.finished
    assert run.step < 3000
    assert "agree" in str(run.settled)
    assert run.observe().measures["rank_r_hat"] < 1.05
    never = started("langevin.sampling", **values)
    never.advance(run.step + 10)
    assert not never.finished


@pytest.mark.parametrize("sampler", ["ula", "mala"])
def test_the_density_flows_as_the_swarm_does(sampler: str) -> None:
    """On a parabola the way of the continuous process is known: mean m e^(-t/2), variance 1 - e^(-t) from a point."""
    values = {"energy": "gaussian", "sampler": sampler, "step_size": 0.02, "particles": 20_000, "steps": 200}
    run = started("langevin.sampling", fokker_planck=True, start_x=1.5, **values)
    for steps in (20, 50, 100):
        run.advance(steps - run.step)
        frame, time = run.observe(), 0.02 * steps
        mean, variance = ou_transient(time, 1.5, 0.0)
        cell = frame.picture.landscape.size[0] / len(frame.picture.flow)
        assert frame.measures["flow_mean_x"] == pytest.approx(float(mean), abs=cell)
        assert frame.measures["flow_var_x"] == pytest.approx(float(variance), abs=cell**2)
        assert frame.measures["flow_distance"] < 1.3 * frame.measures["flow_floor"] + cell
        assert frame.picture.flow.min() >= 0
        area = frame.picture.landscape.size[0] * frame.picture.landscape.size[1] / frame.picture.flow.size
        assert float(frame.picture.flow.sum()) * area == pytest.approx(1, abs=1e-5)


def test_the_density_is_that_of_overdamped_motion_alone() -> None:
    run = started("langevin.sampling", fokker_planck=True, energy="ring", particles=200, steps=50)
    assert run.observe().picture.flow.size
    run.advance(5)
    run.tweak(run.parameters.changed(step_size=0.05))
    assert run.observe().picture.flow_time == pytest.approx(5 * 0.15)
    run.tweak(run.parameters.changed(sampler="underdamped"))
    assert not run.observe().picture.flow.size
    run.tweak(run.parameters.changed(sampler="ula", energy="banana"))
    assert run.observe().picture.flow_time == 0
