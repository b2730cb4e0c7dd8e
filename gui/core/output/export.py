"""Copy as: command line, Python script, CSV, picture."""

from __future__ import annotations

import shlex
from typing import Any

from PySide6.QtCore import QBuffer, QIODevice
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget

from engine.api import Frame, LabParameters, UsageError, csv_blocks, field_specs, frame_tables
from gui.core.plots import render_widget

SCREEN_DPI = 96
PATHS = ("file", "folder")


def changed_values(parameters: LabParameters) -> dict[str, Any]:
    """The parameters that differ from their defaults, and always the seed; paths are whole."""
    specs = field_specs(type(parameters))
    whole = parameters.saved()
    values = {spec.name: whole[spec.name] if spec.kind in PATHS else getattr(parameters, spec.name) for spec in specs}
    return {spec.name: values[spec.name] for spec in specs if values[spec.name] != spec.default or spec.name == "seed"}


def command_line(experiment: str, parameters: LabParameters) -> str:
    """The command that computes this run without the window."""
    specs = {spec.name: spec for spec in field_specs(type(parameters))}
    words = ["python", "main.py", "run", experiment]
    for name, value in changed_values(parameters).items():
        if name == "seed":
            words += ["--seed", str(value)]
        else:
            words += ["--set", f"{name}={specs[name].format(value)}"]
    return " ".join(shlex.quote(word) for word in words)


def python_script(experiment: str, parameters: LabParameters) -> str:
    """A script that reproduces the run with the engine alone, no Qt."""
    arguments = "".join(f"    {name}={value!r},\n" for name, value in changed_values(parameters).items())
    return (
        f'"""{experiment}, as it was on the screen. Run it from the folder of Theoria."""\n\n'
        "from engine.api import run\n\n"
        f'result = run(\n    "{experiment}",\n{arguments})\n\n'
        "for name, value in result.measures.items():\n"
        '    print(f"{name:32} {value:.9g}")\n'
        "for claim in result.claims:\n"
        '    print(claim.name, "holds" if claim.holds else "open" if claim.holds is None else "does not hold")\n'
    )


def csv_text(experiment: str, frame: Frame) -> str:
    """All numbers of a frame as tables one below the other, and the command that computes them."""
    heading = f"# {experiment}, step {frame.step}\n# {command_line(experiment, frame.parameters)}\n\n"
    return heading + csv_blocks(frame_tables(experiment, frame))


def picture(widget: QWidget, dpi: float = 300) -> QImage:
    """A widget as an image of so many dots per inch, lines and letters as wide as on the screen."""
    image = render_widget(widget, ratio=dpi / SCREEN_DPI)
    image.setDotsPerMeterX(round(dpi / 0.0254))
    image.setDotsPerMeterY(round(dpi / 0.0254))
    return image


def png_bytes(image: QImage, title: str = "") -> bytes:
    """A PNG file in memory; the title and the run stand in its text fields."""
    if title:
        image.setText("Title", title)
        image.setText("Software", "Theoria")
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    if not image.save(buffer, "PNG"):  # type: ignore[call-overload]
        raise UsageError("The picture of {width} x {height} pixels is too large.", width=image.width(), height=image.height())
    return bytes(buffer.data().data())
