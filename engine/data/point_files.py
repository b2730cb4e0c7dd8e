"""Points of one's own: two columns of a text file, standardised, with the noise that makes a law of them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from engine.core.errors import LabError
from engine.data.number_tables import read_table
from engine.data.planar import REACH

LEAST_ROWS, MOST_ROWS = 10, 200_000
ROOM = 0.9  # of the square that points from a file may fill


def read_points(path: str, columns: Sequence[int | str] = (1, 2)) -> Tensor:
    """Two columns of a text file of numbers, by number counted from 1 or by name; shape (2, N), float64, as they stand there.

    Raises
    ------
    LabError
        If the file cannot be read, a row is bad, or there are too few or too many.
    """
    rows = read_table(path, columns).rows
    if len(rows) > MOST_ROWS:
        raise LabError("The file has {rows:,d} rows.", "At most {most:,d} rows are read.", rows=len(rows), most=MOST_ROWS)
    if len(rows) < LEAST_ROWS:
        raise LabError("The file has {rows} points.", "At least {least} are needed.", rows=len(rows), least=LEAST_ROWS)
    return torch.from_numpy(rows.T.copy())


def standardised(points: Tensor) -> Tensor:
    """Points (2, N) with mean zero and variance one in each coordinate, drawn together where they would leave the square.

    Raises
    ------
    LabError
        If one of the coordinates does not vary.
    """
    low, high = points.amin(1, keepdim=True), points.amax(1, keepdim=True)
    if bool((low == high).any()):
        raise LabError("One of the two columns is the same in every row.", "Choose another column.")
    within = (points / 2 - low / 2) / (high / 2 - low / 2)  # from 0 to 1: squares of very large numbers would overflow
    centred = within - within.mean(1, keepdim=True)
    standard = centred / centred.square().mean(1, keepdim=True).sqrt()
    return (standard * torch.clamp(ROOM * REACH / standard.abs().amax(1, keepdim=True), max=1.0)).float()


def bandwidth(count: int) -> float:
    """Noise that smooths a standardised sample of N points in the plane: half of Scott's N^(-1/6), at least 0.06."""
    found: float = max(0.06, 0.5 * count ** (-1 / 6))
    return found
