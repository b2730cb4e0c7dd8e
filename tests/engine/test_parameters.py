"""Parameters: what texts become, what is refused, and how the refusal reads."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from engine.api import LabParameters, Ui, UsageError, field_specs, parse_assignments, spec_of, validate
from engine.core.parameters import SEED_LIMIT, FieldSpec


class Everything(LabParameters):
    """One parameter of every kind."""

    count: Annotated[int, Field(ge=1, le=1000), Ui("Count")] = 10
    free: Annotated[int, Ui("Free")] = 0
    rate: Annotated[float, Field(gt=0, le=4), Ui("Rate")] = 0.5
    offset: Annotated[float, Ui("Offset")] = 0.0
    law: Annotated[Literal["normal", "uniform"], Ui("Law")] = "normal"
    shown: Annotated[bool, Ui("Shown")] = True
    data: Annotated[str, Ui("Data", kind="file")] = ""
    title: Annotated[str, Ui("Title")] = "a title"
    sizes: Annotated[tuple[int, ...], Field(max_length=4), Ui("Sizes")] = (2, 3)
    weights: Annotated[tuple[float, ...], Ui("Weights")] = (0.5, 0.25)
    costs: Annotated[tuple[tuple[float, ...], ...], Ui("Costs")] = ((4.0, 1.0), (2.0, 0.0))
    columns: Annotated[tuple[Annotated[int, Field(ge=1, le=99)] | str, ...], Ui("Columns", kind="columns", of="data")] = (1,)


FLOATS = st.floats(allow_nan=False, allow_infinity=False)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "count": st.integers(1, 1000),
    "free": st.integers(-(10**9), 10**9),
    "rate": st.floats(0, 4, exclude_min=True),
    "offset": FLOATS,
    "law": st.sampled_from(["normal", "uniform"]),
    "shown": st.booleans(),
    "sizes": st.lists(st.integers(-1000, 1000), max_size=4).map(tuple),
    "weights": st.lists(FLOATS, max_size=6).map(tuple),
    "costs": st.lists(st.lists(FLOATS, min_size=1, max_size=4).map(tuple), max_size=4).map(tuple),
    "columns": st.lists(st.integers(1, 99) | st.text() | st.from_regex('[0-9"，,]{1,4}'), max_size=4).map(tuple),
    "seed": st.integers(0, SEED_LIMIT),
}


@pytest.mark.parametrize("name", VALUES)
@given(data=st.data())
def test_a_value_survives_its_text(name: str, data: st.DataObject) -> None:
    value = data.draw(VALUES[name])
    spec = spec_of(Everything, name)
    assert spec.parse(spec.format(value)) == value


@pytest.mark.parametrize("spec", field_specs(Everything), ids=lambda spec: spec.name)
def test_defaults_survive_their_text(spec: FieldSpec) -> None:
    parsed = parse_assignments(Everything, {spec.name: spec.format(spec.default)})
    assert getattr(validate(Everything, parsed), spec.name) == spec.default


@pytest.mark.parametrize("name", [spec.name for spec in field_specs(Everything)])
@given(text=st.one_of(st.text(), st.text("0123456789eE+-._,; infax"), st.from_regex(r"-?[0-9]{1,5000}", fullmatch=True)))
def test_any_text_is_a_value_or_a_sentence(name: str, text: str) -> None:
    try:
        validate(Everything, parse_assignments(Everything, {name: text}))
    except UsageError as error:
        assert f"({name}) = " in str(error)
        assert "it takes" in str(error)


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("count", "0", "Count (count) = 0 is not allowed: it takes a whole number from 1 to 1,000."),
        ("count", "1.5", "Count (count) = '1.5' is not allowed: it takes a whole number from 1 to 1,000."),
        ("free", "x", "Free (free) = 'x' is not allowed: it takes a whole number."),
        ("rate", "0", "Rate (rate) = 0 is not allowed: it takes a number above 0, up to 4."),
        ("rate", "nan", "Rate (rate) = 'nan' is not allowed: it takes a number above 0, up to 4."),
        ("offset", "inf", "Offset (offset) = 'inf' is not allowed: it takes a number."),
        ("law", "levy", "Law (law) = 'levy' is not allowed: it takes one of normal, uniform."),
        ("shown", "maybe", "Shown (shown) = 'maybe' is not allowed: it takes true or false."),
        ("seed", "-1", "Seed (seed) = -1 is not allowed: it takes a whole number from 0 to 4,294,967,295."),
    ],
)
def test_a_refusal_names_parameter_value_and_what_is_allowed(name: str, text: str, sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        validate(Everything, parse_assignments(Everything, {name: text}))
    assert str(caught.value) == sentence


def test_an_unknown_parameter_lists_those_there_are() -> None:
    with pytest.raises(UsageError, match=r"'cuont'\. Did you mean count\? The parameters are count, free, rate"):
        parse_assignments(Everything, {"cuont": "1"})


@pytest.mark.parametrize("text", ["1e3", "1000.0", "1,000", "1\u2009000", "１，０００", " 1000 "])
def test_whole_numbers_may_be_written_as_people_write_them(text: str) -> None:
    assert spec_of(Everything, "count").parse(text) == 1000


COMMA = "The decimal mark is a point, a comma parts groups of three."


@pytest.mark.parametrize(
    ("name", "text"), [("offset", "0,05"), ("offset", "12,34"), ("count", "1,5"), ("count", "1,00"), ("offset", "０，０５")]
)
def test_a_comma_is_no_decimal_mark(name: str, text: str) -> None:
    """Dropping it would make 5 of 0,05."""
    with pytest.raises(UsageError) as caught:
        validate(Everything, parse_assignments(Everything, {name: text}))
    assert text in str(caught.value)
    assert str(caught.value).endswith(COMMA)


def test_commas_between_groups_of_three_are_read_over() -> None:
    values = parse_assignments(Everything, {"offset": "-12,345.6", "free": "1,234,567"})
    assert (values["offset"], values["free"]) == (-12345.6, 1234567)


@pytest.mark.parametrize(
    ("name", "text"), [("count", "1_0"), ("offset", "1_0.5"), ("weights", "1_000,2"), ("costs", "2023_01,2")]
)
def test_underscores_are_no_part_of_a_number(name: str, text: str) -> None:
    with pytest.raises(UsageError, match="is not allowed"):
        validate(Everything, parse_assignments(Everything, {name: text}))


def test_columns_are_named_or_numbered() -> None:
    columns = parse_assignments(Everything, {"columns": '2, height，身高,"Length, cm","2024"'})["columns"]
    assert columns == (2, "height", "身高", "Length, cm", "2024")
    with pytest.raises(UsageError, match=r"\(columns\) = 0 is not allowed: it takes names or numbers of columns"):
        validate(Everything, {"columns": (0,)})


def test_full_width_punctuation_parts_lists_too() -> None:
    assert parse_assignments(Everything, {"weights": "１，2，−3", "costs": "1，2；3，4"}) == {
        "weights": (1, 2, -3),
        "costs": ((1, 2), (3, 4)),
    }


def test_lists_and_matrices_are_written_with_commas_and_semicolons() -> None:
    values = parse_assignments(Everything, {"weights": "0.5, 0.3,0.2", "costs": "4,1,3;2,0,5;3,2,2"})
    parameters = validate(Everything, values)
    assert parameters.weights == (0.5, 0.3, 0.2)
    assert parameters.costs == ((4, 1, 3), (2, 0, 5), (3, 2, 2))


def test_a_change_is_validated_and_leaves_the_original() -> None:
    original = Everything()
    assert original.changed(count=20).count == 20
    assert original.count == 10
    with pytest.raises(UsageError):
        original.changed(count=0)
    with pytest.raises(UsageError):
        original.changed(nonsense=1)
