"""Runs without a window: the same driver as the panels, on the calling thread, to the end."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from engine.core.cancel import CancelToken
from engine.core.catalog import load, preset_parameters
from engine.core.context import Context
from engine.core.device import is_out_of_memory, out_of_memory, prepare_thread, resolve_device
from engine.core.drive import Run
from engine.core.errors import Cancelled
from engine.core.experiment import ENDLESS_LIMIT, Experiment
from engine.core.frames import Frame
from engine.core.messages import Message
from engine.core.parameters import LabParameters
from engine.core.results import Result, check_folder, write_outputs
from engine.data.number_tables import nothing
from engine.data.reading import Reading
from engine.data.readings import readings

__all__ = ["Result", "check_folder", "first_frames", "last_frame", "run", "run_with", "write_outputs"]

Report = Callable[[float, Message], None]


def run(
    name: str,
    preset: str | None = None,
    /,
    *,
    device: str = "auto",
    limit: int | None = None,
    on_frame: Callable[[Frame], None] | None = None,
    **values: Any,
) -> Result:
    """Run an experiment to its end and collect what it says.

    The same seed, device and parameters give the same numbers, on a CPU bit for bit.

    Parameters
    ----------
    name : str
        ``topic.experiment``.
    preset : str, optional
        Where the parameters start from; the defaults otherwise.
    device : str
        ``auto``, ``cpu``, ``cuda`` or ``mps``.
    limit : int, optional
        Stop after so many steps; a run without an end of its own stops after 1000 unless told otherwise.
    on_frame : callable, optional
        Receives every frame.
    **values
        Parameters that differ from the preset. (One with the name of an argument above: use `run_with`.)

    Returns
    -------
    Result
        Also after Ctrl+C, with what was finished.

    Raises
    ------
    UsageError
        If a name, a value, the preset or the device is wrong.
    LabError
        If the run failed for a reason the user can mend.

    Examples
    --------
    >>> run("angles.distribution", dimension=64).measures["mean_angle"]  # doctest: +SKIP
    """
    parameters = preset_parameters(name, preset).changed(**values)
    return run_with(name, parameters, device=device, limit=limit, on_frame=on_frame)


def run_with(
    name: str,
    parameters: LabParameters,
    *,
    device: str = "auto",
    limit: int | None = None,
    on_frame: Callable[[Frame], None] | None = None,
    report: Report | None = None,
    token: CancelToken | None = None,
    on_reading: Callable[[Reading], None] | None = None,
) -> Result:
    """As `run`, for a parameter model.

    Parameters
    ----------
    report : callable, optional
        Receives the progress of long single computations.
    token : CancelToken, optional
        Lets another thread end the run as Ctrl+C would.
    on_reading : callable, optional
        Receives what was read of each file, before the run.
    """
    experiment = load(name)
    place = resolve_device(device)
    columns = tuple(measure.name for measure in experiment.measures)
    history: list[tuple[float, ...]] = []
    last: Frame | None = None
    interrupted = False
    found: dict[str, Reading] = {}
    began = time.perf_counter()
    try:
        found = readings(parameters, token.checkpoint if token else nothing)
        if on_reading:
            for each in found.values():
                on_reading(each)
        for frame in _frames(experiment, parameters, place, limit, report, token):
            history.append((frame.step, *(frame.measures[column] for column in columns)))
            last = frame
            if on_frame:
                on_frame(frame)
    except (KeyboardInterrupt, Cancelled):
        interrupted = True
    seconds = time.perf_counter() - began
    told = {parameter: each.to_dict() for parameter, each in found.items()}
    return Result(name, parameters, str(place), seconds, columns, history, last, interrupted, told)


def last_frame(
    name: str, parameters: LabParameters, *, device: str = "auto", limit: int | None = None, seconds: float = math.inf
) -> Frame:
    """The frame at the end of a run, made without those before it: observing changes nothing, and often costs more than a step.

    Parameters
    ----------
    name, parameters, device, limit
        As in `run_with`.
    seconds : float
        After so many the run stops at its next frame, wherever it is.

    Raises
    ------
    UsageError, LabError
        As `run`.
    """
    (frame,) = _frames(load(name), parameters, resolve_device(device), limit, only_last=True, seconds=seconds)
    return frame


@dataclass(frozen=True, slots=True)
class Check:
    """How the first frames of an experiment went on this machine; the error is None where they came."""

    experiment: str
    seconds: float
    error: Exception | None = None


def first_frames(name: str, device: str = "auto", count: int = 3) -> Check:
    """Make a few frames of an experiment with its defaults; whatever goes wrong is caught and told."""
    began = time.perf_counter()
    error: Exception | None = None
    try:
        experiment = load(name)
        place = resolve_device(device)
        for _, _ in zip(range(count), _frames(experiment, experiment.parameters(), place), strict=False):
            pass
    except Exception as caught:  # a check reports every failure and goes on to the next experiment
        error = caught
    return Check(name, time.perf_counter() - began, error)


def _frames(
    experiment: Experiment,
    parameters: LabParameters,
    device: torch.device,
    limit: int | None = None,
    report: Report | None = None,
    token: CancelToken | None = None,
    only_last: bool = False,
    seconds: float = math.inf,
) -> Iterator[Frame]:
    """The frames a window would show, up to the limit; running out of memory becomes an error a user can act on."""
    try:
        with _prepared(device):
            context = Context(device, parameters.seed, token, *([report] if report else []))
            run = Run(experiment, parameters, context)
            end = run.total if limit is None else limit
            end = ENDLESS_LIMIT if end is None else end
            deadline = time.monotonic() + seconds
            if not only_last:
                yield run.observe()
            while not run.finished and run.step < end and time.monotonic() < deadline:
                run.advance(min(run.stride(), end - run.step))
                if not only_last:
                    yield run.observe()
            if only_last:
                yield run.observe()
    except Exception as error:
        if is_out_of_memory(error):
            raise out_of_memory(device, experiment) from None
        raise


@contextmanager
def _prepared(device: torch.device) -> Iterator[None]:
    """A worker's settings on this thread, and its own again afterwards.

    As many threads as beside a window: sums over another number of threads differ in their last bits, and a run must give
    the same numbers with and without a window.
    """
    threads, gradients = torch.get_num_threads(), torch.is_grad_enabled()
    stream = torch.cuda.current_stream(device) if device.type == "cuda" else None
    try:
        prepare_thread(device)
        yield
    finally:
        torch.set_num_threads(threads)
        torch.set_grad_enabled(gradients)
        if stream is not None:
            torch.cuda.set_stream(stream)
