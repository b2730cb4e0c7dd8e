"""Sets a note, parsed from Markdown, as a page: paragraphs, headings, lists, tables, quotes, code and formulas."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from markdown_it.token import Token
from PySide6.QtCore import Qt
from PySide6.QtGui import (
    QBrush,
    QColor,
    QFont,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextFormat,
    QTextFrameFormat,
    QTextLength,
    QTextList,
    QTextListFormat,
    QTextTable,
    QTextTableCellFormat,
    QTextTableFormat,
)

from gui.core.notes.formula_text import FormulaDocument, Math, Words, has_chinese, tabular

_MONOSPACE = ["JetBrains Mono", "Cascadia Code", "SF Mono", "Consolas", "DejaVu Sans Mono", "Noto Sans CJK SC"]
_HEADINGS = {"h1": (19, 0, 8), "h2": (15, 24, 4), "h3": (13, 18, 4), "h4": (11, 14, 4)}  # size at 13 px, above, below
_BODY = 13
_QUOTE_BAR, _QUOTE_PADDING, _CELL_PADDING = 3, 14, 8
_LINE_HEIGHT, _CHINESE_LINE_HEIGHT = 1.5, 1.65


@dataclass(frozen=True, slots=True)
class NoteStyle:
    """Colours and size of a note; all lengths grow with the size of the body text."""

    text: QColor = field(default_factory=lambda: QColor("#17202B"))
    muted: QColor = field(default_factory=lambda: QColor("#5C6877"))
    accent: QColor = field(default_factory=lambda: QColor("#0F6CC4"))
    surface: QColor = field(default_factory=lambda: QColor("#FFFFFF"))
    font: QFont = field(default_factory=QFont)
    font_px: int = _BODY

    def px(self, length: float) -> float:
        """A length given for 13 px text."""
        return length * self.font_px / _BODY

    def tint(self, colour: QColor, amount: float) -> QColor:
        """A colour laid thinly over the surface."""
        mixed = (round(a * amount + b * (1 - amount)) for a, b in zip(_rgb(colour), _rgb(self.surface), strict=True))
        return QColor(*mixed)


class NoteWriter:
    """Writes block tokens into a document, once."""

    def __init__(self, document: FormulaDocument, style: NoteStyle) -> None:
        self.document = document
        self.style = style
        self.cursor = QTextCursor(document)
        self._line_height = _LINE_HEIGHT
        self._unused_block = True  # the block at the cursor has nothing in it yet
        self._lists: list[QTextListFormat] = []
        self._open_lists: list[QTextList | None] = []
        self._item_pending = False
        self._boxes: list[QTextTable] = []
        self._in_cell = False
        self._colour = style.text
        font = tabular(style.font)
        font.setPixelSize(style.font_px)
        document.setDefaultFont(font)
        document.setIndentWidth(style.px(20))

    def write(self, tokens: Sequence[Token]) -> None:
        """Write all blocks of a note."""
        if any(has_chinese(token.content) for token in tokens):
            self._line_height = _CHINESE_LINE_HEIGHT
        edit = QTextCursor(self.document)
        edit.beginEditBlock()  # one layout for all
        self._shrink_block()
        position = 0
        while position < len(tokens):
            position = self._write_block(tokens, position)
        edit.endEditBlock()

    def _write_block(self, tokens: Sequence[Token], at: int) -> int:
        """Write the block that begins at a token; returns where the next one begins."""
        token = tokens[at]
        match token.type:
            case "heading_open":
                self._heading(token.tag, tokens[at + 1])
                return at + 3
            case "paragraph_open":
                self._paragraph(tokens[at + 1], tight=token.hidden)
                return at + 3
            case "math_block":
                self._display(token.content)
            case "fence" | "code_block":
                self._code(token.content)
            case "bullet_list_open" | "ordered_list_open":
                self._begin_list(token)
            case "list_item_open":
                self._item_pending = True
            case "bullet_list_close" | "ordered_list_close":
                self._lists.pop()
                self._open_lists.pop()
                self._item_pending = False
            case "blockquote_open":
                self._begin_quote()
            case "blockquote_close":
                self._leave(self._boxes.pop())
                self._colour = self.style.muted if self._boxes else self.style.text
            case "hr":
                self._rule()
            case "table_open":
                end = next(i for i in range(at, len(tokens)) if tokens[i].type == "table_close")
                self._table(tokens[at:end])
                return end + 1
        return at + 1

    # Blocks

    def _heading(self, tag: str, inline: Token) -> None:
        size, above, below = _HEADINGS.get(tag, _HEADINGS["h4"])
        block = self._block(above, below, line_height=1.3, size=size)
        block.setHeadingLevel(int(tag[1]))
        self._begin(block)
        text = self._text(muted=size < _BODY)
        text.setProperty(QTextFormat.Property.FontPixelSize.value, round(self.style.px(size)))
        text.setFontWeight(QFont.Weight.DemiBold)
        if size < _BODY:
            text.setFontLetterSpacing(104)
        self._put(self._runs(inline.children or [], text))

    def _paragraph(self, inline: Token, *, tight: bool = False) -> None:
        words: list[Words | Math] = []
        for run in [*self._runs(inline.children or [], self._text()), None]:
            # A formula between double dollar signs has a line of its own, also where the source does not give it one.
            if run is not None and not (isinstance(run, Math) and run.display):
                words.append(run)
                continue
            if any(isinstance(word, Math) or word.text.strip() for word in words):
                self._begin(self._block(0, 4 if tight else 8))
                self._put(_trimmed(words))
            words = []
            if run is not None:
                self._display(run.tex)

    def _display(self, tex: str) -> None:
        block = self._block(10, 8, line_height=0)
        if not self._item_pending:  # a bullet would move to the middle with it
            block.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._begin(block)
        self._put([Math(tex.strip(), self._text(), display=True)])

    def _code(self, text: str) -> None:
        frame = QTextFrameFormat()
        frame.setBackground(self.style.tint(self.style.muted, 0.12))
        frame.setPadding(self.style.px(10))
        frame.setBorder(0)
        frame.setTopMargin(self.style.px(4))
        frame.setBottomMargin(self.style.px(14))
        inner = self.cursor.insertFrame(frame)
        self._unused_block = True
        self._begin(self._block(0, 0, line_height=1.4, size=12))
        self._put([Words(text.rstrip("\n").replace("\n", "\u2028"), self._code_text(block=True))])
        self.cursor.setPosition(inner.lastPosition() + 1)
        self._unused_block = True
        self._shrink_block()

    def _rule(self) -> None:
        block = self._block(8, 14, line_height=1)
        block.setProperty(
            QTextFormat.Property.BlockTrailingHorizontalRulerWidth.value,
            QTextLength(QTextLength.Type.PercentageLength, 100),
        )
        block.setProperty(QTextFormat.Property.BackgroundBrush.value, QBrush(self.style.tint(self.style.muted, 0.35)))
        self._begin(block)

    def _begin_list(self, token: Token) -> None:
        shape = QTextListFormat()
        ordered = token.type == "ordered_list_open"
        shape.setStyle(QTextListFormat.Style.ListDecimal if ordered else QTextListFormat.Style.ListDisc)
        if ordered:
            shape.setStart(int(token.attrGet("start") or 1))
        shape.setIndent(len(self._lists) + 1)
        self._lists.append(shape)
        self._open_lists.append(None)

    def _begin_quote(self) -> None:
        table = self._grid(1, 1, QTextTableFormat())
        cell = table.cellAt(0, 0)
        bar = QTextTableCellFormat()
        bar.setLeftBorder(self.style.px(_QUOTE_BAR))
        bar.setLeftBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_Solid)
        bar.setLeftBorderBrush(self.style.tint(self.style.accent, 0.6))
        bar.setLeftPadding(self.style.px(_QUOTE_PADDING))
        bar.setTopPadding(self.style.px(4))
        cell.setFormat(bar)
        self.cursor = cell.firstCursorPosition()
        self._unused_block = True
        self._colour = self.style.muted
        self._boxes.append(table)

    def _table(self, tokens: Sequence[Token]) -> None:
        cells: list[list[tuple[Token, Token]]] = []
        for at, token in enumerate(tokens):
            if token.type == "tr_open":
                cells.append([])
            elif token.type in ("th_open", "td_open"):
                cells[-1].append((token, tokens[at + 1]))
        shape = QTextTableFormat()
        shape.setHeaderRowCount(1)
        table = self._grid(len(cells), len(cells[0]), shape)
        self._in_cell = True
        for row, line in enumerate(cells):
            for column, (opening, inline) in enumerate(line):
                self._cell(table, row, column, opening, inline)
        self._in_cell = False
        self._leave(table)

    def _cell(self, table: QTextTable, row: int, column: int, opening: Token, inline: Token) -> None:
        heading = opening.type == "th_open"
        shape = QTextTableCellFormat()
        shape.setBottomBorder(1)
        shape.setBottomBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_Solid)
        shape.setBottomBorderBrush(self.style.tint(self.style.muted, 0.6 if heading else 0.25))
        shape.setTopPadding(self.style.px(3))
        shape.setBottomPadding(self.style.px(6))
        shape.setLeftPadding(0 if column == 0 else self.style.px(_CELL_PADDING))
        shape.setRightPadding(self.style.px(_CELL_PADDING))
        cell = table.cellAt(row, column)
        cell.setFormat(shape)
        self.cursor = cell.firstCursorPosition()
        block = self._block(0, 0)
        block.setAlignment(_alignment(opening))
        self.cursor.setBlockFormat(block)
        text = self._text(muted=heading)
        if heading:
            text.setFontWeight(QFont.Weight.DemiBold)
        self._put(self._runs(inline.children or [], text))

    # The places where blocks stand

    def _block(self, above: float, below: float, *, line_height: float | None = None, size: float = _BODY) -> QTextBlockFormat:
        block = QTextBlockFormat()
        block.setTopMargin(self.style.px(above))
        block.setBottomMargin(self.style.px(below))
        height = round(self.style.px(size) * (self._line_height if line_height is None else line_height))
        block.setLineHeight(height, QTextBlockFormat.LineHeightTypes.MinimumHeight.value)
        return block

    def _begin(self, block: QTextBlockFormat) -> None:
        """Start a block, in the list item that is open."""
        if self._lists:
            block.setIndent(0 if self._item_pending else len(self._lists))
        if self._unused_block:
            self.cursor.setBlockFormat(block)
        else:
            self.cursor.insertBlock(block, QTextCharFormat())
        self._unused_block = False
        if self._item_pending:
            self._join_list()

    def _join_list(self) -> None:
        self._item_pending = False
        self.cursor.setBlockCharFormat(self._text(muted=True))  # the colour of the bullet
        if self._open_lists[-1] is None:
            self._open_lists[-1] = self.cursor.createList(self._lists[-1])
        else:
            self._open_lists[-1].add(self.cursor.block())

    def _put(self, runs: Sequence[Words | Math]) -> None:
        inset = self.document.indentWidth() * len(self._lists)
        inset += self.style.px(_QUOTE_BAR + _QUOTE_PADDING) * len(self._boxes)
        inset += self.style.px(2 * _CELL_PADDING) if self._in_cell else 0.0
        self.document.write(self.cursor, runs, inset=inset)

    def _grid(self, rows: int, columns: int, shape: QTextTableFormat) -> QTextTable:
        shape.setBorder(0)
        shape.setBorderCollapse(True)
        shape.setCellSpacing(0)
        shape.setCellPadding(0)
        shape.setTopMargin(self.style.px(8))
        shape.setBottomMargin(self.style.px(14))
        if rows == columns == 1:
            shape.setWidth(QTextLength(QTextLength.Type.PercentageLength, 100))
        return self.cursor.insertTable(rows, columns, shape)

    def _leave(self, table: QTextTable) -> None:
        self.cursor.setPosition(table.lastPosition() + 1)
        self._unused_block = True
        self._shrink_block()

    def _shrink_block(self) -> None:
        """Qt wants a block before and after each table: while nothing is in it, it takes no room."""
        block = QTextBlockFormat()
        block.setLineHeight(1, QTextBlockFormat.LineHeightTypes.FixedHeight.value)
        self.cursor.setBlockFormat(block)

    # Runs of text

    def _text(self, *, muted: bool = False) -> QTextCharFormat:
        text = QTextCharFormat()
        text.setFont(self.document.defaultFont())
        text.setForeground(self.style.muted if muted else self._colour)
        return text

    def _code_text(self, text: QTextCharFormat | None = None, *, block: bool = False) -> QTextCharFormat:
        code = QTextCharFormat(text if text is not None else self._text())
        code.setFontFamilies(_MONOSPACE)
        code.setFontFixedPitch(True)
        code.setProperty(QTextFormat.Property.FontPixelSize.value, round(self.style.px(12)))
        if not block:
            code.setBackground(self.style.tint(self.style.muted, 0.14))
        return code

    def _code_runs(self, code: str, text: QTextCharFormat) -> list[Words | Math]:
        edge = QTextCharFormat(text)
        edge.setBackground(self._code_text().background())
        return [Words("\u200a", edge), Words(code, self._code_text(text)), Words("\u200a", edge)]

    def _runs(self, children: Sequence[Token], text: QTextCharFormat) -> list[Words | Math]:
        runs: list[Words | Math] = []
        formats = [text]
        for at, token in enumerate(children):
            now = formats[-1]
            match token.type:
                case "text" | "text_special":
                    runs.append(Words(token.content, now))
                case "code_inline":
                    runs.extend(self._code_runs(token.content, now))
                case "math_inline" | "math_inline_double":
                    runs.append(Math(token.content.strip(), now, display=token.type == "math_inline_double"))
                case "softbreak":
                    runs.append(Words(_soft_space(children, at), now))
                case "hardbreak":
                    runs.append(Words("\u2028", now))
                case "image":
                    runs.append(Words(token.content, now))
                case "strong_open" | "em_open" | "link_open":
                    formats.append(self._emphasised(token, now, children[at + 1 :]))
                case "strong_close" | "em_close" | "link_close":
                    formats.pop()
        return runs

    def _emphasised(self, token: Token, text: QTextCharFormat, following: Sequence[Token]) -> QTextCharFormat:
        shape = QTextCharFormat(text)
        if token.type == "link_open":
            shape.setAnchor(True)
            shape.setAnchorHref(str(token.attrGet("href") or ""))
            shape.setForeground(self.style.accent)
        elif token.type == "strong_open":
            shape.setFontWeight(QFont.Weight.DemiBold)
        elif following and has_chinese(following[0].content):
            shape.setFontWeight(QFont.Weight.Medium)  # Chinese type has no italic
        else:
            shape.setFontItalic(True)
        return shape


def _trimmed(runs: list[Words | Math]) -> list[Words | Math]:
    """The runs of a paragraph without spaces at its ends."""
    if isinstance(runs[0], Words):
        runs[0] = replace(runs[0], text=runs[0].text.lstrip(" "))
    if isinstance(runs[-1], Words):
        runs[-1] = replace(runs[-1], text=runs[-1].text.rstrip(" "))
    return runs


def _soft_space(children: Sequence[Token], at: int) -> str:
    """A line end in the source is a space, but not between two Chinese characters."""
    before = children[at - 1].content[-1:] if at else ""
    after = children[at + 1].content[:1] if at + 1 < len(children) else ""
    wide = r"[\u3000-\u9fff\uff00-\uffef]"
    return "" if re.match(wide, before) and re.match(wide, after) else " "


def _alignment(cell: Token) -> Qt.AlignmentFlag:
    style = str(cell.attrGet("style") or "")
    if "right" in style:
        return Qt.AlignmentFlag.AlignRight
    return Qt.AlignmentFlag.AlignHCenter if "center" in style else Qt.AlignmentFlag.AlignLeft


def _rgb(colour: QColor) -> tuple[int, int, int]:
    return colour.red(), colour.green(), colour.blue()
