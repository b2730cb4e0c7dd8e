"""Makes the picture, the measures and the tables of `mixture`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch

from engine.core.messages import Message
from engine.labs.em.mixture.claims import measured_rate, usable_strides
from engine.labs.em.mixture.data import View, view
from engine.labs.em.mixture.model import Model, Normal, Other, model_of
from engine.labs.em.mixture.parameters import Parameters
from engine.labs.em.mixture.picture import Picture
from engine.labs.em.mixture.side_runs import FixedPoint, SideFit, SideRuns, objective_of
from engine.labs.em.mixture.state import State, settings_of
from engine.math.latent.families import Poisson, RegressionMixture, StudentMixture
from engine.math.latent.laws import EMPTY, Mixture, aic, bic
from engine.math.latent.matching import agreement, basins, matching_order, twins

CELLS = 64
GRID = 257
MOST_PLACES = 400  # of a path or curve
MOST_LISTED = 150  # points whose responsibilities are told
SAME = (1e-3, 1e-5)  # two ends of restarts are one local maximum: nats, and nats per point


def numpy(tensor: torch.Tensor) -> np.ndarray:
    """On the host, in double precision."""
    return tensor.detach().cpu().double().numpy()  # device sync


def host(mixture: Mixture) -> Mixture:
    """On the host, in double precision."""
    return mixture.to(torch.empty(0, dtype=torch.float64))


class Canvas:
    """What projects mixtures of the run into the units of the picture."""

    def __init__(self, state: State, parameters: Parameters) -> None:
        self.view: View = view(state.cloud, parameters)
        centre = state.cloud.centre.cpu().double()
        self.shift = numpy(centre @ self.view.basis) if self.view.kind != "principal" else np.zeros(self.view.basis.shape[1])
        self.origin = numpy(centre) if self.view.kind == "principal" else np.zeros(len(centre))

    def means(self, means: torch.Tensor) -> np.ndarray:
        """Means (..., d) in the plane, (..., 2)."""
        return padded(numpy(means.cpu().double() @ self.view.basis) + self.shift)

    def covariances(self, mixture: Mixture) -> np.ndarray:
        """Covariances (K, 2, 2)."""
        basis = self.view.basis
        found = numpy(basis.mT @ mixture.covariances.cpu().double() @ basis)
        if found.shape[1] == 2:
            return found
        wide = np.zeros((len(found), 2, 2))
        wide[:, 0, 0] = found[:, 0, 0]
        return wide

    def points(self) -> np.ndarray:
        """The shown points, (m, 2)."""
        shift = self.shift if len(self.shift) == 2 else np.array([self.shift[0], 0.0])
        found: np.ndarray = self.view.places + shift
        return found


def padded(places: np.ndarray) -> np.ndarray:
    """A second coordinate 0 where there is one only."""
    return places if places.shape[-1] == 2 else np.concatenate([places, np.zeros_like(places)], -1)


def picture_of(state: State, parameters: Parameters) -> Picture:
    """Everything that is drawn."""
    canvas, cloud, side = Canvas(state, parameters), state.cloud, state.side
    present, law = host(state.present), cloud.base.law
    chosen = canvas.view.chosen
    shares = shown_responsibilities(state, parameters, chosen)
    labels = np.concatenate([cloud.base.labels, np.full(cloud.added, -1, np.int64)])
    counts = state.expected.counts if state.expected is not None else state.present.weights * cloud.count
    records = state.records
    keep = spaced(len(records), 2 * MOST_PLACES)
    path = [state.trajectory.means[index] for index in spaced(len(state.trajectory.means), MOST_PLACES)]
    empty = np.empty((0, 2))
    centre = numpy(cloud.centre)
    ahead = current(side, parameters)
    return Picture(
        phase=state.phase,
        iteration=state.iteration + (0.5 if state.phase == "e" else 0.0),
        converged=state.converged_with is not None,
        dimension=cloud.dimension,
        count=cloud.count,
        axes=canvas.view.axes,
        projected=canvas.view.kind,
        explained=canvas.view.explained,
        notices=notices(state, parameters, present),
        points=canvas.points(),
        responsibilities=shares,
        labels=labels[chosen],
        arrived=np.isin(chosen, state.online.batch.cpu().numpy()) if state.online is not None else np.zeros(len(chosen), bool),
        drawn=min(cloud.added, len(chosen)),
        low=canvas.view.low,
        high=canvas.view.high,
        basis=numpy(padded_basis(canvas.view.basis)),
        origin=canvas.origin,
        weights=numpy(present.weights),
        means=canvas.means(present.means),
        covariances=canvas.covariances(present),
        counts=numpy(counts),
        before_means=canvas.means(state.before.means),
        before_covariances=canvas.covariances(state.before),
        start_means=canvas.means(state.start.means),
        start_covariances=canvas.covariances(state.start),
        path=canvas.means(torch.stack(path)),
        true_means=canvas.means(law.means - cloud.centre.cpu()) if law is not None else empty,
        true_covariances=canvas.covariances(law) if law is not None else np.empty((0, 2, 2)),
        full_means=numpy(present.means) + centre,
        full_covariances=numpy(present.covariances),
        family=parameters.family,
        degrees=numpy(present.degrees) if isinstance(present, StudentMixture) else empty[:, 0],
        lines=lines_of(present, canvas) if isinstance(present, RegressionMixture) else np.empty((0, 2, 2)),
        line_deviations=numpy(present.variances.sqrt()) if isinstance(present, RegressionMixture) else empty[:, 0],
        images=numpy(present.means) if parameters.data == "digits" else np.empty((0, 64)),
        **densities(state, canvas, present, model_of(parameters)),
        curve_at=np.array([records[index].half / 2 for index in keep]),
        log_likelihoods=np.array([records[index].log_likelihood for index in keep]),
        lower_bounds=np.array([records[index].lower_bound for index in keep]),
        **errors(state, ahead),
        predicted_rate=ahead.rate if ahead is not None else math.nan,
        measured_rate=measured_rate(usable_strides(state.trajectory.strides, settings_of(parameters))),
        **choices(side, model_of(parameters), cloud.dimension),
        **restarts(side, canvas, present),
        restarts_wanted=parameters.restarts,
        **bayes(state, canvas),
        **race(state, canvas),
    )


def lines_of(present: RegressionMixture, canvas: Canvas) -> np.ndarray:
    """Both ends of each line across the window, (K, 2 ends, 2 coordinates); none where there are more inputs than one."""
    if present.means.shape[1] != 2:
        return np.empty((0, 2, 2))
    x = np.array([canvas.view.low[0], canvas.view.high[0]])
    intercepts, slopes = numpy(present.coefficients).T
    y = intercepts[:, None] + slopes[:, None] * (x - canvas.shift[0]) + canvas.shift[1]
    return np.stack([np.broadcast_to(x, y.shape), y], -1)


def padded_basis(basis: torch.Tensor) -> torch.Tensor:
    """Two columns."""
    return basis if basis.shape[1] == 2 else torch.cat([basis, torch.zeros_like(basis)], 1)


def shown_responsibilities(state: State, parameters: Parameters, chosen: np.ndarray) -> np.ndarray:
    """Of the shown points, (m, K): those of the last E half-step, before it the weights."""
    if state.believed is None:
        return np.tile(numpy(state.present.weights).astype(np.float32), (len(chosen), 1))
    points = state.cloud.points[:, torch.from_numpy(chosen).to(state.cloud.points.device)]
    return numpy(model_of(parameters).posterior(points, state.believed, hard=state.hard).mT).astype(np.float32)


def spaced(count: int, most: int) -> list[int]:
    """At most so many indices, evenly, with the first and the last."""
    if count <= most:
        return list(range(count))
    return [round(index * (count - 1) / (most - 1)) for index in range(most)]


def current(side: SideRuns, parameters: Parameters) -> FixedPoint | None:
    """The fixed point ahead, if it belongs to these parameters."""
    return side.ahead if side.ahead is not None and side.ahead.objective == objective_of(parameters) else None


def densities(state: State, canvas: Canvas, present: Mixture, model: Model) -> dict[str, Any]:
    """On a line the components and a histogram; in the plane the field."""
    low, high = canvas.view.low, canvas.view.high
    none = np.empty(0)
    if state.cloud.dimension == 1:
        grid = np.linspace(low[0], high[0], GRID)
        whole = isinstance(model, Other) and isinstance(model.family, Poisson)
        at = torch.from_numpy((np.round(grid) if whole else grid) - canvas.shift[0])[None]  # probabilities stand as steps
        parts = np.exp(numpy(model.log_joint(at, present)))
        places = canvas.view.places[:, 0]  # about the centre: far from 0 the edges of bins would fall together
        bins = int(np.clip(round(2 * len(places) ** (1 / 3)), 6, 60))
        if whole:
            each = max(1, math.ceil((np.ptp(places) + 1) / bins))
            edges = np.arange(places.min() - 0.5, places.max() + each, each)
            heights = np.histogram(places, edges, density=True)[0]
        else:
            heights, edges = np.histogram(places, bins, density=True)
        return {
            "grid": grid,
            "component_densities": parts,
            "edges": edges + canvas.shift[0],
            "heights": heights,
            "field": np.empty((0, 0)),
        }
    if state.cloud.dimension > 2 and not isinstance(model, Normal):
        return {
            "grid": none,
            "component_densities": np.empty((0, 0)),
            "edges": none,
            "heights": none,
            "field": np.empty((0, 0)),
        }
    flat = (
        present
        if state.cloud.dimension == 2
        else host(state.present).projected(canvas.view.basis, torch.zeros(state.cloud.dimension, dtype=torch.float64))
    )
    step = (high - low) / CELLS
    x = low[0] + step[0] * (np.arange(CELLS) + 0.5) - canvas.shift[0]
    y = low[1] + step[1] * (np.arange(CELLS) + 0.5) - canvas.shift[1]
    both = np.stack([np.tile(x, CELLS), np.repeat(y, CELLS)])
    values = np.exp(numpy(torch.logsumexp(model.log_joint(torch.from_numpy(both), flat), 0))).reshape(CELLS, CELLS)
    return {"grid": none, "component_densities": np.empty((0, 0)), "edges": none, "heights": none, "field": values}


def errors(state: State, ahead: FixedPoint | None) -> dict[str, Any]:
    """How far the likelihood is from that of the fixed point, per point."""
    whole = [record for record in state.records if record.half % 2 == 0]
    keep = spaced(len(whole), MOST_PLACES)
    values = np.array([whole[index].log_likelihood if whole[index].drawn == state.cloud.drawn else math.nan for index in keep])
    limit = ahead.limit if ahead is not None else math.nan
    away = limit - values
    away[~(away > state.ahead.rounding / 8)] = math.nan
    return {"error_at": np.array([whole[index].half / 2 for index in keep]), "errors": away / state.cloud.count, "limit": limit}


def choices(side: SideRuns, model: Model, dimension: int) -> dict[str, Any]:
    """AIC and BIC of the fits that are finished."""
    done = [(k, fit) for k, fit in enumerate(side.choices, 1) if fit.done]
    counts = [model.parameter_count(k, dimension) for k, _ in done]
    values = [fit.final for _, fit in done]
    return {
        "choice_components": np.array([k for k, _ in done], float),
        "choice_log_likelihoods": np.array(values, float),
        "choice_aic": np.array([aic(value, count) for value, count in zip(values, counts, strict=True)], float),
        "choice_bic": np.array([bic(value, count, side.looked_at) for value, count in zip(values, counts, strict=True)], float),
    }


def restarts(side: SideRuns, canvas: Canvas, present: Mixture) -> dict[str, Any]:
    """Where the restarts began and ended, components named as in the best of them."""
    done = [fit for fit in side.restarts if fit.done and fit.looked is not None and fit.start is not None]
    values = np.array([fit.final for fit in done], float)
    k = present.components
    starts, ends = np.empty((len(done), k, 2)), np.empty((len(done), k, 2))
    if len(done):
        best = int(np.nanargmax(values)) if np.isfinite(values).any() else 0
        wanted = canvas.means(done[best].looked.means)  # type: ignore[union-attr]
        for index, fit in enumerate(done):
            found = canvas.means(fit.looked.means)  # type: ignore[union-attr]
            order = matching_order(found, wanted)
            ends[index], starts[index] = found[order], canvas.means(fit.start.means)[order]  # type: ignore[union-attr]
    return {
        "restart_log_likelihoods": values,
        "restart_starts": starts,
        "restart_means": ends,
        "restart_basins": basins(values, SAME[0] + SAME[1] * side.looked_at),
    }


def bayes(state: State, canvas: Canvas) -> dict[str, Any]:
    """Variational Bayes so far."""
    run = state.side.bayes
    if run is None:
        none = np.empty(0)
        return {
            "bayes_bounds": none,
            "bayes_kept": none,
            "bayes_weights": none,
            "bayes_means": np.empty((0, 2)),
            "bayes_covariances": np.empty((0, 2, 2)),
        }
    law = host(run.posterior.mixture)
    return {
        "bayes_bounds": np.array(run.bounds),
        "bayes_kept": np.array(run.kept, float),
        "bayes_weights": numpy(law.weights),
        "bayes_means": canvas.means(law.means),
        "bayes_covariances": canvas.covariances(law),
    }


def race(state: State, canvas: Canvas) -> dict[str, Any]:
    """The three algorithms side by side; lists that ended in a collapse are filled up."""
    side = state.side
    side = state.side
    longest = max((len(fit.values) for fit in side.race.values()), default=0)
    keep = spaced(longest, MOST_PLACES)
    found: dict[str, Any] = {"race_at": np.array(keep, float)}
    for kind in ("em", "hard", "gradient"):
        fit: SideFit | None = side.race.get(kind)
        values = fit.values if fit else []
        full = np.array([*values, *[math.nan] * (longest - len(values))], float)
        found[f"race_{kind}"] = full[keep]
        if kind != "em":
            place = fit.looked if fit is not None and fit.looked is not None else state.start
            found[f"race_{kind}_means"] = canvas.means(place.means)
    return found


def notices(state: State, parameters: Parameters, present: Mixture) -> tuple[Message, ...]:
    """What a person should know and cannot see."""
    found: list[Message] = []
    cloud, side = state.cloud, state.side
    scale = numpy(cloud.scale)
    pair = twins(numpy(present.weights), numpy(present.means), numpy(present.covariances), np.where(scale > 0, scale, 1.0))
    if pair:
        found.append(
            Message(
                "Components {one} and {other} are the same: they get the same responsibilities, and EM never parts them.",
                {"one": pair[0] + 1, "other": pair[1] + 1},
            )
        )
    weights = numpy(present.weights)
    gone = [k + 1 for k in range(len(weights)) if weights[k] * cloud.count < EMPTY]
    if gone:
        found.append(
            Message(
                "Component {component} is empty: no point gives it a share, and EM never brings it back.",
                {"component": gone[0]},
            )
        )
    if cloud.unused:
        found.append(
            Message(
                "Drawn points have {found} coordinates and the data {wanted}: they are left out.",
                {"found": cloud.unused, "wanted": cloud.dimension},
            )
        )
    if (parameters.choose or parameters.restarts) and side.looked_at < cloud.count:
        found.append(
            Message("Fits beside the run look at {few:,d} of the {all:,d} points.", {"few": side.looked_at, "all": cloud.count})
        )
    return tuple(found)


def measures_of(state: State, parameters: Parameters, picture: Picture) -> dict[str, float]:
    """The numbers."""
    cloud, value, bound = state.cloud, state.now.log_likelihood, state.now.lower_bound
    count = model_of(parameters).parameter_count(state.present.components, cloud.dimension)
    scores, ends = picture.choice_bic, picture.restart_log_likelihoods
    alive = bool(np.isfinite(scores).any()), bool(np.isfinite(ends).any())
    return {
        "log_likelihood": value,
        "mean_log_likelihood": value / cloud.count,
        "lower_bound": bound,
        "gap": max(0.0, value - bound) if math.isfinite(bound) else math.nan,
        "aic": aic(value, count),
        "bic": bic(value, count, cloud.count),
        "iterations": state.iteration,
        "converged": float(state.converged_with is not None),
        "parameter_count": count,
        "limit": picture.limit,
        "predicted_rate": picture.predicted_rate,
        "measured_rate": picture.measured_rate,
        "elbo": float(picture.bayes_bounds[-1]) if len(picture.bayes_bounds) else math.nan,
        "effective_components": float(picture.bayes_kept[-1]) if len(picture.bayes_kept) else math.nan,
        "agreement": agreement(picture.responsibilities.argmax(1), picture.labels) if state.believed is not None else math.nan,
        "best_components": float(picture.choice_components[np.nanargmin(scores)]) if alive[0] else math.nan,
        "best_restart": float(np.nanmax(ends)) if alive[1] else math.nan,
        "basins": float(picture.restart_basins.max() + 1) if alive[1] else math.nan,
    }


def coefficients_of(present: RegressionMixture, centre: torch.Tensor) -> np.ndarray:
    """Intercepts and slopes in the coordinates of the data, (K, d)."""
    found, middle = numpy(present.coefficients).copy(), numpy(centre)
    found[:, 0] += middle[-1] - found[:, 1:] @ middle[:-1]
    return found


def tables_of(state: State, picture: Picture) -> dict[str, list[Any]]:
    """Weights, means and covariances; on a line means and variances are plain lists."""
    flat = state.cloud.dimension == 1
    means, covariances = picture.full_means, picture.full_covariances
    tables = {
        "weights": picture.weights.tolist(),
        "means": (means[:, 0] if flat else means).tolist(),
        "covariances": (covariances[:, 0, 0] if flat else covariances).tolist(),
        "effective_counts": picture.counts.tolist(),
    }
    if len(picture.degrees):
        tables["degrees"] = picture.degrees.tolist()
    if isinstance(state.present, RegressionMixture):
        tables["coefficients"] = coefficients_of(state.present, state.cloud.centre).tolist()
        tables["deviations"] = picture.line_deviations.tolist()
    if state.cloud.count <= MOST_LISTED:
        tables["responsibilities"] = picture.responsibilities.astype(float).tolist()
    return tables
