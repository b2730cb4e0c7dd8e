"""The parameters of `propagation`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from engine.core.parameters import LabParameters, Ui
from engine.math.networks.activations import ACTIVATION_LABELS, ActivationName


class Parameters(LabParameters):
    """A tower of random layers."""

    depth: Annotated[int, Field(ge=1, le=200), Ui("Depth", symbol="L", group="Tower", help="How many layers.")] = 30
    width: Annotated[
        int, Field(ge=8, le=4096), Ui("Width", symbol="n", scale="log", group="Tower", help="How many units a layer has.")
    ] = 256
    waist: Annotated[
        float,
        Field(ge=1 / 16, le=4),
        Ui(
            "Bottleneck ratio",
            symbol="w",
            scale="log",
            group="Tower",
            help="Every other layer has this many times as many units; only then do the fan rules differ.",
            advanced=True,
        ),
    ] = 1.0
    activation: Annotated[
        ActivationName,
        Ui(
            "Activation",
            symbol="f",
            group="Tower",
            choices=ACTIVATION_LABELS,
            help="Applied to every unit of every layer.",
        ),
    ] = "relu"
    rule: Annotated[
        Literal["fan_in", "fan_out", "average", "geometric", "quadratic", "orthogonal"],
        Ui(
            "Fan rule",
            group="Weights",
            choices={
                "fan_in": "Fan in: 1/m",
                "fan_out": "Fan out: 1/n",
                "average": "Average: 2/(m+n)",
                "geometric": "Geometric: 1/√(mn)",
                "quadratic": "Quadratic: (m+n)/(m²+n²)",
                "orthogonal": "Orthogonal",
            },
            help="What the variance of a weight is divided by, for m inputs and n outputs.",
        ),
    ] = "fan_in"
    variance_factor: Annotated[
        float,
        Field(ge=0.01, le=16),
        Ui(
            "Variance factor",
            symbol="σ²_w",
            scale="log",
            group="Weights",
            help="Weight variance over what the rule gives; 2 is right for ReLU, 1 for the linear map.",
        ),
    ] = 2.0
    bias_std: Annotated[
        float, Field(ge=0, le=3), Ui("Bias spread", symbol="σ_b", group="Weights", help="Standard deviation of the biases.")
    ] = 0.0
    scaling: Annotated[
        Literal["standard", "ntk"],
        Ui(
            "Scaling",
            group="Weights",
            choices={"standard": "In the weights", "ntk": "In the forward pass (NTK)"},
            help="The same function at the start; in training the NTK form moves weights of every width alike.",
            advanced=True,
        ),
    ] = "standard"
    residual: Annotated[
        bool,
        Ui(
            "Residual",
            group="Form",
            help="Each layer adds to its input; one that changes the width adds to a random projection of it.",
        ),
    ] = False
    alpha: Annotated[
        float,
        Field(ge=0, le=4),
        Ui(
            "Branch weight",
            symbol="α",
            group="Form",
            when={"residual": (True,)},
            help="How much of the layer is added: y = x + α F(x).",
        ),
    ] = 0.2
    normalisation: Annotated[
        Literal["none", "batch", "layer", "rms"],
        Ui(
            "Normalisation",
            group="Form",
            choices={"none": "None", "batch": "Batch", "layer": "Layer", "rms": "Root mean square"},
            help="Over the units of a layer or over the examples, without parameters of its own.",
        ),
    ] = "none"
    placement: Annotated[
        Literal["inner", "pre", "post"],
        Ui(
            "Normalises",
            group="Form",
            when={"normalisation": ("layer", "rms")},
            choices={
                "inner": "Between weights and activation",
                "pre": "The input of the branch (Pre-Norm)",
                "post": "The sum (Post-Norm)",
            },
            help="Pre-Norm leaves the way around the layer untouched; Post-Norm divides what came along it at every layer.",
        ),
    ] = "inner"
    dtype: Annotated[
        Literal["float32", "bfloat16", "float16"],
        Ui(
            "Number format",
            group="Form",
            choices={"float32": "float32", "bfloat16": "bfloat16", "float16": "float16"},
            help="In which the tower computes; float16 ends at 65504 above and at 0.00000006 below.",
            advanced=True,
        ),
    ] = "float32"
    inputs: Annotated[
        Literal["gaussian", "digits"],
        Ui(
            "Input",
            group="Input",
            choices={"gaussian": "Gaussian", "digits": "Handwritten digits"},
            help="Gaussian vectors of second moment 1, or images of digits scaled to it.",
        ),
    ] = "gaussian"
    input_angle: Annotated[
        float,
        Field(ge=0, le=180),
        Ui(
            "Angle of the pair",
            symbol="θ₀",
            unit="°",
            group="Input",
            when={"inputs": ("gaussian",)},
            help="Between the two inputs that are followed; of digits the first two are.",
        ),
    ] = 60.0
    batch: Annotated[
        int,
        Field(ge=4, le=512),
        Ui(
            "Examples",
            symbol="B",
            scale="log",
            group="Input",
            help="How many inputs go through together.",
            advanced=True,
        ),
    ] = 64
    training: Annotated[
        bool, Ui("Start training", group="Training", help="Three towers learn the digits: half, once and twice the variance.")
    ] = False
    updates: Annotated[
        int,
        Field(ge=1, le=100_000),
        Ui("Updates", scale="log", group="Training", when={"training": (True,)}, help="Steps of gradient descent."),
    ] = 200
    learning_rate: Annotated[
        float,
        Field(gt=0, le=1000),
        Ui(
            "Learning rate",
            symbol="η",
            scale="log",
            effect="live",
            group="Training",
            when={"training": (True,)},
            help="Step length; the NTK form takes one that is larger by about the width.",
        ),
    ] = 0.02
