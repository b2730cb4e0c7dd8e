"""pLSA on tables small enough to know the answer, against NMF, and the words of texts."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.api import Cancelled, LabError, load, run_with
from engine.core.cancel import CancelToken
from engine.core.context import Context
from engine.core.device import resolve_device
from engine.core.drive import Run
from engine.data.texts import Cutting, example, make_table, read_folder, shares_of_subjects, stop_words
from engine.data.words import cut
from engine.math.latent.plsa import (
    Topics,
    completion_perplexity,
    direct_gap,
    document_topics,
    expectation,
    fold_in,
    log_likelihood,
    lower_bound,
    maximisation,
    mutual_information,
    random_topics,
    tempered_objective,
    uniform_step,
    word_entropy,
)

NAME = "em.topics"


def table(seed: int = 0, documents: int = 12, words: int = 9, rate: float = 2.0) -> torch.Tensor:
    counts = torch.poisson(torch.full((documents, words), rate, dtype=torch.float64), torch.Generator().manual_seed(seed))
    counts[:, 0] += 1
    return counts


def start(counts: torch.Tensor, topics: int, seed: int = 0) -> Topics:
    return random_topics(*counts.shape, topics, torch.Generator().manual_seed(seed), counts)


def fit(counts: torch.Tensor, model: Topics, steps: int, beta: float = 1.0) -> Topics:
    for _ in range(steps):
        model = maximisation(expectation(counts, model, beta))
    return model


# ---- the algorithm ---------------------------------------------------------------------------------------------------


def test_expected_counts_are_those_of_the_cube() -> None:
    counts = table()
    model = start(counts, 3)
    for beta in (1.0, 0.7):
        cube = (model.mixtures[:, None, :] * model.words.mT[None]) ** beta
        cube = cube / cube.sum(2, keepdim=True)
        found = expectation(counts, model, beta)
        torch.testing.assert_close(found.mixtures, (counts[:, :, None] * cube).sum(1))
        torch.testing.assert_close(found.words, (counts[:, :, None] * cube).sum(0).mT)
        entropy = -(counts[:, :, None] * cube * cube.log()).sum()
        assert found.entropy == pytest.approx(float(entropy), rel=1e-12)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), topics=st.integers(1, 6), beta=st.sampled_from([1.0, 0.8, 0.5]))
def test_no_iteration_lowers_the_objective(seed: int, topics: int, beta: float) -> None:
    counts = table(seed)
    model = start(counts, topics, seed)
    before = tempered_objective(counts, model, beta)
    for _ in range(15):
        model = fit(counts, model, 1, beta)
        after = tempered_objective(counts, model, beta)
        assert after >= before - 1e-9 * abs(before)
        before = after


def test_the_gap_is_zero_after_e_and_obeys_the_chain_rule_after_m() -> None:
    counts = table()
    model = start(counts, 4)
    expected = expectation(counts, model)
    assert log_likelihood(counts, model) - lower_bound(expected, model) == pytest.approx(0.0, abs=1e-9)
    new = maximisation(expected)
    gap = log_likelihood(counts, new) - lower_bound(expected, new)
    assert gap > 1e-3
    assert gap == pytest.approx(direct_gap(counts, counts.nonzero(), model, new), rel=1e-9)
    flat = uniform_step(counts, 4)
    gap = log_likelihood(counts, model) - lower_bound(flat, model)
    assert gap == pytest.approx(direct_gap(counts, counts.nonzero(), None, model), rel=1e-9)


def test_one_topic_is_the_product_of_margins() -> None:
    counts = table()
    model = fit(counts, start(counts, 1), 1)
    torch.testing.assert_close(model.words[0], counts.sum(0) / counts.sum())
    remaining = (-log_likelihood(counts, model) - word_entropy(counts)) / float(counts.sum())
    assert remaining == pytest.approx(mutual_information(counts), rel=1e-12)
    joint = counts / counts.sum()
    margins = joint.sum(1, keepdim=True) * joint.sum(0)
    assert mutual_information(counts) == pytest.approx(float(torch.xlogy(joint, joint / margins).sum()), rel=1e-12)


def test_a_table_of_rank_one_needs_one_topic() -> None:
    counts = torch.outer(torch.tensor([1.0, 2.0, 5.0]), torch.tensor([3.0, 1.0, 4.0, 2.0])).double()
    assert mutual_information(counts) == pytest.approx(0.0, abs=1e-12)
    model = fit(counts, start(counts, 3), 500)
    assert -log_likelihood(counts, model) == pytest.approx(word_entropy(counts), rel=1e-9)


def test_as_many_topics_as_documents_fit_perfectly() -> None:
    counts = table(3, documents=5, words=8)
    exact = Topics(torch.eye(5, dtype=torch.float64), counts / counts.sum(1, keepdim=True))
    assert -log_likelihood(counts, exact) == pytest.approx(word_entropy(counts), rel=1e-12)
    near = Topics(0.9 * exact.mixtures + 0.02, 0.9 * exact.words + 0.1 / 8)
    assert -log_likelihood(counts, fit(counts, near, 3000)) == pytest.approx(word_entropy(counts), rel=1e-3)


def test_words_keep_their_frequencies_after_an_m_step() -> None:
    counts = table()
    model = fit(counts, start(counts, 4), 1, 0.6)
    torch.testing.assert_close((counts.sum(1) @ model.mixtures) @ model.words, counts.sum(0))


def test_multiplicative_nmf_takes_the_same_steps() -> None:
    decomposition = pytest.importorskip("sklearn.decomposition")
    counts = table(1, documents=20, words=15)
    model = fit(counts, start(counts, 3), 5000)
    weights = (model.mixtures * counts.sum(1, keepdim=True)).numpy()
    options = {"solver": "mu", "beta_loss": "kullback-leibler", "init": "custom", "tol": 0.0, "max_iter": 1}
    nmf = decomposition.NMF(3, **options)
    scale = nmf.fit_transform(counts.numpy(), W=weights.copy(), H=model.words.numpy().copy())
    product = torch.from_numpy(scale @ nmf.components_)
    ours = (model.mixtures * counts.sum(1, keepdim=True)) @ model.words
    torch.testing.assert_close(product, ours, rtol=1e-3, atol=1e-4)  # a maximum of one is a minimum of the other


def test_folding_in_finds_the_mixture_of_known_topics() -> None:
    words = torch.tensor([[0.5, 0.5, 0, 0], [0, 0, 0.5, 0.5]], dtype=torch.float64)
    seen = torch.tensor([[3.0, 1.0, 0, 0], [2.0, 2.0, 1.0, 3.0]], dtype=torch.float64)
    torch.testing.assert_close(fold_in(seen, words), torch.tensor([[1.0, 0.0], [0.5, 0.5]], dtype=torch.float64))
    flat = torch.full((4,), 0.25, dtype=torch.float64)
    perplexity = completion_perplexity(seen[:1], torch.tensor([[0.0, 2.0, 0, 0]], dtype=torch.float64), words, flat)
    assert perplexity == pytest.approx(1 / (0.99 * 0.5 + 0.01 * 0.25), rel=1e-2)
    assert math.isnan(completion_perplexity(seen[:1], torch.zeros_like(seen[:1]), words, flat))


def test_topics_from_documents_are_laws_even_when_all_documents_are_equal() -> None:
    counts = torch.ones((4, 3), dtype=torch.float64)
    model = document_topics(counts, 6, torch.Generator().manual_seed(0))
    torch.testing.assert_close(model.words.sum(1), torch.ones(6, dtype=torch.float64))


# ---- words -----------------------------------------------------------------------------------------------------------


def test_cutting_of_both_languages() -> None:
    assert [word for word, _, _ in cut("The moon's Light, light-years; 3 cats", stop=stop_words())] == [
        "moon",
        "light",
        "light-years",
        "cats",
    ]
    assert [word for word, _, _ in cut("用望远镜看木星。星", stop=stop_words())] == ["望远", "远镜", "镜看", "看木", "木星"]
    assert [word for word, _, _ in cut("望远的镜", "characters", stop_words())] == ["望", "远", "镜"]
    text = "the moon 望远镜 shines"
    assert all(text[begin:end] == word for word, begin, end in cut(text))


def test_examples_have_clear_subjects() -> None:
    for name, documents, subjects in (("english", 85, 5), ("chinese", 52, 4)):
        collection = example(name)
        names, shares = shares_of_subjects(collection.subjects)
        assert len(collection.texts) == documents
        assert len(set(collection.names)) == documents
        assert len(names) == subjects
        np.testing.assert_allclose(shares.sum(1), 1)


def test_a_table_counts_and_sorts_words() -> None:
    collection = example("english")
    found = make_table(collection, Cutting(most_words=30))
    assert found.counts.shape[1] == len(found.words) == 30
    assert np.all(np.diff(found.counts.sum(0)) <= 0)
    row = list(found.kept).index(0)
    assert found.counts[row, found.words.index("light")] == 0
    assert found.counts.sum(1).min() > 0


# ---- folders ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(6):
        words = "sun moon star sky" if number % 2 else "salt oil bread rice"
        (tmp_path / f"{number}.txt").write_text(f"{words} {words} day", encoding="utf-8")
    (tmp_path / "notes.md").write_text("left out", encoding="utf-8")
    return tmp_path


def test_a_folder_gives_topics(folder: Path) -> None:
    parameters = load(NAME).parameters(folder=str(folder), topics=2, steps=20)
    frame = run_with(NAME, parameters, device="cpu").frame
    assert frame is not None
    assert frame.measures["documents"] == 6
    assert frame.measures["tokens"] == 54
    assert {frozenset(words[:4]) for words in frame.picture.topic_words} == {
        frozenset({"sun", "moon", "star", "sky"}),
        frozenset({"salt", "oil", "bread", "rice"}),
    }
    assert frame.measures["perplexity"] == pytest.approx(math.exp(-frame.measures["log_likelihood"] / 54))
    assert math.isnan(frame.measures["agreement"])
    assert read_folder(str(folder / "3.txt")).names == read_folder(str(folder)).names  # a file stands for its folder


def test_folders_that_cannot_be_read_say_so(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(LabError, match="There is no folder") as caught:
        read_folder(str(folder / "missing"))
    assert "missing" in str(caught.value)
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(LabError, match="no text files"):
        read_folder(str(empty))
    (folder / "bad.txt").write_bytes(b"caf\0 au lait")
    with pytest.raises(LabError, match="not text") as caught:
        read_folder(str(folder))
    assert "bad.txt" in str(caught.value)
    (empty / "a.txt").write_text("one word", encoding="utf-8")
    with pytest.raises(LabError, match="at least two"):
        make_table(read_folder(str(empty)), Cutting())


def test_reading_can_be_cancelled(folder: Path) -> None:
    token = CancelToken()
    token.cancel(now=True)
    parameters = load(NAME).parameters(folder=str(folder))
    with pytest.raises(Cancelled):
        Run(load(NAME), parameters, Context(resolve_device("cpu"), 0, token))


# ---- the experiment --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("values", [{}, {"beta": 0.7}, {"topics": 1}, {"start": "random", "held_out": 0.3}])
def test_claims_hold_at_every_half_step(values: dict, seed: int) -> None:
    parameters = load(NAME).parameters(steps=6, seed=seed, **values)
    frames = []
    run_with(NAME, parameters, device="cpu", on_frame=frames.append)
    assert len(frames) == 13
    for frame in frames:
        assert not [claim.name for claim in frame.claims if claim.holds is False]
    held = {claim.name: claim.holds for claim in frames[-1].claims}
    assert all(held[name] for name in ("monotone", "chain", "margins"))
    assert held["one_topic"] is (True if parameters.topics == 1 else None)
    assert all(after.measures["gap"] < 1e-9 for after in frames[1::2]) or parameters.beta < 1
    assert math.isnan(frames[-1].measures["heldout_perplexity"]) == (parameters.held_out == 0)


def test_the_bundled_subjects_are_found() -> None:
    for name, topics in (("english", 5), ("chinese", 4)):
        parameters = load(NAME).parameters(example=name, topics=topics, start="annealed", seed=1)
        frame = run_with(NAME, parameters, device="cpu").frame
        assert frame is not None
        assert frame.measures["agreement"] > 0.9


def test_more_topics_than_subjects_overfit() -> None:
    found = []
    for topics in (5, 20):
        frame = run_with(NAME, load(NAME).parameters(topics=topics, held_out=0.3, start="annealed"), device="cpu").frame
        assert frame is not None
        found.append(frame.measures)
    assert found[1]["perplexity"] < found[0]["perplexity"]
    assert found[1]["heldout_perplexity"] > found[0]["heldout_perplexity"]


def test_too_many_held_out_documents_are_refused(folder: Path) -> None:
    for number in range(2, 6):
        (folder / f"{number}.txt").unlink()
    parameters = load(NAME).parameters(folder=str(folder), least_documents=1, held_out=0.5)
    with pytest.raises(LabError, match="held out"):
        run_with(NAME, parameters, device="cpu", limit=0)
