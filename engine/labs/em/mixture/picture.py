"""What `mixture` shows: everything in the plane of the picture, in the units of the data."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from engine.core.frames import GAPS, unit
from engine.core.messages import Message


@dataclass(frozen=True, slots=True)
class Picture:
    """What the panel draws.

    With d = 1 the second coordinate of points and means is 0, and of each covariance only [0, 0] is not. With d > 2 points,
    means and covariances are projected: the picture of a mixture under a linear map is the mixture of the pictures. There are K
    components and n points of which m are shown. Curves are by half-step: 0 is the start, 0.5 the first E, 1.0 the first M.
    """

    # where the run stands
    phase: str  # "start", "e" (responsibilities are new) or "m" (parameters are new)
    iteration: float  # full iterations: whole after an M half-step, half after an E half-step
    converged: bool
    dimension: int  # d
    count: int  # n
    axes: tuple[str, str]  # names of columns of a file or classic; "" where the panel names them (x, y, principal axes)
    projected: str  # "" (d <= 2), "principal" or "columns"
    explained: float  # share of the variance that the plane shows, 1 for d <= 2
    notices: tuple[
        Message, ...
    ]  # identical starts, empty components, points not shown ...: translate with text(template, **values)

    # the data
    points: np.ndarray  # (m, 2)
    responsibilities: np.ndarray  # (m, K), float32; before the first E half-step the weights
    labels: np.ndarray  # (m,), int64: the true group, -1 where nobody knows
    arrived: np.ndarray  # (m,), bool: points of the batch that came last; all False unless EM is online
    drawn: int  # how many of the points, the last ones, were drawn with the mouse
    low: np.ndarray  # (2,): the window that holds data and components, steady over the run
    high: np.ndarray  # (2,)
    basis: np.ndarray  # (d, 2) and
    origin: np.ndarray  # (d,): shown = (x - origin) @ basis; identity and 0 for d <= 2

    # the components now, before this half-step, at the start, and in truth
    weights: np.ndarray  # (K,)
    means: np.ndarray  # (K, 2)
    covariances: np.ndarray  # (K, 2, 2)
    counts: np.ndarray  # (K,): effective numbers of points, sums of the responsibilities
    before_means: np.ndarray  # (K, 2): one full iteration ago, as ghosts; those of the start at first
    before_covariances: np.ndarray  # (K, 2, 2)
    start_means: np.ndarray  # (K, 2)
    start_covariances: np.ndarray  # (K, 2, 2)
    path: np.ndarray  # (h, K, 2): means after each M half-step so far, the start first; at most 400 places
    true_means: np.ndarray  # (T, 2): of generated data, T = 0 elsewhere
    true_covariances: np.ndarray  # (T, 2, 2)
    # the whole state in the coordinates of the data, for a start by hand that goes on from here
    full_means: np.ndarray  # (K, d): parameter `means`
    full_covariances: np.ndarray  # (K, d, d): a row of d*d numbers each, parameter `spreads`

    # other families than the normal
    family: str
    degrees: np.ndarray  # (K,) of freedom, of Student's law; else empty
    lines: np.ndarray  # (K, 2, 2): both ends of each regression line across the window; else empty
    line_deviations: np.ndarray  # (K,): deviation about each of them
    images: np.ndarray  # (K, 64): means of pixels that are on or off; else empty

    # densities: on a line (d = 1), and in the plane
    grid: np.ndarray  # (g,), empty unless d = 1
    component_densities: np.ndarray  # (K, g): weighted, they add up to the density
    edges: np.ndarray  # (b + 1,): histogram of the data, empty unless d = 1
    heights: np.ndarray  # (b,): density of the data
    # (64, 64): density of the mixture at the centres of cells between low and high, rows from below; empty if d = 1
    field: np.ndarray

    # curves by half-step
    curve_at: np.ndarray  # (s,): 0, 0.5, 1, ...
    log_likelihoods: np.ndarray = dataclasses.field(metadata=unit("nat"))  # (s,): total, natural logarithm
    # (s,): NaN before the first E half-step
    lower_bounds: np.ndarray = dataclasses.field(metadata=GAPS | unit("nat"))

    # convergence, by full iteration
    error_at: np.ndarray  # (t,): 0, 1, 2, ...
    # (t,): (log L* - log L)/n, NaN where L* is unknown or rounding has the word
    errors: np.ndarray = dataclasses.field(metadata=GAPS | unit("nat"))
    limit: float  # log L* at the fixed point ahead, NaN where it is unknown
    # missing share of information: errors of parameters shrink by it, those of the likelihood by its square
    predicted_rate: float
    measured_rate: float  # from the last iterations, NaN before there are enough

    # switched on: AIC and BIC
    choice_components: np.ndarray  # (c,): 1, 2, ... so far
    # (c,): NaN where components collapsed
    choice_log_likelihoods: np.ndarray = dataclasses.field(metadata=GAPS)
    choice_aic: np.ndarray = dataclasses.field(metadata=GAPS)
    choice_bic: np.ndarray = dataclasses.field(metadata=GAPS)

    # switched on: other starts; one entry per finished restart
    # (r,): where it ended, NaN where it collapsed
    restart_log_likelihoods: np.ndarray = dataclasses.field(metadata=GAPS)
    restart_starts: np.ndarray  # (r, K, 2): means at its start
    restart_means: np.ndarray  # (r, K, 2): means at its end, permuted to match the best of them
    restart_basins: np.ndarray  # (r,), int64: 0 for the best local maximum, 1 for the next ...; -1 for a collapse
    restarts_wanted: int

    # switched on: variational Bayes from the same start; empty while it is off
    bayes_bounds: np.ndarray  # (v,): the ELBO after each iteration, that of the start first
    bayes_kept: np.ndarray  # (v,): components that the data give more than one point
    bayes_weights: np.ndarray  # (K,): expected weights now
    bayes_means: np.ndarray  # (K, 2)
    bayes_covariances: np.ndarray  # (K, 2, 2)

    # switched on: the race from the same start; total log-likelihood after each full iteration, NaN after a collapse
    race_at: np.ndarray  # (q,): 0, 1, 2, ...
    race_em: np.ndarray = dataclasses.field(metadata=GAPS)
    race_hard: np.ndarray = dataclasses.field(metadata=GAPS)
    race_gradient: np.ndarray = dataclasses.field(metadata=GAPS)
    race_hard_means: np.ndarray  # (K, 2): where hard EM stands
    race_gradient_means: np.ndarray  # (K, 2)
