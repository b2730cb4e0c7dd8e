"""A discriminator as a landscape: it digs pits at data and heaps up ground under generated points, which roll downhill.

Points stand coordinates first, (2, N). The digger lowers E_p U - E_q U + λ E (|∇U| - c)²; a point rolls by
v' = m v - η ∇U(x), x' = x + v', the heavy-ball rule. With an entropy term, E_q U - τ H(q), the slope ∇U becomes
∇U + τ ∇log q; the same law of points comes about by noise of variance 2ητ per step, which makes rolling a Langevin step.

References
----------
Polyak (1964), Some methods of speeding up the convergence of iteration methods, USSR Comput. Math. 4.
Mescheder, Geiger & Nowozin (2018), Which training methods for GANs do actually converge?, ICML.
Zhao, Mathieu & LeCun (2017), Energy-based generative adversarial networks, ICLR.
Liu, Lee & Jordan (2016), A kernelized Stein discrepancy for goodness-of-fit tests, ICML.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor

Loss = Literal["linear", "hinge", "margin"]


def digging_loss(loss: Loss, data: Tensor, points: Tensor, margin: float = 1.0) -> Tensor:
    """What the digger lowers, without the penalty, from energies of data (N,) and of points (M,).

    ``linear``: E U(x_r) - E U(x_f), without a bottom. ``hinge``: E max(0, m + U(x_r)) + E max(0, m - U(x_f)), which stops at
    depth m and height m. ``margin``: E U(x_r) + E max(0, m - U(x_f)).
    """
    if loss == "linear":
        return data.mean() - points.mean()
    hill = torch.relu(margin - points).mean()
    return hill + (torch.relu(margin + data).mean() if loss == "hinge" else data.mean())


def slope_penalty(slopes: Tensor, centre: float) -> Tensor:
    """E (|∇U| - c)² of slopes (2, N)."""
    if centre == 0:
        return slopes.square().sum(0).mean()  # smooth where the slope vanishes
    return (slopes.square().sum(0).add(1e-12).sqrt() - centre).square().mean()


def balance(slopes: Tensor, penalty: float, centre: float) -> float:
    """The gap E_q U - E_p U that a digger of linear loss ends with: 2λ E |∇U| (|∇U| - c).

    Scaling U by s changes the loss to s (E_p U - E_q U) + λ E (s |∇U| - c)²; at the bottom its derivative at s = 1 vanishes.
    This holds for every family of energies that contains its own multiples.

    Parameters
    ----------
    slopes : Tensor, shape (2, N)
        Where the penalty is taken.
    """
    sizes = slopes.square().sum(0).sqrt()
    return float(2 * penalty * (sizes * (sizes - centre)).mean())


def roll(points: Tensor, velocities: Tensor, slopes: Tensor, rate: float, momentum: float) -> tuple[Tensor, Tensor]:
    """One heavy-ball step of points, velocities and slopes (2, N) each."""
    velocities = momentum * velocities - rate * slopes
    return points + velocities, velocities


def bounce(points: Tensor, velocities: Tensor, reach: float) -> tuple[Tensor, Tensor]:
    """Walls at ±reach: a point comes back as far as it went beyond, with its velocity turned; never further than the wall."""
    beyond = points.abs() > reach
    mirrored = (torch.sign(points) * 2 * reach - points).clamp(-reach, reach)
    return torch.where(beyond, mirrored, points), torch.where(beyond, -velocities, velocities)


def crowding(points: Tensor, bandwidth: float) -> Tensor:
    """∇log q at the points (2, N), q the density of the points themselves, smoothed by a normal kernel.

    Σ_j k_ij (x_j - x_i)/h² / Σ_j k_ij: it leads to where points crowd, so that its opposite drives them apart.
    """
    scaled = points / bandwidth
    half, one = 0.5 * scaled.square().sum(0, keepdim=True), torch.ones_like(points[:1])
    # -|x_i - x_j|²/(2h²) as one product; e⁻⁶⁰ is nothing beside a point's own 1, smaller numbers would be slow (subnormal)
    logarithms = torch.cat([scaled, -half, one]).mT @ torch.cat([scaled, one, -half])
    kernel = logarithms.clamp_min_(-60.0).exp_()
    sums = torch.cat([points, one]) @ kernel
    return (sums[:2] / sums[2] - points) / bandwidth**2


def contraction(stiffness: float, momentum: float) -> float:
    """How much of a small distance from the bottom of a pit is left after a step, in the long run.

    The larger modulus of the roots of z² - (1 + m - ηk) z + m = 0; above 1 the point is thrown out.

    Parameters
    ----------
    stiffness : float
        ηk, rate times curvature.
    momentum : float
        m.
    """
    half = 0.5 * (1 + momentum - stiffness)
    discriminant = half * half - momentum
    if discriminant <= 0:
        return math.sqrt(momentum)
    return abs(half) + math.sqrt(discriminant)


def overshoots(stiffness: float, momentum: float) -> bool:
    """Whether a point set free on the wall of a pit runs past the bottom: m > (1 - √(ηk))², or ηk > 1."""
    return stiffness > 1 or momentum > critical_momentum(stiffness)


def critical_momentum(stiffness: float) -> float:
    """The largest momentum with which a point creeps to the bottom and stays, (1 - √(ηk))² for ηk <= 1; else 0."""
    return (1 - math.sqrt(stiffness)) ** 2 if stiffness < 1 else 0.0


def largest_curvature(hessian: Tensor) -> tuple[float, Tensor]:
    """The largest eigenvalue of a Hessian (2, 2) and its direction (2,)."""
    values, vectors = torch.linalg.eigh(0.5 * (hessian + hessian.mT))
    return float(values[-1]), vectors[:, -1]
