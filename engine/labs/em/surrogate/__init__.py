"""EM as a climb on surrogates: a bound that touches the log-likelihood, and the jump to its peak."""

from engine.labs.em.surrogate.experiment import EXPERIMENT
from engine.labs.em.surrogate.parameters import Parameters
from engine.labs.em.surrogate.picture import Picture

__all__ = ["EXPERIMENT", "Parameters", "Picture"]
