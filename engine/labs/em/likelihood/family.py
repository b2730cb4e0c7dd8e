"""One unknown parameter and its likelihood: a share of successes, or the mean of a normal law.

A categorical law is seen through the share of its first category; the others keep their proportions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import optimize, special, stats

from engine.labs.em.likelihood.parameters import Kind, Parameters
from engine.math.numerics.divergences import (
    Table,
    bernoulli,
    cross_entropy,
    entropy,
    kl,
    normal_cross_entropy,
    normal_entropy,
    normal_kl,
)

ONE_BY_ONE = 1 << 14  # normal data sets larger than this are drawn through the exact law of their mean
WHOLE = 0.004  # a standard error below which a share is seen in a close-up


@dataclass(frozen=True, slots=True)
class Family:
    """The data reduced to what the likelihood sees, and the model.

    Parameters
    ----------
    kind
        The distribution.
    count
        Number n of observations, repetitions included.
    estimate
        Where the likelihood is largest.
    model
        The parameter of the model.
    sigma
        Standard deviation of one observation under the model; of a normal law it is known.
    spread
        Standard deviation of the values about their mean (normal laws).
    values
        What was measured (normal laws), once.
    shares, model_shares
        The distributions of the data and of the model (all others).
    """

    kind: Kind
    count: int
    estimate: float
    model: float
    sigma: float
    spread: float
    values: Table
    shares: Table
    model_shares: Table

    @property
    def normal(self) -> bool:
        """Whether the parameter is a mean."""
        return self.kind == "gaussian"

    def average(self, theta: Table | float) -> Table:
        """Log-likelihood per observation, as a function of the parameter."""
        at = np.asarray(theta, dtype=np.float64)
        if self.normal:
            square = self.spread**2 + (self.estimate - at) ** 2
            return np.asarray(-0.5 * math.log(2 * math.pi) - math.log(self.sigma) - square / (2 * self.sigma**2))
        p = self.estimate
        own = special.xlogy(p, at) + special.xlogy(1 - p, 1 - at)
        return np.asarray(own - self._others())

    def _others(self) -> float:
        """What telling the other categories apart costs per observation; nothing for two of them."""
        rest = self.shares[1:]
        return entropy(rest / rest.sum()) * float(rest.sum()) if rest.sum() > 0 else 0.0

    def information(self, theta: float) -> float:
        """Fisher information of one observation: 1/σ² of a mean, 1/(θ(1-θ)) of a share (infinite at its ends)."""
        if self.normal:
            return 1 / self.sigma**2
        return 1 / (theta * (1 - theta)) if 0 < theta < 1 else math.inf

    def standard_error(self, count: float | None = None) -> float:
        """1/√(n I), exact here: the standard deviation of the estimate when the model has made the data."""
        return 1 / math.sqrt((count or self.count) * self.information(self.model))

    def fourth_moment(self) -> float:
        """Fourth central moment of the estimate under the model."""
        if self.normal:
            return 3 * self.standard_error() ** 4
        n, pq = self.count, self.model * (1 - self.model)
        return n * pq * (1 + 3 * (n - 2) * pq) / float(n) ** 4

    def draw(self, generator: np.random.Generator, sets: int, count: int) -> tuple[Table, Table]:
        """Estimates from so many data sets of `count` observations each, drawn from the model.

        Returns
        -------
        errors : array, shape (sets,)
            Of the parameter: estimate less model, so that a mean far from 0 costs no digits.
        variances : array, shape (sets,)
            Of a normal law: the maximum-likelihood variance of each set, in units of that of the model; else empty.
        """
        if not self.normal:
            return generator.binomial(count, self.model, sets) / count - self.model, np.empty(0)
        if count > ONE_BY_ONE:
            errors = generator.normal(0.0, self.sigma / math.sqrt(count), sets)
            return errors, generator.chisquare(count - 1, sets) / count
        draws = generator.normal(0.0, 1.0, (sets, count))
        return self.sigma * draws.mean(axis=1), draws.var(axis=1)

    @property
    def variance_known(self) -> bool:
        """Whether the variance can be estimated, too."""
        return self.normal and self.count > 1

    def variance_law(self, edges: Table) -> Table:
        """Probability of the maximum-likelihood variance between edges, in units of the model's: n s²/σ² is χ² with n - 1."""
        return np.diff(stats.chi2.cdf(edges * self.count, self.count - 1))

    def search(self) -> float:
        """Where a numerical search finds the maximum."""
        low, high = self.reach()
        found = optimize.minimize_scalar(
            lambda theta: -float(self.average(theta)),
            bounds=(low, high),
            method="bounded",
            options={"xatol": 1e-9 * (high - low)},
        )
        ends = [low, float(found.x), high]
        return ends[int(np.argmax(self.average(np.array(ends))))]

    def reach(self) -> tuple[float, float]:
        """Where the parameter may lie: all shares, or the surroundings of values and model."""
        if not self.normal:
            return 0.0, 1.0
        away = max(abs(self.estimate - self.model) * 1.2, 3 * self.sigma, 2.5 * self.spread)
        return self.estimate - away, self.estimate + away

    def view(self) -> tuple[float, float]:
        """What a picture shows of it: a close-up where all of it would be one spike."""
        low, high = self.reach()
        error = self.standard_error()
        if self.normal or error > WHOLE:
            return low, high
        ends = min(self.estimate, self.model) - 6 * error, max(self.estimate, self.model) + 6 * error
        return max(ends[0], 0.0), min(ends[1], 1.0)

    def probabilities(self, edges: Table) -> Table:
        """Probability of the error of the estimate between edges that no error can lie on."""
        if self.normal:
            return np.diff(stats.norm.cdf(edges, 0.0, self.standard_error()))
        return np.diff(stats.binom.cdf(np.floor((edges + self.model) * self.count), self.count, self.model))

    def entropies(self) -> dict[str, float]:
        """Entropy of the data, cross entropy with the model, and their divergence, each from its own formula.

        Of values: those of the normal law with their mean and spread. Without spread there is no such law, and no entropy.
        """
        if not self.normal:
            p, q = self.shares, self.model_shares
            return {"entropy": entropy(p), "cross_entropy": cross_entropy(p, q), "kl": kl(p, q)}
        laws = (self.estimate, self.spread, self.model, self.sigma)
        known = self.spread > 0
        return {
            "entropy": normal_entropy(self.spread) if known else math.nan,
            "cross_entropy": normal_cross_entropy(*laws),
            "kl": normal_kl(*laws) if known else math.nan,
        }


def family_of(parameters: Parameters) -> Family:
    """The data and the model of these parameters."""
    kind, copies = parameters.kind, parameters.copies
    if kind == "gaussian":
        values = np.array(parameters.measurements)
        middle, spread = float(values.mean()), float(values.std())
        empty = np.empty(0)
        return Family(kind, len(values) * copies, middle, parameters.mean, parameters.sigma, spread, values, empty, empty)
    if kind == "bernoulli":
        n, estimate, q = parameters.trials, parameters.successes / parameters.trials, parameters.probability
        shares, model = bernoulli(estimate), bernoulli(q)
    else:
        counts = np.array(parameters.counts, dtype=np.float64)
        n, shares = int(counts.sum()), counts / counts.sum()
        model = np.array(parameters.model) / sum(parameters.model)
        estimate, q = float(shares[0]), float(model[0])
    sigma = math.sqrt(q * (1 - q))
    return Family(kind, n * copies, estimate, q, sigma, 0.0, np.empty(0), shares, model)
