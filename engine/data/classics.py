"""Three classical tables of measurements, as they come with the program."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.core.resources import resource_path


class Classic(NamedTuple):
    """Measurements, the group of each row, and the names of the columns."""

    rows: NDArray[np.float64]  # (n, d)
    labels: NDArray[np.int64]  # (n,)
    names: tuple[str, ...]  # (d,)


@cache
def classic(name: str) -> Classic:
    """``iris`` (150 x 4, three species), ``wine`` (178 x 13, three growers) or ``breast_cancer`` (569 x 30, two diagnoses).

    References
    ----------
    Fisher (1936), The use of multiple measurements in taxonomic problems, Annals of Eugenics 7.
    Aeberhard & Forina (1992), Wine; Wolberg, Mangasarian, Street & Street (1993), Breast Cancer Wisconsin (Diagnostic), UCI
    Machine Learning Repository.
    """
    with np.load(resource_path("data", "classics.npz"), allow_pickle=False) as archive:
        rows, labels, names = archive[name], archive[f"{name}_labels"], archive[f"{name}_columns"]
    rows.setflags(write=False)
    return Classic(rows, labels.astype(np.int64), tuple(str(each).replace("_", " ") for each in names))
