"""What `sampling` measures and claims."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from engine.core.claims import Claim, ClaimSpec
from engine.core.experiment import Measure
from engine.core.messages import Message
from engine.labs.langevin.sampling.landscape import COARSE, FACTOR, Landscape, Law, blocks
from engine.labs.langevin.sampling.records import EnsembleSums, Mixing
from engine.labs.langevin.sampling.rules import METROPOLIS, SamplerSettings
from engine.math.energies.density import PlanarCounts
from engine.math.energies.distance import kl_divergence, wasserstein
from engine.math.numerics.statistics import standard_error_of_mean, standard_error_of_variance, tolerance

MEASURES = (
    Measure("mean_x", "Mean of x"),
    Measure("exact_mean_x", "Mean of x under the target", optional=True),
    Measure("mean_y", "Mean of y"),
    Measure("exact_mean_y", "Mean of y under the target", optional=True),
    Measure("var_x", "Variance of x"),
    Measure("exact_var_x", "Variance of x under the target", optional=True),
    Measure("theory_var_x", "Variance of x where the sampler settles", optional=True),
    Measure("var_y", "Variance of y"),
    Measure("exact_var_y", "Variance of y under the target", optional=True),
    Measure("mean_energy", "Mean energy"),
    Measure("exact_mean_energy", "Mean energy under the target", optional=True),
    Measure("theory_mean_energy", "Mean energy where the sampler settles", optional=True),
    Measure("temperature_read", "Temperature read off the swarm"),
    Measure("theory_temperature_read", "Temperature where the sampler settles", optional=True),
    Measure("acceptance", "Share of proposals accepted", optional=True),
    Measure("theory_acceptance", "Share of proposals accepted, by law", optional=True),
    Measure("lag1_correlation", "Correlation of x with its next step", optional=True),
    Measure("theory_lag1_correlation", "Correlation of x with its next step, by law", optional=True),
    Measure("effective_sample_size", "Independent draws that the later steps are worth", optional=True),
    Measure("r_hat", "R-hat of the paths", optional=True),
    Measure("rank_r_hat", "R-hat of the ranks", optional=True),
    Measure("kl_divergence", "Relative entropy to the target", "nats", optional=True),
    Measure("kl_floor", "Relative entropy of as many exact points", "nats", optional=True),
    Measure("wasserstein_x", "Wasserstein distance of the marginal of x", optional=True),
    Measure("wasserstein_y", "Wasserstein distance of the marginal of y", optional=True),
    Measure("outside", "Share outside the window"),
    Measure("stability_limit", "Stability limit of the step size"),
    Measure("step_share", "Step size in units of the limit"),
    Measure("swap_acceptance", "Share of swaps accepted", optional=True),
    Measure("present_temperature", "Temperature of the step"),
    Measure("flow_mean_x", "Mean of x by the Fokker-Planck equation", optional=True),
    Measure("flow_var_x", "Variance of x by the Fokker-Planck equation", optional=True),
    Measure("flow_distance", "Total variation from the Fokker-Planck density", optional=True),
    Measure("flow_floor", "Total variation of as many points drawn from it", optional=True),
    Measure("second_var_x", "Variance of x, second swarm", optional=True),
    Measure("second_acceptance", "Share of proposals accepted, second swarm", optional=True),
    Measure("second_kl_divergence", "Relative entropy to the target, second swarm", "nats", optional=True),
)

CLAIMS = (
    ClaimSpec(
        "var_x",
        "The variance settles where the rule says: too wide without Metropolis, exact with it, and proportional to T.",
        r"\operatorname{Var}x=\frac{T\sigma^2}{1-\varepsilon/4\sigma^2},\quad T\sigma^2",
    ),
    ClaimSpec(
        "mean_energy",
        "The mean energy is that of the target with Metropolis, and follows from the curvatures without it.",
        r"\mathbb{E}\,U=\frac T2\sum_i\frac{1}{1-\varepsilon\lambda_i/4}",
    ),
    ClaimSpec(
        "temperature_read",
        "Position times slope reads the temperature off the swarm: T with Metropolis, and too hot without it.",
        r"\tfrac12\,\mathbb{E}\left[(x-\bar x)\cdot\nabla U\right]=T+\frac{\varepsilon}{8}\,\mathbb{E}\|\nabla U\|^2",
    ),
    ClaimSpec(
        "lag1_correlation",
        "How much of x is left after one step; at ε = 4σ² the rule without Metropolis would reach -1.",
        r"\rho_1=1-\frac{\varepsilon}{2\sigma^2}",
    ),
    ClaimSpec(
        "acceptance",
        "So many proposals are accepted on a round Gaussian.",
        r"\mathbb{E}\min\left(1,e^{\Delta}\right)=2\,I_b(1,1)",
    ),
    ClaimSpec(
        "kl_divergence",
        "With Metropolis the distance to the target sinks to that of as many exact points.",
        r"D(\hat p\,\|\,p)\approx\frac{m-1}{2N}",
    ),
)

FEWEST = 30.0  # independent draws below which nothing is claimed
STICKY = 1.5  # times the limit, from which particles far out hardly ever move with Metropolis (Roberts, Tweedie 1996)
LEAST_TURN = 0.02  # sine of a path's angle below which it counts as a whole or half turn


@dataclass(frozen=True, slots=True)
class Averages:
    """Averages of a tally."""

    number: float
    mean_x: float
    mean_y: float
    var_x: float
    var_y: float
    mean_energy: float
    energy_deviation: float
    temperature: float
    steepness: float  # E |∇U|²
    work_moments: tuple[float, float, float]  # variance of w, of g, and their covariance
    outside: float
    distance: float  # relative entropy to the target
    wasserstein_x: float
    wasserstein_y: float


def averages(found: EnsembleSums, place: Landscape) -> Averages:
    """Means and variances (with divisor N) of what was counted, and distances to the target."""
    u, v, uu, vv, _ = (found.sums / found.number).tolist()
    energy, square, work, works, steep, steeps, both = (found.energies / found.probed).tolist()
    outside = found.number - float(found.counts.sum())
    distance = wide = tall = math.nan
    if place.coarse is not None:
        coarse = blocks(found.counts)
        counted = PlanarCounts(torch.from_numpy(coarse), torch.tensor(outside))
        distance = kl_divergence(counted, place.coarse)
        distance = distance if math.isfinite(distance) else math.nan
        width, height = place.size
        wide = wasserstein(coarse.sum(0), place.coarse.marginal_x, width / COARSE)
        tall = wasserstein(coarse.sum(1), place.coarse.marginal_y, height / COARSE)
    return Averages(
        number=found.number,
        mean_x=place.centre[0] + u,
        mean_y=place.centre[1] + v,
        var_x=max(0.0, uu - u * u),
        var_y=max(0.0, vv - v * v),
        mean_energy=energy,
        energy_deviation=math.sqrt(max(0.0, square - energy * energy)),
        temperature=work,
        steepness=steep,
        work_moments=(works - work * work, steeps - steep * steep, both - work * steep),
        outside=outside / found.number,
        distance=distance,
        wasserstein_x=wide,
        wasserstein_y=tall,
    )


def marginals(found: EnsembleSums, place: Landscape) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Density of x and of y in the COARSE bins, as counted."""
    width, height = place.size
    x, y = (found.counts.sum(axis).reshape(COARSE, FACTOR).sum(1) for axis in (0, 1))
    return x * (COARSE / width / found.number), y * (COARSE / height / found.number)


def check_claims(
    found: Averages,
    numbers: dict[str, float],
    law: Law,
    rule: SamplerSettings,
    place: Landscape,
    mixing: Mixing,
    *,
    stuck: Message | None,
    waiting: bool,
    in_time: bool,
) -> tuple[Claim, ...]:
    """The statements of the source, with tolerances from the number of independent draws.

    Parameters
    ----------
    found : Averages
        Over the swarm, or over swarm and time.
    numbers : dict
        The measures.
    law : Law
        Where the rule settles.
    stuck : Message, optional
        Why the rule may never settle.
    waiting : bool
        The rule is still changing, or has just changed.
    in_time : bool
        Whether averages go over time too: then the draws count for less, by the correlation time.
    """
    draws = found.number / (2 * max(1.0, mixing.time)) if in_time else found.number
    mixed = not stuck and not waiting and mixing.settled and draws >= FEWEST
    probed = min(draws, 65_536.0) if not in_time else draws
    count = max(2, int(draws))
    scale = law.var_x / place.variance[0] if place.variance[0] > 0 else math.nan  # the fourth moment grows with its square
    fourth = place.fourth_moment_x * scale * scale
    spread = {
        "var_x": error_of_variance(law.var_x, fourth, count),
        "mean_energy": standard_error_of_mean(found.energy_deviation**2, max(1, int(probed))),
        "temperature_read": standard_error_of_mean(thermal_variance(found, law), max(1, int(probed))),
        "lag1_correlation": lag1_error(law.lag1, found.number, in_time),
        "acceptance": math.sqrt(max(law.acceptance * (1 - law.acceptance), 0.0) / draws) if draws > 0 else math.nan,
    }
    floor = place.chance(found.number)
    telling = rule.faithful and not in_time
    expected = {spec.name: numbers.get(f"theory_{spec.name}", math.nan) for spec in CLAIMS}
    expected["kl_divergence"] = floor.mean if telling else math.nan
    margins = {name: tolerance(error) + 2e-6 * abs(expected[name]) for name, error in spread.items()}
    margins["kl_divergence"] = tolerance(floor.deviation)
    if law.acceptance == 1.0:
        margins["acceptance"] = 1e-9
    return tuple(
        spec.check(
            expected[spec.name],
            numbers[spec.name],
            margins[spec.name] if math.isfinite(expected[spec.name]) else math.nan,
            enough=mixed,
            remark=why_waiting(expected[spec.name], mixed, stuck, waiting, draws, mixing),
        )
        for spec in CLAIMS
    )


def why_never(rule: SamplerSettings, place: Landscape, *, exact_start: bool) -> Message | None:
    """Why a rule may never settle, or nobody knows when; None where it does.

    Parameters
    ----------
    exact_start : bool
        Whether the particles were drawn from the target, which a rule with Metropolis then keeps from the first step on.
    """
    if not rule.settles:
        return None
    if rule.sampler == "underdamped" and rule.friction == 0:
        return Message("Without friction every particle keeps its energy: the motion is not ergodic.")
    if rule.sampler == "hmc" and place.quadratic and rule.step_size < place.limit and least_turn(rule, place) < LEAST_TURN:
        return Message("A path of a whole or half turn ends where it began, or opposite: the motion is not ergodic.")
    if rule.sampler in METROPOLIS and rule.step_size >= STICKY * place.limit and not exact_start:
        return Message("Far beyond the limit nearly every proposal is refused farther out: when that settles is not known.")
    return None


def least_turn(rule: SamplerSettings, place: Landscape) -> float:
    """|sin Lθ| of the direction in which L leapfrog steps on a quadratic energy come nearest to a whole or half turn."""
    curvatures = np.linalg.eigvalsh(place.precision())
    angles = np.arccos(1 - 0.5 * rule.step_size * curvatures)
    return float(np.abs(np.sin(rule.leapfrogs * angles)).min())


def why_waiting(
    expected: float, mixed: bool, stuck: Message | None, waiting: bool, draws: float, mixing: Mixing
) -> Message | None:
    """What a claim waits for."""
    if math.isnan(expected):
        return Message("No closed form is known here.")
    if mixed:
        return None
    if stuck:
        return stuck
    if waiting or math.isnan(mixing.r_hat):
        return Message("The particles have only just begun.")
    if draws < FEWEST:
        return Message("There are too few independent draws as yet.")
    return Message("The particles still remember their start: R-hat is {value}.", {"value": f"{mixing.r_hat:.2f}"})


def error_of_variance(variance: float, fourth: float, count: int) -> float:
    """Standard error of a variance; nan where the law is not known."""
    if not (math.isfinite(variance) and math.isfinite(fourth)):
        return math.nan
    return standard_error_of_variance(variance, max(fourth, variance**2), count) + variance / count


def thermal_variance(found: Averages, law: Law) -> float:
    """Variance of what is compared with the temperature: w, less the share of g that ULA adds."""
    works, steeps, both = found.work_moments
    share = law.heating
    return max(0.0, works - 2 * share * both + share * share * steeps)


def lag1_error(correlation: float, number: float, in_time: bool) -> float:
    """Standard error of a lag-1 correlation: over the swarm that of one step, which many steps only improve."""
    if not math.isfinite(correlation):
        return math.nan
    if in_time:  # of an autoregression, and half as much again for samplers that are none
        return 1.5 * math.sqrt((1 - correlation**2) / number) + 5 / number
    return 1.5 * (1 - correlation**2) / math.sqrt(min(number, 8192.0))
