"""What the panel of `propagation` draws."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from engine.core.frames import GAPS, unit


@dataclass(frozen=True, slots=True)
class Picture:
    """Index 0 is the input, index l is behind layer l; not a number where nothing is known yet."""

    moment: np.ndarray = field(metadata=GAPS)  # (L + 1,): second moment of a coordinate over the input's
    theory_moment: np.ndarray = field(metadata=GAPS)
    theory_spread: np.ndarray = field(metadata=GAPS)  # (L + 1,): deviation of its logarithm between networks
    gradient: np.ndarray = field(metadata=GAPS)  # (L + 1,): squared gradient over that behind the last layer
    theory_gradient: np.ndarray = field(metadata=GAPS)
    angle: np.ndarray = field(metadata=GAPS | unit("rad"))  # (L + 1,): between the two marked inputs, radians
    theory_angle: np.ndarray = field(metadata=GAPS | unit("rad"))
    turned: np.ndarray = field(metadata=GAPS)  # (L + 1,): angle between a signal and the input it came from, radians
    theory_turned: np.ndarray = field(metadata=GAPS)
    dead: np.ndarray = field(metadata=GAPS)  # (L + 1,): share of dead units
    preactivations: np.ndarray  # (L, bins): shares of pre-activations from -reach to reach
    reach: float
    phase: np.ndarray  # (biases, weights): ln χ₁ of the plain tower
    phase_weights: np.ndarray
    phase_biases: np.ndarray
    edge: np.ndarray  # (k, 2): spreads of bias and weight at the edge of chaos
    losses: np.ndarray = field(metadata=GAPS)  # (updates so far, 3)
    bow_tie: np.ndarray  # (rules, 6): as in the table
    overflow: int  # the first layer with a value that is not finite, 0 for none
    underflow: int  # the first layer at which everything is zero, 0 for none
    done: int  # layers so far, forward
    training: bool
