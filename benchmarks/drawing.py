"""What single pieces of the window cost, on this thread and off screen: a form, a globe, the items of a plot, first pictures.

Each is repeated, and the best and the median are told: the best is the work itself, the median what other work adds to it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks._rows import row
from engine.api import entries, entry, load, run_with


def rows(quick: bool) -> list[dict[str, Any]]:
    """Forms and items, then the first picture of every experiment."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from gui.core.output.offscreen import application

    application()
    times = 5 if quick else 20
    return [*_forms(times), *_globes(times), *_items(times), *_first_pictures(2 if quick else 5)]


def _timed(work: Callable[[], object], times: int) -> tuple[float, float]:
    """Best and median in milliseconds, after one that does not count."""
    work()
    found = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        found.append(1000 * (time.perf_counter() - began))
    return float(f"{min(found):.3g}"), float(f"{np.median(found):.3g}")


def _pair(name: str, work: Callable[[], object], times: int, target: str | None) -> list[dict[str, Any]]:
    best, median = _timed(work, times)
    return [row(f"{name}, best", best, "ms", target), row(f"{name}, median", median, "ms")]


def _forms(times: int) -> list[dict[str, Any]]:
    from gui.core.form import Form

    name = "angles.distribution"
    return _pair(
        "form of angles.distribution", lambda: Form(load(name).parameters, entry(name)).deleteLater(), times, "<= 60 ms"
    )


def _globes(times: int) -> list[dict[str, Any]]:
    from PySide6.QtCore import QCoreApplication

    from gui.core.plots.globe.globe import Globe, equal_area_angles

    random = np.random.default_rng(0)
    points = random.standard_normal((5000, 3))
    globe = Globe()
    globe.resize(400, 300)
    globe.set_points(points / np.linalg.norm(points, axis=1, keepdims=True))
    globe.set_bands(equal_area_angles(6))
    globe.set_equator_band(10)
    globe.show()
    QCoreApplication.processEvents()  # nothing is painted before it is on the screen
    angles = iter(np.linspace(0, 3, 1000))

    def turn() -> None:
        globe.set_view(next(angles), 0.3)
        globe.repaint()

    found = _pair("globe with 5,000 points, turned", turn, times, "<= 60 ms")
    globe.deleteLater()
    return found


def _items(times: int) -> list[dict[str, Any]]:
    from PySide6.QtCore import QCoreApplication

    from gui.core.plots import Curve, Histogram, PlotCard, Points

    random = np.random.default_rng(0)
    edges, many = np.linspace(0, 1, 501), np.linspace(0, 1, 100_000)
    feeds: tuple[tuple[str, Callable[[Any], None], Callable[[PlotCard], Any], str], ...] = (
        (
            "histogram of 500 bins",
            lambda item: item.setData(random.random(500), edges),
            lambda card: card.add(Histogram()),
            "<= 30 ms",
        ),
        (
            "10,000 points",
            lambda item: item.setData(random.random(10_000), random.random(10_000)),
            lambda card: card.add(Points()),
            "<= 100 ms",
        ),
        (
            "curve of 100,000 points",
            lambda item: item.setData(many, random.random(many.size)),
            lambda card: card.add(Curve("data")),
            "<= 100 ms",
        ),
    )
    found = []
    for name, feed, make, target in feeds:
        card = PlotCard("title")
        card.resize(800, 600)
        item = make(card)
        card.show()
        QCoreApplication.processEvents()

        def draw(card: PlotCard = card, item: Any = item, feed: Callable[[Any], None] = feed) -> None:
            feed(item)
            card.view.viewport().repaint()

        found += _pair(f"{name}, 800 x 600", draw, times, target)
        card.deleteLater()
    return found


def _first_pictures(times: int) -> list[dict[str, Any]]:
    """From parameters to the first frame of the engine, everything imported, another seed each time."""
    found = []
    for each in entries():
        seeds = iter(range(1, 100))
        model = load(each.name).parameters

        def first(name: str = each.name, model: Any = model, seeds: Any = seeds) -> None:
            run_with(name, model(seed=next(seeds)), device="cpu", limit=0)

        _, median = _timed(first, times)
        found.append(row(f"first frame of {each.name}, median", median, "ms", "<= 500 ms"))
    return found
