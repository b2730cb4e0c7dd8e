"""A web page with the picture of every experiment, for machines without a screen and for people in a hurry."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from html import escape
from pathlib import Path

from engine.api import (
    ENDLESS_LIMIT,
    Entry,
    Frame,
    LabError,
    Topic,
    entries,
    last_frame,
    preset_parameters,
    topics,
    write_atomic,
)
from gui.core.i18n import translator
from gui.core.look.theme import theming
from gui.core.output import offscreen
from gui.core.output.export import png_bytes

log = logging.getLogger(__name__)

THEMES = ("light", "dark")
SECONDS = 12.0  # of a run: two of the experiments take longer on one core
WAITING = "This picture is being made."
STOPPED = "Stopped after {step:,d} of {end:,d} steps, to have the page soon; the window shows the rest."
REFRESH = '<meta http-equiv="refresh" content="5">'

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
{refresh}<title>Theoria</title>
<style>
 :root {{ --text: #1d2129; --muted: #5f6876; --back: #fbfaf7; --line: #dcd9d1 }}
 @media (prefers-color-scheme: dark) {{ :root {{ --text: #e6e8ec; --muted: #98a1b0; --back: #14171c; --line: #2a2f38 }} }}
 body {{ margin: 0 auto; padding: 3rem 1.5rem; max-width: 76rem; color: var(--text); background: var(--back);
        font: 16px/1.6 system-ui, "Noto Sans", "Noto Sans CJK SC", sans-serif }}
 h1, h2, h3 {{ font-weight: 600; line-height: 1.25 }}
 h2 {{ margin-top: 3.5rem; border-top: 1px solid var(--line); padding-top: 1rem }}
 p, figcaption {{ color: var(--muted); max-width: 46rem }}
 figure {{ margin: 2rem 0 }}
 img {{ width: 100%; height: auto; border: 1px solid var(--line); border-radius: 8px }}
 code {{ color: var(--text); background: color-mix(in srgb, var(--line) 50%, transparent); padding: .1em .35em;
        border-radius: 4px }}
</style>
<h1>Theoria</h1>
<p>Still pictures of every experiment. In the window they move, and every number can be changed: start it with
<code>python main.py</code> in a desktop session. On a machine without one, <code>python main.py -platform vnc</code> waits
for a VNC viewer on port 5900; <code>Xvfb :1 &amp; DISPLAY=:1 python main.py</code> opens it on a screen in memory.</p>
{topics}
</html>
"""

TOPIC = """<section>
<h2>{title} <small lang="zh">{title_zh}</small></h2>
<p>{summary}</p>
{figures}
</section>
"""

FIGURE = """<figure id="{name}">
<h3>{title} <small lang="zh">{title_zh}</small></h3>
{picture}{remark}
<figcaption>{summary} <code>python main.py --experiment {name}</code></figcaption>
</figure>
"""

PICTURE = """<picture>
<source srcset="{name}.dark.png" media="(prefers-color-scheme: dark)">
<img src="{name}.light.png" alt="{title}" loading="lazy">
</picture>"""


@dataclass(frozen=True, slots=True)
class Place:
    """What the page has of one experiment: its pictures, and a sentence below or instead of them."""

    drawn: bool = False
    remark: str = ""


def make_gallery(
    folder: Path, size: tuple[int, int], announce: Callable[[str], None], seconds: float = SECONDS, device: str = "auto"
) -> int:
    """Draw every experiment with its defaults, light and dark, and write ``index.html``; returns how many failed.

    The page is there at once and again after each experiment, so that one can look at it while the rest is drawn. One run
    serves both pictures; the next experiment runs while the last one is drawn.

    Parameters
    ----------
    folder : Path
        Where pictures and page go.
    size : tuple of int
        Width and height of the pictures in pixels.
    announce : callable
        Receives the name of each experiment before it is drawn.
    seconds : float
        A longer run is stopped, and the page says so.
    device : str
        Where to compute.
    """
    offscreen.application()
    translator.set_language("en")
    places = {entry.name: Place(remark=WAITING) for entry in entries()}
    failed = 0
    with ThreadPoolExecutor(1) as pool:
        runs = {entry.name: pool.submit(_run, entry.name, device, seconds) for entry in entries()}
        for entry in entries():
            write_atomic(folder / "index.html", page(places))
            announce(entry.name)
            try:
                places[entry.name] = _draw(entry, runs[entry.name].result(), folder, size)
            except Exception as error:  # one broken experiment does not take the page with it
                failed += 1
                places[entry.name] = Place(remark=_reason(entry.name, error))
    write_atomic(folder / "index.html", page(places))
    return failed


def page(places: Mapping[str, Place]) -> str:
    """The page; while something is still missing it loads itself again every few seconds."""
    sections = []
    for topic in topics():
        figures = [_figure(entry, places[entry.name]) for entry in entries() if entry.topic == topic.name]
        sections.append(TOPIC.format(**_texts(topic), figures="".join(figures)))
    refresh = REFRESH if any(place.remark == WAITING for place in places.values()) else ""
    return PAGE.format(refresh=refresh, topics="".join(sections))


def _figure(entry: Entry, place: Place) -> str:
    texts = _texts(entry)
    picture = PICTURE.format(name=entry.name, **texts) if place.drawn else ""
    remark = f"<p>{escape(place.remark)}</p>" if place.remark else ""
    return FIGURE.format(name=entry.name, picture=picture, remark=remark, **texts)


def _texts(item: Entry | Topic) -> dict[str, str]:
    texts = {"title": item.titles["en"], "title_zh": item.titles.get("zh", ""), "summary": item.summaries["en"]}
    return {name: escape(text) for name, text in texts.items()}


def _run(name: str, device: str, seconds: float) -> Frame:
    return last_frame(name, preset_parameters(name, None), device=device, seconds=seconds)


def _draw(entry: Entry, frame: Frame, folder: Path, size: tuple[int, int]) -> Place:
    """Both pictures of a frame. The theme that comes first is the one that is there already."""
    sheet = offscreen.Sheet(entry, frame, frame.parameters)
    for theme in sorted(THEMES, key=lambda name: name != theming.current.name):
        theming.set(theme)
        write_atomic(folder / f"{entry.name}.{theme}.png", png_bytes(sheet.picture(size), entry.name))
    sheet.discard()
    end = ENDLESS_LIMIT if frame.total is None else frame.total
    return Place(True, STOPPED.format(step=frame.step, end=end) if frame.step < end else "")


def _reason(name: str, error: Exception) -> str:
    if isinstance(error, LabError):
        return str(error)
    log.error("%s could not be drawn", name, exc_info=error)
    return f"Internal error: {type(error).__name__}: {error}"
