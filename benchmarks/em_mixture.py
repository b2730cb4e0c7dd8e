"""Iterations of EM per second on a million points, against scikit-learn in the same process.

Both sides start from the same mixture of eight components with full covariances and take as many full iterations; both use one
thread (scikit-learn through threadpoolctl, which comes with it) and double precision. scikit-learn is timed by the difference
of a long and a short fit, so that its checks and preparations count on neither side. Rounds alternate, and medians are
compared. A second row holds the means of both after the iterations against each other.
"""

from __future__ import annotations

import importlib.util
import time
import warnings
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks._rows import row
from engine.math.latent.gaussian_mixtures import iterate
from engine.math.latent.laws import Mixture

POINTS, COMPONENTS = 1_000_000, 8
SHORT, LONG = 1, 3  # iterations of scikit-learn's two fits
ROUNDS = 5


def rows(quick: bool) -> list[dict[str, Any]]:
    """In two and in eight dimensions; without scikit-learn there is no peer."""
    threads = torch.get_num_threads()
    gradients = torch.is_grad_enabled()
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    count = POINTS >> (3 if quick else 0)
    rounds = 3 if quick else ROUNDS
    try:
        found = []
        for dimension in (2, 8):
            points, start = problem(count, dimension)
            name = f"EM, {count:,d} points, {COMPONENTS} components, full, d = {dimension}: one iteration"
            if importlib.util.find_spec("sklearn") is None:
                ours = float(np.median([_ours(points, start, LONG) for _ in range(rounds)])) / LONG
                found.append(row(name, round(1 / ours, 2), "iterations/s", None))
                continue
            ours, theirs, apart = compared(points, start, rounds)
            found.append(
                row(
                    name,
                    round(1 / ours, 2),
                    "iterations/s",
                    "ratio >= 3",
                    peer="scikit-learn",
                    peer_value=round(1 / theirs, 2),
                )
            )
            label = f"EM against scikit-learn after {LONG} iterations, d = {dimension}: largest difference of means"
            found.append(row(label, apart, "", "<= 1e-8"))
    finally:
        torch.set_num_threads(threads)
        torch.set_grad_enabled(gradients)
    return found


def problem(count: int, dimension: int) -> tuple[Tensor, Mixture]:
    """Overlapping groups, and a start beside their means."""
    generator = torch.Generator().manual_seed(1)
    double = torch.float64
    means = 3 * torch.randn((COMPONENTS, dimension), generator=generator, dtype=double)
    labels = torch.randint(COMPONENTS, (count,), generator=generator)
    points = (means[labels] + torch.randn((count, dimension), generator=generator, dtype=double)).mT.contiguous()
    covariances = 2 * torch.eye(dimension, dtype=double).expand(COMPONENTS, -1, -1).contiguous()
    return points, Mixture(torch.full((COMPONENTS,), 1 / COMPONENTS, dtype=double), means + 0.3, covariances)


def compared(points: Tensor, start: Mixture, rounds: int) -> tuple[float, float, float]:
    """Median seconds of an iteration on both sides, and how far their means end apart."""
    from threadpoolctl import threadpool_limits

    plain = np.ascontiguousarray(points.mT.numpy())
    ours: list[float] = []
    theirs: list[float] = []
    with threadpool_limits(limits=1):
        for number in range(-1, rounds):
            mine = _ours(points, start, LONG) / LONG
            short, _ = _theirs(plain, start, SHORT)
            long, peer = _theirs(plain, start, LONG)
            if number >= 0:  # the first warms up
                ours.append(mine)
                theirs.append((long - short) / (LONG - SHORT))
    mixture = start
    for _ in range(LONG):
        mixture, _ = iterate(points, mixture, "full", 1e-6)
    return float(np.median(ours)), float(np.median(theirs)), float(np.abs(mixture.means.numpy() - peer).max())


def _ours(points: Tensor, start: Mixture, iterations: int) -> float:
    began = time.perf_counter()
    mixture = start
    for _ in range(iterations):
        mixture, _ = iterate(points, mixture, "full", 1e-6)
    return time.perf_counter() - began


def _theirs(points: np.ndarray, start: Mixture, iterations: int) -> tuple[float, np.ndarray]:
    from sklearn.mixture import GaussianMixture

    model = GaussianMixture(
        COMPONENTS,
        tol=0,
        reg_covar=1e-6,
        max_iter=iterations,
        weights_init=start.weights.numpy(),
        means_init=start.means.numpy(),
        precisions_init=np.linalg.inv(start.covariances.numpy()),
    )
    began = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says that it has not converged
        model.fit(points)
    return time.perf_counter() - began, model.means_
