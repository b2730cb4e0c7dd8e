"""What every panel promises. A new one is covered from the minute its file exists."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from panel_frames import draw_all
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QApplication, QWidget

from engine.api import (
    Frame,
    LabError,
    LabParameters,
    entries,
    entry,
    field_specs,
    load,
    preset_parameters,
    resource_path,
    run_with,
)
from gui.core.i18n import translator
from gui.core.lab.claims_view import ClaimsView
from gui.core.lab.panel import Panel, load_panel
from gui.core.lab.two_rows import LEAST, TwoRows
from gui.core.look.theme import themes, theming
from gui.core.notes.formulas import formula_problems
from gui.core.notes.live_text import fill_values, live_names
from gui.core.plots import PlotCard

SIZE = (1100, 720)
STEPS = 3
SIDE_LEAST = 290  # pixels that the page at the side leaves for its content
CJK = re.compile("[\u3400-\u9fff]")
WORDS = re.compile("[A-Za-z]{4,}")
RAW_NUMBER = re.compile(r"\de[+-]?\d|(?<![\w.)])-\d")  # a number as programs write it
# The same in all languages.
NAMES = re.compile(r"[\w.]+\.[\w.]+|[A-Z][A-Z0-9-]{3,}|Barker|Metropolis|Kramers|Wasserstein|Fisher")

every_experiment = pytest.mark.parametrize("name", [each.name for each in entries()])

Shown = Callable[[str, Frame, LabParameters], Panel]


@pytest.fixture
def shown(qapp: QApplication, qtbot: Any) -> Iterator[Shown]:
    """Panels that have drawn a frame, all of it."""
    language, theme = translator.language, theming.current.name
    translator.set_language("en")
    places: list[QWidget] = []  # a panel is never a window of its own

    def make(name: str, frame: Frame, parameters: LabParameters) -> Panel:
        place = QWidget()
        places.append(place)
        qtbot.addWidget(place)
        panel = load_panel(name)(name, place)
        panel.resize(*SIZE)
        place.resize(*SIZE)
        place.show()
        panel.show_frame(frame, parameters)
        draw_all(panel)
        return panel

    yield make
    translator.set_language(language)
    theming.set(theme)


class Windows(QObject):
    """Notes every window that is shown, be it for a moment."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[str] = []

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Show and isinstance(watched, QWidget) and watched.isWindow():
            self.shown.append(type(watched).__name__)
        return False


@every_experiment
def test_making_a_panel_opens_no_window(qapp: QApplication, qtbot: Any, name: str) -> None:
    """A piece that is shown before it has a parent is a window of its own: it flickers and takes the focus away."""
    place = QWidget()
    qtbot.addWidget(place)
    windows = Windows()
    qapp.installEventFilter(windows)
    try:
        load_panel(name)(name, place)
    finally:
        qapp.removeEventFilter(windows)
    assert windows.shown == []


def frame_of(name: str, parameters: LabParameters, steps: int = STEPS) -> Frame | None:
    """The frame after a few steps; None where the run ends in a sentence."""
    try:
        return run_with(name, parameters, device="cpu", limit=steps).frame
    except LabError as error:
        assert str(error)
        return None


def the_frame(name: str) -> tuple[Frame, LabParameters]:
    """The frame of the defaults after a few steps."""
    parameters = preset_parameters(name, None)
    frame = frame_of(name, parameters)
    assert frame is not None
    return frame, parameters


def cards_of(panel: Panel) -> list[PlotCard]:
    """The plots of a panel that are on the screen."""
    return [card for card in panel.cards if isinstance(card, PlotCard) and card.isVisible()]


@every_experiment
def test_every_preset_is_drawn_in_all_languages_and_themes(name: str, shown: Shown) -> None:
    for preset in entry(name).presets:
        parameters = preset_parameters(name, preset.name)
        frame = frame_of(name, parameters)
        if frame is None:
            continue
        panel = shown(name, frame, parameters)
        for language, theme in zip(("zh", "en", "zh"), themes(), strict=True):
            translator.set_language(language)
            theming.set(theme)
            draw_all(panel)
            assert not panel.grab().isNull()
            assert all(card.title_label.whole for card in cards_of(panel)), preset.name
        panel.window().hide()


@every_experiment
def test_every_choice_is_drawn(name: str, shown: Shown) -> None:
    """Also as a change of a picture that is there: what one choice shows is gone with the next."""
    first, defaults = the_frame(name)
    panel = shown(name, first, defaults)
    for spec in field_specs(load(name).parameters):
        for choice in spec.choices if spec.kind == "choice" else (True, False) if spec.kind == "switch" else ():
            parameters = defaults.changed(**{spec.name: choice})
            frame = first if spec.ui.effect == "view" else frame_of(name, parameters, 2)
            if frame is not None:
                panel.show_frame(frame, parameters)
                draw_all(panel)
                assert not panel.grab().isNull(), f"{spec.name}={choice}"


@every_experiment
def test_titles_legends_and_axes_are_translated(name: str, shown: Shown) -> None:
    panel = shown(name, *the_frame(name))
    translator.set_language("zh")
    draw_all(panel)
    for card in cards_of(panel):
        assert not RAW_NUMBER.search(card.caption_label.whole), card.caption_label.whole
        texts = [item.label or "" for item in card.legend.items]
        texts += [card.axes["x"].title, card.axes["y"].title, card.title_label.whole, card.caption_label.whole]
        assert [text for text in texts if WORDS.search(NAMES.sub("", text)) and not CJK.search(text)] == []


@every_experiment
@pytest.mark.parametrize("language", ["en", "zh"])
def test_formulas_and_numbers_of_the_notes(name: str, language: str) -> None:
    topic, stem = name.split(".")
    text = resource_path("labs", topic, f"{stem}.{language}.md").read_text(encoding="utf-8")
    frame, parameters = the_frame(name)
    values = parameters.model_dump()
    assert set(live_names(text)) <= {*frame.measures, *(f"parameters.{field}" for field in values)}
    filled = fill_values(text, {**frame.measures, "parameters": values})
    for display, inline in re.findall(r"\$\$(.+?)\$\$|\$(.+?)\$", filled, re.DOTALL):
        assert formula_problems(display or inline, display=bool(display)) is None
    for claim in frame.claims:
        assert formula_problems(claim.formula) is None


@every_experiment
def test_a_picture_alone_and_all_again(name: str, shown: Shown) -> None:
    panel = shown(name, *the_frame(name))
    before = [card for card in panel.cards if card.isVisible()]
    for card in before:
        panel.toggle_alone(card)
        assert [each for each in panel.cards if each.isVisible()] == [card]
        assert not panel.grab().isNull()
    panel.toggle_alone(None)
    assert [card for card in panel.cards if card.isVisible()] == before


@every_experiment
def test_what_a_click_in_the_legend_hides_stays_hidden(name: str, shown: Shown, qtbot: Any) -> None:
    """The next pictures of the run change nothing about it; a second click brings it back."""
    panel = shown(name, *the_frame(name))
    entries_of = {card: list(card.legend.listed) for card in cards_of(panel)}

    def click_all() -> None:
        for card, items in entries_of.items():
            for item in items:
                legend = card.legend
                place = legend.places(legend.width())[legend.listed.index(item)]
                qtbot.mouseClick(legend, Qt.MouseButton.LeftButton, pos=place.center().toPoint())

    click_all()
    parameters = preset_parameters(name, None)
    frame = frame_of(name, parameters, STEPS + 1)
    assert frame is not None
    panel.show_frame(frame, parameters)
    draw_all(panel)
    assert not [i.label for items in entries_of.values() for i in items if i.isVisible()]
    entries_of = {card: [item for item in items if item in card.legend.listed] for card, items in entries_of.items()}
    click_all()
    assert all(item.isVisible() for items in entries_of.values() for item in items)


@every_experiment
def test_every_picture_can_be_reached_on_a_low_screen(name: str, shown: Shown) -> None:
    """Where two rows have no room, tabs name the pages and show them; with room for all the tabs are gone."""
    panel = shown(name, *the_frame(name))
    if not isinstance(panel, TwoRows):
        return
    everything = {card for card in panel.cards if card.isVisible()}
    panel.resize(640, LEAST - 60)
    pages = panel.pages.count() if panel.pages.isVisible() else 1
    seen = set()
    for page in range(pages):
        panel.pages.setCurrentIndex(page)
        seen |= {card for card in panel.cards if card.isVisible()}
        assert panel.pages.tabText(page)
    assert seen == everything
    assert pages > 1
    panel.resize(*SIZE)
    assert not panel.pages.isVisible()
    assert {card for card in panel.cards if card.isVisible()} == everything


@every_experiment
def test_claims_need_no_more_width_than_the_side_has(name: str, shown: Shown, qtbot: Any) -> None:
    """One wide formula or number once widened the whole list, whose right edge was cut."""
    frame, _ = the_frame(name)
    view = ClaimsView(name)
    qtbot.addWidget(view)
    view.set_claims(frame.claims)
    view.flush()
    assert view.cards
    assert view.minimumSizeHint().width() <= SIDE_LEAST
    view.close()
