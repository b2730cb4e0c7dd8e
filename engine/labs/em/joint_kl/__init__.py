"""EM as alternating descent on one divergence: joint KL = marginal KL + gap, in a world small enough to see every cell."""

from engine.labs.em.joint_kl.experiment import EXPERIMENT
from engine.labs.em.joint_kl.parameters import Parameters
from engine.labs.em.joint_kl.picture import Picture

__all__ = ["EXPERIMENT", "Parameters", "Picture"]
