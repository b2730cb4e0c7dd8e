"""What the files of a form hold, read in the background and told beside their fields before a run uses them."""

from __future__ import annotations

import queue
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer, Slot

from engine.api import Cancelled, LabError, LabParameters, Message
from gui.core.form.columns import ColumnsEditor
from gui.core.form.field import Field

if TYPE_CHECKING:  # the window is on the screen sooner without what reads tables
    from engine.api import Reading

PAUSE = 250  # ms without a further change, after which a file is read: nobody wants every letter of a path tried
POLL = 40  # ms between two looks for a result


@dataclass(frozen=True, slots=True)
class _Found:
    """A result on its way from the thread that read: a report, the columns there are, or a sentence."""

    name: str
    key: Any
    reading: Reading | None
    problem: Message | None


class ReadingWatch(QObject):
    """Reads the files of a form again whenever their path or their columns change.

    No signal leaves the reading threads: a timer looks for their results. A result that is no longer asked for is dropped.

    Parameters
    ----------
    fields : Mapping of str to Field
        All fields of the form.
    parent : QObject
    """

    def __init__(self, fields: Mapping[str, Field], parent: QObject) -> None:
        super().__init__(parent)
        self._fields = {name: field for name, field in fields.items() if field.spec.ui.reads}
        self._choosers = {field.spec.ui.of: field for field in fields.values() if field.spec.ui.of}
        self._keys: dict[str, Any] = {}
        self._parameters: LabParameters | None = None
        self._results: queue.SimpleQueue[_Found] = queue.SimpleQueue()
        self._waiting: set[str] = set()
        self._running = 0
        self._pause = QTimer(self, interval=PAUSE, singleShot=True)
        self._pause.timeout.connect(self._read)
        self._poll = QTimer(self, interval=POLL)
        self._poll.timeout.connect(self._collect)

    @property
    def busy(self) -> bool:
        """Whether something is still to be read."""
        return bool(self._waiting or self._running)

    def look(self, parameters: LabParameters, *, again: bool = False) -> None:
        """Take notice of parameters; `again`: even if nothing in them has changed, the files may have."""
        self._parameters = parameters
        values = dict(parameters)
        for name, field in self._fields.items():
            chooser = self._choosers.get(name)
            chosen = values[chooser.spec.name] if chooser is not None else ()
            key = (values[name], chosen) if values[name] and field.spec.matters(values) else None
            if key == self._keys.get(name) and not again:
                continue
            self._keys[name] = key
            if key is None:
                field.set_note(())
                self._offer(name, None)
            else:
                self._waiting.add(name)
                self._pause.start()

    @Slot()
    def _read(self) -> None:
        if self._parameters is None:
            return
        for name in self._waiting:
            arguments = (self._parameters, name, self._keys, self._results)
            threading.Thread(target=_read_file, args=arguments, name=f"reading {name}", daemon=True).start()
            self._running += 1
        self._waiting.clear()
        self._poll.start()

    @Slot()
    def _collect(self) -> None:
        while not self._results.empty():
            found = self._results.get()
            self._running -= 1
            if self._keys.get(found.name) == found.key and found.name not in self._waiting:
                self._show(found)
        if not self._running:
            self._poll.stop()

    def _show(self, found: _Found) -> None:
        field = self._fields[found.name]
        if found.problem is not None:
            field.set_note((found.problem,), failed=True)
        elif found.reading is not None:
            field.set_note(found.reading.sentences())
        self._offer(found.name, found.reading)

    def _offer(self, name: str, found: Reading | None) -> None:
        chooser = self._choosers.get(name)
        if chooser is not None and isinstance(chooser.editor, ColumnsEditor):
            chooser.editor.offer(getattr(found, "columns", ()))


# ---- in a thread of its own; it holds no object of Qt, which it would delete if it were the last to let go -------------


def _read_file(parameters: LabParameters, name: str, keys: dict[str, Any], results: queue.SimpleQueue[_Found]) -> None:
    """Read one file; what happens is put into the queue, whatever it is."""
    from engine.api import reading

    key = keys[name]

    def still_wanted() -> None:
        if keys.get(name) != key:
            raise Cancelled

    found, problem = None, None
    try:
        found = reading(parameters, name, still_wanted)
    except LabError as error:
        problem = error.message
        found = _whole(parameters, name)
    except Cancelled:
        pass
    except Exception as error:  # a reader that fails must not end its thread without a word
        problem = Message("{problem}", {"problem": f"{type(error).__name__}: {error}"})
    results.put(_Found(name, key, found, problem))


def _whole(parameters: LabParameters, name: str) -> Reading | None:
    """The reading without a choice of columns, so that others can be chosen."""
    from engine.api import reading

    try:
        return reading(parameters, name, whole=True)
    except Exception:  # the sentence about it is known already
        return None
