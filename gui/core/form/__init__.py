"""The form that follows from a parameter model."""

from gui.core.form.form import Form

__all__ = ["Form"]
