"""Entry laws against scipy's laws, and the angles of drawn vectors against the exact laws."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import stats

from engine.math.numerics.statistics import ks_critical, standard_error_of_mean, tolerance
from engine.math.random.angles import SubspaceLaw, VectorLaw
from engine.math.random.entries import ENTRY_LAWS, EntryLaw, cosines, draw, kurtosis, pair_angles, subspace_angles

NU, DENSITY = 5.0, 0.1
FINITE_FOURTH = [law for law in ENTRY_LAWS if law != "student_t"]


def generator(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def reference(law: EntryLaw):
    """Frozen scipy law with variance 1 (of the entries that are not zero, for the sparse law)."""
    spread = math.sqrt(stats.truncnorm(-2, 2).var())
    return {
        "gaussian": stats.norm(),
        "uniform": stats.uniform(-math.sqrt(3), 2 * math.sqrt(3)),
        "laplace": stats.laplace(scale=math.sqrt(0.5)),
        "student_t": stats.t(NU, scale=math.sqrt((NU - 2) / NU)),
        "sparse": stats.norm(scale=1 / math.sqrt(DENSITY)),
        "truncated_normal": stats.truncnorm(-2, 2, scale=1 / spread),
    }[law]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("law", [law for law in ENTRY_LAWS if law != "rademacher"])
def test_entries_follow_their_law(law: EntryLaw, dtype: torch.dtype) -> None:
    x = draw(law, (401, 500), generator(), dtype=dtype).double().numpy().ravel()
    if law == "sparse":
        fraction = (x != 0).mean()
        assert abs(fraction - DENSITY) < tolerance(math.sqrt(DENSITY * (1 - DENSITY) / x.size))
        x = x[x != 0]
    assert stats.kstest(x, reference(law).cdf).statistic < ks_critical(x.size)
    halves = x[: 2 * (x.size // 2)].reshape(-1, 2)  # neighbours are independent, in size too
    for power in (np.sign, np.abs):
        a, b = power(halves).T
        assert abs(np.corrcoef(a, b)[0, 1]) < tolerance(1 / math.sqrt(len(halves)))


@pytest.mark.parametrize("nu", [0.5, 1.0, 2.0, 30.0])
def test_student_law_for_other_degrees_of_freedom(nu: float) -> None:
    x = draw("student_t", (100_000,), generator(), degrees_of_freedom=nu).double().numpy()
    scale = math.sqrt((nu - 2) / nu) if nu > 2 else 1.0
    assert np.isfinite(x).all()
    assert stats.kstest(x, stats.t(nu, scale=scale).cdf).statistic < ks_critical(x.size)


def test_signs_are_fair_bits() -> None:
    x = draw("rademacher", (1001, 333), generator())
    assert set(x.unique().tolist()) == {-1.0, 1.0}
    assert abs(x.mean().item()) < tolerance(1 / math.sqrt(x.numel()))
    columns = x.double().mean(0)
    assert columns.abs().max() < tolerance(1 / math.sqrt(1001), 1e-6)


@pytest.mark.parametrize("law", FINITE_FOURTH)
def test_mean_variance_and_kurtosis(law: EntryLaw) -> None:
    x = draw(law, (1_000_000,), generator(3)).double()
    assert abs(x.mean().item()) < tolerance(standard_error_of_mean(1.0, x.numel()))
    assert abs(x.square().mean().item() - 1) < tolerance(math.sqrt((kurtosis(law) - 1) / x.numel())) + 1e-12
    fourth, error = x.pow(4).mean().item(), x.pow(4).std().item() / math.sqrt(x.numel())
    assert abs(fourth - kurtosis(law)) < tolerance(error + 1e-7)


def test_kurtosis_matches_scipy() -> None:
    for law in ("gaussian", "uniform", "laplace", "student_t", "truncated_normal"):
        assert kurtosis(law, degrees_of_freedom=NU) == pytest.approx(float(reference(law).stats("k")) + 3, rel=1e-6)
    assert kurtosis("rademacher") == 1
    assert kurtosis("sparse", density=0.25) == 12
    assert kurtosis("student_t", degrees_of_freedom=3) == math.inf
    assert math.isnan(kurtosis("student_t", degrees_of_freedom=2))


@pytest.mark.parametrize("law", ENTRY_LAWS)
def test_draws_honour_the_generator(law: EntryLaw) -> None:
    first, again, other = (draw(law, (3, 30_001), generator(seed)) for seed in (4, 4, 5))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    pairs = [pair_angles(law, 40, 1000, generator(6)) for _ in range(2)]
    torch.testing.assert_close(*pairs, rtol=0, atol=0, equal_nan=True)


@pytest.mark.parametrize("shape", [(0,), (1,), (3, 5), (2, 0, 4), (17,)])
@pytest.mark.parametrize("law", ENTRY_LAWS)
def test_every_shape(law: EntryLaw, shape: tuple[int, ...]) -> None:
    assert draw(law, shape, generator()).shape == shape


def test_wrong_parameters_are_refused() -> None:
    with pytest.raises(ValueError, match="none of"):
        draw("cauchy", (1,), generator())  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="degrees of freedom"):
        draw("student_t", (1,), generator(), degrees_of_freedom=0.1)
    with pytest.raises(ValueError, match="density"):
        draw("sparse", (1,), generator(), density=0.0)
    with pytest.raises(ValueError, match="below 2"):
        pair_angles("gaussian", 1, 5, generator())


# --------------------------------------------------------------------------------------------------------------------
# Angles


@pytest.mark.parametrize("law", ENTRY_LAWS)
@pytest.mark.parametrize("n", [2, 7, 40])
def test_mean_squared_cosine_is_one_over_n_for_every_symmetric_law(law: EntryLaw, n: int) -> None:
    theta = pair_angles(law, n, 60_000, generator(8), density=0.3)
    squares = theta[~theta.isnan()].cos().square()
    assert abs(squares.mean().item() - 1 / n) < tolerance(squares.std().item() / math.sqrt(squares.numel()))


@pytest.mark.parametrize("n", [2, 3, 31, 32, 33, 100])
def test_gaussian_pairs_follow_the_exact_law(n: int) -> None:
    theta = pair_angles("gaussian", n, 50_000, generator(9)).numpy()
    assert stats.kstest(theta, VectorLaw(n).cdf).statistic < ks_critical(theta.size)


def test_gaussian_pairs_in_a_million_dimensions() -> None:
    theta = pair_angles("gaussian", 1_000_000, 40, generator(10)).numpy()
    assert stats.kstest(theta, VectorLaw(1_000_000).cdf).statistic < ks_critical(theta.size)


@pytest.mark.parametrize("n", [2, 1000, 1_000_000])
def test_cosines_of_single_precision_vectors_are_accurate(n: int) -> None:
    x, y = (draw("gaussian", (5, n), generator(seed)) for seed in (11, 12))
    exact = torch.nn.functional.cosine_similarity(x.double(), y.double(), dim=-1)
    cosine, angle = cosines(x, y)
    torch.testing.assert_close(cosine, exact, rtol=0, atol=2e-6 / math.sqrt(n))
    torch.testing.assert_close(angle, exact.acos(), rtol=0, atol=2e-6 / math.sqrt(n))


@pytest.mark.parametrize("n", [2, 50, 10_000])
@pytest.mark.parametrize("small", [1e-2, 1e-4])
def test_small_and_large_angles_keep_their_digits(n: int, small: float) -> None:
    x = torch.zeros(1, n)
    y = torch.zeros(1, n)
    x[0, 0], y[0, 0], y[0, 1] = 3.0, 1.0, small
    exact = math.atan(torch.tensor(small).item())
    assert cosines(x, y)[1].item() == pytest.approx(exact, rel=1e-12)
    assert math.pi - cosines(x, -y)[1].item() == pytest.approx(exact, rel=1e-9)
    assert cosines(x, x)[1].item() == 0.0
    assert cosines(x, -x)[0].item() == pytest.approx(-1.0)


def test_zero_vectors_have_no_angle() -> None:
    x = torch.tensor([[0.0, 0.0], [1.0, 0.0]])
    cosine, angle = cosines(x, torch.ones(2, 2))
    assert cosine.isnan().tolist() == angle.isnan().tolist() == [True, False]
    assert subspace_angles(x, torch.eye(2)[:, :1]).isnan().tolist() == [True, False]
    assert pair_angles("sparse", 2, 1000, generator(), density=0.01).isnan().any()


@pytest.mark.parametrize("size", [1e-30, 1e30])
def test_lengths_do_not_matter(size: float) -> None:
    x, y = (draw("gaussian", (10, 20), generator(seed)) for seed in (13, 14))
    torch.testing.assert_close(cosines(x * size, y)[1], cosines(x, y)[1], rtol=0, atol=1e-6)


def test_subspace_angles_against_known_ones() -> None:
    x = torch.tensor([[1.0, 0.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 2.0], [1.0, 0.0, 1.0]])
    plane = torch.eye(3)[:, :2]
    expected = torch.tensor([0.0, 0.0, math.pi / 2, math.pi / 4], dtype=torch.float64)
    torch.testing.assert_close(subspace_angles(x, plane), expected, rtol=0, atol=1e-7)
    torch.testing.assert_close(subspace_angles(x, plane.expand(4, 3, 2)), expected, rtol=0, atol=1e-7)


@pytest.mark.parametrize("k", [1, 4, 11])
def test_subspace_angles_follow_the_exact_law(k: int) -> None:
    n, count = 12, 20_000
    x = draw("gaussian", (count, n), generator(15))
    basis = torch.linalg.qr(draw("gaussian", (n, k), generator(16)))[0]
    theta = subspace_angles(x, basis).numpy()
    assert stats.kstest(theta, SubspaceLaw(n, k).cdf).statistic < ks_critical(count)
