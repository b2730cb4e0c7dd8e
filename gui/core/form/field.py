"""One row of a form: label, value, slider, and what is wrong with it. All kinds of parameters speak the same few words.

The widgets are made in `gui.core.form.editors`; this row adds the label, the help, reset, the menu and the problem.
"""

from __future__ import annotations

from html import escape
from typing import Any

from PySide6.QtCore import QEvent, QPoint, Qt, Signal, Slot
from PySide6.QtGui import QContextMenuEvent, QEnterEvent, QGuiApplication
from PySide6.QtWidgets import QGridLayout, QLabel, QMenu, QSizePolicy, QWidget

from engine.api import FieldSpec, Message
from gui.core.form.editors import Editor, NumberEditor
from gui.core.form.paths import EDITORS
from gui.core.form.text import show_value, symbol_html
from gui.core.i18n import tr
from gui.core.look.icons import set_icon
from gui.core.look.style import set_role
from gui.core.look.theme import px, space, theming
from gui.core.look.widgets import IconButton, show_if


class Field(QWidget):
    """The row of one parameter.

    Parameters
    ----------
    spec : FieldSpec
        The parameter.
    experiment : str, optional
        Whose translations hold the label, ``topic.experiment``.
    parent : QWidget, optional

    Signals
    -------
    edited : (object)
        A new value, on every tick of a drag, key, notch of the wheel and typed letter. It may not be allowed: a typed text
        that means no value comes as it is.
    gesture_finished
        The hand has let go: a drag, a pause after keys or wheel, the end of typing.
    sweep_requested : (str)
        The parameter of this name shall travel through its range, or stop.
    """

    edited = Signal(object)
    gesture_finished = Signal()
    sweep_requested = Signal(str)

    def __init__(self, spec: FieldSpec, experiment: str | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.spec = spec
        self.experiment = experiment
        self.editor: Editor = EDITORS[spec.kind](spec, experiment, self)
        self._label = QLabel(self)
        self._problem = QLabel(self)
        self._note = QLabel(self)
        self._sentences: tuple[Message, ...] = ()
        self._sweeping = False
        self._tool_face = ""
        self._build()
        self.editor.edited.connect(self._on_edited)
        self.editor.finished.connect(self.gesture_finished)
        self.restyle()
        self.retranslate()
        self.set_value(spec.default)

    @property
    def value(self) -> Any:
        """The value that was set or edited last, allowed or not."""
        return self.editor.value

    @property
    def sweepable(self) -> bool:
        """Whether the parameter has a finite range to travel through."""
        return isinstance(self.editor, NumberEditor) and self.editor.scale is not None

    @property
    def problem(self) -> str:
        """What is written under the row, empty if nothing is wrong."""
        return self._problem.text()

    def set_value(self, value: Any) -> None:
        """Show a value without any signal; whatever was wrong is forgotten."""
        self.editor.set_value(value)
        self.set_problem(None)
        self._update_tool()

    def set_problem(self, text: str | None) -> None:
        """Show a sentence under the row and a red border, or take them away."""
        if (text or "") != self._problem.text():
            self._problem.setText(text or "")
            show_if(self._problem, bool(text))
        self.editor.set_invalid(bool(text))

    @property
    def note(self) -> str:
        """What was read of the file that the row names, empty if it names none."""
        return self._note.text()

    def set_note(self, sentences: tuple[Message, ...], *, failed: bool = False) -> None:
        """Say below the row what was read, or why nothing could be."""
        self._sentences = sentences
        set_role(self._note, "error" if failed else "small")
        self._say_note()
        show_if(self._note, bool(sentences))

    def set_sweeping(self, sweeping: bool) -> None:
        """Show whether the parameter is travelling."""
        if sweeping != self._sweeping:
            self._sweeping = sweeping
            self._update_tool()

    @Slot()
    def reset(self) -> None:
        """Back to the default, as one gesture."""
        if self._changed:
            self.set_value(self.spec.default)
            self.editor.touch_at_once(self.spec.default)

    @Slot()
    def copy(self) -> None:
        """The value to the clipboard, in the syntax of the command line."""
        QGuiApplication.clipboard().setText(self.value if isinstance(self.value, str) else self.spec.format(self.value))

    @Slot()
    def type_exactly(self) -> None:
        """Put the cursor into the value, all of it selected."""
        if isinstance(self.editor, NumberEditor):
            self.editor.line.setFocus(Qt.FocusReason.OtherFocusReason)
            self.editor.line.selectAll()

    def retranslate(self) -> None:
        """Set all texts in the current language; value and focus stay."""
        ui = self.spec.ui
        name = tr(ui.label, self.experiment)
        self._label.setText(self._label_html(name))
        self.setToolTip(self._help_html())
        self.editor.main.setAccessibleName(name)
        self.editor.main.setAccessibleDescription(tr(ui.help, self.experiment) if ui.help else "")
        self.editor.retranslate()
        self._name_tool()
        self._say_note()

    def restyle(self) -> None:
        """Set sizes and colours of the current theme."""
        layout = self._grid
        layout.setHorizontalSpacing(space(0))
        layout.setVerticalSpacing(px(2))
        self.editor.restyle()
        if self._label.text():
            self._label.setText(self._label_html(tr(self.spec.ui.label, self.experiment)))  # the unit has the muted colour

    def show_menu(self, position: QPoint) -> None:
        """The menu of the row at a place on the screen."""
        menu = self.make_menu()
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(position)

    def make_menu(self) -> QMenu:
        """What can be done with the parameter besides editing it."""
        menu = QMenu(self)
        numeric = isinstance(self.editor, NumberEditor)
        if numeric:
            self._add(menu, tr("Type an exact value"), "terminal", self.type_exactly)
        if self.sweepable:
            text = tr("Stop the sweep") if self._sweeping else tr("Sweep through the range")
            self._add(menu, text, "sweep", self._on_sweep)
        self._add(menu, tr("Copy value"), "copy", self.copy)
        menu.addSeparator()
        self._add(menu, tr("Reset to {value}", value=self._default_text()), "reset", self.reset, self._changed)
        return menu

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self.show_menu(event.globalPos())

    def enterEvent(self, event: QEnterEvent) -> None:
        super().enterEvent(event)
        self._update_tool()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._update_tool(hovered=False)

    def _build(self) -> None:
        self._label.setTextFormat(Qt.TextFormat.RichText)
        self._label.setWordWrap(True)
        self._problem.setProperty("role", "error")
        self._problem.setWordWrap(True)
        self._problem.hide()
        self._note.setProperty("role", "small")
        self._note.setWordWrap(True)
        self._note.setTextFormat(Qt.TextFormat.PlainText)
        self._note.hide()
        self._build_tool()
        self._grid = grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setColumnStretch(0, 1)
        grid.addWidget(self._label, 0, 0)
        grid.addWidget(self._tool, 0, 1)
        if self.editor.box is not None:
            grid.addWidget(self.editor.box, 0, 2, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self._label.setBuddy(self.editor.box)
        if self.editor.wide is not None:
            grid.addWidget(self.editor.wide, 1, 0, 1, 3)
        grid.addWidget(self._problem, 2, 0, 1, 3)
        grid.addWidget(self._note, 3, 0, 1, 3)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)

    def _build_tool(self) -> None:
        """One button with three faces: stop the sweep, else reset, else the menu while the hand is over the row."""
        self._tool = IconButton("menu", self)
        self._tool.clicked.connect(self._on_tool)
        self._tool.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        policy = self._tool.sizePolicy()
        policy.setRetainSizeWhenHidden(True)  # labels must not wrap anew when the hand passes over them
        self._tool.setSizePolicy(policy)
        self._tool.hide()

    def _add(self, menu: QMenu, text: str, icon: str, slot: Any, enabled: bool = True) -> None:
        action = menu.addAction(text)
        set_icon(action, icon, "muted", 16)
        action.setEnabled(enabled)
        action.triggered.connect(slot)

    def _label_html(self, name: str) -> str:
        ui = self.spec.ui
        parts = [escape(name)]
        if ui.symbol:
            parts.append(symbol_html(escape(ui.symbol)))
        if ui.unit:
            parts.append(f'<span style="color: {theming.current.muted}">({escape(tr(ui.unit, self.experiment))})</span>')
        return "&nbsp; ".join(parts[:2]) + (f" {parts[2]}" if len(parts) > 2 else "")

    def _help_html(self) -> str:
        ui = self.spec.ui
        help_text = f"<p>{escape(tr(ui.help, self.experiment))}</p>" if ui.help else ""
        allowed = tr("Takes {allowed}.", allowed=tr(self.spec.allowed))
        command = f"--set {self.spec.name}={self.spec.format(self.spec.default)}"
        return f"{help_text}<p>{escape(allowed)}<br><code>{escape(command)}</code></p>"

    def _say_note(self) -> None:
        self._note.setText("\n".join(tr(sentence, self.experiment) for sentence in self._sentences))

    def _default_text(self) -> str:
        if self.spec.kind == "choice":
            return tr(self.spec.ui.choices.get(self.spec.default, self.spec.default), self.experiment)
        if self.spec.kind == "switch":
            return tr("on") if self.spec.default else tr("off")
        return show_value(self.spec, self.spec.default) or tr("empty")

    @property
    def _changed(self) -> bool:
        found: bool = self.value != self.spec.default
        return found

    def _update_tool(self, hovered: bool | None = None) -> None:
        over = self.underMouse() if hovered is None else hovered
        face = "sweep" if self._sweeping else "reset" if self._changed else "menu"
        show_if(self._tool, face != "menu" or (over and self.sweepable))
        if face != self._tool_face:
            self._tool_face = face
            set_icon(self._tool, face, "accent" if self._sweeping else "muted", 14)
            self._name_tool()

    def _name_tool(self) -> None:
        match self._tool_face:
            case "sweep":
                self._tool.set_text(tr("Stop the sweep"))
            case "reset":
                self._tool.set_text(tr("Reset to {value}", value=self._default_text()))
            case _:
                self._tool.set_text(tr("More"))

    @Slot(object)
    def _on_edited(self, value: Any) -> None:
        self._update_tool()
        self.edited.emit(value)

    @Slot()
    def _on_tool(self) -> None:
        if self._sweeping:
            self._on_sweep()
        elif self._changed:
            self.reset()
        else:
            self.show_menu(self._tool.mapToGlobal(QPoint(0, self._tool.height())))

    @Slot()
    def _on_sweep(self) -> None:
        self.sweep_requested.emit(self.spec.name)
