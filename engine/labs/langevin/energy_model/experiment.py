"""An energy that learns: down on data, up on its own Langevin chains, live in the plane and on images of digits."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import torch

from engine.core.context import Context
from engine.core.experiment import Experiment
from engine.core.frames import Observation
from engine.data.planar import REACH
from engine.labs.langevin.energy_model import exact
from engine.labs.langevin.energy_model import images as images_of
from engine.labs.langevin.energy_model import plane as plane_of
from engine.labs.langevin.energy_model.claims import CLAIMS, MEASURES, image_claims, plane_claims
from engine.labs.langevin.energy_model.exact import GridReading
from engine.labs.langevin.energy_model.images import ENCORE, LIFE, POOL, Images
from engine.labs.langevin.energy_model.parameters import Parameters
from engine.labs.langevin.energy_model.picture import Picture
from engine.labs.langevin.energy_model.plane import AREA, CELLS
from engine.labs.langevin.energy_model.state import State

CHECKED = 20  # updates between two checks against theory
BUFFER_SHOWN = 60  # chains in the picture of the buffer
NORM_ERROR = 0.2  # training brings singular values together, and power iteration then lags behind the largest
OLDEST = 100  # rounds of the last bar of the ages
SIDE = 8


# ---- the algorithm -----------------------------------------------------------------------------------------------------


def init(parameters: Parameters, context: Context) -> State:
    """First weights, data, and chains in noise."""
    if parameters.data == "digits":
        return State(images=images_of.begin(parameters, context))
    state = State(plane=plane_of.begin(parameters, context))
    return measured(state, parameters, context)


def step(state: State, parameters: Parameters, context: Context) -> State:
    """One update; of a finished model of images a few steps of generation."""
    if state.images is not None:
        return replace(state, images=images_of.step(state.images, parameters, context))
    assert state.plane is not None
    state = replace(state, plane=plane_of.update(state.plane, parameters, context))
    return measured(state, parameters, context)


def measured(state: State, parameters: Parameters, context: Context) -> State:
    """Read the grid where a frame is due, and check theory now and then."""
    plane = state.plane
    assert plane is not None
    if plane.update % stride(parameters, plane.update):
        return state
    reading = exact.read(plane, parameters)
    found = state.found
    if found is None or plane.update // CHECKED != (plane.update - stride(parameters, plane.update)) // CHECKED:
        found = exact.check(plane, reading, parameters, context)
    state.readings.append(reading.numbers)
    return replace(state, reading=reading, found=found)


def total(parameters: Parameters, context: Context) -> int:
    """Updates, and for images what is generated after the last."""
    return parameters.updates + (ENCORE if parameters.data == "digits" else 0)


def stride(parameters: Parameters, step_number: int) -> int:
    """Updates until the next frame: one at first, then as many as take about 30 ms."""
    if parameters.data == "digits" or step_number < 16:
        return 1
    work = parameters.steps_per_update + 10
    most = max(1, min(4, round(120 / work)))
    return min(most, 2) if step_number < 64 else 1 << (most.bit_length() - 1)


# ---- what one sees -----------------------------------------------------------------------------------------------------


def observe(state: State, parameters: Parameters, context: Context) -> Observation:
    """The map, the chains, the curves, the numbers."""
    return observe_images(state.images, parameters) if state.images is not None else observe_plane(state, parameters)


def observe_plane(state: State, parameters: Parameters) -> Observation:
    """A model in the plane."""
    plane, reading, found = state.plane, state.reading, state.found
    assert plane is not None
    assert reading is not None
    assert found is not None
    if reading.update != plane.update:  # between two frames, for single steps
        reading = exact.read(plane, parameters)
    t = parameters.temperature
    energies = np.array(plane.energies)
    shares = exact.mode_shares(plane, reading)
    age, theory_age, age_error = exact.ages(plane.buffer, plane.probability)
    norms = plane.network.matrices_used(spectral=True) if parameters.spectral_norm else []
    largest = max((float(torch.linalg.matrix_norm(each.detach().cpu().double(), 2)) for each in norms), default=math.nan)
    length = abs(found.phases)
    contrasted = parameters.objective == "noise_contrastive"
    measures = {
        **energy_measures(energies),
        "model_energy": reading.model_energy,
        "kl_divergence": reading.divergence,
        "log_partition": reading.log_partition,
        "log_partition_estimate": float(plane.log_partition.detach()) if contrasted else math.nan,
        "negative_log_likelihood": plane.target.entropy + reading.divergence,
        "entropy": plane.target.entropy,
        "mode_coverage": exact.coverage(shares[0], shares[1]),
        "chain_age": age,
        "theory_chain_age": theory_age,
        "chain_bias": (found.phases - found.chains) / length if length > 0 else 0.0,
        "spectral_norm_largest": largest,
        "class_agreement": math.nan,
        "diversity": math.nan,
        "novelty": math.nan,
        "updates_done": plane.update,
    }
    checked = plane_claims(
        found,
        measures,
        age_error,
        buffered=parameters.objective != "contrastive",
        constant=plane.constant,
        norm_error=NORM_ERROR,
    )
    flat = torch.log(torch.tensor(AREA))
    ages, law = age_law(plane.buffer.ages.cpu().numpy(), plane.buffer.rounds.cpu().numpy(), plane.probability)
    picture = Picture(
        images=False,
        update=plane.update,
        data_energies=energies[:, 0],
        sample_energies=energies[:, 1],
        **curves(state.readings, reading),
        reach=REACH,
        energy=square(reading.energies / t + reading.log_partition - flat),
        density=square(reading.density),
        truth=square(plane.target.shares * (CELLS**2 / AREA)),
        data=numpy(plane.target.shown),
        starts=numpy(plane.starts),
        negatives=numpy(plane.negatives),
        kept=numpy(plane.kept),
        path=numpy(plane.path),
        mode_shares=np.array(shares),
        ages=ages,
        age_law=law,
        gallery=np.empty((0, SIDE, SIDE), np.float32),
        gallery_classes=np.empty(0, np.int64),
        walked=0,
        life=LIFE,
        buffer=np.empty((0, SIDE, SIDE), np.float32),
        buffer_ages=np.empty(0, np.int64),
        buffer_classes=np.empty(0, np.int64),
        class_energies=np.empty((0, 0), np.float32),
    )
    return Observation(picture, measures, checked, {"mode_shares": [list(each) for each in shares]})


def observe_images(images: Images, parameters: Parameters) -> Observation:
    """A model of images."""
    settings = images_of.settings_of(parameters)
    energies = np.array(images.energies)
    pictures, kinds, lived = images_of.pool(images, settings, POOL)
    judged = images_of.judged(images, pictures, kinds)
    store = images.state.buffer
    age, theory_age, age_error = exact.ages(store, images.probability)
    buffered = parameters.objective == "persistent"
    nan = math.nan
    measures = {
        **energy_measures(energies),
        "model_energy": nan,
        "kl_divergence": nan,
        "log_partition": nan,
        "log_partition_estimate": nan,
        "negative_log_likelihood": nan,
        "entropy": nan,
        "mode_coverage": float((judged.by_class >= 0.25).double().mean()),
        "chain_age": age if buffered else nan,
        "theory_chain_age": theory_age if buffered else nan,
        "chain_bias": nan,
        "spectral_norm_largest": nan,
        "class_agreement": judged.agreement,
        "diversity": judged.diversity,
        "novelty": judged.novelty,
        "updates_done": images.update,
    }
    ages, law = age_law(store.ages.cpu().numpy(), store.rounds.cpu().numpy(), images.probability if buffered else None)
    few = torch.argsort(kinds[:BUFFER_SHOWN], stable=True)
    empty = np.empty((0, 0), np.float32)
    pair = np.empty((2, 0), np.float32)
    picture = Picture(
        images=True,
        update=images.update,
        data_energies=energies[:, 0],
        sample_energies=energies[:, 1],
        read_at=np.empty(0),
        divergences=np.empty(0),
        log_partitions=np.empty(0),
        model_energies=np.empty(0),
        reach=REACH,
        energy=empty,
        density=empty,
        truth=empty,
        data=pair,
        starts=pair,
        negatives=pair,
        kept=np.empty(0, bool),
        path=np.empty((0, 2, 0), np.float32),
        mode_shares=np.empty((3, 0)),
        ages=ages,
        age_law=law,
        gallery=numpy(images_of.shown(images)).reshape(-1, SIDE, SIDE),
        gallery_classes=numpy(images.classes),
        walked=images.walked,
        life=LIFE,
        buffer=numpy(pictures[few].clamp(0, 1)).reshape(-1, SIDE, SIDE),
        buffer_ages=numpy(lived[few]),
        buffer_classes=numpy(kinds[few]),
        class_energies=numpy(images_of.class_energies(images, settings)),
    )
    checked = image_claims(measures, age_error, buffered=buffered and images.constant)
    return Observation(picture, measures, checked)


def energy_measures(energies: np.ndarray) -> dict[str, float]:
    """Means over the last updates: those of one batch flicker."""
    data, sample = energies[-10:].mean(0)
    return {"data_energy": float(data), "sample_energy": float(sample), "energy_gap": float(sample - data)}


def curves(readings: list[tuple[float, float, float, float]], last: GridReading) -> dict[str, np.ndarray]:
    """The readings so far as columns."""
    rows = readings if readings[-1][0] == last.update else [*readings, last.numbers]
    table = np.array(rows)
    return dict(zip(("read_at", "divergences", "log_partitions", "model_energies"), table.T, strict=True))


def age_law(ages: np.ndarray, rounds: np.ndarray, probability: float | None) -> tuple[np.ndarray, np.ndarray]:
    """Shares of chains that are 1, 2, ... OLDEST rounds old, and what the law of min(G, n) says; zeros before there are any."""
    used = rounds > 0
    if probability is None or not used.any():
        return np.zeros(OLDEST), np.zeros(OLDEST)
    count = int(used.sum())
    shares = np.bincount(np.clip(ages[used], 1, OLDEST) - 1, minlength=OLDEST)[:OLDEST] / count
    places = np.arange(1, OLDEST + 1)
    reached = np.bincount(np.clip(rounds[used].astype(np.int64), 1, OLDEST) - 1, minlength=OLDEST) / count  # P(n = k)
    later = 1 - np.cumsum(reached)  # P(n > k)
    return shares, probability ** (places - 1) * ((1 - probability) * later + reached)


def numpy(tensor: torch.Tensor) -> np.ndarray:
    """On the host."""
    return tensor.detach().cpu().numpy()  # device sync


def square(values: torch.Tensor) -> np.ndarray:
    """Values by cell as rows from below, single precision."""
    return numpy(values.float()).reshape(CELLS, CELLS)


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
    memory=("batch", "width", "image_width"),
)
