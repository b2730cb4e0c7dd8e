"""The command palette finds what people call things, in both languages and by pinyin, and says when there is nothing."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QListWidget

from engine.api import entries
from gui.core.i18n import translator
from gui.core.window.search import Findable, pinyin, synonyms
from gui.core.window.sheets import CommandPalette
from gui.main_window import MainWindow
from tests.gui.conftest import NAME, seen, settle


def offered(window: MainWindow, query: str) -> list[str]:
    """What the palette lists for a query, the best first."""
    window.commands.show_palette()
    settle()
    (palette,) = seen(window, CommandPalette)
    palette.findChild(QLineEdit).setText(query)
    found = palette.findChild(QListWidget)
    texts = [found.item(row).text() for row in range(found.count())]
    palette.close()
    settle()
    return texts


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("gan", "langevin.pits"),
        ("gmm", "em.mixture"),
        ("mcmc", "langevin.sampling"),
        ("k-means", "em.mixture"),
        ("kmeans", "em.annealing"),
        ("double well", "langevin.sampling"),
        ("dimension", "Dimension    dimension"),
        ("\u9ad8\u65af\u6df7\u5408", "em.mixture"),
        ("gaosi", "em.mixture"),
        ("gshh", "em.mixture"),
    ],
)
def test_people_find_what_they_call_it(window: MainWindow, query: str, wanted: str) -> None:
    assert any(wanted in text for text in offered(window, query)), query


def test_pinyin_finds_what_is_chinese(window: MainWindow) -> None:
    translator.set_language("zh")
    assert any("F5" in text for text in offered(window, "yanshi"))
    assert any("F5" in text for text in offered(window, "ys"))
    assert pinyin("EM: \u9ad8\u65af") == "gaosi gs"


def test_titles_come_before_other_words() -> None:
    assert Findable("Mixture", "gmm").rank("mix") == 0
    assert Findable("Mixture", "gmm").rank("gmm mix") == 1
    assert Findable("Mixture", "gmm", "floor").rank("floor") == 2
    assert Findable("Mixture", "gmm", "floor").rank("ceiling") is None


def test_nothing_is_said_and_does_nothing(window: MainWindow) -> None:
    assert offered(window, "zzzz") == ["Nothing found."]


def test_a_preset_is_found_and_opened(window: MainWindow, qtbot: Any) -> None:
    preset = next(item for item in entries() if item.name == NAME).presets[-1]
    window.commands.show_palette()
    settle()
    (palette,) = seen(window, CommandPalette)
    QTest.keyClicks(palette.findChild(QLineEdit), preset.titles["en"])
    QTest.keyClick(palette.findChild(QLineEdit), Qt.Key.Key_Return)
    settle()
    session = window.views[NAME].session
    assert session.parameters == session.parameters.changed(**preset.values)
    assert session.parameters.dimension == preset.values["dimension"]


def test_synonyms_name_experiments_that_exist() -> None:
    assert set(synonyms()) <= {item.name for item in entries()}


def test_the_menu_says_what_is_undone(window: MainWindow) -> None:
    window.views[NAME].session.edit(dimension=33)
    assert window.actions_by_name["undo"].text() == "Undo: Dimension 20 \u2192 33"
    translator.set_language("zh")
    assert window.actions_by_name["undo"].text().endswith("20 \u2192 33")
    assert "Undo" not in window.actions_by_name["undo"].text()
    window.commands.undo()
    assert "33" in window.actions_by_name["redo"].text()
