"""Words of any script are whole, and their places lead back to the text; texts of any encoding are read."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.errors import LabError
from engine.data.texts import read_folder, read_text
from engine.data.words import cut, tidied

CHINESE = "月亮绕着地球转，潮水随着月亮涨落。海边的人靠潮水捕鱼。"


def words(text: str, han: str = "pairs") -> list[str]:
    return [word for word, _, _ in cut(tidied(text), han)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (unicodedata.normalize("NFD", "école naïve Việt"), ["école", "naïve", "việt"]),
        ("हिन्दी भाषा में लिखा हुआ क्षेत्र", ["हिन्दी", "भाषा", "में", "लिखा", "हुआ", "क्षेत्र"]),
        ("ฉันรักประเทศไทยและอาหารไทย", ["ฉัน", "รัก", "ประเทศไทย", "และ", "อาหาร", "ไทย"]),
        ("ខ្ញុំស្រលាញ់ប្រទេសកម្ពុជា", ["ខ្ញុំ", "ស្រលាញ់", "ប្រទេស", "កម្ពុជា"]),
        ("co\u00adoperate zero\u200bwidth word\u2060join \ufeffmark", ["cooperate", "zerowidth", "wordjoin", "mark"]),
        ("ไทย\u200bลาว", ["ไทย", "ลาว"]),
        ("می\u200cخواهم", ["می\u200cخواهم"]),
        ("שָׁלוֹם עולם", ["שָׁלוֹם", "עולם"]),
        ("吾輩は猫である", ["吾輩", "は", "猫", "で", "ある"]),
        ("don’t light-years 3 cats ab12cd", ["don't", "light-years", "cats", "ab", "cd"]),
    ],
)
def test_words_are_whole(text: str, expected: list[str]) -> None:
    assert words(text) == expected


def test_chinese_is_cut_in_three_ways() -> None:
    assert words("望远镜看木星") == ["望远", "远镜", "镜看", "看木", "木星"]
    assert words("望远镜", "characters") == ["望", "远", "镜"]
    assert words("用望远镜看木星的卫星", "words") == ["用", "望远镜", "看", "木星", "的", "卫星"]


@given(st.text() | st.text("aé\u0301\u00ad\u200b\u200dไทยक\u094dषह望。 の-'"))
def test_places_lead_back_to_the_text(text: str) -> None:
    clean = tidied(text)
    assert tidied(clean) == clean
    for han in ("pairs", "characters", "words"):
        last = -1
        for word, begin, end in cut(clean, han):
            assert last <= begin < end <= len(clean)
            assert clean[begin:end].casefold().replace("’", "'").startswith(word.casefold())
            last = begin


# ---- files -------------------------------------------------------------------------------------------------------------


def test_a_folder_in_one_old_encoding_is_judged_as_a_whole(tmp_path: Path) -> None:
    texts = [CHINESE[i : i + 9] for i in range(0, 18, 3)]
    for number, text in enumerate(texts):
        (tmp_path / f"{number}.txt").write_bytes(text.encode("gbk"))
    (tmp_path / "6.txt").write_text("café", encoding="utf-8")
    (tmp_path / "7.txt").write_text("naïve", encoding="utf-16")
    (tmp_path / "notes.md").write_text("left out")
    found = read_folder(str(tmp_path))
    assert found.texts == (*texts, "café", "naïve")
    assert found.reading is not None
    assert " ".join(map(str, found.reading.sentences())) == (
        "Texts: 8. Characters: 63. Read as: GB18030 (6), UTF-8 (1), UTF-16 (1). Files left out (1): notes.md (not *.txt)."
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030", "big5"])
def test_a_text_is_read_in_its_encoding(tmp_path: Path, encoding: str) -> None:
    text = "潮水隨著月亮漲落。海邊的人靠潮水捕魚。" if encoding == "big5" else CHINESE
    path = tmp_path / "a.txt"
    path.write_bytes(text.encode(encoding))
    found, reading = read_text(str(path))
    assert found == text
    assert reading.damaged == 0


def test_a_damaged_text_is_read_and_told(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(CHINESE.encode().replace("鱼".encode(), b"\xe9\xb1"))
    found, reading = read_text(str(path))
    assert found == CHINESE.replace("鱼", "\ufffd")
    assert "Characters that could not be read: 1." in " ".join(map(str, reading.sentences()))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes of Unix")
def test_pipes_among_the_texts_are_left_out_and_told(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    with pytest.raises(LabError, match="no text files"):
        read_folder(str(tmp_path))
    (tmp_path / "a.txt").write_text("one two")
    reading = read_folder(str(tmp_path)).reading
    assert reading is not None
    assert [name for name, _ in reading.left_out] == ["pipe.txt"]
    with pytest.raises(LabError, match="it is no regular file"):
        read_text(str(tmp_path / "pipe.txt"))
    with pytest.raises(LabError, match="There is no folder"):
        read_folder("~nobody-of-this-name/texts")
