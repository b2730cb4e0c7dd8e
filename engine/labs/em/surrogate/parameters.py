"""The parameters of `surrogate`, and the likelihood that they name."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from engine.core.parameters import LabParameters, Ui, problem
from engine.math.latent.surrogates import Censored, Likelihood, Linkage, MixingWeight, StudentLocation

MOST = 200  # values of a list


class Parameters(LabParameters):
    """One likelihood of one parameter, climbed in three ways."""

    example: Annotated[
        Literal["linkage", "weight", "censored", "location"],
        Ui(
            "Example",
            group="Likelihood",
            choices={
                "linkage": "Genetic linkage",
                "weight": "Mixing weight",
                "censored": "Censored lifetimes",
                "location": "Heavy-tailed location",
            },
            help="What is observed and what is hidden: two classes counted as one, labels, ends of lifetimes, or precisions.",
        ),
    ] = "linkage"
    counts: Annotated[
        tuple[int, ...],
        Ui(
            "Counts",
            symbol="y",
            group="Likelihood",
            when={"example": ("linkage",)},
            help="Animals in each of the four classes.",
        ),
    ] = (125, 18, 20, 34)
    points: Annotated[
        tuple[float, ...],
        Ui("Points", symbol="x", group="Likelihood", when={"example": ("weight", "location")}, help="The observed numbers."),
    ] = (-1.4, -0.9, -0.6, -0.2, 0.1, 0.3, 0.8, 1.1, 1.6, 2.0, 2.3, 3.1)
    means: Annotated[
        tuple[float, ...],
        Ui(
            "Means",
            symbol="μ",
            group="Likelihood",
            when={"example": ("weight",)},
            help="Centres of the two normal laws, of standard deviation 1; the nearer they are, the more is hidden.",
        ),
    ] = (0.0, 2.0)
    times: Annotated[
        tuple[float, ...],
        Ui(
            "Lifetimes",
            symbol="t",
            group="Likelihood",
            when={"example": ("censored",)},
            help="Those not below the limit are censored.",
        ),
    ] = (0.3, 0.5, 0.8, 1.1, 1.3, 1.9, 2.4, 3.0, 3.6, 5.2)
    limit: Annotated[
        float,
        Field(gt=0, le=1000),
        Ui(
            "Limit",
            symbol="c",
            group="Likelihood",
            scale="log",
            when={"example": ("censored",)},
            help="When the watching ended.",
        ),
    ] = 2.0
    degrees: Annotated[
        float,
        Field(ge=0.2, le=100),
        Ui(
            "Degrees of freedom",
            symbol="ν",
            group="Likelihood",
            scale="log",
            when={"example": ("location",)},
            help="1 is Cauchy's law; the larger, the nearer to the normal law and to a single hill.",
        ),
    ] = 1.0
    method: Annotated[
        Literal["em", "gradient", "newton"],
        Ui(
            "Method",
            group="Climb",
            choices={"em": "EM", "gradient": "Gradient", "newton": "Newton"},
            help="Whose surrogate is climbed: EM's lower bound, a parabola of curvature -1/h, or one of the true curvature.",
        ),
    ] = "em"
    start: Annotated[float, Ui("Start", symbol="θ", group="Climb", help="Where the climb begins; drag it in the picture.")] = (
        0.1
    )
    step_size: Annotated[
        float,
        Field(gt=0, le=100),
        Ui(
            "Step size",
            symbol="h",
            group="Climb",
            scale="log",
            help="Gradient ascent climbs a parabola of curvature -1/h: the smaller h, the narrower.",
        ),
    ] = 0.002
    steps: Annotated[
        int,
        Field(ge=1, le=300),
        Ui("Iterations", scale="log", group="Climb", help="Full iterations: fit a surrogate, then jump to its peak."),
    ] = 10
    others: Annotated[
        bool,
        Ui(
            "Show the other surrogates",
            effect="view",
            group="Picture",
            help="Also draw what the other two methods would climb.",
        ),
    ] = True

    zoom: Annotated[
        bool,
        Ui("Zoom in", effect="live", group="Picture", help="Show only the surroundings of iterate and maximum: they shrink."),
    ] = False

    @model_validator(mode="after")
    def check_data(self) -> Self:
        """Every example needs data that make a likelihood."""
        if self.example == "linkage":
            check_counts(self.counts)
        elif self.example == "censored":
            if not 1 <= len(self.times) <= MOST or min(self.times) <= 0:
                raise problem("times", "Lifetimes are from 1 to {most} positive numbers.", most=MOST)
            if min(self.times) >= self.limit:
                raise problem("limit", "All lifetimes reach the limit {limit:g}: none was seen to end.", limit=self.limit)
        else:
            if not 1 <= len(self.points) <= MOST or max(map(abs, self.points)) > 100:
                raise problem("points", "Points are from 1 to {most} numbers between -100 and 100.", most=MOST)
            if self.example == "weight" and (len(self.means) != 2 or not 0.01 <= abs(self.means[1] - self.means[0]) <= 50):
                raise problem("means", "Two means are needed, from 0.01 to 50 apart.")
        likelihood = likelihood_of(self)
        if not likelihood.inside(self.start) or abs(self.start) > 1000:
            low, high = max(likelihood.low, -1000.0), min(likelihood.high, 1000.0)
            raise problem("start", "The start lies between {low:g} and {high:g}.", low=low, high=high)
        return self


def check_counts(counts: tuple[int, ...]) -> None:
    """Four counts that have their maximum inside (0, 1).

    Raises
    ------
    PydanticCustomError
        With a sentence for the field.
    """
    if len(counts) != 4 or min(counts) < 0 or max(counts) > 10**7:
        raise problem("counts", "Four counts are needed, none below 0 or above 10,000,000.")
    first, crossed, last = counts[0], counts[1] + counts[2], counts[3]
    if crossed == 0:
        raise problem("counts", "The maximum lies at 1: one of the middle counts must be positive.")
    if last == 0 and first <= 2 * crossed:  # the slope at 0 is first/2 - crossed
        raise problem(
            "counts", "The maximum lies at 0: the last count must be positive, or the first above twice the middle ones."
        )


def likelihood_of(parameters: Parameters) -> Likelihood:
    """The likelihood that is climbed."""
    match parameters.example:
        case "linkage":
            first, second, third, fourth = parameters.counts
            return Linkage((first, second, third, fourth))
        case "weight":
            return MixingWeight(parameters.points, (parameters.means[0], parameters.means[1]))
        case "censored":
            return Censored(parameters.times, parameters.limit)
    return StudentLocation(parameters.points, parameters.degrees)
