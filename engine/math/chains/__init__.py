"""Markov chains: samplers, tempering, the exact laws of linear chains, passage times, statistics of their output."""
