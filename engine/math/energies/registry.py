"""The energies of the plane, by name.

    >>> surface = energy("double_well", barrier=3.0)
    >>> surface.curvature()  # a Langevin step is stable below 4 / curvature
    78.6...

Each is an immutable value with U, ∇U, a window that holds its mass, its curvature and what is known of it in closed form;
see `engine.math.energies.base.Energy`. The temperature is no part of an energy: the target density is proportional to
exp(-U/T).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast

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
    "EnergyKind",
    "EnergyName",
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

EnergyName = Literal[
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
]


@dataclass(frozen=True, slots=True)
class EnergyKind:
    """A kind of energy: what it is called, how it is made, and which of the arguments of `energy` it takes."""

    label: str
    make: Callable[..., Energy]
    uses: tuple[str, ...] = ()


# The one table of energies: a new one is a line here, its name above, and numbers of its own in the parameters of a lab.
ENERGIES: Mapping[EnergyName, EnergyKind] = {
    "gaussian": EnergyKind("Gaussian", Gaussian, ("sigma",)),
    "correlated_gaussian": EnergyKind("Correlated Gaussian", CorrelatedGaussian, ("sigma", "correlation")),
    "double_well": EnergyKind("Double well", DoubleWell, ("barrier",)),
    "mixture": EnergyKind("Eight modes", Mixture),
    "ring": EnergyKind("Ring", Ring),
    "banana": EnergyKind("Banana", Banana),
    "funnel": EnergyKind("Funnel", Funnel),
    "mueller_brown": EnergyKind("Müller-Brown valleys", MuellerBrown),
    "pinwheel": EnergyKind("Pinwheel", Pinwheel),
    "formula": EnergyKind("A formula", formula_energy, ("formula",)),
    "painted": EnergyKind("Painted with the mouse", lambda painted: Painted(strokes(painted)), ("painted",)),
}

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
    if name not in ENERGIES:
        raise ValueError(f"there is no energy {name!r}; known are {', '.join(ENERGIES)}")
    kind = ENERGIES[cast("EnergyName", name)]
    given = {"sigma": sigma, "correlation": correlation, "barrier": barrier, "formula": formula, "painted": painted}
    return kind.make(*(given[each] for each in kind.uses))


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
