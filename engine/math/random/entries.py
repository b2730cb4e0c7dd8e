"""Laws of the entries of a random vector, drawn fast, and the angles between vectors of such entries.

All laws have mean 0 and, where that exists, variance 1. Every draw starts from whole random words of the caller's
generator, which an exact transform turns into the law. On the CPU the transforms are numpy's vectorised functions
(measured two to three times as fast as torch's on float32), on other devices the torch functions of the same names.

Cost of one float32 entry on one CPU thread, nanoseconds, on a two-core AVX-512 machine:

================  ===  ========================================================================
gaussian          3.5  ``Tensor.normal_``; numpy's ziggurat 8.5 (float32) or 11 (float64)
uniform           2.2  ``Tensor.uniform_`` 2.8
rademacher        0.6  one bit per entry; ``Tensor.bernoulli_`` 12
laplace           3.2  inverse distribution function
student_t         7    Bailey's polar method; a quotient by a gamma variate costs 45
sparse            6    a gaussian and an independent coin
truncated_normal  4.5  inverse distribution function
================  ===  ========================================================================
"""

from __future__ import annotations

import math
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor

from engine.math.numerics.precision import apply, wide_dtype

EntryLaw = Literal["gaussian", "uniform", "rademacher", "laplace", "student_t", "sparse", "truncated_normal"]
ENTRY_LAWS: tuple[EntryLaw, ...] = get_args(EntryLaw)

LEAST_DEGREES_OF_FREEDOM = 0.5  # below, the largest draws leave the range of float32
TRUNCATION = 2.0  # the truncated normal law ends at this many standard deviations of the untruncated one

_BLOCK = 1 << 16  # entries filled at a time: block and scratch stay in the second-level cache
_NEARLY_PARALLEL = 0.9  # |cosine| from which an angle is computed again with care
_LEAST_POLAR = 32  # from here on no pair of gaussian vectors is nearly parallel (probability below 1e-11)
_SAFE_SQUARES = (1e-30, 1e30)  # squared norms in between neither underflow nor overflow in float32


def draw(
    law: EntryLaw,
    shape: tuple[int, ...],
    generator: torch.Generator,
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,
    *,
    degrees_of_freedom: float = 5.0,
    density: float = 0.1,
) -> Tensor:
    """Independent entries of one law, with mean 0 and variance 1 (unscaled where no variance exists).

    Parameters
    ----------
    law : str
        One of `ENTRY_LAWS`.
    shape : tuple of int
        Shape of the result.
    generator : torch.Generator
        Source of all randomness; the same state gives the same entries, bit for bit on the CPU.
    device, dtype
        Of the entries; float32 or float64.
    degrees_of_freedom : float
        ν >= 0.5 of the Student law; its variance exists for ν > 2.
    density : float
        0 < p <= 1, the probability that an entry of the sparse law is not zero.

    Raises
    ------
    ValueError
        For an unknown law or a parameter outside its range.
    """
    _check(law, degrees_of_freedom, density)
    out = torch.empty(shape, dtype=dtype, device=device)
    fill(law, out, generator, degrees_of_freedom=degrees_of_freedom, density=density)
    return out


def fill(
    law: EntryLaw,
    out: Tensor,
    generator: torch.Generator,
    *,
    degrees_of_freedom: float = 5.0,
    density: float = 0.1,
) -> None:
    """Overwrite a contiguous tensor by fresh entries; parameters as in `draw`."""
    _check(law, degrees_of_freedom, density)
    flat = out.view(-1)
    block = _BLOCK if flat.device.type == "cpu" else max(flat.numel(), 1)  # other devices prefer one large launch
    for piece in torch.split(flat, block):
        match law:
            case "gaussian":
                _fill_gaussian(piece, generator)
            case "uniform":
                _fill_uniform(piece, generator)
            case "rademacher":
                _fill_signs(piece, generator)
            case "laplace":
                _fill_laplace(piece, generator)
            case "student_t":
                _fill_student(piece, generator, degrees_of_freedom)
            case "sparse":
                _fill_sparse(piece, generator, density)
            case "truncated_normal":
                _fill_truncated(piece, generator)


def kurtosis(law: EntryLaw, *, degrees_of_freedom: float = 5.0, density: float = 0.1) -> float:
    """Kurtosis E[x⁴] / E[x²]² of an entry: 3 for the gaussian law.

    Uniform 9/5, Rademacher 1, Laplace 6, Student 3 + 6 / (ν - 4), sparse 3 / p. With a = 2, φ and Φ the normal density
    and distribution function and h = φ(a) / (Φ(a) - 1/2), the truncated normal has
    (3 - h (a³ + 3 a)) / (1 - h a)².

    Returns
    -------
    float
        Infinite for the Student law with 2 < ν <= 4, NaN where its variance does not exist (ν <= 2).
    """
    _check(law, degrees_of_freedom, density)
    match law:
        case "gaussian":
            return 3.0
        case "uniform":
            return 1.8
        case "rademacher":
            return 1.0
        case "laplace":
            return 6.0
        case "sparse":
            return 3.0 / density
        case "truncated_normal":
            return (3.0 - _truncated_ratio() * (TRUNCATION**3 + 3.0 * TRUNCATION)) / _truncated_variance() ** 2
        case "student_t":
            if degrees_of_freedom > 4.0:
                return 3.0 + 6.0 / (degrees_of_freedom - 4.0)
            return math.inf if degrees_of_freedom > 2.0 else math.nan


def _check(law: str, degrees_of_freedom: float, density: float) -> None:
    if law not in ENTRY_LAWS:
        raise ValueError(f"entry law {law!r} is none of {', '.join(ENTRY_LAWS)}")
    if law == "student_t" and not degrees_of_freedom >= LEAST_DEGREES_OF_FREEDOM:
        raise ValueError(f"degrees of freedom {degrees_of_freedom} are below {LEAST_DEGREES_OF_FREEDOM}")
    if law == "sparse" and not 0.0 < density <= 1.0:
        raise ValueError(f"density {density} is outside (0, 1]")


# --------------------------------------------------------------------------------------------------------------------
# From random words to laws


def signed_uniforms(count: int, generator: torch.Generator, device: torch.device, dtype: torch.dtype) -> Tensor:
    """Uniform numbers on (-1, 1), never 0: odd multiples of 2⁻³¹ (float32) or 2⁻⁶³ (float64), rounded to the dtype.

    Odd integers are the midpoints of equal cells, so that no cell is lost at 0, where logarithms follow. Small numbers
    keep all their digits, unlike those of ``torch.rand``, and the largest may round to 1 in magnitude.
    """
    wide = dtype == torch.float64
    words = torch.empty(count if wide else (count + 1) // 2, dtype=torch.int64, device=device)
    words.random_(-(2**63), None, generator=generator)
    integers = words if wide else words.view(torch.int32)[:count]
    integers.bitwise_or_(1)
    return torch.mul(integers, 2.0**-63 if wide else 2.0**-31, out=torch.empty(count, dtype=dtype, device=device))


def _signed_uniforms_like(out: Tensor, generator: torch.Generator, per_entry: float = 1.0) -> Tensor:
    return signed_uniforms(math.ceil(per_entry * out.numel()), generator, out.device, out.dtype)


def _fill_gaussian(out: Tensor, generator: torch.Generator) -> None:
    """torch's own vectorised Box-Muller; doing it again on `signed_uniforms` was measured and is no faster."""
    out.normal_(generator=generator)


def _fill_uniform(out: Tensor, generator: torch.Generator) -> None:
    """Uniform on (-√3, √3)."""
    torch.mul(_signed_uniforms_like(out, generator), math.sqrt(3.0), out=out)


def _fill_signs(out: Tensor, generator: torch.Generator) -> None:
    """-1 or 1, each with probability 1/2: the single bits of random words."""
    words = torch.empty((out.numel() + 63) // 64, dtype=torch.int64, device=out.device)
    words.random_(-(2**63), None, generator=generator)
    if out.device.type == "cpu":
        np.copyto(out.numpy(), np.unpackbits(words.numpy().view(np.uint8), count=out.numel()))
    else:
        places = torch.arange(64, device=out.device)
        out.copy_(((words[:, None] >> places) & 1).view(-1)[: out.numel()])
    out.mul_(2.0).sub_(1.0)


def _fill_laplace(out: Tensor, generator: torch.Generator) -> None:
    """A random sign times an exponential variate of mean 1/√2."""
    uniforms = _signed_uniforms_like(out, generator)
    apply("log", torch.abs(uniforms, out=out)).mul_(math.sqrt(0.5))
    torch.copysign(out, uniforms, out=out)


def _fill_student(out: Tensor, generator: torch.Generator, nu: float) -> None:
    """Bailey (1994): √(ν (u^(-2/ν) - 1)) cos(2π v) has exactly the Student law with ν degrees of freedom.

    The first factor is the radius of a bivariate Student vector, whose other entry would depend on this one.
    """
    count = out.numel()
    uniforms = _signed_uniforms_like(out, generator, per_entry=2.0)
    squared_radius = apply("expm1", apply("log", uniforms[:count].abs_()).mul_(-2.0 / nu))
    direction = apply("cos", uniforms[count:].mul_(math.pi))
    torch.mul(apply("sqrt", squared_radius), direction, out=out)
    out.mul_(math.sqrt(nu - 2.0) if nu > 2.0 else math.sqrt(nu))  # √ν of the law times √((ν - 2)/ν) of the scaling


def _fill_sparse(out: Tensor, generator: torch.Generator, density: float) -> None:
    """A gaussian entry over √p where a coin of probability p says so, else 0."""
    _fill_gaussian(out, generator)
    keep = _signed_uniforms_like(out, generator).abs_()
    torch.le(keep, density, out=keep)  # 1 or 0 in the dtype of the entries: faster than a product with booleans
    out.mul_(keep).mul_(1.0 / math.sqrt(density))


def _fill_truncated(out: Tensor, generator: torch.Generator) -> None:
    """√2 erf⁻¹(u) for u uniform on ±erf(a/√2), rescaled to variance 1."""
    uniforms = _signed_uniforms_like(out, generator).mul_(math.erf(TRUNCATION / math.sqrt(2.0)))
    torch.erfinv(uniforms, out=out)
    out.mul_(math.sqrt(2.0 / _truncated_variance()))


def _truncated_ratio() -> float:
    """φ(a) / (Φ(a) - 1/2)."""
    return math.sqrt(2.0 / math.pi) * math.exp(-0.5 * TRUNCATION**2) / math.erf(TRUNCATION / math.sqrt(2.0))


def _truncated_variance() -> float:
    """Variance 1 - a φ(a) / (Φ(a) - 1/2) of the standard normal law truncated at ±a: 0.7737413 for a = 2."""
    return 1.0 - TRUNCATION * _truncated_ratio()


# --------------------------------------------------------------------------------------------------------------------
# Angles


def cosines(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Cosine and angle between matching rows, accurate over the whole of [0, π].

    c = ⟨x, y⟩ / (‖x‖ ‖y‖) and θ = arccos c; sums are pairwise, so that n = 10⁶ costs no digits. Where |c| > 0.9, or
    squares leave the range of float32, the row is computed again in double precision with Kahan's formula
    θ = 2 atan2(‖u - v‖, ‖u + v‖) for the unit vectors u and v, which keeps all digits near 0 and π.

    Parameters
    ----------
    x, y : Tensor, shape (rows, n)
        Vectors, float32 or float64.

    Returns
    -------
    cosine, angle : Tensor, shape (rows,)
        In double precision where the device has it; the angle in radians. NaN where a vector is zero: such rows have
        no angle and are for the caller to drop.

    References
    ----------
    Kahan (2006), How futile are mindless assessments of roundoff in floating-point computation?, section 12.
    """
    wide = wide_dtype(x.device)
    squares_x, squares_y, products = (torch.linalg.vecdot(a, b).to(wide) for a, b in ((x, x), (y, y), (x, y)))
    cosine = products / (squares_x.sqrt() * squares_y.sqrt())
    least, most = torch.minimum(squares_x, squares_y), torch.maximum(squares_x, squares_y)
    plain = (cosine.abs() < _NEARLY_PARALLEL) & (least > _SAFE_SQUARES[0]) & (most < _SAFE_SQUARES[1])
    angle = _angle(cosine)
    rows = torch.nonzero(~plain).squeeze(-1)  # device sync
    if rows.numel():
        u, v = (a.index_select(0, rows).to(wide) for a in (x, y))
        u, v = u / torch.linalg.vector_norm(u, dim=-1, keepdim=True), v / torch.linalg.vector_norm(v, dim=-1, keepdim=True)
        cosine[rows] = torch.linalg.vecdot(u, v).clamp(-1.0, 1.0)
        angle[rows] = 2.0 * torch.atan2(torch.linalg.vector_norm(u - v, dim=-1), torch.linalg.vector_norm(u + v, dim=-1))
    return cosine, angle


def subspace_angles(x: Tensor, basis: Tensor) -> Tensor:
    """Angle between each row and the span of an orthonormal basis, atan2(‖x - QQᵀx‖, ‖Qᵀx‖).

    Parameters
    ----------
    x : Tensor, shape (rows, n)
        Vectors.
    basis : Tensor, shape (n, k) or (rows, n, k)
        Q with orthonormal columns (for example from ``torch.linalg.qr``), one for all rows or one for each.

    Returns
    -------
    Tensor, shape (rows,)
        Angles in [0, π/2], radians; NaN where x is zero.
    """
    batched = x.unsqueeze(-2) if basis.ndim == 3 else x
    coordinates = batched @ basis
    residual = batched - coordinates @ basis.mT
    inside, outside = (torch.linalg.vector_norm(part, dim=-1) for part in (coordinates, residual))
    angle = torch.atan2(outside, inside).to(wide_dtype(x.device))
    angle[(inside == 0) & (outside == 0)] = math.nan
    return angle.squeeze(-1) if basis.ndim == 3 else angle


def pair_angles(
    law: EntryLaw,
    n: int,
    pairs: int,
    generator: torch.Generator,
    device: torch.device | str = "cpu",
    *,
    degrees_of_freedom: float = 5.0,
    density: float = 0.1,
) -> Tensor:
    """Angles between fresh, independent pairs of vectors with n entries of one law; no vector is used twice.

    Vectors are made in batches and forgotten. On the CPU, gaussian vectors stay in the polar form in which the method
    of Box and Muller (1958) creates them: with neighbouring entries r cos α and r sin α of x, s cos β and s sin β of y,
    ⟨x, y⟩ = Σ r s cos(α - β) and ‖x‖² = Σ r² take one cosine in place of two sines and two cosines.

    One CPU thread, nanoseconds per entry of either vector for n = 100 and 1000: polar form 2.9, ``normal_`` with
    fused reductions 3.8, numpy (``standard_normal``, ``einsum``, ``norm``, ``arccos``) 11 to 12.

    Parameters
    ----------
    law, generator, device, degrees_of_freedom, density
        As in `draw`.
    n : int
        Dimension, at least 2.
    pairs : int
        Number of pairs.

    Returns
    -------
    Tensor, shape (pairs,)
        Angles in radians, in double precision where the device has it; NaN where the sparse law gave a zero vector.

    Raises
    ------
    ValueError
        For n < 2, or as `draw`.
    """
    if n < 2:
        raise ValueError(f"dimension {n} is below 2")
    _check(law, degrees_of_freedom, density)
    device = torch.device(device)
    on_cpu = device.type == "cpu"
    batch = min(max(1, (1 << (18 if on_cpu else 24)) // n), max(pairs, 1))
    angles = torch.empty(pairs, dtype=wide_dtype(device), device=device)
    if law == "gaussian" and on_cpu and n >= _LEAST_POLAR:
        for piece in torch.split(angles, batch):
            piece.copy_(_gaussian_angles(n, piece.numel(), generator))
        return angles
    vectors = torch.empty((2, batch, n), device=device)
    for piece in torch.split(angles, batch):
        x, y = vectors.view(-1)[: 2 * piece.numel() * n].view(2, -1, n)
        for vector in (x, y):
            fill(law, vector, generator, degrees_of_freedom=degrees_of_freedom, density=density)
        piece.copy_(cosines(x, y)[1])
    return angles


def _angle(cosine: Tensor) -> Tensor:
    """Arc cosine in double precision: as accurate as the cosine, except near ±1."""
    return apply("arccos", cosine.clamp(-1.0, 1.0))


def _gaussian_angles(n: int, pairs: int, generator: torch.Generator) -> Tensor:
    """Angles between pairs of gaussian vectors on the CPU, from the polar form of their entries, shape (pairs,)."""
    half = n // 2
    words = torch.empty(2 * pairs * half, dtype=torch.int64).random_(-(2**63), None, generator=generator)
    integers = words.view(torch.int32).view(4, pairs, half)  # two radii, two directions
    logs = torch.mul(integers[:2].bitwise_or_(1), 2.0**-31).abs_()  # -r²/2 after the logarithm
    apply("log", logs)
    between = torch.mul(integers[2].sub_(integers[3]), math.pi * 2.0**-31)  # whole turns wrap around in the integers
    apply("cos", between)
    squares = logs.sum(-1).double()
    radii = apply("sqrt", logs[0].mul_(logs[1]))
    products = torch.linalg.vecdot(radii, between).double()
    if n % 2:
        last = draw("gaussian", (2, pairs), generator).double()
        squares = squares - 0.5 * last.square()
        products = products + 0.5 * last[0] * last[1]
    return _angle(products / (squares[0] * squares[1]).sqrt())
