"""Samplers of exp(-U/T): one step each, as pure functions of points, noise and numbers.

Everywhere x' = x - (ε/2) ∇U(x) + √(εT) ξ is the overdamped step, the Euler scheme of dX = -½∇U dt + √T dW, and h = √ε the
time step of the samplers that have velocities. With this choice one step of hmc with a single leapfrog is mala to the last
term, baoab at infinite friction is ula with the mean of two successive noises (Leimkuhler, Matthews 2013), and all of them
diverge at the same limit, ε = 4 over the largest curvature of U.

Points lie coordinates first, shape (d, N). Noise is an argument: samplers that are handed the same numbers walk with the same
noise. Draw normals and uniforms from streams of their own, so that a sampler which needs no uniforms does not shift the
normals of the next step. Functions are written to be called on chunks of 2¹⁶ to 2¹⁷ particles, whose scratch stays in the
cache; `in_place` writes the new state over the old one and saves the allocation.

References
----------
Roberts, Tweedie (1996), Exponential convergence of Langevin distributions and their discrete approximations, Bernoulli 2.
Duane, Kennedy, Pendleton, Roweth (1987), Hybrid Monte Carlo, Physics Letters B 195.
Leimkuhler, Matthews (2013), Rational construction of stochastic numerical methods for molecular sampling, AMRX.
Neal (2011), MCMC using Hamiltonian dynamics, Handbook of Markov chain Monte Carlo.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor


class MetropolisState(NamedTuple):
    """Where chains are after a step with Metropolis.

    Attributes
    ----------
    points, energy, gradient : Tensor, shapes (d, N), (N), (d, N)
        x with U(x) and ∇U(x), for the next step.
    accepted : Tensor of bool, shape (N)
        Where the proposal was taken.
    """

    points: Tensor
    energy: Tensor
    gradient: Tensor
    accepted: Tensor


Gradient = Callable[[Tensor], Tensor]  # (d, N) -> (d, N)
ValueAndGradient = Callable[[Tensor], tuple[Tensor, Tensor]]  # (d, N) -> (N), (d, N)


# --------------------------------------------------------------------------------------------------------------------
# Overdamped


def ula(
    points: Tensor,
    gradient: Tensor | None,
    step_size: float,
    temperature: float,
    noise: Tensor | None,
    *,
    in_place: bool = False,
) -> Tensor:
    """One unadjusted Langevin step, x - (ε/2) ∇U(x) + √(εT) ξ.

    Parameters
    ----------
    points : Tensor, shape (d, N)
        x.
    gradient : Tensor, shape (d, N), optional
        ∇U at the points. None switches the drift off: pure diffusion.
    step_size, temperature : float
        ε and T.
    noise : Tensor, shape (d, N), optional
        ξ, standard normal. None switches the noise off: gradient descent with rate ε/2.
    in_place : bool
        Whether the points themselves are moved.

    Returns
    -------
    Tensor, shape (d, N)
    """
    moved = points if in_place else points.clone()
    if gradient is not None:
        moved.add_(gradient, alpha=-0.5 * step_size)
    if noise is not None and temperature > 0.0:
        moved.add_(noise, alpha=math.sqrt(step_size * temperature))
    return moved


def mala(
    points: Tensor,
    energy: Tensor,
    gradient: Tensor,
    step_size: float,
    temperature: float,
    noise: Tensor | None,
    uniform: Tensor,
    value_and_gradient: ValueAndGradient,
    *,
    drift_share: float = 0.5,
    in_place: bool = False,
) -> MetropolisState:
    """One Metropolis-adjusted Langevin step: `ula` proposes, and a proposal is accepted such that exp(-U/T) stays.

    Parameters
    ----------
    points, energy, gradient : Tensor, shapes (d, N), (N), (d, N)
        x with U(x) and ∇U(x), as the step before returned them.
    noise : Tensor, shape (d, N), optional
        ξ of the proposal; None for none.
    uniform : Tensor, shape (N)
        On [0, 1): a proposal is accepted where log u is below the logarithm of the ratio.
    value_and_gradient : callable
        U and ∇U at the proposals, the only evaluation of the step.
    drift_share : float
        The factor of ε∇U in the proposal density that the ratio uses. 0.5 is that of the move, and right. 1 is a misprint:
        J. Su (2019, kexue.fm/archives/6331) writes the density of the Metropolis step with the full ε∇U, while the move has
        half of it; such a chain leaves another law invariant (see `laws.printed_mala_law`).
    in_place : bool
        Whether points, energy and gradient are overwritten.

    Returns
    -------
    MetropolisState
        A proposal whose energy is not finite is never accepted.
    """
    proposal = ula(points, gradient, step_size, temperature, noise)
    energies, gradients = value_and_gradient(proposal)
    ratio = mala_log_ratio(points, energy, gradient, proposal, energies, gradients, step_size, drift_share=drift_share)
    accepted = metropolis(ratio, temperature, uniform)
    x, u, g = choose(accepted, (proposal, energies, gradients), (points, energy, gradient), in_place=in_place)
    return MetropolisState(x, u, g, accepted)


def mala_log_ratio(
    points: Tensor,
    energy: Tensor,
    gradient: Tensor,
    proposal: Tensor,
    energies: Tensor,
    gradients: Tensor,
    step_size: float,
    *,
    drift_share: float = 0.5,
) -> Tensor:
    """T times the logarithm of the Metropolis-Hastings ratio of a Langevin proposal y from x, shape (N).

    With s = ε/2, the factor of ∇U in the proposal density exp(-|y - x + s ∇U(x)|² / (2εT)), it is

        U(x) - U(y) + (s/ε) (y - x)·(∇U(x) + ∇U(y)) - (s²/2ε) (|∇U(y)|² - |∇U(x)|²),

    where the squares of y - x have cancelled, so that small steps lose no digits; s/ε is the drift share. For
    U = x²/2 the right one is -(ε/8)(y² - x²).
    """
    share = drift_share
    total, change = gradient + gradients, gradients - gradient
    # both inner products have the factor ∇U(x) + ∇U(y)
    lever = torch.sub(proposal, points).mul_(share).sub_(change, alpha=0.5 * share * share * step_size)
    return lever.mul_(total).sum(0).add_(energy).sub_(energies)


def metropolis(log_ratio: Tensor, temperature: float, uniform: Tensor) -> Tensor:
    """Which proposals are accepted: where T log u < T log(ratio), false where the ratio is nan.

    Multiplied by T the rule also holds at T = 0, where it accepts what lowers the energy.
    """
    return torch.log(uniform).mul_(temperature) < log_ratio if temperature > 0.0 else log_ratio >= 0.0


def choose(accepted: Tensor, new: tuple[Tensor, ...], old: tuple[Tensor, ...], *, in_place: bool = False) -> tuple[Tensor, ...]:
    """Of each pair of tensors (..., N) the new entries where accepted and the old ones elsewhere."""
    if not in_place:
        return tuple(torch.where(accepted, one, other) for one, other in zip(new, old, strict=True))
    for one, other in zip(new, old, strict=True):
        torch.where(accepted, one, other, out=other)
    return old


# --------------------------------------------------------------------------------------------------------------------
# With velocities


def baoab(
    points: Tensor,
    velocities: Tensor,
    gradient: Tensor,
    step_size: float,
    temperature: float,
    friction: float,
    noise: Tensor | None,
    gradient_function: Gradient,
    *,
    in_place: bool = False,
) -> tuple[Tensor, Tensor, Tensor]:
    """One step of underdamped Langevin dynamics dX = V dt, dV = -∇U dt - γV dt + √(2γT) dW, unit mass, over h = √ε.

    Half a kick, half a drift, the exact Ornstein-Uhlenbeck step V ← e^(-γh) V + √((1 - e^(-2γh)) T) ξ, half a drift, half a
    kick. Positions are exact in the mean square on quadratic energies. γ = 0 is leapfrog; for γ → ∞ the points move as
    `ula` of the same ε whose noise is (ξ_n + ξ_(n+1))/2.

    Parameters
    ----------
    points, velocities, gradient : Tensor, shape (d, N)
        x, v and ∇U(x), as the step before returned them.
    step_size, temperature, friction : float
        ε, T, and γ per unit of the time h counts.
    noise : Tensor, shape (d, N), optional
        ξ. None switches the noise off, not the friction.
    gradient_function : callable
        ∇U at the new points, the only evaluation of the step.

    Returns
    -------
    points, velocities, gradient : Tensor, shape (d, N)
    """
    h = math.sqrt(step_size)
    kept = math.exp(-friction * h)
    moved = points if in_place else points.clone()
    speed = velocities if in_place else velocities.clone()
    speed.add_(gradient, alpha=-0.5 * h)
    moved.add_(speed, alpha=0.5 * h)
    speed.mul_(kept)
    if noise is not None and temperature > 0.0:
        speed.add_(noise, alpha=math.sqrt((1.0 - kept * kept) * temperature))
    moved.add_(speed, alpha=0.5 * h)
    slope = gradient_function(moved)
    speed.add_(slope, alpha=-0.5 * h)
    return moved, speed, gradient.copy_(slope) if in_place else slope


def leapfrog(
    points: Tensor,
    velocities: Tensor,
    gradient: Tensor,
    step_size: float,
    count: int,
    gradient_function: Gradient,
    last: ValueAndGradient,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """`count` >= 1 leapfrog steps of h = √ε: the points and velocities reached, with U and ∇U there.

    Volume is kept and time can be reversed: from the end, with the velocity reversed, the same steps lead back.
    """
    h = math.sqrt(step_size)
    moved = points.clone()
    speed = torch.add(velocities, gradient, alpha=-0.5 * h)
    for _ in range(count - 1):
        moved.add_(speed, alpha=h)
        speed.add_(gradient_function(moved), alpha=-h)
    moved.add_(speed, alpha=h)
    energies, gradients = last(moved)
    speed.add_(gradients, alpha=-0.5 * h)
    return moved, speed, energies, gradients


def hmc(
    points: Tensor,
    energy: Tensor,
    gradient: Tensor,
    step_size: float,
    temperature: float,
    leapfrogs: int,
    noise: Tensor | None,
    uniform: Tensor,
    gradient_function: Gradient,
    value_and_gradient: ValueAndGradient,
    *,
    in_place: bool = False,
) -> MetropolisState:
    """One step of Hamiltonian Monte Carlo: a fresh velocity √T ξ, L leapfrog steps of h = √ε, Metropolis on U + |v|²/2.

    With L = 1 it is `mala` with the same noise. A step costs L evaluations of the gradient.

    Parameters
    ----------
    points, energy, gradient : Tensor, shapes (d, N), (N), (d, N)
        x with U(x) and ∇U(x), as the step before returned them.
    leapfrogs : int
        L >= 1.
    noise, uniform : Tensor, shapes (d, N), (N)
        As in `mala`.
    gradient_function, value_and_gradient : callable
        ∇U on the way, U and ∇U at the end of it.

    Returns
    -------
    MetropolisState
    """
    velocities = torch.zeros_like(points) if noise is None else noise * math.sqrt(temperature)
    proposal, speed, energies, gradients = leapfrog(
        points, velocities, gradient, step_size, leapfrogs, gradient_function, value_and_gradient
    )
    # (|v|² - |v'|²)/2 as a product: the squares of nearly equal speeds are not subtracted
    ratio = (velocities - speed).mul_(velocities + speed).sum(0).mul_(0.5).add_(energy).sub_(energies)
    accepted = metropolis(ratio, temperature, uniform)
    x, u, g = choose(accepted, (proposal, energies, gradients), (points, energy, gradient), in_place=in_place)
    return MetropolisState(x, u, g, accepted)


# --------------------------------------------------------------------------------------------------------------------
# Safeguards


def stability_limit(curvature: float) -> float:
    """The step size 4/L from which ula, mala's proposal, hmc's leapfrog (h = 2/√L) and baoab diverge on a curvature L."""
    return 4.0 / curvature if curvature > 0.0 else math.inf


def diverged(points: Tensor, bound: float) -> bool:
    """Whether any coordinate is not finite or beyond ±bound. One pass, one transfer from the device."""
    if points.numel() == 0:
        return False
    low, high = torch.aminmax(points)
    return not bool((low >= -bound) & (high <= bound))  # nan fails every comparison


def no_force(points: Tensor) -> tuple[Tensor, Tensor]:
    """U = 0 and ∇U = 0, to be handed to mala or hmc in place of an energy when the drift is switched off."""
    return torch.zeros_like(points[0]), torch.zeros_like(points)
