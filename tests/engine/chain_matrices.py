"""Langevin chains in one dimension as matrices: stationary law and autocorrelation of a sampler on any smooth energy.

A step is an integral operator. On the nodes of a quadrature rule it becomes a matrix (Nyström 1930), whose error falls
exponentially for ULA once the nodes are closer than the noise of a step, √(εT), and with a power of their distance for MALA,
whose kernel has a kink where the ratio passes 1. What differential equations give for ε → 0, the matrices give for the chain
itself.

References
----------
Nyström (1930), Über die praktische Auflösung von Integralgleichungen, Acta Mathematica 54.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from engine.math.numerics.quadrature import panels

Array = NDArray[np.float64]
Function = Callable[[Array], Array]

MOST_NODES = 4000  # the matrix has their square
_PER_DEVIATION = 4.0  # nodes within one standard deviation of the noise
_PANEL = 16


def nodes(low: float, high: float, step_size: float, temperature: float = 1.0) -> tuple[Array, Array]:
    """Gauss-Legendre points and weights between low and high, close enough for a step with this noise.

    Raises
    ------
    ValueError
        If more than `MOST_NODES` would be needed.
    """
    count = math.ceil(_PER_DEVIATION * (high - low) / math.sqrt(step_size * temperature) / _PANEL)
    if count * _PANEL > MOST_NODES:
        raise ValueError(f"a step size of {step_size:g} needs {count * _PANEL} nodes, more than {MOST_NODES}")
    return panels(np.linspace(low, high, max(count, 2) + 1), _PANEL)


def ula_kernel(points: Array, weights: Array, gradient: Function, step_size: float, temperature: float = 1.0) -> Array:
    """Matrix K of a ULA step: (K f)(x_i) = Σ_j K_ij f(x_j) is the mean of f(x') from x_i; mass that leaves the range is lost.

    Parameters
    ----------
    points, weights : array, shape (n,)
        See `nodes`.
    gradient : callable
        U', elementwise.

    Returns
    -------
    array, shape (n, n)
    """
    return _proposal(points, np.asarray(gradient(points), dtype=float), step_size, temperature) * weights


def mala_kernel(
    points: Array,
    weights: Array,
    energy: Function,
    gradient: Function,
    step_size: float,
    temperature: float = 1.0,
    printed: bool = False,
) -> Array:
    """Matrix of a MALA step, the rejected mass on its diagonal.

    The ratio is formed from the two proposal densities as the definition says, so that this also checks the short form in
    `engine.math.chains.samplers.mala_log_ratio`.

    Parameters
    ----------
    printed : bool
        The acceptance with the full ε U' in the proposal density; the move keeps the half.
    """
    slope = np.asarray(gradient(points), dtype=float)
    value = np.asarray(energy(points), dtype=float)
    move = _proposal(points, slope, step_size, temperature)
    drift = (1.0 if printed else 0.5) * step_size * slope
    apart = points[None, :] - points[:, None]  # y - x
    forward = (apart + drift[:, None]) ** 2
    backward = (-apart + drift[None, :]) ** 2
    logarithm = (value[:, None] - value[None, :]) / temperature - (backward - forward) / (2.0 * step_size * temperature)
    kernel = move * np.exp(np.minimum(logarithm, 0.0)) * weights
    kernel[np.diag_indices_from(kernel)] += 1.0 - kernel.sum(1)
    return kernel


def stationary(kernel: Array) -> Array:
    """Probabilities p of the nodes with p K = λ p for the largest λ: the law that stays, shape (n,).

    Where mass leaks out of the range it is the law of the chains that are still inside.
    """
    size = len(kernel)
    law = np.full(size, 1.0 / size)
    shifted = kernel.T - (1.0 + 1e-10) * np.eye(size)  # inverse iteration: three steps reach the digits of the machine
    for _ in range(3):
        law = np.linalg.solve(shifted, law)
        law /= law.sum()
    return law


def lag1_correlation(kernel: Array, law: Array, values: Array) -> float:
    """Autocorrelation of f(x) between successive steps in equilibrium; values are f at the nodes."""
    centred = values - law @ values
    return float((law * centred) @ (kernel @ centred) / (law @ centred**2))


def _proposal(points: Array, slope: Array, step_size: float, temperature: float) -> Array:
    """Density of x' = x_j from x_i."""
    mean = points - 0.5 * step_size * slope
    return _normal(points[None, :] - mean[:, None], math.sqrt(step_size * temperature))


def _normal(distance: Array, deviation: float) -> Array:
    density: Array = np.exp(-0.5 * (distance / deviation) ** 2) / (deviation * math.sqrt(2.0 * math.pi))
    return density
