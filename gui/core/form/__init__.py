"""The form that follows from a parameter model."""

from typing import Any

__all__ = ["Form"]


def __getattr__(name: str) -> Any:
    """The form itself is imported when it is first asked for: its small parts are needed before."""
    if name == "Form":
        from gui.core.form.form import Form

        return Form
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
