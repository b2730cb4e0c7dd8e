"""The parameters of `likelihood`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from engine.core.parameters import LabParameters, Ui, problem

EXAMPLE = (-0.4, 0.3, 0.9, 1.1, 2.1)
MOST_VALUES, MOST_KINDS = 2000, 8
LARGEST = 1e9
ROUNDED = 1e-3  # how far from 1 a list may be for having been typed with a few decimals

Values = tuple[Annotated[float, Field(ge=-LARGEST, le=LARGEST)], ...]
Kind = Literal["bernoulli", "gaussian", "categorical"]


class Parameters(LabParameters):
    """Data, and a model that may have made them."""

    distribution: Annotated[
        Literal["auto", "bernoulli", "gaussian", "categorical"],
        Ui(
            "Distribution",
            group="Data",
            choices={
                "auto": "As the data: values, else tosses",
                "bernoulli": "Bernoulli: tosses",
                "gaussian": "Normal: values",
                "categorical": "Categorical: counts",
            },
            help="Which family the model belongs to.",
        ),
    ] = "auto"
    successes: Annotated[
        int,
        Field(ge=0, le=100_000),
        Ui(
            "Successes",
            symbol="k",
            group="Data",
            when={"distribution": ("auto", "bernoulli")},
            help="How often it came up heads.",
        ),
    ] = 7
    trials: Annotated[
        int,
        Field(ge=1, le=100_000),
        Ui(
            "Trials",
            symbol="n",
            scale="log",
            group="Data",
            when={"distribution": ("auto", "bernoulli")},
            help="How often the coin was tossed.",
        ),
    ] = 10
    values: Annotated[
        Values,
        Ui(
            "Values",
            symbol="x_i",
            group="Data",
            when={"distribution": ("auto", "gaussian")},
            help="Measurements. Empty: five numbers as an example where the normal law is chosen.",
        ),
    ] = ()
    counts: Annotated[
        tuple[Annotated[int, Field(ge=0, le=100_000)], ...],
        Ui("Counts", group="Data", when={"distribution": ("categorical",)}, help="How often each category was seen."),
    ] = (5, 3, 2)
    copies: Annotated[
        int,
        Field(ge=1, le=1000),
        Ui("Data repeated", symbol="×", scale="log", group="Data", help="As if the same data had come so many times."),
    ] = 1
    probability: Annotated[
        float,
        Field(ge=0.001, le=0.999),
        Ui(
            "Probability",
            symbol="q",
            group="Model",
            when={"distribution": ("auto", "bernoulli")},
            help="Of heads, as the model says.",
        ),
    ] = 0.5
    mean: Annotated[
        float,
        Field(ge=-LARGEST, le=LARGEST),
        Ui(
            "Mean",
            symbol="μ",
            group="Model",
            when={"distribution": ("auto", "gaussian")},
            help="Of the normal law of the model.",
        ),
    ] = 0.0
    sigma: Annotated[
        float,
        Field(ge=1e-6, le=LARGEST),
        Ui(
            "Standard deviation",
            symbol="σ",
            scale="log",
            group="Model",
            when={"distribution": ("auto", "gaussian")},
            help="Of the normal law of the model; it is held while the mean is sought.",
        ),
    ] = 1.0
    model: Annotated[
        tuple[Annotated[float, Field(ge=0, le=1)], ...],
        Ui(
            "Shares",
            symbol="q",
            group="Model",
            when={"distribution": ("categorical",)},
            help="Probability of each category, as the model says; they add up to 1.",
        ),
    ] = (0.25, 0.4, 0.35)
    sets: Annotated[
        int,
        Field(ge=100, le=200_000),
        Ui(
            "Simulated data sets",
            scale="log",
            group="Simulation",
            help="So many data sets of the same size are drawn from the model.",
        ),
    ] = 20_000
    scale: Annotated[
        Literal["linear", "log", "average"],
        Ui(
            "Likelihood",
            group="Picture",
            effect="view",
            choices={"linear": "Relative to its maximum", "log": "Its logarithm", "average": "Its logarithm per observation"},
            help="How the likelihood is drawn. Only the last one stays where it is when data are repeated.",
        ),
    ] = "linear"
    sharper: Annotated[
        bool,
        Ui("With 4 and 16 times the data", group="Picture", effect="view", help="Also draw the likelihood for repeated data."),
    ] = True

    @property
    def kind(self) -> Kind:
        """The family of the model."""
        if self.distribution == "auto":
            return "gaussian" if self.values else "bernoulli"
        return self.distribution

    @property
    def measurements(self) -> tuple[float, ...]:
        """The values, or the example."""
        return self.values or EXAMPLE

    @model_validator(mode="after")
    def fit_together(self) -> Parameters:
        """No more successes than trials, shares for all categories."""
        if self.kind == "bernoulli" and self.successes > self.trials:
            raise problem(
                "successes",
                "There are {successes} successes in only {trials} trials.",
                successes=self.successes,
                trials=self.trials,
            )
        if len(self.values) > MOST_VALUES:
            raise problem("values", "values takes at most {most:,d} numbers.", most=MOST_VALUES)
        if self.kind == "categorical":
            self._check_categories()
        return self

    def _check_categories(self) -> None:
        if not 2 <= len(self.counts) <= MOST_KINDS:
            raise problem("counts", "counts takes 2 to {most} numbers, not {found}.", most=MOST_KINDS, found=len(self.counts))
        if not sum(self.counts):
            raise problem("counts", "counts needs at least one number above 0.")
        if len(self.model) != len(self.counts):
            raise problem(
                "model", "model has {found} numbers, but counts has {wanted}.", found=len(self.model), wanted=len(self.counts)
            )
        if abs(sum(self.model) - 1) > ROUNDED:
            raise problem("model", "The numbers of model add up to {sum}, not to 1.", sum=f"{sum(self.model):.6g}")
        for at, (count, share) in enumerate(zip(self.counts, self.model, strict=True), 1):
            if share < 1e-6 and (count or at == 1):
                raise problem(
                    "model",
                    "Category {at} was seen, but the model gives it no probability: its cross entropy is infinite.",
                    at=at,
                )
