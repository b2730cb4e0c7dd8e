"""The experiment `langevin.energy_model`: what it learns, what its claims hold, what it refuses."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from engine.api import entry
from engine.core.context import Context
from engine.core.drive import Run
from engine.core.errors import LabError
from engine.core.frames import Frame
from engine.core.parameters import validate
from engine.labs.langevin.energy_model import EXPERIMENT, Parameters
from engine.labs.langevin.energy_model.experiment import age_law
from engine.labs.langevin.energy_model.images import ENCORE
from engine.math.networks.energy_training import expected_age

CPU = torch.device("cpu")
SMALL = {"width": 32, "batch": 100, "updates": 20_000}


def start(**values: Any) -> Run:
    parameters = validate(Parameters, {**SMALL, **values})
    return Run(EXPERIMENT, parameters, Context(CPU, parameters.seed))


def after(steps: int, **values: Any) -> Frame:
    run = start(**values)
    run.advance(steps)
    return run.observe()


def held(frame: Frame) -> dict[str, bool | None]:
    return {claim.name: claim.holds for claim in frame.claims}


def test_it_learns_two_moons() -> None:
    run = start()
    before = run.observe().measures
    run.advance(240)
    frame = run.observe()
    measures = frame.measures
    assert before["kl_divergence"] > 1.5
    assert measures["kl_divergence"] < 0.6
    assert measures["energy_gap"] == pytest.approx(measures["sample_energy"] - measures["data_energy"])
    assert measures["energy_gap"] > 0.3
    assert measures["mode_coverage"] == 1
    assert measures["negative_log_likelihood"] == pytest.approx(measures["entropy"] + measures["kl_divergence"])
    density = frame.picture.density
    assert float(density.sum()) * (6 / len(density)) ** 2 == pytest.approx(1, abs=1e-5)
    flat = np.exp(-frame.picture.energy) / 36
    assert flat == pytest.approx(density, rel=2e-3, abs=1e-5)


@pytest.mark.parametrize("seed", range(4))
def test_claims_hold_along_the_way(seed: int) -> None:
    run = start(seed=seed, data=("moons", "rings", "checkerboard", "eight_gaussians")[seed])
    for steps in (0, 3, 17, 60):
        run.advance(steps)
        found = held(run.observe())
        assert found == {
            "two_phases": True,
            "sampled_phases": True,
            "likelihood": True,
            "buffer_age": True if run.step else None,
            "spectral": None,
        }


@pytest.mark.parametrize("objective", ["contrastive", "score_matching", "noise_contrastive", "exact"])
def test_every_objective_comes_nearer(objective: str) -> None:
    run = start(objective=objective, data="pinwheel", temperature=1.0)
    before = run.observe().measures["kl_divergence"]
    run.advance(80)
    frame = run.observe()
    assert frame.measures["kl_divergence"] < before - 0.1
    assert held(frame)["two_phases"]
    assert held(frame)["likelihood"]
    assert math.isfinite(frame.measures["log_partition_estimate"]) == (objective == "noise_contrastive")


def test_noise_contrast_learns_log_z() -> None:
    frame = after(400, objective="noise_contrastive", model="rbf")
    assert frame.measures["log_partition_estimate"] == pytest.approx(frame.measures["log_partition"], abs=0.15)


@pytest.mark.parametrize("model", ["rbf", "grid"])
def test_models_linear_in_their_weights_learn(model: str) -> None:
    assert after(120, model=model, objective="exact").measures["kl_divergence"] < 0.6


def test_chains_from_noise_do_not_reach_the_model() -> None:
    """Without a buffer the law of the negatives stays between noise and model, and the energy suits short chains."""
    short = after(200, buffer_probability=0.0, steps_per_update=5, data="eight_gaussians").measures
    long = after(200, data="eight_gaussians").measures
    assert short["kl_divergence"] > long["kl_divergence"]
    assert short["chain_age"] == 1
    assert short["sample_energy"] - short["model_energy"] > long["sample_energy"] - long["model_energy"]


def test_spectral_normalisation_makes_norms_one() -> None:
    run = start(spectral_norm=True, temperature=0.05, step_size=0.3)
    for _ in range(5):
        run.advance(7)
        frame = run.observe()
        assert frame.measures["spectral_norm_largest"] == pytest.approx(1, abs=0.2)
        assert held(frame)["spectral"]
        assert held(frame)["two_phases"]


def test_the_printed_sign_runs_away_and_the_corrected_one_does_not() -> None:
    values = {"data": "eight_gaussians", "regularisation": 1.0, "learning_rate": 0.03, "step_size": 0.02}
    with pytest.raises(LabError, match="printed sign"):
        after(600, regularisation_sign="printed", **values)
    assert abs(after(200, **values).measures["sample_energy"]) < 20


# ---- tweaks ------------------------------------------------------------------------------------------------------------


def test_live_tweaks_keep_the_model() -> None:
    run = start()
    run.advance(40)
    before = run.observe().measures["kl_divergence"]
    tweaks = {"steps_per_update": 5, "batch": 300, "objective": "contrastive", "temperature": 0.8, "spectral_norm": False}
    for name, value in tweaks.items():
        run.tweak(run.parameters.changed(**{name: value}))
        run.observe()
        run.advance(8)
    frame = run.observe()
    assert frame.measures["kl_divergence"] < before + 0.2
    assert frame.picture.path.shape[0] == 6
    assert frame.picture.negatives.shape == (2, 300)
    assert held(frame)["buffer_age"] is None


def test_drawn_points_move_the_law_while_it_learns() -> None:
    run = start(data="drawn", drawn=((-1.0, -1.0),))
    run.advance(30)
    first = run.observe()
    run.tweak(run.parameters.changed(drawn=((-1.0, -1.0), (1.5, 1.5))))
    run.advance(80)
    second = run.observe()
    assert math.isnan(second.measures["mode_coverage"])
    assert second.measures["entropy"] == pytest.approx(first.measures["entropy"] + math.log(2), abs=0.01)
    at = np.unravel_index(second.picture.truth[48:].argmax(), second.picture.truth[48:].shape)
    assert second.picture.energy[48:][at] < first.picture.energy[48:][at]  # the new pit


def test_a_file_is_learned(tmp_path: Path) -> None:
    file = tmp_path / "points.csv"
    rows = 5 * np.random.default_rng(0).standard_normal((200, 2)) + 40
    file.write_text("\n".join(f"{i},{x},{y}" for i, (x, y) in enumerate(rows)), encoding="utf-8")
    frame = after(30, data="file", file=str(file), columns=(2, 3))
    assert frame.measures["entropy"] == pytest.approx(math.log(2 * math.pi * math.e), abs=0.6)
    with pytest.raises(LabError, match="columns"):
        start(data="file", file=str(file), columns=(2, 9))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"model": "conv"}, "images"),
        ({"data": "digits", "model": "rbf"}, "plane"),
        ({"data": "digits", "objective": "exact"}, "64 dimensions"),
        ({"data": "file"}, "No file"),
        ({"columns": (1, 1)}, "two different"),
        ({"data": "drawn", "drawn": ((1.0,),)}, "Row 1 of drawn has 1"),
        ({"data": "drawn", "drawn": ((0.0, 9.0),)}, "outside"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(values: dict[str, Any], words: str) -> None:
    with pytest.raises(LabError, match=words):
        start(**values)


# ---- images ------------------------------------------------------------------------------------------------------------


def test_digits_grow_and_are_read() -> None:
    run = start(data="digits", image_width=128, updates=300)
    run.advance(75)
    frame = run.observe()
    measures = frame.measures
    assert measures["class_agreement"] > 0.5
    assert measures["mode_coverage"] > 0.5
    assert 0.3 < measures["diversity"] < 2.0
    assert measures["novelty"] > 0.5
    assert math.isnan(measures["kl_divergence"])
    assert held(frame)["buffer_age"]
    assert frame.picture.gallery.shape == (30, 8, 8)
    table = frame.picture.class_energies
    assert (table.argmin(1) == np.arange(10)).mean() > 0.6


def test_after_the_last_update_digits_go_on_growing() -> None:
    run = start(data="digits", image_width=32, updates=2)
    assert run.total == 2 + ENCORE
    run.advance(2 + ENCORE // 2)
    assert 0 < run.observe().picture.walked < run.observe().picture.life
    run.advance(ENCORE)
    frame = run.observe()
    assert frame.measures["updates_done"] == 2
    assert frame.picture.walked == frame.picture.life
    assert run.finished


def test_one_class_is_generated_on_demand() -> None:
    run = start(data="digits", image_width=32, objective="score_matching")
    run.advance(2)
    run.tweak(run.parameters.changed(digit_class="7"))
    run.advance(1)
    frame = run.observe()
    assert set(frame.picture.gallery_classes.tolist()) == {7}
    assert math.isnan(frame.measures["chain_age"])
    assert frame.measures["energy_gap"] == pytest.approx(frame.measures["sample_energy"] - frame.measures["data_energy"])


def test_convolutions_learn_digits() -> None:
    frame = after(6, data="digits", model="conv", image_width=64, batch=40)
    assert frame.picture.images
    assert frame.picture.update == 6
    assert frame.measures["energy_gap"] != 0


# ---- small parts -------------------------------------------------------------------------------------------------------


def test_the_law_of_ages_has_the_expected_mean() -> None:
    rounds = np.array([1.0, 5, 5, 30, 0])
    shares, law = age_law(np.array([1, 2, 5, 9, 0]), rounds, 0.9)
    assert shares.sum() == pytest.approx(1)
    assert law.sum() == pytest.approx(1)
    mean, _ = expected_age(torch.tensor([1, 5, 5, 30]), 0.9)
    assert float(law @ np.arange(1, len(law) + 1)) == pytest.approx(float(mean.mean()))
    assert not age_law(np.zeros(3), np.zeros(3), 0.9)[1].any()


def test_every_preset_takes_a_few_steps() -> None:
    for preset in entry("langevin.energy_model").presets:
        values = {"updates": 50, **{k: v for k, v in preset.values.items() if k != "updates"}}
        run = Run(EXPERIMENT, validate(Parameters, values), Context(CPU, 0))
        run.advance(2)
        assert run.observe().picture.update == 2, preset.name
