"""The theory curves of `bias` over the step size, in units of the target: pure functions, kept once made."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from engine.labs.langevin.bias.laws import LIMIT, Setting, acceptance_and_lag_one, efficiency

Array = NDArray[np.float64]

VIEW = 1.15 * LIMIT  # of h that the pictures show; doubled until the present step is in it
POLE_POINTS = 240
COST_POINTS = 72


def view_of(h: float) -> float:
    """The end of the h axis."""
    doublings = max(0, math.ceil(math.log2(h / (0.97 * VIEW)))) if h > 0 else 0
    return VIEW * 2.0**doublings


@lru_cache(maxsize=16)
def variance_curves(end: float) -> dict[str, Array]:
    """Variance over that of the target: of the unadjusted step up to its pole, and of the misprinted Metropolis step."""
    below = LIMIT * (1 - np.geomspace(1.0, 2e-3, POLE_POINTS))  # ever denser towards the pole
    along = np.geomspace(0.02, end, POLE_POINTS)
    return {"pole_h": below, "pole": 1 / (1 - below / LIMIT), "printed_h": along, "printed": 4 / (3 * along)}


@lru_cache(maxsize=64)
def cost_curves(setting: Setting, end: float) -> dict[str, Array]:
    """Effective samples per gradient and acceptance over h; nan where the sampler has none.

    Parameters
    ----------
    setting : Setting
        In units of the target, with any step size: `Setting.standard`.
    end : float
        Of the h axis.
    """
    h = np.concatenate([np.geomspace(0.004, 0.05, 8), np.linspace(0.08, end, COST_POINTS)])
    worth, accepted = [], []
    for each in h:
        at = setting.standard(float(each))
        value = efficiency(at) / at.gradients
        worth.append(value if math.isfinite(value) else math.nan)
        accepted.append(math.nan if at.unstable else acceptance_and_lag_one(at)[0])
    return {"cost_h": h, "worth": np.array(worth), "accepted": np.array(accepted)}
