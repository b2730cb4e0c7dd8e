"""What is computed beside a run of `mixture`: the fixed point ahead, a comparison, AIC and BIC over K, restarts.

Some work is done after each half-step, so that no frame waits long; whatever is left is done in steps after the last.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from torch import Tensor

from engine.core.context import Context
from engine.labs.em.mixture.data import Cloud
from engine.labs.em.mixture.data_parameters import Matrix
from engine.labs.em.mixture.model import Model, model_of
from engine.labs.em.mixture.parameters import Parameters
from engine.labs.em.mixture.start import start_shape
from engine.math.latent.gaussian_mixtures import Expectation, expectation, iterate
from engine.math.latent.gradient import ascend
from engine.math.latent.laws import Collapse, Mixture, Shape, check_extent
from engine.math.latent.rates import Arnoldi, Chart
from engine.math.latent.starts import begin, thinned
from engine.math.latent.variational import Posterior, Prior, elbo, updated, vague_prior
from engine.math.latent.variational import ascend as ascend_bound

MOST_LOOKED_AT = 20_000  # points of fits beside the run
MOST_ITERATIONS = 400  # of each of them
GAIN = 1e-10  # in the mean log-likelihood, below which it has converged
CHOICES = 8  # largest K of AIC and BIC
SECONDS_PER_NUMBER, SECONDS_PER_LOOK = 2e-9, 4e-4  # about what an iteration costs, to share work among the half-steps
SHARE = 4e-3  # seconds beside a half-step
LOOKAHEAD_NUMBERS = 2_000_000  # K n (d² + 3 d) up to which the fixed point is sought
MOST_AHEAD = 4000  # iterations
STILL = 1e-9  # stride at which the fixed point is reached


def iterations_per_share(count: int, components: int, dimension: int) -> int:
    """How many iterations of a fit go beside one half-step; from sizes alone, so that every machine sees the same frames."""
    cost = SECONDS_PER_LOOK + SECONDS_PER_NUMBER * count * components * (dimension + 5)
    return max(1, int(SHARE / cost))


@dataclass(slots=True)
class SideFit:
    """A run of its own, without half-steps."""

    points: Tensor
    scale: Tensor
    opening: Callable[[], Mixture]  # called when its turn has come
    algorithm: str
    model: Model
    shape: Shape
    floor: float
    rate: float = 0.1
    start: Mixture | None = None
    mixture: Mixture | None = None  # the next to be looked at
    looked: Mixture | None = None  # that of the last log-likelihood
    values: list[float] = field(default_factory=list)  # log-likelihoods, the start first
    done: bool = False
    collapsed: bool = False

    def advance(self, count: int, context: Context, *, stop: bool = True) -> int:
        """Up to so many iterations; returns how many there were."""
        for number in range(count):
            if self.done:
                return number
            try:
                self._once(context, stop)
            except Collapse:
                self.collapsed = self.done = True
        return count

    def _once(self, context: Context, stop: bool) -> None:
        if self.mixture is None:
            self.start = self.mixture = self.opening()
        old = self.mixture
        hard = self.algorithm == "hard"
        found = self.model.look(self.points, old, hard=hard, between=context.checkpoint)
        self.values.append(found.log_likelihood)
        self.looked = old
        if self.algorithm == "gradient":
            assert isinstance(found, Expectation)
            new = ascend(found.statistics, old, self.shape, self.floor, self.rate, self.scale)
            check_extent(new, found.counts, self.floor)
        else:
            new = self.model.fit(self.points, found, old)
        gain = self.values[-1] - self.values[-2] if len(self.values) > 1 else math.inf
        still = stop and abs(gain) <= GAIN * self.points.shape[1]
        self.done = still or (stop and len(self.values) >= MOST_ITERATIONS)
        self.mixture = new

    @property
    def final(self) -> float:
        """The newest log-likelihood, NaN after a collapse."""
        return math.nan if self.collapsed or not self.values else self.values[-1]


@dataclass(slots=True)
class FixedPoint:
    """EM to its fixed point, and the rate of convergence there."""

    mixture: Mixture
    objective: tuple[object, ...]  # covariance, floor and drawn points that it belongs to
    points: Tensor
    shape: Shape
    floor: float
    taken: int = 0
    limit: float = math.nan
    fixed: Mixture | None = None
    search: Arnoldi | None = None
    done: bool = False

    @property
    def rate(self) -> float:
        """The largest eigenvalue among the directions that the way excites, NaN while it is unknown."""
        return self.search.excited if self.search is not None and self.search.done else math.nan

    def image(self, mixture: Mixture) -> Mixture:
        """The EM map."""
        return iterate(self.points, mixture, self.shape, self.floor)[0]

    def advance(self, count: int, context: Context) -> None:
        """Up to so many iterations."""
        for _ in range(count):
            if self.done:
                return
            context.checkpoint()
            try:
                self._once()
            except Collapse:
                self.done = True

    def _once(self) -> None:
        if self.search is not None:
            self.search.advance(self.image)
            self.done = self.search.done
            return
        new, found = iterate(self.points, self.mixture, self.shape, self.floor)
        check_extent(new, found.statistics.counts, self.floor)
        self.taken += 1
        chart = Chart.at(self.mixture)
        direction = chart.vector(new)
        stride = float(direction.norm())
        self.mixture = new
        if stride < STILL:
            self.limit, self.fixed = found.log_likelihood, new
            self.search = Arnoldi.begin(Chart.at(new), direction)
        elif self.taken >= MOST_AHEAD:
            self.done = True


@dataclass(slots=True)
class BayesRun:
    """Variational Bayes from the same start, an iteration for each of the run."""

    points: Tensor
    prior: Prior
    posterior: Posterior
    drawn: Matrix
    bounds: list[float]
    kept: list[int]  # effective components after each iteration

    @staticmethod
    def begin(cloud: Cloud, law: Mixture, concentration: float, context: Context) -> BayesRun:
        """The law of the parameters after the responsibilities of some components."""
        few = thinned(cloud.points, MOST_LOOKED_AT)
        context.checkpoint()
        prior = vague_prior(few, concentration)
        found = updated(expectation(few, law, entropy=False).statistics, prior)
        run = BayesRun(few, prior, found, cloud.drawn, [], [])
        run.record()
        return run

    def record(self) -> None:
        """The bound and the components that are left."""
        self.bounds.append(elbo(self.points, self.posterior, self.prior))
        self.kept.append(self.posterior.effective(self.prior))

    def advance(self) -> None:
        """One iteration."""
        self.posterior = ascend_bound(self.points, self.posterior, self.prior)
        self.record()


@dataclass(slots=True)
class SideRuns:
    """All of it. The lists grow; frames take copies."""

    ahead: FixedPoint | None = None
    race: dict[str, SideFit] = field(default_factory=dict)
    choices: list[SideFit] = field(default_factory=list)
    restarts: list[SideFit] = field(default_factory=list)
    looked_at: int = 0
    bayes: BayesRun | None = None

    @property
    def queue(self) -> list[SideFit]:
        """Fits that are not finished, those of AIC and BIC first."""
        return [fit for fit in (*self.choices, *self.restarts) if not fit.done]


def begin_side_runs(cloud: Cloud, start: Mixture, parameters: Parameters, context: Context) -> SideRuns:
    """What is wanted, with nothing done yet."""
    found = SideRuns()
    model = model_of(parameters)
    common = (model, parameters.covariance, parameters.floor, parameters.learning_rate)
    if parameters.compare and parameters.family == "normal":
        kinds = ("em", "hard", "gradient")
        found.race = {kind: SideFit(cloud.points, cloud.scale, lambda: start, kind, *common) for kind in kinds}
    if parameters.bayes and parameters.family == "normal":
        found.bayes = BayesRun.begin(cloud, start, parameters.concentration, context)
    few = thinned(cloud.points, MOST_LOOKED_AT)
    found.looked_at = few.shape[1]

    def opening(kind: str, components: int, stream: str) -> Callable[[], Mixture]:
        generator = context.generator(stream)
        shape = start_shape(parameters)
        return lambda: model.begin(few, begin(few, components, kind, shape, parameters.floor, generator, context.checkpoint))

    if parameters.choose:
        for k in range(1, min(CHOICES, few.shape[1]) + 1):
            found.choices.append(SideFit(few, cloud.scale, opening("kmeans", k, "choices"), "em", *common))
    kind = "random" if parameters.start == "manual" else parameters.start
    for _ in range(parameters.restarts):
        found.restarts.append(SideFit(few, cloud.scale, opening(kind, parameters.components, "restarts"), "em", *common))
    return found


def tail(parameters: Parameters) -> int:
    """Steps after the last half-step, one for each fit that may still be unfinished."""
    return (CHOICES if parameters.choose else 0) + parameters.restarts


def follow(
    side: SideRuns, cloud: Cloud, present: Mixture, halves: int, last: int, parameters: Parameters, context: Context
) -> None:
    """The share of one half-step of so many; `last` is their number in the whole run."""
    share = iterations_per_share(min(cloud.count, MOST_LOOKED_AT), parameters.components, cloud.dimension)
    look_ahead(side, cloud, present, parameters, context, MOST_AHEAD + 100 if halves >= last else share)
    if halves % 2 == 0 and halves <= last:
        for fit in side.race.values():
            fit.advance(2 - min(1, len(fit.values)), context, stop=False)  # the start too, the first time
    if side.bayes is not None and halves % 2 == 0 and 0 < halves <= last:
        if side.bayes.drawn != cloud.drawn:  # other points: on from where the run stands
            side.bayes = BayesRun.begin(cloud, present, parameters.concentration, context)
        side.bayes.advance()
    if halves > last:  # after the last half-step: a whole fit
        for fit in side.queue[:1]:
            fit.advance(MOST_ITERATIONS, context)
        return
    left = share
    while left > 0 and (waiting := side.queue):
        left -= max(1, waiting[0].advance(left, context))


def objective_of(parameters: Parameters) -> tuple[object, ...]:
    """What the likelihood and its fixed points depend on."""
    return (parameters.covariance, parameters.floor, parameters.drawn)


def look_ahead(
    side: SideRuns, cloud: Cloud, present: Mixture, parameters: Parameters, context: Context, iterations: int
) -> None:
    """Seek the fixed point of EM from where the run stands now."""
    size = cloud.count * parameters.components * (cloud.dimension**2 + 3 * cloud.dimension)
    if not parameters.rate or parameters.family != "normal" or size > LOOKAHEAD_NUMBERS:
        side.ahead = None
        return
    objective = objective_of(parameters)
    if side.ahead is None or side.ahead.objective != objective:
        side.ahead = FixedPoint(present, objective, cloud.points, parameters.covariance, parameters.floor)
    side.ahead.advance(iterations, context)
