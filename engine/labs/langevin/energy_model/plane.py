"""Training in the plane: the law of the data, the model on a grid, one update."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import cached_property

import torch
from torch import Tensor

from engine.core.context import Context
from engine.core.errors import LabError
from engine.data.planar import REACH, Modes, Planar, planar, smoothed
from engine.data.point_files import bandwidth, read_points, standardised
from engine.labs.langevin.energy_model.parameters import CHAINS, Parameters
from engine.math.networks.energy_networks import EnergyFunction, LayeredNetwork, ProductNetwork
from engine.math.networks.energy_training import (
    Adam,
    Buffer,
    contrastive_loss,
    gradients_of,
    langevin,
    likelihood_loss,
    noise_contrastive_loss,
    reflect,
    score_matching_loss,
)
from engine.math.numerics.precision import widened

CELLS, COARSE = 96, 48  # per side of the grids on which a density is exact
SLOTS = 1024  # of the buffer
WATCHED = 56  # chains whose path is shown
SHOWN = 500  # data points in the picture
TESTED = 4096  # points that no update sees
PROBED = 512  # points for the energies of the very first picture
HAND = 0.1  # noise on points drawn by hand
AREA = 4 * REACH**2
LIMIT = 1000.0  # energies beyond it have run away
COUNTS = {"rbf": 14, "grid": 36}  # functions per axis
LINEAR_PACE = 10  # learning rate of models linear in their weights, over that of a network
SHARPNESS = 3.0
ROUNDS = 8  # of power iteration per update
MIRROR = reflect(REACH)

Network = LayeredNetwork | ProductNetwork


@dataclass(frozen=True, eq=False)
class Target:
    """The law of the data with all that is known of it."""

    law: Planar
    drawn: tuple[tuple[float, ...], ...]  # from which it was made, if by hand
    shown: Tensor  # (2, SHOWN)
    test: Tensor  # (2, TESTED)
    shares: Tensor  # (CELLS²,): probability of each cell
    logs: Tensor  # (CELLS²,): log density at its middle, finite
    coarse: Tensor  # (COARSE²,): probability of each coarse cell
    modes: Modes | None
    cell_modes: Tensor  # (CELLS²,), int64 on the host: the mode of each cell, -1 for none

    @cached_property
    def entropy(self) -> float:
        """Of the law, in nats."""
        return -float((self.shares.double() * self.logs.double()).sum())


def grid(cells: int, device: torch.device) -> Tensor:
    """Middles of the cells, shape (2, cells²); rows from below."""
    middles = REACH * ((2 * torch.arange(cells, device=device) + 1) / cells - 1)
    y, x = torch.meshgrid(middles, middles, indexing="ij")
    return torch.stack([x.reshape(-1), y.reshape(-1)])


def target(parameters: Parameters, context: Context) -> Target:
    """The law that the parameters name, measured on grids.

    Raises
    ------
    LabError
        If it comes from a file that cannot be used.
    """
    law = law_of(parameters)
    generator = context.generator("target")
    logs = law.log_density(grid(CELLS, context.device))
    shares = torch.softmax(widened(logs), 0)
    modes = Modes.of(law, generator) if law.modes else None
    return Target(
        law=law,
        drawn=parameters.drawn,
        shown=MIRROR(law.sample(SHOWN, generator)),
        test=MIRROR(law.sample(TESTED, generator)),
        shares=shares.float(),
        logs=torch.where(shares > 0, logs, torch.zeros_like(logs)),
        coarse=torch.softmax(law.log_density(grid(COARSE, context.device)), 0),
        modes=modes,
        cell_modes=modes.labels(grid(CELLS, context.device)).cpu() if modes else torch.empty(0, dtype=torch.int64),
    )


def law_of(parameters: Parameters) -> Planar:
    """A classic, or smoothed points of one's own."""
    if parameters.data == "file":
        points = standardised(read_points(parameters.file, parameters.columns))
        return smoothed(points, bandwidth(points.shape[1]))
    if parameters.data == "drawn":
        return smoothed(torch.tensor(parameters.drawn, dtype=torch.float32).reshape(-1, 2).mT.contiguous(), HAND)
    return planar(parameters.data)


@dataclass(frozen=True, slots=True)
class Plane:
    """A model on its way. Tensors of network, average and buffer change in place; frames copy what they show."""

    target: Target
    network: Network
    average: Network
    log_partition: Tensor  # what noise contrastive estimation takes for log Z
    adam: Adam
    buffer: Buffer
    starts: Tensor  # (2, N): where the chains of the last update began
    negatives: Tensor  # (2, N): where they ended
    kept: Tensor  # (N,): whether they came from the buffer
    path: Tensor  # (K + 1, 2, WATCHED)
    update: int = 0
    energies: list[tuple[float, float]] = field(default_factory=list)  # of data and negatives, by update
    probability: float | None = None  # with which the buffer has been used so far
    constant: bool = True  # whether that has not changed


def make_network(parameters: Parameters, generator: torch.Generator) -> Network:
    """The model with its first weights."""
    if parameters.model == "conv":
        raise LabError("Convolutions need images.", "Choose the digits as data, or another model.")
    if parameters.model == "mlp":
        return LayeredNetwork(2, parameters.width, parameters.depth, generator, REACH, SHARPNESS)
    return ProductNetwork(COUNTS[parameters.model], generator.device, REACH, bumps=parameters.model == "rbf")


def noise(count: int, generator: torch.Generator) -> Tensor:
    """Uniform in the square, shape (2, count)."""
    return REACH * (2 * torch.rand((2, count), generator=generator, device=generator.device) - 1)


def begin(parameters: Parameters, context: Context) -> Plane:
    """A flat energy, and chains in uniform noise."""
    generator = context.generator("init")
    network = make_network(parameters, generator)
    average = network.copy()
    log_partition = torch.full((), math.log(AREA), device=context.device, requires_grad=True)
    buffer = Buffer(noise(SLOTS, generator))
    found = target(parameters, context)
    first = buffer.points[:, : parameters.batch].clone()
    energy = average.energy(spectral=parameters.spectral_norm, frozen=True)
    probe = (float(energy.value(found.shown).mean()), float(energy.value(first).mean()))
    return Plane(
        target=found,
        network=network,
        average=average,
        log_partition=log_partition,
        adam=Adam([*network.weights, log_partition]),
        buffer=buffer,
        starts=first,
        negatives=first,
        kept=torch.zeros(first.shape[1], dtype=torch.bool, device=context.device),
        path=first[None, :, :WATCHED].clone(),
        energies=[probe],
    )


def update(state: Plane, parameters: Parameters, context: Context) -> Plane:
    """One step of the optimiser: real points, negatives by Langevin, gradient of the objective, Adam."""
    if parameters.data == "drawn" and parameters.drawn != state.target.drawn:
        state = replace(state, target=target(parameters, context))
    generator = context.generator("training")
    real = MIRROR(state.target.law.sample(parameters.batch, generator))
    state = chains(state, real, parameters, context)
    energy = state.network.energy(spectral=parameters.spectral_norm)
    loss, data, model = objective(state, energy, real, parameters, generator)
    pace = LINEAR_PACE if isinstance(state.network, ProductNetwork) else 1
    weights = state.adam.weights
    state.adam.step(gradients_of(loss, weights), min(0.3, pace * parameters.learning_rate), parameters.momentum)
    passed = state.update + 1
    remembered = min(parameters.averaging, passed / (passed + 9))
    with torch.no_grad():
        torch._foreach_lerp_(state.average.weights, state.network.weights, 1 - remembered)
    for network in (state.network, state.average):  # also while nobody divides by them: the switch may come at any time
        network.iterate(ROUNDS if parameters.spectral_norm else 1)
    if not state.energies or state.update == 0:
        state.energies.clear()
    state.energies.append((data, model))
    check_limits(data, model, passed, parameters)
    return replace(state, update=passed)


def chains(state: Plane, real: Tensor, parameters: Parameters, context: Context) -> Plane:
    """K Langevin steps from the data or from the buffer; the buffer keeps the ends."""
    generator = context.generator("chains")
    contrastive = parameters.objective == "contrastive"
    probability = 0.0 if contrastive else parameters.buffer_probability
    draw = state.buffer.draw(real.shape[1], probability, lambda count: noise(count, generator), generator)
    if contrastive:
        draw = replace(draw, starts=real)
    path: list[Tensor] = []
    negatives = langevin(
        state.network.energy(spectral=parameters.spectral_norm, frozen=True).gradient,
        draw.starts,
        parameters.steps_per_update,
        parameters.step_size,
        parameters.temperature,
        generator,
        boundary=MIRROR,
        path=path,
        watched=WATCHED,
        checkpoint=context.checkpoint,
    )
    state.buffer.store(draw, negatives)
    same = state.probability is None or state.probability == probability
    return replace(
        state,
        starts=draw.starts,
        negatives=negatives,
        kept=draw.kept,
        path=torch.stack(path),
        probability=probability,
        constant=state.constant and same,
    )


def objective(
    state: Plane, energy: EnergyFunction, real: Tensor, parameters: Parameters, generator: torch.Generator
) -> tuple[Tensor, float, float]:
    """The loss, and the mean energies of real points and negatives."""
    count, t = real.shape[1], parameters.temperature
    if parameters.objective in CHAINS:
        both = energy.value(torch.cat([real, state.negatives], 1))
        data, model = both[:count], both[count:]
        printed = parameters.regularisation_sign == "printed"
        loss = contrastive_loss(data, model, parameters.regularisation, printed=printed)
        return loss, *torch.stack([data.mean(), model.mean()]).tolist()
    with torch.no_grad():
        both = energy.value(torch.cat([real, state.negatives], 1))
        means = torch.stack([both[:count].mean(), both[count:].mean()]).tolist()
    if parameters.objective == "score_matching":
        random = torch.randn(real.shape, generator=generator, device=real.device)
        return score_matching_loss(energy.gradient, real, random, parameters.noise_level, t), *means
    if parameters.objective == "noise_contrastive":
        both = energy.value(torch.cat([real, noise(count, generator)], 1))
        return noise_contrastive_loss(both[:count], both[count:], state.log_partition, -math.log(AREA), t), *means
    return likelihood_loss(energy.value(real), energy.value(grid(COARSE, real.device)), t), *means


def check_limits(data: float, model: float, passed: int, parameters: Parameters) -> None:
    """Stop a run whose energies have run away."""
    limit = LIMIT * max(1.0, parameters.temperature)
    worst = max(abs(data), abs(model))
    if math.isfinite(worst) and worst <= limit:
        return
    values = {"update": passed, "energy": f"{worst:.3g}", "limit": f"{limit:,.0f}"}
    if parameters.objective in CHAINS and parameters.regularisation_sign == "printed" and parameters.regularisation > 0:
        raise LabError(
            "At update {update:,d} a mean energy reached {energy}, beyond {limit}: with the printed sign large energies of "
            "negatives lower the loss.",
            "Choose the corrected sign.",
            **values,
        )
    raise LabError(
        "At update {update:,d} a mean energy reached {energy}, beyond {limit}: the energy has run away from its chains.",
        "Lower the learning rate or the step size, or raise the regularisation.",
        **values,
    )
