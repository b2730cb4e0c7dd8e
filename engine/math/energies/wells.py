"""Energies of the plane with hand-written gradients: bowls, two wells, a ring, a banana and a funnel.

Points are stored coordinates first, shape (2, ...). Lengths are in units of the plane, energies in units of the temperature.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from engine.math.energies.base import RARE, EnergyError, PlanarEnergy, Window, larger_eigenvalue, square_length

REACH = 4.0  # standard deviations of a Gaussian that a window shows on either side
LEVELS = -math.log(RARE)  # how far U/T may rise above its minimum where the target has mass


@dataclass(frozen=True, slots=True)
class Gaussian(PlanarEnergy):
    """U = (x² + y²) / 2σ²."""

    sigma: float = 1.0
    name: ClassVar[str] = "gaussian"

    def __post_init__(self) -> None:
        _positive(self.sigma)

    @property
    def window(self) -> Window:
        reach = REACH * self.sigma
        return -reach, reach, -reach, reach

    @property
    def latex(self) -> str:
        return r"\frac{x^{2}+y^{2}}{2\sigma^{2}}"

    @property
    def modes(self) -> tuple[tuple[float, float], ...]:
        return ((0.0, 0.0),)

    def value(self, points: Tensor) -> Tensor:
        return square_length(points).mul_(0.5 / self.sigma**2)

    def gradient(self, points: Tensor) -> Tensor:
        return points * (1.0 / self.sigma**2)

    def curvature(self, temperature: float = 1.0) -> float:
        return 1.0 / self.sigma**2

    def facts(self, temperature: float = 1.0) -> Mapping[str, float]:
        variance = temperature * self.sigma**2
        return _moments(variance, variance, temperature) | {"log_partition": math.log(2 * math.pi * variance)}


@dataclass(frozen=True, slots=True)
class CorrelatedGaussian(PlanarEnergy):
    """U = xᵀ A x / 2 with A⁻¹ = σ² [[1, ρ], [ρ, 1]]."""

    sigma: float = 1.0
    correlation: float = 0.8
    name: ClassVar[str] = "correlated_gaussian"

    def __post_init__(self) -> None:
        _positive(self.sigma)
        if not -1.0 < self.correlation < 1.0:
            raise EnergyError("The correlation {value} is not between -1 and 1.", value=self.correlation)

    @property
    def window(self) -> Window:
        reach = REACH * self.sigma
        return -reach, reach, -reach, reach

    @property
    def latex(self) -> str:
        return r"\frac{x^{2}-2\rho\,x\,y+y^{2}}{2\sigma^{2}\left(1-\rho^{2}\right)}"

    @property
    def modes(self) -> tuple[tuple[float, float], ...]:
        return ((0.0, 0.0),)

    @property
    def precision(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """A, the inverse covariance at T = 1."""
        scale = 1.0 / (self.sigma**2 * (1.0 - self.correlation**2))
        return (scale, -self.correlation * scale), (-self.correlation * scale, scale)

    def value(self, points: Tensor) -> Tensor:
        return self.value_and_gradient(points)[0]

    def gradient(self, points: Tensor) -> Tensor:
        (a, b), _ = self.precision
        return torch.add(a * points, points.flip(0), alpha=b)

    def value_and_gradient(self, points: Tensor) -> tuple[Tensor, Tensor]:
        gradient = self.gradient(points)
        return torch.addcmul(points[0] * gradient[0], points[1], gradient[1]).mul_(0.5), gradient

    def curvature(self, temperature: float = 1.0) -> float:
        return 1.0 / (self.sigma**2 * (1.0 - abs(self.correlation)))

    def facts(self, temperature: float = 1.0) -> Mapping[str, float]:
        variance = temperature * self.sigma**2
        partition = 2 * math.pi * variance * math.sqrt(1.0 - self.correlation**2)
        return _moments(variance, variance, temperature) | {"log_partition": math.log(partition)}


@dataclass(frozen=True, slots=True)
class DoubleWell(PlanarEnergy):
    """U = a (x² - 1)² + y²/2: wells at x = ±1, between them a barrier of height a."""

    barrier: float = 2.0
    name: ClassVar[str] = "double_well"

    def __post_init__(self) -> None:
        if not (math.isfinite(self.barrier) and self.barrier > 0):
            raise EnergyError("The barrier {value} is not above 0.", value=self.barrier)

    @property
    def window(self) -> Window:
        reach = math.sqrt(1.0 + math.sqrt(9.0 / self.barrier))  # a (x² - 1)² = 9 there
        return -reach, reach, -REACH, REACH

    @property
    def latex(self) -> str:
        return r"a\left(x^{2}-1\right)^{2}+\frac{y^{2}}{2}"

    @property
    def modes(self) -> tuple[tuple[float, float], ...]:
        return (-1.0, 0.0), (1.0, 0.0)

    def value(self, points: Tensor) -> Tensor:
        x, y = points
        found: Tensor = (x * x).sub_(1.0).square_().mul_(self.barrier).addcmul_(y, y, value=0.5)
        return found

    def gradient(self, points: Tensor) -> Tensor:
        gradient = points.clone()
        x = points[0]
        torch.mul(x, (x * x).sub_(1.0).mul_(4.0 * self.barrier), out=gradient[0])
        return gradient

    def curvature(self, temperature: float = 1.0) -> float:
        farthest = 1.0 + math.sqrt(LEVELS * temperature / self.barrier)  # x² where the density is RARE of its maximum
        return max(1.0, 4.0 * self.barrier * (3.0 * farthest - 1.0))

    def facts(self, temperature: float = 1.0) -> Mapping[str, float]:
        return {"mean_x": 0.0, "mean_y": 0.0, "var_y": temperature}


@dataclass(frozen=True, slots=True)
class Ring(PlanarEnergy):
    """U = (r - R)² / 2s²."""

    radius: float = 2.0
    width: float = 0.3
    name: ClassVar[str] = "ring"

    @property
    def window(self) -> Window:
        reach = self.radius + REACH * self.width
        return -reach, reach, -reach, reach

    @property
    def latex(self) -> str:
        return rf"\frac{{\left(r-{self.radius:g}\right)^{{2}}}}{{2\cdot {self.width:g}^{{2}}}}"

    def value(self, points: Tensor) -> Tensor:
        return square_length(points).sqrt_().sub_(self.radius).square_().mul_(0.5 / self.width**2)

    def gradient(self, points: Tensor) -> Tensor:
        return self._gradient(points, square_length(points))

    def value_and_gradient(self, points: Tensor) -> tuple[Tensor, Tensor]:
        square = square_length(points)
        value = square.sqrt().sub_(self.radius).square_().mul_(0.5 / self.width**2)
        return value, self._gradient(points, square)

    def _gradient(self, points: Tensor, square: Tensor) -> Tensor:
        nearness = square.clamp_(min=1e-30).rsqrt_().mul_(-self.radius).add_(1.0)  # 1 - R/r; at the centre the slope is 0
        return points * nearness.mul_(1.0 / self.width**2)

    def curvature(self, temperature: float = 1.0) -> float:
        return 1.0 / self.width**2  # along the radius; across it (1 - R/r)/s² is less

    def facts(self, temperature: float = 1.0) -> Mapping[str, float]:
        """By ∫ rᵏ exp(-(r-R)²/2v) dr over r > 0, v = s² T."""
        v, ratio = self.width**2 * temperature, self.radius / self.width / math.sqrt(temperature)
        moment = [math.sqrt(0.5 * math.pi * v) * math.erfc(-ratio / math.sqrt(2)), 0.0, 0.0, 0.0]
        edge = v * math.exp(-0.5 * ratio**2)
        moment[1] = self.radius * moment[0] + edge
        moment[2] = self.radius * moment[1] + v * moment[0]
        moment[3] = self.radius * moment[2] + 2 * v * moment[1]
        variance = 0.5 * moment[3] / moment[1]
        energy = (moment[3] - 2 * self.radius * moment[2] + self.radius**2 * moment[1]) / moment[1] / (2 * self.width**2)
        known = {"mean_x": 0.0, "mean_y": 0.0, "var_x": variance, "var_y": variance, "mean_energy": energy}
        return known | {"log_partition": math.log(2 * math.pi * moment[1])}


@dataclass(frozen=True, slots=True)
class Banana(PlanarEnergy):
    """U = x²/2w² + (y - b (x² - w²))² / 2s²: a Gaussian bent along a parabola, as the function of Rosenbrock (1960).

    The bend keeps areas, so that moments and partition function are known.
    """

    width: float = 1.5
    bend: float = 0.3
    thickness: float = 0.5
    name: ClassVar[str] = "banana"

    @property
    def window(self) -> Window:
        side = 3.5 * self.width
        bottom = -self.bend * self.width**2
        return -side, side, bottom - REACH * self.thickness, self.bend * (side**2 - self.width**2)

    @property
    def latex(self) -> str:
        square = f"{self.width**2:g}"
        valley = rf"\left(y-{self.bend:g}\left(x^{{2}}-{square}\right)\right)^{{2}}"
        return rf"\frac{{x^{{2}}}}{{2\cdot {square}}}+\frac{{{valley}}}{{2\cdot {self.thickness:g}^{{2}}}}"

    @property
    def modes(self) -> tuple[tuple[float, float], ...]:
        return ((0.0, -self.bend * self.width**2),)

    def value(self, points: Tensor) -> Tensor:
        square = points[0] * points[0]
        across = torch.sub(points[1], square, alpha=self.bend).add_(self.bend * self.width**2)
        return across.square_().mul_(0.5 / self.thickness**2).add_(square, alpha=0.5 / self.width**2)

    def gradient(self, points: Tensor) -> Tensor:
        return self.value_and_gradient(points)[1]

    def value_and_gradient(self, points: Tensor) -> tuple[Tensor, Tensor]:
        x, y = points
        square = x * x
        across = torch.sub(y, square, alpha=self.bend).add_(self.bend * self.width**2)
        gradient = torch.empty_like(points)
        torch.mul(across, 1.0 / self.thickness**2, out=gradient[1])
        value = (across.mul_(gradient[1])).mul_(0.5).add_(square, alpha=0.5 / self.width**2)
        torch.mul(x, torch.mul(gradient[1], -2.0 * self.bend).add_(1.0 / self.width**2), out=gradient[0])
        return value, gradient

    def curvature(self, temperature: float = 1.0) -> float:
        """Largest on the level line of `RARE`, which a bend makes of an ellipse."""
        angle = torch.linspace(0.0, 2.0 * math.pi, 1441, dtype=torch.float64)
        reach = math.sqrt(2.0 * LEVELS * temperature)
        x, across = reach * self.width * torch.cos(angle), reach * self.thickness * torch.sin(angle)
        steep, slant = 1.0 / self.thickness**2, -2.0 * self.bend * x
        xx = 1.0 / self.width**2 + steep * (slant**2 - 2.0 * self.bend * across)
        return float(larger_eigenvalue(xx, steep * slant, torch.full_like(x, steep)).max())

    def facts(self, temperature: float = 1.0) -> Mapping[str, float]:
        w2, s2, b, t = self.width**2, self.thickness**2, self.bend, temperature
        known = {"mean_x": 0.0, "mean_y": b * w2 * (t - 1.0), "var_x": w2 * t, "var_y": s2 * t + 2.0 * (b * w2 * t) ** 2}
        return known | {"mean_energy": t, "log_partition": math.log(2 * math.pi * self.width * self.thickness * t)}


@dataclass(frozen=True, slots=True)
class Funnel(PlanarEnergy):
    """U = y²/2s² + x² e^(-y)/2 + y/2: at T = 1, y ~ N(0, s²) and x | y ~ N(0, e^y), after Neal (2003), Slice sampling."""

    spread: float = 1.2
    name: ClassVar[str] = "funnel"

    @property
    def window(self) -> Window:
        return -11.0, 11.0, -REACH * self.spread, REACH * self.spread

    @property
    def latex(self) -> str:
        return rf"\frac{{y^{{2}}}}{{2\cdot {self.spread:g}^{{2}}}}+\frac{{x^{{2}}e^{{-y}}}}{{2}}+\frac{{y}}{{2}}"

    @property
    def modes(self) -> tuple[tuple[float, float], ...]:
        return ((0.0, -0.5 * self.spread**2),)

    def value(self, points: Tensor) -> Tensor:
        x, y = points
        narrow = torch.exp(-y).mul_(x).mul_(x)
        return narrow.add_(y).mul_(0.5).addcmul_(y, y, value=0.5 / self.spread**2)

    def gradient(self, points: Tensor) -> Tensor:
        return self.value_and_gradient(points)[1]

    def value_and_gradient(self, points: Tensor) -> tuple[Tensor, Tensor]:
        x, y = points
        gradient = torch.empty_like(points)
        torch.mul(torch.exp(-y), x, out=gradient[0])
        narrow = x * gradient[0]
        torch.mul(y, 1.0 / self.spread**2, out=gradient[1])
        gradient[1].add_(narrow, alpha=-0.5).add_(0.5)
        return narrow.add_(y).mul_(0.5).addcmul_(y, y, value=0.5 / self.spread**2), gradient

    def curvature(self, temperature: float = 1.0) -> float:
        """Largest on the level line of `RARE`: U - min U = (y + s²/2)²/2s² + x² e^(-y)/2, and the Hessian grows with x²."""
        share = torch.linspace(-1.0, 1.0, 2001, dtype=torch.float64)
        level = LEVELS * temperature
        y = self.spread * math.sqrt(2.0 * level) * share - 0.5 * self.spread**2
        narrow, half = torch.exp(-y), level * (1.0 - share**2)  # e^(-y) and x² e^(-y)/2
        slant = torch.sqrt(2.0 * half * narrow)
        return float(larger_eigenvalue(narrow, slant, 1.0 / self.spread**2 + half).max())

    def facts(self, temperature: float = 1.0) -> Mapping[str, float]:
        """At temperature T, y ~ N(s² (T-1)/2, s² T) and x | y ~ N(0, T e^y)."""
        s2, t = self.spread**2, temperature
        mean, variance = 0.5 * s2 * (t - 1.0), s2 * t
        known = {"mean_x": 0.0, "mean_y": mean, "var_y": variance, "var_x": t * math.exp(mean + 0.5 * variance)}
        known["mean_energy"] = 0.5 * (variance + mean**2) / s2 + 0.5 * t + 0.5 * mean
        return known | {"log_partition": math.log(2 * math.pi * t * self.spread) + 0.5 * mean**2 / variance}


def _moments(var_x: float, var_y: float, mean_energy: float) -> dict[str, float]:
    return {"mean_x": 0.0, "mean_y": 0.0, "var_x": var_x, "var_y": var_y, "mean_energy": mean_energy}


def _positive(sigma: float) -> None:
    if not (math.isfinite(sigma) and sigma > 0):
        raise EnergyError("The standard deviation {value} is not above 0.", value=sigma)
