"""The gallery: every experiment has its place, and one that cannot be drawn does not take the page with it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine.api import LabError, entries
from gui.core.output import offscreen
from gui.core.output.gallery import make_gallery, page


def test_the_page_shows_every_experiment_and_how_to_get_a_window() -> None:
    text = page({})
    for entry in entries():
        assert f'src="{entry.name}.light.png"' in text
        assert f'srcset="{entry.name}.dark.png"' in text
        assert f"--experiment {entry.name}" in text
    assert all(word in text for word in ("desktop session", "-platform vnc", "Xvfb"))
    assert not re.search(r"[{}]{2}|\{[a-z_]+\}", text)


def test_a_failure_stands_where_its_picture_would(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = entries()[0].name

    def render(name: str, parameters: object, out: Path, *look: object) -> None:
        if name == broken:
            raise LabError("There is <no> picture.")
        out.write_bytes(b"")

    monkeypatch.setattr(offscreen, "render", render)
    announced: list[str] = []
    assert make_gallery(tmp_path, (640, 400), announced.append) == 1
    assert announced == [entry.name for entry in entries()]
    assert "There is &lt;no&gt; picture." in (tmp_path / "index.html").read_text("utf-8")
    assert len(list(tmp_path.glob("*.png"))) == 2 * len(entries()) - 2
