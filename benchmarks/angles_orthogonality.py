"""What the matrices of `angles.orthogonality` cost, and up to which size a decomposition may stand between two checkpoints."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from engine.core.context import Context
from engine.core.device import prepare_thread
from engine.core.drive import Run
from engine.labs.angles.orthogonality import EXPERIMENT, Parameters
from engine.labs.angles.orthogonality.work import EIGENVALUE_LIMIT, EXACT_LIMIT

CPU = torch.device("cpu")
LONGEST_PIECE_MS = 1500.0  # a second on a quiet machine
SIDES, QUICK_SIDES = (200, 512, 1024, 2048), (200, 512)


def rows(quick: bool) -> list[dict[str, Any]]:
    """First pictures, the uninterruptible pieces, and singular values beside numpy's."""
    prepare_thread(CPU)
    sides = QUICK_SIDES if quick else SIDES
    repeats = 1 if quick else 3
    found = [
        row("first picture, 200 x 200", best(lambda: first_picture(200), 5), limit=100.0),
        row(f"first picture, {sides[-1]} x {sides[-1]}", best(lambda: first_picture(sides[-1]), repeats), limit=1000.0),
    ]
    for side in sides:
        matrix = torch.randn((side, side), generator=torch.Generator().manual_seed(1), dtype=torch.float64) / side**0.5
        ours = best(lambda matrix=matrix: torch.linalg.eigvalsh(matrix.mT @ matrix), repeats)  # type: ignore[misc]
        theirs = best(lambda matrix=matrix: np.linalg.svd(matrix.numpy(), compute_uv=False), repeats)  # type: ignore[misc]
        limit = LONGEST_PIECE_MS if side <= EXACT_LIMIT["cpu"] else None
        found.append(row(f"singular values, {side} x {side}", ours, ("numpy.linalg.svd", theirs), limit))
        if side <= EIGENVALUE_LIMIT:
            single = matrix.to(torch.float32)
            disk = best(lambda single=single: torch.linalg.eigvals(single), repeats)  # type: ignore[misc]
            found.append(row(f"eigenvalues, {side} x {side}", disk, limit=LONGEST_PIECE_MS))
    return found


def first_picture(side: int) -> None:
    """From parameters to the first frame."""
    parameters = Parameters(rows=side, columns=side)
    Run(EXPERIMENT, parameters, Context(CPU, parameters.seed)).observe()


def best(work: Callable[[], object], repeats: int) -> float:
    """The shortest time in milliseconds."""
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        times.append(1e3 * (time.perf_counter() - began))
    return min(times)


def row(name: str, value: float, peer: tuple[str, float] | None = None, limit: float | None = None) -> dict[str, Any]:
    """One line of the table; with a peer, the ratio says how many times quicker we are."""
    return {
        "benchmark": name,
        "value": value,
        "unit": "ms",
        "peer": peer[0] if peer else None,
        "peer_value": peer[1] if peer else None,
        "ratio": peer[1] / value if peer else None,
        "target": f"<= {limit:g} ms" if limit else None,
        "ok": value <= limit if limit else None,
    }
