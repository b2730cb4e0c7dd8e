"""EM as a climb on surrogates: a bound that touches the log-likelihood, and the jump to its peak."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from engine.core.context import Context
from engine.core.experiment import Experiment
from engine.core.frames import GAPS, Observation, unit
from engine.core.parameters import LabParameters, Ui, problem
from engine.labs.em.surrogate.claims import CLAIMS, MEASURES, check_claims
from engine.labs.em.surrogate.path import METHODS, Path, check, measured_rate, path
from engine.math.latent.surrogates import Censored, Likelihood, Linkage, MixingWeight, StudentLocation, following, surrogate

NODES = 401
EARLIER = 8  # former surrogates that stay in the picture
CLOSEST = 1e-4  # share of the whole range beyond which nothing is magnified
MOST = 200  # values of a list


class Parameters(LabParameters):
    """One likelihood of one parameter, climbed in three ways."""

    example: Annotated[
        Literal["linkage", "weight", "censored", "location"],
        Ui(
            "Example",
            group="Likelihood",
            choices={
                "linkage": "Genetic linkage",
                "weight": "Mixing weight",
                "censored": "Censored lifetimes",
                "location": "Heavy-tailed location",
            },
            help="What is observed and what is hidden: two classes counted as one, labels, ends of lifetimes, or precisions.",
        ),
    ] = "linkage"
    counts: Annotated[
        tuple[int, ...],
        Ui(
            "Counts",
            symbol="y",
            group="Likelihood",
            when={"example": ("linkage",)},
            help="Animals in each of the four classes.",
        ),
    ] = (125, 18, 20, 34)
    points: Annotated[
        tuple[float, ...],
        Ui("Points", symbol="x", group="Likelihood", when={"example": ("weight", "location")}, help="The observed numbers."),
    ] = (-1.4, -0.9, -0.6, -0.2, 0.1, 0.3, 0.8, 1.1, 1.6, 2.0, 2.3, 3.1)
    means: Annotated[
        tuple[float, ...],
        Ui(
            "Means",
            symbol="μ",
            group="Likelihood",
            when={"example": ("weight",)},
            help="Centres of the two normal laws, of standard deviation 1; the nearer they are, the more is hidden.",
        ),
    ] = (0.0, 2.0)
    times: Annotated[
        tuple[float, ...],
        Ui(
            "Lifetimes",
            symbol="t",
            group="Likelihood",
            when={"example": ("censored",)},
            help="Those not below the limit are censored.",
        ),
    ] = (0.3, 0.5, 0.8, 1.1, 1.3, 1.9, 2.4, 3.0, 3.6, 5.2)
    limit: Annotated[
        float,
        Field(gt=0, le=1000),
        Ui(
            "Limit",
            symbol="c",
            group="Likelihood",
            scale="log",
            when={"example": ("censored",)},
            help="When the watching ended.",
        ),
    ] = 2.0
    degrees: Annotated[
        float,
        Field(ge=0.2, le=100),
        Ui(
            "Degrees of freedom",
            symbol="ν",
            group="Likelihood",
            scale="log",
            when={"example": ("location",)},
            help="1 is Cauchy's law; the larger, the nearer to the normal law and to a single hill.",
        ),
    ] = 1.0
    method: Annotated[
        Literal["em", "gradient", "newton"],
        Ui(
            "Method",
            group="Climb",
            choices={"em": "EM", "gradient": "Gradient", "newton": "Newton"},
            help="Whose surrogate is climbed: EM's lower bound, a parabola of curvature -1/h, or one of the true curvature.",
        ),
    ] = "em"
    start: Annotated[float, Ui("Start", symbol="θ", group="Climb", help="Where the climb begins; drag it in the picture.")] = (
        0.1
    )
    step_size: Annotated[
        float,
        Field(gt=0, le=100),
        Ui(
            "Step size",
            symbol="h",
            group="Climb",
            scale="log",
            help="Gradient ascent climbs a parabola of curvature -1/h: the smaller h, the narrower.",
        ),
    ] = 0.002
    steps: Annotated[
        int,
        Field(ge=1, le=300),
        Ui("Iterations", scale="log", group="Climb", help="Full iterations: fit a surrogate, then jump to its peak."),
    ] = 10
    others: Annotated[
        bool,
        Ui(
            "Show the other surrogates",
            effect="view",
            group="Picture",
            help="Also draw what the other two methods would climb.",
        ),
    ] = True

    zoom: Annotated[
        bool,
        Ui("Zoom in", effect="live", group="Picture", help="Show only the surroundings of iterate and maximum: they shrink."),
    ] = False

    @model_validator(mode="after")
    def check_data(self) -> Self:
        """Every example needs data that make a likelihood."""
        if self.example == "linkage":
            check_counts(self.counts)
        elif self.example == "censored":
            if not 1 <= len(self.times) <= MOST or min(self.times) <= 0:
                raise problem("times", "Lifetimes are from 1 to {most} positive numbers.", most=MOST)
            if min(self.times) >= self.limit:
                raise problem("limit", "All lifetimes reach the limit {limit:g}: none was seen to end.", limit=self.limit)
        else:
            if not 1 <= len(self.points) <= MOST or max(map(abs, self.points)) > 100:
                raise problem("points", "Points are from 1 to {most} numbers between -100 and 100.", most=MOST)
            if self.example == "weight" and (len(self.means) != 2 or not 0.01 <= abs(self.means[1] - self.means[0]) <= 50):
                raise problem("means", "Two means are needed, from 0.01 to 50 apart.")
        likelihood = likelihood_of(self)
        if not likelihood.inside(self.start) or abs(self.start) > 1000:
            low, high = max(likelihood.low, -1000.0), min(likelihood.high, 1000.0)
            raise problem("start", "The start lies between {low:g} and {high:g}.", low=low, high=high)
        return self


def check_counts(counts: tuple[int, ...]) -> None:
    """Four counts that have their maximum inside (0, 1).

    Raises
    ------
    PydanticCustomError
        With a sentence for the field.
    """
    if len(counts) != 4 or min(counts) < 0 or max(counts) > 10**7:
        raise problem("counts", "Four counts are needed, none below 0 or above 10,000,000.")
    first, crossed, last = counts[0], counts[1] + counts[2], counts[3]
    if crossed == 0:
        raise problem("counts", "The maximum lies at 1: one of the middle counts must be positive.")
    if last == 0 and first <= 2 * crossed:  # the slope at 0 is first/2 - crossed
        raise problem(
            "counts", "The maximum lies at 0: the last count must be positive, or the first above twice the middle ones."
        )


def likelihood_of(parameters: Parameters) -> Likelihood:
    """The likelihood that is climbed."""
    match parameters.example:
        case "linkage":
            first, second, third, fourth = parameters.counts
            return Linkage((first, second, third, fourth))
        case "weight":
            return MixingWeight(parameters.points, (parameters.means[0], parameters.means[1]))
        case "censored":
            return Censored(parameters.times, parameters.limit)
    return StudentLocation(parameters.points, parameters.degrees)


@dataclass(frozen=True, slots=True)
class Picture:
    """What the panel draws."""

    half: int  # half-steps taken
    grid: np.ndarray  # (G,): values of θ
    likelihood: np.ndarray = field(metadata=unit("nat"))  # (G,)
    surrogates: np.ndarray = field(metadata=unit("nat"))  # (3, G): of EM, gradient and Newton, fitted at the anchor
    peaks: np.ndarray  # (3, 2): where each of them is highest, and how high; the flat point of Newton's
    earlier: np.ndarray  # (k, G): former surrogates of the method
    way: np.ndarray  # (K + 1,): the whole path of the method
    heights: np.ndarray = field(metadata=unit("nat"))  # (K + 1,): log-likelihoods along it
    anchor: float  # where the surrogates touch
    theta: float  # now
    height: float  # log-likelihood now
    image: np.ndarray = field(metadata=GAPS)  # (G,): where the method jumps from every θ of the grid
    errors: np.ndarray = field(metadata=GAPS)  # (3, steps + 1): distances to the maximum of all methods
    chosen: int  # number of the method
    target: float
    rate: float
    window: tuple[float, float]


@dataclass(frozen=True, slots=True)
class State:
    """How many half-steps have been taken: everything else follows."""

    half: int = 0


def path_of(parameters: Parameters, method: str | None = None) -> Path:
    """The path of a method, the chosen one if none is named."""
    likelihood = likelihood_of(parameters)
    return path(likelihood, method or parameters.method, parameters.start, parameters.steps, parameters.step_size)


def init(parameters: Parameters, context: Context) -> State:
    """The start."""
    return State()


def step(state: State, parameters: Parameters, context: Context) -> State:
    """One half-step: fit a surrogate after an even number of them, else jump to its peak."""
    check(likelihood_of(parameters), path_of(parameters), parameters.method, state.half + 1)
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


def zoomed(window: tuple[float, float], way: Path, places: tuple[float, float]) -> tuple[float, float]:
    """The surroundings of the maximum that contain the places, inside of a window."""
    low, high = window
    reach = max(*(1.5 * abs(place - way.target) for place in places), CLOSEST * (high - low))
    return max(low, way.target - reach), min(high, way.target + reach)


def observe(state: State, parameters: Parameters, context: Context) -> Observation:
    """Curves, path and convergence."""
    likelihood, way, method = likelihood_of(parameters), path_of(parameters), parameters.method
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
        errors=np.stack([padded(path_of(parameters, each), parameters.steps) for each in METHODS]),
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


def padded(way: Path, steps: int) -> np.ndarray:
    """The errors of a path, with gaps after the place where it broke off."""
    return np.concatenate([way.errors, np.full(steps + 1 - len(way.theta), np.nan)])


def measured(likelihood: Likelihood, way: Path, parameters: Parameters, half: int) -> dict[str, float]:
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
