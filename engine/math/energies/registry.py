"""The energies of the plane, by name.

    >>> surface = energy("double_well", barrier=3.0)
    >>> surface.curvature()  # a Langevin step is stable below 4 / curvature
    78.6...

Each is an immutable value with U, ∇U, a window that holds its mass, its curvature and what is known of it in closed form;
see `engine.math.energies.base.Energy`. The temperature is no part of an energy: the target density is proportional to
exp(-U/T).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from engine.math.energies.base import Energy, EnergyError, Window
from engine.math.energies.formula import FormulaEnergy, formula_energy
from engine.math.energies.mixtures import Mixture, Pinwheel
from engine.math.energies.mueller_brown import MuellerBrown
from engine.math.energies.painted import Painted, strokes
from engine.math.energies.wells import Banana, CorrelatedGaussian, DoubleWell, Funnel, Gaussian, Ring

__all__ = [
    "ENERGIES",
    "Banana",
    "CorrelatedGaussian",
    "DoubleWell",
    "Energy",
    "EnergyError",
    "FormulaEnergy",
    "Funnel",
    "Gaussian",
    "Mixture",
    "MuellerBrown",
    "Painted",
    "Pinwheel",
    "Ring",
    "Window",
    "chunks",
    "energy",
    "gradient_of",
]

ENERGIES: tuple[str, ...] = (
    "gaussian",
    "correlated_gaussian",
    "double_well",
    "mixture",
    "ring",
    "banana",
    "funnel",
    "mueller_brown",
    "pinwheel",
    "formula",
    "painted",
)

CPU_CHUNK = 1 << 16  # points whose scratch stays in the caches


def energy(
    name: str,
    *,
    sigma: float = 1.0,
    correlation: float = 0.8,
    barrier: float = 2.0,
    formula: str = "",
    painted: Sequence[Sequence[float]] = (),
) -> Energy:
    """An energy by its name.

    Parameters
    ----------
    name : str
        One of `ENERGIES`.
    sigma : float
        Standard deviation of gaussian and correlated_gaussian at T = 1.
    correlation : float
        Of correlated_gaussian, in (-1, 1).
    barrier : float
        Height between the wells of double_well.
    formula : str
        U(x, y) of formula.
    painted : sequence of (x, y, height, radius)
        Strokes of painted.

    Raises
    ------
    FormulaError
        If the formula cannot be read.
    EnergyError
        If a number is out of range, or the formula is no energy.
    ValueError
        If there is no such name.
    """
    makers: dict[str, Callable[[], Energy]] = {
        "gaussian": lambda: Gaussian(sigma),
        "correlated_gaussian": lambda: CorrelatedGaussian(sigma, correlation),
        "double_well": lambda: DoubleWell(barrier),
        "mixture": Mixture,
        "ring": Ring,
        "banana": Banana,
        "funnel": Funnel,
        "mueller_brown": MuellerBrown,
        "pinwheel": Pinwheel,
        "formula": lambda: formula_energy(formula),
        "painted": lambda: Painted(strokes(painted)),
    }
    if name not in makers:
        raise ValueError(f"there is no energy {name!r}; known are {', '.join(ENERGIES)}")
    return makers[name]()


def chunks(points: Tensor, size: int = CPU_CHUNK) -> list[Tensor]:
    """Views of points (2, N) by at most so many; on an accelerator all in one."""
    return list(torch.split(points, size, 1)) if points.device.type == "cpu" else [points]


def gradient_of(surface: Energy, points: Tensor, out: Tensor | None = None) -> Tensor:
    """∇U at points (2, N), chunk by chunk where that is faster.

    Parameters
    ----------
    surface : Energy
        U.
    points : Tensor, shape (2, N)
        Where.
    out : Tensor, shape (2, N), optional
        What the result is written to.
    """
    result = torch.empty_like(points) if out is None else out
    at = 0
    for part in chunks(points):
        result[:, at : at + part.shape[1]] = surface.gradient(part)
        at += part.shape[1]
    return result
