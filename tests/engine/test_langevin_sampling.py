"""The swarm against closed forms, exact moments and its own promises."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from engine.core.context import Context
from engine.core.drive import Run
from engine.core.errors import LabError, UsageError
from engine.core.frames import Frame
from engine.labs.langevin.sampling import EXPERIMENT, Parameters
from engine.labs.langevin.sampling.landscape import blocks, landscape, law_of
from engine.labs.langevin.sampling.records import Later, nothing, pair_correlation, pair_sums
from engine.labs.langevin.sampling.rules import energy_spec_of, settings_of
from engine.labs.langevin.sampling.walk import FOLLOWED, Ensemble, advance, rung_temperatures
from engine.math.energies.density import coarser

CPU = torch.device("cpu")


def started(**values: object) -> Run:
    parameters = Parameters(**values)
    torch.set_num_threads(1)
    return Run(EXPERIMENT, parameters, Context(CPU, parameters.seed))


def frame_after(first: int | None = None, /, **values: object) -> Frame:
    """The frame at the end, or after the first steps."""
    run = started(**values)
    run.advance(first or run.parameters.steps)
    return run.observe()


def held(frame: Frame) -> dict[str, bool | None]:
    return {claim.name: claim.holds for claim in frame.claims}


# ---- laws ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("step_size", "temperature"), [(1.0, 1.0), (2.5, 0.5)])
def test_ula_is_too_wide_by_the_closed_form(step_size: float, temperature: float) -> None:
    values = {"energy": "gaussian", "sigma": 1.0, "sampler": "ula", "step_size": step_size, "temperature": temperature}
    frame = frame_after(particles=40_000, steps=100, **values)
    expected = temperature / (1 - step_size / 4)
    assert frame.measures["theory_var_x"] == pytest.approx(expected)
    assert frame.measures["var_x"] == pytest.approx(expected, rel=5 * math.sqrt(2 / 40_000))
    assert frame.measures["acceptance"] == 1.0
    assert frame.measures["lag1_correlation"] == pytest.approx(1 - step_size / 2, abs=0.03)
    assert set(held(frame).values()) == {True, None}


@pytest.mark.parametrize("sampler", ["mala", "hmc", "underdamped", "tempering"])
def test_the_others_are_exact_on_a_gaussian(sampler: str) -> None:
    frame = frame_after(energy="gaussian", sampler=sampler, step_size=1.0, particles=20_000, steps=100, leapfrog_steps=2)
    assert frame.measures["var_x"] == pytest.approx(1.0, abs=5 * math.sqrt(2 / 20_000))
    assert frame.measures["theory_var_x"] == pytest.approx(1.0)
    assert False not in held(frame).values()
    assert held(frame)["var_x"] is True


def test_acceptance_follows_its_law() -> None:
    frame = frame_after(energy="gaussian", sampler="mala", step_size=1.5, particles=20_000, steps=60)
    theory = frame.measures["theory_acceptance"]
    assert frame.measures["acceptance"] == pytest.approx(theory, abs=5 * math.sqrt(theory * (1 - theory) / 20_000))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_claims_hold_on_a_ring(seed: int) -> None:
    run = started(energy="ring", sampler="mala", step_size=0.15, particles=4000, steps=1200, seed=seed)
    run.advance(1200)
    frame = run.observe()
    assert [name for name, holds in held(frame).items() if holds] == [
        "var_x",
        "mean_energy",
        "temperature_read",
        "kl_divergence",
    ]
    assert False not in held(frame).values()


def test_a_swarm_out_of_proportion_reads_another_temperature() -> None:
    frame = frame_after(energy="gaussian", sampler="ula", step_size=0.1, noise_scale=1.5, particles=20_000, steps=200)
    assert frame.measures["temperature_read"] == pytest.approx(2.25 / (1 - 0.025), rel=0.05)
    assert frame.measures["var_x"] == pytest.approx(2.25 / (1 - 0.025), rel=0.06)
    assert True not in [claim.holds for claim in frame.claims if claim.name == "var_x"]


def test_the_thermometer_of_ula_is_too_hot_on_any_energy() -> None:
    frame = frame_after(energy="ring", sampler="ula", step_size=0.1, particles=4000, steps=1500)
    claim = next(claim for claim in frame.claims if claim.name == "temperature_read")
    assert claim.expected > 1.02
    assert claim.holds is True


def test_claims_wait_while_all_particles_sit_in_one_well() -> None:
    frame = frame_after(
        energy="double_well", barrier=8, sampler="mala", step_size=0.03, particles=2000, steps=400, start="left"
    )
    assert frame.measures["mean_x"] == pytest.approx(-1, abs=0.08)
    assert set(held(frame).values()) == {None}
    assert any("remember their start" in str(claim.remark) for claim in frame.claims)


def test_tempering_crosses_where_mala_cannot() -> None:
    values = {"energy": "double_well", "barrier": 8, "step_size": 0.03, "particles": 500, "start": "left", "steps": 600}
    run = started(sampler="mala", second="tempering", second_step_size=0.03, hottest=12, **values)
    run.advance(600)
    first, second = (walk.points[0] for walk in run._state.walks)
    assert float((first > 0).float().mean()) < 0.02
    assert float((second > 0).float().mean()) > 0.2
    frame = run.observe()
    assert 0.3 < frame.measures["swap_acceptance"] < 0.95
    assert sorted(frame.picture.walkers[-1]) == list(range(5))
    assert frame.picture.rung_temperatures[-1] == pytest.approx(12)


def test_annealing_cools_down_and_then_settles() -> None:
    run = started(energy="gaussian", sampler="annealed", step_size=0.5, particles=5000, steps=600)
    assert run.observe().measures["present_temperature"] == 1.0
    run.advance(10)
    assert run.observe().measures["present_temperature"] > 8
    assert set(held(run.observe()).values()) == {None}
    run.advance(590)
    assert run.observe().measures["present_temperature"] == 1.0
    assert held(run.observe())["var_x"] is True


# ---- one particle, and time ----------------------------------------------------------------------------------------------


def test_one_particle_is_averaged_over_time() -> None:
    frame = frame_after(energy="gaussian", sampler="ula", step_size=1.0, particles=1, steps=8000)
    assert frame.picture.in_time
    assert frame.measures["var_x"] == pytest.approx(4 / 3, rel=0.25)
    assert frame.measures["lag1_correlation"] == pytest.approx(0.5, abs=0.06)
    assert held(frame)["var_x"] is True
    assert frame.measures["effective_sample_size"] == pytest.approx(4000 / 3, rel=0.4)


def test_the_later_half_and_no_more_than_three_quarters() -> None:
    later = Later()
    for step in range(1, 200):
        later.add(nothing(), np.array([1.0, 0, 0, 0, 0, 0, step]), step)
        if step > 2:
            assert 0.5 * step - 1 <= later.older_pairs[0] <= 0.75 * step + 2


def test_pairs_tell_the_correlation() -> None:
    values = torch.randn(2, 20_000, generator=torch.Generator().manual_seed(3))
    before, after = values[0] + 5, 0.6 * values[0] + 0.8 * values[1] + 5
    assert pair_correlation(pair_sums(before, after, 0.0, 4.0)) == pytest.approx(0.6, abs=0.02)
    assert math.isnan(pair_correlation(pair_sums(torch.ones(50), torch.ones(50), 0.0, 0.0)))


# ---- the same noise ------------------------------------------------------------------------------------------------------


def test_both_swarms_walk_on_the_same_noise() -> None:
    run = started(energy="gaussian", sampler="ula", step_size=0.3, second="same", second_step_size=0.3, particles=300)
    run.advance(20)
    first, second = (walk.points for walk in run._state.walks)
    assert torch.equal(first, second)


def test_hmc_of_one_leapfrog_is_mala() -> None:
    run = started(sampler="mala", step_size=0.2, second="hmc", second_step_size=0.2, leapfrog_steps=1, particles=500)
    run.advance(30)
    first, second = (walk.points for walk in run._state.walks)
    assert torch.allclose(first, second, atol=1e-3)


def test_a_sampler_that_needs_no_uniforms_does_not_shift_the_noise() -> None:
    alone, beside = (
        started(sampler="ula", step_size=0.05, particles=50),
        started(sampler="ula", step_size=0.05, particles=50, second="tempering", second_step_size=0.05),
    )
    for run in (alone, beside):
        run.advance(15)
    assert torch.equal(alone._state.walks[0].points, beside._state.walks[0].points)


def test_chunks_do_not_change_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    import engine.labs.langevin.sampling.walk as walking

    monkeypatch.setitem(walking.CHUNK, "cpu", 1000)
    frame = frame_after(energy="gaussian", sampler="mala", step_size=1.0, particles=3500, steps=60)
    assert frame.measures["var_x"] == pytest.approx(1.0, abs=0.12)
    assert frame.picture.density.size == 0
    assert frame.picture.points.shape == (2, 3500)


# ---- live changes --------------------------------------------------------------------------------------------------------


def test_the_bias_appears_and_vanishes_without_a_new_run() -> None:
    run = started(energy="gaussian", sampler="mala", step_size=2.0, particles=20_000, steps=400)
    expected = {"mala": 1.0, "ula": 2.0}
    for sampler in ("mala", "ula", "mala"):
        run.tweak(run.parameters.changed(sampler=sampler))
        run.advance(100)
        assert run.observe().measures["var_x"] == pytest.approx(expected[sampler], rel=0.06)
        assert held(run.observe())["var_x"] is True
    assert len(run.observe().picture.changes) == 2
    assert len(run.observe().picture.visited) == 2


def test_every_sampler_follows_every_other() -> None:
    run = started(sampler="ula", step_size=0.02, particles=40, steps=1000)
    names = ("mala", "tempering", "underdamped", "hmc", "annealed", "tempering", "mala", "ula", "underdamped")
    for name in names:
        run.tweak(run.parameters.changed(sampler=name, rungs=4))
        run.advance(3)
        assert np.isfinite(run.observe().picture.points).all()
    run.tweak(run.parameters.changed(energy="pinwheel", sampler="tempering", rungs=6))
    run.advance(2)
    assert run.observe().picture.replicas.shape == (2, 6)


def test_metropolis_forgets_the_energies_of_another_landscape() -> None:
    run = started(energy="gaussian", sampler="mala", step_size=0.5, particles=3000, steps=400, start="exact")
    run.advance(5)
    run.tweak(run.parameters.changed(sigma=0.5, step_size=0.2))
    run.advance(200)
    assert run.observe().measures["var_x"] == pytest.approx(0.25, rel=0.15)


def test_a_live_change_is_drawn_before_any_step() -> None:
    run = started(energy="double_well", particles=100, steps=50)
    run.advance(5)
    run.tweak(run.parameters.changed(barrier=5.0))
    frame = run.observe()
    assert frame.picture.landscape is run.context.once(landscape, energy_spec_of(run.parameters), 1.0)
    assert set(held(frame).values()) == {None}


def test_the_second_swarm_comes_and_goes() -> None:
    run = started(particles=200, steps=100)
    run.advance(10)
    run.tweak(run.parameters.changed(second="ula"))
    run.advance(10)
    frame = run.observe()
    assert frame.picture.second_points.shape == (2, 200)
    assert np.isnan(frame.picture.way_distances[1, 0])
    assert math.isfinite(frame.measures["second_kl_divergence"])
    run.tweak(run.parameters.changed(second="none"))
    run.advance(2)
    assert run.observe().picture.second_points.shape == (2, 0)


# ---- switches ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sampler", ["ula", "mala", "hmc", "tempering"])
def test_without_noise_everything_rolls_downhill(sampler: str) -> None:
    run = started(energy="gaussian", sampler=sampler, step_size=0.3, noise=False, particles=200, start="uniform", steps=80)
    run.advance(80)
    assert float(run._state.walks[0].points.abs().max()) < 0.05


def test_without_slope_the_swarm_diffuses() -> None:
    for sampler in ("ula", "mala"):
        frame = frame_after(sampler=sampler, drift=False, step_size=0.1, particles=20_000, steps=50)
        assert frame.measures["var_x"] == pytest.approx(5.0, rel=0.05)
        assert True not in held(frame).values() or frame.measures["acceptance"] == 1.0


def test_at_zero_temperature_there_is_no_density() -> None:
    frame = frame_after(temperature=0.0, particles=100, steps=20)
    assert frame.picture.landscape.density is None
    assert math.isnan(frame.measures["kl_divergence"])
    assert not frame.picture.exact_marginal_x.any()


# ---- starts, pictures, errors --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("start", ["point", "gaussian", "uniform", "exact", "left"])
def test_starts(start: str) -> None:
    run = started(energy="mixture", start=start, start_x=1.0, start_y=-1.0, particles=4000)
    x, y = run.observe().picture.points
    centre = {"point": (1, -1), "gaussian": (1, -1), "uniform": (0, 0), "exact": (0, 0), "left": (-3, 0)}[start]
    spread = {"point": 0, "gaussian": 0.55, "uniform": 9.2 / math.sqrt(12), "exact": math.sqrt(4.66), "left": 0}[start]
    assert x.std() == pytest.approx(spread, abs=0.1)
    if start == "left":
        assert x.max() < 0
        assert float(landscape(energy_spec_of(run.parameters), 1.0).energy.value(torch.tensor([[x[0]], [y[0]]]))) < 3.2
    else:
        assert (x.mean(), y.mean()) == pytest.approx(centre, abs=0.15)


def test_an_exact_start_is_at_the_floor() -> None:
    frame = frame_after(1, start="exact", particles=30_000)
    level = frame.picture.landscape.chance(30_000)
    assert frame.measures["kl_divergence"] == pytest.approx(level.mean, abs=6 * level.deviation)
    assert frame.measures["wasserstein_x"] < 0.05


def test_many_particles_are_a_density_of_mass_one() -> None:
    picture = frame_after(1, start="exact", particles=120_000).picture
    width, height = picture.landscape.size
    assert picture.density.shape == (128, 128)
    assert picture.density.mean() * width * height == pytest.approx(1.0, abs=0.01)
    assert picture.points.shape[1] <= 20


def test_proposals_are_drawn_for_a_few_particles() -> None:
    run = started(energy="gaussian", sampler="mala", step_size=3.0, particles=FOLLOWED, start="exact", steps=100)
    before = run._state.walks[0].points.clone().numpy()
    run.advance(1)
    picture = run.observe().picture
    x, y, to_x, _, accepted = picture.proposals
    assert np.array_equal(np.stack([x, y]), before)
    assert np.allclose(np.where(accepted, to_x, x), picture.points[0])
    assert 0 < accepted.sum() < FOLLOWED


def test_a_swarm_beyond_the_limit_stops_with_reason_and_limit() -> None:
    with pytest.raises(LabError) as error:
        frame_after(energy="gaussian", sampler="ula", step_size=4.0, particles=1000, steps=200)
    assert "4/L = 4" in str(error.value)
    with pytest.raises(LabError) as error:
        frame_after(energy="correlated_gaussian", sampler="ula", step_size=1.0, particles=50, steps=2000)
    assert "ε = 1" in str(error.value)
    assert "0.8" in str(error.value)


def test_the_second_swarm_is_named_when_it_flies_apart() -> None:
    with pytest.raises(LabError, match="second swarm"):
        frame_after(energy="gaussian", sampler="ula", second="same", second_step_size=4.0, particles=500, steps=300)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"formula": "x + "}, "ends at position"),
        ({"formula": "__import__('os')"}, "position"),
        ({"energy": "formula", "formula": "x^2"}, "depend on x and on y"),
        ({"energy": "formula", "formula": "-x^2 - y^2"}, "not"),
        ({"painted": ((0, 0, 1),)}, "four numbers"),
        ({"painted": ((0, 0, 1, -1),)}, "radius"),
        ({"painted": ((0.0, 0.0, 1.0, 1.0),) * 1001}, "at most 1000"),
    ],
)
def test_what_is_no_energy_is_refused_with_a_sentence(values: dict[str, object], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        Parameters().changed(**values)


def test_a_formula_is_sampled() -> None:
    values = {"energy": "formula", "formula": "(x - 1)^2/2 + y^2/(2*0.25)", "step_size": 0.3}
    frame = frame_after(particles=8000, steps=150, **values)
    assert frame.measures["mean_x"] == pytest.approx(1.0, abs=0.05)
    assert frame.measures["var_y"] == pytest.approx(0.25, rel=0.08)


# ---- parts ---------------------------------------------------------------------------------------------------------------


def test_blocks_are_sums() -> None:
    table = np.arange(128 * 128).reshape(128, 128)
    assert np.array_equal(blocks(table), coarser(table, 2))


def test_rules_differ_only_in_what_they_use() -> None:
    base = Parameters(sampler="mala")
    assert settings_of(base) == settings_of(base.changed(friction=5.0, sigma=2.0, hottest=3.0))
    assert settings_of(base) != settings_of(base.changed(step_size=0.2))
    assert rung_temperatures(settings_of(base.changed(sampler="tempering", rungs=3, hottest=9.0))) == pytest.approx([1, 3, 9])


def test_laws_are_known_where_they_are_claimed() -> None:
    for sampler in ("ula", "mala", "underdamped", "hmc"):
        rule = settings_of(Parameters(energy="gaussian", sampler=sampler, step_size=0.5))
        law = law_of(rule, landscape(rule.energy, 1.0))
        assert math.isfinite(law.var_x)
        assert math.isfinite(law.lag1)
    rule = settings_of(Parameters(energy="funnel", sampler="ula", step_size=0.01))
    assert math.isnan(law_of(rule, landscape(rule.energy, 1.0)).var_x)


def test_a_step_is_cancelled_between_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    import engine.labs.langevin.sampling.walk as walking

    monkeypatch.setitem(walking.CHUNK, "cpu", 100)
    met = []
    context = Context(CPU, 0)
    monkeypatch.setattr(context, "checkpoint", lambda: met.append(1))
    parameters = Parameters(particles=1000, sampler="ula")
    rule = settings_of(parameters)
    advance([(Ensemble(torch.zeros(2, 1000)), rule)], landscape(rule.energy, 1.0).energy, context, 0, 0.0)
    assert len(met) >= 10
