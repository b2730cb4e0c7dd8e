"""The parameters and the data of `annealing`."""

from __future__ import annotations

import math
from typing import Annotated, Literal

import torch
from pydantic import Field, field_validator
from torch import Tensor

from engine.core.context import Context
from engine.core.errors import LabError
from engine.core.parameters import LabParameters, Ui, problem
from engine.math.numerics.precision import wide_dtype

MOST_VALUES = 2000
MADE = ("two", "skewed", "uniform", "plane", "ring")
FOUR_GROUPS = (-6.2, -5.8, -5.4, -3.4, -3.0, -2.6, 3.0, 3.4, 3.8, 5.6, 6.0, 6.4)


class Parameters(LabParameters):
    """Soft k-means while its temperature falls."""

    data: Annotated[
        Literal["values", "two", "skewed", "uniform", "plane", "ring"],
        Ui(
            "Data",
            group="Data",
            choices={
                "values": "A list of numbers",
                "two": "Two normal groups",
                "skewed": "Skewed: exponential",
                "uniform": "Uniform",
                "plane": "Four groups in the plane",
                "ring": "A ring in the plane",
            },
            help="A list of numbers, or points that are drawn; points of the plane are shown along their longest axis.",
        ),
    ] = "values"
    values: Annotated[
        tuple[Annotated[float, Field(ge=-1e9, le=1e9)], ...],
        Ui("Values", symbol="x_i", group="Data", when={"data": ("values",)}, help="The numbers that are to be grouped."),
    ] = FOUR_GROUPS
    points: Annotated[
        int,
        Field(ge=2, le=MOST_VALUES),
        Ui("Points", symbol="n", scale="log", group="Data", when={"data": MADE}, help="How many points are drawn."),
    ] = 300
    components: Annotated[
        int, Field(ge=1, le=12), Ui("Centres", symbol="K", group="Model", help="How many centres there are, together or apart.")
    ] = 4
    inverse_temperature: Annotated[
        float,
        Field(ge=1e-6, le=1e6),
        Ui(
            "Inverse temperature",
            symbol="M",
            scale="log",
            effect="live",
            group="Model",
            help="How sharply a point decides for the nearest centre. The line in the picture can be dragged.",
        ),
    ] = 0.4
    weights: Annotated[
        Literal["fixed", "learned"],
        Ui(
            "Weights",
            symbol="w_j",
            group="Model",
            choices={"fixed": "Equal", "learned": "Learned"},
            help="Equal weights, as in soft k-means, or the share of the data that each centre takes.",
        ),
    ] = "fixed"
    sweep: Annotated[
        Literal["up", "both"],
        Ui(
            "Sweep",
            group="Annealing",
            choices={"up": "Cool", "both": "Cool, then heat"},
            help="Follow the centres while M grows, and back again: where the ways differ there is hysteresis.",
        ),
    ] = "both"
    temperatures: Annotated[
        int,
        Field(ge=20, le=400),
        Ui("Temperatures", group="Annealing", help="Values of M on the way, evenly spaced in its logarithm."),
    ] = 150
    highest: Annotated[
        float,
        Field(ge=2, le=1e5),
        Ui("Coldest", unit="M_c", scale="log", group="Annealing", help="Where the sweep ends, in critical values."),
    ] = 60.0
    perturbation: Annotated[
        float,
        Field(ge=0, le=0.1),
        Ui(
            "Perturbation",
            group="Annealing",
            effect="live",
            help="Push given to every centre at each temperature, in standard deviations. With 0 equal centres never part.",
        ),
    ] = 0.001
    iterations: Annotated[
        int,
        Field(ge=1, le=2000),
        Ui(
            "Iterations at most",
            scale="log",
            group="Annealing",
            advanced=True,
            help="E and M steps per temperature; fewer where the centres have come to rest. Near a split they are slow.",
        ),
    ] = 600

    @field_validator("values")
    @classmethod
    def _enough_values(cls, values: tuple[float, ...]) -> tuple[float, ...]:
        if not 2 <= len(values) <= MOST_VALUES:
            raise problem(
                "values", "values takes from 2 to {most:,d} numbers, not {count:,d}.", most=MOST_VALUES, count=len(values)
            )
        return values


def make_points(parameters: Parameters, context: Context) -> Tensor:
    """The data, shape (n, dimension), in double precision where the device has it.

    Raises
    ------
    LabError
        If all values are equal.
    """
    device, dtype = context.device, wide_dtype(context.device)
    if parameters.data == "values":
        points = torch.tensor(parameters.values, device=device, dtype=dtype)[:, None]
        if not bool((points.max() - points.min()) > 1e-9 * points.abs().max()):
            raise LabError(
                "All values are {value:g}: without variance no centre ever splits, M_c = 1/(2·0) is infinite.",
                "Give at least two different values.",
                value=float(points[0, 0]),
            )
        return points
    generator, n = context.generator("data"), parameters.points

    def normal(columns: int) -> Tensor:
        return torch.randn((n, columns), generator=generator, device=device, dtype=dtype)

    def uniform() -> Tensor:
        return torch.rand(n, generator=generator, device=device, dtype=dtype)

    match parameters.data:
        case "two":
            side = torch.arange(n, device=device) % 2 * 2.0 - 1.0
            return (2.0 * side + 0.6 * normal(1)[:, 0])[:, None]
        case "skewed":
            return -torch.log1p(-uniform())[:, None]
        case "uniform":
            return 2 * uniform()[:, None] - 1
        case "plane":
            corners = torch.tensor([[-3.0, -1.2], [-3.2, 1.3], [3.0, -0.9], [3.4, 1.4]], device=device, dtype=dtype)
            return corners[torch.arange(n, device=device) % 4] + 0.5 * normal(2)
    angle = 2 * math.pi * uniform()
    return torch.stack([angle.cos(), angle.sin()], 1) * (1 + 0.08 * normal(1))
