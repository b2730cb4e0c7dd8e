"""What a run of `mixture` is made of: the moment it stands at, and the way it came."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from engine.core.context import Context
from engine.core.errors import LabError
from engine.labs.em.mixture.data import Cloud, joined, open_cloud
from engine.labs.em.mixture.data_parameters import Matrix
from engine.labs.em.mixture.model import Found, model_of
from engine.labs.em.mixture.parameters import Parameters
from engine.labs.em.mixture.side_runs import SideRuns, begin_side_runs
from engine.labs.em.mixture.start import first_mixture
from engine.math.latent.laws import Collapse, Mixture

KEPT_STRIDES = 8
SMALLEST_STRIDE = 1e-7  # below, rounding makes the ratio of two


@dataclass(frozen=True, slots=True)
class Settings:
    """Whatever changes what a half-step does."""

    algorithm: str
    covariance: str
    floor: float
    learn_degrees: bool
    drawn: Matrix
    extra: tuple[float, ...] = ()  # what else the algorithm goes by


def settings_of(parameters: Parameters) -> Settings:
    """Those of the next half-step."""
    p = parameters
    extra = {
        "em": (p.relaxation,),
        "hard": (),
        "gradient": (p.learning_rate,),
        "online": (float(p.batch), p.forgetting),
    }[p.algorithm]
    return Settings(p.algorithm, p.covariance, p.floor, p.learn_degrees, p.drawn, extra)


@dataclass(frozen=True, slots=True)
class Record:
    """What one half-step brought."""

    half: int  # half-steps so far
    log_likelihood: float
    lower_bound: float  # NaN at the start
    slack: float  # how far the log-likelihood may fall here by rounding and by the floor
    settings: Settings | None  # what it was made with: only records of the same can be compared; None at the start
    drawn: Matrix  # the points it belongs to


@dataclass(frozen=True, slots=True)
class Stride:
    """One whole iteration."""

    old: Mixture
    new: Mixture
    length: float  # in the chart of the rates
    settings: Settings


@dataclass(slots=True)
class Trajectory:
    """The way before the present moment; it grows, and frames take copies."""

    records: list[Record] = field(default_factory=list)  # without that of the present moment
    means: list[Tensor] = field(default_factory=list)  # (K, d) on the CPU, after each M half-step, the start first
    strides: list[Stride] = field(default_factory=list)  # the last few above rounding


@dataclass(frozen=True, slots=True)
class Online:
    """A run in batches: what has arrived, and with what weight it is remembered."""

    shares: Tensor  # (K, n): responsibilities times the weight of each point; they add up to n
    queue: Tensor  # indices of points that have not come in this round, the next first
    batch: Tensor  # indices of the points that came last
    arrivals: int  # batches so far


@dataclass(frozen=True, slots=True)
class State:
    """One moment of a run: points, components, likelihood and bound belong to each other."""

    cloud: Cloud
    present: Mixture
    start: Mixture
    before: Mixture  # one iteration ago
    ahead: Found  # at the present components: the next E half-step, already looked up for its likelihood
    expected: Found | None  # of the last E half-step
    believed: Mixture | None  # the components of that half-step
    now: Record
    trajectory: Trajectory
    side: SideRuns
    phase: str
    halves: int
    iteration: int
    hard: bool  # whether `expected` gives points away whole
    online: Online | None = None  # what a run in batches has gathered
    made_with: Settings | None = None  # the M half-step that gave the present components, None at the start
    converged_with: tuple[Settings, float] | None = None

    @property
    def records(self) -> list[Record]:
        """All of them, that of the present moment last."""
        return [*self.trajectory.records, self.now]


def begin(parameters: Parameters, context: Context) -> State:
    """Data and start; the first look at all points."""
    cloud = open_cloud(parameters, context)
    start = model_of(parameters).begin(cloud.points, first_mixture(cloud, parameters, context))
    ahead = looked(cloud, start, parameters, context, 0)
    return State(
        cloud=cloud,
        present=start,
        start=start,
        before=start,
        ahead=ahead,
        expected=None,
        believed=None,
        now=Record(0, ahead.log_likelihood, math.nan, ahead.rounding, None, parameters.drawn),
        trajectory=Trajectory(means=[start.means.cpu()]),
        side=begin_side_runs(cloud, start, parameters, context),
        phase="start",
        halves=0,
        iteration=0,
        hard=parameters.algorithm == "hard",
    )


def looked(cloud: Cloud, mixture: Mixture, parameters: Parameters, context: Context, iteration: int) -> Found:
    """One look at all points."""
    try:
        return model_of(parameters).look(cloud.points, mixture, hard=parameters.algorithm == "hard", between=context.checkpoint)
    except Collapse as collapse:
        raise collapsed(collapse, cloud, iteration, parameters.floor) from None


def adapt(state: State, parameters: Parameters, context: Context) -> State:
    """The same moment with the points that the parameters have now; the components stay where they are."""
    if parameters.drawn == state.cloud.drawn:
        return state
    cloud = joined(state.cloud.base, parameters, state.cloud.centre)
    ahead = looked(cloud, state.present, parameters, context, state.iteration)
    expected = looked(cloud, state.believed, parameters, context, state.iteration) if state.believed else None
    bound = model_of(parameters).bound(cloud.points, expected, state.present) if expected else math.nan
    now = replace(
        state.now,
        log_likelihood=ahead.log_likelihood,
        lower_bound=bound,
        slack=ahead.rounding,
        settings=settings_of(parameters) if expected else None,
        drawn=parameters.drawn,
    )
    online = kept_online(state.online, state.cloud.count, cloud.count) if state.online else None
    return replace(
        state, online=online, cloud=cloud, ahead=ahead, expected=expected, now=now, hard=parameters.algorithm == "hard"
    )


def kept_online(online: Online, before: int, now: int) -> Online | None:
    """What was gathered, for other points: those added come next, and where some were erased the gathering begins anew."""
    if now < before:
        return None
    fresh = torch.arange(before, now, device=online.queue.device)
    shares = torch.cat([online.shares, online.shares.new_zeros((len(online.shares), now - before))], 1)
    return replace(online, shares=shares, queue=torch.cat([fresh, online.queue]))


def collapsed(collapse: Collapse, cloud: Cloud, iteration: int, floor: float) -> LabError:
    """The sentence."""
    away = ((cloud.points - collapse.mean[:, None]) / cloud.scale[:, None]).square().sum(0)
    nearest = int(away.argmin())
    place = (cloud.points[:, nearest] + cloud.centre).tolist()
    values = {
        "iteration": iteration,
        "component": collapse.component + 1,
        "point": nearest + 1,
        "place": ", ".join(f"{value:.4g}" for value in place[:4]) + (", …" if len(place) > 4 else ""),
    }
    if floor > 0:
        return LabError(
            "In iteration {iteration} component {component} near point {point} at ({place}) has become flat: "
            "the floor {floor:g} is too small for numbers of this size.",
            "Raise the floor, or use a simpler covariance.",
            **values,
            floor=floor,
        )
    if collapse.flat:
        return LabError(
            "In iteration {iteration} component {component} has become flat near point {point} at ({place}): "
            "a variance goes to 0 and the likelihood to infinity.",
            "Set a floor above 0, use fewer components or a simpler covariance, or start elsewhere.",
            **values,
        )
    return LabError(
        "In iteration {iteration} component {component} has collapsed onto point {point} at ({place}): "
        "its variance goes to 0 and the likelihood to infinity.",
        "Set a floor above 0, use fewer components or a simpler covariance, or start elsewhere.",
        **values,
    )
