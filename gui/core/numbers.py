"""Numbers as people read them: one style for axes, claims, notes, captions and fields.

A real minus sign, commas between thousands, and ``1.2×10⁻⁵`` for what is very large or small.
"""

from __future__ import annotations

import math
import re

NO_NUMBER = "–"
SMALLEST_PLAIN, LARGEST_PLAIN = 1e-3, 1e6  # beyond them `short` writes powers of ten

_SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_EXPONENT = re.compile(r"(?<=[\d.])e([+-]?\d+)\b")
_NEGATIVE = re.compile(r"(?<![\w.)\]])-(?=\d|\.\d)")


def power_of_ten(exponent: int) -> str:
    """``10⁻⁵`` for -5."""
    return "10" + str(exponent).translate(_SUPERSCRIPTS)


def minus(text: str) -> str:
    """The text with real minus signs in place of hyphens."""
    return text.replace("-", "−")


def raised(text: str) -> str:
    """A formatted number with ``×10⁻⁵`` in place of ``e-05``."""
    return _EXPONENT.sub(lambda found: f"×{power_of_ten(int(found[1]))}", text)


def typeset(text: str) -> str:
    """A sentence with its numbers as people write them: minus signs, and powers of ten in place of ``4.2e-07``.

    Examples
    --------
    >>> typeset("gap 4.2e-07, from -1.5 to 2 (half-step 3)")
    'gap 4.2×10⁻⁷, from −1.5 to 2 (half-step 3)'
    """
    return _NEGATIVE.sub("−", raised(text))


def number_text(value: float, spec: str = ".4g") -> str:
    """A number under a format of Python's, for running text.

    Examples
    --------
    >>> number_text(-0.5, ".2f"), number_text(1.2e-5, ".2g"), number_text(float("nan"))
    ('−0.50', '1.2×10⁻⁵', '–')
    """
    if not math.isfinite(value):
        return NO_NUMBER if math.isnan(value) else "∞" if value > 0 else "−∞"
    return minus(raised(format(value, spec)))


def power_text(value: float, digits: int = 3) -> str:
    """A number as mantissa and power of ten: ``1.2×10⁻⁵``; the mantissa 1 is left out."""
    if value == 0 or not math.isfinite(value):
        return number_text(value, ".0f")
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    lead = {"1": "", "-1": "−"}.get(mantissa, minus(mantissa) + "×")
    return lead + power_of_ten(int(exponent))


def short(value: float, digits: int = 3) -> str:
    """A number in about so many digits, trailing zeros included.

    Examples
    --------
    >>> short(10), short(2052.3), short(5.4e7), short(0), short(-2.2e-7)
    ('10.0', '2,052', '5.4×10⁷', '0', '−2.2×10⁻⁷')
    """
    size = abs(value)
    if value == 0 or not math.isfinite(value):
        return number_text(value, ".0f")
    if not SMALLEST_PLAIN <= size < LARGEST_PLAIN:
        return power_text(value, max(digits - 1, 1))
    return minus(f"{value:,.0f}" if size >= 10**digits else f"{value:#.{digits}g}".rstrip("."))


def percent(share: float, digits: int = 3) -> str:
    """A share in percent, small ones as powers of ten.

    Examples
    --------
    >>> percent(0.19153), percent(0), percent(2.2e-7)
    ('19.2 %', '0 %', '2.2×10⁻⁵ %')
    """
    number = 100 * share
    if not math.isfinite(number):
        return number_text(number)
    text = f"{number:.{digits}g}" if abs(number) >= 0.095 or number == 0 else power_text(number, max(digits - 1, 1))
    return f"{minus(text)} %"


def _nice(size: float, *, above: bool) -> float:
    if not (math.isfinite(size) and size > 0):
        return 1.0
    exponent = math.floor(math.log10(max(size, 1e-300)))
    mantissa = size / 10.0**exponent
    if above:
        factor = min(f for f in (1, 2, 5, 10) if mantissa <= f * (1 + 1e-9))
    else:
        factor = max(f for f in (1, 2, 5) if f <= mantissa * (1 + 1e-9) or f == 1)
    return float(f"{factor}e{exponent}")


def nice_above(size: float) -> float:
    """The number 1, 2 or 5 times a power of ten at or just above a size."""
    return _nice(size, above=True)


def nice_below(size: float) -> float:
    """The number 1, 2 or 5 times a power of ten at or just below a size."""
    return _nice(size, above=False)
