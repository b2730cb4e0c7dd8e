"""Training on images of digits: updates of the class-conditional energy, and a gallery that grows out of noise meanwhile."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from engine.core.context import Context
from engine.core.errors import LabError
from engine.data.digit_judge import digits_to_learn, judge
from engine.data.digits import PIXELS
from engine.labs.langevin.energy_model.parameters import Parameters
from engine.math.energies import digits as digit_energy
from engine.math.energies.digits import OBJECTIVES, DigitSettings, DigitState
from engine.math.networks.kernel_classifier import SampleQuality, quality

CLASSES = 10
WIDTH_PER_CHANNEL = 16
POOL = 200  # chains that the classifier judges
GALLERY = 30  # images that grow
LIFE = 400  # Langevin steps from noise to a digit
REST = 12  # updates that a finished gallery stays
PACE = 10  # of its steps per update
ENCORE = LIFE // PACE + REST  # steps after the last update: the finished model generates once more, from noise to the end
PROBED = 120  # images whose energy is followed


@dataclass(frozen=True, slots=True)
class Images:
    """A model of images on its way, and the gallery."""

    state: DigitState
    examples: Tensor  # (m, 64)
    labels: Tensor  # (m,)
    probe: Tensor  # (PROBED, 64): noisy images whose energy is followed
    probe_classes: Tensor
    gallery: Tensor  # (GALLERY, 64)
    classes: Tensor  # (GALLERY,)
    walked: int = 0  # Langevin steps of the gallery
    rested: int = 0
    finished: Tensor = field(default_factory=lambda: torch.empty(0, PIXELS))  # the gallery at its end, without the last noise
    update: int = 0
    energies: list[tuple[float, float]] = field(default_factory=list)
    probability: float | None = None  # with which the buffer has been used so far
    constant: bool = True


def settings_of(parameters: Parameters) -> DigitSettings:
    """The settings that the parameters stand for.

    Raises
    ------
    LabError
        If model or objective are not for images.
    """
    if parameters.model not in ("mlp", "conv"):
        raise LabError("Bumps and splines cover the plane only.", "For digits choose layers or convolutions as model.")
    if parameters.objective not in OBJECTIVES:
        raise LabError(
            "This objective needs a box or a grid, which 64 dimensions do not have.",
            "For digits choose contrastive divergence, persistent chains or score matching.",
        )
    return replace(
        digit_energy.recommended(parameters.objective),
        width=parameters.image_width,
        depth=parameters.depth,
        channels=max(2, parameters.image_width // WIDTH_PER_CHANNEL) if parameters.model == "conv" else 0,
        batch=parameters.batch,
        steps_per_update=parameters.steps_per_update,
        step_size=parameters.step_size,
        temperature=parameters.temperature,
        buffer_probability=parameters.buffer_probability,
        regularisation=parameters.regularisation / PIXELS,  # per pixel, so that one λ serves the plane and images
        printed_sign=parameters.regularisation_sign == "printed",
        spectral_norm=parameters.spectral_norm,
        learning_rate=parameters.learning_rate,
        momentum=parameters.momentum,
        averaging=parameters.averaging,
        updates=parameters.updates,
    )


def classes_of(parameters: Parameters, device: torch.device) -> Tensor:
    """The classes of the gallery, (GALLERY,)."""
    if parameters.digit_class == "all":
        return torch.arange(GALLERY, device=device) % CLASSES
    return torch.full((GALLERY,), int(parameters.digit_class), dtype=torch.int64, device=device)


def begin(parameters: Parameters, context: Context) -> Images:
    """First weights, a buffer of noise, a gallery of noise."""
    settings = settings_of(parameters)
    images, labels = (each.to(context.device) for each in digits_to_learn())
    generator = context.generator("init")
    state = digit_energy.init(settings, generator)
    chosen = torch.randperm(len(images), generator=generator, device=context.device)[:PROBED]
    shaken = torch.randn((PROBED, PIXELS), generator=generator, device=context.device)
    found = Images(
        state=state,
        examples=images,
        labels=labels,
        probe=images[chosen] + settings.noise * shaken,
        probe_classes=labels[chosen],
        gallery=digit_energy.begin(settings, GALLERY, PIXELS, context.generator("gallery")),
        classes=classes_of(parameters, context.device),
        finished=torch.zeros((GALLERY, PIXELS), device=context.device),
    )
    found.energies.append(probe_energies(found, settings))
    return found


def step(images: Images, parameters: Parameters, context: Context) -> Images:
    """One update while there are any left, and a few steps of the gallery."""
    settings = settings_of(parameters)
    if images.update < parameters.updates:
        images = learn(images, settings, parameters, context)
        if images.update == parameters.updates:
            images = replace(images, walked=LIFE, rested=REST + 1)  # begin anew, with the weights that stay
    return grow(images, settings, parameters, context)


def learn(images: Images, settings: DigitSettings, parameters: Parameters, context: Context) -> Images:
    """One update."""
    state = digit_energy.update(images.state, settings, images.examples, images.labels, context.generator("training"))
    if images.update == 0:
        images.energies.clear()
    known = math.isfinite(state.data_energy)
    found = replace(images, state=state, update=images.update + 1)
    found.energies.append((state.data_energy, state.sample_energy) if known else probe_energies(found, settings))
    if digit_energy.diverged(state):
        raise LabError(
            "At update {update:,d} the energies of the images left all bounds; steps are stable below {limit:g}.",
            "Lower the step size or the learning rate, and choose the corrected sign.",
            update=found.update,
            limit=digit_energy.stability_limit(settings),
        )
    if settings.objective != "persistent":  # the buffer rests
        return found
    same = images.probability is None or images.probability == settings.buffer_probability
    return replace(found, probability=settings.buffer_probability, constant=images.constant and same)


def grow(images: Images, settings: DigitSettings, parameters: Parameters, context: Context) -> Images:
    """A few Langevin steps of the gallery with the averaged weights; a finished one rests, then noise begins anew."""
    generator = context.generator("gallery")
    classes = classes_of(parameters, context.device)
    if not torch.equal(classes, images.classes) or images.rested > REST:
        fresh = digit_energy.begin(settings, GALLERY, PIXELS, generator)
        images = replace(images, gallery=fresh, classes=classes, walked=0, rested=0)
    if images.walked >= LIFE:
        return replace(images, rested=images.rested + 1)
    context.checkpoint()
    noises = digit_energy.levels(settings, LIFE)[images.walked : images.walked + PACE]
    gallery = digit_energy.walk(images.state.average, settings, images.gallery, images.classes, noises, generator)
    if not bool(torch.isfinite(gallery).all()) or float(gallery.abs().max()) > 1e4:
        raise LabError(
            "The growing images left all bounds after {steps} steps; steps are stable below {limit:g}.",
            "Lower the step size.",
            steps=images.walked + PACE,
            limit=digit_energy.stability_limit(settings),
        )
    walked = min(LIFE, images.walked + PACE)
    finished = images.finished
    if walked == LIFE:
        finished = digit_energy.expected(images.state.average, gallery, images.classes, settings.noise)
    return replace(images, gallery=gallery, walked=walked, finished=finished)


@torch.no_grad()
def probe_energies(images: Images, settings: DigitSettings) -> tuple[float, float]:
    """Mean energies of noisy images and of the gallery, for objectives that make no negatives."""
    weights = images.state.average
    data = digit_energy.energy(weights, images.probe, images.probe_classes, settings.noise).mean()
    sample = digit_energy.energy(weights, images.gallery, images.classes, settings.noise).mean()
    return float(data), float(sample)


# ---- what one sees -----------------------------------------------------------------------------------------------------


def shown(images: Images) -> Tensor:
    """The gallery, (GALLERY, 64): on its way as it is, at its end without the last noise."""
    return (images.finished if images.walked >= LIFE else images.gallery).clamp(0, 1)


def pool(images: Images, settings: DigitSettings, most: int) -> tuple[Tensor, Tensor, Tensor]:
    """Up to so many chains without the noise of the model, (n, 64), their classes and their ages in rounds.

    They come from the buffer, or are the negatives of the last update; for score matching they are the gallery.
    """
    state = images.state
    if settings.objective == "persistent" and state.buffer.classes is not None:
        places, kinds, ages = state.buffer.points[:, :most].mT, state.buffer.classes[:most], state.buffer.ages[:most]
    elif len(state.negatives):
        places, kinds = state.negatives[:most], state.negative_classes[:most]
        ages = torch.ones_like(kinds)
    else:
        places, kinds, ages = images.gallery, images.classes, torch.zeros_like(images.classes)
    return digit_energy.expected(state.average, places, kinds, settings.noise), kinds, ages


def judged(images: Images, pictures: Tensor, classes: Tensor) -> SampleQuality:
    """What a classifier made from other digits says of pictures (n, 64) made for classes (n,)."""
    pictures, classes = pictures.cpu(), classes.cpu()
    return quality(judge(), pictures, classes, images.examples.cpu(), images.labels.cpu())


@torch.no_grad()
def class_energies(images: Images, settings: DigitSettings) -> Tensor:
    """Mean of U(x, c) over noisy images of each class (rows) for each c (columns), less the row's smallest, (10, 10)."""
    table = torch.zeros((CLASSES, CLASSES))
    for kind in range(CLASSES):
        asked = torch.full_like(images.probe_classes, kind)
        values = digit_energy.energy(images.state.average, images.probe, asked, settings.noise).cpu()
        labels = images.probe_classes.cpu()
        sums = torch.zeros(CLASSES).index_add_(0, labels, values)
        table[:, kind] = sums / torch.bincount(labels, minlength=CLASSES).clamp_min(1)
    return table - table.amin(1, keepdim=True)
