"""How `orthogonality` draws matrices and takes them apart, in pieces that a tweak can interrupt."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from engine.core.context import Context
from engine.core.errors import LabError
from engine.labs.angles.orthogonality.parameters import Parameters
from engine.math.numerics.histograms import FineHistogram, update
from engine.math.random.entries import draw, kurtosis
from engine.math.random.matrix_laws import IndependentLaw, MatrixLaw, OrthogonalLaw
from engine.math.random.spectra import lanczos, random_orthonormal

CORNER = 512  # columns whose inner products go into the histogram
AT_ONCE = 256  # smaller side up to which a matrix is one step
BLOCK_WORK = 1 << 31  # multiplications and additions of a block of WᵀW: about 0.1 s on one CPU core
INPUT_WORK = 1 << 28
MOST_INPUTS, FEWEST_INPUTS = 2048, 256
# Decompositions cannot be interrupted; up to these sides they take less than about a second (benchmarks/angles_orthogonality).
EXACT_LIMIT = {"cpu": 2048, "cuda": 4096}
EIGENVALUE_LIMIT = 1024
ORTHOGONAL_WORK = 1 << 34  # multiplications of a QR decomposition that the first picture may wait for: 2 s
GLIMPSE, LANCZOS_STEPS, ESTIMATES = 12, 80, 4


@dataclass(frozen=True, slots=True)
class Numbers:
    """What is known of one matrix; at first estimates, later exact."""

    mse: float = 0.0
    operator: float = 0.0
    smallest: float = 0.0
    largest: float = 0.0
    mean: float = 0.0
    rank: float = 0.0


Look = tuple[np.ndarray, np.ndarray]  # singular values and weights as one random vector sees them


@dataclass(frozen=True, slots=True)
class State:
    """The newest matrix and the sums over all."""

    entries: FineHistogram
    ratios: FineHistogram
    weights: Tensor  # (m, n), double precision
    corner: Tensor  # (k, k): inner products of the leading columns
    blocks: tuple[Tensor, ...] = ()  # lower block rows of AᵀA for A = W or Wᵀ, whichever is tall
    singulars: np.ndarray = field(default_factory=lambda: np.empty(0))  # exact, of all matrices
    looks: tuple[Look, ...] = ()  # what Lanczos has seen of the newest matrix
    eigenvalues: Tensor = field(default_factory=lambda: torch.empty(0))
    numbers: Numbers = Numbers()
    history: tuple[Numbers, ...] = ()  # of the finished matrices
    position: int = 0  # steps taken


def plan(parameters: Parameters, context: Context) -> tuple[tuple[str, ...], ...]:
    """What is done to each matrix, step by step, so that no step takes much longer than a tenth of a second.

    Only decompositions take longer, for they cannot be interrupted.
    """
    smaller, square = min(parameters.rows, parameters.columns), parameters.rows == parameters.columns
    disk = (("eigenvalues",),) if square and smaller <= EIGENVALUE_LIMIT else ()
    if smaller <= AT_ONCE:
        return (("matrix", "gram", "spectrum", *(task for stage in disk for task in stage)),)
    exact = parameters.spectrum == "exact" or smaller <= EXACT_LIMIT[home_of(context).type]
    blocks = math.ceil(smaller / block_columns(parameters))
    return (("matrix", "glimpse"), *[("gram",)] * blocks, *([("spectrum",)] if exact else [("estimate",)] * ESTIMATES), *disk)


def draw_matrix(state: State, parameters: Parameters, context: Context) -> State:
    """A new matrix, the inner products of its leading columns, and what it does to random inputs."""
    law, home = law_of(parameters), home_of(context)
    weights = random_matrix(parameters, context)
    leading = weights[:, :CORNER]
    corner = leading.mT @ leading
    size, n = len(corner), parameters.columns
    off = corner[tuple(torch.triu_indices(size, size, 1, device=home))]
    count = min(MOST_INPUTS, max(FEWEST_INPUTS, INPUT_WORK // (parameters.rows * n)))
    noise = context.generator("inputs")
    inputs = torch.randn((n, count), generator=noise, device=context.device).to(home, torch.float64)
    ratios = (weights @ inputs).square_().sum(0) / inputs.square().sum(0)
    diagonal = (torch.diagonal(corner) - 1).square().mean()
    mse = ((n - 1) * off.square().mean() + diagonal) / n  # of the whole matrix, as the corner shows it; device sync
    return replace(
        state,
        weights=weights,
        corner=corner,
        blocks=(),
        eigenvalues=torch.empty(0),
        entries=update(state.entries, off),
        ratios=update(state.ratios, ratios),
        numbers=Numbers(mse=float(mse), rank=min(law.rows, law.columns)),
    )


def random_matrix(parameters: Parameters, context: Context) -> Tensor:
    """W in double precision.

    Raises
    ------
    LabError
        If orthogonalising would take longer than a few seconds, and nobody has asked for it.
    """
    m, n = parameters.rows, parameters.columns
    noise = context.generator("matrix")
    variance = law_of(parameters).variance
    if parameters.law == "orthogonal":
        if min(m, n) ** 2 * max(m, n) > ORTHOGONAL_WORK and parameters.spectrum != "exact":
            raise LabError(
                "An exactly orthogonal matrix of {m:,d} x {n:,d} takes too long to draw.",
                "Lower rows or columns, or let the singular values be always exact.",
                m=m,
                n=n,
            )
        tall = draw("gaussian", (max(m, n), min(m, n)), noise, context.device).to(home_of(context), torch.float64)
        basis = random_orthonormal(tall) * math.sqrt(variance * max(m, n))
        return (basis if m >= n else basis.mT).contiguous()
    entries = draw("gaussian" if parameters.law == "normal" else parameters.law, (m, n), noise, context.device)
    return entries.to(home_of(context), torch.float64).mul_(math.sqrt(variance))


def add_gram_block(state: State, parameters: Parameters, context: Context) -> State:
    """A few more rows of AᵀA; with the last ones the error against the identity is known exactly."""
    tall = state.weights if parameters.rows >= parameters.columns else state.weights.mT
    size = tall.shape[1]
    start = sum(len(block) for block in state.blocks)
    stop = min(size, start + block_columns(parameters))
    blocks = (*state.blocks, tall[:, start:stop].mT @ tall[:, :stop])
    if stop < size:
        return replace(state, blocks=blocks)
    gram = lower_triangle(blocks)
    diagonal = (torch.diagonal(gram) - 1).square().sum()
    missing = law_of(parameters).missing_rank
    error = 2 * gram.tril(-1).square().sum() + diagonal + missing
    return replace(state, blocks=(gram,), numbers=replace(state.numbers, mse=float(error) / parameters.columns**2))


def decompose(state: State, parameters: Parameters, context: Context) -> State:
    """All singular values, as roots of the eigenvalues of AᵀA: in double precision that costs no digit one could see."""
    squares = torch.linalg.eigvalsh(state.blocks[0]).cpu().numpy().clip(min=0.0)  # reads the lower triangle; device sync
    rounding = max(parameters.rows, parameters.columns) * np.finfo(float).eps * squares.max()
    rank = int((squares > rounding).sum())
    singulars = np.sqrt(squares)
    numbers = spectral(state.numbers, singulars, np.full(len(singulars), 1 / len(singulars)), parameters)
    return replace(state, singulars=np.concatenate((state.singulars, singulars)), numbers=replace(numbers, rank=rank))


def glimpse(state: State, parameters: Parameters, context: Context) -> State:
    """A first estimate of the edges of the spectrum."""
    seen = look(state, parameters, context, GLIMPSE)
    return replace(state, looks=(seen,), numbers=spectral(state.numbers, *seen, parameters))


def estimate(state: State, parameters: Parameters, context: Context) -> State:
    """Singular values as one more random vector sees them, beside what others have seen."""
    earlier = () if is_glimpse(state.looks) else state.looks
    looks = (*earlier, look(state, parameters, context, LANCZOS_STEPS))
    return replace(state, looks=looks, numbers=spectral(state.numbers, *joined(looks), parameters))


def look(state: State, parameters: Parameters, context: Context, steps: int) -> Look:
    """Singular values and weights by so many steps of Lanczos."""
    tall = state.weights if parameters.rows >= parameters.columns else state.weights.mT
    start = torch.randn(tall.shape[1], generator=context.generator("lanczos"), device=context.device)
    squares, weights = lanczos(tall, start.to(tall), steps, context.checkpoint)
    return np.sqrt(squares), weights


def is_glimpse(looks: tuple[Look, ...]) -> bool:
    """Whether there is only a first estimate, too coarse for a histogram."""
    return len(looks) == 1 and len(looks[0][0]) == GLIMPSE


def joined(looks: tuple[Look, ...]) -> Look:
    """All looks as one."""
    return np.concatenate([values for values, _ in looks]), np.concatenate([weights for _, weights in looks]) / len(looks)


def spectral(numbers: Numbers, singulars: np.ndarray, weights: np.ndarray, parameters: Parameters) -> Numbers:
    """The numbers that follow from singular values."""
    error = float(np.abs(singulars**2 - 1).max())
    if law_of(parameters).missing_rank:
        error = max(error, 1.0)
    mean = float(weights @ singulars)
    return replace(numbers, operator=error, smallest=float(singulars.min()), largest=float(singulars.max()), mean=mean)


def find_eigenvalues(state: State, parameters: Parameters, context: Context) -> State:
    """The eigenvalues of a square matrix; single precision shows as much and takes half the time."""
    values = torch.linalg.eigvals(state.weights.to("cpu", torch.float32))
    return replace(state, eigenvalues=torch.view_as_real(values))


TASKS: dict[str, Callable[[State, Parameters, Context], State]] = {
    "matrix": draw_matrix,
    "glimpse": glimpse,
    "gram": add_gram_block,
    "spectrum": decompose,
    "estimate": estimate,
    "eigenvalues": find_eigenvalues,
}


def law_of(parameters: Parameters) -> MatrixLaw:
    """The exact and limit laws of such a matrix."""
    variance = parameters.variance or 1 / parameters.rows
    if parameters.law == "orthogonal":
        return OrthogonalLaw(parameters.rows, parameters.columns, variance)
    heavy = kurtosis("gaussian" if parameters.law == "normal" else parameters.law)
    return IndependentLaw(parameters.rows, parameters.columns, variance, heavy)


def home_of(context: Context) -> torch.device:
    """Where matrices live: they need double precision, which mps has not."""
    return torch.device("cpu") if context.device.type == "mps" else context.device


def block_columns(parameters: Parameters) -> int:
    """Rows of AᵀA per step."""
    return max(AT_ONCE // 8, BLOCK_WORK // (parameters.rows * parameters.columns))


def lower_triangle(blocks: tuple[Tensor, ...]) -> Tensor:
    """The block rows as one square matrix; what lies above the diagonal blocks is 0."""
    size = blocks[-1].shape[1]
    gram = blocks[-1].new_zeros((size, size))
    row = 0
    for block in blocks:
        gram[row : row + len(block), : block.shape[1]] = block
        row += len(block)
    return gram
