"""Divergences against scipy, sums and quadrature; the half-steps of EM against closed forms and a general optimiser."""

from __future__ import annotations

import itertools
import math
import re
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, optimize, stats

from engine.api import Frame, LabError, UsageError, entries, preset_parameters, run, run_with, validate
from engine.core.context import Context
from engine.labs.em.joint_kl import experiment as joint_kl
from engine.labs.em.joint_kl.half_steps import World, binomial_rows, e_step, half_step, m_step, next_kind, slope
from engine.labs.em.joint_kl.parameters import Parameters
from engine.math.numerics import divergences as d

NAME = "em.joint_kl"
TABLES: dict[str, Any] = {
    "data_distribution": (0.2, 0.3, 0.5),
    "prior": (0.6, 0.4),
    "conditional": ((0.5, 0.3, 0.2), (0.1, 0.3, 0.6)),
    "posterior": ((0.9, 0.1), (0.5, 0.5), (0.2, 0.8)),
}


def last_frame(**values: Any) -> Frame:
    frame = run(NAME, device="cpu", **values).frame
    assert frame is not None
    return frame


def holds(frame: Frame) -> dict[str, bool | None]:
    return {claim.name: claim.holds for claim in frame.claims}


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Positive tables of all allowed sizes."""
    values, causes = draw(st.integers(2, 6)), draw(st.integers(2, 4))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    spread = draw(st.sampled_from([0.3, 1.0, 5.0]))

    def laws(rows: int, columns: int) -> np.ndarray:
        table = generator.gamma(spread, size=(rows, columns)) + 1e-6
        return table / table.sum(axis=1, keepdims=True)

    learn = draw(st.sampled_from(["prior", "conditional", "both", "coins"]))
    coins = generator.uniform(0.05, 0.95, causes) if learn == "coins" else np.empty(0)
    rows = binomial_rows(coins, values) if learn == "coins" else laws(causes, values)
    return World(laws(1, values)[0], laws(1, causes)[0], rows, laws(values, causes), learn, coins)


# ---- divergences -------------------------------------------------------------------------------------------------------


def test_tables_against_scipy() -> None:
    p, q = np.array([0.2, 0.3, 0.5, 0.0]), np.array([0.4, 0.1, 0.4, 0.1])
    assert d.entropy(p) == pytest.approx(stats.entropy(p), rel=1e-14)
    assert d.kl(p, q) == pytest.approx(stats.entropy(p, q), rel=1e-13)
    assert d.cross_entropy(p, q) == pytest.approx(d.entropy(p) + d.kl(p, q), rel=1e-14)
    assert d.kl_terms(p, q).sum() == pytest.approx(d.kl(p, q), rel=1e-13)
    assert d.kl(p, p) == 0.0
    assert d.kl(q, p) == math.inf
    assert d.cross_entropy(q, p) == math.inf
    assert d.bernoulli(0.3).tolist() == [0.3, 0.7]
    with pytest.raises(ValueError, match="shapes"):
        d.kl(p, q[:2])


def test_a_small_divergence_is_not_lost_in_rounding() -> None:
    p = np.full(1000, 1e-3)
    q = p * (1 + 1e-7 * np.where(np.arange(1000) % 2, 1, -1))
    assert d.kl(p, q) == pytest.approx(0.5e-14, rel=1e-3)  # Σ p (q/p - 1)² / 2


def test_normal_laws_against_quadrature() -> None:
    def integral(of: Any) -> float:
        return float(integrate.quad(lambda x: stats.norm.pdf(x, 1, 0.7) * of(x), -8, 10, epsabs=1e-12)[0])

    assert d.normal_entropy(0.7) == pytest.approx(integral(lambda x: -stats.norm.logpdf(x, 1, 0.7)), rel=1e-9)
    cross = integral(lambda x: -stats.norm.logpdf(x, 0.2, 1.5))
    assert d.normal_cross_entropy(1, 0.7, 0.2, 1.5) == pytest.approx(cross, rel=1e-9)
    assert d.normal_kl(1, 0.7, 0.2, 1.5) == pytest.approx(cross - d.normal_entropy(0.7), rel=1e-9)
    p, q = torch.distributions.Normal(1.0, 0.7), torch.distributions.Normal(0.2, 1.5)
    assert d.normal_kl(1, 0.7, 0.2, 1.5) == pytest.approx(float(torch.distributions.kl_divergence(p, q)), rel=1e-6)


@given(worlds())
@settings(max_examples=60, deadline=None)
def test_chain_rule(world: World) -> None:
    split = world.split()
    assert split.joint == pytest.approx(split.marginal + split.gap, abs=1e-12, rel=1e-12)
    assert min(split.joint, split.marginal, split.gap) >= 0
    assert world.lower_bound() == pytest.approx(world.log_likelihood() - split.gap, abs=1e-12, rel=1e-12)
    plain = sum(
        world.data[x] * world.posterior[x, z] * math.log(world.data[x] * world.posterior[x, z] / world.joint[x, z])
        for x, z in itertools.product(*map(range, world.posterior.shape))
    )
    assert split.joint == pytest.approx(plain, abs=1e-12)


def test_tables_of_other_sizes_do_not_fit() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        d.chain_rule([0.5, 0.5], [[1.0], [1.0], [1.0]], [[0.5], [0.5]])


# ---- half-steps --------------------------------------------------------------------------------------------------------


@given(worlds())
@settings(max_examples=60, deadline=None)
def test_both_half_steps_go_downhill(world: World) -> None:
    for kind in "MEMEEMM":
        after = half_step(world, kind)
        one, two = world.split(), after.split()
        assert two.joint <= one.joint + 1e-12 * max(1.0, one.joint)
        if kind == "E":
            assert two.gap <= 1e-12
            assert two.marginal == one.marginal
        assert after.prior.sum() == pytest.approx(1, abs=1e-12)
        assert after.conditional.sum(axis=1) == pytest.approx(1, abs=1e-12)
        assert after.posterior.sum(axis=1) == pytest.approx(1, abs=1e-12)
        world = after


@given(worlds())
@settings(max_examples=40, deadline=None)
def test_a_half_step_repeated_changes_nothing(world: World) -> None:
    for move in (e_step, m_step):
        once = move(world)
        twice = move(once)
        assert twice.split().joint == pytest.approx(once.split().joint, abs=1e-13)
        assert twice.prior == pytest.approx(once.prior, abs=1e-13)
        assert twice.conditional == pytest.approx(once.conditional, abs=1e-12)


@given(worlds())
@settings(max_examples=20, deadline=None)
def test_an_m_step_is_the_best_of_its_family(world: World) -> None:
    best = m_step(world).split().joint
    generator = np.random.default_rng(3)
    for _ in range(20):
        other = m_step(world)
        prior = other.prior * np.exp(0.1 * generator.normal(size=len(other.prior)))
        changes: dict[str, Any] = {"prior": prior / prior.sum()} if world.learn != "conditional" else {}
        if world.learn == "coins":
            coins = np.clip(other.coins + 0.05 * generator.normal(size=len(other.coins)), 1e-3, 1 - 1e-3)
            changes.update(coins=coins, conditional=binomial_rows(coins, len(world.data)))
        elif world.learn != "prior":
            rows = other.conditional * np.exp(0.1 * generator.normal(size=other.conditional.shape))
            changes["conditional"] = rows / rows.sum(axis=1, keepdims=True)
        made = World(**{**{name: getattr(other, name) for name in World.__slots__}, **changes})
        assert made.split().joint >= best - 1e-12


def test_em_finds_the_best_weights_as_a_general_optimiser_does() -> None:
    world = joint_kl.first_world(Parameters(), Context(torch.device("cpu"), 0))
    for _ in range(300):
        world = m_step(e_step(world))
    found = optimize.minimize_scalar(
        lambda w: d.kl(world.data, np.array([w, 1 - w]) @ world.conditional),
        bounds=(0, 1),
        method="bounded",
        options={"xatol": 1e-10},
    )
    assert world.prior[0] == pytest.approx(found.x, abs=1e-6)
    assert world.split().marginal == pytest.approx(found.fun, abs=1e-12)


def test_two_coins_are_found_again() -> None:
    rows = binomial_rows(np.array([0.2, 0.7]), 6)
    data = np.array([0.4, 0.6]) @ rows
    frame = last_frame(
        data_distribution=tuple(data), learn="coins", coins=(0.4, 0.5), prior=(0.5, 0.5), steps=200, moves="EM" * 30
    )
    found = np.sort(frame.picture.coins)
    assert found == pytest.approx([0.2, 0.7], abs=0.02)
    assert frame.measures["marginal_kl"] < 1e-5


def test_free_cells_fit_anything_after_one_m_step() -> None:
    for seed in range(3):
        frame = last_frame(learn="both", start="random", order="me", steps=1, seed=seed)
        assert frame.measures["marginal_kl"] == pytest.approx(0, abs=1e-14)


@given(worlds())
@settings(max_examples=20, deadline=None)
def test_slope_against_differences(world: World) -> None:
    if world.learn != "prior":
        return
    h, found = 1e-6, []
    for z in range(len(world.prior)):
        sides = []
        for sign in (-1, 1):
            weights = world.prior.copy()
            weights[z] *= math.exp(sign * h)
            sides.append(world.data @ np.log((weights / weights.sum()) @ world.conditional))
        found.append(abs(sides[1] - sides[0]) / (2 * h))
    assert slope(world) == pytest.approx(max(found), abs=1e-8)


def test_turns() -> None:
    assert "".join(next_kind("em", last) for last in ("", "E", "M")) == "EME"
    assert "".join(next_kind("me", last) for last in ("", "E", "M")) == "MME"
    assert {next_kind("e", last) for last in ("", "E", "M")} == {"E"}
    assert {next_kind("m", last) for last in ("", "E", "M")} == {"M"}


# ---- the experiment ----------------------------------------------------------------------------------------------------


def test_measures_are_those_of_the_given_tables() -> None:
    frame = last_frame(**TABLES)
    data, prior, rows, r = (np.array(TABLES[name]) for name in ("data_distribution", "prior", "conditional", "posterior"))
    joint = prior * rows.T
    model, completed = joint.sum(axis=1), data[:, None] * r
    assert frame.step == 0
    assert frame.measures["joint_kl"] == pytest.approx(stats.entropy(completed.ravel(), joint.ravel()), abs=1e-12)
    assert frame.measures["marginal_kl"] == pytest.approx(stats.entropy(data, model), abs=1e-12)
    gap = sum(p * stats.entropy(row, truth / truth.sum()) for p, row, truth in zip(data, r, joint, strict=True))
    assert frame.measures["gap"] == pytest.approx(gap, abs=1e-12)
    assert frame.measures["log_likelihood"] == pytest.approx(float(data @ np.log(model)), abs=1e-12)
    assert frame.tables["posterior"] == r.tolist()
    assert last_frame(**TABLES, steps=0).measures == frame.measures


def test_an_e_step_deletes_the_gap_and_an_m_step_lowers_the_sum() -> None:
    start = last_frame(**TABLES).measures
    after_e = last_frame(**TABLES, steps=1).measures
    after_m = last_frame(**TABLES, steps=2).measures
    assert after_e["gap"] == 0
    assert after_e["marginal_kl"] == start["marginal_kl"]
    assert after_m["joint_kl"] < after_e["joint_kl"]
    assert after_m["gap"] > 0


def test_moves_are_half_steps() -> None:
    by_hand, by_run = last_frame(**TABLES, moves="eMEm"), last_frame(**TABLES, steps=4)
    assert by_hand.measures == by_run.measures
    assert by_hand.picture.kinds.tolist() == by_run.picture.kinds.tolist() == [0, 1, 2, 1, 2]
    assert last_frame(**TABLES, moves="E", steps=1).picture.kinds.tolist() == [0, 1, 2]


@pytest.mark.parametrize("order", ["e", "m"])
def test_holding_one_side_comes_to_rest_at_once(order: str) -> None:
    frame = last_frame(**TABLES, order=order, learn="both", steps=5)
    joint = frame.picture.marginal + frame.picture.gap
    assert joint[1] < joint[0]
    assert joint[2:] == pytest.approx(joint[1], abs=1e-15)


def test_the_way_ahead_is_the_way() -> None:
    ahead, gone = last_frame(**TABLES).picture, last_frame(**TABLES, steps=12).picture
    assert ahead.ahead_marginal[:12].tolist() == gone.marginal[1:].tolist()
    assert ahead.ahead_gap[:12].tolist() == gone.gap[1:].tolist()
    assert ahead.ahead_kinds[:12].tolist() == gone.kinds[1:].tolist()


@pytest.mark.parametrize("start", ["uniform", "exact", "random"])
def test_an_empty_table(start: str) -> None:
    tables = {**TABLES, "posterior": ()}
    frame = last_frame(**tables, start=start)
    if start == "uniform":
        assert frame.picture.posterior.tolist() == [[0.5, 0.5]] * 3
    elif start == "exact":
        assert frame.measures["gap"] == 0
    else:
        assert frame.picture.posterior.tolist() != last_frame(**tables, start=start, seed=1).picture.posterior.tolist()


@pytest.mark.parametrize("preset", [preset.name for item in entries() if item.name == NAME for preset in item.presets])
def test_claims_of_presets(preset: str) -> None:
    for seed in range(2):
        frame = run_with(NAME, preset_parameters(NAME, preset).changed(seed=seed), device="cpu").frame
        assert frame is not None
        assert [name for name, held in holds(frame).items() if held is False] == []
        assert holds(frame)["downhill"] is True


def test_em_rests_where_the_likelihood_has_no_slope() -> None:
    frame = last_frame(steps=200)
    assert holds(frame)["fixed_point"] is True
    assert holds(last_frame(steps=4))["fixed_point"] is None
    equal = last_frame(learn="coins", prior=(0.5, 0.5), coins=(0.4, 0.4), steps=4)
    assert holds(equal)["fixed_point"] is True
    assert equal.picture.coins[0] == equal.picture.coins[1]


def test_a_broken_half_step_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(world: World) -> World:
        made = m_step(world)
        return World(**{**{n: getattr(made, n) for n in World.__slots__}, "prior": made.prior[::-1]})

    monkeypatch.setattr("engine.labs.em.joint_kl.half_steps.m_step", wrong)
    found = holds(last_frame(steps=6))
    assert found["downhill"] is False
    assert found["likelihood"] is False


def test_zeros_are_no_trouble_where_they_agree() -> None:
    frame = last_frame(
        data_distribution=(0.5, 0.5, 0.0), prior=(0.5, 0.5), conditional=((1, 0, 0), (0, 0.5, 0.5)), learn="both", steps=6
    )
    assert frame.measures["marginal_kl"] == pytest.approx(0, abs=1e-12)
    assert all(math.isfinite(value) for value in frame.measures.values())
    assert last_frame(prior=(1.0, 0.0), steps=3).measures["gap"] == pytest.approx(0, abs=1e-15)
    assert last_frame(prior=(1.0,), conditional=((0.2, 0.2, 0.2, 0.2, 0.2),)).measures["gap"] == 0


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"data_distribution": (0.5, 0.4)}, "The numbers of data_distribution add up to 0.9, not to 1."),
        ({"prior": (0.5, 0.6)}, "The numbers of prior add up to 1.1, not to 1."),
        ({"data_distribution": (0.5, 0.5)}, "Row 1 of conditional has 5 numbers, but data_distribution has 2."),
        ({"prior": (0.2, 0.3, 0.5)}, "conditional has 2 rows, but prior has 3 numbers."),
        ({"posterior": ((1.0, 0.0),)}, "posterior has 1 rows, but data_distribution has 5 numbers."),
        ({"posterior": ((1.0,),) * 5}, "Row 1 of posterior has 1 numbers, but prior has 2."),
        ({"conditional": ((0.2,) * 5, (0.1,) * 5)}, "Row 2 of conditional adds up to 0.5, not to 1."),
        ({"learn": "coins", "coins": (0.5,)}, "coins has 1 numbers, but prior has 2."),
        ({"data_distribution": (1.0,)}, "data_distribution takes 2 to 12 numbers, not 1."),
        ({"moves": "EMX"}, "moves takes the letters E and M, for example EMM."),
        ({"moves": "E" * 61}, "moves takes at most 60 letters, not 61."),
    ],
)
def test_what_is_refused(values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        validate(Parameters, values)
    assert str(caught.value) == sentence


def test_rounded_lists_are_laws() -> None:
    frame = last_frame(data_distribution=(0.333, 0.333, 0.333), conditional=((0.3333, 0.3333, 0.3333),) * 2)
    assert sum(frame.tables["data_distribution"]) == pytest.approx(1, abs=1e-15)
    assert frame.measures["marginal_kl"] == pytest.approx(0, abs=1e-15)


def test_infinite_divergences_are_refused() -> None:
    with pytest.raises(LabError, match=re.escape("gives value 4 probability 0")):
        last_frame(conditional=((0.25, 0.25, 0.25, 0.25, 0.0),) * 2)
    with pytest.raises(LabError, match=re.escape("value 0 has cause 2")):
        last_frame(conditional=((0.2,) * 5, (0, 0.25, 0.25, 0.25, 0.25)), posterior=((0.5, 0.5),) * 5)
    assert last_frame(conditional=((0.2,) * 5, (0, 0.25, 0.25, 0.25, 0.25))).picture.posterior[0].tolist() == [1.0, 0.0]
