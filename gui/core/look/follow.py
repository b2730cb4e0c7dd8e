"""Widgets that follow theme and language: at once where they are seen, else when they are shown again.

A change then costs what is on the screen, however many experiments are open behind it.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, SignalInstance, Slot
from PySide6.QtWidgets import QWidget


class Follower(QObject):
    """Calls a method after each change; a widget that is hidden in a shown window waits until it is shown.

    Parameters
    ----------
    changed : SignalInstance
        What to follow: the signal of the themes or of the translator.
    target : QObject
        What is brought up to date; it owns the follower.
    update : callable
        A method of the target (or of the follower); held weakly.
    """

    def __init__(self, changed: SignalInstance, target: QObject, update: Callable[[], object]) -> None:
        super().__init__(target)
        self._update = weakref.WeakMethod(update)  # the target owns the follower: no circle for the collector
        self._waiting = False
        changed.connect(self._on_changed)

    @Slot()
    def _on_changed(self) -> None:
        target = self.parent()
        if self._waiting:
            return
        if isinstance(target, QWidget) and not target.isVisible() and target.window().isVisible():
            self._waiting = True
            target.installEventFilter(self)
        else:
            self._run()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Show and self._waiting:
            self._waiting = False
            watched.removeEventFilter(self)
            self._run()
        return False

    def _run(self) -> None:
        update = self._update()
        if update is not None:
            update()


def follow(changed: SignalInstance, target: QWidget, update: Callable[[], object]) -> None:
    """Call a method of a widget after each change: at once if it is seen, else when it is shown."""
    Follower(changed, target, update)
