"""Two coins of unknown bias: every set of flips was made with one of them, and nobody wrote down with which.

Parameters are vectors (θ_A, θ_B, w): the biases of the two coins and the probability w of taking coin A. The data are
the number of heads h_i among n_i flips of each set, so that log-likelihoods contain the binomial coefficients.

References
----------
Do & Batzoglou (2008), What is the expectation maximization algorithm?, Nature Biotechnology 26.
Dempster, Laird & Rubin (1977), Maximum likelihood from incomplete data via the EM algorithm, JRSS B 39.
Xu & Jordan (1996), On convergence properties of the EM algorithm for Gaussian mixtures, Neural Computation 8.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special

Array = NDArray[np.float64]

EDGE = 1e-9  # distance from 0 and 1 at which a bias counts as being at the end
TINIEST = 1e-100  # bias that a slope is taken at
LARGEST = 1 - 2.0**-53  # number below 1
STARTS = 15  # of the grid on which the search for the highest maximum begins
APART = 0.2  # distance of the points from which that search sets out
NEWTON_STEPS = 30


class EmptyCoinError(ValueError):
    """No set belongs to a coin any more, so that its bias is undefined.

    Attributes
    ----------
    coin : int
        0 for A, 1 for B.
    """

    def __init__(self, coin: int) -> None:
        super().__init__(f"no flips belong to coin {'AB'[coin]}")
        self.coin = coin


@dataclass(frozen=True)
class Flips:
    """The sets of flips.

    Parameters
    ----------
    heads, flips : tuple of int, length n
        0 <= h_i <= n_i, n_i >= 1.
    """

    heads: tuple[int, ...]
    flips: tuple[int, ...]

    @cached_property
    def h(self) -> Array:
        """Heads, shape (n,)."""
        return np.asarray(self.heads, dtype=np.float64)

    @cached_property
    def t(self) -> Array:
        """Tails, shape (n,)."""
        return np.asarray(self.flips, dtype=np.float64) - self.h

    @cached_property
    def log_orders(self) -> Array:
        """Logarithm of the binomial coefficient: in how many orders the flips of each set can have come, shape (n,)."""
        found: Array = special.gammaln(self.h + self.t + 1) - special.gammaln(self.h + 1) - special.gammaln(self.t + 1)
        return found

    def log_joint(self, parameters: ArrayLike) -> Array:
        """ln p(h_i, z) of both coins z = A, B.

        Parameters
        ----------
        parameters : array, shape (..., 3)
            θ_A, θ_B and w.

        Returns
        -------
        array, shape (..., n, 2)
        """
        given = np.asarray(parameters, dtype=np.float64)
        biases, weight = given[..., None, :2], given[..., None, 2:]
        with np.errstate(divide="ignore"):
            prior = np.log(np.concatenate([weight, 1 - weight], axis=-1))
        heads, tails = self.h[:, None], self.t[:, None]
        found: Array = prior + self.log_orders[:, None] + special.xlogy(heads, biases) + special.xlog1py(tails, -biases)
        return found

    def log_likelihood(self, parameters: ArrayLike) -> Array:
        """Σ_i ln Σ_z p(h_i, z), shape (...,) for parameters of shape (..., 3)."""
        joint = self.log_joint(parameters)
        found: Array = np.logaddexp(joint[..., 0], joint[..., 1]).sum(axis=-1)
        return found

    def responsibilities(self, parameters: ArrayLike) -> Array:
        """The E step: p(z | h_i), shape (n, 2)."""
        joint = self.log_joint(parameters)
        apart = joint[:, 0] - joint[:, 1]
        found: Array = special.expit(np.stack([apart, -apart], axis=-1))
        return found

    def lower_bound(self, shares: Array, parameters: ArrayLike) -> float:
        """Σ_i Σ_z r_iz (ln p(h_i, z) - ln r_iz), at most the log-likelihood whatever the shares r, shape (n, 2)."""
        joint = self.log_joint(parameters)
        with np.errstate(invalid="ignore"):  # 0 times infinity, left out
            return float(np.where(shares > 0, shares * joint, 0.0).sum() + special.entr(shares).sum())

    def gap(self, shares: Array, parameters: ArrayLike) -> float:
        """Σ_i KL(r_i || p(z | h_i)): what the lower bound lacks."""
        joint = self.log_joint(parameters)
        posterior = joint - np.logaddexp(joint[:, :1], joint[:, 1:])
        with np.errstate(invalid="ignore"):  # 0 times infinity, left out
            return float(np.where(shares > 0, -shares * posterior, 0.0).sum() - special.entr(shares).sum())

    def expected_counts(self, shares: Array) -> Array:
        """Expected heads and tails of each coin in each set, shape (n, 2 coins, 2 sides)."""
        return shares[:, :, None] * np.stack([self.h, self.t], axis=-1)[:, None, :]

    def maximise(self, shares: Array, weight: float, free: bool) -> Array:
        """The M step: the biases, and with free mixing the weight, that fit the expected counts best.

        Raises
        ------
        EmptyCoinError
            If all shares of a coin have become zero in floating point.
        """
        counts = self.expected_counts(shares).sum(axis=0)  # coins x sides
        totals = counts.sum(axis=1)
        if (totals <= 0).any():
            raise EmptyCoinError(int(np.argmin(totals)))
        biases = np.where(
            counts[:, 1] > 0, np.minimum(counts[:, 0] / totals, LARGEST), 1.0
        )  # 1 only where tails are impossible
        weight = min(max(float(shares[:, 0].mean()), 1 - LARGEST), LARGEST) if free else weight
        return np.array([*biases, weight])

    def em(self, parameters: ArrayLike, free: bool) -> Array:
        """One full iteration."""
        given = np.asarray(parameters, dtype=np.float64)
        return self.maximise(self.responsibilities(given), float(given[2]), free)


def score(data: Flips, parameters: ArrayLike) -> Array:
    """The slope of the log-likelihood in θ_A and θ_B, shape (2,), exact to rounding and without any responsibilities.

    By a complex step: the imaginary part of f(θ + i ε) / ε for an ε so small that nothing is lost by subtraction (Squire &
    Trapp, 1998, SIAM Review 40).
    """
    a, b, w = np.clip(np.asarray(parameters, dtype=np.float64), TINIEST, LARGEST)
    tiny = 1e-30 * TINIEST
    moved = np.array([[a + 1j * tiny, b], [a, b + 1j * tiny]])
    logs = complex_joint(data, moved, np.log([w, 1 - w]))
    top = logs.real.max(axis=-1, keepdims=True)
    found: Array = (np.log(np.exp(logs - top).sum(axis=-1)).sum(axis=-1) / tiny).imag
    return found


def complex_joint(data: Flips, biases: NDArray[np.complex128], prior: Array) -> NDArray[np.complex128]:
    """ln p(h_i, z) without the binomial coefficient for complex biases of shape (m, 2): shape (m, n, 2)."""
    heads, tails = data.h[:, None], data.t[:, None]
    sides = [
        np.where(count > 0, count * np.log(side[:, None, :]), 0.0) for count, side in ((heads, biases), (tails, 1 - biases))
    ]
    return np.asarray(prior + sides[0] + sides[1], dtype=np.complex128)


# ---- information and the rate ----------------------------------------------------------------------------------------


def information(data: Flips, parameters: ArrayLike, free: bool) -> tuple[Array, Array]:
    """Complete and missing information at parameters where the score is zero.

    With r_i = p(A | h_i), the score of one set given the coin, s_j = (h - n θ_j) / (θ_j (1 - θ_j)), and d_i the difference
    of the complete scores of both coins, the missing information is Σ_i r_i (1 - r_i) d_i d_iᵀ (Louis, 1982), and the
    complete one is diagonal: N_j / (θ_j (1 - θ_j)) for the biases and n / (w (1 - w)) for the weight.

    Parameters
    ----------
    data : Flips
    parameters : array, shape (3,)
        Strictly between 0 and 1.
    free : bool
        Whether the weight is estimated, too.

    Returns
    -------
    complete : array, shape (2,) or (3,)
        The diagonal.
    missing : array, shape (2, 2) or (3, 3)
    """
    a, b, w = np.asarray(parameters, dtype=np.float64)
    shares = data.responsibilities([a, b, w])
    totals = (shares * (data.h + data.t)[:, None]).sum(axis=0)
    spread = np.array([a * (1 - a), b * (1 - b), w * (1 - w)])
    scores = [(data.h - (data.h + data.t) * theta) / (theta * (1 - theta)) for theta in (a, b)]
    apart = np.stack([scores[0], -scores[1], np.full(len(data.h), 1 / spread[2])], axis=-1)
    complete = np.array([totals[0], totals[1], len(data.h)]) / spread
    missing = np.einsum("i,ij,ik->jk", shares[:, 0] * shares[:, 1], apart, apart)
    size = 3 if free else 2
    return complete[:size], missing[:size, :size]


def rates(data: Flips, parameters: ArrayLike, free: bool) -> tuple[Array, Array]:
    """The factors by which EM shrinks errors near a fixed point: eigenvalues of complete⁻¹ · missing.

    Returns
    -------
    factors : array, shape (2,) or (3,)
        Largest first; not numbers where a bias or the weight lies at 0 or 1.
    leading : array, same shape
        Times an error of the parameters: how much of it shrinks by the first factor.
    """
    given = np.asarray(parameters, dtype=np.float64)
    size = 3 if free else 2
    if (np.minimum(given, 1 - given)[:size] < EDGE).any():
        return np.full(size, np.nan), np.full(size, np.nan)
    complete, missing = information(data, given, free)
    scale = 1 / np.sqrt(complete)
    factors, directions = np.linalg.eigh(scale[:, None] * missing * scale)
    return factors[::-1].copy(), directions[:, -1] / scale


def polish(data: Flips, parameters: ArrayLike, free: bool) -> Array | None:
    """The maximum near parameters that EM has almost brought there, to rounding; None if there is none inside (0, 1).

    Steps of EM, sped up by the rate matrix J of the neighbourhood: θ + (1 - J)⁻¹ (M(θ) - θ), which is Newton's method.
    """
    here = np.array(parameters, dtype=np.float64)
    size = 3 if free else 2
    for _ in range(NEWTON_STEPS):
        if not np.isfinite(here).all() or (np.minimum(here, 1 - here)[:size] < EDGE).any():
            return None
        complete, missing = information(data, here, free)
        remaining = np.eye(size) - missing / complete[:, None]
        if np.linalg.eigvals(remaining).real.min() < 1e-6:
            return None
        move = np.linalg.solve(remaining, (data.em(here, free) - here)[:size])
        here[:size] += move
        if np.abs(move).max() < 1e-15:
            break
    return here if np.abs(data.em(here, free) - here).max() < 1e-12 else None


def best_maximum(data: Flips, weight: float | None) -> tuple[Array, float]:
    """The highest log-likelihood, by the library's quasi-Newton method from the best points of a grid.

    Parameters
    ----------
    data : Flips
    weight : float or None
        The fixed weight of coin A; None lets it be chosen, too.

    Returns
    -------
    parameters : array, shape (3,)
        With θ_A >= θ_B where both coins can be exchanged.
    log_likelihood : float
    """
    ticks = np.linspace(0.002, 0.998, STARTS)
    weights = np.array([0.2, 0.5, 0.8] if weight is None else [weight])
    grid = np.stack(np.meshgrid(ticks, ticks, weights, indexing="ij"), axis=-1).reshape(-1, 3)
    order = best_apart(grid, data.log_likelihood(grid), 5, exchangeable=weight is None or weight == 0.5)
    size = 3 if weight is None else 2

    def loss(given: Array) -> tuple[float, Array]:
        full = np.append(given, weight) if weight is not None else given
        shares = data.responsibilities(full)
        counts = data.expected_counts(shares).sum(axis=0)
        slope = counts[:, 0] / full[:2] - counts[:, 1] / (1 - full[:2])
        chosen = shares[:, 0].sum()
        last = chosen / full[2] - (len(data.h) - chosen) / (1 - full[2])
        return -float(data.log_likelihood(full)), -np.append(slope, last)[:size]

    found = [
        optimize.minimize(
            loss, grid[index, :size], jac=True, method="L-BFGS-B", bounds=[(1e-10, 1 - 1e-10)] * size, options={"gtol": 1e-10}
        )
        for index in order
    ]
    best = min(found, key=lambda result: result.fun)
    full = np.append(best.x, weight) if weight is not None else best.x
    if (weight is None or weight == 0.5) and full[0] < full[1]:
        full = np.array([full[1], full[0], 1 - full[2]])
    return full, -float(best.fun)


def best_apart(points: Array, values: Array, number: int, *, exchangeable: bool) -> list[int]:
    """The indices of the highest values whose points are not neighbours.

    Parameters
    ----------
    points : array, shape (m, 3)
        θ_A, θ_B and w.
    values : array, shape (m,)
    number : int
        How many indices at most.
    exchangeable : bool
        Whether points with exchanged coins count as the same.
    """
    chosen: list[int] = []
    for index in np.argsort(-values).tolist():
        here = points[index, :2]
        same = (here, here[::-1]) if exchangeable else (here,)
        if min((np.abs(points[other, :2] - biases).max() for other in chosen for biases in same), default=1.0) > APART:
            chosen.append(index)
        if len(chosen) == number:
            break
    return chosen


# ---- surfaces --------------------------------------------------------------------------------------------------------


def surface(data: Flips, nodes: Array, weight: float | None, halvings: int = 26) -> Array:
    """The log-likelihood over the square of both biases.

    Parameters
    ----------
    data : Flips
    nodes : array, shape (m,)
        Biases strictly between 0 and 1.
    weight : float or None
        The weight of coin A; None takes the best weight at every point (the profile likelihood), found by bisection of the
        falling slope.
    halvings : int
        Of the interval of the weight.

    Returns
    -------
    array, shape (m, m)
        Rows belong to θ_B, columns to θ_A.
    """
    kinds, times = np.unique(np.stack([data.h, data.t, data.log_orders], axis=-1), axis=0, return_counts=True)
    each = kinds[:, 2] + np.outer(np.log(nodes), kinds[:, 0]) + np.outer(np.log1p(-nodes), kinds[:, 1])  # m x kinds of sets
    first, second = each[None, :, :], each[:, None, :]
    if weight is not None:
        mixed: Array = np.logaddexp(np.log(weight) + first, np.log1p(-weight) + second) @ times
        return mixed
    top = np.maximum(first, second)
    a, b = np.exp(first - top), np.exp(second - top)
    low, high = np.zeros(a.shape[:2]), np.ones(a.shape[:2])
    for _ in range(halvings):
        middle = 0.5 * (low + high)
        share = middle[..., None]
        rising = ((a - b) / (share * a + (1 - share) * b)) @ times > 0
        low, high = np.where(rising, middle, low), np.where(rising, high, middle)
    share = (0.5 * (low + high))[..., None]
    found: Array = (top + np.log(share * a + (1 - share) * b)) @ times
    return found


def hill(data: Flips, shares: Array, nodes: Array) -> Array:
    """The lower bound over the square of both biases, less its own peak; the weight adds a constant only.

    Returns
    -------
    array, shape (m, m)
        Rows belong to θ_B, columns to θ_A; at most zero.
    """
    counts = data.expected_counts(shares).sum(axis=0)
    peaks = counts[:, 0] / np.maximum(counts.sum(axis=1), 1e-300)
    drops = [
        special.xlogy(heads, nodes)
        + special.xlog1py(tails, -nodes)
        - special.xlogy(heads, peak)
        - special.xlog1py(tails, -peak)
        for (heads, tails), peak in zip(counts, peaks, strict=True)
    ]
    found: Array = drops[0][None, :] + drops[1][:, None]
    return found
