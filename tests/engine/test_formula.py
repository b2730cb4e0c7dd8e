"""The formula reader against Python's own arithmetic, and against everything that is not arithmetic."""

from __future__ import annotations

import ast
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.api import load_toml
from engine.math.formulas import parser as module
from engine.math.formulas.parser import DEEPEST, LONGEST, FormulaError, parse
from engine.math.formulas.tree import CONSTANTS, FUNCTIONS, Binary, Call, Minus, Number, Variable, nodes

X = np.linspace(-3, 3, 13)


def refusal(text: str, variables: tuple[str, ...] = ("x",)) -> FormulaError:
    with pytest.raises(FormulaError) as caught:
        parse(text, variables)
    return caught.value


# ---- meaning -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-x^2", -(X**2)),
        ("(-x)^2", X**2),
        ("2^3^2", np.full(13, 512.0)),
        ("2**-1 + x", X + 0.5),
        ("2^-x^2", 2.0 ** -(X**2)),
        ("1 - 2 - x", -1 - X),
        ("8/4/2*x", X),
        ("2*-x", -2 * X),
        ("- - x", X),
        ("+x", X),
        ("1e-3*x + .5 - 2.", 1e-3 * X - 1.5),
        ("x*sigmoid(1.702*x)", X / (1 + np.exp(-1.702 * X))),
        ("max(x, 0) + min(x, 1)", np.maximum(X, 0) + np.minimum(X, 1)),
        ("abs(x) * sign(x) - x", np.zeros(13)),
        ("step(x)", np.heaviside(X, 0.5)),
        ("log(exp(x))", X),
        ("x − 2 × x · 3 ÷ 2", X - 3 * X),
        ("pi * e", np.full(13, math.pi * math.e)),
        ("sqrt(x^2) - relu(x) - relu(-x)", np.zeros(13)),
        ("tanh(x) - sinh(x)/cosh(x)", np.zeros(13)),
        ("tan(atan(x))", X),
        ("softplus(x) - log(1+exp(x))", np.zeros(13)),
        ("erf(x)+erf(-x)+sin(x)+sin(-x)+cos(x)-cos(-x)", np.zeros(13)),
    ],
)
def test_value(text: str, expected: np.ndarray) -> None:
    formula = parse(text)
    np.testing.assert_allclose(formula.numpy(X), expected, rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose(formula.torch(torch.tensor(X)).numpy(), expected, rtol=1e-13, atol=1e-14)


def test_two_variables_broadcast() -> None:
    formula = parse("x^2 + 3*y", ("x", "y"))
    x, y = np.arange(4.0)[:, None], np.arange(3.0)
    np.testing.assert_array_equal(formula.numpy(x, y), x**2 + 3 * y)
    np.testing.assert_array_equal(formula.torch(torch.tensor(x), torch.tensor(y)).numpy(), x**2 + 3 * y)
    assert formula.uses("y")
    assert not parse("x", ("x", "y")).uses("y")


def test_a_constant_has_the_shape_of_the_variable() -> None:
    assert parse("2").numpy(X).shape == (13,)
    assert parse("2").torch(torch.zeros(3, 2)).shape == (3, 2)
    assert parse("2").slope(X).tolist() == [0.0] * 13


@pytest.mark.parametrize("text", ["x^3 - 2*x", "sin(x)*exp(-x^2)", "relu(x) + tanh(x)", "max(x, 0.3*x)/2", "step(x)*x^2"])
def test_slope_is_the_derivative(text: str) -> None:
    formula, h = parse(text), 1e-6
    places = X + 0.013
    np.testing.assert_allclose(
        formula.slope(places), (formula.numpy(places + h) - formula.numpy(places - h)) / (2 * h), atol=1e-8
    )


def test_autograd_and_devices_types() -> None:
    x = torch.tensor([0.5, -1.0], dtype=torch.float32, requires_grad=True)
    result = parse("max(x, 0)*x + 1").torch(x)
    assert result.dtype == torch.float32
    result.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [1.0, 0.0]


def test_switches_are_where_kinks_are() -> None:
    found = [switch.numpy(X) for switch in parse("abs(x-1) + max(x, 2) + x^2").switches()]
    np.testing.assert_array_equal(found, [X - 1, X - 2])
    assert parse("x^2*sin(x)").switches() == ()


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("x*sigmoid(1.702*x)", r"x\,\sigma\left(1.702\,x\right)"),
        ("-x^2/(1+abs(x))", r"\frac{-x^{2}}{1+\left|x\right|}"),
        ("x-(1-x)", r"x-\left(1-x\right)"),
        ("x+-1", r"x+\left(-1\right)"),
        ("1e-3*x", r"1\cdot 10^{-3}\,x"),
        ("sqrt(x)^2", r"\sqrt{x}^{2}"),
        ("sin(x)^2", r"\left(\sin\left(x\right)\right)^{2}"),
        ("(x/2)^3", r"\left(\frac{x}{2}\right)^{3}"),
        ("x*2", r"x\cdot 2"),
        ("pi*e", r"\pi\cdot e"),
        ("max(x,0)", r"\max\left(x,0\right)"),
    ],
)
def test_latex(text: str, latex: str) -> None:
    assert parse(text).to_latex() == latex


# ---- refusals ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "position", "words"),
    [
        ("", 1, "empty"),
        ("   ", 1, "empty"),
        ("x +", 4, "ends"),
        ("2x", 2, "Write * between 2 and x"),
        ("(x", 1, "not closed"),
        ("sin(x", 4, "not closed"),
        ("x)", 2, "closes nothing"),
        ("1,5", 2, "decimals"),
        ("sin x", 5, "in brackets"),
        ("max(x)", 1, "takes 2 values, not 1"),
        ("sin(x, 1)", 1, "takes 1 values, not 2"),
        ("x ** ** 2", 6, "A value should stand"),
        ("y + 1", 1, "There is no y"),
        ("x.real", 2, "not arithmetic"),
        ("x[0]", 2, "not arithmetic"),
        ("x if x else 1", 3, "Write * between x and if"),
        ("lambda: 1", 7, "not arithmetic"),
        ("lambda + 1", 1, "no lambda"),
        ("__import__('os')", 12, "not arithmetic"),
        ("__import__(x)", 1, "no __import__"),
        ("x; x", 2, "not arithmetic"),
        ("x = 1", 3, "not arithmetic"),
        ("x < 1", 3, "not arithmetic"),
        ("x // 2", 4, "A value should stand"),
        ("0x10", 2, "Write *"),
        ("x\x00", 2, "not arithmetic"),
        ("ⅹ", 1, "not arithmetic"),
        ("sin", 4, "in brackets"),
        ("()", 2, "A value should stand"),
        ("(x,x)", 3, "comma"),
        ("1" * (LONGEST + 1), LONGEST + 1, "longer"),
    ],
)
def test_what_is_not_arithmetic_is_refused_with_its_place(text: str, position: int, words: str) -> None:
    error = refusal(text)
    assert error.position == position
    assert words in str(error)
    assert str(error).endswith(".")


def test_nesting_has_a_limit() -> None:
    assert parse("(" * (DEEPEST - 1) + "x" + ")" * (DEEPEST - 1)).numpy(2.0) == 2.0
    for text in ("(" * 150, "-" * 299, "sin(" * 70, "^".join("2" * 140), "(" * 80 + "x" + ")" * 80):
        assert "deeply" in str(refusal(text))


def test_a_long_chain_is_no_deep_recursion() -> None:
    formula = parse("+".join("x" * (LONGEST // 2)))
    assert formula.numpy(1.0) == LONGEST // 2
    assert float(formula.torch(torch.tensor(1.0))) == LONGEST // 2
    assert formula.slope(np.ones(1))[0] == LONGEST // 2
    assert formula.to_latex().count("+") == LONGEST // 2 - 1


def test_huge_powers_do_not_hang() -> None:
    for text in (
        "9**9**9**9",
        "9^9^9^9^9^9^9",
        "1e308*1e308",
        "exp(exp(exp(9)))",
        "1/0",
        "0/0",
        "log(-1)",
        "(-8)^(1/3)",
        "10^400",
    ):
        formula = parse(text)
        assert not np.isfinite(formula.numpy(1.0))
        assert not torch.isfinite(formula.torch(torch.tensor(1.0, dtype=torch.float64)))


def test_every_sentence_has_a_translation() -> None:
    tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
    raised = [node.exc for node in ast.walk(tree) if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)]
    templates = {call.args[0].value for call in raised if isinstance(call.args[0], ast.Constant)}
    assert templates == set(load_toml("translations", "zh", "formula.toml"))


# ---- fuzzing -----------------------------------------------------------------------------------------------------------

numbers = st.floats(0.01, 100, allow_nan=False).map(lambda value: repr(round(value, 3)))
atoms = st.one_of(numbers, st.sampled_from(["x", "y", "pi", "e", "1e-3", "2"]))


def grow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    spaces = st.sampled_from(["", " "])
    return st.one_of(
        st.tuples(inner, spaces, st.sampled_from("+-*/"), spaces, inner).map("".join),
        st.tuples(inner, st.sampled_from(["**", " ** "]), st.sampled_from(["2", "3", "0", "1", "(-1)", "-2"])).map("".join),
        inner.map(lambda text: f"({text})"),
        inner.map(lambda text: f"-{text}"),
        st.tuples(st.sampled_from(["sin", "cos", "tanh", "atan", "abs", "erf"]), inner).map(
            lambda pair: f"{pair[0]}({pair[1]})"
        ),
        st.tuples(st.sampled_from(["min", "max"]), inner, inner).map(lambda triple: f"{triple[0]}({triple[1]},{triple[2]})"),
    )


expressions = st.recursive(atoms, grow, max_leaves=12).filter(lambda text: len(text) <= LONGEST)
TRUSTED = {
    "sin": math.sin,
    "cos": math.cos,
    "tanh": math.tanh,
    "atan": math.atan,
    "abs": abs,
    "erf": math.erf,
    "min": min,
    "max": max,
}


def trusted_value(text: str, x: float, y: float) -> float:
    """The value by Python's own parser and float arithmetic."""

    def value(node: ast.expr) -> float:
        match node:
            case ast.Constant(value=number):
                return float(number)
            case ast.Name(id=name):
                return {"x": x, "y": y, **CONSTANTS}[name]
            case ast.UnaryOp(operand=operand):
                return -value(operand)
            case ast.BinOp(left=left, op=op, right=right):
                a, b = value(left), value(right)
                match op:
                    case ast.Add():
                        return a + b
                    case ast.Sub():
                        return a - b
                    case ast.Mult():
                        return a * b
                    case ast.Div():
                        return a / b
                return a**b
            case ast.Call(func=ast.Name(id=name), args=args):
                return TRUSTED[name](*map(value, args))
        raise AssertionError(ast.dump(node))

    return value(ast.parse(text.strip(), mode="eval").body)


@given(expressions, st.floats(-4, 4), st.floats(-4, 4))
@settings(max_examples=300, deadline=None)
@example("-x**2", 3.0, 0.0)
@example("2 ** -2", 3.0, 0.0)
def test_valid_expressions_have_the_value_python_gives(text: str, x: float, y: float) -> None:
    try:
        expected = trusted_value(text, x, y)
    except (ZeroDivisionError, OverflowError):
        return
    try:
        formula = parse(text, ("x", "y"))
    except FormulaError as error:
        assert "deeply" in str(error)
        return
    got = float(formula.numpy(x, y))
    if isinstance(expected, float) and math.isfinite(expected):
        assert got == pytest.approx(expected, rel=1e-9, abs=1e-9)
    latex = formula.to_latex()
    assert latex.count("{") == latex.count("}")
    assert latex.count(r"\left") == latex.count(r"\right")


ALPHABET = "xy0123456789.+-*/^(), eE_[]{}:;'\"=<>!@#$%&|~\\\n\t" + "abcdefghijklmnopqrstuvwxyz"
words = st.sampled_from(
    ["x", "y", "sin(", "max(", "(", ")", "**", "9", "^", ",", "import", "__class__", ".", "lambda ", "1e", "or"]
)


@given(st.one_of(st.text(ALPHABET, max_size=60), st.text(max_size=40), st.lists(words, max_size=40).map("".join)))
@settings(max_examples=1000, deadline=None)
@example("x.__class__.__bases__")
@example("().__class__")
@example("sin.__globals__")
@example("e1")
@example("1e400")
def test_nothing_but_arithmetic_on_the_declared_names_gets_through(text: str) -> None:
    try:
        formula = parse(text)
    except FormulaError as error:
        assert 1 <= error.position <= len(text) + 1
        return
    for node in nodes(formula.root):
        assert type(node) in (Number, Variable, Minus, Binary, Call)
        match node:
            case Number(value):
                assert type(value) is float
            case Variable(name):
                assert name == "x"
            case Binary(operator):
                assert operator in "+-*/^"
            case Call(name, arguments):
                assert len(arguments) == FUNCTIONS[name].arity
    assert formula.numpy(X).shape == X.shape
    assert formula.torch(torch.tensor(X)).shape == X.shape
