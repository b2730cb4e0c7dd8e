"""The way m -> n -> m through two rectangular layers, exactly and measured."""

from __future__ import annotations

import math

import numpy as np
import torch

from engine.core.context import Context
from engine.labs.angles.propagation.parameters import Parameters
from engine.math.networks.fan_rules import RULES, bow_tie, fan_variance
from engine.math.numerics.statistics import tolerance

UNITS = 1024


def tie_widths(parameters: Parameters) -> tuple[int, int]:
    """m and n of the bow tie: those of the tower, or a quarter where it has no bottleneck."""
    ratio = parameters.waist if parameters.waist != 1 else 0.25
    return parameters.width, max(1, round(parameters.width * ratio))


def measured_round_trip(parameters: Parameters, context: Context) -> tuple[float, ...]:
    """The round trip m -> n -> m of a real pair of linear layers, averaged over all inputs; the same noise for all rules."""
    small_m, small_n = small_widths(parameters)
    generator = context.generator("bow tie")
    there = torch.randn((small_m, small_n), generator=generator, device=context.device)
    back = torch.randn((small_n, small_m), generator=generator, device=context.device)
    ratio = float((there @ back).square().sum()) / small_m  # device sync
    return tuple(ratio * fan_variance(rule, small_m, small_n) * fan_variance(rule, small_n, small_m) for rule in RULES[:-1])


def tie_table(parameters: Parameters) -> np.ndarray:
    """Exact factors, a row for each rule: forward and backward there, forward and backward back, both round trips."""
    rows = [bow_tie(rule, *tie_widths(parameters)) for rule in RULES[:-1]]
    names = ("forward", "backward", "forward_return", "backward_return", "round_trip", "round_trip_backward")
    return np.array([[getattr(row, name) for name in names] for row in rows])


def small_widths(parameters: Parameters) -> tuple[int, int]:
    """The widths of the measured pair: those of the bow tie, in proportion where they are large."""
    m, n = tie_widths(parameters)
    shrink = max(1.0, max(m, n) / UNITS)
    return max(1, round(m / shrink)), max(1, round(n / shrink))


def round_trip_tolerance(parameters: Parameters) -> float:
    """How far the measured round trip may stray from the exact one.

    For independent standard normal A and B the squared norm of A B has the relative variance 2 (2m + n + 1) / (m² n).
    """
    m, n = small_widths(parameters)
    return tolerance(math.sqrt(2 * (2 * m + n + 1) / (m * m * n)))
