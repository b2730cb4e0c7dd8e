"""What a runner tells its listener, besides frames. Every event carries the generation of the request it belongs to."""

from __future__ import annotations

from dataclasses import dataclass

from engine.core.frames import Frame
from engine.core.messages import Message

NOTHING = Message("")


@dataclass(frozen=True, slots=True)
class Started:
    """The run of this request has begun on this device."""

    generation: int
    device: Message


@dataclass(frozen=True, slots=True)
class FrameReady:
    """A picture."""

    generation: int
    frame: Frame


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a long single computation is, from 0 to 1."""

    generation: int
    fraction: float
    message: Message


@dataclass(frozen=True, slots=True)
class Returned:
    """A run that was wanted from a later step on has come there, or as far as it got in the time there is."""

    generation: int
    step: int
    wanted: int


@dataclass(frozen=True, slots=True)
class Finished:
    """The run has come to its end; live tweaks still observe its last state.

    ``settled`` says why, where that is before its last step: a live tweak may let it go on, and it finishes once more.
    """

    generation: int
    settled: Message = NOTHING


@dataclass(frozen=True, slots=True)
class Failed:
    """The run has ended with an error; the runner goes on. ``traceback`` is empty where the user can mend it."""

    generation: int
    message: Message
    hint: Message
    traceback: str = ""


Event = Started | Progress | Returned | Finished | Failed
