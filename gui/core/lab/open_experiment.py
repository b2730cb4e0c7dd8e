"""The one object per open experiment that knows runner, form and panel."""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal, Slot
from PySide6.QtWidgets import QWidget

from engine.api import (
    SEED_LIMIT,
    Effect,
    Entry,
    ExperimentState,
    Failed,
    Finished,
    Frame,
    LabParameters,
    Message,
    Progress,
    Returned,
    Runner,
    Started,
    UsageError,
    give_back_memory,
    load,
    salvage,
    strongest_effect,
)
from gui.core.form import Form
from gui.core.lab.claims_view import ClaimsView
from gui.core.lab.history import FrameHistory
from gui.core.lab.notices import NoticeStrip
from gui.core.lab.panel import load_panel
from gui.core.lab.pump import Pump
from gui.core.lab.sweep import Sweep
from gui.core.lab.throttle import Throttle
from gui.core.lab.transport import TransportBar
from gui.core.lab.undo import ParameterHistory
from gui.core.notes import NotesView

log = logging.getLogger(__name__)

REST_AFTER = 30_000  # ms unseen, after which an experiment gives back what its run holds
FREED = 2_000  # ms in which a run that was told to stop has let go of its arrays
RESTART_INTERVAL = 33  # ms: a dragged slider asks for at most thirty runs a second


class OpenExperiment(QObject):
    """An open experiment: the life of a tweak from the form to the picture.

    Connections, all made here: form -> `_on_form_edited` (by effect: redraw, tweak or throttled new run); form gestures ->
    undo; transport -> runner; pump -> `_on_frame` and `_on_event`; panel gestures -> `edit`; sweep -> `apply`.

    Signals
    -------
    parameters_changed
        The parameters, or play and pause, have changed: something to save.
    frame_shown : (Frame)
        A frame is on the screen.
    """

    parameters_changed = Signal()
    frame_shown = Signal(object)

    def __init__(self, entry: Entry, state: ExperimentState, device: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.entry = entry
        self.experiment = load(entry.name)
        self.device_label = Message("")
        self.playing = state.playing
        self.frame: Frame | None = None
        self._generation_seen = 0
        self._resumed = state.step
        self.finished = False
        self._scrubbing = self._draw_failed = self._failed = self._settled = self._tweaked = self._resting = False

        self.form = Form(self.experiment.parameters, entry, parent)
        self.panel = load_panel(entry.name)(entry.name, parent)
        self.transport = TransportBar(parent)
        self.claims = ClaimsView(entry.name, parent)
        self.notes = NotesView(parent)
        self.notices = NoticeStrip(parent, entry.name)
        self.history = FrameHistory()
        self.undo = ParameterHistory(self.experiment.parameters, entry.name, self.apply, self)
        self.sweep = Sweep(self)
        self.parameters = self._restored(state)
        self.form.set_parameters(self.parameters)
        self.panel.restore_splitters(state.view.get("splitters"))

        self.runner = Runner(partial(load, entry.name), device, f"runner {entry.name}")
        self.pump = Pump(self.runner.mailbox, self)
        self._throttle = Throttle(RESTART_INTERVAL, self)
        self._view_update = QTimer(self, interval=100, singleShot=True)
        self._unseen = QTimer(self, interval=REST_AFTER, singleShot=True)
        self._freed = QTimer(self, interval=FREED, singleShot=True)
        self._connect()
        self.transport.set_playing(self.playing)
        if not self.playing:
            self.runner.pause()
        self.submit(state.step)
        if state.tweaked and state.step:
            self._say_computed_anew()

    def _connect(self) -> None:
        self.form.changed.connect(self._on_form_edited)
        self.form.gesture_finished.connect(self.undo.push)
        self.form.sweep_requested.connect(self.toggle_sweep)
        self.sweep.changed.connect(self.form.set_sweeping)
        self.sweep.moved.connect(self._on_sweep_moved)
        self.sweep.ended.connect(self._on_sweep_ended)
        self.panel.tweak_requested.connect(self._on_panel_tweak)
        self.panel.draw_failed.connect(self._on_draw_failed)
        self.transport.play_toggled.connect(self.set_playing)
        self.transport.step_requested.connect(self.step)
        self.transport.restart_requested.connect(self.restart)
        self.transport.new_seed_requested.connect(self.new_seed)
        self.transport.speed_changed.connect(self.runner.set_speed)
        self.transport.scrub_requested.connect(self.scrub)
        self.transport.live_requested.connect(self.leave_scrub)
        self.pump.frame_arrived.connect(self._on_frame)
        self.pump.event_arrived.connect(self._on_event)
        self._throttle.triggered.connect(self.submit)
        self._view_update.timeout.connect(self._show_numbers)
        self._unseen.timeout.connect(self.rest)
        self._freed.timeout.connect(_give_back_memory)

    # ---- parameters ----------------------------------------------------------------------------------------------

    def edit(self, **values: Any) -> None:
        """Change parameters as a hand on the form would, as one gesture."""
        self._edit(values, self.undo.push)

    def _edit(self, values: dict[str, Any], remember: Callable[[LabParameters, LabParameters], None]) -> None:
        try:
            new = self.parameters.changed(**values)
        except UsageError as error:
            self.notices.show_warning(error.message)
            return
        old = self.parameters
        self.apply(new)
        remember(old, new)

    @Slot(object)
    def apply(self, parameters: LabParameters) -> None:
        """Take over parameters (undo, presets, a file) and do what their change asks for."""
        effect = strongest_effect(self.parameters, parameters)
        self.form.set_parameters(parameters)
        self._take_over(parameters, effect)

    @Slot(object, object)
    def _on_form_edited(self, parameters: LabParameters, effect: Effect | None) -> None:
        moving = self.sweep.parameter
        if moving is not None and getattr(parameters, moving) != getattr(self.parameters, moving):
            self.sweep.stop()  # the hand wins
        self._take_over(parameters, effect)

    def _take_over(self, parameters: LabParameters, effect: Effect | None) -> None:
        self.parameters = parameters
        if effect == "restart" or (effect == "live" and self._failed):  # a failed run has no next step to see it
            self._throttle.request()
        elif effect == "live":
            self._scrubbing = False
            self._go_on()
            self.pump.hurry()
            if self.runner.tweak(parameters):
                self._tweaked = self._tweaked or self._newest_step() > 0
            else:  # a restart waits that hands the same parameters over, or the run has failed and says so in a moment
                self._throttle.request()
        elif effect == "view" and self.frame is not None:
            self._show(self.frame)
        self.parameters_changed.emit()

    @Slot(dict)
    def _on_panel_tweak(self, values: dict[str, Any]) -> None:
        self._edit(values, self.undo.push_moving)

    @Slot()
    def submit(self, step: int = 0) -> None:
        """Start a run with the present parameters, from a later step if wanted; the old picture stays until a new one comes."""
        self._scrubbing = False
        self._failed = self._tweaked = False
        self._resumed = step  # until it is there again
        self.finished = False
        self.transport.set_busy(True)
        self.pump.hurry()
        self.runner.submit(self.parameters, step)

    def _go_on(self) -> None:
        """A settled run has something to do again."""
        if self.finished and self._settled:
            self.finished = False
            self.transport.set_playing(self.playing)

    # ---- transport -----------------------------------------------------------------------------------------------

    @Slot(bool)
    def set_playing(self, playing: bool) -> None:
        """Play or pause; a run that has ended plays again from its start."""
        if playing and self.ended:
            self.submit()
        self.playing = playing
        self._scrubbing = False
        if playing:
            self.runner.play()
        else:
            self.runner.pause()
        self.transport.set_playing(playing)
        self.parameters_changed.emit()

    @Slot()
    def toggle_playing(self) -> None:
        """The space bar."""
        self.set_playing(not self.playing or self.ended)

    @property
    def ended(self) -> bool:
        """Whether the run has come to its end, or to an error."""
        return self.finished or self._failed

    @Slot()
    def step(self) -> None:
        """One step; pauses first."""
        if self.playing:
            self.set_playing(False)
        self.leave_scrub()
        self.runner.advance(1)

    @Slot()
    def restart(self) -> None:
        """The same run again, number by number; its files may have changed."""
        self.form.readings.look(self.parameters, again=True)
        self.submit()
        self.set_playing(True)

    @Slot()
    def new_seed(self) -> None:
        """Another run of the same experiment."""
        self.edit(seed=secrets.randbelow(min(SEED_LIMIT, 10**6)))

    @Slot(int)
    def scrub(self, index: int) -> None:
        """Show a kept frame; the run pauses."""
        if not 0 <= index < len(self.history):
            return
        if self.playing:
            self.set_playing(False)
        self._scrubbing = True
        self._show(self.history[index])
        self.transport.set_history(len(self.history), index)

    @Slot()
    def leave_scrub(self) -> None:
        """Back to the newest frame."""
        if self._scrubbing and len(self.history):
            self._scrubbing = False
            self._show(self.history[len(self.history) - 1])
            self.transport.set_history(len(self.history), len(self.history) - 1)

    @Slot(str)
    def toggle_sweep(self, name: str) -> None:
        """Let a parameter travel through its range, through the same path as a dragging hand; again to stop."""
        self.sweep.toggle(self.form.spec(name), self.parameters)

    @Slot(object)
    def _on_sweep_ended(self, before: LabParameters) -> None:
        self.undo.push(before, self.parameters)  # the whole journey is one gesture

    @Slot(str, object)
    def _on_sweep_moved(self, name: str, value: Any) -> None:
        try:
            new = self.parameters.changed(**{name: value})
        except UsageError:
            self.sweep.stop()
            return
        self.apply(new)

    # ---- what comes back -----------------------------------------------------------------------------------------

    @Slot(object, int)
    def _on_frame(self, frame: Frame, generation: int) -> None:
        if generation != self._generation_seen:
            self._generation_seen = generation
            self._draw_failed = False
            self.history.clear()
            self.notices.clear_error()
            if frame.total is None or frame.step < frame.total:
                self.transport.set_playing(self.playing)
        if generation == self.runner.generation:
            self.transport.set_busy(False)
            if not frame.settled:  # a tweak that came before the news of the end
                self._go_on()
        if not self._scrubbing:
            self._show(frame)
            self.transport.set_progress(frame.step, frame.total)
        if self.experiment.history:
            self.history.append(frame)
            self.transport.set_history(len(self.history), len(self.history) - 1 if not self._scrubbing else None)

    def _show(self, frame: Frame) -> None:
        self.frame = frame
        if not self._draw_failed:
            try:
                self.panel.show_frame(frame, self.parameters)
            except Exception as error:
                self._on_draw_failed(error)
        if not self._view_update.isActive():
            self._view_update.start()
        self.frame_shown.emit(frame)

    @Slot()
    def _show_numbers(self) -> None:
        """Numbers are for reading: ten times a second is enough."""
        if self.frame is not None:
            self.claims.set_claims(self.frame.claims)
            self.notes.set_values({**self.frame.measures, **parameter_values(self.frame.parameters)})

    @Slot(object)
    def _on_draw_failed(self, error: Exception) -> None:
        """A panel that cannot draw says so once and leaves the rest of the program alone."""
        self._draw_failed = True
        log.error("panel %s cannot draw", self.entry.name, exc_info=error)
        self.notices.show_internal(error)

    @Slot(object)
    def _on_event(self, event: object) -> None:
        match event:
            case Started(device=device):
                self.device_label = device
            case Progress(generation=generation, fraction=fraction) if generation == self.runner.generation:
                self.transport.set_progress(round(fraction * 100), 100)
            case Returned(generation=generation, step=step, wanted=wanted) if generation == self.runner.generation:
                self._resumed = 0
                if step < wanted:
                    template = "The run stood at step {wanted}. Computing it again takes long: it goes on from step {step}."
                    self.notices.show_info(Message(template, {"step": step, "wanted": wanted}))
            case Finished(generation=generation, settled=settled) if generation == self.runner.generation:
                self.finished, self._settled = True, bool(settled)
                self.transport.set_finished()
                if settled:
                    self.notices.show_info(settled)
            case Failed(generation=generation, message=message, hint=hint, traceback=trace):
                if generation == self.runner.generation:
                    self._failed = True
                    self.transport.set_finished()
                    self.notices.show_error(message, hint, trace)

    # ---- life ----------------------------------------------------------------------------------------------------

    def set_active(self, active: bool) -> None:
        """A hidden experiment draws nothing and computes nothing."""
        self.runner.suspend(not active)
        if active:
            self._unseen.stop()
            if self._resting:
                self._wake()
            self.pump.start()
        else:
            self.sweep.stop()
            self.pump.stop()
            self._unseen.start()

    @Slot()
    def rest(self) -> None:
        """Give back what an unseen run holds: its state, and the past to scrub through. The last picture stays."""
        self._resumed = self._newest_step()
        self._resting = not self.ended  # a run that has ended is computed again only when something is asked of it
        self.runner.stop()
        self.history.clear()
        self.transport.set_history(0, None)
        self._freed.start()

    def _wake(self) -> None:
        """Bring the run back to its step."""
        self._resting, tweaked = False, self._tweaked
        self.submit(self._resumed)
        if tweaked and self._resumed:
            self._say_computed_anew()

    def _say_computed_anew(self) -> None:
        self.notices.show_info(
            Message("Parameters were changed on the way of this run. It is computed anew with the present ones.")
        )

    def state(self) -> ExperimentState:
        """What a session file keeps of this experiment."""
        return ExperimentState(
            parameters=self.parameters.saved(),
            playing=self.playing,
            step=self._newest_step(),
            tweaked=self._tweaked,
            view={"splitters": self.panel.splitter_state()},
        )

    def _newest_step(self) -> int:
        """Where the run is, not what is being looked at."""
        if self.frame is None or self._generation_seen != self.runner.generation:  # nothing of the newest run yet
            return self._resumed
        newest = self.history[len(self.history) - 1] if len(self.history) else self.frame
        return max(self._resumed, newest.step)

    def close(self) -> None:
        """Cancel everything; the caller joins the runner."""
        self.sweep.stop()
        self._unseen.stop()
        self.pump.stop()
        self.runner.close()

    def _restored(self, state: ExperimentState) -> LabParameters:
        """Parameters of a session file; names those that are not allowed."""
        parameters, refused = salvage(self.experiment.parameters, state.parameters)
        if refused:
            names = {"names": ", ".join(refused)}
            self.notices.show_warning(Message("Values that are not allowed were replaced by defaults: {names}.", names))
        return parameters


def _give_back_memory() -> None:
    threading.Thread(target=give_back_memory, name="memory", daemon=True).start()


def parameter_values(parameters: LabParameters) -> dict[str, Any]:
    """Parameters under the names that notes use for them."""
    return {f"parameters.{name}": value for name, value in parameters.model_dump().items()}
