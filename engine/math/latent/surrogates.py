"""Likelihoods of one parameter, and the simpler functions that EM, gradient ascent and Newton's method climb in their place.

Every method fits a surrogate at the present parameter and jumps to its peak. EM's is a lower bound of the log-likelihood
that touches it, from the expectation over what was not observed; gradient ascent's is a parabola of given curvature -1/h,
Newton's one of the true curvature.

References
----------
Rao (1965), Linear Statistical Inference and Its Applications, section 5g (the linkage counts).
Dempster, Laird & Rubin (1977), Maximum likelihood from incomplete data via the EM algorithm, JRSS B 39.
Louis (1982), Finding the observed information matrix when using the EM algorithm, JRSS B 44.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

Array = NDArray[np.float64]


class Likelihood(ABC):
    """A log-likelihood ℓ of one parameter θ with hidden variables.

    Attributes
    ----------
    low, high : float
        The open interval of θ.
    """

    low: float
    high: float

    @abstractmethod
    def value(self, theta: ArrayLike) -> Array:
        """ℓ(θ), elementwise."""

    @abstractmethod
    def slope(self, theta: float) -> float:
        """ℓ'(θ)."""

    @abstractmethod
    def curvature(self, theta: float) -> float:
        """ℓ''(θ), minus the observed information."""

    @abstractmethod
    def peak(self, theta: float) -> float:
        """M(θ): where the lower bound fitted at θ is highest, one EM iteration."""

    @abstractmethod
    def expected(self, theta: ArrayLike, at: float) -> Array:
        """Q(θ | at): the expected complete log-likelihood, up to a constant."""

    @abstractmethod
    def complete_information(self, theta: float) -> float:
        """-Q''(θ | θ): the information that there would be if nothing were hidden."""

    def bound(self, theta: ArrayLike, at: float) -> Array:
        """The lower bound that touches ℓ at `at`: Q shifted so that both agree there."""
        return self.expected(theta, at) - self.expected(at, at) + self.value(at)

    def missing(self, theta: float) -> float:
        """The share of information that is missing, 1 - I / I_complete: the slope of M at a maximum, EM's rate."""
        return 1 + self.curvature(theta) / self.complete_information(theta)

    def inside(self, theta: float) -> bool:
        """Whether θ is allowed."""
        return math.isfinite(theta) and self.low < theta < self.high

    def rest(self, theta: float, limit: int = 5000) -> float:
        """The maximum to which EM climbs from θ, to rounding: by Newton's method once EM has come near."""
        for _ in range(limit):
            following = self.peak(theta)
            if not self.inside(following):
                return following
            near = abs(following - theta) < 1e-6 * (1 + abs(theta))
            theta = following
            if near:
                break
        for _ in range(20):
            move = -self.slope(theta) / self.curvature(theta) if self.curvature(theta) < 0 else 0.0
            if not self.inside(theta + move) or abs(move) > 1e-2 * (1 + abs(theta)):
                return theta
            theta += move
            if abs(move) <= 1e-16 * (1 + abs(theta)):
                break
        return theta


@dataclass(frozen=True)
class Linkage(Likelihood):
    """Four classes of animals with the probabilities (2 + θ)/4, (1 - θ)/4, (1 - θ)/4 and θ/4.

    The first class is two in one: a part of probability 1/2 and one of probability θ/4 that nobody told apart.

    Parameters
    ----------
    counts : tuple of int
        y₁ ... y₄; y₂ + y₃ is positive, and y₄, or else y₁ > 2 (y₂ + y₃): then the maximum lies inside.
    """

    counts: tuple[int, int, int, int]
    low: float = 0.0
    high: float = 1.0

    @cached_property
    def _parts(self) -> tuple[float, float, float]:
        first, second, third, fourth = self.counts
        return float(first), float(second + third), float(fourth)

    @cached_property
    def log_orders(self) -> float:
        """Logarithm of the multinomial coefficient."""
        y = np.array(self.counts, dtype=np.float64)
        return float(special.gammaln(y.sum() + 1) - special.gammaln(y + 1).sum())

    def value(self, theta: ArrayLike) -> Array:
        t = np.asarray(theta, dtype=np.float64)
        mixed, crossed, last = self._parts
        constant = self.log_orders - (mixed + crossed + last) * math.log(4)
        return constant + mixed * np.log(2 + t) + crossed * np.log1p(-t) + last * np.log(t)

    def slope(self, theta: float) -> float:
        mixed, crossed, last = self._parts
        return mixed / (2 + theta) - crossed / (1 - theta) + last / theta

    def curvature(self, theta: float) -> float:
        mixed, crossed, last = self._parts
        return -mixed / (2 + theta) ** 2 - crossed / (1 - theta) ** 2 - last / theta**2

    def hidden(self, theta: float) -> float:
        """The expected number of animals in the part of probability θ/4 of the first class."""
        return self._parts[0] * theta / (2 + theta)

    def peak(self, theta: float) -> float:
        _, crossed, last = self._parts
        part = self.hidden(theta)
        return (part + last) / (part + last + crossed)

    def expected(self, theta: ArrayLike, at: float) -> Array:
        t = np.asarray(theta, dtype=np.float64)
        _, crossed, last = self._parts
        return (self.hidden(at) + last) * np.log(t) + crossed * np.log1p(-t)

    def complete_information(self, theta: float) -> float:
        _, crossed, last = self._parts
        return (self.hidden(theta) + last) / theta**2 + crossed / (1 - theta) ** 2

    def exact(self) -> float:
        """The maximum: the positive root of n θ² - (y₁ - 2 (y₂ + y₃) - y₄) θ - 2 y₄ = 0."""
        mixed, crossed, last = self._parts
        total, linear = mixed + crossed + last, mixed - 2 * crossed - last
        return (linear + math.sqrt(linear**2 + 8 * total * last)) / (2 * total)


@dataclass(frozen=True)
class MixingWeight(Likelihood):
    """Points of two normal laws of known means and standard deviation 1; θ is the share of the second.

    Parameters
    ----------
    points : tuple of float
    means : tuple of float
        Two different ones.
    """

    points: tuple[float, ...]
    means: tuple[float, float]
    low: float = 0.0
    high: float = 1.0

    @cached_property
    def _ratio(self) -> Array:
        """Both densities over their sum, which never overflows, shape (n, 2)."""
        first, second = self.means
        logs = np.asarray(self.points) * (second - first) - 0.5 * (second**2 - first**2)
        return np.stack([special.expit(-logs), special.expit(logs)], axis=-1)

    def _mixed(self, theta: ArrayLike) -> Array:
        """(1 - θ) p₁ + θ p₂ over p₁ + p₂, shape (..., n)."""
        t = np.asarray(theta, dtype=np.float64)[..., None]
        return (1 - t) * self._ratio[:, 0] + t * self._ratio[:, 1]

    @cached_property
    def _constant(self) -> float:
        logs = -0.5 * (np.asarray(self.points)[:, None] - np.asarray(self.means)) ** 2 - 0.5 * math.log(2 * math.pi)
        return float(np.logaddexp(logs[:, 0], logs[:, 1]).sum())

    def value(self, theta: ArrayLike) -> Array:
        found: Array = self._constant + np.log(self._mixed(theta)).sum(axis=-1)
        return found

    def slope(self, theta: float) -> float:
        return float(((self._ratio[:, 1] - self._ratio[:, 0]) / self._mixed(theta)).sum())

    def curvature(self, theta: float) -> float:
        return -float((((self._ratio[:, 1] - self._ratio[:, 0]) / self._mixed(theta)) ** 2).sum())

    def shares(self, theta: float) -> Array:
        """Responsibilities of the second law."""
        return theta * self._ratio[:, 1] / self._mixed(theta)

    def peak(self, theta: float) -> float:
        return float(self.shares(theta).mean())

    def expected(self, theta: ArrayLike, at: float) -> Array:
        t = np.asarray(theta, dtype=np.float64)
        second = float(self.shares(at).sum())
        return second * np.log(t) + (len(self.points) - second) * np.log1p(-t)

    def complete_information(self, theta: float) -> float:
        second = float(self.shares(theta).sum())
        return second / theta**2 + (len(self.points) - second) / (1 - theta) ** 2


@dataclass(frozen=True)
class Censored(Likelihood):
    """Exponential lifetimes of mean θ; of some it is only known that they last longer than the limit.

    Parameters
    ----------
    times : tuple of float
        Positive; those not below the limit count as censored there.
    limit : float
    """

    times: tuple[float, ...]
    limit: float
    low: float = 0.0
    high: float = math.inf

    @cached_property
    def ended(self) -> int:
        """How many lifetimes were seen to end."""
        return sum(time < self.limit for time in self.times)

    @cached_property
    def total(self) -> float:
        """The time that was watched altogether."""
        return float(sum(min(time, self.limit) for time in self.times))

    def value(self, theta: ArrayLike) -> Array:
        t = np.asarray(theta, dtype=np.float64)
        return -self.ended * np.log(t) - self.total / t

    def slope(self, theta: float) -> float:
        return -self.ended / theta + self.total / theta**2

    def curvature(self, theta: float) -> float:
        return self.ended / theta**2 - 2 * self.total / theta**3

    def peak(self, theta: float) -> float:
        """A censored lifetime lasts θ longer than the limit on average: the law forgets."""
        count = len(self.times)
        return (self.total + (count - self.ended) * theta) / count

    def expected(self, theta: ArrayLike, at: float) -> Array:
        t = np.asarray(theta, dtype=np.float64)
        count = len(self.times)
        return -count * np.log(t) - count * self.peak(at) / t

    def complete_information(self, theta: float) -> float:
        count = len(self.times)
        return -count / theta**2 + 2 * count * self.peak(theta) / theta**3


@dataclass(frozen=True)
class StudentLocation(Likelihood):
    """Points of Student's law of known degrees of freedom around θ: normal laws whose precisions nobody knows.

    Parameters
    ----------
    points : tuple of float
    degrees : float
        ν > 0; 1 is Cauchy's law.
    """

    points: tuple[float, ...]
    degrees: float
    low: float = -math.inf
    high: float = math.inf

    @cached_property
    def x(self) -> Array:
        """The points as an array."""
        return np.asarray(self.points, dtype=np.float64)

    def value(self, theta: ArrayLike) -> Array:
        nu = self.degrees
        constant = special.gammaln((nu + 1) / 2) - special.gammaln(nu / 2) - 0.5 * math.log(nu * math.pi)
        away = self.x - np.asarray(theta, dtype=np.float64)[..., None]
        found: Array = (constant - (nu + 1) / 2 * np.log1p(away**2 / nu)).sum(axis=-1)
        return found

    def weights(self, theta: float) -> Array:
        """Expected precisions given the points, (ν + 1) / (ν + (x - θ)²)."""
        return (self.degrees + 1) / (self.degrees + (self.x - theta) ** 2)

    def slope(self, theta: float) -> float:
        return float((self.weights(theta) * (self.x - theta)).sum())

    def curvature(self, theta: float) -> float:
        away, weights = (self.x - theta) ** 2, self.weights(theta)
        return float((-weights + 2 * weights * away / (self.degrees + away)).sum())

    def peak(self, theta: float) -> float:
        weights = self.weights(theta)
        return float((weights * self.x).sum() / weights.sum())

    def expected(self, theta: ArrayLike, at: float) -> Array:
        away = self.x - np.asarray(theta, dtype=np.float64)[..., None]
        found: Array = -0.5 * (self.weights(at) * away**2).sum(axis=-1)
        return found

    def complete_information(self, theta: float) -> float:
        return float(self.weights(theta).sum())


# ---- methods ---------------------------------------------------------------------------------------------------------


def parabola(likelihood: Likelihood, theta: ArrayLike, at: float, curvature: float) -> Array:
    """The parabola that touches the log-likelihood at `at` and has this curvature."""
    away = np.asarray(theta, dtype=np.float64) - at
    return likelihood.value(at) + likelihood.slope(at) * away + 0.5 * curvature * away**2


def surrogate(likelihood: Likelihood, method: str, theta: ArrayLike, at: float, step: float) -> Array:
    """What a method climbs after `at`: ``em`` its bound, ``gradient`` and ``newton`` their parabolas.

    Parameters
    ----------
    likelihood : Likelihood
    method : str
    theta : array
    at : float
    step : float
        h of gradient ascent.
    """
    if method == "em":
        return likelihood.bound(theta, at)
    return parabola(likelihood, theta, at, -1 / step if method == "gradient" else likelihood.curvature(at))


def following(likelihood: Likelihood, method: str, at: float, step: float) -> float:
    """Where a method jumps from `at`: to the peak (for Newton, the flat point) of its surrogate."""
    if method == "em":
        return likelihood.peak(at)
    if method == "gradient":
        return at + step * likelihood.slope(at)
    curvature = likelihood.curvature(at)
    return at - likelihood.slope(at) / curvature if curvature else math.inf


def rate(likelihood: Likelihood, method: str, at: float, step: float) -> float:
    """The factor by which errors shrink near the maximum `at`: |1 - I/I_c|, |1 - h I|, or 0 where they are squared."""
    if method == "em":
        return likelihood.missing(at)
    return abs(1 + step * likelihood.curvature(at)) if method == "gradient" else 0.0
