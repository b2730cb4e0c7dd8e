"""Two coins and nobody noted which was flipped: EM in five rows of a table."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from engine.core.context import Context
from engine.core.experiment import Experiment
from engine.core.frames import GAPS, Observation, unit
from engine.core.parameters import LabParameters, Ui, problem
from engine.labs.em.coins.claims import CLAIMS, MEASURES, check_claims, measured_rate
from engine.labs.em.coins.path import NODES, Landscape, Path, Rest, landscape, path, rest
from engine.math.latent.coins import Flips, hill

MOST_SETS = 60
MOST_FLIPS = 1000


class Parameters(LabParameters):
    """Sets of flips, each made with one of two coins."""

    heads: Annotated[
        tuple[int, ...],
        Ui("Heads", symbol="h", group="Flips", help="Number of heads in each set. A click into the table changes it, too."),
    ] = (5, 9, 8, 4, 7)
    flips: Annotated[
        tuple[int, ...],
        Ui("Flips", symbol="n", group="Flips", help="Number of flips in each set; a single number holds for all sets."),
    ] = (10,)
    start_a: Annotated[
        float, Field(gt=0, lt=1), Ui("Start of coin A", symbol="θ_A", group="Start", help="First guess of the bias of coin A.")
    ] = 0.6
    start_b: Annotated[
        float, Field(gt=0, lt=1), Ui("Start of coin B", symbol="θ_B", group="Start", help="First guess of the bias of coin B.")
    ] = 0.5
    mixing: Annotated[
        Literal["fixed", "free"],
        Ui(
            "Mixing weight",
            group="Start",
            choices={"fixed": "Fixed", "free": "Free"},
            help="Whether the probability of taking coin A stays as given, or is estimated as well.",
        ),
    ] = "fixed"
    weight_a: Annotated[
        float,
        Field(gt=0, lt=1),
        Ui(
            "Weight of coin A",
            symbol="w",
            group="Start",
            help="Probability of taking coin A: kept if fixed, else the first guess.",
        ),
    ] = 0.5
    steps: Annotated[
        int,
        Field(ge=1, le=400),
        Ui("Iterations", scale="log", group="Run", help="Full iterations: an E step and an M step each."),
    ] = 10
    bound: Annotated[
        bool,
        Ui("Show the bound", effect="view", group="Picture", help="Level lines of the lower bound that the M step climbs."),
    ] = True

    @model_validator(mode="after")
    def check_sets(self) -> Self:
        """Heads and flips belong together."""
        if not 1 <= len(self.heads) <= MOST_SETS:
            raise problem(
                "heads", "heads lists {count} sets; from 1 to {most} can be shown.", count=len(self.heads), most=MOST_SETS
            )
        if len(self.flips) not in (1, len(self.heads)):
            raise problem(
                "flips",
                "flips lists {flips} sets and heads {heads}: give as many, or one number for all.",
                flips=len(self.flips),
                heads=len(self.heads),
            )
        for number, (heads, flips) in enumerate(zip(self.heads, all_flips(self), strict=True), start=1):
            if not 1 <= flips <= MOST_FLIPS:
                raise problem(
                    "flips",
                    "Set {number} has {flips} flips; from 1 to {most} are allowed.",
                    number=number,
                    flips=flips,
                    most=MOST_FLIPS,
                )
            if not 0 <= heads <= flips:
                raise problem(
                    "heads", "Set {number} has {heads} heads among {flips} flips.", number=number, heads=heads, flips=flips
                )
        return self


@dataclass(frozen=True, slots=True)
class Picture:
    """What the panel draws."""

    half: int  # half-steps taken
    heads: np.ndarray  # (n,)
    flips: np.ndarray  # (n,)
    parameters: np.ndarray  # (3,): θ_A, θ_B and w now
    shares: np.ndarray  # (n, 2)
    counts: np.ndarray  # (n, 2 coins, 2 sides): expected heads and tails
    way: np.ndarray  # (K + 1, 3): the whole path
    log_likelihood: np.ndarray = field(metadata=unit("nat"))  # (2 K + 1,): after each half-step of the whole path
    lower_bound: np.ndarray = field(metadata=unit("nat"))  # (2 K + 1,)
    errors: np.ndarray = field(metadata=GAPS)  # (K + 1,): distance to the place of rest
    rates: np.ndarray = field(metadata=GAPS)  # (2,) or (3,)
    surface: np.ndarray = field(metadata=unit("nat"))  # (m, m): log-likelihood less the highest one; rows belong to θ_B
    hill: np.ndarray = field(metadata=unit("nat"))  # (m, m): lower bound less its peak
    maximum: np.ndarray  # (3,): by direct maximisation
    twin: bool  # the coins can be exchanged
    profile: bool  # the surface takes the best weight at every point
    identical: bool  # both coins start alike


@dataclass(frozen=True, slots=True)
class State:
    """How many half-steps have been taken: everything else follows."""

    half: int = 0


def all_flips(parameters: Parameters) -> tuple[int, ...]:
    """The number of flips of every set."""
    return parameters.flips * len(parameters.heads) if len(parameters.flips) == 1 else parameters.flips


def run_of(parameters: Parameters) -> tuple[Flips, Path, Rest, Landscape]:
    """Data, path, place of rest and landscape."""
    data = Flips(parameters.heads, all_flips(parameters))
    free = parameters.mixing == "free"
    given = (data, (parameters.start_a, parameters.start_b, parameters.weight_a), free, parameters.steps)
    return data, path(*given), rest(*given), landscape(data, None if free else parameters.weight_a)


def init(parameters: Parameters, context: Context) -> State:
    """The start."""
    return State()


def step(state: State, parameters: Parameters, context: Context) -> State:
    """One half-step: an E step after an even number of them, else an M step."""
    _, way, _, _ = run_of(parameters)
    way.check(state.half + 1)
    return State(state.half + 1)


def observe(state: State, parameters: Parameters, context: Context) -> Observation:
    """Table, landscape and path."""
    data, way, end, land = run_of(parameters)
    now, shares = way.at(state.half)
    counts = data.expected_counts(shares)
    exchangeable = parameters.mixing == "free" or parameters.weight_a == 0.5
    highest = land.maximum
    if exchangeable and (way.parameters[-1, 0] < way.parameters[-1, 1]) != (highest[0] < highest[1]):
        highest = np.array([highest[1], highest[0], 1 - highest[2]])  # the twin on this side of the diagonal
    picture = Picture(
        half=state.half,
        heads=data.h.astype(np.int64),
        flips=(data.h + data.t).astype(np.int64),
        parameters=now,
        shares=shares,
        counts=counts,
        way=way.parameters,
        log_likelihood=way.log_likelihood,
        lower_bound=way.lower_bound,
        errors=end.errors,
        rates=end.rates,
        surface=land.values - land.highest,
        hill=hill(data, shares, NODES),
        maximum=highest,
        twin=exchangeable,
        profile=parameters.mixing == "free",
        identical=parameters.start_a == parameters.start_b,
    )
    tables = {
        "responsibilities": shares.tolist(),
        "expected_heads": counts[:, :, 0].tolist(),
        "expected_tails": counts[:, :, 1].tolist(),
        "path": way.parameters[: state.half // 2 + 1].tolist(),
    }
    measures = measured(data, way, end, state.half)
    measures |= {
        "maximum_log_likelihood": land.highest,
        "maximum_theta_a": highest[0],
        "maximum_theta_b": highest[1],
        "shortfall": max(0.0, land.highest - measures["log_likelihood"]),
    }
    ordered = {spec.name: measures[spec.name] for spec in MEASURES}
    return Observation(picture, ordered, check_claims(way, end, state.half), tables)


def measured(data: Flips, way: Path, end: Rest, half: int) -> dict[str, float]:
    """The numbers after so many half-steps."""
    now, _ = way.at(half)
    likelihood = float(way.log_likelihood[half])
    return {
        "theta_a": now[0],
        "theta_b": now[1],
        "mixing_weight": now[2],
        "log_likelihood": likelihood,
        "lower_bound": way.lower_bound[half],
        "gap": way.gap[half],
        "rate": end.rates[0],
        "measured_rate": measured_rate(end, half // 2)[0],
        "log_likelihood_of_order": likelihood - float(data.log_orders.sum()),
    }


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
