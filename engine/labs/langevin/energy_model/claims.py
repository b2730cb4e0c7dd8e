"""Measures and claims of `energy_model`."""

from __future__ import annotations

import math

from engine.core.claims import Claim, ClaimSpec
from engine.core.experiment import Measure
from engine.core.messages import Message
from engine.labs.langevin.energy_model.exact import GradientCheck
from engine.math.numerics.statistics import tolerance

RARE = 1e-7  # false alarms per picture: a run shows thousands

MEASURES = (
    Measure("data_energy", "Mean energy of the data"),
    Measure("sample_energy", "Mean energy of the negatives"),
    Measure("energy_gap", "Negatives above data"),
    Measure("model_energy", "Mean energy of the model, exact", optional=True),
    Measure("kl_divergence", "Divergence KL(p | q)", "nats", optional=True),
    Measure("log_partition", "log Z on the grid", optional=True),
    Measure("log_partition_estimate", "log Z as noise contrast learns it", optional=True),
    Measure("negative_log_likelihood", "Negative log-likelihood", "nats", optional=True),
    Measure("entropy", "Entropy of the data", "nats", optional=True),
    Measure("mode_coverage", "Share of modes found", optional=True),
    Measure("chain_age", "Mean age of the chains", "rounds", optional=True),
    Measure("theory_chain_age", "Mean age by the geometric law", "rounds", optional=True),
    Measure("chain_bias", "Gradient that the chains miss", optional=True),
    Measure("spectral_norm_largest", "Largest spectral norm of a layer", optional=True),
    Measure("class_agreement", "Images that a classifier reads as their class", optional=True),
    Measure("diversity", "Distance between images of a class, over that of real ones", optional=True),
    Measure("novelty", "Distance to the nearest learned digit, over that between digits", optional=True),
    Measure("updates_done", "Updates so far"),
)

CLAIMS = (
    ClaimSpec(
        "two_phases",
        "Energy pushed down on data and up on the model is the slope of the likelihood: their ratio is one.",
        r"\nabla_\theta L=\mathbb{E}_p[\nabla_\theta U]-\mathbb{E}_{q_\theta}[\nabla_\theta U]",
    ),
    ClaimSpec(
        "sampled_phases",
        "Samples of the model are enough for it: the ratio stays one.",
        r"\mathbb{E}_{q_\theta}[\nabla_\theta U]\approx\frac1M\sum_i\nabla_\theta U(x_i),\quad x_i\sim q_\theta",
    ),
    ClaimSpec(
        "likelihood",
        "The negative log-likelihood of new data is entropy plus divergence: nothing is left over.",
        r"-\mathbb{E}_p\log q_\theta-H(p)-\mathrm{KL}(p\,\|\,q_\theta)=0",
        "nats",
    ),
    ClaimSpec(
        "buffer_age",
        "Chains in the buffer are as old as the geometric law says.",
        r"\mathbb{E}\min(G,n)=\frac{1-p^n}{1-p}\to\frac1{1-p}",
    ),
    ClaimSpec("spectral", "Each normalised layer has spectral norm one.", r"\left\|W/\|W\|_2\right\|_2=1"),
)


def plane_claims(
    found: GradientCheck, measures: dict[str, float], age_error: float, *, buffered: bool, constant: bool, norm_error: float
) -> tuple[Claim, ...]:
    """The model beside theory.

    Parameters
    ----------
    found : GradientCheck
        Numbers of the last check.
    measures
        Of the present frame.
    age_error : float
        Standard error of the mean age.
    buffered, constant : bool
        Whether chains come from the buffer, and always did with the same probability.
    norm_error : float
        By which a single round of power iteration may be behind.
    """
    slope = found.slope if found.slope else math.nan
    rounding = (2 * found.slope_error + 1e-7) / abs(slope) + 1e-7
    sampling = tolerance(found.sampled_error, RARE) / abs(slope)
    changed = Message("The chains have not been drawn with one probability all along." if buffered and not constant else "")
    unused = Message("" if buffered else "Contrastive divergence starts its chains from the data, not from the buffer.")
    plain = math.isnan(measures["spectral_norm_largest"])
    return (
        CLAIMS[0].check(1.0, found.phases / slope, rounding),
        CLAIMS[1].check(1.0, found.sampled / slope, sampling + rounding, enough=sampling < 1),
        CLAIMS[2].check(
            0.0, found.likelihood - found.theory_likelihood, tolerance(found.likelihood_error, RARE) + found.grid_error + 1e-4
        ),
        CLAIMS[3].check(
            measures["theory_chain_age"],
            measures["chain_age"],
            tolerance(age_error, RARE) + 1e-9,
            enough=buffered and constant,
            remark=unused or changed,
        ),
        CLAIMS[4].check(
            1.0,
            measures["spectral_norm_largest"],
            norm_error,
            enough=not plain,
            remark=Message("Spectral normalisation is off." if plain else ""),
        ),
    )


def image_claims(measures: dict[str, float], age_error: float, *, buffered: bool) -> tuple[Claim, ...]:
    """Of images there is no grid: only the buffer can be told."""
    nan = math.nan
    grids = Message("No grid covers 64 dimensions.")
    return (
        *(spec.check(nan, nan, nan, enough=False, remark=grids) for spec in CLAIMS[:3]),
        CLAIMS[3].check(
            measures["theory_chain_age"],
            measures["chain_age"],
            tolerance(age_error, RARE) + 1e-9,
            enough=buffered,
            remark=Message("" if buffered else "This objective draws no chains from a buffer."),
        ),
        CLAIMS[4].check(1.0, nan, nan, enough=False, remark=Message("Layers of images are only bounded, not normalised.")),
    )
