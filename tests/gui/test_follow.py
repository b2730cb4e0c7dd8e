"""Theme, zoom, presentation and language cost what is on the screen; what is hidden follows when it is shown."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from gui.core.lab.panel import Panel
from gui.core.look.follow import follow
from gui.core.look.theme import load_theme, theming
from gui.main_window import MainWindow
from tests.gui.conftest import NAME

OTHERS = ("angles.capacity", "angles.orthogonality")


class Herald(QObject):
    changed = Signal()


class Listener(QLabel):
    """Counts how often it was brought up to date."""

    def __init__(self, herald: Herald, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.updates = 0
        follow(herald.changed, self, self.refresh)

    def refresh(self) -> None:
        self.updates += 1


def test_a_widget_follows_when_it_is_seen_or_when_it_is_shown(qtbot: Any) -> None:
    herald, window = Herald(), QWidget()
    qtbot.addWidget(window)
    box = QVBoxLayout(window)
    seen, hidden = Listener(herald, window), Listener(herald, window)
    box.addWidget(seen)
    box.addWidget(hidden)
    herald.changed.emit()  # a window that is not shown yet is made ready
    assert (seen.updates, hidden.updates) == (1, 1)
    hidden.hide()
    window.show()
    for _ in range(3):
        herald.changed.emit()
    assert (seen.updates, hidden.updates) == (4, 1)
    hidden.show()
    assert hidden.updates == 2
    hidden.hide()
    hidden.show()
    assert hidden.updates == 2
    herald.changed.emit()
    assert hidden.updates == 3


@pytest.fixture
def redrawn(window: MainWindow, qtbot: Any, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Three experiments are open, the last one is seen; counts whose panel was drawn again for a theme or language."""
    for name in OTHERS:
        window.open_experiment(name)
        qtbot.waitUntil(lambda: window.view.session.frame is not None, timeout=20_000)
    counts: Counter[str] = Counter()
    redraw = Panel._redraw

    def counted(panel: Panel) -> None:
        counts[panel.experiment] += 1
        redraw(panel)

    monkeypatch.setattr(Panel, "_redraw", counted)
    return counts


@pytest.mark.parametrize(
    "command", ["next_theme", "zoom_in", "toggle_presentation", "next_language"], ids=["theme", "zoom", "F5", "language"]
)
def test_a_change_restyles_the_experiment_on_the_screen_alone(
    window: MainWindow, redrawn: Counter[str], qtbot: Any, command: str
) -> None:
    getattr(window.commands, command)()
    assert redrawn == {OTHERS[-1]: 1}
    window.open_experiment(NAME)
    assert redrawn == {OTHERS[-1]: 1, NAME: 1}
    window.open_experiment(OTHERS[-1])
    assert redrawn == {OTHERS[-1]: 1, NAME: 1}
    window.presentation.stop()


def test_a_hidden_experiment_wears_the_theme_when_it_is_shown(window: MainWindow, redrawn: Counter[str]) -> None:
    theming.set("light")
    theming.set("stage")
    page = window.views[NAME]
    assert page.styleSheet() != theming.sheet
    window.open_experiment(NAME)
    assert redrawn[NAME] == 1  # however many themes it has missed
    assert page.styleSheet() == page.side.styleSheet() == theming.sheet
    axis = page.session.panel.cards[0].axes["x"]
    assert axis.pen().color().name() == load_theme("stage").line.lower()


def test_a_hidden_page_of_a_larger_theme_takes_no_room(window: MainWindow, redrawn: Counter[str]) -> None:
    least = window.minimumSizeHint()
    theming.set_zoom(2.0)
    window.open_experiment(NAME)
    theming.set_zoom(1.0)
    window.open_experiment(OTHERS[-1])
    assert window.minimumSizeHint() == least
