"""One run of `mixture`: half-steps, what they leave behind, and what follows from the parameters."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

from torch import Tensor

from engine.core.context import Context
from engine.core.errors import LabError
from engine.labs.em.mixture.data import Cloud, joined, open_cloud
from engine.labs.em.mixture.parameters import Parameters
from engine.labs.em.mixture.start import first_mixture
from engine.math.latent.gaussian_mixtures import Expectation, cost_of_floor, expectation, lower_bound, maximisation
from engine.math.latent.gradient import ascend
from engine.math.latent.laws import Collapse, Mixture, check_extent, relaxed
from engine.math.latent.rates import distance

Key = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Record:
    """What one half-step brought."""

    half: int  # half-steps so far
    log_likelihood: float
    lower_bound: float  # NaN at the start
    slack: float  # how far the log-likelihood may fall here by rounding and by the floor
    key: Key  # what it was made with: only records of one key can be compared


@dataclass(slots=True)
class Trail:
    """Everything there was; it grows, and frames take copies."""

    records: list[Record] = field(default_factory=list)
    means: list[Tensor] = field(default_factory=list)  # (K, d) on the CPU, after each M half-step
    strides: list[float] = field(default_factory=list)  # lengths of whole iterations, in the chart of the rates
    log_likelihoods: list[float] = field(default_factory=list)  # after each whole iteration, the start first


@dataclass(frozen=True, slots=True)
class Run:
    """The main run."""

    cloud: Cloud
    present: Mixture
    start: Mixture
    before: Mixture  # one iteration ago
    ahead: Expectation  # at the present parameters: the next E half-step, already looked up for its likelihood
    expected: Expectation | None  # of the last E half-step
    believed: Mixture | None  # the parameters of that half-step
    phase: str
    halves: int
    iteration: int
    trail: Trail
    hard: bool  # whether `expected` gives points away whole
    made_with: Key = ()  # of the present parameters, empty at the start
    converged_with: Key | None = None


def key_of(parameters: Parameters) -> Key:
    """Whatever changes what a half-step does."""
    p = parameters
    extras = {"em": (p.relaxation,), "hard": (), "gradient": (p.learning_rate,)}[p.algorithm]
    return (p.algorithm, p.covariance, p.floor, p.drawn, *extras)


def begin_run(parameters: Parameters, context: Context) -> Run:
    """Data and start; the first look at all points."""
    cloud = open_cloud(parameters, context)
    start = first_mixture(cloud, parameters, context)
    trail = Trail()
    ahead = looked(cloud, start, parameters, context, 0)
    trail.records.append(Record(0, ahead.log_likelihood, math.nan, ahead.rounding, ()))
    trail.means.append(start.means.cpu())
    trail.log_likelihoods.append(ahead.log_likelihood)
    return Run(cloud, start, start, start, ahead, None, None, "start", 0, 0, trail, parameters.algorithm == "hard")


def looked(cloud: Cloud, mixture: Mixture, parameters: Parameters, context: Context, iteration: int) -> Expectation:
    """One look at all points."""
    try:
        return expectation(cloud.points, mixture, hard=parameters.algorithm == "hard", between=context.checkpoint)
    except Collapse as collapse:
        raise collapsed(collapse, cloud, iteration) from None


def fresh(run: Run, parameters: Parameters, context: Context) -> Run:
    """The run with the points that the parameters have now; the components stay where they are."""
    if parameters.drawn == run.cloud.drawn:
        return run
    cloud = joined(run.cloud.base, parameters, run.cloud.centre)
    ahead = looked(cloud, run.present, parameters, context, run.iteration)
    expected = looked(cloud, run.believed, parameters, context, run.iteration) if run.believed else None
    return replace(run, cloud=cloud, ahead=ahead, expected=expected)


def advance(run: Run, parameters: Parameters, context: Context) -> Run:
    """One half-step; of a run that has converged none."""
    run = fresh(run, parameters, context)
    if run.converged_with is not None:
        if run.converged_with == (key_of(parameters), parameters.tolerance):
            return replace(run, halves=run.halves + 1)
        run = replace(run, converged_with=None)
    return e_step(run, parameters, context) if run.phase != "e" else m_step(run, parameters, context)


def e_step(run: Run, parameters: Parameters, context: Context) -> Run:
    """Responsibilities of the present parameters."""
    hard = parameters.algorithm == "hard"
    ahead = run.ahead
    if hard != run.hard:
        ahead = looked(run.cloud, run.present, parameters, context, run.iteration)
    halves = run.halves + 1
    bound = lower_bound(ahead, run.present)
    run.trail.records.append(Record(halves, ahead.log_likelihood, bound, ahead.rounding, key_of(parameters)))
    return replace(run, ahead=ahead, expected=ahead, believed=run.present, phase="e", halves=halves, hard=hard)


def m_step(run: Run, parameters: Parameters, context: Context) -> Run:
    """Parameters for the present responsibilities, and a look ahead at their likelihood."""
    cloud, old, expected = run.cloud, run.present, run.expected
    assert expected is not None
    iteration = run.iteration + 1
    new = moved(expected, old, parameters, cloud.scale)
    refuse_collapse(new, cloud, expected, iteration)
    ahead = looked(cloud, new, parameters, context, iteration)
    over = parameters.algorithm == "em" and parameters.relaxation != 1
    if over and ahead.log_likelihood < expected.log_likelihood:
        new = maximisation(expected.statistics, parameters.covariance, parameters.floor, before=old)
        refuse_collapse(new, cloud, expected, iteration)
        ahead = looked(cloud, new, parameters, context, iteration)
    slack = ahead.rounding
    if parameters.algorithm == "em":
        slack += cost_of_floor(new, expected.statistics, parameters.floor)
    bound, halves, key = lower_bound(expected, new), run.halves + 1, key_of(parameters)
    trail = run.trail
    previous = trail.records[-2] if len(trail.records) > 1 else None
    trail.records.append(Record(halves, ahead.log_likelihood, bound, slack, key))
    trail.means.append(new.means.cpu())
    trail.strides.append(distance(old, new))
    trail.log_likelihoods.append(ahead.log_likelihood)
    gain = ahead.log_likelihood - expected.log_likelihood
    if parameters.algorithm == "hard":  # what hard EM climbs is its own bound
        gain = bound - previous.lower_bound if previous else math.inf
    still = previous is not None and abs(gain) <= parameters.tolerance * cloud.count
    return replace(
        run,
        present=new,
        before=old,
        ahead=ahead,
        phase="m",
        halves=halves,
        iteration=iteration,
        made_with=key,
        converged_with=(key, parameters.tolerance) if still else None,
    )


def moved(expected: Expectation, old: Mixture, parameters: Parameters, scale: Tensor) -> Mixture:
    """What the M half-step of the algorithm makes of the responsibilities."""
    if parameters.algorithm == "gradient":
        return ascend(expected.statistics, old, parameters.covariance, parameters.floor, parameters.learning_rate, scale)
    top = maximisation(expected.statistics, parameters.covariance, parameters.floor, before=old)
    if parameters.algorithm == "em" and parameters.relaxation != 1:
        return relaxed(old, top, parameters.relaxation)
    return top


def refuse_collapse(mixture: Mixture, cloud: Cloud, expected: Expectation, iteration: int) -> None:
    """One sentence instead of infinite numbers."""
    try:
        check_extent(mixture, cloud.scale, expected.statistics.counts)
    except Collapse as collapse:
        raise collapsed(collapse, cloud, iteration) from None


def collapsed(collapse: Collapse, cloud: Cloud, iteration: int) -> LabError:
    """The sentence."""
    away = ((cloud.points - collapse.mean[:, None]) / cloud.scale[:, None]).square().sum(0)
    nearest = int(away.argmin())
    place = (cloud.points[:, nearest] + cloud.centre).tolist()
    shown = ", ".join(f"{value:.4g}" for value in place[:4]) + (", …" if len(place) > 4 else "")
    if collapse.flat:
        return LabError(
            "In iteration {iteration} component {component} has become flat near point {point} at ({place}): "
            "a variance goes to 0 and the likelihood to infinity.",
            "Set a floor above 0, use fewer components or a simpler covariance, or start elsewhere.",
            iteration=iteration,
            component=collapse.component + 1,
            point=nearest + 1,
            place=shown,
        )
    return LabError(
        "In iteration {iteration} component {component} has collapsed onto point {point} at ({place}): "
        "its variance goes to 0 and the likelihood to infinity.",
        "Set a floor above 0, use fewer components or a simpler covariance, or start elsewhere.",
        iteration=iteration,
        component=collapse.component + 1,
        point=nearest + 1,
        place=shown,
    )
