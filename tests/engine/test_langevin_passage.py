"""First passage over a barrier: laws against independent solutions, the walk by hand, the experiment over seeds."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.linalg import expm

from engine.api import Frame, LabError, load
from engine.core.context import Context
from engine.core.drive import Run
from engine.labs.langevin.passage import experiment as passage
from engine.labs.langevin.passage.sample import Sample
from engine.labs.langevin.passage.walk import TRACERS, crossed, follow, schedule
from engine.math.chains.laws import kramers_time
from engine.math.chains.passage_chain import BOUNDARY_SHIFT, chain_law, discretisation_bias, shifted_target
from engine.math.chains.passage_times import (
    double_well,
    left_end,
    passage_law,
    passage_time_curve,
    relaxation_rate,
    right_share,
    well_passage_time,
)

NAME = "langevin.passage"


def generator_matrix(barrier: float, temperature: float, low: float, high: float, cells: int) -> tuple[np.ndarray, np.ndarray]:
    """The generator as jumps between cells (detailed balance by construction), and the places; reflecting at both ends."""
    edges = np.linspace(low, high, cells + 1)
    places = 0.5 * (edges[1:] + edges[:-1])
    h = edges[1] - edges[0]
    energy = double_well(places, barrier) / temperature
    right = 0.5 * temperature / h**2 * np.exp(-0.5 * np.diff(energy))
    left = 0.5 * temperature / h**2 * np.exp(0.5 * np.diff(energy))
    matrix = np.diag(right, 1) + np.diag(left, -1)
    return matrix - np.diag(matrix.sum(1)), places


# ---- the diffusion ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("barrier", "temperature"), [(0.5, 1.0), (2.0, 1.0), (6.0, 1.0), (1.0, 4.0), (3.0, 0.5)])
def test_mean_is_the_double_integral_by_nested_quadrature(barrier: float, temperature: float) -> None:
    low = left_end(barrier, temperature)

    def inner(y: float) -> float:
        return quad(lambda z: math.exp(-barrier * (z * z - 1) ** 2 / temperature), low, y, epsabs=1e-12)[0]

    outer = quad(lambda y: math.exp(barrier * (y * y - 1) ** 2 / temperature) * inner(y), -1, 1, epsrel=1e-9)[0]
    assert well_passage_time(barrier, temperature) == pytest.approx(2 / temperature * outer, rel=1e-8)


@pytest.mark.parametrize(("barrier", "temperature"), [(0.5, 1.0), (2.0, 1.0), (6.0, 0.3), (0.5, 4.0)])
def test_series_is_a_distribution_with_the_exact_mean(barrier: float, temperature: float) -> None:
    law = passage_law(barrier, temperature)
    assert (law.weights / law.rates).sum() == pytest.approx(well_passage_time(barrier, temperature), rel=1e-9)
    times = np.linspace(0, 30 / law.rates[0], 3000)
    survival = law.survival(times)
    assert survival[0] == 1
    assert survival[-1] < 1e-12
    assert np.all(np.diff(survival) <= 1e-12)
    last = 3 * law.mean
    area = quad(law.density, 0, last, limit=400, points=[0.05 * law.mean])[0]
    assert area == pytest.approx(1 - float(law.survival(last)), abs=1e-5)
    assert law.survival(law.quantile(0.7)) == pytest.approx(0.3, abs=1e-9)


def test_distribution_against_jumps_between_cells() -> None:
    matrix, places = generator_matrix(2.0, 1.0, -2.3, 1.0, 330)
    matrix[-1, -1] -= 2 * 0.5 / (3.3 / 330) ** 2  # the wall is half a cell away from the last middle
    start = np.argmin(np.abs(places + 1))
    law = passage_law(2.0, 1.0, float(places[start]), 1.0)
    for t in (0.5, 2.0, 8.0):
        assert expm(matrix * t)[start].sum() == pytest.approx(float(law.survival(t)), abs=2e-4)


def test_variance_against_the_second_backward_equation() -> None:
    """E t² = 2 ∫ t P(later than t) dt."""
    law = passage_law(1.0, 1.0)
    second = 2 * quad(lambda t: t * float(law.survival(t)), 0, 40 * law.mean, limit=500)[0]
    assert law.variance == pytest.approx(second - law.mean**2, rel=1e-5)


def test_share_of_the_right_half_and_the_gap() -> None:
    matrix, places = generator_matrix(2.0, 1.0, -2.3, 2.3, 460)
    law = expm(matrix * 1.5)[np.argmin(np.abs(places + 1))]
    assert law[places > 0].sum() == pytest.approx(float(right_share(1.5, 2.0)), abs=1e-3)
    gap = -np.sort(np.linalg.eigvals(matrix).real)[-2]
    assert relaxation_rate(2.0) == pytest.approx(gap, rel=2e-3)
    assert float(right_share(1e9, 2.0)) == pytest.approx(0.5)


@pytest.mark.parametrize("ratio", [4.0, 8.0, 16.0])
def test_kramers_with_its_first_correction(ratio: float) -> None:
    exact = well_passage_time(ratio) / kramers_time(ratio)
    assert exact == pytest.approx(1 + 0.375 / ratio, abs=0.8 / ratio**2)
    assert passage_law(ratio).rates[0] * well_passage_time(ratio) == pytest.approx(1, abs=0.05)


def test_only_the_ratio_of_barrier_and_temperature_counts() -> None:
    assert well_passage_time(3.0, 1.5) == pytest.approx(well_passage_time(2.0, 1.0) / 1.5, rel=1e-10)
    barriers = np.array([0.5, 1.3, 6.0])
    for temperature in (0.3, 1.0, 4.0):
        exact = [well_passage_time(a, temperature) for a in barriers]
        assert passage_time_curve(barriers, temperature) == pytest.approx(exact, rel=1e-4)


# ---- the chain -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ratio", [0.125, 0.5, 2.0, 6.0, 16.0])
@pytest.mark.parametrize("scale", [0.01, 0.05])
def test_bias_of_the_chain_is_within_its_bound(ratio: float, scale: float) -> None:
    barrier, temperature = 1.0, 1 / ratio
    exact = well_passage_time(barrier, temperature)
    bridged = scale * (chain_law(barrier, temperature, scale, True).mean - 0.5)
    bound = discretisation_bias(barrier, temperature, scale)
    assert -bound <= bridged / exact - 1 <= 0
    late = scale * chain_law(barrier, temperature, scale, False).mean - bridged
    shift = well_passage_time(barrier, temperature, -1.0, shifted_target(scale, temperature)) - exact
    assert late == pytest.approx(shift, rel=2.5 * scale + 0.005)


def test_first_order_of_the_bias_behind_a_high_barrier() -> None:
    """The factor 1 - aε/2 of the notes."""
    relative = 0.002 * (chain_law(1.0, 0.1, 0.002, True).mean - 0.5) / well_passage_time(1.0, 0.1) - 1
    assert relative / 0.002 == pytest.approx(-0.5, abs=0.02)


def test_boundary_shift_is_that_of_zeta() -> None:
    from mpmath import mp, zeta

    assert pytest.approx(float(-zeta(0.5) / mp.sqrt(2 * mp.pi)), abs=1e-15) == BOUNDARY_SHIFT


def test_table_of_survival_and_rounds() -> None:
    law = chain_law(1.0, 1.0, 0.02, True)
    state, exact = np.ones(len(law.first)), [1.0]
    for _ in range(400):
        exact.append(float(law.first @ state))
        state = law.kernel @ state
    assert law.survival(np.arange(401)) == pytest.approx(np.array(exact), abs=1e-4)
    assert law.within(37) == pytest.approx(1 - exact[37], abs=1e-12)
    series = 1 - sum(0.3 * 0.7 ** (g - 1) * exact[g * 5] for g in range(1, 81))
    assert law.within_rounds(5, 0.3) == pytest.approx(series, abs=1e-9)
    assert law.within_rounds(5, 1.0) == pytest.approx(law.within(5), abs=1e-12)
    assert law.mean == pytest.approx(law.survival(np.arange(20_000)).sum(), rel=1e-4)


# ---- the walk --------------------------------------------------------------------------------------------------------


def test_paths_follow_the_rule() -> None:
    noise = torch.Generator().manual_seed(3)
    path = follow(torch.tensor([-1.0, 0.3]), 5, 2.0, 0.7, 0.01, noise)
    drawn = torch.empty(5, 2).normal_(0, math.sqrt(0.007), generator=torch.Generator().manual_seed(3))
    x = torch.tensor([-1.0, 0.3])
    for k in range(5):
        x = x - 0.5 * 0.01 * (4 * 2.0 * x * (x * x - 1)) + drawn[k]
        assert torch.allclose(path[k + 1], x, atol=1e-6)


def test_a_bridge_crosses_as_often_as_its_law_says() -> None:
    n, variance = 400_000, 0.01
    path = torch.stack([torch.full((n,), 0.93), torch.full((n,), 0.95)])
    share = crossed(path, variance, torch.Generator().manual_seed(0)).double().mean().item()
    exact = math.exp(-2 * 0.07 * 0.05 / variance)
    assert share == pytest.approx(exact, abs=4 * math.sqrt(exact / n))
    beyond = torch.tensor([[0.9, 0.9, 1.1], [1.1, 0.9, 0.9]])
    assert crossed(beyond, 1e-9, torch.Generator().manual_seed(0))[0, 0]
    assert crossed(beyond, 1e-9, None).tolist() == [[True, False, False]]


def start(**values: object) -> Run:
    parameters = passage.Parameters(**values)
    return Run(load(NAME), parameters, Context(torch.device("cpu"), parameters.seed))


def test_nobody_is_lost_and_tracers_go_on() -> None:
    run_ = start(barrier=1.0, step_size=0.02, particles=2000)
    before = -1
    while not run_.finished:
        run_.advance(20)
        walk = run_._state.walk
        gone = int((walk.crossings > 0).sum())
        assert len(walk.places) + gone == 2000
        assert len(walk.settled) == int((walk.crossings[:TRACERS] > 0).sum())
        assert bool((walk.numbers.diff() > 0).all())
        assert gone >= before
        assert int(walk.crossings.max()) <= walk.steps
        before = gone
    assert run_.observe().picture.tracer_places.shape == (TRACERS,)


@pytest.mark.parametrize(("barrier", "particles"), [(0.5, 10), (2.0, 5000), (6.0, 200_000)])
def test_schedule_ends_and_keeps_frames_short(barrier: float, particles: int) -> None:
    ends = np.array(schedule(barrier, 1.0, 0.005, particles, 2_000_000, "cpu"))
    blocks = np.diff(ends, prepend=0)
    assert blocks.min() >= 1
    assert blocks[:50].max() == 1
    assert (blocks * min(particles, 5000)).max() <= 1.3e7
    assert passage_law(barrier).survival(ends[-1] * 0.005) * particles == pytest.approx(0.05, rel=0.1)
    assert schedule(6.0, 0.3, 0.005, 100, 5000, "cpu")[-1] == 5000


# ---- what the crossings say ------------------------------------------------------------------------------------------


def test_mean_with_some_still_on_the_way() -> None:
    steps = np.sort(np.random.default_rng(0).geometric(0.01, 20_000))
    full = Sample(steps, 20_000, int(steps[-1]), 1.0, False)
    assert full.mean() == pytest.approx(steps.mean())
    half = Sample(steps[steps <= 100], 20_000, 100, 1.0, False)
    assert half.mean() == pytest.approx(100, rel=0.04)
    assert math.isnan(Sample(steps[:3], 20_000, 1, 1.0, False).mean())
    some = np.sort(np.random.default_rng(1).geometric(0.01, 300))
    one_left = Sample(some[:299], 300, int(some[298]) + 5, 1.0, False)
    assert one_left.mean() == pytest.approx(some.mean(), rel=0.02)
    law = passage_law(2.0)
    assert 0.9 < one_left.standard_error(law) / math.sqrt(law.variance / 300) < 1.1
    assert Sample(steps, 20_000, 10**6, 0.5, True).mean() == pytest.approx(0.5 * steps.mean() - 0.25)


def test_shares_within_steps_and_rounds() -> None:
    sample = Sample(np.array([3, 5, 6, 20]), 5, 40, 1.0, False)
    assert sample.within(5) == 0.4
    assert sample.within(40) == 0.8
    assert math.isnan(sample.within(41))
    assert math.isnan(sample.within_rounds(5, 0.2)[0])  # the fifth may still come
    assert sample.within_rounds(5, 1.0)[0] == 0.4
    done = Sample(np.array([3, 5, 6, 20]), 4, 40, 1.0, False)
    assert done.within_rounds(5, 0.2)[0] == pytest.approx((1 + 1 + 0.8 + 0.8**3) / 4)
    assert done.late(5.0) == (3, 0 + 1 + 15)


# ---- the experiment --------------------------------------------------------------------------------------------------


def last_frame(**values: object) -> Frame:
    """The frame at the end, without those before it."""
    run_ = start(**values)
    run_.advance(run_.total or 0)
    return run_.observe()


@pytest.mark.parametrize(
    "values",
    [
        {"barrier": 2.0, "step_size": 0.01, "particles": 2000},
        {"barrier": 0.5, "step_size": 0.02},
        {"barrier": 3.2, "step_size": 0.012, "particles": 1000},
        {"barrier": 1.0, "step_size": 0.02, "bridge": False},
        {"barrier": 2.0, "temperature": 3.0, "step_size": 0.01},
        {"barrier": 3.0, "step_size": 0.01, "most_steps": 3000},
    ],
)
def test_every_claim_holds_or_waits(values: dict[str, object]) -> None:
    for seed in range(2):
        frame = last_frame(**{"particles": 3000, **values}, seed=seed)
        holds = {claim.name: claim.holds for claim in frame.claims}
        assert [name for name, held in holds.items() if held is False] == []
        assert holds["mean_passage_time"] is True
        assert holds["chain_passage_time"] is True
        assert holds["ks_distance"] is True


def test_all_cross_in_the_end_and_the_mean_is_right() -> None:
    measures = last_frame(barrier=2.0, step_size=0.005, particles=5000).measures
    assert measures["survivors"] <= 1
    assert measures["exact_passage_time"] == pytest.approx(10.2586, abs=1e-4)
    assert measures["kramers_time"] == pytest.approx(math.pi / (2 * math.sqrt(2)) * math.exp(2))
    assert measures["mean_passage_time"] == pytest.approx(measures["exact_passage_time"], rel=0.06)


def test_claims_fail_when_the_law_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """A walk with the whole gradient instead of half of it, as one of the printed formulas has it."""

    def steep(places: torch.Tensor, steps: int, barrier: float, *rest: object) -> torch.Tensor:
        return follow(places, steps, 2 * barrier, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr("engine.labs.langevin.passage.walk.follow", steep)
    holds = {claim.name: claim.holds for claim in last_frame(barrier=1.5, step_size=0.01, particles=2000).claims}
    assert holds["mean_passage_time"] is False
    assert holds["chain_passage_time"] is False
    assert holds["ks_distance"] is False
    assert holds["late_rate"] is False


def test_bridges_undo_the_delay() -> None:
    values = {"barrier": 0.5, "step_size": 0.05, "particles": 10_000}
    bridged, plain = (last_frame(**values, bridge=bridge).measures for bridge in (True, False))
    assert plain["mean_passage_time"] - bridged["mean_passage_time"] > 0.3
    assert plain["mean_passage_time"] == pytest.approx(plain["chain_passage_time"], rel=0.04)
    assert bridged["mean_passage_time"] == pytest.approx(bridged["chain_passage_time"], rel=0.04)


def test_budget_and_axis_change_without_a_new_run() -> None:
    run_ = start(barrier=1.0, step_size=0.02, particles=1000)
    run_.advance(300)
    before = run_.observe()
    run_.tweak(run_.parameters.changed(budget=200, restart=0.5, time_axis="log", bins=25))
    after = run_.observe()
    assert after.measures["mean_passage_time"] == before.measures["mean_passage_time"]
    assert after.measures["budget_fraction"] > before.measures["budget_fraction"]
    assert after.picture.logarithmic
    assert len(after.picture.time_heights) == 25
    shares = after.picture.time_heights * np.diff(np.log(after.picture.time_edges))
    assert shares.sum() <= after.measures["crossed_fraction"] + 1e-12


def test_a_run_that_is_cut_short_says_so() -> None:
    frame = last_frame(barrier=6.0, particles=100, most_steps=1000)
    assert frame.picture.capped
    assert frame.measures["survivors"] > 90
    assert math.isnan(frame.measures["mean_passage_time"])
    assert all(claim.holds is not False for claim in frame.claims)


def test_steps_too_long_are_refused_with_the_limit() -> None:
    with pytest.raises(LabError, match=r"0\.0833"):
        start(barrier=6.0, step_size=0.09)
    with pytest.raises(LabError, match="diverged"):
        last_frame(barrier=6.0, step_size=0.08, particles=1000)
