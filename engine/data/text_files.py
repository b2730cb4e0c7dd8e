"""Text files as people have them: regular files of bounded size, in any encoding that is still met.

A byte order mark decides; else what is valid UTF-8 is UTF-8; else zeros at every other place mean UTF-16; else chardet weighs
the encodings of the web. A header of a few letters tells little: the most widespread encodings win ties.
"""

from __future__ import annotations

import codecs
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.core.errors import LabError
from engine.core.files import NoRegularFile, TooLarge, read_regular
from engine.core.messages import Message

MOST_BYTES = 1 << 28
NAMES = {"utf-8": "UTF-8", "utf-16-le": "UTF-16", "utf-16-be": "UTF-16", "utf-32-le": "UTF-32", "utf-32-be": "UTF-32"}
MARKS = (  # the longer ones first: that of UTF-32 begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
ARCHIVES = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"\x1f\x8b", b"7z\xbc\xaf", b"PAR1")
CONTROLS = bytes(sorted({*range(32), 127} - set(b"\t\n\v\f\r\x1a\x1b")))
WIDESPREAD = ("GB18030", "Windows-1252")
TIE = 0.6  # of the likelihood of the likeliest encoding, at which a widespread one is preferred
SAMPLE = 200_000  # bytes that an encoding is judged by
LIKE = 50  # files of one folder that an encoding is judged by
LEAST_LETTERS = 8  # sound characters of UTF-8 beside which bytes of none are damage
MOST_DAMAGE = 0.02  # share of bytes that may belong to no character


@dataclass(frozen=True, slots=True)
class TextFile:
    """What stands in a file.

    Parameters
    ----------
    data : bytes
        In UTF-8, without a mark, lines parted by ``\\n`` alone.
    encoding : str
        Of the file itself, as people call it.
    damaged : int
        Characters that could not be read; each is U+FFFD now.
    """

    data: bytes
    encoding: str
    damaged: int = 0

    @property
    def text(self) -> str:
        """The same as characters."""
        return self.data.decode("utf-8")


def read_text_file(path: str | Path, most: int = MOST_BYTES) -> TextFile:
    """Read a text file.

    Raises
    ------
    LabError
        If there is none, it is no regular file (a device, a pipe), it is too large, or it holds no text.
    """
    return decoded(read_file(path, most), path)


def read_file(path: str | Path, most: int = MOST_BYTES) -> bytes:
    """The bytes of a regular file of at most so many; anything else is refused before it is opened."""
    try:
        return read_regular(Path(path).expanduser(), most)
    except TooLarge as error:
        raise LabError(
            "The file has {size:,d} megabytes.", "At most {most:,d} megabytes are read.", size=error.size >> 20, most=most >> 20
        ) from None
    except NoRegularFile as error:
        raise unreadable(path, error.reason) from None
    except (OSError, ValueError, RuntimeError) as error:  # RuntimeError: there is no home of this name
        raise unreadable(path, getattr(error, "strerror", None) or str(error)) from None


def unreadable(path: str | Path, reason: str | Message) -> LabError:
    """The sentence about a file that cannot be read."""
    shown = os.fsencode(path).decode("utf-8", "replace")
    return LabError("The file {path} cannot be read: {reason}.", "Choose another file.", path=shown, reason=reason)


def decoded(data: bytes, path: str | Path = "", codec: str = "") -> TextFile:
    """Bytes as text; `codec` is the encoding where it is known, found out otherwise.

    Raises
    ------
    LabError
        If they are no text.
    """
    if data.startswith(ARCHIVES):
        raise LabError(
            "The file {path} is a workbook or an archive, not text.",
            "Save the table as CSV, or unpack the archive.",
            path=str(path),
        )
    codec = codec or encoding_of(data)
    if not codec:
        raise unreadable(path, Message("it is not text"))
    mark = next((mark for mark, of in MARKS if of == codec and data.startswith(mark)), b"")
    data = data[len(mark) :]
    damaged = 0
    if codec == "utf-8" and _is_utf8(data):
        found = data
    else:
        text = data.decode(codec, "replace")
        damaged = text.count("\ufffd")
        found = text.encode("utf-8")
    if b"\0" in found:
        raise unreadable(path, Message("it is not text"))
    return TextFile(_lines(found).rstrip(b"\x1a"), _called(codec), damaged)


def decoded_alike(contents: Sequence[bytes], paths: Sequence[Path], between: Callable[[], None]) -> list[TextFile]:
    """Several files as text. Those that are no Unicode are taken to be in one encoding, judged by all of them.

    Raises
    ------
    LabError
        If one of them is no text.
    """
    codecs_of = []
    for data in contents:
        between()
        codecs_of.append(encoding_of(data))
    legacy = [data for data, codec in zip(contents, codecs_of, strict=True) if codec and not codec.startswith("utf")]
    joint = encoding_of(b"\n".join(data[:SAMPLE] for data in legacy[:LIKE])) if len(legacy) > 1 else ""
    found = []
    for data, codec, path in zip(contents, codecs_of, paths, strict=True):
        between()
        shared = bool(joint) and not codec.startswith("utf") and _fits(data, joint)
        found.append(decoded(data, path, joint if shared and codec else codec))
    return found


def encoding_of(data: bytes) -> str:
    """The name of the codec that fits, empty where the bytes are no text."""
    marked = next((codec for mark, codec in MARKS if data.startswith(mark)), "")
    if marked:
        return marked
    if b"\0" in data:
        return _wide(data)
    if len(data) - len(data.translate(None, CONTROLS)) > 1 + len(data) // 100:
        return ""
    if _is_utf8(data) or _is_damaged_utf8(data):
        return "utf-8"
    return next((codec for codec in _likely(data) if _fits(data, codec)), "")


def _called(codec: str) -> str:
    """An encoding as people call it."""
    return NAMES.get(codec) or codec.upper().replace("_", "-").replace("CP125", "Windows-125")


def _is_utf8(data: bytes) -> bool:
    if data.isascii():
        return True
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _is_damaged_utf8(data: bytes) -> bool:
    """Whether nearly all letters beyond ASCII are valid: a byte went wrong, or the end is missing."""
    letters = re.sub(r"[\0-\x7f]", "", data.decode("utf-8", "replace"))
    bad = letters.count("\ufffd")
    return len(letters) - bad >= max(LEAST_LETTERS, 4 * bad)


def _wide(data: bytes) -> str:
    """UTF-16 without a mark: digits and letters have a zero beside them, always on the same side."""
    first, second = data[::2].count(0), data[1::2].count(0)
    codec = "utf-16-le" if second > first else "utf-16-be"
    if max(first, second) < 0.2 * len(data) / 2 or min(first, second) > 0.05 * max(first, second) or len(data) % 2:
        return ""
    return codec if _fits(data, codec) else ""


def _likely(data: bytes) -> list[str]:
    """Encodings that the bytes may be in, the likeliest first."""
    import chardet

    high = re.search(rb"[\x80-\xff]", data)
    start = max(0, high.start() - 1000) if high else 0
    sample = data[start : start + SAMPLE]
    runs = re.findall(rb"[\x80-\xff]+", sample)
    if len(runs) <= 3 and all(len(run) == 1 for run in runs):
        return ["cp1252"]  # a few letters with accents, each by itself: nothing can be weighed
    if all(re.fullmatch(rb"(?:\xa3[\xa1-\xfe])+", run) for run in runs):
        return ["gb18030"]  # full-width digits and punctuation alone
    words = [word for word in re.findall(rb"[@-\xff ]+", sample) if not word.isascii()]  # digits would say: nothing known
    web = chardet.EncodingEra.MODERN_WEB
    found = chardet.detect_all(b"\n".join(words), encoding_era=web, ignore_threshold=True)
    named = [(str(each["encoding"]), float(each["confidence"] or 0)) for each in found if each["encoding"]]
    named = [(name, weight) for name, weight in named if not name.lower().startswith(("utf", "ascii", "viscii", "cp1258"))]
    most = max((weight for _, weight in named), default=0.0)
    preferred = [name for name, weight in named if name in WIDESPREAD and weight >= TIE * most]
    ordered = dict.fromkeys([*preferred, *(name for name, _ in named), "Windows-1252"])
    return [codecs.lookup(name).name for name in ordered]


def _fits(data: bytes, codec: str) -> bool:
    """Whether nearly all bytes are characters of an encoding."""
    return data.decode(codec, "replace").count("\ufffd") <= MOST_DAMAGE * len(data)


def _lines(data: bytes) -> bytes:
    """Lines parted by a line feed, whatever system they come from."""
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in data else data
