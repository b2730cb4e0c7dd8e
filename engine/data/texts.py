"""Collections of texts, and the word-document table made of one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from engine.core.errors import LabError
from engine.core.messages import Message
from engine.core.resources import resource_path
from engine.data.kept import Kept, mark
from engine.data.reading import TextReading
from engine.data.text_files import decoded_alike, read_file, read_text_file
from engine.data.words import Han, cut, tidied

EXAMPLES = {"english": "english.txt", "chinese": "chinese.txt"}
MOST_FILES = 20_000
MOST_BYTES = 1 << 26  # of all files of a folder together
MOST_CELLS = 20_000_000  # of a table, as doubles 160 MB

Pause = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Collection:
    """Tidied documents in their order, with the subject each was written for or how they were read, where that is known."""

    texts: tuple[str, ...]
    names: tuple[str, ...]
    subjects: tuple[str, ...] = ()
    reading: TextReading | None = None


@dataclass(frozen=True, slots=True)
class Cutting:
    """How texts become words and which words stay.

    Parameters
    ----------
    han : str
        How Chinese is cut, as in `engine.data.words.cut`.
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

    Files that are not UTF-8 are taken to be of one encoding, found out from all of them together.

    Parameters
    ----------
    folder : str
        The path; ``~`` is the home folder.
    pause : callable
        Called before every file: where a run may be cancelled.

    Raises
    ------
    LabError
        If there is no such folder, it has no text files or too many, or one cannot be read or is no text.
    """
    try:
        place = Path(folder).expanduser()
        place = place.parent if place.is_file() else place
        there = place.is_dir()
    except (OSError, ValueError, RuntimeError):  # RuntimeError: there is no home of this name
        place, there = Path(folder), False
    if not there:
        raise LabError("There is no folder {folder}.", "Name a folder with text files (*.txt).", folder=str(place))
    files, left_out = _text_files(place)
    key = tuple(map(mark, files))

    def collection() -> Collection:
        return _read_all(place, files, left_out, pause)

    return _kept.get(key if all(key) else None, collection, lambda found: sum(map(len, found.texts)))


_kept = Kept[Collection]()


def _read_all(place: Path, files: Sequence[Path], left_out: Sequence[tuple[str, Message]], pause: Pause) -> Collection:
    contents = []
    for file in files:
        pause()
        contents.append(read_file(file, MOST_BYTES))
    read = decoded_alike(contents, files, pause)
    texts = []
    for each in read:
        pause()
        texts.append(tidied(each.text))
    reading = TextReading(
        path=str(place),
        files=len(files),
        encodings=tuple(Counter(each.encoding for each in read).most_common()),
        characters=sum(map(len, texts)),
        left_out=tuple(left_out),
        damaged=sum(each.damaged for each in read),
    )
    return Collection(tuple(texts), tuple(file.stem for file in files), reading=reading)


def read_text(path: str) -> tuple[str, TextReading]:
    """A single text file, tidied, and how it was read.

    Raises
    ------
    LabError
        If none is named, or it cannot be read or is no text.
    """
    if not path:
        raise LabError("No file has been chosen.", "Choose a text file.")
    read = read_text_file(path)
    text = tidied(read.text)
    return text, TextReading(path, 1, ((read.encoding, 1),), len(text), damaged=read.damaged)


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


def _text_files(place: Path) -> tuple[list[Path], list[tuple[str, Message]]]:
    """The texts of a folder in the order of their names, and what else lies there that one sees."""
    try:
        found = sorted(file for file in place.iterdir() if not file.name.startswith(".") and not file.is_dir())
        files = [file for file in found if file.suffix.lower() == ".txt" and file.is_file()]
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
    others = [file for file in found if file not in set(files)]
    why = [Message("it is no regular file") if file.suffix.lower() == ".txt" else Message("not *.txt") for file in others]
    return files, [(file.name, reason) for file, reason in zip(others, why, strict=True)]


def _lines(name: str) -> list[str]:
    text = resource_path("data", "texts", name).read_text(encoding="utf-8")
    return [line.strip() for line in text.splitlines()]
