"""What `orthogonality` measures and claims."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from engine.core.claims import Claim, ClaimSpec, Finding, check_all
from engine.core.experiment import Measure, with_theory
from engine.core.messages import Message
from engine.math.numerics.statistics import tolerance
from engine.math.random.matrix_laws import IndependentLaw, MatrixLaw, OrthogonalLaw

ENOUGH_COLUMNS = 8  # of the smaller side; below, limit theorems say little
ENOUGH_SIGNS = 32  # of the smaller side; a smaller matrix of signs is singular once in a while
RIGIDITY = 6.0  # singular values out of place at most: they repel each other, so that their number hardly matters

MEASURES = (
    *with_theory("mse_identity", "Mean squared entry of WᵀW − I", by="exact law"),
    *with_theory("frobenius_squared", "Squared Frobenius norm of WᵀW − I", by="exact law"),
    *with_theory("operator_error", "Operator norm of WᵀW − I", by="limit"),
    *with_theory("smallest_singular", "Smallest singular value", by="limit"),
    *with_theory("largest_singular", "Largest singular value", by="limit"),
    *with_theory("mean_singular", "Mean singular value", by="limit"),
    Measure("spectrum_distance", "Distance of the singular values to their law"),
    *with_theory("norm_ratio_mean", "Mean of ‖Wx‖²/‖x‖²", by="exact law"),
    *with_theory("rms_ratio_mean", "Mean squared output per unit over that of the input", by="exact law"),
    *with_theory("norm_ratio_var", "Variance of ‖Wx‖²/‖x‖²", by="exact law"),
    *with_theory("rank", "Rank", by="theory"),
    Measure("matrices", "Matrices finished"),
    Measure("inputs", "Inputs measured"),
)

CLAIMS = (
    ClaimSpec(
        "mse_identity",
        "Entry by entry, WᵀW is close to the identity.",
        r"\mathbb{E}\,\mathrm{MSE}=\frac{m\sigma^4(n+\kappa-2)+(m\sigma^2-1)^2}{n}",
    ),
    ClaimSpec(
        "frobenius_squared",
        "Taken together, the errors do not vanish: a square matrix of normal entries has n + 1.",
        r"\mathbb{E}\,\|W^\top W-I\|_F^2=n^2\,\mathrm{MSE}",
    ),
    ClaimSpec(
        "operator_error",
        "For the worst input the error stays large: it tends to 3 for a square matrix.",
        r"\|W^\top W-I\|_2\to\left(1+\sqrt{n/m}\right)^2-1",
    ),
    ClaimSpec("largest_singular", "The largest singular value goes to the upper edge.", r"s_{\max}\to 1+\sqrt{n/m}"),
    ClaimSpec(
        "smallest_singular", "The smallest singular value goes to the lower edge.", r"s_{\min}\to\left|1-\sqrt{n/m}\right|"
    ),
    ClaimSpec(
        "spectrum_distance",
        "The singular values fill a quarter circle, or the law of Marchenko and Pastur.",
        r"\sup_s\left|F_W(s)-F(s)\right|\to 0",
    ),
    ClaimSpec("norm_ratio_mean", "One input keeps its length on average.", r"\mathbb{E}\,\frac{\|Wx\|^2}{\|x\|^2}=m\sigma^2"),
    ClaimSpec(
        "norm_ratio_var",
        "One input keeps its length up to an error that shrinks as rows are added.",
        r"\operatorname{Var}\frac{\|Wx\|^2}{\|x\|^2}\approx\frac2m\,(m\sigma^2)^2",
    ),
    ClaimSpec(
        "rank",
        "The rank is the smaller side: with fewer rows than columns WᵀW cannot be the identity.",
        r"\operatorname{rank}W=\min(m,n)",
    ),
)

ORTHOGONAL = {
    "mse_identity": (
        "WᵀW is the identity exactly where it can be.",
        r"\mathrm{MSE}=\frac{r(\lambda-1)^2+n-r}{n^2},\ r=\min(m,n)",
    ),
    "frobenius_squared": ("What remains is the rank that is missing.", r"\|W^\top W-I\|_F^2=n^2\,\mathrm{MSE}"),
    "operator_error": ("No input is worse than another, unless rank is missing.", r"\|W^\top W-I\|_2"),
    "largest_singular": ("All singular values are equal.", r"s_{\max}=\sigma\sqrt{\max(m,n)}"),
    "smallest_singular": ("All singular values are equal.", r"s_{\min}=\sigma\sqrt{\max(m,n)}"),
    "spectrum_distance": ("The singular values do not spread at all.", r"\max_i\left|s_i/s-1\right|"),
    "norm_ratio_var": ("Every input keeps its length, unless rank is missing.", r"\operatorname{Var}\frac{\|Wx\|^2}{\|x\|^2}"),
}

TOO_SMALL = Message("A side below {least} is too small for a limit law.", {"least": ENOUGH_COLUMNS})
OFTEN_SINGULAR = Message("Two columns of so few signs are sometimes equal; then rank is lost by chance.")
ESTIMATED = Message("Estimated; let the singular values be exact to decide.")


def check_claims(law: MatrixLaw, measures: Mapping[str, float], exact: bool) -> tuple[Claim, ...]:
    """The statements of the source.

    Averages are held against exact expectations with tolerances from the number of matrices and inputs; single matrices of
    few columns have longer tails than the normal limit, which the factor 1 + κ²/r allows for. Edges and counts of the
    spectrum are held against limits, with the distance at which a matrix of this size still is.
    """
    smaller = min(law.rows, law.columns)
    matrices = max(1, int(measures["matrices"]))
    inputs = max(1, int(measures["inputs"] / matrices))
    kurtosis = law.kurtosis if isinstance(law, IndependentLaw) else 0.0
    allowance = tolerance(1.0) * (1.0 + kurtosis**2 / smaller) / matrices**0.5
    deviation = law.frobenius_deviation if isinstance(law, IndependentLaw) else 1e-9 * law.columns
    margins = {
        "mse_identity": allowance * deviation / law.columns**2,
        "frobenius_squared": allowance * deviation,
        "operator_error": law.operator_spread,
        "largest_singular": law.largest_spread,
        "smallest_singular": law.smallest_spread,
        "spectrum_distance": (RIGIDITY + abs(kurtosis - 3.0)) / smaller if isinstance(law, IndependentLaw) else 1e-5,
        "norm_ratio_mean": allowance * law.ratio_mean_deviation(inputs),
        "norm_ratio_var": allowance * law.ratio_variance_deviation(inputs),
        "rank": 0.5,
    }
    large = smaller >= ENOUGH_COLUMNS or isinstance(law, OrthogonalLaw)
    spectral = ("operator_error", "largest_singular", "smallest_singular", "spectrum_distance", "rank")
    specs = CLAIMS if isinstance(law, IndependentLaw) else orthogonal_claims()
    findings = {}
    for spec in specs:
        remark = None if large else TOO_SMALL
        if not exact and spec.name in spectral:
            remark = ESTIMATED
        elif spec.name == "rank" and kurtosis == 1.0 and smaller < ENOUGH_SIGNS:
            remark = OFTEN_SINGULAR
        expected = measures.get(f"theory_{spec.name}", 0.0)
        findings[spec.name] = Finding(expected, measures[spec.name], margins[spec.name], remark is None, remark)
    return check_all(specs, findings)


def orthogonal_claims() -> tuple[ClaimSpec, ...]:
    """The same claims as they read for an exactly orthogonal matrix."""
    return tuple(
        replace(spec, statement=ORTHOGONAL[spec.name][0], formula=ORTHOGONAL[spec.name][1]) if spec.name in ORTHOGONAL else spec
        for spec in CLAIMS
    )
