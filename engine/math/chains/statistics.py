"""How well chains mix: autocorrelation, integrated time, effective sample size, R-hat, and the same while a swarm runs.

Chains are tensors of shape (chains, length) of one coordinate. Results are computed in double precision where there is one.

References
----------
Sokal (1997), Monte Carlo methods in statistical mechanics: foundations and new algorithms.
Geyer (1992), Practical Markov chain Monte Carlo, Statistical Science 7.
Vehtari, Gelman, Simpson, Carpenter, Bürkner (2021), Rank-normalization, folding, and localization: an improved R-hat,
Bayesian Analysis 16.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from engine.math.numerics.precision import wide_dtype

# --------------------------------------------------------------------------------------------------------------------
# Whole chains


def autocovariance(chains: Tensor, longest: int | None = None) -> Tensor:
    """Autocovariances Σ_n (x_n - mean)(x_(n+k) - mean) / length at the lags k = 0, ..., of many chains at once, by FFT.

    Parameters
    ----------
    chains : Tensor, shape (..., length)
        Each has its own mean taken away.
    longest : int, optional
        Largest lag; length - 1 without it.

    Returns
    -------
    Tensor, shape (..., longest + 1)
        Divided by the length at every lag, the estimate of smaller error.
    """
    wide = chains.to(wide_dtype(chains.device))
    length = wide.shape[-1]
    lags = length if longest is None else min(longest + 1, length)
    centred = wide - wide.mean(-1, keepdim=True)
    size = 1 << (2 * length - 1).bit_length()  # zeros behind the chain, or it would be correlated around its end
    power = torch.fft.rfft(centred, size).abs().square_()
    found: Tensor = torch.fft.irfft(power, size)[..., :lags] / length
    return found


def autocorrelation(chains: Tensor, longest: int | None = None) -> Tensor:
    """Autocorrelations at the lags 0, 1, ..., of each chain about its own mean; nan for a chain that does not move."""
    covariance = autocovariance(chains, longest)
    return covariance / covariance[..., :1]


def integrated_time(chains: Tensor, window: float = 5.0) -> float:
    """Integrated autocorrelation time τ = 1 + 2 Σ_(k <= M) ρ_k, summed to the first M >= window · max(τ(M), 1) (Sokal 1997).

    ρ is the mean over the chains. A mean over n steps has the variance of n/τ independent draws. At least `window` lags are
    summed, since the signs of anticorrelated chains alternate.

    Parameters
    ----------
    chains : Tensor, shape (chains, length)
    window : float
        About 5 for autocorrelations that fall like exp(-k/τ).

    Returns
    -------
    float
        nan for chains that do not move.
    """
    correlation = autocorrelation(chains).mean(0)
    times = 2.0 * torch.cumsum(correlation, 0) - 1.0
    wide_enough = torch.arange(len(times), device=times.device) >= window * times.clamp_min(1.0)
    last = int(torch.argmax(wide_enough.int())) if bool(wide_enough.any()) else len(times) - 1
    return float(times[last])


def effective_sample_size(chains: Tensor, split: bool = True) -> float:
    """Number of independent draws whose mean is as accurate as the mean of all chains.

    Correlations at lag k count what the chains disagree about: ρ_k = 1 - (W - mean autocovariance)/var⁺, with W the mean
    variance within and var⁺ the estimate that includes the variance between the chains. They are summed in pairs as long as the
    pairs are positive, made monotone (Geyer 1992). The estimate of Stan and ArviZ (Vehtari et al. 2021, equations 10 to 13,
    without rank normalisation).

    Parameters
    ----------
    chains : Tensor, shape (chains, length)
        At least 4 steps.
    split : bool
        Cut each chain in two halves, so that a drift counts as disagreement.

    Returns
    -------
    float
        At most C log₁₀ C for C draws in all, since anticorrelated chains may beat independent draws; nan for chains that do not
        move or have values that are not finite.
    """
    values = _halves(chains) if split else chains.to(wide_dtype(chains.device))
    count, length = values.shape
    draws = count * length
    if length < 4 or not bool(torch.isfinite(values).all()):
        return math.nan
    covariance = autocovariance(values).mean(0)
    within = float(covariance[0]) * length / (length - 1)
    plus = float(covariance[0]) + (float(values.mean(1).var()) if count > 1 else 0.0)
    if not plus > 0.0:
        return math.nan
    correlation = (1.0 - (within - covariance) / plus).tolist()
    correlation[0] = 1.0
    time = max(_geyer_sum(correlation), 1.0 / math.log10(draws))
    return draws / time


def _geyer_sum(correlation: list[float]) -> float:
    """1 + 2 Σ ρ_k over Geyer's initial monotone sequence; the first even lag behind it counts once, if it is positive."""
    total = smallest = correlation[0] + correlation[1]
    rest = 0.0
    for even in range(2, len(correlation) - 2, 2):
        pair, rest = correlation[even] + correlation[even + 1], correlation[even]
        if pair < 0.0 or even + 4 >= len(correlation):
            break
        smallest = min(smallest, pair)
        total += smallest
    return 2.0 * total - 1.0 + max(rest, 0.0)


def r_hat(chains: Tensor, split: bool = True) -> float:
    """Potential scale reduction √(var⁺/W): near 1 when all chains agree, above 1.01 when they do not.

    Parameters
    ----------
    chains : Tensor, shape (chains, length)
    split : bool
        Cut each chain in two halves, so that a drift shows even in one chain.
    """
    values = _halves(chains) if split else chains.to(wide_dtype(chains.device))
    length = values.shape[1]
    if length < 2 or len(values) < 2 or not bool(torch.isfinite(values).all()):
        return math.nan
    within = float(values.var(1).mean())
    between = float(values.mean(1).var())
    if not within > 0.0:
        return math.nan if between == 0.0 else math.inf
    return math.sqrt((length - 1) / length + between / within)


def rank_r_hat(chains: Tensor) -> float:
    """The larger one of two split R-hats, of the normal scores of the values and of their distances from the median.

    Ranks make it meaningful for laws without a variance, and distances see chains that differ in their spread alone
    (Vehtari et al. 2021).
    """
    values = _halves(chains)
    if not bool(torch.isfinite(values).all()):
        return math.nan
    middle = values.flatten().sort().values
    median = 0.5 * (middle[(len(middle) - 1) // 2] + middle[len(middle) // 2])
    return max(r_hat(_normal_scores(each), split=False) for each in (values, (values - median).abs()))


def _normal_scores(values: Tensor) -> Tensor:
    """Quantiles of the normal law at (rank - 3/8)/(count + 1/4); equal values share their mean rank."""
    _, place, counts = torch.unique(values.flatten(), return_inverse=True, return_counts=True)
    counts = counts.to(values.dtype)
    ranks = torch.cumsum(counts, 0) - 0.5 * (counts - 1.0)
    found: Tensor = torch.special.ndtri((ranks[place] - 0.375) / (values.numel() + 0.25)).reshape(values.shape)
    return found


def _halves(chains: Tensor) -> Tensor:
    """(2 chains, length // 2); the middle step of an odd length is left out."""
    half = chains.shape[1] // 2
    wide = chains.to(wide_dtype(chains.device))
    return torch.cat([wide[:, :half], wide[:, chains.shape[1] - half :]])


# --------------------------------------------------------------------------------------------------------------------
# While a swarm runs


class SwarmCorrelation:
    """Autocorrelation between successive steps of a swarm, pooled over particles and over the last steps, as running sums.

    Particles of a swarm are chains of one law, so that one step of N of them already gives the correlation of x_n and x_(n+1)
    to an error of about (1 - ρ²)/√N. Only the first `most` particles are looked at: an update costs a copy of them and six
    sums, however many more there are. Sums stay on the device until `lag1` is asked for.

    Parameters
    ----------
    memory : float
        Over how many steps the sums reach back: weights fall as exp(-k/memory), so that after a change of the sampler the
        number follows. Infinite for all steps.
    most : int
        Particles looked at.
    """

    def __init__(self, memory: float = 64.0, most: int = 1 << 15) -> None:
        self.most = most
        self._keep = math.exp(-1.0 / memory) if memory > 0.0 else 0.0
        self._origin = torch.zeros(0)  # near the mean, so that squares keep their digits
        self._last: Tensor | None = None
        self._sums: Tensor | None = None
        self.steps = 0

    def update(self, points: Tensor) -> None:
        """Take in the points (d, N) after one more step. Points may be overwritten afterwards."""
        now = points[:, : self.most].to(wide_dtype(points.device), copy=True)
        if self._last is None or self._last.shape != now.shape:
            self.clear()
            self._origin = now.mean(1, keepdim=True)
            self._last = now.sub_(self._origin)
            return
        now, last = now.sub_(self._origin), self._last
        weight = torch.full_like(now[:, 0], now.shape[1])
        fresh = torch.stack([weight, last.sum(1), now.sum(1), (last * last).sum(1), (now * now).sum(1), (last * now).sum(1)])
        self._sums = fresh if self._sums is None else self._sums.mul_(self._keep).add_(fresh)
        self._last = now
        self.steps += 1

    def clear(self) -> None:
        """Forget everything, for example after the particles were set anew."""
        self._last = self._sums = None
        self.steps = 0

    def lag1(self) -> list[float]:
        """Correlation of x_n and x_(n+1) of each coordinate; nan before two steps were seen or where nothing moves."""
        if self._sums is None:
            return [] if self._last is None else [math.nan] * len(self._last)
        n, a, b, aa, bb, ab = self._sums.cpu().to(torch.float64)
        first, second = aa / n - (a / n) ** 2, bb / n - (b / n) ** 2
        spread = (first * second).clamp_min(0.0).sqrt()
        return torch.where(spread > 0.0, (ab / n - a * b / n**2) / spread, math.nan).tolist()


class Traces:
    """The last steps of a few particles of a swarm, in a ring: chains for the functions above.

    Parameters
    ----------
    particles : int
        How many are followed, the first ones.
    length : int
        How many of the last steps are kept.
    """

    def __init__(self, particles: int = 128, length: int = 1024) -> None:
        self.particles = particles
        self.length = length
        self._ring: Tensor | None = None
        self.steps = 0

    def update(self, points: Tensor) -> None:
        """Take in the points (d, N) after one more step."""
        followed = points[:, : self.particles]
        if self._ring is None or self._ring.shape[1:] != followed.shape:
            self._ring = torch.empty((self.length, *followed.shape), dtype=points.dtype, device=points.device)
            self.steps = 0
        self._ring[self.steps % self.length].copy_(followed)
        self.steps += 1

    def clear(self) -> None:
        """Forget everything."""
        self._ring = None
        self.steps = 0

    def chains(self) -> Tensor:
        """What is kept, oldest step first, shape (d, particles, steps)."""
        if self._ring is None:
            return torch.empty((0, 0, 0))
        kept = self._ring[: self.steps] if self.steps <= self.length else self._ring.roll(-(self.steps % self.length), 0)
        return kept.permute(1, 2, 0).contiguous()

    def efficiency(self) -> float:
        """Effective samples per particle and step of the slowest coordinate, from the steps kept; nan before there are 8."""
        chains = self.chains()
        if self.steps < 8:
            return math.nan
        sizes = [effective_sample_size(each) / each.numel() for each in chains]
        return math.nan if any(map(math.isnan, sizes)) else min(sizes)
