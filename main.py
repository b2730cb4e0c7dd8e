"""The front door: `python main.py` opens the window, `python main.py COMMAND` works without one."""

from __future__ import annotations

import os
import signal

if __name__ == "__main__":  # Ctrl+C while modules load: there is nothing to keep and nothing to say
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))

import json
import re
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.api import DEVICES, ENDLESS_LIMIT, LANGUAGES, LabError, UsageError, themes, unknown_name

if TYPE_CHECKING:
    from engine.api import LabParameters, Reading

COMMANDS = ("list", "describe", "run", "render", "gallery", "check", "bench")

# Newer typers carry click inside, older ones depend on it: this way its base error is the right one with both.
ClickError: Any = typer.BadParameter.__mro__[2]

WINDOW_HELP = f"""\b
The window:
  main.py [--experiment TOPIC.EXPERIMENT] [--device {"|".join(DEVICES)}] [SESSION]
  SESSION is a file that was saved in the window.
  Options of Qt go with it, for example -platform vnc.
"""

app = typer.Typer(
    help="A lab for the mathematics of deep learning. Without a command the window opens.",
    epilog=WINDOW_HELP,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Name = Annotated[str, typer.Argument(metavar="TOPIC.EXPERIMENT", help="As `list` shows it.", show_default=False)]
Preset = Annotated[str | None, typer.Option("--preset", metavar="PRESET", help="Start from these parameters.")]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Set a parameter; lists with commas, matrix rows with semicolons."),
]
Seed = Annotated[str | None, typer.Option("--seed", metavar="N", help="The same as --set seed=N.")]
Device = Annotated[str, typer.Option("--device", metavar="|".join(DEVICES), help="Where to compute.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def main() -> None:
    """The program: standard streams, exit codes, and nothing on them but what is meant to be read."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    try:
        code = command(sys.argv[1:])
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)


def command(arguments: Sequence[str]) -> int:
    """Do what the arguments say; the exit code."""
    try:
        if arguments and arguments[0] in (*COMMANDS, "-h", "--help"):
            return app(args=list(arguments), prog_name="main.py", standalone_mode=False) or 0
        return _window(list(arguments))
    except typer.Abort:  # what a KeyboardInterrupt becomes on its way through typer
        return 130
    except ClickError as error:
        return _complain(f"{error.format_message()} See main.py --help.", 2)
    except UsageError as error:
        return _complain(error, 2)
    except LabError as error:
        return _complain(error, 1)
    except Exception as error:
        traceback.print_exc()
        return _complain(f"Internal error: {type(error).__name__}: {error} (The lines above help to report it.)", 1)


# ---- commands ----------------------------------------------------------------------------------------------------------


@app.command("list")
def list_command(as_json: Json = False) -> int:
    """Show every experiment."""
    from engine.api import entries
    from engine.report import overview, overview_text

    return _say_json({"experiments": [overview(entry) for entry in entries()]}) if as_json else _say(overview_text())


@app.command()
def describe(name: Name, as_json: Json = False) -> int:
    """Show the parameters, presets, measures and claims of an experiment."""
    from engine.report import description, description_text

    return _say_json(description(name)) if as_json else _say(description_text(name))


@app.command()
def run(
    name: Name,
    preset: Preset = None,
    assignments: Set = None,
    seed: Seed = None,
    device: Device = "auto",
    limit: Annotated[
        str | None, typer.Option(metavar="STEPS", help=f"Stop early (an endless run stops after {ENDLESS_LIMIT}).")
    ] = None,
    as_json: Json = False,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Leave result, history, arrays and session here; made if missing.")
    ] = None,
) -> int:
    """Run an experiment to its end and show what it measured."""
    from engine.api import check_folder, run_with, write_outputs
    from engine.report import progress_bar, result_text

    parameters = _parameters(name, preset, assignments, seed)
    steps = _steps(limit)
    if out:
        check_folder(out)
    with _interruptible() as disarm:
        with progress_bar(name) as (on_frame, report):
            tell = None if as_json else _tell
            result = run_with(name, parameters, device=device, limit=steps, on_frame=on_frame, report=report, on_reading=tell)
        disarm()
        if out:
            write_outputs(result, out)
        code = _say_json(result.to_dict()) if as_json else _say(result_text(result))
    if result.interrupted:
        return _complain(f"Interrupted after {result.steps} steps; what was finished is kept.", 130)
    return code


@app.command()
def render(
    name: Name,
    out: Annotated[Path, typer.Option(metavar="FILE", help="The picture, for example angles.png.", show_default=False)],
    preset: Preset = None,
    assignments: Set = None,
    seed: Seed = None,
    device: Device = "auto",
    size: Annotated[str, typer.Option(metavar="WxH", help="Width and height in pixels.")] = "1280x800",
    scale: Annotated[
        str | None, typer.Option(metavar="FACTOR", help="Size of type and lines; by default it follows the size.")
    ] = None,
    language: Annotated[str, typer.Option(metavar="|".join(LANGUAGES), help="Language of the texts.")] = "en",
    theme: Annotated[str, typer.Option(metavar="|".join(themes()), help="Colours.")] = "dark",
    window: Annotated[bool, typer.Option("--window", help="The whole window, controls and all.")] = False,
) -> int:
    """Make the picture of an experiment without a screen."""
    from engine.api import check_place

    pixels, factor = _size(size), None if scale is None else _number("--scale", scale)
    if out.suffix.lower() != ".png":
        raise _refusal("--out", out, "a file name that ends in .png")
    parameters = _parameters(name, preset, assignments, seed)
    check_place(out)
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from gui.core.output import offscreen

    left_out = offscreen.render(name, parameters, out, pixels, language, theme, device, window, factor)
    if left_out:
        _complain(f"Left out for want of room: {', '.join(left_out)}. A larger --size or a smaller --scale shows all.", 0)
    return 0


@app.command()
def gallery(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the pages go; made if missing.")] = Path("gallery"),
    size: Annotated[str, typer.Option(metavar="WxH", help="Width and height of the pictures.")] = "1280x800",
) -> int:
    """Make a web page with the picture of every experiment."""
    from engine.api import check_folder

    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from gui.core.output import offscreen
    from gui.core.output.gallery import make_gallery

    pixels = _size(size)
    offscreen.check_look(pixels)
    check_folder(out)
    failed = make_gallery(out, pixels, lambda name: print(name, file=sys.stderr))
    return _say(str(out / "index.html")) or int(failed)


@app.command()
def check(device: Device = "auto") -> int:
    """Make the first frames of every experiment on this machine."""
    from engine.api import entries, first_frames

    failed = 0
    width = max((len(entry.name) for entry in entries()), default=0)
    for entry in entries():
        done = first_frames(entry.name, device)
        failed += done.error is not None
        word, why = ("failed", f"  {done.error}") if done.error else ("ok", "")
        _say(f"{entry.name:{width}}  {word:6}  {done.seconds:6.2f} s{why}".replace("\n", " "))
    return 1 if failed else 0


@app.command()
def bench(
    names: Annotated[list[str] | None, typer.Argument(metavar="[TOPIC[.EXPERIMENT]]...", help="Which; all by default.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Smaller sizes, fewer repetitions.")] = False,
    as_json: Json = False,
) -> int:
    """Measure the program beside its peers."""
    from engine.report import bench_text

    try:
        from benchmarks import collect
    except ModuleNotFoundError:
        raise UsageError("The benchmarks are part of the source, not of the installed program.") from None
    rows, failures = collect(names or [], quick)
    code = _say_json({"benchmarks": rows}) if as_json else _say(bench_text(rows))
    return _complain(" ".join(failures), 1) if failures else code


# ---- the window --------------------------------------------------------------------------------------------------------

OPTIONS = ("--experiment", "--device")

# Options of Qt itself that take a value; those without one need no list.
QT_OPTIONS = {"platform", "platformpluginpath", "platformtheme", "plugin", "style", "stylesheet", "display", "geometry"}
QT_OPTIONS |= {"qwindowgeometry", "qwindowicon", "qwindowtitle", "fontengine", "session"}


def _window(arguments: Sequence[str]) -> int:
    """Open the window; without a display make the gallery instead."""
    from engine.api import entry, open_session
    from gui.core.output import display

    ours, qt, files = _window_arguments(arguments)
    if "experiment" in ours:
        entry(ours["experiment"])
    if (device := ours.get("device", "auto")) not in DEVICES:
        raise unknown_name("There is no device {name}.", "The devices are {names}.", device, DEVICES)
    for file in files:
        open_session(file)
    if "-platform" not in qt and (obstacle := display.obstacle()):
        _complain(f"No window can be opened ({obstacle}): making a gallery of pictures instead.", 0)
        return gallery()
    from gui.app import run as open_window

    return open_window(qt, ours.get("experiment"), files[0] if files else None, device)


def _window_arguments(arguments: Sequence[str]) -> tuple[dict[str, str], list[str], list[Path]]:
    """Our options, Qt's, and session files; whatever is none of these is explained."""
    ours: dict[str, str] = {}
    qt: list[str] = []
    files: list[Path] = []
    rest = iter(arguments)
    for argument in rest:
        name, equals, value = argument.lstrip("-").partition("=")
        if not argument.startswith("-"):
            files.append(_session_path(argument))
        elif f"--{name}" in OPTIONS or name in QT_OPTIONS:
            value = value if equals else next(rest, "")
            if not value:
                raise UsageError("{option} needs a value.", option=argument)
            if name in QT_OPTIONS:
                qt += [f"-{name}", value]
            else:
                ours[name] = value
        elif argument.startswith("--"):
            raise unknown_name("There is no option {name}.", "The options of the window are {names}.", argument, OPTIONS)
        else:
            qt.append(argument)
    if len(files) > 1:
        raise UsageError("One session can be opened at a time, not {count}.", count=len(files))
    return ours, qt, files


def _session_path(argument: str) -> Path:
    path = Path(argument)
    if not path.exists():
        raise unknown_name("{name} is neither a command nor a file.", "The commands are {names}.", argument, COMMANDS)
    return path


# ---- arguments ---------------------------------------------------------------------------------------------------------


def _parameters(name: str, preset: str | None, assignments: list[str] | None, seed: str | None) -> LabParameters:
    """The parameters of a preset with what the command line changes in them; the last word counts."""
    from engine.api import parse_assignments, preset_parameters

    base = preset_parameters(name, preset)
    texts: dict[str, str] = {}
    for assignment in assignments or []:
        key, equals, value = assignment.partition("=")
        if not equals:
            raise UsageError("--set {text} has no '=': write --set name=value.", text=repr(assignment))
        texts[key.strip()] = value
    if seed is not None:
        texts["seed"] = seed
    return base.changed(**parse_assignments(type(base), texts))


def _steps(text: str | None) -> int | None:
    if text is not None and not re.fullmatch(r"[0-9]{1,12}", text):
        raise _refusal("--limit", text, "a whole number of steps")
    return None if text is None else int(text)


def _size(text: str) -> tuple[int, int]:
    match = re.fullmatch("([0-9]{1,6})x([0-9]{1,6})", text)
    if not match:
        raise _refusal("--size", text, "width and height in pixels, for example 1280x800")
    return int(match[1]), int(match[2])


def _number(name: str, text: str) -> float:
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,6})?", text):
        raise _refusal(name, text, "a number, for example 1.5")
    return float(text)


def _refusal(name: str, value: object, allowed: str) -> Exception:
    return UsageError(
        "{name} = {value} is not allowed: it takes {allowed}.", name=name, value=repr(str(value)), allowed=allowed
    )


# ---- a run that can be interrupted -------------------------------------------------------------------------------------


@contextmanager
def _interruptible() -> Iterator[Callable[[], None]]:
    """Ctrl+C or a polite kill ends the run; what comes after it (or after `disarm`) leaves the files to be written in peace.

    `timeout -s INT`, for one, sends its signal twice.
    """
    armed, stopped = True, False

    def disarm() -> None:
        nonlocal armed
        armed = False

    def stop(*_: Any) -> None:
        nonlocal stopped
        if armed:
            disarm()
            stopped = True
            raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield disarm
    except Exception:
        if stopped:  # some modules that are interrupted while they load say so by an error of their own
            raise KeyboardInterrupt from None
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


# ---- what leaves the program -------------------------------------------------------------------------------------------


def _say(text: str) -> int:
    """Print to standard output, all of it now; a reader who has seen enough (``list | head -1``) is no error."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _complain(f"Standard output cannot be written: {error.strerror}.", 1)
    return 0


def _say_json(data: Mapping[str, Any]) -> int:
    return _say(json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False))


def _tell(reading: Reading) -> None:
    """What was read of a file, on standard error: standard output is for results."""
    for sentence in reading.sentences():
        _complain(sentence, 0)


def _complain(text: object, code: int) -> int:
    """One line on standard error, whatever happens to be in a name or a value."""
    print(" ".join(str(text).split()), file=sys.stderr)
    return code


if __name__ == "__main__":
    main()
