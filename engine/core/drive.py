"""The one driver: window, `run` and `render` all advance a run through this class."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from engine.core.context import Context
from engine.core.experiment import Experiment
from engine.core.frames import Frame, make_frame
from engine.core.messages import Message
from engine.core.parameters import LabParameters, changed_specs, strongest_effect


class Run:
    """One run of an experiment: a state, a step number and the parameters now in force.

    Parameters
    ----------
    experiment : Experiment
    parameters : LabParameters
        `tweak` replaces them while the run goes on; the next step or observation sees the new ones.
    context : Context
    """

    def __init__(self, experiment: Experiment, parameters: LabParameters, context: Context) -> None:
        self.experiment = experiment
        self._parameters = parameters
        self.context = context
        self.total = experiment.total(parameters, context)
        self.step = 0
        self.settled = Message("")
        self._state: Any = experiment.init(parameters, context)

    @property
    def parameters(self) -> LabParameters:
        """The parameters now in force."""
        return self._parameters

    @property
    def finished(self) -> bool:
        """Whether the run has come to its end: to its last step, or to where no later one would change anything."""
        return bool(self.settled) or (self.total is not None and self.step >= self.total)

    def advance(self, steps: int) -> None:
        """Take up to so many steps, fewer at the end; a checkpoint stands before each."""
        for _ in range(steps):
            if self.finished:
                return
            self.context.checkpoint()
            self._state = self.experiment.step(self._state, self.parameters, self.context)
            self.step += 1
            self.settled = self.experiment.settled(self._state, self.parameters, self.context) or Message("")

    def tweak(self, parameters: LabParameters) -> None:
        """Go on with other values of live and view parameters.

        Raises
        ------
        ValueError
            If a parameter differs that asks for a new run: this state was not made for it.
        """
        foreign = [spec.name for spec in changed_specs(self.parameters, parameters) if spec.ui.effect == "restart"]
        if foreign:
            raise ValueError(f"a run cannot take over {', '.join(foreign)}")
        live = strongest_effect(self.parameters, parameters) == "live"
        self._parameters = parameters
        if live:
            self.settled = Message("")
        if live and self.experiment.adapt is not None:
            self._state = self.experiment.adapt(self._state, parameters, self.context)

    def stride(self) -> int:
        """Steps until the next frame."""
        return max(1, self.experiment.stride(self.parameters, self.step))

    def observe(self) -> Frame:
        """The present state as a frame."""
        observation = self.experiment.observe(self._state, self.parameters, self.context)
        return make_frame(self.step, self.total, self.parameters, observation, self.settled)

    def frames(self) -> Iterator[Frame]:
        """All frames to the end, the first one before any step."""
        yield self.observe()
        while not self.finished:
            self.advance(self.stride())
            yield self.observe()
