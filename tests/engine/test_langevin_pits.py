"""Pits: the landscape and its probe against parabolas, the law in a disc against quadrature, the experiment over seeds."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from scipy.integrate import dblquad
from torch import Tensor

from engine.api import Frame, LabError, load, run_with, validate
from engine.core.context import Context
from engine.core.device import resolve_device
from engine.core.drive import Run
from engine.labs.langevin.pits import experiment as pits
from engine.labs.langevin.pits import field as geometry
from engine.labs.langevin.pits import state as state_of
from engine.labs.langevin.pits.claims import effective
from engine.labs.langevin.pits.state import Frozen
from engine.math.networks.energy_networks import LayeredNetwork

NAME = "langevin.pits"


def parameters(**values: object) -> pits.Parameters:
    return validate(pits.Parameters, values)


def run_of(**values: object) -> Run:
    chosen = parameters(**values)
    return Run(load(NAME), chosen, Context(resolve_device("cpu"), chosen.seed, None))


def frame_after(steps: int, **values: object) -> Frame:
    run = run_of(**values)
    run.advance(steps)
    return run.observe()


def claim(frame: Frame, name: str):
    return next(each for each in frame.claims if each.name == name)


@dataclass(frozen=True)
class Bowl:
    """½ a x² + ½ b y² around a place, in place of a network."""

    a: float
    b: float
    place: Tensor

    def value(self, points: Tensor) -> Tensor:
        x, y = points - self.place[:, None].to(points)
        return 0.5 * (self.a * x**2 + self.b * y**2)

    def gradient(self, points: Tensor) -> Tensor:
        x, y = points - self.place[:, None].to(points)
        return torch.stack([self.a * x, self.b * y])

    def value_and_gradient(self, points: Tensor) -> tuple[Tensor, Tensor]:
        return self.value(points), self.gradient(points)


@pytest.fixture
def bowl(monkeypatch) -> Bowl:
    monkeypatch.setattr(geometry, "precisely", lambda energy: energy)
    centre = geometry.ring(1, torch.device("cpu"))
    return Bowl(4.0, 1.0, centre[:, 0].double() + torch.tensor([0.05, -0.02]).double())


# ---- geometry ----------------------------------------------------------------------------------------------------------


def test_centres_stand_on_the_circle() -> None:
    centres = geometry.ring(6, torch.device("cpu"))
    assert torch.allclose(centres.norm(dim=0), torch.tensor(geometry.RADIUS))
    turns = torch.rad2deg(torch.atan2(centres[1], centres[0])) % 360
    assert torch.allclose(turns, torch.arange(6) * 60.0 + 30)


@pytest.mark.parametrize("modes", [1, 2, 8, 12])
def test_modes_do_not_share_points(modes: int) -> None:
    radius = geometry.catch_radius(modes, 0.5)
    points = 6 * torch.rand((2, 500), generator=torch.Generator().manual_seed(0)) - 3
    held = geometry.holds(points, geometry.ring(modes, torch.device("cpu")), radius)
    assert held.sum(0).max() <= 1
    distances = torch.cdist(geometry.ring(modes, torch.device("cpu")).mT, points.mT)
    assert torch.equal(held.sum(0) > 0, (distances < radius).any(0))


def test_landscape_is_the_energy_at_its_cells() -> None:
    network = LayeredNetwork(2, 16, 2, torch.Generator().manual_seed(1), reach=geometry.REACH)
    energy = network.energy(frozen=True)
    view = geometry.EnergyMap.of(energy, torch.device("cpu"))
    axis = geometry.REACH * ((2 * torch.arange(geometry.CELLS) + 1) / geometry.CELLS - 1)
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    exact = energy.value(torch.stack([x.reshape(-1), y.reshape(-1)])).reshape(geometry.CELLS, geometry.CELLS)
    assert (view.square - exact).abs().max() < 2e-3 * float(exact.max() - exact.min())
    turns = torch.deg2rad(view.directions)
    on_circle = energy.value(geometry.RADIUS * torch.stack([turns.cos(), turns.sin()]))
    assert bool((view.ground <= on_circle + 1e-5).all())


def test_the_bottom_of_a_bowl_is_found(bowl: Bowl) -> None:
    found = geometry.settle(bowl, geometry.Pits.at(geometry.ring(1, torch.device("cpu"))))
    assert bool(found.found[0])
    assert torch.allclose(found.bottoms[:, 0], bowl.place, atol=1e-7)
    assert float(found.curvature[0]) == pytest.approx(4.0, rel=1e-6)


def test_a_saddle_is_no_pit(bowl: Bowl) -> None:
    saddle = Bowl(4.0, -1.0, bowl.place)
    found = geometry.settle(saddle, geometry.Pits.at(geometry.ring(1, torch.device("cpu"))))
    assert not bool(found.found[0])
    assert math.isnan(float(found.curvature[0]))
    assert geometry.release(saddle, found, 0.1, 0.9) is None


@pytest.mark.parametrize(("rate", "momentum"), [(0.1, 0.0), (0.1, 0.9), (0.3, 0.0), (0.05, 0.5), (0.9, 0.2)])
def test_the_probe_swings_as_the_rule_says(bowl: Bowl, rate: float, momentum: float) -> None:
    found = geometry.settle(bowl, geometry.Pits.at(geometry.ring(1, torch.device("cpu"))))
    probe = geometry.release(bowl, found, rate, momentum)
    assert probe is not None
    assert probe.measured == pytest.approx(probe.expected, abs=1e-5)
    assert (probe.expected > 1e-9) == (4 * rate > 1 or momentum > (1 - math.sqrt(4 * rate)) ** 2)
    wrong = geometry.release(bowl, found, 1.3 * rate, momentum)
    assert wrong is not None
    if probe.expected > 0.1:
        assert abs(wrong.measured - probe.expected) > probe.error  # the claim can fail


def test_law_in_a_disc_against_quadrature(bowl: Bowl) -> None:
    centre, radius, temperature = geometry.ring(1, torch.device("cpu")), 0.4, 0.3
    law = geometry.Discs.of(bowl, centre, radius, temperature)
    cx, cy = centre[:, 0].tolist()
    px, py = bowl.place.tolist()

    def mean(function) -> float:
        def inside(t: float, r: float) -> float:
            x, y = cx + r * math.cos(t) - px, cy + r * math.sin(t) - py
            energy = 0.5 * (4 * x * x + y * y)
            return function(energy, x, y) * r * math.exp(-energy / temperature)

        return dblquad(inside, 0, radius, 0, 2 * math.pi)[0]

    total = mean(lambda energy, x, y: 1.0)
    expected = mean(lambda energy, x, y: energy) / total
    assert law.energy[0] == pytest.approx(expected, rel=2e-3)
    assert law.variance[0] == pytest.approx(mean(lambda energy, x, y: energy**2) / total - expected**2, rel=5e-3)
    assert law.steepness[0] == pytest.approx(mean(lambda energy, x, y: 16 * x * x + y * y) / total, rel=2e-3)


def test_effective_number_of_modes() -> None:
    assert effective(np.array([0.25, 0.25, 0.25, 0.25])) == pytest.approx(4)
    assert effective(np.array([0.5, 0.0])) == pytest.approx(1)
    assert effective(np.zeros(3)) == 0


# ---- the experiment ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def played() -> dict[int, Frame]:
    """The defaults over a few seeds."""
    return {seed: frame_after(350, seed=seed) for seed in range(2)}


def test_points_find_all_pits(played) -> None:
    for frame in played.values():
        assert frame.measures["mode_coverage"] == 1
        assert frame.measures["effective_modes"] > 6
        assert frame.measures["caught"] > 0.85


def test_while_points_wait_only_the_digger_works() -> None:
    run = run_of()
    before = run.observe().picture.points
    run.advance(40)
    frame = run.observe()
    assert frame.picture.waiting
    assert frame.picture.before == 10
    assert np.array_equal(frame.picture.points, before)
    assert frame.measures["data_energy"] < -0.3 < frame.measures["mean_energy"]


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_claim_of_the_overshoot(momentum: float) -> None:
    held = 0
    for seed in range(2):
        run = run_of(seed=seed, momentum=momentum)
        for _ in range(6):
            run.advance(20)
            found = claim(run.observe(), "overshoot")
            assert found.holds is not False, found
            held += found.holds is True
            assert not found.holds or (found.expected > 0.3) == (momentum > 0)
    assert held >= 4


def test_without_penalty_pits_throw_points_out() -> None:
    plain, steep = (frame_after(200, penalty=value).measures for value in (0.2, 0.0))
    assert steep["stiffness"] > 2 > plain["stiffness"]
    assert steep["slope_at_data"] > 5 * plain["slope_at_data"]
    assert steep["caught"] < 0.6 < plain["caught"]


def test_a_frozen_landscape_stays_and_points_come_to_rest() -> None:
    run = run_of(dig=False, start="spread", points=100)
    run.advance(60)
    before = run.observe()
    run.advance(200)
    after = run.observe()
    assert np.array_equal(before.picture.landscape, after.picture.landscape)
    assert after.measures["speed"] < 0.1 * before.measures["speed"]
    assert after.measures["mean_energy"] < before.measures["mean_energy"]


def test_entropy_cures_the_collapse() -> None:
    settings = {"rolls": 10, "start": "together", "points": 100}
    collapsed, cured = (frame_after(170, entropy=value, **settings).measures for value in (0.0, 0.1))
    assert collapsed["mode_coverage"] <= 0.25
    assert cured["mode_coverage"] == 1
    assert cured["effective_modes"] > 6


LAW = {"dig": False, "entropy": 0.2, "entropy_by": "noise", "roll_rate": 0.02, "rolls": 5}


def test_claim_of_the_law() -> None:
    run = run_of(**LAW)
    run.advance(540)
    assert claim(run.observe(), "law").holds is None
    run.advance(10)
    frame, state = run.observe(), run._state
    found = claim(frame, "law")
    assert found.holds is True, found
    # half the noise would be noticed: the points would lie as low as in a colder law
    colder = Frozen.begin(state.network.energy(frozen=True), state.centres, frame.picture.catch, (0.02, 0.1))
    state.frozen.law = colder.law
    assert claim(run.observe(), "law").holds is False


def test_law_starts_anew_when_its_rule_changes() -> None:
    run = run_of(**LAW)
    run.advance(100)
    assert run._state.frozen.steps == 50
    run.tweak(parameters(**{**LAW, "entropy": 0.3}))
    run.advance(1)
    assert run._state.frozen.steps == 1
    run.tweak(parameters(**{**LAW, "momentum": 0.5}))
    run.advance(1)
    assert run._state.frozen is None


BALANCE = {"loss": "linear", "where": "between", "rolls": 0, "start": "spread", "points": 100}


def test_claim_of_the_balance() -> None:
    run = run_of(**BALANCE)
    run.advance(state_of.BEFORE + 950)
    assert claim(run.observe(), "balance").holds is None
    run.advance(60)
    found = claim(run.observe(), "balance")
    assert found.holds is True, found
    assert found.tolerance < 0.1 * found.expected
    run._state.gaps = type(run._state.gaps)([(1.2 * gap, pull) for gap, pull in run._state.gaps], run._state.gaps.maxlen)
    assert claim(run.observe(), "balance").holds is False


def test_a_linear_loss_without_penalty_is_refused_with_a_sentence() -> None:
    run = run_of(loss="linear", penalty=0.0)
    with pytest.raises(LabError, match="no bound"):
        run.advance(300)


def test_points_are_dropped_where_a_hand_asks() -> None:
    run = run_of(points=50)
    run.advance(80)
    run.tweak(parameters(points=50, start_x=-1.0, start_y=2.5))
    state = run._state
    pits._put(state, run.parameters, run.context)
    assert torch.allclose(state.points.mean(1), torch.tensor([-1.0, 2.5]), atol=0.1)
    assert float(state.velocities.abs().max()) == 0
    before = state.network.matrices[0].detach().clone()
    run.advance(1)
    assert run.observe().picture.trails.shape[2] == 1
    assert torch.allclose(before, state.network.matrices[0].detach(), atol=0.1)  # the landscape stays


@pytest.mark.parametrize("start", ["centre", "together", "spread", "point"])
def test_starts(start: str) -> None:
    points = run_of(start=start, start_x=1.0, start_y=-1.5).observe().picture.points
    if start == "spread":
        assert points.std() > 1.5
        return
    angle = math.pi / 8
    place = {"centre": (0, 0), "together": (1.6 * math.cos(angle), 1.6 * math.sin(angle)), "point": (1.0, -1.5)}[start]
    assert points.mean(1) == pytest.approx(np.array(place), abs=0.05)
    assert points.std(1) == pytest.approx(np.array([0.1, 0.1]), abs=0.03)


def test_picture_is_finite_and_inside_the_walls() -> None:
    frame = frame_after(120, momentum=0.97, roll_rate=1.0)
    picture = frame.picture
    assert np.abs(picture.points).max() <= geometry.REACH
    for name, array in frame.arrays.items():
        assert name == "stiffness" or np.isfinite(array).all(), name
    assert picture.trails.shape[0] == 2
    assert picture.trail_energies.shape == picture.trails.shape[1:]


def test_every_rule_makes_a_difference(monkeypatch) -> None:
    monkeypatch.setattr(state_of, "BEFORE", 6)
    base = frame_after(12).measures["mean_energy"]
    for change in (
        {"penalty": 1.0}, {"centre": 1.0}, {"where": "points"}, {"where": "between"}, {"loss": "margin"}, {"dig": False},
        {"dig_rate": 1e-3}, {"roll_rate": 0.3}, {"rolls": 3}, {"momentum": 0.5}, {"entropy": 0.5},
        {"entropy": 0.5, "entropy_by": "noise"}, {"modes": 3}, {"spread": 0.3}, {"width": 32}, {"points": 50},
    ):  # fmt: skip
        assert frame_after(12, **change).measures["mean_energy"] != base, change


def test_headless_run_ends_after_its_steps() -> None:
    frame = run_with(NAME, parameters(steps=60, points=20), device="cpu").frame
    assert frame is not None
    assert frame.step == 60
