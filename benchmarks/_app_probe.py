"""What `benchmarks.app` runs in fresh processes: ``python -m benchmarks._app_probe PART SECONDS`` prints one JSON object.

Nothing heavy is imported at module level, so that starting up is measured whole.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from importlib import import_module
from itertools import pairwise
from typing import Any

NAME = "angles.distribution"
TICK = 16  # ms of a timer at 60 Hz
BUSY = {"dimension": 1000, "pairs": 100_000_000, "method": "vectors"}


def main() -> None:
    """One part, as named on the command line."""
    part, amount = sys.argv[1], float(sys.argv[2])
    print(json.dumps(PARTS[part](amount)))


# ---- a window that tells what it does ----------------------------------------------------------------------------------


class Probe:
    """A window, and the moments at which things happened in it."""

    def __init__(self, values: dict[str, Any]) -> None:
        import gui.app
        from engine.api import ExperimentState, Session
        from gui.app import make_application, open_window
        from gui.core.look.theme import theming
        from gui.main_window import MainWindow

        probe = self

        class Timed(MainWindow):
            """Notes how long it paints."""

            def event(self, event: Any) -> bool:
                began, busy = time.perf_counter(), time.thread_time()
                done = super().event(event)
                if event.type() == UPDATE:
                    probe.paints.append((time.perf_counter() - began, time.thread_time() - busy))
                return done

        from PySide6.QtCore import QEvent

        UPDATE = QEvent.Type.UpdateRequest
        self.paints: list[tuple[float, float]] = []  # seconds by the clock, and of the processor
        gui.app.MainWindow = Timed  # type: ignore[attr-defined]
        self.app = make_application([])
        theming.apply(self.app)
        states = {NAME: ExperimentState(parameters=values)} if values else {}
        self.window = open_window(Session(current=NAME, experiments=states, language="en", theme="dark"), device="cpu")
        self.window.resize(1440, 900)
        self.window.show()

    @property
    def session(self) -> Any:
        """The experiment on the screen."""
        assert self.window.view is not None
        return self.window.view.session

    def until(self, condition: Callable[[], object], seconds: float = 60.0) -> None:
        """Let events happen until something is so."""
        from PySide6.QtCore import QEventLoop, QTimer

        if condition():
            return
        loop = QEventLoop()
        timer = QTimer(interval=2)
        timer.timeout.connect(lambda: loop.quit() if condition() else None)
        timer.start()
        QTimer.singleShot(round(seconds * 1000), loop, loop.quit)
        loop.exec()
        if not condition():
            raise TimeoutError("the window did not do what was waited for")

    def wait(self, seconds: float) -> None:
        """Let events happen for a while."""
        end = time.perf_counter() + seconds
        self.until(lambda: time.perf_counter() >= end, seconds + 5)

    def ready(self, steps: int = 20) -> None:
        """Wait until torch is there, the engine works and nothing of the start is left."""
        self.until(lambda: self.window.view is not None and self.session.frame is not None)
        self.until(lambda: self.session.finished or self.session.runner.steps_done > steps)
        self.wait(2.0)

    def close(self) -> float:
        """Close, and how long that took, workers and all."""
        began = time.perf_counter()
        self.window.close()
        return time.perf_counter() - began


# ---- parts -------------------------------------------------------------------------------------------------------------


def start(amount: float) -> dict[str, Any]:
    """From the start of the process to the painted window and the first picture, in seconds."""
    spawned = float(os.environ["THEORIA_SPAWNED"])
    import_module("main")  # the front door, as the user comes in
    probe = Probe({})
    from PySide6.QtCore import QEvent, QObject, QTimer

    moments: dict[str, float] = {}

    def note(name: str) -> None:
        moments.setdefault(name, time.time() - spawned)

    class Watch(QObject):
        """Waits for the first painting."""

        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            if event.type() == QEvent.Type.Paint and "window" not in moments:
                QTimer.singleShot(0, self, lambda: note("window"))
            return False

    watch = Watch()
    probe.window.installEventFilter(watch)
    probe.until(lambda: "window" in moments)
    probe.until(lambda: probe.window.view is not None)
    probe.session.frame_shown.connect(lambda frame: QTimer.singleShot(0, probe.window, lambda: note("picture")))
    probe.until(lambda: "picture" in moments)
    probe.until(lambda: probe.session.finished)
    import psutil

    memory = psutil.Process().memory_info().rss / 2**20
    probe.close()
    return {**moments, "memory": memory, "platform": probe.app.platformName()}


def drag(method: str) -> Callable[[float], dict[str, Any]]:
    """A hand drags the slider of the dimension at 60 Hz: milliseconds from each tick to its painted picture."""

    def part(amount: float) -> dict[str, Any]:
        from PySide6.QtCore import QPoint, Qt, QTimer
        from PySide6.QtTest import QTest

        probe = Probe({"dimension": 1000, "pairs": 1_000_000, "method": method})
        probe.ready(0)
        session = probe.session
        slider = session.form.fields["dimension"].editor.slider
        asked: dict[int, float] = {}
        waits: list[float] = []

        def shown(frame: Any) -> None:
            wanted = asked.pop(frame.parameters.dimension, None)
            if wanted is not None:
                QTimer.singleShot(0, slider, lambda: waits.append(time.perf_counter() - wanted))

        session.frame_shown.connect(shown)
        middle, span = 0.5 * slider.width(), 0.04 * slider.width()  # around n = 1000
        began = time.perf_counter()
        QTest.mousePress(slider, Qt.MouseButton.LeftButton, pos=QPoint(round(middle), 8))
        tick = QTimer(interval=TICK, timerType=Qt.TimerType.PreciseTimer)
        state = {"x": 0}

        def move() -> None:
            state["x"] += 1
            turn = state["x"] % 40
            offset = span * (turn / 10 - 1 if turn < 20 else 3 - turn / 10)
            before = session.parameters.dimension
            moment = time.perf_counter()
            QTest.mouseMove(slider, QPoint(round(middle + offset), 8))
            if session.parameters.dimension != before:
                asked[session.parameters.dimension] = moment

        tick.timeout.connect(move)
        tick.start()
        probe.wait(amount)
        tick.stop()
        seconds = time.perf_counter() - began
        painted = len(waits)
        QTest.mouseRelease(slider, Qt.MouseButton.LeftButton, pos=QPoint(round(middle), 8))
        last = session.parameters.dimension
        probe.until(lambda: session.frame.parameters.dimension == last)
        probe.close()
        return {"waits": waits, "per_second": painted / seconds}

    return part


def beat(amount: float) -> dict[str, Any]:
    """A timer at 60 Hz while the engine works as hard as it can: gaps between ticks, and the work of drawing, in seconds."""
    from PySide6.QtCore import Qt, QTimer

    probe = Probe(BUSY)
    probe.ready()
    session = probe.session
    beats: list[float] = []
    timer = QTimer(interval=TICK, timerType=Qt.TimerType.PreciseTimer)
    timer.timeout.connect(lambda: beats.append(time.perf_counter()))
    show = session.panel.show_frame

    works: list[tuple[float, float]] = []

    def timed(*arguments: Any) -> None:
        """A picture is updated now and painted with the next painting of the window."""
        began, busy = time.perf_counter(), time.thread_time()
        show(*arguments)
        update = (time.perf_counter() - began, time.thread_time() - busy)
        seen = len(probe.paints)

        def painted() -> None:
            if len(probe.paints) > seen:
                paint = probe.paints[seen]
                works.append((update[0] + paint[0], update[1] + paint[1]))

        QTimer.singleShot(0, session.panel, painted)

    session.panel.show_frame = timed
    steps = session.runner.steps_done
    timer.start()
    probe.wait(amount)
    timer.stop()
    steps = session.runner.steps_done - steps
    frames = session.pump.frames_per_second
    probe.close()
    gaps = [later - earlier for earlier, later in pairwise(beats)]
    clock, busy = zip(*works, strict=True)
    return {"gaps": gaps, "clock": clock, "busy": busy, "steps": steps / amount, "fps": frames}


def idle(amount: float) -> dict[str, Any]:
    """The same timer while nothing happens: what the machine itself adds."""
    from PySide6.QtCore import Qt, QTimer

    probe = Probe({"dimension": 20, "pairs": 20_000})
    probe.ready()
    beats: list[float] = []
    timer = QTimer(interval=TICK, timerType=Qt.TimerType.PreciseTimer)
    timer.timeout.connect(lambda: beats.append(time.perf_counter()))
    timer.start()
    probe.wait(amount)
    timer.stop()
    probe.close()
    return {"gaps": [later - earlier for earlier, later in pairwise(beats)]}


def storm(amount: float) -> dict[str, Any]:
    """Two hundred moves of a slider in one second over a job of 300 ms."""
    import dataclasses

    from PySide6.QtTest import QTest

    from engine.api import load

    probe = Probe({"dimension": 1000, "pairs": 2000})
    probe.ready(0)
    session = probe.session
    whole = load(NAME)

    def slow(parameters: Any, context: Any) -> Any:
        end = time.monotonic() + 0.3
        while time.monotonic() < end:
            context.checkpoint()
            time.sleep(0.002)
        return whole.init(parameters, context)

    session.runner._load = lambda: dataclasses.replace(whole, init=slow)
    jobs = session.runner.jobs_started
    shown: set[int] = set()
    session.frame_shown.connect(lambda frame: shown.add(frame.parameters.dimension))
    slider = session.form.fields["dimension"].editor.slider
    began = time.perf_counter()
    for number in range(200):
        slider._go(slider.minimum() + (slider.maximum() - slider.minimum()) * (number + 1) // 201)
        remaining = began + (number + 1) / 200 - time.perf_counter()
        QTest.qWait(max(0, round(remaining * 1000)))
    seconds = time.perf_counter() - began
    last = session.parameters.dimension
    probe.until(lambda: session.frame.parameters.dimension == last)
    waited = time.perf_counter() - began - seconds
    jobs = session.runner.jobs_started - jobs
    probe.close()
    return {"jobs": jobs, "seconds": seconds, "pictures": len(shown), "last": waited}


def cancel(amount: float) -> dict[str, Any]:
    """Seconds from a new request to its start, while a run at full load has to be given up; without a window."""
    from engine.api import Runner, Started, load

    experiment = load(NAME)
    parameters = experiment.parameters(**BUSY)
    runner = Runner(lambda: experiment, "cpu")
    waits = []
    runner.submit(parameters)
    for number in range(round(amount)):
        deadline = time.perf_counter() + 0.15
        while time.perf_counter() < deadline:
            runner.mailbox.take()
            time.sleep(0.001)
        began = time.perf_counter()
        newest = runner.submit(parameters.changed(seed=number + 1))
        while not any(isinstance(event, Started) and event.generation == newest for event in runner.mailbox.take()[0]):
            time.sleep(0.0002)
        waits.append(time.perf_counter() - began)
    runner.close()
    runner.join(5)
    return {"waits": waits}


def live(amount: float) -> dict[str, Any]:
    """Seconds that each of 200 changes of a live value holds up the event loop while the engine is at full load."""
    probe = Probe(BUSY)
    probe.ready()
    waits = []
    for bins in range(20, 220):
        began = time.perf_counter()
        probe.session.edit(bins=bins)
        waits.append(time.perf_counter() - began)
    probe.close()
    return {"waits": waits}


def farewell(amount: float) -> dict[str, Any]:
    """Seconds to close the window while the engine is at full load."""
    probe = Probe(BUSY)
    probe.ready()
    seconds = probe.close()
    import threading

    left = [thread.name for thread in threading.enumerate() if thread.name.startswith(("runner", "autosave", "preloader"))]
    return {"seconds": seconds, "threads": len(left)}


def soak(amount: float) -> dict[str, Any]:
    """So many drawn pictures: memory and references before and after."""
    import gc

    import psutil
    from PySide6.QtCore import QCoreApplication

    from engine.api import run
    from gui.app import make_application
    from gui.core.lab.panel import load_panel
    from gui.core.look.theme import theming

    theming.apply(make_application([]))
    frames: list[Any] = []
    run(NAME, dimension=50, pairs=2_000_000, method="vectors", device="cpu", on_frame=frames.append)
    panel = load_panel(NAME)(NAME)
    panel.resize(480, 360)
    panel.show()

    def draw(count: int) -> None:
        for number in range(count):
            frame = frames[number % len(frames)]
            panel.show_frame(frame, frame.parameters)
            QCoreApplication.processEvents()

    draw(200)
    gc.collect()
    process = psutil.Process()
    before, memory = (sys.getrefcount(None), sys.getrefcount(True)), process.memory_info().rss
    draw(round(amount))
    gc.collect()
    now = (sys.getrefcount(None), sys.getrefcount(True))
    return {
        "memory": (process.memory_info().rss - memory) / 2**20,
        "none": now[0] - before[0],
        "true": now[1] - before[1],
    }


def everything(amount: float) -> dict[str, Any]:
    """All experiments opened and left, a million particles and points in them: what changes of look cost, and memory after."""
    import psutil

    from engine.api import entries

    probe = Probe({"dimension": 20, "pairs": 20_000})
    probe.ready(0)
    window, process = probe.window, psutil.Process()
    memory = {"start": process.memory_info().rss / 2**20}
    first: dict[str, float] = {}
    for item in entries():
        began = time.perf_counter()
        window.open_experiment(item.name)
        probe.until(lambda: probe.session.frame is not None)
        first[item.name] = time.perf_counter() - began
        million = {name: 1_000_000 for name in ("particles", "points") if name in probe.session.form.fields}
        if million and item.name in MILLION:
            probe.session.edit(**million)
        probe.wait(2.0)
    memory["opened"] = process.memory_info().rss / 2**20
    slides = []
    window.commands.toggle_presentation()
    probe.wait(1.0)
    for _ in entries():
        began = time.perf_counter()
        window.commands.next_slide()
        probe.wait(0.0)
        slides.append(time.perf_counter() - began)
        probe.wait(0.5)
    window.commands.leave()
    probe.wait(1.0)
    probe.session.set_playing(False)
    probe.wait(0.5)
    spent = {}
    for name in ("next_theme", "zoom_in", "zoom_out", "toggle_presentation", "leave", "next_language"):
        busy = time.thread_time()
        getattr(window.commands, name)()
        probe.wait(0.3)
        spent[name] = time.thread_time() - busy
    probe.wait(amount)
    memory["idle"] = process.memory_info().rss / 2**20
    probe.close()
    return {"spent": spent, "memory": memory, "first": first, "slides": slides}


MILLION = ("langevin.sampling", "em.mixture")

PARTS: dict[str, Callable[[float], dict[str, Any]]] = {
    "start": start,
    "drag vectors": drag("vectors"),
    "drag exact": drag("exact"),
    "beat": beat,
    "idle": idle,
    "storm": storm,
    "cancel": cancel,
    "live": live,
    "farewell": farewell,
    "soak": soak,
    "everything": everything,
}

if __name__ == "__main__":
    main()
