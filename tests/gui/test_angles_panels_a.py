"""The panels of orthogonality and capacity draw what their frames say."""

from __future__ import annotations

import numpy as np
import pytest

from engine.api import Frame, preset_parameters, run_with
from gui.core.i18n import translator
from gui.core.lab.panel import Panel, load_panel


@pytest.fixture
def shown(qapp, qtbot):
    language = translator.language

    def make(name: str, preset: str | None = None, limit: int | None = None, **values: object) -> tuple[Panel, Frame]:
        parameters = preset_parameters(name, preset).changed(**values)
        frame = run_with(name, parameters, device="cpu", limit=limit).frame
        assert frame is not None
        panel = load_panel(name)(name)
        qtbot.addWidget(panel)
        panel.resize(900, 600)
        panel.show_frame(frame, parameters)
        return panel, frame

    yield make
    translator.set_language(language)


def test_matrix_runs_from_the_top_left(shown) -> None:
    panel, frame = shown("angles.orthogonality", rows=30, columns=20, draws=1)
    image = panel.image.image
    assert np.array_equal(image[::-1], frame.picture.matrix)
    assert panel.image.high == 1.0
    panel.show_frame(frame, frame.parameters.changed(colours="noise"))
    assert panel.image.high == pytest.approx(4 * frame.picture.noise)


def test_bars_compare_entry_input_and_worst_input(shown) -> None:
    panel, frame = shown("angles.orthogonality", draws=1)
    assert panel.bars.density[::2] == pytest.approx(frame.picture.distances[:, 0])
    assert [label.text for label in panel.numbers] == [f"{value:.2g}" for value in frame.picture.distances[:, 0]]
    assert not panel.eigenvalues.isVisible()


def test_eigenvalues_take_the_last_card(shown) -> None:
    panel, _ = shown("angles.orthogonality", draws=1, last="eigenvalues")
    assert len(panel.eigenvalues.x) == 200
    assert not panel.bars.isVisible()
    assert panel.absent.text == ""
    panel, _ = shown("angles.orthogonality", draws=1, rows=20, columns=10, last="eigenvalues")
    assert panel.absent.text


def test_laws_without_spread_have_a_marker_and_no_curve(shown) -> None:
    panel, _ = shown("angles.orthogonality", "exact", draws=1)
    assert not len(panel.singular_law.x)
    assert panel.common.isVisibleTo(panel.singular.plot)
    assert panel.numbers[0].text == "0"


def test_missing_rank_is_written(shown) -> None:
    panel, _ = shown("angles.orthogonality", "wide", draws=1)
    assert "50" in panel.atom.text
    translator.set_language("zh")
    assert "方向" in panel.atom.text


def test_a_large_matrix_is_being_computed_first(shown) -> None:
    panel, frame = shown("angles.orthogonality", limit=0, rows=600, columns=600)
    assert not frame.picture.exact
    assert panel.singular.caption_label.whole.endswith("…")
    assert "256" in panel.matrix.caption_label.whole


def test_capacity_draws_staircase_law_and_measured_point(shown) -> None:
    panel, frame = shown("angles.capacity", vectors=500, epsilon=0.3)
    assert panel.stairs.y[-1] == pytest.approx(frame.measures["max_abs_cos"])
    assert np.all(panel.low.y <= panel.median.y)
    assert np.all(panel.median.y <= panel.high.y)
    assert panel.limit.value == 0.3
    assert panel.here.y[0] == pytest.approx(10 ** frame.measures["log10_capacity"])


def test_capacity_without_a_pair_above(shown) -> None:
    panel, frame = shown("angles.capacity", vectors=50, dimension=5000, epsilon=0.9)
    assert frame.measures["pairs_above"] == 0
    assert len(panel.here.x) == 0
    assert panel.count.text == ""
