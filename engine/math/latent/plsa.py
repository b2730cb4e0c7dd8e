"""Probabilistic latent semantic analysis: EM on a word-document table.

A document d chooses a topic z with p(z|d), the topic a word w with p(w|z). The responsibilities p(z|d, w) of all cells would
be a cube of documents x words x topics; they are never stored, because the M step only needs two sums of it.

References
----------
Hofmann (1999), Probabilistic latent semantic analysis, UAI; and Unsupervised learning by probabilistic latent semantic
analysis, Machine Learning 42 (2001), for tempering and folding in.
Gaussier & Goutte (2005), Relation between PLSA and NMF and implications, SIGIR.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.math.numerics.precision import slices

CHUNK = 1 << 22  # multiplications between two pauses
BACKGROUND = 0.01  # of the word frequencies mixed into p(w|z) before unseen documents are judged

Pause = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Topics:
    """The two tables of the model.

    Parameters
    ----------
    mixtures : Tensor, shape (documents, topics)
        p(z|d); rows sum to 1.
    words : Tensor, shape (topics, words)
        p(w|z); rows sum to 1.
    """

    mixtures: Tensor
    words: Tensor


@dataclass(frozen=True, slots=True)
class Expected:
    """What an E step hands to the M step.

    Parameters
    ----------
    mixtures : Tensor, shape (documents, topics)
        Expected counts Σ_w n(d,w) r(z|d,w).
    words : Tensor, shape (topics, words)
        Expected counts Σ_d n(d,w) r(z|d,w).
    entropy : float
        Σ n(d,w) H(r(.|d,w)), in nats.
    """

    mixtures: Tensor
    words: Tensor
    entropy: float


def random_topics(documents: int, words: int, topics: int, generator: torch.Generator, like: Tensor) -> Topics:
    """Both tables drawn from flat Dirichlet laws, on the device and with the type of `like`."""
    mixtures = torch.empty((documents, topics), device=like.device, dtype=like.dtype).exponential_(generator=generator)
    table = torch.empty((topics, words), device=like.device, dtype=like.dtype).exponential_(generator=generator)
    return Topics(mixtures / mixtures.sum(1, keepdim=True), table / table.sum(1, keepdim=True))


def document_topics(counts: Tensor, topics: int, generator: torch.Generator) -> Topics:
    """Topics that start from documents chosen as k-means++ chooses points: far from each other in the Hellinger distance.

    Every chosen document is blended with the words of all, so that no word is impossible.
    """
    roots = (counts / counts.sum(1, keepdim=True)).sqrt()
    first = torch.randint(len(counts), (1,), generator=generator, device=counts.device)
    chosen = [first]
    far = torch.full((len(counts),), 2.0, dtype=counts.dtype, device=counts.device)
    for _ in range(topics - 1):
        far = torch.minimum(far, (2 - 2 * roots @ roots[chosen[-1]].mT).clamp(min=0).squeeze(1))
        weights = far if bool(far.sum() > 0) else torch.ones_like(far)
        chosen.append(torch.multinomial(weights, 1, generator=generator))
    frequencies = counts.sum(0) / counts.sum()
    seeds = counts[torch.cat(chosen)]
    words = 0.5 * seeds / seeds.sum(1, keepdim=True) + 0.5 * frequencies
    mixtures = torch.full((len(counts), topics), 1 / topics, dtype=counts.dtype, device=counts.device)
    return Topics(mixtures, words)


def uniform_step(counts: Tensor, topics: int) -> Expected:
    """Expected counts when every responsibility is 1/K: what is believed before the first E step."""
    share = torch.ones((1, topics), dtype=counts.dtype, device=counts.device) / topics
    entropy = float(counts.sum()) * math.log(topics)
    return Expected(counts.sum(1, keepdim=True) * share, share.mT * counts.sum(0), entropy)


def expectation(counts: Tensor, model: Topics, beta: float = 1.0, pause: Pause = lambda: None) -> Expected:
    """E step: r(z|d,w) ∝ [p(w|z) p(z|d)]^β, summed with the counts.

    Parameters
    ----------
    counts : Tensor, shape (documents, words)
        The table n(d, w).
    model : Topics
    beta : float
        1 is EM; below 1 the responsibilities are tempered (Hofmann's β).
    pause : callable
        Called between chunks of documents.
    """
    mixtures, words = tempered(model, beta)
    back = torch.zeros_like(words)
    by_document, total = [], torch.zeros((), dtype=counts.dtype, device=counts.device)
    for rows in chunks(counts.shape[0], counts.shape[1] * words.shape[0]):
        pause()
        mass = safe(mixtures[rows] @ words)
        ratio = counts[rows] / mass
        by_document.append(mixtures[rows] * (ratio @ words.mT))
        back += mixtures[rows].mT @ ratio
        total += (counts[rows] * mass.log()).sum()
    expected = torch.cat(by_document), words * back
    inside = (expected[0] * safe(model.mixtures).log()).sum() + (expected[1] * safe(model.words).log()).sum()
    return Expected(*expected, float(total - beta * inside))


def maximisation(expected: Expected) -> Topics:
    """M step: expected counts as frequencies; a topic that nobody uses keeps a flat law of words."""
    return Topics(_rows(expected.mixtures), _rows(expected.words))


def log_likelihood(counts: Tensor, model: Topics, pause: Pause = lambda: None) -> float:
    """Σ n(d,w) ln p(w|d), over all tokens, in nats."""
    total = torch.zeros((), dtype=counts.dtype, device=counts.device)
    for rows in chunks(counts.shape[0], counts.shape[1] * model.words.shape[0]):
        pause()
        mass = model.mixtures[rows] @ model.words
        total += torch.xlogy(counts[rows], safe(mass)).sum()
    return float(total)


def tempered_objective(counts: Tensor, model: Topics, beta: float, pause: Pause = lambda: None) -> float:
    """(1/β) Σ n(d,w) ln Σ_z [p(w|z) p(z|d)]^β: what tempered EM never lowers; the log-likelihood for β = 1."""
    return log_likelihood(counts, Topics(*tempered(model, beta)), pause) / beta


def lower_bound(expected: Expected, model: Topics) -> float:
    """Σ n Σ_z r ln [p(w|z) p(z|d)] + Σ n H(r): the log-likelihood less the gap."""
    fitted = torch.xlogy(expected.mixtures, safe(model.mixtures)).sum()
    fitted = fitted + torch.xlogy(expected.words, safe(model.words)).sum()
    return float(fitted) + expected.entropy


def word_entropy(counts: Tensor) -> float:
    """Σ_d n_d H(w|d) = -Σ n ln(n / n_d), in nats over all tokens: what a perfect fit leaves of the negative log-likelihood."""
    return -float(torch.xlogy(counts, counts).sum() - torch.xlogy(counts.sum(1), counts.sum(1)).sum())


def mutual_information(counts: Tensor) -> float:
    """I(d; w) per token in nats: the divergence that remains when one topic must do for all documents."""
    total = counts.sum()
    margins = torch.xlogy(counts.sum(0), counts.sum(0)).sum() + torch.xlogy(counts.sum(1), counts.sum(1)).sum()
    return float((torch.xlogy(counts, counts).sum() - margins) / total + total.log())


def annealed_topics(
    counts: Tensor, topics: int, generator: torch.Generator, pause: Pause = lambda: None, beta: float = 0.6, steps: int = 25
) -> Topics:
    """Topics that start from documents and take some tempered steps: deterministic annealing finds better maxima."""
    model = document_topics(counts, topics, generator)
    for _ in range(steps):
        model = maximisation(expectation(counts, model, beta, pause))
    return model


def fold_in(seen: Tensor, words: Tensor, steps: int = 30) -> Tensor:
    """Mixtures p(z|d) of new documents, shape (documents, topics), by EM with the topics held."""
    mixtures = torch.full((len(seen), len(words)), 1 / len(words), dtype=words.dtype, device=words.device)
    for _ in range(steps):
        ratio = seen / safe(mixtures @ words)
        mixtures = _rows(mixtures * (ratio @ words.mT))
    return mixtures


def completion_perplexity(seen: Tensor, asked: Tensor, words: Tensor, frequencies: Tensor, steps: int = 30) -> float:
    """Perplexity of one part of new documents after folding in the other part (document completion).

    p(w|z) is mixed with one part in a hundred of the word frequencies: else a single word that no topic knows would make
    it infinite.

    References
    ----------
    Wallach, Murray, Salakhutdinov & Mimno (2009), Evaluation methods for topic models, ICML.
    """
    smooth = (1 - BACKGROUND) * words + BACKGROUND * frequencies
    mass = fold_in(seen, smooth, steps) @ smooth
    tokens = asked.sum()
    return float((-torch.xlogy(asked, safe(mass)).sum() / tokens).exp()) if bool(tokens > 0) else float("nan")


def responsibilities(model: Topics, document: int, words: Tensor, beta: float = 1.0) -> Tensor:
    """r(z|d,w) of one document for some words, shape (words, topics)."""
    joint = beta_log(model.mixtures[document], beta) + beta_log(model.words[:, words].mT, beta)
    return torch.softmax(joint, 1)


def tempered(model: Topics, beta: float) -> tuple[Tensor, Tensor]:
    """Both tables to the power β."""
    return (model.mixtures, model.words) if beta == 1.0 else (model.mixtures**beta, model.words**beta)


def beta_log(table: Tensor, beta: float) -> Tensor:
    """β ln of probabilities, finite where they are zero."""
    return beta * safe(table).log()


def safe(table: Tensor) -> Tensor:
    """Probabilities, none of them smaller than the smallest normal number, so that logarithms and quotients are finite."""
    return table.clamp(min=torch.finfo(table.dtype).tiny)


def chunks(rows: int, work: int) -> list[slice]:
    """Stretches of rows, each of about the work that a cancelled run may still finish."""
    return slices(rows, max(1, CHUNK // max(work, 1)))


def _rows(table: Tensor) -> Tensor:
    """Every row divided by its sum; a row of zeros becomes flat."""
    sums = table.sum(1, keepdim=True)
    return torch.where(sums > 0, table / safe(sums), 1 / table.shape[1])


def direct_gap(counts: Tensor, cells: Tensor, before: Topics | None, model: Topics, beta: float = 1.0) -> float:
    """Σ n KL(r ‖ p(z|d,w)) in nats, cell by cell: the gap without the chain rule.

    Parameters
    ----------
    counts : Tensor, shape (documents, words)
        The table.
    cells : Tensor of int, shape (cells, 2)
        The document and the word of every cell that is not zero; with none of them the sum is not a number.
    before : Topics, optional
        The model that the responsibilities r belong to; without one they are all 1/K.
    model : Topics
        The present model, to which the posterior belongs.
    beta : float
        The tempering of r.
    """
    if not len(cells):
        return math.nan
    documents, words = cells.T
    logs = torch.log_softmax(safe(model.mixtures[documents]).log() + safe(model.words[:, words].mT).log(), 1)
    if before is None:
        held = torch.full_like(logs, -math.log(logs.shape[1]))
    else:
        old = beta_log(before.mixtures[documents], beta) + beta_log(before.words[:, words].mT, beta)
        held = torch.log_softmax(old, 1)
    return float((counts[documents, words] * (held.exp() * (held - logs)).sum(1)).sum())
