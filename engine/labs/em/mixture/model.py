"""What the components of `mixture` are: normal ones, met through their moments, or those of another family."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from engine.labs.em.mixture.parameters import Parameters
from engine.math.latent import families, laws
from engine.math.latent.families import Bernoulli, Family, Look, Poisson, Regression, RegressionMixture, Student
from engine.math.latent.gaussian_mixtures import (
    Expectation,
    cost_of_floor,
    cost_of_rounding,
    expectation,
    lower_bound,
    maximisation,
    statistics_of,
)
from engine.math.latent.laws import Mixture, Shape, check_extent, parameter_count

Found = Expectation | Look
Pause = Callable[[], None]


class Model(Protocol):
    """The components, as the half-steps and the picture see them."""

    def begin(self, points: Tensor, start: Mixture) -> Mixture:
        """The first components, where means and covariances have been found for them."""

    def look(self, points: Tensor, law: Mixture, *, hard: bool, between: Pause) -> Found:
        """The E half-step."""

    def fit(self, points: Tensor, found: Found, before: Mixture) -> Mixture:
        """The M half-step; raises `Collapse`."""

    def fit_shares(self, points: Tensor, shares: Tensor, before: Mixture) -> Mixture:
        """The same for weighted responsibilities (K, n) that a run in batches has gathered."""

    def bound(self, points: Tensor, found: Found, law: Mixture) -> float:
        """The lower bound for what was found and any components."""

    def slack(self, points: Tensor, found: Found, law: Mixture) -> float:
        """How far the bound at a fit may lie below its maximum: floor and rounding."""

    def divergence(self, points: Tensor, believed: Mixture, law: Mixture, *, hard: bool) -> float:
        """Σ KL of what was found with some components from the posterior of others, point by point."""

    def posterior(self, points: Tensor, law: Mixture, *, hard: bool) -> Tensor:
        """Responsibilities, (K, n)."""

    def log_joint(self, points: Tensor, law: Mixture) -> Tensor:
        """log π_k p(x_i | k), (K, n)."""

    def parameter_count(self, components: int, dimension: int) -> int:
        """Free parameters."""


def model_of(parameters: Parameters) -> Model:
    """The components that the parameters ask for."""
    shape, floor = parameters.covariance, parameters.floor
    match parameters.family:
        case "student":
            return Other(Student(shape, floor, parameters.degrees, parameters.learn_degrees), floor)
        case "bernoulli":
            return Other(Bernoulli(), 0.0)
        case "poisson":
            return Other(Poisson(), 0.0)
        case "regression":
            return Other(Regression(floor), floor)
    return Normal(shape, floor)


@dataclass(frozen=True)
class Normal:
    """Normal components: the M half-step sees the points through their moments, so that there may be millions of them."""

    shape: Shape
    floor: float

    def begin(self, points: Tensor, start: Mixture) -> Mixture:
        return start

    def look(self, points: Tensor, law: Mixture, *, hard: bool, between: Pause) -> Expectation:
        return expectation(points, law, hard=hard, between=between)

    def fit(self, points: Tensor, found: Found, before: Mixture) -> Mixture:
        assert isinstance(found, Expectation)
        new = maximisation(found.statistics, self.shape, self.floor, before=before)
        check_extent(new, found.counts, self.floor)
        return new

    def fit_shares(self, points: Tensor, shares: Tensor, before: Mixture) -> Mixture:
        new = maximisation(statistics_of(points, shares), self.shape, self.floor, before=before)
        check_extent(new, shares.sum(1), self.floor)
        return new

    def bound(self, points: Tensor, found: Found, law: Mixture) -> float:
        assert isinstance(found, Expectation)
        return lower_bound(found, law)

    def slack(self, points: Tensor, found: Found, law: Mixture) -> float:
        return cost_of_rounding(law, found.counts) + cost_of_floor(law.covariances, found.counts, self.floor)

    def divergence(self, points: Tensor, believed: Mixture, law: Mixture, *, hard: bool) -> float:
        r = laws.posterior(points, believed, hard=hard)
        joint = laws.log_joint(points, law)
        log_p = joint - torch.logsumexp(joint, 0)
        return float(torch.where(r > 0, r * (r.clamp_min(1e-300).log() - log_p), 0.0).sum())

    def posterior(self, points: Tensor, law: Mixture, *, hard: bool) -> Tensor:
        return laws.posterior(points, law, hard=hard)

    def log_joint(self, points: Tensor, law: Mixture) -> Tensor:
        return laws.log_joint(points, law)

    def parameter_count(self, components: int, dimension: int) -> int:
        return parameter_count(components, dimension, self.shape)


@dataclass(frozen=True)
class Other:
    """Components of another family; all responsibilities are kept."""

    family: Family
    floor: float

    def begin(self, points: Tensor, start: Mixture) -> Mixture:
        return self.family.begin(points, start)

    def look(self, points: Tensor, law: Mixture, *, hard: bool, between: Pause) -> Look:
        between()
        return families.look(self.family, points, law, hard=hard)

    def fit(self, points: Tensor, found: Found, before: Mixture) -> Mixture:
        assert isinstance(found, Look)
        new = self.family.fit(points, found, before)
        if isinstance(self.family, Student):
            check_extent(new, found.counts, self.floor)
        return new

    def fit_shares(self, points: Tensor, shares: Tensor, before: Mixture) -> Mixture:
        return self.fit(points, Look(0.0, 0.0, shares, self.family.hidden(points, before), 0.0), before)

    def bound(self, points: Tensor, found: Found, law: Mixture) -> float:
        assert isinstance(found, Look)
        return families.bound(self.family, points, found, law)

    def slack(self, points: Tensor, found: Found, law: Mixture) -> float:
        slack = self.family.slack * points.numel()
        if isinstance(self.family, Student):
            slack += cost_of_rounding(law, found.counts) + cost_of_floor(law.covariances, found.counts, self.floor)
        if isinstance(law, RegressionMixture):
            slack += cost_of_floor(law.variances[:, None, None], found.counts, self.floor)
        return slack

    def divergence(self, points: Tensor, believed: Mixture, law: Mixture, *, hard: bool) -> float:
        return families.divergence(self.family, points, families.look(self.family, points, believed, hard=hard), law)

    def posterior(self, points: Tensor, law: Mixture, *, hard: bool) -> Tensor:
        return self.family.posterior(points, law, hard=hard)

    def log_joint(self, points: Tensor, law: Mixture) -> Tensor:
        return self.family.log_joint(points, law)

    def parameter_count(self, components: int, dimension: int) -> int:
        return self.family.parameter_count(components, dimension)
