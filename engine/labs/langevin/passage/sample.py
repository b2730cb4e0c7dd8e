"""What the crossings so far say: means with particles still on the way, rates, shares, distances."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from engine.math.chains.passage_chain import ChainLaw
from engine.math.chains.passage_times import PassageLaw

FEWEST_LATE = 10  # crossings, below which nothing is said about those still on the way while they are the most
LATE_WANTED = 30  # crossings from which their wait is estimated, if the second half of the time has fewer
TRANSIENT = 4.0  # times 1/(λ₂ - λ₁), after which crossings come at a constant rate
KS_PLACES = 2000
KNOWN = 1e-3  # what particles still on the way may change of a share at most


@dataclass(frozen=True)
class Sample:
    """The crossings of a run.

    Parameters
    ----------
    sorted_steps : array of int, shape (k,)
        The steps in which particles crossed, ascending.
    particles : int
        All particles, crossed or not.
    steps : int
        Steps so far.
    step_size : float
        ε.
    bridge : bool
        Whether a crossing lies somewhere inside its step, on average in the middle, or counts at the end of it.
    """

    sorted_steps: np.ndarray
    particles: int
    steps: int
    step_size: float
    bridge: bool

    @property
    def crossed(self) -> int:
        """How many have crossed."""
        return len(self.sorted_steps)

    @property
    def survivors(self) -> int:
        """How many have not."""
        return self.particles - self.crossed

    @cached_property
    def times(self) -> np.ndarray:
        """The passage times, ascending."""
        return (self.sorted_steps - (0.5 if self.bridge else 0.0)) * self.step_size

    @property
    def time(self) -> float:
        """The time so far."""
        return self.steps * self.step_size

    def late(self, since: float) -> tuple[int, float]:
        """How many crossed after a time, and how long particles were on the way after it, added up."""
        first = int(np.searchsorted(self.times, since))
        risk = float((self.times[first:] - since).sum()) + self.survivors * max(0.0, self.time - since)
        return self.crossed - first, risk

    @cached_property
    def late_half(self) -> tuple[int, float]:
        """`late` since half of the time so far, or since earlier if few have crossed after that."""
        if not self.crossed:
            return 0, 0.0
        return self.late(min(0.5 * self.time, float(self.times[max(0, self.crossed - LATE_WANTED)])))

    def mean(self) -> float:
        """The mean passage time, not a number while too little is known.

        While particles are on the way, the mean up to now is Σ min(time, now)/N; each of those left is given the mean wait that
        crossings in the second half of the time show: time on the way over crossings (the estimate of an exponential tail).
        """
        if not self.survivors:
            return float(self.times.mean())
        crossings, risk = self.late_half
        if not self._tells(crossings):
            return math.nan
        up_to_now = (float(self.times.sum()) + self.survivors * self.time) / self.particles
        return up_to_now + self.survivors / self.particles * risk / crossings

    def standard_error(self, law: PassageLaw) -> float:
        """Of `mean`, from the variance of the exact law; the wait of those left adds its own."""
        spread = math.sqrt(law.variance)
        if not self.survivors:
            return spread / math.sqrt(self.particles)
        crossings = self.late_half[0]
        if not self._tells(crossings):
            return math.nan
        return spread * (1 / math.sqrt(self.particles) + self.survivors / self.particles / math.sqrt(crossings))

    def _tells(self, crossings: int) -> bool:
        """Whether so many late crossings say something about those still on the way."""
        return crossings >= FEWEST_LATE or (crossings > 0 and self.survivors < self.crossed)

    def late_rate(self, law: PassageLaw) -> tuple[float, int]:
        """Crossings per particle and time after the transient, and how many they are."""
        crossings, risk = self.late(transient(law))
        return (crossings / risk if risk > 0 and crossings else math.nan), crossings

    def within(self, budget: int) -> float:
        """The share that crossed in the first K steps, not a number before they are over."""
        if self.steps < budget and self.survivors:
            return math.nan
        return float(np.searchsorted(self.sorted_steps, budget, side="right")) / self.particles

    def within_rounds(self, budget: int, restart: float) -> tuple[float, float]:
        """The share that crosses before a restart, and the variance of what it is the mean of.

        A particle that needs r rounds of K steps lives so long with probability (1-p)^(r-1).
        """
        left = self.survivors / self.particles
        if left * (1 - restart) ** max(0, self.steps // budget - 1) > KNOWN:
            return math.nan, math.nan
        rounds = np.ceil(self.sorted_steps / budget)
        chances = (1 - restart) ** (rounds - 1)
        mean = float(chances.sum()) / self.particles
        return mean, float(np.square(chances).sum()) / self.particles - mean**2

    def distance(self, law: ChainLaw) -> float:
        """Kolmogorov-Smirnov distance to the chain's law, as far as it is known by now."""
        if not self.crossed:
            return math.nan
        every = max(1, self.crossed // KS_PLACES)
        at = self.sorted_steps[::every].astype(float)
        both = np.concatenate([at, at - 1])  # both are steps at whole numbers
        shares = np.searchsorted(self.sorted_steps, both, side="right") / self.particles
        return float(np.abs(shares - (1 - law.survival(both))).max())


def transient(law: PassageLaw) -> float:
    """The time after which crossings come at a constant rate."""
    return TRANSIENT / float(law.rates[1] - law.rates[0])
