"""Errors meant for the user: one sentence that says what happened, one that says what helps."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from engine.core.messages import Message

LIKE = 0.6  # of `difflib`: names at least so like are worth a guess


class LabError(Exception):
    """Something the user can understand and mend.

    Parameters
    ----------
    template : str
        What happened, in English, with named places for `values`.
    hint : str
        What helps, with the same places.
    values
        What goes into the places.
    """

    def __init__(self, template: str, /, hint: str = "", **values: Any) -> None:
        self.message = Message(template, values)
        self.hint = Message(hint, values if hint else {})
        super().__init__(template)

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class UsageError(LabError):
    """The request itself is wrong (a name, a value, a file): the command line exits with 2."""


def internal_error(error: BaseException) -> LabError:
    """The sentence about an error that is ours."""
    hint = "The rest of the program goes on; the details help to report it."
    return LabError("Internal error: {error}", hint, error=f"{type(error).__name__}: {error}")


def unknown_name(template: str, listing: str, name: str, known: Iterable[str], **values: Any) -> UsageError:
    """What to raise about a name that nothing bears: the one most like it, then all there are.

    Parameters
    ----------
    template : str
        What happened, with a place ``{name}``.
    listing : str
        What there is, with a place ``{names}``.
    name : str
        As it was given.
    known : iterable of str
        The names there are.
    values
        Further places of the template.
    """
    known = tuple(known)
    values |= {"name": repr(name), "names": ", ".join(known)}
    hints = {"all": Message(listing, values)}
    if guess := most_like(name, known):
        hints = {"guess": Message("Did you mean {name}?", {"name": guess}), **hints}
    return UsageError(template, " ".join(f"{{{place}}}" for place in hints), **values, **hints)


def most_like(name: str, known: Iterable[str]) -> str:
    """The name most like the given one, empty if none is. Case does not count; a part after a dot stands for the whole."""
    from difflib import SequenceMatcher  # only needed when something went wrong

    def likeness(candidate: str) -> float:
        endings = {candidate.lower(), candidate.lower().rpartition(".")[2]}
        return max(SequenceMatcher(None, name.lower(), ending).ratio() for ending in endings)

    ratio, best = max(((likeness(candidate), candidate) for candidate in known), default=(0.0, ""))
    return best if ratio >= LIKE else ""


class Cancelled(Exception):
    """Raised by a checkpoint of a run that nobody waits for any more; never an error."""
