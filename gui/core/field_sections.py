"""The rows of a form in their groups, the advanced ones folded away, and those without effect hidden."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QLabel, QToolButton, QVBoxLayout, QWidget

from gui.core.fields import Field
from gui.core.i18n import tr
from gui.core.icons import set_icon
from gui.core.theme import space


class Section(QWidget):
    """A head and the rows below it; it hides when none of them is shown.

    Parameters
    ----------
    title : str
        English text of the head; without one there is no head.
    experiment : str or None
        Whose translations hold the head.
    parent : QWidget
    """

    def __init__(self, title: str, experiment: str | None, parent: QWidget) -> None:
        super().__init__(parent)
        self.title = title
        self.experiment = experiment
        self.fields: list[Field] = []
        self._head = QLabel(self)
        self._head.setProperty("role", "section")
        self._head.setVisible(bool(title))
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.addWidget(self._head)

    def add(self, field: Field) -> None:
        """Append a row."""
        self.fields.append(field)
        self._column.addWidget(field)

    def show_relevant(self, values: Mapping[str, Any]) -> None:
        """Show the rows that matter beside these values."""
        for field in self.fields:
            field.setVisible(field.spec.matters(values))
        self.setVisible(not all(field.isHidden() for field in self.fields))

    def retranslate(self) -> None:
        """The head in capitals, as section heads are."""
        self._head.setText(tr(self.title, self.experiment).upper())

    def restyle(self) -> None:
        """Set distances of the current theme."""
        self._column.setSpacing(space(1))


class Advanced(Section):
    """A section that is folded until its head is clicked."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__("", None, parent)
        self._values: Mapping[str, Any] = {}
        self.button = QToolButton(self)
        self.button.setProperty("role", "ghost")
        self.button.setProperty("compact", True)
        self.button.setCheckable(True)
        self.button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.button.toggled.connect(self._on_toggled)
        set_icon(self.button, "chevron-right", "muted", 14)
        self._column.addWidget(self.button, 0, Qt.AlignmentFlag.AlignLeft)

    def unfold(self) -> None:
        """Show the rows."""
        self.button.setChecked(True)

    def show_relevant(self, values: Mapping[str, Any]) -> None:
        """Show the rows that matter beside these values, if unfolded."""
        self._values = values
        relevant = [field.spec.matters(values) for field in self.fields]
        for field, matters in zip(self.fields, relevant, strict=True):
            field.setVisible(matters and self.button.isChecked())
        self.setVisible(any(relevant))

    def retranslate(self) -> None:
        """The head says what is behind it."""
        self.button.setText(tr("Advanced"))

    @Slot(bool)
    def _on_toggled(self, unfolded: bool) -> None:
        set_icon(self.button, "chevron-down" if unfolded else "chevron-right", "muted", 14)
        self.show_relevant(self._values)


def make_sections(fields: Sequence[Field], experiment: str | None, parent: QWidget) -> list[Section]:
    """Put fields into sections in the order in which their groups first occur; the advanced ones into the last."""
    found: dict[str, Section] = {}
    advanced = Advanced(parent)
    for field in fields:
        group = field.spec.ui.group
        if field.spec.ui.advanced:
            advanced.add(field)
            continue
        if group not in found:
            found[group] = Section(group, experiment, parent)
        found[group].add(field)
    return [*found.values(), advanced]
