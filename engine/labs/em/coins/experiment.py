"""Two coins and nobody noted which was flipped: EM in five rows of a table."""

from __future__ import annotations

import numpy as np

from engine.core.context import Context
from engine.core.experiment import Experiment
from engine.core.frames import Observation
from engine.labs.em.coins.claims import CLAIMS, MEASURES, check_claims, measured_rate
from engine.labs.em.coins.parameters import Parameters, all_flips
from engine.labs.em.coins.picture import Picture
from engine.labs.em.coins.state import State
from engine.labs.em.coins.trajectory import NODES, FixedPoint, Surface, Trajectory, fixed_point, likelihood_surface, trajectory
from engine.math.latent.coins import Flips, hill


def run_of(parameters: Parameters, context: Context) -> tuple[Flips, Trajectory, FixedPoint, Surface]:
    """Data, trajectory, fixed point and the surface of the log-likelihood."""
    data = Flips(parameters.heads, all_flips(parameters))
    free = parameters.mixing == "free"
    given = (data, (parameters.start_a, parameters.start_b, parameters.weight_a), free, parameters.steps)
    way, end = context.once(trajectory, *given), context.once(fixed_point, *given)
    return data, way, end, context.once(likelihood_surface, data, None if free else parameters.weight_a)


def init(parameters: Parameters, context: Context) -> State:
    """The start."""
    return State()


def step(state: State, parameters: Parameters, context: Context) -> State:
    """One half-step: an E step after an even number of them, else an M step."""
    _, way, _, _ = run_of(parameters, context)
    way.check(state.half + 1)
    return State(state.half + 1)


def observe(state: State, parameters: Parameters, context: Context) -> Observation:
    """Table, landscape and path."""
    data, way, end, land = run_of(parameters, context)
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


def measured(data: Flips, way: Trajectory, end: FixedPoint, half: int) -> dict[str, float]:
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
