"""The editor of columns: names and numbers in a line, and a list of those that the table has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, QPoint, QSignalBlocker, Slot
from PySide6.QtGui import QAction, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QMenu, QWidget

from gui.core.form.editors import TextEditor, beside
from gui.core.form.text import show_value
from gui.core.form.value_edit import ValueEdit
from gui.core.i18n import tr
from gui.core.look.widgets import IconButton

if TYPE_CHECKING:
    from engine.api import ColumnReading


MOST_SHOWN = 12  # columns in use that the empty line names


class ColumnsMenu(QMenu):
    """A list with check marks that stays open while they are set."""

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        action = self.actionAt(event.position().toPoint())
        if action is not None and action.isEnabled() and action.isCheckable():
            action.trigger()
        else:
            super().mouseReleaseEvent(event)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress and event.text() == " ":
            action = self.activeAction()
            if action is not None and action.isEnabled():
                action.trigger()
            return True
        return super().event(event)


class ColumnsEditor(TextEditor):
    """Columns by name or number: typed, or chosen from a list once the table is known."""

    def build(self, parent: QWidget) -> None:
        """Line and button below the label."""
        self.line = ValueEdit(parent)
        self.connect_line()
        self.choose = IconButton("table", parent, size=16)
        self.choose.setEnabled(False)
        self.choose.clicked.connect(self._on_choose)
        self.wide = beside(parent, self.line, self.choose)
        self._columns: Sequence[ColumnReading] = ()

    @property
    def main(self) -> QWidget:
        """The line."""
        return self.line

    def retranslate(self) -> None:
        """The button says what it does."""
        self.choose.set_text(tr("Choose columns by name"))

    def offer(self, columns: Sequence[ColumnReading]) -> None:
        """The columns of the table, none where there is no table."""
        self._columns = columns
        self.choose.setEnabled(bool(columns))
        taken = [self.key(column) for column in columns if column.taken]
        self.line.setPlaceholderText(show_value(self.spec, tuple(taken[:MOST_SHOWN])))

    def make_menu(self) -> QMenu:
        """All columns of the table; those that hold no numbers can be given up and not chosen."""
        menu = ColumnsMenu(self.line)
        taken = self.taken()
        for column in self._columns:
            title = column.title if column.name else tr("Column {number}", number=column.number)
            text = f"{title}   {tr(column.reason)}" if column.reason else title
            action = menu.addAction(text.replace("&", "&&"))
            action.setCheckable(True)
            action.setChecked(self.key(column) in taken)
            action.setEnabled(action.isChecked() or column.reason.template not in ("text", "empty"))
            action.setData(column.number)
            action.triggered.connect(self._on_toggled)
        return menu

    def key(self, column: ColumnReading) -> int | str:
        """What stands for a column in the value: its name if no other column has it, else its number."""
        names = Counter(each.name for each in self._columns)
        return column.name if column.name and names[column.name] == 1 else column.number

    def taken(self) -> list[int | str]:
        """The columns in use, in their order: those of the value, or those that are taken when it names none."""
        value: Any = self.value
        if not isinstance(value, tuple) or not value:
            return [self.key(column) for column in self._columns if column.taken]
        keys = {column.number: self.key(column) for column in self._columns}
        return [keys.get(each, each) if isinstance(each, int) else each for each in value]

    @Slot()
    def _on_choose(self) -> None:
        menu = self.make_menu()
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(self.choose.mapToGlobal(QPoint(0, self.choose.height())))

    @Slot()
    def _on_toggled(self) -> None:
        action = self.sender()
        if not isinstance(action, QAction):
            return
        column = next(each for each in self._columns if each.number == action.data())
        taken, key = self.taken(), self.key(column)
        chosen = [each for each in taken if each != key] if key in taken else [*taken, key]
        if not chosen:  # none named would mean all
            with QSignalBlocker(action):
                action.setChecked(True)
            return
        self.set_value(tuple(chosen))
        self.touch_at_once(tuple(chosen))
