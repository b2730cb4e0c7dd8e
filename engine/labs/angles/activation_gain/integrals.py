"""What integrals say of an activation: moments, gain, lengths, the law of its outputs."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from engine.core.errors import LabError
from engine.math.formulas.parser import parse
from engine.math.formulas.tree import Formula
from engine.math.networks.activations import ACTIVATIONS, LEAK, Activation
from engine.math.networks.mean_field import chi, gain, length_slope, moments
from engine.math.numerics.pushforward import image_law
from engine.math.numerics.quadrature import REACH, TAIL, gaussian_mean, resolved_means

STARTS = (1 / 16, 1 / 4, 1.0, 4.0, 16.0)  # lengths from which the length map is iterated, over the input's
MESH = 48_002  # points among which changes of sign are looked for
FINER = 25  # nodes per panel of the integral that is compared with
COARSEST = 1e-3  # relative error of a mean square that one may still show
NEIGHBOUR = 1e-9  # deviations from a point without a finite value to the one shown in its place
FADED = 1e-30  # lengths below are as good as zero


@dataclass(frozen=True, slots=True)
class Exact:
    """Everything that integrals say of an activation at an input spread."""

    mean: float
    second: float
    finer: float  # the second moment by a rule with more points
    error: float  # of the second moment, relative
    fourth: float
    gain: float
    chi: float  # factor of squared gradients per layer
    slope: float  # χ_q: factor of deviations from this length per layer
    lengths: np.ndarray


def from_formula(text: str, deviation: float) -> Activation:
    """A formula as an activation; its kinks are looked for where an input of this deviation can be.

    Raises
    ------
    LabError
        If it has no finite value at some input.
    """
    formula = parse(text)
    x = np.linspace(-REACH, REACH, MESH) * deviation  # an even number of points, so that zero is none of them
    values = formula.numpy(x)
    if not np.isfinite(values).all():
        at = float(x[~np.isfinite(values)][np.abs(x[~np.isfinite(values)]).argmin()])
        raise LabError("The formula has no finite value at x = {x}.", "Choose one that has a value at every x.", x=f"{at:.3g}")
    kinks = sorted({kink for switch in formula.switches() for kink in zeros(switch, x)})
    return Activation("formula", formula.torch, formula.numpy, formula.slope, formula.to_latex(), tuple(kinks[:32]), calm=0.0)


def zeros(formula: Formula, x: np.ndarray) -> list[float]:
    """Where a formula changes its sign on a mesh, to rounding error."""
    values = formula.numpy(x)
    found = []
    for left in np.flatnonzero(np.sign(values[:-1]) * np.sign(values[1:]) < 0):
        low, high, sign = float(x[left]), float(x[left + 1]), np.sign(values[left])
        for _ in range(60):
            middle = 0.5 * (low + high)
            low, high = (middle, high) if np.sign(formula.numpy(middle)) == sign else (low, middle)
        found.append(0.5 * (low + high))
    return [*found, *map(float, x[values == 0][:8])]


def exact(activation: Activation, deviation: float, layers: int) -> Exact:
    """Moments, gain and lengths by quadrature.

    Raises
    ------
    LabError
        If E f² does not exist or is zero.
    """
    q = deviation**2
    known, reach = moments(activation, q), REACH
    if deviation > activation.calm:
        reach = TAIL
        means, errors = resolved_means(lambda x: activation.numpy(x)[None] ** 2, q, activation.kinks, nodes=FINER)
        finer, error = float(means[0]), max(known.error, float(errors[0]))
    else:
        finer = float(gaussian_mean(lambda x: activation.numpy(x) ** 2, q, activation.kinks, nodes=FINER))
        error = abs(finer - known.second) / max(finer, 1e-300)
    with np.errstate(over="ignore"):
        edge = float((activation.numpy(np.array([-reach, reach]) * deviation) ** 2).max()) * math.exp(-0.5 * reach**2)
    if not math.isfinite(known.second) or edge > 1e-9 * finer:
        raise LabError("The mean square of this activation is infinite or out of reach.", "Choose a formula that grows slower.")
    if error > COARSEST:
        raise LabError(
            "The mean square of this activation is not resolved: it varies too fast, or it is infinite at a point.",
            "Choose a formula that varies more slowly, or a smaller input spread.",
        )
    if known.second < 1e-30:
        raise LabError("This activation is zero everywhere, so that no gain restores its size.", "Choose another formula.")
    own = gain(activation, q)
    return Exact(
        mean=known.mean if abs(known.mean) > 1e-15 else 0.0,
        second=known.second,
        finer=finer,
        error=error,
        fourth=known.fourth,
        gain=own,
        chi=chi(q, activation, own**2),
        slope=length_slope(q, activation, own**2),
        lengths=iterated_lengths(activation, q, own**2, layers),
    )


def iterated_lengths(activation: Activation, length: float, weight_variance: float, layers: int) -> np.ndarray:
    """The length map from several starts, over the input's length, shape (starts, layers + 1)."""
    rows = [np.array(STARTS) * length]
    for _ in range(layers):
        second = gaussian_mean(lambda x: activation.numpy(x) ** 2, rows[-1], activation.kinks, nodes=10)
        rows.append(np.clip(weight_variance * second, FADED, 1 / FADED))
    return np.array(rows).T / length


def chart(deviation: float) -> tuple[np.ndarray, np.ndarray]:
    """Gains of all activations: by quadrature, and the framework's (0 where it has none)."""
    own = np.array([gain(each, deviation**2) for each in ACTIVATIONS.values()])
    return own, np.array([each.framework_gain or 0.0 for each in ACTIVATIONS.values()])


def output_law(activation: Activation, deviation: float, bins: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Edges of the picture of outputs, the density of the exact law on its bins, and its atoms."""
    law = image_law(lambda x: shown_values(activation, x, deviation), deviation, activation.kinks)
    edges = np.linspace(*law.window(), bins + 1)
    return edges, law.shares(edges) / np.diff(edges), np.array(law.atoms()).reshape(-1, 2)


def shown_values(activation: Activation, x: np.ndarray, deviation: float) -> np.ndarray:
    """f on a mesh, shape of x; at a point where it is infinite, such as ln |x| at 0, the value just beside."""
    with np.errstate(all="ignore"):
        values = activation.numpy(x)
        if not np.isfinite(values).all():
            values = np.where(np.isfinite(values), values, activation.numpy(x + NEIGHBOUR * deviation))
    return values


def closed_form(activation: Activation, q: float) -> float:
    """E f² where an elementary expression or a constant of the literature gives it; not a number elsewhere."""
    match activation.name:
        case "linear":
            return q
        case "relu":
            return 0.5 * q
        case "leaky_relu":
            return 0.5 * (1 + LEAK**2) * q
        case "erf":
            return 2 / math.pi * math.asin(2 * q / (1 + 2 * q))
        case "sin":
            return -0.5 * math.expm1(-2 * q)
        case "hard_tanh":
            inside = math.erf(1 / math.sqrt(2 * q))
            return 1 - inside + q * inside - math.sqrt(2 * q / math.pi) * math.exp(-0.5 / q)
        case "selu" if q == 1:
            return 1.0
    return math.nan
