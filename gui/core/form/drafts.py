"""Edits on their way to being valid: the parameters that hold, and what was typed but is not allowed yet. No Qt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.api import LabParameters, Message, problems

WHOLE = ""  # names no single parameter


class Drafts:
    """The last valid parameters of a model, and the edits it refused.

    A refused edit is tried again with every later one, which may have made it right: 10 bins are too many for 5 points until
    there are 20 points.

    Parameters
    ----------
    parameters : LabParameters
        Where to begin.
    """

    def __init__(self, parameters: LabParameters) -> None:
        self.parameters = parameters
        self.refused: dict[str, Any] = {}

    def set(self, parameters: LabParameters) -> None:
        """Take over parameters and forget what was refused."""
        self.parameters = parameters
        self.refused = {}

    def edit(self, name: str, value: Any) -> Mapping[str, Message]:
        """Take over an edit, and earlier ones that it made right.

        Returns
        -------
        Mapping of str to Message
            What is wrong with the refused edits, by parameter; `WHOLE` for a sentence about none of them.
        """
        drafts = {**self.refused, name: value}
        tried = dict(drafts)
        messages: dict[str, Message] = {}
        while tried:
            try:
                self.parameters = self.model(**{**dict(self.parameters), **tried})
                break
            except ValueError as error:  # pydantic's own kind, which knows the parameters
                for found in problems(self.model, error):  # type: ignore[arg-type]
                    messages.setdefault(found.field, found.message)
                    self._give_up(found.field, name, tried)
        self.refused = {key: draft for key, draft in drafts.items() if key not in tried}
        return messages

    @property
    def model(self) -> type[LabParameters]:
        """The parameter model."""
        return type(self.parameters)

    @staticmethod
    def _give_up(blamed: str, edited: str, tried: dict[str, Any]) -> None:
        """Drop the draft behind a problem: the one that is named, else the newest, else all of them."""
        if blamed in tried:
            del tried[blamed]
        elif edited in tried:
            del tried[edited]
        else:
            tried.clear()
