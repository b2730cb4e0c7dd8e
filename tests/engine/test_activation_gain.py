"""The experiment on gains: its numbers, its claims, and formulas that cannot be taken."""

from __future__ import annotations

import dataclasses
import json
import math

import numpy as np
import pytest
import torch
from scipy import integrate, special

from engine.api import LabError, UsageError, load, run, validate
from engine.core.context import Context
from engine.labs.angles.activation_gain.experiment import activation_of, check_claims
from engine.labs.angles.activation_gain.integrals import exact

NAME = "angles.activation_gain"


def measures(**values) -> dict[str, float]:
    return dict(run(NAME, samples=1000, **values).measures)


def test_gains_beside_those_of_the_framework() -> None:
    tanh = measures(activation="tanh")
    assert tanh["gain"] == pytest.approx(1.592537, abs=5e-7)
    assert tanh["framework_gain"] == pytest.approx(5 / 3)
    relu = measures(activation="relu", input_std=3.0)
    assert relu["gain"] == pytest.approx(relu["framework_gain"]) == pytest.approx(math.sqrt(2))
    assert relu["second_moment"] == pytest.approx(4.5)
    assert measures(activation="sigmoid")["second_moment"] == pytest.approx(0.2933790, abs=5e-8)
    selu = measures(activation="selu")
    assert (selu["mean"], selu["second_moment"], selu["framework_gain"]) == (0.0, pytest.approx(1), 0.75)


def test_a_gain_nobody_has_is_null() -> None:
    result = run(NAME, activation="gelu", samples=1000)
    assert math.isnan(result.measures["framework_gain"])
    assert json.loads(result.to_json())["measures"]["framework_gain"] is None


def claims(**values) -> dict[str, bool | None]:
    frame = run(NAME, samples=300_000, **values).frame
    assert frame is not None
    return {claim.name: claim.holds for claim in frame.claims}


@pytest.mark.parametrize("activation", load(NAME).parameters.model_fields["activation"].annotation.__args__)  # type: ignore[union-attr]
@pytest.mark.parametrize("input_std", [0.1, 1.0, 4.0])
def test_samples_and_closed_forms_agree_with_the_integrals(activation: str, input_std: float) -> None:
    held = claims(activation=activation, input_std=input_std)
    assert held["second_moment"]
    assert held["mean"]
    assert held["closed_form"]


def test_what_the_framework_has_right() -> None:
    assert [claims(activation=name)["framework"] for name in ("relu", "leaky_relu", "linear")] == [True] * 3
    assert [claims(activation=name)["framework"] for name in ("tanh", "sigmoid", "selu")] == [False] * 3
    assert claims(activation="gelu")["framework"] is None


def test_who_normalises_itself() -> None:
    assert claims(activation="selu")["self_normalising"]
    assert claims(activation="formula", formula="1.4142135623730951*sin(x)/sqrt(1-exp(-2))")["self_normalising"]
    assert claims(activation="formula", formula="relu(x)")["self_normalising"] is False
    assert claims(activation="relu")["self_normalising"] is None


@pytest.mark.parametrize(
    ("formula", "activation"),
    [("max(x,0)", "relu"), ("x*(1+erf(x/sqrt(2)))/2", "gelu"), ("min(max(x,-1),1)", "hard_tanh"), ("x/(1+abs(x))", "softsign")],
)
def test_a_formula_gives_what_the_activation_gives(formula: str, activation: str) -> None:
    typed, known = measures(activation="formula", formula=formula), measures(activation=activation)
    for name in ("second_moment", "mean", "gain", "gradient_factor", "length_slope"):
        assert typed[name] == pytest.approx(known[name], rel=1e-10, abs=1e-14)


def test_kinks_off_zero_are_found() -> None:
    """E relu(x - a)² = (1 + a²) Φ(-a) - a φ(a)."""
    a = 0.7312
    tail, density = 0.5 * math.erfc(a / math.sqrt(2)), math.exp(-0.5 * a * a) / math.sqrt(2 * math.pi)
    got = measures(activation="formula", formula=f"relu(x-{a})")["second_moment"]
    assert got == pytest.approx((1 + a * a) * tail - a * density, rel=1e-12)


@pytest.mark.parametrize(
    "formula", ["log(x)", "sqrt(x)", "exp(x^2)", "exp(exp(x))", "0", "x-x", "x^-1", "9^9^9^9", "exp(x^2/4)"]
)
def test_a_formula_without_a_mean_square_is_refused_with_a_sentence(formula: str) -> None:
    with pytest.raises(LabError) as caught:
        measures(activation="formula", formula=formula)
    assert str(caught.value).count(".") >= 2


def test_a_formula_with_a_mistake_is_refused_at_its_place() -> None:
    with pytest.raises(UsageError, match="Write \\* between 2 and x at position 2"):
        validate(load(NAME).parameters, {"formula": "2x"})


def test_the_length_map_keeps_the_input() -> None:
    frame = run(NAME, activation="mish", samples=1000, layers=50).frame
    assert frame is not None
    np.testing.assert_allclose(frame.picture.lengths[2], 1, rtol=1e-6)
    assert frame.measures["length_slope"] > 1


# ---- functions that vary on other scales than one ----------------------------------------------------------------------


LOG_SQUARE = math.pi**2 / 8 + (0.5 * (np.euler_gamma + math.log(2))) ** 2


@pytest.mark.parametrize(
    ("formula", "second"),
    [
        ("exp(-1000*x^2)", 1 / math.sqrt(4001)),
        ("sin(30*x)", 0.5),
        ("log(abs(x))", LOG_SQUARE),
        ("step(x-10)", special.ndtr(-10.0)),
        ("sign(sin(50*x))", 1.0),
        ("abs(x)^0.1", 2**0.1 * math.gamma(0.6) / math.sqrt(math.pi)),
        ("exp(x)", math.exp(2)),
    ],
)
def test_integrals_of_fast_and_of_singular_formulas(formula: str, second: float) -> None:
    frame = run(NAME, activation="formula", formula=formula, samples=1000).frame
    assert frame is not None
    assert frame.measures["second_moment"] == pytest.approx(second, rel=1e-11)
    assert [claim.name for claim in frame.claims[:3] if claim.holds is False] == []
    assert frame.claims[2].holds


def test_a_steep_tanh_agrees_with_another_quadrature() -> None:
    """E tanh² (300 x) = 1 - E sech²; the second part lives within 0.1 of zero."""
    got = measures(activation="formula", formula="tanh(300*x)")["second_moment"]
    left, _ = integrate.quad(lambda x: math.cosh(300 * x) ** -2 * math.exp(-0.5 * x * x), 0, 0.15, epsabs=1e-15, limit=200)
    assert got == pytest.approx(1 - 2 * left / math.sqrt(2 * math.pi), rel=1e-11)


@pytest.mark.parametrize("input_std", [6.0, 18.0, 20.0])
def test_a_sine_of_a_wide_input_agrees_with_its_closed_form(input_std: float) -> None:
    held = claims(activation="sin", input_std=input_std)
    assert held["closed_form"]
    assert held["second_moment"]


def test_a_mean_square_that_does_not_settle_has_a_sentence_of_its_own() -> None:
    with pytest.raises(LabError, match="not resolved"):
        measures(activation="formula", formula="1/x")
    with pytest.raises(LabError, match="grows slower"):
        measures(activation="formula", formula="exp(x^2/4)")


def test_what_samples_cannot_tell_is_open_with_a_reason() -> None:
    heavy = run(NAME, activation="formula", formula="exp(x)", input_std=5.0, samples=1000).frame
    rare = run(NAME, activation="formula", formula="step(x-10)", samples=1000).frame
    assert heavy is not None
    assert rare is not None
    assert heavy.claims[0].holds is None
    assert rare.claims[0].holds is None
    assert "fourth" in str(heavy.claims[0].remark)
    assert "rare" in str(rare.claims[0].remark)


def test_an_integral_that_is_off_fails_its_claim() -> None:
    parameters = load(NAME).parameters(activation="tanh")
    activation = activation_of(parameters, Context(torch.device("cpu"), 0))
    known = exact(activation, 1.0, 5)
    found = {"sampled_second_moment": known.second, "sampled_mean": 0.0, "framework_gain": math.nan, "drawn": 1e6}
    assert [claim.holds for claim in check_claims(known, found, activation, 1.0)[:3]] == [True] * 3
    off = dataclasses.replace(known, second=known.second * (1 + 1e-9), fourth=known.fourth)
    assert check_claims(off, found, activation, 1.0)[2].holds is False
    found |= {"sampled_second_moment": 1.01 * known.second, "sampled_mean": 0.01}
    assert [claim.holds for claim in check_claims(known, found, activation, 1.0)[:2]] == [False] * 2
