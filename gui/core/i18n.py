"""English and Chinese, switched while the program runs.

The English text in the code is the key (see `engine.core.messages`). Translations lie in
``resources/translations/<language>/*.toml`` (the program) and in the ``[<language>.text]`` table of an experiment's own TOML
file (its labels, choices, claims, plots).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from PySide6.QtCore import QObject, Signal

from engine.api import LANGUAGES, Message, fill, load_toml, resource_path


@cache
def program_catalogue(language: str) -> Mapping[str, str]:
    """All translations of the program's own texts into one language."""
    texts: dict[str, str] = {}
    for file in sorted(resource_path("translations", language).glob("*.toml")):
        texts.update(load_toml("translations", language, file.name))
    return texts


@cache
def experiment_catalogue(experiment: str, language: str) -> Mapping[str, str]:
    """The translations that belong to one experiment, named ``topic.experiment``."""
    topic, name = experiment.split(".")
    found: Mapping[str, str] = load_toml("labs", topic, f"{name}.toml").get(language, {}).get("text", {})
    return found


class Translator(QObject):
    """The current language; `changed` is emitted after a switch, and every widget then sets its texts again."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.language = "en"

    def set_language(self, language: str) -> None:
        """Switch to a language of `LANGUAGES`; an unknown one is ignored."""
        if language in LANGUAGES and language != self.language:
            self.language = language
            self.changed.emit()

    def text(self, text: str | Message, experiment: str | None = None, /, **values: Any) -> str:
        """The text in the current language; English where a translation is missing."""
        if isinstance(text, Message):
            inner = {k: self.text(v, experiment) if isinstance(v, Message) else v for k, v in text.values.items()}
            return fill(self.template(text.template, experiment), inner)
        return fill(self.template(text, experiment), values)

    def template(self, template: str, experiment: str | None = None) -> str:
        """The translated template, its places not yet filled."""
        if self.language == "en":
            return template
        if experiment is not None:
            found = experiment_catalogue(experiment, self.language).get(template)
            if found is not None:
                return found
        return program_catalogue(self.language).get(template, template)


translator = Translator()
tr = translator.text
