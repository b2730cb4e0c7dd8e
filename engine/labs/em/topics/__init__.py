"""Topics of texts: EM on a word-document table, one half-step at a time."""

from engine.labs.em.topics.experiment import EXPERIMENT
from engine.labs.em.topics.parameters import Parameters
from engine.labs.em.topics.picture import Picture

__all__ = ["EXPERIMENT", "Parameters", "Picture"]
