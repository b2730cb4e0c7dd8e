"""Fields: every kind of edit takes the same path, and the arithmetic of sliders obeys its laws."""

from __future__ import annotations

import math
import weakref
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field as Bounds
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QGuiApplication, QKeyEvent, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QFileDialog, QVBoxLayout, QWidget

from engine.api import FieldSpec, LabParameters, Ui, field_specs, spec_of
from gui.core.form.editors import PAUSE, ChoiceEditor, NumberEditor, SeedEditor, SwitchEditor, TextEditor
from gui.core.form.field import Field
from gui.core.form.paths import FileEditor, FolderEditor
from gui.core.form.scale import Scale, nearest_in_series, round_mantissa, scale_of
from gui.core.form.text import show_number, show_value, symbol_html
from gui.core.i18n import translator
from gui.core.numbers import nice_below

LEFT = Qt.MouseButton.LeftButton
NONE = Qt.KeyboardModifier.NoModifier


class Everything(LabParameters):
    """One parameter of every kind."""

    pairs: Annotated[int, Bounds(ge=1, le=10**8), Ui("Pairs", symbol="N_p", scale="log", help="How many.")] = 1000
    angle: Annotated[float, Bounds(ge=-180, le=180), Ui("Angle", unit="degrees")] = 30.0
    step: Annotated[float, Bounds(gt=0, le=4), Ui("Step size", symbol="ε", scale="log")] = 0.005
    decay: Annotated[float, Bounds(ge=0, lt=1), Ui("Decay")] = 0.9
    ridge: Annotated[float, Bounds(ge=0, le=1), Ui("Ridge", scale="log")] = 0.0
    steps: Annotated[int, Bounds(ge=1), Ui("Steps")] = 10_000
    free: Annotated[float, Ui("Free")] = 1.5
    law: Annotated[Literal["a", "b"], Ui("Law", choices={"a": "Alpha", "b": "Beta"})] = "a"
    many: Annotated[Literal["one", "two", "three", "four", "five"], Ui("Many")] = "one"
    switch: Annotated[bool, Ui("Switch")] = True
    file: Annotated[str, Ui("File", kind="file")] = ""
    folder: Annotated[str, Ui("Folder", kind="folder")] = ""
    text: Annotated[str, Ui("Text")] = "hello"
    ints: Annotated[tuple[int, ...], Ui("Ints")] = (1, 2)
    floats: Annotated[tuple[float, ...], Ui("Floats")] = (0.5, 0.5)
    matrix: Annotated[tuple[tuple[float, ...], ...], Ui("Matrix")] = ((1.0, 2.0), (3.0, 4.0))


SPECS = {spec.name: spec for spec in field_specs(Everything)}
NUMBERS = [spec for spec in SPECS.values() if scale_of(spec) is not None]


class Ear:
    """Collects what a field says."""

    def __init__(self, field: Field) -> None:
        self.edits: list[Any] = []
        self.gestures = 0
        field.edited.connect(self.edits.append)
        field.gesture_finished.connect(self.count)

    def count(self) -> None:
        self.gestures += 1


@pytest.fixture
def make(qtbot):
    def build(name: str) -> tuple[Field, Ear]:
        field = Field(SPECS[name])
        qtbot.addWidget(field)
        field.resize(300, field.sizeHint().height())
        field.show()
        field.activateWindow()
        qtbot.waitUntil(field.isActiveWindow)
        return field, Ear(field)

    return build


def mouse(widget: QWidget, kind: QEvent.Type, share: float) -> None:
    """A mouse event at a share of the width, as Qt would deliver it."""
    position = QPointF(share * widget.width(), widget.height() / 2)
    buttons = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseButtonRelease else LEFT
    QApplication.sendEvent(widget, QMouseEvent(kind, position, widget.mapToGlobal(position), LEFT, buttons, NONE))


def wheel(widget: QWidget, angle: int = 120) -> QWheelEvent:
    middle = QPointF(widget.rect().center())
    phase = Qt.ScrollPhase.NoScrollPhase
    event = QWheelEvent(
        middle, widget.mapToGlobal(middle), QPoint(), QPoint(0, angle), Qt.MouseButton.NoButton, NONE, phase, False
    )
    QApplication.sendEvent(widget, event)
    return event


# ---- arithmetic ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spec", NUMBERS, ids=lambda spec: spec.name)
def test_slider_values_rise_and_are_allowed(spec: FieldSpec) -> None:
    scale = scale_of(spec)
    assert scale is not None
    values = [scale.value(position) for position in range(scale.positions + 1)]
    assert values == sorted(values)
    for value in values:
        assert getattr(Everything(**{spec.name: value}), spec.name) == value
        assert type(value) is (int if spec.kind == "int" else float)
    assert scale.position(values[0]) == 0
    assert scale.position(values[-1]) == scale.positions


@given(st.data())
def test_value_and_position_agree(data: st.DataObject) -> None:
    spec = data.draw(st.sampled_from(NUMBERS))
    scale = scale_of(spec)
    assert scale is not None
    position = data.draw(st.integers(0, scale.positions))
    value = scale.value(position)
    # Nice values are coarser than positions only where a hand could not aim anyway: a twentieth of a decade, or one integer.
    slack = 22 if scale.logarithmic else 1
    low_integers = scale.whole and scale.logarithmic and value < 10
    assert low_integers or abs(scale.position(value) - position) <= slack


@given(st.integers(1, 10**8), st.integers(1, 10**8))
def test_position_is_monotone(a: int, b: int) -> None:
    scale = scale_of(SPECS["pairs"])
    assert scale is not None
    low, high = sorted((a, b))
    assert scale.position(low) <= scale.position(high)


@given(st.data())
def test_steps_move_the_right_way_and_stay_inside(data: st.DataObject) -> None:
    spec = data.draw(st.sampled_from(NUMBERS))
    scale = scale_of(spec)
    assert scale is not None
    value = scale.value(data.draw(st.integers(0, scale.positions)))
    size = data.draw(st.sampled_from(["fine", "step", "coarse"]))
    up, down = scale.stepped(value, 1, size), scale.stepped(value, -1, size)
    assert down <= value <= up
    assert up > value or value >= scale.high * (1 - 1e-9)
    assert down < value or value <= max(0.0, scale.low) or scale.low < 0
    for moved in (up, down):
        assert getattr(Everything(**{spec.name: moved}), spec.name) == moved


def test_a_large_logarithmic_range_offers_nice_numbers() -> None:
    scale = scale_of(SPECS["pairs"])
    assert scale is not None
    values = {scale.value(position) for position in range(scale.positions + 1)}
    assert {1, 10, 1000, 20_000, 500_000, 10**8} <= values
    assert all(len(str(value).rstrip("0")) <= 2 for value in values)
    ladder = [1000]
    while ladder[-1] < 10_000:
        ladder.append(int(scale.stepped(ladder[-1], 1, "step")))
    assert ladder == [1000, 1200, 1500, 2000, 2500, 3000, 4000, 5000, 6000, 8000, 10_000]
    assert scale.stepped(300, 1, "coarse") == 3000
    assert scale.stepped(3, 1, "fine") == 4


def test_open_ends_are_not_reached() -> None:
    decay, step = scale_of(SPECS["decay"]), scale_of(SPECS["step"])
    assert decay is not None
    assert step is not None
    assert decay.value(decay.positions) < 1
    assert step.value(0) > 0
    assert step.value(step.positions) == 4


def test_a_logarithmic_range_from_zero_begins_with_zero() -> None:
    ridge = scale_of(SPECS["ridge"])
    assert ridge is not None
    assert ridge.value(0) == 0.0
    assert 0 < ridge.value(1) < 0.01
    assert ridge.stepped(0.0, 1, "step") == ridge.low
    assert ridge.stepped(ridge.low, -1, "step") == 0.0


def test_numbers_without_a_finite_range_have_no_scale() -> None:
    assert scale_of(SPECS["steps"]) is None
    assert scale_of(SPECS["free"]) is None
    assert scale_of(SPECS["text"]) is None


def test_small_whole_ranges_have_one_position_each() -> None:
    scale = Scale(2, 12, whole=True, logarithmic=False)
    assert [scale.value(position) for position in range(scale.positions + 1)] == list(range(2, 13))


@given(st.floats(1e-12, 1e12))
def test_nice_numbers(value: float) -> None:
    assert nice_below(value) <= value * (1 + 1e-9) < nice_below(value) * 2.6
    assert abs(round_mantissa(value, 0.1) / value - 1) <= 0.05 + 1e-9
    near = nearest_in_series(value)
    assert 0.85 < near / value < 1.17
    assert nearest_in_series(near) == near


# ---- texts -----------------------------------------------------------------------------------------------------------


@given(st.one_of(st.integers(-(10**12), 10**12), st.floats(allow_nan=False, allow_infinity=False)))
def test_a_shown_number_means_itself(value: float) -> None:
    spec = SPECS["pairs" if isinstance(value, int) else "free"]
    assert spec.parse(show_value(spec, value)) == value


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=4))
def test_shown_lists_mean_themselves(values: list[float]) -> None:
    for name, value in (("floats", tuple(values)), ("matrix", (tuple(values), tuple(values)))):
        assert SPECS[name].parse(show_value(SPECS[name], value)) == value


def test_typed_texts_of_people() -> None:
    assert SPECS["pairs"].parse("1,000,000") == 1_000_000
    assert SPECS["pairs"].parse(" 1e6 ") == 1_000_000
    assert SPECS["free"].parse("−1,234.5") == -1234.5
    assert SPECS["floats"].parse("0.5，0.25") == (0.5, 0.25)
    assert SPECS["matrix"].parse("1，2；3，4") == ((1, 2), (3, 4))
    assert SPECS["pairs"].parse("many") == "many"
    assert SPECS["pairs"].parse("1,5") == "1,5"
    assert SPECS["free"].parse("0,05") == "0,05"
    assert SPECS["text"].parse("a，b") == "a，b"
    assert show_number(1e-6) == "1e-6"
    assert show_number(123456.0) == "123,456"
    assert symbol_html("x_0") == "<i>x</i><sub>0</sub>"


# ---- gestures --------------------------------------------------------------------------------------------------------


def test_a_drag_is_many_edits_and_one_gesture(make) -> None:
    field, ear = make("pairs")
    slider = field.editor.slider
    mouse(slider, QEvent.Type.MouseButtonPress, 0.2)
    for share in (0.3, 0.4, 0.5, 0.6):
        mouse(slider, QEvent.Type.MouseMove, share)
    assert ear.gestures == 0
    mouse(slider, QEvent.Type.MouseButtonRelease, 0.6)
    assert len(ear.edits) == 5
    assert ear.edits == sorted(ear.edits)
    assert ear.gestures == 1
    assert field.value == ear.edits[-1]
    assert field.editor.line.text() == f"{field.value:,}"


def test_setting_a_value_says_nothing(make) -> None:
    for name, value in {"pairs": 7, "angle": -3.5, "law": "b", "many": "two", "switch": False, "seed": 9, "text": "x"}.items():
        field, ear = make(name)
        field.set_value(value)
        assert field.value == value
        assert (ear.edits, ear.gestures) == ([], 0)


def test_the_wheel_acts_only_when_focused(make, qtbot) -> None:
    field, ear = make("pairs")
    slider, line = field.editor.slider, field.editor.line
    line.clearFocus()
    assert not wheel(slider).isAccepted()
    assert not wheel(line).isAccepted()
    assert ear.edits == []
    slider.setFocus()
    wheel(slider)
    wheel(slider)
    wheel(slider, -60)
    assert ear.edits == [1200, 1500]
    assert ear.gestures == 0
    qtbot.waitUntil(lambda: ear.gestures == 1, timeout=PAUSE * 5)
    choice, _ = make("many")
    combo = choice.editor.combo
    combo.clearFocus()
    assert not wheel(combo).isAccepted()


@pytest.mark.parametrize(
    ("modifier", "expected"),
    [(NONE, [1200]), (Qt.KeyboardModifier.ControlModifier, [10_000]), (Qt.KeyboardModifier.ShiftModifier, [1020])],
)
def test_arrow_keys_step(make, qtbot, modifier, expected) -> None:
    for part, key in (("slider", Qt.Key.Key_Right), ("slider", Qt.Key.Key_Up), ("line", Qt.Key.Key_Up)):
        field, ear = make("pairs")
        widget = getattr(field.editor, part)
        widget.setFocus()
        qtbot.keyClick(widget, key, modifier)
        assert ear.edits == expected
        assert ear.gestures == 0
        field.editor.end_gesture() if modifier != NONE else qtbot.waitUntil(lambda ear=ear: ear.gestures == 1)
        assert ear.gestures == 1


def test_page_keys_are_left_to_the_window(make) -> None:
    for name in ("pairs", "many", "law", "text", "steps"):
        field, ear = make(name)
        editor = field.editor
        parts = [editor.main, *filter(None, [getattr(editor, "slider", None)]), *getattr(editor.main, "segments", [])]
        for part in parts:
            for key in (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown):
                event = QKeyEvent(QEvent.Type.KeyPress, key, NONE)
                part.event(event)
                assert not event.isAccepted()
        assert ear.edits == []


def test_home_and_end_reach_the_ends(make, qtbot) -> None:
    field, ear = make("pairs")
    qtbot.keyClick(field.editor.slider, Qt.Key.Key_End)
    qtbot.keyClick(field.editor.slider, Qt.Key.Key_Home)
    assert ear.edits == [10**8, 1]


def test_typing_is_exact_and_one_gesture(make, qtbot) -> None:
    field, ear = make("pairs")
    line = field.editor.line
    line.setFocus()
    line.selectAll()
    qtbot.keyClicks(line, "1234567")
    assert ear.edits == []
    qtbot.keyClick(line, Qt.Key.Key_Return)
    assert ear.edits == [1_234_567]
    assert ear.gestures == 1
    assert line.text() == "1,234,567"


def test_an_invalid_text_stays_and_escape_brings_back_the_last_sound_value(make, qtbot) -> None:
    field, ear = make("pairs")
    line = field.editor.line
    line.setFocus()
    line.selectAll()
    qtbot.keyClicks(line, "many")
    field.set_problem("pairs = 'many' is not allowed.")
    qtbot.keyClick(line, Qt.Key.Key_Return)
    assert line.text() == "many"
    assert line.property("invalid")
    assert field.problem
    qtbot.keyClick(line, Qt.Key.Key_Escape)
    assert ear.edits[-1] == 1000
    assert line.text() == "1,000"


def test_stepping_from_an_invalid_text_begins_at_the_last_sound_value(make, qtbot) -> None:
    field, ear = make("pairs")
    line = field.editor.line
    line.selectAll()
    qtbot.keyClicks(line, "x")
    field.set_problem("no")
    qtbot.keyClick(line, Qt.Key.Key_Up)
    assert ear.edits[-1] == 1200


def test_numbers_without_end_step_by_arrows(make, qtbot) -> None:
    field, ear = make("steps")
    line = field.editor.line
    line.stepped.emit(1, "step")
    line.stepped.emit(-1, "coarse")
    assert ear.edits == [10_001, 9991]
    field.set_value(1)
    line.stepped.emit(-1, "step")
    assert field.value == 1
    free, heard = make("free")
    free.editor.line.stepped.emit(1, "step")
    assert heard.edits == [1.6]
    arrow = line.findChildren(QWidget)[0]
    qtbot.mouseClick(arrow, LEFT)
    assert ear.edits[-1] == 2


def test_choices(make, qtbot) -> None:
    field, ear = make("law")
    assert isinstance(field.editor, ChoiceEditor)
    segments = field.editor.segments.segments
    assert [segment.text() for segment in segments] == ["Alpha", "Beta"]
    qtbot.mouseClick(segments[1], LEFT)
    assert (ear.edits, ear.gestures) == (["b"], 1)
    segments[1].setFocus()
    qtbot.keyClick(segments[1], Qt.Key.Key_Left)
    assert (ear.edits, ear.gestures) == (["b", "a"], 2)
    combo, heard = make("many")
    combo.editor.combo.setFocus()
    qtbot.keyClick(combo.editor.combo, Qt.Key.Key_Down)
    assert (heard.edits, heard.gestures) == (["two"], 1)


def test_switch_and_seed(make, qtbot) -> None:
    field, ear = make("switch")
    assert isinstance(field.editor, SwitchEditor)
    qtbot.mouseClick(field.editor.switch, LEFT)
    assert (ear.edits, ear.gestures) == ([False], 1)
    seed, heard = make("seed")
    assert isinstance(seed.editor, SeedEditor)
    qtbot.mouseClick(seed.editor.dice, LEFT)
    assert heard.gestures == 1
    assert seed.editor.line.text() == str(heard.edits[0])


def test_files_are_chosen_or_dropped(make, qtbot, monkeypatch, tmp_path) -> None:
    field, ear = make("file")
    assert isinstance(field.editor, FileEditor)
    chosen = str(tmp_path / "chosen.txt")

    def choose(*_arguments: object) -> tuple[str, str]:
        return chosen, ""

    monkeypatch.setattr(QFileDialog, "getOpenFileName", choose)
    qtbot.mouseClick(field.editor.browse, LEFT)
    assert (ear.edits, ear.gestures) == ([chosen], 1)
    dropped = str(tmp_path / "dropped.txt")
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(dropped)])
    drop = QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, data, LEFT, NONE)
    field.editor.line.dropEvent(drop)
    assert (ear.edits[-1], ear.gestures) == (dropped, 2)


def test_folders_are_chosen(make, qtbot, monkeypatch, tmp_path) -> None:
    field, ear = make("folder")
    assert isinstance(field.editor, FolderEditor)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path))
    qtbot.mouseClick(field.editor.browse, LEFT)
    assert (ear.edits, ear.gestures) == ([str(tmp_path)], 1)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "")
    qtbot.mouseClick(field.editor.browse, LEFT)
    assert ear.gestures == 1  # nothing chosen, nothing changed


def test_lists_are_typed_as_on_the_command_line(make, qtbot) -> None:
    field, ear = make("matrix")
    assert isinstance(field.editor, TextEditor)
    line = field.editor.line
    assert line.text() == "1, 2; 3, 4"
    line.selectAll()
    qtbot.keyClicks(line, "5,6;7,8")
    assert ear.edits[-1] == ((5.0, 6.0), (7.0, 8.0))


# ---- the row ---------------------------------------------------------------------------------------------------------


def test_reset_is_offered_only_when_it_would_change_something(make, qtbot) -> None:
    field, ear = make("pairs")
    assert field._tool.accessibleName() == "More"
    field.set_value(5)
    assert field._tool.isVisible()
    assert field._tool.accessibleName() == "Reset to 1,000"
    qtbot.mouseClick(field._tool, LEFT)
    assert (ear.edits, ear.gestures) == ([1000], 1)
    assert field._tool.accessibleName() == "More"


def test_the_menu_offers_what_the_parameter_can(make, qtbot) -> None:
    field, _ = make("pairs")
    asked = []
    field.sweep_requested.connect(asked.append)
    actions = {action.text(): action for action in field.make_menu().actions()}
    actions["Sweep through the range"].trigger()
    assert asked == ["pairs"]
    actions["Copy value"].trigger()
    assert QGuiApplication.clipboard().text() == "1000"
    actions["Type an exact value"].trigger()
    assert field.editor.line.selectedText() == "1,000"
    assert not actions["Reset to 1,000"].isEnabled()
    for name, text in (("steps", "Sweep through the range"), ("law", "Type an exact value")):
        other, _ = make(name)
        menu = other.make_menu()
        assert text not in {action.text() for action in menu.actions()}


def test_a_sweeping_field_can_be_stopped(make, qtbot) -> None:
    field, _ = make("pairs")
    asked = []
    field.sweep_requested.connect(asked.append)
    field.set_sweeping(True)
    assert field._tool.isVisible()
    qtbot.mouseClick(field._tool, LEFT)
    assert asked == ["pairs"]


def test_help_names_range_and_parameter(make) -> None:
    tip = make("pairs")[0].toolTip()
    assert "How many." in tip
    assert "from 1 to 100,000,000" in tip
    assert "--set pairs=1000" in tip


def test_the_label_shows_symbol_and_unit(make) -> None:
    assert "<i>N</i><sub>p</sub>" in make("pairs")[0]._label.text()
    assert "(degrees)" in make("angle")[0]._label.text()


def test_a_new_language_keeps_value_focus_and_half_typed_text(make, qtbot) -> None:
    field, ear = make("pairs")
    field.activateWindow()
    line = field.editor.line
    line.setFocus()
    line.selectAll()
    qtbot.keyClicks(line, "12")
    translator.set_language("zh")
    try:
        field.retranslate()
        assert line.text() == "12"
        assert ear.edits == []
        field.editor.end_gesture()
        assert ear.edits == [12]
        assert "重置为 1,000" in [action.text() for action in field.make_menu().actions()]
    finally:
        translator.set_language("en")


def test_every_kind_has_a_field_with_a_name_for_screen_readers(make) -> None:
    for name, spec in SPECS.items():
        field, _ = make(name)
        assert field.value == spec.default
        assert field.editor.main.accessibleName() == spec.ui.label
        assert isinstance(field.editor, NumberEditor) == (spec.kind in ("int", "float"))


def test_dropped_fields_die(qtbot) -> None:
    holder = QWidget()
    QVBoxLayout(holder)
    for spec in SPECS.values():
        holder.layout().addWidget(Field(spec, None, holder))
    references = [weakref.ref(field) for field in holder.findChildren(Field)]
    editors = [weakref.ref(field.editor) for field in holder.findChildren(Field)]
    assert len(references) == len(SPECS)
    holder.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    del holder
    assert [reference() for reference in references + editors if reference() is not None] == []


def test_specs_are_found_by_name() -> None:
    assert spec_of(Everything, "pairs") is SPECS["pairs"]
    assert math.isclose(SPECS["pairs"].maximum or 0, 1e8)


# ---- what was typed and is not meant -------------------------------------------------------------------------------


def test_the_beginning_of_a_number_is_not_taken_over(make: Any, qtbot: Any) -> None:
    field, ear = make("step")
    field.edited.connect(lambda _: field.set_problem("refused"))
    line = field.editor.line
    line.setFocus()
    line.selectAll()
    qtbot.keyClicks(line, "1e400")
    assert ear.edits == []
    qtbot.keyClick(line, Qt.Key.Key_Return)
    assert len(ear.edits) == 1


@pytest.mark.parametrize("key", ["escape", "undo"])
@pytest.mark.parametrize("typed", ["0.0123", "many"])
def test_escape_and_undo_put_back_what_stood_there(make: Any, qtbot: Any, key: str, typed: str) -> None:
    field, _ = make("step")
    before, line = field.value, field.editor.line
    shown = line.text()
    line.setFocus()
    line.selectAll()
    qtbot.keyClicks(line, typed)
    field.editor._take_typed()  # the pause is over
    if typed == "many":
        field.set_problem("refused")
    if key == "escape":
        qtbot.keyClick(line, Qt.Key.Key_Escape)
    else:
        qtbot.keyClick(line, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert (field.value, line.text()) == (before, shown)
    qtbot.keyClick(line, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert line.text() == shown  # the letters do not come back


def test_a_number_that_stands_for_a_while_is_taken_over(make: Any, qtbot: Any) -> None:
    field, ear = make("step")
    field.editor.line.setFocus()
    field.editor.line.selectAll()
    qtbot.keyClicks(field.editor.line, "0.02")
    qtbot.waitUntil(lambda: ear.edits == [0.02], timeout=10_000)
