"""What `mixture` measures and claims."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from engine.core.claims import Claim, ClaimSpec
from engine.core.experiment import Measure
from engine.core.messages import Message
from engine.labs.em.mixture.beside import Lookahead
from engine.labs.em.mixture.parameters import Parameters
from engine.labs.em.mixture.run import Record, Run, key_of
from engine.math.latent.laws import log_joint, posterior
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
    Measure("agreement", "Share of points in their true group", optional=True),
    Measure("best_components", "Components that BIC prefers", optional=True),
    Measure("best_restart", "Best log-likelihood of the restarts", optional=True),
    Measure("basins", "Summits that the restarts found", optional=True),
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
)

CHAIN_WORK = 400_000  # numbers (K n d) up to which the divergences are added up one by one
MOMENT_ROUNDING = 1e-8  # relative, after sums over millions of points
SMALLEST_STRIDE = 1e-7  # below, rounding makes the ratio of two
NEAR = 0.1  # of the fixed point, in the chart of the rates


def check_claims(
    run: Run, parameters: Parameters, lookahead: Lookahead | None, measured: float, wobble: float
) -> tuple[Claim, ...]:
    """The statements of the source; tolerances are rounding, the cost of the floor, and how steady the rate is."""
    nan = math.nan
    hard, em = parameters.algorithm == "hard", parameters.algorithm == "em"
    records = run.trail.records
    plain = Message("Hard EM climbs its own bound; the likelihood may fall and a gap stays." if hard else "")
    fall, allowed = largest_fall(records)
    first = CLAIMS[0].check(0.0, fall, allowed, enough=not hard and math.isfinite(fall), remark=plain)
    touch = last_touch(records)
    second = CLAIMS[1].check(0.0, touch[0], touch[1], enough=not hard and math.isfinite(touch[0]), remark=plain)
    divergence = total_divergence(run)
    gap = run.ahead.log_likelihood - records[-1].lower_bound
    crowded = run.expected is not None and math.isnan(divergence)
    large = Message("There are too many points to add up their divergences in every frame." if crowded else "")
    third = CLAIMS[2].check(
        gap, divergence, 4 * run.ahead.rounding + 1e-9 * abs(gap), enough=run.expected is not None, remark=large
    )
    lift, slack = largest_drop(records)
    exact = em and parameters.relaxation == 1
    beyond = Message("An over-relaxed step goes beyond the top of the bound." if em and not exact else "")
    fourth = CLAIMS[3].check(0.0, lift, slack, enough=math.isfinite(lift) and not beyond, remark=beyond)
    made = exact and run.made_with == key_of(parameters)
    off = moment_error(run, parameters) if made else nan
    other = Message("" if exact else "Only whole M half-steps keep the moments.")
    fifth = CLAIMS[4].check(0.0, off, MOMENT_ROUNDING, enough=made, remark=other)
    rate = lookahead.rate if lookahead is not None else nan
    near = math.isfinite(rate) and lookahead is not None and lookahead.fixed is not None
    near = near and distance(lookahead.fixed, run.present) < NEAR  # type: ignore[union-attr, arg-type]
    known = exact and near and math.isfinite(measured) and wobble < NEAR**2
    early = Message("Not near enough to the fixed point yet." if exact and not known else "")
    sixth = CLAIMS[5].check(rate, measured, 0.01 + math.sqrt(wobble) if known else nan, enough=known, remark=early)
    return first, second, third, fourth, fifth, sixth


def comparable(records: list[Record]) -> list[tuple[Record, Record]]:
    """The records before and after each M half-step that may be held against each other.

    The responsibilities, the step and the parameters that it replaced must be of one kind: after a change of the covariances,
    say, the old ones may be better than the best of the new shape.
    """
    triples = zip(records, records[1:], records[2:], strict=False)
    return [(e, m) for old, e, m in triples if m.half % 2 == 0 and e.key == m.key and old.key in ((), m.key)]


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
        if record.half % 2 and record.key:
            return abs(record.log_likelihood - record.lower_bound), 2 * record.slack
    return math.nan, math.nan


def total_divergence(run: Run) -> float:
    """Σ KL(r || posterior) of the present parameters, NaN where it is too much work or there are no responsibilities."""
    cloud = run.cloud
    if run.believed is None or cloud.count * cloud.dimension * run.present.components > CHAIN_WORK:
        return math.nan
    r = posterior(cloud.points, run.believed, hard=run.hard)
    joint = log_joint(cloud.points, run.present)
    log_p = joint - torch.logsumexp(joint, 0)
    terms = torch.where(r > 0, r * (r.clamp_min(1e-300).log() - log_p), 0.0)
    return float(terms.sum())


def moment_error(run: Run, parameters: Parameters) -> float:
    """Largest deviation of the mixture's first two moments from those of the data, in units of the data's deviations."""
    mixture, cloud = run.present, run.cloud
    unit = cloud.scale
    mean = cloud.points.mean(1)
    found = mixture.weights @ mixture.means
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


def measured_rate(strides: list[float]) -> tuple[float, float]:
    """The ratio of the last two strides above rounding, and how much it has changed over five of them."""
    usable = [stride for stride in strides if stride > SMALLEST_STRIDE]
    if len(usable) < len(strides):  # stop at the first below
        usable = strides[: next(index for index, stride in enumerate(strides) if stride <= SMALLEST_STRIDE)]
    if len(usable) < 3:
        return math.nan, math.inf
    ratios = [after / before for before, after in zip(usable[-7:], usable[-6:], strict=False)]
    wobble = max(ratios[-6:]) - min(ratios[-6:]) if len(ratios) >= 6 else math.inf
    return ratios[-1], wobble
