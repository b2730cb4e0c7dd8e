"""Numbers as people write them: one grammar for the command line, the form and files.

Accepted are a sign, digits in groups of three, a decimal mark and an exponent. A comma that parts no group of three is
refused rather than dropped: ``0,05`` is not 5. Underscores belong to Python and to identifiers, not to numbers.
"""

from __future__ import annotations

import math
import re
from typing import Literal

Mark = Literal[".", ","]

FULL_WIDTH = str.maketrans("，；．：－＋０１２３４５６７８９　", ",;.:-+0123456789 ")
BLANKS = "\u00a0\u2009\u202f"  # that part groups of digits in print
_GROUPED = r"[0-9]{{1,3}}(?P<mark>[{groups}'’ {blanks}])[0-9]{{3}}(?:(?P=mark)[0-9]{{3}})*"
_NUMBER = r"[-+]?(?:(?:{grouped}|[0-9]+)(?:{decimal}[0-9]*)?|{decimal}[0-9]+)(?:[eE][-+]?[0-9]+)?"


def _pattern(decimal: Mark) -> re.Pattern[str]:
    grouped = _GROUPED.format(groups="," if decimal == "." else r"\.", blanks=BLANKS)
    return re.compile(_NUMBER.format(grouped=grouped, decimal=re.escape(decimal)))


_PATTERNS: dict[Mark, re.Pattern[str]] = {".": _pattern("."), ",": _pattern(",")}


def half_width(text: str) -> str:
    """Digits and punctuation of an East Asian input method as their plain likes."""
    return text.translate(FULL_WIDTH)


def plain_number(text: str, decimal: Mark = ".", *, groups: bool = True) -> str | None:
    """The number in the syntax of Python, None where the text is none; `groups`: whether digits may be grouped by threes.

    Examples
    --------
    >>> plain_number("12,345.6"), plain_number("0,05"), plain_number("1.234,5", ","), plain_number("2023_01")
    ('12345.6', None, '1234.5', None)
    """
    text = half_width(text).strip().replace("\u2212", "-").replace("×10^", "e")
    found = _PATTERNS[decimal].fullmatch(text)
    if found is None or (found["mark"] and not groups):
        return None
    if found["mark"]:
        text = text.replace(found["mark"], "")
    return text.replace(",", ".") if decimal == "," else text


def read_number(text: str, decimal: Mark = ".") -> float | None:
    """The finite number that a text means, None where it means none."""
    plain = plain_number(text, decimal)
    value = math.nan if plain is None else float(plain)
    return value if math.isfinite(value) else None
