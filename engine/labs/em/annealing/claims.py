"""What `annealing` measures and claims."""

from __future__ import annotations

import math
from collections.abc import Mapping

from engine.core.claims import Claim, ClaimSpec
from engine.core.experiment import Measure

MEASURES = (
    Measure("critical_inverse_temperature", "Critical inverse temperature"),
    Measure("measured_critical", "First split on the way up", optional=True),
    Measure("largest_variance", "Largest variance of the data"),
    Measure("distinct_centres", "Distinct centres"),
    Measure("growth_factor", "Growth factor at the mean"),
    Measure("theory_growth_factor", "Growth factor at the mean, 2Mλ"),
    Measure("group_growth", "Largest growth factor inside a group", optional=True),
    Measure("next_critical", "Next critical value", optional=True),
    Measure("free_energy", "Free energy"),
    Measure("distortion", "Mean squared distance, soft"),
    Measure("hard_distortion", "Mean squared distance to the nearest centre"),
    Measure("entropy", "Entropy of the responsibilities", unit="nat"),
    Measure("kmeans_distortion", "K-means from the coldest centres", optional=True),
    Measure("pitchfork_gap", "Half distance just above the split", optional=True),
    Measure("theory_pitchfork_gap", "Half distance by the pitchfork", optional=True),
    Measure("settled", "Centres at rest (1) or not yet (0)"),
    Measure("hysteresis", "Largest difference between cooling and heating", optional=True),
)

CLAIMS = (
    ClaimSpec(
        "threshold", "The centres leave the mean at one over twice the largest variance.", r"M_c=\frac{1}{2\,\lambda_{max}}"
    ),
    ClaimSpec("growth", "At the mean one iteration stretches a tiny distance by 2Mλ.", r"\delta'=2M\lambda_{max}\,\delta"),
    ClaimSpec(
        "pitchfork",
        "Just above the critical value two centres part like a square root.",
        r"a^2=\frac{3\,(2M\lambda-1)}{8M^3\,m_4}",
    ),
    ClaimSpec(
        "next_split",
        "A group of centres splits where twice M times its own variance reaches one.",
        r"2M\,\lambda_{max}(\mathrm{Cov}_{group})=1",
    ),
    ClaimSpec(
        "stability",
        "Centres that stay together have a growth factor of at most one.",
        r"2M\,\lambda_{max}(\mathrm{Cov}_{group})\le1",
    ),
    ClaimSpec("free_energy", "The free energy is distance minus entropy over M.", r"F=\mathbb{E}\,d^2-\frac{1}{M}H"),
    ClaimSpec(
        "smooth_minimum",
        "The smooth minimum lies below the hard one, by at most ln K / M.",
        r"0\le\min_jd_j^2+\frac{1}{M}\ln\sum_je^{-Md_j^2}\le\frac{\ln K}{M}",
    ),
    ClaimSpec(
        "hard_limit",
        "At low temperature soft k-means is k-means, up to ln K / M.",
        r"M\to\infty:\ \mathbb{E}\,d^2\to\min_j d_j^2",
    ),
)


COARSE = 0.25  # relative, from which on the time of a split is not told
STABLE = 1e-3  # by how much a growth factor may exceed one and two centres at rest still count as one


def check_claims(measures: Mapping[str, float], facts: Mapping[str, float]) -> tuple[Claim, ...]:
    """The statements of the source.

    Parameters
    ----------
    measures : mapping
        What the frame measures.
    facts : mapping
        `growth_rounding`: of the growth factor; `settled`: whether the present centres are at rest; `pushed`: whether there
        are pushes; `dimension`: d; `spacing`: ln of the ratio of neighbouring temperatures; `slack`: by how much a growth
        factor may exceed one and the split still be out of sight after all iterations; `pitchfork_error`: the relative size
        of what the pitchfork leaves out; `split`, `split_theory`, `split_slack`: the latest split after the first, not a
        number before it;
        `components`: K; `temperature`: the present M; `coldest`: the last M of the way up; `energy_sum`: the free energy from
        its two parts; `smooth_excess`: hard less smooth minimum, both means; `rounding`: of a sum of squares.
    """
    threshold, rate, fork, later, stable, energy, smooth, hard = CLAIMS
    several = facts["components"] > 1
    spacing = math.expm1(facts["spacing"])
    grid = spacing + facts["slack"]
    coarse = "Pushes of this size hide when so small a group splits." if facts["split_slack"] >= COARSE else ""
    bound = math.log(facts["components"]) / facts["temperature"]
    cold = max(math.log(facts["components"]), 0.5 * facts["dimension"]) / facts["coldest"]
    scale = facts["rounding"]
    factor = measures["theory_growth_factor"]
    inside = max(1.0, measures["group_growth"]) if math.isfinite(measures["group_growth"]) else math.nan
    half = measures["pitchfork_gap"]
    expected_half = measures["theory_pitchfork_gap"]
    alone = "" if several else "One centre has nothing to part from."
    unpushed = "" if facts["pushed"] else "Without a push equal centres never part."
    unsettled = "" if facts["settled"] else "The centres have not come to rest."
    critical = measures["critical_inverse_temperature"]
    return (
        threshold.check(
            critical, measures["measured_critical"], grid * critical, enough=not unpushed, remark=alone or unpushed
        ),
        rate.check(factor, measures["growth_factor"], 1e-6 * factor * max(1.0, factor) + facts["growth_rounding"]),
        fork.check(expected_half, half, facts["pitchfork_error"] * expected_half),
        later.check(
            facts["split_theory"],
            facts["split"],
            1.5 * (spacing + facts["split_slack"]) * facts["split"],
            enough=not unpushed and not coarse,
            remark=unpushed or coarse,
        ),
        stable.check(1.0, inside, STABLE, enough=not unpushed and not unsettled, remark=unpushed or unsettled),
        energy.check(facts["energy_sum"], measures["free_energy"], scale),
        smooth.check(0.5 * bound, facts["smooth_excess"], 0.5 * bound + scale),
        hard.check(measures["kmeans_distortion"], facts["cold_distortion"], cold + scale, enough=not unpushed, remark=unpushed),
    )
