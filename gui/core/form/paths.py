"""Editors of paths, and which editor serves which kind of parameter."""

from __future__ import annotations

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QFileDialog, QWidget

from gui.core.form.columns import ColumnsEditor
from gui.core.form.editors import ChoiceEditor, Editor, NumberEditor, SeedEditor, SwitchEditor, TextEditor, beside
from gui.core.form.value_edit import PathEdit
from gui.core.i18n import tr
from gui.core.look.widgets import IconButton


class FileEditor(TextEditor):
    """A path: typed, chosen in a dialog, or dropped."""

    def build(self, parent: QWidget) -> None:
        """Line and button below the label."""
        self.line = PathEdit(parent)
        self.connect_line()
        self.line.dropped.connect(self.take)
        self.browse = IconButton("open", parent, size=16)
        self.browse.clicked.connect(self._on_browse)
        self.wide = beside(parent, self.line, self.browse)

    @property
    def main(self) -> QWidget:
        """The line."""
        return self.line

    def retranslate(self) -> None:
        """The button says what it does."""
        self.browse.set_text(self.what)

    @Slot(str)
    def take(self, path: str) -> None:
        """Take over a path from the dialog or a drop."""
        self.set_value(path)
        self.touch_at_once(path)

    @Slot()
    def _on_browse(self) -> None:
        path = self.ask()
        if path:
            self.take(path)

    @property
    def what(self) -> str:
        """What the dialog asks for."""
        return tr("Choose a file")

    def ask(self) -> str:
        """The dialog; empty if nothing was chosen."""
        return QFileDialog.getOpenFileName(self.line, self.what, str(self.value))[0]


class FolderEditor(FileEditor):
    """A folder: typed, chosen in a dialog, or dropped."""

    @property
    def what(self) -> str:
        """What the dialog asks for."""
        return tr("Choose a folder")

    def ask(self) -> str:
        """The dialog; empty if nothing was chosen."""
        return QFileDialog.getExistingDirectory(self.line, self.what, str(self.value))


EDITORS: dict[str, type[Editor]] = {
    "int": NumberEditor,
    "float": NumberEditor,
    "choice": ChoiceEditor,
    "switch": SwitchEditor,
    "seed": SeedEditor,
    "file": FileEditor,
    "folder": FolderEditor,
    "text": TextEditor,
    "ints": TextEditor,
    "floats": TextEditor,
    "matrix": TextEditor,
    "columns": ColumnsEditor,
}
