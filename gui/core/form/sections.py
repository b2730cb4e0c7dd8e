"""The rows of a form in their groups, the advanced ones folded away, and those without effect hidden."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from gui.core.form.field import Field
from gui.core.i18n import tr
from gui.core.look.icons import set_icon
from gui.core.look.theme import px, space
from gui.core.look.widgets import show_if


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
        self.unfolded = True
        self.fields: list[Field] = []
        self._head = QLabel(self)
        self._head.setProperty("role", "section")
        show_if(self._head, bool(title))
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.addWidget(self._head)

    def add(self, field: Field) -> None:
        """Append a row."""
        self.fields.append(field)
        self._column.addWidget(field)

    def show_relevant(self, values: Mapping[str, Any]) -> None:
        """Show the rows that matter beside these values."""
        relevant = [field.spec.matters(values) for field in self.fields]
        for field, wanted in zip(self.fields, relevant, strict=True):
            show_if(field, wanted and self.unfolded)
        show_if(self, any(relevant))

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
        self.unfolded = False
        self._values: Mapping[str, Any] = {}
        self.button = QToolButton(self)
        self.button.setProperty("role", "ghost")
        self.button.setProperty("compact", True)
        self.button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.button.clicked.connect(self._on_clicked)
        set_icon(self.button, "chevron-right", "muted", 14)
        row = QHBoxLayout()
        row.setContentsMargins(-px(8), 0, 0, 0)  # the chevron stands under the labels, not its invisible frame
        row.addWidget(self.button, 0, Qt.AlignmentFlag.AlignLeft)
        self._column.addLayout(row)

    def unfold(self, unfolded: bool = True) -> None:
        """Show the rows, or fold them away."""
        self.unfolded = unfolded
        set_icon(self.button, "chevron-down" if unfolded else "chevron-right", "muted", 14)
        self.show_relevant(self._values)

    def show_relevant(self, values: Mapping[str, Any]) -> None:
        """Show the rows that matter beside these values, if unfolded."""
        self._values = values
        super().show_relevant(values)

    def retranslate(self) -> None:
        """The head says what is behind it."""
        self.button.setText(tr("Advanced"))

    @Slot()
    def _on_clicked(self) -> None:
        self.unfold(not self.unfolded)


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
