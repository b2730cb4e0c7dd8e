"""Energies typed by a person: what is one, where its mass lies, and that nothing but arithmetic on x and y gets through."""

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
from engine.math.energies import formula as formula_energy
from engine.math.energies import painted as painted_energy
from engine.math.energies import wells as energy_wells
from engine.math.energies.density import grid_density
from engine.math.energies.formula import FormulaEnergy
from engine.math.energies.registry import EnergyError, energy
from engine.math.formulas import parser as formula
from engine.math.formulas import tree as formula_tree
from engine.math.formulas.parser import DEEPEST, LONGEST, FormulaError, parse
from engine.math.formulas.tree import FUNCTIONS, Binary, Call, Minus, Number, Variable, nodes


def typed(text: str) -> FormulaEnergy:
    found = energy("formula", formula=text)
    assert isinstance(found, FormulaEnergy)
    return found


# ---- what is an energy -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "x^2/2 + y^2/2",
        "(x^2 + y^2 - 4)^2/4",
        "(x^2 + y - 11)^2/20 + (x + y^2 - 7)^2/20",
        "abs(x) + abs(y)",
        "sqrt(x^2 + y^2)",
        "x^2 + y^2 + 3*sin(3*x)*cos(3*y)",
        "max(x^2, y^2)",
        "1000*(x^2 + y^2)",
        "(x - 300)^2/2 + (y + 40)^2/2",
        "x^2/2e4 + y^2*50",
        "(1 - x)^2 + 5*(y - x^2)^2",
        "5*(x - 2*y)^2 + (2*x + y)^2/100",
        "2*log(1 + x^2) + 2*log(1 + y^2) + (x^2 + y^2)/50",
        "-log(exp(-(x - 2)^2 - y^2) + exp(-(x + 2)^2 - y^2) + 1e-30) + (x^2 + y^2)/100",
        "x^2 + y^2 - 6*exp(-200*((x - 1)^2 + y^2))",
        "exp(x^2/4) + cosh(y)",
        "x^2 + y^2 + 1/(x^2 + y^2)",
        "softplus(5*x - 5) + softplus(-5*x - 5) + 0.5*y^2",
    ],
)
def test_the_window_is_found_and_holds_the_mass(text: str) -> None:
    surface = typed(text)
    density = grid_density(surface)
    assert density.outside < 2e-3
    x_low, x_high, y_low, y_high = surface.window
    held_x = np.flatnonzero(np.cumsum(density.marginal_x) > 0.01)[0], np.flatnonzero(np.cumsum(density.marginal_x) > 0.99)[0]
    held_y = np.flatnonzero(np.cumsum(density.marginal_y) > 0.01)[0], np.flatnonzero(np.cumsum(density.marginal_y) > 0.99)[0]
    assert min(held_x[1] - held_x[0], held_y[1] - held_y[0]) > 25  # of 128 cells: the picture is not mostly empty
    gradient = surface.gradient(torch.tensor(np.stack([[x_low, x_high, 0.3], [y_low, y_high, 0.2]])))
    assert torch.isfinite(gradient).all()
    assert math.isfinite(surface.curvature())


def test_moments_where_they_are_known() -> None:
    density = grid_density(typed("(x - 300)^2/8 + (y + 40)^2/2"))
    assert (density.mean_x, density.mean_y) == pytest.approx((300, -40), abs=1e-6)
    assert (density.var_x, density.var_y) == pytest.approx((4, 1), rel=1e-5)
    assert density.log_partition == pytest.approx(math.log(4 * math.pi), abs=1e-6)


def test_modes_are_the_wells() -> None:
    assert len(typed("(x^2 + y - 11)^2/20 + (x + y^2 - 7)^2/20").modes) == 4  # Himmelblau's function
    assert len(typed("x^2 + y^2").modes) == 1
    assert len(typed("(sqrt(x^2 + y^2) - 2)^2*8").modes) == 1


def test_a_cone_has_no_undefined_slope_at_its_tip() -> None:
    surface = typed("sqrt(x^2 + y^2) + 0*x")
    assert surface.gradient(torch.zeros(2, 3)).tolist() == [[0.0] * 3] * 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x^2", "depend on x and on y"),
        ("7", "depend on x and on y"),
        ("y^2 + sin(y)", "depend on x and on y"),
        ("x^2 + 0*y", "does not hold"),
        ("-x^2 - y^2", "does not hold"),
        ("x + y", "does not hold"),
        ("50*(x - 2*y)^2", "does not hold"),
        ("(x - y)^2", "does not hold"),
        ("cos(x) + cos(y)", "does not hold"),
        ("x*y", "does not hold"),
        ("x^3 + y^2", "does not hold"),
        ("-exp(x^2 + y^2)", "does not hold"),
        ("log(1 + x^2 + y^2)/2", "does not hold"),
        ("exp(-x^2 - y^2)", "does not hold"),
        ("sin(x^2*y) + tanh(x*y)", "does not hold"),
        ("x^2 + y^2 - 1/(x^2 + y^2)", "without bound"),
        ("x^2 + y^2 + 3*log(x^2 + y^2)", "without bound"),
        ("x^2 + y^2 + log(0*x)", "does not hold|without bound|no finite"),
        ("0*x/0 + y", "no finite value"),
        ("log(-1 - x^2) + y^2", "no finite value"),
        ("1e308*1e308*(x^2 + y^2)", "no finite value"),
        ("x^2 + y^2 + sqrt(x)", "not a number at x = "),
        ("x - log(x)/2 + y^2", "not a number at x = "),
        ("x + log(x) + y^2", "not a number|without bound"),
        ("x^2 + y^2 + 0*sqrt(x^2 + y^2 - 0.5)", "not a number at x = "),
    ],
)
def test_what_is_no_energy_is_refused_with_one_sentence(text: str, words: str) -> None:
    with pytest.raises(EnergyError, match=words) as caught:
        typed(text)
    error = caught.value
    assert str(error).endswith((".", "/10."))
    assert error.template in load_toml("translations", "zh", "energies.toml")
    assert "{" not in str(error)


def test_every_sentence_of_the_energies_has_a_translation() -> None:
    known = set(load_toml("translations", "zh", "energies.toml"))
    said = set()
    for module in (energy_wells, formula_energy, painted_energy):
        tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
        calls = (
            node for node in ast.walk(tree) if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "EnergyError"
        )
        said |= {str(ast.literal_eval(call.args[0])) for call in calls}
    assert said == known


# ---- speed -------------------------------------------------------------------------------------------------------------


def test_easy_powers_have_the_value_and_slope_of_any_power() -> None:
    points = torch.rand(2, 500, dtype=torch.float64) * 4 - 2
    easy, long = typed("(x^2)^2 + y^2 + x^3/9 + (1 + x^2)^0.5"), typed("x*x*x*x + y*y + x*x*x/9 + sqrt(1 + x*x)")
    for one, other in zip(easy.value_and_gradient(points), long.value_and_gradient(points), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-12)


def test_many_points_are_taken_in_chunks() -> None:
    surface, points = typed("x^4/4 - x^2 + y^2/2 + x*y/4"), torch.randn(2, 200_001)
    whole = surface.gradient(points)
    torch.testing.assert_close(whole[:, 131_000:131_200], surface.gradient(points[:, 131_000:131_200]))
    expected = torch.stack((points[0] ** 3 - 2 * points[0] + points[1] / 4, points[1] + points[0] / 4))
    torch.testing.assert_close(whole, expected, rtol=1e-4, atol=1e-4)


# ---- attacks -----------------------------------------------------------------------------------------------------------

ATTACKS = [
    "__import__('os').system('true')",
    "__import__(x)",
    "().__class__.__bases__[0].__subclasses__()",
    "x.__class__",
    "x.real",
    "y.numpy()",
    "sin.__globals__",
    "getattr(x, y)",
    "eval(x)",
    "exec('x')",
    "open('/etc/passwd')",
    "lambda: x",
    "lambda x: x",
    "[x for x in y]",
    "[x][0]",
    "{x: y}",
    "x if y else x",
    "x or y",
    "x and y",
    "not x",
    "x := 1",
    "x = 1",
    "x == y",
    "x < y",
    "x; y",
    "x\ny",
    "import os",
    "globals()",
    "print(x)",
    "f'{x}'",
    "'x'",
    '"x"',
    "b'x'",
    "x # comment",
    "x \\ y",
    "@x",
    "x @ y",
    "x % y",
    "x // y",
    "x & y",
    "~x",
    "x << 2",
    "x...y",
    "1_000*x*y",
    "0x10*x*y",
    "1j*x + y",
    "ⅹ^2 + y^2",  # ROMAN NUMERAL TEN
    "х^2 + y^2",  # CYRILLIC
    "x^2 + у^2",  # CYRILLIC
    "𝑥^2 + y^2",
    "x² + y²",
    "x^２ + y^2",  # FULLWIDTH TWO
    "x^٢ + y^2",  # ARABIC-INDIC TWO
    "x\u200b + y",
    "x\x00 + y",
    "\u202ex + y",
    "ｅxp(x) + y",
    "z^2 + x + y",
    "os",
    "self",
    "None",
    "True + x*y",
    "inf*x*y",
    "nan",
    "x" * 50,
    "e" * 50 + "(x)",
    "__builtins__",
    "exp",
    "exp.x",
    "x(y)",
    "2(x)",
    "(x)(y)",
    "",
    " " * 200,
    "(" * 5000,
    "x" + "+x" * 10_000 + "+y",
    "-" * 10_000 + "x*y",
    "^".join("2" * 140),
    "sin(" * 100 + "x" + ")" * 100,
    "9" * 400 + "*x*y",
]


@pytest.mark.parametrize("text", ATTACKS, ids=lambda text: ascii(text[:24]))
def test_attacks_are_refused_at_once(text: str) -> None:
    with pytest.raises(FormulaError) as caught:
        energy("formula", formula=text)
    assert str(caught.value).endswith(".")
    assert 1 <= caught.value.position <= len(text) + 1


@pytest.mark.parametrize(
    "text",
    [
        "9^9^9^9^9*(x^2 + y^2)",
        "x^9999999999 + y^2",
        "x^(9^9) + y^(9^9)",
        "(x^2 + y^2)^1e300",
        "exp(exp(exp(x^2 + y^2)))",
        "1e400*x^2 + y^2",
        "(" * (DEEPEST - 8) + "x^2 + y^2" + ")" * (DEEPEST - 8),
        "+".join(["x^2", "y^2"] * 36),
        "x^2" + "*1" * 140 + "+y^2",
        "/".join(["x", "y"] * 70),
        "1/(x*y)^1e-300",
        "tan(x)^2 + tan(y)^2",
        "x^-2 + y^-2",
        "x^y + y^x",
        "sin(1e300*x)*1e300 + y^2",
    ],
)
def test_extremes_neither_hang_nor_break(text: str) -> None:
    try:
        surface = typed(text)
    except EnergyError:
        surface = None
    if surface is not None:
        value, gradient = surface.value_and_gradient(torch.randn(2, 100))
        assert value.shape == (100,)
        assert gradient.shape == (2, 100)


def test_no_way_into_python_is_in_the_reader() -> None:
    """Neither eval, exec, compile, getattr nor an import happens while a formula is read or evaluated."""
    forbidden = {"eval", "exec", "compile", "__import__", "getattr", "setattr", "globals", "locals", "vars", "open", "input"}
    for module in (formula, formula_tree, formula_energy):
        tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        inside = [n for f in ast.walk(tree) if isinstance(f, ast.FunctionDef) for n in ast.walk(f)]
        assert names & forbidden == set()
        assert not [node for node in inside if isinstance(node, ast.Import | ast.ImportFrom)]


# ---- fuzzing -----------------------------------------------------------------------------------------------------------

WORDS = st.sampled_from(
    [
        "x",
        "y",
        "^2",
        "^",
        "**",
        "+",
        "-",
        "*",
        "/",
        "(",
        ")",
        ",",
        ".",
        "2",
        "0.5",
        "1e3",
        "1e",
        "pi",
        "e",
        " ",
        "\t",
        "_",
        "−",
        "×",
    ]
    + [f"{name}(" for name in FUNCTIONS]
    + ["__class__", "import", "lambda ", "[", "]", "'", "\\", "\x00", "х", "ｘ", "²", ":", ";", "=", "%", "@", "\n"]
)


@settings(max_examples=600, deadline=None)
@given(st.one_of(st.lists(WORDS, max_size=40).map("".join), st.text(max_size=60)))
@example("x.__class__")
@example("e1")
@example("1e5y")
@example("x^2+y^2\n")
def test_whatever_is_typed_gives_an_energy_or_a_sentence(text: str) -> None:
    try:
        parsed = parse(text, ("x", "y"))
    except FormulaError as error:
        assert 1 <= error.position <= len(text) + 1
        with pytest.raises(FormulaError):
            energy("formula", formula=text)
        return
    for node in nodes(parsed.root):
        assert type(node) in (Number, Variable, Minus, Binary, Call)
        match node:
            case Number(value):
                assert type(value) is float
            case Variable(name):
                assert name in ("x", "y")
            case Binary(operator):
                assert operator in "+-*/^"
            case Call(name):
                assert name in FUNCTIONS
    try:
        energy("formula", formula=text)
    except EnergyError as error:
        assert error.template in load_toml("translations", "zh", "energies.toml")


NUMBERS = st.floats(0.05, 20).map(lambda value: repr(round(value, 2)))
LEAVES = st.one_of(NUMBERS, st.sampled_from(["x", "y", "x", "y", "pi"]))


def grow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    single = [name for name, function in FUNCTIONS.items() if function.arity == 1]
    double = [name for name, function in FUNCTIONS.items() if function.arity == 2]
    return st.one_of(
        st.tuples(inner, st.sampled_from("+-*/^"), inner).map("".join),
        st.tuples(inner, st.sampled_from(["^2", "^3", "^0.5", "^-1", "^1e3", "^2^2"])).map("".join),
        inner.map("({})".format),
        inner.map("-{}".format),
        st.tuples(st.sampled_from(single), inner).map(lambda pair: f"{pair[0]}({pair[1]})"),
        st.tuples(st.sampled_from(double), inner, inner).map(lambda triple: f"{triple[0]}({triple[1]}, {triple[2]})"),
    )


ARITHMETIC = st.recursive(LEAVES, grow, max_leaves=10).filter(lambda text: len(text) <= LONGEST)
PLACES = np.array([[-2.3, -1.0, 0.0, 0.4, 1.0, 3.7], [0.9, -1.2, 0.0, 2.5, 1.0, -0.3]])


@settings(max_examples=500, deadline=None)
@given(ARITHMETIC)
@example("x^y")
@example("(x*y)^0.5")
@example("0^0 + x^0 + 0*y")
@example("softplus(300*x) + sigmoid(-300*y)")
def test_torch_and_numpy_agree_on_every_formula(text: str) -> None:
    try:
        parsed = parse(text, ("x", "y"))
    except FormulaError as error:
        assert "deeply" in str(error)
        return
    on_numpy = parsed.numpy(*PLACES)
    on_torch = parsed.torch(*torch.tensor(PLACES))
    assert on_torch.shape == (6,)
    steady = np.isfinite(on_numpy) & (np.abs(on_numpy) < 1e6)
    moved = parsed.numpy(*(PLACES * (1 + 1e-13)))  # where rounding decides, both are right
    steady &= np.isclose(on_numpy, moved, rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(on_torch.numpy()[steady], on_numpy[steady], rtol=1e-7, atol=1e-7)
    single = parsed.torch(*torch.tensor(PLACES, dtype=torch.float32))
    assert single.dtype == torch.float32


@settings(max_examples=60, deadline=None)
@given(ARITHMETIC)
def test_a_formula_in_a_bowl_is_an_energy_whose_gradient_is_its_slope(text: str) -> None:
    """Whatever it is, kept small by tanh and held by a bowl."""
    whole = f"(x^2 + y^2)/4 + tanh({text})"
    try:
        surface = typed(whole)
    except (EnergyError, FormulaError) as error:
        assert isinstance(error, EnergyError) or "deeply" in str(error) or "longer" in str(error)
        return
    points = torch.tensor(PLACES) + 0.0131
    value, gradient = surface.value_and_gradient(points)
    torch.testing.assert_close(value, surface.value(points), equal_nan=True)
    for axis, h in ((0, 1e-6), (1, 1e-6)):
        step = torch.zeros(2, 1, dtype=torch.float64)
        step[axis] = h
        slope, finer = ((surface.value(points + k * step) - surface.value(points - k * step)) / (2 * k * h) for k in (1, 0.5))
        smooth = (slope - finer).abs() < 1e-4 * (1 + slope.abs())
        smooth &= slope.abs() < 1e3
        torch.testing.assert_close(gradient[axis][smooth], slope[smooth], rtol=1e-3, atol=1e-3)


def test_a_formula_does_not_load_sympy() -> None:
    """torch.broadcast_shapes does, which takes most of a second at the first use."""
    tree = ast.parse(Path(formula_tree.__file__).read_text(encoding="utf-8"))
    assert "broadcast_shapes" not in {
        node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "torch"
    }
