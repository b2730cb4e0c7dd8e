"""Energies of the plane against formulas written down a second time, autograd, Hessians and what was published."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from engine.api import load_toml
from engine.math.energies.base import RARE, centres, local_minima, widened
from engine.math.energies.mixtures import Mixture, Pinwheel
from engine.math.energies.mueller_brown import MUELLER_BROWN, MuellerBrown
from engine.math.energies.painted import HALF, MOST, Painted, strokes
from engine.math.energies.registry import ENERGIES, Energy, EnergyError, chunks, energy, gradient_of

STROKES = ((1.0, 1.0, -4.0, 0.5), (-1.0, 1.2, -3.0, 0.3), (0.2, -1.0, 2.0, 0.8), (-4.2, 0.0, 3.0, 1.0))
TYPED = "(x^2+y-11)^2/20 + (x+y^2-7)^2/20"
EVERY = [
    energy("gaussian", sigma=0.7),
    energy("correlated_gaussian", sigma=1.3, correlation=-0.6),
    energy("correlated_gaussian"),
    energy("double_well", barrier=3.0),
    *(energy(name, formula=TYPED, painted=STROKES) for name in list(ENERGIES)[3:]),
]
NAMED = [each for each in EVERY if each.name != "painted"]
every = pytest.mark.parametrize("surface", EVERY, ids=lambda each: each.name)


def second_time(surface: Energy, points: Tensor) -> Tensor:
    """U once more, as in the books."""
    x, y = points
    normal = torch.distributions.MultivariateNormal
    match surface.name:
        case "gaussian":
            return (x**2 + y**2) / (2 * 0.7**2)
        case "correlated_gaussian":
            rho, sigma = surface.correlation, surface.sigma  # type: ignore[attr-defined]
            return (x**2 - 2 * rho * x * y + y**2) / (2 * sigma**2 * (1 - rho**2))
        case "double_well":
            return 3.0 * (x**2 - 1) ** 2 + y**2 / 2
        case "mixture":
            turns = [2 * math.pi * k / 8 for k in range(8)]
            parts = [
                normal(
                    torch.tensor([3 * math.cos(a), 3 * math.sin(a)], dtype=torch.float64),
                    0.16 * torch.eye(2, dtype=torch.float64),
                )
                for a in turns
            ]
            return -torch.stack([part.log_prob(points.movedim(0, -1)) for part in parts]).logsumexp(0) + math.log(8)
        case "ring":
            return (torch.hypot(x, y) - 2) ** 2 / (2 * 0.3**2)
        case "banana":
            return x**2 / 4.5 + 2 * (y - 0.3 * (x**2 - 2.25)) ** 2
        case "funnel":
            return -normal(torch.zeros(1).double(), 1.44 * torch.eye(1, dtype=torch.float64)).log_prob(y[..., None]) + (
                x**2 * torch.exp(-y) / 2 + y / 2 - math.log(math.sqrt(2 * math.pi) * 1.2)
            )
        case "mueller_brown":
            terms = (
                h * torch.exp(a * (x - p) ** 2 + b * (x - p) * (y - q) + c * (y - q) ** 2) for h, a, b, c, p, q in MUELLER_BROWN
            )
            return sum(terms) / 20  # type: ignore[return-value]
        case "pinwheel":
            radius = torch.hypot(x, y)
            angle = torch.atan2(y, x) - 0.7 * radius
            w = radius * torch.cos(angle), radius * torch.sin(angle)
            arms = []
            for k in range(5):
                a = torch.tensor(2 * math.pi * k / 5, dtype=torch.float64)
                along, across = w[0] * torch.cos(a) + w[1] * torch.sin(a), w[1] * torch.cos(a) - w[0] * torch.sin(a)
                arms.append(-((along - 2) ** 2) / (2 * 0.6**2) - across**2 / (2 * 0.28**2))
            return -torch.stack(arms).logsumexp(0) + math.log(5 * 2 * math.pi * 0.6 * 0.28)
        case "formula":
            return (x**2 + y - 11) ** 2 / 20 + (x + y**2 - 7) ** 2 / 20
    bumps = sum(h * torch.exp(-((x - p) ** 2 + (y - q) ** 2) / (2 * r**2)) for p, q, h, r in STROKES)
    return 2 * (torch.hypot(x, y) - 2.75).clamp(min=0) ** 2 + bumps


def somewhere(surface: Energy, count: int = 4000, seed: int = 0) -> Tensor:
    """Points in the window and a little beyond."""
    x_low, x_high, y_low, y_high = surface.window
    share = torch.rand(2, count, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)) * 1.2 - 0.1
    return torch.stack((x_low + (x_high - x_low) * share[0], y_low + (y_high - y_low) * share[1]))


@every
def test_value_and_gradient_are_those_of_the_book(surface: Energy) -> None:
    points = somewhere(surface).requires_grad_()
    value = second_time(surface, points)
    gradient = torch.autograd.grad(value.sum(), points)[0]
    points = points.detach()
    rough = surface.name == "painted"  # between the places of its table it is a spline
    if rough:
        inside = points.abs().amax(0) < HALF
        points, value, gradient = points[:, inside], value[inside], gradient[:, inside]
    close = {"rtol": 1e-9, "atol": 1e-3 if rough else 1e-9}
    torch.testing.assert_close(surface.value(points), value.detach(), **close)
    torch.testing.assert_close(surface.gradient(points), gradient, rtol=1e-9, atol=5e-2 if rough else 1e-9)
    for found, one in zip(surface.value_and_gradient(points), (surface.value(points), surface.gradient(points)), strict=True):
        torch.testing.assert_close(found, one, rtol=1e-12, atol=1e-12)


@every
@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_the_gradient_is_the_slope_of_the_value(surface: Energy, seed: int) -> None:
    points, h = somewhere(surface, 50, seed), 1e-6
    for axis in (0, 1):
        step = torch.zeros(2, 1, dtype=torch.float64)
        step[axis] = h
        slope = (surface.value(points + step) - surface.value(points - step)) / (2 * h)
        scale = surface.gradient(points).abs().max()
        torch.testing.assert_close(surface.gradient(points)[axis], slope, rtol=1e-5, atol=float(1e-5 * (1 + scale)))


@every
def test_shapes_types_and_untouched_points(surface: Energy) -> None:
    points = somewhere(surface, 24).reshape(2, 3, 2, 4).float()
    before = points.clone()
    value, gradient = surface.value_and_gradient(points)
    assert value.shape == (3, 2, 4) == surface.value(points).shape
    assert gradient.shape == points.shape == surface.gradient(points).shape
    assert value.dtype == gradient.dtype == torch.float32
    assert gradient.data_ptr() != points.data_ptr()
    torch.testing.assert_close(points, before, rtol=0, atol=0)
    wide = surface.value_and_gradient(before.double())
    torch.testing.assert_close(value.double(), wide[0], rtol=2e-4, atol=2e-4)
    torch.testing.assert_close(gradient.double(), wide[1], rtol=1e-3, atol=2e-3)
    with torch.inference_mode():
        torch.testing.assert_close(surface.gradient(points.clone()), gradient)


@every
def test_parts_of_a_tensor_and_the_origin(surface: Energy) -> None:
    points = somewhere(surface, 101).float()
    apart = torch.stack([points[:, :50], points[:, 50:100]], dim=1)  # neither row contiguous with the next
    torch.testing.assert_close(surface.gradient(points[:, :50]), surface.gradient(apart)[:, 0])
    assert surface.gradient(points[:, :0]).shape == (2, 0)
    for dtype in (torch.float32, torch.float64):
        value, gradient = surface.value_and_gradient(torch.zeros(2, 1, dtype=dtype))
        assert torch.isfinite(value).all()
        assert torch.isfinite(gradient).all()


@every
def test_what_an_energy_promises(surface: Energy) -> None:
    assert isinstance(surface, Energy)
    assert surface.name in ENERGIES
    assert surface.latex.count("{") == surface.latex.count("}")
    low_x, high_x, low_y, high_y = surface.window
    assert low_x < high_x
    assert low_y < high_y
    assert all(low_x < x < high_x and low_y < y < high_y for x, y in surface.modes)
    assert hash(surface) == hash(surface)


@pytest.mark.parametrize("surface", NAMED, ids=lambda each: each.name)
@pytest.mark.parametrize("temperature", [0.5, 1.0])
def test_curvature_is_the_largest_hessian_eigenvalue_where_there_is_mass(surface: Energy, temperature: float) -> None:
    points = centres(widened(surface.window, 1.6), 500).reshape(2, -1)
    value = second_time(surface, points)
    points = points[:, value < value.min() - temperature * math.log(RARE)].requires_grad_()
    gradient = torch.autograd.grad(second_time(surface, points).sum(), points, create_graph=True)[0]
    rows = [torch.autograd.grad(gradient[axis].sum(), points, retain_graph=True)[0] for axis in (0, 1)]
    hessian = torch.stack(rows).permute(2, 0, 1)
    on_grid = float(torch.linalg.eigvalsh(hessian).max())  # a little low where it is largest at the edge
    assert 0.97 * on_grid < surface.curvature(temperature) < 1.08 * on_grid


def test_equal_numbers_are_equal_energies() -> None:
    for name in ENERGIES:
        first, second = (energy(name, formula=TYPED, painted=[list(row) for row in STROKES]) for _ in range(2))
        assert first == second
        assert hash(first) == hash(second)
    assert energy("gaussian", sigma=2) != energy("gaussian")
    assert energy("painted", painted=STROKES) != energy("painted")


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(ValueError, match="no energy 'moon'"):
        energy("moon")


@pytest.mark.parametrize(
    ("name", "numbers", "words"),
    [
        ("gaussian", {"sigma": 0.0}, "standard deviation 0.0"),
        ("gaussian", {"sigma": math.nan}, "standard deviation nan"),
        ("correlated_gaussian", {"correlation": 1.0}, "correlation 1.0"),
        ("correlated_gaussian", {"sigma": -1.0}, "standard deviation -1.0"),
        ("double_well", {"barrier": -2.0}, "barrier -2.0"),
        ("painted", {"painted": [(0, 0, 1)]}, "four numbers"),
        ("painted", {"painted": [(0, 0, 1, math.inf)]}, "not finite"),
        ("painted", {"painted": [(0, 0, 1, 0.01)]}, "radius 0.01"),
        ("painted", {"painted": [(0, 0, 1e6, 1)]}, "height"),
        ("painted", {"painted": [(0, 0, 1, 1)] * (MOST + 1)}, "at most"),
    ],
)
def test_what_is_out_of_range_is_refused_with_one_sentence(name: str, numbers: dict, words: str) -> None:
    with pytest.raises(EnergyError, match=words) as caught:
        energy(name, **numbers)
    assert str(caught.value).endswith(".")
    assert caught.value.template in load_toml("translations", "zh", "energies.toml")


def test_chunks_and_the_whole_agree() -> None:
    surface, points = energy("mixture"), torch.randn(2, 150_000)
    out = torch.empty_like(points)
    assert gradient_of(surface, points, out) is out
    torch.testing.assert_close(out, surface.gradient(points))
    torch.testing.assert_close(gradient_of(surface, points), out)
    assert [part.shape[1] for part in chunks(points)] == [65536, 65536, 18928]


def test_far_points_keep_a_slope_that_points_inwards() -> None:
    """Where all components underflow, the mixtures still know the way back."""
    far = torch.tensor([[300.0, -2e4, 0.0], [0.0, 1e4, 1e5]])
    for surface in (Mixture(), energy("gaussian"), energy("ring"), energy("painted", painted=STROKES)):
        gradient = surface.gradient(far)
        assert torch.isfinite(gradient).all()
        assert ((gradient * far).sum(0) > 0).all()
    assert torch.isfinite(Pinwheel().value_and_gradient(far)[0]).all()


# ---- facts about particular ones ---------------------------------------------------------------------------------------


def test_mueller_brown_has_the_published_minima_and_saddles() -> None:
    """Müller and Brown (1979), table 1: places to three digits, energies to two."""
    places = [(-0.558, 1.442), (0.623, 0.028), (-0.050, 0.467), (-0.822, 0.624), (0.212, 0.293)]
    published = [-146.70, -108.17, -80.77, -40.66, -72.25]
    points = torch.tensor(places, dtype=torch.float64).T
    surface = MuellerBrown(scale=1.0)
    value, gradient = surface.value_and_gradient(points)
    np.testing.assert_allclose(value.numpy(), published, atol=0.05)
    assert gradient.abs().max() < 5.0  # on a surface whose slopes reach thousands
    modes = torch.tensor(surface.modes, dtype=torch.float64).T
    assert surface.gradient(modes).abs().max() < 2e-3


def test_barrier_and_wells_of_the_double_well() -> None:
    surface = energy("double_well", barrier=2.5)
    value = surface.value(torch.tensor([[-1.0, 0.0, 1.0], [0.0, 0.0, 0.0]]))
    assert value.tolist() == [0.0, 2.5, 0.0]


@pytest.mark.parametrize("name", ["mixture", "double_well", "pinwheel", "gaussian", "banana"])
def test_wells_on_a_grid_are_the_modes(name: str) -> None:
    surface = energy(name)
    found, known = np.array(local_minima(surface)), np.array(surface.modes)
    assert len(found) == len(known)
    size = np.subtract(surface.window[1::2], surface.window[::2])
    for mode in known:
        assert (np.abs(found - mode) / size).max(1).min() < 0.06


def test_wells_that_spill_at_once_are_none_of_their_own() -> None:
    assert len(local_minima(energy("ring"))) == 1  # on a grid its valley has many lowest cells
    assert len(local_minima(energy("mueller_brown"))) == 2  # the third lies 0.4 below its saddle
    assert len(local_minima(energy("mueller_brown"), least_depth=0.2)) == 3


# ---- painted -----------------------------------------------------------------------------------------------------------


def test_the_order_of_strokes_does_not_matter() -> None:
    points = somewhere(Painted(), 500)
    there, back = Painted(STROKES), Painted(STROKES[::-1])
    torch.testing.assert_close(there.value(points), back.value(points), rtol=0, atol=0)


def test_without_strokes_there_is_the_bowl_alone() -> None:
    bowl = Painted()
    assert bowl.value(torch.tensor([[0.0, 2.0, 3.75], [0.0, 1.0, 0.0]])).tolist() == [0.0, 0.0, 2.0]
    assert bowl.gradient(torch.tensor([[3.75], [0.0]]))[:, 0].tolist() == [4.0, 0.0]
    assert bowl.modes == ()


def test_bumps_fade_out_beyond_the_canvas_without_a_step() -> None:
    surface = Painted(((HALF, 0.0, 5.0, 2.0),))
    x = torch.linspace(3.0, 9.0, 6001, dtype=torch.float64)
    points = torch.stack((x, torch.zeros_like(x)))
    value, gradient = surface.value_and_gradient(points)
    assert value.diff().abs().max() < 0.05
    assert gradient.diff(dim=1).abs().max() < 0.1
    torch.testing.assert_close(value[x > 6], Painted().value(points[:, x > 6]), rtol=0, atol=0)


def test_the_cost_of_a_point_does_not_grow_with_the_strokes() -> None:
    rows = (
        torch.rand(400, 4, dtype=torch.float64)
        .mul(2)
        .sub(1)
        .mul(torch.tensor([4.0, 4.0, 3.0, 0.2]))
        .add(torch.tensor([0, 0, 0, 0.5]))
    )
    many = Painted(strokes(rows.tolist()))
    points = somewhere(many, 1000)
    bumps = sum(h * torch.exp(-((points[0] - x) ** 2 + (points[1] - y) ** 2) / (2 * r**2)) for x, y, h, r in rows.tolist())
    inside = points.abs().amax(0) < HALF
    difference = (many.value(points) - Painted().value(points) - bumps)[inside].abs().max()
    assert difference < 2e-3 * float(bumps.abs().max())


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.floats(-4.4, 4.4), st.floats(-4.4, 4.4), st.floats(-6, 6), st.floats(0.2, 3)), min_size=1, max_size=6)
)
def test_any_painting_holds_the_particles(rows: list[tuple[float, float, float, float]]) -> None:
    surface = Painted(strokes(rows))
    value, gradient = surface.value_and_gradient(somewhere(surface, 300))
    assert torch.isfinite(value).all()
    assert torch.isfinite(gradient).all()
    assert math.isfinite(surface.curvature())
    far = torch.tensor([[7.0, -8.0], [0.0, 3.0]])
    assert ((surface.gradient(far) * far).sum(0) > 0).all()


def test_kinks_have_no_curvature() -> None:
    assert energy("formula", formula="abs(x) + abs(y)").curvature() == 0.0
    assert energy("formula", formula="abs(x - 0.3) + 2*x^2 + abs(y)").curvature() == pytest.approx(4.0, rel=1e-3)
