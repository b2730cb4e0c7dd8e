"""Temperatures that change: annealing along the run, and parallel tempering along a ladder of replicas.

References
----------
Kirkpatrick, Gelatt, Vecchi (1983), Optimization by simulated annealing, Science 220.
Geyer (1991), Markov chain Monte Carlo maximum likelihood, Computing Science and Statistics 23.
Kofke (2002), On the acceptance probability of replica-exchange Monte Carlo trials, Journal of Chemical Physics 117.
Song, Ermon (2019), Generative modeling by estimating gradients of the data distribution, NeurIPS.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy import special
from torch import Tensor

Array = NDArray[np.float64]


def annealed_temperature(progress: float, temperature: float, hottest: float = 10.0, hold: float = 0.2) -> float:
    """Temperature of an annealed run: from `hottest`·T down to T in equal ratios, then T.

    Parameters
    ----------
    progress : float
        Share of the run that is done, step/total; clipped to [0, 1].
    temperature : float
        T, of the law in the end.
    hottest : float
        How many times hotter the run begins, >= 1.
    hold : float
        Share of the run that stays at T in the end, so that the law can settle.
    """
    cooling = 1.0 - hold
    left = 1.0 - min(max(progress, 0.0), cooling) / cooling if cooling > 0.0 else 0.0
    found: float = temperature * hottest**left
    return found


def ladder(temperature: float, rungs: int, ratio: float) -> Array:
    """Temperatures T, T r, T r², ... of the replicas, coldest first, shape (rungs,)."""
    return np.asarray(temperature * float(ratio) ** np.arange(rungs), dtype=float)


def pairs(rungs: int, parity: int) -> list[tuple[int, int]]:
    """Neighbours that may swap in one step: (0, 1), (2, 3), ... for even parity, (1, 2), (3, 4), ... for odd.

    No replica stands in two pairs, so that all swaps of a step are independent given the energies.
    """
    return [(cold, cold + 1) for cold in range(parity % 2, rungs - 1, 2)]


def swap(temperatures: ArrayLike, energies: Tensor, uniform: Tensor, parity: int, *fields: Tensor) -> Tensor:
    """Swap neighbouring replicas in place, with probability min(1, exp((1/T_i - 1/T_j)(U_i - U_j))): the joint law stays.

    Parameters
    ----------
    temperatures : array, shape (K,)
        Of the rungs.
    energies : Tensor, shape (K, N)
        U of the replicas; swapped too.
    uniform : Tensor, shape (K, N)
        On [0, 1); pair (i, i+1) uses row i, so that both parities could share a draw.
    parity : int
        Which pairs, see `pairs`; alternate it from step to step.
    fields : Tensor, shape (K, ..., N)
        What belongs to a replica: points, gradients, labels of walkers.

    Returns
    -------
    Tensor of bool, shape (K, N)
        Row i tells where the pair (i, i+1) swapped; rows of no pair are false.
    """
    heat = np.asarray(temperatures, dtype=float)
    swapped = torch.zeros_like(uniform, dtype=torch.bool)
    for cold, hot in pairs(len(heat), parity):
        slope = 1.0 / heat[cold] - 1.0 / heat[hot]
        accepted = torch.log(uniform[cold]) < (energies[cold] - energies[hot]).mul_(float(slope))
        swapped[cold] = accepted
        for field in (energies, *fields):
            kept = field[cold].clone()
            torch.where(accepted, field[hot], field[cold], out=field[cold])
            torch.where(accepted, kept, field[hot], out=field[hot])
    return swapped


def gaussian_swap_acceptance(ratio: float, dimension: int) -> float:
    """Mean probability of a swap between T and rT for a quadratic energy in d dimensions, each replica in equilibrium.

    U/T is Gamma(d/2) on either rung, and by detailed balance the mean is twice the probability that the colder replica has
    the higher energy: 2 I_(1/(1+r))(d/2, d/2), with the regularised incomplete beta function (Kofke 2002).
    """
    if not ratio >= 1.0 or math.isinf(ratio):
        raise ValueError(f"ratio {ratio} of temperatures is below 1")
    return float(2.0 * special.betainc(0.5 * dimension, 0.5 * dimension, 1.0 / (1.0 + ratio)))
