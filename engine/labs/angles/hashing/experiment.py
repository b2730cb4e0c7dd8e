"""Signs of random projections tell the angle between two vectors."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from engine.core.context import Context
from engine.core.device import Budget
from engine.core.experiment import Experiment
from engine.core.frames import Observation
from engine.labs.angles.hashing.claims import CLAIMS, MEASURES, check_claims, distance
from engine.labs.angles.hashing.parameters import Parameters
from engine.labs.angles.hashing.picture import Picture
from engine.math.random.entries import draw
from engine.math.random.sign_projections import (
    estimate_variance,
    hamming_law,
    orthonormal_pairs,
    separation,
    sign_differs,
    sign_product,
)

ANGLES = np.radians(np.arange(15.0, 180.0, 15.0))  # at which products of signs are averaged
ENTRIES_PER_STEP = Budget(cpu=1 << 21, cuda=1 << 27, mps=1 << 25)  # about 20 ms of random numbers
SHOWN_BITS = 64


@dataclass(frozen=True, slots=True)
class State:
    """What the pairs say so far; everything is a count, so that nothing is rounded."""

    hamming: Tensor  # (bits + 1,): pairs by the number of bits that differ
    differing: Tensor  # (angles,): bits that differ, at every angle of the picture
    squares: Tensor  # (angles,): squares of the number of bits that differ, summed over pairs
    prefixes: Tensor  # (p, 2): numbers of bits that differ in shortened codes, and their squares, summed over pairs
    code: Tensor  # (3, shown bits): of the newest pair
    drawn: int


def prefix_lengths(bits: int) -> tuple[int, ...]:
    """1, 2, 4, ... and the whole code."""
    return (*(1 << power for power in range(bits.bit_length()) if 1 << power < bits), bits)


def pairs_per_step(parameters: Parameters, context: Context) -> int:
    """Pairs whose hyperplanes are drawn at once."""
    return max(1, ENTRIES_PER_STEP.on(context.device) // (parameters.bits * parameters.dimension))


def init(parameters: Parameters, context: Context) -> State:
    """The first pairs."""
    device, whole = context.device, torch.int64
    lengths = prefix_lengths(parameters.bits)
    empty = State(
        hamming=torch.zeros(parameters.bits + 1, dtype=whole, device=device),
        differing=torch.zeros(len(ANGLES), dtype=whole, device=device),
        squares=torch.zeros(len(ANGLES), dtype=whole, device=device),
        prefixes=torch.zeros((len(lengths), 2), dtype=whole, device=device),
        code=torch.zeros((3, min(SHOWN_BITS, parameters.bits)), dtype=torch.uint8, device=device),
        drawn=0,
    )
    return step(empty, parameters, context)


def step(state: State, parameters: Parameters, context: Context) -> State:
    """A few more pairs, each with hyperplanes of its own.

    A hyperplane meets the plane of a pair in a line: its products with x and with a direction across decide at every angle.
    """
    count = min(pairs_per_step(parameters, context), parameters.pairs - state.drawn)
    n, bits = parameters.dimension, parameters.bits
    x, across = orthonormal_pairs(count, n, context.generator("pairs"), context.device)
    law = "gaussian" if parameters.planes == "normal" else parameters.planes
    normals = draw(law, (count, bits, n), context.generator("planes"), context.device)
    along, beside = (torch.einsum("pbn,pn->pb", normals, each) for each in (x, across))
    theta = math.radians(parameters.angle)
    differs = sign_differs(along, beside, theta)
    by_angle = torch.stack([sign_differs(along, beside, float(angle)).sum(dim=1) for angle in ANGLES])
    ends = torch.tensor(prefix_lengths(bits), device=context.device) - 1
    shortened = differs.cumsum(dim=1)[:, ends]
    shown = slice(0, state.code.shape[1])
    first = along[-1, shown] > 0
    code = torch.stack([first, first ^ differs[-1, shown], differs[-1, shown]]).to(torch.uint8)
    return replace(
        state,
        hamming=state.hamming + torch.bincount(differs.sum(dim=1), minlength=bits + 1),
        differing=state.differing + by_angle.sum(dim=1),
        squares=state.squares + by_angle.square().sum(dim=1),
        prefixes=state.prefixes + torch.stack([shortened.sum(dim=0), shortened.square().sum(dim=0)], dim=1),
        code=code,
        drawn=state.drawn + count,
    )


def total(parameters: Parameters, context: Context) -> int:
    """Steps after the one that `init` takes."""
    return math.ceil(parameters.pairs / pairs_per_step(parameters, context)) - 1


def stride(parameters: Parameters, step_number: int) -> int:
    """A frame after each of the first steps, later after every few."""
    return 1 + step_number // 20


def observe(state: State, parameters: Parameters, context: Context) -> Observation[Picture]:
    """Products by angle, one code, estimates of the angle and their error, measures and claims."""
    theta, bits, drawn = math.radians(parameters.angle), parameters.bits, state.drawn
    counts = state.hamming.cpu().numpy()  # device sync
    law = context.once(hamming_law, theta, bits)
    estimates = math.pi * np.arange(bits + 1) / bits
    mean = float(counts @ estimates) / drawn
    variance = float(counts @ (estimates - mean) ** 2) / max(1, drawn - 1)
    share = float(counts @ np.arange(bits + 1)) / (drawn * bits)
    products = 1 - 2 * state.differing.cpu().numpy() / (drawn * bits)
    lengths = np.array(prefix_lengths(bits))
    sums = state.prefixes.cpu().numpy() / drawn
    step_width = math.pi / bits
    picture = Picture(
        angles=ANGLES,
        products=products,
        code=state.code.cpu().numpy(),
        estimate_edges=math.pi * (np.arange(bits + 2) - 0.5) / bits,
        estimate_density=counts / drawn / step_width,
        estimate_law=law / step_width,
        prefix_bits=lengths,
        prefix_error=np.sqrt(mean_square_error(sums, lengths, theta)),
        theory_prefix_error=np.sqrt(estimate_variance(theta, lengths)),
        drawn=drawn,
    )
    binomial = bits * separation(ANGLES) * (1 - separation(ANGLES))
    errors = 2 / bits * np.sqrt(np.maximum(pair_variance(state, drawn), binomial) / drawn)
    measures = {
        "sign_product": 1 - 2 * share,
        "theory_sign_product": float(sign_product(theta)),
        "hamming_share": share,
        "theory_hamming_share": theta / math.pi,
        "estimate_mean": mean,
        "theory_estimate_mean": theta,
        "estimate_variance": variance,
        "theory_estimate_variance": float(estimate_variance(theta, bits)),
        "same_code": float(counts[0]) / drawn,
        "theory_same_code": float(law[0]),
        "farthest_angle": float((np.abs(products - sign_product(ANGLES)) / errors).max()),
        "ks_distance": distance(counts, law),
        "pairs_drawn": drawn,
    }
    return Observation(picture, measures, check_claims(measures, theta, bits, len(ANGLES), parameters.planes != "normal"))


def mean_square_error(sums: np.ndarray, lengths: np.ndarray, theta: float) -> np.ndarray:
    """Mean of (π H / b - θ)² from the means of H and H², shape (p, 2), for codes of so many bits."""
    first, second = sums.T
    scale = math.pi / lengths
    found: np.ndarray = np.maximum(0.0, scale**2 * second - 2 * theta * scale * first + theta**2)
    return found


def pair_variance(state: State, drawn: int) -> np.ndarray:
    """Variance over pairs of the number of bits that differ, at every angle of the picture."""
    first, second = (each.cpu().numpy() / drawn for each in (state.differing, state.squares))
    found: np.ndarray = np.maximum(0.0, second - first * first)
    return found


EXPERIMENT = Experiment(
    parameters=Parameters,
    init=init,
    step=step,
    observe=observe,
    measures=MEASURES,
    claims=CLAIMS,
    total=total,
    stride=stride,
    pacing="latest",
    history=True,
    memory=("bits", "dimension"),
)
