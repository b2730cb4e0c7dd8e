"""Everything a user can do, in one table: menus, keys, the help sheet and the command palette follow from it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """One action: `name` is the method of the main window that does it."""

    name: str
    title: str
    keys: tuple[str, ...]
    group: str
    icon: str = ""


ACTIONS = (
    ActionSpec("toggle_playing", "Play or pause", ("Space",), "Run", "play"),
    ActionSpec("step", "One step", ("N",), "Run", "step"),
    ActionSpec("restart", "Restart with the same seed", ("Ctrl+R",), "Run", "restart"),
    ActionSpec("new_seed", "New seed", ("Ctrl+Shift+R",), "Run", "dice"),
    ActionSpec("undo", "Undo", ("Ctrl+Z",), "Parameters", "undo"),
    ActionSpec("redo", "Redo", ("Ctrl+Shift+Z", "Ctrl+Y"), "Parameters", "redo"),
    ActionSpec("reset_parameters", "Reset all parameters", ("Ctrl+Backspace",), "Parameters", "reset"),
    ActionSpec("open_session", "Open a session …", ("Ctrl+O",), "File", "open"),
    ActionSpec("save_session", "Save the session", ("Ctrl+S",), "File", "save"),
    ActionSpec("save_session_as", "Save the session as …", ("Ctrl+Shift+S",), "File", "save"),
    ActionSpec("copy_command", "Copy as command line", ("Ctrl+Alt+C",), "Copy", "terminal"),
    ActionSpec("copy_script", "Copy as Python script", ("Ctrl+Alt+P",), "Copy", "code"),
    ActionSpec("copy_data", "Copy data as CSV", ("Ctrl+Alt+D",), "Copy", "table"),
    ActionSpec("copy_picture", "Copy picture", ("Ctrl+Shift+C",), "Copy", "image"),
    ActionSpec("export_picture", "Save picture as PNG (300 dpi) …", ("Ctrl+Shift+E",), "Copy", "export"),
    ActionSpec("export_data", "Save data as CSV …", (), "Copy", "table"),
    ActionSpec("toggle_side", "Show or hide the control panel", ("Ctrl+\\",), "View", "sidebar"),
    ActionSpec("toggle_rail", "Show or hide the topics", ("Ctrl+Shift+\\",), "View", "menu"),
    ActionSpec("toggle_alone", "Largest picture alone, or all", ("Ctrl+Return",), "View", "expand"),
    ActionSpec("toggle_full_screen", "Full screen", ("F11",), "View", "fullscreen"),
    ActionSpec("toggle_presentation", "Present", ("F5",), "View", "stage"),
    ActionSpec("leave", "Leave full screen or presentation", ("Esc",), "View", "close"),
    ActionSpec("next_theme", "Next theme", ("Ctrl+T",), "View", "moon"),
    ActionSpec("next_language", "Language: 中文 / English", ("Ctrl+L",), "View", "language"),
    ActionSpec("zoom_in", "Larger", ("Ctrl++", "Ctrl+="), "View", "plus"),
    ActionSpec("zoom_out", "Smaller", ("Ctrl+-",), "View", "minus"),
    ActionSpec("zoom_reset", "Normal size", ("Ctrl+0",), "View", ""),
    ActionSpec("next_experiment", "Next experiment", ("Ctrl+Tab",), "Go", "chevron-right"),
    ActionSpec("previous_experiment", "Previous experiment", ("Ctrl+Shift+Tab",), "Go", "chevron-left"),
    ActionSpec("next_slide", "Next experiment while presenting", ("PgDown",), "Present"),
    ActionSpec("previous_slide", "Previous experiment while presenting", ("PgUp",), "Present"),
    ActionSpec("toggle_black", "Black screen while presenting", ("B", "."), "Present"),
    ActionSpec("toggle_mouse", "Hide the mouse while presenting", ("H",), "Present"),
    ActionSpec("show_palette", "All commands …", ("Ctrl+Shift+P", "Ctrl+K"), "Help", "menu"),
    ActionSpec("show_help", "Keys", ("F1", "?"), "Help", "help"),
)

PRESENTER_ONLY = tuple(spec.name for spec in ACTIONS if spec.group == "Present")
