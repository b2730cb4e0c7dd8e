"""What the functions of an experiment may ask for while they run."""

from __future__ import annotations

from collections.abc import Callable

import torch

from engine.core.cancel import CancelToken
from engine.core.messages import Message
from engine.core.streams import Streams


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

    def generator(self, name: str) -> torch.Generator:
        """The random stream of this name (``data``, ``init``, ``noise`` ...)."""
        return self.streams.generator(name)

    def checkpoint(self) -> None:
        """A point where the run may be cancelled; call it between chunks of long work."""
        self._token.checkpoint()

    def progress(self, fraction: float, template: str = "", **values: object) -> None:
        """Report how far a long single computation is, and meet a checkpoint."""
        self._token.checkpoint()
        self._report(fraction, Message(template, values))
