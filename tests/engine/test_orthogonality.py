"""The experiment on random matrices: numbers of the source, shapes, cancellation, estimates."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from engine.api import Cancelled, Frame, LabError, load, run
from engine.core.cancel import CancelToken
from engine.core.context import Context
from engine.core.drive import Run
from engine.labs.angles.orthogonality import experiment as orthogonality
from engine.labs.angles.orthogonality.work import law_of, lower_triangle, plan

NAME = "angles.orthogonality"
LAWS = ["normal", "uniform", "rademacher", "laplace", "truncated_normal", "orthogonal"]


def last_frame(**values: object) -> Frame:
    frame = run(NAME, device="cpu", **values).frame
    assert frame is not None
    return frame


def start(token: CancelToken | None = None, **values: object) -> Run:
    parameters = orthogonality.Parameters(**values)
    return Run(load(NAME), parameters, Context(torch.device("cpu"), parameters.seed, token))


def test_the_numbers_of_the_source() -> None:
    """n = 100: mean squared error 0.0101 on average, with deviation 0.0004 over seeds."""
    measures = last_frame(rows=100, columns=100, draws=50, seed=3).measures
    assert measures["theory_mse_identity"] == pytest.approx(0.0101)
    assert measures["mse_identity"] == pytest.approx(0.0101, abs=4 * 0.0004 / math.sqrt(50))
    assert measures["frobenius_squared"] == pytest.approx(1e4 * measures["mse_identity"])
    assert measures["operator_error"] == pytest.approx(3, abs=0.4)
    assert measures["mean_singular"] == pytest.approx(8 / (3 * math.pi), rel=0.01)


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("shape", [(60, 60), (120, 40), (40, 120)], ids=str)
def test_every_claim_holds(law: str, shape: tuple[int, int]) -> None:
    frame = last_frame(rows=shape[0], columns=shape[1], law=law, draws=10, seed=11)
    assert [claim.name for claim in frame.claims if claim.holds is not True] == []
    assert frame.measures["rank"] == min(shape)


@pytest.mark.parametrize("shape", [(300, 300), (700, 280), (280, 700)], ids=str)
def test_large_matrices_come_in_pieces_and_end_exact(shape: tuple[int, int]) -> None:
    run_ = start(rows=shape[0], columns=shape[1], draws=1)
    first = run_.observe()
    assert run_.total is not None
    assert run_.total >= 2
    assert not first.picture.exact
    assert all(math.isfinite(value) for value in first.measures.values())
    assert first.measures["largest_singular"] == pytest.approx(law_of(run_.parameters).largest, rel=0.1)
    run_.advance(run_.total)
    measures = run_.observe().measures
    weights = run_._state.weights.numpy()
    singulars = np.linalg.svd(weights, compute_uv=False)
    error = weights.T @ weights - np.eye(shape[1])
    assert measures["mse_identity"] == pytest.approx(np.mean(error**2), rel=1e-9)
    assert measures["operator_error"] == pytest.approx(np.linalg.norm(error, 2), rel=1e-9)
    assert measures["largest_singular"] == pytest.approx(singulars[0], rel=1e-9)
    assert measures["smallest_singular"] == pytest.approx(singulars[-1], rel=1e-6)
    assert measures["mean_singular"] == pytest.approx(singulars.mean(), rel=1e-9)


def test_small_matrices_agree_with_numpy_too() -> None:
    run_ = start(rows=30, columns=45, draws=1, law="uniform", variance=0.05)
    weights = run_._state.weights.numpy()
    picture, measures = run_.observe().picture, run_.observe().measures
    gram = weights.T @ weights
    assert picture.matrix == pytest.approx(gram, abs=1e-6)
    assert measures["mse_identity"] == pytest.approx(np.mean((gram - np.eye(45)) ** 2))
    assert measures["operator_error"] == pytest.approx(np.linalg.norm(gram - np.eye(45), 2))
    assert abs(weights.var() - 0.05) < 0.006


def test_small_matrices_of_signs_may_lose_rank() -> None:
    claims = {claim.name: claim for claim in last_frame(rows=8, columns=8, law="rademacher", draws=5).claims}
    assert claims["rank"].holds is None
    assert claims["rank"].remark
    assert claims["largest_singular"].holds is True


def test_variance_zero_means_one_over_rows() -> None:
    by_default, written = (start(rows=50, columns=20, draws=1, variance=v).observe() for v in (0.0, 0.02))
    assert by_default.picture.variance == 0.02
    assert dict(by_default.measures) == dict(written.measures)


def test_a_matrix_with_unit_variance_is_no_isometry() -> None:
    measures = last_frame(rows=50, columns=50, draws=5, variance=1.0).measures
    assert measures["norm_ratio_mean"] == pytest.approx(50, rel=0.05)
    assert measures["theory_mse_identity"] == pytest.approx((50 * 51 + 49**2) / 50)


def test_exactly_orthogonal() -> None:
    measures = last_frame(rows=80, columns=40, law="orthogonal", draws=3).measures
    assert measures["mse_identity"] < 1e-25
    assert measures["operator_error"] < 1e-12
    assert measures["norm_ratio_var"] < 1e-25


def test_wide_matrices_cannot_be_orthogonal() -> None:
    for law in ("normal", "orthogonal"):
        frame = last_frame(rows=30, columns=90, law=law, draws=3)
        assert frame.measures["rank"] == 30
        assert frame.measures["frobenius_squared"] >= 60
        assert frame.picture.zeros == pytest.approx(2 / 3)
        assert frame.measures["norm_ratio_mean"] == pytest.approx(1, abs=0.05)


def test_histograms_are_densities() -> None:
    picture = last_frame(rows=100, columns=60, draws=20, bins=31).picture
    for name in ("entry", "singular", "ratio"):
        heights, edges = getattr(picture, f"{name}_density"), getattr(picture, f"{name}_edges")
        assert heights @ np.diff(edges) == pytest.approx(1, abs=0.002)
        grid, law = getattr(picture, f"{name}_grid"), getattr(picture, f"{name}_law")
        assert np.trapezoid(law, grid) == pytest.approx(1, abs=0.002)


def test_eigenvalues_fill_the_disk() -> None:
    picture = last_frame(rows=200, columns=200, draws=1).picture
    radii = np.hypot(*picture.eigenvalues.T)
    assert len(radii) == 200
    assert radii.max() < 1.15 * picture.radius
    assert np.mean(radii < 0.5) == pytest.approx(0.25, abs=0.1)
    assert len(last_frame(rows=40, columns=30, draws=1).picture.eigenvalues) == 0


def test_estimates_come_near_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(orthogonality.plan.__globals__["EXACT_LIMIT"], "cpu", 300)
    estimated = last_frame(rows=500, columns=500, draws=1)
    exact = last_frame(rows=500, columns=500, draws=1, spectrum="exact")
    assert not estimated.picture.exact
    assert estimated.picture.singular_density.any()
    assert exact.picture.exact
    for name, near in (("largest_singular", 0.01), ("operator_error", 0.05), ("mean_singular", 0.05), ("mse_identity", 1e-12)):
        assert estimated.measures[name] == pytest.approx(exact.measures[name], rel=near)
    spectral = {claim.name: claim for claim in estimated.claims}["largest_singular"]
    assert spectral.holds is None
    assert spectral.remark


def test_every_stage_can_be_cancelled() -> None:
    class Third(CancelToken):
        left = 3

        def checkpoint(self) -> None:
            self.left -= 1
            if self.left < 0:
                raise Cancelled

    with pytest.raises(Cancelled):
        start(Third(), rows=600, columns=600)  # within the first look


def test_plan_keeps_every_step_short() -> None:
    context = Context(torch.device("cpu"), 0)
    small, large, huge = (plan(orthogonality.Parameters(rows=n, columns=n), context) for n in (256, 1024, 4096))
    assert len(small) == 1
    assert [stage for stage in large if stage != ("gram",)] == [("matrix", "glimpse"), ("spectrum",), ("eigenvalues",)]
    assert [stage for stage in huge if stage != ("gram",)] == [("matrix", "glimpse"), *[("estimate",)] * 4]
    assert huge.count(("gram",)) == 32


def test_a_huge_orthogonal_matrix_is_refused_in_a_sentence() -> None:
    with pytest.raises(LabError, match="too long to draw"):
        start(rows=4096, columns=4096, law="orthogonal")


def test_block_rows_make_a_lower_triangle() -> None:
    blocks = (torch.ones(2, 2), 2 * torch.ones(1, 3))
    assert lower_triangle(blocks).tolist() == [[1, 1, 0], [1, 1, 0], [2, 2, 2]]


def test_one_variance_keeps_the_norm_and_the_other_the_mean_square() -> None:
    """1/fan_out keeps the vector's length, 1/fan_in the second moment of a unit; the two differ by n/m."""
    for variance, kept in ((1 / 100, "norm_ratio_mean"), (1 / 400, "rms_ratio_mean")):
        measures = run("angles.orthogonality", rows=100, columns=400, variance=variance, draws=5).measures
        assert measures[kept] == pytest.approx(1, abs=0.02)
        assert measures[f"theory_{kept}"] == pytest.approx(1)
        assert measures["rms_ratio_mean"] == pytest.approx(4 * measures["norm_ratio_mean"])
