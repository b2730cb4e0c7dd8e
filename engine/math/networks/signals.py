"""What one layer of a wide random network does to lengths, angles and gradients: the maps of `mean_field` put together.

A layer is ``z = W x + b``, ``y = f(z)``, with a way around it and with a normalisation where one wants them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from engine.math.networks.activations import Activation
from engine.math.networks.mean_field import moments, pair_moment

Normalisation = Literal["none", "batch", "layer", "rms"]
Placement = Literal["inner", "pre", "post"]


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of a tower.

    Parameters
    ----------
    activation
        f.
    weight_variance
        Number of inputs times the variance of a weight: the factor of second moments, forward.
    back_variance
        Number of outputs times the variance of a weight: the factor of squared gradients, backward.
    bias_variance
        σ_b².
    alpha
        None for ``y = f(z)``; else a residual layer ``y = x + α f(z)``.
    normalisation
        ``rms`` divides by the root mean square over the units, ``layer`` also subtracts their mean, ``batch`` subtracts mean
        and divides by deviation of each unit over the examples.
    placement
        What is normalised: z before the activation (``inner``), the input x of the branch (``pre``), or the sum y (``post``).
        ``batch`` is followed as ``inner`` only.
    projection
        None where the residual sum takes x itself; else the layer takes P x, and this is its number of outputs over inputs.
        The entries of P are independent with variance 1/inputs, which keeps second moments.
    """

    activation: Activation
    weight_variance: float
    back_variance: float
    bias_variance: float = 0.0
    alpha: float | None = None
    normalisation: Normalisation = "none"
    placement: Placement = "inner"
    projection: float | None = None

    def normalises(self, placement: Placement) -> bool:
        """Whether the layer normalises at this place."""
        return self.normalisation != "none" and self.placement == placement


@dataclass(frozen=True, slots=True)
class Signal:
    """Averages over the units of a layer that determine those of the next.

    Parameters
    ----------
    moment
        Second moment p of a coordinate.
    overlap
        Mean product of the coordinates of two marked inputs.
    batch_overlap
        The same for two inputs of the batch at large; followed only under batch normalisation, which makes them independent.
    mean
        Mean of a coordinate over the units.
    """

    moment: float
    overlap: float
    batch_overlap: float = 0.0
    mean: float = 0.0

    @property
    def correlation(self) -> float:
        """Cosine of the angle between the two marked inputs."""
        return self.overlap / self.moment if self.moment > 0 else 1.0

    def scaled(self, factor: float) -> Signal:
        """The same signal with every second moment multiplied."""
        return Signal(self.moment * factor, self.overlap * factor, self.batch_overlap * factor, self.mean * math.sqrt(factor))

    def centred(self) -> Signal:
        """The same signal without its mean over the units."""
        square = self.mean**2
        return Signal(self.moment - square, self.overlap - square, self.batch_overlap, 0.0)

    def normalised(self, normalisation: Normalisation) -> tuple[Signal, float]:
        """The signal of second moment 1, and what its second moments were divided by; not a number where that is 0."""
        if normalisation == "none":
            return self, 1.0
        kept = self.centred() if normalisation == "layer" else self
        return kept.scaled(1 / kept.moment) if kept.moment > 0 else Signal(math.nan, math.nan), kept.moment


@dataclass(frozen=True, slots=True)
class Passage:
    """What one layer did.

    Parameters
    ----------
    after
        The signal behind it.
    length
        Variance of what enters the activation.
    correlation
        Correlation of what enters it for the two marked inputs.
    backward
        Second moment per coordinate of the gradient in front of the layer over that behind it.
    branch
        The share of `backward` that comes through the activation, and not around it.
    divisor
        By how much the branch divides second moments on their way from x to z.
    rescaling
        By how much the layer divides second moments of the sum y; 1 without normalisation there.
    """

    after: Signal
    length: float
    correlation: float
    backward: float
    branch: float
    divisor: float
    rescaling: float


UNKNOWN = Passage(Signal(math.nan, math.nan), *(math.nan,) * 6)


def propagate(signal: Signal, layer: Layer, nodes: int = 8) -> Passage:
    """One layer of the theory, for two inputs of the same second moment.

    Exact in the limit of infinite width without normalisation, with ``layer`` and ``rms`` (the statistics over infinitely
    many units do not fluctuate) and on the residual branch (the weights of a layer are independent of what enters it). For
    ``batch`` it also takes infinitely many examples; with few the normalised values are not Gaussian.

    References
    ----------
    Xiong, Yang, He et al. (2020), On layer normalization in the transformer architecture.
    """
    entering, divisor = signal.normalised(layer.normalisation if layer.normalises("pre") else "none")
    inputs = entering.moment, entering.overlap, entering.batch_overlap
    length, overlap, shared = (layer.weight_variance * each + layer.bias_variance for each in inputs)
    if layer.normalises("inner"):  # over the units z has no mean; over the examples its mean is what they share
        length, overlap = (length - shared, overlap - shared) if layer.normalisation == "batch" else (length, overlap)
        divisor = length
        length, overlap = (1.0, overlap / length) if length > 0 else (math.nan, math.nan)
    if not 0 <= length < math.inf:
        return UNKNOWN
    known = moments(layer.activation, length)
    correlation = min(1.0, max(-1.0, overlap / length)) if length else 1.0
    joint = pair_moment(layer.activation, (length, length), correlation, nodes) if length else known.second
    after = Signal(known.second, joint, known.mean**2 if layer.normalisation == "batch" else 0.0, known.mean)
    backward, around = layer.back_variance * known.slope / divisor, 0.0
    if layer.alpha is not None:
        backward, around = layer.alpha**2 * backward, layer.projection or 1.0
        after = _sum(signal, after, layer.alpha, mixes=layer.projection is not None)
    after, rescaling = after.normalised(layer.normalisation if layer.normalises("post") else "none")
    whole = backward + around
    if rescaling <= 0:
        return UNKNOWN
    return Passage(after, length, correlation, whole / rescaling, backward / whole if whole else 1.0, divisor, rescaling)


def _sum(around: Signal, branch: Signal, alpha: float, mixes: bool) -> Signal:
    """The signal x + α y; a random projection of x has no mean over the units."""
    mean = 0.0 if mixes else around.mean
    cross = 2 * alpha * mean * branch.mean
    return Signal(
        moment=around.moment + cross + alpha * alpha * branch.moment,
        overlap=around.overlap + cross + alpha * alpha * branch.overlap,
        batch_overlap=around.batch_overlap + cross + alpha * alpha * branch.batch_overlap,
        mean=mean + alpha * branch.mean,
    )
