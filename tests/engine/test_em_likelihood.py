"""Likelihoods against closed forms, scipy and torch; simulated estimates against their exact law."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from engine.api import Frame, UsageError, entries, preset_parameters, run, run_with, validate
from engine.labs.em.likelihood import experiment as likelihood
from engine.labs.em.likelihood.claims import curvature
from engine.labs.em.likelihood.family import family_of
from engine.labs.em.likelihood.parameters import EXAMPLE, Parameters

NAME = "em.likelihood"
FEW = {"sets": 2000}


def last_frame(**values: Any) -> Frame:
    frame = run(NAME, device="cpu", **{**FEW, **values}).frame
    assert frame is not None
    return frame


def holds(frame: Frame) -> dict[str, bool | None]:
    return {claim.name: claim.holds for claim in frame.claims}


def test_seven_heads_in_ten() -> None:
    measures = last_frame(successes=7, trials=10).measures
    assert measures["maximum_likelihood"] == 0.7
    assert measures["entropy"] == pytest.approx(-0.7 * math.log(0.7) - 0.3 * math.log(0.3), abs=1e-15)
    assert measures["cross_entropy"] == pytest.approx(math.log(2), abs=1e-15)
    assert measures["kl"] == pytest.approx(measures["cross_entropy"] - measures["entropy"], abs=1e-15)
    assert measures["log_likelihood"] == pytest.approx(stats.bernoulli.logpmf([1] * 7 + [0] * 3, 0.5).sum(), abs=1e-12)
    assert measures["maximum_log_likelihood"] == pytest.approx(stats.bernoulli.logpmf([1] * 7 + [0] * 3, 0.7).sum(), abs=1e-12)
    assert measures["log_ratio"] == pytest.approx(10 * measures["kl"], abs=1e-12)
    assert math.isnan(measures["mean_square_error"])


def test_values_mean_a_normal_law() -> None:
    values = (1.0, 2.0, 3.0, 5.0)
    frame = last_frame(values=values, mean=2.0, sigma=1.5)
    measures = frame.measures
    assert frame.parameters.kind == "gaussian"  # type: ignore[attr-defined]
    assert measures["maximum_likelihood"] == 2.75
    direct = -stats.norm.logpdf(values, 2.0, 1.5).mean()
    assert measures["cross_entropy"] == pytest.approx(direct, abs=1e-12)
    assert measures["mean_square_error"] == pytest.approx(np.mean((np.array(values) - 2) ** 2), abs=1e-12)
    square = 0.5 * math.log(2 * math.pi * 1.5**2) + measures["mean_square_error"] / (2 * 1.5**2)
    assert measures["cross_entropy"] == pytest.approx(square, abs=1e-12)
    fitted = stats.norm(np.mean(values), np.std(values))
    assert measures["entropy"] == pytest.approx(fitted.entropy(), abs=1e-12)
    assert measures["log_ratio"] == pytest.approx(4 * 0.75**2 / (2 * 1.5**2), abs=1e-12)
    assert last_frame(distribution="gaussian").measures["maximum_likelihood"] == pytest.approx(np.mean(EXAMPLE))
    assert last_frame(distribution="bernoulli", values=values).measures["maximum_likelihood"] == 0.7


def test_one_value_has_no_spread() -> None:
    frame = last_frame(values=(2.0,))
    assert math.isnan(frame.measures["entropy"])
    assert math.isnan(frame.measures["kl"])
    assert math.isfinite(frame.measures["cross_entropy"])
    assert holds(frame)["sum"] is None


def test_counts() -> None:
    frame = last_frame(distribution="categorical", counts=(5, 3, 2), model=(0.25, 0.4, 0.35))
    assert frame.tables["maximum"] == [0.5, 0.3, 0.2]
    assert frame.measures["maximum_likelihood"] == 0.5
    assert frame.measures["kl"] == pytest.approx(stats.entropy([5, 3, 2], [0.25, 0.4, 0.35]), abs=1e-12)
    expected = 5 * math.log(0.25) + 3 * math.log(0.4) + 2 * math.log(0.35)
    assert frame.measures["log_likelihood"] == pytest.approx(expected, abs=1e-12)
    best = 5 * math.log(0.5) + 3 * math.log(0.3) + 2 * math.log(0.2)
    assert frame.measures["maximum_log_likelihood"] == pytest.approx(best, abs=1e-12)
    assert family_of(frame.parameters).average(0.5) * 10 == pytest.approx(best, abs=1e-12)


@given(st.integers(1, 500), st.data())
@settings(max_examples=60, deadline=None)
def test_the_maximum_and_the_identity(trials: int, data: st.DataObject) -> None:
    successes = data.draw(st.integers(0, trials))
    q = data.draw(st.floats(0.001, 0.999))
    family = family_of(Parameters(successes=successes, trials=trials, probability=q))
    found = family.entropies()
    assert found["cross_entropy"] == pytest.approx(found["entropy"] + found["kl"], abs=1e-12)
    assert found["kl"] >= 0
    assert family.search() == pytest.approx(successes / trials, abs=1e-6)
    assert float(family.average(q)) <= float(family.average(family.estimate)) + 1e-15
    assert float(family.average(q)) == pytest.approx(-found["cross_entropy"], abs=1e-12)


@given(st.lists(st.floats(-50, 50), min_size=2, max_size=20), st.floats(-60, 60), st.floats(0.1, 30))
@settings(max_examples=60, deadline=None)
def test_mean_square_is_a_normal_likelihood(values: list[float], mean: float, sigma: float) -> None:
    family = family_of(Parameters(values=tuple(values), mean=mean, sigma=sigma))
    direct = float(-stats.norm.logpdf(values, mean, sigma).mean())
    assert family.entropies()["cross_entropy"] == pytest.approx(direct, rel=1e-9, abs=1e-9)
    assert float(-family.average(mean)) == pytest.approx(direct, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("values", [{}, {"successes": 3, "trials": 1000}, {"values": (1.0, 4.0), "sigma": 3.0}])
def test_curvature_is_the_information(values: dict[str, Any]) -> None:
    family = family_of(Parameters(**values))
    assert curvature(family) == pytest.approx(family.information(family.estimate), rel=1e-4)
    assert math.isnan(curvature(family_of(Parameters(successes=0))))
    assert math.isnan(curvature(family_of(Parameters(values=(1e9, 1e9 - 1), sigma=1e-6))))


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"successes": 700, "trials": 1000, "probability": 0.66},
        {"distribution": "gaussian"},
        {"distribution": "categorical"},
    ],
)
def test_every_claim_holds_over_seeds(values: dict[str, Any]) -> None:
    for seed in range(4):
        frame = last_frame(**values, seed=seed)
        spreads = set() if values.get("distribution") == "gaussian" else {"biased_variance", "unbiased_variance"}
        assert {name for name, held in holds(frame).items() if held is not True} == spreads


@pytest.mark.parametrize("values", [(0.3, 1.1), EXAMPLE, tuple(float(number) for number in range(40))])
def test_the_likeliest_variance_is_too_small(values: tuple[float, ...]) -> None:
    """n s²/σ² is χ² with n - 1 degrees of freedom: mean (n - 1)/n, variance 2 (n - 1)/n²."""
    n, sets, sigma = len(values), 40_000, 1.7
    frame = last_frame(values=values, sigma=sigma, sets=sets)
    error = 5 * sigma**2 * math.sqrt(2 * (n - 1) / n**2 / sets)
    assert frame.measures["ml_variance"] == pytest.approx((n - 1) / n * sigma**2, abs=error)
    assert frame.measures["unbiased_variance"] == pytest.approx(sigma**2, abs=error * n / (n - 1))
    assert holds(frame)["biased_variance"] is True
    assert holds(frame)["unbiased_variance"] is True
    picture = frame.picture
    widths = np.diff(picture.spread_edges)
    assert float((picture.spread_law * widths).sum()) == pytest.approx(1.0, abs=0.002)
    inside = picture.spread_law * widths * sets
    off = np.abs(picture.spread_density * widths * sets - inside)
    assert (off <= 5.5 * np.sqrt(inside) + 6).all()


def test_a_variance_divided_by_n_is_not_unbiased(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = likelihood.Family.draw
    monkeypatch.setattr(likelihood.Family, "draw", lambda *given: (draw(*given)[0], draw(*given)[1] * 1.05))
    found = holds(last_frame(values=EXAMPLE))
    assert found["biased_variance"] is False
    assert found["unbiased_variance"] is False


def test_a_large_set_has_its_variance_by_its_law() -> None:
    frame = last_frame(values=tuple(float(number) for number in range(100)), copies=200, sigma=30.0, sets=2000)
    assert holds(frame)["biased_variance"] is True


def test_a_mean_far_from_zero_costs_no_digits() -> None:
    """Half a billion deviations from 0 the simulated estimates stray as they do anywhere."""
    frame = last_frame(values=(1.7e-5, 1.4e-5), mean=588192696.1496439, sigma=1e-6)
    assert [name for name, held in holds(frame).items() if held is False] == []
    assert frame.measures["simulated_deviation"] == pytest.approx(1e-6 / math.sqrt(2), rel=0.03)
    assert np.isfinite(frame.picture.density).all()


def test_a_wrong_law_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = likelihood.Family.draw
    monkeypatch.setattr(likelihood.Family, "draw", lambda self, g, sets, count: draw(self, g, sets, max(1, count // 2)))
    assert holds(last_frame(successes=70, trials=100, sets=20_000))["spread"] is False


def test_simulated_estimates_follow_the_exact_law() -> None:
    frame = last_frame(sets=50_000)
    picture = frame.picture
    widths = np.diff(picture.edges)
    assert (picture.exact * widths).sum() == pytest.approx(1, abs=1e-9)
    counts = picture.density * widths * frame.measures["sets"]
    expected = picture.exact * widths * frame.measures["sets"]
    chi = float(((counts - expected) ** 2 / expected).sum())
    assert stats.chi2.sf(chi, len(counts) - 1) > 1e-4
    assert picture.ladder_deviation == pytest.approx(picture.ladder_law, rel=0.2)


@pytest.mark.parametrize(
    "values", [{"successes": 3, "trials": 7, "probability": 0.3}, {"successes": 0, "trials": 20, "probability": 0.1}]
)
def test_moments_of_a_share(values: dict[str, Any]) -> None:
    family = family_of(Parameters(**values))
    k = np.arange(family.count + 1)
    law = stats.binom.pmf(k, family.count, family.model)
    away = k / family.count - family.model
    assert family.standard_error() ** 2 == pytest.approx(law @ away**2, rel=1e-12)
    assert family.fourth_moment() == pytest.approx(law @ away**4, rel=1e-12)


def test_repeated_data_sharpen_and_keep_the_average() -> None:
    once, often = last_frame(), last_frame(copies=100)
    for name in ("maximum_likelihood", "entropy", "cross_entropy", "kl"):
        assert often.measures[name] == once.measures[name]
    assert often.measures["log_ratio"] == pytest.approx(100 * once.measures["log_ratio"], rel=1e-12)
    assert often.measures["standard_error"] == pytest.approx(once.measures["standard_error"] / 10, rel=1e-12)
    assert once.picture.average.tolist() == often.picture.average.tolist()


def test_chernoff() -> None:
    for successes, trials, q in ((7, 10, 0.5), (60, 100, 0.5), (0, 20, 0.1), (9, 10, 0.85)):
        family = family_of(Parameters(successes=successes, trials=trials, probability=q))
        bound = math.exp(-trials * family.entropies()["kl"])
        above = successes / trials >= q
        exact = stats.binom.sf(successes - 1, trials, q) if above else stats.binom.cdf(successes, trials, q)
        assert exact <= bound * (1 + 1e-12)
        frame = last_frame(successes=successes, trials=trials, probability=q, sets=20_000)
        assert frame.measures["beyond"] == pytest.approx(exact, abs=4 * math.sqrt(exact * (1 - exact) / 20_000) + 1e-4)


def test_all_sets_are_drawn() -> None:
    for sets in (100, 2000, 12_345):
        assert last_frame(sets=sets).measures["sets"] == sets


@pytest.mark.parametrize("preset", [preset.name for item in entries() if item.name == NAME for preset in item.presets])
def test_claims_of_presets(preset: str) -> None:
    frame = run_with(NAME, preset_parameters(NAME, preset), device="cpu").frame
    assert frame is not None
    assert [name for name, held in holds(frame).items() if held is False] == []
    assert all(np.isfinite(array).all() for array in frame.arrays.values())


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"successes": 11}, "There are 11 successes in only 10 trials."),
        ({"values": (0.0,) * 2001}, "values takes at most 2,000 numbers."),
        ({"distribution": "categorical", "counts": (1,)}, "counts takes 2 to 8 numbers, not 1."),
        ({"distribution": "categorical", "counts": (0, 0, 0)}, "counts needs at least one number above 0."),
        ({"distribution": "categorical", "model": (0.5, 0.5)}, "model has 2 numbers, but counts has 3."),
        ({"distribution": "categorical", "model": (0.5, 0.2, 0.2)}, "The numbers of model add up to 0.9, not to 1."),
        (
            {"distribution": "categorical", "model": (0.5, 0.5, 0.0)},
            "Category 3 was seen, but the model gives it no probability: its cross entropy is infinite.",
        ),
    ],
)
def test_what_is_refused(values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        validate(Parameters, values)
    assert str(caught.value) == sentence


def test_extremes_stay_finite() -> None:
    for values in (
        {"trials": 1, "successes": 1},
        {"trials": 100_000, "successes": 1, "copies": 1000, "probability": 0.999},
        {"values": (-1e9, 1e9), "sigma": 1e-6},
        {"values": (0.0,), "sigma": 1e9, "mean": 1e9},
        {"sets": 100},
    ):
        frame = last_frame(**values)
        assert all(np.isfinite(array).all() for array in frame.arrays.values()), values
        assert [name for name, held in holds(frame).items() if held is False] == [], values
