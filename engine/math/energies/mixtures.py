"""Energies that are minus the logarithm of a mixture: eight Gaussians on a ring, and a pinwheel of five bent arms.

Both densities are normalised: at T = 1 the partition function is 1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from engine.math.energies.base import (
    LOG2_E,
    PlanarEnergy,
    Window,
    fixed,
    powers_of_two,
    quadratic_features,
    quadratic_slope,
    square_length,
)

REACH = 4.0  # standard deviations that a window shows beyond the outermost centre


@dataclass(frozen=True, slots=True)
class Mixture(PlanarEnergy):
    """U = -ln of the mean of K Gaussian densities of deviation s, their centres evenly on a ring of radius R.

    As all centres are equally far from the origin, the logit of component k is (cₖ · x)/s² alone.
    """

    components: int = 8
    radius: float = 3.0
    sigma: float = 0.4
    name: ClassVar[str] = "mixture"

    @property
    def window(self) -> Window:
        reach = self.radius + REACH * self.sigma
        return -reach, reach, -reach, reach

    @property
    def latex(self) -> str:
        bell = rf"\exp\left(-\frac{{\|x-c_{{k}}\|^{{2}}}}{{2\cdot {self.sigma:g}^{{2}}}}\right)"
        return rf"-\ln\,\sum_{{k=1}}^{{{self.components}}}{bell}"

    @property
    def modes(self) -> tuple[tuple[float, float], ...]:
        angles = (2 * math.pi * k / self.components for k in range(self.components))
        return tuple((self.radius * math.cos(angle), self.radius * math.sin(angle)) for angle in angles)

    def value(self, points: Tensor) -> Tensor:
        return self._value(points, *self._weights(points))

    def gradient(self, points: Tensor) -> Tensor:
        return self._gradient(points, self._weights(points)[0])

    def value_and_gradient(self, points: Tensor) -> tuple[Tensor, Tensor]:
        weights, largest = self._weights(points)
        return self._value(points, weights, largest), self._gradient(points, weights)

    def _weights(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """Of the components at each point, the largest 1, and log₂ of what they were divided by."""
        scale = LOG2_E / self.sigma**2
        logits = torch.matmul(fixed([[scale * x, scale * y] for x, y in self.modes], points), points.reshape(2, -1))
        largest = logits.amax(0)
        return powers_of_two(logits.sub_(largest)), largest

    def _value(self, points: Tensor, weights: Tensor, largest: Tensor) -> Tensor:
        constant = 0.5 * (self.radius / self.sigma) ** 2 + math.log(self.components * 2 * math.pi * self.sigma**2)
        quadratic = square_length(points).mul_(0.5 / self.sigma**2).add_(constant)
        log_sum = weights.sum(0).log2_().add_(largest).mul_(1.0 / LOG2_E)
        return quadratic.sub_(log_sum.reshape(quadratic.shape))

    def _gradient(self, points: Tensor, weights: Tensor) -> Tensor:
        xs, ys = zip(*self.modes, strict=True)
        scale = 1.0 / self.sigma**2
        sums = torch.matmul(fixed([[scale * x for x in xs], [scale * y for y in ys], [1.0] * len(xs)], points), weights)
        pull = sums[:2].div_(sums[2]).reshape(points.shape)
        return torch.sub(points * scale, pull)

    def curvature(self, temperature: float = 1.0) -> float:
        return 1.0 / self.sigma**2  # less the variance of the centres under the weights, which vanishes near a centre

    def facts(self, temperature: float = 1.0) -> Mapping[str, float]:
        if temperature != 1.0 or self.components < 3:
            return {"mean_x": 0.0, "mean_y": 0.0}
        variance = self.sigma**2 + 0.5 * self.radius**2
        return {"mean_x": 0.0, "mean_y": 0.0, "var_x": variance, "var_y": variance, "log_partition": 0.0}


@dataclass(frozen=True, slots=True)
class Pinwheel(PlanarEnergy):
    """U = -ln of a mixture of K long Gaussians, radial like the spokes of a wheel, then turned by an angle t·r.

    A turn by an angle that depends on the radius alone keeps areas: the density of x is that of the unturned point
    w = Rot(-t r) x, and it integrates to 1.
    """

    arms: int = 5
    centre: float = 2.0
    length: float = 0.6
    thickness: float = 0.28
    twist: float = 0.7
    name: ClassVar[str] = "pinwheel"

    @property
    def window(self) -> Window:
        reach = self.centre + REACH * self.length
        return -reach, reach, -reach, reach

    @property
    def latex(self) -> str:
        turned = rf"R_{{{self.twist:g}\,r+2\pi k/{self.arms}}}\,\mu"
        return rf"-\ln\,\sum_{{k=1}}^{{{self.arms}}}\mathcal{{N}}\left(x;\;{turned},\;\Sigma_{{k}}(r)\right)"

    @property
    def angles(self) -> tuple[float, ...]:
        """Of the unturned arms."""
        return tuple(2 * math.pi * k / self.arms for k in range(self.arms))

    @property
    def modes(self) -> tuple[tuple[float, float], ...]:
        turn = self.twist * self.centre
        return tuple((self.centre * math.cos(angle + turn), self.centre * math.sin(angle + turn)) for angle in self.angles)

    def value(self, points: Tensor) -> Tensor:
        weights, largest = self._weights(quadratic_features(self._unturned(points)[0]))
        return _minus_log(weights.sum(0), largest).reshape(points.shape[1:])

    def gradient(self, points: Tensor) -> Tensor:
        return self._slope(points)[0].reshape(points.shape)

    def value_and_gradient(self, points: Tensor) -> tuple[Tensor, Tensor]:
        gradient, total, largest = self._slope(points)
        return _minus_log(total, largest).reshape(points.shape[1:]), gradient.reshape(points.shape)

    def _slope(self, points: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """∇U (2, N), and what U is made of: the sum of the weights and log₂ of what they were divided by."""
        w, cos, sin, radius = self._unturned(points)
        weights, largest = self._weights(quadratic_features(w))
        slope, total = quadratic_slope(self._forms(), weights, w)
        g_x, g_y = slope.div_(total).neg_()  # of U in the coordinates of the unturned plane
        moment = torch.sub(g_y * w[0], g_x * w[1]).mul_(self.twist).div_(radius)  # t times the torque about 0, over r
        x, y = points.reshape(2, -1)
        gradient = torch.empty_like(w)
        torch.mul(cos, g_x, out=gradient[0]).addcmul_(sin, g_y, value=-1.0).addcmul_(moment, x, value=-1.0)
        torch.mul(sin, g_x, out=gradient[1]).addcmul_(cos, g_y).addcmul_(moment, y, value=-1.0)
        return gradient, total, largest

    def _unturned(self, points: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """w = Rot(-t r) x of shape (2, N), with cos and sin of t r, and r."""
        x, y = flat = points.reshape(2, -1)
        radius = square_length(flat).clamp_(min=1e-30).sqrt_()
        angle = radius * self.twist
        cos, sin = torch.cos(angle), torch.sin(angle)
        w = torch.empty_like(flat)
        torch.mul(cos, x, out=w[0]).addcmul_(sin, y)
        torch.mul(cos, y, out=w[1]).addcmul_(sin, x, value=-1.0)
        return w, cos, sin, radius

    def _weights(self, features: Tensor) -> tuple[Tensor, Tensor]:
        logits = torch.matmul(fixed([[LOG2_E * c for c in form] for form in self._forms()], features), features)
        largest = logits.amax(0)
        return powers_of_two(logits.sub_(largest)), largest

    def _forms(self) -> list[tuple[float, ...]]:
        """ln of each arm's share of the density, by the coefficients of x², xy, y², x, y and 1 at an unturned point."""
        along, across = 1.0 / self.length**2, 1.0 / self.thickness**2
        constant = -0.5 * along * self.centre**2 - math.log(self.arms * 2 * math.pi * self.length * self.thickness)
        found: list[tuple[float, ...]] = []
        for angle in self.angles:
            cos, sin = math.cos(angle), math.sin(angle)
            xx, xy, yy = along * cos**2 + across * sin**2, (along - across) * cos * sin, along * sin**2 + across * cos**2
            found.append((-0.5 * xx, -xy, -0.5 * yy, along * self.centre * cos, along * self.centre * sin, constant))
        return found

    def facts(self, temperature: float = 1.0) -> Mapping[str, float]:
        if temperature != 1.0 or self.arms < 3:
            return {"mean_x": 0.0, "mean_y": 0.0}
        variance = 0.5 * (self.centre**2 + self.length**2 + self.thickness**2)  # half of E r², which a turn keeps
        return {"mean_x": 0.0, "mean_y": 0.0, "var_x": variance, "var_y": variance, "log_partition": 0.0}


def _minus_log(total: Tensor, largest: Tensor) -> Tensor:
    return total.log2().add_(largest).mul_(-1.0 / LOG2_E)
