"""The sheet of keys and the command palette."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QDialog,
    QGridLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from gui.core.i18n import tr
from gui.core.look.theme import px, space, theming
from gui.core.window.actions import ACTIONS
from gui.core.window.search import Findable

MOUSE = (
    ("Drag in a picture", "Move it; the right button scales it"),
    ("Drag with Alt in a picture", "Zoom into a box"),
    ("Wheel in a picture", "Zoom"),
    ("Double click on a picture", "Show it alone, or all again"),
    ("Arrow keys on a slider", "One step; with Shift a tenth, with Ctrl ten"),
)


class HelpSheet(QDialog):
    """All keys, by group."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("Keys"))
        theming.dress(self)
        page = QWidget()
        grid = QGridLayout(page)
        grid.setHorizontalSpacing(space(3))
        grid.setVerticalSpacing(space(0))
        for group, specs in groupby(sorted(ACTIONS, key=_group_order), key=lambda spec: spec.group):
            _section(grid, tr(group))
            for spec in specs:
                if spec.keys:
                    keys = "   ".join(QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText) for key in spec.keys)
                    _row(grid, keys, tr(spec.title))
        _section(grid, tr("Mouse"))
        for gesture, meaning in MOUSE:
            _row(grid, tr(gesture), tr(meaning))
        area = QScrollArea(self)
        area.setWidgetResizable(True)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setWidget(page)
        box = QVBoxLayout(self)
        box.setContentsMargins(space(3), space(2), space(1), space(2))
        box.addWidget(area)
        self.resize(px(560), min(px(720), parent.height() - 40))


def _group_order(spec: object) -> int:
    groups = list(dict.fromkeys(item.group for item in ACTIONS))
    return groups.index(getattr(spec, "group"))  # noqa: B009


def _section(grid: QGridLayout, title: str) -> None:
    label = QLabel(title.upper())
    label.setProperty("role", "section")
    label.setContentsMargins(0, space(2), 0, space(0))
    grid.addWidget(label, grid.rowCount(), 0, 1, 2)


def _row(grid: QGridLayout, left: str, right: str) -> None:
    row = grid.rowCount()
    keys = QLabel(left)
    keys.setProperty("role", "strong")
    meaning = QLabel(right)
    meaning.setWordWrap(True)
    grid.addWidget(keys, row, 0)
    grid.addWidget(meaning, row, 1)
    grid.setColumnStretch(1, 1)


class CommandPalette(QDialog):
    """Type a few letters, press Return."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        theming.dress(self)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._line = QLineEdit(self)
        self._line.setAccessibleName(tr("All commands …"))
        self._list = QListWidget(self)
        self._commands: list[Callable[[], object]] = []
        self._findables: list[Findable] = []
        box = QVBoxLayout(self)
        box.setContentsMargins(space(1), space(1), space(1), space(1))
        box.addWidget(self._line)
        box.addWidget(self._list)
        self.resize(px(520), px(420))
        corner = parent.mapToGlobal(parent.rect().center())
        self.move(corner.x() - self.width() // 2, parent.mapToGlobal(parent.rect().topLeft()).y() + px(72))
        self._line.textChanged.connect(self._filter)
        self._line.returnPressed.connect(self._run_current)
        self._list.itemActivated.connect(self._run)
        self._line.installEventFilter(self)
        self._line.setFocus()

    def add(self, title: str, command: Callable[[], object], hint: str = "", words: str = "", details: str = "") -> None:
        """Offer a command; it is also found by its hint (a key, a name), other words for it, and words that occur in it."""
        self._commands.append(command)
        self._findables.append(Findable(f"{title}    {hint}" if hint else title, words, details))
        self._offer(len(self._commands) - 1)
        if self._list.currentRow() < 0:
            self._list.setCurrentRow(0)

    def _offer(self, number: int) -> None:
        item = QListWidgetItem(self._findables[number].title)
        item.setData(Qt.ItemDataRole.UserRole, number)
        self._list.addItem(item)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Up and down move through the list while the line has the focus."""
        moves = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress and Qt.Key(event.key()) in moves:
            self._move(moves[Qt.Key(event.key())])
            return True
        return False

    def _move(self, by: int) -> None:
        self._list.setCurrentRow((self._list.currentRow() + by) % max(1, self._list.count()))

    def _filter(self, text: str) -> None:
        ranks = [(findable.rank(text), number) for number, findable in enumerate(self._findables)]
        self._list.clear()
        for _, number in sorted((rank, number) for rank, number in ranks if rank is not None):
            self._offer(number)
        if self._list.count():
            self._list.setCurrentRow(0)
        else:
            nothing = QListWidgetItem(tr("Nothing found."))
            nothing.setFlags(Qt.ItemFlag.NoItemFlags)
            self._list.addItem(nothing)

    def _run_current(self) -> None:
        item = self._list.currentItem()
        if item is not None:
            self._run(item)

    def _run(self, item: QListWidgetItem) -> None:
        number = item.data(Qt.ItemDataRole.UserRole)
        if number is None:  # "nothing found" is not a command
            return
        command = self._commands[number]
        self.close()
        command()
