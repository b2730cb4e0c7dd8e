"""Families of mixture components: densities of scipy, bounds that touch and chain, fits that no neighbour beats."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from scipy import stats

from engine.math.latent.families import (
    Bernoulli,
    Family,
    Poisson,
    Regression,
    RegressionMixture,
    Student,
    StudentMixture,
    bound,
    divergence,
    look,
)
from engine.math.latent.families.student import best_degrees
from engine.math.latent.gaussian_mixtures import expectation, maximisation
from engine.math.latent.laws import Collapse, Mixture
from engine.math.latent.starts import begin

FAMILIES: dict[str, Family] = {
    "student": Student("full", 0.0, 3.0, learned=False),
    "student, tied": Student("tied", 0.0, 5.0, learned=False),
    "student, learned": Student("full", 0.0, 3.0, learned=True),
    "bernoulli": Bernoulli(),
    "poisson": Poisson(),
    "regression": Regression(0.0),
}
every_family = pytest.mark.parametrize("name", FAMILIES)


@pytest.fixture(autouse=True)
def no_gradients() -> Iterator[None]:
    with torch.no_grad():
        yield


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def data(name: str, seed: int = 0, n: int = 160) -> torch.Tensor:
    """Points (d, n) of two groups that the family can be asked about."""
    rng = np.random.default_rng(seed)
    side = rng.integers(0, 2, n)
    if name == "bernoulli":
        points = (rng.random((6, n)) < np.where(side, 0.75, 0.3)).astype(float)
    elif name == "poisson":
        points = rng.poisson(np.where(side, 2.0, 9.0), (2, n)).astype(float)
    elif name == "regression":
        x = rng.uniform(-2, 2, n)
        points = np.stack([x, np.where(side, 1 + 2 * x, -1 - x) + 0.4 * rng.normal(size=n)])
    else:
        points = np.where(side, 2.5, -2.5) + rng.standard_t(3, (2, n))
    return torch.from_numpy(points)


def begun(name: str, points: torch.Tensor, components: int = 2, seed: int = 1) -> Mixture:
    return FAMILIES[name].begin(points, begin(points, components, "random", "full", 1e-3, generator(seed)))


def iterated(name: str, points: torch.Tensor, times: int, law: Mixture) -> Mixture:
    for _ in range(times):
        law = FAMILIES[name].fit(points, look(FAMILIES[name], points, law), law)
    return law


# ---- densities ---------------------------------------------------------------------------------------------------------


def test_densities_are_those_of_scipy() -> None:
    points = data("student")
    law = iterated("student, learned", points, 3, begun("student, learned", points))
    assert isinstance(law, StudentMixture)
    for k in range(2):
        wanted = stats.multivariate_t(law.means[k].numpy(), law.covariances[k].numpy(), float(law.degrees[k]))
        found = FAMILIES["student"].log_density(points, law)[k]
        assert np.allclose(found.numpy(), wanted.logpdf(points.mT.numpy()), rtol=1e-11)
    counts = data("poisson")
    rates = begun("poisson", counts)
    wanted_counts = stats.poisson.logpmf(counts.numpy()[None], rates.means.numpy()[:, :, None]).sum(1)
    assert np.allclose(FAMILIES["poisson"].log_density(counts, rates).numpy(), wanted_counts, rtol=1e-11)
    bits = data("bernoulli")
    law_of_bits = begun("bernoulli", bits)
    wanted_bits = stats.bernoulli.logpmf(bits.numpy()[None], law_of_bits.means.numpy()[:, :, None]).sum(1)
    assert np.allclose(FAMILIES["bernoulli"].log_density(bits, law_of_bits).numpy(), wanted_bits, rtol=1e-11)
    lines = data("regression")
    law_of_lines = begun("regression", lines)
    assert isinstance(law_of_lines, RegressionMixture)
    fitted = law_of_lines.coefficients[:, :1] + law_of_lines.coefficients[:, 1:] * lines[0]
    wanted_lines = stats.norm.logpdf(lines[1].numpy(), fitted.numpy(), law_of_lines.variances.sqrt().numpy()[:, None])
    assert np.allclose(FAMILIES["regression"].log_density(lines, law_of_lines).numpy(), wanted_lines, rtol=1e-11)


# ---- half-steps --------------------------------------------------------------------------------------------------------


@every_family
def test_the_bound_touches_and_the_chain_rule_holds(name: str) -> None:
    family, points = FAMILIES[name], data(name)
    law = iterated(name, points, 1, begun(name, points))
    found = look(family, points, law)
    assert bound(family, points, found, law) == pytest.approx(found.log_likelihood, abs=1e-8)
    other = iterated(name, points, 2, law)
    value = look(family, points, other).log_likelihood
    gap = value - bound(family, points, found, other)
    assert gap > 1e-6
    assert gap == pytest.approx(divergence(family, points, found, other), rel=1e-8)


@every_family
@pytest.mark.parametrize("seed", range(4))
def test_no_iteration_lowers_the_likelihood(name: str, seed: int) -> None:
    family, points = FAMILIES[name], data(name, seed)
    law = begun(name, points, 3, seed)
    values = []
    for _ in range(15):
        found = look(family, points, law)
        values.append(found.log_likelihood)
        law = family.fit(points, found, law)
    slack = 2 * found.rounding + family.slack * points.numel()
    assert (np.diff(values) >= -slack).all()


@every_family
def test_a_fit_cannot_be_bettered(name: str) -> None:
    """The bound has a maximum at the fit: no small change of the parameters lifts it."""
    family, points = FAMILIES[name], data(name)
    before = iterated(name, points, 2, begun(name, points))
    found = look(family, points, before)
    best = family.fit(points, found, before)
    highest = bound(family, points, found, best)
    rng = generator(3)
    for _ in range(30):
        changes = {}
        for at, field in enumerate(("weights", "means", "degrees", "coefficients", "variances", "covariances")):
            value = getattr(best, field, None)
            if value is None or (field == "degrees" and "learned" not in name):
                continue
            noise = 0.02 * torch.randn(value.shape, generator=rng, dtype=value.dtype)
            if field == "covariances":
                if "student" not in name:
                    continue
                noise = noise[:1].expand_as(noise) if "tied" in name else noise
                changes[field] = value + 0.5 * (noise + noise.mT) * value.diagonal(dim1=1, dim2=2).amin()
            else:
                changes[field] = (value * (1 + noise)) if at in (0, 2, 4) else value + noise * 0.2
        if "weights" in changes:
            changes["weights"] = changes["weights"] / changes["weights"].sum()
        if name == "bernoulli":
            changes["means"] = changes["means"].clamp(1e-9, 1 - 1e-9)
        given = {each: changes.get(each, getattr(best, each)) for each in best.__dataclass_fields__}
        assert bound(family, points, found, type(best)(**given)) <= highest + 1e-9


# ---- against other programs --------------------------------------------------------------------------------------------


def test_one_student_is_that_of_scipy() -> None:
    """Maximum likelihood of location, scale and degrees of freedom on a line."""
    values = stats.t.rvs(4, loc=3, scale=2, size=400, random_state=5)
    points = torch.from_numpy(values)[None]
    family = Student("full", 0.0, 10.0, learned=True)
    law: Mixture = family.begin(points, begin(points, 1, "random", "full", 0.0, generator()))
    for _ in range(4000):
        law = family.fit(points, look(family, points, law), law)
    assert isinstance(law, StudentMixture)
    degrees, place, scale = stats.t.fit(values)
    value = look(family, points, law).log_likelihood
    assert value >= stats.t.logpdf(values, degrees, place, scale).sum() - 1e-6
    assert float(law.means[0, 0]) == pytest.approx(place, abs=1e-3)
    assert math.sqrt(float(law.covariances[0, 0, 0])) == pytest.approx(scale, rel=1e-3)
    assert float(law.degrees[0]) == pytest.approx(degrees, rel=1e-2)


def test_many_degrees_of_freedom_are_normal() -> None:
    points = data("student")
    start = begin(points, 2, "kmeans", "full", 0.0, generator())
    family = Student("full", 0.0, 1e9, learned=False)
    law = family.fit(points, look(family, points, family.begin(points, start)), family.begin(points, start))
    wanted = maximisation(expectation(points, start).statistics, "full")
    assert torch.allclose(law.means, wanted.means, atol=1e-6)
    assert torch.allclose(law.covariances, wanted.covariances, atol=1e-5)


def test_points_far_out_hardly_move_a_student() -> None:
    """Four points at 500 among 200: the normal law, the mean, goes to 10, Student's stays with the others."""
    points = torch.cat([data("student", n=200), torch.full((2, 4), 500.0, dtype=torch.float64)], 1)
    law = iterated("student, learned", points, 60, begun("student, learned", points, 1))
    assert float(law.means.abs().amax()) < 1
    assert float(points.mean(1).amin()) > 9


def test_degrees_of_freedom_are_a_root() -> None:
    drift = torch.tensor([-1.8, -1.2, -1.02], dtype=torch.float64)
    half = 0.5 * best_degrees(drift)
    assert torch.allclose(half.log() + 1 - torch.digamma(half) + drift, torch.zeros(3, dtype=torch.float64), atol=1e-9)


@pytest.mark.parametrize("name", ["bernoulli", "poisson"])
def test_one_component_has_the_mean_of_the_data(name: str) -> None:
    points = data(name)
    law = iterated(name, points, 1, begun(name, points, 1))
    assert torch.allclose(law.means[0], points.mean(1), atol=1e-12)


def test_one_line_is_least_squares() -> None:
    points = data("regression")
    law = iterated("regression", points, 1, begun("regression", points, 1))
    assert isinstance(law, RegressionMixture)
    slope, intercept = np.polyfit(points[0].numpy(), points[1].numpy(), 1)
    assert law.coefficients[0].tolist() == pytest.approx([intercept, slope], rel=1e-10)
    off = points[1].numpy() - intercept - slope * points[0].numpy()
    assert float(law.variances[0]) == pytest.approx(float((off**2).mean()), rel=1e-10)


def test_two_lines_are_found() -> None:
    points = data("regression", n=600)
    law = max(
        (iterated("regression", points, 60, begun("regression", points, 2, seed)) for seed in range(6)),
        key=lambda each: look(FAMILIES["regression"], points, each).log_likelihood,
    )
    assert isinstance(law, RegressionMixture)
    found = sorted(law.coefficients.tolist())
    error = 4 * 0.4 / math.sqrt(250)
    assert found[0] == pytest.approx([-1, -1], abs=error)
    assert found[1] == pytest.approx([1, 2], abs=error)


def test_a_line_through_its_points_has_collapsed() -> None:
    points = torch.tensor([[0.0, 1.0, 2.0], [1.0, 3.0, 5.0]], dtype=torch.float64)
    family = Regression(0.0)
    start = begin(points, 1, "random", "diagonal", 0.1, generator())
    with pytest.raises(Collapse):
        family.fit(points, look(family, points, family.begin(points, start)), family.begin(points, start))


def test_parameters_are_counted() -> None:
    counts = [FAMILIES[name].parameter_count(3, 2) for name in FAMILIES]
    assert counts == [2 + 6 + 9, 2 + 6 + 3, 2 + 6 + 9 + 3, 2 + 6, 2 + 6, 2 + 9]
