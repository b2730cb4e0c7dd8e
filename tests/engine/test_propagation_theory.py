"""Mean-field theory against closed forms and against random networks."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import integrate, special

from engine.math.networks.activations import ACTIVATIONS, SELU_ALPHA, SELU_SCALE, Activation
from engine.math.networks.fan_rules import RULES, bow_tie, fan_variance
from engine.math.networks.mean_field import (
    FixedPoint,
    chi,
    correlation_limit,
    correlation_map,
    edge_of_chaos,
    fixed_points,
    gain,
    length_map,
    length_slope,
    moments,
    pair_moment,
    phase_map,
)
from engine.math.networks.norm_walk import log_norm_drift, log_norm_variance, rectified_drift, rectified_variance
from engine.math.networks.signals import Layer, Signal, propagate
from engine.math.numerics.quadrature import gaussian_pair_mean
from engine.math.numerics.statistics import standard_error_of_mean, standard_error_of_variance, tolerance

RELU, TANH, ERF, SELU, GELU = (ACTIVATIONS[name] for name in ("relu", "tanh", "erf", "selu", "gelu"))
every_activation = pytest.mark.parametrize("activation", ACTIVATIONS.values(), ids=lambda each: each.name)


# ---- moments and gains -------------------------------------------------------------------------------------------------


def test_gains() -> None:
    assert gain(ACTIVATIONS["linear"]) == pytest.approx(1, abs=1e-14)
    assert gain(RELU) == pytest.approx(math.sqrt(2), abs=1e-14)
    assert gain(ACTIVATIONS["leaky_relu"]) == pytest.approx(math.sqrt(2 / 1.0001), abs=1e-14)
    assert gain(ACTIVATIONS["sigmoid"]) == pytest.approx(1 / math.sqrt(0.2933790), abs=1e-6)
    assert gain(TANH) == pytest.approx(1.592537, abs=5e-7)
    assert gain(SELU) == pytest.approx(1, abs=1e-14)
    assert gain(ERF) == pytest.approx((2 / math.pi * math.asin(2 / 3)) ** -0.5, abs=1e-13)
    assert gain(ACTIVATIONS["sin"]) == pytest.approx((0.5 * (1 - math.exp(-2))) ** -0.5, abs=1e-13)


@every_activation
def test_gains_are_those_of_another_quadrature(activation: Activation) -> None:
    def integrand(x: float) -> float:
        return float(activation.numpy(np.array(x)) ** 2) * math.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)

    second, _ = integrate.quad(integrand, -20, 20, points=[0.0, *activation.kinks], epsabs=1e-13, epsrel=1e-12, limit=400)
    assert gain(activation) == pytest.approx(second**-0.5, rel=1e-10)


def test_the_elu_integral_is_elementary() -> None:
    """E elu² = 1/2 + e² Φ(-2) - 2 √e Φ(-1) + 1/2."""
    second = 1 + math.exp(2) * special.ndtr(-2) - 2 * math.exp(0.5) * special.ndtr(-1)
    assert moments(ACTIVATIONS["elu"]).second == pytest.approx(second, rel=1e-13)


def test_the_selu_constants_are_those_of_torch() -> None:
    ends = torch.nn.functional.selu(torch.tensor([-200.0, 1.0], dtype=torch.float64)).tolist()
    assert pytest.approx(ends, rel=1e-12) == [-SELU_SCALE * SELU_ALPHA, SELU_SCALE]
    assert pytest.approx((1.0507, 1.6733), abs=5e-5) == (SELU_SCALE, SELU_ALPHA)


def test_selu_keeps_mean_and_second_moment() -> None:
    known = moments(SELU)
    assert known.mean == pytest.approx(0, abs=1e-14)
    assert known.second == pytest.approx(1, abs=1e-14)


@every_activation
@pytest.mark.parametrize("length", [0.1, 1.0, 5.0])
def test_growths_are_the_derivatives_of_the_moments(activation: Activation, length: float) -> None:
    h = 1e-4 * length
    drift = (moments(activation, length + h).mean - moments(activation, length - h).mean) / (2 * h)
    assert moments(activation, length).mean_growth == pytest.approx(drift, rel=1e-6, abs=1e-9)
    slope = (moments(activation, length + h).second - moments(activation, length - h).second) / (2 * h)
    assert moments(activation, length).growth == pytest.approx(slope, rel=1e-6)


def test_moments_at_length_zero() -> None:
    assert moments(ACTIVATIONS["sigmoid"], 0.0).second == 0.25
    assert moments(TANH, 0.0).slope == 1


@pytest.mark.parametrize("name", ["relu", "leaky_relu", "linear", "erf"])
@pytest.mark.parametrize("c", [-1.0, -0.3, 0.0, 0.9, 1.0])
def test_closed_forms_of_pairs_agree_with_quadrature(name: str, c: float) -> None:
    each = ACTIVATIONS[name]
    expected = gaussian_pair_mean(each.numpy, each.numpy, (0.4, 3.0), c, each.kinks)
    assert pair_moment(each, (0.4, 3.0), c) == pytest.approx(expected, abs=1e-12)


# ---- maps --------------------------------------------------------------------------------------------------------------


def test_relu_keeps_or_halves_lengths() -> None:
    assert length_map(3.0, RELU, 1.0, 0.0) == pytest.approx(1.5, rel=1e-13)
    assert length_map(3.0, RELU, 2.0, 0.25) == pytest.approx(3.25, rel=1e-13)
    assert fixed_points(RELU, 2.0, 0.0) == ()
    (only,) = fixed_points(RELU, 1.0, 0.5)
    assert only.length == pytest.approx(1.0, rel=1e-12)
    assert only.chi == pytest.approx(0.5)


def test_tanh_decays_as_one_over_twice_the_depth() -> None:
    length = 1.0
    for _ in range(3000):
        length = length_map(length, TANH, 1.0, 0.0)
    assert length * 2 * 3000 == pytest.approx(1, rel=0.01)


@every_activation
def test_the_gain_makes_one_a_fixed_point(activation: Activation) -> None:
    weight = gain(activation) ** 2
    assert length_map(1.0, activation, weight, 0.0) == pytest.approx(1, abs=1e-13)
    found = [point for point in fixed_points(activation, weight, 0.0) if abs(point.length - 1) < 1e-9]
    assert len(found) == (0 if activation.homogeneous else 1)


def test_gelu_is_pushed_away_from_one_and_tanh_is_drawn_to_it() -> None:
    assert length_slope(1.0, GELU, gain(GELU) ** 2) > 1
    assert length_slope(1.0, TANH, gain(TANH) ** 2) < 1


@pytest.mark.parametrize(
    ("name", "weight", "bias"), [("tanh", 1.7, 0.1), ("erf", 3.0, 0.0), ("selu", 0.8, 0.3), ("sigmoid", 9.0, 0.2)]
)
def test_fixed_points_are_fixed_and_classified(name: str, weight: float, bias: float) -> None:
    activation = ACTIVATIONS[name]
    points = fixed_points(activation, weight, bias)
    assert points
    for point in points:
        assert length_map(point.length, activation, weight, bias) == pytest.approx(point.length, rel=1e-10)
        assert point.chi == pytest.approx(chi(point.length, activation, weight))
        h = 1e-5 * point.length
        moved = length_map(point.length + h, activation, weight, bias) - length_map(point.length - h, activation, weight, bias)
        assert point.slope == pytest.approx(moved / (2 * h), rel=1e-5)
        assert point.stable == (point.slope < 1)


def test_chi_is_the_slope_of_the_correlation_map_at_one() -> None:
    (point,) = fixed_points(TANH, 1.7, 0.1)
    c = 1 - 1e-6
    after = correlation_map(c, (point.length, point.length), TANH, 1.7, 0.1)
    assert (1 - after) / (1 - c) == pytest.approx(point.chi, rel=1e-4)


@pytest.mark.parametrize(("weight", "chaotic"), [(1.3, False), (4.0, True)])
def test_where_angles_end(weight: float, chaotic: bool) -> None:
    (point,) = fixed_points(TANH, weight, 0.09)
    end = correlation_limit(point, TANH, weight, 0.09)
    assert (end < 1) == chaotic
    c = 0.6
    for _ in range(300):
        c = correlation_map(c, (point.length, point.length), TANH, weight, 0.09)
    assert c == pytest.approx(end, abs=1e-5)


def test_relu_correlation_map_is_the_arccos_kernel() -> None:
    c = 0.35
    expected = (math.sqrt(1 - c * c) + (math.pi - math.acos(c)) * c) / math.pi
    assert correlation_map(c, (2.0, 2.0), RELU, 2.0, 0.0) == pytest.approx(expected, abs=1e-13)


def test_the_edge_of_chaos_is_where_chi_is_one() -> None:
    bias, weight = edge_of_chaos(TANH, np.logspace(-6, 1, 15))
    assert len(bias) == 15
    assert bias[0] == pytest.approx(0, abs=1e-4)
    assert weight[0] == pytest.approx(1, abs=1e-4)
    for b, w in zip(bias[5:], weight[5:], strict=True):
        (point,) = fixed_points(TANH, w * w, b * b)
        assert point.chi == pytest.approx(1, abs=1e-8)
    bias, weight = edge_of_chaos(RELU, [0.5, 1.0, 2.0])
    np.testing.assert_allclose(bias, 0, atol=1e-7)
    np.testing.assert_allclose(weight, math.sqrt(2))


def test_the_phase_map_agrees_with_fixed_points() -> None:
    weights, biases = np.array([0.8, 1.5, 3.0]), np.array([0.01, 0.5])
    table = phase_map(TANH, weights, biases)
    assert table.shape == (2, 3)
    for i, bias in enumerate(biases):
        for j, weight in enumerate(weights):
            (point,) = fixed_points(TANH, weight, bias)
            assert table[i, j] == pytest.approx(math.log(point.chi), abs=1e-3)
    np.testing.assert_allclose(phase_map(RELU, [1.0, 2.0, 3.0], [0.0])[0], np.log([0.5, 1.0, 1.5]), atol=1e-9)


def test_a_fixed_point_knows_its_phase() -> None:
    assert FixedPoint(1.0, 0.5, 1.2).stable
    assert correlation_limit(FixedPoint(1.0, 0.5, 0.9), TANH, 1.0, 0.0) == 1.0


# ---- a tower against random networks -----------------------------------------------------------------------------------

WIDTH, NETS = 400, 60


def simulate(layers: list[Layer], seed: int, batch: int = 2, nets: int = NETS) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Second moments, overlaps of the first two inputs, and squared gradients, averaged over units; shapes (nets,)."""
    noise = np.random.default_rng(seed)
    results = []
    for _ in range(nets):
        shared, own = noise.standard_normal(WIDTH), noise.standard_normal((batch, WIDTH))
        x = own
        x[:2] = math.sqrt(0.5) * shared + math.sqrt(0.5) * own[:2]
        tape = []
        for layer in layers:
            weights = noise.standard_normal((WIDTH, WIDTH)) * math.sqrt(layer.weight_variance / WIDTH)
            z = x @ weights.T + math.sqrt(layer.bias_variance) * noise.standard_normal(WIDTH)
            scale = 1.0
            if layer.normalisation == "rms":
                scale = np.sqrt((z**2).mean(axis=1, keepdims=True))
            elif layer.normalisation == "layer":
                z, scale = z - z.mean(axis=1, keepdims=True), z.std(axis=1, keepdims=True)
            elif layer.normalisation == "batch":
                z, scale = z - z.mean(axis=0), z.std(axis=0)
            y = layer.activation.numpy(z / scale)
            tape.append((weights, z / scale, np.broadcast_to(scale, z.shape)))
            x = y if layer.alpha is None else x + layer.alpha * y
        gradient = noise.standard_normal((batch, WIDTH))
        start = (gradient**2).mean()
        for (weights, z, scale), layer in zip(reversed(tape), reversed(layers), strict=True):
            through = gradient * layer.activation.derivative(z)
            if layer.normalisation in ("rms", "layer"):
                mean = through.mean(axis=1, keepdims=True) if layer.normalisation == "layer" else 0.0
                through = (through - mean - z * (through * z).mean(axis=1, keepdims=True)) / scale
            elif layer.normalisation == "batch":
                through = (through - through.mean(axis=0) - z * (through * z).mean(axis=0)) / scale
            through = through @ weights
            gradient = through if layer.alpha is None else gradient + layer.alpha * through
        results.append(((x[:2] ** 2).mean(), (x[0] * x[1]).mean(), (gradient**2).mean() / start))
    return tuple(np.array(results).T)


def theory(layers: list[Layer]) -> tuple[Signal, float]:
    signal, backward = Signal(1.0, 0.5), 1.0
    for layer in layers:
        passage = propagate(signal, layer)
        signal, backward = passage.after, backward * passage.backward
    return signal, backward


@pytest.mark.parametrize(
    "layer",
    [
        Layer(RELU, 2.0, 2.0),
        Layer(TANH, 1.5, 1.5, 0.2),
        Layer(ACTIVATIONS["sigmoid"], 4.0, 4.0, 0.1),
        Layer(GELU, 2.0, 2.0, 0.1, normalisation="rms"),
        Layer(SELU, 3.0, 3.0, 0.0, normalisation="layer"),
        Layer(TANH, 1.0, 1.0, 0.05, alpha=0.5),
        Layer(RELU, 2.0, 2.0, 0.0, alpha=0.3),
        Layer(GELU, 2.0, 2.0, 0.0, alpha=0.7, normalisation="rms"),
    ],
    ids=lambda layer: f"{layer.activation.name}-{layer.normalisation}-{layer.alpha}",
)
def test_a_tower_follows_the_theory(layer: Layer) -> None:
    """Finite width shifts the mean by an order of depth / width, on top of what chance explains."""
    layers = [layer] * 4
    signal, backward = theory(layers)
    measured = simulate(layers, seed=3)
    for values, expected in zip(measured, (signal.moment, signal.overlap, backward), strict=True):
        chance = tolerance(standard_error_of_mean(float(values.var(ddof=1)), NETS))
        finite = 3 * len(layers) / WIDTH * abs(expected)
        assert abs(values.mean() - expected) < chance + finite


def test_batch_normalisation_follows_the_theory_of_large_batches() -> None:
    layers = [Layer(RELU, 2.0, 2.0, 0.0, normalisation="batch")] * 3
    signal, backward = theory(layers)
    moment, overlap, gradient = simulate(layers, seed=4, batch=400, nets=12)
    for values, expected in ((moment, signal.moment), (overlap, signal.overlap), (gradient, backward)):
        assert values.mean() == pytest.approx(expected, rel=0.05)
    assert propagate(Signal(0.5, 0.2, 1 / (2 * math.pi)), layers[0]).backward == pytest.approx(math.pi / (math.pi - 1))


def test_a_batch_of_equal_examples_cannot_be_normalised() -> None:
    assert math.isnan(propagate(Signal(1.0, 1.0, 1.0), Layer(RELU, 2.0, 2.0, normalisation="batch")).length)


# ---- rectangular layers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("m", "n"), [(400, 100), (64, 512), (77, 77)])
def test_the_bow_tie_table(m: int, n: int) -> None:
    table = {rule: bow_tie(rule, m, n) for rule in RULES}
    assert table["fan_in"].forward == 1
    assert table["fan_in"].backward == pytest.approx(n / m)
    assert table["fan_out"].backward == 1
    assert table["fan_out"].forward == pytest.approx(m / n)
    assert table["average"].round_trip == pytest.approx(4 * m * n / (m + n) ** 2)
    assert table["geometric"].forward == pytest.approx(math.sqrt(m / n))
    assert table["geometric"].backward == pytest.approx(math.sqrt(n / m))
    assert table["quadratic"].round_trip == pytest.approx(m * n * (m + n) ** 2 / (m * m + n * n) ** 2)
    for rule in ("fan_in", "fan_out", "geometric"):
        assert table[rule].round_trip == pytest.approx(1)
        assert table[rule].round_trip_backward == pytest.approx(1)
    for each in table.values():
        assert each.round_trip == pytest.approx(each.forward * each.forward_return)
        assert each.round_trip_backward == pytest.approx(each.backward * each.backward_return)
        assert each.round_trip <= 1 + 1e-12


def test_the_order_of_the_compromises() -> None:
    for m, n in ((2, 9), (300, 100), (5, 5)):
        geometric, average, quadratic = (1 / fan_variance(rule, m, n) for rule in ("geometric", "average", "quadratic"))
        assert quadratic >= average * (1 - 1e-12) >= geometric * (1 - 1e-12)


def test_the_quadratic_rule_minimises_both_errors() -> None:
    m, n = 300, 70
    best = fan_variance("quadratic", m, n)

    def error(t: float) -> float:
        return (m * t - 1) ** 2 + (n * t - 1) ** 2

    assert error(best) < min(error(best * 1.001), error(best * 0.999))


def test_an_unknown_rule_is_refused() -> None:
    with pytest.raises(ValueError, match="no rule"):
        fan_variance("xavier", 3, 4)


# ---- drift of the norm -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [8, 100, 4096])
def test_drift_and_spread_of_the_logarithm(width: int) -> None:
    count = 200_000
    values = np.log(np.random.default_rng(width).chisquare(width, count) / width)
    drift, spread = log_norm_drift(width), log_norm_variance(width)
    fourth = float(special.polygamma(3, width / 2)) + 3 * spread**2
    assert abs(values.mean() - drift) < tolerance(standard_error_of_mean(spread, count))
    assert abs(values.var(ddof=1) - spread) < tolerance(standard_error_of_variance(spread, fourth, count))
    assert drift == pytest.approx(-1 / width, rel=2 / width)
    assert spread == pytest.approx(2 / width, rel=2 / width)


def test_a_typical_square_at_depth_and_width_100() -> None:
    assert 100 * log_norm_drift(100) == pytest.approx(-1, abs=0.01)
    assert 100 * log_norm_variance(100) == pytest.approx(2, abs=0.03)


@pytest.mark.parametrize("width", [16, 100, 1000])
def test_drift_and_spread_behind_a_rectifier(width: int) -> None:
    count = 20_000
    noise = np.random.default_rng(width)
    values = np.log(2 * noise.chisquare(np.maximum(1, noise.binomial(width, 0.5, count))) / width)
    drift, spread = rectified_drift(width), rectified_variance(width)
    fourth = float(((values - values.mean()) ** 4).mean())
    assert abs(values.mean() - drift) < tolerance(standard_error_of_mean(spread, count))
    assert abs(values.var(ddof=1) - spread) < tolerance(standard_error_of_variance(spread, fourth, count))
    assert drift == pytest.approx(-2.5 / width, rel=10 / width)
    assert spread == pytest.approx(5 / width, rel=10 / width)
