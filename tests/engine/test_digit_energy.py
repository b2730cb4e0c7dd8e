"""The energy of digits: its slope, its exact cases, what training lowers, chains, and digits that a stranger recognises."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor

from engine.data.digit_judge import digits_to_learn, judge, judge_accuracy
from engine.math.energies import digits as digit_energy
from engine.math.energies.digits import DigitSettings, DigitState
from engine.math.networks.digit_network import CENTRE, SPREAD, energy_and_gradient, initial_weights, matrices
from engine.math.networks.kernel_classifier import KernelClassifier, quality

POINTS = (0.3, 0.7)  # where the images of one pixel of the two classes lie
TINY = DigitSettings(width=32, batch=32, slots=64, steps_per_update=10, learning_rate=0.01, updates=200)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def one_pixel() -> tuple[Tensor, Tensor]:
    classes = torch.arange(200) % 2
    return torch.tensor(POINTS)[classes][:, None], classes


def trained(settings: DigitSettings, updates: int, seed: int = 0) -> DigitState:
    generator = seeded(seed)
    state = digit_energy.init(settings, generator, pixels=1, classes=2)
    for _ in range(updates):
        state = digit_energy.update(state, settings, *one_pixel(), generator)
    return state


def silent(pixels: int = 3, classes: int = 2) -> list[Tensor]:
    """Weights without a word to say: the bowl alone, the exact energy of Gaussian images."""
    weights = initial_weights(8, 2, seeded(), pixels, classes)
    weights[-1].zero_()
    return weights


# ---- the energy --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("noise", [0.1, None])
def test_slope_is_that_of_differences_and_of_autograd(depth: int, noise: float | None) -> None:
    weights = [each.double() for each in initial_weights(16, depth, seeded(1), pixels=5, classes=3)]
    weights[-1].mul_(100)
    images = torch.rand(6, 5, generator=seeded(2), dtype=torch.float64)
    classes = torch.arange(6) % 3
    levels: float | Tensor = noise or torch.linspace(0.1, 1.5, 6, dtype=torch.float64)[:, None]
    value, slope = energy_and_gradient(weights, images, classes, levels)
    for pixel in range(5):
        shift = torch.zeros(5, dtype=torch.float64)
        shift[pixel] = 1e-5
        rise = digit_energy.energy(weights, images + shift, classes, levels)
        rise = rise - digit_energy.energy(weights, images - shift, classes, levels)
        torch.testing.assert_close(slope[:, pixel], rise / 2e-5, rtol=1e-6, atol=1e-6)
    leaf = images.clone().requires_grad_()
    again = digit_energy.energy(weights, leaf, classes, levels)
    torch.testing.assert_close(value, again.detach())
    torch.testing.assert_close(slope, torch.autograd.grad(again.sum(), leaf)[0])


def test_gaussian_images_need_no_network() -> None:
    images = CENTRE + SPREAD * torch.randn(40_000, 3, generator=seeded())
    classes = torch.zeros(len(images), dtype=torch.int64)
    sigma = torch.linspace(0.1, 1.5, len(images))[:, None]
    normal = torch.randn(images.shape, generator=seeded(1))
    # The best possible loss is E|E[ξ|y] - ξ|² scaled to 1; 120,000 squares of normal numbers.
    loss = digit_energy.score_loss(silent(), images, classes, sigma, normal)
    assert loss.item() == pytest.approx(1.0, abs=5 * math.sqrt(2 / images.numel()))
    noisy = images + 0.3 * normal
    share = SPREAD**2 / (SPREAD**2 + 0.3**2)
    torch.testing.assert_close(digit_energy.expected(silent(), noisy, classes, 0.3), CENTRE + share * (noisy - CENTRE))


def test_chains_in_the_bowl_have_the_known_variance() -> None:
    settings = DigitSettings(noise=0.1, step_size=0.3, temperature=0.7)
    variance = 0.1**2 + SPREAD**2
    images = torch.rand(20_000, 3, generator=seeded())
    classes = torch.zeros(len(images), dtype=torch.int64)
    ends = digit_energy.walk(silent(), settings, images, classes, [0.1] * 40, seeded(1))
    expected = 0.7 * variance / (1 - 0.3 / (4 * variance))  # of unadjusted Langevin chains
    assert ends.var().item() == pytest.approx(expected, rel=5 * math.sqrt(2 / ends.numel()))
    assert ends.mean().item() == pytest.approx(CENTRE, abs=5 * math.sqrt(expected / ends.numel()))


# ---- training ----------------------------------------------------------------------------------------------------------


def cross_entropy(state: DigitState, noise: float) -> float:
    """Exact mean of -ln q(x | c) over the noisy images of one pixel, by quadrature."""
    grid = torch.linspace(-2, 3, 5001)
    total = 0.0
    for kind, centre in enumerate(POINTS):
        classes = torch.full(grid.shape, kind)
        values = digit_energy.energy(state.average, grid[:, None], classes, noise).double().numpy()
        log_partition = math.log(np.trapezoid(np.exp(-values), grid.numpy()))
        total += 0.5 * float(np.trapezoid(stats.norm(centre, noise).pdf(grid.numpy()) * (values + log_partition), grid.numpy()))
    return total


@pytest.mark.parametrize("objective", digit_energy.OBJECTIVES)
def test_training_lowers_the_exact_cross_entropy_to_the_entropy(objective: str) -> None:
    settings = replace(TINY, objective=objective)
    entropy = 0.5 * math.log(2 * math.pi * math.e * settings.noise**2)
    before = cross_entropy(trained(settings, 0), settings.noise) - entropy
    after = cross_entropy(trained(settings, settings.updates), settings.noise) - entropy
    assert before > 0.5
    assert 0 <= after < 0.1


def test_score_matching_lowers_its_loss_on_other_noise() -> None:
    settings = replace(TINY, objective="score_matching")
    images, classes = one_pixel()
    sigma = torch.linspace(0.1, 1.5, len(images))[:, None]
    normal = torch.randn(images.shape, generator=seeded(9))
    losses = [
        digit_energy.score_loss(trained(settings, updates).weights, images, classes, sigma, normal).item()
        for updates in (0, settings.updates)
    ]
    assert losses[1] < 0.5 * losses[0]


def test_chains_stay_in_their_class() -> None:
    settings = replace(TINY, objective="persistent")
    state = trained(settings, settings.updates)
    kept = state.buffer.classes
    assert kept is not None
    assert torch.equal(kept, torch.arange(settings.slots) % 2)
    for kind, centre in enumerate(POINTS):
        ends = state.buffer.points[0, (kept == kind) & (state.buffer.rounds > 0)]
        assert ends.mean().item() == pytest.approx(centre, abs=0.1)
    assert len(state.negatives) == len(state.negative_classes) == settings.batch
    assert state.buffer.ages.max() > 5
    assert math.isfinite(state.data_energy + state.sample_energy + state.loss)


def test_real_images_have_the_classes_of_the_chains() -> None:
    classes = torch.tensor([2, 0, 1, 0, 2, 2])
    wanted = torch.arange(3).repeat(2000)
    found = digit_energy._one_of_each(classes, wanted, seeded())
    assert torch.equal(classes[found], wanted)
    counts = torch.bincount(found[wanted == 2], minlength=6)[[0, 4, 5]]
    assert stats.chisquare(counts.numpy()).pvalue > 1e-6


def test_spectral_norms_are_bounded() -> None:
    settings = replace(TINY, spectral_norm=True)
    bounded, free = trained(settings, 60), trained(TINY, 60)
    assert all(torch.linalg.matrix_norm(each, 2) < 1.02 for each in matrices(bounded.average))
    assert any(torch.linalg.matrix_norm(each, 2) > 1.5 for each in matrices(free.average))


def test_steps_beyond_the_limit_diverge_and_say_so() -> None:
    settings = replace(TINY, steps_per_update=40)
    assert digit_energy.stability_limit(settings) == pytest.approx(0.04)
    generator = seeded()
    state = digit_energy.init(settings, generator, pixels=1, classes=2)
    assert not digit_energy.diverged(state)
    wild = replace(settings, step_size=30 * SPREAD**2)  # beyond what even the bowl bears
    for _ in range(10):
        state = digit_energy.update(state, wild, *one_pixel(), generator)
    assert digit_energy.diverged(state)


def test_the_rate_warms_up_and_cools_down() -> None:
    rates = [digit_energy.rate(TINY, number) for number in range(300)]
    assert max(rates) <= TINY.learning_rate
    assert rates[0] == pytest.approx(TINY.learning_rate / 50, rel=0.01)
    assert rates[-1] == pytest.approx(0.05 * TINY.learning_rate)


def test_an_unknown_objective_lists_those_there_are() -> None:
    with pytest.raises(ValueError, match="'likelihood' is none of contrastive, persistent, score_matching"):
        digit_energy.recommended("likelihood")


# ---- generation --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("objective", digit_energy.OBJECTIVES)
def test_generation_follows_from_the_seed(objective: str) -> None:
    settings = digit_energy.recommended(objective)
    weights = initial_weights(16, 2, seeded())
    classes = torch.arange(10)
    path = digit_energy.generate(weights, settings, classes, 20, seeded(3), frames=5)
    assert path.shape == (5, 10, 64)
    assert torch.equal(path, digit_energy.generate(weights, settings, classes, 20, seeded(3), frames=5))
    assert not torch.equal(path, digit_energy.generate(weights, settings, classes, 20, seeded(4), frames=5))
    generator = seeded(3)  # by hand
    start = digit_energy.begin(settings, 10, 64, generator)
    end = digit_energy.walk(weights, settings, start, classes, digit_energy.levels(settings, 20), generator)
    assert torch.equal(path[0], start)
    assert torch.equal(path[-1], end)


def test_levels_fall_where_all_were_learned() -> None:
    assert set(digit_energy.levels(digit_energy.recommended("persistent"), 7)) == {0.1}
    falling = digit_energy.levels(digit_energy.recommended("score_matching"), 100)
    assert len(falling) == 100
    assert falling[0] == pytest.approx(1.5)
    assert falling[79:] == pytest.approx([0.1] * 21)
    assert all(a > b for a, b in itertools.pairwise(falling[:80]))


def test_generation_can_be_stopped() -> None:
    def stop() -> None:
        raise InterruptedError

    settings = digit_energy.recommended("persistent")
    with pytest.raises(InterruptedError):
        digit_energy.generate(initial_weights(8, 1, seeded()), settings, torch.arange(3), 10, seeded(), 3, stop)


@pytest.mark.parametrize(("objective", "updates"), [("score_matching", 250), ("persistent", 100)])
def test_a_stranger_recognises_digits_after_seconds(objective: str, updates: int) -> None:
    settings = replace(digit_energy.recommended(objective), updates=updates, averaging=0.95)
    images, labels = digits_to_learn()
    generator = seeded(5)
    state = digit_energy.init(settings, generator)
    for _ in range(updates):
        state = digit_energy.update(state, settings, images, labels, generator)
    classes = torch.arange(100) % 10
    ends = digit_energy.generate(state.average, settings, classes, 200, generator)[-1]
    shown = digit_energy.expected(state.average, ends, classes, settings.noise)
    found = quality(judge(), shown, classes, images, labels)
    assert found.agreement >= 0.6
    assert found.diversity > 0.5
    assert found.novelty > 0.5


# ---- the judge ---------------------------------------------------------------------------------------------------------


def test_the_judge_knows_digits_it_never_saw() -> None:
    assert judge_accuracy() >= 0.95
    assert len(judge().examples) + len(digits_to_learn()[0]) == 1797
    assert torch.cdist(judge().examples, digits_to_learn()[0]).min() > 0  # none in both


def test_the_judge_interpolates_without_ridge() -> None:
    points, classes = torch.rand(12, 2, generator=seeded()), torch.arange(12) % 3
    found = KernelClassifier.fit(points, classes, width=0.2, ridge=0.0)
    torch.testing.assert_close(found.scores(points), torch.nn.functional.one_hot(classes).double(), atol=1e-5, rtol=0)


def test_quality_of_copies_and_of_one_sample_over_and_over() -> None:
    images, labels = digits_to_learn()
    copies = quality(judge(), images, labels, images, labels)
    assert copies.agreement == pytest.approx(judge_accuracy())
    assert copies.diversity == pytest.approx(1.0, abs=1e-5)
    assert copies.novelty == pytest.approx(0.0, abs=1e-2)
    same = quality(judge(), images[:1].repeat(5, 1), labels[:1].repeat(5), images, labels)
    assert same.diversity == pytest.approx(0.0, abs=1e-5)
    assert int(same.by_class.isnan().sum()) == 9
