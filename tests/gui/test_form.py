"""The form: one validated whole, the right effect, one gesture for undo, and nothing said when it is told."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field as Bounds
from pydantic import model_validator
from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QApplication, QWidget

from engine.api import Entry, LabParameters, Preset, Ui, strongest_effect
from engine.core.parameters import problem
from gui.core import i18n
from gui.core.form import Form
from gui.core.form.drafts import Drafts
from gui.core.i18n import translator
from gui.core.look.theme import theming
from gui.core.look.widgets import is_put_away


class Parameters(LabParameters):
    """A model with every effect, a condition, a group, and a rule across fields."""

    points: Annotated[int, Bounds(ge=1, le=10_000), Ui("Points", scale="log", group="Data")] = 100
    bins: Annotated[int, Bounds(ge=1, le=1000), Ui("Bins", group="Data")] = 20
    step: Annotated[float, Bounds(gt=0, le=1), Ui("Step", scale="log", effect="live", group="Run")] = 0.1
    colour: Annotated[Literal["plain", "deep"], Ui("Colour", effect="view")] = "plain"
    friction: Annotated[bool, Ui("Friction", effect="live")] = False
    decay: Annotated[float, Bounds(ge=0, le=1), Ui("Decay", effect="live", when={"friction": (True,)})] = 0.5
    title: Annotated[str, Ui("Title", effect="view", advanced=True)] = ""

    @model_validator(mode="after")
    def _enough(self) -> Parameters:
        if self.bins > self.points:
            raise problem("bins", "{bins} bins are too many for {points} points.", bins=self.bins, points=self.points)
        return self


PRESETS = (
    Preset("few", {"en": "Few points", "zh": "少量点"}, {"points": 10, "bins": 5}),
    Preset("seeded", {"en": "A lucky seed"}, {"seed": 77, "points": 50}),
    Preset("broken", {"en": "Broken"}, {"points": 1}),
)
ENTRY = Entry("angles.test", 1, {"en": "Test"}, {}, PRESETS, ())


class Ear:
    """Collects what a form says."""

    def __init__(self, form: Form) -> None:
        self.changes: list[tuple[Parameters, str]] = []
        self.gestures: list[tuple[Parameters, Parameters]] = []
        self.problems: list[str] = []
        form.changed.connect(self.on_changed)
        form.gesture_finished.connect(self.on_gesture)
        form.problem.connect(self.problems.append)

    def on_changed(self, parameters: Parameters, effect: str) -> None:
        self.changes.append((parameters, effect))

    def on_gesture(self, old: Parameters, new: Parameters) -> None:
        self.gestures.append((old, new))


@pytest.fixture(autouse=True)
def _no_translations_of_its_own(monkeypatch, qapp) -> Iterator[None]:
    def empty(_experiment: str, _language: str) -> dict[str, str]:
        return {}

    monkeypatch.setattr(i18n, "experiment_catalogue", empty)
    yield
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)  # or the forms would hear the next test change language


@pytest.fixture
def form(qtbot) -> Form:
    made = Form(Parameters, ENTRY)
    qtbot.addWidget(made)
    made.show()
    return made


@pytest.fixture
def ear(form: Form) -> Ear:
    return Ear(form)


def type_text(form: Form, name: str, text: str) -> None:
    line = form.fields[name].editor.line
    line.setText(text)
    line.textEdited.emit(text)
    form.fields[name].editor._take_typed()  # the pause after the last letter is over


def test_an_edit_is_told_at_once_and_a_gesture_when_it_ends(form: Form, ear: Ear) -> None:
    slider = form.fields["points"].editor.slider
    for position in (700, 800, 900):
        slider.slid.emit(position)
    assert [effect for _, effect in ear.changes] == ["restart"] * 3
    assert ear.gestures == []
    slider.let_go.emit()
    assert ear.gestures == [(Parameters(), form.parameters)]
    assert form.parameters.points == form.fields["points"].value


@pytest.mark.parametrize(
    ("name", "text", "effect"), [("points", "50", "restart"), ("step", "0.2", "live"), ("title", "x", "view")]
)
def test_the_effect_is_that_of_the_field(form: Form, ear: Ear, name: str, text: str, effect: str) -> None:
    type_text(form, name, text)
    assert [said for _, said in ear.changes] == [effect]


def test_the_strongest_effect_counts() -> None:
    old = Parameters()
    assert strongest_effect(old, old.changed(colour="deep", step=0.5)) == "live"
    assert strongest_effect(old, old.changed(colour="deep", step=0.5, seed=3)) == "restart"
    assert strongest_effect(old, old) is None


def test_a_refused_text_stays_and_the_last_valid_parameters_go_on(form: Form, ear: Ear) -> None:
    type_text(form, "points", "0")
    assert ear.changes == []
    assert form.parameters == Parameters()
    assert "(points) = 0 is not allowed" in form.fields["points"].problem
    assert form.fields["points"].editor.line.property("invalid")
    assert form.fields["points"].editor.line.text() == "0"
    assert ear.problems[-1] == form.fields["points"].problem
    type_text(form, "step", "0.3")
    assert form.parameters.step == 0.3
    assert form.fields["points"].problem
    type_text(form, "points", "30")
    assert form.parameters.points == 30
    assert not form.fields["points"].problem
    assert ear.problems[-1] == ""


def test_a_rule_across_fields_is_told_at_its_field_and_heals_by_either(form: Form, ear: Ear) -> None:
    type_text(form, "bins", "200")
    assert form.fields["bins"].problem == "200 bins are too many for 100 points."
    assert form.parameters.bins == 20
    type_text(form, "points", "500")
    assert (form.parameters.points, form.parameters.bins) == (500, 200)
    assert not form.fields["bins"].problem


def test_an_edit_that_breaks_another_field_is_the_one_refused(form: Form) -> None:
    type_text(form, "points", "10")
    assert form.fields["bins"].problem == "20 bins are too many for 10 points."
    assert form.parameters == Parameters()
    assert form.fields["points"].editor.line.text() == "10"


def test_problems_of_folded_fields_stand_at_the_top(form: Form) -> None:
    form._show_messages(form._drafts.edit("decay", 7.0))
    assert form._general.isVisible()
    assert "decay" in form._general.text()


def test_setting_parameters_says_nothing_and_forgets_refused_texts(form: Form, ear: Ear) -> None:
    type_text(form, "points", "0")
    new = Parameters(points=300, step=0.5, colour="deep")
    form.set_parameters(new)
    assert (ear.changes, ear.gestures) == ([], [])
    assert form.parameters == new
    assert form.fields["points"].editor.line.text() == "300"
    assert not form.fields["points"].problem
    type_text(form, "step", "0.25")
    assert form.parameters == new.changed(step=0.25)


def test_rows_without_effect_are_hidden(form: Form) -> None:
    assert is_put_away(form.fields["decay"])
    form.fields["friction"].editor.switch.click()
    assert not is_put_away(form.fields["decay"])


def test_advanced_rows_unfold(form: Form, qtbot) -> None:
    assert not form.fields["title"].isVisible()
    qtbot.mouseClick(form._sections[-1].button, Qt.MouseButton.LeftButton)
    assert form.fields["title"].isVisible()


def choose(form: Form, index: int) -> None:
    form.presets.combo.setCurrentIndex(index)
    form.presets.combo.activated.emit(index)


def test_presets_keep_the_seed_unless_they_set_it(form: Form, ear: Ear) -> None:
    form.set_parameters(Parameters(seed=5))
    choose(form, 1)
    assert form.parameters == Parameters(points=10, bins=5, seed=5)
    assert ear.changes[-1][1] == "restart"
    assert len(ear.gestures) == 1
    choose(form, 2)
    assert form.parameters == Parameters(points=50, seed=77)


def test_the_preset_that_is_shown_is_named(form: Form) -> None:
    combo = form.presets.combo
    assert combo.currentText() == "Defaults"
    form.set_parameters(Parameters(points=10, bins=5, seed=9))
    assert combo.currentText() == "Few points"
    form.set_parameters(Parameters(points=30))
    assert combo.currentText() == "Custom"
    assert combo.count() == 5
    form.reset_all()
    assert (combo.currentText(), combo.count()) == ("Defaults", 4)


def test_a_preset_that_is_not_allowed_says_why(form: Form, ear: Ear) -> None:
    choose(form, 3)
    assert ear.changes == []
    assert form.fields["bins"].problem or form._general.isVisible()


def test_reset_all_is_one_gesture_and_keeps_the_seed(form: Form, ear: Ear) -> None:
    start = Parameters(points=30, step=0.9, seed=4)
    form.set_parameters(start)
    form.presets.reset.click()
    assert form.parameters == Parameters(seed=4)
    assert ear.gestures == [(start, Parameters(seed=4))]


def test_finish_gesture_ends_what_waits_for_a_pause(form: Form, ear: Ear) -> None:
    form.fields["points"].editor.slider.stepped.emit(1, "step")
    assert ear.gestures == []
    form.finish_gesture()
    assert len(ear.gestures) == 1


def test_a_new_language_keeps_everything_but_the_words(form: Form, qtbot) -> None:
    type_text(form, "points", "0")
    english = form.fields["points"].problem
    translator.set_language("zh")
    try:
        assert form.presets.combo.itemText(1) == "少量点"
        assert form.fields["points"].editor.line.text() == "0"
        assert form.fields["points"].problem != english
    finally:
        translator.set_language("en")
    assert form.fields["points"].problem == english


def test_a_new_theme_scales_the_form(form: Form) -> None:
    width = form.fields["points"].editor.line.width()
    theming.set("stage")
    try:
        assert form.fields["points"].editor.line.minimumWidth() > width
    finally:
        theming.set("dark")


def test_sweeping_is_shown_and_asked_for(form: Form) -> None:
    asked: list[str] = []
    form.sweep_requested.connect(asked.append)
    form.fields["points"].sweep_requested.emit("points")
    form.set_sweeping("points")
    assert asked == ["points"]
    assert form.fields["points"]._tool.accessibleName() == "Stop the sweep"
    form.set_sweeping(None)
    assert form.fields["points"]._tool.accessibleName() == "More"
    assert form.spec("step").ui.label == "Step"


def test_a_dropped_form_dies(qtbot) -> None:
    holder = QWidget()
    form = Form(Parameters, ENTRY, holder)
    type_text(form, "points", "30")
    dead = [weakref.ref(form), weakref.ref(form.fields["points"]), weakref.ref(form.presets)]
    holder.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    del form, holder
    assert [reference() for reference in dead if reference() is not None] == []
    translator.changed.emit()
    theming.changed.emit()


NAMES = st.sampled_from(["points", "bins", "step", "decay", "title", "seed"])
VALUES: Any = st.one_of(st.integers(-5, 2000), st.floats(-1, 2), st.text("abc", max_size=3))


@given(st.lists(st.tuples(NAMES, VALUES), max_size=30))
def test_whatever_is_typed_the_parameters_are_valid_and_nothing_is_lost(edits: list[tuple[str, Any]]) -> None:
    drafts = Drafts(Parameters())
    for name, value in edits:
        messages = drafts.edit(name, value)
        assert Parameters(**dict(drafts.parameters)) == drafts.parameters
        assert bool(messages) >= bool(drafts.refused)
        assert name in drafts.refused or getattr(drafts.parameters, name) == value
