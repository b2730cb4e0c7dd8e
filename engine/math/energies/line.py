"""Energies of one variable, their partition function by quadrature, and how fast their diffusion forgets its start.

Z = ∫ exp(-U/T) dx is summed by Gauss-Legendre rules on equal panels over the window outside of which U/T is more than `DEEP`
above its lowest place; the same with half as many panels tells the error. The rate at which dX = -½U' dt + √T dW forgets is
the smallest eigenvalue of its generator above zero, of the finite volumes of Scharfetter and Gummel
(`engine.math.chains.fokker_planck`), made symmetric by the square root of the density.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.linalg import eigh_tridiagonal
from torch import Tensor

from engine.math.chains.fokker_planck import bernoulli
from engine.math.energies.base import EnergyError
from engine.math.formulas.parser import parse
from engine.math.numerics.quadrature import panels

Array = NDArray[np.float64]

LineName = Literal["harmonic", "double_well", "tilted", "formula"]

DEEP = 60.0  # of U/T above its lowest place: what lies beyond weighs e⁻⁶⁰
PANELS, NODES = 400, 12
LARGEST = 1e4  # half a window: energies that have not grown by then hold no mass together
CELLS = 600  # of the generator
SHOWN = 12.0  # of U/T above the lowest place at the ends of the picture


@dataclass(frozen=True)
class LineEnergy:
    """An energy U of one variable.

    Parameters
    ----------
    name : str
    value : callable
        U, elementwise on tensors.
    gradient : callable
        U', elementwise on tensors.
    """

    name: LineName
    value: Callable[[Tensor], Tensor]
    gradient: Callable[[Tensor], Tensor]

    def at(self, x: Array) -> Array:
        """U on an array, in double precision; infinite where it is not a number."""
        found: Array = self.value(torch.from_numpy(np.asarray(x, dtype=float))).numpy()
        return np.where(np.isnan(found), math.inf, found)


def line_energy(
    name: LineName, *, stiffness: float = 1.0, barrier: float = 2.0, tilt: float = 0.0, formula: str = ""
) -> LineEnergy:
    """An energy by its name: k x²/2, a (x² - 1)², a (x² - 1)² + b x, or a formula in x.

    Raises
    ------
    FormulaError
        If the formula cannot be read.
    EnergyError
        If it does not depend on x.
    """
    if name == "harmonic":
        return LineEnergy(name, lambda x: 0.5 * stiffness * x * x, lambda x: stiffness * x)
    if name in ("double_well", "tilted"):
        b = tilt if name == "tilted" else 0.0
        return LineEnergy(name, lambda x: barrier * (x * x - 1) ** 2 + b * x, lambda x: 4 * barrier * x * (x * x - 1) + b)
    read = parse(formula, ("x",))
    if not read.uses("x"):
        raise EnergyError("The energy must depend on x, or nothing holds the particles together.")

    def slope(x: Tensor) -> Tensor:
        with torch.inference_mode(False), torch.enable_grad():
            at = x.detach().clone().requires_grad_()
            (found,) = torch.autograd.grad(read.torch(at).sum(), at)
        return torch.nan_to_num(found)

    return LineEnergy("formula", read.torch, slope)


@dataclass(frozen=True, slots=True)
class LineLaw:
    """exp(-U/T)/Z with its moments.

    Attributes
    ----------
    log_partition, error : float
        ln Z, and how much half as many panels change it.
    mean, variance, fourth, mean_energy, energy_variance : float
        E x, Var x, the fourth central moment, E U and Var U.
    window : tuple of float
        What is shown.
    ends : tuple of float
        Where the quadrature ends.
    lowest : float
        The lowest U.
    rate : float
        Smallest rate at which the diffusion forgets, per unit of time.
    curvature : float
        Largest |U''| where the density is above a thousandth of its maximum.
    """

    log_partition: float
    error: float
    mean: float
    variance: float
    fourth: float
    mean_energy: float
    energy_variance: float
    window: tuple[float, float]
    ends: tuple[float, float]
    lowest: float
    rate: float
    curvature: float


def line_law(energy: LineEnergy, temperature: float) -> LineLaw:
    """Everything that quadrature says of exp(-U/T).

    Raises
    ------
    EnergyError
        If exp(-U/T) is no density: U does not grow far outside, or is not finite where it is lowest.
    """
    low, high, lowest = _ends(energy, temperature)
    rough, fine = (_moments(energy, temperature, low, high, lowest, count) for count in (PANELS // 2, PANELS))
    x = np.linspace(low, high, 4001)
    u = (energy.at(x) - lowest) / temperature
    shown = x[u < SHOWN]
    width = (high - low) / 4000
    here = u[1:-1] < math.log(1000)
    bends = np.abs(np.diff(u, 2))[here] * temperature / width**2
    return LineLaw(
        log_partition=fine[0],
        error=abs(fine[0] - rough[0]),
        mean=fine[1],
        variance=fine[2],
        fourth=fine[3],
        mean_energy=fine[4],
        energy_variance=fine[5],
        window=(float(shown[0]) - width, float(shown[-1]) + width),
        ends=(low, high),
        lowest=lowest,
        rate=_rate(energy, temperature, low, high, lowest),
        curvature=float(bends[np.isfinite(bends)].max(initial=0.0)),
    )


def _ends(energy: LineEnergy, temperature: float) -> tuple[float, float, float]:
    """Where U/T has risen by `DEEP` on both sides for good, and the lowest U."""
    half = 2.0
    while half <= LARGEST:
        x = np.linspace(-half, half, 20_001)
        u = energy.at(x)
        if not np.isfinite(u).any() or np.isneginf(u).any():
            raise EnergyError("The energy has no lowest place.")
        lowest = float(u.min())
        inside = np.flatnonzero(u < lowest + DEEP * temperature)
        if inside[0] > 0 and inside[-1] < len(x) - 1 and inside[-1] - inside[0] > 200:
            return float(x[inside[0] - 1]), float(x[inside[-1] + 1]), lowest
        if inside[0] > 0 and inside[-1] < len(x) - 1:  # all mass in few points: look closer
            middle = float(x[int(u.argmin())])
            near = max(abs(float(x[inside[0] - 1]) - middle), abs(float(x[inside[-1] + 1]) - middle))
            return middle - near, middle + near, lowest
        half *= 2.0
    raise EnergyError("The energy does not grow far outside: nothing holds the particles together.")


def _moments(
    energy: LineEnergy, temperature: float, low: float, high: float, lowest: float, count: int
) -> tuple[float, float, float, float, float, float]:
    """ln Z, E x, Var x, E (x - mean)⁴, E U and Var U by so many panels."""
    x, weights = panels(np.linspace(low, high, count + 1), NODES)
    u = energy.at(x)
    mass = weights * np.exp(-np.clip((u - lowest) / temperature, 0, 700))
    total = float(mass.sum())
    share, u = mass / total, np.where(np.isfinite(u), u, 0.0)
    mean, level = float(share @ x), float(share @ u)
    away = x - mean
    moments = float(share @ away**2), float(share @ away**4), level, float(share @ (u - level) ** 2)
    return math.log(total) - lowest / temperature, mean, *moments


def _rate(energy: LineEnergy, temperature: float, low: float, high: float, lowest: float) -> float:
    """The smallest eigenvalue above zero of the generator on cells where the density is above e⁻³⁰ of its maximum."""
    fine = np.linspace(low, high, 4001)
    inside = fine[(energy.at(fine) - lowest) / temperature < 30.0]
    edges = np.linspace(inside[0], inside[-1], CELLS + 1)
    jump = np.diff(energy.at(0.5 * (edges[1:] + edges[:-1]))) / temperature
    rates = temperature / (2 * (edges[1] - edges[0]) ** 2)
    clipped = torch.from_numpy(np.clip(jump, -60, 60))
    ahead, back = rates * bernoulli(clipped).numpy(), rates * bernoulli(-clipped).numpy()
    leaving = np.append(ahead, 0.0) + np.append(0.0, back)
    found = eigh_tridiagonal(leaving, -np.sqrt(ahead * back), select="i", select_range=(0, 1), eigvals_only=True)
    return max(float(found[1]), 1e-300)


def density(energy: LineEnergy, law: LineLaw, temperature: float, x: Array) -> Array:
    """exp(-U/T)/Z."""
    found: Array = np.exp(-energy.at(x) / temperature - law.log_partition)
    return found


def log_partition_of_samples(x: Array, u: Array, temperature: float, low: float, high: float) -> tuple[float, float]:
    """ln Z from points of the law alone, and its standard error (Gelfand, Dey 1994).

    With φ the uniform density on a range A, E φ(x) e^(U/T) = 1/Z: the mean of e^(U/T) over the points in A, divided by the
    length of A. Small on A is what keeps its variance small; not a number where no point lies in A.

    Parameters
    ----------
    x, u : ndarray, shape (N,)
        The points, and U there.
    low, high : float
        The ends of A.
    """
    inside = (x >= low) & (x <= high)
    if not inside.any():
        return math.nan, math.nan
    level = float(u[inside].max())
    weights = np.where(inside, np.exp((np.where(inside, u, level) - level) / temperature), 0.0)
    mean = float(weights.mean())
    error = float(weights.std()) / math.sqrt(len(x)) / mean
    return math.log(high - low) - level / temperature - math.log(mean), error
