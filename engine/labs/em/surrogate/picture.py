"""What `surrogate` shows."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from engine.core.frames import GAPS, unit


@dataclass(frozen=True, slots=True)
class Picture:
    """What the panel draws."""

    half: int  # half-steps taken
    grid: np.ndarray  # (G,): values of θ
    likelihood: np.ndarray = field(metadata=unit("nat"))  # (G,)
    surrogates: np.ndarray = field(metadata=unit("nat"))  # (3, G): of EM, gradient and Newton, fitted at the anchor
    peaks: np.ndarray  # (3, 2): where each of them is highest, and how high; the flat point of Newton's
    earlier: np.ndarray  # (k, G): former surrogates of the method
    way: np.ndarray  # (K + 1,): the whole path of the method
    heights: np.ndarray = field(metadata=unit("nat"))  # (K + 1,): log-likelihoods along it
    anchor: float  # where the surrogates touch
    theta: float  # now
    height: float  # log-likelihood now
    image: np.ndarray = field(metadata=GAPS)  # (G,): where the method jumps from every θ of the grid
    errors: np.ndarray = field(metadata=GAPS)  # (3, steps + 1): distances to the maximum of all methods
    chosen: int  # number of the method
    target: float
    rate: float
    window: tuple[float, float]
