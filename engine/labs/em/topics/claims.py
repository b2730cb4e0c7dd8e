"""What `topics` measures and claims."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from engine.core.claims import Claim, ClaimSpec
from engine.core.experiment import Measure
from engine.core.messages import Message

MEASURES = (
    Measure("log_likelihood", "Log-likelihood"),
    Measure("perplexity", "Perplexity"),
    Measure("heldout_perplexity", "Perplexity of held-out documents", optional=True),
    Measure("unigram_perplexity", "Perplexity of one topic for all"),
    Measure("perfect_perplexity", "Perplexity of a perfect fit"),
    Measure("marginal_kl", "Marginal KL per token", unit="nat"),
    Measure("gap", "Gap per token", unit="nat"),
    Measure("joint_kl", "Joint KL per token", unit="nat"),
    Measure("mutual_information", "Mutual information of documents and words", unit="nat"),
    Measure("topic_entropy", "Mean entropy of the mixtures", unit="nat"),
    Measure("agreement", "Agreement with the subjects", optional=True),
    Measure("documents", "Documents fitted"),
    Measure("words", "Words of the vocabulary"),
    Measure("tokens", "Tokens fitted"),
    Measure("iterations", "Full iterations"),
)

CLAIMS = (
    ClaimSpec(
        "monotone",
        "No iteration lowers the likelihood; with tempering, no iteration lowers the tempered one.",
        r"L^{(t+1)}\ge L^{(t)}",
        unit="nat",
    ),
    ClaimSpec("gap_after_e", "An E step deletes the gap.", r"r(z|d,w)=p(z|d,w)\Rightarrow\mathrm{gap}=0", unit="nat"),
    ClaimSpec(
        "chain",
        "The joint KL is the marginal KL plus the mean KL of the responsibilities.",
        r"KL_{joint}=KL_{marginal}+\mathbb{E}\,KL\left(r\,\|\,p(z|d,w)\right)",
        unit="nat",
    ),
    ClaimSpec(
        "margins",
        "After an M step the model has every word exactly as often as the texts.",
        r"\sum_d n_d\,p(w|d)=\sum_d n(d,w)",
    ),
    ClaimSpec(
        "one_topic",
        "With a single topic the marginal KL is the mutual information of documents and words.",
        r"K=1\Rightarrow KL_{marginal}=I(d;w)",
        unit="nat",
    ),
)


def check_claims(
    measures: Mapping[str, float], facts: Mapping[str, float], topics: int, dtype: torch.dtype
) -> tuple[Claim, ...]:
    """The statements, each held to the rounding of its own sums.

    Parameters
    ----------
    measures : mapping
        What the frame measures.
    facts : mapping
        `fall`: the largest loss of likelihood per token so far; `gap_after_e`: the gap after the last E step;
        `direct_gap`: the gap summed cell by cell, not a number where the table is too large for that; `margin`: the largest
        error of a word's frequency; `beta`: the tempering now in force.
    topics : int
        K.
    dtype : torch.dtype
        The type of the tables, from which rounding follows.
    """
    rounding = 1e4 * torch.finfo(dtype).eps * (1 + abs(measures["log_likelihood"]) / measures["tokens"])
    begun, plain = measures["iterations"] >= 1, facts["beta"] == 1.0
    monotone, after, chain, margins, one = CLAIMS
    tempered = Message("Tempered responsibilities are not the posterior, so that a gap stays.")
    single = Message("It speaks of one topic; more topics keep a part of the mutual information.")
    return (
        monotone.check(0.0, facts["fall"], rounding, enough=begun),
        after.check(0.0, facts["gap_after_e"], rounding, enough=plain, remark=None if plain else tempered),
        chain.check(facts["direct_gap"], measures["joint_kl"] - measures["marginal_kl"], rounding),
        margins.check(0.0, facts["margin"], rounding, enough=begun),
        one.check(
            measures["mutual_information"],
            measures["marginal_kl"],
            rounding,
            enough=begun and topics == 1,
            remark=None if topics == 1 else single,
        ),
    )
