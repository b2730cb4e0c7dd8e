"""Where the work is done, and what happens when it does not fit."""

from __future__ import annotations

import ctypes
import os
import platform
import sys
from dataclasses import dataclass

import torch

from engine.core.choices import DEVICES
from engine.core.errors import LabError, UsageError, unknown_name
from engine.core.experiment import Experiment
from engine.core.messages import Message
from engine.core.parameters import spec_of


def resolve_device(name: str) -> torch.device:
    """The torch device behind a name; ``auto`` takes a GPU where there is one.

    Raises
    ------
    UsageError
        If the name is unknown or this machine has no such device.
    """
    available = available_devices()
    if name == "auto":
        return torch.device(available[-1])
    if name not in DEVICES:
        raise unknown_name("There is no device {name}.", "The devices are {names}.", name, DEVICES)
    if name not in available:
        raise UsageError(
            "The device {name} is not available on this machine.",
            "Available: {names}.",
            name=name,
            names=", ".join(available),
        )
    return torch.device(name)


def available_devices() -> list[str]:
    """The devices of this machine, the fastest last."""
    devices = ["cpu"]
    if torch.backends.mps.is_available():
        devices.append("mps")
    if torch.cuda.is_available():
        devices.append("cuda")
    return devices


def device_label(device: torch.device) -> Message:
    """A short name for people: ``cpu · 2 cores`` or ``cuda:0 · NVIDIA H200``."""
    if device.type == "cuda":
        index = device.index or 0
        return Message("cuda:{index} · {name}", {"index": index, "name": torch.cuda.get_device_name(index)})
    if device.type == "mps":
        return Message("mps · {name}", {"name": platform.machine()})
    return Message("cpu · {count} cores", {"count": os.cpu_count()})


def prepare_process() -> None:
    """Settings for the thread of the window: it never computes, and new threads inherit a modest number of helpers."""
    torch.set_num_threads(1)


def give_back_memory() -> None:
    """Return to the system what the allocators keep of runs that have ended."""
    if torch.cuda.is_available() and torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.empty_cache()
    if torch.backends.mps.is_available():
        torch.mps.empty_cache()
    if sys.platform.startswith("linux"):
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # of the GNU library alone
        if trim is not None:
            trim(0)


def prepare_thread(device: torch.device) -> None:
    """Settings that torch keeps per thread: call it first thing in every worker.

    Beside a busy window the worker leaves one core free; more OpenMP threads than free cores cost 10 to 40 times now and then.
    """
    torch.set_num_threads(max(1, (os.cpu_count() or 2) - 1))
    torch.set_grad_enabled(True)
    if device.type == "cuda":
        torch.cuda.set_device(device)
        torch.cuda.set_stream(torch.cuda.Stream(device))  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True)
class Budget:
    """How much of something is sensible at once on each kind of device, for example points in a chunk."""

    cpu: int
    cuda: int
    mps: int

    def on(self, device: torch.device) -> int:
        """The share of this device; that of the CPU for a kind that is not known."""
        return {"cuda": self.cuda, "mps": self.mps}.get(device.type, self.cpu)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception means that memory ran out, on any device."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and (
        "out of memory" in text or "not enough memory" in text or "can't allocate memory" in text
    )


def out_of_memory(device: torch.device, experiment: Experiment | None) -> LabError:
    """The error a user can act on; what the failed run held is given back."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
    lower = {name: spec_of(experiment.parameters, name).called for name in experiment.memory} if experiment else {}
    names = Message(", ".join(f"{{{name}}}" for name in lower), lower)
    hint = "Lower {names} and try again." if names else "Choose smaller parameters and try again."
    return LabError("There is not enough memory on {device} for these parameters.", hint, device=device.type, names=names)
