"""Topics of texts: EM on a word-document table, one half-step at a time."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import lru_cache, partial

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from engine.core.context import Context
from engine.core.errors import LabError
from engine.core.experiment import Experiment
from engine.core.frames import Observation
from engine.data.texts import Collection, Cutting, Table, example, make_table, read_folder, shares_of_subjects
from engine.labs.em.topics.claims import CLAIMS, MEASURES, check_claims
from engine.labs.em.topics.parameters import Parameters
from engine.labs.em.topics.picture import Picture, opened, sorted_table, top_words
from engine.labs.em.topics.state import State, Texts
from engine.math.latent.plsa import (
    Topics,
    annealed_topics,
    completion_perplexity,
    direct_gap,
    document_topics,
    expectation,
    log_likelihood,
    lower_bound,
    maximisation,
    mutual_information,
    random_topics,
    tempered_objective,
    uniform_step,
    word_entropy,
)
from engine.math.numerics.precision import wide_dtype

MOST_RESPONSIBILITIES = 2_000_000  # that are summed one by one to check the chain rule
MOST_JUDGED = 100  # held-out documents that are folded in after every iteration


# ---- the algorithm ---------------------------------------------------------------------------------------------------


def init(parameters: Parameters, context: Context) -> State:
    """Read and count the texts; the first tables; responsibilities are still all alike."""
    texts = read_texts(parameters, context)
    generator, count = context.generator("start"), parameters.topics
    match parameters.start:
        case "annealed":
            model = annealed_topics(texts.counts, count, generator, context.checkpoint)
        case "documents":
            model = document_topics(texts.counts, count, generator)
        case _:
            model = random_topics(len(texts.counts), texts.counts.shape[1], count, generator, texts.counts)
    state = State(texts, model, None, 1.0, uniform_step(texts.counts, count), ())
    return recorded(state, log_likelihood(texts.counts, model, context.checkpoint), math.nan)


def step(state: State, parameters: Parameters, context: Context) -> State:
    """Half an iteration: an E step first, then an M step."""
    return e_step(state, parameters, context) if len(state.record) % 2 else m_step(state, context)


def e_step(state: State, parameters: Parameters, context: Context) -> State:
    """Responsibilities of the present model."""
    counts, model = state.texts.counts, state.model
    expected = expectation(counts, model, parameters.beta, context.checkpoint)
    likelihood = state.record[-1][0]
    gap = (likelihood - lower_bound(expected, model)) / float(counts.sum())
    state = replace(state, expected=expected, before=model, beta=parameters.beta, gap_after_e=gap)
    return recorded(state, likelihood, state.record[-1][2])


def m_step(state: State, context: Context) -> State:
    """Both tables from the expected counts."""
    counts, pause = state.texts.counts, context.checkpoint
    model = maximisation(state.expected)
    likelihood = log_likelihood(counts, model, pause)
    if state.beta == 1.0:
        loss = state.record[-1][0] - likelihood
    else:
        before = tempered_objective(counts, state.model, state.beta, pause)
        loss = before - tempered_objective(counts, model, state.beta, pause)
    fall = max(state.fall, loss / float(counts.sum()))
    return recorded(replace(state, model=model, fall=fall), likelihood, judged(state.texts, model))


def recorded(state: State, likelihood: float, held: float) -> State:
    """The state with one more half-step in its record."""
    entry = (likelihood, lower_bound(state.expected, state.model), held)
    return replace(state, record=(*state.record, entry))


def judged(texts: Texts, model: Topics) -> float:
    """Perplexity of the held-out halves; not a number where nothing is held out."""
    if not len(texts.seen):
        return math.nan
    frequencies = (texts.counts.sum(0) + 1) / (texts.counts.sum() + texts.counts.shape[1])
    return completion_perplexity(texts.seen, texts.asked, model.words, frequencies)


# ---- texts -----------------------------------------------------------------------------------------------------------


def read_texts(parameters: Parameters, context: Context) -> Texts:
    """The table of the chosen collection, and the documents held out."""
    pause = context.checkpoint
    cutting = Cutting(parameters.han, parameters.stop_words, parameters.vocabulary, parameters.least_documents)
    if parameters.folder:
        collection = read_folder(parameters.folder, pause)
        table = make_table(collection, cutting, pause)
    else:
        collection, table = counted_example(parameters.example, cutting)
    wide = torch.from_numpy(table.counts).to(context.device, wide_dtype(context.device))
    order = torch.randperm(len(wide), generator=context.generator("held out"), device=context.device)
    held = int(parameters.held_out * len(wide))
    if len(wide) - held < 2:
        raise LabError(
            "Of {documents} documents {held} are held out: fewer than two are left to fit.",
            "Lower held_out.",
            documents=len(wide),
            held=held,
        )
    rows = order[held:].sort().values
    counts = wide[rows]
    seen = torch.zeros((0, wide.shape[1]), dtype=wide.dtype, device=wide.device)
    asked = seen
    if held:
        chosen = wide[order[: min(held, MOST_JUDGED)]]
        seen = torch.binomial(chosen, torch.full_like(chosen, 0.5), generator=context.generator("halves"))
        asked = chosen - seen
    cells = counts.nonzero()
    cells = cells if len(cells) * parameters.topics <= MOST_RESPONSIBILITIES else cells[:0]
    entropy, information = word_entropy(counts), mutual_information(counts)
    return Texts(collection, table, cutting, rows.cpu(), counts, cells, seen, asked, entropy, information)


@lru_cache(maxsize=8)
def counted_example(name: str, cutting: Cutting) -> tuple[Collection, Table]:
    """An example and its table, counted once."""
    collection = example(name)
    return collection, make_table(collection, cutting)


def total(parameters: Parameters, context: Context) -> int:
    """Half-steps of a run."""
    return 2 * parameters.steps


def stride(parameters: Parameters, step_number: int) -> int:
    """Every half-step at first, later whole iterations."""
    return 1 if step_number < 24 or parameters.steps <= 50 else 2 * (1 + parameters.steps // 200)


# ---- what one sees ---------------------------------------------------------------------------------------------------


def observe(state: State, parameters: Parameters, context: Context) -> Observation:
    """Topics as lists of words, documents as mixtures, the sorted table, and the record of the perplexity."""
    texts, model = state.texts, state.model
    measures = measured(state)
    names, probabilities = top_words(model, texts.table.words)
    tokens = measures["tokens"]
    record = np.array(state.record)
    shares = (texts.counts.sum(1) @ model.mixtures) / tokens
    look = partial(opened, texts.collection, texts.table, texts.cutting, texts.rows, model)
    picture = Picture(
        topic_words=names,
        topic_probabilities=probabilities,
        topic_shares=shares.cpu().numpy().astype(np.float32),  # device sync
        **sorted_table(texts.counts, model),
        half_steps=np.arange(len(record)),
        perplexities=perplexity(record[:, 0], tokens),
        bounds=perplexity(record[:, 1], tokens),
        heldout=record[:, 2].copy(),
        unigram=measures["unigram_perplexity"],
        perfect=measures["perfect_perplexity"],
        after_e=len(record) % 2 == 0,
        **look(parameters.document, parameters.beta),
    )
    facts = {
        "fall": state.fall,
        "gap_after_e": state.gap_after_e,
        "direct_gap": direct_gap(texts.counts, texts.cells, state.before, model, state.beta) / tokens,
        "margin": margin(texts.counts, model),
        "beta": state.beta,
    }
    return Observation(picture, measures, check_claims(measures, facts, parameters.topics, texts.counts.dtype))


def measured(state: State) -> dict[str, float]:
    """The numbers of a frame."""
    texts = state.texts
    documents, words = texts.counts.shape
    likelihood, bound, held = state.record[-1]
    tokens = float(texts.counts.sum())
    mixtures = state.model.mixtures
    return {
        "log_likelihood": likelihood,
        "perplexity": float(perplexity(likelihood, tokens)),
        "heldout_perplexity": held,
        "unigram_perplexity": math.exp(texts.word_entropy / tokens + texts.information),
        "perfect_perplexity": math.exp(texts.word_entropy / tokens),
        "marginal_kl": (-likelihood - texts.word_entropy) / tokens,
        "gap": (likelihood - bound) / tokens,
        "joint_kl": (-bound - texts.word_entropy) / tokens,
        "mutual_information": texts.information,
        "topic_entropy": float(-torch.xlogy(mixtures, mixtures).sum(1).mean()),
        "agreement": agreement(texts, mixtures),
        "documents": documents,
        "words": words,
        "tokens": tokens,
        "iterations": (len(state.record) - 1) // 2,
    }


def perplexity(likelihood: np.ndarray | float, tokens: float) -> np.ndarray:
    """exp(-L/N): among how many words, all equally likely, the model is as much at a loss."""
    return np.exp(np.minimum(-np.asarray(likelihood) / tokens, 700.0))


def margin(counts: Tensor, model: Topics) -> float:
    """The largest difference between a word's frequency in the model and in the texts."""
    modelled = (counts.sum(1) @ model.mixtures) @ model.words
    return float((modelled - counts.sum(0)).abs().max() / counts.sum())


def agreement(texts: Texts, mixtures: Tensor) -> float:
    """Share of the mixtures that lies on the subject each text was written for, topics and subjects matched at best."""
    if not texts.collection.subjects:
        return math.nan
    _, shares = shares_of_subjects(texts.collection.subjects)
    shares = shares[texts.table.kept][texts.rows.numpy()]
    fitted = mixtures.cpu().numpy()
    overlap = np.minimum(fitted[:, :, None], shares[:, None, :]).mean(0)
    return float(overlap[linear_sum_assignment(overlap, maximize=True)].sum())


EXPERIMENT = Experiment(
    parameters=Parameters,
    init=init,
    step=step,
    observe=observe,
    measures=MEASURES,
    claims=CLAIMS,
    total=total,
    stride=stride,
    pacing="latest",
    history=True,
    memory=("vocabulary", "topics"),
)
