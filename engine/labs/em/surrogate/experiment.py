"""EM as a climb on surrogates: a bound that touches the log-likelihood, and the jump to its peak."""

from __future__ import annotations

import math

import numpy as np

from engine.core.context import Context
from engine.core.experiment import Experiment
from engine.core.frames import Observation
from engine.labs.em.surrogate.claims import CLAIMS, MEASURES, check_claims
from engine.labs.em.surrogate.parameters import Parameters, likelihood_of
from engine.labs.em.surrogate.picture import Picture
from engine.labs.em.surrogate.state import State
from engine.labs.em.surrogate.trajectory import METHODS, Trajectory, check, measured_rate, trajectory
from engine.math.latent.surrogates import Likelihood, StudentLocation, following, surrogate

NODES = 401
EARLIER = 8  # former surrogates that stay in the picture
CLOSEST = 1e-4  # share of the whole range beyond which nothing is magnified


def trajectory_of(parameters: Parameters, context: Context, method: str | None = None) -> Trajectory:
    """That of a method, the chosen one if none is named."""
    likelihood = likelihood_of(parameters)
    return context.once(
        trajectory, likelihood, method or parameters.method, parameters.start, parameters.steps, parameters.step_size
    )


def init(parameters: Parameters, context: Context) -> State:
    """The start."""
    return State()


def step(state: State, parameters: Parameters, context: Context) -> State:
    """One half-step: fit a surrogate after an even number of them, else jump to its peak."""
    check(likelihood_of(parameters), trajectory_of(parameters, context), parameters.method, state.half + 1)
    return State(state.half + 1)


def window_of(likelihood: Likelihood, start: float) -> tuple[float, float]:
    """The stretch of θ that is shown: it depends on data and start, not on the half-step."""
    if likelihood.high < math.inf:
        return likelihood.low, likelihood.high
    best = likelihood.rest(start)
    if isinstance(likelihood, StudentLocation):
        places = [*likelihood.x.tolist(), start, best]
        room = 0.1 * (max(places) - min(places)) + 0.5
        return min(places) - room, max(places) + room
    return 0.0, max(2.4 * best, 1.3 * start)


def zoomed(window: tuple[float, float], way: Trajectory, places: tuple[float, float]) -> tuple[float, float]:
    """The surroundings of the maximum that contain the places, inside of a window."""
    low, high = window
    reach = max(*(1.5 * abs(place - way.target) for place in places), CLOSEST * (high - low))
    return max(low, way.target - reach), min(high, way.target + reach)


def observe(state: State, parameters: Parameters, context: Context) -> Observation:
    """Curves, path and convergence."""
    likelihood, way, method = likelihood_of(parameters), trajectory_of(parameters, context), parameters.method
    h, now = parameters.step_size, float(way.theta[state.half // 2])
    before = max(0, (state.half - 1) // 2)
    anchor = float(way.theta[before])
    window = window_of(likelihood, parameters.start)
    if parameters.zoom and way.interior:
        window = zoomed(window, way, (now, anchor))
    grid = np.linspace(*window, NODES + 2)[1:-1]
    peaks = [following(likelihood, each, anchor, h) for each in METHODS]
    finite = [place if math.isfinite(place) else anchor for place in peaks]
    heights = [
        float(surrogate(likelihood, each, place, anchor, h)) if each != "em" or likelihood.inside(place) else 0.0
        for each, place in zip(METHODS, finite, strict=True)
    ]
    former = way.theta[max(0, before - EARLIER) : before]
    picture = Picture(
        half=state.half,
        grid=grid,
        likelihood=likelihood.value(grid),
        surrogates=np.stack([surrogate(likelihood, each, grid, anchor, h) for each in METHODS]),
        peaks=np.stack([finite, heights], axis=-1),
        earlier=np.array([surrogate(likelihood, method, grid, float(at), h) for at in former]).reshape(-1, NODES),
        way=way.theta,
        heights=likelihood.value(way.theta),
        anchor=anchor,
        theta=now,
        height=float(likelihood.value(now)),
        image=np.array([bounded(following(likelihood, method, float(at), h), window) for at in grid]),
        errors=np.stack([padded(trajectory_of(parameters, context, each), parameters.steps) for each in METHODS]),
        chosen=METHODS.index(method),
        target=way.target,
        rate=way.rate,
        window=window,
    )
    claims = check_claims(likelihood, way, method, state.half, h, grid, anchor)
    tables = {"path": way.theta[: state.half // 2 + 1].tolist()}
    return Observation(picture, measured(likelihood, way, parameters, state.half), claims, tables)


def bounded(value: float, window: tuple[float, float]) -> float:
    """The value, or not a number far outside of what is shown."""
    low, high = window
    return value if low - (high - low) <= value <= high + (high - low) else math.nan


def padded(way: Trajectory, steps: int) -> np.ndarray:
    """The errors of a path, with gaps after the place where it broke off."""
    return np.concatenate([way.errors, np.full(steps + 1 - len(way.theta), np.nan)])


def measured(likelihood: Likelihood, way: Trajectory, parameters: Parameters, half: int) -> dict[str, float]:
    """The numbers after so many half-steps."""
    theta, inside = float(way.theta[half // 2]), way.interior
    observed = -likelihood.curvature(way.target) if inside else math.nan
    ratio = measured_rate(likelihood, way, parameters.method, half // 2, parameters.step_size)[0] if inside else math.nan
    best = way.target if math.isfinite(way.target) and likelihood.low < way.target < likelihood.high else theta
    values = {
        "theta": theta,
        "log_likelihood": float(likelihood.value(theta)),
        "rate": way.rate,
        "measured_rate": ratio,
        "maximum": best,
        "maximum_log_likelihood": float(likelihood.value(best)),
        "error": abs(theta - best),
        "observed_information": observed,
        "complete_information": likelihood.complete_information(way.target) if inside else math.nan,
        "missing_share": likelihood.missing(way.target) if inside else math.nan,
        "largest_step": 2 / observed if observed > 0 else math.nan,
    }
    return {spec.name: values[spec.name] for spec in MEASURES}


EXPERIMENT = Experiment(
    parameters=Parameters,
    init=init,
    step=step,
    observe=observe,
    measures=MEASURES,
    claims=CLAIMS,
    total=lambda parameters, context: 2 * parameters.steps,
    rate=5,
    history=True,
)
