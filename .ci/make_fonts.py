"""Makes `resources/fonts` anew from fonts that Debian packages; run by `make fonts` on Debian or Ubuntu.

Inter and JetBrains Mono are taken as they are. Two subsets are cut to what the program can show: the mathematical signs that
Inter lacks, from DejaVu Sans, and Chinese, from Noto Sans CJK SC: every character of the program's own texts and level 1 of
GB 2312 (3,755 characters, 99.9 % of running text). Subsets have family names of their own, so that a complete font that is
installed stays reachable behind them for the characters that they lack.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "resources" / "fonts"
PACKAGES = ("fonts-inter", "fonts-jetbrains-mono", "fonts-noto-cjk", "fonts-dejavu-core")
WHOLE = (
    "opentype/inter/Inter-Regular.otf",
    "opentype/inter/Inter-Italic.otf",
    "opentype/inter/Inter-Medium.otf",
    "opentype/inter/Inter-SemiBold.otf",
    "truetype/jetbrains-mono/JetBrainsMono-Regular.ttf",
)
SIMPLIFIED = 2  # the face of the collection that draws Chinese characters as the mainland does
TEXTS = (".py", ".toml", ".md", ".txt")
SIGN_BLOCKS = (
    (0x1D00, 0x1DBF),  # small capitals, raised letters
    (0x2070, 0x209F),  # raised and lowered figures
    (0x2100, 0x214F),  # ℓ, ℝ
    (0x2190, 0x22FF),  # arrows, operators
    (0x2300, 0x23FF),
    (0x25A0, 0x25FF),  # shapes
    (0x2700, 0x27BF),  # ✓ ✕
    (0x27C0, 0x27FF),  # ⟨ ⟩
    (0x2980, 0x29FF),
    (0x2A00, 0x2AFF),
)


def program_characters() -> set[int]:
    """Every character of the sources and resources: whatever may come to be shown."""
    files = [ROOT / "main.py", *(path for name in ("engine", "gui", "resources") for path in (ROOT / name).rglob("*"))]
    return {ord(sign) for path in files if path.suffix in TEXTS for sign in path.read_text(encoding="utf-8")}


def common_chinese() -> set[int]:
    """Level 1 of GB 2312, rows 16 to 55; the last row ends at 89."""
    rows = ((row, column) for row in range(0xB0, 0xD8) for column in range(0xA1, 0xFF if row < 0xD7 else 0xFA))
    return {ord(bytes(pair).decode("gb2312")) for pair in rows}


def cut(font: TTFont, characters: Iterable[int], family: str, style: str, out: Path) -> None:
    """Write a font with these characters alone, under a family name of its own."""
    options = subset.Options(layout_features=[], hinting=False, notdef_outline=True, name_IDs=[0, 13, 14], glyph_names=False)
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=characters)
    cutter.subset(font)
    names = font["name"]
    postscript = f"{family.replace(' ', '')}-{style}"
    for number, text in {1: family, 2: style, 3: postscript, 4: f"{family} {style}", 6: postscript}.items():
        names.setName(text, number, 3, 1, 0x409)
    if "CFF " in font:
        table = font["CFF "].cff
        table.fontNames = [postscript]
        table.topDictIndex[0].FamilyName, table.topDictIndex[0].FullName = family, f"{family} {style}"
    font.save(out)


def unpack(folder: Path) -> Path:
    """Fetch the packages and unpack them; the root of their files."""
    subprocess.run(["apt-get", "download", "-q", *PACKAGES], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    for package in folder.glob("*.deb"):
        subprocess.run(["dpkg-deb", "-x", str(package), str(folder / "files")], check=True)
    return folder / "files" / "usr" / "share"


def licence(copyright_file: Path, name: str) -> str:
    """The text of a licence in a Debian copyright file, without the indentation that the format asks for."""
    found = re.search(rf"^License: {name}[^\n]*\n((?: .*\n)+)", copyright_file.read_text(encoding="utf-8"), re.MULTILINE)
    if found is None:
        raise ValueError(f"{copyright_file} has no licence {name}")
    return re.sub(r"^ \.?", "", found[1], flags=re.MULTILINE)


def write_licences(docs: Path, holders: dict[str, str]) -> None:
    """The licences beside the fonts, with the holders' notices."""
    notices = "\n".join(f"{files}: {holder}" for files, holder in holders.items())
    (OUT / "OFL.txt").write_text(
        f"{notices}\n\nThe Han subset was made from Noto Sans CJK SC.\n\nSIL OPEN FONT LICENSE Version 1.1\n\n"
        + licence(docs / "fonts-inter" / "copyright", "OFL-1.1"),
        encoding="utf-8",
    )
    (OUT / "DejaVu.txt").write_text(
        "TheoriaSigns was made from DejaVu Sans.\nCopyright (c) 2003 by Bitstream, Inc. All Rights Reserved.\n"
        "DejaVu changes are in public domain.\n\n" + licence(docs / "fonts-dejavu-core" / "copyright", "bitstream-vera"),
        encoding="utf-8",
    )


def main() -> None:
    """Make all fonts and licences."""
    OUT.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        share = unpack(Path(folder))
        fonts = share / "fonts"
        for name in WHOLE:
            (OUT / Path(name).name).write_bytes((fonts / name).read_bytes())
        inter = set(TTFont(OUT / "Inter-Regular.otf").getBestCmap())
        wanted = program_characters()
        signs = {code for first, last in SIGN_BLOCKS for code in range(first, last + 1)} - inter
        cut(TTFont(fonts / "truetype/dejavu/DejaVuSans.ttf"), signs, "Theoria Signs", "Regular", OUT / "TheoriaSigns.ttf")
        signs_there = set(TTFont(OUT / "TheoriaSigns.ttf").getBestCmap())
        punctuation = {*range(0x3000, 0x3040), *range(0xFF00, 0xFF66)}
        chinese = (wanted | common_chinese() | punctuation) - inter - signs_there
        holders = {path.name: str(TTFont(path)["name"].getDebugName(0)) for path in sorted(OUT.glob("[IJ]*.[ot]tf"))}
        for style in ("Regular", "Bold"):
            font = TTFont(fonts / f"opentype/noto/NotoSansCJK-{style}.ttc", fontNumber=SIMPLIFIED)
            holders[f"TheoriaHan-{style}.otf"] = str(font["name"].getDebugName(0))
            cut(font, chinese, "Theoria Han", style, OUT / f"TheoriaHan-{style}.otf")
        have = inter | signs_there | set(TTFont(OUT / "TheoriaHan-Regular.otf").getBestCmap())
        write_licences(share / "doc", holders)
    missing = {code for code in wanted if code > 32} - have
    if missing:
        sys.exit(f"No font has {''.join(map(chr, sorted(missing)))}")


if __name__ == "__main__":
    main()
