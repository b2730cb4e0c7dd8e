"""The fonts that the program ships: there, licensed, and with every character that the program can show."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QFont, QFontDatabase, QFontInfo, QImage, QPainter, QRawFont

from engine.api import entries
from gui.core.look.fonts import SHIPPED, load_fonts
from gui.core.look.theme import font, text_width

ROOT = Path(__file__).parents[2]
FONTS = ROOT / "resources" / "fonts"
TEXTS = (".py", ".toml", ".md", ".txt")
FACES = {
    "regular": ("Inter-Regular.otf", "TheoriaSigns.ttf", "TheoriaHan-Regular.otf"),
    "bold": ("Inter-SemiBold.otf", "TheoriaSigns.ttf", "TheoriaHan-Bold.otf"),
}


def signs_of(folder: str) -> dict[str, Path]:
    """Every character of the files of a folder that may come to the screen, with a file that has it."""
    files = [path for path in (ROOT / folder).rglob("*") if path.suffix in TEXTS]
    return {sign: path for path in files for sign in path.read_text(encoding="utf-8") if sign > " "}


@pytest.mark.parametrize("faces", FACES.values(), ids=FACES.keys())
@pytest.mark.parametrize("folder", ["resources", "engine", "gui"])
def test_every_character_of_the_texts_is_in_a_font_that_is_shipped(qapp, folder, faces):
    """`make fonts` makes the fonts again when a new text needs it."""
    raws = [QRawFont(str(FONTS / face), 13.0) for face in faces]
    assert all(raw.isValid() for raw in raws)
    missing = {s: str(p) for s, p in signs_of(folder).items() if not any(raw.supportsCharacter(ord(s)) for raw in raws)}
    assert not missing


def test_chinese_that_a_user_types_is_there_too(qapp):
    raw = QRawFont(str(FONTS / "TheoriaHan-Regular.otf"), 13.0)
    assert all(raw.supportsCharacter(ord(sign)) for sign in "猫狗鱼鸟的一是不了人我在有他这中大来上国，。！？、；：（）《》")


def test_the_fonts_are_loaded_and_no_other_is_there(qapp):
    assert {*SHIPPED, "JetBrains Mono"} <= set(load_fonts())
    generic = {"Monospace", "Sans Serif", "Serif"}  # names that fontconfig always answers to
    assert set(QFontDatabase.families()) - generic <= set(load_fonts())


@pytest.mark.parametrize(("made", "family"), [({}, "Inter"), ({"weight": 600}, "Inter"), ({"mono": True}, "JetBrains Mono")])
def test_text_is_set_in_them(qapp, made, family):
    assert QFontInfo(font(13, **made)).family().startswith(family)


def picture_of(text: str, weight: int) -> QImage:
    """A text as it is drawn."""
    image = QImage(200, 40, QImage.Format.Format_Grayscale8)
    image.fill(Qt.GlobalColor.white)
    painter = QPainter(image)
    painter.setFont(font(22, weight))
    painter.drawText(4, 30, text)
    painter.end()
    return image


def test_chinese_is_drawn_with_glyphs_and_bold_is_bolder(qapp):
    """A missing glyph is the same box for every character."""
    ink = {weight: 255 - sum(bytes(picture_of("粒子群", weight).constBits())) / (200 * 40) for weight in (400, 600)}
    assert picture_of("粒", 400) != picture_of("群", 400)
    assert ink[600] > 1.1 * ink[400]


def test_code_is_shown_as_typed(qapp):
    assert QFont.Tag("calt") in font(13, mono=True).featureTags()
    assert font(13, mono=True).featureValue(QFont.Tag("calt")) == 0


def test_every_font_has_its_licence_beside_it():
    licences = "".join(path.read_text(encoding="utf-8") for path in FONTS.glob("*.txt"))
    assert "SIL OPEN FONT LICENSE" in licences.upper()
    for path in FONTS.glob("*.[ot]tf"):
        assert path.stem in licences, path.name


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_sentence_under_the_title_is_whole_in_a_common_window(qapp, language):
    """In a window of 1440 pixels the pictures are about 830 wide, and so is the line of the sentence."""
    assert [e.name for e in entries() if text_width(e.summaries[language], font(13)) > 800] == []
