"""An energy of digits, learned by contrast with its own Langevin chains or by score matching.

Chains follow x' = x - (ε/2) ∇U(x) + √(εT) ξ in Langevin's proportion, T = 1. (Released code of the source moves images by 10 ∇U
and shakes them by 0.005: that is ε = 20 and T = 1.25e-6.) Three objectives for one and the same network:

``contrastive``     chains of K steps from the images themselves (CD-K)
``persistent``      chains of K steps that go on from a replay buffer with probability 95 %, else start from noise
``score_matching``  no chains: σ∇U(x + σξ) is fitted to ξ at all σ from `noise` to `widest`; chains then cool down

The first two learn the density of images with noise of one sd. Its exact energy has no curvature above 1/σ², hence ε < 4σ² is
stable; with σ = 0.1, ε = 1/200 is an eighth of the limit.

How to use it::

    settings = recommended("persistent")                  # frozen; all but the network's sizes may change between two updates
    state = init(settings, generator)
    for _ in range(settings.updates):
        state = update(state, settings, images, classes, generator)     # all images (m, 64) in [0, 1]; it draws its own batch
        if diverged(state): ...                                         # tell the limit, stability_limit(settings)
    path = generate(state.average, settings, classes, steps, generator, frames=40)   # (frames, n, 64), from noise to digits
    shown = expected(state.average, path[-1], classes, settings.noise)   # what the noise of the density hides

or, one step at a time, `begin` and `walk` with the noise levels of `levels`. The buffer is ``state.buffer`` with points
(64, size), their classes and their ages in rounds.

References
----------
Du & Mordatch (2019), Implicit generation and modeling with energy-based models. Hinton (2002), Training products of experts.
Tieleman (2008), Training restricted Boltzmann machines using approximations to the likelihood gradient. Vincent (2011), A
connection between score matching and denoising autoencoders. Song & Ermon (2019), Generative modeling by estimating gradients
of the data distribution.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from engine.math.networks.digit_convolution import pixels_of
from engine.math.networks.digit_network import CENTRE, SPREAD, energy, energy_gradient, expected, initial_weights, matrices
from engine.math.networks.energy_training import Adam, Buffer, contrastive_loss
from engine.math.numerics.power_iteration import power_iteration

__all__ = [
    "OBJECTIVES",
    "DigitSettings",
    "DigitState",
    "begin",
    "diverged",
    "energy",
    "energy_gradient",
    "expected",
    "generate",
    "init",
    "levels",
    "recommended",
    "score_loss",
    "stability_limit",
    "update",
    "walk",
]

OBJECTIVES = ("contrastive", "persistent", "score_matching")
WARM_UP = 50  # updates
CLIP = 10.0  # largest norm of a gradient
FLOOR = 0.05  # share of the learning rate at the end
COOLING = 0.8  # share of the steps in which σ falls; the rest stays at the narrowest


@dataclass(frozen=True, slots=True)
class DigitSettings:
    """What one trains with. Lengths are in units of a pixel's range, 0 black and 1 white.

    Parameters
    ----------
    width, depth
        Units of a hidden layer, and number of hidden layers.
    channels
        Of a convolution as the first hidden layer; 0 for none.
    noise, widest
        sd of the noise on the images; score matching learns all levels from one to the other.
    step_size
        ε at the level `noise`; at a level σ it is ε(σ/noise)².
    temperature
        T of the chains. Score matching, `expected` and `stability_limit` are made for 1.
    slots
        Chains in the buffer, the same number of each class.
    buffer_probability
        Chance that a chain goes on from the buffer.
    regularisation, printed_sign
        λ(U_r² + U_f²), which keeps energies near 0, or with the minus that the source prints.
    spectral_norm
        Bound the spectral norm of the matrices between layers by 1.
    momentum, memory
        Decay rates of Adam.
    averaging
        Decay rate of the running mean of the weights.
    updates
        After how many the learning rate has come down.
    """

    objective: str = "persistent"
    width: int = 256
    depth: int = 2
    channels: int = 0
    batch: int = 64
    noise: float = 0.1
    widest: float = 1.5
    steps_per_update: int = 20
    step_size: float = 0.005
    temperature: float = 1.0
    slots: int = 1000
    buffer_probability: float = 0.95
    regularisation: float = 0.001
    printed_sign: bool = False
    spectral_norm: bool = False
    learning_rate: float = 3e-3
    momentum: float = 0.5
    memory: float = 0.999
    averaging: float = 0.99
    updates: int = 2500


@dataclass(frozen=True, slots=True)
class DigitState:
    """Weights on their way. What the fields hold is changed in place: copy what a picture keeps.

    Parameters
    ----------
    weights, average
        The weights, and their running mean, which makes better pictures.
    optimiser, poles
        Moments of Adam; left singular vectors of the matrices, for power iteration.
    buffer
        Ends of the chains (pixels, slots), classes and ages.
    negatives, negative_classes
        Where the chains of the last update ended, (n, pixels) and (n,); empty after score matching.
    data_energy, sample_energy
        Means of U over the real batch and the negatives before the update; nan for score matching.
    """

    weights: list[Tensor]
    average: list[Tensor]
    optimiser: Adam
    poles: list[Tensor]
    buffer: Buffer
    negatives: Tensor
    negative_classes: Tensor
    number: int = 0
    loss: float = math.nan
    data_energy: float = math.nan
    sample_energy: float = math.nan


def recommended(objective: str) -> DigitSettings:
    """Settings that make digits a person recognises within a minute of one core.

    Raises
    ------
    ValueError
        If the objective is none of `OBJECTIVES`.
    """
    if objective not in OBJECTIVES:
        raise ValueError(f"The objective {objective!r} is none of {', '.join(OBJECTIVES)}.")
    settings = DigitSettings(objective)
    if objective == "score_matching":
        return replace(settings, batch=128, learning_rate=2e-3, momentum=0.9, memory=0.99, averaging=0.995, updates=4000)
    return settings


def init(settings: DigitSettings, generator: torch.Generator, pixels: int = 64, classes: int = 10) -> DigitState:
    """Random weights and a buffer full of noise, on the device of the generator."""
    device = generator.device
    weights = initial_weights(settings.width, settings.depth, generator, pixels, classes, settings.channels)
    starts = torch.rand(pixels, settings.slots, generator=generator, device=device)
    return DigitState(
        weights=weights,
        average=[each.clone() for each in weights],
        optimiser=Adam(weights),
        poles=[torch.randn(len(each), generator=generator, device=device) for each in matrices(weights)],
        buffer=Buffer(starts, torch.arange(settings.slots, device=device) % classes),
        negatives=torch.empty(0, pixels, device=device),
        negative_classes=torch.empty(0, dtype=torch.int64, device=device),
    )


def stability_limit(settings: DigitSettings) -> float:
    """Step size 4σ² beyond which chains diverge: images with noise of sd σ have no curvature above 1/σ², and reach it."""
    return 4 * settings.noise**2


# ---- chains ------------------------------------------------------------------------------------------------------------


def levels(settings: DigitSettings, steps: int) -> list[float]:
    """σ of each step of a chain from noise: constant, or falling evenly in ln σ where all levels were learned."""
    if settings.objective != "score_matching":
        return [settings.noise] * steps
    falling = max(1, round(COOLING * steps))
    ratio = settings.noise / settings.widest
    return [settings.widest * ratio ** min(1.0, step / max(1, falling - 1)) for step in range(steps)]


def begin(settings: DigitSettings, count: int, pixels: int, generator: torch.Generator) -> Tensor:
    """Noise in which chains begin, shape (count, pixels): uniform, or Gaussian of the widest level."""
    if settings.objective != "score_matching":
        return torch.rand(count, pixels, generator=generator, device=generator.device)
    return CENTRE + settings.widest * torch.randn(count, pixels, generator=generator, device=generator.device)


@torch.no_grad()
def walk(
    weights: Sequence[Tensor],
    settings: DigitSettings,
    images: Tensor,
    classes: Tensor,
    noises: Sequence[float],
    generator: torch.Generator,
) -> Tensor:
    """Ends of Langevin chains with one step at each of these levels; the images given stay as they are."""
    for sigma in noises:
        step_size = settings.step_size * (sigma / settings.noise) ** 2
        kick = torch.randn(images.shape, generator=generator, device=images.device)
        slope = energy_gradient(weights, images, classes, sigma)
        images = images - 0.5 * step_size * slope + math.sqrt(step_size * settings.temperature) * kick
    return images


def generate(
    weights: Sequence[Tensor],
    settings: DigitSettings,
    classes: Tensor,
    steps: int,
    generator: torch.Generator,
    frames: int = 2,
    checkpoint: Callable[[], object] = lambda: None,
) -> Tensor:
    """Chains from noise to images of these classes, shape (frames, n, pixels): the start, then evenly spaced to the end.

    Parameters
    ----------
    checkpoint
        Called between frames; it may raise to stop the work.
    """
    images = begin(settings, len(classes), pixels_of(weights), generator)
    noises = levels(settings, steps)
    stops = [round(steps * frame / max(1, frames - 1)) for frame in range(frames)]
    path = [images]
    for start, stop in itertools.pairwise(stops):
        checkpoint()
        images = walk(weights, settings, images, classes, noises[start:stop], generator)
        path.append(images)
    return torch.stack(path)


# ---- learning ----------------------------------------------------------------------------------------------------------


def update(
    state: DigitState, settings: DigitSettings, images: Tensor, classes: Tensor, generator: torch.Generator
) -> DigitState:
    """One step of the optimiser on a batch drawn from all these images (m, pixels) and classes (m,), each class among them."""
    if settings.objective == "score_matching":
        return _match(state, settings, images, classes, generator)
    return _contrast(state, settings, images, classes, generator)


def score_loss(weights: Sequence[Tensor], images: Tensor, classes: Tensor, sigma: Tensor, normal: Tensor) -> Tensor:
    """Denoising score matching: mean of |σ∇U(x + σξ) - ξ|² (σ² + s²) / s² per pixel, about 1 at every σ to begin with.

    Parameters
    ----------
    sigma, normal
        Levels (n, 1) and standard normal numbers ξ like the images.
    """
    slope = energy_gradient(weights, images + sigma * normal, classes, sigma)
    weight = (sigma.square() + SPREAD**2) / SPREAD**2
    return (weight * (sigma * slope - normal).square()).mean()


def diverged(state: DigitState) -> bool:
    """Whether chains or weights have left all bounds."""
    return state.number > 0 and not abs(state.loss) < 1e6


def rate(settings: DigitSettings, number: int) -> float:
    """Learning rate of an update: a warm-up, then half a cosine down to 5 %."""
    cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, number / settings.updates)))
    return settings.learning_rate * min(1.0, (number + 1) / WARM_UP) * max(FLOOR, cosine)


def _match(
    state: DigitState, settings: DigitSettings, images: Tensor, classes: Tensor, generator: torch.Generator
) -> DigitState:
    device = images.device
    chosen = torch.randint(len(images), (settings.batch,), generator=generator, device=device)
    share = torch.rand(settings.batch, 1, generator=generator, device=device)
    sigma = settings.noise * (settings.widest / settings.noise) ** share
    normal = torch.randn(settings.batch, images.shape[1], generator=generator, device=device)
    with torch.enable_grad():
        leaves = [each.detach().requires_grad_() for each in state.weights]
        loss = score_loss(leaves, images[chosen], classes[chosen], sigma, normal)
        gradients = torch.autograd.grad(loss, leaves)
    _descend(state, settings, list(gradients))
    nothing = state.negatives[:0], state.negative_classes[:0]
    return replace(
        state,
        number=state.number + 1,
        negatives=nothing[0],
        negative_classes=nothing[1],
        loss=loss.item(),
        data_energy=math.nan,
        sample_energy=math.nan,
    )


def _contrast(
    state: DigitState, settings: DigitSettings, images: Tensor, classes: Tensor, generator: torch.Generator
) -> DigitState:
    """Chains of the slots' classes against as many real images of the same classes, which cancels what classes differ in."""
    pixels = images.shape[1]

    def fresh(count: int) -> Tensor:
        return begin(settings, count, pixels, generator).T

    draw = state.buffer.draw(settings.batch, settings.buffer_probability, fresh, generator)
    kinds = state.buffer.classes[draw.slots] if state.buffer.classes is not None else draw.slots
    real = images[_one_of_each(classes, kinds, generator)]
    real = real + settings.noise * torch.randn(real.shape, generator=generator, device=real.device)
    persistent = settings.objective == "persistent"
    starts = draw.starts.T.contiguous() if persistent else real
    noises = [settings.noise] * settings.steps_per_update
    negatives = walk(state.weights, settings, starts, kinds, noises, generator)
    if persistent:
        state.buffer.store(draw, negatives.T)
    with torch.enable_grad():
        leaves = [each.detach().requires_grad_() for each in state.weights]
        above, below = energy(leaves, torch.cat([real, negatives]), kinds.repeat(2), settings.noise).chunk(2)
        loss = contrastive_loss(above, below, settings.regularisation, printed=settings.printed_sign)
        gradients = torch.autograd.grad(loss, leaves)
    _descend(state, settings, list(gradients))
    return replace(
        state,
        number=state.number + 1,
        negatives=negatives,
        negative_classes=kinds,
        loss=loss.item(),
        data_energy=above.mean().item(),
        sample_energy=below.mean().item(),
    )


def _one_of_each(classes: Tensor, wanted: Tensor, generator: torch.Generator) -> Tensor:
    """For each class wanted the index of an example of it, drawn evenly."""
    order = torch.argsort(classes, stable=True)
    counts = torch.bincount(classes, minlength=int(wanted.max()) + 1)
    place = torch.rand(wanted.shape, generator=generator, device=wanted.device) * counts[wanted]
    return order[(counts.cumsum(0) - counts)[wanted] + place.long().minimum(counts[wanted] - 1)]


@torch.no_grad()
def _descend(state: DigitState, settings: DigitSettings, gradients: list[Tensor]) -> None:
    """Adam with clipped gradients; then the bound on the matrices, and the running mean."""
    length = torch.stack(torch._foreach_norm(gradients)).norm().item()
    torch._foreach_mul_(gradients, CLIP / max(CLIP, length))
    state.optimiser.step(gradients, rate(settings, state.number), settings.momentum, settings.memory)
    if settings.spectral_norm:
        for matrix, pole in zip(matrices(state.weights), state.poles, strict=True):
            norm, left, _ = power_iteration(matrix, pole)
            pole.copy_(left)
            matrix.div_(norm.clamp(min=1))
    young = (state.number + 1) / (state.number + 10)  # a mean of few is a plain mean
    torch._foreach_lerp_(state.average, state.weights, 1 - min(settings.averaging, young))
