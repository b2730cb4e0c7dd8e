"""What `benchmarks.kills` kills: a window in which somebody edits without end, and says so line by line."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from PySide6.QtCore import QTimer

from engine.api import ExperimentState, Session
from gui.app import make_application, open_window
from gui.core.look.theme import theming

NAME = "langevin.bias"
PAUSE = 150  # ms between two edits


def main() -> None:
    """Edit the seed until killed: 1, 2, 3 ..., each told with its moment once it is made."""
    app = make_application([])
    theming.apply(app)
    session = Session(current=NAME, experiments={NAME: ExperimentState()}, language="en", theme="dark")
    window = open_window(session, Path(sys.argv[1]), device="cpu")
    window.show()
    seed = 0

    def edit() -> None:
        nonlocal seed
        if window.view is not None:
            seed += 1
            window.view.session.edit(seed=seed)
            print(seed, time.monotonic(), flush=True)

    hand = QTimer(window, interval=PAUSE)
    hand.timeout.connect(edit)
    hand.start()
    app.exec()


if __name__ == "__main__":
    main()
