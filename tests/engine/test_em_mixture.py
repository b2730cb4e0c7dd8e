"""The experiment `em.mixture`: half-steps, starts by hand, sentences, what stands beside a run."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from engine.api import Cancelled, Frame, LabError, UsageError, validate
from engine.core.cancel import CancelToken
from engine.core.context import Context
from engine.core.device import prepare_thread, resolve_device
from engine.core.drive import Run
from engine.core.parameters import parse_assignments
from engine.labs.em.mixture import EXPERIMENT, Parameters
from engine.math.latent.families import Poisson
from engine.math.latent.laws import parameter_count, posterior

CPU = resolve_device("cpu")
SIX = {"data": "values", "values": ((1.0, 2.0, 3.0, 8.0, 9.0, 10.0),), "components": 2, "start": "manual"}
BY_HAND = {**SIX, "means": ((1.0, 9.0),), "deviations": ((1.0, 1.0),), "weights": (0.5, 0.5)}
SMALL = {"points": 120, "steps": 8}


def begun(token: CancelToken | None = None, **values: Any) -> Run:
    prepare_thread(CPU)
    parameters = Parameters(**values)
    return Run(EXPERIMENT, parameters, Context(CPU, parameters.seed, token))


def frames(**values: Any) -> list[Frame]:
    return list(begun(**values).frames())


def last(**values: Any) -> Frame:
    run = begun(**values)
    run.advance(10_000)
    return run.observe()


def failed(frame: Frame) -> list[str]:
    return [claim.name for claim in frame.claims if claim.holds is False]


# ---- the run -----------------------------------------------------------------------------------------------------------


def test_six_numbers() -> None:
    """Two groups far apart: each component ends at the moments of its own."""
    frame = last(**BY_HAND, steps=5)
    assert frame.tables["means"] == pytest.approx([2, 9], abs=1e-9)
    assert frame.tables["covariances"] == pytest.approx([2 / 3, 2 / 3], abs=1e-9)
    assert frame.tables["weights"] == pytest.approx([0.5, 0.5], abs=1e-12)
    value = 6 * math.log(0.5) - 3 * math.log(2 * math.pi * 2 / 3) - 3
    assert frame.measures["log_likelihood"] == pytest.approx(value, abs=1e-9)
    assert frame.measures["mean_log_likelihood"] == pytest.approx(value / 6, abs=1e-9)
    assert frame.measures["aic"] == pytest.approx(10 - 2 * value, abs=1e-8)
    assert frame.measures["bic"] == pytest.approx(5 * math.log(6) - 2 * value, abs=1e-8)
    assert frame.measures["converged"] == 1
    assert np.allclose(np.array(frame.tables["responsibilities"]).sum(1), 1)


def test_against_plain_loops() -> None:
    """A few iterations in plain Python on overlapping data."""
    values = [0.1, 0.4, 1.1, 1.9, 2.2, 3.5, 3.6, 4.4]
    w, m, s = [0.3, 0.7], [0.0, 3.0], [1.0, 2.0]
    for _ in range(7):
        r = []
        for x in values:
            parts = [w[k] * math.exp(-0.5 * ((x - m[k]) / s[k]) ** 2) / s[k] for k in range(2)]
            r.append([part / sum(parts) for part in parts])
        for k in range(2):
            n = sum(row[k] for row in r)
            w[k], m[k] = n / len(values), sum(row[k] * x for row, x in zip(r, values, strict=True)) / n
            s[k] = math.sqrt(sum(row[k] * (x - m[k]) ** 2 for row, x in zip(r, values, strict=True)) / n)
    start = {"means": ((0.0,), (3.0,)), "deviations": ((1.0,), (2.0,)), "weights": (3.0, 7.0)}
    frame = last(data="values", values=tuple((x,) for x in values), components=2, start="manual", **start, steps=7)
    assert frame.tables["means"] == pytest.approx(m, rel=1e-12)
    assert frame.tables["weights"] == pytest.approx(w, rel=1e-12)
    assert [math.sqrt(each) for each in frame.tables["covariances"]] == pytest.approx(s, rel=1e-11)
    assert frame.measures["iterations"] == 7


def test_half_steps_alternate_and_the_gap_closes_after_each_e() -> None:
    found = frames(**SMALL)
    assert [frame.picture.phase for frame in found[:5]] == ["start", "e", "m", "e", "m"]
    assert [frame.picture.iteration for frame in found[:5]] == [0, 0.5, 1, 1.5, 2]
    assert len(found) == 17
    assert math.isnan(found[0].measures["gap"])
    for frame in found[1:]:
        gap = frame.measures["log_likelihood"] - frame.measures["lower_bound"]
        assert (abs(gap) < 1e-9) if frame.picture.phase == "e" else gap > 1e-9
    likelihoods = [frame.measures["log_likelihood"] for frame in found]
    assert all(b >= a - 1e-9 for a, b in pairwise(likelihoods))
    assert np.array_equal(found[-1].picture.log_likelihoods, likelihoods)


@pytest.mark.parametrize("algorithm", ["em", "hard", "gradient"])
@pytest.mark.parametrize("covariance", ["full", "tied", "diagonal", "spherical"])
def test_claims_hold(algorithm: str, covariance: str) -> None:
    chosen = {"algorithm": algorithm, "covariance": covariance, "points": 150, "steps": 12, "floor": 1e-3}
    for seed, values in enumerate(({"data": "moons"}, {"data": "iris"}, {"dimension": 1, "clusters": 2}, {})):
        frame = last(**chosen, **values, seed=seed, rate=seed == 3)
        assert failed(frame) == []


def test_the_rate_is_predicted() -> None:
    for seed in range(3):
        frame = last(data="overlapping", points=400, steps=150, seed=seed, start="kmeans++", separation=6.0, components=3)
        claim = {each.name: each for each in frame.claims}["rate"]
        assert claim.holds is not False
        if claim.holds:
            assert claim.measured == pytest.approx(claim.expected, abs=0.05)
    assert 0 < frame.measures["predicted_rate"] < 1
    assert frame.measures["limit"] >= frame.measures["log_likelihood"] - 1e-6


def test_the_claim_of_monotony_can_fail() -> None:
    """A likelihood that falls, between two steps of one kind, is seen."""
    run = begun(**SMALL)
    run.advance(8)
    records = run._state.trajectory.records
    records[4] = replace(records[4], log_likelihood=records[2].log_likelihood - 1, lower_bound=0.0, slack=1e-9)
    assert "monotone" in failed(run.observe())


def tweaked(run: Run, **changes: Any) -> Frame:
    """The frame after a live change, without a step."""
    run.tweak(run.parameters.changed(**changes))
    return run.observe()


@pytest.mark.parametrize("halves", [0, 1, 4, 5])
@pytest.mark.parametrize("algorithm", ["em", "hard"])
def test_points_added_between_steps_are_of_the_same_moment(halves: int, algorithm: str) -> None:
    """Likelihood, bound and divergence of a frame are of the same points, before and after the next steps."""
    run = begun(**SMALL, algorithm=algorithm, rate=False)
    run.advance(halves)
    frame = tweaked(run, drawn=((0.5, 9.0), (-7.0, 3.0)))
    assert frame.picture.count == 122
    while frame.step < 9 and not run.finished:
        assert failed(frame) == []
        if algorithm == "em" and frame.picture.phase == "e":
            assert frame.measures["gap"] == pytest.approx(0.0, abs=1e-9)
        assert frame.picture.log_likelihoods[-1] == frame.measures["log_likelihood"]
        run.advance(1)
        frame = run.observe()
    chain = {claim.name: claim for claim in frame.claims}["chain"]
    assert chain.holds


def test_a_bound_of_other_points_would_be_refuted() -> None:
    run = begun(**SMALL, rate=False)
    run.advance(5)
    stale = run._state.now
    tweaked(run, drawn=((0.5, 9.0),))
    run.advance(1)
    run._state = replace(run._state, now=replace(run._state.now, lower_bound=stale.lower_bound))
    assert "chain" in failed(run.observe())


def test_points_of_an_epoch_are_drawn_where_they_are() -> None:
    """Seconds since 1970: every one of them has its own place in the picture."""
    rng = np.random.default_rng(4)
    rows = tuple((1.7e9 + round(float(x), 3), float(y)) for x, y in rng.normal(0, 30, (60, 2)))
    frame = last(data="values", values=rows, components=2, steps=5)
    assert np.allclose(frame.picture.points, rows, rtol=0, atol=1e-6)
    assert len(np.unique(frame.picture.points[:, 0])) == len({x for x, _ in rows})


@pytest.mark.parametrize("size", [1e150, 1e-100])
def test_points_of_any_size_are_drawn(size: float) -> None:
    rng = np.random.default_rng(5)
    rows = tuple((size * float(x), size * float(y)) for x, y in rng.normal(0, 1, (40, 2)))
    frame = last(data="values", values=rows, components=2, steps=4, covariance="diagonal")
    assert np.allclose(frame.picture.points / size, np.array(rows) / size, rtol=1e-12)
    assert failed(frame) == []


def test_numbers_beyond_squares_are_refused() -> None:
    for size in (1e155, 1e-160):
        with pytest.raises(LabError, match="square"):
            begun(data="values", values=((0.0, size, 2 * size),), components=1)


def test_distinct_values_far_from_zero_are_distinct() -> None:
    frame = last(data="values", values=((1.7e15 + 1, 1.7e15 + 3, 1.7e15 + 2, 1.7e15 + 9),), components=1, steps=2)
    assert frame.tables["means"] == [1.7e15 + 3.75]
    assert frame.tables["covariances"] == pytest.approx([np.var([1, 3, 2, 9])], rel=1e-12)
    with pytest.raises(LabError, match="same for every point"):
        begun(data="values", values=((5.0, 5.0, 5.0),), components=1)


def test_narrow_groups_far_apart_have_not_collapsed() -> None:
    """Two groups of variance 2/3, 1e7 apart, and two points under a floor."""
    values = (0.0, 1.0, -1.0, 1e7, 1e7 + 1, 1e7 - 1)
    for start in ("kmeans", "kmeans++"):
        frame = last(data="values", values=(values,), components=2, start=start, floor=0.01, steps=20)
        order = np.argsort(frame.tables["means"])
        assert np.array(frame.tables["means"])[order] == pytest.approx([0, 1e7], abs=1e-6)
        assert np.array(frame.tables["covariances"])[order] == pytest.approx([2 / 3 + 0.01] * 2, rel=1e-9)
        assert failed(frame) == []
    frame = last(data="values", values=((99999999.0, 0.0),), components=2, floor=0.1, covariance="spherical", steps=10)
    assert sorted(frame.tables["covariances"]) == pytest.approx([0.1, 0.1])
    assert failed(frame) == []
    with pytest.raises(LabError, match="collapsed"):
        last(data="values", values=((*values, 5e6),), components=3, start="kmeans++", steps=40)


@pytest.mark.parametrize("values", ["", ";", " "])
def test_no_values_are_refused(values: str) -> None:
    with pytest.raises(LabError, match="no values"):
        begun(data="values", **parse_assignments(Parameters, {"values": values}))


def test_a_direction_that_no_iteration_moves_has_no_rate() -> None:
    """With a floor two components become one: how they share its weight is neutral, and never excited."""
    frame = last(data="overlapping", points=120, floor=0.5, seed=1, steps=400)
    assert frame.measures["predicted_rate"] == pytest.approx(0.92, abs=0.01)
    assert "rate" not in failed(frame)


def test_the_rate_can_fail() -> None:
    run = begun(data="anisotropic", points=200, steps=100)
    run.advance(10_000)
    assert {claim.name: claim.holds for claim in run.observe().claims}["rate"] is True
    stride = run._state.trajectory.strides[-1]
    run._state.trajectory.strides[-1] = replace(stride, length=1.2 * stride.length)
    assert "rate" in failed(run.observe())


def test_no_rate_of_points_that_are_gone() -> None:
    run = begun(data="anisotropic", points=200, steps=100)
    run.advance(60)
    assert math.isfinite(run.observe().measures["measured_rate"])
    frame = tweaked(run, drawn=((0.0, 0.0),))
    assert math.isnan(frame.measures["measured_rate"])
    assert math.isnan(frame.measures["predicted_rate"])


def test_scrubbing_is_running_anew() -> None:
    """The frame at step k is the last one of a fresh run of k half-steps."""
    whole = frames(**SMALL, rate=False)
    for k in (2, 6, 10):
        fresh = last(points=120, steps=k // 2, rate=False)
        assert fresh.step == whole[k].step
        for name, array in whole[k].arrays.items():
            assert np.array_equal(array, fresh.arrays[name], equal_nan=True), name
        assert repr(dict(fresh.measures)) == repr(dict(whole[k].measures))


def test_a_run_goes_on_from_a_frame_by_hand() -> None:
    """Means, covariances and weights of a frame, given as a start, take the same way from there."""
    whole = frames(points=150, steps=10)
    here = whole[8].picture
    start = {
        "start": "manual",
        "means": tuple(map(tuple, here.full_means.tolist())),
        "spreads": tuple(map(tuple, here.full_covariances.reshape(len(here.weights), -1).tolist())),
        "weights": tuple(here.weights.tolist()),
    }
    again = last(points=150, steps=6, **start)
    assert again.measures["log_likelihood"] == pytest.approx(whole[-1].measures["log_likelihood"], abs=1e-8)
    assert np.allclose(again.picture.means, whole[-1].picture.means, atol=1e-8)


def test_converged_runs_rest_until_something_changes() -> None:
    run = begun(points=200, steps=300, tolerance=1e-6)
    run.advance(500)
    frame = run.observe()
    assert frame.picture.converged
    assert frame.measures["iterations"] < 250
    assert frame.picture.phase == "m"
    run.tweak(run.parameters.changed(covariance="spherical"))
    run.advance(4)
    assert run.observe().measures["iterations"] > frame.measures["iterations"]
    assert failed(run.observe()) == []


def test_points_drawn_join_a_run_under_way() -> None:
    run = begun(points=100, steps=20)
    run.advance(5)
    before = run.observe()
    run.tweak(run.parameters.changed(drawn=((4.0, 4.0), (4.1, 4.0))))
    after = run.observe()
    assert after.picture.count == 102
    assert after.picture.drawn == 2
    assert np.array_equal(after.picture.means, before.picture.means)
    assert np.allclose(after.picture.points[-2:], [[4.0, 4.0], [4.1, 4.0]], atol=1e-6)
    run.advance(10)
    assert failed(run.observe()) == []
    assert run.observe().measures["iterations"] == 7


def test_drawn_points_alone_and_on_a_line() -> None:
    rows = ((0.0, 0.0), (1.0, 0.5), (0.3, 1.0), (5.0, 5.0), (6.0, 5.5), (5.5, 6.0))
    assert last(data="drawn", drawn=rows, components=1, steps=2).picture.count == 6
    frame = last(**SIX, drawn=((20.0, 21.0),), steps=1)
    assert frame.picture.count == 8
    ignored = last(data="iris", drawn=((1.0, 2.0),), steps=1)
    assert ignored.picture.count == 150
    assert "left out" in str(ignored.picture.notices[0])


# ---- pictures ----------------------------------------------------------------------------------------------------------


def test_more_than_two_columns_are_projected() -> None:
    frame = last(data="wine", start="kmeans", steps=3)
    picture = frame.picture
    assert picture.projected == "principal"
    assert 0.5 < picture.explained < 0.6  # the first two principal axes of wine, a known 55 %
    assert np.allclose((picture.full_means - picture.origin) @ picture.basis, picture.means)
    projected = np.einsum("da,kde,eb->kab", picture.basis, picture.full_covariances, picture.basis)
    assert np.allclose(projected, picture.covariances)
    columns = last(data="wine", start="kmeans", steps=3, plane="columns", shown=(13, 1)).picture
    assert columns.axes == ("proline", "alcohol")
    assert np.allclose(columns.means, picture.full_means[:, [12, 0]])


def test_densities_add_up() -> None:
    flat = last(dimension=1, clusters=2, components=2, points=400, steps=30).picture
    assert np.trapezoid(flat.component_densities.sum(0), flat.grid) == pytest.approx(1, abs=0.02)
    assert (np.diff(flat.edges) * flat.heights).sum() == pytest.approx(1)
    plane = last(points=400, steps=20).picture
    cell = np.prod((plane.high - plane.low) / plane.field.shape[0])
    assert plane.field.sum() * cell == pytest.approx(1, abs=0.06)
    assert plane.responsibilities.sum(1) == pytest.approx(np.ones(400), abs=1e-5)
    assert plane.counts.sum() == pytest.approx(400)


# ---- beside the run ----------------------------------------------------------------------------------------------------


def test_beside_a_run() -> None:
    frame = last(data="blobs", separation=6.0, points=240, steps=10, compare=True, choose=True, restarts=6, floor=1e-4)
    picture = frame.picture
    assert picture.choice_components.tolist() == [1, 2, 3, 4, 5, 6, 7, 8]
    assert frame.measures["best_components"] == 3
    value, count = picture.choice_log_likelihoods[2], parameter_count(3, 2, "full")
    assert picture.choice_bic[2] == pytest.approx(count * math.log(240) - 2 * value)
    assert len(picture.restart_log_likelihoods) == 6
    assert frame.measures["best_restart"] == pytest.approx(np.nanmax(picture.restart_log_likelihoods))
    assert frame.measures["basins"] == picture.restart_basins.max() + 1
    assert picture.race_at.tolist() == list(range(11))
    assert picture.race_em == pytest.approx(picture.log_likelihoods[::2], abs=1e-8)
    assert picture.race_hard[0] == picture.race_gradient[0] == pytest.approx(picture.race_em[0], abs=1e-8)
    assert (np.diff(picture.race_gradient) >= -1e-9).all()


def test_work_beside_a_run_does_not_wait_for_the_first_picture_nor_change_the_run() -> None:
    plain = last(**SMALL)
    busy = begun(**SMALL, compare=True, choose=True, restarts=3)
    first = busy.observe()
    assert len(first.picture.choice_components) == 0
    busy.advance(16)
    assert np.array_equal(busy.observe().picture.full_means, plain.picture.full_means)


# ---- what goes wrong ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (
            {**SIX, "means": ((2.0, 9.0),), "deviations": ((1e-4, 1.0),), "steps": 9},
            "component 1 has collapsed onto point 2 at (2)",
        ),
        ({"data": "values", "values": ((0.0, 0.0), (1.0, 1.0), (2.0, 2.0)), "components": 1}, "do not fill 2 dimensions"),
        ({"data": "values", "values": ((3.0, 3.0, 3.0),), "components": 1}, "Column 1 is the same for every point"),
        ({"data": "values", "values": ((3.0,),), "components": 1}, "only one point"),
        ({"data": "values", "values": ((1.0, 2.0, 3.0),), "components": 4}, "4 components are more than the 3 points"),
        ({**SIX, "means": ((1.0, 2.0, 3.0),)}, "means are given for 3 components, and there are 2"),
        ({**SIX, "weights": (1.0,)}, "weights are given for 1 components"),
        ({**SIX, "deviations": ((0.0, 1.0),)}, "not above 0"),
        ({**SIX, "spreads": ((-1.0,), (1.0,))}, "component 1 is not positive definite"),
        ({"start": "manual", "means": ((1.0,), (2.0,), (3.0,))}, "A row of means has 1 numbers, and a point has 2"),
        ({"data": "drawn"}, "Nothing has been drawn yet"),
        ({"data": "file"}, "No file has been chosen"),
        ({"data": "iris", "columns": (1, 5)}, "The table has 4 columns, and column 5 is asked for"),
        ({"data": "breast_cancer", "components": 4}, "has become flat"),
    ],
)
def test_sentences(values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(LabError) as caught:
        last(**values)
    assert sentence in str(caught.value)
    assert caught.value.hint


def test_a_floor_holds_a_component_that_would_collapse() -> None:
    frame = last(**SIX, means=((2.0, 9.0),), deviations=((1e-4, 1.0),), floor=1e-3, steps=9)
    assert frame.tables["covariances"][0] == pytest.approx(1e-3, rel=1e-6)
    assert failed(frame) == []


def test_identical_starts_stay_identical_and_it_is_said() -> None:
    frame = last(**SIX, means=((4.0, 4.0),), deviations=((1.0, 1.0),), steps=20)
    assert frame.tables["means"][0] == frame.tables["means"][1]
    assert "Components 1 and 2 are the same" in str(frame.picture.notices[0])
    assert failed(frame) == []


def test_empty_components_are_said_to_be_empty() -> None:
    frame = last(**SIX, means=((4.0, 1e5),), deviations=((1.0, 1.0),), steps=5)
    assert frame.tables["weights"] == [1, 0]
    assert "Component 2 is empty" in str(frame.picture.notices[0])
    assert all(math.isfinite(frame.measures[name]) for name in ("log_likelihood", "lower_bound", "gap", "bic"))
    assert failed(frame) == []


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "points.csv"
    path.write_text("length,width,kind\n" + "\n".join(f"{x},{x * x % 7},a" for x in range(30)), encoding="utf-8")
    frame = last(data="file", file=str(path), components=2, steps=3)
    assert frame.picture.axes == ("length", "width")
    assert frame.picture.count == 30
    assert last(data="file", file=str(path), columns=(2,), components=2, steps=1).picture.dimension == 1


def test_many_points_can_be_cancelled_soon() -> None:
    token = CancelToken()
    run = begun(token, points=400_000, components=8)
    token.first_frame_out()
    asked: list[None] = []
    plain = run.context.checkpoint

    def counted() -> None:
        asked.append(None)
        plain()

    run.context.checkpoint = counted  # type: ignore[method-assign]
    run.advance(2)
    assert len(asked) >= 2 * 400_000 / 50_000, "at most 50,000 points between two places where a run may end"
    token.cancel()
    with pytest.raises(Cancelled):
        run.advance(1)


# ---- other families ----------------------------------------------------------------------------------------------------

FAMILIES = {
    "student": {"data": "heavy", "family": "student", "floor": 0.01},
    "student, learned": {"data": "heavy", "family": "student", "floor": 0.01, "learn_degrees": True},
    "bernoulli": {"data": "digits", "family": "bernoulli", "components": 4},
    "poisson": {"data": "counts", "family": "poisson"},
    "poisson on a line": {"data": "counts", "family": "poisson", "dimension": 1},
    "regression": {"data": "lines", "family": "regression", "floor": 1e-3},
}


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("algorithm", ["em", "hard"])
def test_every_family_keeps_the_claims(name: str, algorithm: str) -> None:
    values = {**FAMILIES[name], "points": 90, "steps": 6, "start": "kmeans++", "algorithm": algorithm}
    found = frames(**values)
    for frame in found:
        assert failed(frame) == []
    held = {claim.name for claim in found[-1].claims if claim.holds}
    assert held >= ({"monotone", "touch", "chain", "bound"} if algorithm == "em" else {"chain"})


def test_what_stands_beside_a_run_knows_its_family() -> None:
    frame = last(**FAMILIES["poisson on a line"], points=60, steps=4, choose=True, restarts=2)
    assert frame.measures["best_components"] >= 1
    assert np.isfinite(frame.picture.restart_log_likelihoods).any()
    both = zip(frame.picture.choice_aic, frame.picture.choice_log_likelihoods, strict=True)
    assert [round((criterion + 2 * value) / 2) for criterion, value in both] == [2 * k - 1 for k in range(1, 9)]


def test_a_wrong_fit_is_refuted(monkeypatch: pytest.MonkeyPatch) -> None:
    fit = Poisson.fit
    monkeypatch.setattr(Poisson, "fit", lambda *given: replace(fit(*given), means=1.3 * fit(*given).means))
    assert {"monotone", "moments"} <= set(failed(last(**FAMILIES["poisson"], points=150, steps=8)))


def test_images_and_lines_are_drawn() -> None:
    digits = last(**FAMILIES["bernoulli"], points=200, steps=5)
    assert digits.picture.images.shape == (4, 64)
    assert ((digits.picture.images >= 0) & (digits.picture.images <= 1)).all()
    lines = last(data="lines", family="regression", clusters=1, components=1, points=200, steps=2)
    slope, intercept = np.polyfit(*lines.picture.points.T, 1)
    assert lines.tables["coefficients"][0] == pytest.approx([intercept, slope], rel=1e-9)
    (ends,) = lines.picture.lines
    assert ends[:, 1] == pytest.approx(intercept + slope * ends[:, 0], rel=1e-9)


def test_data_that_a_family_cannot_have_made() -> None:
    for values, words in (
        ({"data": "blobs", "family": "bernoulli"}, "values 0 and 1"),
        ({"data": "blobs", "family": "poisson"}, "counts 0, 1, 2"),
        ({"data": "blobs", "dimension": 1, "family": "regression"}, "an input and a response"),
        ({"data": "digits", "points": 50}, "same for every point"),
    ):
        with pytest.raises(LabError, match=words):
            begun(**values)
    for values, words in (
        ({"family": "poisson", "algorithm": "gradient"}, "normal components only"),
        ({"family": "regression", "start": "manual"}, "by hand"),
    ):
        with pytest.raises(UsageError, match=words):
            validate(Parameters, values)


def test_a_run_that_has_converged_ends() -> None:
    run = begun(**BY_HAND, steps=2000, tolerance=0.0)
    run.advance(10_000)
    frame = run.observe()
    assert frame.step < 100
    assert str(run.settled)
    assert frame.measures["converged"] == 1
    assert run.total == 4000


# ---- variational Bayes -------------------------------------------------------------------------------------------------


def test_variational_bayes_keeps_what_is_needed() -> None:
    """Eight components for three groups far apart: with a small concentration three are left, whatever EM does."""
    frame = last(
        data="blobs", separation=8.0, points=300, clusters=3, components=8, start="kmeans++", floor=0.01, bayes=True, steps=120,
        concentration=1e-3, rate=False, tolerance=0.0, seed=2,
    )  # fmt: skip
    assert frame.measures["effective_components"] == 3
    assert (frame.picture.bayes_weights > 0.2).sum() == 3
    assert {claim.name: claim.holds for claim in frame.claims}["elbo"] is True
    assert frame.measures["elbo"] == frame.picture.bayes_bounds[-1]
    assert len(frame.picture.bayes_bounds) == 121


def test_a_falling_bound_is_seen() -> None:
    run = begun(**SMALL, bayes=True)
    run.advance(8)
    assert failed(run.observe()) == []
    run._state.side.bayes.bounds[-1] -= 1e3
    assert failed(run.observe()) == ["elbo"]


def test_variational_bayes_goes_on_with_other_points() -> None:
    run = begun(**SMALL, bayes=True, rate=False)
    run.advance(6)
    tweaked(run, drawn=((0.5, 9.0), (-7.0, 3.0)))
    run.advance(4)
    frame = run.observe()
    assert failed(frame) == []
    assert run._state.side.bayes.points.shape[1] == 122


# ---- batches -----------------------------------------------------------------------------------------------------------

ONLINE = {"data": "blobs", "separation": 6.0, "points": 600, "start": "kmeans++", "algorithm": "online", "floor": 0.01}


def test_a_first_batch_of_all_points_is_an_iteration_of_em() -> None:
    online = last(**{**ONLINE, "batch": 600, "steps": 1})
    plain = last(**{**ONLINE, "algorithm": "em", "steps": 1})
    assert np.allclose(online.picture.full_means, plain.picture.full_means, atol=1e-12)
    assert np.allclose(online.picture.full_covariances, plain.picture.full_covariances, atol=1e-12)


def test_moments_are_averaged_as_cappe_and_moulines_do() -> None:
    """Gathered moments obey s_t = (1 - γ_t) s_{t-1} + γ_t s(batch), with γ_t = t^-κ."""
    run = begun(**{**ONLINE, "batch": 30, "forgetting": 0.6, "steps": 20})
    points = run._state.cloud.points
    gathered = torch.zeros((3, 2), dtype=torch.float64)
    for t in range(1, 9):
        present = run._state.present
        run.advance(1)
        batch = run._state.online.batch
        shares = posterior(points[:, batch], present)
        share = t**-0.6
        gathered = (1 - share) * gathered + share * shares @ points[:, batch].mT / 30
        assert torch.allclose(run._state.online.shares @ points.mT / 600, gathered, atol=1e-12)
        assert float(run._state.online.shares.sum()) == pytest.approx(600)
        run.advance(1)


@pytest.mark.parametrize("name", ["normal", "bernoulli", "poisson", "regression"])
def test_every_family_learns_in_batches(name: str) -> None:
    values = {**(FAMILIES[name] if name != "normal" else {}), "start": "kmeans++", "points": 300, "floor": 0.01}
    online = last(**values, algorithm="online", batch=30, steps=60)
    assert failed(online) == []
    assert online.measures["log_likelihood"] > last(**values, steps=0).measures["log_likelihood"]


def test_points_added_meanwhile_come_with_the_next_batch() -> None:
    run = begun(**{**ONLINE, "batch": 5, "rate": False})
    run.advance(4)
    frame = tweaked(run, drawn=((0.5, 9.0), (-7.0, 3.0)))
    assert failed(frame) == []
    run.advance(1)
    assert set(run._state.online.batch.tolist()) >= {600, 601}
    assert run.observe().picture.arrived.sum() == 5
    tweaked(run, drawn=())
    run.advance(2)
    assert failed(run.observe()) == []
