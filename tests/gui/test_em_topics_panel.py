"""The panel of topics draws what its frames say, and clicks ask for what they should."""

from __future__ import annotations

from functools import partial

import numpy as np
import panel_frames
import pytest
from panel_frames import draw_all
from PySide6.QtCore import QPoint, Qt

from engine.api import Frame
from gui.core.i18n import translator
from gui.core.lab.panel import Panel, load_panel
from gui.core.look.theme import theming
from gui.panels.em.topics.widgets import coloured, topic_colour

NAME = "em.topics"
frame_of = partial(panel_frames.frame_of, NAME)


@pytest.fixture
def shown(qapp, qtbot):
    language = translator.language

    def make(frame: Frame) -> Panel:
        panel = load_panel(NAME)(NAME)
        qtbot.addWidget(panel)
        panel.resize(1000, 680)
        panel.show_frame(frame, frame.parameters)
        panel.show()
        draw_all(panel)
        return panel

    yield make
    translator.set_language(language)


def test_words_mixtures_table_and_curve(shown) -> None:
    frame = frame_of(steps=10)
    panel, picture = shown(frame), frame.picture
    assert panel.lists.words == picture.topic_words
    assert len(panel.lists.places()) == 5
    assert [layer.isVisible() for layer in panel.layers].count(True) == 5
    np.testing.assert_allclose(panel.layers[4].high, 1, atol=1e-5)
    assert panel.cells.image.shape == picture.table.shape
    assert panel.fitted.y[-1] == pytest.approx(frame.measures["perplexity"])
    assert panel.bound.y[-1] >= panel.fitted.y[-1]
    assert panel.one_topic.value == frame.measures["unigram_perplexity"]
    assert not panel.held.isVisible()
    assert panel.held not in panel.curve.legend.listed


def test_held_out_documents_have_a_curve(shown) -> None:
    frame = frame_of(steps=4, held_out=0.3)
    panel = shown(frame)
    assert panel.held.isVisible()
    assert panel.held.y[-1] == pytest.approx(frame.measures["heldout_perplexity"])


def test_a_click_on_a_topic_highlights_it_and_a_second_one_does_not(shown, qtbot) -> None:
    frame = frame_of(steps=4)
    panel = shown(frame)
    middle = panel.lists.places()[2].center().toPoint()
    with qtbot.waitSignal(panel.tweak_requested) as asked:
        qtbot.mouseClick(panel.lists, Qt.MouseButton.LeftButton, pos=middle)
    assert asked.args == [{"highlight": 3}]
    panel.show_frame(frame, frame.parameters.changed(highlight=3))
    draw_all(panel)
    assert panel.lists.chosen == 2
    assert panel.topic_band.isVisible()
    assert panel.layers[0].alpha < panel.layers[2].alpha
    with qtbot.waitSignal(panel.tweak_requested) as asked:
        qtbot.mouseClick(panel.lists, Qt.MouseButton.LeftButton, pos=middle)
    assert asked.args == [{"highlight": 0}]


def test_a_click_on_a_document_opens_it(shown, qtbot) -> None:
    frame = frame_of(steps=4)
    panel = shown(frame)
    qtbot.wait(20)
    box = panel.mixtures.plot.getViewBox()
    place = panel.mixtures.view.mapFromScene(box.mapViewToScene(box.viewRect().center()))
    with qtbot.waitSignal(panel.tweak_requested) as asked:
        qtbot.mouseClick(panel.mixtures.view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(place))
    assert asked.args[0]["document"] in frame.picture.columns


def test_a_text_carries_the_colours_of_its_topics() -> None:
    spans = np.array([[0, 4, 0], [5, 8, 2]])
    page = coloured("moon & <b>", spans, np.array([1.0, 0.2]), None)
    assert "&amp;" in page
    assert page.count("background-color") == 2
    assert coloured("moon & <b>", spans, np.array([1.0, 0.2]), 2).count("background-color") == 1
    assert len({topic_colour(z) for z in range(20)}) == 20


def test_many_topics_find_room_and_follow_the_theme(shown) -> None:
    theme = theming.current.name
    panel = shown(frame_of(topics=20, steps=2))
    assert all(place.right() <= panel.lists.width() + 1 for place in panel.lists.places())
    before = panel.layers[7].role
    try:
        theming.set("light")
        draw_all(panel)
        assert panel.layers[7].role != before
    finally:
        theming.set(theme)
