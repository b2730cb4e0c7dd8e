"""EM as alternating descent on one divergence: joint KL = marginal KL + gap, in a world small enough to see every cell."""

from __future__ import annotations

import numpy as np

from engine.core.context import Context
from engine.core.errors import LabError
from engine.core.experiment import Experiment
from engine.core.frames import Observation
from engine.labs.em.joint_kl.claims import CLAIMS, MEASURES, check_claims
from engine.labs.em.joint_kl.half_steps import World, binomial_rows, e_step, half_step, m_step, next_kind, slope
from engine.labs.em.joint_kl.parameters import Parameters
from engine.labs.em.joint_kl.picture import Picture
from engine.labs.em.joint_kl.state import State
from engine.math.numerics.divergences import Table, cross_entropy, entropy, exact_posterior, kl_terms

LEAST_COLUMNS = 16  # of the staircase: what is not yet gone is shown ahead
LEAST_AHEAD, MOST_AHEAD = 4, 48
NUMBERS = {"": 0, "E": 1, "M": 2}


# ---- the algorithm ---------------------------------------------------------------------------------------------------


def init(parameters: Parameters, context: Context) -> State:
    """The tables as given, and the half-steps taken by hand."""
    world = first_world(parameters, context)
    split = world.split()
    state = State(world, ("",), (split.marginal,), (split.gap,))
    for letter in parameters.moves.upper():
        state = moved(state, letter)
    return state


def step(state: State, parameters: Parameters, context: Context) -> State:
    """The half-step whose turn it is."""
    return moved(state, next_kind(parameters.order, state.kinds[-1]))


def moved(state: State, kind: str) -> State:
    """The state after an `E` or `M` half-step."""
    world = half_step(state.world, kind)
    split = world.split()
    return State(world, (*state.kinds, kind), (*state.marginal, split.marginal), (*state.gap, split.gap))


# ---- what follows from the parameters --------------------------------------------------------------------------------


def first_world(parameters: Parameters, context: Context) -> World:
    """The tables a run begins with.

    Raises
    ------
    LabError
        Where the divergence is infinite: the model excludes what the data show, or the table r believes what it excludes.
    """
    data, prior = law(parameters.data_distribution), law(parameters.prior)
    coins = np.array(parameters.coins if parameters.learn == "coins" else ())
    rows = binomial_rows(coins, len(data)) if len(coins) else np.array([law(row) for row in parameters.conditional])
    joint = prior * rows.T
    excluded = np.flatnonzero((data > 0) & (joint.sum(axis=1) == 0))
    if len(excluded):
        raise LabError(
            "The model gives value {value} probability 0, but the data show it: the divergence is infinite.",
            "Give at least one cause with a positive prior a positive probability of that value.",
            value=int(excluded[0]),
        )
    world = World(data, prior, rows, first_posterior(parameters, joint, context), parameters.learn, coins)
    impossible = np.argwhere((data[:, None] * world.posterior > 0) & (joint == 0))
    if len(impossible):
        raise LabError(
            "The table r believes that value {value} has cause {cause}, which the model excludes: the gap is infinite.",
            "Set that cell of posterior to 0, or the probability of the value under that cause above 0.",
            value=int(impossible[0][0]),
            cause=int(impossible[0][1]) + 1,
        )
    return world


def first_posterior(parameters: Parameters, joint: Table, context: Context) -> Table:
    """The given table r, or one as `start` says; only causes that the model allows are believed."""
    if parameters.posterior:
        return np.array([law(row) for row in parameters.posterior])
    possible = np.where(joint.sum(axis=1, keepdims=True) > 0, joint > 0, True)
    if parameters.start == "exact":
        return exact_posterior(joint)
    weights = possible.astype(float)
    if parameters.start == "random":  # uniform on the simplex of each row
        weights *= context.streams.numpy("start").exponential(size=joint.shape)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def law(numbers: tuple[float, ...]) -> Table:
    """A list of shares that adds up to one to the last digit; the model has refused those that are far from it."""
    shares = np.array(numbers, dtype=np.float64)
    return np.asarray(shares / shares.sum())


def total(parameters: Parameters, context: Context) -> int:
    """Half-steps of a run."""
    return parameters.steps


# ---- what one sees ---------------------------------------------------------------------------------------------------


def observe(state: State, parameters: Parameters, context: Context) -> Observation:
    """The tables, the way so far, and the way ahead."""
    world = state.world
    measures = measured(state)
    picture = Picture(
        data=world.data,
        model=world.joint.sum(axis=1),
        prior=world.prior,
        conditional=world.conditional,
        coins=world.coins,
        posterior=world.posterior,
        exact=exact_posterior(world.joint),
        completed=world.data[:, None] * world.posterior,
        joint=world.joint,
        terms=kl_terms(world.data[:, None] * world.posterior, world.joint),
        kinds=np.array([NUMBERS[kind] for kind in state.kinds]),
        marginal=np.array(state.marginal),
        gap=np.array(state.gap),
        **ahead(state, parameters),
        entropy=measures["data_entropy"],
    )
    tables = {
        "data_distribution": world.data.tolist(),
        "prior": world.prior.tolist(),
        "conditional": world.conditional.tolist(),
        "posterior": world.posterior.tolist(),
        "exact_posterior": picture.exact.tolist(),
        "model_distribution": picture.model.tolist(),
    }
    return Observation(picture, measures, check_claims(measures, state.kinds, state.marginal, state.gap), tables)


def measured(state: State) -> dict[str, float]:
    """The numbers of the present tables."""
    world = state.world
    split = world.split()
    closed = e_step(world)
    better = e_step(m_step(closed))
    return {
        "joint_kl": split.joint,
        "marginal_kl": split.marginal,
        "gap": split.gap,
        "log_likelihood": world.log_likelihood(),
        "lower_bound": world.lower_bound(),
        "data_entropy": entropy(world.data),
        "cross_entropy": cross_entropy(world.data, world.joint.sum(axis=1)),
        "posterior_entropy": float(sum(p * entropy(row) for p, row in zip(world.data, world.posterior, strict=True))),
        "next_round": max(0.0, split.marginal - better.split().marginal),
        "slope": slope(world),
        "half_steps": len(state.kinds) - 1,
    }


def ahead(state: State, parameters: Parameters) -> dict[str, np.ndarray]:
    """What the half-steps that follow would do, to show where the way leads."""
    gone = len(state.kinds) - 1
    count = max(LEAST_AHEAD, LEAST_COLUMNS - gone, parameters.steps + len(parameters.moves) - gone)
    for _ in range(min(count, MOST_AHEAD)):
        state = moved(state, next_kind(parameters.order, state.kinds[-1]))
    new = slice(gone + 1, None)
    return {
        "ahead_kinds": np.array([NUMBERS[kind] for kind in state.kinds[new]]),
        "ahead_marginal": np.array(state.marginal[new]),
        "ahead_gap": np.array(state.gap[new]),
    }


EXPERIMENT = Experiment(
    parameters=Parameters,
    init=init,
    step=step,
    observe=observe,
    measures=MEASURES,
    claims=CLAIMS,
    total=total,
    rate=5,
    history=True,
)
