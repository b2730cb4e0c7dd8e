"""The points of `mixture`: where they come from, and the plane they are seen in."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from engine.core.context import Context
from engine.core.errors import LabError
from engine.data.classics import classic
from engine.data.family_samples import binary_digits, counted, counted_law, heavy_tailed, lines
from engine.data.number_tables import column_places, read_table
from engine.data.point_clouds import curved, sample, truth
from engine.labs.em.mixture.data_parameters import CLASSICS, CURVED, Matrix
from engine.labs.em.mixture.parameters import SHAPED, Parameters
from engine.math.latent.laws import FLATTEST, Mixture
from engine.math.latent.starts import covariance_of, thinned
from engine.math.numerics.precision import wide_dtype

MOST_SHOWN = 3000
MARGIN = 0.14  # of the extent of the points, around them
MOST_DIMENSIONS = 64
WHOLE = ("bernoulli", "poisson")  # families of whole numbers
MOST_COUNTED = 1e9
CHOOSE = "Choose other data, or another family."


@dataclass(frozen=True, slots=True)
class Base:
    """The points but for those drawn with the mouse, as the data have them."""

    rows: Tensor  # (d, n)
    labels: np.ndarray  # (n,), int64
    names: tuple[str, ...]
    law: Mixture | None


@dataclass(frozen=True, slots=True)
class Cloud:
    """The points of a run. Points and mixtures of the run are relative to `centre`."""

    base: Base
    drawn: Matrix  # the parameter they were made with
    points: Tensor  # (d, n), centred
    centre: Tensor  # (d,)
    scale: Tensor  # (d,): standard deviations
    added: int  # drawn points among them, the last ones
    unused: int  # coordinates of drawn points that do not fit, 0 where they do
    views: dict[tuple[str, tuple[int, ...]], View] = field(default_factory=dict, compare=False)  # the last one

    @property
    def count(self) -> int:
        """n."""
        return self.points.shape[1]

    @property
    def dimension(self) -> int:
        """d."""
        return self.points.shape[0]


def open_cloud(parameters: Parameters, context: Context) -> Cloud:
    """The points as the parameters ask for them."""
    return joined(load(parameters, context), parameters)


def load(parameters: Parameters, context: Context) -> Base:
    """All points but those drawn."""
    kind, device = parameters.data, context.device
    wide = wide_dtype(device)
    if kind == "values":
        if not any(parameters.values):
            raise LabError("There are no values.", "Give numbers, for example 1, 2, 3.")
        rows = listed(parameters.values)
        return _plain(torch.tensor(rows, dtype=wide, device=device).mT.contiguous())
    if kind == "drawn":
        rows = parameters.drawn
        if len(rows) == 1 and len(rows[0]) > 2:
            rows = listed(rows)
        if not rows:
            raise LabError("Nothing has been drawn yet.", "Paint points in the picture, or choose other data.")
        return _plain(torch.empty((len(rows[0]), 0), dtype=wide, device=device))
    if kind == "file":
        table = read_table(parameters.file, parameters.columns, context.checkpoint)
        return _plain(torch.tensor(table.rows, dtype=wide, device=device).mT.contiguous(), table.names)
    if kind in CLASSICS:
        found = classic(kind)
        count = len(found.names)
        columns = column_places(parameters.columns, found.names, count) if parameters.columns else list(range(count))
        rows_of = torch.tensor(found.rows[:, columns], dtype=wide, device=device).mT.contiguous()
        return Base(rows_of, found.labels, tuple(found.names[column] for column in columns), None)
    if kind in CURVED:
        points, labels = curved(kind, parameters.points, parameters.noise, context.generator("data"))
        return Base(points, labels.cpu().numpy(), (), None)
    if kind == "digits":
        points, labels = binary_digits(parameters.points, context.generator("data"))
        return Base(points, labels.cpu().numpy(), (), None)
    if kind == "lines":
        points, labels = lines(parameters.clusters, parameters.points, context.generator("data"))
        return Base(points, labels.cpu().numpy(), (), None)
    if kind in ("heavy", "counts"):
        where = (parameters.clusters, parameters.dimension, parameters.separation, context.generator("truth"))
        law = counted_law(*where) if kind == "counts" else truth("blobs", *where)
        points, labels = (counted if kind == "counts" else heavy_tailed)(law, parameters.points, context.generator("data"))
        return Base(points, labels.cpu().numpy(), (), law)
    law = truth(kind, parameters.clusters, parameters.dimension, parameters.separation, context.generator("truth"))
    points, labels = sample(law, parameters.points, context.generator("data"))
    return Base(points, labels.cpu().numpy(), (), law)


def listed(values: Matrix) -> Matrix:
    """Rows of points: a single row of several numbers is a list of points on a line."""
    return tuple((value,) for value in values[0]) if len(values) == 1 else values


def _plain(rows: Tensor, names: tuple[str, ...] = ()) -> Base:
    if rows.shape[0] > MOST_DIMENSIONS:
        raise LabError(
            "A point has {found} coordinates.",
            "At most {most} are taken; choose columns.",
            found=rows.shape[0],
            most=MOST_DIMENSIONS,
        )
    return Base(rows, np.full(rows.shape[1], -1, np.int64), names, None)


def joined(base: Base, parameters: Parameters, centre: Tensor | None = None) -> Cloud:
    """The points and those drawn with the mouse, about a centre that a run keeps once it has one.

    Raises
    ------
    LabError
        If they are too few, or do not vary.
    """
    d = base.rows.shape[0]
    drawn = parameters.drawn
    unused = 0
    if d == 1:
        fresh = [[value for row in drawn for value in row]]
    elif drawn and len(drawn[0]) != d:
        unused, fresh = len(drawn[0]), [[] for _ in range(d)]
    else:
        fresh = [[row[axis] for row in drawn] for axis in range(d)]
    if parameters.family in WHOLE:
        fresh = [[float(round(max(0.0, value))) for value in row] for row in fresh]
    added = torch.tensor(fresh, dtype=base.rows.dtype, device=base.rows.device).reshape(d, -1)
    rows = torch.cat([base.rows, added], 1) if added.shape[1] else base.rows
    n = rows.shape[1]
    if n < 2:
        raise LabError("There is only one point.", "At least two are needed.")
    if parameters.components > n:
        raise LabError(
            "{components} components are more than the {points} points.",
            "Lower the number of components.",
            components=parameters.components,
            points=n,
        )
    low, high = rows.amin(1), rows.amax(1)
    refuse_strangers(rows, parameters.family)
    still = (low == high).nonzero()
    if len(still) and parameters.family not in WHOLE:
        raise LabError(
            "Column {column} is the same for every point.", "Leave it out, or choose other data.", column=int(still[0]) + 1
        )
    if parameters.family in WHOLE:
        centre = torch.zeros_like(low)  # bits and counts are what they are
    else:
        refuse_extremes(low, high, n)
        centre = middle(rows) if centre is None else centre
    points = rows - centre[:, None]
    scale = points.std(1, correction=0)
    if parameters.family in SHAPED and parameters.floor == 0 and parameters.covariance in ("full", "tied") and d > 1:
        few = thinned(points) / scale[:, None]
        if float(torch.linalg.eigvalsh(covariance_of(few))[0]) < FLATTEST:
            raise LabError(
                "The {points} points do not fill {dimension} dimensions: some columns follow from the others.",
                "Choose fewer columns, diagonal or spherical covariances, or a floor above 0.",
                points=n,
                dimension=d,
            )
    return Cloud(base, drawn, points, centre, scale, added.shape[1], unused)


def refuse_strangers(rows: Tensor, family: str) -> None:
    """One sentence for data that a family cannot have made.

    Raises
    ------
    LabError
        Naming the first.
    """
    if family == "regression" and len(rows) < 2:
        raise LabError("A line needs an input and a response, and these data have one column.", "Choose data of two columns.")
    if family not in WHOLE:
        return
    bad = (rows < 0) | (rows != rows.round()) | ((rows > 1) if family == "bernoulli" else (rows > MOST_COUNTED))
    if bool(bad.any()):
        column, point = (int(each) for each in bad.nonzero()[0])
        values = {"value": float(rows[column, point]), "point": point + 1}
        if family == "bernoulli":
            raise LabError("Bernoulli components need values 0 and 1, and point {point} has {value:g}.", CHOOSE, **values)
        raise LabError("Poisson components need counts 0, 1, 2, ..., and point {point} has {value:g}.", CHOOSE, **values)


def middle(rows: Tensor) -> Tensor:
    """The mean of each row; that of numbers far from 0 is the nearest that numbers can hold."""
    low = rows[:, 0]
    return low + (rows - low[:, None]).mean(1)


def refuse_extremes(low: Tensor, high: Tensor, count: int) -> None:
    """One sentence for numbers whose squares cannot be added.

    Raises
    ------
    LabError
        Naming the column.
    """
    limits = torch.finfo(low.dtype)
    extent = high - low
    bad = ((extent > math.sqrt(limits.max / count) / 8) | (extent < 8 * math.sqrt(limits.tiny))).nonzero()
    if len(bad):
        column = int(bad[0])
        raise LabError(
            "The values of column {column} lie within {extent:.3g}: a square of that is beyond what numbers can hold.",
            "Give them in another unit.",
            column=column + 1,
            extent=float(extent[column]),
        )


# ---- what is shown -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class View:
    """The plane of the picture: shown = points of the run @ basis, all on the CPU."""

    chosen: np.ndarray  # indices of the points that are shown
    basis: Tensor  # (d, p), p = 1 on a line and 2 elsewhere
    kind: str  # "", "principal" or "columns"
    axes: tuple[str, str]
    explained: float
    places: np.ndarray  # (m, 2), relative to the centre
    low: np.ndarray  # (2,), in the units shown
    high: np.ndarray


def view(cloud: Cloud, parameters: Parameters) -> View:
    """As the parameters ask, kept with the cloud; columns that do not exist are replaced by the principal axes."""
    key = (parameters.plane, parameters.shown)
    if key not in cloud.views:
        cloud.views.clear()
        cloud.views[key] = make_view(cloud, *key)
    return cloud.views[key]


def make_view(cloud: Cloud, plane: str, shown: tuple[int, ...]) -> View:
    """The plane that is shown, and the points in it."""
    d, n = cloud.points.shape
    fixed = n - cloud.added
    evenly = np.linspace(0, fixed - 1, min(fixed, MOST_SHOWN)).round().astype(np.int64) if fixed else np.empty(0, np.int64)
    last = np.arange(fixed, n)[-MOST_SHOWN:]
    chosen = np.concatenate([evenly, last])
    basis, kind, axes, explained = _plane(cloud, plane, shown)
    places = (basis.mT @ cloud.points[:, torch.from_numpy(chosen).to(cloud.points.device)].cpu().double()).numpy().T
    shift = (cloud.centre.cpu().double() @ basis).numpy() if not kind or kind == "columns" else np.zeros(basis.shape[1])
    if d == 1:
        places = np.column_stack([places, np.zeros(len(places))])
        shift = np.array([shift[0], 0.0])
    low, high = places.min(0) + shift, places.max(0) + shift
    extent = np.where(high > low, high - low, 1.0)
    return View(chosen, basis, kind, axes, explained, places, low - MARGIN * extent, high + MARGIN * extent)


def _plane(cloud: Cloud, plane: str, shown: tuple[int, ...]) -> tuple[Tensor, str, tuple[str, str], float]:
    d = cloud.dimension
    names = (*cloud.base.names, "", "")
    identity = torch.eye(d, dtype=torch.float64)
    if d <= 2:
        return identity, "", (names[0], names[1] if d == 2 else ""), 1.0
    few = thinned(cloud.points).cpu().double()
    scale = torch.where(cloud.scale > 0, cloud.scale, 1.0).cpu().double()  # a pixel that is never on
    correlation = covariance_of(few / scale[:, None])
    total = float(correlation.trace())
    if plane == "columns" and max(shown) <= d:
        one, other = (column - 1 for column in shown)
        picked = torch.stack([identity[one], identity[other]], 1)
        return picked, "columns", (names[one] if cloud.base.names else "", names[other] if cloud.base.names else ""), 2 / d
    values, vectors = torch.linalg.eigh(correlation)
    axes = vectors[:, [-1, -2]]
    axes = axes * axes[axes.abs().argmax(0), [0, 1]].sign()  # the largest entry is positive: no flips between machines
    return axes / scale[:, None], "principal", ("", ""), float(values[-2:].sum()) / total
