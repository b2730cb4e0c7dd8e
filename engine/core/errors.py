"""Errors meant for the user: one sentence that says what happened, one that says what helps."""

from __future__ import annotations

from typing import Any

from engine.core.messages import Message


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


class Cancelled(Exception):
    """Raised by a checkpoint of a run that nobody waits for any more; never an error."""
