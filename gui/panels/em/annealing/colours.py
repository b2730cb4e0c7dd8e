"""The colours of centres."""

from __future__ import annotations

from gui.core.look.theme import mix, theming

SERIES = 6


def centre_colour(number: int) -> str:
    """The colour of a centre as ``#rrggbb``: the series of the theme, then the same mixed with the text."""
    theme = theming.current
    base = theme.colour(number % SERIES).name()
    return base if number < SERIES else mix(base, theme.text, 0.5)
