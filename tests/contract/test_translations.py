"""Every sentence of the source has a translation with the same places."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path

import pytest

from engine.api import FieldSpec, Ui, entries, field_specs, load, load_toml, resource_path

ROOT = Path(__file__).parents[2]

# Functions that take templates, and at which places.
CALLS: Mapping[str, tuple[int, ...]] = {
    "LabError": (0, 1),
    "UsageError": (0, 1),
    "unknown_name": (0, 1),
    "Message": (0,),
    "Finding": (4,),
    "check": (),
    "problem": (1,),
    "progress": (1,),
    "tr": (0,),
    "text": (0,),
    "ActionSpec": (1, 3),
}
KEYWORDS = ("hint", "template", "remark")

# What shows a text as it is given.
SHOWS = ("set_title", "set_caption", "set_labels", "setText", "setToolTip", "setWindowTitle", "Label")

SOURCES = sorted(
    [*ROOT.glob("engine/**/*.py"), *ROOT.glob("gui/**/*.py"), ROOT / "main.py", ROOT / "benchmarks" / "__init__.py"],
)


def templates(file: Path) -> set[str]:
    """All templates that a source file hands to one of the functions above, also through a local name or a condition."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    named: dict[str, list[ast.expr]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            named.setdefault(node.targets[0].id, []).append(node.value)
    found: set[str] = set()
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
        if name in CALLS:
            arguments = [call.args[place] for place in CALLS[name] if place < len(call.args)]
            arguments += [keyword.value for keyword in call.keywords if keyword.arg in KEYWORDS]
            for argument in arguments:
                found.update(constants(argument, named))
    return {text for text in found if any(map(str.isalpha, own_words(text)))}


def constants(node: ast.expr, named: Mapping[str, list[ast.expr]]) -> Iterator[str]:
    """The texts an expression may be."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.IfExp(body=body, orelse=orelse):
            yield from constants(body, named)
            yield from constants(orelse, named)
        case ast.Name(id=name):
            for value in named.get(name, []):
                if isinstance(value, ast.Constant | ast.IfExp):
                    yield from constants(value, named)


def own_words(template: str) -> str:
    """What a template says by itself."""
    try:
        return "".join(text for text, _, _, _ in string.Formatter().parse(template))
    except ValueError:  # taken literally, braces and all
        return template


def places(template: str) -> set[str]:
    """The names in the braces of a template."""
    try:
        return {name.split(".")[0] for _, name, _, _ in string.Formatter().parse(template) if name}
    except ValueError:
        return set()


def program_texts() -> dict[str, str]:
    """The translations of the program's own texts."""
    texts: dict[str, str] = {}
    for file in sorted(resource_path("translations", "zh").glob("*.toml")):
        texts.update(load_toml("translations", "zh", file.name))
    return texts


def texts_for(file: Path) -> dict[str, str]:
    """The translations a source file can use: the program's, and in a lab or panel those of its experiments."""
    texts = program_texts()
    parts = file.relative_to(ROOT).parts
    if len(parts) > 3 and parts[1] in ("labs", "panels"):  # engine/labs/<topic>/<experiment>, a module or a package
        topic, experiment = parts[2], parts[3].removesuffix(".py")
        if resource_path("labs", topic, f"{experiment}.toml").exists():
            texts |= load_toml("labs", topic, f"{experiment}.toml").get("zh", {}).get("text", {})
    return texts


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_sentence_is_translated(file: Path) -> None:
    assert sorted(templates(file) - texts_for(file).keys()) == []


@pytest.mark.parametrize("file", sorted(ROOT.glob("gui/panels/**/*.py")), ids=lambda file: str(file.relative_to(ROOT)))
def test_panels_show_no_words_of_one_language(file: Path) -> None:
    """Words go through `self.text`; formulas and units may stand as they are."""
    bare = []
    for call in (node for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)):
        if getattr(call.func, "attr", getattr(call.func, "id", "")) in SHOWS:
            for argument in (*call.args, *(keyword.value for keyword in call.keywords)):
                pieces = argument.values if isinstance(argument, ast.JoinedStr) else [argument]
                bare += [piece.value for piece in pieces if isinstance(piece, ast.Constant) and isinstance(piece.value, str)]
    roles = re.compile("text|muted|accent|holds|fails|pending|data|theory")  # colours by meaning
    assert [text for text in bare if re.search("[A-Za-z]{4}", text) and not roles.fullmatch(text)] == []


def test_what_parameters_take_is_translated() -> None:
    texts = program_texts()
    bounds = product((None, 0), (None, 1), (False, True), (False, True))
    for kind, (low, high, open_low, open_high) in product(("int", "float"), bounds):
        spec = FieldSpec("x", kind, 0, Ui("X"), low, high, open_low, open_high)  # type: ignore[arg-type]
        assert spec.allowed.template in texts


@pytest.mark.parametrize(
    "file",
    [*resource_path("translations", "zh").glob("*.toml"), *resource_path("labs").glob("*/*.toml")],
    ids=lambda file: f"{file.parent.name}/{file.name}",
)
def test_translations_have_the_same_places(file: Path) -> None:
    data = load_toml(*file.relative_to(resource_path()).parts)
    texts = data if file.parent.name == "zh" else data.get("zh", {}).get("text", {})
    assert [text for text, translation in texts.items() if places(text) != places(translation) or not translation] == []


@pytest.mark.parametrize("name", [entry.name for entry in entries()])
def test_chinese_sentences_call_a_parameter_by_its_label(name: str) -> None:
    """Its name on the command line may follow in brackets."""
    names = "|".join(spec.name for spec in field_specs(load(name).parameters))
    bare = re.compile(rf"(?<![\w{{（.-])(?:{names})(?![\w}}+.-])", re.ASCII)
    texts = program_texts() | load_toml("labs", *(name + ".toml").split(".", 1)).get("zh", {}).get("text", {})
    assert [text for text in texts.values() if bare.search(text)] == []
