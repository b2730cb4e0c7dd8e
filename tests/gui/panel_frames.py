"""Frames of an experiment for its panel, and a panel that draws at once."""

from __future__ import annotations

from engine.api import Frame, preset_parameters, run_with
from gui.core.lab.panel import Panel


def frame_of(name: str, preset: str | None = None, limit: int | None = None, **values: object) -> Frame:
    """The last frame of a run."""
    parameters = preset_parameters(name, preset).changed(**values)
    frame = run_with(name, parameters, device="cpu", limit=limit).frame
    assert frame is not None
    return frame


def draw_all(panel: Panel) -> None:
    """Draw at once what would be drawn a moment later."""
    panel.draw_now()
