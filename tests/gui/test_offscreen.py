"""Pictures without a window: large ones are read as a whole."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QImage

from engine.api import preset_parameters
from gui.core.output.offscreen import growth_of, render

NAME = "angles.distribution"


@pytest.mark.parametrize(
    ("size", "growth"),
    [((1440, 900), 1.0), ((1024, 768), 1.0), ((3840, 2160), 2.0), ((3840, 1080), 1.0), ((2880, 1620), 1.5), ((640, 400), 1.0)],
)
def test_type_grows_with_the_picture(size, growth):
    """Where both sides are larger than a common screen's; a wide strip keeps the type of its height."""
    assert growth_of(size) == growth


@pytest.mark.parametrize("size", [(3840, 2160), (2001, 1501), (700, 500)])
def test_the_file_has_the_size_that_was_asked_for(qapp, tmp_path, size):
    parameters = preset_parameters(NAME, None).changed(dimension=20, pairs=20_000)
    render(NAME, parameters, tmp_path / "a.png", size=size, device="cpu")
    assert QImage(str(tmp_path / "a.png")).size().toTuple() == size
