"""Collections of short texts, and the word-document table made of one.

Texts are cut into words without a dictionary: letters that follow each other are a word; a run of Chinese characters, which
has no spaces, is cut at punctuation and at function characters, and every two neighbouring characters of a piece become one
word. Pairs that are no words seldom come twice, so that a small least number of documents sorts them out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np

from engine.core.errors import LabError
from engine.core.resources import resource_path

EXAMPLES = {"english": "english.txt", "chinese": "chinese.txt"}
MOST_FILES = 20_000
MOST_BYTES = 1 << 26  # of all files of a folder together
MOST_CELLS = 20_000_000  # of a table, as doubles 160 MB

HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
PIECES = re.compile(rf"[{HAN}]+|[^\W\d_{HAN}]+(?:['’-][^\W\d_{HAN}]+)*")
IS_HAN = re.compile(rf"[{HAN}]")

Han = Literal["pairs", "characters"]
Pause = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Collection:
    """Documents in their order, with the subject each was written for where that is known."""

    texts: tuple[str, ...]
    names: tuple[str, ...]
    subjects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cutting:
    """How texts become words and which words stay.

    Parameters
    ----------
    han : str
        ``pairs``: every two neighbouring Chinese characters are a word; ``characters``: every single one.
    stop_words : bool
        Leave out function words, English and Chinese.
    most_words : int
        The vocabulary keeps this many of the words found most often.
    least_documents : int
        Words found in fewer documents are left out.
    """

    han: Han = "pairs"
    stop_words: bool = True
    most_words: int = 2000
    least_documents: int = 2


@dataclass(frozen=True, slots=True)
class Table:
    """How often every word stands in every document; documents without any known word are left out.

    Parameters
    ----------
    counts : array, shape (documents, words), float32
        The table n(d, w).
    words : tuple of str
        The vocabulary, most frequent first.
    kept : array of int, shape (documents,)
        Which documents of the collection the rows are.
    """

    counts: np.ndarray
    words: tuple[str, ...]
    kept: np.ndarray


def example(name: str) -> Collection:
    """A collection that comes with the program: one document a line, under headings ``[subject]`` or ``[one+other]``."""
    texts, subjects, subject = [], [], ""
    for line in _lines(EXAMPLES[name]):
        if line.startswith("["):
            subject = line.strip("[]")
        elif line:
            texts.append(line)
            subjects.append(subject)
    names = [f"{subject} {subjects[: i + 1].count(subject)}" for i, subject in enumerate(subjects)]
    return Collection(tuple(texts), tuple(names), tuple(subjects))


def read_folder(folder: str, pause: Pause = lambda: None) -> Collection:
    """All ``*.txt`` files directly in a folder, in the order of their names; a file stands for the folder it lies in.

    Parameters
    ----------
    folder : str
        The path; ``~`` is the home folder.
    pause : callable
        Called before every file: where a run may be cancelled.

    Raises
    ------
    LabError
        If there is no such folder, it has no text files or too many, or one cannot be read or is not UTF-8.
    """
    place = Path(folder).expanduser()
    place = place.parent if place.is_file() else place
    if not place.is_dir():
        raise LabError("There is no folder {folder}.", "Name a folder with text files (*.txt).", folder=str(place))
    files = _text_files(place)
    texts = []
    for file in files:
        pause()
        texts.append(_read(file))
    return Collection(tuple(texts), tuple(file.stem for file in files))


def make_table(collection: Collection, cutting: Cutting, pause: Pause = lambda: None) -> Table:
    """Count words; words of too few documents go, then the rarest until the vocabulary is small enough.

    Raises
    ------
    LabError
        If fewer than two documents or two words are left.
    """
    stop = stop_words() if cutting.stop_words else frozenset()
    counted = []
    for text in collection.texts:
        pause()
        counted.append(Counter(word for word, _, _ in cut(text, cutting.han, stop)))
    total, spread = Counter[str](), Counter[str]()
    for bag in counted:
        total.update(bag)
        spread.update(bag.keys())
    most = min(cutting.most_words, max(2, MOST_CELLS // max(len(counted), 1)))
    found = sorted((word for word in total if spread[word] >= cutting.least_documents), key=lambda w: (-total[w], w))
    words = tuple(found[:most])
    kept = np.array([i for i, bag in enumerate(counted) if any(word in bag for word in words)], dtype=np.int64)
    if len(words) < 2 or len(kept) < 2:
        raise LabError(
            "Only {documents} documents and {words} words are left: topics need at least two of each.",
            "Take more texts, lower least_documents, or keep the stop words.",
            documents=len(kept),
            words=len(words),
        )
    index = {word: i for i, word in enumerate(words)}
    counts = np.zeros((len(kept), len(words)), dtype=np.float32)
    for row, at in enumerate(kept):
        for word, number in counted[at].items():
            if word in index:
                counts[row, index[word]] = number
    return Table(counts, words, kept)


def cut(text: str, han: Han = "pairs", stop: frozenset[str] = frozenset()) -> Iterator[tuple[str, int, int]]:
    """The words of a text with the places where they begin and end, in their order; pairs of characters overlap."""
    for piece in PIECES.finditer(text):
        if IS_HAN.match(piece.group()):
            yield from _cut_han(piece.group(), piece.start(), han, stop)
            continue
        word = piece.group().casefold().replace("’", "'").removesuffix("'s")
        if len(word) > 1 and word not in stop:
            yield word, piece.start(), piece.end()


@cache
def stop_words() -> frozenset[str]:
    """Function words of English, and function characters of Chinese, at which runs are cut."""
    return frozenset(
        word for name in ("stop_english.txt", "stop_chinese.txt") for line in _lines(name) for word in line.split()
    )


def shares_of_subjects(subjects: Sequence[str]) -> tuple[tuple[str, ...], np.ndarray]:
    """The names of the subjects, and an array (documents, subjects) of what each document was written for; rows sum to 1."""
    names = tuple(dict.fromkeys(part for subject in subjects for part in subject.split("+")))
    shares = np.zeros((len(subjects), len(names)))
    for row, subject in enumerate(subjects):
        parts = subject.split("+")
        for part in parts:
            shares[row, names.index(part)] += 1 / len(parts)
    return names, shares


def _cut_han(run: str, start: int, han: Han, stop: frozenset[str]) -> Iterator[tuple[str, int, int]]:
    if han == "characters":
        yield from ((sign, start + i, start + i + 1) for i, sign in enumerate(run) if sign not in stop)
        return
    yield from (
        (one + other, start + i, start + i + 2)
        for i, (one, other) in enumerate(pairwise(run))
        if one not in stop and other not in stop
    )


def _text_files(place: Path) -> list[Path]:
    try:
        files = sorted(file for file in place.iterdir() if file.suffix.lower() == ".txt" and file.is_file())
        size = sum(file.stat().st_size for file in files)
    except OSError as error:
        raise LabError("{path} cannot be read: {reason}.", path=str(place), reason=error.strerror or error) from None
    if not files:
        raise LabError("There are no text files (*.txt) in {folder}.", "Choose another folder.", folder=str(place))
    if len(files) > MOST_FILES or size > MOST_BYTES:
        raise LabError(
            "{folder} holds {files:,d} text files of {size:,.0f} MB together; {most:,d} files and {limit} MB are the limit.",
            "Choose a folder with fewer or shorter texts.",
            folder=str(place),
            files=len(files),
            size=size / 2**20,
            most=MOST_FILES,
            limit=MOST_BYTES >> 20,
        )
    return files


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise LabError(
            "{file} is not text in UTF-8: the byte at place {place:,d} belongs to no character.",
            "Save it in UTF-8 or take it out of the folder.",
            file=file.name,
            place=error.start,
        ) from None
    except OSError as error:
        raise LabError("{path} cannot be read: {reason}.", path=str(file), reason=error.strerror or error) from None


def _lines(name: str) -> list[str]:
    text = resource_path("data", "texts", name).read_text(encoding="utf-8")
    return [line.strip() for line in text.splitlines()]
