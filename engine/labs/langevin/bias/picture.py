"""The arrays that frames of `bias` carry."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from engine.core.frames import GAPS, unit


@dataclass(frozen=True, slots=True)
class Picture:
    """What the panel draws, in the units of x and ε. Not a number where there is nothing yet, or nothing at all."""

    pole_step: np.ndarray  # (POLE_POINTS,): step sizes up to the limit
    pole: np.ndarray  # variance of the unadjusted step
    printed_step: np.ndarray
    printed: np.ndarray  # variance of the misprinted Metropolis step
    dots: np.ndarray  # (k, 4): sampler, step size, measured variance, standard error
    cost_step: np.ndarray
    worth: np.ndarray = field(metadata=GAPS)  # effective samples per gradient
    accepted: np.ndarray = field(metadata=GAPS)
    lags: np.ndarray = field(metadata=unit("steps"))  # (LAGS + 1,)
    correlation: np.ndarray = field(metadata=GAPS)
    theory_correlation: np.ndarray = field(metadata=GAPS)
    edges: np.ndarray  # (BINS + 1,)
    density: np.ndarray  # (BINS,)
    grid: np.ndarray  # (LAW_POINTS,)
    target: np.ndarray  # density of the target
    law: np.ndarray = field(metadata=GAPS)  # density of the stationary law of this sampler
    trace_steps: np.ndarray = field(metadata=unit("steps"))  # (t,)
    traces: np.ndarray  # (t, SHOWN)
    mean: np.ndarray  # (t,): of all chains
    deviation: np.ndarray
    theory_mean: np.ndarray = field(metadata=GAPS)
    theory_deviation: np.ndarray = field(metadata=GAPS)
    trace_length: int  # most steps that the traces show
    view: float  # end of the axis of step sizes
    factor: float  # by which an unadjusted step multiplies x
    settled: bool
    unstable: bool
    missing: float  # how far the law still is from the stationary one, relative
    changed: int  # step of the last change
