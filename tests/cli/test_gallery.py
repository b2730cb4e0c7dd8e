"""The gallery: every experiment has its place, one run serves both pictures, and one that fails leaves the page standing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from engine.api import Frame, LabError, entries, last_frame
from gui.core.output import gallery
from gui.core.output.gallery import Place, make_gallery, page

NAMES = [entry.name for entry in entries()]
SMALL = (640, 400)


def test_the_page_shows_every_experiment_and_how_to_get_a_window() -> None:
    text = page(dict.fromkeys(NAMES, Place(drawn=True)))
    for name in NAMES:
        assert f'src="{name}.light.png"' in text
        assert f'srcset="{name}.dark.png"' in text
        assert f"--experiment {name}" in text
    assert all(word in text for word in ("desktop session", "-platform vnc", "Xvfb"))
    assert not re.search(r"[{}]{2}|\{[a-z_]+\}", text)
    assert gallery.REFRESH not in text


@pytest.fixture
def young(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Runs end soon; how often each was made."""
    runs: dict[str, int] = {}

    def few(name: str, parameters: Any, **options: Any) -> Frame:
        runs[name] = runs.get(name, 0) + 1
        return last_frame(name, parameters, device="cpu", limit=2)

    monkeypatch.setattr(gallery, "last_frame", few)
    return runs


def test_every_experiment_is_run_once_and_the_page_grows(young: dict[str, int], tmp_path: Path, qapp: QApplication) -> None:
    pages: list[str] = []

    def announce(name: str) -> None:
        pages.append((tmp_path / "index.html").read_text("utf-8"))

    assert make_gallery(tmp_path, SMALL, announce) == 0
    assert young == dict.fromkeys(NAMES, 1)
    pages.append((tmp_path / "index.html").read_text("utf-8"))
    assert [text.count("<picture>") for text in pages] == list(range(len(NAMES) + 1))
    assert [gallery.REFRESH in text for text in pages] == [True] * len(NAMES) + [False]
    assert "Stopped after 2 of 1,000 steps" in pages[-1]
    for name in NAMES:
        light, dark = (QImage(str(tmp_path / f"{name}.{theme}.png")) for theme in gallery.THEMES)
        assert (light.width(), light.height()) == (dark.width(), dark.height()) == SMALL
        assert light.pixelColor(2, 2).lightness() > 200 > 60 > dark.pixelColor(2, 2).lightness()


def test_a_failure_stands_where_its_picture_would(
    young: dict[str, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qapp: QApplication
) -> None:
    few = gallery.last_frame

    def fails(name: str, *arguments: Any, **options: Any) -> Frame:
        if name == NAMES[0]:
            raise LabError("There is <no> picture.")
        if name == NAMES[1]:
            raise ZeroDivisionError("nothing")
        return few(name, *arguments, **options)

    monkeypatch.setattr(gallery, "last_frame", fails)
    monkeypatch.setattr(gallery, "entries", lambda: entries()[:3])
    assert make_gallery(tmp_path, SMALL, lambda name: None) == 2
    text = (tmp_path / "index.html").read_text("utf-8")
    assert "There is &lt;no&gt; picture." in text
    assert "Internal error: ZeroDivisionError: nothing" in text
    assert sorted(path.name for path in tmp_path.glob("*.png")) == [f"{NAMES[2]}.dark.png", f"{NAMES[2]}.light.png"]
