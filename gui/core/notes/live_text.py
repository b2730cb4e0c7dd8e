"""Live numbers in a note: places written ``{{name:format}}`` that are filled with the newest values.

A name is a measure (``mean_angle``) or has dots (``parameters.dimension``); the format is Python's own, as in `format`.
Inside a formula the same place gives LaTeX. A place counts wherever it stands, so formula text that needs two braces of
its own is written with a space, ``{ {n} }``; one brace directly around a place (``\\frac{1}{{{n}}}``) is fine.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real

from gui.core.numbers import NO_NUMBER, raised

DASH = NO_NUMBER

_PLACE = re.compile(r"\{\{([A-Za-z_][\w.]*)(?::([^{}]*))?\}\}")
_FORMULA = re.compile(r"(?<!\\)(\$\$.+?\$\$|\$[^$]+\$)", re.DOTALL)
_EXPONENT = re.compile(r"(?<=[\d.])e([+-]?\d+)")

# While Markdown is parsed each place is one character of the private use area, which no rule of Markdown touches.
_FIRST_MARK = 0xE000
MARKS = re.compile("[\ue000-\uf8ff]")


@dataclass(frozen=True, slots=True)
class Place:
    """A place for a live number: whose value it shows, and how."""

    name: str
    spec: str = ""

    def text(self, values: Mapping[str, object]) -> str:
        """The value for running text, with a real minus sign and ``×10⁻⁵`` for ``e-05``."""
        value = look_up(values, self.name)
        shown = format_value(value, self.spec)
        if not isinstance(value, Real):
            return shown
        return re.sub(r"^(\s*)-", r"\1−", raised(shown))

    def tex(self, values: Mapping[str, object]) -> str:
        """The value for a formula; its commas and per cent signs are made harmless."""
        value = look_up(values, self.name)
        shown = format_value(value, self.spec)
        if not isinstance(value, Real) or shown == DASH:
            return rf"\text{{{_escaped(shown)}}}"
        shown = _EXPONENT.sub(lambda found: rf"\times10^{{{int(found[1])}}}", shown)
        return shown.replace("%", r"\%").replace(",", "{,}").replace("_", r"\_")


def live_names(markdown: str) -> set[str]:
    """The names of all live numbers in a note.

    Examples
    --------
    >>> sorted(live_names("$n = {{parameters.dimension:,d}}$, mean {{mean_angle:.4f}}"))
    ['mean_angle', 'parameters.dimension']
    """
    return {found[1] for found in _PLACE.finditer(markdown)}


def fill_values(markdown: str, values: Mapping[str, object]) -> str:
    """The note with every place filled: as text in the prose, as LaTeX inside ``$...$`` and ``$$...$$``.

    Examples
    --------
    >>> fill_values("mean {{a:.2f}}, $\\\\sigma = {{b:,d}}$", {"a": -1.5, "b": 2000})
    'mean −1.50, $\\\\sigma = 2{,}000$'
    """

    def filled(part: str) -> str:
        in_formula = part.startswith("$")
        return _PLACE.sub(lambda found: _filled(Place(found[1], found[2] or ""), values, in_formula), part)

    return "".join(filled(part) for part in _FORMULA.split(markdown))


def format_value(value: object, spec: str = "") -> str:
    """The value under a format; an en dash if it is missing or not finite; the plain value if the format does not suit it."""
    if value is None or (isinstance(value, Real) and not math.isfinite(value)):
        return DASH
    try:
        return format(value, spec)
    except (ValueError, TypeError, OverflowError):
        return str(value)


def look_up(values: Mapping[str, object], name: str) -> object:
    """The value of a name: the key itself, else the way along its dots through mappings; None if there is none."""
    if name in values:
        return values[name]
    first, dot, rest = name.partition(".")
    inner = values.get(first)
    return look_up(inner, rest) if dot and isinstance(inner, Mapping) else None


def mark_places(markdown: str) -> tuple[str, list[Place]]:
    """The note with one private character for each place, and the places in order of those characters."""
    places: list[Place] = []

    def mark(found: re.Match[str]) -> str:
        places.append(Place(found[1], found[2] or ""))
        return chr(_FIRST_MARK + len(places) - 1)

    # An icon font's private character in the source would pass for a mark.
    return _PLACE.sub(mark, MARKS.sub("", markdown)), places


def place_of(mark: str, places: list[Place]) -> Place:
    """The place that a private character stands for."""
    return places[ord(mark) - _FIRST_MARK]


def fill_tex(tex: str, places: list[Place], values: Mapping[str, object]) -> str:
    """A formula with marks, filled with LaTeX."""
    return MARKS.sub(lambda found: place_of(found[0], places).tex(values), tex)


def _filled(place: Place, values: Mapping[str, object], in_formula: bool) -> str:
    return place.tex(values) if in_formula else place.text(values)


def _escaped(text: str) -> str:
    return re.sub(r"([%#&_${}])", r"\\\1", text.replace("\\", ""))
