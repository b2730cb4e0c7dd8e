"""What the panel of `activation_gain` draws."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Picture:
    """What the panel draws."""

    x: np.ndarray  # (CURVE_POINTS,): inputs
    values: np.ndarray  # (CURVE_POINTS,): f(x)
    density: np.ndarray  # (CURVE_POINTS,): of the input
    square: np.ndarray  # (CURVE_POINTS,): f(x)² times the density; its area is the second moment
    edges: np.ndarray  # (bins + 1,): of outputs
    measured: np.ndarray  # (bins,): density of sampled outputs
    law: np.ndarray  # (bins,): density of the exact law
    atoms: np.ndarray  # (a, 2): values taken with positive probability, and it
    gains: np.ndarray  # (k,): of every activation, at this input spread
    framework_gains: np.ndarray  # (k,): 0 where the framework knows none
    lengths: np.ndarray  # (starts, layers + 1): the length map iterated with our gain, over the input's length
    framework_lengths: np.ndarray  # the same with the framework's gain; empty without one
    labels: tuple[str, ...]  # (k,): names of the activations of the chart
    chosen: int  # row of the chart, -1 for a formula
    second_moment: float
    gain: float
    framework_gain: float  # not a number without one
    latex: str
