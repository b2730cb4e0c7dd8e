"""The angle between two random vectors, or a random vector and a random subspace, against its exact law."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Annotated, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from engine.core.context import Context
from engine.core.errors import LabError
from engine.core.experiment import Experiment
from engine.core.frames import Observation, unit
from engine.core.parameters import LabParameters, Ui
from engine.labs.angles.distribution.claims import BAND, CLAIMS, MEASURES, check_claims, measured
from engine.labs.angles.distribution.curves import Law, cdf_on, cosine_window, exact_curves, picture_window
from engine.math.numerics.histograms import FineHistogram, empty_histogram, ks_distance, rebin_to, update
from engine.math.random.angles import SubspaceLaw, VectorLaw
from engine.math.random.entries import draw, pair_angles, subspace_angles, wide_dtype

GLOBE_POINTS = 2000
FINE_BINS = 1 << 16
ENTRIES_PER_STEP = {"cpu": 1 << 22, "cuda": 1 << 28, "mps": 1 << 26}  # about 10 ms of random numbers
ANGLES_PER_STEP = {"cpu": 1 << 19, "cuda": 1 << 25, "mps": 1 << 23}  # the same for angles to be binned
PATIENCE = 2e9  # numbers that `auto` is willing to draw before it turns to the exact law
WORK_LIMIT = 2e10  # numbers drawn at most; beyond it fewer pairs are drawn, and the picture says so
BASIS_LIMIT = 2e9  # multiplications for a random orthonormal basis

Dimension = Annotated[int, Field(ge=2, le=1_000_000)]


class Parameters(LabParameters):
    """The angle between random directions."""

    dimension: Annotated[
        Dimension,
        Ui("Dimension", symbol="n", scale="log", group="Vectors", help="How many independent coordinates a vector has."),
    ] = 100
    pairs: Annotated[
        int,
        Field(ge=2, le=100_000_000),
        Ui("Pairs", symbol="N", scale="log", group="Vectors", help="How many angles are measured."),
    ] = 1_000_000
    against: Annotated[
        Literal["vector", "subspace"],
        Ui(
            "Angle to",
            group="Vectors",
            choices={"vector": "Another vector", "subspace": "A random subspace"},
            help="What the angle of a random vector is measured against.",
        ),
    ] = "vector"
    share: Annotated[
        float,
        Field(gt=0, lt=1),
        Ui(
            "Subspace share",
            symbol="k/n",
            group="Vectors",
            when={"against": ("subspace",)},
            help="Dimension of the subspace over that of the whole space; at one half the angle gathers around 45 degrees.",
        ),
    ] = 0.5
    law: Annotated[
        Literal["gaussian", "uniform", "rademacher", "laplace", "student_t", "sparse"],
        Ui(
            "Entries drawn from",
            group="Law",
            choices={
                "gaussian": "Gaussian",
                "uniform": "Uniform",
                "rademacher": "Signs ±1",
                "laplace": "Laplace",
                "student_t": "Student t",
                "sparse": "Sparse",
            },
            help="The exact law belongs to gaussian entries; the others show how universal it is.",
        ),
    ] = "gaussian"
    degrees_of_freedom: Annotated[
        float,
        Field(ge=0.5, le=100),
        Ui(
            "Degrees of freedom",
            symbol="ν",
            scale="log",
            group="Law",
            when={"law": ("student_t",)},
            help="Up to 2 the variance is infinite, and high dimension no longer makes vectors perpendicular.",
        ),
    ] = 5.0
    nonzero: Annotated[
        float,
        Field(gt=0, le=1),
        Ui(
            "Share of non-zero entries",
            symbol="p",
            scale="log",
            group="Law",
            when={"law": ("sparse",)},
            help="Every entry is zero unless a coin of this probability says otherwise.",
        ),
    ] = 0.1
    method: Annotated[
        Literal["auto", "vectors", "exact"],
        Ui(
            "Angles come from",
            group="Law",
            choices={"auto": "What is feasible", "vectors": "Drawn vectors", "exact": "The exact law"},
            help="Drawn vectors cost one random number per coordinate; the exact law costs the same in every dimension.",
        ),
    ] = "auto"
    bins: Annotated[int, Field(ge=10, le=500), Ui("Bins", effect="live", group="Picture", help="Bars of the histogram.")] = 120
    compare: Annotated[
        tuple[Dimension, ...],
        Field(max_length=5),
        Ui("Compare with n =", effect="live", group="Picture", help="Exact laws of other dimensions, drawn as dashed lines."),
    ] = (10, 30)
    unit: Annotated[
        Literal["degrees", "radians"],
        Ui(
            "Angles in",
            effect="view",
            group="Picture",
            choices={"degrees": "Degrees", "radians": "Radians"},
            help="The unit of the pictures; measures and claims are in radians.",
        ),
    ] = "degrees"
    window: Annotated[
        Literal["fitted", "full"],
        Ui(
            "Range",
            effect="live",
            group="Picture",
            choices={"fitted": "Around the peak", "full": "All angles"},
            help="Whether the picture follows the peak or shows every possible angle.",
        ),
    ] = "fitted"


@dataclass(frozen=True, slots=True)
class Picture:
    """What the panel draws. Angles in radians, densities per radian or per unit of cosine."""

    edges: np.ndarray = field(metadata=unit("rad"))  # (bins + 1,)
    density: np.ndarray = field(metadata=unit("1/rad"))  # (bins,)
    grid: np.ndarray = field(metadata=unit("rad"))  # (CURVE_POINTS,)
    law: np.ndarray = field(metadata=unit("1/rad"))  # (CURVE_POINTS,)
    compare_dimensions: np.ndarray  # (c,)
    compare_laws: np.ndarray  # (c, CURVE_POINTS)
    cosine_edges: np.ndarray  # (bins + 1,)
    cosine_density: np.ndarray  # (bins,)
    cosine_grid: np.ndarray  # (CURVE_POINTS,)
    cosine_law: np.ndarray  # (CURVE_POINTS,)
    points: np.ndarray | Tensor  # (GLOBE_POINTS at most, 3): directions with the measured angle to the north pole, float32
    mean: float
    deviation: float
    drawn: int
    undefined: int
    subspace_dimension: int  # 0 for another vector
    exact: bool


@dataclass(frozen=True, slots=True)
class State:
    """What is known of the angles so far."""

    histogram: FineHistogram
    cosine_powers: Tensor  # (2,): sums of cos² θ and cos⁴ θ
    points: Tensor  # (m, 3)
    drawn: int
    undefined: int


# ---- the algorithm ---------------------------------------------------------------------------------------------------


def init(parameters: Parameters, context: Context) -> State:
    """An empty histogram and the first chunk of angles, so that the first picture already shows some."""
    law = angle_law(parameters)
    low, high = law.support
    if parameters.law == "gaussian" or parameters.against == "subspace":
        reach = 14 * math.sqrt(law.var)  # of another law, tails may go anywhere
        low, high = max(low, law.mean - reach), min(high, law.mean + reach)
    empty = State(
        histogram=empty_histogram(low, high, centre=law.mean, half_width=BAND, bins=FINE_BINS, device=context.device),
        cosine_powers=torch.zeros(2, dtype=wide_dtype(context.device), device=context.device),
        points=torch.empty((0, 3), device=context.device),
        drawn=0,
        undefined=0,
    )
    return step(empty, parameters, context)


def step(state: State, parameters: Parameters, context: Context) -> State:
    """Draw one more chunk of pairs and add their angles."""
    size = chunk(parameters, context) if state.drawn else first_chunk(parameters, context)
    count = min(size, wanted_pairs(parameters) - state.drawn)
    angles = draw_angles(parameters, count, context)
    undefined = 0
    if parameters.law == "sparse":
        defined = angles[~angles.isnan()]  # device sync; a vector of zeros has no direction
        undefined, angles = count - defined.numel(), defined
    squares = angles.cos().square_()
    points = state.points
    if len(points) < GLOBE_POINTS:
        fresh = globe_points(angles[: GLOBE_POINTS - len(points)], parameters, context)
        points = torch.cat([points, fresh])
    return replace(
        state,
        histogram=update(state.histogram, angles),
        cosine_powers=state.cosine_powers + torch.stack([squares.sum(), torch.dot(squares, squares)]),
        points=points,
        drawn=state.drawn + count,
        undefined=state.undefined + undefined,
    )


def draw_angles(parameters: Parameters, count: int, context: Context) -> Tensor:
    """Fresh angles, shape (count,), in radians; NaN where a vector is zero."""
    noise = context.generator("noise")
    if uses_exact_law(parameters):
        return angle_law(parameters).sample(count, noise, context.device)
    if parameters.against == "vector":
        return pair_angles(
            parameters.law,
            parameters.dimension,
            count,
            noise,
            context.device,
            degrees_of_freedom=parameters.degrees_of_freedom,
            density=parameters.nonzero,
        )
    entries = partial(
        draw,
        parameters.law,
        generator=noise,
        device=context.device,
        degrees_of_freedom=parameters.degrees_of_freedom,
        density=parameters.nonzero,
    )
    basis = torch.linalg.qr(entries(shape=(parameters.dimension, subspace_dimension(parameters)))).Q
    context.checkpoint()
    return subspace_angles(entries(shape=(count, parameters.dimension)), basis)


def globe_points(angles: Tensor, parameters: Parameters, context: Context) -> Tensor:
    """Points of a globe whose angle to the pole (or to the equator, for a subspace) is the measured one, shape (m, 3).

    Everything but the angle is folded into one turn around the axis, which for isotropic vectors is uniform.
    """
    turn = torch.rand(len(angles), generator=context.generator("globe"), device=context.device) * (2 * math.pi)
    if parameters.dimension == 2:
        turn = torch.where(turn < math.pi, 0.0, math.pi)
    theta = angles.to(torch.float32)
    if parameters.against == "subspace":
        side = torch.sign(torch.rand(len(angles), generator=context.generator("side"), device=context.device) - 0.5)
        theta = 0.5 * math.pi - theta * side
    radius = torch.sin(theta)
    return torch.stack([radius * torch.cos(turn), radius * torch.sin(turn), torch.cos(theta)], dim=1)


# ---- what follows from the parameters --------------------------------------------------------------------------------


def subspace_dimension(parameters: Parameters) -> int:
    """k, at least 1 and below n; 0 where the angle is that to another vector."""
    if parameters.against == "vector":
        return 0
    return min(parameters.dimension - 1, max(1, round(parameters.share * parameters.dimension)))


def angle_law(parameters: Parameters) -> Law:
    """The exact law of isotropic vectors."""
    k = subspace_dimension(parameters)
    return SubspaceLaw(parameters.dimension, k) if k else VectorLaw(parameters.dimension)


def uses_exact_law(parameters: Parameters) -> bool:
    """Whether angles are drawn from the exact law instead of measured between drawn vectors.

    The angle of any vector to a uniformly random subspace has the exact law, so that there it may stand in for all entry laws.

    Raises
    ------
    LabError
        If drawn vectors were asked for and a basis of the subspace is out of reach, or the exact law of other entries.
    """
    subspace = parameters.against == "subspace"
    too_large = subspace and parameters.dimension * subspace_dimension(parameters) ** 2 > BASIS_LIMIT
    if parameters.method == "vectors":
        if too_large:
            raise LabError(
                "A random basis of a subspace of dimension {k} is too large to draw.",
                "Lower dimension or share, or let method be auto.",
                k=subspace_dimension(parameters),
            )
        return False
    if parameters.method == "exact":
        if parameters.law != "gaussian" and not subspace:
            raise LabError(
                "The exact law is known for gaussian entries only, not for {law}.",
                "Let law be gaussian, or method be vectors.",
                law=parameters.law,
            )
        return True
    feasible = parameters.pairs * parameters.dimension <= PATIENCE and not too_large
    return not feasible and (parameters.law == "gaussian" or subspace)


def wanted_pairs(parameters: Parameters) -> int:
    """Pairs to draw: those asked for, or as many as the work limit lets be drawn as vectors."""
    if uses_exact_law(parameters):
        return parameters.pairs
    return min(parameters.pairs, max(2, int(WORK_LIMIT / (2 * parameters.dimension))))


def chunk(parameters: Parameters, context: Context) -> int:
    """Pairs per step: about 10 ms of work."""
    device = context.device.type
    if uses_exact_law(parameters):
        return ANGLES_PER_STEP[device]
    return max(1, min(ANGLES_PER_STEP[device], ENTRIES_PER_STEP[device] // (2 * parameters.dimension)))


def first_chunk(parameters: Parameters, context: Context) -> int:
    """Pairs of the first picture, which must not keep anybody waiting."""
    return max(2, chunk(parameters, context) // 8)


def total(parameters: Parameters, context: Context) -> int:
    """Steps after the first chunk, which `init` draws."""
    left = wanted_pairs(parameters) - first_chunk(parameters, context)
    return max(0, math.ceil(left / chunk(parameters, context)))


def stride(parameters: Parameters, step_number: int) -> int:
    """A frame after each of the first steps, later after every few: the eye sees the histogram sharpen early."""
    return min(4, 1 + step_number // 32)


# ---- what one sees ---------------------------------------------------------------------------------------------------


def observe(state: State, parameters: Parameters, context: Context) -> Observation:
    """Coarse histograms, exact curves, measures and claims."""
    law = angle_law(parameters)
    histogram = state.histogram
    counts, fine_edges = histogram.counts(), histogram.edges  # device sync
    summary = histogram.summary()
    below, above = histogram.outside()
    deviation = math.sqrt(summary.variance) if summary.count > 1 else 0.0
    window = picture_window(law, max(deviation, math.sqrt(law.var)), parameters.window == "full")
    binned, edges = rebin_to(counts, fine_edges, np.linspace(*window, parameters.bins + 1))
    angles = np.arccos(np.linspace(*cosine_window(window), parameters.bins + 1))[::-1]
    cosine_binned, angles = rebin_to(counts, fine_edges, angles)
    cosine_edges = np.cos(angles)[::-1]
    every = max(1, summary.count)
    picture = Picture(
        edges=edges,
        density=binned / np.diff(edges) / every,
        **exact_curves(law, window, parameters.compare),
        cosine_edges=cosine_edges,
        cosine_density=cosine_binned[::-1] / np.diff(cosine_edges) / every,
        points=state.points,
        mean=summary.mean,
        deviation=deviation,
        drawn=state.drawn,
        undefined=state.undefined,
        subspace_dimension=subspace_dimension(parameters),
        exact=uses_exact_law(parameters),
    )
    exact = cdf_on(law, histogram.low, histogram.high, FINE_BINS)
    distance = ks_distance(counts, fine_edges, exact, below=below, above=above)
    square, fourth = (state.cosine_powers / every).tolist()
    measures = measured(summary, square, distance, law)
    return Observation(picture, measures, check_claims(law, measures, fourth - square * square))


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
    memory=("pairs", "dimension"),
)
