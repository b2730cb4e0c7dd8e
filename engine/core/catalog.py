"""Finds the experiments: a module or package ``engine/labs/<topic>/<experiment>`` is one, and nothing else needs to know it."""

from __future__ import annotations

import importlib
import logging
import pkgutil
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from engine.core.choices import LANGUAGES
from engine.core.errors import UsageError, unknown_name
from engine.core.experiment import Experiment
from engine.core.parameters import LabParameters, validate
from engine.core.resources import load_toml, resource_path

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Topic:
    """A panel: a few experiments around one idea."""

    name: str
    order: int
    icon: str
    titles: Mapping[str, str]
    summaries: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Preset:
    """Named parameters that tell a part of the story."""

    name: str
    titles: Mapping[str, str]
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of an experiment without importing it."""

    name: str
    order: int
    titles: Mapping[str, str]
    summaries: Mapping[str, str]
    presets: tuple[Preset, ...]
    references: tuple[str, ...]

    @property
    def topic(self) -> str:
        """The part of the name before the dot."""
        return self.name.split(".")[0]

    def notes(self, language: str) -> str:
        """The notes as Markdown, in English where the language has none."""
        topic, stem = self.name.split(".")
        for wanted in (language, "en"):
            file = resource_path("labs", topic, f"{stem}.{wanted}.md")
            if file.exists():
                return file.read_text(encoding="utf-8")
        return ""


@cache
def topics() -> tuple[Topic, ...]:
    """All topics that have an experiment, in their order."""
    names = {entry.topic for entry in entries()}
    return tuple(sorted((_topic(name) for name in names), key=lambda topic: (topic.order, topic.name)))


@cache
def entries() -> tuple[Entry, ...]:
    """All experiments, by topic and order within it. Nothing is imported."""
    found = []
    for topic, stem in lab_files():
        try:
            _topic(topic)
            found.append(_entry(topic, stem))
        except UsageError as error:  # one damaged experiment must not take the others with it
            log.warning("%s.%s is left out: %s", topic, stem, error)
    return tuple(sorted(found, key=lambda entry: (_topic(entry.topic).order, entry.order, entry.name)))


def lab_files() -> list[tuple[str, str]]:
    """Topic and name of every module or package that is an experiment; a leading underscore keeps a module out."""
    import engine.labs

    return [
        (topic.name, module.name)
        for topic in pkgutil.iter_modules(engine.labs.__path__)
        for module in pkgutil.iter_modules([f"{path}/{topic.name}" for path in engine.labs.__path__])
        if not module.name.startswith("_")
    ]


def entry(name: str) -> Entry:
    """The entry of this name.

    Raises
    ------
    UsageError
        If there is none; the sentence lists those there are.
    """
    for candidate in entries():
        if candidate.name == name:
            return candidate
    names = (candidate.name for candidate in entries())
    raise unknown_name("There is no experiment {name}.", "The experiments are {names}.", name, names)


@cache
def load(name: str) -> Experiment:
    """Import an experiment, and torch with it."""
    known = entry(name)
    found: Experiment = importlib.import_module(f"engine.labs.{known.name}").EXPERIMENT
    return found


def preset_parameters(name: str, preset: str | None) -> LabParameters:
    """The parameters of a preset, or the defaults.

    Raises
    ------
    UsageError
        If the experiment has no such preset.
    """
    model = load(name).parameters
    if preset is None:
        return model()
    presets = entry(name).presets
    for candidate in presets:
        if candidate.name == preset:
            return validate(model, candidate.values)
    names = [candidate.name for candidate in presets]
    if not names:
        raise UsageError("{experiment} has no presets.", experiment=name)
    raise unknown_name("There is no preset {name} of {experiment}.", "The presets are {names}.", preset, names, experiment=name)


@cache
def _topic(name: str) -> Topic:
    data = _read(name, "topic.toml")
    return Topic(name, data["order"], data["icon"], _by_language(data, "title"), _by_language(data, "summary"))


def _entry(topic: str, stem: str) -> Entry:
    data = _read(topic, f"{stem}.toml")
    presets = (
        Preset(preset["name"], {k: preset[k] for k in LANGUAGES if k in preset}, preset["values"])
        for preset in data.get("presets", [])
    )
    return Entry(
        name=f"{topic}.{stem}",
        order=data.get("order", 100),
        titles=_by_language(data, "title"),
        summaries=_by_language(data, "summary"),
        presets=tuple(presets),
        references=tuple(data.get("references", [])),
    )


def _read(topic: str, file: str) -> dict[str, Any]:
    try:
        return load_toml("labs", topic, file)
    except FileNotFoundError as error:
        raise UsageError("The file {file} is missing.", file=str(error.filename)) from None
    except tomllib.TOMLDecodeError as error:
        raise UsageError("The file {file} is damaged: {error}", file=f"{topic}/{file}", error=error) from None


def _by_language(data: Mapping[str, Any], key: str) -> dict[str, str]:
    return {language: data[language][key] for language in LANGUAGES if key in data.get(language, {})}
