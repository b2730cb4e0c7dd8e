"""The tower of real modules beside its theory."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np
import pytest
import torch

from engine.api import LabError, preset_parameters, run, run_with, validate
from engine.core.context import Context
from engine.core.drive import Run
from engine.core.frames import Frame
from engine.core.parameters import FieldSpec, field_specs
from engine.data.digits import unit_digits
from engine.labs.angles.propagation import EXPERIMENT, Parameters
from engine.labs.angles.propagation import state as propagation
from engine.labs.angles.propagation.bow_tie import measured_round_trip, round_trip_tolerance, tie_table
from engine.labs.angles.propagation.claims import check_claims
from engine.labs.angles.propagation.comparison import start
from engine.labs.angles.propagation.tower import Block, Design, preactivation_histogram, reading, widths
from engine.math.networks.activations import ACTIVATIONS
from engine.math.networks.mean_field import fixed_points

NAME = "angles.propagation"


def measures(**values) -> dict[str, float]:
    return dict(run(NAME, **{"depth": 10, "width": 256, **values}).measures)


def wrong(frame: Frame) -> list[str]:
    return [claim.name for claim in frame.claims if claim.holds is False]


def design(**values) -> Design:
    return Design(
        **{
            "activation": "linear",
            "rule": "fan_in",
            "variance_factor": 1.0,
            "bias_std": 0.0,
            "alpha": None,
            "normalisation": "none",
            "placement": "inner",
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
        {"activation": "relu", "residual": True, "alpha": 1.0, "normalisation": "rms", "placement": "pre"},
        {"activation": "tanh", "residual": True, "alpha": 1.0, "normalisation": "layer", "placement": "pre"},
        {"activation": "relu", "residual": True, "alpha": 1.0, "normalisation": "rms", "placement": "post"},
        {"activation": "gelu", "residual": True, "alpha": 0.7, "normalisation": "layer", "placement": "post"},
        {"activation": "relu", "normalisation": "layer", "placement": "pre"},
        {"activation": "relu", "normalisation": "rms", "placement": "post"},
        {"activation": "tanh", "residual": True, "alpha": 0.5, "waist": 0.5},
        {"activation": "relu", "residual": True, "alpha": 0.5, "waist": 0.25, "normalisation": "rms", "placement": "post"},
    ],
    ids=lambda values: "-".join(map(str, values.values())),
)
def test_no_claim_fails(values) -> None:
    for seed in range(3):
        frame = run(NAME, **{"depth": 10, "width": 256, "seed": seed, **values}).frame
        assert frame is not None
        assert wrong(frame) == []
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


def test_widths_of_a_bottleneck() -> None:
    assert widths(4, 100, 0.25, 64) == (64, 25, 100, 25, 100)
    assert widths(2, 8, 1.0, 8) == (8, 8, 8)


def test_readings() -> None:
    y = torch.tensor([[1.0, 0.0, 2.0], [1.0, 0.0, -2.0], [1.0, 0.0, 5.0]])
    moment, cosine, dead, log_norm, kept = reading(y, y.roll(1, 0)).tolist()
    assert moment == pytest.approx((3 + 4 + 4 + 25) / 9)
    assert cosine == pytest.approx(-3 / 5)
    assert dead == pytest.approx(2 / 3)
    assert log_norm == pytest.approx(math.log(5))
    assert kept == pytest.approx((11 / 130**0.5 - 3 / 5 - 9 / 130**0.5) / 3)
    assert math.isnan(reading(y, y[:, :2])[4])


def test_the_histogram_counts_what_it_shows() -> None:
    shares = preactivation_histogram(torch.tensor([0.01, 0.02, -3.99, 9.0, -9.0, math.nan, math.inf, 3.99]))
    assert shares.shape == (64,)
    np.testing.assert_allclose(shares.numpy()[[0, 32, 63]], [1 / 8, 2 / 8, 1 / 8])
    assert float(shares.sum()) == pytest.approx(4 / 8)


def test_a_residual_layer_that_changes_the_width_adds_to_a_random_projection() -> None:
    same = made(fan_in=64, fan_out=64, alpha=0.5)
    x = torch.randn(4, 64)
    assert torch.equal(same.after(x, torch.zeros(4, 64)), x)
    wider = made(fan_in=600, fan_out=900, alpha=0.5)
    x = torch.randn(400, 600)
    with torch.no_grad():
        kept = wider.after(x, torch.zeros(400, 900))
    spread = math.sqrt(2 / 900 + 2 / 400 / 600)  # of a mean over 400 squared lengths that share the projection, from above
    assert float(kept.square().mean() / x.square().mean()) == pytest.approx(1, abs=5 * spread)
    assert design(alpha=0.5).layer(64, 64).projection is None
    assert design(alpha=0.5).layer(64, 96).projection == 1.5
    assert design().layer(64, 96).projection is None


def test_digits_enter_a_residual_tower_of_another_width() -> None:
    values: dict[str, Any] = {"inputs": "digits", "residual": True, "activation": "linear", "variance_factor": 1.0, "depth": 13}
    for width in (96, 64):
        frame = run(NAME, **{**values, "width": width, "alpha": 0.5}).frame
        assert frame is not None
        assert frame.measures["theory_forward_gain"] == pytest.approx(1.25**13)
        assert wrong(frame) == []


@pytest.mark.parametrize(
    "values",
    [
        {"activation": "relu"},
        {"activation": "tanh", "variance_factor": 4.0, "bias_std": 0.1},
        {"activation": "linear", "variance_factor": 1.0},
        {"activation": "tanh", "residual": True, "alpha": 0.5},
        {"activation": "tanh", "residual": True, "alpha": 0.5, "waist": 0.5},
        {"activation": "relu", "normalisation": "rms"},
        {"activation": "relu", "residual": True, "alpha": 1.0, "normalisation": "rms", "placement": "pre"},
        {"activation": "relu", "residual": True, "alpha": 1.0, "normalisation": "layer", "placement": "post"},
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


def test_the_comparison_is_decided_by_the_start() -> None:
    result = run(NAME, depth=12, width=64, inputs="digits", training=True, updates=60)
    assert result.steps == 61
    assert result.measures["loss_chosen"] < 1.5 < result.measures["loss_half"]
    assert result.frame is not None
    assert result.frame.picture.losses.shape == (60, 3)


def test_a_comparison_of_giants_is_refused() -> None:
    context = Context(torch.device("cpu"), 0)
    with pytest.raises(LabError, match="too large"):
        start(design(), depth=60, width=4096, waist=1.0, context=context)


# ---- where the layer normalises ----------------------------------------------------------------------------------------


def test_pre_norm_keeps_the_input_by_a_power_and_post_norm_exponentially() -> None:
    """A linear branch of variance 1 beside its input: p grows by 1 a layer, or is divided by 2 at each."""
    values: dict[str, Any] = {"activation": "linear", "variance_factor": 1.0, "residual": True, "alpha": 1.0}
    for placement, share in (("pre", 1 / math.sqrt(11)), ("post", 2.0**-5)):
        known = measures(normalisation="rms", placement=placement, **values)
        assert known["theory_kept_input"] == pytest.approx(share, rel=1e-6)
        assert known["theory_forward_gain"] == pytest.approx(11 if placement == "pre" else 1, rel=1e-6)


def test_the_gradient_of_pre_norm_grows_as_the_depth_and_that_of_post_norm_stays() -> None:
    """Pre-Norm: a factor 1 + 1/p per layer with p = 1, 2, ..., together L + 1; Post-Norm: (1 + 1) / 2 per layer."""
    values: dict[str, Any] = {"activation": "linear", "variance_factor": 1.0, "residual": True, "alpha": 1.0}
    pre = measures(normalisation="rms", placement="pre", **values)
    post = measures(normalisation="rms", placement="post", **values)
    assert pre["theory_backward_gain"] == pytest.approx(11, rel=1e-6)
    assert post["theory_backward_gain"] == pytest.approx(1, rel=1e-6)


def test_batch_normalisation_has_one_place() -> None:
    assert design(normalisation="batch", placement="post").place == "inner"
    assert measures(normalisation="batch", placement="post") == pytest.approx(measures(normalisation="batch"), nan_ok=True)


# ---- the ends of all sliders -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "values",
    [
        {"depth": 200, "residual": True, "alpha": 2.0},
        {"depth": 120, "residual": True, "alpha": 4.0},
        {"depth": 200, "variance_factor": 16.0},
        {"depth": 200, "variance_factor": 0.01},
        {"depth": 200, "variance_factor": 0.01, "activation": "tanh"},
        {"depth": 200, "activation": "linear", "variance_factor": 16.0, "bias_std": 3.0},
    ],
    ids=lambda values: "-".join(map(str, values.values())),
)
def test_numbers_that_run_over_are_gaps_and_leave_claims_open(values: dict[str, Any]) -> None:
    frame = run(NAME, width=32, batch=8, **values).frame
    assert frame is not None
    assert wrong(frame) == []
    gain = frame.measures["theory_forward_gain"]
    assert math.isnan(gain) or 1e-100 < gain < 1e100


def test_an_orthogonal_linear_tower_has_no_variance_below_zero() -> None:
    frame = run(NAME, activation="linear", rule="orthogonal", depth=20, width=128, variance_factor=1.0, seed=112).frame
    assert frame is not None
    assert wrong(frame) == []


def limits(spec: FieldSpec) -> tuple[float, float]:
    assert spec.minimum is not None
    assert spec.maximum is not None
    return (1e-3 if spec.open_minimum else spec.minimum), spec.maximum


@pytest.mark.parametrize("seed", range(3))
def test_every_end_of_every_slider_gives_a_picture_or_a_sentence(seed: int) -> None:
    """Singly and in random pairs; no claim fails."""
    small = {"width": (8, 64), "depth": (1, 60), "batch": (4, 16), "updates": (1, 3)}
    base: dict[str, Any] = {"width": 64, "depth": 5, "batch": 8, "updates": 2}
    ends = [
        (spec.name, value)
        for spec in field_specs(Parameters)
        if spec.name not in ("seed", "dtype")
        for value in small.get(spec.name) or spec.choices or ((False, True) if spec.kind == "switch" else limits(spec))
    ]
    chosen = random.Random(seed)
    pairs = [dict(chosen.sample(ends, 2)) for _ in range(25)]
    for values in [*({name: value} for name, value in ends if seed == 0), *pairs]:
        frame = run(NAME, **{**base, **values, "seed": seed}).frame
        assert frame is not None
        assert wrong(frame) == [], values


# ---- errors are seen ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["forward", "backward", "correlation", "log_norm", "kept_input"])
def test_a_claim_fails_where_something_is_off(name: str) -> None:
    normed = {"normalisation": "rms", "placement": "pre"}
    parameters = validate(Parameters, {"depth": 6, "residual": True, "alpha": 1.0, "activation": "tanh", **normed})
    tower = Run(EXPERIMENT, parameters, Context(torch.device("cpu"), 0))
    tower.advance(tower.total or 0)
    known = dict(tower.observe().measures)
    sound = check_claims(known, tower._state, parameters, 0.05)
    assert [claim.name for claim in sound if claim.holds is False] == []
    factor, measure = {
        "forward": (2.0, "forward_gain"),
        "backward": (4.0, "backward_gain"),
        "correlation": (-1.0, "correlation_last"),
        "log_norm": (0.0, "log_norm"),
        "kept_input": (-1.0, "kept_input"),
    }[name]
    wrong_value = known[measure] * factor + (3.0 if factor == 0 else 0.0)
    broken = check_claims({**known, measure: wrong_value}, tower._state, parameters, 0.05)
    assert [claim.name for claim in broken if claim.holds is False] == [name]
