"""The panels of propagation and activation gain draw what their frames say, and the map of phases moves the tower."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest
from conftest import Open
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from engine.api import ExperimentState, Frame, Session, entries, preset_parameters, run_with
from gui.core.i18n import translator
from gui.core.lab.open_experiment import OpenExperiment
from gui.core.lab.panel import Panel, load_panel
from gui.core.look.theme import theming
from gui.core.plots import PlotCard

TOWER, GAIN = "angles.propagation", "angles.activation_gain"
SMALL = {"depth": 6, "width": 32, "batch": 8}


@pytest.fixture
def shown(qapp: QApplication, qtbot: Any):
    language, theme = translator.language, theming.current.name
    places: list[QWidget] = []

    def make(name: str, preset: str | None = None, limit: int | None = None, **values: object) -> tuple[Any, Frame]:
        parameters = preset_parameters(name, preset).changed(**values)
        frame = run_with(name, parameters, device="cpu", limit=limit).frame
        assert frame is not None
        place = QWidget()  # a panel is never a window of its own
        places.append(place)
        qtbot.addWidget(place)
        panel = load_panel(name)(name, place)
        panel.resize(900, 640)
        place.resize(900, 640)
        place.show()
        panel.show_frame(frame, parameters)
        return panel, frame

    yield make
    translator.set_language(language)
    theming.set(theme)


def visible(panel: Panel) -> list[PlotCard]:
    return [card for card in panel.cards if isinstance(card, PlotCard) and card.isVisible()]


def open_at(open_theoria: Open, name: str, **values: Any) -> OpenExperiment:
    parameters = {**(SMALL if name == TOWER else {"samples": 1000}), **values}
    session = Session(language="en", theme="dark", current=name, experiments={name: ExperimentState(parameters=parameters)})
    window = open_theoria(session, wait="finished")
    assert window.view is not None
    return window.view.session


def parameter(session: OpenExperiment, name: str) -> Any:
    """What the picture on the screen was made with."""
    assert session.frame is not None
    return getattr(session.frame.parameters, name)


# ---- both ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [TOWER, GAIN])
def test_a_low_screen_keeps_the_first_row(name: str, shown: Any, qtbot: Any) -> None:
    panel, _ = shown(name, limit=1)
    assert len(visible(panel)) == 4
    panel.resize(900, 330)
    qtbot.waitUntil(lambda: len(visible(panel)) == 2, timeout=1000)
    assert visible(panel) == list(panel.cards[:2])
    qtbot.waitUntil(lambda: panel.cards[0].height() > 280, timeout=1000)
    panel.toggle_alone(panel.cards[2])
    assert visible(panel) == [panel.cards[2]]
    panel.toggle_alone(None)
    assert len(visible(panel)) == 2
    panel.resize(900, 640)
    qtbot.waitUntil(lambda: len(visible(panel)) == 4, timeout=1000)


def test_titles_fit_beside_their_captions(shown: Any, qtbot: Any) -> None:
    for name in (TOWER, GAIN):
        panel, _ = shown(name, limit=1)
        panel.resize(830, 720)  # the middle of a window of 1440 x 900
        qtbot.wait(20)
        for card in visible(panel):
            assert card.title_label.text() == card.title_label.whole
            assert card.legend.heightForWidth(card.legend.width()) <= 18, card.title_label.whole


# ---- the tower -------------------------------------------------------------------------------------------------------


def test_the_tower_is_drawn_as_it_was_measured(shown: Any) -> None:
    panel, frame = shown(TOWER, **SMALL)
    np.testing.assert_allclose(panel.moment.y, frame.picture.moment)
    np.testing.assert_allclose(panel.gradient.y, frame.picture.gradient)
    np.testing.assert_allclose(panel.angle.y, np.degrees(frame.picture.angle))
    assert not panel.turned.present
    assert not panel.limit.isVisible()


def test_a_residual_tower_shows_how_far_a_signal_has_turned_from_its_input(shown: Any) -> None:
    panel, frame = shown(TOWER, **SMALL, residual=True, alpha=1.0)
    assert panel.turned.present
    assert panel.turned.y[0] == pytest.approx(0, abs=0.1)
    np.testing.assert_allclose(panel.turned.y, np.degrees(frame.picture.turned))


def test_the_comparison_and_the_bow_tie_come_when_they_should(shown: Any, qtbot: Any) -> None:
    panel, _ = shown(TOWER, limit=1, **SMALL)
    assert panel.comparison not in visible(panel)
    assert panel.tie not in visible(panel)
    assert len(visible(panel)) == 4
    panel, _ = shown(TOWER, limit=1, **SMALL, waist=0.5)
    assert visible(panel)[-1] is panel.tie
    panel, _ = shown(TOWER, limit=1, **SMALL, waist=0.5, training=True)
    assert visible(panel)[-1] is panel.comparison
    assert panel.tie not in visible(panel)
    panel.toggle_alone(panel.comparison)
    assert visible(panel) == [panel.comparison]
    panel.toggle_alone(None)
    assert panel.tie not in visible(panel)
    qtbot.waitUntil(lambda: all(card.height() > 100 and card.width() > 100 for card in visible(panel)), timeout=1000)


def test_curves_of_a_comparison_and_one_that_diverged(shown: Any) -> None:
    panel, frame = shown(TOWER, depth=12, width=32, training=True, updates=30, learning_rate=5.0, inputs="digits")
    assert [len(curve.x) for curve in panel.losses] == [30] * 3
    assert np.isnan(frame.picture.losses).any()
    assert "diverged" in panel.comparison.caption_label.whole


def test_the_layer_of_the_underflow_is_that_of_the_title(shown: Any) -> None:
    preset = next(p for entry in entries() if entry.name == TOWER for p in entry.presets if p.name == "underflow")
    panel, frame = shown(TOWER, "underflow")
    layer = int(frame.measures["underflow_layer"])
    assert panel.limit.isVisible()
    assert str(layer) in panel.limit.text
    assert [re.findall(r"\d+", title)[-1] for title in preset.titles.values()] == [str(layer)] * 2


def test_a_click_on_the_map_moves_the_tower(open_theoria: Open, qtbot: Any) -> None:
    session = open_at(open_theoria, TOWER, activation="tanh")
    panel: Any = session.panel
    asked: list[dict[str, float]] = []
    panel.tweak_requested.connect(asked.append)
    jobs = session.runner.jobs_started
    place = panel.phase.view.mapFromScene(panel.phase.plot.getViewBox().mapViewToScene(QPointF(2.0, 0.5)))
    click(panel.phase.view.viewport(), place)
    (tweak,) = asked
    assert math.sqrt(tweak["variance_factor"]) == pytest.approx(2.0, abs=0.03)
    assert tweak["bias_std"] == pytest.approx(0.5, abs=0.03)
    qtbot.waitUntil(lambda: parameter(session, "bias_std") == tweak["bias_std"], timeout=5000)
    assert parameter(session, "variance_factor") == tweak["variance_factor"]
    assert session.runner.jobs_started == jobs + 1
    assert (panel.here.x[0], panel.here.y[0]) == pytest.approx((math.sqrt(tweak["variance_factor"]), tweak["bias_std"]))
    click(panel.phase.view.viewport(), QPoint(2, 2))  # on the axis: nothing
    assert len(asked) == 1


def click(widget: Any, place: QPoint) -> None:
    """A press and a release, told to the widget itself: the scene of a plot looks at nothing else."""
    for kind, buttons in (
        (QEvent.Type.MouseButtonPress, Qt.MouseButton.LeftButton),
        (QEvent.Type.MouseButtonRelease, Qt.MouseButton.NoButton),
    ):
        spot = QPointF(place)
        nothing = Qt.KeyboardModifier.NoModifier
        there = QPointF(widget.mapToGlobal(place))
        QApplication.sendEvent(widget, QMouseEvent(kind, spot, there, Qt.MouseButton.LeftButton, buttons, nothing))


# ---- the gain --------------------------------------------------------------------------------------------------------


def test_gains_are_rows_in_order(shown: Any) -> None:
    panel, frame = shown(GAIN, "own", samples=1000)
    assert np.all(np.diff(panel.ours.x) <= 0)
    assert panel.rows.names[panel.rows.chosen] == "Own formula"
    assert panel.own.x[0] == pytest.approx(frame.measures["gain"])
    assert not panel.framework[0].isVisible()
    panel, frame = shown(GAIN, "tanh", samples=1000)
    assert panel.gains.caption_label.whole.endswith(f"{5 / 3 / frame.measures['gain']:.4f}")


def test_a_mistake_in_a_formula_stands_at_its_field(open_theoria: Open, qtbot: Any) -> None:
    session = open_at(open_theoria, GAIN, activation="formula")
    before, field = session.parameters, session.form.fields["formula"]
    line = field.editor.line
    line.selectAll()
    QTest.keyClicks(line, "2x")
    assert session.parameters == before.changed(formula="2")
    assert "Write * between 2 and x" in field.problem
    assert line.property("invalid")
    line.selectAll()
    QTest.keyClicks(line, "2*x")
    qtbot.waitUntil(lambda: parameter(session, "formula") == "2*x", timeout=5000)
    assert not field.problem
