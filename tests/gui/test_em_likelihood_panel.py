"""The panel of the likelihood draws what its frames say, and hands move model and data."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication, QWidget

from engine.api import Frame, preset_parameters, run_with
from gui.core.i18n import translator
from gui.core.lab.panel import load_panel
from gui.core.look.theme import theming

NAME = "em.likelihood"


@pytest.fixture
def shown(qapp: QApplication, qtbot: Any):
    language, theme = translator.language, theming.current.name
    places: list[QWidget] = []

    def make(preset: str | None = None, **values: Any) -> tuple[Any, Frame]:
        parameters = preset_parameters(NAME, preset).changed(**{"sets": 2000, **values})
        frame = run_with(NAME, parameters, device="cpu", limit=5).frame
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


def asked(panel: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    panel.tweak_requested.connect(found.append)
    return found


def test_the_curve_has_its_maximum_and_the_model_lies_on_it(shown: Any) -> None:
    panel, frame = shown()
    curve = panel.curve
    assert curve.curve.x[np.nanargmax(curve.curve.y)] == pytest.approx(0.7, abs=2e-3)
    assert np.nanmax(curve.curve.y) == pytest.approx(1, abs=1e-4)
    assert curve.handle.handles.y[0] == pytest.approx(math.exp(-frame.measures["log_ratio"]))
    assert curve.top.value == 0.7
    assert "0.44" in curve.lost.text


def test_scales_change_the_picture_alone(shown: Any) -> None:
    panel, frame = shown()
    for scale, at_top in (("log", 0.0), ("average", -frame.measures["entropy"]), ("linear", 1.0)):
        panel.show_frame(frame, frame.parameters.changed(scale=scale))
        assert panel.curve.best.y[0] == pytest.approx(at_top)
        assert np.nanmax(panel.curve.curve.y) == pytest.approx(at_top, abs=1e-4)
        labels = [item.label for item in panel.curve.legend.listed]
        assert ("16 times" in labels) == (scale != "average")
    assert panel.curve.sharper[0].isVisible()
    panel.show_frame(frame, frame.parameters.changed(sharper=False))
    assert not panel.curve.sharper[0].isVisible()


def test_bars_and_entropies(shown: Any) -> None:
    panel, frame = shown()
    assert panel.model.data.heights.tolist() == frame.picture.shares.tolist()
    assert panel.model.handle.handles.y.tolist() == [0.5, 0.5]
    assert panel.entropies.kl.base[0] == pytest.approx(frame.measures["entropy"])
    assert panel.entropies.kl.heights[0] == panel.entropies.cross.heights[0]
    assert panel.law.bars.density.tolist() == frame.picture.density.tolist()
    assert panel.law.seen.value == 0.7
    assert panel.ladder.here.y[0] == frame.measures["simulated_deviation"]
    no_spread, _ = shown(values=(2.0,))
    assert len(no_spread.entropies.kl.heights) == 0
    assert "entropy" in no_spread.entropies.caption_label.whole


def test_an_edge_has_no_parabola(shown: Any) -> None:
    panel, _ = shown("never")
    assert not panel.curve.parabola.isVisible()
    assert shown()[0].curve.parabola.isVisible()


def test_dragging_model_and_data_of_tosses(shown: Any) -> None:
    panel, frame = shown()
    wanted = asked(panel)
    panel.curve.handle.dragged.emit(0, 0.6321, 0.3)
    panel.curve.handle.dragged.emit(0, -0.5, 0.3)
    panel.model.handle.dragged.emit(1, 1.0, 0.25)
    panel.model.seen.dragged.emit(0, 0.0, 0.42)
    panel.model.seen.dragged.emit(1, 0.0, 1.5)
    assert wanted == [{"probability": 0.632}, {"probability": 0.001}, {"probability": 0.75}, {"successes": 4}, {"successes": 0}]
    assert all(frame.parameters.changed(**each) for each in wanted)


def test_dragging_model_and_data_of_values(shown: Any) -> None:
    panel, frame = shown("square")
    wanted = asked(panel)
    panel.curve.handle.dragged.emit(0, 3.14159, -2.0)
    assert wanted[-1] == {"mean": 3.142}
    panel.model.handle.dragged.emit(0, 1.0, 0.2)
    assert wanted[-1]["sigma"] == pytest.approx(1 / (0.2 * math.sqrt(2 * math.pi)), rel=1e-2)
    panel.model.handle.dragged.emit(0, 1.0, -5.0)
    panel.model.seen.dragged.emit(6, 9.5, 0.0)
    assert wanted[-1]["values"][6] == 9.5
    assert wanted[-1]["values"][:6] == frame.parameters.values[:6]  # type: ignore[attr-defined]
    assert all(frame.parameters.changed(**each) for each in wanted)


def test_dragging_model_and_data_of_counts(shown: Any) -> None:
    panel, frame = shown("words")
    wanted = asked(panel)
    panel.model.handle.dragged.emit(2, 2.0, 0.5)
    assert wanted[-1]["model"][2] == pytest.approx(0.5, abs=1e-3)
    assert sum(wanted[-1]["model"]) == pytest.approx(1)
    panel.model.handle.dragged.emit(0, 2.0, 7.0)
    panel.model.seen.dragged.emit(0, 0.0, 0.6)
    assert wanted[-1]["counts"] == (87, 25, 14, 9, 6, 4)
    panel.model.seen.dragged.emit(0, 0.0, -1.0)
    assert wanted[-1]["counts"][0] == 0
    assert all(frame.parameters.changed(**each) for each in wanted)
