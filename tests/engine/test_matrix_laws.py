"""Laws of random matrices against simulated ones, with tolerances from the number of matrices."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import stats

from engine.math.random.entries import EntryLaw, draw, kurtosis
from engine.math.random.matrix_laws import IndependentLaw, MatrixLaw, OrthogonalLaw
from engine.math.random.spectra import random_orthonormal

SHAPES = [(12, 12), (40, 10), (10, 40)]
LAWS: list[EntryLaw] = ["gaussian", "uniform", "rademacher", "laplace", "truncated_normal"]


def matrices(law: EntryLaw, rows: int, columns: int, variance: float, number: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(7)
    return draw(law, (number, rows, columns), generator, dtype=torch.float64) * math.sqrt(variance)


def identity_errors(weights: torch.Tensor) -> np.ndarray:
    gram = weights.mT @ weights
    return (gram - torch.eye(gram.shape[-1], dtype=gram.dtype)).square().sum((1, 2)).numpy()


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("gain", [1.0, 0.3, 2.0])
def test_mean_squared_error_is_exact(law: EntryLaw, shape: tuple[int, int], gain: float) -> None:
    rows, columns = shape
    known = IndependentLaw(rows, columns, gain / rows, kurtosis(law))
    errors = identity_errors(matrices(law, rows, columns, gain / rows, 4000)) / columns**2
    assert abs(errors.mean() - known.mse) < 4.5 * errors.std() / math.sqrt(len(errors))


def test_the_published_number() -> None:
    known = IndependentLaw(100, 100, 0.01)
    assert known.mse == pytest.approx(0.0101)
    assert known.mse * 100**2 == pytest.approx(101)
    assert known.operator_error == pytest.approx(3.0)
    assert known.frobenius_deviation / 100**2 == pytest.approx(0.00035, abs=0.00005)


@pytest.mark.parametrize("law", ["gaussian", "rademacher", "laplace"])
@pytest.mark.parametrize("shape", [(80, 80), (120, 40), (40, 120)], ids=str)
@pytest.mark.parametrize("gain", [1.0, 2.0])
def test_spread_of_the_frobenius_norm(law: EntryLaw, shape: tuple[int, int], gain: float) -> None:
    rows, columns = shape
    known = IndependentLaw(rows, columns, gain / rows, kurtosis(law))
    errors = identity_errors(matrices(law, rows, columns, gain / rows, 1500))
    heavy = 0.3 if law == "laplace" else 0.15  # a limit, and 1500 matrices
    assert errors.std() == pytest.approx(known.frobenius_deviation, rel=heavy)


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("shape", [(8, 8), (16, 16), (60, 60), (100, 20), (20, 100), (30, 25)], ids=str)
def test_edges_are_within_their_spreads(law: EntryLaw, shape: tuple[int, int]) -> None:
    rows, columns = shape
    known = IndependentLaw(rows, columns, 1 / rows, kurtosis(law))
    values = torch.linalg.svdvals(matrices(law, rows, columns, 1 / rows, 300)).numpy()
    assert np.abs(values[:, 0] - known.largest).max() < known.largest_spread
    assert np.abs(values[:, -1] - known.smallest).max() < known.smallest_spread
    squares = np.abs(np.concatenate([values**2, np.zeros((300, known.missing_rank))], axis=1) - 1)
    assert np.abs(squares.max(axis=1) - known.operator_error).max() < known.operator_spread
    assert values.mean() == pytest.approx(known.mean_singular, rel=0.06)


def test_spreads_shrink_like_theory_says() -> None:
    small, large = (IndependentLaw(n, n, 1 / n) for n in (100, 800))
    assert large.largest_spread == pytest.approx(small.largest_spread / 4)  # n^(-2/3)
    assert large.smallest_spread == pytest.approx(small.smallest_spread / 8)  # n^(-1)


@pytest.mark.parametrize("law", ["gaussian", "rademacher", "laplace"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_ratio_of_squared_lengths(law: EntryLaw, shape: tuple[int, int]) -> None:
    rows, columns = shape
    number, inputs = 2500, 60
    known = IndependentLaw(rows, columns, 0.7 / rows, kurtosis(law))
    ratios = ratios_under(matrices(law, rows, columns, known.variance, number), inputs)
    means, squares = ratios.mean(axis=1), ((ratios - known.gain) ** 2).mean(axis=1)
    assert abs(means.mean() - known.gain) < 4.5 * means.std() / math.sqrt(number)
    assert abs(squares.mean() - known.ratio_variance) < 4.5 * squares.std() / math.sqrt(number)
    assert means.std() == pytest.approx(known.ratio_mean_deviation(inputs), rel=0.08)
    assert 0.6 < squares.std() / known.ratio_variance_deviation(inputs) < 2


def ratios_under(weights: torch.Tensor, inputs: int) -> np.ndarray:
    generator = torch.Generator().manual_seed(8)
    directions = torch.randn((len(weights), weights.shape[2], inputs), generator=generator, dtype=torch.float64)
    return ((weights @ directions).square().sum(1) / directions.square().sum(1)).numpy()


@pytest.mark.parametrize("shape", [*SHAPES, (3, 2), (2, 3)], ids=str)
def test_orthogonal_matrices(shape: tuple[int, int]) -> None:
    rows, columns = shape
    known = OrthogonalLaw(rows, columns, 0.9 / rows)
    generator = torch.Generator().manual_seed(9)
    tall = torch.randn((2000, max(shape), min(shape)), generator=generator, dtype=torch.float64)
    bases = torch.stack([random_orthonormal(each) for each in tall]) * known.largest
    weights = bases if rows >= columns else bases.mT
    assert identity_errors(weights) / columns**2 == pytest.approx(known.mse, rel=1e-9)
    assert torch.linalg.svdvals(weights).numpy() == pytest.approx(known.largest)
    assert float(weights.square().mean()) == pytest.approx(known.variance)
    gram = weights.mT @ weights
    above = gram[:, *np.triu_indices(columns, 1)].square().mean(1).numpy()
    assert abs(above.mean() - known.off_diagonal_variance) < 4.5 * above.std() / math.sqrt(2000) + 1e-12
    ratios = ratios_under(weights, 50)
    assert abs(ratios.mean() - known.gain) < 4.5 * known.ratio_mean_deviation(100_000) + 1e-9
    assert ((ratios - known.gain) ** 2).mean() == pytest.approx(known.ratio_variance, rel=0.03, abs=1e-12)


def test_ratio_of_a_projection_is_beta() -> None:
    known = OrthogonalLaw(10, 40, 1 / 40)
    assert known.ratio_variance == pytest.approx(stats.beta(5, 15).var())
    assert known.gain == pytest.approx(stats.beta(5, 15).mean())


@pytest.mark.parametrize("known", [IndependentLaw(10, 30, 0.1), OrthogonalLaw(10, 30, 0.1)], ids=type)
def test_missing_rank(known: MatrixLaw) -> None:
    assert known.missing_rank == 20
    assert known.operator_error >= 1
    assert known.sides == (10, 30)
