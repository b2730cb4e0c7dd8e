"""The peer of `langevin_sampling`: blackjax's own kernels on the mixture, compiled, in a process without torch.

Usage: ``python _blackjax_probe.py '{"centres": ..., "variance": ..., ...}'``. Each line ``<sampler> <way>`` of the input is
answered by a line ``[seconds, mean of |x|²]``; chains go on from line to line. blackjax moves by h ∇log π + √(2h) ξ, so that
its step size is half of ours.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import blackjax
import jax
import jax.numpy as jnp

CHUNK = 1 << 14  # fastest of 2¹² to 2¹⁷


def main(given: dict[str, Any]) -> None:
    """Answer the lines of the standard input."""
    chains: dict[str, Callable[[], tuple[float, float]]] = {}
    for line in sys.stdin:
        sampler, way = line.split()
        if line not in chains:
            chains[line] = _chain(given, sampler, CHUNK if way == "chunks" else given["count"])
        print(json.dumps(chains[line]()), flush=True)


def _chain(given: dict[str, Any], sampler: str, size: int) -> Callable[[], tuple[float, float]]:
    """Compiled steps of all particles in groups of this size, and where they stand."""
    centres, variance, h = jnp.asarray(given["centres"]), given["variance"], 0.5 * given["step_size"]
    groups = given["count"] // size

    def log_density(x: jax.Array) -> jax.Array:  # of one particle (2,), or of (2, N) at once
        return jax.nn.logsumexp(centres @ x / variance, axis=0) - 0.5 * (x * x).sum(0) / variance

    def slope(x: jax.Array, _: Any) -> jax.Array:
        return jax.grad(lambda points: log_density(points).sum())(x)

    unadjusted = blackjax.sgld(slope)  # takes all particles of a group as one position, which spares a key for each
    adjusted = blackjax.mala(log_density, h)

    def step(key: jax.Array, state: Any) -> Any:
        if sampler == "ula":
            return unadjusted.step(key, state, None, h)
        return jax.vmap(adjusted.step)(jax.random.split(key, size), state)[0]

    def steps(key: jax.Array, state: Any) -> Any:
        for each in jax.random.split(key, given["steps"]):
            state = step(each, state)
        return state

    @jax.jit  # type: ignore[untyped-decorator]
    def run(key: jax.Array, states: Any) -> Any:
        """A group makes all its steps before the next one begins; a single group needs no loop."""
        if groups == 1:
            return steps(key, states)
        return jax.lax.map(lambda pair: steps(*pair), (jax.random.split(key, groups), states))

    key = jax.random.key(1)
    shape = (groups, 2, size) if sampler == "ula" else (groups, size, 2)
    state = given["spread"] * jax.random.normal(key, shape)
    if groups == 1:
        state = state[0]
    if sampler == "mala":
        initial = jax.vmap(adjusted.init)
        state = jax.block_until_ready((initial if groups == 1 else jax.vmap(initial))(state))
    compiled = run.lower(key, state).compile()

    def work() -> tuple[float, float]:
        nonlocal key, state
        key, fresh = jax.random.split(key)
        began = time.perf_counter()
        state = jax.block_until_ready(compiled(fresh, state))
        seconds = time.perf_counter() - began
        points = state if sampler == "ula" else state.position
        axis = -2 if sampler == "ula" else -1
        return seconds, float((points * points).sum(axis).mean())

    return work


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
