"""What `joint_kl` measures and claims."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from engine.core.claims import Claim, ClaimSpec
from engine.core.experiment import Measure

ROUNDING = 1e-12
REST = 1e-12  # a round that wins less than this is no round any more

MEASURES = (
    Measure("joint_kl", "Joint KL", "nats"),
    Measure("marginal_kl", "Marginal KL", "nats"),
    Measure("gap", "Gap", "nats"),
    Measure("log_likelihood", "Log-likelihood per observation", "nats"),
    Measure("lower_bound", "Lower bound", "nats"),
    Measure("data_entropy", "Entropy of the data", "nats"),
    Measure("cross_entropy", "Cross entropy of data and model", "nats"),
    Measure("posterior_entropy", "Mean entropy of the table r", "nats"),
    Measure("next_round", "What the next E and M step win", "nats"),
    Measure("slope", "Slope of the log-likelihood"),
    Measure("half_steps", "Half-steps taken"),
)

CLAIMS = (
    ClaimSpec(
        "chain_rule",
        "The joint KL is the marginal KL plus the gap.",
        r"\mathrm{KL}\left(\tilde p\,r\,\|\,p(x,z)\right)=\mathrm{KL}\left(\tilde p\,\|\,p(x)\right)"
        r"+\mathbb{E}_{\tilde p}\,\mathrm{KL}\left(r\,\|\,p(z|x)\right)",
        "nats",
    ),
    ClaimSpec(
        "bound",
        "The lower bound is the log-likelihood minus the gap.",
        r"\mathbb{E}_{\tilde p}\,\mathbb{E}_{r}\log\frac{p(x,z)}{r(z|x)}=\mathbb{E}_{\tilde p}\log p(x)-\mathrm{gap}",
        "nats",
    ),
    ClaimSpec("downhill", "No half-step raises the joint KL: the worst rise.", r"\max_k\left(J_{k+1}-J_k\right)^+=0", "nats"),
    ClaimSpec(
        "e_step", "An E step closes the gap: the largest gap after one.", r"r=p(z|x)\;\Rightarrow\;\mathrm{gap}=0", "nats"
    ),
    ClaimSpec(
        "likelihood",
        "From one E step to the next the marginal KL never rises: the worst rise.",
        r"\mathrm{KL}\left(\tilde p\,\|\,p_{k+1}\right)\le\mathrm{KL}\left(\tilde p\,\|\,p_k\right)",
        "nats",
    ),
    ClaimSpec(
        "fixed_point",
        "Where EM rests, the log-likelihood has no slope.",
        r"\theta=M(E(\theta))\;\Rightarrow\;\nabla_\theta\,\mathbb{E}_{\tilde p}\log p_\theta(x)=0",
    ),
)


def check_claims(
    measures: Mapping[str, float], kinds: Sequence[str], marginal: Sequence[float], gap: Sequence[float]
) -> tuple[Claim, ...]:
    """The statements of the source, along the whole way so far.

    Parameters
    ----------
    measures
        Of the present tables.
    kinds, marginal, gap
        Along the way: the half-step that led there (empty at the start), marginal KL and gap, all of length k.

    The slope: by Pinsker's inequality a round that wins d moves no logit's derivative by more than √(m d / 2), with m tosses
    at most as many as there may be values.
    """
    joint = np.add(marginal, gap)
    scale = ROUNDING * max(1.0, float(joint.max()))
    after = [at for at, kind in enumerate(kinds) if kind == "E"]
    closed = np.take(marginal, after)
    numbers: dict[str, tuple[float, float, float, bool]] = {
        "chain_rule": (measures["marginal_kl"] + measures["gap"], measures["joint_kl"], scale, True),
        "bound": (measures["log_likelihood"] - measures["gap"], measures["lower_bound"], scale, True),
        "downhill": (0.0, _worst(joint), scale, len(joint) > 1),
        "e_step": (0.0, float(np.take(gap, after).max(initial=0.0)), scale, len(after) > 0),
        "likelihood": (0.0, _worst(closed), scale, len(closed) > 1),
        "fixed_point": (0.0, measures["slope"], math.sqrt(6 * REST) + ROUNDING, measures["next_round"] < REST),
    }
    made = []
    for spec in CLAIMS:
        expected, measured, margin, enough = numbers[spec.name]
        made.append(spec.check(expected, measured, margin, enough=enough))
    return tuple(made)


def _worst(values: Sequence[float] | np.ndarray) -> float:
    """The largest rise from one value to the next, 0 where there is none."""
    return float(np.diff(values).max(initial=0.0))
