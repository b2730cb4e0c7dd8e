"""A web page with the picture of every experiment, for machines without a screen and for people in a hurry."""

from __future__ import annotations

import logging
from collections.abc import Callable
from html import escape
from pathlib import Path

from engine.api import Entry, LabError, Topic, entries, preset_parameters, topics, write_atomic

log = logging.getLogger(__name__)

THEMES = ("light", "dark")

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Theoria</title>
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
{picture}
<figcaption>{summary} <code>python main.py --experiment {name}</code></figcaption>
</figure>
"""

PICTURE = """<picture>
<source srcset="{name}.dark.png" media="(prefers-color-scheme: dark)">
<img src="{name}.light.png" alt="{title}" loading="lazy">
</picture>"""


def make_gallery(folder: Path, size: tuple[int, int], announce: Callable[[str], None]) -> int:
    """Draw every experiment with its defaults, light and dark, and write ``index.html``; returns how many failed.

    Parameters
    ----------
    folder : Path
        Where pictures and page go.
    size : tuple of int
        Width and height of the pictures in pixels.
    announce : callable
        Receives the name of each experiment before it is drawn.
    """
    failures: dict[str, str] = {}
    for entry in entries():
        announce(entry.name)
        try:
            _draw(entry, folder, size)
        except LabError as error:
            failures[entry.name] = str(error)
        except Exception as error:  # one broken experiment does not take the page with it
            log.exception("%s could not be drawn", entry.name)
            failures[entry.name] = f"Internal error: {type(error).__name__}: {error}"
    write_atomic(folder / "index.html", page(failures))
    return len(failures)


def page(failures: dict[str, str]) -> str:
    """The page; in place of a picture that could not be drawn stands the reason."""
    sections = []
    for topic in topics():
        figures = [_figure(entry, failures.get(entry.name)) for entry in entries() if entry.topic == topic.name]
        sections.append(TOPIC.format(**_texts(topic), figures="".join(figures)))
    return PAGE.format(topics="".join(sections))


def _figure(entry: Entry, failure: str | None) -> str:
    texts = _texts(entry)
    picture = f"<p>{escape(failure)}</p>" if failure else PICTURE.format(name=entry.name, **texts)
    return FIGURE.format(name=entry.name, picture=picture, **texts)


def _texts(item: Entry | Topic) -> dict[str, str]:
    texts = {"title": item.titles["en"], "title_zh": item.titles.get("zh", ""), "summary": item.summaries["en"]}
    return {name: escape(text) for name, text in texts.items()}


def _draw(entry: Entry, folder: Path, size: tuple[int, int]) -> None:
    from gui.core.output.offscreen import render

    parameters = preset_parameters(entry.name, None)
    for theme in THEMES:
        render(entry.name, parameters, folder / f"{entry.name}.{theme}.png", size, "en", theme, "auto")
