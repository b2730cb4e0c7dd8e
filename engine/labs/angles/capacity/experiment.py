"""How many nearly perpendicular vectors fit into R^n: the largest |cosine| among many random directions."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from engine.core.context import Context
from engine.core.device import Budget
from engine.core.experiment import Experiment
from engine.core.frames import Observation
from engine.labs.angles.capacity.claims import CLAIMS, MEASURES, check_claims
from engine.labs.angles.capacity.curves import (
    MOST_DIGITS,
    capacity_curves,
    coarse_density,
    cosine_curve,
    cosine_top,
    cumulative_law,
    maximum_curves,
    record_steps,
)
from engine.labs.angles.capacity.parameters import Parameters
from engine.labs.angles.capacity.picture import Picture
from engine.math.numerics.histograms import ks_distance
from engine.math.numerics.precision import wide_dtype
from engine.math.random.angles import VectorLaw
from engine.math.random.capacity import count_absolute, crude_max, log_capacity, log_vectors, max_quantile, tail, unit_rows
from engine.math.random.entries import draw

FINE_BINS = 1 << 16
FIRST_VECTORS, GROWTH = 16, 1.25  # early steps add a quarter, so that a logarithmic axis fills evenly
PAIRS_PER_STEP = Budget(cpu=1 << 20, cuda=1 << 26, mps=1 << 24)  # about 10 ms of histogram
WORK_PER_STEP = Budget(cpu=1 << 30, cuda=1 << 36, mps=1 << 34)  # multiplications
ENTRIES_LIMIT = 1 << 28  # numbers kept at most, 1 GiB; beyond it fewer vectors are drawn, and the picture says so


@dataclass(frozen=True, slots=True)
class State:
    """The vectors so far and what their cosines add up to."""

    vectors: Tensor  # (m, n), float32, unit rows; the first `drawn` are filled
    records: Tensor  # (m,): largest |cos| of each vector with all before it
    counts: Tensor  # (FINE_BINS,), int64
    sums: Tensor  # (2,): sums of |cos| and cos²
    step: int = 0


# ---- the algorithm ---------------------------------------------------------------------------------------------------


def init(parameters: Parameters, context: Context) -> State:
    """The first few vectors."""
    device, wanted = context.device, wanted_vectors(parameters)
    empty = State(
        vectors=torch.empty((wanted, parameters.dimension), device=device),
        records=torch.zeros(wanted, device=device),
        counts=torch.zeros(FINE_BINS, dtype=torch.int64, device=device),
        sums=torch.zeros(2, dtype=wide_dtype(device), device=device),
    )
    return step(empty, parameters, context)


def step(state: State, parameters: Parameters, context: Context) -> State:
    """Add some vectors, and measure their angles with all vectors before them: one block of the Gram matrix."""
    ends = context.once(schedule, parameters.dimension, wanted_vectors(parameters), context.device)
    start, stop = ends[state.step - 1] if state.step else 0, ends[state.step]
    law = "gaussian" if parameters.law == "normal" else parameters.law
    fresh = draw(law, (stop - start, parameters.dimension), context.generator("vectors"), context.device)
    state.vectors[start:stop] = unit_rows(fresh)  # in place: frames take nothing from this buffer
    added = state.vectors[start:stop]
    size = stop - start
    among = (added @ added.mT).abs_().tril_(-1)
    state.records[start:stop] = among.amax(1)
    state = add(state, among[tuple(torch.tril_indices(size, size, -1, device=context.device))])
    if start:
        earlier = (added @ state.vectors[:start].mT).abs_()
        state.records[start:stop] = torch.maximum(state.records[start:stop], earlier.amax(1))
        state = add(state, earlier)
    return replace(state, step=state.step + 1)


def add(state: State, cosines: Tensor) -> State:
    """Count absolute cosines, shape (pairs,) or (rows, columns)."""
    if not cosines.numel():  # a single vector has no pairs of its own
        return state
    wide = state.sums.dtype
    rows = cosines.reshape(-1, cosines.shape[-1])  # sums of rows in single precision, of those in double
    sums = torch.stack([rows.sum(1).to(wide).sum(), rows.square().sum(1).to(wide).sum()])
    return replace(state, counts=state.counts + count_absolute(rows.view(-1), FINE_BINS), sums=state.sums + sums)


# ---- what follows from the parameters --------------------------------------------------------------------------------


def wanted_vectors(parameters: Parameters) -> int:
    """Vectors to draw: those asked for, or as many as fit into the memory one may take."""
    return min(parameters.vectors, ENTRIES_LIMIT // parameters.dimension)


def schedule(dimension: int, vectors: int, device: torch.device) -> tuple[int, ...]:
    """How many vectors there are after each step."""
    pairs = min(PAIRS_PER_STEP.on(device), WORK_PER_STEP.on(device) // dimension)
    ends = [min(vectors, FIRST_VECTORS)]
    while ends[-1] < vectors:
        known = ends[-1]
        most = max(1, int(0.5 * (math.sqrt(known**2 + 4 * pairs) - known)))  # b (k + b) pairs at most
        ends.append(min(vectors, known + min(most, math.ceil((GROWTH - 1) * known))))
    return tuple(ends)


def total(parameters: Parameters, context: Context) -> int:
    """Steps after the first, which `init` takes."""
    return len(context.once(schedule, parameters.dimension, wanted_vectors(parameters), context.device)) - 1


def stride(parameters: Parameters, step_number: int) -> int:
    """A frame after each of the first steps, later after every few."""
    return 1 + step_number // 40


# ---- what one sees ---------------------------------------------------------------------------------------------------


def observe(state: State, parameters: Parameters, context: Context) -> Observation:
    """The staircase of the largest |cos|, the histogram of all, and how many vectors fit."""
    n, wanted = parameters.dimension, wanted_vectors(parameters)
    drawn = context.once(schedule, n, wanted, context.device)[state.step - 1]
    records = state.records[:drawn].cpu().numpy().astype(float)  # device sync
    counts = state.counts.cpu().numpy()
    at, values = record_steps(records)
    top = cosine_top(wanted, n)
    density, edges = coarse_density(counts, top, parameters.bins)
    above = np.flatnonzero(records > parameters.epsilon)
    before = int(above[0]) if len(above) else drawn  # vectors before one comes too near to another
    law = context.once(cumulative_law, n, FINE_BINS)
    measures = measured(state, counts, records, before, law, parameters)
    picture = Picture(
        record_vectors=at,
        record_values=values,
        **context.once(maximum_curves, wanted, n),
        cosine_edges=edges,
        cosine_density=density,
        **context.once(cosine_curve, n, top),
        **context.once(capacity_curves, n, parameters.epsilon),
        pairs_per_height=float(measures["pairs"] * (edges[1] - edges[0])),
        wanted=wanted,
        drawn=drawn,
        epsilon=parameters.epsilon,
    )
    return Observation(picture, measures, check_claims(measures, n, parameters.law != "normal"))


def measured(
    state: State, counts: np.ndarray, records: np.ndarray, before: int, law: np.ndarray, parameters: Parameters
) -> dict[str, float]:
    """The numbers beside those of the exact law, whose distribution function is given at the edges of the bins."""
    n, drawn = parameters.dimension, len(records)
    pairs = drawn * (drawn - 1) // 2
    absolute, square = (state.sums / pairs).tolist()  # device sync
    edge = round(parameters.epsilon * FINE_BINS)  # the bin edge nearest to ε
    number = int(counts[edge:].sum())
    log10_theory = log_capacity(0.5, parameters.epsilon, n) / math.log(10)
    log10_measured = log_vectors(0.5, math.log(max(number, 1) / pairs)) / math.log(10)  # as the share of pairs above ε has it
    return {
        "max_abs_cos": float(records.max()),
        "theory_max_abs_cos": float(max_quantile(0.5, drawn, n)),
        "crude_max_abs_cos": float(crude_max(drawn, n)),
        "mean_abs_cos": absolute,
        "theory_mean_abs_cos": VectorLaw(n).mean_abs_cos,
        "mean_square_cos": square,
        "theory_mean_square_cos": 1 / n,
        "pairs_above": number,
        "theory_pairs_above": pairs * float(tail(edge / FINE_BINS, n)),
        "vectors_before": before,
        "log10_capacity": log10_measured,
        "theory_log10_capacity": min(log10_theory, MOST_DIGITS),
        "ks_distance": ks_distance(counts, np.linspace(0, 1, FINE_BINS + 1), law),
        "vectors_drawn": drawn,
        "pairs": pairs,
    }


EXPERIMENT = Experiment(
    parameters=Parameters,
    init=init,
    step=step,
    observe=observe,
    measures=MEASURES,
    claims=CLAIMS,
    total=total,
    stride=stride,
    pacing="latest",
    history=True,
    memory=("vectors", "dimension"),
)
