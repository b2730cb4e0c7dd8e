"""A small world of tables, and the two half-steps of EM in it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from engine.math.numerics.divergences import Split, Table, chain_rule, exact_posterior

COMPLEX_STEP = 1e-30


@dataclass(frozen=True, slots=True)
class World:
    """The data p̃(x), the model p(z) p(x|z), and the free table r(z|x).

    Parameters
    ----------
    data : array, shape (X,)
    prior : array, shape (Z,)
    conditional : array, shape (Z, X)
        Rows p(x|z).
    posterior : array, shape (X, Z)
        Rows r(z|x).
    learn : str
        What an M step fits: `prior`, `conditional`, `both`, or `coins`: the prior and binomial rows.
    coins : array, shape (Z,)
        Probabilities of success behind the rows; empty unless the rows are binomial.
    """

    data: Table
    prior: Table
    conditional: Table
    posterior: Table
    learn: str
    coins: Table

    @property
    def joint(self) -> Table:
        """p(x, z), shape (X, Z)."""
        return self.prior * self.conditional.T

    def split(self) -> Split:
        """Joint KL, marginal KL and gap."""
        return chain_rule(self.data, self.posterior, self.joint)

    def log_likelihood(self) -> float:
        """E_p̃ log p(x), per observation."""
        return float(special.xlogy(self.data, self.joint.sum(axis=1)).sum())

    def lower_bound(self) -> float:
        """E_p̃ E_r log(p(x, z) / r(z|x)), from its own definition."""
        weights = self.data[:, None] * self.posterior
        used = weights > 0
        return float((weights[used] * np.log(self.joint[used] / self.posterior[used])).sum())


def binomial_rows(coins: Table, values: int) -> Table:
    """Rows Bin(values - 1, coin), shape (Z, values): the number of successes in values - 1 tosses."""
    return np.asarray(stats.binom.pmf(np.arange(values), values - 1, coins[:, None]))


def e_step(world: World) -> World:
    """r becomes the posterior of the model: the gap is gone, the marginal KL stays."""
    return replace(world, posterior=exact_posterior(world.joint))


def m_step(world: World) -> World:
    """The model becomes the best one of its family for the completed table p̃(x) r(z|x).

    The best prior is the marginal of that table, the best free rows are its conditionals, the best coin is the mean number of
    successes over the number of tosses. A cause that explains nothing keeps its row.
    """
    completed = world.data[:, None] * world.posterior
    shares = completed.sum(axis=0)
    prior, conditional, coins = world.prior, world.conditional, world.coins
    if world.learn != "conditional":
        prior = shares / shares.sum()
    used = shares > 0
    rows = completed.T / np.where(used, shares, 1.0)[:, None]
    if world.learn in ("conditional", "both"):
        conditional = np.where(used[:, None], rows, conditional)
    elif world.learn == "coins":
        tosses = len(world.data) - 1
        coins = np.where(used, np.clip(rows @ np.arange(tosses + 1) / tosses, 0.0, 1.0), coins)
        conditional = binomial_rows(coins, tosses + 1)
    return replace(world, prior=prior, conditional=conditional, coins=coins)


def half_step(world: World, kind: str) -> World:
    """An `E` or an `M` half-step."""
    return e_step(world) if kind == "E" else m_step(world)


def next_kind(order: str, last: str) -> str:
    """Which half-step follows the last one (empty at the start): they take turns, unless one of them is held."""
    if order in ("e", "m"):
        return order.upper()
    if last:
        return "M" if last == "E" else "E"
    return "E" if order == "em" else "M"


def slope(world: World) -> float:
    """The largest partial derivative of the log-likelihood per observation by the logits of what an M step fits.

    Derivatives are taken by a complex step: exact to rounding, and independent of the formulas of EM.

    References
    ----------
    Squire & Trapp (1998), Using complex variables to estimate derivatives of real functions, SIAM Review 40.
    """
    found = [0.0]
    if world.learn != "conditional":
        found += [_derivative(world, _tilted(world.prior, z), world.conditional) for z in range(len(world.prior))]
    if world.learn in ("conditional", "both"):
        for z, row in enumerate(world.conditional):
            for x in range(len(row)):
                rows = world.conditional.astype(np.complex128)
                rows[z] = _tilted(row, x)
                found.append(_derivative(world, world.prior, rows))
    elif world.learn == "coins":
        found += [_derivative(world, world.prior, _tilted_coin(world, z)) for z in range(len(world.coins))]
    return max(abs(value) for value in found)


def _tilted(law: Table, at: int) -> NDArray[np.complex128]:
    """A law whose logit number `at` has moved by an imaginary step."""
    weights = law.astype(np.complex128)
    weights[at] *= 1 + 1j * COMPLEX_STEP
    found: NDArray[np.complex128] = weights / weights.sum()
    return found


def _tilted_coin(world: World, at: int) -> NDArray[np.complex128]:
    """The rows when the logit of one coin has moved by an imaginary step; with it moves only the tilt of its row."""
    rows = world.conditional.astype(np.complex128)
    tosses = rows.shape[1] - 1
    rows[at] *= 1 + 1j * COMPLEX_STEP * (np.arange(tosses + 1) - tosses * world.coins[at])
    return rows


def _derivative(world: World, prior: NDArray[np.inexact[Any]], conditional: NDArray[np.inexact[Any]]) -> float:
    seen = world.data > 0
    return float((world.data[seen] * np.log((prior @ conditional)[seen])).sum().imag / COMPLEX_STEP)
