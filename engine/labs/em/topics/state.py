"""What a run of `topics` is made of: the texts as the fit sees them, and the model."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor

from engine.data.texts import Collection, Cutting, Table
from engine.math.latent.plsa import (
    Expected,
    Topics,
)


@dataclass(frozen=True, slots=True)
class Texts:
    """The collection as the fit sees it; it does not change during a run."""

    collection: Collection
    table: Table
    cutting: Cutting
    rows: Tensor  # (documents,): rows of the table that are fitted
    counts: Tensor  # (documents, words)
    cells: Tensor  # (nonzero, 2): the cells that are not zero; none where they are too many to be looked at one by one
    seen: Tensor  # (held, words): the halves of the held-out documents that are folded in
    asked: Tensor  # (held, words): the other halves
    word_entropy: float  # nats over all tokens
    information: float  # I(d; w) in nats per token


@dataclass(frozen=True, slots=True)
class State:
    """The model, what the last E step found, and the record of the run."""

    texts: Texts
    model: Topics
    before: Topics | None  # the model that the responsibilities belong to; none while they are all 1/K
    beta: float  # with which they were found
    expected: Expected
    record: tuple[tuple[float, float, float], ...]  # log-likelihood, lower bound, held-out perplexity after each half-step
    fall: float = 0.0  # the largest loss of the objective in an M step, nats per token
    gap_after_e: float = math.nan
