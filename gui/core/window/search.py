"""What the command palette finds: a sentence, other words for it, and pinyin where it is Chinese."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from engine.api import Entry, load_toml
from gui.core.i18n import experiment_catalogue

CHINESE = re.compile(r"[\u4e00-\u9fff]+")


@dataclass(frozen=True, slots=True)
class Findable:
    """The texts of one thing that can be found.

    Parameters
    ----------
    title : str
        What is shown.
    words : str
        Other words that name it: in the other language, keys, synonyms.
    details : str
        Words that occur in it: parameters, choices, claims.
    """

    title: str
    words: str = ""
    details: str = ""

    def rank(self, query: str) -> int | None:
        """How well a query fits, 0 best; None if it does not."""
        wanted = normal(query).split()
        fields = [normal(self.title), f"{normal(self.title)} {normal(self.words)} {pinyin(f'{self.title} {self.words}')}"]
        fields.append(f"{fields[-1]} {normal(self.details)}")
        return next((rank for rank, text in enumerate(fields) if all(word in text for word in wanted)), None)


@cache
def normal(text: str) -> str:
    """Small letters, hyphens as spaces: k-means is "k means" and "kmeans" is a word of its own."""
    return re.sub(r"[-–_/·.]+", " ", text.casefold())


@cache
def pinyin(text: str) -> str:
    """The Chinese words of a text as syllables without tones, and as initials."""
    runs = CHINESE.findall(text)
    if not runs:
        return ""
    from pypinyin import lazy_pinyin  # with its dictionary: not before somebody searches

    syllables = [lazy_pinyin(run) for run in runs]
    return " ".join([*("".join(run) for run in syllables), *("".join(part[0] for part in run) for run in syllables)])


@cache
def synonyms() -> dict[str, list[str]]:
    """Other words for experiments."""
    return load_toml("synonyms.toml")


def words_of(entry: Entry) -> str:
    """What an experiment is called."""
    return _joined([entry.name, *entry.titles.values(), *entry.summaries.values(), *synonyms().get(entry.name, [])])


def details_of(entry: Entry) -> str:
    """What occurs in an experiment: its parameters, choices, measures and claims in both languages."""
    texts = experiment_catalogue(entry.name, "zh")
    return _joined([*texts.keys(), *texts.values()])


def _joined(texts: Iterable[str]) -> str:
    return " | ".join(texts)
