"""Words of texts in any script, by the properties that Unicode gives their characters.

Letters with their marks that follow each other are a word. Scripts that put no spaces between words are cut otherwise: Thai,
Lao, Khmer, Burmese and Japanese by the dictionaries of ICU; a run of Chinese characters at punctuation and at function
characters, every two neighbouring characters of a piece being one word. Pairs that are no words seldom come twice, so that a
small least number of documents sorts them out.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import Any, Literal

Han = Literal["pairs", "characters", "words"]

HAN = r"[\p{Han}&&[\p{L}\p{Nl}]]"
KANA = r"[\p{Hiragana}\p{Katakana}\u30fc]"  # and the sign of a long vowel
UNSPACED = r"[[\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]&&[\p{L}\p{M}]]"
JOINED = (
    r"[\p{Arabic}\p{Syriac}\p{Devanagari}\p{Bengali}\p{Gurmukhi}\p{Gujarati}\p{Oriya}\p{Tamil}\p{Telugu}\p{Kannada}"
    r"\p{Malayalam}\p{Sinhala}]"
)
INSIDE = rf"[[\p{{L}}\p{{M}}\u200c\u200d]--\p{{Han}}--\p{{Hiragana}}--\p{{Katakana}}--{UNSPACED}]"
LETTERS = rf"(?:(?=\p{{L}}){INSIDE}+)"
PIECES = (
    rf"(?P<japanese>{HAN}*{KANA}(?:{HAN}|{KANA})*)|(?P<han>{HAN}+)|(?P<unspaced>{UNSPACED}[{UNSPACED}\p{{M}}]*)|"
    rf"(?P<spaced>{LETTERS}(?:['’-]{LETTERS})*)"
)
# Invisible: where a word may be hyphenated, marks of byte order and direction, joiners.
UNSEEN = (
    r"[\u00ad\u2060\ufeff\u200e\u200f]|"
    rf"(?<!{UNSPACED})\u200b|\u200b(?!{UNSPACED})|"  # between words of Thai it is a space
    rf"(?<!{JOINED})[\u200c\u200d]|[\u200c\u200d](?!{JOINED})"  # within a word of Persian or Hindi it is spelling
)


def tidied(text: str) -> str:
    """A text with composed accents (NFC) and without characters that nobody sees."""
    return unicodedata.normalize("NFC", _compiled(UNSEEN).sub("", text))


def cut(text: str, han: Han = "pairs", stop: frozenset[str] = frozenset()) -> Iterator[tuple[str, int, int]]:
    """The words of a tidied text with the places where they begin and end, in their order; pairs of characters overlap.

    Parameters
    ----------
    han : str
        ``pairs``: every two neighbouring Chinese characters are a word; ``characters``: every single one; ``words``: those
        of a dictionary.
    stop : frozenset of str
        Words that are left out, and characters at which runs are cut.
    """
    for piece in _compiled(PIECES).finditer(text):
        match piece.lastgroup:
            case "spaced":
                word = piece.group().casefold().replace("’", "'").removesuffix("'s")
                if len(word) > 1 and word not in stop:
                    yield word, piece.start(), piece.end()
            case "han" if han != "words":
                yield from _cut_han(piece.group(), piece.start(), han, stop)
            case _:
                for start, end in _segments(piece.group()):
                    word = piece.group()[start:end]
                    if word not in stop and _compiled(r"\p{L}").search(word):
                        yield word, piece.start() + start, piece.start() + end


def _cut_han(run: str, start: int, han: Han, stop: frozenset[str]) -> Iterator[tuple[str, int, int]]:
    if han == "characters":
        yield from ((sign, start + i, start + i + 1) for i, sign in enumerate(run) if sign not in stop)
        return
    yield from (
        (one + other, start + i, start + i + 2)
        for i, (one, other) in enumerate(pairwise(run))
        if one not in stop and other not in stop
    )


def _segments(run: str) -> Iterator[tuple[int, int]]:
    """Words of a run without spaces, by the dictionary of its script."""
    from icu4py.breakers import WordBreaker

    end = 0
    for word in WordBreaker(run, "en"):  # its own places count units of UTF-16
        start, end = end, end + len(word)
        yield start, end


@cache
def _compiled(pattern: str) -> Any:
    """A pattern of the `regex` package, which knows scripts and set operations; made when it is first needed."""
    import regex

    return regex.compile(pattern, regex.VERSION1)
