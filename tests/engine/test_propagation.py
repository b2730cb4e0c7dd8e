"""The tower of real modules beside its theory."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from engine.api import LabError, preset_parameters, run, run_with, validate
from engine.core.context import Context
from engine.core.drive import Run
from engine.data.digits import unit_digits
from engine.labs.angles.propagation import EXPERIMENT, Parameters
from engine.labs.angles.propagation import experiment as propagation
from engine.labs.angles.propagation.bow_tie import measured_round_trip, round_trip_tolerance, tie_table
from engine.labs.angles.propagation.race import start
from engine.labs.angles.propagation.tower import Block, Design, layer_of, reading, ridge, widths
from engine.math.networks.activations import ACTIVATIONS
from engine.math.networks.mean_field import fixed_points

NAME = "angles.propagation"


def measures(**values) -> dict[str, float]:
    return dict(run(NAME, **{"depth": 10, "width": 256, **values}).measures)


def design(**values) -> Design:
    return Design(
        **{
            "activation": "linear",
            "rule": "fan_in",
            "variance_factor": 1.0,
            "bias_std": 0.0,
            "alpha": None,
            "normalisation": "none",
            "scaling": "standard",
            "dtype": "float32",
            **values,
        }
    )


def made(seed: int = 0, fan_in: int = 300, fan_out: int = 200, **values) -> Block:
    return Block(design(**values), fan_in, fan_out, torch.Generator().manual_seed(seed))


def test_theory_of_plain_towers() -> None:
    assert measures(activation="relu", variance_factor=1.0)["theory_forward_gain"] == pytest.approx(2.0**-10, rel=1e-9)
    assert measures(activation="relu", variance_factor=2.0)["theory_backward_gain"] == pytest.approx(1, rel=1e-9)
    linear = measures(activation="linear", variance_factor=1.0)
    assert linear["theory_correlation_last"] == pytest.approx(0.5, abs=1e-6)


@pytest.mark.parametrize(
    "values",
    [
        {"activation": "relu"},
        {"activation": "tanh", "variance_factor": 1.7, "bias_std": 0.2},
        {"activation": "gelu", "residual": True, "alpha": 0.4},
        {"activation": "silu", "normalisation": "rms"},
        {"activation": "selu", "normalisation": "layer", "variance_factor": 0.5},
        {"activation": "relu", "waist": 0.25, "rule": "geometric"},
        {"activation": "tanh", "rule": "orthogonal", "variance_factor": 1.5},
        {"activation": "elu", "inputs": "digits", "variance_factor": 1.3},
        {"activation": "relu", "normalisation": "batch", "batch": 512, "depth": 4},
        {"activation": "relu", "dtype": "bfloat16"},
    ],
    ids=lambda values: "-".join(map(str, values.values())),
)
def test_no_claim_fails(values) -> None:
    frame = run(NAME, **{"depth": 10, "width": 256, **values}).frame
    assert frame is not None
    assert [claim.name for claim in frame.claims if claim.holds is False] == []
    assert frame.claims[0].holds


def test_both_scalings_are_the_same_function() -> None:
    one, other = (measures(scaling=scaling, bias_std=0.3, activation="tanh") for scaling in ("standard", "ntk"))
    for name in ("forward_gain", "backward_gain", "correlation_last"):
        assert one[name] == pytest.approx(other[name], rel=1e-4)


def test_orthogonal_towers_are_isometries() -> None:
    known = measures(rule="orthogonal", activation="linear", variance_factor=1.0)
    assert known["forward_gain"] == pytest.approx(1, abs=1e-4)
    assert known["log_norm"] == pytest.approx(0, abs=1e-4)
    assert known["correlation_last"] == pytest.approx(0.5, abs=1e-4)


def test_precision_ends_at_its_layer() -> None:
    values = measures(dtype="float16", activation="linear", variance_factor=0.05, depth=40)
    assert 0 < values["underflow_layer"] <= 20
    values = measures(dtype="float16", activation="linear", variance_factor=16.0, depth=40)
    assert 0 < values["overflow_layer"] <= 10
    assert math.isnan(values["forward_gain"])


@pytest.mark.parametrize(("rule", "variance"), [("fan_in", 1 / 300), ("fan_out", 1 / 200), ("orthogonal", 1 / 300)])
def test_weights_have_the_variance_of_the_rule(rule: str, variance: float) -> None:
    weights = made(rule=rule, variance_factor=3.0).linear.weight.detach()
    assert float(weights.var()) == pytest.approx(3 * variance, rel=0.03)


def test_the_same_layer_twice_is_the_same_layer() -> None:
    x = torch.randn(5, 300)
    assert torch.equal(made(4)(x), made(4)(x))
    assert not torch.equal(made(4)(x), made(5)(x))


def test_widths_of_a_waist() -> None:
    assert widths(4, 100, 0.25, 64) == (64, 25, 100, 25, 100)
    assert widths(2, 8, 1.0, 8) == (8, 8, 8)


def test_readings() -> None:
    y = torch.tensor([[1.0, 0.0, 2.0], [1.0, 0.0, -2.0], [1.0, 0.0, 5.0]])
    moment, cosine, dead, log_norm = reading(y).tolist()
    assert moment == pytest.approx((3 + 4 + 4 + 25) / 9)
    assert cosine == pytest.approx(-3 / 5)
    assert dead == pytest.approx(2 / 3)
    assert log_norm == pytest.approx(math.log(5))


def test_the_ridge_counts_what_it_shows() -> None:
    shares = ridge(torch.tensor([0.01, 0.02, -3.99, 9.0, -9.0, math.nan, math.inf, 3.99]))
    assert shares.shape == (64,)
    np.testing.assert_allclose(shares.numpy()[[0, 32, 63]], [1 / 8, 2 / 8, 1 / 8])
    assert float(shares.sum()) == pytest.approx(4 / 8)


def test_a_residual_tower_has_no_waist() -> None:
    with pytest.raises(LabError, match="nothing to add"):
        run(NAME, residual=True, waist=0.5)


def test_a_layer_that_changes_the_width_is_plain() -> None:
    assert made(fan_in=64, fan_out=64, alpha=0.5).alpha == 0.5
    plain = made(fan_in=64, fan_out=96, alpha=0.5)
    assert plain.alpha is None
    x = torch.randn(4, 64)
    assert torch.equal(plain(x), plain.after(x, plain.before(x)))
    assert layer_of(design(alpha=0.5), 64, 64).alpha == 0.5
    assert layer_of(design(alpha=0.5), 64, 96).alpha is None


def test_digits_enter_a_residual_tower_of_another_width() -> None:
    """The first layer is a plain linear one, which keeps lengths; the twelve behind it add to their inputs."""
    values: dict[str, Any] = {"inputs": "digits", "residual": True, "activation": "linear", "variance_factor": 1.0, "depth": 13}
    for width, layers in ((96, 12), (64, 13)):
        frame = run(NAME, **{**values, "width": width, "alpha": 0.5}).frame
        assert frame is not None
        assert frame.measures["theory_forward_gain"] == pytest.approx(1.25**layers)
        assert [claim.name for claim in frame.claims if claim.holds is False] == []


@pytest.mark.parametrize(
    "values",
    [
        {"activation": "relu"},
        {"activation": "tanh", "variance_factor": 4.0, "bias_std": 0.1},
        {"activation": "linear", "variance_factor": 1.0},
        {"activation": "tanh", "residual": True, "alpha": 0.5},
    ],
    ids=lambda values: "-".join(map(str, values.values())),
)
def test_the_predicted_spread_of_a_gradient_is_that_of_many_networks(values: dict[str, Any]) -> None:
    """To first order and from above: not less than what networks show, and not many times as much."""
    logs, predicted = [], 0.0
    for seed in range(24):
        parameters = validate(Parameters, {"depth": 12, "width": 64, "batch": 32, "seed": seed, **values})
        towers = Run(EXPERIMENT, parameters, Context(torch.device("cpu"), seed))
        towers.advance(towers.total or 0)
        logs.append(math.log(towers.observe().measures["backward_gain"]))
        predicted = towers._state.theory.backward_spread
    measured = float(np.std(logs, ddof=1))
    assert 0.7 * measured < predicted < 6 * measured


def test_every_rule_goes_there_and_back_as_the_table_says() -> None:
    for waist in (0.25, 3.0):
        parameters = Parameters(width=200, waist=waist)
        for seed in range(5):
            measured = measured_round_trip(parameters, Context(torch.device("cpu"), seed))
            exact = tie_table(parameters)[:, 4]
            np.testing.assert_allclose(measured, exact, rtol=round_trip_tolerance(parameters))


def test_a_tower_too_large_to_keep_is_the_same_tower(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = measures(activation="tanh", width=64)
    monkeypatch.setattr(propagation, "KEPT", 0)
    assert measures(activation="tanh", width=64) == pytest.approx(kept, nan_ok=True)


def test_presets_are_what_their_titles_say() -> None:
    vanishing, orthogonal, edge = (preset_parameters(NAME, name) for name in ("vanishing", "orthogonal", "edge"))
    assert run_with(NAME, vanishing).measures["theory_forward_gain"] == pytest.approx(2.0**-50)
    assert run_with(NAME, orthogonal).measures["log_norm"] == pytest.approx(0, abs=1e-4)
    weight, bias = edge.variance_factor, edge.bias_std**2  # type: ignore[attr-defined]
    (point,) = fixed_points(ACTIVATIONS["tanh"], weight, bias)
    assert point.chi == pytest.approx(1, abs=1e-3)


def test_where_float16_ends_is_said() -> None:
    frame = run(NAME, dtype="float16", activation="relu", variance_factor=0.05, depth=20, width=32).frame
    assert frame is not None
    assert "format" in str(frame.claims[0].remark)
    assert frame.claims[0].holds is None


def test_digits_have_second_moment_one() -> None:
    images, labels = unit_digits()
    assert images.shape == (1797, 64)
    np.testing.assert_allclose(images.square().mean(dim=1), 1, rtol=1e-5)
    assert sorted(labels.unique().tolist()) == list(range(10))


def test_the_race_is_decided_by_the_start() -> None:
    result = run(NAME, depth=12, width=64, inputs="digits", training=True, updates=60)
    assert result.steps == 61
    assert result.measures["loss_chosen"] < 1.5 < result.measures["loss_half"]
    assert result.frame is not None
    assert result.frame.picture.losses.shape == (60, 3)


def test_a_race_of_giants_is_refused() -> None:
    context = Context(torch.device("cpu"), 0)
    with pytest.raises(LabError, match="too large"):
        start(design(), depth=60, width=4096, waist=1.0, context=context)
