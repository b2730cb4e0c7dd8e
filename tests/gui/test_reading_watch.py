"""What a file holds is told beside its field before a run uses it, and its columns are chosen by name."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication

from engine.api import LabParameters, Ui
from gui.core.form import Form
from gui.core.form.columns import ColumnsEditor, ColumnsMenu
from gui.core.i18n import translator
from gui.core.look.widgets import is_put_away


class Parameters(LabParameters):
    """A table that matters only sometimes, and a folder of texts."""

    data: Annotated[Literal["file", "made"], Ui("Data")] = "file"
    file: Annotated[str, Ui("File", kind="file", reads="table", when={"data": ("file",)})] = ""
    columns: Annotated[tuple[int | str, ...], Ui("Columns", kind="columns", of="file")] = ()
    folder: Annotated[str, Ui("Folder", kind="folder", reads="texts")] = ""


TABLE = 'name;Größe;Länge;"Breite; cm"\na;0,5;7;1\nb;NA;8;2\nc;1,5;9;3\n'


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "table.csv"
    path.write_bytes(TABLE.encode("cp1252"))
    return path


@pytest.fixture
def form(qtbot):
    made = Form(Parameters)
    qtbot.addWidget(made)
    made.show()
    return made


def read(qtbot, form: Form, **values) -> None:
    form.take(form.parameters.changed(**values))
    qtbot.waitUntil(lambda: not form.readings.busy, timeout=60_000)


def test_a_report_stands_below_the_field_in_both_languages(qtbot, form, table) -> None:
    field = form.fields["file"]
    assert is_put_away(field._note)
    read(qtbot, form, file=str(table))
    assert field.note.splitlines() == [
        "Rows: 2. Columns: Größe, Länge, Breite; cm.",
        "Columns left out: name (text).",
        "Read as: Windows-1252, semicolons, decimal comma, names in row 1.",
        "Rows left out (1): 3 (NA).",
    ]
    translator.set_language("zh")
    try:
        assert field.note.splitlines()[1:] == [
            "未用的列：name（文字）。",
            "读取方式：Windows-1252、分号分隔、小数逗号、列名在第 1 行。",
            "略去 1 行：第 3 行（NA）。",
        ]
    finally:
        translator.set_language("en")
    read(qtbot, form, data="made")
    assert field.note == ""
    assert is_put_away(field._note)


def test_a_sentence_says_why_a_file_cannot_be_read(qtbot, form, table, tmp_path) -> None:
    field = form.fields["file"]
    read(qtbot, form, file=str(tmp_path / "none.csv"))
    assert field.note.startswith(f"The file {tmp_path}/none.csv cannot be read")
    assert field._note.property("role") == "error"
    read(qtbot, form, file=str(table), columns=("Farbe",))
    assert field.note.startswith("There is no column named Farbe")
    assert form.fields["columns"].editor.choose.isEnabled()  # the others can be chosen nevertheless
    read(qtbot, form, columns=())
    assert field._note.property("role") == "small"
    table.write_text("1,2\n3,4\n")
    form.readings.look(form.parameters, again=True)
    qtbot.waitUntil(lambda: not form.readings.busy, timeout=60_000)
    assert field.note.startswith("Rows: 2. Columns: 1, 2.")


def test_columns_are_chosen_by_name_from_a_list(qtbot, form, table) -> None:
    editor = form.fields["columns"].editor
    assert isinstance(editor, ColumnsEditor)
    assert not editor.choose.isEnabled()
    read(qtbot, form, file=str(table))
    assert editor.line.placeholderText() == "Größe, Länge, Breite; cm"
    menu = editor.make_menu()
    assert [(a.text(), a.isChecked(), a.isEnabled()) for a in menu.actions()] == [
        ("name   text", False, False),
        ("Größe", True, True),
        ("Länge", True, True),
        ("Breite; cm", True, True),
    ]
    menu.actions()[1].trigger()
    assert form.parameters.columns == ("Länge", "Breite; cm")
    menu.actions()[2].trigger()
    menu.actions()[3].trigger()  # the last one stays
    assert form.parameters.columns == ("Breite; cm",)
    assert menu.actions()[3].isChecked()
    menu.actions()[2].trigger()
    assert form.parameters.columns == ("Breite; cm", "Länge")  # in the order in which they were chosen
    qtbot.waitUntil(lambda: not form.readings.busy, timeout=60_000)
    assert form.fields["file"].note.startswith("Rows: 3. Columns: Länge, ")
    editor.line.setText("3，Größe")
    editor.line.textEdited.emit("3，Größe")
    assert form.parameters.columns == (3, "Größe")
    menu.deleteLater()
    read(qtbot, form, columns=(1, "Länge"))
    assert form.fields["file"].note == "Column 1 holds no numbers: 'a'."
    menu = editor.make_menu()
    assert menu.actions()[0].isEnabled()  # a wrong choice can be taken back
    menu.actions()[0].trigger()
    assert form.parameters.columns == ("Länge",)
    menu.deleteLater()


def test_the_list_stays_open_while_marks_are_set(qtbot, form, table) -> None:
    read(qtbot, form, file=str(table))
    menu = form.fields["columns"].editor.make_menu()
    assert isinstance(menu, ColumnsMenu)
    qtbot.addWidget(menu)
    menu.popup(form.mapToGlobal(form.rect().center()))
    qtbot.waitUntil(menu.isVisible)
    place = QPointF(menu.actionGeometry(menu.actions()[1]).center())
    left = Qt.MouseButton.LeftButton
    for kind in (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonRelease):
        event = QMouseEvent(kind, place, menu.mapToGlobal(place), left, left, Qt.KeyboardModifier.NoModifier)
        QApplication.sendEvent(menu, event)
    assert menu.isVisible()
    assert form.parameters.columns == ("Länge", "Breite; cm")
    menu.close()


def test_texts_of_a_folder_are_told_too(qtbot, form, tmp_path) -> None:
    (tmp_path / "a.txt").write_bytes("月亮绕着地球转，潮水随着月亮涨落。".encode("gbk"))
    (tmp_path / "b.txt").write_bytes("海边的人靠潮水捕鱼，渔船随潮出海。".encode("gbk"))
    read(qtbot, form, folder=str(tmp_path))
    assert form.fields["folder"].note.splitlines() == ["Texts: 2. Characters: 34.", "Read as: GB18030."]
