"""What `mixture` measures and claims."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor

from engine.core.claims import Claim, ClaimSpec
from engine.core.experiment import Measure
from engine.core.messages import Message
from engine.labs.em.mixture.data import WHOLE
from engine.labs.em.mixture.model import model_of
from engine.labs.em.mixture.parameters import Parameters
from engine.labs.em.mixture.side_runs import FixedPoint
from engine.labs.em.mixture.state import Record, Settings, State, Stride, settings_of
from engine.math.latent.rates import distance

MEASURES = (
    Measure("log_likelihood", "Log-likelihood"),
    Measure("mean_log_likelihood", "Log-likelihood per point"),
    Measure("lower_bound", "Lower bound", optional=True),
    Measure("gap", "Gap between likelihood and bound", optional=True),
    Measure("aic", "AIC"),
    Measure("bic", "BIC"),
    Measure("iterations", "Full iterations"),
    Measure("converged", "Converged (1) or not yet (0)"),
    Measure("parameter_count", "Free parameters"),
    Measure("limit", "Log-likelihood at the fixed point ahead", optional=True),
    Measure("predicted_rate", "Missing share of information", optional=True),
    Measure("measured_rate", "Measured rate of convergence", optional=True),
    Measure("elbo", "Evidence lower bound of variational Bayes", optional=True),
    Measure("effective_components", "Components that variational Bayes keeps", optional=True),
    Measure("agreement", "Share of points in their true group", optional=True),
    Measure("best_components", "Components that BIC prefers", optional=True),
    Measure("best_restart", "Best log-likelihood of the restarts", optional=True),
    Measure("basins", "Distinct local maxima found by the restarts", optional=True),
)

CLAIMS = (
    ClaimSpec(
        "monotone",
        "No iteration lowers the likelihood: the largest fall, beyond rounding and what the floor costs.",
        r"\log L(\theta_{t+1})\ge\log L(\theta_t)",
    ),
    ClaimSpec(
        "touch",
        "After an E half-step the lower bound touches the likelihood: the gap is zero.",
        r"r_{ik}=p_\theta(k|x_i)\;\Rightarrow\;F(r,\theta)=\log L(\theta)",
    ),
    ClaimSpec(
        "chain",
        "What parts bound and likelihood is the divergence of the responsibilities from the posterior.",
        r"\log L(\theta)-F(r,\theta)=\sum_i KL\left(r_i\,\|\,p_\theta(\cdot|x_i)\right)",
    ),
    ClaimSpec(
        "bound",
        "An M half-step lifts the lower bound as far as it goes: the largest fall.",
        r"F(r,\theta_{t+1})\ge F(r,\theta_t)",
    ),
    ClaimSpec(
        "moments",
        "After an M half-step the mixture has the mean of the data, and their covariance as far as its shape can.",
        r"\sum_k\pi_k\mu_k=\bar x,\quad\sum_k\pi_k\left(\Sigma_k+\mu_k\mu_k^\top\right)=\overline{xx^\top}+\varepsilon I",
    ),
    ClaimSpec(
        "rate",
        "EM closes in at the rate of the missing information.",
        r"\frac{|\theta_{t+1}-\theta_t|}{|\theta_t-\theta_{t-1}|}\to\lambda_{\max}\left(I-I_{c}^{-1}I_{o}\right)",
    ),
    ClaimSpec(
        "elbo",
        "No iteration of variational Bayes lowers the evidence lower bound: the largest fall.",
        r"\mathcal{F}(q_{t+1})\ge\mathcal{F}(q_t)",
    ),
)

BAYES_ROUNDING = 1e-10  # of the evidence lower bound, relative
CHAIN_WORK = 1_000_000  # numbers (K n d) up to which the divergences are added up one by one
MOMENT_ROUNDING = 1e-8  # relative, after sums over millions of points
NEAR = 0.1  # of the fixed point, in the chart of the rates
ALIGNED = 0.1  # share of a stride off the slowest direction up to which its ratio is that of this direction


def check_claims(state: State, parameters: Parameters, ahead: FixedPoint | None) -> tuple[Claim, ...]:
    """The statements of the source; tolerances are rounding, the cost of the floor, and how settled the rate is."""
    hard, em = parameters.algorithm == "hard", parameters.algorithm == "em"
    records = state.records
    online = parameters.algorithm == "online"
    plain = Message("Hard EM climbs its own bound; the likelihood may fall and a gap stays." if hard else "")
    batches = Message("A batch knows its own points only: the likelihood of all may fall." if online else "")
    fall, allowed = largest_fall(records)
    first = CLAIMS[0].check(
        0.0, fall, allowed, enough=not hard and not online and math.isfinite(fall), remark=batches if online else plain
    )
    touch = last_touch(records)
    second = CLAIMS[1].check(0.0, touch[0], touch[1], enough=not hard and math.isfinite(touch[0]), remark=plain)
    divergence = total_divergence(state, parameters)
    gap = state.now.log_likelihood - state.now.lower_bound
    crowded = state.expected is not None and math.isnan(divergence)
    large = Message("There are too many points to add up their divergences in every frame." if crowded else "")
    third = CLAIMS[2].check(
        gap, divergence, 4 * state.ahead.rounding + 1e-9 * abs(gap), enough=state.expected is not None, remark=large
    )
    lift, slack = largest_drop(records)
    exact = em and parameters.relaxation == 1
    beyond = Message("An over-relaxed step goes beyond the top of the bound." if em and not exact else "")
    fourth = CLAIMS[3].check(
        0.0, lift, slack, enough=math.isfinite(lift) and not beyond and not online, remark=batches if online else beyond
    )
    keeps = parameters.family == "normal" or parameters.family in WHOLE
    made = exact and keeps and state.made_with == settings_of(parameters)
    off = moment_error(state, parameters) if made else math.nan
    other = Message("" if exact else "Only whole M half-steps keep the moments.")
    if not keeps:
        other = Message("These components weigh the points in another way: no moments are kept.")
    fifth = CLAIMS[4].check(0.0, off, MOMENT_ROUNDING, enough=made, remark=other)
    sixth = check_rate(state, parameters, ahead)
    return first, second, third, fourth, fifth, sixth, check_bayes(state)


def check_rate(state: State, parameters: Parameters, ahead: FixedPoint | None) -> Claim:
    """The rate, once the strides run along the slowest direction of a fixed point that is near."""
    spec = CLAIMS[5]
    if parameters.family != "normal":
        return spec.check(math.nan, math.nan, math.nan, remark=Message("The rate is predicted for normal components only."))
    if parameters.algorithm != "em" or parameters.relaxation != 1:
        return spec.check(math.nan, math.nan, math.nan)
    rate = ahead.rate if ahead is not None else math.nan
    strides = usable_strides(state.trajectory.strides, settings_of(parameters))
    measured = measured_rate(strides)
    if ahead is None or ahead.fixed is None or ahead.search is None or not math.isfinite(rate) or not math.isfinite(measured):
        return spec.check(rate, measured, math.nan, remark=Message("Not near enough to the fixed point yet."))
    away = distance(ahead.fixed, strides[-1].old)
    if away >= NEAR:
        return spec.check(rate, measured, math.nan, remark=Message("Not near enough to the fixed point yet."))
    astray = ahead.search.astray(strides[-2].old, strides[-2].new)
    if astray >= ALIGNED:
        return spec.check(rate, measured, math.nan, remark=Message("The strides do not run along the slowest direction yet."))
    return spec.check(rate, measured, 0.005 + 2 * (astray + away))


def check_bayes(state: State) -> Claim:
    """The bound of variational Bayes, where it runs beside."""
    run = state.side.bayes
    if run is None or len(run.bounds) < 2:
        off = "" if run is not None else "Variational Bayes is not switched on."
        return CLAIMS[6].check(0.0, math.nan, math.nan, remark=off)
    falls = [before - after for before, after in pairwise(run.bounds)]
    return CLAIMS[6].check(0.0, max(0.0, *falls), BAYES_ROUNDING * max(1.0, *map(abs, run.bounds)))


def comparable(records: list[Record]) -> list[tuple[Record, Record]]:
    """The records before and after each M half-step that may be held against each other.

    The responsibilities, the step and the parameters that it replaced must be of one kind: after a change of the covariances,
    say, the old ones may be better than the best of the new shape.
    """
    triples = zip(records, records[1:], records[2:], strict=False)
    return [
        (e, m)
        for old, e, m in triples
        if m.half % 2 == 0 and e.settings == m.settings and old.drawn == m.drawn and old.settings in (None, m.settings)
    ]


def largest_fall(records: list[Record]) -> tuple[float, float]:
    """The fall of the likelihood in an M half-step that exceeds its slack the most, and that slack."""
    return worst([(e.log_likelihood - m.log_likelihood, e.slack + m.slack) for e, m in comparable(records)])


def largest_drop(records: list[Record]) -> tuple[float, float]:
    """The same for the lower bound."""
    return worst([(e.lower_bound - m.lower_bound, e.slack + m.slack) for e, m in comparable(records)])


def worst(falls: list[tuple[float, float]]) -> tuple[float, float]:
    """The fall furthest above its slack, not below 0; NaN where there is none to look at."""
    if not falls:
        return math.nan, math.nan
    fall, slack = max(falls, key=lambda each: max(0.0, each[0]) - each[1])
    return max(0.0, fall), slack


def last_touch(records: list[Record]) -> tuple[float, float]:
    """Size of the gap after the last E half-step, and how far rounding may make it."""
    for record in reversed(records):
        if record.half % 2 and record.settings is not None:
            return abs(record.log_likelihood - record.lower_bound), 2 * record.slack
    return math.nan, math.nan


def total_divergence(state: State, parameters: Parameters) -> float:
    """Σ KL of what was believed from the posterior now, NaN where it is too much work or there are no responsibilities."""
    cloud = state.cloud
    if state.believed is None or cloud.count * cloud.dimension * state.present.components > CHAIN_WORK:
        return math.nan
    return model_of(parameters).divergence(cloud.points, state.believed, state.present, hard=state.hard)


def moment_error(state: State, parameters: Parameters) -> float:
    """Largest deviation of the mixture's first two moments from those of the data, in units of the data's deviations."""
    mixture, cloud = state.present, state.cloud
    unit = cloud.scale
    mean = cloud.points.mean(1)
    found = mixture.weights @ mixture.means
    if parameters.family in WHOLE:
        return float(((found - mean) / unit.clamp_min(1e-3)).abs().amax())
    outer = mixture.means[:, :, None] * mixture.means[:, None, :]
    second = (mixture.weights[:, None, None] * (mixture.covariances + outer)).sum(0)
    wanted = second_moment(cloud.points) + parameters.floor * torch.diag(torch.ones_like(unit))
    off = (second - wanted) / (unit[:, None] * unit)
    if parameters.covariance == "diagonal":
        off = off.diagonal()
    if parameters.covariance == "spherical":
        off = ((second - wanted).diagonal().mean() / unit.square().mean()).reshape(1)
    return max(float(((found - mean) / unit).abs().amax()), float(off.abs().amax()))


def second_moment(points: Tensor) -> Tensor:
    """Mean of x xᵀ, shape (d, d)."""
    return points @ points.mT / points.shape[1]


def usable_strides(strides: list[Stride], settings: Settings) -> list[Stride]:
    """The last ones, as far as they were made with these settings."""
    other = [at for at, stride in enumerate(strides) if stride.settings != settings]
    return strides[other[-1] + 1 :] if other else strides


def measured_rate(strides: list[Stride]) -> float:
    """The ratio of the last two of at least three strides, NaN where there are fewer."""
    return strides[-1].length / strides[-2].length if len(strides) > 2 else math.nan
