"""The same experiments on an accelerator, where there is one."""

from __future__ import annotations

import math

import pytest
import torch

from engine.api import entries, run

pytestmark = pytest.mark.gpu

STEPS = 300  # enough for claims to be judged, and for a minute at most on any device

DEVICES = [name for name, there in (("cuda", torch.cuda.is_available()), ("mps", torch.backends.mps.is_available())) if there]


@pytest.mark.skipif(not DEVICES, reason="no CUDA or MPS device")
@pytest.mark.parametrize("name", [entry.name for entry in entries()])
def test_an_accelerator_comes_to_the_same_numbers(name: str) -> None:
    here, there = run(name, device="cpu", limit=STEPS), run(name, device=DEVICES[0], limit=STEPS)
    assert there.device == DEVICES[0]
    assert there.measures.keys() == here.measures.keys()
    for key, value in there.measures.items():
        assert math.isfinite(value) == math.isfinite(here.measures[key]), key
    for claim, other in zip(there.claims, here.claims, strict=True):
        assert claim.expected == pytest.approx(other.expected, rel=1e-4, abs=1e-9), claim.name
        if claim.holds is not None and other.holds is not None and claim.tolerance > 0:
            assert abs(claim.measured - other.measured) <= 2 * claim.tolerance, claim.name
