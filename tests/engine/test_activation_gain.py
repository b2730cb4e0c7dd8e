"""The experiment on gains: its numbers, its claims, and formulas that cannot be taken."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from engine.api import LabError, UsageError, load, run, validate

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
