"""Draws topics as lists of words, one text in their colours, documents as mixtures, the sorted table, and the perplexity."""

from gui.panels.em.topics.panel import ExperimentPanel

__all__ = ["ExperimentPanel"]
