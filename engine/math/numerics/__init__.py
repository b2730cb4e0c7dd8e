"""Numerics: quadrature, histograms, statistics of samples, push-forwards, power iteration, divergences."""
