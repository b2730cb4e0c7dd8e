"""A judge of generated samples: a classifier that never saw the generator, and how diverse and how new the samples are.

Least squares with a Gaussian kernel: the score of class c at x is Σ_i a_ic exp(-|x - x_i|² / 2h²), with a = (K + λI)⁻¹ Y and
one-hot rows Y. Nothing is trained, and nothing depends on a seed.

References
----------
Saunders, Gammerman & Vovk (1998), Ridge regression learning algorithm in dual variables. Rifkin & Klautau (2004), In defense of
one-vs-all classification.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True, slots=True)
class KernelClassifier:
    """Examples with the coefficients of their kernels.

    Parameters
    ----------
    examples
        Shape (n, d).
    coefficients
        Shape (n, classes), float64.
    width
        h, in units of the examples.
    """

    examples: Tensor
    coefficients: Tensor
    width: float

    @staticmethod
    def fit(examples: Tensor, classes: Tensor, width: float = 1.8, ridge: float = 0.01) -> KernelClassifier:
        """The classifier of examples (n, d) of classes (n,); the width suits images of 64 pixels in [0, 1]."""
        kernel = _kernel(examples, examples, width)
        kernel.diagonal().add_(ridge)
        targets = functional.one_hot(classes).to(kernel)
        return KernelClassifier(examples, torch.linalg.solve(kernel, targets), width)

    def scores(self, samples: Tensor) -> Tensor:
        """Scores of samples (m, d), shape (m, classes): near 1 for a typical member of the class."""
        return _kernel(samples, self.examples, self.width) @ self.coefficients

    def classes(self, samples: Tensor) -> Tensor:
        """Class of the best score of each, shape (m,)."""
        return self.scores(samples).argmax(dim=1)


@dataclass(frozen=True, slots=True)
class SampleQuality:
    """What a judge says of samples made for given classes.

    Parameters
    ----------
    agreement
        Share of samples in which the judge sees the class they were made for.
    by_class
        The same for each class, (classes,); nan without samples of it.
    diversity
        Mean distance of two samples of one class over that of two real examples of it, averaged over classes: 1 is as diverse
        as life, 0 all alike; above 1 means noise.
    novelty
        Mean distance of a sample to the nearest real example over the mean distance of an example to the nearest other one,
        real examples being those learned from: 0 is a copy, 1 as far as the examples are from each other.
    """

    agreement: float
    by_class: Tensor
    diversity: float
    novelty: float


def quality(
    judge: KernelClassifier, samples: Tensor, classes: Tensor, examples: Tensor, example_classes: Tensor
) -> SampleQuality:
    """Judge samples (m, d) made for classes (m,) beside the examples (n, d) they were learned from."""
    right = (judge.classes(samples) == classes).to(torch.float64)
    count = judge.coefficients.shape[1]
    members = torch.bincount(classes, minlength=count)
    by_class = torch.bincount(classes, right, minlength=count) / members  # 0 / 0 is nan
    ratios = [
        mean_distance(samples[classes == each]) / mean_distance(examples[example_classes == each]) for each in range(count)
    ]
    apart = torch.cdist(examples, examples).fill_diagonal_(torch.inf).amin(dim=1).mean()
    nearest = torch.cdist(samples, examples).amin(dim=1).mean()
    return SampleQuality(
        agreement=right.mean().item(),
        by_class=by_class,
        diversity=torch.stack(ratios).nanmean().item(),
        novelty=(nearest / apart).item(),
    )


def mean_distance(points: Tensor) -> Tensor:
    """Mean distance of two different points of (n, d); nan for fewer than two."""
    return torch.pdist(points).mean()


def _kernel(left: Tensor, right: Tensor, width: float) -> Tensor:
    """exp(-|x - y|² / 2h²) in float64, shape (m, n)."""
    return torch.exp(-torch.cdist(left.double(), right.double()).square() / (2 * width**2))
