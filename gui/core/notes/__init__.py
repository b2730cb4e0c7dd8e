"""Notes: Markdown with formulas and live numbers."""

from gui.core.notes.view import NotesView, fill_values, live_names

__all__ = ["NotesView", "fill_values", "live_names"]
