"""An experiment: the functions of its algorithm, and what they promise.

A run owns its state. A step may return a new state or overwrite the old one, but never what a frame shares; frames are copies
(`engine.core.frames.freeze`), so arrays that stay inside the state are free.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from engine.core.claims import ClaimSpec
from engine.core.frames import Observation
from engine.core.messages import Message
from engine.core.parameters import LabParameters


class Init(Protocol):
    """Builds the first state of a run."""

    def __call__(self, parameters: Any, context: Any, /) -> Any: ...


class Step(Protocol):
    """One step of the algorithm: the next state from the last one, which may be overwritten."""

    def __call__(self, state: Any, parameters: Any, context: Any, /) -> Any: ...


class Adapt(Protocol):
    """The state under other live parameters; called once for each change, before the next step or observation.

    Where an experiment has none, `step` and `observe` see the new parameters with the state as it is.
    """

    def __call__(self, state: Any, parameters: Any, context: Any, /) -> Any: ...


class Observe(Protocol):
    """The only transfer from device to host: what a frame shows. Must be repeatable: it draws no random numbers."""

    def __call__(self, state: Any, parameters: Any, context: Any, /) -> Observation: ...


ENDLESS_LIMIT = 1000  # steps after which a run without an end of its own stops where nobody watches it


@dataclass(frozen=True, slots=True)
class Measure:
    """A named scalar of every frame; one that is `optional` is not a number where there is none."""

    name: str
    label: str
    unit: str = ""
    optional: bool = False


def with_theory(
    name: str, label: str, unit: str = "", *, by: str = "theory", optional: bool = False, known: bool = True
) -> tuple[Measure, Measure]:
    """A measure and what theory says of it: ``x`` and ``theory_x``.

    Parameters
    ----------
    name, label, unit
        Those of the measure.
    by
        Words behind the label of the second one, in brackets: whose number it is.
    optional
        Whether both may be no number.
    known
        False where theory alone may be silent.
    """
    return Measure(name, label, unit, optional), Measure(f"theory_{name}", f"{label} ({by})", unit, optional or not known)


def never(state: Any, parameters: Any, context: Any) -> Message | None:
    """A run that is over when its steps are."""
    return None


def endless(parameters: Any, context: Any) -> int | None:
    """The length of a run that goes on until somebody stops it."""
    return None


def one_step(parameters: Any, step: int) -> int:
    """A frame after every step."""
    return 1


@dataclass(frozen=True, slots=True)
class Experiment:
    """Everything the house needs to know about an experiment.

    Parameters
    ----------
    parameters
        The parameter model.
    init, step, observe
        The algorithm.
    adapt
        What a change of live parameters asks of the state.
    measures, claims
        What every observation carries, in this order.
    total
        Number of steps of a run, from parameters and context; None for an endless run.
    settled
        Asked after each step: a sentence once no later step would change anything. The run ends there instead of taking the
        steps that are left; a live change lets it go on.
    stride
        Steps until the next frame, from parameters and step number: deterministic, so that window and headless runs see
        the same frames.
    pacing
        ``paced``: the next frame is computed when the last one was taken. ``latest``: the computation does not wait for the
        screen.
    rate
        Frames a second at speed 1, for steps that a person follows one by one; None: as fast as they come.
    history
        Whether past frames are kept to scrub through.
    memory
        The parameters to lower when memory runs out.
    """

    parameters: type[LabParameters]
    init: Init
    step: Step
    observe: Observe
    measures: tuple[Measure, ...]
    claims: tuple[ClaimSpec, ...] = ()
    adapt: Adapt | None = None
    total: Callable[[Any, Any], int | None] = endless
    settled: Callable[[Any, Any, Any], Message | None] = never
    stride: Callable[[Any, int], int] = one_step
    pacing: Literal["paced", "latest"] = "paced"
    rate: float | None = None
    history: bool = False
    memory: tuple[str, ...] = ()
