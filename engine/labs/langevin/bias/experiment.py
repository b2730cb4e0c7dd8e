"""The price of a finite step: what Langevin samplers really sample on a parabola, beside the formulas that say so."""

from __future__ import annotations

import math

import numpy as np

from engine.core.context import Context
from engine.core.errors import LabError
from engine.core.experiment import Experiment
from engine.core.frames import Observation
from engine.labs.langevin.bias.chains import BINS, LAGS, SHOWN, TRACE, State, advance, binned, first_state, tuned
from engine.labs.langevin.bias.claims import CLAIMS, MEASURES, check_claims, estimates_of, measured
from engine.labs.langevin.bias.curves import cost_curves, variance_curves, view_of
from engine.labs.langevin.bias.laws import Setting, autocorrelation, distance, variance
from engine.labs.langevin.bias.parameters import Parameters
from engine.labs.langevin.bias.picture import Picture

GROWN = 1e6  # deviations of the target at which a run that diverges is stopped
PATIENCE = 300  # steps after which it is stopped in any case
LAW_POINTS = 241


def setting_of(parameters: Parameters) -> Setting:
    """What the law of the chains depends on."""
    friction = parameters.friction if parameters.sampler == "underdamped" else 1.0
    leapfrogs = parameters.leapfrog_steps if parameters.sampler == "hmc" else 1
    return Setting(parameters.sampler, parameters.step_size, parameters.sigma, parameters.temperature, friction, leapfrogs)


def init(parameters: Parameters, context: Context) -> State:
    """All chains at the start."""
    return first_state(setting_of(parameters), parameters.chains, parameters.start, context)


def step(state: State, parameters: Parameters, context: Context) -> State:
    """One step of every chain.

    Raises
    ------
    LabError
        If the step is beyond the limit and the growth has been seen.
    """
    state = tuned(state, setting_of(parameters))
    if state.setting.unstable and (state.law.square > GROWN**2 * state.setting.target or state.since >= PATIENCE):
        raise diverging(state.setting)
    return advance(state, context)


def diverging(setting: Setting) -> LabError:
    """Why there is no stationary law, with the limit."""
    values = {"step": f"{setting.step_size:g}", "limit": f"{setting.limit:g}"}
    if setting.sampler == "underdamped":
        return LabError(
            "The chains diverge: at ε = {step} every step overshoots; BAOAB is stable only below the limit 4σ² = {limit}.",
            "Take step_size below {limit}, or a larger sigma.",
            **values,
        )
    if setting.step_size == setting.limit:
        return LabError(
            "The chains diverge: at the limit ε = 4σ² = {limit} a step turns x into -x plus noise, and variance only grows.",
            "Take step_size below {limit}, a larger sigma, or a sampler with a Metropolis step (sampler = mala).",
            limit=values["limit"],
        )
    return LabError(
        "The chains diverge: at ε = {step} a step multiplies x by 1 - ε/(2σ²) = {factor}, and ULA is stable only below the"
        " limit 4σ² = {limit}.",
        "Take step_size below {limit}, a larger sigma, or a sampler with a Metropolis step (sampler = mala).",
        factor=f"{1 - 0.5 * setting.h:.4g}",
        **values,
    )


def total(parameters: Parameters, context: Context) -> int | None:
    """The length of the run, if it has one."""
    return parameters.steps or None


def stride(parameters: Parameters, step_number: int) -> int:
    """Every step while the chains leave their start, and while they run away; then every other one."""
    return 1 if step_number < 120 or setting_of(parameters).unstable else 2


# ---- what one sees -----------------------------------------------------------------------------------------------------


def observe(state: State, parameters: Parameters, context: Context) -> Observation:
    """Curves, dots, correlations, histogram, traces, measures and claims."""
    state = tuned(state, setting_of(parameters))
    setting = state.setting
    end = view_of(setting.h)
    square, target = setting.sigma**2, setting.target
    curves = variance_curves(end)
    cost = cost_curves(setting.standard(1.0), end)
    found = estimates_of(state)
    measures = measured(state, found)
    picture = Picture(
        pole_step=curves["pole_h"] * square,
        pole=curves["pole"] * target,
        printed_step=curves["printed_h"] * square,
        printed=curves["printed"] * target,
        dots=state.dots * np.array([1.0, square, target, target]),
        cost_step=cost["cost_h"] * square,
        worth=cost["worth"],
        accepted=cost["accepted"],
        lags=np.arange(LAGS + 1),
        correlation=correlation(state),
        theory_correlation=autocorrelation(setting.standard(setting.h), LAGS),
        **histogram(state),
        **traces(state, first=parameters.trace == "first"),
        trace_length=TRACE,
        view=end * square,
        factor=1 - 0.5 * setting.h,
        settled=state.settled,
        unstable=setting.unstable,
        missing=min(distance(state.law, setting), 1e9),
        changed=state.time - state.since,
    )
    return Observation(picture, measures, check_claims(state, found, measures))


def correlation(state: State) -> np.ndarray:
    """Measured correlations at lags 0 to LAGS, not a number before there are steps enough."""
    tally = state.tally
    if not tally.full:
        return np.full(LAGS + 1, np.nan)
    products = tally.products.cpu().numpy()  # device sync
    return products / products[0] if products[0] > 0 else np.full(LAGS + 1, np.nan)


def histogram(state: State) -> dict[str, np.ndarray]:
    """The cloud as it is now while it settles, all of its steps afterwards; the target and the stationary law beside it."""
    setting = state.setting
    edges = np.linspace(-state.reach, state.reach, BINS + 1)
    now = state.tally.count == 0
    counts = (binned(state) if now else state.tally.bins).cpu().numpy()  # device sync
    drawn = state.points.shape[1] * (1 if now else state.tally.count)
    grid = np.linspace(-state.reach, state.reach, LAW_POINTS)
    stationary = variance(setting)
    own = normal(grid, stationary) if math.isfinite(stationary) else np.full(LAW_POINTS, np.nan)
    return {
        "edges": edges,
        "density": counts / (drawn * np.diff(edges)),
        "grid": grid,
        "target": normal(grid, setting.target),
        "law": own,
    }


def normal(x: np.ndarray, square: float) -> np.ndarray:
    """The density of the normal law of mean zero."""
    found: np.ndarray = np.exp(-0.5 * x * x / square) / math.sqrt(2 * math.pi * square)
    return found


def traces(state: State, *, first: bool) -> dict[str, np.ndarray]:
    """The last steps (or the first since a change) of a few chains, with mean and deviation of all and by theory."""
    if first:
        rows_of = np.arange(min(state.since + 1, TRACE))
        steps, ring, exact = state.time - state.since + rows_of, state.first, state.first_exact
    else:
        steps = np.arange(max(0, state.time - TRACE + 1), state.time + 1)
        rows_of, ring, exact = steps % TRACE, state.ring, state.exact
    rows = ring.cpu().numpy().astype(float)[rows_of]  # device sync
    exact = exact[rows_of]
    return {
        "trace_steps": steps,
        "traces": rows[:, :SHOWN],
        "mean": rows[:, SHOWN],
        "deviation": rows[:, SHOWN + 1],
        "theory_mean": exact[:, 0],
        "theory_deviation": exact[:, 1],
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
    history=True,
    memory=("chains",),
)
