"""The globe: what lies in front, what turning keeps, and what it draws."""

from __future__ import annotations

import gc
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication

from gui.core.look.theme import theming
from gui.core.plots.globe.globe import Globe, camera, equal_area_angles, graticule

angles = st.floats(-10, 10)


@pytest.fixture
def globe(qtbot):
    """A globe of 300 x 300 pixels."""
    made = Globe()
    qtbot.addWidget(made)
    made.resize(300, 300)
    return made


def ball(count: int, seed: int = 0) -> np.ndarray:
    points = np.random.default_rng(seed).normal(size=(count, 3))
    return (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)


@given(angles, st.floats(-math.pi / 2, math.pi / 2))
def test_the_camera_is_a_rotation(azimuth, elevation):
    matrix = camera(azimuth, elevation)
    assert matrix @ matrix.T == pytest.approx(np.eye(3), abs=1e-12)
    assert np.linalg.det(matrix) == pytest.approx(1)


def test_turning_keeps_norms(globe):
    points = ball(500)
    globe.set_points(points)
    for azimuth in np.linspace(-4, 4, 9):
        globe.set_view(azimuth, azimuth / 3)
        assert np.linalg.norm(globe.project(globe.points), axis=1) == pytest.approx(1, abs=1e-6)


def test_what_faces_the_viewer_is_in_front(globe):
    globe.set_view(0.7, 0.3)
    toward = camera(0.7, 0.3)[2]
    turned = globe.project(np.stack([toward, -toward]))
    assert turned[0] == pytest.approx([0, 0, 1], abs=1e-12)
    assert turned[1, 2] == pytest.approx(-1)


def test_the_pole_stays_upright(globe):
    for azimuth in (0.0, 1.0, 2.0):
        globe.set_view(azimuth, 0.4)
        right, up, _ = globe.project(globe.pole()[None])[0]
        assert right == pytest.approx(0, abs=1e-12)
        assert up > 0


def test_front_points_are_stronger_than_back_points(globe):
    globe.pole_text = ""
    globe.set_view(0.0, 0.0)
    strength = {}
    for side in (1, -1):
        across = np.array([[side * 0.8, 0.45, math.sqrt(1 - 0.8**2 - 0.45**2)]])
        globe.set_points(np.empty((0, 3)))
        before = globe.grab().toImage()
        globe.set_points(across)
        after = globe.grab().toImage()
        at = globe._to_pixels(globe.project(across))[0].astype(int)
        a, b = before.pixelColor(*map(int, at)), after.pixelColor(*map(int, at))
        strength[side] = abs(a.blue() - b.blue()) + abs(a.green() - b.green())
    assert strength[1] > 2 * strength[-1] > 0


def test_equal_area_bands_have_equal_areas():
    cuts = np.cos(np.radians([0, *equal_area_angles(7), 180]))
    assert -np.diff(cuts) == pytest.approx(2 / 7)


def test_the_graticule_lies_on_the_sphere():
    assert np.linalg.norm(graticule(), axis=2) == pytest.approx(1)


def test_wrong_shapes_are_refused(globe):
    with pytest.raises(ValueError, match=r"\(n, 3\)"):
        globe.set_points(np.zeros((4, 2)))


def test_dragging_turns_and_the_wheel_and_keys_zoom(globe, qtbot):
    globe.show()
    before = globe.azimuth
    with qtbot.waitSignal(globe.turned, timeout=500):
        qtbot.mousePress(globe, Qt.MouseButton.LeftButton, pos=QPoint(150, 150))
        qtbot.mouseMove(globe, QPoint(190, 150))
        QApplication.processEvents()
        qtbot.mouseRelease(globe, Qt.MouseButton.LeftButton, pos=QPoint(190, 150))
    assert globe.azimuth < before
    qtbot.keyClick(globe, Qt.Key.Key_Plus)
    assert globe.zoom > 1
    globe.set_zoom(99)
    assert globe.zoom == 4
    qtbot.keyClick(globe, Qt.Key.Key_Home)
    assert globe.zoom == 1
    qtbot.keyClick(globe, Qt.Key.Key_Up)


def test_flat_is_a_circle_in_the_plane(globe):
    globe.set_flat(True)
    turn = np.linspace(0, 2 * np.pi, 60)
    globe.set_points(np.column_stack([np.cos(turn), np.sin(turn)]))
    globe.set_bands([60, 120])
    assert np.all(globe.project(globe.points)[:, 2] == 1)
    globe.grab()


def test_bands_shade_and_the_equator_stands_out(globe):
    globe.set_view(0, 0)
    plain = globe.grab().toImage()
    globe.set_equator_band(10)
    lit = globe.grab().toImage()
    assert plain.pixelColor(190, 160) != lit.pixelColor(190, 160)
    assert plain.pixelColor(190, 80) == lit.pixelColor(190, 80)
    globe.set_bands(equal_area_angles(8))
    globe.grab()


def test_the_globe_follows_the_theme(globe):
    seen = []
    for name in ("light", "dark"):
        theming.set(name)
        seen.append(globe.grab().toImage().pixelColor(150, 200).lightness())
    assert seen[0] > 150 > seen[1]


def test_globes_die_when_they_are_dropped(qapp):
    gone = []
    gc.disable()  # only counting references may free them: the collector could run on a worker thread
    try:
        globe = Globe()
        globe.set_points(ball(10))
        globe.grab()
        globe.destroyed.connect(lambda: gone.append("globe"))
        del globe
        assert gone == ["globe"]
    finally:
        gc.enable()
    theming.set("light")
    theming.set("dark")
