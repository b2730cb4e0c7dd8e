"""The curves of the picture of `passage`: pure functions of exact laws and of the crossings so far."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from engine.labs.langevin.passage.sample import Sample
from engine.math.chains.laws import kramers_time
from engine.math.chains.passage_chain import ChainLaw, chain_law
from engine.math.chains.passage_times import double_well, passage_law, passage_time_curve

POINTS = 241
BARRIERS = np.linspace(0.5, 6.0, 56)
SHOWN = 0.985  # share of the passage times that the linear axis reaches
FIRST_SHOWN, LAST_SHOWN = 5e-5, 0.9995  # shares between which the logarithmic axis reaches
CELLS, WIDEST = 96, 2.4  # of the density that shapes the heaps, and how far out they are told
LONGEST = 1e10  # steps: behind higher barriers the chain's equation has no digits left
SMALLEST = 1e-12  # of a probability that is one minus another


def heap(places: np.ndarray) -> np.ndarray:
    """A smooth density of particles at their own places, relative to the peak of a well that holds them all."""
    counts, edges = np.histogram(places, bins=CELLS, range=(-WIDEST, WIDEST))
    padded = np.pad(counts.astype(float), 4)
    smooth = np.convolve(np.convolve(padded, [0.25, 0.5, 0.25], "same"), [0.25, 0.5, 0.25], "same")[4:-4]
    middles = 0.5 * (edges[1:] + edges[:-1])
    found: np.ndarray = np.interp(places, middles, smooth / (max(1, len(places)) * (edges[1] - edges[0])))
    return found


@lru_cache(maxsize=64)
def well_peak(barrier: float, temperature: float) -> float:
    """The density at the bottom of the left well when all particles are in it and have settled there."""
    x = np.linspace(-WIDEST - 1, 0, 1001)
    density = np.exp(-double_well(x, barrier) / temperature)
    return float(1 / np.trapezoid(density, x))


@lru_cache(maxsize=256)
def time_window(barrier: float, temperature: float, logarithmic: bool) -> tuple[float, float]:
    """The passage times that the histogram shows."""
    law = passage_law(barrier, temperature)
    if logarithmic:
        return max(law.shortest, law.quantile(FIRST_SHOWN)), law.quantile(LAST_SHOWN)
    return 0.0, law.quantile(SHOWN)


def histogram(sample: Sample, low: float, high: float, bins: int, logarithmic: bool) -> dict[str, np.ndarray]:
    """Heights and edges: per unit of time, or of ln t; the area is the share of all particles that crossed in the window."""
    edges = np.geomspace(low, high, bins + 1) if logarithmic else np.linspace(low, high, bins + 1)
    counts = np.diff(np.searchsorted(sample.times, edges))
    widths = np.diff(np.log(edges)) if logarithmic else np.diff(edges)
    return {"time_edges": edges, "time_heights": counts / (sample.particles * widths)}


@lru_cache(maxsize=64)
def time_curve(barrier: float, temperature: float, logarithmic: bool) -> dict[str, np.ndarray]:
    """The exact density of the passage time, per unit of time or of ln t."""
    law, (low, high) = passage_law(barrier, temperature), time_window(barrier, temperature, logarithmic)
    # on the linear axis the early rise takes a small part of the width: half of the points go there
    early = np.linspace(0, min(high, 8 / float(law.rates[1])), POINTS // 2)
    grid = (
        np.geomspace(low, high, POINTS)
        if logarithmic
        else np.unique(np.concatenate([early, np.linspace(0, high, POINTS // 2)]))
    )
    density = law.density(grid)
    return {"time_grid": grid, "time_law": density * grid if logarithmic else density}


@lru_cache(maxsize=64)
def barrier_curves(temperature: float) -> dict[str, np.ndarray]:
    """Mean passage times by barrier: exact, and by Kramers."""
    return {
        "barrier_grid": BARRIERS,
        "barrier_exact": passage_time_curve(BARRIERS, temperature),
        "barrier_kramers": np.array([kramers_time(float(a), temperature) for a in BARRIERS]),
    }


def share_curves(sample: Sample, law: ChainLaw, last: int) -> dict[str, np.ndarray]:
    """The share that crossed within n steps, by n: the chain's law, and what was counted so far."""
    grid = np.unique(np.round(np.geomspace(1, last, POINTS)))
    known = np.append(grid[grid < sample.steps], max(1, sample.steps))
    counted = np.searchsorted(sample.sorted_steps, known, side="right") / sample.particles
    return {"share_grid": grid, "share_law": 1 - law.survival(grid), "share_steps": known, "share_counted": counted}


@lru_cache(maxsize=256)
def budget_shares(
    barrier: float, temperature: float, step_size: float, bridge: bool, budget: int, restart: float
) -> tuple[float, float]:
    """By the chain's law: what crosses within K steps, and what crosses in the life of a buffer entry."""
    law = chain_law(barrier, temperature, step_size, bridge)
    values = law.within(budget), law.within_rounds(budget, restart)
    return tuple(value if value > SMALLEST else 0.0 for value in values)  # type: ignore[return-value]


def chain_mean(law: ChainLaw, step_size: float, bridge: bool) -> float:
    """The mean passage time of the chain; not a number where its equation has no digits left."""
    if not 0 < law.mean < LONGEST:
        return math.nan
    return step_size * (law.mean - (0.5 if bridge else 0.0))
