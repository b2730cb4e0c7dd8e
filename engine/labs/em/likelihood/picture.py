"""What `likelihood` shows."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from engine.core.frames import unit


@dataclass(frozen=True, slots=True)
class Picture:
    """What the panel draws. c categories, b bars, l rungs of the ladder."""

    normal: bool
    grid: np.ndarray  # (GRID,): the parameter
    average: np.ndarray = field(metadata=unit("nat"))  # (GRID,): log-likelihood per observation, at least -1e6
    highest: float  # its largest value
    here: float  # its value at the model
    curvature: float  # of the log-likelihood per observation at the maximum; 0 at the end of a range
    estimate: float
    model: float
    count: int
    shares: np.ndarray  # (c,) of the data; empty for values
    model_shares: np.ndarray  # (c,)
    values: np.ndarray  # (n,), empty for counts
    law_grid: np.ndarray  # (g,): of the densities of values
    law_fitted: np.ndarray  # (g,): normal law with the mean and the spread of the values
    law_model: np.ndarray  # (g,)
    edges: np.ndarray  # (b + 1,)
    density: np.ndarray  # (b,): of the simulated estimates
    exact: np.ndarray  # (b,): by their exact law
    bell: np.ndarray  # (GRID,): normal density of deviation 1/√(nI)
    bell_grid: np.ndarray  # (GRID,)
    ladder: np.ndarray  # (l,): numbers of observations
    ladder_deviation: np.ndarray  # (l,): how far the estimates stray
    ladder_law: np.ndarray  # (l,): 1/√(nI)
    spread_edges: np.ndarray  # (v + 1,): of maximum-likelihood variances of a normal law, in units of the model's; or empty
    spread_density: np.ndarray  # (v,)
    spread_law: np.ndarray  # (v,): by the law of χ²
    spread_means: np.ndarray  # (2,): simulated means of the variances divided by n and by n - 1, in the same unit; or empty
