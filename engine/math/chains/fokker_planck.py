"""The Fokker-Planck equation of the overdamped process on a grid of the plane.

The density of dX = -½∇U dt + √T dW obeys ∂p/∂t = ½ ∇·(p ∇U + T ∇p); a Langevin step of size ε takes the time ε
(`engine.math.chains.samplers`). Cells of finite volume exchange mass at the rates of Scharfetter and Gummel,

    rate from cell i to its neighbour j:  T/(2h²) B((U_j - U_i)/T),   B(z) = z/(e^z - 1),

which keep exp(-U/T) on the grid exactly, whatever the spacing h, and never make a density negative. Time is split by direction
(Strang 1968): half a step along x, one along y, half a step along x, each by the exponential of its rates, row by row. Mass is
kept to rounding, each factor leaves exp(-U/T) as it is, and a step may be as long as one likes: what remains is an error of
order h² in space and τ² in time, of the way alone and not of where it leads.

References
----------
Scharfetter, Gummel (1969), Large-signal analysis of a silicon Read diode oscillator, IEEE Trans. Electron Devices 16.
Chang, Cooper (1970), A practical difference scheme for Fokker-Planck equations, J. Comput. Physics 6.
Strang (1968), On the construction and comparison of difference schemes, SIAM J. Numer. Anal. 5.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

STEEPEST = 60.0  # of a jump of U/T between two cells: beyond it the way back is closed for every purpose


@dataclass(frozen=True, slots=True)
class GridFlow:
    """How masses of cells move in a given time; made by `grid_flow`, applied by `flow`.

    Parameters
    ----------
    along_x : Tensor, shape (R, C, C)
        For each row, the share of each cell's mass that is in each cell after half the time.
    along_y : Tensor, shape (C, R, R)
        For each column, the same after the whole time.
    """

    along_x: Tensor
    along_y: Tensor


def exchange_rates(energy: Tensor, temperature: float, spacing: float) -> Tensor:
    """The generators of all rows of a grid.

    Parameters
    ----------
    energy : Tensor, shape (R, C)
        U at the centres of the cells, in double precision.
    temperature : float
        T > 0.
    spacing : float
        h, the distance of two centres in a row.

    Returns
    -------
    Tensor, shape (R, C, C)
        Entry [r, i, j] is the rate from cell i to cell j of row r; rows sum to zero, no mass leaves at the ends.
    """
    jump = (energy.diff(dim=1) / temperature).clamp(-STEEPEST, STEEPEST)
    scale = temperature / (2.0 * spacing * spacing)
    ahead, back = scale * bernoulli(jump), scale * bernoulli(-jump)
    rates = torch.diag_embed(ahead, 1) + torch.diag_embed(back, -1)
    return rates - torch.diag_embed(rates.sum(-1))


def bernoulli(z: Tensor) -> Tensor:
    """B(z) = z/(e^z - 1), 1 at z = 0."""
    safe = torch.where(z.abs() < 1e-8, torch.ones_like(z), z)
    return torch.where(z.abs() < 1e-8, 1.0 - 0.5 * z, safe / torch.expm1(safe))


def grid_flow(energy: Tensor, temperature: float, spacing: tuple[float, float], time: float) -> GridFlow:
    """Prepare the motion of a density by a given time.

    Parameters
    ----------
    energy : Tensor, shape (R, C)
        U at the centres of the cells; rows are y.
    temperature : float
        T > 0.
    spacing : tuple of float
        Distances of two centres along x and along y.
    time : float
        τ >= 0, for example ε times a number of steps.

    Returns
    -------
    GridFlow
        About R matrix exponentials of C x C and C of R x R: 0.3 s for 96 x 96 on one CPU thread.

    Raises
    ------
    ValueError
        If the temperature is not positive or the time is negative.
    """
    if temperature <= 0.0 or time < 0.0:
        raise ValueError("the density moves at a temperature above 0, forward in time")
    wide = energy.to(torch.float64)
    return GridFlow(
        _positive(torch.linalg.matrix_exp(0.5 * time * exchange_rates(wide, temperature, spacing[0]))),
        _positive(torch.linalg.matrix_exp(time * exchange_rates(wide.T, temperature, spacing[1]))),
    )


def flow(masses: Tensor, moved: GridFlow) -> Tensor:
    """The masses of all cells after the time of the flow.

    Parameters
    ----------
    masses : Tensor, shape (R, C)
        In double precision, rows are y.
    moved : GridFlow

    Returns
    -------
    Tensor, shape (R, C)
        With the same sum, none negative.
    """
    half = torch.einsum("rc,rcd->rd", masses, moved.along_x)
    whole = torch.einsum("rc,crs->sc", half, moved.along_y)
    return torch.einsum("rc,rcd->rd", whole, moved.along_x)


def point_masses(points: Tensor, window: tuple[float, float, float, float], shape: tuple[int, int]) -> Tensor:
    """Where particles are, as masses of the cells; those outside of the window go to its edge.

    Parameters
    ----------
    points : Tensor, shape (2, N)
    window : tuple of float
        x low, x high, y low, y high.
    shape : tuple of int
        Rows and columns.

    Returns
    -------
    Tensor, shape `shape`
        With sum 1, in double precision.
    """
    rows, columns = shape
    x = ((points[0] - window[0]) * (columns / (window[1] - window[0]))).long().clamp(0, columns - 1)
    y = ((points[1] - window[2]) * (rows / (window[3] - window[2]))).long().clamp(0, rows - 1)
    counts = torch.bincount(y * columns + x, minlength=rows * columns)
    return counts.to(torch.float64).reshape(rows, columns) / max(1, points.shape[1])


def stationary(energy: Tensor, temperature: float) -> Tensor:
    """exp(-U/T) on the grid, with sum 1: what every flow leaves as it is."""
    return torch.softmax((-energy.to(torch.float64) / temperature).flatten(), 0).reshape(energy.shape)


def ou_moments(mean: float, variance: float, stiffness: float, temperature: float, time: float) -> tuple[float, float]:
    """Mean and variance of the process of U = k x²/2 after a time: k > 0 pulls both to 0 and T/k at the rate k/2 and k."""
    kept = math.exp(-stiffness * time)
    return mean * math.sqrt(kept), variance * kept + temperature / stiffness * (1.0 - kept)


def _positive(shares: Tensor) -> Tensor:
    """Rounding below zero taken away, rows summing to one."""
    kept = shares.clamp_min(0.0)
    return kept / kept.sum(-1, keepdim=True)
