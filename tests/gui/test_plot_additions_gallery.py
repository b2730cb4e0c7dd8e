"""The gallery of small images: right pixels, tidy places, clicks."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QImage

from gui.core.look.theme import load_theme, themes, theming
from gui.core.plots import ImageGrid
from gui.core.plots.image_grid import Layout, ink_lut


@pytest.fixture(autouse=True)
def dark_again(qapp):
    """Leave the theme as it was found."""
    yield
    theming.set("dark")


def near(a: QColor, b: QColor, slack: int = 60) -> bool:
    return abs(a.red() - b.red()) + abs(a.green() - b.green()) + abs(a.blue() - b.blue()) <= slack


def pixels(image: QImage) -> np.ndarray:
    plain = image.convertToFormat(QImage.Format.Format_RGBA8888)
    rows = np.frombuffer(plain.constBits(), np.uint8).reshape(plain.height(), plain.bytesPerLine() // 4, 4)
    return rows[:, : plain.width(), :3].astype(int)


def count(image: QImage, colour: str, slack: int = 60) -> int:
    wanted = QColor(colour)
    away = np.abs(pixels(image) - (wanted.red(), wanted.green(), wanted.blue())).sum(axis=2)
    return int((away <= slack).sum())


@pytest.fixture
def grid(qtbot):
    made = ImageGrid("Samples")
    qtbot.addWidget(made)
    made.resize(400, 300)
    made.show()
    return made


def test_a_gallery_shows_ink_on_the_card(grid):
    images = np.zeros((2, 8, 8))
    images[1] = 1.0
    grid.setData(images, columns=2, highlight={0: "holds", 5: "fails"})
    for name in themes():
        theming.set(name)
        image = grid.grab().toImage()
        blank, full = (place.center() + QPointF(grid.gallery.pos()) for place in grid.gallery.places())
        theme = load_theme(name)
        assert near(image.pixelColor(full.toPoint()), QColor(theme.text), 6)
        assert near(image.pixelColor(blank.toPoint()), QColor(theme.raised if theme.dark else theme.surface), 6)
        assert count(image, theme.holds, 30) > 20


def test_row_zero_of_an_image_is_on_top_and_pixels_are_crisp(grid):
    images = np.zeros((1, 4, 4))
    images[0, 0, 3] = 1.0
    grid.setData(images)
    place = grid.gallery.places()[0]
    image = grid.gallery.grab().toImage()
    cell = place.width() / 4
    ink = QColor(theming.current.text)
    corner = place.topRight() + QPointF(-2, 2)
    assert near(image.pixelColor(corner.toPoint()), ink, 6)
    assert near(image.pixelColor((corner + QPointF(-cell + 4, cell - 5)).toPoint()), ink, 6)
    assert not near(image.pixelColor((corner - QPointF(cell, 0)).toPoint()), ink, 200)


def test_images_keep_their_shape_and_fit(grid):
    grid.setData(np.random.default_rng(0).random((30, 14, 28)), captions=[f"p = {i}" for i in range(30)])
    places = grid.gallery.places()
    assert len(places) == 30
    for place in places:
        assert place.width() == pytest.approx(2 * place.height())
        assert grid.gallery.rect().contains(place.toRect())
    assert all(not a.intersects(b) for a, b in pairwise(places))
    grid.grab()
    grid.setData(np.zeros((2, 3, 3, 3)), captions=["a", "b"])
    grid.gallery.smooth = True
    grid.grab()
    grid.setData(np.zeros((0, 5, 5)))
    grid.grab()
    with pytest.raises(ValueError, match="shape"):
        grid.setData(np.zeros((3, 3)))


def test_the_layout_makes_images_large():
    assert Layout(4, (10, 10), (200.0, 200.0), 0.0).columns() == 2
    assert Layout(6, (10, 10), (600.0, 100.0), 0.0).columns() == 6
    assert Layout(6, (10, 10), (100.0, 600.0), 0.0).columns() == 1
    assert Layout(6, (10, 10), (600.0, 200.0), 0.0, 20.0, 150.0).columns() == 3


def test_a_clicked_image_tells_its_number(grid, qtbot):
    grid.setData(np.zeros((6, 5, 5)))
    place = grid.gallery.places()[4].center().toPoint()
    with qtbot.waitSignal(grid.image_clicked, timeout=500) as caught:
        qtbot.mouseClick(grid.gallery, Qt.MouseButton.LeftButton, pos=place)
    assert caught.args == [4]
    qtbot.mouseMove(grid.gallery, place)
    grid.set_interactive(False)
    with qtbot.assertNotEmitted(grid.image_clicked):
        qtbot.mouseClick(grid.gallery, Qt.MouseButton.LeftButton, pos=place)


def test_the_ink_runs_from_paper_to_ink():
    table = ink_lut("#ffffff", "#000000")
    assert hex(table[0]) == "0xffffffff"
    assert hex(table[-1]) == "0xff000000"
    assert np.all(np.diff(table & 0xFF) <= 0) or np.all(np.diff((table & 0xFF).astype(int)) <= 0)
