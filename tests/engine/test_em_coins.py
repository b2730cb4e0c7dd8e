"""Two coins: the example of the paper, the three-coin toys, and what holds for every set of flips."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from engine.api import Frame, LabError, UsageError, load, preset_parameters, run_with
from engine.math.latent.coins import EmptyCoinError, Flips, best_maximum, hill, information, polish, rates, score, surface

NAME = "em.coins"
PAPER = Flips((5, 9, 8, 4, 7), (10,) * 5)
START = np.array([0.6, 0.5, 0.5])


def frame_of(limit: int | None = None, **values: Any) -> Frame:
    frame = run_with(NAME, preset_parameters(NAME, None).changed(**values), device="cpu", limit=limit).frame
    assert frame is not None
    return frame


def random_case(number: int) -> tuple[Flips, np.ndarray, bool]:
    generator = np.random.default_rng(number)
    count = int(generator.integers(2, 10))
    flips = generator.integers(2, 25, count)
    heads = generator.binomial(flips, np.where(generator.random(count) < 0.5, *generator.uniform(0.05, 0.95, 2)))
    start = generator.uniform(0.1, 0.9, 3)
    return Flips(tuple(heads.tolist()), tuple(flips.tolist())), start, bool(number % 2)


# ---- the paper -------------------------------------------------------------------------------------------------------


def test_the_table_of_the_paper() -> None:
    """Do and Batzoglou (2008), figure 1b, to the digits printed there."""
    shares = PAPER.responsibilities(START)
    np.testing.assert_allclose(shares[:, 0], [0.45, 0.80, 0.73, 0.35, 0.65], atol=0.006)
    counts = PAPER.expected_counts(shares)
    np.testing.assert_allclose(counts[:, 0], [[2.2, 2.2], [7.2, 0.8], [5.9, 1.5], [1.4, 2.1], [4.5, 1.9]], atol=0.06)
    np.testing.assert_allclose(counts.sum(axis=0), [[21.3, 8.6], [11.7, 8.4]], atol=0.06)
    np.testing.assert_allclose(PAPER.em(START, free=False)[:2], [0.71, 0.58], atol=0.005)


def test_ten_iterations_of_the_paper() -> None:
    frame = frame_of(heads=(5, 9, 8, 4, 7), flips=(10, 10, 10, 10, 10), start_a=0.6, start_b=0.5, mixing="fixed", steps=10)
    assert frame.measures["theta_a"] == pytest.approx(0.80, abs=0.005)
    assert frame.measures["theta_b"] == pytest.approx(0.52, abs=0.005)
    assert frame.measures["mixing_weight"] == 0.5
    assert np.shape(frame.tables["responsibilities"]) == (5, 2)
    assert frame.step == 20


def test_the_first_iteration_in_the_lab() -> None:
    frame = frame_of(steps=1)
    np.testing.assert_allclose(np.array(frame.tables["responsibilities"])[:, 0], [0.45, 0.80, 0.73, 0.35, 0.65], atol=0.006)
    assert (frame.measures["theta_a"], frame.measures["theta_b"]) == pytest.approx((0.713012, 0.581339), abs=1e-6)


def test_the_three_coins_of_the_textbook() -> None:
    """Ten single flips: one iteration from 0.5, 0.5, 0.5 gives 0.5, 0.6, 0.6, and another start another answer."""
    data = Flips((1, 1, 0, 1, 0, 0, 1, 0, 1, 1), (1,) * 10)
    np.testing.assert_allclose(data.em([0.5, 0.5, 0.5], free=True), [0.6, 0.6, 0.5], atol=1e-12)
    after = data.em([0.6, 0.7, 0.4], free=True)
    np.testing.assert_allclose(after, [0.5368, 0.6432, 0.4064], atol=5e-5)
    np.testing.assert_allclose(data.em(after, free=True), after, atol=1e-12)
    assert data.log_likelihood(after) == pytest.approx(data.log_likelihood([0.6, 0.6, 0.5]), abs=1e-12)
    assert rates(data, after, free=True)[0][0] == pytest.approx(1.0, abs=1e-12)


def test_the_triples_of_the_course_notes() -> None:
    """Collins (1997): HHH, TTT, HHH, TTT from λ = 0.3, p₁ = 0.3, p₂ = 0.6."""
    data, here = Flips((3, 0, 3, 0), (3,) * 4), np.array([0.3, 0.6, 0.3])
    for expected in ([0.0680, 0.7578, 0.3738], [0.0004, 0.9722, 0.4859], [0.0, 1.0, 0.5]):
        here = data.em(here, free=True)
        np.testing.assert_allclose(here, expected, atol=6e-5)


# ---- mathematics -----------------------------------------------------------------------------------------------------


def test_the_log_likelihood_is_that_of_the_library() -> None:
    for a, b, w in ((0.6, 0.5, 0.5), (0.2, 0.9, 0.3)):
        mixed = w * stats.binom.pmf(PAPER.h, 10, a) + (1 - w) * stats.binom.pmf(PAPER.h, 10, b)
        assert PAPER.log_likelihood([a, b, w]) == pytest.approx(np.log(mixed).sum(), rel=1e-12)


@pytest.mark.parametrize("number", range(12))
def test_bound_gap_and_monotone_climb(number: int) -> None:
    data, here, free = random_case(number)
    shares = np.random.default_rng(number).dirichlet([1, 1], len(data.h))
    likelihood = float(data.log_likelihood(here))
    assert data.lower_bound(shares, here) + data.gap(shares, here) == pytest.approx(likelihood, rel=1e-12)
    assert data.gap(shares, here) >= 0
    for _ in range(30):
        assert data.gap(data.responsibilities(here), here) == pytest.approx(0, abs=1e-12)
        following = data.em(here, free)
        assert data.log_likelihood(following) >= data.log_likelihood(here) - 1e-12
        here = following


def test_the_score_is_the_slope() -> None:
    width = 1e-6
    ends = [PAPER.log_likelihood(START + shift) for shift in (np.eye(3)[0] * width, -np.eye(3)[0] * width)]
    assert score(PAPER, START)[0] == pytest.approx((ends[0] - ends[1]) / (2 * width), rel=1e-6)


@pytest.mark.parametrize("free", [False, True])
def test_rates_are_the_eigenvalues_of_the_map(free: bool) -> None:
    here = START
    for _ in range(300):
        here = PAPER.em(here, free)
    found = polish(PAPER, here, free)
    assert found is not None
    size, width = (3 if free else 2), 1e-6
    columns = [(PAPER.em(found + shift, free) - PAPER.em(found - shift, free))[:size] for shift in width * np.eye(3)[:size]]
    jacobian = np.array(columns).T / (2 * width)
    factors, _ = rates(PAPER, found, free)
    np.testing.assert_allclose(factors, np.sort(np.linalg.eigvals(jacobian).real)[::-1], atol=1e-7)


def test_complete_less_missing_information_is_the_curvature() -> None:
    found, _ = best_maximum(PAPER, 0.5)
    polished = polish(PAPER, found, free=False)
    assert polished is not None
    complete, missing = information(PAPER, polished, free=False)
    width = 1e-5
    hessian = [
        (score(PAPER, polished + shift) - score(PAPER, polished - shift)) / (2 * width) for shift in width * np.eye(3)[:2]
    ]
    np.testing.assert_allclose(np.diag(complete) - missing, -np.array(hessian), rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("weight", [0.5, 0.3, None])
def test_em_and_the_optimiser_agree(weight: float | None) -> None:
    best, highest = best_maximum(PAPER, weight)
    here = best + 0.01
    here[2] = best[2]
    for _ in range(400):
        here = PAPER.em(here, weight is None)
    np.testing.assert_allclose(here, best, atol=1e-5)
    assert PAPER.log_likelihood(here) == pytest.approx(highest, abs=1e-9)


def test_the_surface_is_the_likelihood_and_its_profile() -> None:
    nodes = np.array([0.2, 0.5, 0.8])
    fixed, profile = surface(PAPER, nodes, 0.4), surface(PAPER, nodes, None, halvings=50)
    assert fixed[2, 1] == pytest.approx(float(PAPER.log_likelihood([0.5, 0.8, 0.4])))
    weights = np.linspace(1e-6, 1 - 1e-6, 2001)
    grid = PAPER.log_likelihood(np.stack([np.full(2001, 0.5), np.full(2001, 0.8), weights], axis=-1))
    assert profile[2, 1] == pytest.approx(grid.max(), abs=1e-5)
    np.testing.assert_allclose(profile, profile.T, atol=1e-6)


def test_the_hill_is_the_bound() -> None:
    nodes, shares = np.array([0.3, 0.6]), PAPER.responsibilities(START)
    top = PAPER.maximise(shares, 0.5, free=False)
    values = hill(PAPER, shares, nodes)
    difference = PAPER.lower_bound(shares, [0.6, 0.3, 0.5]) - PAPER.lower_bound(shares, top)
    assert values[0, 1] == pytest.approx(difference, abs=1e-10)
    assert (values <= 0).all()


def test_a_coin_without_flips_is_refused() -> None:
    with pytest.raises(EmptyCoinError):
        PAPER.maximise(np.tile([1.0, 0.0], (5, 1)), 0.5, free=False)


# ---- the lab ---------------------------------------------------------------------------------------------------------


def test_half_steps_close_the_gap_and_raise_the_bound() -> None:
    frames = [frame_of(limit=limit) for limit in range(1, 7)]
    for half, frame in enumerate(frames, start=1):
        gap = frame.measures["gap"]
        assert gap == pytest.approx(0, abs=1e-12) if half % 2 else gap > 0
    bounds = [frame.measures["lower_bound"] for frame in frames]
    assert bounds == sorted(bounds)


def test_scrubbing_to_a_step_is_a_run_to_it() -> None:
    short, long = frame_of(steps=4), frame_of(limit=8, steps=30)
    for name in ("theta_a", "theta_b", "log_likelihood", "lower_bound", "gap"):
        assert short.measures[name] == long.measures[name]


def test_identical_starts_stay_identical_and_say_why() -> None:
    frame = frame_of(start_a=0.3, start_b=0.3, steps=20)
    assert frame.measures["theta_a"] == frame.measures["theta_b"] == pytest.approx(0.66)
    assert frame.measures["rate"] > 1
    assert "saddle" in str(frame.claims[-1].remark)


def test_exchanged_starts_give_exchanged_coins() -> None:
    one, other = frame_of(start_a=0.7, start_b=0.3), frame_of(start_a=0.3, start_b=0.7)
    assert one.measures["theta_a"] == pytest.approx(other.measures["theta_b"], abs=1e-12)
    assert one.measures["log_likelihood"] == pytest.approx(other.measures["log_likelihood"], abs=1e-12)


@pytest.mark.parametrize("mixing", ["fixed", "free"])
@pytest.mark.parametrize("number", range(6))
def test_no_claim_fails(number: int, mixing: str) -> None:
    data, start, _ = random_case(100 + number)
    values = {"heads": data.heads, "flips": data.flips, "start_a": start[0], "start_b": start[1], "weight_a": start[2]}
    frame = frame_of(**values, mixing=mixing, steps=20)
    assert [claim.name for claim in frame.claims if claim.holds is False] == []


def test_a_wrong_m_step_breaks_the_claims(monkeypatch: pytest.MonkeyPatch) -> None:
    right = Flips.maximise
    monkeypatch.setattr(Flips, "maximise", lambda self, *given: np.clip(right(self, *given) * [1.2, 1, 1], 0.01, 0.99))
    frame = frame_of(start_a=0.61234, steps=15)
    failed = {claim.name for claim in frame.claims if claim.holds is False}
    assert {"monotone", "gradient_step"} <= failed


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"heads": (11,)}, "Set 1 has 11 heads among 10 flips."),
        ({"heads": (1, 2), "flips": (3, 4, 5)}, "flips lists 3 sets and heads 2"),
        ({"heads": ()}, "heads lists 0 sets"),
        ({"heads": (1,), "flips": (0,)}, "Set 1 has 0 flips"),
    ],
)
def test_wrong_flips_are_named(values: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        load(NAME).parameters().changed(**values)


def test_an_empty_coin_stops_with_a_sentence() -> None:
    with pytest.raises(LabError, match="No flips are left for coin A"):
        frame_of(heads=(500, 510), flips=(1000,), start_a=0.99, start_b=0.5)
