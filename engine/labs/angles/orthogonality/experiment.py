"""A random matrix is nearly orthogonal entry by entry and for one input, but not for the worst one."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import torch

from engine.core.context import Context
from engine.core.experiment import Experiment
from engine.core.frames import Observation
from engine.labs.angles.orthogonality.claims import CLAIMS, MEASURES, check_claims
from engine.labs.angles.orthogonality.curves import (
    ENTRY_REACH,
    entry_deviation,
    exact_curves,
    histogram_density,
    quadrature_histogram,
    ratio_deviation,
    ratio_window,
    singular_window,
    weighted_distance,
)
from engine.labs.angles.orthogonality.parameters import Parameters
from engine.labs.angles.orthogonality.picture import Picture
from engine.labs.angles.orthogonality.work import TASKS, State, home_of, is_glimpse, joined, law_of, plan
from engine.math.numerics.histograms import empty_histogram
from engine.math.random.matrix_laws import MatrixLaw, OrthogonalLaw

SHOWN = 256  # columns of WᵀW in the picture

# ---- the algorithm ---------------------------------------------------------------------------------------------------


def init(parameters: Parameters, context: Context) -> State:
    """The first matrix, or of a large one the first look."""
    law = law_of(parameters)
    entry, ratio = 8 * entry_deviation(law), 8 * ratio_deviation(law)
    home = home_of(context)
    empty = State(
        entries=empty_histogram(-entry, entry, centre=0.0, device=home),
        ratios=empty_histogram(max(0.0, law.gain - ratio), law.gain + ratio, centre=law.gain, device=home),
        weights=torch.empty(0),
        corner=torch.empty(0),
    )
    return step(empty, parameters, context)


def step(state: State, parameters: Parameters, context: Context) -> State:
    """The next piece of work on the newest matrix, or a new one."""
    stages = plan(parameters, context)
    place = state.position % len(stages)
    for task in stages[place]:
        state = TASKS[task](state, parameters, context)
        context.checkpoint()
    done = place == len(stages) - 1
    return replace(state, position=state.position + 1, history=(*state.history, state.numbers) if done else state.history)


def total(parameters: Parameters, context: Context) -> int:
    """Steps after the one that `init` takes."""
    return parameters.draws * len(plan(parameters, context)) - 1


# ---- what one sees ---------------------------------------------------------------------------------------------------


def observe(state: State, parameters: Parameters, context: Context) -> Observation:
    """The newest matrix, histograms of all, numbers as means over the finished matrices."""
    law = law_of(parameters)
    exact = len(state.singulars) > 0
    evenly = np.full(len(state.singulars), 1 / max(1, len(state.singulars)))
    values, weights = (state.singulars, evenly) if exact else joined(state.looks)
    measures = measured(state, law, weighted_distance(values, weights, law))
    singular_edges = np.linspace(*singular_window(law), parameters.bins + 1)
    if exact:
        shares = np.histogram(values, singular_edges, weights=weights)[0]
    else:
        shares = quadrature_histogram(state.looks, singular_edges) * (not is_glimpse(state.looks))
    reach = ENTRY_REACH * entry_deviation(law)
    entry_heights, entry_edges = histogram_density(state.entries, (-reach, reach), parameters.bins)
    ratio_heights, ratio_edges = histogram_density(state.ratios, ratio_window(law), parameters.bins)
    bias = (law.gain - 1) ** 2
    picture = Picture(
        matrix=state.corner[:SHOWN, :SHOWN].cpu().numpy().astype(np.float32),
        entry_edges=entry_edges,
        entry_density=entry_heights,
        singular_edges=singular_edges,
        singular_density=shares / np.diff(singular_edges),
        ratio_edges=ratio_edges,
        ratio_density=ratio_heights,
        **context.once(exact_curves, law),
        eigenvalues=state.eigenvalues.reshape(-1, 2).numpy(),
        distances=np.array(
            [
                [math.sqrt(measures["mse_identity"]), math.sqrt(law.mse)],
                [math.sqrt(measures["norm_ratio_var"] + bias), math.sqrt(law.ratio_variance + bias)],
                [measures["operator_error"], law.operator_error],
            ]
        ),
        variance=law.variance,
        radius=math.sqrt(law.variance * law.columns),
        noise=entry_deviation(law),
        zeros=law.missing_rank / law.columns,
        exact=exact,
        exact_law=isinstance(law, OrthogonalLaw) or parameters.law == "normal",
        finished=len(state.history),
    )
    return Observation(picture, measures, check_claims(law, measures, exact))


def measured(state: State, law: MatrixLaw, distance: float) -> dict[str, float]:
    """The numbers beside their exact counterparts or limits."""
    known = state.history or (state.numbers,)
    inputs, _, deviations = state.ratios.sums[:3].tolist()  # device sync
    mean = float(state.ratios.summary().mean)

    def average(name: str) -> float:
        return float(np.mean([getattr(numbers, name) for numbers in known]))

    mse = average("mse")
    return {
        "mse_identity": mse,
        "theory_mse_identity": law.mse,
        "frobenius_squared": mse * law.columns**2,
        "theory_frobenius_squared": law.mse * law.columns**2,
        "operator_error": average("operator"),
        "theory_operator_error": law.operator_error,
        "smallest_singular": average("smallest"),
        "theory_smallest_singular": law.smallest,
        "largest_singular": average("largest"),
        "theory_largest_singular": law.largest,
        "mean_singular": average("mean"),
        "theory_mean_singular": law.mean_singular,
        "spectrum_distance": distance,
        "norm_ratio_mean": mean,
        "theory_norm_ratio_mean": law.gain,
        "rms_ratio_mean": mean * law.columns / law.rows,
        "theory_rms_ratio_mean": law.gain * law.columns / law.rows,
        "norm_ratio_var": deviations / inputs,
        "theory_norm_ratio_var": law.ratio_variance,
        "rank": average("rank"),
        "theory_rank": min(law.rows, law.columns),
        "matrices": len(state.history),
        "inputs": inputs,
    }


EXPERIMENT = Experiment(
    parameters=Parameters,
    init=init,
    step=step,
    observe=observe,
    measures=MEASURES,
    claims=CLAIMS,
    total=total,
    pacing="latest",
    history=True,
    memory=("rows", "columns"),
)
