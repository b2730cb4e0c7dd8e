"""Copy as: command line, Python script, CSV, picture."""

from __future__ import annotations

import csv
import io
import shlex
from collections.abc import Mapping
from typing import Any

import numpy as np
from PySide6.QtCore import QBuffer, QIODevice
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget

from engine.api import Frame, LabParameters, UsageError, field_specs
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
    """The arrays of the picture as columns, two-dimensional ones along their longer side, with the run as comments above."""
    columns = dict(_columns(frame.arrays))
    out = io.StringIO()
    values = ", ".join(f"{name}={value}" for name, value in changed_values(frame.parameters).items())
    out.write(f"# {experiment}, step {frame.step}, {values}\n")
    for name, value in frame.measures.items():
        out.write(f"# {name} = {value:.9g}\n")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    length = max((len(column) for column in columns.values()), default=0)
    for row in range(length):
        writer.writerow([f"{column[row]:.9g}" if row < len(column) else "" for column in columns.values()])
    return out.getvalue()


def _columns(arrays: Mapping[str, np.ndarray]) -> list[tuple[str, np.ndarray]]:
    found = []
    for name, array in arrays.items():
        if array.ndim == 1:
            found.append((name, array))
        elif array.ndim == 2:
            array = array if array.shape[0] >= array.shape[1] else array.T
            found += [(f"{name}_{index}", array[:, index]) for index in range(array.shape[1])]
    return found


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
