"""What a grid knows of a model in the plane: Z, likelihood, divergence, and whether the two phases are its gradient."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.core.context import Context
from engine.labs.langevin.energy_model.parameters import Parameters
from engine.labs.langevin.energy_model.plane import AREA, CELLS, COARSE, Plane, grid
from engine.math.networks.energy_training import Buffer, expected_age, gradients_of

FROM_MODEL = 20_000  # exact samples of the model for the sampled phases
STEP = 1e-4  # of a difference quotient along a unit direction, over the length of the weights


@dataclass(frozen=True, slots=True)
class GridReading:
    """The averaged model on the fine grid."""

    update: int
    energies: Tensor  # (CELLS²,): U
    density: Tensor  # (CELLS²,): exp(-U/T)/Z
    log_partition: float
    data_energy: float  # exact E_p U
    model_energy: float  # exact E_q U
    divergence: float  # KL(p | q)

    @property
    def numbers(self) -> tuple[float, float, float, float]:
        """What curves keep of it: update, divergence, log Z, E_q U."""
        return self.update, self.divergence, self.log_partition, self.model_energy


@torch.no_grad()
def read(state: Plane, parameters: Parameters) -> GridReading:
    """Evaluate the averaged model on the fine grid."""
    network = state.average.energy(spectral=parameters.spectral_norm, frozen=True)
    shares, t = state.target.shares, parameters.temperature
    energies = network.value(grid(CELLS, shares.device))
    wide = energies.to("cpu", torch.float64)
    p, log_p = shares.to("cpu", torch.float64), state.target.logs.to("cpu", torch.float64)
    cell = AREA / CELLS**2
    log_z = float(torch.logsumexp(-wide / t, 0)) + math.log(cell)
    density = torch.exp(-wide / t - log_z)
    data_energy = float(p @ wide)
    return GridReading(
        update=state.update,
        energies=energies,
        density=density.float(),
        log_partition=log_z,
        data_energy=data_energy,
        model_energy=float(density @ wide) * cell,
        divergence=float(p @ log_p) + data_energy / t + log_z,
    )


# ---- the two phases ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class GradientCheck:
    """The newest model held against theory, in double precision on the coarse grid.

    Along the unit direction d of the two-phase gradient, L(θ) = E_p U + T log Z, which is T times the negative
    log-likelihood.
    """

    slope: float  # (L(θ + hd) - L(θ - hd)) / 2h
    slope_error: float  # of the difference quotient, from halving h
    phases: float  # d · (E_p ∇U - E_q ∇U), q by quadrature
    sampled: float  # the same with exact samples in place of q
    sampled_error: float  # its standard error
    chains: float  # the same with the chains in place of q
    likelihood: float  # of test points under the averaged model, negative, in nats
    likelihood_error: float  # its standard error
    theory_likelihood: float  # entropy and divergence on the fine grid
    grid_error: float  # what the coarse grid says otherwise


def check(state: Plane, reading: GridReading, parameters: Parameters, context: Context) -> GradientCheck:
    """Measure all of it; draws exact samples of the model."""
    slopes = _slopes(state, parameters, context)
    test = state.average.energy(spectral=parameters.spectral_norm, frozen=True)
    t = parameters.temperature
    with torch.no_grad():
        tested = test.value(state.target.test) / t
        rough = test.value(grid(COARSE, tested.device)).to("cpu", torch.float64)
    log_z = float(torch.logsumexp(-rough / t, 0)) + math.log(AREA / COARSE**2)
    rough_data = float(state.target.coarse.to("cpu", torch.float64) @ rough)
    grid_error = abs(rough_data / t + log_z - reading.data_energy / t - reading.log_partition)
    return GradientCheck(
        **slopes,
        likelihood=float(tested.mean()) + reading.log_partition,
        likelihood_error=float(tested.std()) / math.sqrt(len(tested)),
        theory_likelihood=state.target.entropy + reading.divergence,
        grid_error=grid_error,
    )


def _slopes(state: Plane, parameters: Parameters, context: Context) -> dict[str, float]:
    """Slopes of L along the two-phase gradient, by differences and by expectations."""
    t, spectral = parameters.temperature, parameters.spectral_norm
    cpu = torch.device("cpu")
    weights = [weight.detach().to(cpu, torch.float64).requires_grad_() for weight in state.network.weights]
    points = grid(COARSE, cpu).double()
    chains = state.buffer.points.to(cpu, torch.float64)
    everywhere = torch.cat([points, chains], 1)
    count = points.shape[1]
    p = state.target.coarse.to(cpu, torch.float64)
    values = state.network.rebuilt(weights).energy(spectral=spectral).value(points)
    q = torch.softmax(-values.detach() / t, 0)
    gradient = gradients_of(((p - q) * values).sum(), weights)
    length = math.sqrt(sum(float(each.square().sum()) for each in gradient))
    size = math.sqrt(sum(float(weight.detach().square().sum()) for weight in weights))
    h = STEP * max(size, 1.0) ** 0.5

    @torch.no_grad()
    def along(shift: float) -> Tensor:
        moved = [weight + shift / max(length, 1e-300) * each for weight, each in zip(weights, gradient, strict=True)]
        return state.network.rebuilt(moved).energy(spectral=spectral, frozen=True).value(everywhere)

    def quotient(shift: float) -> tuple[float, Tensor]:
        up, down = along(shift), along(-shift)
        high, low = (float(p @ u[:count]) + t * float(torch.logsumexp(-u[:count] / t, 0)) for u in (up, down))
        return (high - low) / (2 * shift), (up - down) / (2 * shift)

    rough, _ = quotient(h)
    fine, by_point = quotient(h / 2)
    generator = context.generator("check")
    chosen = torch.multinomial(q.float().to(generator.device), FROM_MODEL, replacement=True, generator=generator).to(cpu)
    drawn, data = by_point[:count][chosen], float(p @ by_point[:count])
    return {
        "slope": fine,
        "slope_error": abs(rough - fine),
        "phases": length,
        "sampled": data - float(drawn.mean()),
        "sampled_error": float(drawn.std()) / math.sqrt(FROM_MODEL),
        "chains": data - float(by_point[count:].mean()),
    }


# ---- buffer and modes --------------------------------------------------------------------------------------------------


def ages(buffer: Buffer, probability: float | None) -> tuple[float, float, float]:
    """Mean age of the chains in rounds, its expectation and standard error; not a number before the first round."""
    used = buffer.rounds > 0
    if not bool(used.any()) or probability is None:
        return math.nan, math.nan, math.nan
    mean, variance = expected_age(buffer.rounds[used].cpu(), probability)
    count = len(mean)
    return float(buffer.ages[used].cpu().double().mean()), float(mean.mean()), math.sqrt(float(variance.sum())) / count


def mode_shares(state: Plane, reading: GridReading) -> tuple[list[float], list[float], list[float]]:
    """Share of each mode in the data, among the chains, and in the model (exact on the grid); empty without modes."""
    modes = state.target.modes
    if modes is None:
        return [], [], []
    labels = state.target.cell_modes
    masses = reading.density.cpu().double() * (AREA / CELLS**2)
    model = torch.zeros(modes.law.modes + 1, dtype=torch.float64).index_add_(0, labels + 1, masses)[1:]
    chains = modes.count(state.buffer.points).cpu().double() / state.buffer.size
    return modes.shares.tolist(), chains.tolist(), model.tolist()


def coverage(shares: list[float], found: list[float]) -> float:
    """Fraction of the modes that hold at least a quarter of their share; not a number without modes."""
    if not shares:
        return math.nan
    return sum(have >= 0.25 * due for have, due in zip(found, shares, strict=True)) / len(shares)
