"""Points of one's own: two columns of a text file, standardised, with the noise that makes a law of them."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from engine.core.errors import LabError
from engine.data.planar import REACH

LEAST_ROWS, MOST_ROWS = 10, 200_000
ROOM = 0.9  # of the square that points from a file may fill


def read_points(path: str, columns: Sequence[int] = (1, 2)) -> Tensor:
    """Two columns of a text file of numbers, shape (2, N), as they stand there.

    Columns are parted by commas, semicolons, tabs or spaces; one line of names may come first; empty lines and lines that
    begin with # are passed over.

    Parameters
    ----------
    path : str
        The file.
    columns : two int
        Which columns are x and y, counted from 1.

    Raises
    ------
    LabError
        If the file cannot be read; the sentence names the first bad row.
    """
    if not path:
        raise LabError("No file has been chosen.", "Choose a text file with two columns of numbers.")
    try:
        text = Path(path).expanduser().read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        reason = "it is not text" if isinstance(error, UnicodeError) else (getattr(error, "strerror", None) or str(error))
        raise LabError("The file {path} cannot be read: {reason}.", "Choose another file.", path=path, reason=reason) from None
    lines = [(at, line) for at, line in enumerate(text.splitlines(), 1) if line.strip() and not line.lstrip().startswith("#")]
    if len(lines) > MOST_ROWS + 1:
        raise LabError("The file has {rows:,d} rows.", "At most {most:,d} are read.", rows=len(lines), most=MOST_ROWS)
    if not lines:
        raise LabError("The file is empty.", "Each row needs two numbers.")
    delimiter = next((each for each in (",", ";", "\t") if each in lines[0][1]), None)
    rows = [
        (at, cells)
        for (at, line) in lines
        for cells in ([line.split()] if delimiter is None else list(csv.reader([line], delimiter=delimiter)))
    ]
    points = []
    for index, (at, cells) in enumerate(rows):
        found = row_of(at, cells, columns, names_allowed=index == 0)
        if found is not None:
            points.append(found)
    if len(points) < LEAST_ROWS:
        raise LabError("The file has {rows} points.", "At least {least} are needed.", rows=len(points), least=LEAST_ROWS)
    return torch.tensor(points, dtype=torch.float64).mT.contiguous()


def row_of(at: int, cells: Sequence[str], columns: Sequence[int], *, names_allowed: bool) -> tuple[float, float] | None:
    """The two numbers of a row, None for a row of names."""
    if max(columns) > len(cells):
        raise LabError(
            "Row {row} has {found} columns, and column {wanted} is asked for.",
            "Choose other columns, or mend the row.",
            row=at,
            found=len(cells),
            wanted=max(columns),
        )
    numbers = []
    for column in columns:
        cell = cells[column - 1].strip()
        try:
            number = float(cell)
        except ValueError:
            if names_allowed:
                return None
            number = math.nan
        if not math.isfinite(number):
            raise LabError(
                "Row {row}, column {column} is not a number: {cell}.",
                "Mend the row, or leave it out.",
                row=at,
                column=column,
                cell=repr(cell[:20]),
            )
        numbers.append(number)
    return numbers[0], numbers[1]


def standardised(points: Tensor) -> Tensor:
    """Points (2, N) with mean zero and variance one in each coordinate, drawn together where they would leave the square.

    Raises
    ------
    LabError
        If one of the coordinates does not vary.
    """
    centred = points - points.mean(1, keepdim=True)
    scale = centred.square().mean(1, keepdim=True).sqrt()
    if not bool((scale > 1e-12 * points.abs().amax(1, keepdim=True).clamp_min(1e-300)).all()):
        raise LabError("One of the two columns is the same in every row.", "Choose another column.")
    farthest = (centred.abs() / scale).amax(1, keepdim=True)
    return (centred / scale * torch.clamp(ROOM * REACH / farthest, max=1.0)).float()


def bandwidth(count: int) -> float:
    """Noise that smooths a standardised sample of N points in the plane: half of Scott's N^(-1/6), at least 0.06."""
    return max(0.06, 0.5 * count ** (-1 / 6))
