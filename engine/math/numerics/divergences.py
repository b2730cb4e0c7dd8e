"""Entropy, cross entropy and the divergence of Kullback and Leibler, for tables of probabilities and for normal laws.

Logarithms are natural, so that everything is in nats; 0 log 0 is 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

Table = NDArray[np.float64]


def entropy(p: ArrayLike) -> float:
    """-Σ p log p of a table of probabilities of any shape."""
    return float(special.entr(np.asarray(p, dtype=np.float64)).sum())


def cross_entropy(p: ArrayLike, q: ArrayLike) -> float:
    """-Σ p log q, infinite where p has mass and q has none.

    Parameters
    ----------
    p, q : array
        Probabilities of one shape.
    """
    first, second = _both(p, q)
    with np.errstate(divide="ignore"):
        return float(-special.xlogy(first, second).sum())


def kl(p: ArrayLike, q: ArrayLike) -> float:
    """KL(p‖q) = Σ p log(p/q) >= 0, infinite where p has mass and q has none.

    Parameters
    ----------
    p, q : array
        Probabilities of one shape. Each cell counts p log(p/q) - p + q, which is never negative and is zero only where the
        two agree, so that a small divergence does not drown in the rounding of large terms of both signs.

    References
    ----------
    Kullback & Leibler (1951), On information and sufficiency, Ann. Math. Statist. 22.
    """
    first, second = _both(p, q)
    return max(0.0, float(special.kl_div(first, second).sum()))  # rounding may leave -1e-17


def kl_terms(p: ArrayLike, q: ArrayLike) -> Table:
    """The terms p log(p/q) of the divergence, cell by cell; they have both signs and add up to KL(p‖q)."""
    first, second = _both(p, q)
    return np.asarray(special.rel_entr(first, second))


@dataclass(frozen=True, slots=True)
class Split:
    """The chain rule of the divergence: KL of the pairs = KL of the marginals + mean KL of the conditionals."""

    marginal: float
    gap: float
    joint: float


def chain_rule(data: ArrayLike, posterior: ArrayLike, joint: ArrayLike) -> Split:
    """KL(p̃(x) r(z|x) ‖ p(x, z)) and its two parts, each computed from its own definition.

    Parameters
    ----------
    data : array, shape (X,)
        p̃(x).
    posterior : array, shape (X, Z)
        r(z|x), rows that add up to one.
    joint : array, shape (X, Z)
        p(x, z).

    Returns
    -------
    Split
        KL(p̃‖p(x)), E_p̃ KL(r(z|x)‖p(z|x)), and the divergence of the two joint tables, which is their sum.

    References
    ----------
    Cover & Thomas (2006), Elements of Information Theory, theorem 2.5.3; Csiszár & Tusnády (1984), Information geometry and
    alternating minimization procedures.
    """
    p, r, both = (np.asarray(table, dtype=np.float64) for table in (data, posterior, joint))
    if r.shape != both.shape or p.shape != both.shape[:1]:
        raise ValueError(f"{p.shape} data, {r.shape} posterior and {both.shape} joint do not fit")
    model = both.sum(axis=1)
    seen = p > 0  # what the data never show has no say
    exact = exact_posterior(both)
    gap = max(0.0, float((p[seen, None] * special.kl_div(r[seen], exact[seen])).sum()))
    return Split(marginal=kl(p, model), gap=gap, joint=kl(p[:, None] * r, both))


def exact_posterior(joint: ArrayLike) -> Table:
    """p(z|x) of a table p(x, z) of shape (X, Z); uniform in rows without mass, where anything would do."""
    both = np.asarray(joint, dtype=np.float64)
    model = both.sum(axis=1, keepdims=True)
    return np.where(model > 0, both / np.where(model > 0, model, 1.0), 1.0 / both.shape[1])


def bernoulli(p: float) -> Table:
    """The table (p, 1 - p)."""
    return np.array([p, 1.0 - p])


def normal_entropy(deviation: float) -> float:
    """½ log(2πe σ²) of a normal law."""
    return 0.5 * math.log(2 * math.pi * math.e) + math.log(deviation)


def normal_cross_entropy(mean: float, deviation: float, model_mean: float, model_deviation: float) -> float:
    """-E log q(x) for x of mean μ and standard deviation σ >= 0, whatever their law, and q normal.

    ½ log(2π s²) + (σ² + (μ - m)²) / (2 s²): up to a constant and a factor it is the mean square error about m.
    """
    square = deviation**2 + (mean - model_mean) ** 2
    return 0.5 * math.log(2 * math.pi) + math.log(model_deviation) + square / (2 * model_deviation**2)


def normal_kl(mean: float, deviation: float, model_mean: float, model_deviation: float) -> float:
    """KL(N(μ, σ²)‖N(m, s²)) = log(s/σ) + (σ² + (μ - m)²) / (2 s²) - ½."""
    square = deviation**2 + (mean - model_mean) ** 2
    return math.log(model_deviation / deviation) + square / (2 * model_deviation**2) - 0.5


def _both(p: ArrayLike, q: ArrayLike) -> tuple[Table, Table]:
    first, second = np.asarray(p, dtype=np.float64), np.asarray(q, dtype=np.float64)
    if first.shape != second.shape:
        raise ValueError(f"tables of shapes {first.shape} and {second.shape}")
    return first, second
