"""Surrogates: the linkage counts in closed form, bounds that bound, rates that are the missing information."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import optimize, stats

from engine.api import Frame, LabError, UsageError, entry, load, preset_parameters, run_with
from engine.math.latent.surrogates import (
    Censored,
    Likelihood,
    Linkage,
    MixingWeight,
    StudentLocation,
    following,
    parabola,
    rate,
)

NAME = "em.surrogate"
COUNTS = (125, 18, 20, 34)
POINTS = (-1.4, -0.9, -0.6, -0.2, 0.1, 0.3, 0.8, 1.1, 1.6, 2.0, 2.3, 3.1)
TIMES = (0.3, 0.5, 0.8, 1.1, 1.3, 1.9, 2.4, 3.0, 3.6, 5.2)
LIKELIHOODS: tuple[tuple[Likelihood, float], ...] = (
    (Linkage(COUNTS), 0.3),
    (MixingWeight(POINTS, (0.0, 2.0)), 0.8),
    (Censored(TIMES, 2.0), 4.0),
    (StudentLocation((-2.0, 0.0, 0.5, 5.0, 7.0), 1.0), 3.0),
)
every_likelihood = pytest.mark.parametrize(("likelihood", "at"), LIKELIHOODS, ids=lambda value: type(value).__name__)


def frame_of(limit: int | None = None, preset: str | None = None, **values: Any) -> Frame:
    frame = run_with(NAME, preset_parameters(NAME, preset).changed(**values), device="cpu", limit=limit).frame
    assert frame is not None
    return frame


def derivative(function: Any, at: float, width: float = 1e-5) -> float:
    return float((function(at + width) - function(at - width)) / (2 * width))


# ---- linkage in closed form ------------------------------------------------------------------------------------------


def test_the_linkage_maximum_is_the_root_of_the_quadratic() -> None:
    exact = Linkage(COUNTS).exact()
    assert exact == pytest.approx(0.6268214980, abs=1e-9)
    assert 197 * exact**2 - 15 * exact - 68 == pytest.approx(0, abs=1e-10)
    assert exact == pytest.approx(max(np.roots([197, -15, -68])), abs=1e-12)
    assert Linkage(COUNTS).rest(0.1) == pytest.approx(exact, abs=1e-14)


def test_the_linkage_rate_in_closed_form() -> None:
    """M(θ) = (z + 34) / (z + 72) with z = 125 θ / (2 + θ): M' = z' 38 / (z + 72)², z' = 250 / (2 + θ)²."""
    theta = Linkage(COUNTS).exact()
    hidden = 125 * theta / (2 + theta)
    slope = 250 / (2 + theta) ** 2 * 38 / (hidden + 72) ** 2
    assert Linkage(COUNTS).missing(theta) == pytest.approx(slope, abs=1e-12)
    assert slope == pytest.approx(0.132778, abs=1e-6)


def test_the_iterates_of_dempster_laird_and_rubin() -> None:
    """Table 1 of the paper, from 0.5."""
    printed = [0.608247423, 0.624321051, 0.626488879, 0.626777323, 0.626815632, 0.626820719, 0.626821395, 0.626821484]
    frame = frame_of(start=0.5, steps=8)
    np.testing.assert_allclose(frame.tables["path"], [0.5, *printed], atol=6e-10)


def test_the_linkage_likelihood_is_that_of_the_library() -> None:
    law = [(2 + 0.4) / 4, 0.6 / 4, 0.6 / 4, 0.4 / 4]
    assert Linkage(COUNTS).value(0.4) == pytest.approx(stats.multinomial.logpmf(COUNTS, 197, law), rel=1e-12)


# ---- all likelihoods -------------------------------------------------------------------------------------------------


@every_likelihood
def test_slopes_and_curvatures_are_derivatives(likelihood: Likelihood, at: float) -> None:
    assert likelihood.slope(at) == pytest.approx(derivative(likelihood.value, at), rel=1e-6, abs=1e-7)
    assert likelihood.curvature(at) == pytest.approx(derivative(likelihood.slope, at), rel=1e-6)
    second = derivative(lambda theta: derivative(lambda t: likelihood.expected(t, at), theta, 1e-3), at, 1e-3)
    assert likelihood.complete_information(at) == pytest.approx(-second, rel=1e-4)


@every_likelihood
def test_the_bound_lies_below_and_touches(likelihood: Likelihood, at: float) -> None:
    low = max(likelihood.low, -20.0) + 1e-3
    grid = np.linspace(low, min(likelihood.high, 20.0) - 1e-3, 2001)
    assert (likelihood.bound(grid, at) <= likelihood.value(grid) + 1e-9).all()
    assert likelihood.bound(at, at) == pytest.approx(float(likelihood.value(at)))
    assert derivative(lambda t: likelihood.bound(t, at), at) == pytest.approx(likelihood.slope(at), rel=1e-5)
    assert grid[likelihood.bound(grid, at).argmax()] == pytest.approx(likelihood.peak(at), abs=grid[1] - grid[0])


@every_likelihood
def test_the_rate_is_the_slope_of_the_map(likelihood: Likelihood, at: float) -> None:
    best = likelihood.rest(at)
    assert likelihood.slope(best) == pytest.approx(0, abs=1e-11)
    assert likelihood.missing(best) == pytest.approx(derivative(likelihood.peak, best), abs=1e-8)
    for step in (0.3 / -likelihood.curvature(best), 1.7 / -likelihood.curvature(best)):
        slope = derivative(lambda t, h=step: following(likelihood, "gradient", t, h), best)
        assert rate(likelihood, "gradient", best, step) == pytest.approx(abs(slope), abs=1e-7)
    assert derivative(lambda t: following(likelihood, "newton", t, 1.0), best) == pytest.approx(0, abs=1e-7)


@every_likelihood
def test_the_place_of_rest_is_the_library_s(likelihood: Likelihood, at: float) -> None:
    best = likelihood.rest(at)
    near = (best - 0.2, best + 0.2)
    found = optimize.minimize_scalar(
        lambda t: -float(likelihood.value(t)), bounds=near, method="bounded", options={"xatol": 1e-9}
    )
    assert best == pytest.approx(found.x, abs=1e-6)


@every_likelihood
def test_em_never_falls(likelihood: Likelihood, at: float) -> None:
    path = [at]
    for _ in range(40):
        path.append(likelihood.peak(path[-1]))
    assert (np.diff(likelihood.value(np.array(path))) >= -1e-12).all()


def test_the_censored_map_is_a_line_with_the_censored_share_as_slope() -> None:
    likelihood = Censored(TIMES, 2.0)
    places = np.array([0.5, 1.0, 3.0])
    jumps = [likelihood.peak(float(theta)) for theta in places]
    np.testing.assert_allclose(np.diff(jumps) / np.diff(places), 0.4, atol=1e-14)
    assert likelihood.missing(likelihood.total / 6) == pytest.approx(0.4, abs=1e-12)


def test_parabolas_jump_where_the_methods_do() -> None:
    likelihood, grid = Linkage(COUNTS), np.linspace(0.01, 0.99, 9801)
    for method, curvature in (("gradient", -1 / 0.002), ("newton", likelihood.curvature(0.5))):
        top = grid[parabola(likelihood, grid, 0.5, curvature).argmax()]
        assert top == pytest.approx(following(likelihood, method, 0.5, 0.002), abs=1e-4)


# ---- the lab ---------------------------------------------------------------------------------------------------------


def test_the_measures_of_the_linkage_run() -> None:
    frame = frame_of(counts=COUNTS, start=0.5, steps=20, method="em")
    assert frame.measures["theta"] == pytest.approx(0.6268214980, abs=1e-9)
    assert frame.measures["rate"] == pytest.approx(0.132778, abs=1e-6)
    assert frame.measures["measured_rate"] == pytest.approx(0.132778, abs=1e-5)
    assert all(claim.holds is not False for claim in frame.claims)


def test_newton_squares_its_errors() -> None:
    frame = frame_of(start=0.4, steps=6, method="newton")
    claims = {claim.name: claim for claim in frame.claims}
    assert frame.measures["theta"] == pytest.approx(0.6268214980, abs=1e-9)
    assert claims["quadratic"].holds
    assert frame.measures["rate"] == 0


def test_half_steps_fit_and_jump() -> None:
    fitted, jumped = frame_of(limit=1), frame_of(limit=2)
    assert fitted.measures["theta"] == 0.1
    assert jumped.measures["theta"] == pytest.approx(fitted.picture.peaks[0, 0])
    assert jumped.picture.anchor == 0.1


def test_scrubbing_to_a_step_is_a_run_to_it() -> None:
    assert frame_of(steps=3).measures["theta"] == frame_of(limit=6, steps=20).measures["theta"]


def test_zooming_in_keeps_iterate_and_maximum() -> None:
    frame = frame_of(steps=5, zoom=True)
    low, high = frame.picture.window
    assert low < frame.measures["theta"] < high
    assert low < frame.measures["maximum"] < high
    assert high - low < 0.02


@pytest.mark.parametrize(
    "preset", [preset.name for preset in entry(NAME).presets if preset.name not in ("too_large", "newton_lost")]
)
def test_no_claim_fails(preset: str) -> None:
    frame = frame_of(preset=preset)
    allowed = {"monotone"} if frame.parameters.method != "em" else set()  # type: ignore[attr-defined]
    assert {claim.name for claim in frame.claims if claim.holds is False} <= allowed


def test_a_maximum_inside_without_the_last_class() -> None:
    """(125, 18, 20, 0): the slope 125/2 - 38 at 0 is positive, and 125 (1 - θ) = 38 (2 + θ) at 49/163."""
    frame = frame_of(counts=(125, 18, 20, 0), start=0.5, steps=200, method="em")
    assert frame.measures["maximum"] == pytest.approx(49 / 163, rel=1e-12)
    assert frame.measures["theta"] == pytest.approx(49 / 163, rel=1e-9)
    assert [claim.name for claim in frame.claims if claim.holds is False] == []


@pytest.mark.parametrize("start", [0.01, 0.2, 0.7, 0.99])
@pytest.mark.parametrize("counts", [COUNTS, (14, 0, 1, 5), (0, 3, 4, 5), (1500, 20, 30, 400), (125, 18, 20, 0)])
def test_no_claim_fails_for_other_counts(counts: tuple[int, ...], start: float) -> None:
    frame = frame_of(counts=counts, start=start, steps=12)
    assert [claim.name for claim in frame.claims if claim.holds is False] == []


def test_a_wrong_bound_breaks_the_claims(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Linkage, "hidden", lambda self, theta: 0.8 * self.counts[0] * theta / (2 + theta))
    frame = frame_of(start=0.30123, steps=9)
    failed = {claim.name for claim in frame.claims if claim.holds is False}
    assert {"below", "touch"} <= failed


def test_gradient_ascent_beyond_the_limit_stops_with_a_sentence() -> None:
    with pytest.raises(LabError, match="Gradient ascent diverges: step 2") as caught:
        frame_of(preset="too_large")
    assert "below 2/I = 0.0053" in str(caught.value)


def test_newton_from_a_bad_start_stops_with_a_sentence() -> None:
    with pytest.raises(LabError, match="Newton's method diverges"):
        frame_of(preset="newton_lost")
    assert math.isfinite(frame_of(preset="newton_lost", limit=4).measures["theta"])


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"counts": (1, 2, 3)}, "Four counts are needed"),
        ({"counts": (1, 0, 0, 4)}, "The maximum lies at 1"),
        ({"counts": (76, 18, 20, 0)}, "The maximum lies at 0"),
        ({"start": 1.0}, "The start lies between 0 and 1"),
        ({"example": "censored", "times": (3.0,)}, "none was seen to end"),
        ({"example": "weight", "means": (1.0, 1.0)}, "Two means are needed"),
        ({"example": "location", "points": ()}, "Points are from 1"),
    ],
)
def test_wrong_data_are_named(values: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        load(NAME).parameters().changed(**values)
