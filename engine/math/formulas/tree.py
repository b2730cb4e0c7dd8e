"""What a formula is once it was read: a small tree, its value on arrays and tensors, and how it is printed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy import special
from torch import Tensor
from torch.nn import functional

CONSTANTS: Mapping[str, float] = {"pi": math.pi, "e": math.e}
EASY_POWERS = (0.5, 2.0, 3.0)  # for which a tensor has ways of its own, ten times as fast, slope included


@dataclass(frozen=True, slots=True)
class Number:
    """A constant; `text` is how it was written."""

    value: float
    text: str


@dataclass(frozen=True, slots=True)
class Variable:
    """A declared name."""

    name: str


@dataclass(frozen=True, slots=True)
class Minus:
    """The negative of a node."""

    operand: Node


@dataclass(frozen=True, slots=True)
class Binary:
    """An operator ``+ - * / ^`` between two nodes."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Call:
    """A known function of nodes."""

    function: str
    arguments: tuple[Node, ...]


Node = Number | Variable | Minus | Binary | Call


@dataclass(frozen=True, slots=True)
class Function:
    """A function a formula may call: on arrays, on tensors, and in print."""

    arity: int
    numpy: Callable[..., Any]
    torch: Callable[..., Any]
    latex: str


def _relu(x: Any) -> Any:
    return np.maximum(x, 0.0)


FUNCTIONS: Mapping[str, Function] = {
    "exp": Function(1, np.exp, torch.exp, r"\exp"),
    "log": Function(1, np.log, torch.log, r"\ln"),
    "sqrt": Function(1, np.sqrt, torch.sqrt, r"\sqrt"),
    "sin": Function(1, np.sin, torch.sin, r"\sin"),
    "cos": Function(1, np.cos, torch.cos, r"\cos"),
    "tan": Function(1, np.tan, torch.tan, r"\tan"),
    "atan": Function(1, np.arctan, torch.atan, r"\arctan"),
    "sinh": Function(1, np.sinh, torch.sinh, r"\sinh"),
    "cosh": Function(1, np.cosh, torch.cosh, r"\cosh"),
    "tanh": Function(1, np.tanh, torch.tanh, r"\tanh"),
    "sigmoid": Function(1, special.expit, torch.sigmoid, r"\sigma"),
    "softplus": Function(
        1, lambda x: np.logaddexp(0.0, x), lambda x: functional.softplus(x, threshold=40.0), r"\operatorname{softplus}"
    ),
    "relu": Function(1, _relu, torch.relu, r"\operatorname{relu}"),
    "erf": Function(1, special.erf, torch.erf, r"\operatorname{erf}"),
    "abs": Function(1, np.abs, torch.abs, r"\left|"),
    "sign": Function(1, np.sign, torch.sign, r"\operatorname{sign}"),
    "step": Function(1, lambda x: np.heaviside(x, 0.5), lambda x: 0.5 * (torch.sign(x) + 1), "H"),
    "min": Function(2, np.minimum, torch.minimum, r"\min"),
    "max": Function(2, np.maximum, torch.maximum, r"\max"),
}
OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "^": lambda a, b: a**b,
}


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula that was understood.

    Parameters
    ----------
    text
        As it was typed.
    variables
        The names it may use, in the order of the arguments.
    root
        Its tree.
    """

    text: str
    variables: tuple[str, ...]
    root: Node = field(repr=False)

    def numpy(self, *values: ArrayLike) -> NDArray[np.float64]:
        """The value on arrays of doubles, one for each variable; what is undefined (0/0, log of -1) is not a number."""
        known = dict(zip(self.variables, (np.asarray(value, dtype=float) for value in values), strict=True))
        with np.errstate(all="ignore"):
            result = _evaluate(self.root, known, np.float64, lambda function: function.numpy)
        return np.broadcast_to(result, np.broadcast_shapes(*(each.shape for each in known.values()))).astype(float)

    def torch(self, *values: Tensor) -> Tensor:
        """The same on tensors; autograd goes through it."""
        known = dict(zip(self.variables, values, strict=True))
        like = values[0]
        shape = np.broadcast_shapes(*(tuple(value.shape) for value in values))  # torch's own imports sympy for it

        def constant(value: float) -> Tensor:
            return torch.tensor(value, dtype=like.dtype, device=like.device)

        found: Tensor = _evaluate(self.root, known, constant, lambda function: function.torch).expand(shape)
        return found

    def slope(self, values: ArrayLike) -> NDArray[np.float64]:
        """The derivative of a formula in one variable, by autograd."""
        at = torch.tensor(np.asarray(values, dtype=float), requires_grad=True)
        with torch.enable_grad():
            result = self.torch(at)
        if not result.requires_grad:  # no variable in it
            return np.zeros(at.shape)
        return torch.autograd.grad(result.sum(), at)[0].numpy()

    def uses(self, name: str) -> bool:
        """Whether a variable occurs in it."""
        return any(isinstance(node, Variable) and node.name == name for node in nodes(self.root))

    def switches(self) -> tuple[Formula, ...]:
        """Expressions at whose zeros the formula has a kink or a jump: arguments of abs, relu, sign and step, differences of
        min and max."""
        found: list[Node] = []
        for node in nodes(self.root):
            match node:
                case Call("abs" | "relu" | "sign" | "step" | "sqrt", (argument,)):
                    found.append(argument)
                case Call("min" | "max", (left, right)):
                    found.append(Binary("-", left, right))
        return tuple(Formula("", self.variables, node) for node in found)

    def to_latex(self) -> str:
        """The formula in print."""
        return _latex(self.root, 0)


def nodes(node: Node) -> Iterator[Node]:
    """A node and everything under it."""
    yield node
    match node:
        case Minus(operand):
            yield from nodes(operand)
        case Binary(_, left, right):
            yield from nodes(left)
            yield from nodes(right)
        case Call(_, arguments):
            for argument in arguments:
                yield from nodes(argument)


def _evaluate(
    node: Node, known: Mapping[str, Any], constant: Callable[[float], Any], choose: Callable[[Function], Callable[..., Any]]
) -> Any:
    """The value of a node. Numbers are of the arrays' own kind: 9^9^9^9 is infinite at once instead of a long integer."""
    match node:
        case Number(value):
            return constant(value)
        case Variable(name):
            return known[name]
        case Minus(operand):
            return -_evaluate(operand, known, constant, choose)
        case Binary("^", left, Number(power)) if power in EASY_POWERS:
            return _evaluate(left, known, constant, choose) ** power
        case Binary(operator, left, right):
            before, after = _evaluate(left, known, constant, choose), _evaluate(right, known, constant, choose)
            return OPERATORS[operator](before, after)
        case Call(name, arguments):
            return choose(FUNCTIONS[name])(*[_evaluate(each, known, constant, choose) for each in arguments])


# ---- in print ----------------------------------------------------------------------------------------------------------

# How strongly operators hold what is beside them; a leading minus stands between * and ^.
BINDING = {"+": 1, "-": 1, "*": 2, "/": 2, "^": 4}
MINUS = 3


def _latex(node: Node, around: int) -> str:
    """LaTeX of a node inside an operator that binds with the strength `around`."""
    match node:
        case Number(_, text):
            return _number_latex(text, around)
        case Variable(name):
            return name if len(name) == 1 else rf"\mathrm{{{name}}}"
        case Minus(operand):
            return _bracketed("-" + _latex(operand, MINUS), around > 1)
        case Binary("/", left, right):
            return _bracketed(rf"\frac{{{_latex(left, 0)}}}{{{_latex(right, 0)}}}", around >= BINDING["^"])
        case Binary("^", left, right):
            return _bracketed(f"{_latex(left, 5)}^{{{_latex(right, 0)}}}", around > BINDING["^"])
        case Binary(operator, left, right):
            strength = BINDING[operator]
            sign = r"\," if operator == "*" else operator
            if operator == "*" and isinstance(right, Number):
                sign = r"\cdot "
            text = _latex(left, strength) + sign + _latex(right, strength + 1)
            return _bracketed(text, around > strength)
        case Call("sqrt", (argument,)):
            return rf"\sqrt{{{_latex(argument, 0)}}}"
        case Call("abs", (argument,)):
            return rf"\left|{_latex(argument, 0)}\right|"
        case Call(name, arguments):
            inside = ",".join(_latex(argument, 0) for argument in arguments)
            return _bracketed(rf"{FUNCTIONS[name].latex}\left({inside}\right)", around > BINDING["^"])


def _number_latex(text: str, around: int) -> str:
    if text == "pi":
        return r"\pi"
    mantissa, mark, exponent = text.lower().partition("e")
    if text == "e" or not mark:
        return text
    power = rf"10^{{{int(exponent)}}}"
    return _bracketed(rf"{mantissa}\cdot {power}", around > 2)


def _bracketed(text: str, needed: bool) -> str:
    return rf"\left({text}\right)" if needed else text
