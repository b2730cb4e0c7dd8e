"""Notices: what happened, what helps, and details for those who ask."""

from __future__ import annotations

import weakref

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from engine.api import Message
from gui.core.i18n import translator
from gui.core.lab.notices import Details, NoticeStrip

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def strip(qtbot) -> NoticeStrip:
    made = NoticeStrip()
    qtbot.addWidget(made)
    made.resize(500, 60)
    return made


def test_silence_takes_no_room(strip: NoticeStrip) -> None:
    assert strip.isHidden()


def test_an_error_says_what_happened_and_what_helps(strip: NoticeStrip) -> None:
    message = Message("Step size {size} is above the limit {limit}.", {"size": 0.9, "limit": 0.8})
    strip.show_error(message, Message("Reduce the step size."))
    assert strip.isVisible()
    assert strip._message.text() == "Step size 0.9 is above the limit 0.8."
    assert strip._hint.text() == "Reduce the step size."
    assert strip.property("level") == "error"
    assert strip._details.isHidden()
    assert "Reduce" in strip.accessibleName()


def test_details_show_the_traceback_and_copy_it(strip: NoticeStrip, qtbot) -> None:
    strip.show_error(Message("Internal error: {error}", {"error": "boom"}), "", "Traceback\n  boom")
    assert strip._details.isVisible()
    qtbot.mouseClick(strip._details, LEFT)
    dialog = strip.findChild(Details)
    assert dialog is not None
    assert dialog.isVisible()
    assert dialog.text.isReadOnly()
    qtbot.mouseClick(dialog.copy_button, LEFT)
    assert QGuiApplication.clipboard().text() == "Traceback\n  boom"
    dialog.close()


def test_without_a_traceback_there_is_nothing_to_open(strip: NoticeStrip) -> None:
    assert strip.show_details() is None
    strip.show_warning("Careful.")
    assert strip.show_details() is None


def test_a_notice_can_be_closed_and_cleared(strip: NoticeStrip, qtbot) -> None:
    strip.show_warning(Message("Careful."))
    with qtbot.waitSignal(strip.closed):
        qtbot.mouseClick(strip._close, LEFT)
    assert strip.isHidden()
    strip.show_warning("Again.")
    strip.clear()
    assert strip.isHidden()
    assert strip.notice is None


def test_information_goes_by_itself_and_an_error_stays(strip: NoticeStrip, qtbot) -> None:
    strip.show_info(Message("Copied the picture."))
    strip._fade.start(30)
    qtbot.waitUntil(strip.isHidden)
    strip.show_info("Saved.")
    strip.show_error("Broken.")
    qtbot.wait(80)
    assert strip.isVisible()


def test_long_sentences_wrap(strip: NoticeStrip, qtbot) -> None:
    strip.show_error("A long sentence. " * 20)
    qtbot.wait(20)
    strip.resize(400, strip.heightForWidth(400))
    qtbot.wait(20)
    assert strip._message.height() >= strip._message.heightForWidth(strip._message.width())


def test_braces_in_plain_texts_are_harmless(strip: NoticeStrip) -> None:
    strip.show_error("Unexpected {token} in <b>file</b>.")
    assert strip._message.text() == "Unexpected {token} in <b>file</b>."
    assert strip._message.textFormat() == Qt.TextFormat.PlainText


def test_a_new_language(strip: NoticeStrip) -> None:
    strip.show_error("There is no parameter {name}.", "", "trace")
    translator.set_language("zh")
    try:
        assert strip._details.text() == "详情"
    finally:
        translator.set_language("en")
    assert strip._details.text() == "Details"


def test_a_dropped_strip_dies(qapp) -> None:
    strip = NoticeStrip()
    strip.show_info("Hello.")
    dead = weakref.ref(strip)
    strip.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    del strip
    assert dead() is None
