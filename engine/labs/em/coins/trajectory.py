"""The whole way of EM for two coins, half-step by half-step: small enough to be computed before it is shown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.core.errors import LabError
from engine.math.latent.coins import Array, EmptyCoinError, Flips, best_maximum, information, polish, rates, score, surface

NODES = (np.arange(80) + 0.5) / 80  # biases of the surfaces
EXTRA = 400  # iterations beyond the end that bring EM close to where it comes to rest
RESTING = 1e-12  # move of a parameter that counts as none
FAR = 1e-3  # a fixed point farther than this is another one
CLOSE = 1e-7  # error below which rounding shows in the ratio of two errors
COINS = "AB"


@dataclass(frozen=True)
class Trajectory:
    """A run of EM with K full iterations, or fewer where it broke off.

    Half-step 2k - 1 is the E step of iteration k, half-step 2k its M step; half-step 0 is the start, where the shares are
    still those of the mixing weight.

    Parameters
    ----------
    parameters : array, shape (K + 1, 3)
        θ_A, θ_B and w after each iteration, the start first.
    shares : array, shape (K + 1, n, 2)
        Before any step, then of every E step.
    log_likelihood, lower_bound, gap : array, shape (2 K + 1,)
        After each half-step.
    preconditioned : array, shape (K, 2)
        θ (1 - θ) / N times the slope of the log-likelihood at the biases that iteration k starts from.
    empty : int or None
        The coin that was left without flips.
    """

    parameters: Array
    shares: Array
    log_likelihood: Array
    lower_bound: Array
    gap: Array
    preconditioned: Array
    empty: int | None

    def at(self, half: int) -> tuple[Array, Array]:
        """Parameters and shares after so many half-steps."""
        return self.parameters[half // 2], self.shares[(half + 1) // 2]

    def check(self, half: int) -> None:
        """Say so where EM broke off.

        Raises
        ------
        LabError
            If a coin was left without any flips.
        """
        if half < len(self.log_likelihood) or self.empty is None:
            return
        theta = self.parameters[-1]
        raise LabError(
            "No flips are left for coin {coin}: at θ_A = {a:.3g} and θ_B = {b:.3g} every set belongs to the other coin.",
            "Its bias would be 0/0. Start it nearer to the data.",
            coin=COINS[self.empty],
            a=float(theta[0]),
            b=float(theta[1]),
        )


def trajectory(data: Flips, start: tuple[float, float, float], free: bool, steps: int) -> Trajectory:
    """All half-steps of a run."""
    here = np.array(start)
    parameters, shares, scaled = [here], [np.tile([here[2], 1 - here[2]], (len(data.h), 1))], []
    empty = None
    for _ in range(steps):
        found = data.responsibilities(here)
        try:
            following = data.maximise(found, float(here[2]), free)
        except EmptyCoinError as error:
            empty = error.coin
            break
        totals = (found * (data.h + data.t)[:, None]).sum(axis=0)
        spread = here[:2] * (1 - here[:2])
        scaled.append(np.where(spread > 0, spread / totals * score(data, here), 0.0))
        here = following
        parameters.append(here)
        shares.append(found)
    halves = [(parameters[half // 2], shares[(half + 1) // 2]) for half in range(2 * len(parameters) - 1)]
    return Trajectory(
        parameters=np.array(parameters),
        shares=np.array(shares),
        log_likelihood=data.log_likelihood(np.array([point for point, _ in halves])),
        lower_bound=np.array([data.lower_bound(share, point) for point, share in halves]),
        gap=np.array([data.gap(share, point) for point, share in halves]),
        preconditioned=np.array(scaled).reshape(-1, 2),
        empty=empty,
    )


@dataclass(frozen=True)
class FixedPoint:
    """Where a run would come to rest, and how fast.

    Parameters
    ----------
    parameters : array, shape (3,)
    rates : array, shape (2,) or (3,)
        Factors per iteration near it, largest first; not numbers at the ends of the range.
    errors : array, shape (K + 1,)
        Distance of every iterate from it, all not a number where the place is not known to rounding.
    scaled : array, shape (K + 1,)
        The same distances in standard deviations of complete data.
    leading : array, shape (K + 1,)
        The part of them that shrinks by the first factor.
    """

    parameters: Array
    rates: Array
    errors: Array
    scaled: Array
    leading: Array


def fixed_point(data: Flips, start: tuple[float, float, float], free: bool, steps: int) -> FixedPoint:
    """Follow EM to where it stops moving."""
    way = trajectory(data, start, free, steps).parameters
    here = way[-1]
    unknown, moved = np.full(len(way), np.nan), np.inf
    try:
        for _ in range(EXTRA):
            before, here = here, data.em(here, free)
            moved = float(np.abs(here - before).max())
            if moved < RESTING:
                break
    except EmptyCoinError:
        return FixedPoint(here, np.full(2, np.nan), unknown, unknown, unknown)
    found = polish(data, here, free)
    if found is None or np.abs(found - here).max() > FAR:
        distances = lengths(way - here) if moved < RESTING else unknown  # at an end of the range there is nothing to polish
        distances = np.where(distances > 10 * RESTING, distances, np.nan)
        return FixedPoint(here, rates(data, here, free)[0], distances, unknown, unknown)
    factors, leading = rates(data, found, free)
    away = way - found
    scaled = away[:, : len(leading)] * np.sqrt(information(data, found, free)[0])
    return FixedPoint(found, factors, lengths(away), lengths(scaled), np.abs(away[:, : len(leading)] @ leading))


def lengths(rows: Array) -> Array:
    """The Euclidean length of every row."""
    found: Array = np.sqrt((rows**2).sum(axis=1))
    return found


@dataclass(frozen=True)
class Surface:
    """The log-likelihood over both biases and its highest place.

    Parameters
    ----------
    values : array, shape (m, m)
        Rows belong to θ_B, columns to θ_A, both at `NODES`.
    maximum : array, shape (3,)
    highest : float
    """

    values: Array
    maximum: Array
    highest: float


def likelihood_surface(data: Flips, weight: float | None) -> Surface:
    """The surface for a fixed weight, or the profile for the best one."""
    maximum, highest = best_maximum(data, weight)
    return Surface(surface(data, NODES, weight), maximum, highest)
