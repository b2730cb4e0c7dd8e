"""First passage of the discrete chain x' = x - (ε/2) U'(x) + √(εT) ξ in a double well: what a finite step changes.

A chain that is looked at after each step alone notices a crossing late, as if the target lay 0.5826 √(εT) farther away
(Broadie, Glasserman and Kou 1997). Between two places below the target a Brownian bridge has been beyond it with probability
exp(-2 (b - x)(b - x') / (εT)); a chain that counts those crossings too is off by O(ε) only (Gobet 2000).

References
----------
Broadie, Glasserman and Kou (1997), Math. Finance 7, 325-349. Gobet (2000), Stochastic Process. Appl. 87, 167-197. Zygalakis
(2011), SIAM J. Sci. Comput. 33, 102-130 (the equation that Euler's method follows to second order).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import PchipInterpolator

from engine.math.chains.passage_times import gauss_legendre, left_end

Array = NDArray[np.float64]

BOUNDARY_SHIFT = 0.5825971579390107  # -ζ(1/2) / √(2π)
REACH = 42.0  # energy over temperature at the left end of the chain's grid
NODES_PER_WIDTH, SPARE_NODES = 2.2, 60  # of the Gauss-Legendre rule, by widths √(εT) of one step
OCTAVES, PER_OCTAVE = 40, 8  # numbers of steps for which the survival is tabulated
SMALLEST = 1e-14


def stability_limit(barrier: float) -> float:
    """The step size 4/U''(±1) = 1/(2a) at which the chain leaves the wells at once."""
    return 0.5 / barrier


def shifted_target(step_size: float, temperature: float = 1.0, target: float = 1.0) -> float:
    """Where a diffusion must arrive to be as late as a chain that is looked at after its steps alone."""
    return target + BOUNDARY_SHIFT * math.sqrt(step_size * temperature)


def discretisation_bias(barrier: float, temperature: float, step_size: float) -> float:
    """How much smaller, at most and relatively, the mean passage time of a chain with bridges is than that of the diffusion.

    Euler's method follows a diffusion with drift b - (ε/2)(b b' + T b''/2) and squared noise T (1 - ε b'), b = -U'/2 (Zygalakis
    2011). Laplace's method on its double integral gives the factor 1 - aε at the well, 1 + aε/2 at the barrier: together a
    relative change of -aε/2. What is returned allows for the next orders in aε and T/a; it is checked against `chain_law` for
    aε up to 0.05 and a/T from 1/8 to 16.
    """
    scale = barrier * step_size
    return scale * (0.5 + temperature / (8 * barrier)) * (1 + 16 * scale)


@dataclass(frozen=True)
class ChainLaw:
    """The law of the number of steps N until the chain crosses, exact up to quadrature.

    Attributes
    ----------
    kernel : array, shape (n, n)
        Density of a step from node to node without a crossing, times the weight of the node it leads to.
    first : array, shape (n,)
        The same from the start.
    mean : float
        E N.
    """

    kernel: Array
    first: Array
    mean: float
    table: PchipInterpolator
    last: float

    def survival(self, steps: ArrayLike) -> Array:
        """P(N > n), interpolated in a table that is exact at 8 numbers in each octave; 0 beyond its end."""
        n = np.asarray(steps, dtype=float)
        inside = np.exp(self.table(np.log(np.clip(n, 1.0, self.last))))
        return np.where(n < 1, 1.0, np.where(n > self.last, 0.0, inside))

    def within(self, steps: int) -> float:
        """P(N <= K)."""
        return 1 - float(self.first @ np.linalg.matrix_power(self.kernel, steps - 1).sum(1)) if steps else 0.0

    def within_rounds(self, steps: int, restart: float) -> float:
        """The chance to cross before a restart, which comes after each round of K steps with probability p.

        1 - Σ p (1-p)^(g-1) P(N > gK), the geometric series summed by one linear system.
        """
        before = np.linalg.matrix_power(self.kernel, steps - 1)
        around = np.eye(len(self.first)) - (1 - restart) * before @ self.kernel
        return 1 - restart * float(self.first @ before @ np.linalg.solve(around, np.ones(len(self.first))))


@lru_cache(maxsize=64)
def chain_law(
    barrier: float, temperature: float, step_size: float, bridge: bool, start: float = -1.0, target: float = 1.0
) -> ChainLaw:
    """The chain's own law, from its transition density on a Gauss-Legendre grid (Nyström's method).

    Parameters
    ----------
    barrier, temperature, step_size : float
        a, T and ε, with ε below `stability_limit`.
    bridge : bool
        Crossings between the steps count too.
    """
    variance = step_size * temperature
    escape = math.sqrt(1 + 1 / (step_size * barrier))  # beyond it a step leads farther out than back
    low = max(left_end(barrier, temperature, REACH / (1 - 2 * step_size * barrier)), -escape)
    count = 16 * math.ceil(
        (NODES_PER_WIDTH * (target - low) / math.sqrt(variance) + SPARE_NODES) / 16
    )  # rules are kept by size
    nodes, weights = gauss_legendre(count)
    x = low + 0.5 * (target - low) * (nodes + 1)
    weights = 0.5 * (target - low) * weights

    def leave(places: Array) -> Array:
        middle = places - 2 * step_size * barrier * places * (places**2 - 1)
        density = np.exp(-0.5 * (x - middle[:, None]) ** 2 / variance) / math.sqrt(2 * math.pi * variance)
        if bridge:
            density = density * -np.expm1(-2 * np.outer(target - places, target - x) / variance)
        return density * weights

    kernel, first = leave(x), leave(np.array([start]))[0]
    mean = 1 + float(first @ np.linalg.solve(np.eye(count) - kernel, np.ones(count)))
    steps, survival = _survival(kernel, first)
    table = PchipInterpolator(np.log(steps), np.log(survival), extrapolate=False)
    return ChainLaw(kernel, first, mean, table, float(steps[-1]))


def _survival(kernel: Array, first: Array) -> tuple[Array, Array]:
    """P(N > n) at growing numbers of steps: every n up to 8, then 8 in each octave, by squaring the kernel."""
    steps, values = [], []
    state, power, number = np.ones(len(first)), kernel, 0  # kernel^number times one
    for octave in range(OCTAVES):
        for _ in range(2 * PER_OCTAVE if octave == 0 else PER_OCTAVE):
            steps.append(number + 1)
            values.append(float(first @ state))
            state, number = power @ state, number + (1 << octave)
        if values[-1] < SMALLEST:
            break
        power = power @ power
    kept = np.maximum.accumulate(np.array(values)[::-1])[::-1] > SMALLEST
    return np.array(steps, dtype=float)[kept], np.minimum(np.array(values)[kept], 1.0)
