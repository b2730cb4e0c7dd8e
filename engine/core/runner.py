"""The worker thread of an open panel: the newest request wins, and no thread of ours ever outlives its owner."""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engine.core.cancel import CancelToken
from engine.core.errors import Cancelled, LabError, internal_error
from engine.core.events import Failed, Finished, FrameReady, Progress, Returned, Started
from engine.core.experiment import Experiment
from engine.core.mailbox import Mailbox
from engine.core.messages import Message
from engine.core.parameters import LabParameters, strongest_effect
from engine.core.priority import step_back

if TYPE_CHECKING:
    from engine.core.drive import Run

log = logging.getLogger(__name__)

WINK = 0.02  # seconds between two looks whether a rest has lasted long enough, since its length may change
LONGEST_RETURN = 20.0  # seconds for bringing a run back to its step; an endless one may have gone on for days
SLOWEST_FRAME = 1 / 60  # seconds between frames at speed 1 when slowed down: speed 0.1 shows six a second


@dataclass(frozen=True, slots=True)
class Request:
    """One tweak that asks for a new run."""

    generation: int
    parameters: LabParameters
    token: CancelToken
    step: int = 0  # the run is brought to this step at once


class Runner:
    """Runs one experiment in a thread of its own. All methods may be called from any one other thread and return at once.

    Parameters
    ----------
    load : callable
        Returns the experiment; called in the worker, since it may import torch.
    device : str
        ``auto``, ``cpu``, ``cuda`` or ``mps``.
    name : str
        Name of the thread.
    """

    def __init__(self, load: Callable[[], Experiment], device: str = "auto", name: str = "runner") -> None:
        self.mailbox = Mailbox()
        self.steps_done = 0
        self.jobs_started = 0
        self._load = load
        self._device = device
        self._condition = threading.Condition()
        self._slot: Request | None = None
        self._current: CancelToken | None = None
        self._generation = 0
        self._running: LabParameters | None = None  # of the run under way, tweaks on their way included
        self._live: LabParameters | None = None
        self._playing = True
        self._owed_steps = 0
        self._suspended = False
        self._closing = False
        self._speed = 1.0
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    # ---- the listener's side -------------------------------------------------------------------------------------

    @property
    def generation(self) -> int:
        """The number of the newest request. A frame older than one already shown is stale; the first frame of a request that
        was overtaken is not, it is what one sees while a slider is dragged."""
        return self._generation

    @property
    def alive(self) -> bool:
        """Whether the worker thread runs."""
        return self._thread.is_alive()

    def submit(self, parameters: LabParameters, step: int = 0) -> int:
        """Ask for a new run and forget every older request; returns its generation.

        A run that is wanted from a later `step` on takes the steps before it without waiting for anybody, paused or not, for
        as long as `LONGEST_RETURN`; `Returned` says how far it came.
        """
        with self._condition:
            self._generation += 1
            if self._current is not None:
                self._current.cancel()
            self._slot = Request(self._generation, parameters, CancelToken(), step)
            self._live = None
            self._owed_steps = 0
            self._condition.notify_all()
            return self._generation

    def tweak(self, parameters: LabParameters) -> bool:
        """Give the newest run other parameters; its next step or picture sees them.

        Returns
        -------
        bool
            False where there is no run that could take them over: it has failed, or they differ from its own in more than
            live values. Whoever wants them asks for a new run.
        """
        with self._condition:
            newest = self._slot.parameters if self._slot is not None else self._running
            if newest is None or strongest_effect(newest, parameters) == "restart":
                return False
            if self._slot is not None:
                self._slot = replace(self._slot, parameters=parameters)
            else:
                self._running = self._live = parameters
            self._condition.notify_all()
            return True

    def play(self) -> None:
        """Go on."""
        self._set_playing(True)

    def pause(self) -> None:
        """Stop after the step under way; the last picture stays."""
        self._set_playing(False)

    def advance(self, steps: int = 1) -> None:
        """Take so many single steps while paused."""
        with self._condition:
            self._owed_steps += steps
            self._condition.notify_all()

    def set_speed(self, speed: float) -> None:
        """Above 1: so many times more steps between frames; below 1: slow motion."""
        with self._condition:
            self._speed = speed
            self._condition.notify_all()

    def suspend(self, suspended: bool) -> None:
        """A panel nobody sees computes nothing."""
        with self._condition:
            self._suspended = suspended
            self._condition.notify_all()

    def stop(self) -> None:
        """Cancel everything now; the worker stays and waits for the next request."""
        with self._condition:
            self._generation += 1
            self._slot = None
            if self._current is not None:
                self._current.cancel(now=True)
            self._condition.notify_all()
        self.mailbox.discard_frame()

    def close(self) -> None:
        """Cancel everything and let the thread end; `join` waits for it."""
        with self._condition:
            self._closing = True
        self.stop()

    def join(self, timeout: float) -> bool:
        """Wait for the end of a closed runner; False if it has not come in time."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _set_playing(self, playing: bool) -> None:
        with self._condition:
            self._playing = playing
            self._owed_steps = 0
            self._condition.notify_all()

    # ---- the worker's side ---------------------------------------------------------------------------------------

    def _work(self) -> None:
        step_back()
        while (request := self._next_request()) is not None:
            self._run(request)

    def _next_request(self) -> Request | None:
        with self._condition:
            self._condition.wait_for(lambda: self._slot is not None or self._closing)
            request, self._slot = self._slot, None
            if self._closing or request is None:
                return None
            self._current, self._running = request.token, request.parameters
            self.jobs_started += 1
            return request

    def _run(self, request: Request) -> None:
        experiment: Experiment | None = None
        try:
            experiment = self._load()
            self._drive(experiment, request)
        except Cancelled:
            pass
        except LabError as error:
            self.mailbox.post(Failed(request.generation, error.message, error.hint))
        except Exception as error:
            self.mailbox.post(self._failure(request.generation, experiment, error))
        finally:
            with self._condition:
                self._current = self._running = None

    def _failure(self, generation: int, experiment: Experiment | None, error: Exception) -> Failed:
        from engine.core.device import is_out_of_memory, out_of_memory, resolve_device

        if is_out_of_memory(error):
            traceback.clear_frames(error.__traceback__)  # what the failed run held is given back
            sentence = out_of_memory(resolve_device(self._device), experiment)
            return Failed(generation, sentence.message, sentence.hint)
        log.error("run failed", exc_info=error)
        sentence = internal_error(error)
        return Failed(generation, sentence.message, sentence.hint, "".join(traceback.format_exception(error)))

    def _drive(self, experiment: Experiment, request: Request) -> None:
        from engine.core.context import Context
        from engine.core.device import device_label, prepare_thread, resolve_device
        from engine.core.drive import Run

        device = resolve_device(self._device)
        prepare_thread(device)
        generation, token = request.generation, request.token
        self.mailbox.post(Started(generation, device_label(device)))

        def report(fraction: float, message: Message) -> None:
            self.mailbox.post(Progress(generation, fraction, message))

        run = Run(experiment, request.parameters, Context(device, request.parameters.seed, token, report))
        self._show(run, generation)
        token.first_frame_out()
        self._catch_up(run, request)
        announced = False
        while True:
            token.checkpoint()
            if run.finished and not announced:
                self.mailbox.post(Finished(generation, run.settled))
            announced = run.finished  # a live change may let a settled run go on
            steps = self._next_move(run, token)
            if self._take_live(run):
                self._show(run, generation)
            elif steps:
                self._advance(run, steps, generation, token)

    def _catch_up(self, run: Run, request: Request) -> None:
        """Take the steps before the wanted one; pictures on the way are for who has time to look."""
        if request.step == 0:
            return
        began = time.monotonic()
        while run.step < request.step and not run.finished and time.monotonic() < began + LONGEST_RETURN:
            began += self._wait_to_be_seen(request.token)
            request.token.checkpoint()
            self._take_live(run)
            before = run.step
            run.advance(min(run.stride(), request.step - run.step))
            self.steps_done += run.step - before
            if run.step >= request.step or run.finished or self.mailbox.empty:
                self._show(run, request.generation)
        if run.step < request.step and not run.finished:
            self._show(run, request.generation)
        wanted = run.step if run.finished else request.step
        self.mailbox.post(Returned(request.generation, run.step, wanted))

    def _wait_to_be_seen(self, token: CancelToken) -> float:
        """A panel nobody sees computes nothing; returns the seconds waited."""
        began = time.monotonic()
        with self._condition:
            self._condition.wait_for(lambda: token.cancelled or not self._suspended)
        return time.monotonic() - began

    def _advance(self, run: Run, steps: int, generation: int, token: CancelToken) -> None:
        """Steps, then a picture: at once where there is room for it, else when the pacing says so."""
        began = time.monotonic()
        before = run.step
        run.advance(steps)
        self.steps_done += run.step - before
        if run.experiment.pacing == "latest" and self._playing and not run.finished and not self.mailbox.empty:
            return  # nobody has looked at the last picture yet: go on computing
        while not self.mailbox.wait_empty(0.25):
            token.checkpoint()
        token.checkpoint()
        self._show(run, generation)
        self._rest(began, run.experiment.rate, token)

    def _show(self, run: Run, generation: int) -> None:
        self.mailbox.put(FrameReady(generation, run.observe()))

    def _next_move(self, run: Run, token: CancelToken) -> int:
        """Wait until there is something to do; returns the steps to take now, 0 for none."""
        with self._condition:
            self._condition.wait_for(lambda: token.cancelled or self._live is not None or self._may_step(run))
            if token.cancelled or self._live is not None:
                return 0
            if self._playing:
                faster = 1.0 if run.experiment.rate else max(1.0, self._speed)  # else frames come sooner instead
                return max(1, round(run.stride() * faster))
            self._owed_steps -= 1
            return 1

    def _may_step(self, run: Run) -> bool:
        return not run.finished and not self._suspended and (self._playing or self._owed_steps > 0)

    def _take_live(self, run: Run) -> bool:
        with self._condition:
            live, self._live = self._live, None
        if live is None:
            return False
        run.tweak(live)
        return True

    def _rest(self, began: float, rate: float | None, token: CancelToken) -> None:
        """Slow motion, and steps followed one by one: wait, but not longer than until there is something else to do."""

        def enough() -> bool:
            if token.cancelled or self._live is not None or not self._playing:
                return True
            pause = 1 / (rate * self._speed) if rate else SLOWEST_FRAME / self._speed if self._speed < 1 else 0.0
            return time.monotonic() >= began + pause

        with self._condition:
            while not enough():
                self._condition.wait(WINK)
