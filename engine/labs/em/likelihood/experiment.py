"""Likelihood, cross entropy and KL of one parameter, and how far its estimate strays."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import torch
from scipy import stats
from torch.nn import functional

from engine.core.context import Context
from engine.core.experiment import Experiment
from engine.core.frames import Observation
from engine.labs.em.likelihood.claims import CLAIMS, MEASURES, check_claims
from engine.labs.em.likelihood.family import Family, family_of
from engine.labs.em.likelihood.parameters import Parameters
from engine.labs.em.likelihood.picture import Picture
from engine.labs.em.likelihood.state import State
from engine.math.numerics.divergences import Table

STEPS = 60  # of the simulation
GRID = 801
BARS = 48
FEW = 40  # observations up to which the law of variances is shown from 0 on
LADDER = (1, 3, 10, 30, 100, 300, 1000)
LADDER_SETS = 400


# ---- the algorithm ---------------------------------------------------------------------------------------------------


def init(parameters: Parameters, context: Context) -> State:
    """The data, the ladder of sample sizes, and the first data sets."""
    family = family_of(parameters)
    generator = context.streams.numpy("ladder")
    rungs = []
    for count in LADDER:
        context.checkpoint()
        rungs.append(float(np.sqrt(np.mean(family.draw(generator, LADDER_SETS, count)[0] ** 2))))
    return step(State(family, family.search(), np.array(rungs), np.empty(0), np.empty(0)), parameters, context)


def step(state: State, parameters: Parameters, context: Context) -> State:
    """Some more data sets from the model, and the estimate of each."""
    ends = [parameters.sets * (state.step + more) // (STEPS + 1) for more in (0, 1)]
    generator = context.streams.numpy(f"sets {state.step}")
    errors, variances = state.family.draw(generator, max(1, ends[1] - ends[0]), state.family.count)
    return replace(
        state,
        errors=np.concatenate([state.errors, errors]),
        variances=np.concatenate([state.variances, variances]),
        step=state.step + 1,
    )


def total(parameters: Parameters, context: Context) -> int:
    """Steps after the first, which `init` takes."""
    return STEPS


# ---- what one sees ---------------------------------------------------------------------------------------------------


def observe(state: State, parameters: Parameters, context: Context) -> Observation:
    """The likelihood, the entropies, and the law of the estimate."""
    family = state.family
    measures = measured(state)
    low, high = family.view()
    grid = np.linspace(low, high, GRID)
    edges = bar_edges(family)
    counts = np.histogram(state.errors, edges)[0]
    widths = np.diff(edges)
    error = family.standard_error()
    bell_grid = np.linspace(edges[0], edges[-1], GRID)
    spread_edges, spread_density, spread_law = spreads(state)
    interior = family.normal or 0 < family.estimate < 1
    picture = Picture(
        normal=family.normal,
        grid=grid,
        average=np.nan_to_num(family.average(grid), neginf=-1e6),
        highest=float(family.average(family.estimate)),
        here=float(family.average(family.model)),
        curvature=family.information(family.estimate) if interior else 0.0,
        estimate=family.estimate,
        model=family.model,
        count=family.count,
        shares=family.shares,
        model_shares=family.model_shares,
        values=family.values,
        **densities(family),
        edges=family.model + edges,
        density=counts / (len(state.errors) * widths),
        exact=family.probabilities(edges) / widths,
        bell=stats.norm.pdf(bell_grid, 0.0, error),
        bell_grid=family.model + bell_grid,
        ladder=np.array(LADDER, dtype=float),
        ladder_deviation=state.ladder,
        spread_edges=spread_edges,
        spread_density=spread_density,
        spread_law=spread_law,
        spread_means=np.array(mean_variances(state)) if family.variance_known else np.empty(0),
        ladder_law=np.array([family.standard_error(count) for count in LADDER]),
    )
    tables = {"maximum": (family.shares.tolist() or [family.estimate])}
    return Observation(picture, measures, check_claims(family, measures, state.searched, one_by_one(family)), tables)


def measured(state: State) -> dict[str, float]:
    """The numbers of data, model and simulation."""
    family, estimates = state.family, state.family.model + state.errors
    n = family.count
    highest, here = float(family.average(family.estimate)), float(family.average(family.model))
    entropies = family.entropies()
    if not family.normal:  # the categories beyond the first have shares of their own
        highest, here_all = -entropies["entropy"], -entropies["cross_entropy"]
    else:
        here_all = here
    ratio = n * max(0.0, float(family.average(family.estimate)) - here)
    side = 1.0 if family.estimate >= family.model else -1.0
    margin = 1e-9 * (1.0 if not family.normal else family.sigma)
    return {
        "maximum_likelihood": family.estimate if family.kind != "categorical" else float(family.shares.max()),
        **entropies,
        "log_likelihood": n * here_all,
        "maximum_log_likelihood": n * highest,
        "log_ratio": ratio,
        "mean_square_error": family.spread**2 + (family.estimate - family.model) ** 2 if family.normal else math.nan,
        "information": family.information(family.model),
        "standard_error": family.standard_error(),
        "simulated_mean": family.model + float(state.errors.mean()),
        "simulated_deviation": float(state.errors.std(ddof=1)) if len(estimates) > 1 else 0.0,
        "beyond": float(np.mean(side * (state.errors - (family.estimate - family.model)) >= -margin)),
        **variances_of(state),
        "observations": n,
        "sets": len(estimates),
    }


def mean_variances(state: State) -> tuple[float, float]:
    """Means of the simulated variances divided by n and by n - 1, in units of the model's."""
    n, mean = state.family.count, float(state.variances.mean())
    return mean, mean * n / (n - 1)


def variances_of(state: State) -> dict[str, float]:
    """The numbers of the two estimates of a variance; none where there is no variance to estimate."""
    family = state.family
    names = ("ml_variance", "theory_ml_variance", "unbiased_variance", "theory_unbiased_variance")
    if not family.variance_known:
        return dict.fromkeys(names, math.nan)
    n, square = family.count, family.sigma**2
    divided, corrected = mean_variances(state)
    return dict(zip(names, (divided * square, (n - 1) / n * square, corrected * square, square), strict=True))


def spreads(state: State) -> tuple[Table, Table, Table]:
    """Edges, density and law of the simulated variances; all empty where there is none."""
    family = state.family
    if not family.variance_known:
        return np.empty(0), np.empty(0), np.empty(0)
    low, high = stats.chi2.ppf((0.0005, 0.9995), family.count - 1) / family.count
    edges = np.linspace(0.0 if family.count < FEW else low, high, BARS + 1)
    widths = np.diff(edges)
    density = np.histogram(state.variances, edges)[0] / (len(state.variances) * widths)
    return edges, density, family.variance_law(edges) / widths


def one_by_one(family: Family) -> float:
    """Mean negative log-likelihood of the model, observation by observation, as libraries compute it."""
    if family.normal:
        return float(-stats.norm.logpdf(family.values, family.model, family.sigma).mean())
    seen = family.shares > 0
    logits = torch.from_numpy(np.log(np.where(seen | (family.model_shares > 0), family.model_shares, 1e-300)))
    return float(functional.cross_entropy(logits[None], torch.from_numpy(family.shares)[None]))


def densities(family: Family) -> dict[str, np.ndarray]:
    """The normal law that fits the values, and that of the model; empty for counts."""
    if not family.normal:
        return {"law_grid": np.empty(0), "law_fitted": np.empty(0), "law_model": np.empty(0)}
    wide = max(family.spread, family.sigma)
    ends = min(family.estimate, family.model) - 3.2 * wide, max(family.estimate, family.model) + 3.2 * wide
    grid = np.linspace(*ends, 401)
    fitted = stats.norm.pdf(grid, family.estimate, family.spread) if family.spread > 0 else np.zeros_like(grid)
    return {"law_grid": grid, "law_fitted": fitted, "law_model": stats.norm.pdf(grid, family.model, family.sigma)}


def bar_edges(family: Family) -> np.ndarray:
    """Edges of the histogram of errors: for shares half way between multiples of 1/n, a few of them in each bar."""
    reach = 4.6 * family.standard_error()
    if family.normal:
        return np.linspace(-reach, reach, BARS + 1)
    low, high, n = family.model - reach, family.model + reach, family.count
    first, last = max(0, math.floor(low * n)), min(n, math.ceil(high * n))
    each = max(1, math.ceil((last - first + 1) / BARS))
    return (np.arange(first, last + each + 1, each) - 0.5) / n - family.model


EXPERIMENT = Experiment(
    parameters=Parameters,
    init=init,
    step=step,
    observe=observe,
    measures=MEASURES,
    claims=CLAIMS,
    total=total,
    history=True,
    memory=("sets",),
)
