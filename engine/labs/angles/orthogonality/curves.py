"""The curves, ranges and histograms of the picture of `orthogonality`."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from engine.math.numerics.histograms import FineHistogram, rebin_to
from engine.math.random.matrix_laws import IndependentLaw, MatrixLaw
from engine.math.random.spectra import inner_product_density, ratio_density

CURVE_POINTS = 301
ENTRY_REACH = 4.5  # deviations on either side of the picture of one entry
RATIO_REACH = 4.5
NONE = np.empty(0)


def entry_deviation(law: MatrixLaw) -> float:
    """Deviation √m v of an entry off the diagonal if the matrix had independent entries: the unit of the picture."""
    return math.sqrt(law.rows) * law.variance


def ratio_deviation(law: MatrixLaw) -> float:
    """Deviation g √(2/m) of ‖Wx‖²/‖x‖² for normal entries: the unit of the picture."""
    return law.gain * math.sqrt(2.0 / law.rows)


def ratio_window(law: MatrixLaw) -> tuple[float, float]:
    """The ratios to show."""
    reach = RATIO_REACH * ratio_deviation(law)
    return max(0.0, law.gain - reach), law.gain + reach


def singular_window(law: MatrixLaw) -> tuple[float, float]:
    """The singular values to show: from 0, or, where they hardly spread, around them."""
    width = law.largest - law.smallest
    if isinstance(law, IndependentLaw) and law.smallest > 0.75 * law.largest:
        return law.smallest - 0.5 * width, law.largest + 0.5 * width
    return 0.0, (1.15 if width else 1.52) * law.largest


def histogram_density(histogram: FineHistogram, window: tuple[float, float], bins: int) -> tuple[np.ndarray, np.ndarray]:
    """Heights and edges over a window; the area is the share of the values that lies within it."""
    counts, edges = rebin_to(histogram.counts(), histogram.edges, np.linspace(*window, bins + 1))
    return counts / np.diff(edges) / max(1.0, float(histogram.sums[0])), edges


def quadrature_histogram(looks: Sequence[tuple[np.ndarray, np.ndarray]], edges: np.ndarray) -> np.ndarray:
    """Share of the spectrum in each bin, shape (bins,), as a mean over Gauss quadratures.

    Half of a node's weight lies on either side of it, and between nodes it is spread evenly: their spacing says nothing.
    """
    shares = []
    for nodes, weights in looks:
        middle = np.concatenate(([0.0], np.cumsum(weights) - 0.5 * weights, [1.0]))
        places = np.concatenate(([nodes[0]], nodes, [nodes[-1]]))
        shares.append(np.diff(np.interp(edges, places, middle, left=0.0, right=1.0)))
    found: np.ndarray = np.mean(shares, axis=0)
    return found


def weighted_distance(values: np.ndarray, weights: np.ndarray, law: MatrixLaw) -> float:
    """Kolmogorov-Smirnov distance of weighted singular values to their law; relative spread where all should be equal."""
    if not isinstance(law, IndependentLaw):
        return float(np.abs(values / law.largest - 1.0).max())
    order = np.argsort(values, kind="stable")
    cumulative = np.concatenate(([0.0], np.cumsum(weights[order])))
    exact = law.singular_cdf(values[order])
    return float(max(np.max(cumulative[1:] - exact), np.max(exact - cumulative[:-1]), 0.0))


def exact_curves(law: MatrixLaw) -> dict[str, np.ndarray]:
    """The laws of an entry, of the singular values and of the ratio; empty where all values are one."""
    reach = ENTRY_REACH * entry_deviation(law)
    entries = np.linspace(-reach, reach, CURVE_POINTS)
    ratios = np.linspace(*ratio_window(law), CURVE_POINTS)
    singulars = np.linspace(law.smallest, law.largest, CURVE_POINTS)
    ratio_known = law.ratio_variance > 1e-12 * law.gain**2
    return {
        "entry_grid": entries,
        "entry_law": entry_density(law, entries),
        "singular_grid": singulars,
        "singular_law": law.singular_density(singulars) if isinstance(law, IndependentLaw) else NONE,
        "ratio_grid": ratios,
        "ratio_law": ratio_density(ratios, law.gain, law.ratio_variance) if ratio_known else NONE,
    }


def entry_density(law: MatrixLaw, entries: np.ndarray) -> np.ndarray:
    """Exact for normal entries; else the normal law with the exact variance; empty where all entries are 0."""
    variance = law.off_diagonal_variance
    if variance == 0.0:
        return NONE
    if isinstance(law, IndependentLaw) and law.kurtosis == 3.0:
        return inner_product_density(entries, law.rows, law.variance)
    return np.exp(-0.5 * entries**2 / variance) / math.sqrt(2.0 * math.pi * variance)
