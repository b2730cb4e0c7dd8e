"""Many chains on U = x²/(2σ²): their steps, what is summed up over them, and the exact law that moves beside them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from engine.core.context import Context
from engine.labs.langevin.bias.laws import (
    SAMPLERS,
    Moving,
    Setting,
    acceptance_and_lag_one,
    distance,
    moved,
    moving_from,
    sticky,
    variance,
)
from engine.math.chains.samplers import baoab, hmc, mala, ula
from engine.math.numerics.precision import wide_dtype
from engine.math.numerics.statistics import tolerance

TRACE = 160  # steps that the traces show
SHOWN = 4  # chains that are traced
LAGS = 30
BINS = 96
SETTLED = 0.005  # relative distance to the stationary moments at which measuring begins
ARRIVED = 1e-9  # below which the law is taken as stationary
CHECKED = 200  # steps of a transient that are held against the exact law
RARE_LEVEL = tolerance(1.0, 1e-4 / (2 * CHECKED))  # standard errors that the largest of so many distances keeps
MOST_DOTS = 400


@dataclass(frozen=True, slots=True)
class ChainSums:
    """Sums over steps since the chains have settled, in units of the target. Tensors are added to in place."""

    count: int
    sums: Tensor  # (5, N): z, z², z⁴, z times the z before, accepted
    ring: Tensor  # (LAGS + 1, N): the last values of every chain
    products: Tensor  # (LAGS + 1,): means of z times the z so many steps before, summed over steps
    full: int  # steps with all lags
    bins: Tensor  # (BINS,)
    excess: float  # sum of what the exact second moment still lacks from the stationary one


@dataclass(frozen=True, slots=True)
class State:
    """Chains, the law they should have by now, and what was measured."""

    setting: Setting
    points: Tensor  # (1, N)
    velocities: Tensor | None  # (1, N)
    law: Moving
    sure: bool  # whether the law is exact: after a change of a Metropolis sampler it is taken up as a normal one
    time: int  # steps since the start
    since: int  # steps since the last change
    settled: bool
    reach: float  # of the histogram, on both sides
    tally: ChainSums
    taken: Tensor | None  # (N,) bool: accepted in the last step
    ring: Tensor  # (TRACE, SHOWN + 2): traced chains, mean and deviation of all
    exact: np.ndarray  # (TRACE, 2): mean and deviation by theory
    first: Tensor  # the same of the first steps since the last change
    first_exact: np.ndarray
    worst: Tensor  # (2,): largest distance of mean and variance from theory, in standard errors
    dots: np.ndarray  # (k, 4): sampler, h, variance and its standard error in units of the target


def first_state(setting: Setting, chains: int, start: float, context: Context) -> State:
    """All chains at one point, `start` deviations of the target from its middle."""
    place = start * setting.unit
    points = torch.full((1, chains), place, device=context.device)
    law = moving_from(place, 0.0, setting)
    ring = torch.full((TRACE, SHOWN + 2), math.nan, device=context.device)
    exact = np.full((TRACE, 2), np.nan)
    state = State(
        setting=setting,
        points=points,
        velocities=None,
        law=law,
        sure=law.known,
        time=0,
        since=0,
        settled=False,
        reach=reach_of(setting),
        tally=empty_tally(points),
        taken=None,
        ring=ring,
        exact=exact,
        first=ring.clone(),
        first_exact=exact.copy(),
        worst=torch.zeros(2, dtype=wide_dtype(context.device), device=context.device),
        dots=np.empty((0, 4)),
    )
    record(state)
    return state


def empty_tally(points: Tensor) -> ChainSums:
    """Nothing summed up yet."""
    chains, device = points.shape[1], points.device
    wide = wide_dtype(device)
    return ChainSums(
        count=0,
        sums=torch.zeros((5, chains), dtype=wide, device=device),
        ring=torch.zeros((LAGS + 1, chains), device=device),
        products=torch.zeros(LAGS + 1, dtype=wide, device=device),
        full=0,
        bins=torch.zeros(BINS, dtype=torch.int64, device=device),
        excess=0.0,
    )


def reach_of(setting: Setting) -> float:
    """Half the width of the histogram: the wider one of the target and the stationary law."""
    stationary = variance(setting)
    wider = math.sqrt(max(1.0, stationary / setting.target)) if math.isfinite(stationary) else 6.0
    return 4.2 * wider * setting.unit


def tuned(state: State, setting: Setting) -> State:
    """The state under another setting: chains stay where they are, what was measured becomes a dot, measuring begins anew."""
    if setting == state.setting:
        return state
    old, law = state.setting, state.law
    known = law.known and math.isfinite(law.variance)
    mean, spread = (law.mean, math.sqrt(law.variance)) if known else (0.0, old.unit)
    carried = moving_from(mean, spread, setting)
    if setting.sampler == "ula":
        carried = Moving(mean, spread**2, known=known)
    same_velocities = setting.sampler == "underdamped" == old.sampler
    if same_velocities and law.phase is not None and (old.sigma, old.temperature) == (setting.sigma, setting.temperature):
        carried = carried._replace(phase=law.phase)  # with the velocities it had
    else:
        same_velocities = False
    first, first_exact = torch.full_like(state.first, math.nan), np.full_like(state.first_exact, np.nan)
    first[0], first_exact[0] = state.ring[state.time % TRACE], state.exact[state.time % TRACE]
    return replace(
        state,
        setting=setting,
        first=first,
        first_exact=first_exact,
        velocities=state.velocities if same_velocities else None,
        law=carried if known else carried._replace(known=False),
        sure=state.sure and known and carried.known and carried.parts is None and law.parts is None,
        since=0,
        settled=False,
        reach=reach_of(setting),
        tally=empty_tally(state.points),
        taken=None,
        worst=torch.zeros_like(state.worst),
        dots=with_dot(state),
    )


def with_dot(state: State) -> np.ndarray:
    """The measured variances with the present one, if there is one; of nearly the same step the better one stays."""
    count = state.tally.count
    if not count or state.setting.unstable:
        return state.dots
    squares = state.tally.sums[1] / count
    value, error = float(squares.mean()), float(squares.std()) / math.sqrt(squares.numel())
    setting = state.setting
    dot = np.array([SAMPLERS.index(setting.sampler), setting.h, value, error])
    dots = state.dots
    near = (dots[:, 0] == dot[0]) & (np.abs(dots[:, 1] / dot[1] - 1) < 0.004)
    if (near & (dots[:, 3] < error)).any():
        return dots
    return np.vstack([dots[~near], dot])[-MOST_DOTS:]


def advance(state: State, context: Context) -> State:
    """One step of every chain and of the exact law, and all sums."""
    setting = state.setting
    points, velocities, taken = one_step(state, context)
    state = replace(
        state,
        points=points,
        velocities=velocities,
        taken=taken,
        law=state.law if arrived(state) else moved(state.law, setting),
        time=state.time + 1,
        since=state.since + 1,
    )
    record(state)
    if state.settled:
        state = replace(state, tally=counted(state))
    elif is_settled(state):  # the next step is the first to be measured
        keep(state.tally, points[0] / setting.unit, 0)
        state = replace(state, settled=True)
    return state


def one_step(state: State, context: Context) -> tuple[Tensor, Tensor | None, Tensor | None]:
    """New points, velocities, and which proposals were accepted."""
    setting, x = state.setting, state.points
    curvature = 1 / setting.sigma**2
    step, heat = setting.step_size, setting.temperature
    noise = torch.randn(x.shape, generator=context.generator("noise"), device=x.device)

    def gradient(at: Tensor) -> Tensor:
        return at * curvature

    def both(at: Tensor) -> tuple[Tensor, Tensor]:
        return (at.square() * (0.5 * curvature))[0], at * curvature

    if setting.sampler == "ula":
        return ula(x, gradient(x), step, heat, noise), None, None
    if setting.sampler == "underdamped":
        speed = state.velocities
        if speed is None:
            speed = torch.randn(x.shape, generator=context.generator("velocity"), device=x.device) * math.sqrt(heat)
        moved_points, speed, _ = baoab(x, speed, gradient(x), step, heat, setting.friction, noise, gradient)
        return moved_points, speed, None
    uniform = torch.rand(x.shape[1], generator=context.generator("uniform"), device=x.device)
    energy, slope = both(x)
    if setting.sampler == "hmc":
        found = hmc(x, energy, slope, step, heat, setting.leapfrogs, noise, uniform, gradient, both)
    else:
        share = 1.0 if setting.sampler == "mala_printed" else 0.5
        found = mala(x, energy, slope, step, heat, noise, uniform, both, drift_share=share)
    return found.points, None, found.accepted


def is_settled(state: State) -> bool:
    """Whether the law has come near the stationary one; by a rule of thumb where it is not known."""
    if state.setting.unstable:
        return False
    if state.law.known:
        return distance(state.law, state.setting) < SETTLED
    return not sticky(state.setting) and state.since > steps_to_forget(state.setting)


def steps_to_forget(setting: Setting) -> float:
    """Steps until a start is forgotten, e⁻¹² of it left, by the correlation of neighbours; infinite for a chain that turns in
    circles and is not ergodic: Hamiltonian paths of a whole or half turn end where they began, or opposite."""
    slowness = 1 - abs(acceptance_and_lag_one(setting)[1])
    return 12 / slowness if slowness > 1e-12 else math.inf


def arrived(state: State) -> bool:
    """Whether the law no longer moves."""
    return state.settled and state.law.known and distance(state.law, state.setting) < ARRIVED


def record(state: State) -> None:
    """Note where the chains are now, and how far that is from theory."""
    x, row = state.points[0], state.time % TRACE
    mean, spread = x.mean(), x.std()
    state.ring[row, :SHOWN] = x[:SHOWN]
    state.ring[row, SHOWN] = mean
    state.ring[row, SHOWN + 1] = spread
    law = state.law
    known = law.known and math.isfinite(law.variance)
    state.exact[row] = (law.mean, math.sqrt(law.variance)) if known else (math.nan, math.nan)
    if state.since < TRACE:
        state.first[state.since], state.first_exact[state.since] = state.ring[row], state.exact[row]
    if state.sure and 0 < state.since <= CHECKED and law.variance > 0:
        chains = x.numel()
        single = math.sqrt(law.variance)
        if law.parts is not None and law.kernel is not None:  # Bernstein's bound: few chains may have moved, and far
            single += RARE_LEVEL / 3 * (abs(law.mean) + float(law.kernel.z[-1]) * state.setting.unit) / math.sqrt(chains)
        gaps = torch.stack([(mean - law.mean) / single, (spread.square() / law.variance - 1) / math.sqrt(2)])
        if law.parts is not None:  # not a normal law on its way: its variance strays by more than a normal one's
            gaps[1] = 0
        torch.maximum(state.worst, gaps.abs().to(state.worst.dtype) * math.sqrt(chains), out=state.worst)


def keep(tally: ChainSums, z: Tensor, place: int) -> None:
    """Put the values of all chains into the ring."""
    tally.ring[place % (LAGS + 1)] = z


def counted(state: State) -> ChainSums:
    """The sums with the present step."""
    tally, setting = state.tally, state.setting
    z = state.points[0] / setting.unit
    count = tally.count + 1
    before = tally.ring[(count - 1) % (LAGS + 1)]
    squares = z * z
    tally.sums[0] += z
    tally.sums[1] += squares
    tally.sums[2] += squares * squares
    tally.sums[3] += z * before
    if state.taken is not None:
        tally.sums[4] += state.taken
    keep(tally, z, count)
    full = tally.full
    if count >= LAGS:
        by_row = (tally.ring @ z) / z.numel()
        order = (count - torch.arange(LAGS + 1, device=z.device)) % (LAGS + 1)
        tally.products.add_(by_row[order])
        full += 1
    tally.bins.add_(binned(state))
    stationary = variance(setting)
    excess = (state.law.square - stationary) / setting.target if state.law.known else 0.0
    return replace(tally, count=count, full=full, excess=tally.excess + excess)


def binned(state: State) -> Tensor:
    """Counts of the present points in BINS equal bins over the reach; those outside are left out."""
    place = torch.floor((state.points[0] / state.reach + 1) * (0.5 * BINS)).clamp_(-1, BINS).to(torch.int32)
    return torch.bincount(place + 1, minlength=BINS + 2)[1:-1]
