"""Chains on a parabola beside the closed forms of their bias, memory, acceptance and way."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from engine.api import Frame, LabError, preset_parameters, run, run_with
from engine.core.context import Context
from engine.core.device import prepare_thread, resolve_device
from engine.core.drive import Run
from engine.labs.langevin.bias import EXPERIMENT, Parameters, chains
from engine.labs.langevin.bias.claims import check_claims, estimates_of, measured
from engine.labs.langevin.bias.curves import cost_curves, variance_curves, view_of
from engine.labs.langevin.bias.experiment import setting_of
from engine.labs.langevin.bias.kernel import kernel_of
from engine.labs.langevin.bias.laws import (
    SAMPLERS,
    Setting,
    acceptance_and_lag_one,
    autocorrelation,
    chebyshev,
    distance,
    efficiency,
    kernel_for,
    moved,
    moving_from,
    proposal_of,
    variance,
)
from engine.math.chains.laws import hmc_law, mala_law, printed_mala_law, ula_transient, ula_variance

NAME = "langevin.bias"
SMALL = {"chains": 4000}


def setting(sampler: str = "ula", step_size: float = 0.8, sigma: float = 1.0, temperature: float = 1.0, **more: Any) -> Setting:
    return Setting(sampler, step_size, sigma, temperature, more.get("friction", 1.0), more.get("leapfrogs", 3))


def started(**values: Any) -> Run:
    parameters = Parameters(**{**SMALL, **values})
    device = resolve_device("cpu")
    prepare_thread(device)
    return Run(EXPERIMENT, parameters, Context(device, parameters.seed))


def claim(frame: Frame, name: str) -> Any:
    return next(each for each in frame.claims if each.name == name)


# ---- laws --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("h", [0.1, 0.7, 2.3, 3.7])
def test_laws_depend_on_the_step_over_the_curvature_alone(sampler: str, h: float) -> None:
    sigma, temperature = 2.0, 3.0
    scaled = setting(sampler, h * sigma**2, sigma, temperature, friction=1 / sigma)
    plain = setting(sampler, h)
    assert variance(scaled) == pytest.approx(sigma**2 * temperature * variance(plain))
    assert acceptance_and_lag_one(scaled) == pytest.approx(acceptance_and_lag_one(plain))
    assert efficiency(scaled) == pytest.approx(efficiency(plain))
    assert autocorrelation(scaled, 6) == pytest.approx(autocorrelation(plain, 6), abs=1e-9)


@pytest.mark.parametrize("h", [0.01, 0.5, 1.7, 3.9, 12.0])
def test_closed_forms_of_the_metropolis_samplers(h: float) -> None:
    accepted, neighbours = acceptance_and_lag_one(setting("mala", h))
    assert accepted == pytest.approx(2 / math.pi * math.atan(8 / h**1.5))
    assert (accepted, neighbours) == pytest.approx((mala_law(h).acceptance, mala_law(h).lag1))
    printed = printed_mala_law(h)
    assert variance(setting("mala_printed", h)) == pytest.approx(printed.variance) == pytest.approx(4 / (3 * h))
    assert acceptance_and_lag_one(setting("mala_printed", h)) == pytest.approx((printed.acceptance, printed.lag1))
    if h < 4:
        law = hmc_law(h, leapfrogs=3)
        assert acceptance_and_lag_one(setting("hmc", h)) == pytest.approx((law.acceptance, law.lag1), rel=1e-6)
        assert variance(setting("ula", h)) == ula_variance(h)


def test_the_ratio_of_mala_is_an_eighth_of_the_step() -> None:
    rng = np.random.default_rng(1)
    x, y, e = rng.normal(size=50), rng.normal(size=50), 0.9

    def log_ratio(share: float) -> np.ndarray:
        return -0.5 * (y**2 - x**2) + ((y - x + share * e * x) ** 2 - (x - y + share * e * y) ** 2) / (2 * e)

    for sampler, share in (("mala", 0.5), ("mala_printed", 1.0)):
        assert log_ratio(share) == pytest.approx(-0.5 * proposal_of(setting(sampler, e)).tilt * (y**2 - x**2))
    assert proposal_of(setting("mala", e)).tilt == pytest.approx(e / 4)


@pytest.mark.parametrize("sampler", ["mala", "mala_printed", "hmc"])
@pytest.mark.parametrize("h", [0.3, 1.3, 3.1])
def test_the_kernel_agrees_with_the_closed_forms(sampler: str, h: float) -> None:
    kernel = kernel_for(setting(sampler, h))
    assert kernel is not None
    law = variance(setting(sampler, h))
    assert float(kernel.law @ kernel.z**2) == pytest.approx(law, rel=1e-6)
    assert kernel.law @ kernel.even == pytest.approx(kernel.law, abs=1e-12)
    assert kernel.even.sum(axis=1) == pytest.approx(np.ones(len(kernel.z)))
    lags = kernel.autocorrelation(2000)
    assert lags[1] == pytest.approx(acceptance_and_lag_one(setting(sampler, h))[1], abs=3e-4)
    assert kernel.integrated_time() == pytest.approx(1 + 2 * lags[1:].sum(), rel=3e-3)


def test_a_kernel_of_the_plain_proposal_is_the_autoregression() -> None:
    kernel = kernel_of(proposal_of(setting("ula", 0.6)))
    assert kernel is not None
    assert kernel.autocorrelation(8) == pytest.approx(0.7 ** np.arange(9), abs=1e-5)
    assert efficiency(setting("ula", 0.6)) == pytest.approx(0.3 / 1.7)


def test_polynomials_of_chebyshev() -> None:
    theta = 0.7
    for degree in (1, 2, 5):
        assert chebyshev(math.cos(theta), degree) == pytest.approx(
            (math.cos(degree * theta), math.sin(degree * theta) / math.sin(theta))
        )
    assert chebyshev(50.0, 32) == (math.inf, math.inf)


def test_the_law_on_its_way() -> None:
    ula = setting("ula", 0.6)
    law = moving_from(3.0, 0.0, ula)
    for _ in range(5):
        law = moved(law, ula)
    mean, spread = ula_transient(5, 3.0, 0.0, 0.6)
    assert (law.mean, law.variance) == pytest.approx((float(mean), float(spread)))
    for sampler in SAMPLERS:
        at = setting(sampler, 0.6)
        law = moving_from(2.0, 0.3, at)
        assert distance(law, at) > 0.5
        for _ in range(200):
            law = moved(law, at)
        assert distance(law, at) < 1e-3, sampler
        assert law.known
    unknown = setting("mala_printed", 0.001)
    assert not moved(moving_from(1.0, 0.0, unknown), unknown).known


def test_beyond_the_limit_there_is_no_law() -> None:
    for sampler in ("ula", "underdamped"):
        at = setting(sampler, 4.0)
        assert at.unstable
        assert variance(at) == math.inf
        assert math.isnan(acceptance_and_lag_one(at)[1])
        assert math.isnan(efficiency(at))
    assert not setting("mala", 9.0).unstable
    assert setting("ula", 15.9, sigma=2.0).unstable is False


def test_curves() -> None:
    curves = variance_curves(view_of(1.0))
    assert np.interp(2.0, curves["pole_h"], curves["pole"]) == pytest.approx(2.0, rel=1e-3)
    assert curves["pole"][-1] == pytest.approx(500)
    assert view_of(1.0) == view_of(4.4) < view_of(5.0)
    cost = cost_curves(setting("mala", 1.0), view_of(1.0))
    assert np.isfinite(cost["worth"]).all()
    assert np.all(np.diff(cost["accepted"]) < 0)
    best = cost["cost_h"][np.argmax(cost["worth"])]
    assert 2 < best < 3.2  # the step that pays most


# ---- chains ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("step_size", [0.4, 1.7, 3.4])
def test_every_claim_holds(sampler: str, step_size: float) -> None:
    for seed in (1, 2):
        frame = run_with(
            NAME, Parameters(sampler=sampler, step_size=step_size, seed=seed, **SMALL), device="cpu", limit=400
        ).frame
        assert frame is not None
        assert [each.name for each in frame.claims if each.holds is False] == []
        assert claim(frame, "variance").holds
        assert claim(frame, "lag1_correlation").holds
        measures = frame.measures
        assert measures["variance"] == pytest.approx(variance(setting(sampler, step_size)), rel=0.03)
        assert measures["standard_error"] < 0.02 * measures["variance"]


def test_the_other_scale_and_temperature() -> None:
    measures = run(NAME, sampler="ula", sigma=2.0, temperature=0.5, step_size=8.0, limit=300, **SMALL).measures
    assert measures["theory_variance"] == pytest.approx(2.0 / 0.5)
    assert measures["variance"] == pytest.approx(4.0, rel=0.03)
    assert measures["step_limit"] == 16


def test_a_broken_theorem_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    run_ = started(sampler="mala", step_size=1.5)
    run_.advance(200)
    wrong = Setting("ula", 1.5, 1.0, 1.0, 1.0, 1)
    state = run_._state
    found = estimates_of(state)
    measures = {**measured(state, found), "theory_variance": variance(wrong), "theory_lag1_correlation": 0.25}
    checked = {each.name: each.holds for each in check_claims(state, found, measures)}
    assert checked["variance"] is False
    assert checked["lag1_correlation"] is False
    assert checked["acceptance"] is True


def test_too_little_is_not_told() -> None:
    frame = started(step_size=0.01).observe()
    assert all(each.holds is None for each in frame.claims)
    assert math.isnan(frame.measures["lag1_correlation"])
    frame = run_with(NAME, Parameters(step_size=0.01, **SMALL), device="cpu", limit=30).frame
    assert frame is not None
    assert claim(frame, "variance").holds is None
    assert claim(frame, "transient").holds is True
    assert not frame.picture.settled


def test_correlations_alternate_near_the_pole() -> None:
    frame = run_with(NAME, Parameters(step_size=3.6, **SMALL), device="cpu", limit=200).frame
    assert frame is not None
    picture = frame.picture
    assert picture.correlation[:6] == pytest.approx((-0.8) ** np.arange(6), abs=0.02)
    assert picture.theory_correlation[:6] == pytest.approx((-0.8) ** np.arange(6))


def test_a_chain_that_goes_in_circles_never_settles() -> None:
    frame = run_with(NAME, Parameters(sampler="hmc", step_size=2.0, leapfrog_steps=4, **SMALL), device="cpu", limit=60).frame
    assert frame is not None
    assert not frame.picture.settled
    assert [each.holds for each in frame.claims if each.holds is not None] == []


def test_the_histogram_is_the_stationary_law() -> None:
    frame = run_with(NAME, Parameters(step_size=2.0, **SMALL), device="cpu", limit=200).frame
    assert frame is not None
    picture = frame.picture
    assert picture.density @ np.diff(picture.edges) == pytest.approx(1.0, abs=2e-3)
    middles = 0.5 * (picture.edges[1:] + picture.edges[:-1])
    assert picture.density == pytest.approx(np.interp(middles, picture.grid, picture.law), abs=0.01)
    assert picture.target.max() == pytest.approx(1 / math.sqrt(2 * math.pi))


# ---- tweaks ------------------------------------------------------------------------------------------------------------


def test_a_change_keeps_the_chains_and_paints_a_dot() -> None:
    run_ = started(step_size=0.8)
    run_.advance(60)
    points = run_._state.points.clone()
    before = run_.observe().measures["variance"]
    run_.tweak(run_.parameters.changed(step_size=1.6))
    frame = run_.observe()  # the picture after a tweak, before any step
    assert frame.measures["measured_steps"] == 0
    assert frame.measures["theory_variance"] == pytest.approx(1 / 0.6)
    assert frame.picture.dots[:, 1:3] == pytest.approx(np.array([[0.8, before]]), rel=1e-3)
    assert run_._state.points.equal(points)
    run_.advance(40)
    frame = run_.observe()
    assert frame.picture.settled
    assert claim(frame, "transient").holds is True  # the law was followed through the change
    assert len(frame.picture.dots) == 1
    for sampler in ("mala", "hmc", "underdamped", "mala_printed", "ula"):
        run_.tweak(run_.parameters.changed(sampler=sampler))
        run_.advance(60)
        frame = run_.observe()
        assert [each.name for each in frame.claims if each.holds is False] == []
    assert len(frame.picture.dots) == 6
    theory = [variance(setting(SAMPLERS[int(row[0])], row[1])) for row in frame.picture.dots]
    assert frame.picture.dots[:, 2] == pytest.approx(np.array(theory), rel=0.03)


def test_a_sweep_paints_the_curve() -> None:
    run_ = started(step_size=0.5)
    for step_size in np.linspace(0.5, 3.5, 40):
        run_.tweak(run_.parameters.changed(step_size=float(step_size)))
        run_.advance(6)
    dots = run_.observe().picture.dots
    assert len(dots) > 25
    assert dots[:, 2] == pytest.approx(1 / (1 - dots[:, 1] / 4), rel=0.12)


def test_dots_follow_another_scale() -> None:
    run_ = started(step_size=1.0)
    run_.advance(60)
    run_.tweak(run_.parameters.changed(sigma=2.0))
    dots = run_.observe().picture.dots
    assert dots[0, 1] == 4.0
    assert dots[0, 2] == pytest.approx(4 * 4 / 3, rel=0.05)


def test_nearly_the_same_step_keeps_the_better_dot() -> None:
    state = started(step_size=1.0)._state
    tally = chains.replace(state.tally, count=10, sums=10 * state.tally.sums.normal_().abs_())
    state = chains.replace(state, tally=tally)
    dots = chains.with_dot(state)
    assert len(dots) == 1
    assert len(chains.with_dot(chains.replace(state, dots=dots))) == 1
    assert chains.with_dot(chains.replace(state, tally=chains.empty_tally(state.points))) is state.dots


# ---- running away ------------------------------------------------------------------------------------------------------


def test_the_growth_is_seen_and_then_the_run_stops_with_the_limit() -> None:
    frames: list[Frame] = []
    with pytest.raises(LabError) as caught:
        run_with(NAME, Parameters(step_size=4.5, **SMALL), device="cpu", on_frame=frames.append)
    sentence = str(caught.value)
    assert "4.5" in sentence
    assert "limit 4σ² = 4" in sentence
    assert "-1.25" in sentence
    assert len(frames) > 30
    last = frames[-1].picture
    assert last.unstable
    size = np.hypot(last.mean, last.deviation)
    assert size[-1] / size[-2] == pytest.approx(1.25, rel=0.02)
    assert size == pytest.approx(np.hypot(last.theory_mean, last.theory_deviation), rel=0.1)
    assert claim(frames[-1], "variance").holds is None
    assert claim(frames[-1], "transient").holds is True


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"step_size": 4.0}, "at the limit ε = 4σ² = 4"),
        ({"step_size": 20.0, "sigma": 2.0}, "limit 4σ² = 16"),
        ({"step_size": 5.0, "sampler": "underdamped"}, "BAOAB is stable only below the limit 4σ² = 4"),
    ],
)
def test_sentences_of_a_run_that_diverges(values: dict[str, Any], words: str) -> None:
    with pytest.raises(LabError, match="diverge") as caught:
        run_with(NAME, Parameters(**{"chains": 200, **values}), device="cpu")
    assert words in str(caught.value)


def test_mala_stands_beyond_the_limit() -> None:
    frame = run_with(NAME, Parameters(sampler="mala", step_size=5.0, start=1.0, **SMALL), device="cpu", limit=300).frame
    assert frame is not None
    assert frame.measures["variance"] == pytest.approx(1.0, abs=0.05)
    assert claim(frame, "ess_per_gradient").holds is None
    assert str(claim(frame, "ess_per_gradient").remark)


# ---- the whole ---------------------------------------------------------------------------------------------------------


def test_a_run_of_a_chosen_length() -> None:
    result = run_with(NAME, Parameters(steps=25, chains=200), device="cpu")
    assert result.frame is not None
    assert result.frame.step == result.frame.total == 25


def test_traces_of_the_first_steps_stay() -> None:
    run_ = started(trace="first", step_size=0.2, start=4.0)
    run_.advance(300)
    picture = run_.observe().picture
    assert picture.trace_steps[0] == 0
    assert len(picture.trace_steps) == chains.TRACE
    mean, spread = ula_transient(picture.trace_steps, 4.0, 0.0, 0.2)
    assert picture.theory_mean == pytest.approx(mean, abs=1e-4)
    assert picture.theory_deviation == pytest.approx(np.sqrt(spread))
    assert picture.mean == pytest.approx(mean, abs=0.1)


def test_the_presets_tell_what_they_say() -> None:
    wide = run(NAME, "wide", chains=4000, limit=200).measures
    assert wide["variance"] / wide["target_variance"] == pytest.approx(2.0, rel=0.05)
    misprint = preset_parameters(NAME, "misprint")
    assert variance(setting_of(misprint)) == pytest.approx(8 / 3)
    antithetic = preset_parameters(NAME, "antithetic")
    assert efficiency(setting_of(antithetic)) / antithetic.leapfrog_steps > 1
    with pytest.raises(LabError, match="diverge"):
        run(NAME, "beyond", chains=200)
