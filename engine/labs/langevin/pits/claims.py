"""What the landscape promises: how far a point overshoots, what a discriminator ends with, and what noise settles into."""

from __future__ import annotations

import math

import numpy as np
import torch
from scipy import special
from torch import Tensor

from engine.core.claims import Claim, ClaimSpec
from engine.core.experiment import Measure
from engine.core.messages import Message
from engine.labs.langevin.pits.field import BATCH
from engine.labs.langevin.pits.parameters import Parameters
from engine.labs.langevin.pits.state import Frozen, State
from engine.math.energies.pits import critical_momentum
from engine.math.numerics.statistics import tolerance

MEASURES = (
    Measure("mean_energy", "Mean energy of the points"),
    Measure("data_energy", "Mean energy of the data"),
    Measure("mode_coverage", "Modes that hold a fifth of their share"),
    Measure("effective_modes", "Effective number of modes"),
    Measure("caught", "Points in a mode"),
    Measure("slope_at_data", "Slope at the data (root mean square)"),
    Measure("speed", "Speed of the points (root mean square)"),
    Measure("uphill_share", "Points that run uphill"),
    Measure("stiffness", "Stiffness ηk of the steepest pit", optional=True),
    Measure("critical_momentum", "Largest momentum without overshooting", optional=True),
    Measure("overshoot", "Overshoot of the probe", optional=True),
    Measure("expected_overshoot", "Overshoot by the heavy-ball rule", optional=True),
)
CLAIMS = (
    ClaimSpec(
        "overshoot",
        "A probe on the wall of the steepest pit runs past the bottom as the heavy-ball rule says.",
        r"m>\left(1-\sqrt{\eta k}\right)^2",
    ),
    ClaimSpec(
        "balance",
        "While the points rest, a discriminator of linear loss ends where gap and penalty balance.",
        r"E_qU-E_pU=2\lambda\,E\left[|\nabla U|\left(|\nabla U|-c\right)\right]",
    ),
    ClaimSpec(
        "law",
        "In a frozen landscape, points with noise and no momentum settle into the law of the energy.",
        r"q\propto e^{-U/\tau}",
    ),
)
FEWEST = 30  # points in the modes that make a mean
RESTED = 1000  # updates under one rule before a discriminator counts as being at rest
BLOCKS = 10  # of them
LARGEST_BIAS = 0.1  # of a finite step, in units of the temperature: beyond, first order does not tell
FAIR = 0.2  # of a mode's share that counts as holding it


def effective(shares: np.ndarray) -> float:
    """exp of the entropy of the shares (K,): how many modes are held alike."""
    kept = shares[shares > 0].astype(np.float64)
    if not len(kept):
        return 0.0
    kept = kept / kept.sum()
    return float(np.exp(-(kept * np.log(kept)).sum()))


def measure(state: State, parameters: Parameters, values: Tensor, slopes: Tensor, shares: np.ndarray) -> dict[str, float]:
    """All measures of a frame, from values and slopes at points, data and what follows; one transfer from the device."""
    count = parameters.points
    data = slice(count, count + BATCH)
    uphill = (slopes[:, :count] * state.velocities).sum(0) > 0
    numbers = torch.stack(
        [
            values[:count].mean(),
            values[data].mean(),
            slopes[:, data].square().sum(0).mean().sqrt(),
            state.velocities.square().sum(0).mean().sqrt(),
            uphill.to(values.dtype).mean(),
        ]
    )
    of_points, of_data, slope, speed, rising = numbers.tolist()
    stiffest = float(np.nanmax(state.pits.curvature.numpy(), initial=0.0)) * parameters.roll_rate
    return {
        "mean_energy": of_points,
        "data_energy": of_data,
        "mode_coverage": float((shares >= FAIR / parameters.modes).mean()),
        "effective_modes": effective(shares),
        "caught": float(shares.sum()),
        "slope_at_data": slope,
        "speed": speed,
        "uphill_share": rising,
        "stiffness": stiffest or math.nan,
        "critical_momentum": critical_momentum(stiffest) if stiffest else math.nan,
        "overshoot": state.probe.measured if state.probe else math.nan,
        "expected_overshoot": state.probe.expected if state.probe else math.nan,
    }


def check_claims(state: State, parameters: Parameters) -> tuple[Claim, ...]:
    """The three claims, each where it has something to say."""
    return _overshoot(state), _balance(state, parameters), _law(state)


def _overshoot(state: State) -> Claim:
    if state.probe is None:
        return CLAIMS[0].check(math.nan, math.nan, math.nan, enough=False, remark=Message("There is no pit yet."))
    probe = state.probe
    return CLAIMS[0].check(probe.expected, probe.measured, probe.error)


def _balance(state: State, parameters: Parameters) -> Claim:
    """Averages over the last updates; a discriminator with a finite rate dances around its bottom and stays a little above it.

    A weight w of the last layer that neither grows nor shrinks has E[w g] = (α/2) √v under Adam with rate α, v the mean
    square of its gradient g: E w'² = E (w - α g/√v)² = E w². The sum over the last layer, whose weights scale U, is
    pull minus gap; at exact rest it would be 0. The averages within a gradient that Adam takes change this by a factor near 1.
    """
    spec = CLAIMS[1]
    if parameters.loss != "linear":
        return spec.check(math.nan, math.nan, math.nan, enough=False, remark=Message("For the linear loss."))
    resting = not parameters.rolls and parameters.dig and parameters.where == "between"
    if not resting or state.rested < RESTED:
        text = Message("Set the generator steps per update to 0, penalise between, and wait for the fixed point.")
        return spec.check(math.nan, math.nan, math.nan, enough=False, remark=text)
    gaps = np.array(state.gaps)
    gap, pull = gaps.mean(0).tolist()
    # neighbouring digs share their weights: blocks are what counts as independent
    blocks = (gaps[:, 0] - gaps[:, 1]).reshape(BLOCKS, -1).mean(1)
    error = -float(special.stdtrit(BLOCKS - 1, 5e-4)) * float(blocks.std(ddof=1)) / math.sqrt(BLOCKS)
    squares = state.adam.second[len(state.network.matrices) - 1] / (1 - state.adam.memory[1])
    dance = 0.5 * parameters.dig_rate * float(squares.sqrt().sum())
    return spec.check(pull, gap, error + 2 * dance)


def _law(state: State) -> Claim:
    """Mean energy of the points in the discs against the law there."""
    spec, frozen = CLAIMS[2], state.frozen
    if frozen is None or not frozen.settled:
        text = Message("Freeze the landscape, take noise for the entropy and no momentum, and wait.")
        return spec.check(math.nan, math.nan, math.nan, enough=False, remark=text)
    energies, counts = _means(frozen)
    total = float(counts.sum())
    if total < FEWEST:
        return spec.check(math.nan, math.nan, math.nan, enough=False, remark=Message("Too few points are in a mode."))
    shares = counts / total
    expected = float(shares @ frozen.law.energy)
    # points are independent of each other, their steps are not: as if a single step had been seen
    error = tolerance(math.sqrt(float(shares @ frozen.law.variance) / total))
    rate, temperature = frozen.rule
    bias = 0.25 * rate * float(shares @ frozen.law.steepness)
    if bias > LARGEST_BIAS * temperature:
        text = Message("Lower the learning rate of the generator: its steps are too long.")
        return spec.check(expected, math.nan, error, enough=False, remark=text)
    return spec.check(expected, float(energies.sum()) / total, error + 2 * bias)


def _means(frozen: Frozen) -> tuple[np.ndarray, np.ndarray]:
    """Energies and numbers in each disc, averaged over the last steps, shape (K,) each."""
    energies, counts = torch.stack(list(frozen.sums)).mean(0).cpu().numpy().astype(np.float64)
    return energies, counts
