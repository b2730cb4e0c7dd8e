"""The activations: each as a torch function, the same in numpy, its derivative, and what a quadrature must know of it.

Points where a function or one of its derivatives jumps are its *kinks*: a quadrature that steps over one loses most of its
digits, one that stops there keeps them all.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import special
from torch import Tensor
from torch.nn import functional

Array = NDArray[np.float64]
Function = Callable[[Array], Array]

ActivationName = Literal[
    "linear",
    "relu",
    "leaky_relu",
    "tanh",
    "sigmoid",
    "gelu",
    "silu",
    "elu",
    "softplus",
    "selu",
    "erf",
    "hard_tanh",
    "softsign",
    "mish",
    "sin",
]
ACTIVATION_LABELS: dict[str, str] = {
    "linear": "Linear",
    "relu": "ReLU",
    "leaky_relu": "Leaky ReLU",
    "tanh": "tanh",
    "sigmoid": "Sigmoid",
    "gelu": "GELU",
    "silu": "SiLU (Swish)",
    "elu": "ELU",
    "softplus": "Softplus",
    "selu": "SELU",
    "erf": "erf",
    "hard_tanh": "Hard tanh",
    "softsign": "Softsign",
    "mish": "Mish",
    "sin": "sin",
}

LEAK = 0.01  # slope of leaky_relu on the left, the default of torch
SOFTPLUS_LINEAR = 40.0  # beyond it softplus(x) - x is below rounding error; at torch's default of 20 it is not

# Klambauer et al. (2017), equation 14: the pair for which mean 0 and second moment 1 are a fixed point.
_TAIL = special.erfc(math.sqrt(0.5))
SELU_ALPHA = -math.sqrt(2 / math.pi) / (_TAIL * math.exp(0.5) - 1)
SELU_SCALE = (
    (1 - _TAIL * math.exp(0.5))
    * math.sqrt(2 * math.pi)
    / math.sqrt(
        2 * special.erfc(math.sqrt(2)) * math.exp(2)
        + math.pi * _TAIL**2 * math.e
        - 2 * (2 + math.pi) * _TAIL * math.exp(0.5)
        + math.pi
        + 2
    )
)


@dataclass(frozen=True, slots=True)
class Activation:
    """A scalar nonlinearity, applied to every coordinate.

    Parameters
    ----------
    name
        As in `torch.nn.functional` where it is there.
    torch
        The function on tensors, differentiable by autograd.
    numpy
        The same on arrays of doubles.
    derivative
        Its derivative on arrays of doubles; at a kink the value from the left, as torch has it.
    latex
        The formula in x.
    kinks
        Where the function or one of its derivatives jumps.
    slopes
        Slopes on the left and on the right for a function that is linear on each side of zero: then it is homogeneous,
        f(a x) = a f(x) for a > 0, and the scale of its input does not matter.
    calm
        Standard deviations of the input up to which the function varies on the scale of fixed panels; beyond, integrals are
        refined until they settle.
    """

    name: str
    torch: Callable[[Tensor], Tensor]
    numpy: Function
    derivative: Function
    latex: str
    kinks: tuple[float, ...] = ()
    slopes: tuple[float, float] | None = None
    calm: float = math.inf

    @property
    def homogeneous(self) -> bool:
        """Whether f(a x) = a f(x) for every a > 0."""
        return self.slopes is not None

    @property
    def framework_gain(self) -> float | None:
        """What `torch.nn.init.calculate_gain` returns, None where it knows no gain."""
        try:
            return float(torch.nn.init.calculate_gain(self.name))  # type: ignore[arg-type]
        except ValueError:
            return None


def _gelu(x: Array) -> Array:
    found: Array = x * special.ndtr(x)
    return found


def _gelu_slope(x: Array) -> Array:
    found: Array = special.ndtr(x) + x * np.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)
    return found


def _silu_slope(x: Array) -> Array:
    gate = special.expit(x)
    found: Array = gate * (1 + x * (1 - gate))
    return found


def _elu(x: Array) -> Array:
    return np.where(x > 0, x, np.expm1(np.minimum(x, 0.0)))


def _elu_slope(x: Array) -> Array:
    return np.where(x > 0, 1.0, np.exp(np.minimum(x, 0.0)))


def _selu(x: Array) -> Array:
    found: Array = SELU_SCALE * np.where(x > 0, x, SELU_ALPHA * np.expm1(np.minimum(x, 0.0)))
    return found


def _selu_slope(x: Array) -> Array:
    found: Array = SELU_SCALE * np.where(x > 0, 1.0, SELU_ALPHA * np.exp(np.minimum(x, 0.0)))
    return found


def _softplus(x: Array) -> Array:
    return np.logaddexp(0.0, x)


def _torch_softplus(x: Tensor) -> Tensor:
    return functional.softplus(x, threshold=SOFTPLUS_LINEAR)


def _tanh_slope(x: Array) -> Array:
    return 1 / np.cosh(np.clip(x, -350, 350)) ** 2


def _mish(x: Array) -> Array:
    return x * np.tanh(_softplus(x))


def _mish_slope(x: Array) -> Array:
    inner = _softplus(x)
    found: Array = np.tanh(inner) + x * special.expit(x) * _tanh_slope(inner)
    return found


_FAMILY = (
    Activation("linear", lambda x: x, lambda x: x, np.ones_like, "x", slopes=(1.0, 1.0)),
    Activation(
        "relu",
        functional.relu,
        lambda x: np.maximum(x, 0.0),
        lambda x: np.where(x > 0, 1.0, 0.0),
        r"\max(x,0)",
        (0.0,),
        (0.0, 1.0),
    ),
    Activation(
        "leaky_relu",
        lambda x: functional.leaky_relu(x, LEAK),
        lambda x: np.where(x > 0, x, LEAK * x),
        lambda x: np.where(x > 0, 1.0, LEAK),
        r"\max(x,0.01\,x)",
        (0.0,),
        (LEAK, 1.0),
    ),
    Activation("tanh", torch.tanh, np.tanh, _tanh_slope, r"\tanh x"),
    Activation(
        "sigmoid",
        torch.sigmoid,
        special.expit,
        lambda x: special.expit(x) * special.expit(-x),
        r"\frac{1}{1+e^{-x}}",
    ),
    Activation("gelu", functional.gelu, _gelu, _gelu_slope, r"x\,\Phi(x)"),
    Activation("silu", functional.silu, lambda x: x * special.expit(x), _silu_slope, r"\frac{x}{1+e^{-x}}"),
    Activation("elu", functional.elu, _elu, _elu_slope, r"x\ (x>0),\quad e^x-1\ (x\leq 0)", (0.0,)),
    Activation("softplus", _torch_softplus, _softplus, special.expit, r"\ln(1+e^x)"),
    Activation(
        "selu",
        functional.selu,
        _selu,
        _selu_slope,
        r"\lambda x\ (x>0),\quad \lambda\alpha(e^x-1)\ (x\leq 0)",
        (0.0,),
    ),
    Activation(
        "erf",
        torch.erf,
        special.erf,
        lambda x: 2 / math.sqrt(math.pi) * np.exp(-x * x),
        r"\operatorname{erf} x",
    ),
    Activation(
        "hard_tanh",
        functional.hardtanh,
        lambda x: np.clip(x, -1.0, 1.0),
        lambda x: np.where((x > -1) & (x < 1), 1.0, 0.0),
        r"\min(\max(x,-1),1)",
        (-1.0, 1.0),
    ),
    Activation(
        "softsign",
        functional.softsign,
        lambda x: x / (1 + np.abs(x)),
        lambda x: 1 / (1 + np.abs(x)) ** 2,
        r"\frac{x}{1+|x|}",
        (0.0,),
    ),
    Activation("mish", functional.mish, _mish, _mish_slope, r"x\tanh\ln(1+e^x)"),
    Activation("sin", torch.sin, np.sin, np.cos, r"\sin x", calm=4.0),
)

ACTIVATIONS: dict[str, Activation] = {activation.name: activation for activation in _FAMILY}
