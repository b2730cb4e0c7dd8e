"""The panel of the bias draws what its frames say, and its dot moves the step."""

from __future__ import annotations

import dataclasses
import math
import re
from typing import Any

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication, QWidget

from engine.api import Frame, entries, load_toml, preset_parameters, resource_path, run_with
from engine.labs.langevin.bias.claims import specs_of
from engine.labs.langevin.bias.laws import SAMPLERS, Setting
from gui.core.i18n import translator
from gui.core.lab.panel import load_panel
from gui.core.look.theme import theming
from gui.core.notes.formulas import formula_problems
from gui.core.notes.live_text import fill_values, live_names
from gui.core.plots import PlotCard

NAME = "langevin.bias"
CJK = re.compile("[\u3400-\u9fff]")
WORDS = re.compile("[A-Za-z]{4,}")


@pytest.fixture
def shown(qapp: QApplication, qtbot: Any):
    language, theme = translator.language, theming.current.name
    places: list[QWidget] = []

    def make(preset: str | None = None, limit: int = 40, **values: Any) -> tuple[Any, Frame]:
        parameters = preset_parameters(NAME, preset).changed(**{"chains": 2000, **values})
        frame = run_with(NAME, parameters, device="cpu", limit=limit).frame
        assert frame is not None
        place = QWidget()
        places.append(place)
        qtbot.addWidget(place)
        panel = load_panel(NAME)(NAME, place)
        panel.resize(1000, 700)
        place.resize(1000, 700)
        place.show()
        panel.show_frame(frame, parameters)
        qtbot.waitUntil(lambda: not panel._waiting, timeout=5000)
        return panel, frame

    yield make
    translator.set_language(language)
    theming.set(theme)


def visible(panel: Any) -> list[PlotCard]:
    return [card for card in panel.cards if card.isVisible()]


def test_the_dot_lies_on_the_curve(shown: Any) -> None:
    panel, frame = shown(step_size=2.0, limit=80)
    handle = panel.handle.handles
    assert handle.x[0] == 2.0
    assert handle.y[0] == frame.measures["variance"]
    finite = np.isfinite(panel.chosen.y)
    assert np.interp(2.0, panel.chosen.x[finite], panel.chosen.y[finite]) == pytest.approx(handle.y[0], rel=0.1)
    assert np.isfinite(panel.bar.y).any()
    assert visible(panel) == [panel.bias, panel.law, panel.way, panel.memory, panel.cost]
    assert panel.worth_here.x[0] == 2.0
    assert not panel.accepted.isVisible()
    assert "steps" in panel.bias.caption_label.whole


def test_a_flat_line_for_mala_and_acceptance_beside_it(shown: Any) -> None:
    panel, frame = shown(sampler="mala", step_size=1.0)
    assert np.ptp(panel.chosen.y) == 0
    assert panel.accepted.isVisible()
    assert panel.accepted_here.y[0] == frame.measures["acceptance"]
    assert "accepted" in [item.label for item in panel.cost.legend.items]


def test_dragging_the_dot_asks_for_another_step(shown: Any) -> None:
    panel, _ = shown()
    asked: list[dict[str, Any]] = []
    panel.tweak_requested.connect(asked.append)
    panel.handle.dragged.emit(0, 1.23456, 0.4)
    panel.handle.dragged.emit(0, -3.0, 0.4)
    assert asked == [{"step_size": 1.23}, {"step_size": 0.001}]


def test_while_the_chains_settle_nothing_is_claimed(shown: Any) -> None:
    panel, _ = shown(step_size=0.05, limit=20)
    assert "settling" in panel.bias.caption_label.whole
    assert not np.isfinite(panel.bar.y).any()
    assert panel.cost.caption_label.whole == "not yet"


def test_the_growth_takes_the_place_of_the_traces(shown: Any, qtbot: Any) -> None:
    panel, _ = shown(step_size=4.5, limit=30)
    assert panel.growth.isVisible()
    assert not panel.way.isVisible()
    assert panel.size_.y == pytest.approx(panel.theory_size.y, rel=0.2)
    assert "−1.25" in panel.growth.caption_label.whole
    assert not np.isfinite(panel.correlation.y).any()
    panel.resize(1000, 330)
    qtbot.waitUntil(lambda: len(visible(panel)) == 2, timeout=1000)
    panel.resize(1000, 700)
    qtbot.waitUntil(lambda: len(visible(panel)) == 5, timeout=1000)
    assert panel.growth.isVisible()


def test_earlier_measurements_stay_as_dots(shown: Any) -> None:
    panel, frame = shown()
    assert len(panel.before.x) == 0
    dots = np.array([[0.0, 1.0, 1.34, 0.01], [1.0, 2.0, 1.01, 0.01]])
    frame = dataclasses.replace(frame, picture=dataclasses.replace(frame.picture, dots=dots))
    panel.show_frame(frame, frame.parameters)
    assert panel.before.x.tolist() == [1.0, 2.0]


def test_presets_draw_in_all_looks(shown: Any, qtbot: Any) -> None:
    entry = next(each for each in entries() if each.name == NAME)
    assert len(entry.presets) >= 6
    for at, preset in enumerate(entry.presets):
        theming.set(("dark", "light", "stage")[at % 3])
        panel, _ = shown(preset.name, limit=6)
        for language in ("zh", "en"):
            translator.set_language(language)
            assert all(card.title_label.whole for card in visible(panel))
        panel.window().hide()


def test_texts_are_translated(shown: Any, qtbot: Any) -> None:
    panel, _ = shown(sampler="hmc")
    translator.set_language("zh")
    qtbot.waitUntil(lambda: not panel._waiting, timeout=5000)
    for card in visible(panel):
        assert CJK.search(card.title_label.whole)
        texts = [item.label for item in card.legend.items]
        texts += [card.axes["x"].title, card.axes["y"].title, card.caption_label.whole]
        assert [text for text in texts if WORDS.search(text) and not CJK.search(text)] == []


@pytest.mark.parametrize("language", ["en", "zh"])
def test_formulas_and_numbers_of_the_notes(language: str) -> None:
    text = resource_path("labs", "langevin", f"bias.{language}.md").read_text(encoding="utf-8")
    frame = run_with(NAME, preset_parameters(NAME, None).changed(chains=500), device="cpu", limit=2).frame
    assert frame is not None
    assert set(live_names(text)) <= {*frame.measures, *(f"parameters.{field}" for field in frame.parameters.model_dump())}
    filled = fill_values(text, {**frame.measures, "parameters": frame.parameters.model_dump()})
    for display, inline in re.findall(r"\$\$(.+?)\$\$|\$(.+?)\$", filled, re.DOTALL):
        assert formula_problems(display or inline, display=bool(display)) is None
    for sampler in SAMPLERS:
        for spec in specs_of(Setting(sampler, 1.0, 1.0, 1.0, 1.0, 1)):
            assert formula_problems(spec.formula) is None
            assert spec.statement in load_toml("labs", "langevin", "bias.toml")["zh"]["text"]
    assert math.isfinite(frame.measures["variance"])
