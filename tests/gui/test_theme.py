"""Themes, style sheet, icons: readable, complete, and worn by everything at once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QIcon
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QPushButton

from gui.core.look import theme as themes_module
from gui.core.look.icons import coloured, icon, icon_file, icon_names, pixmap, set_icon
from gui.core.look.style import set_invalid, set_role, style_sheet
from gui.core.look.theme import contrast, font, load_theme, mix, px, space, text_width, themes, theming
from gui.core.plots import PlotCard

GROUNDS = ("background", "surface", "raised")
NEEDED = """
angles landscape langevin transport em embeddings gumbel microscope
play pause step restart dice speed undo redo reset sun moon stage language sidebar fullscreen expand copy export image
save open help warning info check cross hourglass chevron-down chevron-right menu sweep plus minus close code terminal
table settings logo
"""


@pytest.fixture(autouse=True)
def dark_again(qapp):
    """Leave the theme as it was found."""
    yield
    theming.set("dark")
    theming.set_zoom(1.0)


@pytest.mark.parametrize("name", themes())
@pytest.mark.parametrize("ground", GROUNDS)
def test_text_is_readable(name, ground):
    theme = load_theme(name)
    least = 7.0 if name == "stage" else 4.5
    assert contrast(theme.text, getattr(theme, ground)) >= least
    assert contrast(theme.muted, getattr(theme, ground)) >= 4.5
    assert contrast(theme.fails, getattr(theme, ground)) >= 4.5


@pytest.mark.parametrize("name", themes())
def test_words_on_the_accent_are_readable(name):
    theme = load_theme(name)
    assert contrast(theme.on_accent, theme.accent) >= 4.5


@pytest.mark.parametrize("name", themes())
def test_pictures_stand_out_from_the_card(name):
    theme = load_theme(name)
    for role in ("data", "theory", "holds", "fails", "pending", "accent"):
        assert contrast(getattr(theme, role), theme.surface) >= 3.0, role


def test_contrast_of_known_pairs():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#777777") == pytest.approx(1)
    assert contrast("#ffffff", "#767676") == pytest.approx(4.54, abs=0.01)


def test_the_three_themes_are_found_and_a_wrong_entry_is_reported(monkeypatch):
    assert themes() == ("dark", "light", "stage")
    monkeypatch.setattr(themes_module, "load_toml", lambda *_: {"colour": "#000000"})
    with pytest.raises(ValueError, match="colour"):
        load_theme.__wrapped__("dark")


def test_roles_name_colours():
    theme = load_theme("dark")
    assert theme.colour("data").name() == "#57a8f5"
    assert theme.colour(0) == theme.colour(6)
    assert theme.colour("#123456").name() == "#123456"
    assert theme.colour("text", 0.5).alphaF() == pytest.approx(0.5, abs=0.01)
    assert mix("#000000", "#ffffff", 0.5) == "#808080"


def test_stage_and_zoom_make_everything_larger():
    assert (px(13), space(2)) == (13, 14)
    theming.set("stage")
    assert (px(13), space(2)) == (21, 22)
    theming.set("dark")
    theming.zoom_in()
    assert px(20) == 22
    theming.set_zoom(100)
    assert theming.zoom == 2.0


def test_a_change_is_announced_once(qtbot):
    with qtbot.waitSignal(theming.changed, timeout=500):
        theming.set("light")
    with qtbot.assertNotEmitted(theming.changed):
        theming.set("light")
        theming.set("no such theme")
        theming.set_zoom(1.0)


def test_tabular_figures_are_equally_wide():
    assert text_width("1111", font(13, tabular=True)) == text_width("8888", font(13, tabular=True))


@pytest.mark.parametrize("name", themes())
def test_the_style_sheet_is_complete(name, qapp):
    sheet = style_sheet(load_theme(name))
    assert "$" not in sheet
    assert sheet.count("{") == sheet.count("}")
    for wanted in (
        "QTabBar::tab",
        "QComboBox::down-arrow",
        'invalid="true"',
        "QSlider::handle",
        "#rail",
        ":focus",
        ":disabled",
    ):
        assert wanted in sheet
    for path in re.findall(r"url\(([^)]+)\)", sheet):
        assert QSvgRenderer(path).isValid()


def test_applying_dresses_the_application(qapp, qtbot):
    theming.apply(qapp)
    button = QPushButton("Export")
    qtbot.addWidget(button)
    theming.dress(button)
    set_role(button, "primary")
    button.resize(120, 40)
    seen = {}
    for name in ("dark", "light"):
        theming.set(name)
        seen[name] = button.grab().toImage().pixelColor(12, 20).name()
    assert seen == {name: load_theme(name).accent.lower() for name in seen}


def test_invalid_is_a_property_of_the_field(qtbot):
    button = QPushButton()
    qtbot.addWidget(button)
    set_invalid(button, True)
    assert button.property("invalid") is True
    set_invalid(button, False)
    assert button.property("invalid") is False


def test_all_icons_that_the_program_names_are_drawn():
    assert set(icon_names()) >= set(NEEDED.split())


@pytest.mark.parametrize("name", icon_names())
def test_an_icon_parses_and_has_ink_and_stays_in_its_box(name, qapp):
    assert QSvgRenderer(coloured(name, "#ff0000")).isValid()
    image = pixmap(name, "#ff0000", 48).toImage()
    alpha = [[image.pixelColor(x, y).alpha() for x in range(48)] for y in range(48)]
    ink = sum(a > 128 for row in alpha for a in row)
    assert ink > 40
    if name != "logo":
        assert image.pixelColor(0, 0).alpha() == 0
        colours = {image.pixelColor(x, y).name() for x in range(48) for y in range(48) if alpha[y][x] == 255}
        assert colours <= {"#ff0000"}


@pytest.mark.parametrize("ratio", [1.0, 1.25, 2.0, 3.0])
def test_icons_are_crisp_at_any_ratio(qapp, ratio):
    shown = icon("angles", size=16).pixmap(QSize(16, 16), ratio)
    assert (shown.width(), shown.devicePixelRatio()) == (round(16 * ratio), ratio)


def test_icons_are_cached_and_disabled_ones_are_fainter(qapp):
    assert icon("play") is icon("play")
    normal, disabled = (
        icon("play").pixmap(QSize(18, 18), 1.0, mode).toImage() for mode in (QIcon.Mode.Normal, QIcon.Mode.Disabled)
    )
    assert disabled.pixelColor(9, 9).alpha() < normal.pixelColor(9, 9).alpha()


def test_a_button_icon_follows_the_theme_and_can_be_replaced(qtbot):
    button = QPushButton()
    qtbot.addWidget(button)
    set_icon(button, "stop")
    for name in ("light", "dark"):
        theming.set(name)
        middle = button.icon().pixmap(QSize(18, 18), 1.0).toImage().pixelColor(9, 9)
        assert middle.name() == load_theme(name).text.lower()
    set_icon(button, "stop", "accent")
    assert len(button.children()) == 1
    assert button.icon().pixmap(QSize(18, 18), 1.0).toImage().pixelColor(9, 9) == QColor(load_theme("dark").accent)


def test_style_sheet_pictures_are_files(qapp):
    assert "#123456" in Path(icon_file("chevron-down", "#123456")).read_text(encoding="utf-8")


def test_a_theme_switch_restyles_a_card_that_exists(qapp, qtbot):
    card = PlotCard("Density")
    qtbot.addWidget(card)
    card.resize(300, 200)
    for name in ("light", "dark"):
        theming.set(name)
        assert card.axes["x"].pen().color().name() == load_theme(name).line.lower()
        assert card.axes["x"].textPen().color().name() == load_theme(name).muted.lower()
