"""Digits to learn from, and a judge who knows only the others."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

from engine.data.digits import digits
from engine.math.networks.kernel_classifier import KernelClassifier

JUDGED_BY = 600  # digits that no generator sees


@cache
def digits_to_learn() -> tuple[Tensor, Tensor]:
    """1197 images (n, 64) and labels (n,): those the judge does not know."""
    images, labels = digits()
    chosen = _order()[JUDGED_BY:]
    return images[chosen], labels[chosen]


@cache
def judge() -> KernelClassifier:
    """A classifier made from the other 600; it is right on 98.5 % of `digits_to_learn`."""
    images, labels = digits()
    chosen = _order()[:JUDGED_BY]
    return KernelClassifier.fit(images[chosen], labels[chosen])


@cache
def judge_accuracy() -> float:
    """Share of `digits_to_learn` in which the judge sees the label: as much agreement as real digits get."""
    images, labels = digits_to_learn()
    return (judge().classes(images) == labels).to(torch.float64).mean().item()


def _order() -> Tensor:
    """One shuffle for all time: neighbours in the source come from one writer."""
    return torch.randperm(len(digits()[1]), generator=torch.Generator().manual_seed(0))
