"""The energy surface of Müller and Brown, on which methods for reaction paths are tried."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from engine.math.energies.base import LOG2_E, PlanarEnergy, Window, fixed, powers_of_two, quadratic_features, quadratic_slope


@dataclass(frozen=True, slots=True)
class MuellerBrown(PlanarEnergy):
    """The surface of Müller and Brown with three minima and two saddles on a bent path, divided by 20.

    U = scale Σₖ Aₖ exp(aₖ (x-x̄ₖ)² + bₖ (x-x̄ₖ)(y-ȳₖ) + cₖ (y-ȳₖ)²). So scaled, the deepest minimum lies 5.3 below the
    highest saddle on the way to the second.

    References
    ----------
    Müller, Brown (1979), Location of saddle points and minimum energy paths by a constrained simplex optimization
    procedure, Theoretica Chimica Acta 53, 75-93.
    """

    scale: float = 0.05
    name: ClassVar[str] = "mueller_brown"

    @property
    def window(self) -> Window:
        return -2.0, 1.25, -0.55, 2.25

    @property
    def latex(self) -> str:
        inside = r"a_{k}(x-x_{k})^{2}+b_{k}(x-x_{k})(y-y_{k})+c_{k}(y-y_{k})^{2}"
        return rf"\frac{{1}}{{{1 / self.scale:g}}}\sum_{{k=1}}^{{4}}A_{{k}}\,e^{{{inside}}}"

    @property
    def modes(self) -> tuple[tuple[float, float], ...]:
        return (-0.558224, 1.441726), (0.623499, 0.028038), (-0.050011, 0.466694)

    def value(self, points: Tensor) -> Tensor:
        return self.value_and_gradient(points)[0]

    def gradient(self, points: Tensor) -> Tensor:
        return self.value_and_gradient(points)[1]

    def value_and_gradient(self, points: Tensor) -> tuple[Tensor, Tensor]:
        flat = points.reshape(2, -1)
        exponents = torch.matmul(fixed(_MB_LOG2, flat), quadratic_features(flat))
        terms = powers_of_two(exponents).mul_(fixed([[term[0] * self.scale] for term in MUELLER_BROWN], flat))
        gradient, value = quadratic_slope(_MB_FORMS, terms, flat)
        return value.reshape(points.shape[1:]), gradient.reshape(points.shape)


# A, a, b, c, x, y of the four terms
MUELLER_BROWN = (
    (-200.0, -1.0, 0.0, -10.0, 1.0, 0.0),
    (-100.0, -1.0, 0.0, -10.0, 0.0, 0.5),
    (-170.0, -6.5, 11.0, -6.5, -0.5, 1.5),
    (15.0, 0.7, 0.6, 0.7, -1.0, 1.0),
)


def _expanded(a: float, b: float, c: float, x: float, y: float) -> tuple[float, ...]:
    """a (X-x)² + b (X-x)(Y-y) + c (Y-y)² by the coefficients of X², XY, Y², X, Y and 1."""
    return a, b, c, -2 * a * x - b * y, -2 * c * y - b * x, a * x * x + b * x * y + c * y * y


_MB_FORMS = tuple(_expanded(*term[1:]) for term in MUELLER_BROWN)
_MB_LOG2 = tuple(tuple(LOG2_E * each for each in form) for form in _MB_FORMS)
