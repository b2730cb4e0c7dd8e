"""The arrays that frames of `energy_model` carry."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from engine.core.frames import unit


@dataclass(frozen=True, slots=True)
class Picture:
    """What the panel draws. Of images the fields of the plane are empty, and the other way round."""

    images: bool
    update: int
    # by update
    data_energies: np.ndarray  # (u,)
    sample_energies: np.ndarray
    # by reading
    read_at: np.ndarray  # (r,): updates
    divergences: np.ndarray = field(metadata=unit("nat"))  # (r,)
    log_partitions: np.ndarray = field(metadata=unit("nat"))
    model_energies: np.ndarray
    # the plane
    reach: float
    energy: np.ndarray  # (CELLS, CELLS), rows from below: -log(q / uniform)
    density: np.ndarray  # (CELLS, CELLS): q
    truth: np.ndarray  # (CELLS, CELLS): p
    data: np.ndarray  # (2, n)
    starts: np.ndarray  # (2, N)
    negatives: np.ndarray  # (2, N)
    kept: np.ndarray  # (N,), bool: chains from the buffer
    path: np.ndarray  # (K + 1, 2, w)
    mode_shares: np.ndarray  # (3, modes): data, chains, model
    # the buffer
    ages: np.ndarray  # (OLDEST,): share of chains of age 1, 2, ... rounds
    age_law: np.ndarray  # (OLDEST,)
    # images
    gallery: np.ndarray  # (n, 8, 8)
    gallery_classes: np.ndarray
    walked: int
    life: int
    buffer: np.ndarray  # (k, 8, 8)
    buffer_ages: np.ndarray  # (k,): rounds
    buffer_classes: np.ndarray  # (k,)
    class_energies: np.ndarray  # (10, 10)
