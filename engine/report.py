"""What the command line prints: experiments and results as plain data and as text for people."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from engine.core.catalog import Entry, entries, entry, load
from engine.core.frames import Frame
from engine.core.messages import Message
from engine.core.parameters import FieldSpec, field_specs
from engine.core.results import Result, plain

WIDEST_DEFAULT = 40  # characters in a table


def overview(item: Entry) -> dict[str, Any]:
    """What `list` says of an experiment; nothing is imported for it."""
    title, summary = (texts.get("en", item.name) for texts in (item.titles, item.summaries))
    return {"name": item.name, "topic": item.topic, "title": title, "summary": summary}


def overview_text() -> str:
    """All experiments, a line each."""
    return columns([(item.name, overview(item)["title"]) for item in entries()])


def description(name: str) -> dict[str, Any]:
    """Everything `describe` says of an experiment, ready for JSON."""
    experiment = load(name)
    item = entry(name)
    return {
        **overview(item),
        "parameters": [_parameter(spec) for spec in field_specs(experiment.parameters)],
        "presets": [
            {"name": preset.name, "title": preset.titles.get("en", preset.name), "values": plain(dict(preset.values))}
            for preset in item.presets
        ],
        "measures": [{"name": m.name, "label": m.label, "unit": m.unit} for m in experiment.measures],
        "claims": [
            {"name": claim.name, "statement": claim.statement, "formula": claim.formula, "unit": claim.unit}
            for claim in experiment.claims
        ],
        "references": list(item.references),
    }


def _parameter(spec: FieldSpec) -> dict[str, Any]:
    limits = [spec.minimum, spec.maximum]
    return {
        "name": spec.name,
        "type": spec.kind,
        "default": plain(spec.default),
        "range": None if limits == [None, None] else limits,
        "choices": list(spec.choices) or None,
        "allowed": str(spec.allowed),
        "unit": spec.ui.unit,
        "effect": spec.ui.effect,
        "label": spec.ui.label,
        "symbol": spec.ui.symbol,
        "group": spec.ui.group,
        "help": spec.ui.help,
    }


def shortened(text: str) -> str:
    """A default as a table can show it: a list of points is cut."""
    return text if len(text) <= WIDEST_DEFAULT else text[: WIDEST_DEFAULT - 1] + "…"


def description_text(name: str) -> str:
    """The same for people."""
    about = description(name)
    specs = field_specs(load(name).parameters)
    parameters = [
        (spec.name, shortened(spec.format(spec.default)), spec.ui.unit, str(spec.allowed), spec.ui.help) for spec in specs
    ]
    return "\n".join(
        [
            f"{about['title']} ({name})",
            about["summary"],
            *_section("Parameters", parameters),
            *_section("Presets", [(preset["name"], preset["title"]) for preset in about["presets"]]),
            *_section("Measures", [(measure["name"], measure["unit"], measure["label"]) for measure in about["measures"]]),
            *_section("Claims", [(claim["name"], claim["statement"]) for claim in about["claims"]]),
        ]
    )


def result_text(result: Result) -> str:
    """A run for people: its measures, its tables, and how the claims fared."""
    heading = (
        result.experiment,
        f"seed {result.parameters.seed}",
        result.device,
        f"{result.steps} steps",
        f"{result.seconds:.2f} s",
    )
    lines = ["  ".join(heading)]
    if result.frame and result.frame.settled:
        lines.append(str(result.frame.settled))
    if result.frame:
        units = {measure.name: measure.unit for measure in load(result.experiment).measures}
        measures = [(name, cell(value), units.get(name, "")) for name, value in result.frame.measures.items()]
        claims = [
            (
                mark(c.holds),
                c.name,
                cell(c.expected),
                cell(c.measured),
                cell(c.tolerance),
                c.unit,
                f"{c.statement} {c.remark}".strip(),
            )
            for c in result.frame.claims
        ]
        lines += _section("Measures", measures)
        lines += _section("Tables", [(name, cell(value)) for name, value in result.frame.tables.items()])
        lines += _section("Claims", claims and [("", "", "expected", "measured", "tolerance", "", ""), *claims])
    return "\n".join(lines)


def bench_text(rows: Sequence[dict[str, Any]]) -> str:
    """Measured values beside those of the peers."""
    heading = ("", "benchmark", "value", "unit", "peer", "its value", "ratio", "target")
    keys = ("benchmark", "value", "unit", "peer", "peer_value", "ratio", "target")
    return columns([heading, *((mark(row["ok"]), *(cell(row[key]) for key in keys)) for row in rows)])


def columns(rows: Sequence[Sequence[str]], indent: str = "") -> str:
    """Rows of cells, aligned."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(f"{text:{width}}" for text, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join((indent + line).rstrip() for line in lines)


def mark(holds: bool | None) -> str:
    """A sign for holds, fails, and not known."""
    return "…" if holds is None else "✓" if holds else "✕"


def cell(value: Any) -> str:
    """A number, a text or a small table in the room there is."""
    value = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e12 else f"{value:.6g}"
    if isinstance(value, list | tuple):
        text = ", ".join(map(cell, value[:8])) + (", …" if len(value) > 8 else "")
        return f"[{text}]"
    return "" if value is None else str(value)


def _section(title: str, rows: Sequence[Sequence[str]]) -> list[str]:
    return ["", title, columns(rows, indent="  ")] if rows else []


@contextmanager
def progress_bar(name: str) -> Iterator[tuple[Callable[[Frame], None] | None, Callable[[float, Message], None] | None]]:
    """A bar on standard error where that is a terminal: what to call with every frame, and with every bit of a long one."""
    if not sys.stderr.isatty():
        yield None, None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(name, total=None)

        def on_frame(frame: Frame) -> None:
            bar.update(task, total=frame.total, completed=frame.step, description=name)

        def report(fraction: float, message: Message) -> None:
            bar.update(task, total=1, completed=fraction, description=str(message) or name)

        yield on_frame, report
