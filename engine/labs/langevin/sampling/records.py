"""What is kept of a swarm while it runs: where it is now, averages over its later steps, how it mixes, how far it is."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.core.context import Context
from engine.labs.langevin.sampling.landscape import CELLS, Landscape
from engine.labs.langevin.sampling.walk import Ensemble, chunks
from engine.math.chains.statistics import SwarmCorrelation, Traces, effective_sample_size, r_hat, rank_r_hat
from engine.math.energies.density import planar_counts
from engine.math.numerics.precision import wide_dtype

Floats = NDArray[np.float64]

TALLIED = 1 << 16  # particles whose energies are averaged: enough for every tolerance, and cheap
FOLLOWED = 32  # particles whose paths are kept
KEPT = 1 << 15  # places of all paths together
TRAIL = 32  # steps of a path that is drawn
CORRELATED = 1 << 13  # particles that tell the correlation of successive steps
MEANS = 64  # means of batches from which the correlation time is read
ALIKE = 0.5  # variance of a batch's mean, in units of that of a point, below which batches have forgotten each other


@dataclass(frozen=True, slots=True)
class EnsembleSums:
    """Sums over particles, and over steps where several tallies were added.

    Attributes
    ----------
    number : float
        Points counted.
    sums : ndarray, shape (5,)
        Σu, Σv, Σu², Σv², Σuv of the coordinates from the centre of the landscape.
    probed : float
        Points whose energy was looked at.
    energies : ndarray, shape (7,)
        ΣU, ΣU², Σw, Σw², Σg, Σg², Σwg with w = (x - centre)·∇U / 2, whose mean is the temperature, and g = |∇U|².
    counts : ndarray, shape (CELLS, CELLS)
        Points in each cell of the window, rows of y.
    """

    number: float
    sums: Floats
    probed: float
    energies: Floats
    counts: NDArray[np.int64]

    def __add__(self, other: EnsembleSums) -> EnsembleSums:
        return EnsembleSums(
            self.number + other.number,
            self.sums + other.sums,
            self.probed + other.probed,
            self.energies + other.energies,
            self.counts + other.counts,
        )


def nothing() -> EnsembleSums:
    """A tally of no points."""
    return EnsembleSums(0.0, np.zeros(5), 0.0, np.zeros(7), np.zeros((CELLS, CELLS), dtype=np.int64))


def tally(points: Tensor, landscape: Landscape, context: Context) -> EnsembleSums:
    """Count points of shape (2, N) as they are now."""
    centre = torch.tensor(landscape.centre, dtype=points.dtype, device=points.device)[:, None]
    total = torch.zeros(5, dtype=torch.float64, device=points.device)
    counts: Tensor | None = None
    for part in chunks(points.shape[1], context):
        context.checkpoint()
        piece = points[:, part]
        u, v = piece - centre
        rows = torch.stack([u.sum(), v.sum(), u.dot(u), v.dot(v), u.dot(v)])
        total += rows.to(torch.float64)
        found = planar_counts(piece, landscape.window, CELLS).inside
        counts = found if counts is None else counts + found
    assert counts is not None
    probe = points[:, :TALLIED]
    value, slope = landscape.energy.value_and_gradient(probe)
    work = (probe - centre).mul_(slope).sum(0).mul_(0.5)
    steep = slope.square_().sum(0)
    sums = [value.sum(), value.dot(value), work.sum(), work.dot(work), steep.sum(), steep.dot(steep), work.dot(steep)]
    energies = torch.stack(sums).to(torch.float64)
    return EnsembleSums(
        float(points.shape[1]),
        total.cpu().numpy(),  # device sync
        float(probe.shape[1]),
        energies.cpu().numpy(),
        counts.cpu().numpy().reshape(CELLS, CELLS),
    )


@dataclass(slots=True)
class Later:
    """Tallies over the later part of the steps since the last change, at least half and at most three quarters of them."""

    older: EnsembleSums = field(default_factory=nothing)
    newer: EnsembleSums = field(default_factory=nothing)
    older_from: int = 0
    newer_from: int = 1
    older_pairs: Floats = field(default_factory=lambda: np.zeros(7))  # see `pair_sums`
    newer_pairs: Floats = field(default_factory=lambda: np.zeros(7))

    def add(self, now: EnsembleSums, pairs: Floats, steps: int) -> None:
        """Take in the swarm after so many steps since the change."""
        self.older, self.newer = self.older + now, self.newer + now
        self.older_pairs, self.newer_pairs = self.older_pairs + pairs, self.newer_pairs + pairs
        if steps >= 2 * self.newer_from:
            self.older, self.newer = self.newer, nothing()
            self.older_pairs, self.newer_pairs = self.newer_pairs, np.zeros(7)
            self.older_from, self.newer_from = self.newer_from, steps


def pair_sums(before: Tensor, after: Tensor, accepted: float, centre: float) -> Floats:
    """n, Σa, Σb, Σa², Σb², Σab of x before and after a step, and the number of accepted proposals; a few particles."""
    a, b = (each.to(torch.float64) - centre for each in (before, after))
    found = [float(len(a)), *torch.stack([a.sum(), b.sum(), a.dot(a), b.dot(b), a.dot(b)]).tolist(), accepted]
    return np.array(found)


def pair_correlation(sums: Floats) -> float:
    """Correlation of x_n and x_(n+1) from `pair_sums`; nan where nothing moves."""
    n, a, b, aa, bb, ab, _ = sums
    if n < 3:
        return math.nan
    spread = (aa / n - (a / n) ** 2) * (bb / n - (b / n) ** 2)
    return float((ab / n - a * b / n**2) / math.sqrt(spread)) if spread > 1e-300 else math.nan


@dataclass(frozen=True, slots=True)
class Mixing:
    """How well a swarm has mixed since the last change."""

    efficiency: float = math.nan  # independent draws per particle and step
    r_hat: float = math.nan
    rank_r_hat: float = math.nan  # of ranks, and of those of the distances from the median
    time: float = math.inf  # correlation time about the exact mean, in steps
    settled: bool = False  # whether the start is forgotten


@dataclass(slots=True)
class Record:
    """Everything that is kept of one swarm."""

    stretch: int  # steps between the places of the long paths
    long_path: Traces
    recent: Traces  # of the steps since the last change
    path: Traces = field(default_factory=lambda: Traces(FOLLOWED, TRAIL))  # to be drawn
    correlation: SwarmCorrelation = field(default_factory=lambda: SwarmCorrelation(most=CORRELATED))
    later: Later = field(default_factory=Later)
    mixing: Mixing = field(default_factory=Mixing)
    now: tuple[int, Landscape, EnsembleSums] | None = None  # of the step, where it has been counted
    acceptance: float = math.nan  # of the last step
    since: int = 0  # step after which the rule last changed
    forgotten: int = 0  # steps after which the paths had forgotten their start, 0 before

    @classmethod
    def new(cls, particles: int, steps: int) -> Record:
        """A record of so many particles, whose long paths span so many steps."""
        length = KEPT // min(particles, FOLLOWED)
        return cls(max(1, steps // 1000), Traces(FOLLOWED, 1024), Traces(FOLLOWED, length))

    def begin(self, step: int, points: Tensor) -> None:
        """Forget what belongs to another rule."""
        self.since = step
        self.recent.clear()
        self.long_path.clear()
        self.correlation.clear()
        self.later = Later()
        self.mixing = Mixing()
        self.forgotten = 0
        self.correlation.update(points)
        if not self.path.steps:
            self.path.update(points)

    def follow(self, points: Tensor, step: int) -> None:
        """Take in the points after a step."""
        self.path.update(points)
        self.recent.update(points)
        self.correlation.update(points)
        if (step - self.since) % self.stretch == 0:
            self.long_path.update(points)

    def trail(self) -> NDArray[np.float32]:
        """The last places of the first particles, shape (2, particles, steps)."""
        trails: NDArray[np.float32] = self.path.chains().cpu().numpy()
        return trails

    def counted(self, walk: Ensemble, landscape: Landscape, step: int, context: Context) -> EnsembleSums:
        """The tally of the present points, made once."""
        if self.now is None or self.now[0] != step or self.now[1] is not landscape:
            self.now = (step, landscape, tally(walk.points, landscape, context))
        return self.now[2]

    def judge(self, landscape: Landscape, steps: int, *, patience: float) -> None:
        """Look at the mixing anew, from the last steps or, where those are too few, from the long paths.

        Paths that have forgotten their start say so after `steps` since the change; the swarm is taken as settled after
        `patience` times as many, since its averages are finer than those of a few paths.
        """
        found = mixing_of(self.recent, 1, landscape)
        if self.stretch > 1 and self.long_path.steps * self.stretch > self.recent.length:
            longer = mixing_of(self.long_path, self.stretch, landscape)
            if not math.isnan(longer.r_hat):
                found = replace(found, r_hat=longer.r_hat, rank_r_hat=longer.rank_r_hat) if found.settled else longer
        if found.settled and not self.forgotten:
            self.forgotten = steps
        settled = self.forgotten > 0 and steps >= patience * self.forgotten
        if settled and not self.mixing.settled:
            self.correlation.clear()  # of the way here: far starts weigh much
        self.mixing = replace(found, settled=settled or self.mixing.settled)  # what is forgotten stays so


def mixing_of(paths: Traces, stretch: int, landscape: Landscape) -> Mixing:
    """Efficiency and R-hat of the later half of paths, and their correlation time about the exact mean.

    The variance of a mean over m steps is τ/m times the variance of one. Measured about the exact mean it also sees chains
    that all stay in the same wrong place. Batches of a quarter of the paths or less whose means vary half as much as points
    are at least 2.6 relaxation times long, and what is left of the start is e⁻¹⁰ of it. The energy is looked at beside x and
    y: paths that turn in circles change sides all the time and keep their energy.
    """
    chains = paths.chains()
    if chains.numel() == 0:
        return Mixing()
    half = chains[..., chains.shape[-1] // 2 :]
    batches = max(2, MEANS // half.shape[1])
    length = half.shape[-1] // batches
    if length < 4:
        return Mixing()
    sizes = [effective_sample_size(each) / each.numel() for each in half]
    seen, middle = half.to(wide_dtype(half.device)), list(landscape.centre)
    if landscape.density is not None:
        energies = landscape.energy.value(half.reshape(2, -1)).reshape(1, *half.shape[1:])
        seen, middle = torch.cat([seen, energies.to(seen.dtype)]), [*middle, landscape.density.mean_energy]
    means = seen[..., : length * batches].reshape(*seen.shape[:-1], batches, length).mean(-1)
    centre = torch.tensor(middle, dtype=means.dtype, device=means.device)[:, None, None]
    spread = (seen - centre).square().mean((1, 2)).clamp(min=1e-300)
    share = max(((means - centre).square().mean((1, 2)) / spread).tolist())
    disagreement = max(r_hat(each) for each in half)
    by_ranks = max(rank_r_hat(each) for each in half)
    efficiency = math.nan if any(map(math.isnan, sizes)) else min(sizes) / stretch
    return Mixing(efficiency, disagreement, by_ranks, share * length * stretch, share < ALIKE)


# ---- the way so far ----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Trajectory:
    """The distance to the target along the run, and the variances met at each step size."""

    steps: list[int] = field(default_factory=list)
    gradients: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    distances: list[tuple[float, float]] = field(default_factory=list)  # KL of the first and of the second swarm
    next_step: int = 0
    spent: float = 0.0  # seconds of computation
    evaluations: float = 0.0  # gradients per particle
    changes: list[int] = field(default_factory=list)  # steps after which the rule changed
    visited: dict[tuple[str, float], float] = field(default_factory=dict)  # var x by sampler and step size
    visited_at: tuple[object, ...] = ()

    def note(self, step: int, distances: tuple[float, float]) -> None:
        """Add a point, and say when the next one is due: after one step at first, later after one in a hundred."""
        self.steps.append(step)
        self.gradients.append(self.evaluations)
        self.seconds.append(self.spent)
        self.distances.append(distances)
        self.next_step = step + max(1, step // 100)

    def visit(self, sampler: str, step_size: float, variance: float, place: tuple[object, ...]) -> None:
        """Remember the variance at a step size; those of another energy or temperature are forgotten."""
        if place != self.visited_at:
            self.visited.clear()
            self.visited_at = place
        key = (sampler, float(f"{step_size:.3g}"))
        self.visited.pop(key, None)
        self.visited[key] = variance
        while len(self.visited) > 64:
            self.visited.pop(next(iter(self.visited)))
