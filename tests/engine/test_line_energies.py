"""Energies of one variable: Z against closed forms, special functions and mpmath; rates against known spectra."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import special

from engine.math.energies.base import EnergyError
from engine.math.energies.line import density, line_energy, line_law, log_partition_of_samples


@pytest.mark.parametrize(("stiffness", "temperature"), [(1.0, 1.0), (0.01, 3.0), (100.0, 0.05)])
def test_a_parabola(stiffness: float, temperature: float) -> None:
    law = line_law(line_energy("harmonic", stiffness=stiffness), temperature)
    assert law.log_partition == pytest.approx(0.5 * math.log(2 * math.pi * temperature / stiffness), abs=1e-10)
    assert law.variance == pytest.approx(temperature / stiffness)
    assert law.fourth == pytest.approx(3 * (temperature / stiffness) ** 2)
    assert law.mean_energy == pytest.approx(0.5 * temperature)
    assert law.energy_variance == pytest.approx(0.5 * temperature**2)
    assert law.rate == pytest.approx(0.5 * stiffness, rel=2e-3)  # of dX = -½kX dt + √T dW
    assert law.curvature == pytest.approx(stiffness, rel=1e-3)
    assert law.error < 1e-10


@pytest.mark.parametrize(("barrier", "temperature"), [(1.0, 1.0), (4.0, 0.5), (0.5, 2.0)])
def test_the_double_well_has_a_closed_form(barrier: float, temperature: float) -> None:
    """Z = (π/2) e^(-κ) (I_(-1/4)(κ) + I_(1/4)(κ)) with κ = a/2T, since ∫ e^(-a(x²-1)²/T) is a parabolic cylinder function."""
    k = barrier / (2 * temperature)
    exact = 0.5 * math.pi * math.exp(-k) * (special.iv(-0.25, k) + special.iv(0.25, k))
    assert line_law(line_energy("double_well", barrier=barrier), temperature).log_partition == pytest.approx(
        math.log(exact), abs=1e-9
    )


def test_a_tilt_moves_the_mass_and_a_formula_is_the_same() -> None:
    tilted = line_law(line_energy("tilted", barrier=2.0, tilt=0.7), 1.0)
    typed = line_law(line_energy("formula", formula="2*(x^2-1)^2 + 0.7*x"), 1.0)
    assert tilted.mean < -0.5
    assert typed.log_partition == pytest.approx(tilted.log_partition, abs=1e-12)
    x = torch.linspace(-2, 2, 9, dtype=torch.float64)
    slopes = [
        line_energy("tilted", barrier=2.0, tilt=0.7).gradient(x),
        line_energy("formula", formula="2*(x^2-1)^2 + 0.7*x").gradient(x),
    ]
    assert torch.allclose(*slopes)


def test_the_slowest_rate_is_that_of_the_barrier() -> None:
    """Twice Kramers' rate from well to well, as the barrier grows."""
    barrier = 6.0
    law = line_law(line_energy("double_well", barrier=barrier), 1.0)
    time = math.pi * math.exp(barrier) / (math.sqrt(2) * barrier) * (1 + 3 / (8 * barrier))
    assert law.rate == pytest.approx(2 / time, rel=0.05)


def test_samples_alone_tell_the_partition_function() -> None:
    energy = line_energy("double_well", barrier=1.0)
    law = line_law(energy, 1.0)
    grid = np.linspace(*law.ends, 200_001)
    p = density(energy, law, 1.0, grid)
    assert float(np.trapezoid(p, grid)) == pytest.approx(1, abs=1e-8)
    x = np.random.default_rng(0).choice(grid, 40_000, p=p / p.sum())
    found, error = log_partition_of_samples(x, energy.at(x), 1.0, -1.3, 1.3)
    assert found == pytest.approx(law.log_partition, abs=4 * error)
    assert error < 0.02
    wrong, _ = log_partition_of_samples(1.2 * x, energy.at(1.2 * x), 1.0, -1.3, 1.3)
    assert abs(wrong - law.log_partition) > 5 * error


@pytest.mark.parametrize("formula", ["sin(x)", "-x^2", "x", "3"])
def test_what_is_no_energy_is_refused(formula: str) -> None:
    with pytest.raises(EnergyError):
        line_law(line_energy("formula", formula=formula), 1.0)
