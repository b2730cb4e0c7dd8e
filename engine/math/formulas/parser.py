"""Formulas typed by a person: arithmetic on declared variables, read by a small parser of its own and nothing else.

A formula becomes a tree of five kinds of nodes. Whatever is not a number, a declared variable, a known function or an
operator is refused with the place where it stands; nothing of Python is reachable from here.

    >>> parse("x * sigmoid(1.702 x)", ("x",))
    Traceback (most recent call last):
    ...
    engine.math.formula.FormulaError: Write * between 1.702 and x at position 19.
    >>> parse("x * sigmoid(1.702*x)", ("x",)).to_latex()
    'x\\\\,\\\\sigma\\\\left(1.702\\\\,x\\\\right)'
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from engine.math.formulas.tree import BINDING, CONSTANTS, FUNCTIONS, MINUS, Binary, Call, Formula, Minus, Node, Number, Variable

LONGEST = 300  # characters, which also bounds the depth of a chain such as 1+1+1+...
DEEPEST = 60  # brackets and operators inside each other


class FormulaError(ValueError):
    """What is wrong with a formula, in one sentence.

    Parameters
    ----------
    template : str
        The sentence, with named places.
    position : int
        Of the character it is about, counted from one.
    values
        What goes into the places; ``position`` is among them.
    """

    def __init__(self, template: str, position: int, **values: Any) -> None:
        self.template = template
        self.position = position
        self.values: dict[str, Any] = {"position": position, **values}
        super().__init__(template.format(**self.values))


_TOKEN = re.compile(
    r"(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z_]\w*)|(?P<sign>\*\*|[-+*/^(),−×·÷])", re.ASCII
)
_SAME = {"**": "^", "−": "-", "×": "*", "·": "*", "÷": "/"}


@dataclass(frozen=True, slots=True)
class Token:
    """A number, a name, a sign, or the end."""

    kind: str
    text: str
    position: int


def tokens(text: str) -> list[Token]:
    """The words of a formula, an empty one of kind ``end`` last.

    Raises
    ------
    FormulaError
        If a character belongs to no word.
    """
    found: list[Token] = []
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        match = _TOKEN.match(text, at)
        if match is None:
            raise FormulaError(
                "The character {character} at position {position} is not arithmetic.", at + 1, character=text[at]
            )
        word = match[0]
        found.append(Token(str(match.lastgroup), _SAME.get(word, word), at + 1))
        at = match.end()
    return [*found, Token("end", "", len(text) + 1)]


def parse(text: str, variables: Sequence[str] = ("x",)) -> Formula:
    """Read a formula.

    Parameters
    ----------
    text : str
        Numbers, the variables, ``+ - * / ^`` (or ``**``), brackets, the constants pi and e, and the functions of `FUNCTIONS`.
    variables : sequence of str
        The names that may occur.

    Raises
    ------
    FormulaError
        If the text is anything else; the sentence gives the position.
    """
    if len(text) > LONGEST:
        raise FormulaError("The formula is longer than {most} characters.", LONGEST + 1, most=LONGEST)
    if not text.strip():
        raise FormulaError("The formula is empty.", 1)
    reader = _Reader(tokens(text), tuple(variables))
    return Formula(text, tuple(variables), reader.read())


class _Reader:
    """A Pratt parser: every operator has a strength, and a part ends before a weaker one."""

    def __init__(self, words: list[Token], variables: tuple[str, ...]) -> None:
        self.words = words
        self.variables = variables
        self.at = 0
        self.depth = 0

    @property
    def next(self) -> Token:
        return self.words[self.at]

    def take(self) -> Token:
        token = self.next
        self.at += 1
        return token

    def read(self) -> Node:
        root = self.part(0)
        self.refuse_rest()
        return root

    def refuse_rest(self) -> None:
        token = self.next
        if token.kind == "end":
            return
        if token.text == ")":
            raise FormulaError("The bracket ) at position {position} closes nothing.", token.position)
        if token.text == ",":
            raise FormulaError("The comma at position {position} separates nothing; decimals take a point.", token.position)
        before = self.words[self.at - 1]
        raise FormulaError(
            "Write * between {left} and {right} at position {position}.", token.position, left=before.text, right=token.text
        )

    def part(self, weakest: int) -> Node:
        """Everything up to an operator weaker than this."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise FormulaError("The formula is nested too deeply at position {position}.", self.next.position)
        left = self.operand()
        while (strength := BINDING.get(self.next.text, 0)) > weakest:
            operator = self.take().text
            left = Binary(operator, left, self.part(strength - (operator == "^")))  # a power groups from the right
        self.depth -= 1
        return left

    def operand(self) -> Node:
        token = self.take()
        if token.kind == "number":
            return Number(float(token.text), token.text)
        if token.kind == "name":
            return self.named(token)
        if token.text == "(":
            inside = self.part(0)
            self.close(token)
            return inside
        if token.text in ("-", "+"):
            operand = self.part(MINUS)  # stronger than *, weaker than ^: -x^2 is -(x^2)
            return Minus(operand) if token.text == "-" else operand
        if token.kind == "end":
            raise FormulaError("The formula ends at position {position} where a value should follow.", token.position)
        raise FormulaError("A value should stand at position {position}, not {found}.", token.position, found=token.text)

    def named(self, token: Token) -> Node:
        name = token.text
        if name in self.variables:
            return Variable(name)
        if name in FUNCTIONS:
            return Call(name, self.arguments(token, FUNCTIONS[name].arity))
        if name in CONSTANTS:
            return Number(CONSTANTS[name], name)
        known = ", ".join((*self.variables, *CONSTANTS, *FUNCTIONS))
        raise FormulaError(
            "There is no {name} at position {position}: known are {known}.", token.position, name=name, known=known
        )

    def arguments(self, function: Token, arity: int) -> tuple[Node, ...]:
        opening = self.next
        if opening.text != "(":
            raise FormulaError(
                "Write the argument of {name} at position {position} in brackets.", opening.position, name=function.text
            )
        self.take()
        found = [self.part(0)]
        while self.next.text == ",":
            self.take()
            found.append(self.part(0))
        self.close(opening)
        if len(found) != arity:
            raise FormulaError(
                "{name} at position {position} takes {arity} values, not {found}.",
                function.position,
                name=function.text,
                arity=arity,
                found=len(found),
            )
        return tuple(found)

    def close(self, opening: Token) -> None:
        if self.next.text != ")":
            if self.next.kind == "end":
                raise FormulaError("The bracket at position {position} is not closed.", opening.position)
            self.refuse_rest()
        self.take()
