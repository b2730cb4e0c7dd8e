"""Pictures without a window: exactly as large as asked, type as large as the size, and no card lost without a word."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from engine.api import Frame, UsageError, entry, last_frame, preset_parameters
from gui.core.i18n import tr, translator
from gui.core.look.theme import theming
from gui.core.output.offscreen import Sheet, natural_scale, render

SIZES = ((64, 64), (800, 600), (1280, 800), (900, 1600))
CROWDED = ("angles.activation_gain", "langevin.sampling", "em.surrogate")


@pytest.fixture(autouse=True)
def look(qapp: QApplication) -> Iterator[None]:
    theming.apply(qapp)
    yield
    theming.set("dark")
    translator.set_language("en")


@cache
def frame_of(name: str) -> Frame:
    """A young frame."""
    return last_frame(name, preset_parameters(name, None), limit=8, device="cpu")


def make_sheet(name: str, qtbot) -> Sheet:
    """Its figure."""
    sheet = Sheet(entry(name), frame_of(name), frame_of(name).parameters)
    qtbot.addWidget(sheet)
    return sheet


def pixels(image: QImage) -> np.ndarray:
    image = image.convertToFormat(QImage.Format.Format_RGB32)
    data = np.frombuffer(image.constBits(), dtype=np.uint8).reshape(image.height(), image.bytesPerLine() // 4, 4)
    return data[:, : image.width(), :3].astype(float)


@pytest.mark.parametrize("theme", ["dark", "stage"])
@pytest.mark.parametrize("name", CROWDED)
def test_a_picture_of_any_size_has_every_card(name: str, theme: str, qtbot) -> None:
    theming.set(theme)
    sheet = make_sheet(name, qtbot)
    for size in SIZES:
        image = sheet.picture(size)
        assert (image.width(), image.height()) == size
        assert sheet.left_out() == []
        # Nothing reaches beyond the picture, and type gives way to crowded cards by a fifth at most.
        assert sheet.width() * image.devicePixelRatio() < size[0] + image.devicePixelRatio() + 1
        assert image.devicePixelRatio() <= natural_scale(size)
        assert image.devicePixelRatio() >= 0.79 * natural_scale(size)


def test_type_follows_the_size() -> None:
    assert natural_scale((1024, 768)) == natural_scale((1280, 800)) == natural_scale((1920, 1080)) == 1
    assert natural_scale((3840, 2160)) == 2
    assert natural_scale((512, 384)) == natural_scale((512, 4000)) == 0.5


def test_a_picture_of_twice_the_size_is_the_same_picture(qtbot) -> None:
    sheet = make_sheet("em.coins", qtbot)
    small, large = pixels(sheet.picture((1920, 1080))), pixels(sheet.picture((3840, 2160)))
    shrunk = large.reshape(1080, 2, 1920, 2, 3).mean(axis=(1, 3))
    assert np.abs(shrunk - small).mean() < 4  # of 255: edges are smoother


def test_a_scale_of_ones_own_says_what_finds_no_room(tmp_path: Path) -> None:
    parameters = preset_parameters("angles.activation_gain", None)
    file = tmp_path / "a.png"
    assert render("angles.activation_gain", parameters, file, (800, 600), theme="stage", device="cpu") == []
    missing = render("angles.activation_gain", parameters, file, (800, 600), theme="stage", device="cpu", scale=1.0)
    assert missing == ["Outputs", "Length by layer"]


@pytest.mark.parametrize("name", ["angles.distribution", "langevin.passage", "em.topics"])
def test_a_sheet_that_changes_its_theme_is_as_one_made_in_it(name: str, qtbot) -> None:
    theming.set("light")
    sheet = make_sheet(name, qtbot)
    sheet.picture((1100, 760))
    theming.set("dark")
    changed = pixels(sheet.picture((1100, 760)))
    fresh = pixels(make_sheet(name, qtbot).picture((1100, 760)))
    assert (np.abs(changed - fresh).max(axis=2) > 40).mean() < 2e-3


def test_a_refusal_in_chinese_names_the_parameter_in_chinese(qapp: QApplication) -> None:
    with pytest.raises(UsageError) as caught:
        preset_parameters("langevin.sampling", None).changed(step_size="abc")
    translator.set_language("zh")
    assert tr(caught.value.message, "langevin.sampling").startswith("步长（step_size） = 'abc' 不可用：应为")
