"""What `topics` draws, reduced to what a screen can show."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.core.frames import GAPS
from engine.data.texts import Collection, Cutting, Table, stop_words
from engine.data.words import cut
from engine.math.latent.plsa import Topics, responsibilities

MOST_WORDS = 12  # of a topic's list
MOST_ROWS = 200  # words of the table's picture
MOST_COLUMNS = 300  # documents, or groups of neighbouring ones, side by side
MOST_SIGNS = 1200  # of the text that is opened


@dataclass(frozen=True, slots=True)
class Picture:
    """What the panel draws."""

    topic_words: tuple[tuple[str, ...], ...]  # (K, R): the most probable words of each topic
    topic_probabilities: np.ndarray  # (K, R): p(w|z) of these
    topic_shares: np.ndarray  # (K,): p(z)
    mixtures: np.ndarray  # (K, columns): p(z|d), documents sorted by topic
    columns: np.ndarray  # (columns,): the document, counted from one, that stands in each
    table: np.ndarray  # (rows, columns): ln(1 + n), words sorted by topic
    row_ends: np.ndarray  # (K,): where the words of each topic end
    column_ends: np.ndarray  # (K,): where the documents of each topic end
    half_steps: np.ndarray  # (t,)
    perplexities: np.ndarray  # (t,)
    bounds: np.ndarray  # (t,): exp of minus the lower bound per token
    heldout: np.ndarray = field(metadata=GAPS)  # (t,): held-out perplexity after each M step
    unigram: float = 0.0
    perfect: float = 0.0
    text: str = ""  # of the document that is opened
    name: str = ""
    document: int = 1  # counted from one
    document_mixture: np.ndarray = field(default_factory=lambda: np.zeros(0))  # (K,)
    spans: np.ndarray = field(default_factory=lambda: np.zeros((0, 3), dtype=np.int64))  # (words, 3): begin, end, topic
    strengths: np.ndarray = field(default_factory=lambda: np.zeros(0))  # (words,): the responsibility of that topic
    subject: str = ""
    after_e: bool = False


def top_words(model: Topics, words: tuple[str, ...]) -> tuple[tuple[tuple[str, ...], ...], np.ndarray]:
    """The most probable words of each topic, and their probabilities of shape (topics, number)."""
    number = min(MOST_WORDS, len(words))
    chosen = model.words.topk(number, 1)
    names = tuple(tuple(words[i] for i in row) for row in chosen.indices.tolist())
    return names, chosen.values.cpu().numpy().astype(np.float32)


def document_order(mixtures: Tensor) -> tuple[Tensor, Tensor]:
    """Documents by their main topic, the purest first, and where those of each topic end; shapes (D,) and (K,)."""
    best, topic = mixtures.max(1)
    order = torch.argsort(topic * 2 + (1 - best).clamp(0, 1), stable=True)
    return order, torch.bincount(topic, minlength=mixtures.shape[1]).cumsum(0)


def word_order(counts: Tensor, model: Topics) -> tuple[Tensor, Tensor]:
    """The telling words of each topic, most frequent first, and where those of each topic end."""
    shares = model.mixtures.mT @ counts.sum(1)
    expected = model.words * shares[:, None]
    best, topic = expected.max(0)
    each = max(1, MOST_ROWS // len(shares))
    rows, ends = [], []
    for z in range(len(shares)):
        mine = torch.nonzero(topic == z).squeeze(1)
        rows.append(mine[best[mine].argsort(descending=True, stable=True)[:each]])
        ends.append(len(rows[-1]))
    return torch.cat(rows), torch.tensor(ends).cumsum(0)


def sorted_table(counts: Tensor, model: Topics) -> dict[str, Any]:
    """Mixtures and table with words and documents sorted by topic, neighbouring documents gathered to fit a screen."""
    order, column_ends = document_order(model.mixtures)
    rows, row_ends = word_order(counts, model)
    many = len(order)
    groups = min(many, MOST_COLUMNS)
    place = torch.arange(many, device=counts.device) * groups // many
    size = torch.bincount(place, minlength=groups).to(counts.dtype)
    mixtures = torch.zeros((groups, model.mixtures.shape[1]), dtype=counts.dtype, device=counts.device)
    mixtures.index_add_(0, place, model.mixtures[order])
    table = torch.zeros((groups, len(rows)), dtype=counts.dtype, device=counts.device)
    table.index_add_(0, place, counts[:, rows][order])
    firsts = torch.searchsorted(place, torch.arange(groups, device=counts.device))
    return {
        "mixtures": (mixtures / size[:, None]).mT.cpu().numpy().astype(np.float32),
        "columns": (order[firsts] + 1).cpu().numpy(),
        "table": (table / size[:, None]).log1p().mT.cpu().numpy().astype(np.float32),
        "row_ends": row_ends.cpu().numpy(),
        "column_ends": (column_ends * groups / many).cpu().numpy(),
    }


def opened(
    collection: Collection, table: Table, cutting: Cutting, rows: Tensor, model: Topics, document: int, beta: float
) -> dict[str, Any]:
    """The text of one fitted document, its mixture, and the topic of each of its words.

    Parameters
    ----------
    rows : Tensor, shape (documents,)
        Which rows of the table were fitted.
    document : int
        Counted from one; beyond the last one it is the last.
    """
    at = min(document, len(rows)) - 1
    source = int(table.kept[int(rows[at])])
    text = " ".join(collection.texts[source][: 4 * MOST_SIGNS].split())[:MOST_SIGNS]
    index = {word: i for i, word in enumerate(table.words)}
    stop = stop_words() if cutting.stop_words else frozenset()
    found = [(index[word], begin, end) for word, begin, end in cut(text, cutting.han, stop) if word in index]
    ids = torch.tensor([word for word, _, _ in found], dtype=torch.int64, device=model.words.device)
    best = responsibilities(model, at, ids, beta).max(1) if found else None
    topics = best.indices.tolist() if best is not None else []
    spans = [(begin, end, topic) for (_, begin, end), topic in zip(found, topics, strict=True)]
    return {
        "text": text,
        "name": collection.names[source],
        "document": at + 1,
        "document_mixture": model.mixtures[at].cpu().numpy().astype(np.float32),
        "spans": np.array(spans, dtype=np.int64).reshape(-1, 3),
        "strengths": np.zeros(0) if best is None else best.values.cpu().numpy().astype(np.float32),
        "subject": collection.subjects[source] if collection.subjects else "",
    }
