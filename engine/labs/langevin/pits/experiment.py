"""A game as a landscape: a discriminator digs pits at data, generated points roll into them."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from engine.core.context import Context
from engine.core.errors import LabError
from engine.core.experiment import Experiment
from engine.core.frames import Observation
from engine.labs.langevin.pits.claims import CLAIMS, MEASURES, check_claims, effective, measure
from engine.labs.langevin.pits.field import BATCH, REACH, EnergyMap, Pits, catch_radius, holds, release, ring, settle
from engine.labs.langevin.pits.parameters import Parameters
from engine.labs.langevin.pits.picture import Picture
from engine.labs.langevin.pits.state import Frozen, State
from engine.math.energies.pits import bounce, crowding, digging_loss, roll, slope_penalty
from engine.math.networks.energy_networks import LayeredEnergy, LayeredNetwork
from engine.math.networks.energy_training import Adam, gradients_of

DIGS_BEFORE = 4  # digs in each of them
HEAP = 0.1  # spread of points that are put at one place
WATCHED = 40  # points with a trail
BANDWIDTH = 0.2  # of the kernel behind the repelling entropy force
SETTLE_EVERY = 5  # steps between two searches for the bottoms
PROBE_EVERY = 10  # steps between two releases of the probe
HIGHEST = 1e4  # of an energy: from there on nothing on the picture means anything
MOST_DRAWN = 1500  # points of a curve


# ---- the first state ---------------------------------------------------------------------------------------------------


def init(parameters: Parameters, context: Context) -> State:
    """Flat ground, points in their places."""
    generator = context.generator("init")
    network = LayeredNetwork(2, parameters.width, 2, generator, reach=REACH)
    centres = ring(parameters.modes, context.device)
    points = _starts(parameters, centres, generator)
    data = _draw_data(parameters, centres, context)
    place = (parameters.start_x, parameters.start_y)
    return State(network, Adam(network.weights), centres, points, torch.zeros_like(points), data, Pits.at(centres), place)


def _starts(parameters: Parameters, centres: Tensor, generator: torch.Generator) -> Tensor:
    if parameters.start == "spread":
        uniform = torch.rand((2, parameters.points), generator=generator, device=centres.device)
        return REACH * (2 * uniform - 1)
    if parameters.start == "together":
        return _heap(0.8 * centres[:, :1], parameters.points, generator)
    place = (parameters.start_x, parameters.start_y) if parameters.start == "point" else (0.0, 0.0)
    return _heap(torch.tensor(place, device=centres.device)[:, None], parameters.points, generator)


def _heap(place: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """Points (2, count) around a place (2, 1), inside the walls."""
    noise = torch.randn((2, count), generator=generator, device=place.device)
    return (place + HEAP * noise).clamp(-REACH, REACH)


def _draw_data(parameters: Parameters, centres: Tensor, context: Context) -> Tensor:
    generator, device = context.generator("data"), context.device
    modes = torch.randint(parameters.modes, (BATCH,), generator=generator, device=device)
    return centres[:, modes] + parameters.spread * torch.randn((2, BATCH), generator=generator, device=device)


# ---- steps -------------------------------------------------------------------------------------------------------------


def step(state: State, parameters: Parameters, context: Context) -> State:
    """A dig (four while the points wait), then the rolls."""
    if (parameters.start_x, parameters.start_y) != state.place:
        _put(state, parameters, context)
    digs = []
    if state.waiting:
        for _ in range(DIGS_BEFORE):
            uniform = torch.rand((2, BATCH), generator=context.generator("ground"), device=context.device)
            digs.append(_dig(state, parameters, context, REACH * (2 * uniform - 1)))
    else:
        if parameters.dig:
            digs.append(_dig(state, parameters, context, state.points))
        for _ in range(parameters.rolls):
            context.checkpoint()
            _roll(state, parameters, context)
    _remember(state, parameters, digs)
    state.step += 1
    return state


def _put(state: State, parameters: Parameters, context: Context) -> None:
    """All points at another place, at rest: a hand has taken them there."""
    state.place = (parameters.start_x, parameters.start_y)
    place = torch.tensor(state.place, device=context.device)[:, None]
    state.points = _heap(place, parameters.points, context.generator("put"))
    state.velocities = torch.zeros_like(state.points)
    state.trail.clear()
    state.frozen = None


def _dig(state: State, parameters: Parameters, context: Context, ground: Tensor) -> Tensor:
    """One step of the discriminator; the gap, what should balance it, and the largest energy, shape (3,)."""
    state.data = _draw_data(parameters, state.centres, context)
    energy = state.network.energy()
    at_data, at_ground = energy.value(state.data), energy.value(ground)
    loss = digging_loss(parameters.loss, at_data, at_ground)
    slopes = energy.gradient(_penalised(parameters, state.data, ground, context))
    if parameters.penalty:
        loss = loss + parameters.penalty * slope_penalty(slopes, parameters.centre)
    state.adam.step(gradients_of(loss, state.network.weights), parameters.dig_rate, beta1=0.5)
    with torch.no_grad():
        if parameters.loss == "linear":
            state.network.biases[-1] -= at_data.mean()  # the loss does not know the zero of the energy: data set it
        sizes = slopes.square().sum(0).sqrt()
        pull = 2 * parameters.penalty * (sizes * (sizes - parameters.centre)).mean()
        return torch.stack([at_ground.mean() - at_data.mean(), pull, at_ground.abs().amax()])


def _penalised(parameters: Parameters, data: Tensor, ground: Tensor, context: Context) -> Tensor:
    if parameters.where == "data":
        return data
    if parameters.where == "points":
        return ground
    generator, device = context.generator("between"), context.device
    chosen = torch.randint(ground.shape[1], (BATCH,), generator=generator, device=device)
    share = torch.rand(BATCH, generator=generator, device=device)
    return torch.lerp(data, ground[:, chosen], share)


@torch.no_grad()
def _roll(state: State, parameters: Parameters, context: Context) -> None:
    slopes = state.network.energy(frozen=True).gradient(state.points)
    if parameters.entropy and parameters.entropy_by == "repulsion":
        slopes = slopes + parameters.entropy * crowding(state.points, BANDWIDTH)
    points, velocities = roll(state.points, state.velocities, slopes, parameters.roll_rate, parameters.momentum)
    if parameters.entropy and parameters.entropy_by == "noise":
        noise = torch.randn(points.shape, generator=context.generator("noise"), device=points.device)
        points = points + math.sqrt(2 * parameters.roll_rate * parameters.entropy) * noise
    state.points, state.velocities = bounce(points, velocities, REACH)
    state.trail.append(state.points[:, :WATCHED])


@torch.no_grad()
def _remember(state: State, parameters: Parameters, digs: list[Tensor]) -> None:
    """Where the bottoms are now, and the curves; one transfer from the device."""
    energy = state.network.energy(frozen=True)
    if state.step % SETTLE_EVERY == SETTLE_EVERY - 1 and (digs or not state.pits.found.any()):
        state.pits = settle(energy, state.pits)
    if state.step % PROBE_EVERY == PROBE_EVERY - 1:
        state.probe = release(energy, state.pits, parameters.roll_rate, parameters.momentum)
    at_points = energy.value(state.points)
    means = torch.stack([at_points.mean(), energy.value(state.data).mean()])
    of_points, of_data, *dug = torch.cat([means, *digs]).tolist()
    _refuse_without_bottom(state, dug[2::3])
    if state.waiting:
        return
    state.curves.steps.append(state.step + 1)
    state.curves.points.append(of_points)
    state.curves.data.append(of_data)
    _remember_balance(state, parameters, dug)
    _remember_law(state, parameters, energy, at_points)


def _refuse_without_bottom(state: State, highest: list[float]) -> None:
    if not all(value <= HIGHEST for value in highest):  # also where it is not a number
        raise LabError(
            "The discriminator has no bound here: after {steps} steps energies are beyond {limit:,.0f}.",
            "A linear loss needs a penalty; raise λ, lower the rates, or choose the hinge.",
            steps=state.step + 1,
            limit=HIGHEST,
        )


def _remember_balance(state: State, parameters: Parameters, dug: list[float]) -> None:
    """Gap and pull of the last digs under the same rule."""
    rule = (parameters.loss, parameters.penalty, parameters.centre, parameters.where, parameters.dig_rate, parameters.rolls)
    if (rule, state.place) != state.rule:
        state.rule, state.rested = (rule, state.place), 0
        state.gaps.clear()
    if dug:
        state.rested += 1
        state.gaps.append((dug[0], dug[1]))


def _remember_law(state: State, parameters: Parameters, energy: LayeredEnergy, energies: Tensor) -> None:
    """What points with noise do in a landscape that stays as it is."""
    noisy = parameters.entropy_by == "noise" and parameters.entropy > 0 and parameters.momentum == 0
    if parameters.dig or not noisy or not parameters.rolls:
        state.frozen = None
        return
    rule = (parameters.roll_rate, parameters.entropy)
    if state.frozen is None or state.frozen.rule != rule:
        radius = catch_radius(parameters.modes, parameters.spread)
        state.frozen = Frozen.begin(energy, state.centres, radius, rule)
    state.frozen.add(state.points, energies, parameters.rolls)


# ---- frames ------------------------------------------------------------------------------------------------------------


@torch.no_grad()
def observe(state: State, parameters: Parameters, context: Context) -> Observation:
    """The landscape from above and from the side, and who sits where."""
    energy = state.network.energy(frozen=True)
    if state.seen is None or state.seen[0] != state.adam.steps:
        state.seen = (state.adam.steps, EnergyMap.of(energy, context.device))
    view = state.seen[1]
    catch = catch_radius(parameters.modes, parameters.spread)
    shares = holds(state.points, state.centres, catch).mean(1).cpu().numpy()
    trail = torch.stack(list(state.trail), -1) if len(state.trail) > 1 else state.points[:, :WATCHED, None]
    places = torch.cat([state.points, state.data, trail.reshape(2, -1)], 1)
    values, slopes = energy.value_and_gradient(places)
    curves, thinned = state.curves, slice(None, None, max(1, len(state.curves.steps) // MOST_DRAWN))
    picture = Picture(
        landscape=view.square.cpu().numpy(),
        points=state.points.cpu().numpy(),
        energies=values[: parameters.points].cpu().numpy(),
        trails=trail.cpu().numpy(),
        trail_energies=values[parameters.points + BATCH :].reshape(trail.shape[1:]).cpu().numpy(),
        data=state.data.cpu().numpy(),
        directions=view.directions.cpu().numpy(),
        ground=view.ground.cpu().numpy(),
        centres=state.pits.centres.numpy(),
        shares=shares,
        stiffness=state.pits.curvature.numpy() * parameters.roll_rate,
        curve_steps=np.array(curves.steps[thinned]),
        curve_points=np.array(curves.points[thinned]),
        curve_data=np.array(curves.data[thinned]),
        waiting=state.waiting,
        before=state.before,
        catch=catch,
    )
    measures = measure(state, parameters, values, slopes, shares)
    tables = {"shares": [float(share) for share in shares], "effective": [effective(shares)]}
    return Observation(picture, measures, check_claims(state, parameters), tables)


EXPERIMENT = Experiment(
    parameters=Parameters,
    init=init,
    step=step,
    observe=observe,
    measures=MEASURES,
    claims=CLAIMS,
    total=lambda parameters, context: parameters.steps,
    memory=("points", "width"),
)
