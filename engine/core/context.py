"""What the functions of an experiment may ask for while they run."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

import torch

from engine.core.cancel import CancelToken
from engine.core.messages import Message
from engine.core.streams import Streams

Result = TypeVar("Result")

KEPT = 8  # answers of one function: a dragged slider must not fill the memory


def _ignore(fraction: float, message: Message) -> None:
    """Progress that nobody listens to."""


class Context:
    """Device, randomness, cancellation and progress of one run.

    Parameters
    ----------
    device : torch.device
        Where tensors live.
    seed : int
        Root seed of the streams.
    token : CancelToken, optional
        Asked at every checkpoint.
    report : callable, optional
        Receives the progress of a long single computation.
    """

    def __init__(
        self,
        device: torch.device,
        seed: int,
        token: CancelToken | None = None,
        report: Callable[[float, Message], None] = _ignore,
    ) -> None:
        self.device = device
        self.streams = Streams(seed, device)
        self._token = token or CancelToken()
        self._report = report
        self._answers: dict[Callable[..., Any], OrderedDict[tuple[Hashable, ...], Any]] = {}

    def generator(self, name: str) -> torch.Generator:
        """The random stream of this name (``data``, ``init``, ``noise`` ...)."""
        return self.streams.generator(name)

    def once(self, function: Callable[..., Result], *arguments: Hashable) -> Result:
        """What a function says to these arguments, computed once in the life of this run.

        The place for what follows from parameters alone and is dear: it is given back with the run, unlike a cache of the
        module. The newest `KEPT` answers of each function are kept.
        """
        answers = self._answers.setdefault(function, OrderedDict())
        if arguments not in answers:
            answers[arguments] = function(*arguments)
            if len(answers) > KEPT:
                answers.popitem(last=False)
        answers.move_to_end(arguments)
        found: Result = answers[arguments]
        return found

    def checkpoint(self) -> None:
        """A point where the run may be cancelled; call it between chunks of long work."""
        self._token.checkpoint()

    def progress(self, fraction: float, template: str = "", **values: object) -> None:
        """Report how far a long single computation is, and meet a checkpoint."""
        self._token.checkpoint()
        self._report(fraction, Message(template, values))
