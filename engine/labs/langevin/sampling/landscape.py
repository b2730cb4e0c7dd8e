"""The landscape of `sampling`: an energy, its exact density at a temperature, and what a step size does on it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from engine.core.errors import LabError
from engine.labs.langevin.sampling.rules import METROPOLIS, EnergySpec, SamplerSettings
from engine.math.chains.laws import baoab_lag1, hmc_law, mala_law, ula_covariance, ula_lag1
from engine.math.chains.samplers import stability_limit
from engine.math.energies.density import CELLS, GridDensity, energy_grid, grid_density, shown_window
from engine.math.energies.distance import ChanceLevel, kl_by_chance
from engine.math.energies.registry import Energy, EnergyError, energy

__all__ = ["CELLS", "COARSE", "FACTOR", "Landscape", "Law", "landscape", "law_of"]

Floats = NDArray[np.float64]
Window = tuple[float, float, float, float]

FACTOR = 2  # cells of the picture to one of the distances
COARSE = CELLS // FACTOR
LEAST_TEMPERATURE = 1e-3  # below it the density is narrower than a cell


@dataclass(frozen=True, eq=False)
class Landscape:
    """An energy at a temperature. One object as long as nothing about it changes, so that pictures know what is new.

    Attributes
    ----------
    energy : Energy
        U.
    temperature : float
        T.
    window : tuple
        x low, x high, y low, y high of the picture.
    density : GridDensity, optional
        exp(-U/T)/Z; None at temperature zero, where there is none.
    values : ndarray, shape (CELLS, CELLS)
        U above its lowest point, for level lines; float32, finite.
    image : ndarray, shape (CELLS, CELLS)
        The density of each cell, float32; all zero without one.
    limit : float
        The stability limit 4/L of the step size.
    """

    energy: Energy
    temperature: float
    window: Window
    density: GridDensity | None
    values: NDArray[np.float32]
    image: NDArray[np.float32]
    limit: float

    @cached_property
    def coarse(self) -> GridDensity | None:
        """The density in the cells of the distances."""
        if self.density is None:
            return None
        sums = blocks(self.density.probabilities)
        with np.errstate(divide="ignore"):  # where a sum is too small for a number, that of its largest cell has to do
            largest = self.density.log_probabilities.reshape(COARSE, FACTOR, COARSE, FACTOR).max((1, 3))
            logarithms = np.where(sums > 1e-290, np.log(sums), largest)
        return replace(self.density, probabilities=sums, log_probabilities=logarithms)

    @property
    def centre(self) -> tuple[float, float]:
        """The mean of the target, or the middle of the window."""
        if self.density is None:
            return 0.5 * (self.window[0] + self.window[1]), 0.5 * (self.window[2] + self.window[3])
        return self.density.mean_x, self.density.mean_y

    @property
    def variance(self) -> tuple[float, float]:
        """Of both coordinates under the target; not a number at temperature zero."""
        return (self.density.var_x, self.density.var_y) if self.density is not None else (math.nan, math.nan)

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of the window."""
        return self.window[1] - self.window[0], self.window[3] - self.window[2]

    def marginals(self) -> tuple[Floats, Floats]:
        """Density of x and of y in each of the COARSE bins; zero at temperature zero."""
        if self.density is None:
            return np.zeros(COARSE), np.zeros(COARSE)
        width, height = self.size
        x, y = (each.reshape(COARSE, FACTOR).sum(1) for each in (self.density.marginal_x, self.density.marginal_y))
        return x * (COARSE / width), y * (COARSE / height)

    @cached_property
    def fourth_moment_x(self) -> float:
        """The fourth central moment of x."""
        if self.density is None:
            return math.nan
        x = 0.5 * (self.density.x_edges[1:] + self.density.x_edges[:-1]) - self.density.mean_x
        return float(self.density.marginal_x @ x**4)

    @property
    def quadratic(self) -> bool:
        """Whether U is a quadratic form, on which every rule has a closed form."""
        return self.energy.name in ("gaussian", "correlated_gaussian")

    def precision(self) -> Floats:
        """A of U = xᵀAx/2, shape (2, 2)."""
        if self.energy.name == "gaussian":
            found: Floats = np.eye(2) / self.energy.sigma**2  # type: ignore[attr-defined]
            return found
        return np.array(self.energy.precision)  # type: ignore[attr-defined]

    def deepest_left(self) -> tuple[float, float]:
        """The lowest place in the left half of the window."""
        left = self.values[:, : CELLS // 2]
        row, column = np.unravel_index(int(left.argmin()), left.shape)
        width, height = self.size
        return self.window[0] + (column + 0.5) * width / CELLS, self.window[2] + (row + 0.5) * height / CELLS

    @cached_property
    def _levels(self) -> dict[float, ChanceLevel]:
        return {}

    def chance(self, count: float) -> ChanceLevel:
        """The relative entropy that so many independent exact points show."""
        if self.coarse is None:
            return ChanceLevel(math.nan, math.nan)
        points = float(f"{max(1.0, count):.3g}")
        if points not in self._levels:
            with np.errstate(over="ignore"):  # cells that hardly ever hold a point
                self._levels[points] = kl_by_chance(self.coarse, round(points))
        return self._levels[points]

    @cached_property
    def bias_curves(self) -> tuple[Floats, Floats]:
        """ULA's stationary Var x over step sizes, see `bias_curves`."""
        return bias_curves(self)


def blocks(table: NDArray[Any]) -> NDArray[Any]:
    """Sums over the blocks of FACTOR by FACTOR cells; plain additions are much quicker than sums over short axes."""
    rows = sum(table[start::FACTOR] for start in range(1, FACTOR)) + table[::FACTOR]
    return np.asarray(sum(rows[:, start::FACTOR] for start in range(1, FACTOR)) + rows[:, ::FACTOR])


def landscape(spec: EnergySpec, temperature: float) -> Landscape:
    """The landscape of an energy at a temperature; dear, so ask the context for it: `context.once(landscape, spec, T)`.

    Raises
    ------
    LabError
        If a formula is no energy.
    """
    try:
        surface = energy(spec.name, **dict(spec.numbers))
    except EnergyError as error:
        raise LabError(error.template, **error.values) from None
    warm = max(temperature, LEAST_TEMPERATURE)
    window = shown_window(surface, warm) if temperature > 1 else surface.window
    grid = energy_grid(surface, window, CELLS)
    inner = grid.inner.mean(0)
    lowest = float(inner.min())
    values = np.minimum(inner - lowest, 1e30).astype(np.float32)
    density = grid_density(surface, temperature, CELLS, window) if temperature >= LEAST_TEMPERATURE else None
    image = np.zeros((CELLS, CELLS)) if density is None else density.density
    limit = stability_limit(surface.curvature(warm))
    picture = np.ascontiguousarray(image, dtype=np.float32)
    for array in (values, picture):
        array.setflags(write=False)
    return Landscape(surface, temperature, window, density, values, picture, limit)


# ---- what a rule does to a quadratic energy ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Law:
    """Where a rule settles, as far as a closed form or the grid tells; nan elsewhere.

    Attributes
    ----------
    var_x, mean_energy, temperature : float
        Stationary Var x, E U and, but for the heating, E (x - centre)·∇U/2.
    heating : float
        What of E |∇U|² comes on top of that: ε/8 for ULA on every energy, since E |x|² is the same before and after a step.
    lag1, acceptance : float
        Autocorrelation of x between successive steps, and share of proposals accepted, in equilibrium.
    """

    var_x: float = math.nan
    mean_energy: float = math.nan
    temperature: float = math.nan
    heating: float = 0.0
    lag1: float = math.nan
    acceptance: float = math.nan


def law_of(rule: SamplerSettings, place: Landscape) -> Law:
    """The stationary law of a rule: exact for those with Metropolis, and for all on quadratic energies."""
    if not rule.settles or place.density is None:
        return Law(acceptance=math.nan if rule.sampler in METROPOLIS else 1.0)
    lag1, acceptance = _dynamics(rule, place)
    exact = place.density
    if rule.sampler in METROPOLIS or (place.quadratic and rule.sampler == "underdamped" and rule.step_size < place.limit):
        return Law(exact.var_x, exact.mean_energy, rule.temperature, 0.0, lag1, acceptance)
    if rule.sampler in ("ula", "annealed") and rule.step_size < place.limit:
        heat = {"temperature": rule.temperature, "heating": rule.step_size / 8, "lag1": lag1, "acceptance": acceptance}
        if not place.quadratic:
            return Law(**heat)
        precision = place.precision()
        covariance = ula_covariance(precision, rule.step_size, rule.temperature)
        return Law(float(covariance[0, 0]), 0.5 * float(np.trace(precision @ covariance)), **heat)
    return Law(lag1=lag1, acceptance=acceptance)


def _dynamics(rule: SamplerSettings, place: Landscape) -> tuple[float, float]:
    """Lag-1 correlation and acceptance on the round Gaussian, where both have closed forms."""
    taken = math.nan if rule.sampler in METROPOLIS else 1.0
    if place.energy.name != "gaussian" or rule.step_size >= place.limit:
        return math.nan, taken
    sigma: float = place.energy.sigma  # type: ignore[attr-defined]
    match rule.sampler:
        case "ula" | "annealed":
            return ula_lag1(rule.step_size, sigma), taken
        case "underdamped":
            return baoab_lag1(rule.step_size, rule.friction, sigma), taken
        case "mala":
            law = mala_law(rule.step_size, sigma, rule.temperature, 2)
        case "hmc":
            law = hmc_law(rule.step_size, sigma, rule.temperature, rule.leapfrogs, 2)
        case _:  # swaps bring points from elsewhere
            return math.nan, taken
    return law.lag1, law.acceptance


def bias_curves(place: Landscape, count: int = 160) -> tuple[Floats, Floats]:
    """ULA's stationary Var x over step sizes from a hundredth of the limit to just below it; nan where there is no form."""
    ends = math.log10(0.01 * place.limit), math.log10(0.985 * place.limit)
    grid = np.logspace(*ends, count)
    if not place.quadratic or place.density is None:
        return grid, np.full(count, math.nan)
    precision = place.precision()
    return grid, np.array([ula_covariance(precision, step, place.temperature)[0, 0] for step in grid])


def points_at(place: tuple[float, float], count: int, device: torch.device) -> torch.Tensor:
    """So many points at one place, shape (2, count)."""
    at = torch.tensor(place, dtype=torch.float32, device=device)
    return at[:, None].repeat(1, count)
