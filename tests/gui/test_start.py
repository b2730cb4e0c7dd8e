"""Before the first live picture: whose session it is, what is said, and what is shown meanwhile."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from PySide6.QtGui import QColor, QGuiApplication, QImage
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from engine.api import Message, Session, WindowState
from gui.core.lab.notices import NoticeStrip
from gui.core.window.instance import Claim
from gui.core.window.waiting import keep_picture, kept_picture
from gui.main_window import MainWindow
from tests.gui.conftest import NAME


def test_a_second_program_keeps_a_session_of_its_own(tmp_path: Path) -> None:
    wanted = tmp_path / "home" / "session.json"
    first, second, third = Claim(wanted), Claim(wanted), Claim(wanted)
    assert (first.path, first.first) == (wanted, True)
    assert [claim.path.name for claim in (second, third)] == ["session-2.json", "session-3.json"]
    assert not second.first
    second.release()
    assert Claim(wanted).path.name == "session-2.json"
    first.release()
    assert Claim(wanted).first


def test_a_lock_left_by_a_crash_is_taken_over(tmp_path: Path) -> None:
    wanted = tmp_path / "session.json"
    (tmp_path / "session.lock").write_text(f"{2**22 + 1}\ntheoria\n{QGuiApplication.instance().objectName()}\n")
    assert Claim(wanted).first


def test_a_picture_is_kept_for_its_own_experiment_alone(tmp_path: Path) -> None:
    session = tmp_path / "session.json"
    assert kept_picture(session, NAME).isNull()
    image = QImage(40, 30, QImage.Format.Format_RGB32)
    image.fill(QColor("red"))
    keep_picture(session, NAME, image)
    assert kept_picture(session, NAME).pixelColor(5, 5) == QColor("red")
    assert kept_picture(session, "em.coins").isNull()
    (tmp_path / "session.png").write_bytes(b"\x89PNG damaged")
    assert kept_picture(session, NAME).isNull()


def test_the_last_picture_is_shown_until_torch_is_there(open_theoria: Any, tmp_path: Path, qtbot: Any) -> None:
    path = tmp_path / "session.json"
    window = open_theoria(path=path)
    window.close()
    window.preloader.join()
    assert json.loads(path.read_text())["current"] == NAME
    again = open_theoria(Session(current=NAME, language="zh", theme="dark"), path=path, wait="")
    assert not again.waiting.picture.isNull()
    assert len(again.waiting.lines()) == 2
    assert again.waiting.isVisible()
    qtbot.waitUntil(lambda: again.view is not None, timeout=20_000)
    assert again.waiting.lines() == []
    assert again.waiting.picture.isNull()


def test_a_window_is_never_larger_than_the_screen(open_theoria: Any, qapp: Any) -> None:
    room = QGuiApplication.primaryScreen().availableSize()
    large = MainWindow(Session())
    large.resize(room * 2)
    geometry = large.snapshot().window.geometry
    restored = MainWindow(Session(window=WindowState(geometry=geometry)))
    least = restored.minimumSize()
    for window in (restored, MainWindow(Session())):
        assert window.width() <= max(room.width(), least.width())
        assert window.height() <= max(room.height(), least.height())
        window.deleteLater()
    large.deleteLater()


def test_a_narrow_window_says_where_the_controls_went(open_theoria: Any) -> None:
    window = open_theoria(size=(1024, 768))
    assert window.notices.notice is not None
    assert "Ctrl+\\" in str(window.notices.notice.message)


def test_what_goes_by_itself_moves_nothing(qtbot: Any) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    box = QVBoxLayout(parent)
    strip, board = NoticeStrip(parent), QLabel("board", parent)
    box.addWidget(strip)
    box.addWidget(board, 1)
    parent.resize(600, 400)
    parent.show()
    place = board.geometry()
    strip.show_info(Message("Copied the picture."))
    parent.layout().activate()
    assert strip.isVisible()
    assert board.geometry() == place
    assert strip.width() > 300
    assert parent.rect().contains(strip.geometry())
    parent.resize(500, 300)
    assert parent.rect().contains(strip.geometry())
    strip.show_error(Message("Copied the picture."))
    parent.layout().activate()
    assert not board.geometry().intersects(strip.geometry())
    strip.show_warning(Message("Copied the picture."))
    assert strip._fade.isActive()
