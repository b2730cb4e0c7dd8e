"""The Markdown of the notes: CommonMark with tables, LaTeX between dollar signs, and emphasis that understands Chinese."""

from __future__ import annotations

from functools import cache

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.emphasis import tokenize
from markdown_it.token import Token
from mdit_py_plugins.dollarmath import dollarmath_plugin


def parse(markdown: str) -> list[Token]:
    """The block tokens of a note; the inline ones are their children."""
    return _parser().parse(markdown)


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    # No space inside the dollar signs, so that "$5 and $6" is money.
    dollarmath_plugin(parser, allow_space=False, allow_labels=False, double_inline=True)
    parser.inline.ruler.at("emphasis", _emphasis)
    return parser


def _emphasis(state: StateInline, silent: bool) -> bool:
    """Emphasis as CommonMark has it, and beside Chinese characters wherever it is not at a space.

    CommonMark looks for spaces around words, which Chinese has not: ``**强调：**之后`` would keep its asterisks.
    """
    start, known = state.pos, len(state.delimiters)
    if not tokenize(state, silent):
        return False
    before, after = state.src[start - 1 : start] or " ", state.src[state.pos : state.pos + 1] or " "
    if state.src[start] == "*" and (_is_wide(before) or _is_wide(after)):
        for delimiter in state.delimiters[known:]:
            delimiter.open = delimiter.open or not after.isspace()
            delimiter.close = delimiter.close or not before.isspace()
    return True


def _is_wide(letter: str) -> bool:
    """Chinese characters, their punctuation and full-width forms."""
    return "\u2e80" <= letter <= "\u9fff" or "\uf900" <= letter <= "\ufaff" or "\uff00" <= letter <= "\uffef"
