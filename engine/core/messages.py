"""A sentence for people, kept as template and values until its language is known.

The English template is the key of the translation, as in gettext: the code reads like what the user sees, and a test
finds every template without a translation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Message:
    """A template with named places, for example ``Message("{name} is too small.", {"name": "bins"})``."""

    template: str
    values: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return fill(self.template, self.values)

    def __bool__(self) -> bool:
        return bool(self.template)


def fill(template: str, values: Mapping[str, Any]) -> str:
    """Put the values into the template; a template without values is taken literally, braces and all.

    Values that are messages themselves are filled first, so that sentences nest.
    """
    if not values:
        return template
    return template.format(**{key: str(value) if isinstance(value, Message) else value for key, value in values.items()})
