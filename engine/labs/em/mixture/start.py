"""The first components of `mixture`, by chance or by hand."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.core.context import Context
from engine.core.errors import LabError
from engine.labs.em.mixture.data import Cloud
from engine.labs.em.mixture.data_parameters import Matrix
from engine.labs.em.mixture.parameters import SHAPED, Parameters
from engine.math.latent.laws import Mixture, Shape, shaped
from engine.math.latent.starts import around, begin, random_means


def first_mixture(cloud: Cloud, parameters: Parameters, context: Context) -> Mixture:
    """Where the run starts, relative to the centre of the cloud."""
    generator = context.generator("start")
    k, shape = parameters.components, parameters.covariance
    if parameters.start != "manual":
        return begin(
            cloud.points, k, parameters.start, start_shape(parameters), parameters.floor, generator, context.checkpoint
        )
    d = cloud.dimension
    like = cloud.centre
    if parameters.means:
        means = table("means", parameters.means, k, d, like) - cloud.centre
    else:  # nothing by hand yet: something to take hold of
        means = random_means(cloud.points, k, generator)
    weights = torch.full((k,), 1 / k, dtype=like.dtype, device=like.device)
    if parameters.weights:
        if len(parameters.weights) != k:
            raise wrong_count("weights", len(parameters.weights), k)
        weights = like.new_tensor(parameters.weights)
        weights = weights / weights.sum()
    plain = around(cloud.points, means, shape, weights)
    if parameters.spreads:
        covariances = matrices(parameters.spreads, k, d, like)
    elif parameters.deviations:
        covariances = torch.diag_embed(deviations(parameters.deviations, k, d, like).square())
    else:
        return plain
    return Mixture(weights, means, shaped(covariances, weights, shape).contiguous())


def start_shape(parameters: Parameters) -> Shape:
    """Of the covariances that a start finds: lines take their slopes from them, bits and counts nothing at all."""
    if parameters.family in SHAPED:
        return parameters.covariance
    return "full" if parameters.family == "regression" else "diagonal"


def table(name: str, rows: Matrix, k: int, d: int, like: Tensor) -> Tensor:
    """A row per component, shape (K, d); on a line a single row with a number per component will do."""
    if d == 1 and len(rows) == 1 and len(rows[0]) != 1:
        rows = tuple((value,) for value in rows[0])
    if len(rows) != k:
        raise wrong_count(name, len(rows), k)
    if len(rows[0]) != d:
        raise LabError(
            "A row of {name} has {found} numbers, and a point has {wanted}.",
            "Give each component a row; rows are parted by semicolons.",
            name=name,
            found=len(rows[0]),
            wanted=d,
        )
    return like.new_tensor(rows)


def deviations(rows: Matrix, k: int, d: int, like: Tensor) -> Tensor:
    """Standard deviations (K, d): one number per component, in one row or in one column, or a row per component."""
    if len(rows) == 1 and len(rows[0]) == k and not (k == 1 and d == 1):
        found = like.new_tensor(rows[0])[:, None].expand(k, d)
    elif len(rows) == k and len(rows[0]) == 1:
        found = like.new_tensor(rows).expand(k, d)
    else:
        found = table("deviations", rows, k, d, like)
    if float(found.amin()) <= 0:
        raise LabError("A deviation of the start is not above 0.", "Give deviations above 0.")
    return found


def matrices(rows: Matrix, k: int, d: int, like: Tensor) -> Tensor:
    """Covariances (K, d, d)."""
    found = table("spreads", rows, k, d * d, like) if d > 1 else table("spreads", rows, k, 1, like)
    found = found.reshape(k, d, d)
    found = 0.5 * (found + found.mT)
    bad = torch.linalg.cholesky_ex(found).info.nonzero()
    if len(bad):
        raise LabError(
            "The covariance matrix of component {component} is not positive definite.",
            "Its variances must be above 0, and no correlation beyond 1.",
            component=int(bad[0]) + 1,
        )
    return found


def wrong_count(name: str, found: int, wanted: int) -> LabError:
    """For a list of another length than there are components."""
    return LabError(
        "{name} are given for {found} components, and there are {wanted}.",
        "Change the number of components, or give as many {name}.",
        name=name,
        found=found,
        wanted=wanted,
    )
