"""Training of energy models: chains for the negative phase, a buffer of chains, objectives, and Adam.

Points stand coordinates first, (d, N). The model is q(x) = exp(-U(x)/T) / Z; chains move by
x' = x - (ε/2) ∇U(x) + √(εT) ξ.

References
----------
Du & Mordatch (2019), Implicit generation and modeling with energy-based models, NeurIPS 32.
Hinton (2002), Training products of experts by minimizing contrastive divergence, Neural Computation 14.
Tieleman (2008), Training restricted Boltzmann machines using approximations to the likelihood gradient, ICML.
Vincent (2011), A connection between score matching and denoising autoencoders, Neural Computation 23.
Gutmann & Hyvärinen (2010), Noise-contrastive estimation, AISTATS.
Kingma & Ba (2015), Adam: a method for stochastic optimization, ICLR.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

Gradient = Callable[[Tensor], Tensor]
Boundary = Callable[[Tensor], Tensor]


# ---- chains ------------------------------------------------------------------------------------------------------------


def autograd_gradient(energy: Callable[[Tensor], Tensor]) -> Gradient:
    """∇U of an energy (d, N) -> (N,), for networks that do not write it out."""

    def gradient(points: Tensor) -> Tensor:
        with torch.enable_grad():
            places = points.detach().requires_grad_()
            (found,) = torch.autograd.grad(energy(places).sum(), places)
        return found

    return gradient


def reflect(reach: float) -> Boundary:
    """Mirrors at ±reach: a chain that would leave the square comes back as far as it went beyond the side."""

    def fold(points: Tensor) -> Tensor:
        return (torch.remainder(points + reach, 4 * reach) - 2 * reach).abs_().neg_().add_(reach)

    return fold


def clamp(low: float, high: float) -> Boundary:
    """Stops at both ends, as for the grey values of pixels."""
    return lambda points: points.clamp(low, high)


@torch.no_grad()
def langevin(
    gradient: Gradient,
    points: Tensor,
    steps: int,
    step_size: float,
    temperature: float,
    generator: torch.Generator,
    *,
    boundary: Boundary | None = None,
    clip: float | None = None,
    path: list[Tensor] | None = None,
    watched: int = 0,
    checkpoint: Callable[[], None] | None = None,
) -> Tensor:
    """Run chains for some steps.

    Parameters
    ----------
    gradient
        ∇U, (d, N) -> (d, N).
    points : Tensor, shape (d, N)
        Where the chains start; left as it is.
    steps, step_size, temperature
        K, ε and T of the rule above.
    generator : torch.Generator
        Source of ξ.
    boundary
        Applied after every step.
    clip : float, optional
        Bound of every coordinate of ∇U, as in code for images.
    path : list, optional
        Receives the places of the first `watched` chains, the start and every step, shape (d, watched) each.
    checkpoint
        Called before every step.

    Returns
    -------
    Tensor, shape (d, N)
    """
    spread = math.sqrt(step_size * temperature)
    if path is not None:
        path.append(points[:, :watched].clone())
    for _ in range(steps):
        if checkpoint is not None:
            checkpoint()
        slope = gradient(points)
        if clip is not None:
            slope = slope.clamp(-clip, clip)
        noise = torch.randn(points.shape, generator=generator, device=points.device, dtype=points.dtype)
        points = torch.add(points, slope, alpha=-0.5 * step_size).add_(noise, alpha=spread)
        if boundary is not None:
            points = boundary(points)
        if path is not None:
            path.append(points[:, :watched].clone())
    return points


# ---- the buffer --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Draw:
    """Chains taken out of a buffer for one round."""

    slots: Tensor  # (N,), int64
    starts: Tensor  # (d, N)
    kept: Tensor  # (N,), bool: goes on where it was, else starts anew
    classes: Tensor | None = None  # (N,), int64


class Buffer:
    """Chains that outlive an update.

    A round takes N different slots. With probability p a slot's chain goes on, else a new one starts there; the first one
    always starts anew. After n rounds a slot's chain is min(G, n) rounds old, where G is geometric, P(G = k) = (1-p) p^(k-1),
    with mean 1/(1-p): the same law as that of a queue into which results are pushed and from which starts are drawn.

    Parameters
    ----------
    points : Tensor, shape (d, size)
        What stands in the slots before they are used.
    classes : Tensor, shape (size,), optional
        A class for every chain that it keeps for life.
    """

    def __init__(self, points: Tensor, classes: Tensor | None = None) -> None:
        self.points = points
        self.classes = classes
        size = points.shape[1]
        self.ages = torch.zeros(size, dtype=torch.int64, device=points.device)  # rounds since the chain started
        self.rounds = torch.zeros(size, dtype=torch.int64, device=points.device)  # rounds of the slot

    @property
    def size(self) -> int:
        """Number of slots."""
        return self.points.shape[1]

    def draw(self, count: int, probability: float, fresh: Callable[[int], Tensor], generator: torch.Generator) -> Draw:
        """Starts for `count` chains (no more than there are slots); `fresh` gives new ones, shape (d, count)."""
        device = self.points.device
        slots = torch.randperm(self.size, generator=generator, device=device)[:count]
        kept = torch.rand(len(slots), generator=generator, device=device) < probability
        kept &= self.rounds[slots] > 0
        starts = torch.where(kept, self.points[:, slots], fresh(len(slots)))
        return Draw(slots, starts, kept, None if self.classes is None else self.classes[slots])

    def store(self, draw: Draw, points: Tensor) -> None:
        """Put the chains back where they came from, a round older."""
        self.points[:, draw.slots] = points
        self.ages[draw.slots] = torch.where(draw.kept, self.ages[draw.slots] + 1, torch.ones_like(draw.slots))
        self.rounds[draw.slots] += 1


def expected_age(rounds: Tensor, probability: float) -> tuple[Tensor, Tensor]:
    """Mean and variance of min(G, n) after n rounds (float64, same shape), for p in [0, 1]."""
    n = rounds.to(torch.float64)
    if probability >= 1:
        return n, torch.zeros_like(n)
    p, q = probability, 1 - probability
    tail = p**n  # P(G > n) for p > 0
    mean = (1 - tail) / q
    # E min(G, n)² = Σ_{k<n} (2k + 1) P(G > k) = 2 p (1 - n p^(n-1) + (n-1) p^n) / q² + (1 - p^n) / q
    before = p ** (n - 1).clamp_min(0)
    square = 2 * p * (1 - n * before + (n - 1) * tail) / q**2 + mean
    square = torch.where(n > 0, square, torch.zeros_like(n))
    return mean, (square - mean**2).clamp_min(0)


# ---- objectives --------------------------------------------------------------------------------------------------------


def contrastive_loss(data: Tensor, model: Tensor, regularisation: float = 0.0, *, printed: bool = False) -> Tensor:
    """E U(x_r) - E U(x_f) + λ [E U²(x_r) ± E U²(x_f)] of energies (N,), (M,).

    Its gradient without the last term is that of the negative log-likelihood (times T) if x_f has the law of the model.
    Plus is the sign that keeps energies near zero; minus is `printed` in some places: it pays for large |U| on x_f.
    """
    loss = data.mean() - model.mean()
    if regularisation:
        sign = -1.0 if printed else 1.0
        loss = loss + regularisation * (data.square().mean() + sign * model.square().mean())
    return loss


def score_matching_loss(gradient: Gradient, points: Tensor, noise: Tensor, level: float, temperature: float = 1.0) -> Tensor:
    """Denoising score matching: ½ E |σ ∇U(x + σξ)/T - ξ|², least where exp(-U/T) is the law of x + σξ.

    Parameters
    ----------
    points, noise : Tensor, shape (d, N)
        x and ξ.
    level : float
        σ.
    """
    slope = gradient(torch.add(points, noise, alpha=level))
    return 0.5 * (slope * (level / temperature) - noise).square().sum(0).mean()


def noise_contrastive_loss(
    data: Tensor, noise: Tensor, log_partition: Tensor, noise_log_density: float, temperature: float = 1.0
) -> Tensor:
    """Tell data from noise of known density by -U/T - c - log p_n: the best c is the log partition function.

    Parameters
    ----------
    data, noise : Tensor, shape (N,)
        Energies of both.
    log_partition : Tensor, shape ()
        c, a weight that is learned.
    noise_log_density : float
        log p_n, constant for uniform noise.
    """
    soft = torch.nn.functional.softplus
    right = -data / temperature - log_partition - noise_log_density
    wrong = -noise / temperature - log_partition - noise_log_density
    return temperature * (soft(-right).mean() + soft(wrong).mean())


def likelihood_loss(data: Tensor, grid: Tensor, temperature: float = 1.0) -> Tensor:
    """E U + T log Σ exp(-U/T) over the cells of a grid (M,): T times the negative log-likelihood up to a constant."""
    return data.mean() + temperature * torch.logsumexp(-grid / temperature, 0)


# ---- Adam --------------------------------------------------------------------------------------------------------------


class Adam:
    """Adam written on lists of tensors: `torch.optim` would import a compiler that nobody needs here.

    Parameters
    ----------
    weights : sequence of Tensor
        Changed in place.
    """

    def __init__(self, weights: Sequence[Tensor]) -> None:
        self.weights = list(weights)
        self.first = [torch.zeros_like(weight) for weight in self.weights]
        self.second = [torch.zeros_like(weight) for weight in self.weights]
        self.steps = 0
        self.memory = (1.0, 1.0)  # what is left of the zeros both averages began with

    @torch.no_grad()
    def step(
        self,
        gradients: Sequence[Tensor],
        learning_rate: float,
        beta1: float = 0.9,
        beta2: float = 0.999,
        *,
        stabiliser: float = 1e-8,
    ) -> None:
        """One update; the decay rates may change from step to step."""
        self.steps += 1
        self.memory = (self.memory[0] * beta1, self.memory[1] * beta2)
        grads = list(gradients)
        torch._foreach_lerp_(self.first, grads, 1 - beta1)
        torch._foreach_mul_(self.second, beta2)
        torch._foreach_addcmul_(self.second, grads, grads, 1 - beta2)
        roots = torch._foreach_sqrt(self.second)
        torch._foreach_div_(roots, math.sqrt(1 - self.memory[1]))
        torch._foreach_add_(roots, stabiliser)
        torch._foreach_addcdiv_(self.weights, self.first, roots, -learning_rate / (1 - self.memory[0]))


def gradients_of(loss: Tensor, weights: Sequence[Tensor]) -> list[Tensor]:
    """The gradient of a loss, zeros for weights it does not depend on."""
    found = torch.autograd.grad(loss, list(weights), allow_unused=True)
    return [torch.zeros_like(weight) if each is None else each for each, weight in zip(found, weights, strict=True)]
