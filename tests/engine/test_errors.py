"""Sentences about names that nothing bears: the nearest one is offered, and only where one is near."""

from __future__ import annotations

import pytest

from engine.core.errors import most_like, unknown_name

NAMES = ("step_size", "steps", "seed", "langevin.sampling", "angles.distribution")


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("stepsize", "step_size"),
        ("STEPS", "steps"),
        ("sampling", "langevin.sampling"),
        ("samplign", "langevin.sampling"),
        ("angels.distribution", "angles.distribution"),
        ("temperature", ""),
        ("", ""),
    ],
)
def test_the_nearest_name_is_offered(name: str, near: str) -> None:
    assert most_like(name, NAMES) == near
    assert most_like(name, ()) == ""


def test_a_guess_stands_before_the_list() -> None:
    error = unknown_name("There is no {kind} {name}.", "There are {names}.", "sed", NAMES[:3], kind="thing")
    assert str(error) == "There is no thing 'sed'. Did you mean seed? There are step_size, steps, seed."
    error = unknown_name("There is no {kind} {name}.", "There are {names}.", "x", NAMES[:3], kind="thing")
    assert str(error) == "There is no thing 'x'. There are step_size, steps, seed."
