"""The parameters of `activation_gain`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from engine.core.parameters import LabParameters, Ui, problem
from engine.math.formulas.parser import LONGEST, FormulaError, parse
from engine.math.networks.activations import ACTIVATION_LABELS, ActivationName


class Parameters(LabParameters):
    """A Gaussian variable through an activation."""

    activation: Annotated[
        Literal[ActivationName, "formula"],
        Ui(
            "Activation",
            symbol="f",
            group="Activation",
            choices={**ACTIVATION_LABELS, "formula": "Own formula"},
            help="The nonlinearity that a layer applies to each of its values.",
        ),
    ] = "tanh"
    formula: Annotated[
        str,
        Field(max_length=LONGEST),
        Ui(
            "Formula",
            symbol="f(x)",
            group="Activation",
            when={"activation": ("formula",)},
            help="Arithmetic in x with exp, log, sqrt, sin, tanh, sigmoid, relu, erf, abs, min, max and others.",
        ),
    ] = "x*sigmoid(1.702*x)"
    input_std: Annotated[
        float,
        Field(ge=0.05, le=20),
        Ui("Input spread", symbol="σ", scale="log", group="Signal", help="Standard deviation of the Gaussian input; q = σ²."),
    ] = 1.0
    samples: Annotated[
        int,
        Field(ge=100, le=100_000_000),
        Ui("Samples", symbol="N", scale="log", group="Signal", help="How many random inputs are drawn to check the integrals."),
    ] = 1_000_000
    layers: Annotated[
        int,
        Field(ge=1, le=200),
        Ui("Layers", symbol="L", group="Signal", help="How often the length map is applied in the picture of lengths."),
    ] = 30
    bins: Annotated[int, Field(ge=10, le=400), Ui("Bins", group="Picture", help="Bars of the histogram of outputs.")] = 100

    @field_validator("formula")
    @classmethod
    def _readable(cls, text: str) -> str:
        try:
            parse(text)
        except FormulaError as error:
            raise problem("formula", error.template, **error.values) from None
        return text
